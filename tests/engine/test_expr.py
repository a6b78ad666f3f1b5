"""Expressions keep the form in which a mathematician writes them, and their value."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine import expr as ex
from engine.expr import Const, Expr, Name, Product, evaluate, lift
from engine.notation import latex, source
from engine.ops import OPS
from engine.shapes import UNIT, Dim, Dims
from tests.helpers import run

M = Dim("m", 3, examples=True)
N = Dim("n", 2)


def name(text: str, dims: Dims = ()) -> Name:
    return Name(text, dims, text, text)


a, b = name("a"), name("b")
X, Y, w, z, v = (
    name("X", (N, M)),
    name("Y", (N, M)),
    name("w", (UNIT, N)),
    name("z", (N, UNIT)),
    name("v", (M,)),
)
m = ex.dimension(M)

WRITTEN: list[tuple[Expr, str]] = [
    (a + b - a, "a + b - a"),
    (a - (b - 1), "a - b + 1"),
    (1 - a, "1 - a"),
    (2 / m * a, r"\frac{2}{m} a"),
    (lift(2) * (1 / m) * X, r"\frac{2}{m} X"),
    (1 / m * X * 2, r"\frac{1}{m} X \cdot 2"),
    (1 * a, "a"),
    (a * 1, "a"),
    (-1 * a, "-a"),
    (a * -b, "-a b"),
    (ex.negate(ex.negate(a)), "a"),
    (-a * -b, "a b"),
    (a * a, "a^{2}"),
    ((a + b) * (a - b), "(a + b) (a - b)"),
    (a / b, r"\frac{a}{b}"),
    (-a / b, r"-\frac{a}{b}"),
    (a / -b, r"-\frac{a}{b}"),
    (a / 1, "a"),
    (X * Y, r"X \odot Y"),
    (-X * Y, r"-X \odot Y"),
    (X * (1 - X), r"X \odot (1 - X)"),
    ((w @ X) * (w @ Y), r"(w X) \odot (w Y)"),
    (w @ (X * Y), r"w (X \odot Y)"),
    ((w @ X).T, r"(w X)^\intercal"),
    (X.T.T, "X"),
    ((-X).T, r"-X^\intercal"),
    (a.T, "a"),
    (X**2, r"X^{\odot 2}"),
    (X / Y, r"X \oslash Y"),
    (X**1, "X"),
    (a**0, "1"),
    (lift(2) ** 3 * a, "8 a"),
    (lift(0.5) * a, "0.5 a"),
    (lift(1) / 3 * a, r"\frac{1}{3} a"),
    (m * m * a, "m^{2} a"),
    (a / (m * 2), r"\frac{a}{2 m}"),
    (ex.sum_to(X, (1,), (N, UNIT)), r"X\vec{1}"),
    (ex.sum_to(X, (0,), (UNIT, M)), r"\vec{1}^\intercal X"),
    (ex.sum_to(X, (0, 1), ()), r"\vec{1}^\intercal X\vec{1}"),
    (ex.sum_to(-X, (1,), (N, UNIT)), r"-X\vec{1}"),
    (ex.sum_to(X, (1,), (N, UNIT)) * z, r"(X\vec{1}) \odot z"),
    (ex.spread(a, (N, M)), r"a \vec{1} \vec{1}^\intercal"),
    (ex.spread(lift(1), (N, M)) * X, "X"),
    (ex.spread(a, (N, M)) * X, "a X"),
    (ex.spread(z, (N, M), 1), r"z\vec{1}^\intercal"),
    (ex.spread(lift(1), (N, M)) * z, r"z\vec{1}^\intercal"),
    (ex.spread(-a, (N, M)) + X, r"-a \vec{1} \vec{1}^\intercal + X"),
    (X @ v, "X v"),
    (v @ v, r"v \cdot v"),
    (a * (v @ v), r"a (v \cdot v)"),
]


@pytest.mark.parametrize(("expr", "expected"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_expressions_are_written_in_order_with_their_value(expr: Expr, expected: str) -> None:
    assert latex(expr) == expected
    rng = np.random.default_rng(0)
    values = {n.name: np.asarray(rng.normal(size=tuple(d.size for d in n.dims))) for n in ex.names(expr)}
    value = evaluate(expr, values)
    assert np.shape(value) == tuple(d.size for d in expr.dims)
    np.testing.assert_allclose(run(source(expr), m=3, **values), value, rtol=1e-13)


def test_scalars_commute_but_matrices_do_not() -> None:
    product = lift(2) * (w @ X) * 3
    assert latex(product) == r"2 w X \cdot 3"
    assert latex(lift(2) * a * 3) == "6 a"


def test_products_of_vectors_stay_as_they_were_bracketed() -> None:
    once = (v @ v) * (v @ v)
    values = {"v": np.array([1.0, 2.0, 3.0])}
    assert evaluate(once, values) == 14.0**2
    assert run(source(once), **values) == 14.0**2
    assert isinstance(once, Product)


def test_constants_stay_exact() -> None:
    third = lift(1) / 3
    assert isinstance(third, Const)
    assert third.value == Fraction(1, 3)
    assert evaluate(third * 3, {}) == 1.0
    assert latex(lift(0.1) + lift(0.2)) == "0.3"


def test_constants_beyond_every_float_are_not_worked_out() -> None:
    huge = lift(10) ** 64
    product: Expr = huge
    for _ in range(6):
        product = product * huge
    assert np.isinf(evaluate(product, {}))
    assert evaluate(lift(1) / product, {}) == 0.0
    powers = m
    for _ in range(200):
        powers = powers * m
    assert len(source(powers)) < 2000


def test_what_an_expression_reads_is_listed_once_in_order() -> None:
    gradient = Name("z", (), "g", "d_z", kind="gradient")
    assert ex.uses(b * a + a * gradient) == ("b", "a")


def test_an_expression_too_deep_to_recurse_is_walked_all_the_same() -> None:
    deep: Expr = a
    for _ in range(5000):
        deep = OPS["sin"].express([deep], (), {})
    assert ex.uses(deep) == ("a",)
    assert deep.weight == 5001
