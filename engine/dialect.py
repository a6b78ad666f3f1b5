r"""How the text of a table is written: found out from its bytes and its first lines.

Few people state the dialect of a CSV file, so it is found out: encoding, comment lines, delimiter, header.
What could have been meant otherwise is said in a notice. The whole file is surveyed for its encoding, since a
single letter in the last line may decide it; everything else is seen in a sample. What somebody does state
(:class:`Stated`) holds, also where something else was found.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from engine.errors import DataError

Record = list[str]

SAMPLE = 256 * 1024
"""Characters from which the dialect is found out."""
SAMPLE_RECORDS = 500
BLOCK = 2**20
LONGEST_LINE = 16 * 2**20
MISSING = frozenset({"", "?", "-", ".", "na", "n/a", "nan", "null"})
"""What stands for a missing value, in small letters."""
NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)
SPACES = " "
"""The delimiter of columns that are aligned with spaces: any run of spaces and tabs."""
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", ",": "comma"}
"""By how seldom they stand inside values: the first that fits is taken."""
NO_DELIMITER = frozenset("\"'+-.\r\n\0\ufeff")
"""Characters that cannot separate values, letters and digits apart: they stand inside them."""
ENCODINGS: Mapping[str, tuple[str, str]] = {
    "utf-8": ("UTF-8", "utf-8-sig"),
    "utf-16": ("UTF-16", "utf-16"),
    "windows-1252": ("Windows-1252", "cp1252"),
    "latin-1": ("Latin-1", "latin-1"),
    "latin-9": ("Latin-9", "iso8859-15"),
    "mac-roman": ("Mac Roman", "mac-roman"),
    "windows-1250": ("Windows-1250 (Central Europe)", "cp1250"),
    "latin-2": ("Latin-2 (Central Europe)", "iso8859-2"),
    "windows-1251": ("Windows-1251 (Cyrillic)", "cp1251"),
    "windows-1253": ("Windows-1253 (Greek)", "cp1253"),
    "windows-1254": ("Windows-1254 (Turkish)", "cp1254"),
    "shift-jis": ("Shift JIS (Japanese)", "cp932"),
    "gb18030": ("GB 18030 (Chinese)", "gb18030"),
    "big5": ("Big5 (Chinese)", "big5"),
    "euc-kr": ("EUC-KR (Korean)", "cp949"),
}
"""By the name in a file: what it is called, and Python's codec."""
OTHER_ENCODING = "Name another encoding, or leave it to be found out."

_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF file",
}


@dataclass(frozen=True)
class Stated:
    """What somebody states of a dialect; the rest is found out.

    Parameters
    ----------
    delimiter : str
        One character between two values, `SPACES` for aligned columns; "" where it is not stated.
    decimal : str
        "." or ","; "" where it is not stated.
    header : bool or None
        Whether the first record holds the columns' names; None where it is not stated.
    encoding : str
        A key of `ENCODINGS`; "" where it is not stated.
    """

    delimiter: str = ""
    decimal: str = ""
    header: bool | None = None
    encoding: str = ""


NOTHING = Stated()
"""Everything is found out."""


