r"""Data sets read from files: a CSV becomes a table of named columns, of numbers or of text.

A million rows are read in blocks: where all values are plain numbers NumPy reads a block at once, and where
they are not, Python's `csv` does. A column of text keeps every distinct value once. What a number looks like
(decimal comma, separated thousands) is decided column by column, never value by value.
"""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from engine.dialect import (
    MISSING,
    NOTHING,
    NUMBER,
    SAMPLE,
    SPACES,
    Dialect,
    Record,
    Stated,
    Survey,
    is_blank,
    records_of,
    sniff,
    survey,
)
from engine.errors import DataError, excerpt

Array = NDArray[np.float64]
AnyArray = TypeVar("AnyArray", bound=np.ndarray)

LARGEST_FILE = 2**30
MOST_COLUMNS = 10_000
ROWS = 256
"""Rows that are read at a time: so few that another thread never waits long for its turn."""
BLOCK = 16 * 1024
"""Characters that are read at a time where no value is in quotes."""
_SURVEY = 0.1
"""Which part of the work it is to look a file through before it is read."""
TRIES = 3
"""Blocks that NumPy may fail to read before it is no longer asked."""


class Texts(Sequence[str]):
    """A column of text, each distinct value kept once.

    Parameters
    ----------
    codes : int array, shape (rows,)
        For each row the place of its value in `values`, -1 for a missing one.
    values : tuple of str
        The distinct values in alphabetical order.

    Examples
    --------
    >>> texts = Texts.of(["b", "a", "", "b"])
    >>> texts.values, texts.codes.tolist(), texts[0], texts == ("b", "a", "", "b")
    (('a', 'b'), [1, 0, -1, 1], 'b', True)
    """

    def __init__(self, codes: NDArray[np.int32], values: tuple[str, ...]) -> None:
        self.codes = codes
        self.values = values

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Return texts as a column; the empty one is a missing value."""
        column = _TextReader()
        column.extend(tuple(texts))
        return column.texts()

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return Texts(self.codes[index], self.values)
        code = self.codes[index]
        return self.values[code] if code >= 0 else ""

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        lookup = (*self.values, "")  # the code -1 is its last
        return (lookup[code] for code in self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Texts of {len(self)} rows, {len(self.values)} distinct"

    def code_of(self, value: object) -> int | None:
        """Return the code of a value, None where no row has it."""
        if not isinstance(value, str):
            return None
        place = bisect_left(self.values, value)
        return place if place < len(self.values) and self.values[place] == value else None


Column = Array | Texts


@dataclass(frozen=True)
class Dataset:
    """A table with named columns, as it was read.

    Parameters
    ----------
    name : str
        What the user calls it: a built-in name or a file's name.
    columns : tuple of str
        The columns' names in the order of the file.
    table : mapping of str to (float64 array, shape (rows,)) or Texts
        A column of numbers, in which a missing value is nan, or of text, in which it is the empty string.
    source : str
        Where the data come from, in a sentence.
    notices : tuple of str
        What had to be guessed when it was read, in sentences.
    found : Stated
        How it is written, as far as that was found out; the header and the decimal sign by the delimiter that
        was stated, if one was. No decimal sign where the first numbers have none.
    """

    name: str
    columns: tuple[str, ...]
    table: Mapping[str, Column]
    source: str = ""
    notices: tuple[str, ...] = ()
    found: Stated = NOTHING

    @property
    def rows(self) -> int:
        """Return the number of rows, those with missing values included."""
        return len(self.table[self.columns[0]])


# Reading ---------------------------------------------------------------------------------------------------


def read_csv(path: Path | str, *, name: str = "", source: str = "", stated: Stated = NOTHING) -> Dataset:
    """Read a CSV file, or one whose values are separated by tabs, semicolons, bars or spaces.

    Parameters
    ----------
    path : path or str
        The file: UTF-8, UTF-16 with a byte order mark, or else Windows-1252.
    name, source : str
        As in `Dataset`; the name is the file's own unless given.
    stated : Stated
        What is not to be found out of how it is written.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the file cannot be read or is not such a table; names the file and, where it can, the line.
    """
    path = Path(path)
    return _last(reading(path, name or path.name, source, stated))


def read_csv_bytes(raw: bytes, name: str, stated: Stated = NOTHING) -> Dataset:
    """Read the content of a CSV file; raises as `read_csv`."""
    return _last(reading(raw, name, stated=stated))


def reading(
    file: Path | bytes, name: str, source: str = "", stated: Stated = NOTHING
) -> Iterator[float | Dataset]:
    """Read a file, or its content, bit by bit: yields which part is done, and at last the `Dataset`.

    Whoever iterates can leave off between two values. Errors are those of `read_csv`.
    """
    size = size_of(file) if isinstance(file, Path) else len(file)
    try:
        with _opened(file) as stream:
            found = None
            for found in survey(stream, name, stated.encoding):
                if isinstance(found, int):
                    yield _SURVEY * found / max(size, found)
        assert isinstance(found, Survey)
        for value in _reading(_FileText(file, found, max(size, 1)), name, source, stated):
            yield value if isinstance(value, Dataset) else _SURVEY + (1 - _SURVEY) * value
    except OSError as error:
        raise _unreadable(file, error) from error


def bytes_of(path: Path) -> bytes:
    """Return what a file holds.

    Raises
    ------
    DataError
        For a file that is too large, is not an ordinary one, or cannot be read.
    """
    size_of(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _opened(file: Path | bytes) -> BinaryIO:
    return io.BytesIO(file) if isinstance(file, bytes) else file.open("rb", buffering=0)


def parse_csv(text: str, *, name: str = "the data", source: str = "", stated: Stated = NOTHING) -> Dataset:
    r"""Read the text of a CSV file: a header, if there is one, then one line a row.

    Values are separated by whichever of comma, semicolon, tab, bar and spaces cuts all lines alike. An empty
    value, NA, N/A, NaN, null, ?, - and . are missing. A column is one of numbers if every value it has is a
    number, and otherwise one of text.

    Raises
    ------
    DataError
        For an empty text, no rows, two columns of one name, a row with too many or too few values, broken
        quotes, a number that is not finite.

    Examples
    --------
    >>> data = parse_csv("speed,dist\n4,2\n7,NA\n")
    >>> data.columns, data.table["dist"]
    (('speed', 'dist'), array([ 2., nan]))
    """
    if "\0" in text:
        raise DataError("the text has null characters", where=name, how="Choose a text file.")
    return _last(_reading(_GivenText(text.removeprefix("\ufeff")), name, source, stated))


def _last(values: Iterator[float | Dataset]) -> Dataset:
    *_, dataset = values
    assert isinstance(dataset, Dataset)
    return dataset


def size_of(path: Path) -> int:
    """Return a file's size in bytes; raises as `bytes_of`."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError("this is not an ordinary file", where=path.name, how="Name a CSV file.")
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a name with a null character in it
        raise _unreadable(path, error) from error
    if size > LARGEST_FILE:
        raise DataError(
            f"the file is larger than {LARGEST_FILE // 2**20} MB",
            where=path.name,
            how="Keep the rows and columns you need.",
        )
    return size


