"""The NumPy statements of a trace, run one after the other, give the trace's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.trace import trace
from engine.training import Recipe, Run
from graphs.documents.json import trace_json
from graphs.network import Model, bind, built_in_names, load, loads

NETWORKS = {
    "two gradients that are one array": 'A = exp(w)\nL = sum(A*A)"""\n[parameters]\nw = [[0.1, 0.2]]',
    "a value handed on": 'y = x + 0\nz = y + y\nL = sum(z*z) + sum(y)"""\n[parameters]\nx = [1.0, 2.0]',
    "a parameter called m": 'L = sum(m*X)"""\n[parameters]\nm = 2.5\n[data]\nX = [[1.0, 2.0], [3.0, 4.0]]',
    "a name like a part's": 'x_part1 = a*2\nx = a*2 + x_part1*a\nL = x*a"""\n[parameters]\na = 2.0',
    "a residual": (
        'h = tanh(W@X)\nr = h + tanh(W@h)\nL = norm(r)**2"""\n[parameters]\nW = [[0.1, 0.2], [0.3, -0.4]]\n'
        "[data]\nX = [[1.0, 2.0, 3.0], [3.0, 4.0, 0.5]]"
    ),
}


def run_codes(
    model: Model, detail: Detail, optimizer: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    chosen: tuple[Optimizer | None, dict[str, Any]] = (None, {})
    update = None
    if optimizer is not None:
        run = Run(model, Recipe(optimizer))
        chosen = (run.optimizer, run.recipe.settings_at(0))
        update = run.optimize(run.point)
    steps = trace_json(model, trace(model.graph, model.leaves, detail, update), *chosen)
    known: dict[str, Any] = {name: np.array(value) for name, value in model.leaves.items()}
    if model.graph.examples is not None:
        known.setdefault("m", model.graph.examples)
    known["np"] = np
    for step in steps["steps"]:
        exec(step["code"], known)  # noqa: S102  (our own statements, as a reader would run them)
    return known, steps


def check(model: Model, detail: Detail) -> None:
    known, steps = run_codes(model, detail)
    reached = {
        step["input"] or step["node"] for step in steps["steps"] if step["phase"] in ("seed", "backward")
    }
    for name, gradient in steps["gradients"].items():
        if name in reached:
            np.testing.assert_allclose(known[f"d_{name}"], gradient, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", built_in_names())
def test_the_statements_of_a_built_in_network_run(name: str, detail: Detail) -> None:
    check(bind(load(name)), detail)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", NETWORKS)
def test_the_statements_of_a_tricky_network_run(name: str, detail: Detail) -> None:
    check(bind(loads('formula = """\n' + NETWORKS[name])), detail)


# --- updates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["univariate-regression", "two-layer-nonlinear", "scalar-operations"])
def test_the_statements_of_an_update_run(name: str, optimizer: str, detail: Detail) -> None:
    model = bind(load(name))
    known, found = run_codes(model, detail, optimizer)
    updates = [step for step in found["steps"] if step["phase"] == "update"]
    assert len(updates) == len(model.graph.parameters) * len(OPTIMIZERS[optimizer].quantities)
    for step in updates:
        target = step["code"].partition(" = ")[0]
        np.testing.assert_allclose(known[target], step["value"], rtol=1e-9, atol=1e-12, err_msg=target)
        assert np.shape(known[target]) == tuple(step["shape"])


def test_a_second_update_goes_on_from_what_the_first_one_kept() -> None:
    model = bind(load("two-layer-nonlinear"))
    run = Run(model, Recipe("adam"))
    known: dict[str, Any] = {n: np.array(v) for n, v in model.leaves.items()} | {
        "m": model.examples,
        "np": np,
    }
    for iteration in range(3):
        found = trace(model.graph, {**model.inputs, **run.point.parameters}, optimize=run.optimize(run.point))
        for step in trace_json(model, found, run.optimizer, run.recipe.settings_at(iteration))["steps"]:
            exec(step["code"], known)  # noqa: S102
        run.advance(1)
        for name, value in run.point.parameters.items():
            np.testing.assert_allclose(known[name], value, rtol=1e-9)


def test_names_of_an_update_keep_clear_of_the_networks() -> None:
    text = 'v_w = 2*w\nL = v_w**2"""\n[parameters]\nw = 1.0\nstep_w = 3.0\n'
    model = bind(loads('formula = """\n' + text))
    known, found = run_codes(model, Detail.EQUATION, "momentum")
    assert known["step_w"] == 3.0
    codes = [step["code"] for step in found["steps"] if step["phase"] == "update"]
    assert codes[0].startswith("v_w_ = ")
    assert codes[2] == "w = w - step_w_"
