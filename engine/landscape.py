r"""The loss landscape: the loss over a plane through the space of all parameters.

All parameters of a network are one point in a space of as many dimensions as they have numbers. A
:class:`Slice` is a plane in it: a centre and two directions. It is spanned by two entries of parameters, by
the two directions in which a run moved most, or by two random directions.

The principal directions are those of Li, Xu, Taylor, Studer and Goldstein, "Visualizing the Loss Landscape of
Neural Nets", NeurIPS 2018, section 7.2: the singular vectors of the differences between the points of a
trajectory and the centre. The random directions follow the same paper's section 4: every parameter's part of
a direction is as long as the parameter itself, so that a picture does not depend on how a network spreads its
scale over its layers.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite, prod
from time import perf_counter
from typing import Literal

import numpy as np

from engine.batched import Batch, Rows, losses
from engine.errors import UsageError, excerpt
from engine.graph import Graph
from engine.names import entry_text, plain_name
from engine.training import Point, Run

__all__ = [
    "FINEST",
    "GRID",
    "Extent",
    "Kind",
    "Slice",
    "Space",
    "Surface",
    "along_entries",
    "along_principal",
    "along_random",
    "default_extent",
    "evaluate",
    "last_finite",
    "quadratic_minimum",
    "run_points",
]

Array = np.ndarray
Kind = Literal["entries", "principal", "random"]
Parameters = Mapping[str, Array]

GRID = 209
"""Points along an axis: thirteen steps of sixteen, which halve four times."""
FINEST = 1000
"""Points along an axis that may be asked for."""
COARSEST = 12
"""The first picture has at least so many steps along an axis, where the grid can be halved that far."""
PATIENCE = 0.1
"""Seconds between two looks at whether somebody still wants the result."""
NUMBERS = 4 << 20
"""Numbers in the parameters that are evaluated at once: 32 megabytes."""
MOST_POINTS = 256
"""Points of a trajectory that its principal directions are worked out from."""
MARGIN = 0.18
"""Room around what is to be seen, as a share of its width."""
NARROWEST = 0.7
"""The least width of a landscape as a share of its height, and the other way round."""
FAR = 40.0
"""What lies so many times farther away than the rest is not framed: the end of a run that diverged."""


# --- all parameters as one vector --------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """The space of all parameters: where each parameter's entries stand in a vector.

    Examples
    --------
    >>> space = Space(("W1", "b"), ((2, 3), ()))
    >>> space.size, space.index("W1[1, 0]"), space.name(3), space.name(6)
    (7, 3, 'W1[1, 0]', 'b')
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, graph: Graph) -> Space:
        """Return the space of a graph's parameters."""
        shapes = tuple(tuple(d.size for d in graph[name].dims) for name in graph.parameters)
        return cls(graph.parameters, shapes)

    @property
    def size(self) -> int:
        """How many numbers all parameters have."""
        return sum(map(prod, self.shapes))

    def spans(self) -> Iterator[tuple[str, tuple[int, ...], slice]]:
        """Yield name, shape and place in the vector of each parameter."""
        start = 0
        for name, shape in zip(self.names, self.shapes, strict=True):
            yield name, shape, slice(start, start + prod(shape))
            start += prod(shape)

    def vector(self, parameters: Parameters) -> Array:
        """Return all parameters as one vector, shape (size,)."""
        parts = [np.ravel(parameters[name]) for name in self.names]
        return np.concatenate(parts).astype(float) if parts else np.empty(0)

    def trajectory(self, run: Run) -> tuple[Array, Array]:
        """Return where a run was, as far as it is kept, and where it stands.

        Returns
        -------
        iterations : int array, shape (n,)
        vectors : float array, shape (n, size)
        """
        samples = run.history.samples
        vectors = samples.vectors[:, : self.size]  # what the optimizer keeps stands behind
        names = tuple(name for name, _ in samples.form.parameters)
        if names != self.names:
            starts = dict(
                zip(names, np.cumsum([0, *(prod(s) for _, s in samples.form.parameters)]), strict=False)
            )
            order = [starts[n] + np.arange(prod(s)) for n, s in zip(self.names, self.shapes, strict=True)]
            vectors = vectors[:, np.concatenate(order)]
        if samples.iterations[-1] == run.iteration:
            return samples.iterations, vectors
        here = self.vector(run.point.parameters)
        return np.append(samples.iterations, run.iteration), np.vstack([vectors, here])

    def parameters(self, vector: Array) -> dict[str, Array]:
        """Return the parameters that a vector stands for."""
        return {name: np.array(vector[span]).reshape(shape) for name, shape, span in self.spans()}

    def name(self, index: int) -> str:
        """Return what an entry of the vector is called: ``b``, or ``W1[0, 2]``."""
        for name, shape, span in self.spans():
            if index < span.stop:
                if prod(shape) == 1:
                    return name
                place = np.unravel_index(index - span.start, shape)
                return f"{name}{entry_text(place)}"
        raise IndexError(index)

    def title(self, index: int) -> str:
        """Return the same as it is read: ``W₁[0, 2]``."""
        name, bracket, rest = self.name(index).partition("[")
        return plain_name(name) + bracket + rest

    def titles(self, most: int) -> list[str]:
        """Return the titles of the first entries."""
        return [self.title(index) for index in range(min(most, self.size))]

    def index(self, text: str) -> int:
        """Return the place of an entry: ``b``, ``W1[0, 2]`` or, for a single row or column, ``w[2]``.

        Raises
        ------
        UsageError
            For a name that no parameter has, and an entry that it has not.
        """
        match = re.fullmatch(r"\s*([^\W\d]\w*)\s*(?:\[\s*([-\d\s,]*?)\s*\])?\s*", text)
        found = {name: (shape, span) for name, shape, span in self.spans()}
        if match is None or match[1] not in found:
            known = excerpt(", ".join(self.names), 160) or "none"
            raise UsageError(f"there is no parameter {excerpt(text, 40)}.", how=f"There are: {known}.")
        shape, span = found[match[1]]
        place = self._place(match[1], shape, match[2])
        return span.start + int(np.ravel_multi_index(place, shape) if shape else 0)

    def _place(self, name: str, shape: tuple[int, ...], text: str | None) -> tuple[int, ...]:
        shown = excerpt(name, 40)
        if text is None:
            if prod(shape) > 1:
                last = ", ".join(str(n - 1) for n in shape)
                raise UsageError(
                    f"{shown} has {prod(shape)} entries.",
                    how=f"Choose one, from {shown}[{', '.join('0' * len(shape))}] to {shown}[{last}].",
                )
            return (0,) * len(shape)
        numbers = [int(part) for part in re.findall(r"-?\d+", text)]
        if len(numbers) == 1 and len(shape) == 2 and 1 in shape:
            numbers.insert(0 if shape[0] == 1 else 1, 0)  # the only row, the only column
        if len(numbers) != len(shape) or any(not 0 <= i < n for i, n in zip(numbers, shape, strict=True)):
            size = " × ".join(map(str, shape)) or "a single number"
            how = f"It is {size}; rows and columns are counted from 0." if shape else f"Write {shown}."
            raise UsageError(f"{shown} has no entry [{excerpt(text, 30)}].", how=how)
        return tuple(numbers)


