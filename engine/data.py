"""Data sets: choose columns of a table as the rows of arrays, standardise them, deal out mini-batches.

Examples are columns: `select` stacks the chosen columns of a table as the rows of an (n, m) array, one row a
feature, one column an example. Whatever is done to the data on the way (rows left out, classes turned into
numbers, columns standardised) is said in a notice, so that nobody wonders where the numbers come from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.dialect import is_number
from engine.errors import DataError, TrainingError, excerpt
from engine.tables import Column, Dataset, Texts, bytes_of, parse_csv, read_csv, read_csv_bytes

__all__ = [
    "HELD_OUT_RANGE",
    "Between",
    "Column",
    "Dataset",
    "Scaling",
    "Selection",
    "Texts",
    "batch_indices",
    "batches_per_epoch",
    "bytes_of",
    "held_examples",
    "parse_csv",
    "read_csv",
    "read_csv_bytes",
    "rows_where",
    "select",
]

Array = NDArray[np.float64]
AnyArray = TypeVar("AnyArray", bound=np.ndarray)

FEW_COLUMNS = 2  # that a notice names; of more, it says how many
HELD_OUT_RANGE = "Write a number from 0 to below 1, such as 0.25 for a quarter."


@dataclass(frozen=True)
class Between:
    """A range of numbers, both ends in it; None for no end.

    Examples
    --------
    >>> str(Between(2, 10.5)), str(Between(least=3)), str(Between(most=8))
    ('from 2 to 10.5', 'from 3', 'to 8')
    """

    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        ends = (("from", self.least), ("to", self.most))
        return " ".join(f"{word} {end:.10g}" for word, end in ends if end is not None) or "any"


Wanted = Sequence[object] | Between
"""What a filter asks of a column: to be one of these values, or in this range."""


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


# Selecting -------------------------------------------------------------------------------------------------


def select(
    dataset: Dataset,
    inputs: Mapping[str, Sequence[str]],
    targets: Mapping[str, Sequence[str]],
    *,
    standardize: bool | Sequence[str] = False,
    where: Mapping[str, Wanted] | None = None,
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
    where : mapping of str to (sequence or Between), optional
        Keep only rows whose value in a column is one of those listed, or in a range.
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
    filtered, filter_notices = rows_where(dataset, where or {})
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
            *(*dataset.notices, *filter_notices, *missing_notices, *_class_notices(classes)),
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


def rows_where(dataset: Dataset, where: Mapping[str, Wanted]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return which rows pass a filter, and a sentence about each of its conditions.

    Raises
    ------
    DataError
        For a column or a value that does not exist, a range in a column of text, and where no row is left.
    """
    keep = np.ones(dataset.rows, dtype=bool)
    notices = []
    for column, wanted in where.items():
        _require_column(dataset, column)
        if isinstance(wanted, Between):
            keep &= _is_between(dataset, column, wanted)
            notices.append(f"Only rows with {column} {wanted} are used.")
            continue
        values = (wanted,) if isinstance(wanted, str) or not isinstance(wanted, Iterable) else tuple(wanted)
        if not values:
            raise DataError(f"no value of {excerpt(column)} is kept", where=dataset.name, how="Keep one.")
        keep &= _is_one_of(dataset, column, values)
        notices.append(f"Only rows with {column} {_listed(values, 'or')} are used.")
    if not keep.any():
        raise DataError("no row passes the filter", where=dataset.name, how="Ask for fewer things at once.")
    return np.flatnonzero(keep), tuple(notices)


def _is_between(dataset: Dataset, column: str, wanted: Between) -> NDArray[np.bool_]:
    values = dataset.table[column]
    if isinstance(values, Texts):
        raise DataError(
            f"the column {excerpt(column)} holds text: there is no range {wanted}",
            where=dataset.name,
            how="List the values to keep.",
        )
    keep = ~np.isnan(values)
    if wanted.least is not None:
        keep &= values >= wanted.least
    if wanted.most is not None:
        keep &= values <= wanted.most
    return keep


def _is_one_of(dataset: Dataset, column: str, wanted: tuple[object, ...]) -> NDArray[np.bool_]:
    values = dataset.table[column]
    found = np.zeros(dataset.rows, dtype=bool)
    for value in wanted:
        equal = _equal(values, value)
        if not equal.any():
            raise DataError(
                f"no row has {excerpt(repr(value))} in {column}",
                where=dataset.name,
                how=f"Its values are {excerpt(', '.join(_distinct(values)), 200)}.",
            )
        found |= equal
    return found


def _equal(values: Column, wanted: object) -> NDArray[np.bool_]:
    if isinstance(values, Texts):
        code = values.code_of(wanted)
        return values.codes == (-2 if code is None else code)
    if not isinstance(wanted, int | float):
        return np.zeros(len(values), dtype=bool)
    return values == wanted


def _distinct(values: Column) -> list[str]:
    if isinstance(values, Texts):
        return [excerpt(value, 30) for value in values.values[:50]]
    return [f"{number:g}" for number in np.unique(values[~np.isnan(values)])[:50]]


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
    notice = f"{count:,} of {len(rows):,} rows {have} missing values{gaps_in} and {were} left out."
    return rows[~incomplete], (notice,)


def _is_missing(values: Column) -> NDArray[np.bool_]:
    return values.codes < 0 if isinstance(values, Texts) else np.isnan(values)


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
        if not isinstance(values, Texts):
            numbers[column] = values[rows]
            continue
        if column in as_input:
            raise _text_input_error(dataset, column, values)
        codes = values.codes[rows]
        classes[column] = _two_classes(dataset, column, [values.values[code] for code in np.unique(codes)])
        numbers[column] = (codes == values.code_of(classes[column][1])).astype(float)
    return numbers, classes


def _text_input_error(dataset: Dataset, column: str, texts: Texts) -> DataError:
    # In a column meant to hold numbers, the value that is none is what the user has to find.
    is_odd = np.array([*(not is_number(text) for text in texts.values), False])[texts.codes]
    row = int(np.argmax(is_odd)) if is_odd.any() else int(np.argmax(texts.codes >= 0))
    return DataError(
        f"the column {excerpt(column)} holds text ({excerpt(texts[row], 30)} in row {row + 1}), not numbers",
        where=dataset.name,
        how="Correct the value or choose another column as an input.",
    )


def _two_classes(dataset: Dataset, column: str, found: list[str]) -> tuple[str, str]:
    if len(found) == 2:
        return found[0], found[1]
    some = excerpt(", ".join(found[:20]), 100)
    if len(found) == 1:
        raise DataError(
            f"the target {excerpt(column)} has one class alone ({some}) in the rows that are used, not two",
            where=dataset.name,
            how="Use more rows, or choose another target.",
        )
    count = _count(len(found), "class", "classes")
    raise DataError(
        f"the target {excerpt(column)} holds text of {count} ({some}), not two",
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
            how="It cannot be standardised: leave it out or do not standardise.",
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
