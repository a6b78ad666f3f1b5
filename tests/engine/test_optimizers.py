"""The optimizers: records that compute, print and take back their updates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.optimizers import OPTIMIZERS, Optimizer, updates
from tests.helpers import assert_well_formed, run


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_printed_updates_compute_what_the_rule_does(optimizer: Optimizer) -> None:
    rng = np.random.default_rng(0)
    settings = optimizer.settings({})
    value, gradient = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    state = {("w", key): np.abs(rng.normal(size=(2, 3))) for key in optimizer.state}
    scope: dict[str, Any] = {**settings, "w": value, "d_w": gradient}
    scope |= {f"w_{key}": array for (_, key), array in state.items()}
    for update in updates(optimizer, {"w": value}, {"w": gradient}, state, settings):
        line = next(q for q in optimizer.lines if q.name == update.quantity)
        given = {name: name for name in settings}
        target, _, code = line.source.format(p="w", g="d_w", **given).partition(" = ")
        scope[target] = run(code, **scope)
        np.testing.assert_allclose(scope[target], update.after, rtol=1e-12)
        assert_well_formed(line.latex.format(p="w", g="g"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_updates_end_with_the_new_value_and_say_what_they_replace(optimizer: Optimizer) -> None:
    value = np.array([1.0, 2.0])
    found = updates(optimizer, {"w": value}, {"w": np.ones(2)}, {}, optimizer.settings({}))
    assert [u.quantity for u in found] == [line.name for line in optimizer.lines]
    assert found[-1].quantity == "value"
    assert found[-1].before is value
    assert np.all(found[-1].after < value)


def test_gradient_descent_goes_down_the_gradient() -> None:
    gd = OPTIMIZERS["gd"]
    (found,) = updates(
        gd, {"w": np.array([1.0])}, {"w": np.array([4.0])}, {}, gd.settings({"learning_rate": 0.5})
    )
    assert found.after.tolist() == [-1.0]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", None, [1]])
def test_a_learning_rate_out_of_range_is_said(rate: Any) -> None:
    with pytest.raises(TrainingError, match=r"the learning rate cannot be .*It is a number greater than 0"):
        OPTIMIZERS["gd"].settings({"learning_rate": rate})


def test_an_option_that_the_optimizer_does_not_have_is_said() -> None:
    with pytest.raises(TrainingError, match=r"gd has no batch norm. It has: learning_rate"):
        OPTIMIZERS["gd"].settings({"batch_norm": 1})
