"""The stability limit: quadratic losses are recognised, and their limit is where training turns."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.optimizers import OPTIMIZERS
from engine.stability import Limit, curvature, stability_limit
from engine.trace import forward
from engine.training import Recipe, Run
from graphs.network import Model, bind, built_in
from tests.helpers import model_of

U = "univariate-regression"
M = "multivariate-regression"


def rows_of(model: Model) -> np.ndarray:
    """Return the features of a linear regression, with a row of ones below them."""
    features = [value for name, value in model.inputs.items() if name not in model.targets]
    return np.vstack([*features, np.ones((1, model.examples))])


def closed_form(model: Model) -> float:
    """Return the largest eigenvalue of 2/m A A', A being the rows."""
    rows = rows_of(model)
    return float(np.linalg.eigvalsh(2.0 / model.examples * rows @ rows.T)[-1])


@pytest.mark.parametrize("name", [U, M])
def test_the_limit_is_that_of_the_closed_form(name: str) -> None:
    model = bind(built_in(name))
    limit = stability_limit(model, Recipe())
    assert limit.curvature == pytest.approx(closed_form(model), rel=1e-12)
    assert limit.rate == pytest.approx(2.0 / closed_form(model), rel=1e-12)
    assert limit.sentence() == (
        f"The loss is quadratic: learning rates above 2/λmax = {limit.rate:.4g} diverge."
    )


def excess(model: Model, optimizer: str, settings: dict[str, Any], steps: int) -> float:
    """Return by how much the distance from the lowest loss has grown after some steps."""
    run = Run(model, Recipe(optimizer, settings))
    run.advance(steps)
    rows, target = rows_of(model).T, model.inputs[model.targets[0]]
    lowest = float(np.mean((rows @ np.linalg.lstsq(rows, target[0], rcond=None)[0] - target[0]) ** 2))
    return (float(run.losses[-1]) - lowest) / (float(run.losses[0]) - lowest)


SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("gd", {}),
    ("momentum", {}),
    ("momentum", {"momentum": 0.5, "dampening": 0.0}),
    ("momentum", {"momentum": 0.0}),
    ("nesterov", {}),
    ("nesterov", {"momentum": 0.7, "dampening": 0.0}),
    ("nesterov", {"momentum": 0.3, "dampening": 0.6}),
]


@pytest.mark.parametrize(("name", "chosen"), list(product([U, M], SETTINGS)))
def test_just_below_the_limit_training_converges_and_just_above_it_diverges(
    name: str, chosen: tuple[str, dict[str, Any]]
) -> None:
    model = bind(built_in(name))
    optimizer, settings = chosen
    limit = stability_limit(model, Recipe(optimizer, settings)).rate
    assert limit is not None
    assert excess(model, optimizer, {**settings, "learning_rate": 0.99 * limit}, 3000) < 1e-3
    assert excess(model, optimizer, {**settings, "learning_rate": 1.01 * limit}, 3000) > 1e3


def test_far_above_the_limit_training_is_said_to_diverge() -> None:
    model = bind(built_in(U))
    limit = stability_limit(model, Recipe()).rate
    assert limit is not None
    run = Run(model, Recipe("gd", {"learning_rate": 1.05 * limit}))
    run.advance(5000)
    assert run.diverged is not None
    assert "try a smaller learning rate" in run.diverged.sentence()


@given(st.sampled_from(["momentum", "nesterov"]), st.floats(0.0, 0.99), st.floats(0.0, 0.99))
def test_at_the_limit_an_eigenvalue_of_the_update_leaves_the_unit_circle(
    optimizer: str, momentum: float, dampening: float
) -> None:
    model = model_of("L = 3 * w**2", {"w": 1.0}, {})  # its second derivative is 6
    settings = {"momentum": momentum, "dampening": dampening}
    limit = stability_limit(model, Recipe(optimizer, settings)).rate
    assert limit is not None

    def radius(rate: float) -> float:
        """Return the spectral radius of one update, as the optimizer's own rule makes it."""
        columns = []
        for value, velocity in ((1.0, 0.0), (0.0, 1.0)):
            found = OPTIMIZERS[optimizer].rule(
                np.array(value),
                np.array(6.0 * value),
                {"velocity": np.array(velocity)},
                {**settings, "learning_rate": rate},
            )
            columns.append([float(found["value"]), float(found["velocity"])])
        return float(np.abs(np.linalg.eigvals(np.array(columns).T)).max())

    assert radius(limit * (1 - 1e-6)) < 1.0
    assert radius(limit * (1 + 1e-6)) > 1.0


