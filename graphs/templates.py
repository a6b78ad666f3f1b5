"""Templates: small networks of common forms to begin a formula with; files like any other network."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from importlib import resources

from graphs.definition import Network
from graphs.reading import loads, without_place

__all__ = ["BLANK", "is_untouched", "template", "template_names"]

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


def template(name: str) -> Network:
    """Return a template, each time with a source of its own: what is begun with it is another network."""
    network = _read(name)
    return replace(network, source=replace(network.source))


def is_untouched(network: Network) -> bool:
    """Say whether a network has nothing but the formula of the blank template."""
    return network.name == BLANK and network.formula == _read(BLANK).formula


@lru_cache(maxsize=16)
def _read(name: str) -> Network:
    text = (resources.files("graphs") / "templates" / f"{name}.toml").read_text("utf-8")
    return loads(without_place(text), name=name, where=f"{name}.toml")
