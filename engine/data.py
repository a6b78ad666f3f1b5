"""Data sets: read a CSV, choose columns as the rows of arrays, standardise them, deal out mini-batches.

Examples are columns: `select` stacks the chosen columns of a table as the rows of an (n, m) array, one row a
feature, one column an example. Whatever is done to the data on the way (rows left out, classes turned into
numbers, columns standardised) is said in a notice, so that nobody wonders where the numbers come from.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError, TrainingError, excerpt

Array = NDArray[np.float64]
Column = Array | tuple[str, ...]
AnyArray = TypeVar("AnyArray", bound=np.ndarray)

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
FEW_COLUMNS = 2  # that a notice names; of more, it says how many
LARGEST_FILE = 64 * 2**20
HELD_OUT_RANGE = "Write a number from 0 to below 1, such as 0.25 for a quarter."

_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Dataset:
    """A table with named columns, as it was read.

    Parameters
    ----------
    name : str
        What the user calls it: a built-in name or a file's name.
    columns : tuple of str
        The columns' names in the order of the file.
    table : mapping of str to (float64 array, shape (rows,)) or tuple of str
        A column of numbers, in which a missing value is nan, or of text, in which it is the empty string.
    source : str
        Where the data come from, in a sentence.
    """

    name: str
    columns: tuple[str, ...]
    table: Mapping[str, Column]
    source: str = ""

    @property
    def rows(self) -> int:
        """Return the number of rows, those with missing values included."""
        return len(self.table[self.columns[0]])


class Scaling(NamedTuple):
    """How the rows of one array were standardised: `(raw - mean) / deviation`; both are (n, 1)."""

    mean: Array
    deviation: Array


@dataclass(frozen=True)
class Selection:
    """Columns of a `Dataset` as arrays, and what was done to them.

    Parameters
    ----------
    arrays : mapping of str to float64 array, shape (n, m)
        The inputs and targets by name; read-only, examples as columns.
    columns : mapping of str to tuple of str
        For each array the names of the columns that became its rows.
    rows : int array, shape (m,)
        For each example the row of the data set it came from, counted from 0.
    scaling : mapping of str to Scaling
        For each array with a standardised row, the way back; a row left alone has mean 0, deviation 1.
    classes : mapping of str to (str, str)
        For each text column that became numbers, the class that is 0 and the class that is 1.
    dropped : int
        How many rows were left out because a chosen column has no value there.
    held : int array
        Which of the m examples are held out: the scaling is that of the others.
    notices : tuple of str
        Sentences for the user: what was left out, counted as 1, standardised.
    """

    arrays: Mapping[str, Array]
    columns: Mapping[str, tuple[str, ...]]
    rows: NDArray[np.intp]
    scaling: Mapping[str, Scaling]
    classes: Mapping[str, tuple[str, str]]
    dropped: int
    held: NDArray[np.intp]
    notices: tuple[str, ...]


# Reading ---------------------------------------------------------------------------------------------------


def read_csv(path: Path | str, *, name: str = "", source: str = "") -> Dataset:
    """Read a CSV file with a header line.

    Parameters
    ----------
    path : path or str
        The file: UTF-8 (with or without a byte order mark) or UTF-16 with one.
    name, source : str
        As in `Dataset`; the name is the file's own unless given.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the file cannot be read or is not such a table; names the file and, where it can, the line.
    """
    path = Path(path)
    return parse_csv(_decode(bytes_of(path), path.name), name=name or path.name, source=source)


@lru_cache(maxsize=4)
def read_csv_bytes(raw: bytes, name: str) -> Dataset:
    """Return the table that a CSV file holds which has been read before.

    Raises
    ------
    DataError
        As :func:`read_csv`.
    """
    return parse_csv(_decode(raw, name), name=name)


def parse_csv(text: str, *, name: str = "the data", source: str = "") -> Dataset:
    r"""Read the text of a CSV file: a header, then one line a row.

    Values are separated by commas, semicolons (then with a decimal point or comma) or tabs, whichever the
    header has most of. An empty value, NA, N/A, NaN, null and ? are missing. A column is one of numbers if
    every value it has is a number, and otherwise one of text.

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
    delimiter = _delimiter(text)
    records = _records(text, delimiter, name)
    if not records:
        raise DataError("the file is empty", where=name, how="It needs a header with the columns' names.")
    header = _header(records[0][1], name)
    rows = records[1:]
    if not rows:
        raise DataError("there are no rows under the header", where=name, how="Add one line an example.")
    _require_even_rows(rows, header, name)
    lines = [line for line, _ in rows]
    cells = zip(*(values for _, values in rows), strict=True)
    table = {
        column: _column(values, lines, f"{name}, column {excerpt(column)}", delimiter == ";")
        for column, values in zip(header, cells, strict=True)
    }
    return Dataset(name, header, table, source)