# --- which losses are quadratic ----------------------------------------------------------------------------

QUADRATIC = [
    "L = mse(w @ X + b, y)",
    "r = w @ X - y\nL = sum(r * r) / 2 + 0.1 * norm(w)**2",
    "L = mean((w @ X - y)**2) - sum(w)",
    "L = sum(w.T * w.T) + (b + 1)**2",
    "L = norm(X.T @ w.T)**2",
    "L = sum(cos(X)) * norm(w)**2 + exp(0.5) * b**2",
    "L = log(exp(norm(w)**2 + b**2))",  # the formula does not show it, the numbers do
    "L = mse(log(exp(w @ X + b)), y)",
    "L = sum((w + 1)**3 - w**3) + b**2",  # terms that cancel
    "L = b**3 / b + norm(w)**2",
    "L = sqrt((1 + b**2)**2) + norm(w)**2",
    "L = sin(sum(w))**2 + cos(sum(w))**2 + b**2",
    "p = 0*y + 2\nL = sum((w @ X)**p)",  # a power that the data give
]
OTHERS = [
    ("L = mean(sigmoid(w @ X + b))", "sigmoid in L"),
    ("h = relu(w @ X)\nL = mse(h, y)", "relu in h"),
    ("L = mean((w @ X - y)**4)", "degree 4"),
    ("L = sum(w**3)", "degree 3"),
    ("L = mean((w @ X * b - y)**2)", "degree 4"),
    ("L = norm(w @ X - y)", "norm in L"),
    ("L = bce(w @ X, y)", "bce in L"),
    ("L = 1 / (1 + b**2)", "/ in L"),
    ("L = mse(max(w @ X + 100000, 0*y), y)", "kinks"),  # a piece that no random point is likely to meet
    ("L = sum(log(w))", "log in L"),
    # a term however small, wherever it stands, and however large what is beside it
    ("L = mse(w @ X, y) + 1e-12 * exp(b)", "exp in L"),
    ("L = 1e9 * b**2 + 1e-15 * sum(w**3)", "degree 3"),
    ("L = mse(w @ X + 1e-30 * sin(b), y)", "sin in L"),
    ("L = log(exp(norm(w)**2)) + 1e-14 * tanh(b)", "tanh in L"),
    ("L = sum((w + 1)**3 - w**3) + b**2 + 1e-20 * b**4", "degree 4"),
    ("L = norm(w)**2 + 1e-13 / (2 + b**2)", "/ in L"),
    ("L = sum(w * w) + 1e-13 * sqrt(1 + b**2)", "sqrt in L"),
]
NUMBERS: dict[str, Any] = {"w": [0.3, -0.2, 0.5], "b": 0.1}
rng = np.random.default_rng(0)
DATA = {"X": rng.normal(size=(3, 8)), "y": rng.uniform(size=(1, 8))}


def of_formula(formula: str) -> Model:
    data = {name: value for name, value in DATA.items() if name in formula.replace("exp", "")}
    return model_of(formula, {n: v for n, v in NUMBERS.items() if n in formula}, data)


def numeric_hessian(model: Model) -> np.ndarray:
    """Return second differences of the loss itself, which owe nothing to the engine's gradients."""
    start = np.concatenate([np.ravel(value) for value in model.parameters.values()])

    def loss(vector: np.ndarray) -> float:
        leaves, at = dict(model.inputs), 0
        for name, value in model.parameters.items():
            leaves[name] = vector[at : at + value.size].reshape(value.shape)
            at += value.size
        return float(forward(model.graph, leaves)[model.graph.ids[model.graph.loss]])

    eye = np.eye(len(start))
    return np.array(
        [
            [
                (loss(start + a + b) - loss(start + a - b) - loss(start - a + b) + loss(start - a - b)) / 4
                for a in eye
            ]
            for b in eye
        ]
    )