def can_separate(mark: str) -> bool:
    """Say whether a text can be a delimiter: one character that does not stand inside a number or a name."""
    return len(mark) == 1 and not mark.isalnum() and mark not in NO_DELIMITER


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Parameters
    ----------
    delimiter : str
        Between two values; `SPACES` for aligned columns.
    skipped : int
        How many lines stand before the first record: comments, and blank ones.
    columns : tuple of str
        The columns' names.
    has_header : bool
        Whether the first record holds the names.
    notices : tuple of str
        What had to be guessed, in sentences.
    found : Stated
        The delimiter and the header as they were found out, whatever was stated.
    """

    delimiter: str
    skipped: int
    columns: tuple[str, ...]
    has_header: bool = True
    notices: tuple[str, ...] = ()
    found: Stated = NOTHING


# Bytes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Survey:
    """What the bytes of a whole file say.

    Parameters
    ----------
    encoding : str
        The codec by which they become text.
    has_quotes : bool
        Whether any value is in quotes.
    found : str
        The encoding that was found out, a key of `ENCODINGS`; "" where one was stated.
    """

    encoding: str
    has_quotes: bool
    notices: tuple[str, ...] = ()
    found: str = ""


def survey(file: BinaryIO, name: str, encoding: str = "") -> Iterator[int | Survey]:
    """Look through a file; yields how many bytes were read so far, and at last the `Survey`.

    Parameters
    ----------
    encoding : str
        The one that is stated, a key of `ENCODINGS`.

    Raises
    ------
    DataError
        If it is not a text file, is not of the encoding that is stated, or has a line too long to be one of
        a table.
    """
    start = file.read(4)
    _require_text(start, name)
    file.seek(0)
    marked = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
    look = _StatedLook(name, encoding, marked == "utf-16") if encoding else _Look(name, marked)
    while block := file.read(BLOCK):
        look.take(block)
        yield look.size
    yield look.found()


def _require_text(start: bytes, name: str) -> None:
    if start in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        raise DataError("the text is UTF-32", where=name, how="Save the file again as CSV UTF-8.")
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")
    if kind:
        raise DataError(f"this is {kind}, not a text file", where=name, how="Save the table as CSV.")


class _Look:
    """What is known of a file after some of its blocks."""

    def __init__(self, name: str, encoding: str) -> None:
        self.size = 0
        self._name = name
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(ENCODINGS[encoding][1])()
        self._has_quotes = False
        self._since_line = 0
        self._bytes: set[int] = set()  # beyond ASCII, where the text is not UTF-8

    def take(self, block: bytes) -> None:
        self._has_quotes = self._has_quotes or b'"' in block
        self._measure_lines(block)
        if self._encoding in ("utf-8", "utf-16"):
            try:
                text = self._decoder.decode(block)
            except UnicodeDecodeError:
                self._give_up_unicode(block)
            else:
                self._require_no_null(text)
        else:
            self._note_letters(block)
        self.size += len(block)

    def found(self) -> Survey:
        if self._encoding in ("utf-8", "utf-16"):
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self._give_up_unicode(b"")
        if self._encoding in ("utf-8", "utf-16"):
            return self._surveyed(self._encoding)
        undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D} & self._bytes
        encoding = "latin-1" if undefined else "windows-1252"
        title = ENCODINGS[encoding][0]
        notice = f"The text is not UTF-8 and was read as {title}: look at its accented letters."
        return self._surveyed(encoding, notice)

    def _surveyed(self, encoding: str, *notices: str) -> Survey:
        return Survey(ENCODINGS[encoding][1], self._has_quotes, notices, encoding)

    def _give_up_unicode(self, block: bytes) -> None:
        if self._encoding == "utf-16":
            raise DataError(
                "the text begins as UTF-16 but is not", where=self._name, how="Save it again as CSV UTF-8."
            )
        self._encoding = "windows-1252"
        self._note_letters(block)

    def _note_letters(self, block: bytes) -> None:
        if b"\0" in block:
            self._require_no_null("\0")
        self._bytes.update(set(block) - set(range(128)))

    def _require_no_null(self, text: str) -> None:
        if "\0" in text:
            raise DataError(
                "this is not a text file: it has null characters",
                where=self._name,
                how="Choose a CSV file, saved as UTF-8.",
            )

    def _measure_lines(self, block: bytes) -> None:
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._since_line = len(block) - last - 1 if last >= 0 else self._since_line + len(block)
        if self._since_line > LONGEST_LINE:
            raise DataError(
                f"a line is longer than {LONGEST_LINE // 2**20} MB",
                where=self._name,
                how="A table has one line an example.",
            )


class _StatedLook(_Look):
    """The same where the encoding is stated: what is not in it is refused, with the line that shows it."""

    def __init__(self, name: str, encoding: str, has_mark: bool) -> None:
        super().__init__(name, encoding)
        self._lines = 1
        self._codec = "utf-16-le" if encoding == "utf-16" and not has_mark else ENCODINGS[encoding][1]
        self._decoder = codecs.getincrementaldecoder(self._codec)()

    def take(self, block: bytes) -> None:
        self._has_quotes = self._has_quotes or b'"' in block
        self._measure_lines(block)
        text = self._decoded(block)
        self._require_no_null(text)
        self._lines += text.count("\n")
        self.size += len(block)

    def found(self) -> Survey:
        self._decoded(b"", final=True)
        return Survey(self._codec, self._has_quotes)

    def _decoded(self, block: bytes, final: bool = False) -> str:
        try:
            return self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n")
            raise DataError(
                f"the text is not {ENCODINGS[self._encoding][0]}",
                where=f"{self._name}, line {line}",
                how=OTHER_ENCODING,
            ) from None

    def _require_no_null(self, text: str) -> None:
        if "\0" in text:
            raise DataError(
                f"read as {ENCODINGS[self._encoding][0]}, the text has null characters",
                where=self._name,
                how=OTHER_ENCODING,
            )


# The sample ------------------------------------------------------------------------------------------------


def records_of(lines: Iterable[str], delimiter: str) -> Iterator[Record]:
    """Return the records of lines, blank ones with them; raises `csv.Error`."""
    if delimiter == SPACES:
        lines = (line.replace("\t", " ").strip() + "\n" for line in lines)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)


def is_blank(record: Record) -> bool:
    """Say whether a record comes from a blank line; separators alone are a row of missing values."""
    return len(record) < 2 and not "".join(record).strip()


def is_missing(text: str) -> bool:
    """Say whether a value stands for a missing one."""
    return text.strip().casefold() in MISSING


def is_number(text: str) -> bool:
    """Say whether a value is a number with a decimal point or comma."""
    return NUMBER.fullmatch(text.strip().replace(",", ".", 1)) is not None


def sniff(sample: str, stated: Stated = NOTHING) -> tuple[Dialect, list[Record]]:
    """Find out how a table is written from its first lines.

    Parameters
    ----------
    sample : str
        Whole lines; a quoted value may be cut off at their end.
    stated : Stated
        What is not to be found out.

    Returns
    -------
    Dialect and the first records as they are written, that of the header with them; none for an empty text.
    """
    lines = [f"{line}\n" for line in sample.split("\n")]
    skipped, comment, told = _preamble(lines)
    lines = lines[skipped:]
    seen = told or _delimiter(lines)
    delimiter = stated.delimiter or seen
    records = _sampled(lines, delimiter)
    if not records:
        return Dialect(delimiter, skipped, ()), []
    has_header = _has_header(records)
    found = Dialect(delimiter, skipped, (), found=Stated(delimiter=seen, header=has_header))
    found = _names(found, records, comment, has_header if stated.header is None else stated.header)
    if not told and not stated.delimiter and delimiter == SPACES:
        found = replace(found, notices=(*found.notices, "The columns are separated by spaces."))
    return found, records


def _preamble(lines: Sequence[str]) -> tuple[int, str, str]:
    """Return how many lines to skip, the last comment among them, and the delimiter where a line tells it."""
    comment = told = ""
    for number, line in enumerate(lines):
        text = line.strip()
        spoken = re.fullmatch(r'"?sep=(.)"?', line.strip("\r\n \ufeff"), re.IGNORECASE)
        if spoken and spoken[1] in DELIMITERS and number == 0:
            told = spoken[1]
        elif text.startswith("#"):
            comment = text.lstrip("#").strip()
        elif text:
            return number, comment, told
    return len(lines), comment, told


def _sampled(lines: Sequence[str], delimiter: str) -> list[Record]:
    found: list[Record] = []
    try:
        for record in records_of(lines, delimiter):
            if not is_blank(record):
                found.append(record)
            if len(found) == SAMPLE_RECORDS:
                break
    except csv.Error:  # said in full, with its line, when the whole text is read
        pass
    return found


def _delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that cuts all lines alike, or else most of them."""
    scores = {mark: _evenness(_sampled(lines, mark)) for mark in DELIMITERS}
    best = max(scores, key=lambda mark: scores[mark])
    if scores[best] < 0.99 and _is_aligned(_sampled(lines, SPACES)):
        return SPACES
    return best if scores[best] > 0 else ","


