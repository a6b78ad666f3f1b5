"""What is rounding is told from what is only small."""

from __future__ import annotations

import numpy as np
import pytest

from engine.expr import Name
from engine.graph import Detail
from engine.rounding import MOST_NUMBERS, Rounding
from engine.trace import Trace, trace
from graphs.network import bind, built_in, built_in_names
from tests.helpers import model_of


def traced(*formula, detail: Detail = Detail.EQUATION) -> Trace:
    model = model_of(*formula)
    return trace(model.graph, model.leaves, detail)


def told(found: Trace) -> set[str]:
    """Return the values, and the gradients as d_NAME, that are taken for rounding."""
    rounding = Rounding(found)
    values = {n for n, array in found.values.items() if rounding.is_value(n, array)}
    return values | {f"d_{n}" for n, array in found.gradients.items() if rounding.is_gradient(n, array)}


LINE = ("yhat = w*x + b\nr = yhat - y\nL = norm(r)**2", {"w": 0.1, "b": 0.2})


def test_a_residual_that_should_have_cancelled_is_rounding_and_all_that_is_made_of_it() -> None:
    found = traced(*LINE, {"x": [1.0, 2.0, 3.0], "y": [0.3, 0.4, 0.5]})
    assert 0 < np.max(np.abs(found.values["r"])) < 1e-15
    assert told(found) == {"r", "L", "d_r", "d_yhat", "d_w", "d_b", "d_x", "d_y"}


def test_the_same_residual_with_one_that_did_not_cancel_is_none() -> None:
    found = traced(*LINE, {"x": [1.0, 2.0, 3.0], "y": [0.3, 0.4, 0.6]})
    assert told(found) == set()


def test_what_is_small_by_its_nature_is_no_rounding() -> None:
    found = traced("a = sigmoid(w*x)\nL = norm(a - y)**2", {"w": -40.0}, {"x": [1.0, 2.0], "y": [0.0, 0.0]})
    assert 0 < float(found.values["L"]) < 1e-30
    assert told(found) == set()


def test_small_data_are_no_rounding() -> None:
    assert told(traced(*LINE[:1], {"w": 1e-21, "b": 1e-20}, {"x": [1.0, 2.0], "y": [3e-20, 5e-20]})) == set()


def test_zeros_are_zeros() -> None:
    found = traced("L = (w - w)**2", {"w": 0.1})
    assert told(found) == set()


def test_parts_of_a_line_are_told_at_primitive_detail() -> None:
    formula = ("L = norm(w*x + b - y)**2", {"w": 0.1, "b": 0.2}, {"x": [1.0], "y": [0.3]})
    found = traced(*formula, detail=Detail.PRIMITIVE)
    state = found.state(len(found.steps))
    rounding = Rounding(found)
    names = {n for n, array in state.values.items() if rounding.is_value(n, array)}
    assert len(names) == 2  # the difference, and the sum of its squares
    gradients = {n for n, array in state.gradients.items() if rounding.is_gradient(n, array)}
    assert set(state.gradients) - gradients == {"L"}


def test_an_expression_of_numbers_is_told() -> None:
    found = traced("yhat = w*x\nL = norm(yhat - y)**2", {"w": 0.1}, {"x": [3.0], "y": [0.3]})
    yhat, y = (Name(n, found.graph[n].dims, n, n) for n in ("yhat", "y"))
    difference = found.values["yhat"] - found.values["y"]
    assert difference.item() == pytest.approx(5.6e-17, rel=0.1)
    assert Rounding(found).is_expression(yhat - y, difference)
    assert not Rounding(found).is_expression(yhat + y, found.values["yhat"] + found.values["y"])


@pytest.mark.parametrize("name", built_in_names())
def test_the_numbers_of_a_built_in_network_are_none(name: str) -> None:
    model = bind(built_in(name))
    assert told(trace(model.graph, model.leaves)) == set()


def test_of_very_many_numbers_nothing_is_said() -> None:
    half = MOST_NUMBERS // 2
    model = model_of(
        "r = x - y\nL = norm(r)**2 * w", {"w": 1.0}, {"x": [0.1 + 0.2] * half, "y": [0.3] * half}
    )
    assert told(trace(model.graph, model.leaves)) == set()
