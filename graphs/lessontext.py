"""A lesson's file as it is worked on: pages and keys are changed, all else stays as it was written.

A page is the lines from its ``[[page]]``, with the comment above it, to the next one. It is moved, copied and
deleted as these lines; a key is changed by putting other text in the place of its value. So comments, order,
spacing and spelling stay wherever nothing else is meant.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from graphs.lesson import ACTIONS
from graphs.literals import number_text
from graphs.tomlplaces import TOKEN, Key, statements

__all__ = ["ORDER", "LessonText", "key_text", "value_text"]

ORDER = (
    *("title", "text", "network", "seed", "set", "training", "detail", "fault", "docks", "camera"),
    *("at", "iteration", "train", "highlight", "hide", *ACTIONS, "wait", "question", "notes"),
)
"""The keys of a page, in the order in which a new one has them."""
QUESTION = ("ask", "kind", "answer", "choices", "about", "tolerance", "hints", "explain")
HEAD = ("format", "title", "summary", "network", "seed")
WIDTH = 100


# --- values ------------------------------------------------------------------------------------------------


def value_text(value: Any) -> str:
    r"""Return a value as TOML, as a person would write it.

    Examples
    --------
    >>> print(value_text("A $x$"), value_text(r"$\sigma$"), value_text(["A", "d_A"]), value_text({"w": 1.5}))
    "A $x$" '$\sigma$' ["A", "d_A"] { w = 1.5 }
    """
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        items = ", ".join(f"{key_text(key)} = {_item_text(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, Sequence):
        return _list(value)
    return number_text(value) if isinstance(value, float) else str(value)


def key_text(key: str) -> str:
    """Return a key as TOML."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _item_text(value: Any) -> str:
    """Return a value in a list or a table: in one line, so that its last line is not ended."""
    return _quoted(value) if isinstance(value, str) and "\n" in value else value_text(value)


def _list(values: Sequence[Any]) -> str:
    words = [_item_text(value) for value in values]
    line = f"[{', '.join(words)}]"
    if len(line) <= WIDTH or not all(isinstance(value, str) for value in values):
        return line
    return "[\n" + "".join(f"  {word},\n" for word in words) + "]"


def _string(text: str) -> str:
    is_plain = not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
    if "\n" in text:
        if is_plain and "'''" not in text and not text.rstrip("\n").endswith("'"):
            return f"'''\n{text if text.endswith(chr(10)) else text + chr(10)}'''"
        return f'"""\n{_escaped(text).replace(chr(34) * 3, chr(34) * 2 + chr(92) + chr(34))}"""'
    if "\\" not in text and '"' not in text and is_plain and "\t" not in text:
        return f'"{text}"'
    if is_plain and "'" not in text:
        return f"'{text}'"
    return _quoted(text)


def _quoted(text: str) -> str:
    return '"' + _escaped(text).replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", escaped)


# --- the text ----------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    """A statement: its lines, counted from 0, from the first to before the end, and the key that it sets."""

    first: int
    end: int
    key: Key
    is_header: bool