@pytest.mark.parametrize("formula", QUADRATIC)
def test_quadratic_losses_are_recognised(formula: str) -> None:
    model = of_formula(formula)
    found = curvature(model)
    assert found.reason == ""
    expected = np.linalg.eigvalsh(numeric_hessian(model))
    assert found.largest == pytest.approx(expected[-1], rel=1e-8)
    assert found.smallest == pytest.approx(expected[0], rel=1e-8, abs=1e-8 * found.largest)


@pytest.mark.parametrize(("formula", "words"), OTHERS)
def test_other_losses_have_no_limit_and_it_is_said_why(formula: str, words: str) -> None:
    limit = stability_limit(of_formula(formula), Recipe())
    assert limit.rate is None
    assert words in limit.sentence()
    assert limit.sentence().endswith("no one rate is the limit.")


@pytest.mark.parametrize(
    "name", ["two-layer-linear", "two-layer-nonlinear", "logistic-regression", "perceptron-classifier"]
)
def test_built_in_networks_beyond_linear_regression_have_none(name: str) -> None:
    assert stability_limit(bind(built_in(name)), Recipe()).rate is None


def test_what_falls_without_end_and_what_is_flat_have_none() -> None:
    saddle = stability_limit(model_of("L = w**2 - b**2", {"w": 1.0, "b": 1.0}, {}), Recipe())
    assert saddle == Limit(reason="The loss falls without end in some direction: every rate diverges.")
    flat = stability_limit(model_of("L = 3 * w + 1", {"w": 1.0}, {}), Recipe())
    assert flat == Limit(reason="The loss is not curved: no rate is too large.")
    none = stability_limit(model_of("L = mean(x)", {}, {"x": [1.0, 2.0]}), Recipe())
    assert none.reason == "This network has no parameters to train."


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe("adam"), "divides by the size of past gradients"),
        (Recipe("adagrad"), "divides by the size of past gradients"),
        (Recipe(batch_size=10), "Every mini-batch has a curvature of its own"),
        (Recipe(schedule="cosine"), "changes on the way"),
    ],
)
def test_recipes_without_a_limit(recipe: Recipe, words: str) -> None:
    limit = stability_limit(bind(built_in(U)), recipe)
    assert limit.rate is None
    assert words in limit.sentence()


def test_a_batch_of_everything_and_a_warm_up_keep_the_limit() -> None:
    model = bind(built_in(U))
    expected = stability_limit(model, Recipe()).rate
    assert stability_limit(model, Recipe(batch_size=50)).rate == expected
    assert stability_limit(model, Recipe(schedule="warmup")).rate == expected


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_data_of_any_scale_keep_their_limit(scale: float) -> None:
    x, y = scale * DATA["X"], DATA["y"] * 1e3
    model = model_of("L = mse(w @ X, y)", {"w": [0.0, 0.0, 0.0]}, {"X": x, "y": y})
    expected = np.linalg.eigvalsh(2.0 / 8 * x @ x.T)[-1]
    assert stability_limit(model, Recipe()).curvature == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_many_parameters_take_a_few_products(spread: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(900, 60)) * np.geomspace(1.0, spread, 900)[:, None]
    model = model_of("L = mse(w @ X, y)", {"w": np.zeros((1, 900))}, {"X": x, "y": rng.normal(size=(1, 60))})
    expected = np.linalg.eigvalsh(2.0 / 60 * x.T @ x)[-1]
    found = curvature(model)
    assert found.largest == pytest.approx(expected, rel=1e-9)
    assert abs(found.smallest) < 1e-7 * expected


def test_equal_curvature_in_many_directions_ends_early() -> None:
    found = curvature(model_of("L = norm(w)**2", {"w": np.ones((1, 5000))}, {}))
    assert found.largest == pytest.approx(2.0, rel=1e-12)
    assert found.smallest == pytest.approx(2.0, rel=1e-12)


def test_a_saddle_of_many_parameters_is_seen() -> None:
    model = model_of(
        "L = norm(w)**2 - 0.5 * norm(v)**2", {"w": np.ones((1, 500)), "v": np.ones((1, 500))}, {}
    )
    assert "falls without end" in curvature(model).reason
