"""A nudge of any node: its slope is the gradient, and where it is not, the verdict says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.errors import BackstepError
from engine.graph import Detail
from engine.nudge import EPSILONS, Verdict, nudge_any
from engine.ops import OPS, Link, Side
from engine.trace import Trace, forward, trace
from graphs.network import bind, built_in, built_in_names
from tests.engine.test_gradcheck import kink_distances
from tests.helpers import Sample, built, model_of, samples


def traced(name: str, detail: Detail = Detail.EQUATION) -> Trace:
    model = bind(built_in(name))
    return trace(model.graph, model.leaves, detail)


def of(formula: str, parameters: dict, data: dict) -> Trace:
    model = model_of(formula, parameters, data)
    return trace(model.graph, model.leaves)


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", list(Detail))
def test_the_slope_of_every_node_is_its_gradient(name: str, detail: Detail) -> None:
    whole = traced(name, detail)
    for node in whole.graph.visible(detail):
        index = tuple(d.size // 2 for d in whole.graph[node].dims)
        found = nudge_any(whole, node, index, 1e-4)
        assert found.verdict in (Verdict.AGREE, Verdict.NO_INFLUENCE), (
            node,
            found.numeric,
            found.backpropagated,
        )
        if node in whole.gradients:
            assert found.backpropagated == pytest.approx(float(whole.gradients[node][index]), rel=1e-12)
        assert found.loss == whole.loss


def test_what_comes_after_is_what_the_forward_pass_gives() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    whole = trace(model.graph, model.leaves)
    w = model.leaves["W1"].copy()
    w[2, 0] += 0.1
    wanted = forward(model.graph, {**model.leaves, "W1": w})
    found = nudge_any(whole, "W1", (2, 0), 0.1)
    assert next(iter(found.moved)) == "W1"
    assert "X" not in found.moved
    for name, moved in found.moved.items():
        i = model.graph.ids[name]
        np.testing.assert_allclose(moved, wanted[i] - whole.arrays[i], atol=1e-15)
    assert found.above == float(wanted[model.graph.ids["L"]])
    assert np.count_nonzero(found.moved["Z"]) <= found.moved["Z"].shape[1]  # of one row alone


def test_a_trace_is_left_as_it_was() -> None:
    whole = traced("two-layer-nonlinear")
    before = [array.copy() for array in whole.arrays]
    nudge_any(whole, "A", (1, 1), 0.5)
    for array, old in zip(whole.arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_a_large_step_over_a_curve_says_that_the_loss_is_curved() -> None:
    found = nudge_any(of("L = exp(w * x)", {"w": 1.0}, {"x": 3.0}), "w", (), 0.1)
    assert found.verdict == Verdict.CURVED
    assert found.error > 1e-3


def test_a_step_too_small_says_that_rounding_rules() -> None:
    whole = of("L = (w - x)**2 + c", {"w": 1.2345}, {"x": 1.0, "c": 1e9})
    found = nudge_any(whole, "w", (), 1e-8)
    assert found.verdict == Verdict.ROUNDING
    assert found.error > 1e-3
    assert nudge_any(whole, "w", (), 0.1).verdict in (Verdict.AGREE, Verdict.ROUNDING)


def test_a_kink_is_named_as_one() -> None:
    found = nudge_any(of("L = sum(relu(w * x))", {"w": 0.0}, {"x": [1.0, 2.0]}), "w", ())
    assert found.verdict == Verdict.KINK


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_a_wrong_gradient_is_blamed_whatever_the_step(epsilon: float) -> None:
    model = model_of("L = sum(sigmoid(w * x))", {"w": 0.5}, {"x": [1.0, 2.0]})
    right = OPS["sigmoid"]
    links = tuple((*chain, Link(Side.SCALAR, lambda *_, **__: 1.1)) for chain in right.factors)
    nodes = tuple(
        replace(n, op=replace(right, factors=links)) if n.op is right else n for n in model.graph.nodes
    )
    found = nudge_any(trace(replace(model.graph, nodes=nodes), model.leaves), "w", (), epsilon)
    assert found.verdict == Verdict.DISAGREE
    assert found.backpropagated == pytest.approx(1.1 * found.numeric, rel=1e-2)


FORGIVING = {Verdict.AGREE, Verdict.CURVED, Verdict.ROUNDING, Verdict.NO_INFLUENCE}
"""What is said of a gradient that is right."""
WRONG = (0.0, -1.0, 0.5, 0.99, 1.01, 2.0)


def claiming(whole: Trace, name: str, factor: float) -> Trace:
    """Return a trace that says another gradient of one value."""
    return replace(whole, gradients={**whole.gradients, name: factor * whole.gradients[name]})


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("kinked", ["", "L = abs(y60)\n"])
def test_beside_a_loss_as_large_as_sixty_doublings_wrong_gradients_are_wrong(
    epsilon: float, kinked: str
) -> None:
    lines = "\n".join(f"y{i + 1} = y{i} + y{i}" for i in range(60))
    whole = of(f"y0 = 1 * w\n{lines}\n{kinked or 'L = y60'}", {"w": 1.5}, {})
    for name in ("y59", "y30", "w"):
        assert nudge_any(whole, name, (), epsilon).verdict in FORGIVING
        for factor in WRONG:
            found = nudge_any(claiming(whole, name, factor), name, (), epsilon)
            assert found.verdict == Verdict.DISAGREE, (name, factor, found.numeric)


def test_of_a_loss_too_large_for_any_difference_nothing_is_said() -> None:
    whole = of("L = abs(w) + c", {"w": 1.0}, {"c": 1e18})  # abs has no complex rule
    for factor in (1.0, *WRONG):
        assert nudge_any(claiming(whole, "w", factor), "w", ()).verdict == Verdict.UNCLEAR
    smooth = of("L = w + c", {"w": 1.0}, {"c": 1e18})
    assert nudge_any(smooth, "w", ()).verdict == Verdict.ROUNDING
    assert nudge_any(claiming(smooth, "w", 2.0), "w", ()).verdict == Verdict.DISAGREE


def test_numbers_that_cancel_on_the_way_blame_nobody() -> None:
    whole = of("L = c * (abs(w) - 1)", {"w": 1.0 + 1e-9}, {"c": 1e9})
    for epsilon in EPSILONS:
        assert nudge_any(whole, "w", (), epsilon).verdict != Verdict.DISAGREE
        assert nudge_any(claiming(whole, "w", 2.0), "w", (), epsilon).verdict not in FORGIVING


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=150)
@given(
    sample=samples(),
    times=st.integers(-12, 12),
    beside=st.sampled_from((0.0, 1.0, -1e6, 1e12, 1e18)),
    epsilon=st.sampled_from(EPSILONS),
    factor=st.sampled_from(WRONG),
    data=st.data(),
)
def test_right_gradients_are_never_blamed_and_wrong_ones_never_accepted(
    sample: Sample, times: int, beside: float, epsilon: float, factor: float, data: st.DataObject
) -> None:
    formula = f"{sample.formula}\nM = {10.0**times!r} * L + {beside!r}"
    model = built(sample._replace(formula=formula))
    assume(model is not None)
    assert model is not None
    whole = trace(model.graph, model.leaves)
    assume(min(kink_distances(model, whole.arrays), default=1.0) > 1e-3)
    name = data.draw(st.sampled_from(sorted(whole.gradients)))
    index = data.draw(st.sampled_from(list(np.ndindex(whole.gradients[name].shape))))
    found = nudge_any(whole, name, index, epsilon)
    assert found.verdict != Verdict.DISAGREE, (found.numeric, found.backpropagated)
    largest = max(float(np.max(np.abs(array))) for array in whole.gradients.values())
    assume(abs(found.backpropagated) > 1e-5 * largest)
    wrong = nudge_any(claiming(whole, name, factor), name, index, epsilon)
    assert wrong.verdict not in FORGIVING, (found.numeric, found.backpropagated, wrong.backpropagated)


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("factor", WRONG)
def test_a_wrong_gradient_of_a_built_in_network_is_blamed(name: str, factor: float) -> None:
    whole = traced(name)
    for node, gradient in whole.gradients.items():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape))
        if abs(gradient[index]) > 1e-9:  # the others are zero, such as that of a mean that is taken off
            found = nudge_any(claiming(whole, node, factor), node, index)
            assert found.verdict == Verdict.DISAGREE, (node, found.numeric)


def test_a_gradient_where_there_is_no_influence_is_wrong() -> None:
    whole = of("u = w * x\nL = sum(x * x)", {"w": 0.5}, {"x": [1.0, 2.0]})
    claimed = replace(whole, gradients={**whole.gradients, "w": np.asarray(1.0)})
    assert nudge_any(claimed, "w", (), 0.1).verdict == Verdict.DISAGREE


def test_what_the_loss_does_not_read_has_no_influence() -> None:
    found = nudge_any(of("u = w * x\nL = sum(x * x)", {"w": 0.5}, {"x": [1.0, 2.0]}), "w", (), 0.1)
    assert (found.verdict, found.change, found.backpropagated) == (Verdict.NO_INFLUENCE, 0.0, 0.0)
    np.testing.assert_allclose(found.moved["u"], [[0.1, 0.2]])


def test_numbers_that_are_not_finite_are_said() -> None:
    found = nudge_any(of("L = log(w * x)", {"w": 0.0}, {"x": 1.0}), "w", ())
    assert found.verdict == Verdict.NOT_FINITE


@pytest.mark.parametrize(
    ("name", "index", "epsilon", "words"),
    [
        ("Q", (), 1e-4, "no node Q"),
        ("w", (0,), 1e-4, "no entry"),
        ("x", (0, 5), 1e-4, "no entry"),
        ("w", (), 0.0, "ε"),
    ],
)
def test_what_is_not_there_cannot_be_nudged(name: str, index: tuple, epsilon: float, words: str) -> None:
    with pytest.raises(BackstepError, match=words):
        nudge_any(of("L = sum(w * x)", {"w": 0.5}, {"x": [1.0, 2.0]}), name, index, epsilon)
