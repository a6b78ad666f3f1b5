"""The two arrows of an edge: apart all the way, on the borders that the route touches, opposed."""

from __future__ import annotations

from itertools import pairwise
from math import dist, hypot

import pytest

from graphs.wires import APART, HALF_HEAD, HEAD, Point, arrow_along, arrows, direction

ROUTES: list[list[Point]] = [
    [(0, 0), (100, 0)],
    [(0, 0), (0, 80)],
    [(0, 0), (50, 90)],
    [(0, 0), (60, 0), (60, 70), (140, 70)],
    [(0, 0), (60, 0), (100, -70), (140, -70), (200, -20)],
]


def _distance(point: Point, a: Point, b: Point) -> float:
    """Return how far a point is from the straight line through two others."""
    (dx, dy), (x, y) = direction(a, b), (point[0] - a[0], point[1] - a[1])
    return abs(dx * y - dy * x)


@pytest.mark.parametrize("route", ROUTES)
def test_every_piece_of_both_arrows_runs_beside_its_piece_of_the_route(route: list[Point]) -> None:
    forward, backward = arrows(route, has_backward=True)
    assert backward is not None
    for line in (forward.corners, backward.corners[::-1]):
        for (a, b), piece in zip(pairwise(route), pairwise(line), strict=True):
            for point in piece:
                assert _distance(point, a, b) == pytest.approx(APART / 2)


@pytest.mark.parametrize("route", ROUTES)
def test_the_gradient_runs_against_the_value_at_the_right_of_it(route: list[Point]) -> None:
    forward, backward = arrows(route, has_backward=True)
    assert backward is not None
    there, back = (direction(a.corners[-2], a.corners[-1]) for a in (forward, backward))
    if len(route) == 2:
        assert there == pytest.approx((-back[0], -back[1]))
    start, tip = forward.corners[0], backward.corners[-1]
    dx, dy = direction(*forward.corners[:2])
    assert dx * (tip[1] - start[1]) - dy * (tip[0] - start[0]) > 0  # y points downwards


def test_a_lone_arrow_runs_on_the_route_itself() -> None:
    forward, backward = arrows(ROUTES[3], has_backward=False)
    assert backward is None
    assert list(forward.corners) == ROUTES[3]


def test_the_head_ends_at_the_tip_and_the_line_inside_it() -> None:
    found = arrow_along([(0, 0), (30, 40)])
    tip, left, right = found.head
    assert tip == (30, 40)
    assert dist(left, right) == pytest.approx(2 * HALF_HEAD)
    assert dist(tip, left) == pytest.approx(hypot(HEAD, HALF_HEAD))
    assert HEAD - 2 < dist(tip, found.line[-1]) < HEAD


def test_bends_of_short_pieces_do_not_meet() -> None:
    found = arrow_along([(0, 0), (8, 0), (8, 6), (40, 6)])
    first, second = found.bends()
    assert first[2][1] <= second[0][1]
