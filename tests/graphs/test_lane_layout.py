"""Cards in columns: apart from each other, arrows to the right and past every card."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphs.lane_layout import DOWN, apart, lane_layout

SIZES = st.tuples(st.integers(40, 180), st.integers(30, 120))


@st.composite
def lanes(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    """Return cards, each of which reads some of those before it."""
    names = [f"c{i}" for i in range(draw(st.integers(1, 9)))]
    links = [(a, b) for i, b in enumerate(names) for a in names[:i] if draw(st.booleans())]
    return {name: draw(SIZES) for name in names}, links


@given(lanes())
def test_cards_are_apart_and_arrows_lead_to_the_right(lane):
    sizes, links = lane
    layout = lane_layout(sizes, links)
    for name, (x, y) in layout.places.items():
        width, height = sizes[name]
        assert x - width / 2 >= -0.01
        assert x + width / 2 <= layout.width + 0.01
        assert y - height / 2 >= -0.01
        assert y + height / 2 <= layout.height + 0.01
        for other, (u, v) in layout.places.items():
            across, down = (width + sizes[other][0]) / 2, (height + sizes[other][1]) / 2
            assert other == name or abs(x - u) >= across or abs(y - v) >= down + DOWN - 0.01
    for source, target in links:
        assert layout.columns[source] < layout.columns[target]


@given(lanes())
def test_arrows_pass_between_cards(lane):
    sizes, links = lane
    layout = lane_layout(sizes, links)
    for link in links:
        route = layout.routes[link]
        assert all(a[0] <= b[0] for a, b in pairwise(route))
        for (x0, y0), (x1, y1) in zip(route[1:-1:2], route[2:-1:2], strict=True):  # through one column
            assert y0 == y1
            for name, (x, y) in layout.places.items():
                width, height = sizes[name]
                beside = x + width / 2 <= x0 or x - width / 2 >= x1
                assert beside or abs(y - y0) >= height / 2, (link, name)


def test_two_averages_run_side_by_side():
    """As Adam's: no arrow crosses another, and what is kept stands beside its quantity."""
    sizes = {
        name: (100.0, 80.0) for name in ("kept v", "gradient", "kept s", "v", "s", "v hat", "s hat", "step")
    }
    links = [("kept v", "v"), ("gradient", "v"), ("kept s", "s"), ("gradient", "s")]
    links += [("v", "v hat"), ("s", "s hat"), ("v hat", "step"), ("s hat", "step")]
    layout = lane_layout(sizes, links)
    places = layout.places
    assert places["kept v"][1] < places["gradient"][1] < places["kept s"][1]
    assert places["v"][1] == places["v hat"][1] < places["s"][1] == places["s hat"][1]
    assert places["step"][1] == (places["v"][1] + places["s"][1]) / 2


def test_what_is_kept_stands_by_its_reader():
    layout = lane_layout({n: (50.0, 50.0) for n in "abdc"}, [("a", "b"), ("b", "c"), ("d", "c")])
    assert layout.columns == {"a": 0, "b": 1, "c": 2, "d": 1}


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(1, 100)), min_size=1, max_size=8))
def test_apart_keeps_the_order_and_moves_as_little_as_it_can(items):
    wanted, heights = [w for w, _ in items], [h for _, h in items]
    found = np.array(apart(wanted, heights))
    room = (np.array(heights[:-1]) + heights[1:]) / 2 + DOWN
    assert (np.diff(found) >= room - 1e-6).all()
    moved = found - wanted
    # the least squares solution: moving any run of neighbours that may move costs more
    for i in range(len(found)):
        for j in range(i, len(found)):
            up = i == 0 or found[i] - found[i - 1] > room[i - 1] + 1e-6
            down = j == len(found) - 1 or found[j + 1] - found[j] > room[j] + 1e-6
            slope = moved[i : j + 1].sum()
            assert not (up and slope > 1e-5)
            assert not (down and slope < -1e-5)


def test_an_empty_lane_is_harmless():
    layout = lane_layout({}, [])
    assert (layout.width, layout.height) == (0.0, 0.0)


def test_cards_are_ordered_so_that_no_arrow_crosses_where_none_need():
    sizes = {name: (50.0, 50.0) for name in "abcd"}
    places = lane_layout(sizes, [("b", "c"), ("a", "d")]).places
    assert (places["a"][1] < places["b"][1]) == (places["d"][1] < places["c"][1])
