"""Numbers and arrays as LaTeX: what is shown is what there is, to its digits."""

from __future__ import annotations

import numpy as np
import pytest

from graphs.figures import ROOM, blank, is_shown_whole, matrix, number, span
from graphs.typesetting import width
from tests.graphs.snapshots import numbers_in


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.5, "0.5"),
        (0.67801, "0.6780"),
        (-0.0, "0"),
        (133.0, "133"),
        (-1.5e-7, r"-1.5 \times 10^{-7}"),
        (np.inf, r"\infty"),
        (np.nan, r"\text{nan}"),
    ],
)
def test_numbers(x: float, text: str) -> None:
    assert number(x) == text


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (8, 4), (1, 6), (3,)])
def test_small_arrays_are_shown_whole(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).normal(size=shape)
    text = matrix(array)
    assert is_shown_whole(array)
    np.testing.assert_allclose(numbers_in(text), np.ravel(array), rtol=5e-4)
    assert text.count(r"\\") == np.atleast_2d(array).shape[0] - 1


@pytest.mark.parametrize("shape", [(40, 2), (1, 133), (9, 300), (2, 4000), (5, 6, 7)])
def test_large_arrays_are_shown_by_their_corners(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).normal(size=shape) * 1e-5
    text = matrix(array)
    assert not is_shown_whole(array)
    assert width(text) <= ROOM + 2
    table = array.reshape(shape[0], -1)
    found = numbers_in(text)
    assert found[0] == pytest.approx(table[0, 0], rel=5e-4)
    assert found[-1] == pytest.approx(table[-1, -1], rel=5e-4)
    assert r"\vdots" in text if shape[0] > 8 else r"\cdots" in text


@pytest.mark.parametrize("shape", [(), (2, 3), (9, 300)])
def test_a_blank_has_a_place_for_each_number_and_no_number(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).normal(size=shape)
    text = blank(array, entry="_")
    assert text.count("_") == len(numbers_in(matrix(array)))
    assert not numbers_in(text)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([1.0, -2.5, 3.0]), "entries from $-2.5$ to $3$"),
        (np.zeros((2, 2)), "all entries are $0$"),
        (np.array([1.0, np.nan, 2.0]), "entries from $1$ to $2$, and 1 of 3 are not finite numbers"),
        (np.array([np.inf, np.nan]), "no entry is a finite number"),
    ],
)
def test_spans(array: np.ndarray, text: str) -> None:
    assert span(array) == text
