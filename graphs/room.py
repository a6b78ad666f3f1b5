"""Where notes find room in a picture: the factor beside its wire, the arrow of reading around the cards.

Both are chosen among candidates: the first that covers nothing, else the one that covers least.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import hypot

import numpy as np

__all__ = [
    "Point",
    "Rect",
    "Size",
    "Spot",
    "Surroundings",
    "arc_around",
    "label_beside",
    "pieces",
    "spot_beside",
]

Point = tuple[float, float]
Size = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom; y points down."""
Array = np.ndarray

TRIES = (
    *((1.0, 0.0), (0.9, 0.0), (0.8, 0.0), (1.0, 8.0), (1.0, 20.0), (0.8, 20.0), (1.0, 40.0), (0.8, 40.0)),
    *((1.0, 70.0), (0.8, 70.0), (1.0, 110.0), (0.65, 0.0), (0.65, 40.0)),
)
"""How a note looks for room: at which scale, and how much further away from its wire than it would touch."""
ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
"""Where along a wire, as shares of its length; the middle first."""
CLEAR = 3.5
"""Between a note and a wire, and between a note and a card."""
SAMPLES = 28
SIMPLE_BENDS = ((6.0, 36.0, 60.0, 90.0, 130.0), (0.0, -0.7, 0.7), (6.0, 24.0, 50.0, 90.0, 150.0))
WIDE_BENDS = (
    (20.0, 40.0, 90.0, 160.0, 240.0, 340.0),
    (0.0, -0.35, 0.35, -0.8, 0.8, -1.6, 1.6, 1.2, 2.2, 3.2),
    (24.0, 60.0, 120.0, 200.0, 300.0, 400.0),
)
"""Of arcs: how high they rise, how far aside relative to that, and from how far they come to their end."""
SIDES = np.array(
    [
        *((0, -1), (-0.6, -1), (0.6, -1), (-1, 0), (1, 0), (0, 1), (-0.8, -0.6), (0.8, -0.6), (-0.9, 0.8)),
        *((0.9, 0.8), (0, -2), (0, 2), (-1.3, -2), (1.3, -2), (1.1, 2), (-1.1, 2), (0, -3), (0, 3)),
        *(
            (-2.2, 0),
            (2.2, 0),
            (-2.2, -2),
            (2.2, -2),
            (-2.2, 2),
            (2.2, 2),
            (0, -7),
            (0, 7),
            (0, -10),
            (0, 10),
        ),
        *((0, -4.5), (0, 4.5), (-1.5, -3.5), (1.5, -3.5), (1.5, 3.5), (-1.5, 3.5)),
        *((-1.6, 0), (1.6, 0), (-1.6, 1), (1.6, 1), (-1.6, -1), (1.6, -1)),
    ]
)
"""Where a label may stand around a point, in halves of its size."""


@dataclass(frozen=True)
class Spot:
    """Where a note stands: its middle, by how much it is scaled, and the point on the wire it is about."""

    center: Point
    scale: float
    rect: Rect
    foot: Point


@dataclass(frozen=True)
class Surroundings:
    """What a note must keep off: cards never, wires if it can; and the area it must keep to.

    Each row is left, top, right, bottom.
    """

    cards: Array
    wires: Array
    area: Array

    def with_cards(self, rects: Array | Sequence[Rect]) -> Surroundings:
        """Return the same with more that must be kept off."""
        return Surroundings(np.vstack([self.cards, np.reshape(rects, (-1, 4))]), self.wires, self.area)

    def cost(self, rects: Array) -> Array:
        """Return what each of `rects` covers: cards weigh more than wires."""
        covered = 1000.0 * _overlaps(rects, self.cards, CLEAR) + 3.0 * _overlaps(rects, self.wires, 2.0)
        inside = (rects[:, :2] >= self.area[:2]).all(axis=1) & (rects[:, 2:] <= self.area[2:]).all(axis=1)
        return covered + 500.0 * ~inside


