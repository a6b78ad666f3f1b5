"""The two arrows of an edge: values run forward on one, gradients come back on the other, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

__all__ = [
    "APART",
    "HALF_HEAD",
    "HEAD",
    "NARROW",
    "Arrow",
    "Point",
    "arrow_along",
    "arrows",
    "beside",
    "direction",
]

Point = tuple[float, float]

APART = 12.0
"""Between the two wires of an edge; the gradient's runs below, or at the right of what runs upwards."""
NARROW = 6.0
"""The same where several edges run between the same two nodes."""
HEAD = 11.0
HALF_HEAD = 4.8
"""Length and half the width of an arrow's head."""
CORNER = 9.0
"""Radius of a bend."""


@dataclass(frozen=True)
class Arrow:
    """One arrow.

    Attributes
    ----------
    corners
        Of the whole arrow, from its start to its tip.
    line
        Corners of the line, which ends inside the head.
    head
        The tip and the two wings.
    """

    corners: tuple[Point, ...]
    line: tuple[Point, ...]
    head: tuple[Point, Point, Point]

    def bends(self) -> Iterator[tuple[Point, Point, Point]]:
        """Yield each corner of the line between the points where its rounding begins and ends."""
        for a, corner, b in zip(self.line, self.line[1:], self.line[2:], strict=False):
            yield _towards(corner, a), corner, _towards(corner, b)


def arrows(route: Sequence[Point], has_backward: bool, apart: float = APART) -> tuple[Arrow, Arrow | None]:
    """Return the arrows of an edge, forward and backward; a lone forward one runs on the route itself."""
    if not has_backward:
        return arrow_along(route), None
    return arrow_along(beside(route, -apart / 2)), arrow_along(beside(route, apart / 2)[::-1])


def arrow_along(points: Sequence[Point]) -> Arrow:
    """Return one arrow along a line of straight pieces."""
    tip, before = points[-1], points[-2]
    dx, dy = direction(before, tip)
    base = (tip[0] - dx * HEAD, tip[1] - dy * HEAD)
    left, right = ((base[0] - side * dy * HALF_HEAD, base[1] + side * dx * HALF_HEAD) for side in (1, -1))
    return Arrow(tuple(points), (*points[:-1], (base[0] + dx, base[1] + dy)), (tip, left, right))


def beside(route: Sequence[Point], distance: float) -> tuple[Point, ...]:
    """Return the line that runs at the right of a route; its ends stay on the borders they were on."""
    if distance == 0:
        return tuple(route)
    ways = [direction(a, b) for a, b in pairwise(route)]
    middle = [
        _mitred(point, a, b, distance) for point, a, b in zip(route[1:-1], ways[:-1], ways[1:], strict=True)
    ]
    return (_on_border(route[0], ways[0], distance), *middle, _on_border(route[-1], ways[-1], distance))


def direction(a: Point, b: Point) -> Point:
    """Return the direction from one point to another, of length 1; (0, 0) where they are the same."""
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _mitred(point: Point, a: Point, b: Point, distance: float) -> Point:
    """Return the corner of the line beside, between the directions `a` and `b`."""
    nx, ny = -a[1] - b[1], a[0] + b[0]
    scale = distance / max(0.2, 1 + a[0] * b[0] + a[1] * b[1])
    return point[0] + scale * nx, point[1] + scale * ny


def _on_border(point: Point, way: Point, distance: float) -> Point:
    """Move an end along the border it touches: a level one where the line runs up or down."""
    dx, dy = way
    if abs(dy) > abs(dx) * 0.25:
        return point[0] - distance / dy, point[1]
    return point[0], point[1] + distance / dx


def _towards(corner: Point, end: Point) -> Point:
    dx, dy = direction(corner, end)
    reach = min(CORNER, hypot(end[0] - corner[0], end[1] - corner[1]) / 2)
    return corner[0] + dx * reach, corner[1] + dy * reach
