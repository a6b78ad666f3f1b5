"""Shapes: what NumPy does, with names, and what Backstep refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.shapes import UNIT, Dim, Dims, broadcast, matmul, reduced, show, sizes, summed_axes, unnamed

M = Dim("m", 4, examples=True)
K = Dim("k", 4)  # as many features as examples: the case in which NumPy cannot tell
N = Dim("n", 3)

shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


def dims(shape: tuple[int, ...]) -> Dims:
    return tuple(unnamed(size) for size in shape)


@given(shapes, shapes)
def test_broadcasting_is_numpys(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match="do not fit together entry by entry"):
            broadcast(dims(a), dims(b))
    else:
        assert sizes(broadcast(dims(a), dims(b))) == expected


@given(shapes.filter(lambda s: len(s) < 3), shapes.filter(lambda s: len(s) < 3))
def test_matrix_products_are_numpys(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected = (np.ones(a) @ np.ones(b)).shape
    except ValueError:
        with pytest.raises(ShapeError, match="@"):
            matmul(dims(a), dims(b))
    else:
        assert sizes(matmul(dims(a), dims(b))) == expected


@given(shapes.filter(bool), st.none() | st.integers(-4, 4), st.booleans())
def test_reductions_are_numpys(shape: tuple[int, ...], axis: int | None, keepdims: bool) -> None:
    try:
        expected = np.sum(np.ones(shape), axis=axis, keepdims=keepdims).shape
    except np.exceptions.AxisError:
        with pytest.raises(ShapeError, match=f"axis={axis} does not exist"):
            reduced(dims(shape), axis, keepdims)
    else:
        assert sizes(reduced(dims(shape), axis, keepdims)) == expected


@given(shapes, shapes)
def test_the_gradient_of_a_copy_is_summed_over_the_axes_that_were_copied(
    a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    try:
        whole = broadcast(dims(a), dims(b))
    except ShapeError:
        return
    summed = np.sum(np.ones(sizes(whole)), axis=summed_axes(dims(a), whole))
    assert summed.size == np.ones(a).size


def test_a_named_axis_of_one_entry_counts_as_copied() -> None:
    one = Dim("m", 1, examples=True)
    assert summed_axes((N, UNIT), (N, one)) == (1,)
    assert summed_axes((), (UNIT, one)) == (0, 1)
    assert summed_axes((N, one), (N, one)) == ()


def test_names_survive_broadcasting() -> None:
    assert broadcast((N, UNIT), (UNIT, M)) == (N, M)
    assert broadcast((unnamed(3), M), (N, M)) == (N, M)
    assert broadcast((Dim("m", 1, True),), (UNIT,)) == (Dim("m", 1, True),)
    assert matmul((K, N), (N, M)) == (K, M)


ALLOWED = [
    ((N, M), (N, UNIT)),
    ((N, UNIT), (UNIT, M)),
    ((UNIT, M), (N, M)),
    ((), (N, M)),
    ((K, M), (K, UNIT)),
]
REFUSED = [
    ((UNIT, M), (M, UNIT)),  # yhat - y with y a column: an outer difference
    ((M, UNIT), (UNIT, M)),
    ((K, M), (UNIT, K)),  # a bias laid along the examples
    ((UNIT, K), (N, M)),
    ((M,), (N, K)),
]


@pytest.mark.parametrize(("a", "b"), ALLOWED)
def test_features_may_meet_examples_on_axes_of_their_own(a: Dims, b: Dims) -> None:
    assert sizes(broadcast(a, b)) == np.broadcast_shapes(sizes(a), sizes(b))


@pytest.mark.parametrize(("a", "b"), REFUSED)
def test_examples_may_not_be_stretched_along_features(a: Dims, b: Dims) -> None:
    with pytest.raises(ShapeError) as caught:
        broadcast(a, b)
    assert "examples meet features" in caught.value.what
    assert show(a) in caught.value.what
    assert show(b) in caught.value.what
    assert ".T" in caught.value.how


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ((2, 3), (2, 4), "Transpose the left one"),
        ((3, 2), (4, 2), "Transpose the right one"),
        ((2, 3), (4, 2), "The other order"),
        ((1, 3), (2, 1), "The left one needs 2 columns, or the right one 3 rows."),
        ((1, 3), (1, 133), "The left one needs 1 column, or the right one 3 rows."),
        ((2, 3), (5, 7), "The left one needs 5 columns, or the right one 3 rows."),
    ],
)
def test_products_that_do_not_fit_say_what_might(a: tuple[int, ...], b: tuple[int, ...], how: str) -> None:
    with pytest.raises(ShapeError) as caught:
        matmul(dims(a), dims(b))
    assert str(a) in caught.value.what
    assert str(b) in caught.value.what
    assert how in caught.value.how
