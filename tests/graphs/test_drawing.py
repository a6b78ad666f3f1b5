"""The graph as a drawing: nothing overlaps, no arrow runs into a card, notes find room."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from engine.graph import Detail
from engine.trace import Phase
from graphs.drawing import Drawing, array_sizes
from graphs.room import Rect
from graphs.snapshot import Snapshot
from graphs.views.frame import Frame, Statics
from graphs.views.scene import scene_view
from graphs.wires import Arrow
from tests.graphs.snapshots import BUILT_IN, ODD, built_in_snapshot, odd_snapshot


def drawn(snapshot: Snapshot) -> Drawing:
    """Return the drawing of a snapshot's graph."""
    frame = Frame.of(snapshot)
    return Drawing(frame.statics, scene_view(frame))


def overlap(a: Rect, b: Rect) -> bool:
    """Say whether two rectangles share more than a border."""
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.5 and min(a[3], b[3]) - max(a[1], b[1]) > 0.5


def _crosses(arrow: Arrow, card: Rect) -> bool:
    inner = (card[0] + 2, card[1] + 2, card[2] - 2, card[3] - 2)
    points = [np.linspace(a, b, 60) for a, b in pairwise(np.array(arrow.corners))]
    x, y = np.vstack(points).T
    return bool(np.any((x > inner[0]) & (x < inner[2]) & (y > inner[1]) & (y < inner[3])))


def _assert_clear(drawing: Drawing) -> None:
    rects = {name: drawing.rect(name) for name in drawing.places}
    for (a, one), (b, other) in combinations(rects.items(), 2):
        assert not overlap(one, other), (a, b)
    for key, both in drawing.arrows.items():
        for arrow in both:
            hit = [name for name, rect in rects.items() if arrow is not None and _crosses(arrow, rect)]
            assert hit == [], (key, hit)


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_cards_are_apart_and_arrows_run_between_them(name: str, detail: Detail) -> None:
    _assert_clear(drawn(built_in_snapshot(name, detail)))


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("key", [key for key in ODD if key not in ("many", "wide")])
def test_cards_of_odd_networks_are_apart(key: str, detail: Detail) -> None:
    _assert_clear(drawn(odd_snapshot(key, detail)))


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_what_stands_in_a_card_lies_inside_it(name: str, detail: Detail) -> None:
    drawing = drawn(built_in_snapshot(name, detail))
    for card in drawing.cards.values():
        wide, high = card.size
        array_wide, array_high = card.array.size if card.array.rows else (card.inner, card.array.cell[1])
        assert card.left >= -wide / 2
        assert card.left + card.inner <= wide / 2
        for corner in (card.value, card.gradient):
            if corner is not None:
                assert card.left <= corner[0] <= corner[0] + array_wide <= card.left + card.inner + 0.01
                assert corner[1] + array_high <= high / 2
        if card.gradient is not None:
            boxes = [(*c, c[0] + array_wide, c[1] + array_high) for c in (card.value, card.gradient)]
            assert not overlap(*boxes)
        if card.formula is not None:
            assert card.title < card.formula - card.tall / 2 < card.formula + card.tall / 2 <= card.value[1]


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_notes_cover_no_card_and_stay_in_the_picture(name: str, detail: Detail) -> None:
    snapshot = built_in_snapshot(name, detail)
    statics = Statics(snapshot.trace.graph, detail)
    drawing = drawn(snapshot)
    left, top, right, bottom = drawing.bounds
    for step in snapshot.trace.steps:
        if step.phase != Phase.BACKWARD:
            continue
        view = scene_view(Frame.of(snapshot.at(step.index + 1), statics))
        notes = drawing.notes(view)
        if notes is None:
            continue
        assert {name for name, *_ in notes.arcs} == set(view.reads)
        for rect in (notes.spot.rect, *(rect for *_, rect in notes.arcs)):
            assert not any(overlap(rect, drawing.rect(card)) for card in drawing.places), step
            assert left <= rect[0] <= rect[2] <= right
            assert top <= rect[1] <= rect[3] <= bottom


def test_no_step_changes_a_size() -> None:
    snapshot = built_in_snapshot("two-layer-nonlinear")
    first, last = drawn(snapshot.at(0)), drawn(snapshot)
    assert first.cards == last.cards
    assert first.places == last.places


@pytest.mark.parametrize(
    ("shape", "rows", "columns", "numbered", "cut"),
    [
        ((), 0, 0, False, (False, False)),
        ((1, 1), 0, 0, False, (False, False)),
        ((3,), 1, 3, True, (False, False)),
        ((4, 4), 4, 4, True, (False, False)),
        ((5, 4), 5, 4, False, (False, False)),
        ((1, 16), 1, 16, False, (False, False)),
        ((9, 300), 8, 16, False, (True, True)),
        ((2, 3, 4), 2, 12, False, (False, False)),
    ],
)
def test_small_arrays_have_numbers_and_large_ones_are_cut(
    shape: tuple[int, ...], rows: int, columns: int, numbered: bool, cut: tuple[bool, bool]
) -> None:
    sizes = array_sizes(shape, 120.0)
    assert (sizes.rows, sizes.columns, sizes.is_numbered, sizes.cut) == (rows, columns, numbered, cut)