def _unreadable(path: object, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(
        f"the file cannot be read ({reason.lower()})",
        where=excerpt(path, 100),
        how="Check its name and folder.",
    )


# Text that can be read several times -----------------------------------------------------------------------


class _GivenText:
    """A text that is there as a whole."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.has_quotes = '"' in text
        self.notices: tuple[str, ...] = ()
        self.encoding = ""

    def open(self) -> TextIO:
        return io.StringIO(self._text, newline=None)

    def done(self) -> float:
        return 0.0


class _FileText:
    """The text of a file, or of its content."""

    def __init__(self, file: Path | bytes, found: Survey, size: int) -> None:
        self._file = file
        self._codec = found.encoding
        self._size = size
        self._raw: BinaryIO | None = None
        self.has_quotes = found.has_quotes
        self.notices = found.notices
        self.encoding = found.found

    def open(self) -> TextIO:
        self._raw = _opened(self._file)
        raw: Any = self._raw
        buffered = io.BufferedReader(raw) if isinstance(self._file, Path) else raw
        return io.TextIOWrapper(buffered, encoding=self._codec, newline=None)

    def done(self) -> float:
        """Return which part of the file has been read."""
        return min(1.0, self._raw.tell() / self._size) if self._raw is not None else 0.0


Text = _GivenText | _FileText


# From text to columns --------------------------------------------------------------------------------------


def _reading(text: Text, name: str, source: str, stated: Stated) -> Iterator[float | Dataset]:
    dialect, records = _sniffed(text, stated)
    if not dialect.columns:
        raise DataError("the file is empty", where=name, how="It needs a header with the columns' names.")
    _require_names(dialect, name)
    table = _Table(text, dialect, name, stated)
    samples = _columns_of(records, dialect)
    readers = _readers_of(samples, dialect, stated.decimal)
    yield from table.read(readers)
    if not table.rows:
        raise DataError("there are no rows under the header", where=name, how="Add a line for each example.")
    doubtful = {i for i, reader in enumerate(readers) if isinstance(reader, _NumberReader) and reader.failed}
    if doubtful:
        again = [_TextReader() if i in doubtful else None for i in range(len(readers))]
        yield from table.read(again)
        readers = [second or first for first, second in zip(readers, again, strict=True)]
    seen = replace(dialect.found, decimal=_decimal_found(samples, dialect.delimiter), encoding=text.encoding)
    yield replace(_dataset(table, readers, name, source), found=seen)


def _sniffed(text: Text, stated: Stated) -> tuple[Dialect, list[Record]]:
    with text.open() as stream:
        sample = stream.read(SAMPLE)
        sample += stream.readline() if len(sample) == SAMPLE else ""
    return sniff(sample, stated)


def _require_names(dialect: Dialect, where: str) -> None:
    if len(dialect.columns) > MOST_COLUMNS:
        raise DataError(
            f"the table has {len(dialect.columns)} columns, more than {MOST_COLUMNS}",
            where=where,
            how="Keep the columns you need.",
        )
    twice = next((name for name, count in Counter(dialect.columns).items() if count > 1), None)
    if twice is not None:
        raise DataError(
            f"two columns are named {excerpt(twice)}",
            where=where,
            how="Rename one of them, or say that there is no header.",
        )


def _columns_of(records: Sequence[Record], dialect: Dialect) -> list[list[str]]:
    """Return the sampled values of each column."""
    rows = records[1:] if dialect.has_header else records
    return [[row[i] for row in rows if i < len(row)] for i in range(len(dialect.columns))]


class _Table:
    """The rows of a text, read into readers of columns; may be read again."""

    def __init__(self, text: Text, dialect: Dialect, name: str, stated: Stated) -> None:
        self.rows = 0
        self.text, self.dialect, self.name, self.stated = text, dialect, name, stated
        self._width = len(dialect.columns)

    def read(self, readers: Sequence[Reader | None]) -> Iterator[float]:
        """Read every row; yields which part is done."""
        self.rows = 0
        with self.text.open() as stream:
            for _ in range(self.dialect.skipped):
                stream.readline()
            read = self._read_records if self.text.has_quotes else self._read_blocks
            try:
                yield from read(stream, readers)
            except csv.Error as error:
                raise self._broken(error) from None

    def _read_records(self, stream: TextIO, readers: Sequence[Reader | None]) -> Iterator[float]:
        records = records_of(stream, self.dialect.delimiter)
        if self.dialect.has_header:
            next(record for record in records if not is_blank(record))
        while rows := list(islice(records, ROWS)):
            self._take(rows, readers)
            yield self.text.done()

    def _read_blocks(self, stream: TextIO, readers: Sequence[Reader | None]) -> Iterator[float]:
        if self.dialect.has_header:
            stream.readline()
        tries = TRIES if all(isinstance(reader, _NumberReader) for reader in readers) else 0
        while lines := stream.readlines(BLOCK):
            if not tries or not self._take_numbers(lines, readers):
                tries = max(0, tries - 1)
                for start in range(0, len(lines), ROWS):
                    part = lines[start : start + ROWS]
                    self._take(list(records_of(part, self.dialect.delimiter)), readers)
            yield self.text.done()

    def _take_numbers(self, lines: list[str], readers: Sequence[Reader | None]) -> bool:
        """Let NumPy read a block of plain numbers; says whether it could."""
        numbers = [reader for reader in readers if isinstance(reader, _NumberReader)]
        commas = {reader.decimal for reader in numbers} == {","}
        if commas:
            whole = "".join(lines)
            if "." in whole:
                return False
            lines = whole.replace(",", ".").split("\n")
        delimiter = None if self.dialect.delimiter == SPACES else self.dialect.delimiter
        if not any(line.strip() for line in lines):
            return True
        try:
            block = np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)
        except ValueError:
            return False
        if block.shape[1] != self._width or not block.size:
            return False
        self.rows += len(block)
        for reader, column in zip(numbers, block.T, strict=True):
            reader.extend_array(column)
        return True

    def _take(self, rows: list[Record], readers: Sequence[Reader | None]) -> None:
        width = self._width
        if width == 1 or set(map(len, rows)) != {width}:
            rows = [self._even(row, number) for number, row in self._numbered(rows)]
        self.rows += len(rows)
        for reader, values in zip(readers, zip(*rows, strict=True), strict=False):
            if reader is not None:
                reader.extend(values)

    def _numbered(self, rows: list[Record]) -> Iterator[tuple[int, Record]]:
        return enumerate((row for row in rows if not is_blank(row)), self.rows)

    def _even(self, row: Record, number: int) -> Record:
        """Return a row without the nothing after a delimiter at its end."""
        if len(row) == self._width:
            return row
        if len(row) == self._width + 1 and not row[-1].strip():
            return row[:-1]
        line, _ = self.place(number)
        other = ", or name another delimiter" if self.stated.delimiter else ""
        raise DataError(
            f"the row has {_count(len(row), 'value')} but there {_are(self._width, 'column')}",
            where=f"{self.name}, line {line}",
            how=f"Give every row one value a column{other}.",
        )

    def place(self, number: int) -> tuple[int, Record]:
        """Return the line in which a row ends, and the row: searched for, since only errors ask."""
        with self.text.open() as stream:
            lines = _Lines(stream, self.dialect.skipped)
            records = (r for r in records_of(lines, self.dialect.delimiter) if not is_blank(r))
            found = next(islice(records, number + self.dialect.has_header, None), [])
            return lines.count, found

    def _broken(self, error: csv.Error) -> DataError:
        with self.text.open() as stream:
            lines = _Lines(stream, self.dialect.skipped)
            try:
                for _ in records_of(lines, self.dialect.delimiter):
                    pass
            except csv.Error:  # the same one, at the line that is looked for
                pass
        return DataError(
            f"the line cannot be read as CSV ({error})",
            where=f"{self.name}, line {lines.count}",
            how="Look for a quotation mark that is not closed.",
        )


class _Lines(Iterator[str]):
    """The lines of a text after the first few, counted as they are read."""

    def __init__(self, stream: TextIO, skipped: int) -> None:
        self.count = skipped
        self._stream = islice(stream, skipped, None)

    def __next__(self) -> str:
        line = next(self._stream)
        self.count += 1
        return line


# Columns ---------------------------------------------------------------------------------------------------


class _NumberReader:
    """Reads a column that holds plain numbers, as far as is known; `failed` where it does not after all."""

    def __init__(self, forms: set[int], decimal: str = ".") -> None:
        self.forms = forms
        self.decimal = decimal
        self.failed = False
        self._gaps = {"", "NA"}  # how missing values are written here, as far as was seen
        self._numbers = array("d")

    def extend(self, values: tuple[str, ...]) -> None:
        if self.failed:
            return
        joined = "".join(values)
        if "_" in joined or (self.decimal == "," and "." in joined and not self._is_plain(values)):
            self.failed = True
            return
        if self.decimal == ",":
            values = tuple(value.replace(",", ".", 1) for value in values)
        gaps = self._gaps
        try:
            self._numbers.extend([math.nan if value in gaps else float(value) for value in values])
        except ValueError:
            self._extend_with_gaps(values)

    def extend_array(self, values: Array) -> None:
        self._numbers.frombytes(values.tobytes())

    def numbers(self) -> Array:
        """Return what was read."""
        return np.frombuffer(self._numbers, dtype=float) if self._numbers else np.empty(0)

    def _is_plain(self, values: tuple[str, ...]) -> bool:
        return not any("." in value for value in values if value.strip() != ".")

    def _extend_with_gaps(self, values: tuple[str, ...]) -> None:
        for value in set(values) - self._gaps:
            text = value.strip()
            if text.casefold() in MISSING:
                self._gaps.add(value)
            elif not NUMBER.fullmatch(text):
                self.failed = True
                return
        gaps = self._gaps
        self._numbers.extend([math.nan if value in gaps else float(value) for value in values])


class _TextReader:
    """Reads a column into its distinct values."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._codes = array("i")

    def extend(self, values: tuple[str, ...]) -> None:
        index = self._index
        self._codes.extend([index.setdefault(value, len(index)) for value in values])

    def texts(self) -> Texts:
        """Return the column as text."""
        plain = [value.strip() for value in self._index]
        present = sorted({value for value in plain if value.casefold() not in MISSING})
        place = {value: number for number, value in enumerate(present)}
        lookup = np.array([place.get(value, -1) for value in plain], dtype=np.int32)
        codes = np.frombuffer(self._codes, dtype=np.intc) if self._codes else np.empty(0, dtype=np.intc)
        return Texts(_frozen(lookup[codes]), tuple(present))


Reader = _NumberReader | _TextReader


def _readers_of(samples: Sequence[Sequence[str]], dialect: Dialect, decimal: str) -> list[Reader]:
    if decimal:
        return [_stated_reader_of(sample, decimal) for sample in samples]
    readers = [_reader_of(sample, dialect) for sample in samples]
    numbers = [reader for reader in readers if isinstance(reader, _NumberReader)]
    if any(reader.decimal == "," for reader in numbers):
        for reader in numbers:
            if not reader.forms - {Form.WHOLE}:
                reader.decimal = ","  # so far of whole numbers: read as those beside it
    return readers


def _stated_reader_of(sample: Sequence[str], decimal: str) -> Reader:
    """Return what reads a column quickest whose decimal sign is stated."""
    forms = _forms_of(sample)
    plain = PLAIN_COMMA if decimal == "," else PLAIN_POINT
    return _NumberReader(forms, decimal) if forms <= plain else _TextReader()


def _reader_of(sample: Sequence[str], dialect: Dialect) -> Reader:
    """Return what reads a column quickest, going by its first values."""
    forms = _forms_of(sample)
    if Form.POINT in forms or not forms - {Form.WHOLE} or (forms <= PLAIN_POINT and dialect.delimiter == ","):
        return _NumberReader(forms) if forms <= PLAIN_POINT else _TextReader()
    if Form.COMMA in forms and forms <= PLAIN_COMMA:
        return _NumberReader(forms, ",")
    return _TextReader()  # also where 1.234 may be a thousand: then every value is looked at


# What numbers look like ------------------------------------------------------------------------------------


class Form:
    """How a number is written; *one* is a single group of three digits, which may be either."""

    WHOLE, POINT, COMMA, ONE_POINT, ONE_COMMA, POINTS, COMMAS, TEXT = range(8)


PLAIN_POINT = frozenset({Form.WHOLE, Form.POINT, Form.ONE_POINT})
PLAIN_COMMA = frozenset({Form.WHOLE, Form.COMMA, Form.ONE_COMMA})
_GROUPS = r"[+-]?[1-9]\d{0,2}(%s\d{3})"
_SHAPES = (
    (Form.WHOLE, re.compile(r"[+-]?(\d+(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)),
    (Form.ONE_POINT, re.compile(_GROUPS % r"\.", re.ASCII)),
    (Form.ONE_COMMA, re.compile(_GROUPS % ",", re.ASCII)),
    (Form.POINT, NUMBER),
    (Form.COMMA, re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)),
    (Form.POINTS, re.compile(_GROUPS % r"\." + r"+(,\d*)?", re.ASCII)),
    (Form.COMMAS, re.compile(_GROUPS % "," + r"+(\.\d*)?", re.ASCII)),
)


class Style(NamedTuple):
    """How the numbers of a column are written: the decimal mark and the one between thousands."""

    decimal: str
    thousands: str
    forms: frozenset[int]


STYLES = (
    Style(".", "", PLAIN_POINT),
    Style(",", "", PLAIN_COMMA),
    Style(".", ",", frozenset({Form.WHOLE, Form.POINT, Form.ONE_POINT, Form.ONE_COMMA, Form.COMMAS})),
    Style(",", ".", frozenset({Form.WHOLE, Form.COMMA, Form.ONE_COMMA, Form.ONE_POINT, Form.POINTS})),
)
_POINT, _COMMA, _POINT_GROUPED, _COMMA_GROUPED = STYLES


def _form_of(text: str) -> int:
    return next((form for form, shape in _SHAPES if shape.fullmatch(text)), Form.TEXT)


def _forms_of(values: Iterable[str]) -> set[int]:
    """Return how the numbers among some values are written, missing ones aside."""
    plain = (value.strip() for value in values)
    return {_form_of(text) for text in plain if text.casefold() not in MISSING}


def _style_of(
    forms: set[int], elsewhere: set[int], delimiter: str, decimal: str = ""
) -> tuple[Style | None, bool]:
    """Return how a column's numbers are written (None: it is text), and whether that was a guess.

    Parameters
    ----------
    forms
        What its values look like.
    elsewhere
        What those of all columns look like.
    decimal
        The decimal sign that is stated, "" for none.
    """
    fitting = [style for style in STYLES if forms <= style.forms and decimal in ("", style.decimal)]
    if not fitting or decimal:
        return (fitting[0] if fitting else None), False
    if Form.ONE_COMMA in forms and not forms & {Form.COMMA, Form.COMMAS, Form.POINT, Form.POINTS}:
        grouped = bool(elsewhere & {Form.POINT, Form.COMMAS}) and Form.ONE_POINT not in forms
        comma = bool(elsewhere & {Form.COMMA, Form.POINTS}) or (not grouped and delimiter == ";")
        return (_COMMA_GROUPED if comma else _POINT_GROUPED), True
    if Form.ONE_POINT in forms and forms <= {Form.WHOLE, Form.ONE_POINT}:
        comma = bool(elsewhere & {Form.COMMA, Form.POINTS}) and Form.POINT not in elsewhere
        return (_COMMA_GROUPED if comma else _POINT), comma or delimiter == ";"
    return fitting[0], False


def _decimal_found(samples: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return the decimal sign that most columns of a sample have, "" where no number has one."""
    forms = [_forms_of(sample) for sample in samples]
    elsewhere: set[int] = set().union(*(f for f in forms if Form.TEXT not in f))
    styles = (_style_of(own, elsewhere, delimiter)[0] for own in forms if own - {Form.WHOLE})
    counts = Counter(style.decimal for style in styles if style is not None)
    return max(counts, key=lambda sign: counts[sign], default="")


def _to_numbers(texts: Texts, style: Style) -> Array:
    """Return a column of text as the numbers that it holds."""
    plain = (v.replace(style.thousands, "") if style.thousands else v for v in texts.values)
    numbers = [float(value.replace(",", ".") if style.decimal == "," else value) for value in plain]
    return np.array([*numbers, math.nan])[texts.codes]


# The table -------------------------------------------------------------------------------------------------


def _dataset(table: _Table, readers: Sequence[Reader], name: str, source: str) -> Dataset:
    """Return the columns that were read, each as numbers if all of its values are."""
    columns = table.dialect.columns
    texts = {c: r.texts() for c, r in zip(columns, readers, strict=True) if isinstance(r, _TextReader)}
    forms = {column: _forms_of(found.values) for column, found in texts.items()}
    elsewhere: set[int] = set().union(*(f for f in forms.values() if Form.TEXT not in f))
    elsewhere |= set().union(*(r.forms for r in readers if isinstance(r, _NumberReader)))
    found: dict[str, Column] = {}
    notices = [*table.text.notices, *table.dialect.notices]
    for column, reader in zip(columns, readers, strict=True):
        if isinstance(reader, _NumberReader):
            found[column] = reader.numbers()
            continue
        decimal = table.stated.decimal
        style, guessed = _style_of(forms[column], elsewhere, table.dialect.delimiter, decimal)
        found[column] = texts[column] if style is None else _to_numbers(texts[column], style)
        if style is not None and guessed:
            notices.append(_guess_notice(column, texts[column], style))
        elif style is None and forms[column] and Form.TEXT not in forms[column]:
            notices.append(_text_notice(column, texts[column], decimal))
    for index, column in enumerate(columns):
        _require_finite(table, index, found[column])
    frozen = {column: _frozen(v) if isinstance(v, np.ndarray) else v for column, v in found.items()}
    return replace(Dataset(name, columns, frozen, source), notices=tuple(notices))


def _text_notice(column: str, texts: Texts, decimal: str) -> str:
    """Say why a column of numbers was read as text."""
    if not decimal:
        return f"In {excerpt(column)}, numbers are written in several ways: it was read as text."
    fitting = frozenset().union(*(style.forms for style in STYLES if style.decimal == decimal))
    example = next((value for value in texts.values if _form_of(value) not in fitting), texts.values[0])
    sign = "comma" if decimal == "," else "point"
    return f"In {excerpt(column)}, {excerpt(example)} has no decimal {sign}: it was read as text."


def _guess_notice(column: str, texts: Texts, style: Style) -> str:
    doubtful = (Form.ONE_COMMA, Form.ONE_POINT)
    example = next(value for value in texts.values if _form_of(value) in doubtful)
    read = example.replace(style.thousands, "").replace(",", ".")
    return f"In {excerpt(column)}, {example} could mean two numbers: it was read as {read}."


def _require_finite(table: _Table, index: int, numbers: Column) -> None:
    if isinstance(numbers, Texts) or not np.isinf(numbers).any():
        return
    line, row = table.place(int(np.flatnonzero(np.isinf(numbers))[0]))
    raise DataError(
        f"{excerpt(row[index].strip())} is not a finite number",
        where=f"{table.name}, column {excerpt(table.dialect.columns[index])}, line {line}",
        how="Leave the value out or correct it.",
    )


def _frozen(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array


def _are(number: int, noun: str) -> str:
    return f"{'is' if number == 1 else 'are'} {_count(number, noun)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