# --- slices ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Slice:
    """A plane through the space of all parameters.

    A place on it has two coordinates. Along an entry the coordinate is the entry's own value; along any other
    direction it counts from the centre, in lengths of the direction.

    Attributes
    ----------
    centre
        Shape (size,): where the parameters stand that the plane does not vary.
    directions
        Two vectors of shape (size,) at a right angle.
    labels
        What each of the two is called.
    entries
        For a slice along two entries, their places in the vector.
    shares
        For principal directions, the share of the trajectory's variance that each explains.
    """

    space: Space
    kind: Kind
    centre: Array
    directions: tuple[Array, Array]
    labels: tuple[str, str]
    entries: tuple[int, int] | None = None
    shares: tuple[float, float] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the plane is all there is: the network has two parameters."""
        return self.space.size == 2

    @property
    def still(self) -> int:
        """How many numbers stay as they are at the centre, for a slice along entries."""
        return self.space.size - 2

    @property
    def weight(self) -> int:
        """How many numbers every further point of a grid takes: those of parameters that both axes move."""
        found = 0
        for _, shape, span in self.space.spans():
            across, up = (direction[span] for direction in self.directions)
            if across.any() and up.any():
                found += len(self._moved_rows(shape, across, up)) * (
                    shape[1] if len(shape) == 2 else prod(shape)
                )
        return max(1, found)

    def moved_to(self, parameters: Parameters) -> Slice:
        """Return the slice along the same directions through another centre."""
        return replace(self, centre=self.space.vector(parameters))

    # --- from coordinates to parameters ---

    def vector(self, x: float, y: float) -> Array:
        """Return the parameters at a place, as one vector."""
        if self.entries is not None:
            result = self.centre.copy()
            result[list(self.entries)] = x, y
            return result
        return self.centre + x * self.directions[0] + y * self.directions[1]

    def parameters(self, x: float, y: float) -> dict[str, Array]:
        """Return the parameters at a place."""
        return self.space.parameters(self.vector(x, y))

    def grid(self, xs: Array, ys: Array) -> dict[str, Array | Rows]:
        """Return the parameters on a grid, with leading axes as :mod:`engine.batched` takes them.

        A parameter has the length of `xs` on the first leading axis if x moves it, otherwise 1; likewise for
        y on the second; none of the two where neither does. Of a matrix that an entry moves there are only
        the rows that move.
        """
        found: dict[str, Array | Rows] = {}
        for name, shape, span in self.space.spans():
            across, up = (direction[span] for direction in self.directions)
            rows = self._moved_rows(shape, across, up)
            if not rows:
                found[name] = self.centre[span].reshape(shape)
                continue
            is_part = len(shape) == 2 and len(rows) < shape[0]
            own = (len(rows), shape[1]) if is_part else shape
            parts = [self._without_entries[span], across, up]
            if is_part:
                parts = [part.reshape(shape)[list(rows)].ravel() for part in parts]
            values = self._moved(*parts, xs, ys)
            values = values.reshape(*values.shape[:2], *own)
            found[name] = Rows(rows, values, self.centre[span].reshape(shape)) if is_part else values
        return found

    @staticmethod
    def _moved(centre: Array, across: Array, up: Array, xs: Array, ys: Array) -> Array:
        values = centre[None, None]
        if across.any():
            values = values + xs[:, None, None] * across
        return values + ys[None, :, None] * up if up.any() else values

    @staticmethod
    def _moved_rows(shape: tuple[int, ...], across: Array, up: Array) -> tuple[int, ...]:
        """Return the rows of a parameter that the slice moves; what has no rows counts as one."""
        moves = ((across != 0) | (up != 0)).reshape(shape[0] if len(shape) == 2 else 1, -1)
        return tuple(np.flatnonzero(moves.any(axis=1)).tolist())

    @property
    def _without_entries(self) -> Array:
        """The centre, with nothing where an entry varies: its coordinate is its value."""
        if self.entries is None:
            return self.centre
        result = self.centre.copy()
        result[list(self.entries)] = 0.0
        return result

    # --- from parameters to coordinates ---

    def coordinates(self, parameters: Parameters) -> tuple[float, float]:
        """Return the place on the slice that is nearest to a point."""
        x, y = self.project(self.space.vector(parameters)).tolist()
        return x, y

    def project(self, vectors: Array) -> Array:
        """Return the places on the slice that are nearest to points.

        Parameters
        ----------
        vectors
            Shape (..., size).

        Returns
        -------
        float array, shape (..., 2)
        """
        if self.entries is not None:
            return vectors[..., list(self.entries)]
        directions = np.stack(self.directions, axis=1)
        with np.errstate(all="ignore"):
            return (vectors - self.centre) @ directions / np.sum(directions**2, axis=0)

    def distance(self, parameters: Parameters) -> float:
        """Return how far off the slice a point lies, as a Euclidean distance in the space of parameters."""
        vector = self.space.vector(parameters)
        with np.errstate(all="ignore"):
            return float(np.linalg.norm(vector - self.vector(*self.project(vector))))

    def downhill(self, gradients: Parameters) -> tuple[float, float]:
        """Return the projected negative gradient, in coordinates: where gradient descent goes."""
        slope = self.space.vector(gradients)
        if self.entries is not None:
            return -float(slope[self.entries[0]]), -float(slope[self.entries[1]])
        with np.errstate(all="ignore"):
            x, y = (-(slope @ d) / (d @ d) for d in self.directions)
        return float(x), float(y)


def along_entries(graph: Graph, centre: Parameters, x: str, y: str) -> Slice:
    """Return the slice in which two entries vary, each along its own axis.

    Raises
    ------
    UsageError
        For an entry that does not exist, and where both are the same.
    """
    space = Space.of(graph)
    _require_two(space)
    entries = (space.index(x), space.index(y))
    if entries[0] == entries[1]:
        raise UsageError(
            f"both axes are {excerpt(space.title(entries[0]), 40)}.", how="Choose two different entries."
        )
    unit = np.zeros((2, space.size))
    unit[[0, 1], list(entries)] = 1.0
    labels = (space.title(entries[0]), space.title(entries[1]))
    return Slice(space, "entries", space.vector(centre), (unit[0], unit[1]), labels, entries)


def along_principal(graph: Graph, centre: Parameters, trajectory: Array) -> Slice:
    """Return the slice through `centre` along the two directions in which a trajectory moved most.

    Directions have the length 1, so coordinates are distances in the space of parameters.

    Parameters
    ----------
    trajectory
        Its points as vectors, shape (n, size).

    Raises
    ------
    UsageError
        Where the trajectory has not moved.
    """
    space = Space.of(graph)
    _require_two(space)
    every = max(1, ceil(len(trajectory) / MOST_POINTS))
    middle = space.vector(centre)
    moved = np.vstack([trajectory[::every], trajectory[-1:]]) - middle
    moved = moved[np.isfinite(moved).all(axis=1)]
    scale = np.max(np.abs(moved), initial=0.0)
    if not scale > 0:
        raise UsageError(
            "the run has not moved yet, so it has no principal directions.",
            how="Train first, or choose two parameters.",
        )
    _, lengths, found = np.linalg.svd(moved / scale, full_matrices=False)
    first = _turned(found[0])
    is_plane = len(lengths) > 1 and lengths[1] > 1e-9 * lengths[0]
    second = _turned(found[1]) if is_plane else _beside(first)
    shares = lengths**2 / np.sum(lengths**2)
    explained = (float(shares[0]), float(shares[1]) if len(shares) > 1 else 0.0)
    labels = tuple(
        f"{order} principal direction ({100 * share:.1f} %)"
        for order, share in zip(("first", "second"), explained, strict=True)
    )
    return Slice(space, "principal", middle, (first, second), (labels[0], labels[1]), shares=explained)


def along_random(graph: Graph, centre: Parameters, seed: int = 0) -> Slice:
    """Return the slice through `centre` along two random directions.

    Every parameter's part of a direction is normal, and as long as the parameter is at the centre; a
    parameter that is zero there stays zero. Where all are zero, the parts are as long as 1. The second
    direction is made to stand at a right angle to the first, and as long.
    """
    space = Space.of(graph)
    _require_two(space)
    rng = np.random.default_rng(seed)
    middle = space.vector(centre)
    drawn = rng.normal(size=(2, space.size))
    for _, _, span in space.spans():
        wanted = np.linalg.norm(middle[span]) if middle.any() else 1.0
        drawn[:, span] *= wanted / np.linalg.norm(drawn[:, span], axis=1, keepdims=True)
    first, second = drawn
    second = second - (second @ first) / (first @ first) * first
    length = np.linalg.norm(second)
    if length <= 1e-9 * np.linalg.norm(first):  # all but one number are zero
        second, length = _beside(first / np.linalg.norm(first)), 1.0
    second = second * (np.linalg.norm(first) / length)
    return Slice(
        space, "random", middle, (first, second), ("first random direction", "second random direction")
    )


def _require_two(space: Space) -> None:
    if space.size < 2:
        what = "one parameter" if space.size else "no parameters"
        raise UsageError(f"a landscape needs two numbers to vary, but this network has {what}.")


def _turned(direction: Array) -> Array:
    """Return a direction with its largest component positive: its sign means nothing."""
    return direction if direction[np.argmax(np.abs(direction))] > 0 else -direction


def _beside(direction: Array) -> Array:
    """Return a direction of length 1 at a right angle to another of length 1."""
    result = np.zeros_like(direction)
    result[np.argmin(np.abs(direction))] = 1.0
    result = result - (result @ direction) * direction
    return _turned(result / np.linalg.norm(result))


# --- where to look -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extent:
    """The part of a slice that is shown: from left to right, from bottom to top."""

    left: float
    right: float
    bottom: float
    top: float

    def checked(self) -> Extent:
        """Return the extent.

        Raises
        ------
        UsageError
            Where it is empty or not finite.
        """
        for low, high, axis in ((self.left, self.right, "x"), (self.bottom, self.top, "y")):
            if not (isfinite(low) and isfinite(high) and isfinite(high - low)):
                raise UsageError(f"the range along {axis} is not finite.")
            if not high - low > 1e-12 * max(abs(low), abs(high)):
                raise UsageError(
                    f"the range along {axis}, {low:g} to {high:g}, is empty.",
                    how="The second number is to be larger.",
                )
        return self

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def lines(self, grid: int) -> tuple[Array, Array]:
        """Return the coordinates of a grid of `grid` by `grid` points, the edges among them."""
        return np.linspace(self.left, self.right, grid), np.linspace(self.bottom, self.top, grid)


def default_extent(
    slice_: Slice, graph: Graph | None, inputs: Parameters, points: Array | None = None
) -> Extent:
    """Return an extent that shows the given points, and the minimum where the loss is a quadratic.

    The first of the points counts as the start: what lies very much farther away from it than the rest is
    left out.

    Parameters
    ----------
    graph
        Where None, no minimum is looked for.
    points
        As vectors, shape (n, size); the slice's centre where None.
    """
    table = slice_.project(slice_.centre[None] if points is None or not len(points) else points)
    start = table[0]
    if slice_.kind == "entries":
        scale = np.maximum(1.0, np.abs(start))
    else:
        scale = np.full(2, 0.5 if slice_.kind == "random" else 0.0)
    minimum = quadratic_minimum(slice_, graph, inputs) if graph is not None else None
    if minimum is not None and np.all(np.abs(np.array(minimum) - start) <= FAR * np.maximum(scale, 1.0)):
        table = np.vstack([table, minimum])
        scale = np.maximum(scale, np.abs(np.array(minimum) - start))
    table = table[np.isfinite(table).all(axis=1)]
    reach = FAR * np.maximum(scale, 1e-3) if slice_.kind != "principal" else _reach(table, start)
    near = table[(np.abs(table - start) <= reach).all(axis=1)]
    low, high = (near.min(axis=0), near.max(axis=0)) if len(near) else (start, start)
    return _framed(low, high, scale)


def run_points(space: Space, runs: Sequence[Run]) -> Array:
    """Return the points that a picture of some runs is to show, the first run's start first, as vectors.

    A run that climbed counts as far as its loss stayed below twice the first one.
    """
    found = [np.empty((0, space.size))]
    for run in runs:
        iterations, vectors = space.trajectory(run)
        kept = run.losses[iterations] <= 2.0 * abs(run.losses[0])
        kept[0] = True
        found.append(vectors[kept])
    return np.vstack(found)


def last_finite(run: Run, point: Point) -> Point:
    """Return `point`, or the last sample before it with finite parameters: a slice needs a centre."""
    if all(np.all(np.isfinite(array)) for array in point.parameters.values()):
        return point
    samples = run.history.samples
    iterations, vectors = Space.of(run.problem.graph).trajectory(run)
    usable = np.isfinite(vectors).all(axis=1) & (iterations <= point.iteration)
    last = int(iterations[np.flatnonzero(usable)[-1]]) if usable.any() else 0
    return samples[int(np.searchsorted(samples.iterations, last))].point


def _reach(table: Array, start: Array) -> Array:
    """Return how far from the start points still count, for coordinates without a scale of their own."""
    away = np.abs(table - start).max(axis=1)
    typical = float(np.median(away[away > 0])) if (away > 0).any() else 1.0
    return np.full(2, FAR * typical)


def _framed(low: Array, high: Array, scale: Array) -> Extent:
    """Return the extent around a box, with some room, and not very much wider or higher than long."""
    middle, half = (low + high) / 2, (high - low) / 2
    half = np.where(half > 0, half * (1 + 2 * MARGIN), 0.0)
    if not half.any():
        half = np.where(scale > 0, scale, 1.0) * 2.0
    half = np.maximum(half, NARROWEST * half.max())
    (left, bottom), (right, top) = (middle - half).tolist(), (middle + half).tolist()
    return Extent(left, right, bottom, top)


def quadratic_minimum(slice_: Slice, graph: Graph, inputs: Parameters) -> tuple[float, float] | None:
    """Return the lowest place of a slice on which the loss is a quadratic with one lowest place.

    The loss of a five by five grid is compared with the quadratic through it: the normal equations of least
    squares. None where the loss is anything else.
    """
    x0, y0 = slice_.project(slice_.centre)
    with np.errstate(all="ignore"):
        size = 1.0 if slice_.kind == "random" else max(1.0, abs(x0), abs(y0))
        steps = np.linspace(-1, 1, 5)
        values = losses(graph, inputs, slice_.grid(x0 + size * steps, y0 + size * steps))
        if not np.isfinite(values).all():
            return None
        u, v = (a.ravel() for a in np.meshgrid(steps, steps, indexing="ij"))
        terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
        found, *_ = np.linalg.lstsq(terms, values.ravel(), rcond=None)
        rest = np.max(np.abs(terms @ found - values.ravel()))
    hessian = np.array([[2 * found[3], found[4]], [found[4], 2 * found[5]]])
    curved = np.linalg.eigvalsh(hessian)
    if rest > 1e-9 * np.max(np.abs(values)) or not curved[0] > 1e-9 * abs(curved[1]):
        return None
    at = np.linalg.solve(hessian, -found[1:3])
    return x0 + size * float(at[0]), y0 + size * float(at[1])


# --- the surface -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss on a grid of a slice.

    Attributes
    ----------
    xs, ys
        The coordinates of the grid's lines, evenly spaced.
    losses
        Shape (len(xs), len(ys)): the first axis is x.
    is_complete
        Whether every loss was worked out; otherwise some stand for their coarser neighbours.
    share
        Which part of the finest grid is known, from 0 to 1.
    """

    slice: Slice
    extent: Extent
    xs: Array
    ys: Array
    losses: Array
    is_complete: bool = True
    share: float = 1.0

    def lowest(self) -> tuple[float, float, float] | None:
        """Return the place of the lowest loss on the grid and that loss, None where none is finite."""
        if not np.isfinite(self.losses).any():
            return None
        i, j = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return float(self.xs[i]), float(self.ys[j]), float(self.losses[i, j])


