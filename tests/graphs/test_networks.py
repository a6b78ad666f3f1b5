"""The built-in networks, their data, and outside numbers that they must reproduce."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.trace import loss_and_gradients, trace
from engine.training import Recipe, Run
from graphs.network import bind, built_in, built_in_names, dumps, loads
from tests.helpers import model_of

Array = np.ndarray
PRIMER = ("univariate-regression", "multivariate-regression", "two-layer-linear", "two-layer-nonlinear")


def test_the_built_in_networks_stand_in_the_order_of_the_course() -> None:
    assert built_in_names() == (
        *PRIMER,
        "logistic-regression",
        "perceptron-classifier",
        "scalar-operations",
    )


@pytest.mark.parametrize("name", built_in_names())
def test_every_built_in_network_traces_and_learns(name: str) -> None:
    model = bind(built_in(name))
    found = trace(model.graph, model.leaves)
    assert np.isfinite(found.loss)
    run = Run(model, model.network.training.recipe)
    losses = run.advance(20).losses
    assert run.diverged is None
    assert losses[-1] < found.loss


@pytest.mark.parametrize("name", built_in_names())
def test_built_in_networks_say_what_they_are(name: str) -> None:
    network = built_in(name)
    assert network.title[0].isupper()
    assert network.description.endswith(".")
    assert loads(dumps(network), name=name).formula == network.formula


@pytest.mark.parametrize("name", built_in_names())
def test_another_seed_draws_other_weights_but_not_other_data(name: str) -> None:
    one, other = bind(built_in(name), seed=1), bind(built_in(name), seed=2)
    for data in one.graph.inputs:
        assert one.leaves[data].tobytes() == other.leaves[data].tobytes()


# --- closed forms, derived by hand from the equations of primer.txt -----------------------------------------


def _linear(v: Mapping[str, Array]) -> dict[str, Any]:
    x = v.get("x", v.get("X"))
    assert x is not None
    yhat = v["w"] * x + v["b"] if v["w"].ndim == 0 else v["w"] @ x + v["b"]
    error = 2 / x.shape[1] * (yhat - v["y"])
    w = np.sum(error * x) if v["w"].ndim == 0 else error @ x.T
    return {"L": np.mean((yhat - v["y"]) ** 2), "w": w, "b": np.sum(error)}


def _two_layers(
    v: Mapping[str, Array], sigma: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> dict:
    a = sigma(v["W1"] @ v["X"] + v["b1"])
    yhat = v["w2"] @ a + v["b2"]
    error = 2 / v["X"].shape[1] * (yhat - v["y"])
    back = (v["w2"].T @ error) * slope(a)
    return {
        "L": np.mean((yhat - v["y"]) ** 2),
        "W1": back @ v["X"].T,
        "b1": back.sum(axis=1, keepdims=True),
        "w2": error @ a.T,
        "b2": error.sum(),
    }


def _logistic(v: Mapping[str, Array]) -> dict[str, Any]:
    a = 1 / (1 + np.exp(-(v["w"] @ v["X"] + v["b"])))
    m = a.shape[1]
    loss = -np.mean(v["y"] * np.log(a) + (1 - v["y"]) * np.log(1 - a))
    return {"L": loss, "w": (a - v["y"]) @ v["X"].T / m, "b": np.mean(a - v["y"])}


def _perceptron(v: Mapping[str, Array]) -> dict[str, Any]:
    a1 = np.tanh(v["W1"] @ v["X"] + v["b1"])
    yhat = 1 / (1 + np.exp(-(v["w2"] @ a1 + v["b2"])))
    error = (yhat - v["y"]) / v["X"].shape[1]
    back = (v["w2"].T @ error) * (1 - a1**2)
    return {
        "L": -np.mean(v["y"] * np.log(yhat) + (1 - v["y"]) * np.log(1 - yhat)),
        "W1": back @ v["X"].T,
        "b1": back.sum(axis=1, keepdims=True),
        "w2": error @ a1.T,
        "b2": error.sum(),
    }


CLOSED = {
    "univariate-regression": _linear,
    "multivariate-regression": _linear,
    "two-layer-linear": lambda v: _two_layers(v, lambda z: z, np.ones_like),
    "two-layer-nonlinear": lambda v: _two_layers(v, lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "logistic-regression": _logistic,
    "perceptron-classifier": _perceptron,
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CLOSED)
def test_gradients_are_those_derived_by_hand(name: str, seed: int) -> None:
    model = bind(built_in(name), seed=seed)
    rng = np.random.default_rng(seed)
    # off the zeros at which some networks start
    leaves = {n: np.asarray(a + 0.1 * rng.normal(size=a.shape)) for n, a in model.parameters.items()}
    leaves = {**model.inputs, **leaves}
    loss, gradients = loss_and_gradients(model.graph, leaves)
    expected = CLOSED[name](leaves)
    assert loss == pytest.approx(expected.pop("L"), rel=1e-12)
    for parameter, gradient in expected.items():
        np.testing.assert_allclose(gradients[parameter], gradient, rtol=1e-9, atol=1e-12)


# --- real data ---------------------------------------------------------------------------------------------


def _csv(name: str) -> list[dict[str, str]]:
    path = Path(str(resources.files("graphs") / "datasets" / name))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_line_through_cars_is_the_one_that_r_finds() -> None:
    # R 4.3: coef(lm(dist ~ speed, cars)) is -17.579095 and 3.932409; deviance(lm(...)) is 11353.52
    model = bind(built_in("univariate-regression"))
    run = Run(model, Recipe(settings={"learning_rate": 0.3}))
    run.advance(200)
    parameters = run.point.parameters
    speed, dist = (np.array([float(row[c]) for row in _csv("cars.csv")]) for c in ("speed", "dist"))
    assert len(speed) == 50
    slope = float(parameters["w"]) * dist.std() / speed.std()
    intercept = float(parameters["b"]) * dist.std() + dist.mean() - slope * speed.mean()
    assert slope == pytest.approx(3.932409, abs=5e-7)
    assert intercept == pytest.approx(-17.579095, abs=5e-7)
    assert run.losses[-1] * 50 * dist.std() ** 2 == pytest.approx(11353.52, abs=5e-3)


def test_the_plane_through_penguins_is_the_least_squares_one() -> None:
    model = bind(built_in("multivariate-regression"))
    run = Run(model, Recipe(settings={"learning_rate": 0.3}))
    run.advance(400)
    x = np.vstack([model.leaves["X"], np.ones(model.examples)])
    expected, *_ = np.linalg.lstsq(x.T, model.leaves["y"][0], rcond=None)
    np.testing.assert_allclose(run.point.parameters["w"][0], expected[:-1], atol=1e-9)
    assert float(run.point.parameters["b"]) == pytest.approx(expected[-1], abs=1e-9)


def test_dropped_rows_and_standardising_are_noticed() -> None:
    notices = " ".join(bind(built_in("logistic-regression")).notices)
    assert "standardised" in notices
    assert "Adelie" in notices


# --- published worked examples -----------------------------------------------------------------------------


def test_matt_mazurs_step_by_step_example() -> None:
    # Matt Mazur, "A Step by Step Backpropagation Example", 2015,
    # mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example
    model = model_of(
        "h = sigmoid(W1 @ x + b1)\no = sigmoid(W2 @ h + b2)\nE = 0.5 * norm(t - o)**2",
        {"W1": [[0.15, 0.20], [0.25, 0.30]], "b1": 0.35, "W2": [[0.40, 0.45], [0.50, 0.55]], "b2": 0.60},
        {"x": [[0.05], [0.10]], "t": [[0.01], [0.99]]},
    )
    found = trace(model.graph, model.leaves)
    assert found.loss == pytest.approx(0.298371109, abs=5e-10)
    assert found.values["h"].ravel() == pytest.approx([0.593269992, 0.596884378], abs=5e-10)
    assert found.values["o"].ravel() == pytest.approx([0.75136507, 0.772928465], abs=5e-9)
    assert found.gradients["W2"][0, 0] == pytest.approx(0.082167041, abs=5e-10)
    assert found.gradients["W1"][0, 0] == pytest.approx(0.000438568, abs=5e-10)
    after = Run(model, Recipe(settings={"learning_rate": 0.5}))
    after.advance(1)
    assert after.point.parameters["W2"].ravel() == pytest.approx(
        [0.35891648, 0.408666186, 0.511301270, 0.561370121], abs=5e-9
    )
    assert after.point.parameters["W1"].ravel() == pytest.approx(
        [0.149780716, 0.19956143, 0.24975114, 0.29950229], abs=5e-9
    )


def test_the_sigmoid_circuit_of_cs231n() -> None:
    # Stanford CS231n, "Backpropagation, Intuitions", cs231n.github.io/optimization-2: the printed circuit
    model = model_of(
        "dot = w0 * x0 + w1 * x1 + w2\nneg = dot * -1\ne = exp(neg)\nden = e + 1\nf = 1 / den",
        {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0},
    )
    found = trace(model.graph, model.leaves)
    assert found.loss == pytest.approx(0.73, abs=5e-3)
    printed = {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}
    printed |= {"den": -0.53, "e": -0.53, "neg": -0.20, "dot": 0.20, "f": 1.0}
    for name, gradient in printed.items():
        assert float(found.gradients[name]) == pytest.approx(gradient, abs=6e-3), name


def test_the_three_gates_of_cs231n() -> None:
    # the same page: f = (x + y) z at x = -2, y = 5, z = -4 has the gradients -4, -4, 3
    model = model_of("q = x + y\nf = q * z", {"x": -2.0, "y": 5.0, "z": -4.0})
    found = trace(model.graph, model.leaves)
    assert found.loss == -12.0
    assert [float(found.gradients[n]) for n in "xyzq"] == [-4.0, -4.0, 3.0, -4.0]


def test_the_mixed_gates_of_cs231n() -> None:
    # the same page, "Patterns in backward flow": 2 (x y + max(z, w)) at 3, -4, 2, -1
    model = model_of("f = 2 * (x * y + max(z, w))", {"x": 3.0, "y": -4.0, "z": 2.0, "w": -1.0})
    found = trace(model.graph, model.leaves)
    assert found.loss == -20.0
    assert [float(found.gradients[n]) for n in "xyzw"] == [-8.0, 6.0, 2.0, 0.0]


def test_the_vectorised_example_of_cs231n() -> None:
    # Stanford CS231n, lecture 4 slides, "A vectorized example": f = ||W x||^2
    model = model_of("q = W @ x\nf = norm(q)**2", {"W": [[0.1, 0.5], [-0.3, 0.8]], "x": [[0.2], [0.4]]})
    found = trace(model.graph, model.leaves)
    assert found.loss == pytest.approx(0.116, abs=5e-4)
    np.testing.assert_allclose(found.gradients["q"], [[0.44], [0.52]], atol=1e-12)
    np.testing.assert_allclose(found.gradients["W"], [[0.088, 0.176], [0.104, 0.208]], atol=1e-12)
    np.testing.assert_allclose(found.gradients["x"], [[-0.112], [0.636]], atol=1e-12)


def test_micrograds_readme_example() -> None:
    # Andrej Karpathy, github.com/karpathy/micrograd, README: g 24.7041, gradients 138.8338 and 645.5773
    model = model_of(
        """
        c = a + b
        d = a * b + b**3
        c = c + c + 1
        c = c + 1 + c + (-a)
        d = d + d * 2 + relu(b + a)
        d = d + 3 * d + relu(b - a)
        e = c - d
        f = e**2
        g = f / 2.0
        g = g + 10.0 / f
        """,
        {"a": -4.0, "b": 2.0},
    )
    found = trace(model.graph, model.leaves)
    assert found.loss == pytest.approx(24.7041, abs=5e-5)
    assert float(found.gradients["a"]) == pytest.approx(138.8338, abs=5e-5)
    assert float(found.gradients["b"]) == pytest.approx(645.5773, abs=5e-5)


def test_micrograds_neuron() -> None:
    # Karpathy, "The spelled-out intro to neural networks and backpropagation", 2022: one tanh neuron
    model = model_of(
        "o = tanh(x1 * w1 + x2 * w2 + b)",
        {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432},
    )
    found = trace(model.graph, model.leaves)
    assert found.loss == pytest.approx(0.7071, abs=5e-5)
    printed = {"x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0}
    assert {n: round(float(found.gradients[n]), 10) for n in printed} == printed
