"""Elementwise lines: computed on arrays of any shape, alone or side by side in one vector, and printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.elementwise import compiled, compute, express
from engine.expr import Name, evaluate
from engine.formula import parse
from engine.notation import source
from engine.shapes import Dim

LINES = """
u = rho * u + (1 - rho) * g ** 2
v = -a * g / (sqrt(u) + 0.5) - g ** 3 / (1 - rho ** t)
"""
NUMBERS = {"rho": 0.9, "a": 0.1, "t": 3}
SHAPES: tuple[tuple[int, ...], ...] = ((), (1, 1), (7,), (3, 4))


def values(shape: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {"g": rng.normal(size=shape), "u": rng.uniform(size=shape)}


def known_after(shape: tuple[int, ...], **given: Any) -> dict[str, Any]:
    known = {**NUMBERS, **(given or values(shape))}
    compute(compiled(parse(LINES), NUMBERS), known)
    return known


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_compute_what_the_lines_say(shape: tuple[int, ...]) -> None:
    given = values(shape)
    u = 0.9 * given["u"] + (1 - 0.9) * given["g"] ** 2
    v = -0.1 * given["g"] / (np.sqrt(u) + 0.5) - given["g"] ** 3 / (1 - 0.9**3)
    found = known_after(shape)
    np.testing.assert_allclose(found["u"], u, rtol=1e-14)
    np.testing.assert_allclose(found["v"], v, rtol=1e-13)


def test_one_vector_of_everything_gives_the_same_bits_as_each_part_alone() -> None:
    parts = [values(shape) for shape in SHAPES]
    whole = known_after((), **{n: np.concatenate([np.ravel(p[n]) for p in parts]) for n in ("g", "u")})
    alone = [known_after((), **part) for part in parts]
    for name in ("u", "v"):
        assert np.array_equal(whole[name], np.concatenate([np.ravel(found[name]) for found in alone]))


def test_what_is_made_of_numbers_alone_is_worked_out_once() -> None:
    calls = compiled(parse(LINES), NUMBERS)
    numbers = [c for c in calls if c.is_number]
    assert len(numbers) == 4  # 1 - rho, -a, rho ** t, 1 - rho ** t
    assert all(isinstance(c.function, np.ufunc) for c in calls if not c.is_number)


@pytest.mark.parametrize("dims", [(), (Dim("k", 3), Dim("n", 4))], ids=["scalar", "matrix"])
def test_lines_in_symbols_come_to_what_the_calls_compute(dims: Any) -> None:
    shape = tuple(dim.size for dim in dims)
    given = {**NUMBERS, **values(shape)}
    scope = {n: Name(n, dims if n in ("g", "u") else (), n, n) for n in given}
    expr = express(parse(LINES)[0], scope)
    assert expr.dims == dims
    np.testing.assert_allclose(evaluate(expr, given), known_after(shape)["u"], rtol=1e-14)
    assert source(expr) == "rho * u + (1 - rho) * g**2"