def evaluate(
    slice_: Slice, graph: Graph, inputs: Parameters, extent: Extent, grid: int = GRID
) -> Generator[Surface, None, None]:
    """Yield the loss over a part of a slice, from a coarse picture to the finest, which comes last.

    Every level has twice as many steps as the one before and works out only the points between: a point is
    never worked out twice. While a level takes long it is yielded now and then as far as it is known; whoever
    stops asking stops the work.
    """
    xs, ys = extent.checked().lines(grid)
    losses_, known = np.full((grid, grid), np.nan), np.zeros((grid, grid), bool)
    strides = _strides(grid)
    latest = perf_counter()
    for stride in strides:
        at = np.arange(0, grid, stride)
        level = np.ix_(at, at)
        for rows, columns in _new_points(at, is_first=stride == strides[0]):
            for part, found in _parts(slice_, graph, inputs, xs[rows], ys[columns]):
                place = np.ix_(rows[part[0]], columns[part[1]])
                losses_[place], known[place] = found, True
                if perf_counter() - latest > PATIENCE:
                    latest = perf_counter()
                    filled = _filled(losses_[level], known[level])
                    yield Surface(slice_, extent, xs[at], ys[at], filled, False, float(known.mean()))
        yield Surface(slice_, extent, xs[at], ys[at], losses_[level], share=float(known.mean()))
        latest = perf_counter()


