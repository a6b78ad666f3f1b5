"""The nudge test: it passes what is right, on kinks too, and finds what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from engine.gradcheck import Nudge, check, derivative, is_analytic, nudge
from engine.graph import Graph
from engine.ops import OPS, Link, Side
from engine.trace import loss_and_gradients, trace
from graphs.network import Model, bind, built_in, built_in_names
from tests.helpers import Sample, built, complex_slope, loss_at, model_of, samples, slope


def _small(name: str) -> Model:
    """Return a built-in network with its first twelve examples."""
    network = built_in(name)
    whole = bind(network)
    axis = {n: a[..., :12] for n, a in whole.inputs.items()}
    return bind(network, seed=3, overrides=axis)


@pytest.mark.parametrize("name", built_in_names())
def test_every_gradient_of_a_built_in_network_passes(name: str) -> None:
    model = _small(name)
    for found in check(model.graph, model.leaves):
        assert found.passed, f"{found.name}: {found.numeric} against {found.backpropagated}"
        assert found.numeric.shape == model.leaves[found.name].shape


def test_the_complex_step_is_taken_where_every_operation_allows_it() -> None:
    smooth = model_of("L = sum(sigmoid(w * x))", {"w": 0.5}, {"x": [1.0, 2.0]})
    kinked = model_of("L = sum(relu(w * x))", {"w": 0.5}, {"x": [1.0, 2.0]})
    assert is_analytic(smooth.graph)
    assert [c.method for c in check(smooth.graph, smooth.leaves)] == ["complex", "complex"]
    assert [c.method for c in check(kinked.graph, kinked.leaves)] == ["central", "central"]


def _with_wrong_factor(graph: Graph, name: str) -> Graph:
    """Return `graph` with an operation whose gradient is a tenth too large."""
    right = OPS[name]
    links = tuple((*chain, Link(Side.SCALAR, lambda *_, **__: 1.1)) for chain in right.factors)
    wrong = replace(right, factors=links)
    nodes = tuple(replace(n, op=wrong) if n.op is right else n for n in graph.nodes)
    return replace(graph, nodes=nodes)


@pytest.mark.parametrize("name", ["sigmoid", "relu"])
def test_a_wrong_gradient_is_found_with_both_numbers(name: str) -> None:
    model = model_of(f"L = sum({name}(w * x))", {"w": 0.5}, {"x": [1.0, 2.0]})
    found = next(check(_with_wrong_factor(model.graph, name), model.leaves, ("w",)))
    assert not found.passed
    assert found.worst.backpropagated == pytest.approx(1.1 * found.worst.numeric, rel=1e-6)
    assert found.error == pytest.approx(0.1 / 1.1, rel=1e-4)


KINKS = [
    ("sum(relu(w * x))", 0.0),
    ("sum(abs(w * x))", 0.0),
    ("norm(w * x)", 0.0),
    ("sum(max(w * x, 0))", 0.0),
    ("max(w * x)", 0.0),
    ("sum(relu(w * x - 1))", 0.5),
]


@pytest.mark.parametrize(("formula", "w"), KINKS)
def test_on_a_kink_any_slope_between_left_and_right_will_do(formula: str, w: float) -> None:
    model = model_of(f"L = {formula}", {"w": w}, {"x": [1.0, 2.0]})
    assert all(found.passed for found in check(model.graph, model.leaves, ("w",)))


def test_a_relu_network_that_starts_at_zero_passes() -> None:
    model = model_of(
        "A = relu(W @ X + b)\nL = mse(w @ A, y)",
        {"W": np.zeros((3, 2)), "b": np.zeros((3, 1)), "w": np.ones((1, 3))},
        {"X": np.ones((2, 4)), "y": np.ones((1, 4))},
    )
    assert all(found.passed for found in check(model.graph, model.leaves))


def test_one_entry_can_be_nudged() -> None:
    model = model_of("L = sum(w**2)", {"w": [[1.0, 3.0]]})
    found = nudge(model.graph, model.leaves, "w", (0, 1))
    assert (found.name, found.index) == ("w", (0, 1))
    assert found.numeric == pytest.approx(6.0, rel=1e-12)
    assert found.backpropagated == 6.0
    assert derivative(model.graph, model.leaves, "w", (0, 0)) == pytest.approx(2.0)


def test_errors_are_relative_but_not_below_what_rounding_leaves() -> None:
    assert Nudge("w", (), 2.0, 1.0).error == 0.5
    assert Nudge("w", (), 0.0, 1e-16).error < 1e-9
    assert Nudge("w", (), float("inf"), 1.0).error == float("inf")
    assert Nudge("w", (), float("nan"), 1.0).error == float("inf")


@pytest.mark.parametrize("times", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("beside", [0.0, 1e6, 1e18])
@pytest.mark.parametrize("right", ["sum(sigmoid(w * x))", "sum(relu(w * x))"])
def test_beside_a_large_loss_no_wrong_gradient_passes_as_right(
    right: str, beside: float, times: float
) -> None:
    model = model_of(f"L = {times!r} * {right} + {beside!r}", {"w": 0.5}, {"x": [1.0, 2.0]})
    _, gradients = loss_and_gradients(model.graph, model.leaves)
    found = next(check(model.graph, model.leaves, ("w",)))
    assert found.passed
    if is_analytic(model.graph):
        assert found.is_decided
    for factor in (0.0, -1.0, 0.5, 1.001, 2.0):
        claimed = {"w": factor * gradients["w"]}
        wrong = next(check(model.graph, model.leaves, ("w",), claimed))
        assert not (wrong.passed and wrong.is_decided), factor
        if found.is_decided:
            assert not wrong.passed, factor


def test_sixty_doublings_hide_no_wrong_gradient() -> None:
    lines = "\n".join(f"y{i + 1} = y{i} + y{i}" for i in range(60))
    model = model_of(f"y0 = 1 * w\n{lines}\nL = abs(y60)", {"w": 1.5})
    right, half = ({"w": np.asarray(2.0**power)} for power in (60, 59))
    assert [c.passed for c in check(model.graph, model.leaves, ("w",), right)] == [True]
    assert [c.passed for c in check(model.graph, model.leaves, ("w",), half)] == [False]


def test_an_unused_parameter_passes() -> None:
    model = model_of("L = a * 2", {"a": 1.0, "unused": [[1.0, 2.0]]})
    assert [found.passed for found in check(model.graph, model.leaves)] == [True, True]


# --- random networks ---------------------------------------------------------------------------------------


def kink_distances(model: Model, arrays: Any) -> Iterator[float]:
    """Yield how far the kinked operations of a pass are from their kinks."""
    for node in model.graph.nodes:
        ins = [arrays[i] for i in node.inputs]
        if node.op in (OPS["abs"], OPS["relu"]):
            yield np.min(np.abs(ins[0]))
        elif node.op is OPS["norm"]:
            yield np.min(np.abs(arrays[node.id])) / 10
        elif node.op in (OPS["maximum"], OPS["minimum"]):
            yield np.min(np.abs(ins[0] - ins[1]))
        elif node.op in (OPS["max"], OPS["min"]):
            axis = dict(node.attrs).get("axis")
            x = np.ravel(ins[0]) if axis is None else np.moveaxis(ins[0], axis, -1)
            yield np.min(np.diff(np.sort(x, axis=-1)), initial=1.0)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=100)
@given(sample=samples())
def test_gradients_of_random_networks_are_right(sample: Sample) -> None:
    model = built(sample)
    assume(model is not None)
    assert model is not None
    graph, leaves = model.graph, model.leaves
    found = trace(graph, leaves)
    largest = max(float(np.max(np.abs(a), initial=0.0)) for a in found.arrays)
    assume(largest < 1e4)
    assume(min(kink_distances(model, found.arrays), default=1.0) > 1e-3)
    assert all(c.passed for c in check(graph, leaves))
    rng = np.random.default_rng(0)
    for name in (*graph.parameters, *graph.inputs):
        x = leaves[name]
        assert found.gradients[name].shape == x.shape
        direction = np.asarray(rng.normal(0, 1, x.shape))
        got = float(np.sum(found.gradients[name] * direction))

        def loss(moved: np.ndarray, name: str = name) -> Any:
            return loss_at(graph, {**leaves, name: moved})

        expected = slope(loss, x, direction)
        close = 1e-4 * max(1.0, abs(got), largest * 1e-2)
        assert abs(got - expected) <= close, f"{name}: {got} against {expected}"
        if is_analytic(graph):
            exact = complex_slope(loss, x, direction)
            assert abs(got - exact) <= 1e-8 * max(1.0, abs(got), largest), f"{name}: {got} against {exact}"


def test_loss_and_gradients_is_what_the_trace_has() -> None:
    model = _small("two-layer-nonlinear")
    loss, gradients = loss_and_gradients(model.graph, model.leaves)
    found = trace(model.graph, model.leaves)
    assert loss == found.loss
    for name in model.graph.named:
        np.testing.assert_allclose(gradients[name], found.gradients[name], rtol=1e-12)


@pytest.mark.parametrize("right", ["sum(sigmoid(z))", "sum(softplus(z))", "norm(z)", "sum(norm(z, axis=0))"])
@pytest.mark.parametrize("value", [-800.0, 0.0, 800.0])
def test_saturated_and_kinked_networks_are_not_failed(right: str, value: float) -> None:
    model = model_of(f"L = {right}", {"z": [[value, value]]})
    assert all(found.passed for found in check(model.graph, model.leaves))
