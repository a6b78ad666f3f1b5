"""Lines of Python that fit: functions, calls, docstrings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from graphs.array_source import WIDTH
from graphs.documents import Scope
from graphs.provenance import provenance
from graphs.snapshot import Snapshot

__all__ = ["assigned", "docstring", "function", "indented", "quoted", "returned", "title_of"]


def indented(lines: Iterable[str]) -> list[str]:
    """Return lines of a body."""
    return [f"    {line}" if line else "" for line in lines]


def function(name: str, arguments: Sequence[str], body: Sequence[str]) -> list[str]:
    """Return the lines of a function, two empty ones before it."""
    return ["", "", *_closed(f"def {name}(", arguments, "):"), *indented(body)]


def assigned(targets: Sequence[str], call: str, arguments: Sequence[str]) -> list[str]:
    """Return the lines that assign what a function returns."""
    left = ", ".join(targets)
    if len(left) > WIDTH // 2:
        *first, last = _closed("(", targets, ")")
        return [*first, *_closed(f"{last} = {call}(", arguments, ")")]
    return _closed(f"{left} = {call}(", arguments, ")")


def returned(values: Sequence[str]) -> list[str]:
    """Return the lines that return values."""
    text = f"return {', '.join(values)}"
    return [text] if len(text) <= WIDTH - 4 else _closed("return (", values, ")")


def _closed(before: str, items: Sequence[str], after: str) -> list[str]:
    """Return items in parentheses, in as many lines as it takes."""
    text = ", ".join(items)
    if len(before) + len(text) + len(after) <= WIDTH - 8:
        return [f"{before}{text}{after}"]
    return [before, *indented(textwrap.wrap(f"{text},", WIDTH - 12, break_long_words=False)), after]


def title_of(snapshot: Snapshot) -> str:
    """Return the network's title as it can stand in a string of Python, in one line."""
    return quoted(snapshot.title) or snapshot.model.network.name


def docstring(snapshot: Snapshot, *sentences: str) -> Iterator[str]:
    """Yield the lines of a script's docstring: what it is, and where it comes from."""
    first, *others = sentences
    yield f'"""{first}'
    for sentence in others:
        yield from ("", *textwrap.wrap(sentence, WIDTH))
    yield ""
    yield from (
        f"{key}: {quoted(value)}" for key, value in provenance(snapshot, scope=Scope.ITERATION).items()
    )
    yield '"""'


def quoted(text: str) -> str:
    """Return text in one line, as it stands between quotation marks."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.replace("\\", r"\\").replace('"', r"\"").split())