def pieces(
    lines: Sequence[Sequence[Point]], thickness: float = 0.0, step: float = 12.0
) -> tuple[Array, Array]:
    """Return rectangles along lines, by which a note keeps off them; many where one is slanted.

    Returns
    -------
    rects : (n, 4) array
        Left, top, right, bottom.
    owners : (n,) array of int
        The number of the line that each is of.
    """
    ends = [pair for line in lines for pair in pairwise(line)]
    if not ends:
        return np.zeros((0, 4)), np.zeros(0, dtype=int)
    starts, stops = np.asarray(ends, dtype=float).swapaxes(0, 1)
    ways = stops - starts
    counts = np.clip(np.rint(np.abs(ways).min(axis=1) / step), 1, 60).astype(int)
    of = np.repeat(np.arange(len(ends)), counts)
    number = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    before, after = (starts[of] + (n / counts[of])[:, None] * ways[of] for n in (number, number + 1))
    rects = np.hstack([np.minimum(before, after) - thickness / 2, np.maximum(before, after) + thickness / 2])
    return rects, np.repeat(np.arange(len(lines)), [len(line) - 1 for line in lines])[of]


def spot_beside(line: Sequence[Point], size: Size, around: Surroundings) -> Spot:
    """Find room for a note beside a wire.

    Parameters
    ----------
    line : sequence of (x, y)
        The wire, in the direction in which its note stands at its left: a gradient's, that runs back.
    """
    best: tuple[float, Spot] | None = None
    for scale, further in TRIES:
        width, height = size[0] * scale, size[1] * scale
        found = np.array(list(_centers(line, width, height, further)))
        centers, feet = found[:, :2], found[:, 2:]
        half = np.array([width, height]) / 2
        costs = around.cost(np.hstack([centers - half, centers + half]))
        first = int(np.argmin(costs))
        spot = _spot(centers[first], scale, width, height, feet[first])
        if costs[first] == 0:
            return spot
        if best is None or costs[first] < best[0]:
            best = (float(costs[first]), spot)
    assert best is not None
    return best[1]


def _spot(center: Array, scale: float, width: float, height: float, foot: Array) -> Spot:
    x, y = center.tolist()
    rect = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Spot((x, y), scale, rect, (float(foot[0]), float(foot[1])))


def _centers(
    line: Sequence[Point], width: float, height: float, further: float
) -> Iterator[tuple[float, ...]]:
    """Yield middles of a note at a wire's left and right with its foot on it, those near its middle first."""
    for share, side in product(ALONG, (1.0, -1.0)):
        (x, y), (dx, dy) = along(line, share)
        nx, ny = side * dy, -side * dx  # to the left of the direction, y pointing down
        beyond = 18.0 if side < 0 else 0.0  # the forward wire runs there
        away = abs(nx) * width / 2 + abs(ny) * height / 2 + CLEAR + 0.5 + further + beyond
        yield x + nx * away, y + ny * away, x, y


def along(line: Sequence[Point], share: float) -> tuple[Point, Point]:
    """Return the point at a share of a line's length, and the direction there."""
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(line)]
    rest = share * sum(lengths)
    for (a, b), length in zip(pairwise(line), lengths, strict=True):
        if rest <= length and length > 0:
            dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
            return (a[0] + dx * rest, a[1] + dy * rest), (dx, dy)
        rest -= length
    return line[-1], (1.0, 0.0)


def arc_around(start: Point, box: Rect, around: Surroundings) -> Array:
    """Find a curve from a bookmark up and over to a box that touches as little as possible.

    Returns
    -------
    numpy.ndarray
        Shape (4, 2): the points of a cubic Bézier curve.
    """
    for bends in (SIMPLE_BENDS, WIDE_BENDS):
        curves = _curves(start, box, *bends)
        points = _sampled(curves)
        inside = _contained(points, around.cards)[:, 1:-1].sum(axis=1)
        inside += _outside(points, around.area)
        through_box = _contained(points[:, 1:-2], np.array([box])).sum(axis=1)
        lengths = np.hypot(*np.diff(points, axis=1).transpose(2, 0, 1)).sum(axis=1)
        costs = 1e4 * inside + 1e3 * through_box + lengths
        if costs.min() < 1e3:
            break
    return curves[int(np.argmin(costs))]


