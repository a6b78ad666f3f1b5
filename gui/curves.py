"""Long series, drawn in a few points: smallest, largest and mean of every stretch are at hand. No Qt.

A :class:`Pyramid` holds a number for every iteration, :class:`Points` numbers at some of them. Both give the
:class:`Stretches` that a :class:`View` has room for, and :func:`drawn` makes of these what is painted: one
line where that tells everything, otherwise the mean over a paler line that reaches from the smallest to the
largest value of every stretch. So a million losses cost as much as a thousand, and no peak is ever lost.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = [
    "Drawn",
    "Line",
    "Points",
    "Pyramid",
    "Series",
    "Staircase",
    "Stretches",
    "View",
    "drawn",
    "heights",
]

Array = np.ndarray

BLOCK = 16
"""Values in a stretch of the lowest level that is kept."""
STEP = 16
"""Stretches that make one of the level above."""
LONGEST = 3.0
"""How long a line may be, in widths and heights of the plot, before it is a scribble that tells nothing."""
DOT = 1.5
"""Half the length, in pixels, of what is drawn for a value between two gaps."""
APART = 6.0
"""Pixels between values that can be told one by one, however far the line goes up and down."""
BEYOND = 2.0
"""How far outside a line is drawn, in heights of the plot: it rises to a far value, but not upright."""
FEWEST = 16
"""Stretches below which a line is not smoothed any further."""


# --- what is in sight --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """The part of a plot in sight: ranges in the plot's own coordinates, and its size in pixels.

    On a log axis the coordinates are powers of ten. Iteration i stands at log10(i + 1) there, as iteration 0
    would have no place otherwise.
    """

    left: float
    right: float
    bottom: float
    top: float
    width: float
    height: float
    log_x: bool = False
    log_y: bool = False

    def x(self, iterations: Array) -> Array:
        """Return where iterations stand."""
        return np.log10(np.asarray(iterations) + 1.0) if self.log_x else np.asarray(iterations, dtype=float)

    def y(self, values: Array) -> Array:
        """Return where values stand, nan for those that have no place on a log axis."""
        if not self.log_y:
            return values
        with np.errstate(all="ignore"):
            return np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), np.nan)

    def iteration(self, x: float) -> float:
        """Return what stands at `x`, which may lie between two iterations."""
        return 10.0 ** min(x, 300.0) - 1.0 if self.log_x else x

    @property
    def span(self) -> tuple[int, int]:
        """The first and last iteration in sight, one beyond each edge."""
        first, last = self.iteration(self.left), self.iteration(self.right)
        return max(0, math.floor(first) - 1), max(0, math.ceil(min(last, 1e15)) + 1)

    def length(self, x: Array, y: Array) -> float:
        """Return how long a line is, in pixels; what leaves the plot counts up to its edge."""
        across = np.diff(x) * (self.width / (self.right - self.left))
        up = np.diff(np.clip(y, self.bottom, self.top)) * (self.height / (self.top - self.bottom))
        steps = np.hypot(across, up)
        return float(np.sum(steps[np.isfinite(steps)]))


@dataclass(frozen=True)
class Stretches:
    """Neighbouring iterations taken together, in order; each array has shape (n,).

    Attributes
    ----------
    first, last
        The first and the last iteration of each.
    low, high, mean
        Of the finite values in it, nan where there is none. For a log axis, `low` and `high` of those above
        zero, and the mean not below them.
    """

    first: Array
    last: Array
    low: Array
    high: Array
    mean: Array

    def __len__(self) -> int:
        return len(self.first)

    @property
    def middle(self) -> Array:
        """Where each stretch is drawn."""
        return (self.first + self.last) / 2


class Series(Protocol):
    """Numbers over iterations."""

    def __len__(self) -> int:
        """Return how many numbers there are."""
        ...

    @property
    def end(self) -> float:
        """The last iteration at which a number can be read, -1 for none."""
        ...

    @property
    def last(self) -> float:
        """The last number, nan for none."""
        ...

    @property
    def lowest(self) -> float:
        """The smallest finite number, nan for none."""
        ...

    def at(self, iteration: int) -> tuple[int, float] | None:
        """Return the number to read at an iteration, and which iteration it is from."""
        ...

    def stretches(self, view: View, most: int) -> Stretches:
        """Return what is in sight in about `most` stretches, each value by itself where they are no more."""
        ...


# --- a number for every iteration --------------------------------------------------------------------------

LOW, HIGH, LEAST, TOTAL, COUNT = range(5)
"""What is kept of a stretch: smallest, largest, smallest above zero, sum, and how many are finite."""


class Pyramid:
    """A series that grows, one number for every iteration from 0.

    Stretches are powers of two long and begin at multiples of their length, so that a series that grows keeps
    its picture. The stretches of 16, 256, 4096, ... are kept and brought up to date from the last one on,
    which costs a third of the series in memory, and for n new values the time of n.
    """

    def __init__(self) -> None:
        self.values: Array = np.empty(0)
        self._levels: list[Array] = []

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> float:
        """The last iteration, -1 where there is none."""
        return len(self.values) - 1

    @property
    def last(self) -> float:
        """The last number, nan for none."""
        return float(self.values[-1]) if len(self.values) else np.nan

    @property
    def lowest(self) -> float:
        """The smallest finite number, nan for none."""
        if not self._levels:
            return np.nan
        top = self._levels[-1]
        count = -(-len(self.values) // (BLOCK * STEP ** (len(self._levels) - 1)))
        return float(np.fmin.reduce(top[LOW, :count]))

    def at(self, iteration: int) -> tuple[int, float] | None:
        """Return an iteration and its number."""
        return (iteration, float(self.values[iteration])) if 0 <= iteration < len(self.values) else None

    def extend(self, values: Array) -> None:
        """Take over the whole series so far; only what is new in it is read."""
        old, self.values = len(self.values), values
        count = len(values)
        if count <= old:
            return
        self._put(0, old // BLOCK, _summary(values[old // BLOCK * BLOCK :], BLOCK))
        level, length = 1, BLOCK * STEP
        while count > length:
            start = 0 if level == len(self._levels) else old // length
            below = self._levels[level - 1][:, start * STEP : -(-count * STEP // length)]
            self._put(level, start, _joined(below, STEP))
            level, length = level + 1, length * STEP

    def _put(self, level: int, start: int, summary: Array) -> None:
        count = start + summary.shape[1]
        if level == len(self._levels):
            self._levels.append(np.full((5, 64), np.nan))
        room = self._levels[level]
        if count > room.shape[1]:
            larger = np.full((5, 2 * count), np.nan)
            larger[:, :start] = room[:, :start]
            self._levels[level] = room = larger
        room[:, start:count] = summary

    def stretches(self, view: View, most: int) -> Stretches:
        """Return what is in sight in about `most` stretches, each value by itself where they are no more."""
        first, last = view.span
        last = min(last, len(self.values) - 1)
        if last < first:
            return _stretches(np.empty(0, int), np.empty(0, int), np.empty((5, 0)), view.log_y)
        if not view.log_x:
            parts = [(first, last, _power((last - first + 1) / most))]
        else:
            parts = _octaves(first, last, view, most)
        found = [self._part(*part) for part in parts]
        starts, ends = (np.concatenate([part[i] for part in found]) for i in (0, 1))
        return _stretches(starts, ends, np.hstack([part[2] for part in found]), view.log_y)

    def _part(self, first: int, last: int, power: int) -> tuple[Array, Array, Array]:
        """Return the stretches of 2**power that hold `first` to `last`: beginnings, ends, what is kept."""
        length = 1 << power
        starts = np.arange(first >> power, (last >> power) + 1) << power
        ends = np.minimum(starts + length - 1, len(self.values) - 1)
        if length < BLOCK:
            return starts, ends, _summary(self.values[starts[0] : ends[-1] + 1], length)
        level = min((power - 4) // 4, len(self._levels) - 1)
        group = length // (BLOCK * STEP**level)
        begin = int(starts[0]) // (BLOCK * STEP**level)
        end = int(ends[-1]) // (BLOCK * STEP**level) + 1
        return starts, ends, _joined(self._levels[level][:, begin:end], group)


def _power(length: float) -> int:
    """Return the exponent of the next power of two."""
    return max(0, math.ceil(math.log2(length))) if length > 1 else 0


def _octaves(first: int, last: int, view: View, most: int) -> list[tuple[int, int, int]]:
    """Cut a range at powers of two, each part with the stretch that suits its width on a log axis."""
    parts = [(0, 0, 0)] if first == 0 else []
    for octave in range(max(first, 1).bit_length() - 1, max(last, 0).bit_length()):
        low, high = 1 << octave, (2 << octave) - 1
        width = math.log10((high + 2) / (low + 1)) / (view.right - view.left)
        power = min(octave, _power((high - low + 1) / max(1.0, most * width)))
        parts.append((max(low, first), min(high, last), power))
    return [part for part in parts if part[0] <= part[1]]


def _summary(values: Array, length: int) -> Array:
    """Return what is kept of each stretch of `length` values, shape (5, n); the last one may be short."""
    finite = np.isfinite(values)
    clean = values if finite.all() else np.where(finite, values, np.nan)
    least = clean if not (clean <= 0).any() else np.where(clean > 0, clean, np.nan)
    rows = np.array([clean, clean, least, np.where(finite, values, 0.0), finite])
    return _joined(rows, length)


def _joined(rows: Array, group: int) -> Array:
    """Take `group` neighbouring columns together, shape (5, n)."""
    if group == 1:
        return rows
    missing = -rows.shape[1] % group
    if missing:
        empty = np.full((5, missing), np.nan)
        empty[TOTAL:] = 0.0
        rows = np.hstack([rows, empty])
    rows = rows.reshape(5, -1, group)
    result = np.empty(rows.shape[:2])
    np.fmin.reduce(rows[LOW], axis=1, out=result[LOW])
    np.fmax.reduce(rows[HIGH], axis=1, out=result[HIGH])
    np.fmin.reduce(rows[LEAST], axis=1, out=result[LEAST])
    with np.errstate(over="ignore", invalid="ignore"):
        np.sum(rows[TOTAL:], axis=2, out=result[TOTAL:])
    return result


def _stretches(first: Array, last: Array, rows: Array, positive: bool) -> Stretches:
    """Make stretches of what is kept; of those to be drawn on a log axis, from the smallest above zero."""
    low, high = rows[LEAST if positive else LOW], rows[HIGH]
    if positive:
        high = np.where(high > 0, high, np.nan)
    with np.errstate(all="ignore"):
        mean = rows[TOTAL] / rows[COUNT]
        mean = np.where(np.isfinite(mean), mean, low / 2 + high / 2)
    return Stretches(first, last, low, high, np.clip(mean, low, high))


# --- numbers at some iterations ----------------------------------------------------------------------------


class Points:
    """Numbers at some iterations, in order: what was recorded from time to time."""

    def __init__(self, iterations: Array | None = None, values: Array | None = None) -> None:
        self.iterations = np.empty(0, int) if iterations is None else iterations
        self.values = np.empty(0) if values is None else values

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> float:
        """Until where the last number is read: as far as the last two stand apart; -1 for none."""
        if not len(self.iterations):
            return -1
        return float(self.iterations[-1] + (np.diff(self.iterations[-2:]).sum() or 1) - 1)

    @property
    def last(self) -> float:
        """The last number, nan for none."""
        return float(self.values[-1]) if len(self.values) else np.nan

    @property
    def lowest(self) -> float:
        """The smallest finite number, nan for none."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite.min()) if finite.size else np.nan

    def at(self, iteration: int) -> tuple[int, float] | None:
        """Return the last number that is not after `iteration`, with its own iteration."""
        place = int(np.searchsorted(self.iterations, iteration, side="right")) - 1
        known = place >= 0 and iteration <= self.end
        return (int(self.iterations[place]), float(self.values[place])) if known else None

    def stretches(self, view: View, most: int) -> Stretches:
        """Return what is in sight in about `most` stretches, each value by itself where they are no more."""
        first, last = view.span
        begin = max(0, int(np.searchsorted(self.iterations, first)) - 1)
        end = int(np.searchsorted(self.iterations, last, side="right")) + 1
        at, rows = self.iterations[begin:end], _summary(self.values[begin:end], 1)
        if len(at) <= most:
            return _stretches(at, at, rows, view.log_y)
        place = np.floor((view.x(at) - view.left) * (most / (view.right - view.left)))
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(place)) + 1])
        with np.errstate(over="ignore", invalid="ignore"):
            ufuncs = (np.fmin, np.fmax, np.fmin, np.add, np.add)
            joined = np.array([f.reduceat(row, cuts) for f, row in zip(ufuncs, rows, strict=True)])
        ends = np.append(cuts[1:], len(at)) - 1
        return _stretches(at[cuts], at[ends], joined, view.log_y)


