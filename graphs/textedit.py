"""Changing single values in a TOML text: all around them stays as it was written.

The text is taken apart by tomlkit, whose time grows by some 90 microseconds a number. So long arrays that
nobody changes are left out of it, and put back at the end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np

from graphs.literals import number_text

__all__ = ["TextEdit"]

Array = np.ndarray
LONG, LONG_CHANGED = 2_000, 100_000
"""Characters from which on an array is left out: one that stays, and one whose entries are to be changed."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*|[\[\]=]",
    re.DOTALL,
)
_LAST_WORD = re.compile(r"""([\w-]+|"[^"\n]*"|'[^'\n]*')\s*$""")


class TextEdit:
    """A TOML text whose values can be changed by table and key; a table is named by the keys on the way.

    Parameters
    ----------
    document
        The text, as tomlkit has taken it apart.
    shelf
        What was left out, by the text that stands in its place.
    """

    def __init__(self, document: Any, shelf: dict[str, str], mark: str) -> None:
        self._document = document
        self._shelf = shelf
        self._mark = mark

    @classmethod
    def of(cls, text: str, changing: Set[str]) -> TextEdit | None:
        """Return the editor of a text in which the values of these keys will change; None if it fails."""
        import tomlkit  # here, because only saving needs it, and every command would wait for it
        from tomlkit.exceptions import TOMLKitError

        mark = "kept"
        while mark in text:
            mark += "_"
        shelf: dict[str, str] = {}
        parts, start = [], 0
        for first, end in _arrays_to_leave_out(text, changing):
            place = f'["{mark}{len(shelf)}"]'
            shelf[place] = text[first:end]
            parts += [text[start:first], place]
            start = end
        try:
            return cls(tomlkit.parse("".join([*parts, text[start:]])), shelf, mark)
        except (TOMLKitError, ValueError, RecursionError):
            return None

    def text(self) -> str:
        """Return the text as it is now."""
        text = self._document.as_string()
        if not self._shelf:
            return text
        return re.sub(rf'\["{self._mark}\d+"\]', lambda place: self._shelf[place[0]], text)

    def items(self, table: tuple[str, ...]) -> dict[str, Any]:
        """Return what stands in a table, by key."""
        found = self._table(table)
        return {} if found is None else {str(key): value for key, value in found.items()}

    def put(self, table: tuple[str, ...], key: str, text: str | None) -> None:
        """Give a key another value, written as TOML, or take it away where None is given."""
        found = self._table(table)
        if text is None:
            if found is not None and (own := _own_key(found, key)) is not None:
                del found[own]
            return
        found = self._made(table) if found is None else found
        own = _own_key(found, key)
        if own is not None:
            found[own] = self._item(text)
        else:
            _append(found, key, self._item(text))

    def put_table(self, table: tuple[str, ...], key: str, items: Mapping[str, str], inline: str) -> None:
        """Give a key a table: item by item where it has a table with lines of its own, else in one line."""
        from tomlkit.items import Table

        found = self._table(table)
        own = None if found is None else _own_key(found, key)
        if own is None or found is None or not isinstance(found[own], Table):
            self.put(table, key, inline)
            return
        inner = (*table, own)
        for name in self.items(inner):
            if unicodedata.normalize("NFKC", name) not in items:
                self.put(inner, name, None)
        for name, text in items.items():
            if not self._says(inner, name, text):
                self.put(inner, name, text)

    def put_entries(
        self,
        table: tuple[str, ...],
        key: str,
        old: Array,
        new: Array,
        text: str,
    ) -> None:
        """Change those entries of an array, or the one number, in which `new` differs from `old`."""
        import tomlkit

        found = self._table(table)
        own = None if found is None else _own_key(found, key)
        item = None if found is None or own is None else found[own]
        if old.ndim == 0 or not isinstance(item, list) or not item or isinstance(item[0], str):
            is_whole = isinstance(item, int) and old.ndim == 0
            self.put(table, key, _whole_text(float(new), text) if is_whole else text)
            return
        bits = old.view(np.int64) != new.view(np.int64)
        for row, column in np.argwhere(bits):
            line = item[row] if isinstance(item[0], list) else item
            number = float(new[row, column])
            is_whole = isinstance(line[column], int)
            word = number_text(number)
            line[int(column)] = tomlkit.value(_whole_text(number, word) if is_whole else word)

    def _says(self, table: tuple[str, ...], key: str, text: str) -> bool:
        return key in (items := self.items(table)) and items[key] == self._item(text)

    def _item(self, text: str) -> Any:
        import tomlkit

        if len(text) > LONG and text.startswith("["):
            place = f'["{self._mark}{len(self._shelf)}"]'
            self._shelf[place] = text
            text = place
        return tomlkit.value(text)

    def _table(self, path: tuple[str, ...]) -> Any:
        found = self._document
        for key in path:
            own = _own_key(found, key)
            if own is None:
                return None
            found = found[own]
        return found

    def _made(self, path: tuple[str, ...]) -> Any:
        """Return a table that is not there yet, at the end, after an empty line."""
        import tomlkit

        (key,) = path
        if self._document.as_string() and not self._document.as_string().endswith("\n"):
            self._document.add(tomlkit.nl())
        if not self._document.as_string().endswith("\n\n"):
            self._document.add(tomlkit.nl())
        self._document[key] = tomlkit.table()
        return self._document[key]


def _own_key(table: Any, key: str) -> str | None:
    """Return a name as the file spells it: the formula reads letters of one kind alike."""
    if key in table:
        return key
    return next((own for own in table if unicodedata.normalize("NFKC", own) == key), None)


def _append(table: Any, key: str, item: Any) -> None:
    """Add a key to a table, before the empty lines that separate it from the next."""
    from tomlkit.items import Table, Whitespace

    after = []
    if isinstance(table, Table):
        body = table.value.body
        while body and isinstance(body[-1][1], Whitespace):
            after.append(body.pop()[1])
    table[key] = item
    for space in reversed(after):
        table.add(space)


def _whole_text(number: float, text: str) -> str:
    """Write a number as one is written in the place of a whole one."""
    is_whole = number.is_integer() and abs(number) < 2**53 and text != "-0.0"
    return str(int(number)) if is_whole else text


def _arrays_to_leave_out(text: str, changing: Set[str]) -> Iterator[tuple[int, int]]:
    """Yield where a value is a long array: its first character, and the one after its last."""
    if len(text) <= LONG:
        return
    depth, first, key_end, is_value = 0, 0, 0, False
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "=":
            is_value, key_end = depth == 0, token.start()
        elif mark == "[":
            first = token.start() if depth == 0 else first
            depth += 1
        elif mark == "]":
            depth -= 1
            if depth == 0 and is_value:
                limit = LONG_CHANGED if _key_before(text, key_end) in changing else LONG
                if token.end() - first > limit:
                    yield first, token.end()
            is_value = is_value and depth > 0


def _key_before(text: str, end: int) -> str:
    word = _LAST_WORD.search(text, max(0, end - 200), end)
    return unicodedata.normalize("NFKC", word[1].strip("\"'")) if word else ""