def _evenness(records: Sequence[Record]) -> float:
    """Return which part of the records has as many values as most have, 0 where that is one."""
    widths = Counter(_width(record) for record in records)
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width > 1 and len(widths) == 2 and widths.get(width - 1) == 1 == widths[_width(records[0])]:
        return 0.99  # a header without a name for the row names
    return count / len(records) if width > 1 else 0.5 * (1 - count / len(records))


def _width(record: Record) -> int:
    """Return how many values a record has; a delimiter at its end adds none."""
    return len(record) - (len(record) > 1 and not record[-1].strip())


def _is_aligned(records: Sequence[Record]) -> bool:
    """Say whether spaces separate columns: as many in every line, and one of them of numbers."""
    if len({len(record) for record in records}) != 1 or len(records[0]) < 2:
        return False
    rows = records[1:] or records
    return any(all(is_number(v) or is_missing(v) for v in column) for column in zip(*rows, strict=True))


# Names -----------------------------------------------------------------------------------------------------


def _names(dialect: Dialect, records: Sequence[Record], comment: str, has_header: bool) -> Dialect:
    """Name the columns by the header, or where there is none."""
    first = [name.strip() for name in records[0]]
    if not has_header:
        return _without_header(dialect, len(records[0]), comment)
    notices: tuple[str, ...] = ()
    rows = records[1:]
    if rows and all(len(row) == len(first) + 1 and row[-1].strip() for row in rows):
        first = ["", *first]
        notices = ("The header has no name for the first column: it is column 1.",)
    elif len(first) > 1 and not first[-1] and all(_width(row) < len(first) for row in rows):
        first = first[:-1]  # every line ends with a delimiter
    # A column without a name is common: spreadsheets and R put row numbers there.
    names = tuple(name or f"column {index}" for index, name in enumerate(first, 1))
    return replace(dialect, columns=names, notices=notices)