def _strides(grid: int) -> list[int]:
    """Return the steps between the points of each level: halves of one another, the last one 1."""
    strides = [1]
    while (grid - 1) % (2 * strides[0]) == 0 and (grid - 1) // (2 * strides[0]) >= COARSEST:
        strides.insert(0, 2 * strides[0])
    return strides


def _new_points(at: Array, is_first: bool) -> Iterator[tuple[Array, Array]]:
    """Yield the blocks of a level that the level before has not: whole new rows, new columns of old rows."""
    if is_first:
        yield at, at
        return
    yield at[1::2], at
    yield at[::2], at[1::2]


def _parts(
    slice_: Slice, graph: Graph, inputs: Parameters, xs: Array, ys: Array
) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """Yield the losses of a grid, in pieces whose parameters fit the memory."""
    size = slice_.weight
    columns = max(1, min(len(ys), NUMBERS // size))
    rows = max(1, min(len(xs), NUMBERS // (size * columns)))
    for top in range(0, len(xs), rows):
        for left in range(0, len(ys), columns):
            part = slice_.grid(xs[top : top + rows], ys[left : left + columns])
            batch = Batch(graph, inputs, part)
            for block in batch.blocks():
                x = slice(top + block.rows.start, top + block.rows.stop)
                y = slice(left + block.columns.start, left + block.columns.stop)
                yield (x, y), block.losses


def _filled(level: Array, known: Array) -> Array:
    """Return a level with a neighbour of the level before for every point that is not known."""
    before = np.ix_(*(np.arange(n) // 2 * 2 for n in level.shape))
    return np.where(known, level, level[before])
