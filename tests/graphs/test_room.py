"""Room for notes: what a thousand cards at once come to is what each would by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphs.room import _contained, _overlaps, pieces

NUMBER = st.integers(-40, 40).map(float)
POINT = st.tuples(NUMBER, NUMBER)
RECT = st.tuples(NUMBER, NUMBER, st.integers(1, 30), st.integers(1, 30)).map(
    lambda r: (r[0], r[1], r[0] + r[2], r[1] + r[3])
)
RECTS = st.lists(RECT, max_size=12).map(lambda rects: np.reshape(np.array(rects, dtype=float), (-1, 4)))


@given(st.lists(st.lists(POINT, min_size=3, max_size=3), min_size=1, max_size=6), RECTS)
def test_a_point_is_in_a_card_or_not_whatever_other_cards_there_are(
    lines: list[list[tuple[float, float]]], cards: np.ndarray
) -> None:
    found = _contained(np.array(lines), cards)
    for line, row in zip(lines, found, strict=True):
        for (x, y), is_inside in zip(line, row, strict=True):
            within = any(a - 3 < x < c + 3 and b - 3 < y < d + 3 for a, b, c, d in cards)
            assert is_inside == within


@given(RECTS, RECTS, st.sampled_from([0.0, 2.0, 6.0]))
def test_what_a_note_covers_is_counted_one_by_one(
    notes: np.ndarray, others: np.ndarray, margin: float
) -> None:
    for note, count in zip(notes, _overlaps(notes, others, margin), strict=True):
        a, b, c, d = note
        near = [
            a < r + margin and c > p - margin and b < s + margin and d > q - margin for p, q, r, s in others
        ]
        assert count == sum(near)


@given(st.lists(st.lists(POINT, min_size=2, max_size=4), max_size=5))
def test_pieces_lie_along_their_lines_end_to_end(lines: list[list[tuple[float, float]]]) -> None:
    rects, owners = pieces(lines, 2.0)
    assert sorted(set(owners.tolist())) == list(range(len(lines)))
    assert (np.diff(owners) >= 0).all()
    for number, line in enumerate(lines):
        own = rects[owners == number]
        corners = np.array(line)
        np.testing.assert_allclose(own[:, :2].min(axis=0), corners.min(axis=0) - 1)
        np.testing.assert_allclose(own[:, 2:].max(axis=0), corners.max(axis=0) + 1)
        sizes = own[:, 2:] - own[:, :2] - 2
        assert (sizes.min(axis=1) <= 18.0 + 1e-9).all()  # a slanted line is cut: 12 units, rounded


def test_no_lines_have_no_pieces() -> None:
    rects, owners = pieces([])
    assert rects.shape == (0, 4)
    assert owners.shape == (0,)