def bytes_of(path: Path) -> bytes:
    """Return what a file holds.

    Raises
    ------
    DataError
        For a file that is too large, is not an ordinary one, or cannot be read.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DataError("this is not an ordinary file", where=path.name, how="Name a CSV file.")
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(
                f"the file is larger than {LARGEST_FILE // 2**20} MB",
                where=path.name,
                how="Keep the rows and columns you need.",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a null character in it
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"the file cannot be read ({reason.lower()})",
            where=excerpt(path, 100),
            how="Check its name and folder.",
        ) from error


def _decode(raw: bytes, name: str) -> str:
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            "the text is not UTF-8", where=f"{name}, line {line}", how="Save the file again as CSV UTF-8."
        ) from error


def _delimiter(text: str) -> str:
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    return max(",;\t", key=lambda mark: _field_count(header, mark))


def _field_count(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:  # said in full, with its line, when the whole text is read
        return 0


def _records(text: str, delimiter: str, name: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with the number of its line."""
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
    )
    try:
        return [(reader.line_num, [value.strip() for value in row]) for row in reader if not _is_blank(row)]
    except csv.Error as error:
        raise DataError(
            f"the line cannot be read as CSV ({error})",
            where=f"{name}, line {reader.line_num}",
            how="Look for a quotation mark that is not closed.",
        ) from error


def _is_blank(row: list[str]) -> bool:
    # Separators alone are a row whose values are all missing.
    return len(row) < 2 and not "".join(row).strip()


def _header(names: list[str], where: str) -> tuple[str, ...]:
    # A column without a name is common: spreadsheets and R put row numbers there.
    header = tuple(name or f"column {index}" for index, name in enumerate(names, 1))
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"two columns are named {excerpt(twice)}", where=where, how="Rename one of them.")
    return header


def _require_even_rows(rows: list[tuple[int, list[str]]], header: tuple[str, ...], name: str) -> None:
    for line, values in rows:
        if len(values) != len(header):
            raise DataError(
                f"the row has {_count(len(values), 'value')} but the header {_count(len(header), 'column')}",
                where=f"{name}, line {line}",
                how="Give every row one value a column.",
            )


def _column(values: tuple[str, ...], lines: list[int], where: str, decimal_comma: bool) -> Column:
    present = tuple("" if value.casefold() in MISSING else value for value in values)
    texts = tuple(value.replace(",", ".", 1) for value in present) if decimal_comma else present
    if not all(_NUMBER.fullmatch(text) for text in texts if text):
        return present
    numbers = np.array([float(text or "nan") for text in texts])
    for index in np.flatnonzero(np.isinf(numbers)):
        raise DataError(
            f"{excerpt(values[index])} is not a finite number",
            where=f"{where}, line {lines[index]}",
            how="Leave the value out or correct it.",
        )
    return _frozen(numbers)


# Selecting -------------------------------------------------------------------------------------------------