@dataclass(frozen=True)
class LessonText:
    """The text of a lesson's file; changing it gives another.

    Attributes
    ----------
    text
        TOML with ``[[page]]`` tables.
    """

    text: str

    @classmethod
    def begun(cls, title: str) -> LessonText:
        """Return a lesson that has no page yet."""
        return cls(f"title = {value_text(title)}\n")

    # --- facts ---

    @cached_property
    def table(self) -> dict[str, Any]:
        """What the text says."""
        return tomllib.loads(self.text)

    @property
    def pages(self) -> list[dict[str, Any]]:
        """What each page says."""
        found = self.table.get("page", [])
        return [row if isinstance(row, dict) else {} for row in found] if isinstance(found, list) else []

    @property
    def is_editable(self) -> bool:
        """Whether every page is a table with lines of its own, so that it can be changed line by line."""
        return len(self._blocks) == len(self.pages)

    def value(self, page: int | None, *keys: str) -> Any:
        """Return what stands at a key of a page, or of the head where that is None; None for nothing."""
        found: Any = self.table if page is None else self.pages[page]
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _statements(self) -> list[_Line]:
        found = list(statements(self.text))
        ends = [number for number, _, _ in found[1:]] + [len(self._lines)]
        return [
            _Line(number, end, key, is_header)
            for (number, key, is_header), end in zip(found, ends, strict=True)
        ]

    @cached_property
    def _sections(self) -> list[tuple[_Line, int]]:
        """The headers, each with the line before which what it heads ends."""
        headers = [s for s in self._statements if s.is_header]
        ends = [self._with_comment(header.first) for header in headers[1:]]
        return list(zip(headers, [*ends, len(self._lines)][: len(headers)], strict=True))

    @cached_property
    def _blocks(self) -> list[range]:
        """The lines of each page."""
        blocks: list[range] = []
        for header, end in self._sections:
            if len(header.key) == 2 and header.key[0] == "page":
                blocks.append(range(self._with_comment(header.first), end))
            elif header.key[0] == "page" and blocks and blocks[-1].stop == self._with_comment(header.first):
                blocks[-1] = range(blocks[-1].start, end)
        return blocks

    def _with_comment(self, line: int) -> int:
        """Return where the comment that stands right above a line begins."""
        free = {s.first for s in self._statements if not s.key}
        while line - 1 in free and self._lines[line - 1].lstrip().startswith("#"):
            line -= 1
        return line

    # --- pages ---

    def with_page(self, place: int, row: Mapping[str, Any]) -> LessonText:
        """Return the text with another page in a place, counted from 0."""
        lines = ["[[page]]"]
        for key in (*(k for k in ORDER if k in row and k != "question"), *(k for k in row if k not in ORDER)):
            lines += f"{key_text(key)} = {value_text(row[key])}".split("\n")
        if "question" in row:
            lines += ["", "[page.question]"]
            for key, value in row["question"].items():
                lines += f"{key_text(key)} = {value_text(value)}".split("\n")
        return self._with_block(place, lines)

    def without_page(self, place: int) -> LessonText:
        """Return the text without a page."""
        block = self._blocks[place]
        return self._spliced(block.start, block.stop, [])

    def moved(self, place: int, to: int) -> LessonText:
        """Return the text with a page in another place."""
        lines = self._block(place)
        return self.without_page(place)._with_block(to, lines)

    def duplicated(self, place: int) -> LessonText:
        """Return the text with a page twice."""
        return self._with_block(place + 1, self._block(place))

    def _block(self, place: int) -> list[str]:
        """Return the lines of a page, without the empty ones at its end."""
        block = self._blocks[place]
        lines = self._lines[block.start : block.stop]
        while lines and not lines[-1].strip():
            lines.pop()
        return lines

    def _with_block(self, place: int, lines: list[str]) -> LessonText:
        blocks = self._blocks
        if place < len(blocks):
            return self._spliced(blocks[place].start, blocks[place].start, [*lines, ""])
        end = blocks[-1].stop if blocks else len(self._lines)
        before = self._lines[:end]
        while before and not before[-1].strip():
            before.pop()
        after = self._lines[end:]
        joined = [*before, "", *lines, "", *after] if any(line.strip() for line in after) else None
        return LessonText("\n".join(joined or [*before, "", *lines, ""]))

    def _spliced(self, first: int, end: int, lines: Iterable[str]) -> LessonText:
        text = "\n".join([*self._lines[:first], *lines, *self._lines[end:]])
        return LessonText(text.rstrip("\n") + "\n")

    # --- keys ---

    def with_value(self, page: int | None, keys: Sequence[str], value: Any) -> LessonText:
        """Return the text with another value at a key, or without the key where that is None.

        Parameters
        ----------
        page
            None for the head.
        keys
            A key of the page, or ``("question", "ask")``; ``("question",)`` takes a whole question away.
        """
        if self.value(page, *keys) == value:
            return self
        path: Key = (*keys,) if page is None else ("page", page, *keys)
        if value is None:
            return self._without(path)
        if len(keys) == 2 and self._at(path) is None:
            return self._in_question(page or 0, keys[1], value)
        if isinstance(value, Mapping) and self._at(path) is None:
            return self._without(path)._with_new(path, value)
        return self._with_new(path, value) if self._at(path) is None else self._replaced(path, value)

    def with_row(self, page: int, row: Mapping[str, Any], names: Iterable[str]) -> LessonText:
        """Return the text in which a page says what a row says of some keys, and nothing else of them."""
        found = self
        for name in names:
            found = found.with_value(page, (name,), row.get(name))
        return found

    def with_network(self, name: str, text: str) -> LessonText:
        """Return the text with a network of the lesson's own, given as a network's file."""
        lines = [f"[networks.{key_text(name)}]"]
        for line in text.rstrip("\n").split("\n"):
            header = re.fullmatch(r"\[([\w-]+)\]", line)
            lines.append(f"[networks.{key_text(name)}.{header[1]}]" if header else line)
        place = self._blocks[0].start if self._blocks else len(self._lines)
        before = self._lines[:place]
        while before and not before[-1].strip():
            before.pop()
        return LessonText("\n".join([*before, "", *lines, "", *self._lines[place:]]).rstrip("\n") + "\n")

    def _at(self, path: Key) -> _Line | None:
        """Return the statement that gives a key its value."""
        return next((s for s in self._statements if s.key == path and not s.is_header), None)

    def _replaced(self, path: Key, value: Any) -> LessonText:
        """Put another value in the place of one; a comment after it stays."""
        line = self._at(path)
        assert line is not None
        whole = "\n".join(self._lines[line.first : line.end])
        start, end = _value_span(whole)
        changed = whole[:start] + value_text(value) + whole[end:]
        return LessonText("\n".join([*self._lines[: line.first], changed, *self._lines[line.end :]]))

    def _without(self, path: Key) -> LessonText:
        """Take a key away, and all that stands below it."""
        gone: list[range] = []
        for header, end in self._sections:
            if header.key[: len(path)] == path:
                gone.append(range(header.first, end))
        for line in self._statements:
            if not line.is_header and line.key[: len(path)] == path:
                gone.append(range(line.first, line.end))
        lines = [text for number, text in enumerate(self._lines) if not any(number in g for g in gone)]
        return LessonText(re.sub(r"\n{3,}\Z", "\n", "\n".join(lines)).rstrip("\n") + "\n")

    def _with_new(self, path: Key, value: Any) -> LessonText:
        """Add a key to the head or to a page, after those that come before it."""
        line = f"{key_text(str(path[-1]))} = {value_text(value)}".split("\n")
        order: Sequence[str] = HEAD if len(path) == 1 else ORDER if len(path) == 3 else QUESTION
        parent, name = path[:-1], str(path[-1])
        own = [s for s in self._statements if not s.is_header and s.key[:-1] == parent and s.key]
        rank = order.index(name) if name in order else len(order)
        before = [s for s in own if str(s.key[-1]) in order and order.index(str(s.key[-1])) < rank]
        if before:
            place = before[-1].end
        else:
            header = next((s for s in self._statements if s.is_header and s.key == parent), None)
            place = 0 if header is None else header.first + 1
        return LessonText("\n".join([*self._lines[:place], *line, *self._lines[place:]]))

    def _in_question(self, page: int, name: str, value: Any) -> LessonText:
        """Give a key of a question its value; one in a single line gets lines of its own."""
        path: Key = ("page", page, "question")
        if not any(s.is_header and s.key == path for s in self._statements):
            row = self.value(page, "question")
            row = {**(row if isinstance(row, dict) else {}), name: value}
            cleared = self._without(path)
            lines = [*cleared._block(page), "", "[page.question]"]
            for key in (*(k for k in QUESTION if k in row), *(k for k in row if k not in QUESTION)):
                lines += f"{key_text(key)} = {value_text(row[key])}".split("\n")
            return cleared.without_page(page)._with_block(page, lines)
        return self._with_new((*path, name), value)


def _value_span(statement: str) -> tuple[int, int]:
    """Return where the value of ``key = value`` begins and ends; a comment may stand after it."""
    equals = _EQUALS.match(statement)
    assert equals is not None
    start = equals.end()
    depth, end = 0, len(statement)
    for token in TOKEN.finditer(statement, start):
        kind = token.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif depth == 0 and kind in ("comment", "line"):
            end = token.start()
            break
    return start, start + len(statement[start:end].rstrip())


_EQUALS = re.compile(r"""[ \t]*(?:"[^"\n]*"|'[^'\n]*'|[\w-]+|[ \t]*\.[ \t]*)+[ \t]*=[ \t]*""")
