"""Templates: small networks of common forms to begin a formula with; files like any other network."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

from graphs.definition import Network
from graphs.reading import loads, without_place

__all__ = ["BLANK", "template", "template_names"]

BLANK = "blank"
"""The template with which a new network begins."""


@lru_cache(maxsize=1)
def template_names() -> tuple[str, ...]:
    """Return the names of the templates in the order of their numbers, the blank one first."""
    folder = resources.files("graphs") / "templates"
    found = [
        (int(re.match(r"#\s*(\d+)", entry.read_text("utf-8"))[1]), entry.name[:-5])  # type: ignore[index]
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return tuple(name for _, name in sorted(found))


@lru_cache(maxsize=16)
def template(name: str) -> Network:
    """Return a template."""
    text = (resources.files("graphs") / "templates" / f"{name}.toml").read_text("utf-8")
    return loads(without_place(text), name=name, where=f"{name}.toml")