def _without_header(dialect: Dialect, width: int, comment: str) -> Dialect:
    spoken = [name.strip() for name in next(records_of([comment], dialect.delimiter), [])] if comment else []
    if len(spoken) == width and not any(is_number(name) or is_missing(name) for name in spoken):
        notices = ("The names of the columns are those of the comment above the numbers.",)
        return replace(dialect, columns=tuple(spoken), has_header=False, notices=notices)
    names = tuple(f"c{index}" for index in range(1, width + 1))
    listed = "c1" if width == 1 else "c1, c2" if width == 2 else "c1, c2, …"
    notice = f"The file has no header: its columns are named {listed}{'' if listed.endswith('…') else '.'}"
    return replace(dialect, columns=names, has_header=False, notices=(notice,))


def _has_header(records: Sequence[Record]) -> bool:
    """Say whether the first record names the columns: where they hold numbers, it does not."""
    first, rows = records[0], records[1:]
    if not rows:
        return not all(is_number(value) for value in first)
    width = min(len(record) for record in records)
    votes = 0
    for name, *values in zip(*(record[:width] for record in (first, *rows)), strict=True):
        present = [value for value in values if not is_missing(value)]
        if present and all(is_number(value) for value in present) and not is_missing(name):
            votes += -1 if is_number(name) else 1
    return votes >= 0