def select(
    dataset: Dataset,
    inputs: Mapping[str, Sequence[str]],
    targets: Mapping[str, Sequence[str]],
    *,
    standardize: bool | Sequence[str] = False,
    where: Mapping[str, Sequence[object]] | None = None,
    held_out: float = 0.0,
    seed: int = 0,
) -> Selection:
    r"""Choose columns as the rows of named arrays.

    Parameters
    ----------
    dataset : Dataset
        The table.
    inputs, targets : mapping of str to sequence of str
        For each array of the network the columns that become its rows.
    standardize : bool or sequence of str
        True: every chosen column but targets that are 0 or 1 throughout gets mean 0 and standard deviation 1
        (the population's, as in `numpy.std`). A sequence: just these columns do.
    where : mapping of str to sequence, optional
        Keep only rows whose value in a column is one of those listed.
    held_out, seed
        Which examples are held out, as in `held_examples`. Mean and standard deviation are those of the
        other examples, so that nothing about those held out is learnt; they are scaled in the same way.

    Returns
    -------
    Selection
        Rows without a value in one of the chosen columns are left out. A text target of exactly two classes
        becomes 0 and 1 in alphabetical order.

    Raises
    ------
    DataError
        For a column that does not exist, is text, or is constant and to be standardised; for no rows left.

    Examples
    --------
    >>> data = parse_csv("speed,dist\n4,2\n7,NA\n8,6\n")
    >>> chosen = select(data, {"x": ["speed"]}, {"y": ["dist"]})
    >>> chosen.arrays["x"], chosen.notices
    (array([[4., 8.]]), ('1 of 3 rows has missing values in dist and was left out.',))
    """
    chosen = _chosen_columns(dataset, inputs, targets)
    filtered, filter_notices = _rows_where(dataset, where or {})
    rows, missing_notices = _complete_rows(dataset, _flat(chosen), filtered)
    columns, classes = _numbers(dataset, inputs, targets, rows)
    held = held_examples(len(rows), held_out, seed)
    scaled = _scaled_columns(dataset, columns, targets, standardize)
    scalings = {
        column: _scaling_of(np.delete(columns[column], held), dataset.name, column, bool(held.size))
        for column in scaled
    }
    arrays = {name: _stack(names, columns, scalings) for name, names in chosen.items()}
    return Selection(
        arrays=arrays,
        columns=chosen,
        rows=_frozen(rows),
        scaling={
            name: _scaling_of_rows(names, scalings)
            for name, names in chosen.items()
            if any(column in scalings for column in names)
        },
        classes=classes,
        dropped=len(filtered) - len(rows),
        held=held,
        notices=(
            *(*filter_notices, *missing_notices, *_class_notices(classes)),
            *_scaling_notices(scaled, bool(held.size)),
        ),
    )


def _chosen_columns(
    dataset: Dataset, inputs: Mapping[str, Sequence[str]], targets: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    both = sorted(set(inputs) & set(targets))
    if both:
        raise DataError(f"{both[0]} is an input and a target", where=dataset.name, how="Rename one of them.")
    chosen = {name: _names(columns) for name, columns in {**inputs, **targets}.items()}
    for name, columns in chosen.items():
        if not columns:
            raise DataError(f"no column is chosen for {name}", where=dataset.name, how=_choices(dataset))
        for column in columns:
            _require_column(dataset, column)
    return chosen


def _names(columns: Sequence[str]) -> tuple[str, ...]:
    # One name without brackets means that name, not its letters.
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _flat(chosen: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for columns in chosen.values() for column in columns))


def _require_column(dataset: Dataset, column: str) -> None:
    if column in dataset.columns:
        return
    near = difflib.get_close_matches(str(column), dataset.columns, n=1)
    hint = f"Did you mean {excerpt(near[0])}? " if near else ""
    raise DataError(f"there is no column {excerpt(column)}", where=dataset.name, how=hint + _choices(dataset))


def _choices(dataset: Dataset) -> str:
    return f"The columns are {excerpt(', '.join(dataset.columns), 200)}."


