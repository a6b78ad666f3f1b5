"""Where the keys of a TOML text stand: what an error says that points at a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["TOKEN", "Key", "places", "statements"]

Key = tuple[str | int, ...]
"""The keys on the way to a value; a number says which table of an array of tables, counted from 0."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
TOKEN = re.compile(
    r'(?P<string>"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*')"
    r"|(?P<comment>\#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<line>\n)",
    re.DOTALL,
)
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]\]?")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


def places(text: str) -> Mapping[Key, int]:
    r"""Return the line, counted from 1, of every table and of every key that begins a line.

    Keys inside a value, as of an inline table, have none of their own: they are where the value begins.

    Examples
    --------
    >>> places('a = 1\n[[page]]\ntext = \"\"\"\nb = 2\n\"\"\"\n[page.wait]\nat = 3\n')
    {('a',): 1, ('page', 0): 2, ('page', 0, 'text'): 3, ('page', 0, 'wait'): 6, ('page', 0, 'wait', 'at'): 7}
    """
    found: dict[Key, int] = {}
    for number, key, _ in statements(text):
        if key:
            found.setdefault(key, number + 1)
    return found


def statements(text: str) -> Iterator[tuple[int, Key, bool]]:
    """Yield every statement: the line it begins in, counted from 0, its whole key, whether it is a header.

    Empty lines and comments are statements without a key.
    """
    counts: dict[Key, int] = {}
    table: Key = ()
    for number, line in _statements(text):
        header = _HEADER.match(line)
        if header:
            table = _table(_parts(header[2]), header[1] == "[[", counts)
            yield number - 1, table, True
            continue
        key = _KEY.match(line)
        yield number - 1, (*table, *_parts(key[1])) if key else (), False


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines at which a statement begins: none that lie in a string or inside brackets."""
    lines = text.split("\n")
    depth, number = 0, 1
    yield 1, lines[0]
    begins_header = _HEADER.match(lines[0]) is not None
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "string":
            number += token[0].count("\n")
        elif kind == "line":
            number += 1
            depth = 0 if begins_header else depth
            if depth == 0:
                yield number, lines[number - 1]
                begins_header = _HEADER.match(lines[number - 1]) is not None
        elif kind in ("open", "close"):
            depth = max(0, depth + (1 if kind == "open" else -1))


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _table(parts: tuple[str, ...], is_array: bool, counts: dict[Key, int]) -> Key:
    """Return the whole key of a table: arrays on the way count their last table."""
    key: Key = ()
    for i, part in enumerate(parts):
        key = (*key, part)
        if is_array and i == len(parts) - 1:
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            key = (*key, counts[key])
    return key
