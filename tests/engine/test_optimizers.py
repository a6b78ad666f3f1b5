"""The optimizers: records that compute, print and take back their updates."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TrainingError
from engine.expr import Name, evaluate
from engine.optimizers import OPTIMIZERS, Optimizer, UpdateEquation, updates
from engine.shapes import Dim
from engine.training import Recipe, Run
from tests.helpers import assert_well_formed, model_of, run

ALL = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
DIMS = pytest.mark.parametrize("dims", [(), (Dim("k", 2), Dim("n", 3))], ids=["scalar", "matrix"])


@cache
def reference() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "data" / "torch.json").read_text("utf-8"))


# --- the numbers -------------------------------------------------------------------------------------------


def trajectory(optimizer: Optimizer, settings: dict[str, float], count: int) -> list[np.ndarray]:
    """Return what `count` updates make of the start of the reference."""
    matrix, x = np.array(reference()["matrix"]), np.array(reference()["start"])
    state: dict[tuple[str, str], Any] = {}
    found = []
    for t in range(1, count + 1):
        steps = updates(optimizer, {"x": x}, {"x": matrix @ x - np.sin(x)}, state, settings | {"t": t})
        state = {("x", u.quantity): u.after for u in steps if u.quantity in optimizer.state}
        x = steps[-1].after
        found.append(x)
    return found


@pytest.mark.parametrize("case", reference()["optimizers"], ids=lambda case: case["optimizer"])
def test_fifty_steps_agree_with_pytorch(case: dict[str, Any]) -> None:
    optimizer = OPTIMIZERS[case["optimizer"]]
    found = trajectory(optimizer, optimizer.settings(case["settings"]), len(case["x"]))
    assert len(found) == 50
    np.testing.assert_allclose(found, case["x"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("case", reference()["optimizers"], ids=lambda case: case["optimizer"])
def test_a_run_of_fifty_steps_agrees_with_pytorch(case: dict[str, Any]) -> None:
    start, matrix = [reference()["start"]], reference()["matrix"]
    model = model_of("L = sum((x @ A) * x) / 2 + sum(cos(x))", {"x": start}, {"A": matrix})
    run = Run(model, Recipe(case["optimizer"], case["settings"]))
    for expected in case["x"]:
        run.advance(1)
        np.testing.assert_allclose(run.point.parameters["x"], [expected], rtol=0, atol=1e-9)


def test_every_optimizer_is_held_to_the_reference() -> None:
    assert {case["optimizer"] for case in reference()["optimizers"]} == set(OPTIMIZERS)


def test_the_course_form_of_momentum_is_the_heavy_ball_at_a_smaller_rate() -> None:
    momentum = OPTIMIZERS["momentum"]
    course = momentum.settings({"learning_rate": 0.5, "momentum": 0.8})
    ball = momentum.settings({"learning_rate": 0.5 * (1 - 0.8), "momentum": 0.8, "dampening": 0})
    assert course["dampening"] == 0.8
    np.testing.assert_allclose(trajectory(momentum, course, 30), trajectory(momentum, ball, 30), rtol=1e-12)


def test_without_momentum_both_forms_of_it_are_gradient_descent() -> None:
    plain = trajectory(OPTIMIZERS["gd"], {"learning_rate": 0.1}, 20)
    for name in ("momentum", "nesterov"):
        optimizer = OPTIMIZERS[name]
        settings = optimizer.settings({"learning_rate": 0.1, "momentum": 0})
        assert np.array_equal(trajectory(optimizer, settings, 20), plain)


def test_adams_first_step_is_the_learning_rate_in_every_entry() -> None:
    adam = OPTIMIZERS["adam"]
    gradient = np.array([1e-3, -5.0, 200.0])
    steps = updates(adam, {"w": np.zeros(3)}, {"w": gradient}, {}, adam.settings({"learning_rate": 0.01}))
    found = {u.quantity: u.after for u in steps}
    np.testing.assert_allclose(found["corrected_first"], gradient, rtol=1e-12)
    np.testing.assert_allclose(found["corrected_second"], gradient**2, rtol=1e-9)
    np.testing.assert_allclose(found["value"], -0.01 * np.sign(gradient), rtol=1e-4)


@ALL
def test_a_late_update_of_a_long_run_is_finite(optimizer: Optimizer) -> None:
    settings = optimizer.settings({}) | {"t": 10**7}
    state = {("w", key): np.ones(2) for key in optimizer.state}
    for gradient in (np.zeros(2), np.full(2, 1e-200), np.full(2, 1e100)):
        for update in updates(optimizer, {"w": np.ones(2)}, {"w": gradient}, state, settings):
            assert np.all(np.isfinite(update.after)), update


@ALL
def test_parameters_in_one_vector_move_as_each_does_alone(optimizer: Optimizer) -> None:
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"a": (), "b": (3, 5), "c": (1, 8)}
    values = {n: rng.normal(size=s) for n, s in shapes.items()}
    gradients = {n: rng.normal(size=s) for n, s in shapes.items()}
    state = {(n, k): rng.uniform(size=s) for n, s in shapes.items() for k in optimizer.state}
    settings = optimizer.settings({}) | {"t": 7}
    alone = {
        (u.parameter, u.quantity): u.after for u in updates(optimizer, values, gradients, state, settings)
    }

    def flat(table: dict[str, Any]) -> np.ndarray:
        return np.concatenate([np.ravel(table[n]) for n in shapes])

    kept = {k: flat({n: state[n, k] for n in shapes}) for k in optimizer.state}
    for quantity, whole in optimizer.rule(flat(values), flat(gradients), kept, settings).items():
        assert np.array_equal(whole, flat({n: alone[n, quantity] for n in shapes}))


# --- the steps ---------------------------------------------------------------------------------------------


@ALL
def test_updates_end_with_the_new_value_and_say_what_they_replace(optimizer: Optimizer) -> None:
    value = np.array([1.0, 2.0])
    first = updates(optimizer, {"w": value}, {"w": np.ones(2)}, {}, optimizer.settings({}))
    assert [u.quantity for u in first] == [q.name for q in optimizer.quantities]
    assert first[-1].quantity == "value"
    assert first[-1].before is value
    assert np.all(first[-1].after < value)
    assert all(u.before is None for u in first[:-1])
    state = {(u.parameter, u.quantity): u.after for u in first if u.quantity in optimizer.state}
    second = updates(optimizer, {"w": value}, {"w": np.ones(2)}, state, optimizer.settings({}) | {"t": 2})
    for update in second[:-1]:
        assert update.before is state.get(("w", update.quantity))


def test_what_is_kept_is_what_a_line_reads_before_it_is_assigned() -> None:
    assert {name: o.state for name, o in OPTIMIZERS.items()} == {
        "gd": (),
        "momentum": ("velocity",),
        "nesterov": ("velocity",),
        "adagrad": ("square_sum",),
        "rmsprop": ("square_average",),
        "adam": ("first_moment", "second_moment"),
    }


# --- what is printed ---------------------------------------------------------------------------------------


def equations(optimizer: Optimizer, dims: Any, **more: Any) -> tuple[UpdateEquation, ...]:
    parameter = Name("w", dims, "w", "w")
    gradient = Name("w", dims, r"\frac{\partial L}{\partial w}", "d_w", kind="gradient")
    return optimizer.equations(parameter, gradient, **more)


@ALL
@DIMS
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_the_printed_lines_compute_what_the_rule_does(optimizer: Optimizer, dims: Any, first: bool) -> None:
    rng = np.random.default_rng(0)
    shape = tuple(d.size for d in dims)
    settings = optimizer.settings({}) | {"t": 4}
    value, gradient = rng.normal(size=shape), rng.normal(size=shape)
    state = {} if first else {("w", key): np.abs(rng.normal(size=shape)) for key in optimizer.state}
    scope: dict[str, Any] = {"w": value, "d_w": gradient}
    numbers = {**scope, **{f":{n}": x for n, x in settings.items()}}
    numbers |= {f"w:{key}": state.get(("w", key), np.zeros(shape)) for key in optimizer.state}
    later = {e.quantity.name: e.target for e in equations(optimizer, dims)}
    scope |= {later[key].code: array for (_, key), array in state.items()}
    pairs = zip(
        equations(optimizer, dims, first=first),
        updates(optimizer, {"w": value}, {"w": gradient}, state, settings),
        strict=True,
    )
    for equation, update in pairs:
        target, _, code = equation.source(settings).partition(" = ")
        scope[target] = run(code, **scope)
        np.testing.assert_allclose(scope[target], update.after, rtol=1e-12)
        numbers[equation.target.name] = evaluate(equation.expr, numbers)
        np.testing.assert_allclose(numbers[equation.target.name], update.after, rtol=1e-12)
        assert equation.expr.dims == dims
        assert_well_formed(equation.latex)
        assert (r"\leftarrow" in equation.latex) == (equation.quantity.name in ("value", *optimizer.state))


def test_adam_is_printed_as_it_is_written() -> None:
    assert [e.latex for e in equations(OPTIMIZERS["adam"], ())][2:5] == [
        r"\hat{v}_{w} = \frac{v_{w}}{1 - \beta_1^{t}}",
        r"\hat{s}_{w} = \frac{s_{w}}{1 - \beta_2^{t}}",
        r"\Delta w = \frac{\eta \hat{v}_{w}}{\sqrt{\hat{s}_{w}} + \epsilon}",
    ]
    first = equations(OPTIMIZERS["adam"], ())[0]
    assert first.source(OPTIMIZERS["adam"].settings({})) == "v_w = 0.9 * v_w + (1 - 0.9) * d_w"


def test_names_in_the_source_keep_clear_of_the_networks() -> None:
    lines = equations(OPTIMIZERS["momentum"], (), taken={"v_w", "step_w", "step_w_"})
    found = [line.source(OPTIMIZERS["momentum"].settings({})) for line in lines]
    assert found[:2] == ["v_w_ = 0.9 * v_w_ + (1 - 0.9) * d_w", "step_w__ = 0.1 * v_w_"]


def test_optimizers_travel_between_processes() -> None:
    for optimizer in OPTIMIZERS.values():
        assert pickle.loads(pickle.dumps(optimizer)) is optimizer


# --- hyperparameters ---------------------------------------------------------------------------------------


@ALL
def test_the_defaults_are_in_range_and_everything_is_explained(optimizer: Optimizer) -> None:
    settings = optimizer.settings({})
    assert list(settings) == [h.name for h in optimizer.hyperparameters]
    assert settings["learning_rate"] == optimizer.hyperparameter("learning_rate").default
    sentences = [
        optimizer.text,
        *(h.why for h in optimizer.hyperparameters),
        *(q.why for q in optimizer.quantities),
    ]
    for sentence in sentences:
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence.startswith("{p}")
    assert optimizer.reference


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", None, [1], True, 10**400])
def test_a_learning_rate_out_of_range_is_said(rate: Any) -> None:
    with pytest.raises(TrainingError, match=r"the learning rate cannot be .*It is a number greater than 0\."):
        OPTIMIZERS["gd"].settings({"learning_rate": rate})


SHARES = ("momentum", "dampening", "rho", "beta1", "beta2")


@pytest.mark.parametrize("value", [1, 1.0, -0.1, 2, float("nan"), "1"])
@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_one_is_refused(name: str, value: Any) -> None:
    optimizer = next(o for o in OPTIMIZERS.values() if any(h.name == name for h in o.hyperparameters))
    with pytest.raises(TrainingError, match=r"cannot be .*It is a number of at least 0 and less than 1\."):
        optimizer.settings({name: value})


def test_dampening_follows_momentum_until_it_is_given() -> None:
    momentum = OPTIMIZERS["momentum"]
    assert momentum.settings({"momentum": 0.5})["dampening"] == 0.5
    assert momentum.settings({"momentum": 0.5, "dampening": 0})["dampening"] == 0


def test_an_option_that_the_optimizer_does_not_have_is_said() -> None:
    with pytest.raises(TrainingError, match=r"gd has no batch norm. It has: learning rate"):
        OPTIMIZERS["gd"].settings({"batch_norm": 1})


@given(st.floats() | st.integers() | st.text(max_size=20) | st.none() | st.booleans())
def test_a_setting_is_in_range_or_refused(value: Any) -> None:
    for optimizer in OPTIMIZERS.values():
        for h in optimizer.hyperparameters:
            with suppress(TrainingError):
                assert h.contains(optimizer.settings({h.name: value})[h.name])