def _curves(
    start: Point,
    box: Rect,
    lifts: Sequence[float],
    leaves: Sequence[float],
    pulls: Sequence[float],
) -> Array:
    """Return curves that leave the bookmark upwards and come to each side of the box: (curves, 4, 2)."""
    x, y = start
    left, top, right, bottom = box
    across, down = (left + right) / 2, (top + bottom) / 2
    ends = np.array(
        [
            (across, top - 2, 0.0, -1.0),
            (right + 2, down, 1.0, 0.0),
            (left - 2, down, -1.0, 0.0),
            (across, bottom + 2, 0.0, 1.0),
        ]
    )
    end, lift, leave, pull = (
        grid.ravel() for grid in np.meshgrid(range(4), lifts, leaves, pulls, indexing="ij")
    )
    tip, way = ends[end.astype(int), :2], ends[end.astype(int), 2:]
    first = np.stack([x + leave * lift, y - lift], axis=1)
    begin = np.broadcast_to([x, y], first.shape)
    return np.stack([begin, first, tip + way * pull[:, None], tip], axis=1)


def _sampled(curves: Array) -> Array:
    """Return points along each of `curves`, of shape (curves, SAMPLES, 2)."""
    t = np.linspace(0, 1, SAMPLES)
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    return np.einsum("sw,cwx->csx", weights, curves)


def label_beside(curve: Array, size: Size, around: Surroundings, curves: Sequence[Array]) -> Rect:
    """Find room for a label at a curve: near its top, and off cards, wires and all `curves`."""
    points = _sampled(curve[None])[0][2:-2]
    half = np.array(size) / 2
    # Row by row: each point of the curve with each side of it, the highest points first.
    order = points[np.argsort(points[:, 1], kind="stable")]
    centers = (order[None] + SIDES[:, None] * (half + 5)).reshape(-1, 2)
    rects = np.hstack([centers - half, centers + half])
    dots = _sampled(np.stack(list(curves))).reshape(-1, 2)
    reach = np.repeat(np.abs(SIDES).max(axis=1), len(order))
    far = 2 * (reach > 1.5) + 0.1 * np.maximum(0.0, reach - 1.5)
    high = np.tile(np.arange(len(order)), len(SIDES)) / len(order)
    costs = around.cost(rects) + 3 * _overlaps(rects, np.hstack([dots - 2, dots + 2]), 0.0) + far + high
    center = centers[int(np.argmin(costs))]
    return _spot(center, 1.0, *size, center).rect


def _outside(points: Array, area: Array) -> Array:
    """Return how many points of each curve leave the picture."""
    return ((points < area[:2]) | (points > area[2:])).any(axis=-1).sum(axis=1)


def _overlaps(rects: Array, others: Array, margin: float) -> Array:
    """Return for each of `rects` how many `others` it comes closer to than `margin`."""
    if not len(rects):
        return np.zeros(0)
    low, high = rects[:, :2].min(axis=0) - margin, rects[:, 2:].max(axis=0) + margin
    others = others[((others[:, :2] < high) & (others[:, 2:] > low)).all(axis=1)]
    a, b = rects[:, None], others[None]
    apart = (
        (a[..., 0] >= b[..., 2] + margin)
        | (a[..., 2] <= b[..., 0] - margin)
        | (a[..., 1] >= b[..., 3] + margin)
        | (a[..., 3] <= b[..., 1] - margin)
    )
    return (~apart).sum(axis=1).astype(float)


def _contained(points: Array, rects: Array) -> Array:
    """Say for each of `points`, of shape (curves, n, 2), whether it lies in any of `rects`.

    Only what a point may lie in by its x is looked at: a graph has thousands of cards, a column of it few.
    """
    found = np.zeros(points.shape[:2], dtype=bool)
    if not len(rects):
        return found
    left, top, right, bottom = (rects[np.argsort(rects[:, 0])] + (-3, -3, 3, 3)).T
    x, y = points.reshape(-1, 2).T
    first = np.searchsorted(left, x - (right - left).max())
    counts = np.searchsorted(left, x) - first
    of = np.repeat(np.arange(len(x)), counts)
    at = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    inside = (x[of] < right[at]) & (y[of] > top[at]) & (y[of] < bottom[at])
    found.reshape(-1)[of[inside]] = True
    return found