def _rows_where(
    dataset: Dataset, where: Mapping[str, Sequence[object]]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    keep = np.ones(dataset.rows, dtype=bool)
    notices = []
    for column, wanted in where.items():
        _require_column(dataset, column)
        values = (wanted,) if isinstance(wanted, str) or not isinstance(wanted, Iterable) else tuple(wanted)
        keep &= _is_one_of(dataset, column, values)
        notices.append(f"Only rows with {column} {_listed(values, 'or')} are used.")
    if not keep.any():
        raise DataError("no row passes the filter", where=dataset.name, how="Ask for fewer things at once.")
    return np.flatnonzero(keep), tuple(notices)


def _is_one_of(dataset: Dataset, column: str, wanted: tuple[object, ...]) -> NDArray[np.bool_]:
    values = dataset.table[column]
    found = np.zeros(dataset.rows, dtype=bool)
    for value in wanted:
        equal = np.array([entry == value for entry in values], dtype=bool)
        if not equal.any():
            raise DataError(
                f"no row has {excerpt(repr(value))} in {column}",
                where=dataset.name,
                how=f"Its values are {excerpt(', '.join(_distinct(values)), 200)}.",
            )
        found |= equal
    return found


def _distinct(values: Column) -> list[str]:
    if isinstance(values, tuple):
        return sorted({value for value in values if value})
    return [f"{number:g}" for number in np.unique(values[~np.isnan(values)])]


def _complete_rows(
    dataset: Dataset, columns: tuple[str, ...], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return those of `rows` that have a value in every column, and a notice about the others."""
    missing = {column: _is_missing(dataset.table[column])[rows] for column in columns}
    incomplete = np.logical_or.reduce(list(missing.values()))
    count = int(incomplete.sum())
    if not count:
        return rows, ()
    gappy = [column for column, gaps in missing.items() if gaps.any()]
    blamed = _listed(gappy, "or")
    if count == len(rows):
        raise DataError(f"every row lacks a value in {blamed}", where=dataset.name, how="Choose others.")
    have, were = ("has", "was") if count == 1 else ("have", "were")
    gaps_in = f" in {blamed}" if len(gappy) <= FEW_COLUMNS else ""
    notice = f"{count} of {len(rows)} rows {have} missing values{gaps_in} and {were} left out."
    return rows[~incomplete], (notice,)


def _is_missing(values: Column) -> NDArray[np.bool_]:
    if isinstance(values, tuple):
        return np.array([not value for value in values], dtype=bool)
    return np.isnan(values)


def _numbers(
    dataset: Dataset,
    inputs: Mapping[str, Sequence[str]],
    targets: Mapping[str, Sequence[str]],
    rows: NDArray[np.intp],
) -> tuple[dict[str, Array], dict[str, tuple[str, str]]]:
    """Return the chosen columns as numbers at `rows`, and the classes of those that were text."""
    numbers: dict[str, Array] = {}
    classes: dict[str, tuple[str, str]] = {}
    as_target = {column for columns in targets.values() for column in _names(columns)}
    as_input = {column for columns in inputs.values() for column in _names(columns)}
    for column in sorted(as_target | as_input):
        values = dataset.table[column]
        if not isinstance(values, tuple):
            numbers[column] = values[rows]
            continue
        texts = [values[row] for row in rows]
        if column in as_input:
            raise _text_input_error(dataset, column)
        classes[column] = _two_classes(dataset, column, texts)
        numbers[column] = np.array([float(text == classes[column][1]) for text in texts])
    return numbers, classes


def _text_input_error(dataset: Dataset, column: str) -> DataError:
    texts = dataset.table[column]
    # In a column meant to hold numbers, the value that is none is what the user has to find.
    row, odd = next((row, text) for row, text in enumerate(texts, 1) if text and not _NUMBER.fullmatch(text))
    return DataError(
        f"the column {excerpt(column)} holds text ({excerpt(odd, 30)} in row {row}), not numbers",
        where=dataset.name,
        how="Correct the value or choose another column as an input.",
    )


def _two_classes(dataset: Dataset, column: str, texts: list[str]) -> tuple[str, str]:
    found = sorted(set(texts))
    if len(found) == 2:
        return found[0], found[1]
    listed = f"{_count(len(found), 'class', 'classes')} ({excerpt(', '.join(found), 100)})"
    raise DataError(
        f"the target {excerpt(column)} holds text of {listed}, not two",
        where=dataset.name,
        how=f"Keep two of them with where = {{ {column} = [...] }} or choose a column of numbers.",
    )


def _scaled_columns(
    dataset: Dataset,
    columns: Mapping[str, Array],
    targets: Mapping[str, Sequence[str]],
    standardize: bool | Sequence[str],
) -> tuple[str, ...]:
    if not isinstance(standardize, bool):
        for column in _names(standardize):
            _require_column(dataset, column)
        return tuple(column for column in _names(standardize) if column in columns)
    if not standardize:
        return ()
    # A 0/1 target is a class: standardised, no probability could ever meet it.
    binary = {
        column
        for names in targets.values()
        for column in _names(names)
        if np.isin(columns[column], (0.0, 1.0)).all()
    }
    return tuple(column for column in dataset.columns if column in columns and column not in binary)


def _scaling_of(values: Array, dataset: str, column: str, split: bool = False) -> tuple[float, float]:
    # In units of the largest value, so that squares neither overflow nor vanish.
    unit = float(np.abs(values).max()) or 1.0
    mean, deviation = float((values / unit).mean()) * unit, float((values / unit).std()) * unit
    # Rounding can give equal values a deviation, and almost equal ones none.
    if values.min() == values.max() or not deviation:
        raise DataError(
            f"the column {excerpt(column)} has the value {values[0]:g} in every row"
            f"{' of the training examples' if split else ''}",
            where=dataset,
            how="It cannot be standardised: leave it out or turn standardize off.",
        )
    return mean, deviation


def _stack(
    names: tuple[str, ...], columns: Mapping[str, Array], scalings: Mapping[str, tuple[float, float]]
) -> Array:
    raw = np.stack([columns[name] for name in names])
    scaling = _scaling_of_rows(names, scalings)
    return _frozen((raw - scaling.mean) / scaling.deviation)


def _scaling_of_rows(names: tuple[str, ...], scalings: Mapping[str, tuple[float, float]]) -> Scaling:
    pairs = np.array([scalings.get(name, (0.0, 1.0)) for name in names])
    return Scaling(_frozen(pairs[:, :1].copy()), _frozen(pairs[:, 1:].copy()))


def _class_notices(classes: Mapping[str, tuple[str, str]]) -> list[str]:
    return [f"In {column}, {zero} counts as 0 and {one} as 1." for column, (zero, one) in classes.items()]


def _scaling_notices(columns: tuple[str, ...], split: bool) -> list[str]:
    if not columns:
        return []
    whose = " over the training examples" if split else ""
    verb = "is" if len(columns) == 1 else "are"
    which = _listed(columns, "and") if len(columns) <= FEW_COLUMNS else f"{len(columns)} columns"
    return [f"{which} {verb} standardised: mean 0, standard deviation 1{whose}."]


# Held-out examples -----------------------------------------------------------------------------------------


def held_examples(m: int, fraction: float, seed: int) -> NDArray[np.intp]:
    """Return which of m examples are held out of training.

    They are drawn by the seed alone, so every process holds out the same ones.

    Parameters
    ----------
    m : int
        The number of examples.
    fraction : float
        Which part of them, at least 0 and below 1; rounded to whole examples.
    seed : int
        At least 0.

    Returns
    -------
    int array in ascending order, read-only; empty for the fraction 0

    Raises
    ------
    DataError
        For a fraction out of range, and where no example would be left on either side.

    Examples
    --------
    >>> held_examples(8, 0.25, seed=0).size, held_examples(8, 0, seed=0).size
    (2, 0)
    """
    if not 0 <= fraction < 1:
        raise DataError(f"{fraction:g} of the examples cannot be held out", how=HELD_OUT_RANGE)
    count = int(fraction * m + 0.5)
    if fraction and not 0 < count < m:
        side = "to hold out" if count < 1 else "to train on"
        how = f"Hold out between {1 / m:.2g} and {(m - 1) / m:.2g}." if m > 1 else "Leave held_out out."
        raise DataError(f"{fraction:g} of {_count(m, 'example')} leaves none {side}", how=how)
    # Mini-batches are drawn from [seed, epoch]: a third number keeps this drawing apart from all of theirs.
    order = np.random.default_rng([seed, 0, 1]).permutation(m)
    return _frozen(np.sort(order[:count]))


# Mini-batches ----------------------------------------------------------------------------------------------


def batch_indices(m: int, batch_size: int | None, iteration: int, seed: int) -> NDArray[np.intp] | None:
    """Return which examples make up the mini-batch of an iteration.

    Every epoch deals all examples once, in an order that depends on the seed and the epoch alone. So any
    iteration can be asked for at any time, in any order, and always has the same mini-batch.

    Parameters
    ----------
    m : int
        The number of examples.
    batch_size : int or None
        Examples in a mini-batch; the last of an epoch may be smaller. None, or m, is the full batch.
    iteration : int
        Counted from 0.
    seed : int
        At least 0.

    Returns
    -------
    int array of at most `batch_size` examples, read-only; or None for the full batch

    Raises
    ------
    TrainingError
        If the size is not between 1 and m; names both.
    """
    if iteration < 0 or seed < 0:
        raise TrainingError(f"iteration {iteration} with seed {seed} does not exist", how="Both start at 0.")
    per_epoch = batches_per_epoch(m, batch_size)
    if batch_size is None or batch_size == m:
        return None
    epoch, turn = divmod(iteration, per_epoch)
    return _order(m, seed, epoch)[turn * batch_size : (turn + 1) * batch_size]


def batches_per_epoch(m: int, batch_size: int | None) -> int:
    """Return how many iterations deal out all m examples once; raise `TrainingError` as `batch_indices`."""
    if batch_size is None:
        return 1
    if not 1 <= batch_size <= m:
        raise TrainingError(
            f"a mini-batch of {batch_size} cannot be taken from {_count(m, 'example')}",
            how=f"Choose a batch size from 1 to {m}.",
        )
    return -(-m // batch_size)


@lru_cache(maxsize=8)  # an epoch's iterations share one order; a pure function of its arguments
def _order(m: int, seed: int, epoch: int) -> NDArray[np.intp]:
    return _frozen(np.random.default_rng([seed, epoch]).permutation(m))


# Helpers ---------------------------------------------------------------------------------------------------


def _frozen(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array


def _listed(words: Iterable[object], conjunction: str) -> str:
    *most, last = [excerpt(word) for word in words]
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