class Staircase:
    """A number that falls at some places and holds between them: the best so far.

    Parameters
    ----------
    places, values
        Where it falls, in iterations (not whole ones), and to what.
    end
        Until where it holds.
    """

    def __init__(self, places: Array, values: Array, end: float) -> None:
        self.places, self.values, self.end = places, values, end

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> float:
        """The last number, nan for none."""
        return float(self.values[-1]) if len(self.values) else np.nan

    @property
    def lowest(self) -> float:
        """The smallest finite number, nan for none."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite.min()) if finite.size else np.nan

    def at(self, iteration: int) -> tuple[int, float] | None:
        """Return an iteration and its number, None before the first place and beyond the end."""
        place = int(np.searchsorted(self.places, iteration, side="right")) - 1
        return (iteration, float(self.values[place])) if place >= 0 and iteration <= self.end else None

    def stretches(self, view: View, most: int) -> Stretches:
        """Return every corner."""
        x = np.repeat(np.append(self.places, self.end), 2)[1:-1]
        y = np.repeat(self.values, 2)
        return Stretches(x, x, y, y, y)


@dataclass(frozen=True)
class Line:
    """A line of a chart: a series, and how it is to look.

    Attributes
    ----------
    key
        What it is a line of, unique in the chart.
    name
        For reading values.
    kind
        ``run``; ``held`` for a loss on held-out examples; ``search`` for the best of a random search.
    cap
        What is larger does not stretch the axis, as when a run diverges.
    """

    key: Hashable
    name: str
    series: Series
    style: int
    ghost: bool = False
    current: bool = False
    kind: str = "run"
    cap: float | None = None


def heights(found: Sequence[tuple[Line, Drawn]], view: View) -> tuple[float, float, float] | None:
    """Return from where to where what is drawn reaches, and how high its runs do; None where nothing is.

    A line stretches that range up to its cap.
    """
    lows, highs, beyond = [], [], []
    for line, painted in found:
        limits = painted.range()
        if limits is None:
            continue
        low, high = limits
        if line.cap is not None:
            cap = float(view.y(np.array(line.cap)))
            if line.kind == "run":
                beyond.append(high)
            low, high = min(low, cap), min(high, cap)
            low = low if view.log_y else max(low, -cap)
        lows.append(low)
        highs.append(high)
    return (min(lows), max(highs), max(beyond, default=min(lows))) if lows else None


# --- what is painted ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """A series as lines in the plot's coordinates; nan breaks a line.

    Attributes
    ----------
    x, y
        The line: every value where it is short enough, otherwise the means of stretches.
    band_x, band_y
        From the smallest to the largest value of every stretch, back and forth; empty where the line tells
        all.
    """

    x: Array
    y: Array
    band_x: Array
    band_y: Array

    @property
    def has_band(self) -> bool:
        """Whether the line is not all there is to see."""
        return len(self.band_x) > 0

    def range(self) -> tuple[float, float] | None:
        """Return the smallest and the largest height, None where nothing has one."""
        values = np.concatenate([self.y, self.band_y])
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if values.size else None

    def within(self, view: View) -> Drawn:
        """Return the same for painting: what is far outside is brought near, where lines still can be drawn.

        Between two iterations there is nothing, so the line to what is far above leaves the plot on its way.
        """
        room = BEYOND * (view.top - view.bottom)
        y, band_y = (np.clip(part, view.bottom - room, view.top + room) for part in (self.y, self.band_y))
        return Drawn(self.x, y, self.band_x, band_y)

    def exit(self, view: View) -> float | None:
        """Return where the line first leaves the plot upwards, None where it does not."""
        above = np.flatnonzero(self.y > view.top)
        if not above.size:
            return None
        to, before = int(above[0]), int(above[0]) - 1
        if before < 0 or not np.isfinite(self.y[before]):
            return float(self.x[to])
        share = (view.top - self.y[before]) / (self.y[to] - self.y[before])
        return float(self.x[before] + share * (self.x[to] - self.x[before]))


def drawn(series: Series, view: View) -> Drawn:
    """Return what to paint of a series.

    Two stretches a pixel at most; where the line through their means would still be a scribble, longer ones,
    until it is at most `LONGEST` times as long as the plot is wide and high. Values that stand apart are all
    shown: forty steps that swing are swings, not noise.
    """
    most = 2 * max(8, round(view.width))
    fine = line = series.stretches(view, most)
    x, y = view.x(line.middle), view.y(line.mean)
    limit = LONGEST * (view.width + view.height)
    apart = APART * (view.right - view.left) / view.width
    is_scribble = view.length(x, y) > limit and x[-1] - x[0] < apart * (len(x) - 1)
    while is_scribble and len(line) > FEWEST and view.length(x, y) > limit:
        most = min(most, len(line)) // 2
        line = series.stretches(view, most)
        x, y = view.x(line.middle), view.y(line.mean)
    low, high = view.y(fine.low), view.y(fine.high)
    if line is fine and not np.any(high - low > (view.top - view.bottom) / view.height):
        band = np.empty(0), np.empty(0)
    else:
        band = np.repeat(view.x(fine.middle), 2), np.column_stack([low, high]).ravel()
    x, y = _with_ends(series, line, view, x, y)
    return Drawn(*_linked(x, y, DOT * (view.right - view.left) / view.width), *band)


def _with_ends(series: Series, line: Stretches, view: View, x: Array, y: Array) -> tuple[Array, Array]:
    """Let a line through means begin and end at the first and the last value: there one looks for them."""
    begin = _exact(series, view, line.first[:1], line.last[:1])
    end = _exact(series, view, line.last[-1:], line.first[-1:])
    return np.concatenate([begin[0], x, end[0]]), np.concatenate([begin[1], y, end[1]])


def _exact(series: Series, view: View, at: Array, other: Array) -> tuple[Array, Array]:
    """Return where the value at one end of a stretch stands, nothing where it is the whole stretch."""
    known = series.at(int(at[0])) if len(at) and at[0] != other[0] else None
    if known is None or not np.isfinite(y := view.y(np.array([known[1]]))).all():
        return np.empty(0), np.empty(0)
    return view.x(at), y


def _linked(x: Array, y: Array, width: float) -> tuple[Array, Array]:
    """Make a value between two gaps a short line, as a line through one point is none."""
    finite = np.concatenate([[False], np.isfinite(y), [False]])
    alone = finite[1:-1] & ~finite[:-2] & ~finite[2:]
    if not alone.any():
        return x, y
    times = np.where(alone, 2, 1)
    x, y, alone = np.repeat(x, times), np.repeat(y, times), np.repeat(alone, times)
    second = np.concatenate([[False], alone[1:] & alone[:-1] & (x[1:] == x[:-1])])
    return x + width * (second.astype(float) - (alone & ~second)), y
