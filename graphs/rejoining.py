"""Lines of a text that were broken on its way, put together again.

Mail breaks long lines, quotes them, breaks what it has quoted, and sometimes fills the lines of a paragraph.
What comes out has the same words in the same order. So a text ends with a check: a checksum, and of each
line its length and a letter. The words are dealt out into lines of these lengths; where that can be done in
several ways the letter tells them apart, and the checksum says whether the whole is the text which was sent.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from string import ascii_lowercase
from typing import Any, NamedTuple

__all__ = ["check_lines", "rejoined"]

WIDTH = 44
"""Columns of the lines that hold the check: mail breaks lines from 72 on, quoted ones earlier, and where it
breaks words a number must not become two."""
MOST_LINES = 10_000
LEAST_TRIES, TRIES = 20_000, 2
"""Words that are looked at before a text is taken for another one: some, and some for each of its own."""
NARROW = 20
"""Columns that are left, on the whole, between two places where a line is broken."""
FEW_STARTS, MOST_STARTS = 6, 50
"""Lines that may stand before the first one: after the line that is said to, and where that is not there."""

_CHECK = re.compile(r"\.[\s>|]+Check:([0-9a-z\s>|#:]+)")


class Check(NamedTuple):
    """What the end of a text says of it: a checksum, and the length and the letter of each line."""

    sum: int
    lines: tuple[tuple[int, str], ...]


def check_lines(text: str, last: str) -> str:
    """Return the lines with which a text is to end; the first of them begins with `last`."""
    lines = [_plain(line) for line in text.split("\n")]
    found = [f"{last}. Check: {_sum(lines):08x} {len(lines)}:"]
    line = "#"
    for word in (f"{len(own)}{_letter(own)}" for own in lines):
        if len(line) + len(word) >= WIDTH:
            found.append(line)
            line = "#"
        line += f" {word}"
    return "\n".join([*found, line])


def rejoined(text: str, first: str, last: str) -> Iterator[str]:
    """Yield what was sent, in whichever way it may have been spaced; nothing where that cannot be made out.

    Parameters
    ----------
    first
        The line before the text.
    last
        How the line after it begins.
    """
    for end in re.finditer(r"[\s>|]+".join(map(re.escape, last.split())), text):
        said = _CHECK.match(text, end.end())
        check = _check_of(said[1]) if said is not None else None
        if check is None:
            continue
        for lines in _without_quotes(text[: end.start()].split("\n")):
            found = _Dealt(lines, check).lines(first)
            if found is not None:
                own = _own_spaces(lines, found)
                yield "\n".join(own.get(line, line) for line in found) + "\n"
                yield "\n".join(found) + "\n"  # where these are not such as a file has
                return


def _own_spaces(lines: Sequence[str], found: Sequence[str]) -> dict[str, str]:
    """Return the lines that came whole with the spaces inside them, by what is measured of them."""
    whole = {_plain(line): line.rstrip() for line in lines}
    kept = {plain: whole[plain] for plain in found if plain and plain in whole}
    indents = [len(line) - len(line.lstrip()) for line in kept.values()]
    common = min(indents, default=0)
    return {plain: line[common:] for plain, line in kept.items()}


def _plain(line: str) -> str:
    """Return a line as it is measured: its words with one space between them."""
    return " ".join(line.split())


def _sum(lines: Sequence[str]) -> int:
    return zlib.crc32("\n".join(lines).encode("utf-8", "replace"))


def _letter(line: str) -> str:
    """Return a letter that differs, most likely, where the spaces of a line do."""
    return ascii_lowercase[_sum([line]) % 26]


def _check_of(text: str) -> Check | None:
    """Return the check that a text says: the checksum, the number of lines, and what is said of each."""
    words = re.sub(r"[>|#:]", " ", text).split()
    if len(words) < 3 or not re.fullmatch("[0-9a-f]{8}", words[0]) or not re.fullmatch(r"\d{1,5}", words[1]):
        return None
    found = [re.fullmatch(r"(\d{1,6})([a-z])", word) for word in words[2 : 2 + int(words[1])]]
    lines = tuple((int(line[1]), line[2]) for line in found if line is not None)
    return Check(int(words[0], 16), lines) if len(lines) == int(words[1]) <= MOST_LINES else None


def _without_quotes(lines: list[str]) -> Iterator[list[str]]:
    """Yield lines as they are, without the marks of a quotation, and without those inside filled lines."""
    bare = [re.sub(r"^(?:\s*[>|])+ ?", "", line) for line in lines]
    filled = [re.sub(r"(?<!\S)[>|]+(?!\S)", "", line) for line in bare]
    yield lines
    if bare != lines:
        yield bare
    if filled != bare:
        yield filled


class _Budget:
    """How much may still be tried: a text may have been made so that this takes forever."""

    def __init__(self, tries: int) -> None:
        self._tries = tries

    def spend(self) -> bool:
        """Say whether another try may be made."""
        self._tries -= 1
        return self._tries >= 0


class _Dealt:
    """Words, dealt out into lines of given lengths."""

    def __init__(self, lines: Sequence[str], check: Check) -> None:
        self._words = [(word, i == 0) for line in lines for i, word in enumerate(line.split())]
        self._check = check
        self._budget = _Budget(LEAST_TRIES + TRIES * len(self._words))

    def lines(self, first: str) -> list[str] | None:
        """Return the lines; None where the words are not those of the check."""
        for start in self._starts(first.split()):
            found = self._from(start)
            if found is not None:
                return found
        return None

    def _starts(self, first: list[str]) -> Iterator[int]:
        """Yield where the text may begin: after its first line, or at a line not far from there."""
        words = [word for word, _ in self._words]
        size, key = len(first), first[:2]
        places = [i for i in range(len(words) - 1) if words[i : i + len(key)] == key]
        begin = places[-1] if places else 0
        if places and words[begin : begin + size] == first:
            yield begin + size
        breaks = (i for i in range(begin, len(words)) if self._words[i][1])
        yield from islice(breaks, FEW_STARTS if places else MOST_STARTS)

    def _from(self, start: int) -> list[str] | None:
        sent = self._check.lines
        found: list[str] = []
        ways = [self._ways(start, *sent[0])]
        while ways:
            way = next(ways[-1], None)
            if way is None:
                ways.pop()
                found = found[:-1]
                continue
            line, end = way
            if len(ways) < len(sent):
                found.append(line)
                ways.append(self._ways(end, *sent[len(ways)]))
            elif end == len(self._words) and _sum([*found, line]) == self._check.sum:
                return [*found, line]
        return None

    def _ways(self, start: int, length: int, letter: str) -> Iterator[tuple[str, int]]:
        """Yield each line of this length and letter that the words from `start` on make, and where it ends.

        Where a line was broken there was a space, as a rule: else a word was too long for the line.
        """
        if not length:
            yield "", start
            return
        open_: list[_Part] = [_Part(0, start)]
        while open_ and self._budget.spend():
            part = open_.pop()
            if part.length == length:
                text = part.text(self._words)
                if _letter(text) == letter:
                    yield text, part.end
            elif part.length < length and part.end < len(self._words):
                word, begins = self._words[part.end]
                is_inside = part.before is not None
                breaks = part.breaks + (begins and is_inside)
                if breaks > 2 + length // NARROW:
                    continue
                size = part.length + len(word)
                if begins and is_inside:
                    open_.append(_Part(size, part.end + 1, breaks, part))
                open_.append(_Part(size + is_inside, part.end + 1, breaks, part, is_inside))


class _Part(NamedTuple):
    """The beginning of a line: its length, the place after its words, its breaks, and what it is longer than.

    Lines of ten thousand words are built without building each of their beginnings.
    """

    length: int
    end: int
    breaks: int = 0
    before: Any = None
    has_gap: bool = False

    def text(self, words: Sequence[tuple[str, bool]]) -> str:
        pieces: list[str] = []
        part = self
        while part.before is not None:
            pieces.append(words[part.end - 1][0])
            pieces.append(" " if part.has_gap else "")
            part = part.before
        return "".join(reversed(pieces))
