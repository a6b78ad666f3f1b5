"""What a run has recorded, as series to draw, and all of it as a table. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import prod
from typing import NamedTuple

import numpy as np

from engine.names import plain_name
from engine.training import Run
from gui.curves import Points, Pyramid

__all__ = ["Entry", "RunSeries", "csv_table", "entries_of", "moving_entries"]

Array = np.ndarray

ROWS = 20_000
"""Rows of a table that are written at a time."""


class Entry(NamedTuple):
    """A number of a parameter: its name and the place in it, counted from 0; no place in a scalar."""

    parameter: str
    place: tuple[int, ...]

    @property
    def text(self) -> str:
        """Its name, such as ``W1[0, 2]``."""
        return self._with_place(self.parameter)

    @property
    def title(self) -> str:
        """The same as it is read, such as ``W₁[0, 2]``."""
        return self._with_place(plain_name(self.parameter))

    def _with_place(self, name: str) -> str:
        return f"{name}[{', '.join(map(str, self.place))}]" if self.place else name

    def is_in(self, run: Run) -> bool:
        """Say whether a run has this entry."""
        shape = np.shape(run.problem.parameters.get(self.parameter, np.empty((0,) * 9)))
        return len(shape) == len(self.place) and all(i < n for i, n in zip(self.place, shape, strict=True))


class RunSeries:
    """The series of one run; :meth:`update` takes in what is new.

    Losses are there for every iteration; what is kept with a sample of the run, at the samples' iterations.

    Attributes
    ----------
    loss, held, norm
        The loss, the loss on held-out examples (empty where there are none), the norm of the gradient.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.loss = Pyramid()
        self.held = Points()
        self.norm = Points()
        self._traces: dict[Entry, Points] = {}

    def update(self) -> None:
        """Take in what the run has recorded since."""
        self.loss.extend(self.run.losses)
        samples = self.run.history.samples
        known = self.norm.iterations
        if np.array_equal(known[-1:], samples.iterations[-1:]) and len(known) == len(samples):
            return
        held, norm = samples.numbers.T
        self._traces = {}
        self.norm = Points(samples.iterations, norm)
        if len(held) and np.isfinite(held[0]):
            self.held = Points(samples.iterations, held)

    def trace(self, entry: Entry) -> Points:
        """Return the values that an entry of a parameter has had."""
        if entry not in self._traces:
            self._traces[entry] = self._read(entry)
        return self._traces[entry]

    def _read(self, entry: Entry) -> Points:
        samples = self.run.history.samples
        start = 0
        for name, shape in samples.form.parameters:
            if name == entry.parameter:
                column = start + int(np.ravel_multi_index(entry.place, shape)) if shape else start
                return Points(samples.iterations, samples.vectors[:, column])
            start += prod(shape)
        return Points()


def moving_entries(run: Run, most: int) -> list[Entry]:
    """Return the entries of the parameters that have moved most, at most `most`, in the parameters' order.

    Of a long run only samples some way apart are looked at.
    """
    samples = run.history.samples
    shapes = samples.form.parameters
    count = sum(prod(shape) for _, shape in shapes)
    seen = samples.vectors[:: max(1, len(samples) // 64), :count]
    moved = np.ptp(seen, axis=0) if len(seen) else np.zeros(count)
    moved = np.where(np.isfinite(moved), moved, np.inf)
    chosen = np.sort(np.argsort(-moved, kind="stable")[:most]).tolist()
    return [_entry_at(column, shapes) for column in chosen]


def _entry_at(column: int, shapes: Sequence[tuple[str, tuple[int, ...]]]) -> Entry:
    for name, shape in shapes:
        if column < prod(shape):
            return Entry(name, tuple(int(i) for i in np.unravel_index(column, shape)))
        column -= prod(shape)
    raise IndexError(column)


def entries_of(run: Run) -> Iterator[Entry]:
    """Return every entry of every parameter, in order."""
    for name, start in run.problem.parameters.items():
        yield from (Entry(name, place) for place in np.ndindex(start.shape))


# --- as a table --------------------------------------------------------------------------------------------


def csv_table(
    runs: Iterable[tuple[str, RunSeries]], more: Iterable[tuple[str, Array]] = ()
) -> Iterator[bytes]:
    """Return a table of all that has been recorded by now, to be written some rows at a time.

    A row is an iteration. A run has a column for its loss, one for its gradient's norm, and one for the loss
    on held-out examples where there are any. What was not recorded at an iteration is left blank; what is not
    finite is written as nan and inf. Numbers are read back as the same ones.

    Parameters
    ----------
    runs
        Names and series.
    more
        Further columns: header, and one number an iteration from 0.
    """
    columns: list[tuple[str, Callable[[int, int], list[str]]]] = []
    longest = 0
    for name, series in runs:
        columns.append((f"{name}: loss", _all_of(series.loss.values)))
        if len(series.held):
            columns.append((f"{name}: held-out loss", _some_of(series.held)))
        columns.append((f"{name}: gradient norm", _some_of(series.norm)))
        longest = max(longest, len(series.loss))
    for header, values in more:
        columns.append((header, _all_of(values)))
        longest = max(longest, len(values))
    headers = _distinct(["iteration", *(header for header, _ in columns)])
    return _rows(headers, [read for _, read in columns], longest)


def _rows(headers: list[str], columns: list[Callable[[int, int], list[str]]], count: int) -> Iterator[bytes]:
    yield (",".join(map(_quoted, headers)) + "\n").encode()
    for first in range(0, count, ROWS):
        last = min(first + ROWS, count)
        cells = (map(str, range(first, last)), *(read(first, last) for read in columns))
        yield "".join(chain.from_iterable((",".join(row), "\n") for row in zip(*cells, strict=True))).encode()


def _all_of(values: Array) -> Callable[[int, int], list[str]]:
    def read(first: int, last: int) -> list[str]:
        found = [repr(v) for v in values[first:last].tolist()]
        return found + [""] * (last - first - len(found))

    return read


def _some_of(points: Points) -> Callable[[int, int], list[str]]:
    def read(first: int, last: int) -> list[str]:
        found = [""] * (last - first)
        begin, end = np.searchsorted(points.iterations, (first, last))
        for i in range(begin, end):
            found[int(points.iterations[i]) - first] = repr(float(points.values[i]))
        return found

    return read


def _distinct(headers: list[str]) -> list[str]:
    """Return the headers, those numbered that were there before."""
    found: dict[str, None] = {}
    for header in headers:
        name, number = header, 2
        while name in found:
            name, number = f"{header} ({number})", number + 1
        found[name] = None
    return list(found)


def _quoted(header: str) -> str:
    return '"' + header.replace('"', '""') + '"'
