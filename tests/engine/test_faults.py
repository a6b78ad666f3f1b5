"""Faults: each is seen in equations, steps, the nudge test and the curve, where it is put."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import graphs
from engine.alterations import Change, alterations
from engine.derive import Derivation, part_source
from engine.errors import UsageError
from engine.faults import (
    FAULTS,
    Fault,
    FaultyDerivation,
    FaultyRun,
    FaultyTrace,
    Place,
    Stage,
    faulty_trace,
    nudged,
)
from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.trace import Phase, trace
from engine.training import Recipe, Run
from graphs.network import Model, bind, built_in_names, load
from tests.helpers import Sample, built, model_of, run, samples, scope_of

TEMPLATES = sorted(str(p) for p in (Path(graphs.__file__).parent / "templates").glob("*.toml"))
NETWORKS = [*built_in_names(), *TEMPLATES]
IN_BACKWARD = [f for f in FAULTS.values() if f.stage in (Stage.FACTOR, Stage.ACCUMULATION)]
SHARED = model_of("h = w*x\ng = h*h + w\nL = sum(g)", {"w": 0.5}, {"x": [1.0, 2.0]})


def placed(model: Model) -> Iterator[tuple[Fault, Place]]:
    for fault in IN_BACKWARD:
        for place in fault.places(model.graph):
            yield fault, place


def faulty(model: Model, fault: Fault, place: Place, detail: Detail = Detail.EQUATION) -> FaultyTrace:
    return faulty_trace(model.graph, model.leaves, fault, place, detail)


@pytest.mark.parametrize("network", NETWORKS)
def test_equations_and_steps_carry_the_same_fault(network: str) -> None:
    """The source that is printed with the fault comes to the gradients of the faulty steps."""
    model = bind(load(network))
    for fault, place in placed(model):
        found = faulty(model, fault, place)
        scope = scope_of(model, found.trace.values)
        for name, source in FaultyDerivation(model.graph, fault, place).code():
            scope[f"d_{name}"] = value = run(source, **scope)
            wanted = found.trace.gradients[name]
            np.testing.assert_allclose(
                value, wanted, rtol=1e-8, atol=1e-10, err_msg=f"{fault.name} {place} {source}"
            )


@pytest.mark.parametrize("network", NETWORKS)
def test_nothing_is_spoiled_before_the_marked_step(network: str) -> None:
    model = bind(load(network))
    seen = 0
    for fault, place in placed(model):
        for detail in Detail:
            found = faulty(model, fault, place, detail)
            if not found.shows:  # a transposed row of one entry, an example alone
                continue
            seen += 1
            assert found.marked, (fault.name, place)
            first = min(found.spoiled)
            assert first in found.marked
            step = found.trace.steps[first]
            assert step.phase == Phase.BACKWARD
            if detail == Detail.EQUATION and fault.stage == Stage.FACTOR:
                assert step.node == place.node
    assert seen


@pytest.mark.parametrize("network", [n for n in built_in_names() if n != "scalar-operations"])
def test_the_nudge_test_finds_the_gradients_that_are_spoiled(network: str) -> None:
    model = bind(load(network))
    small = model.revalued({})
    for fault, place in placed(small):
        found = faulty(small, fault, place)
        names = small.graph.parameters
        failed = {c.name for c in nudged(found, names) if not c.passed}
        spoiled = {
            name
            for name in names
            if not np.allclose(found.trace.gradients[name], found.right.gradients[name], rtol=1e-6)
        }
        assert failed == spoiled, (fault.name, place)


def test_a_fan_out_that_is_overwritten_keeps_the_last_contribution() -> None:
    fault = FAULTS["overwrite"]
    places = fault.places(SHARED.graph)
    assert [p.name for p in places] == ["h", "w"]
    for place in places:
        for detail in Detail:
            found = faulty(SHARED, fault, place, detail)
            last = [s for s in found.trace.steps if s.phase == Phase.BACKWARD and s.target == place.name][-1]
            assert last.contribution is not None
            np.testing.assert_array_equal(found.trace.gradients[place.name], last.contribution)
            assert r"\mathrel{+}=" not in (
                FaultyDerivation(SHARED.graph, fault, place)
                .backward_equation(place.node, place.slot, accumulate=True)
                .latex
            )


def test_where_a_fault_does_not_apply_there_is_no_place() -> None:
    straight = model_of("yhat = w*x\nL = sum(yhat)", {"w": 0.5}, {"x": [1.0, 2.0]}).graph
    assert FAULTS["overwrite"].places(straight) == ()
    assert FAULTS["transpose"].places(straight) == ()
    assert FAULTS["count"].places(straight) == ()
    with pytest.raises(UsageError, match="does not apply"):
        FAULTS["count"].place(straight, "yhat")


def test_a_matrix_that_cannot_stand_as_it_is_is_reshaped() -> None:
    wide = {"W": np.arange(6.0).reshape(2, 3), "V": np.ones((3, 2))}
    model = model_of("A = V @ X\nL = norm(W @ A)**2", wide, {"X": np.eye(2)})
    place = next(p for p in FAULTS["transpose"].places(model.graph) if p.name == "A")
    assert place.alteration is not None
    assert place.alteration.change == Change.RESHAPE
    found = faulty(model, FAULTS["transpose"], place)
    d_Q = 2 * wide["W"] @ (wide["V"] @ np.eye(2))
    np.testing.assert_allclose(found.trace.gradients["A"], wide["W"].reshape(3, 2) @ d_Q)


@given(samples(3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_network_can_carry_any_fault(sample: Sample) -> None:
    model = built(sample)
    if model is None:
        return
    for fault in IN_BACKWARD:
        for place in fault.places(model.graph)[:2]:
            found = faulty(model, fault, place)
            assert len(found.trace.steps) == len(found.right.steps)
            for own, right in zip(found.trace.steps, found.right.steps, strict=True):
                assert own.after.shape == right.after.shape
            scope = scope_of(model, found.trace.values)
            derivation = FaultyDerivation(model.graph, fault, place)
            for name, source in derivation.code():
                scope[f"d_{name}"] = value = run(source, **scope)
                np.testing.assert_allclose(
                    value, found.trace.gradients[name], rtol=1e-6, atol=1e-8, err_msg=source
                )


# --- alterations -------------------------------------------------------------------------------------------


@given(samples(3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_alterations_with_numbers_and_in_symbols_agree(sample: Sample) -> None:
    model = built(sample)
    if model is None:
        return
    graph = model.graph
    found, derivation = trace(graph, model.leaves), Derivation(graph)
    values = dict(found.values)
    for node in graph.nodes:
        if node.op is None or node.id not in graph.active or node.id not in graph.on_loss_path:
            continue
        for slot, source in enumerate(node.inputs):
            if source in graph.active:
                _compare(model, derivation, found.arrays, values, node.id, slot)


def _compare(model: Model, derivation: Derivation, arrays, values, node_id: int, slot: int) -> None:
    from engine import expr as ex
    from engine import ops
    from engine.expr import Name
    from engine.notation import source
    from engine.trace import links

    node = model.graph.nodes[node_id]
    g = np.random.default_rng(3).normal(size=[d.size for d in node.dims])
    symbol = Name("upstream", node.dims, "g", "g")
    symbols, numbers = derivation.links(node, slot), links(model.graph, node, slot, arrays)
    for alteration in alterations(derivation, node, slot):
        by_symbols = ops.chain(symbol, alteration.applied(symbols))
        by_numbers = ops.chain(g, alteration.applied(numbers, lambda expr: ex.evaluate(expr, values)))
        in_symbols = ex.evaluate(by_symbols, {**values, "upstream": g})
        by_source = run(source(by_symbols), **scope_of(model, values), g=g)
        message = f"{alteration} {source(by_symbols)}"
        np.testing.assert_allclose(
            np.broadcast_to(in_symbols, np.shape(by_numbers)),
            by_numbers,
            rtol=1e-6,
            atol=1e-8,
            err_msg=message,
        )
        np.testing.assert_allclose(
            np.broadcast_to(by_source, np.shape(by_numbers)),
            by_numbers,
            rtol=1e-6,
            atol=1e-8,
            err_msg=message,
        )


# --- training ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_a_faulty_run_does_what_its_faulty_steps_say(fault: Fault, optimizer: str) -> None:
    model = bind(load("graphs/templates/residual.toml"))
    place = fault.places(model.graph)[0]
    training = FaultyRun(model, fault, place, Recipe(optimizer, batch_size=4))
    training.advance(5)
    for iteration in range(5):
        point = training.at(iteration)
        graph, data = model.batch(model.indices(iteration, 4))
        found = training.traced(graph, {**data, **point.parameters}, point)
        after = training.at(iteration + 1)
        for name, array in after.parameters.items():
            step = found.updates[name][-1]
            np.testing.assert_allclose(step.after, array, rtol=1e-9, atol=1e-12)
    again = FaultyRun(model, fault, place, Recipe(optimizer, batch_size=4))
    again.advance(5)
    np.testing.assert_array_equal(again.losses, training.losses)


def test_a_run_without_a_fault_is_the_interpreters() -> None:
    """With rules that change nothing the faulty run is the right one: all difference is the fault's."""
    model = bind(load("two-layer-nonlinear"))
    same = FAULTS["sign"]
    place = Place()  # nowhere
    slow, fast = FaultyRun(model, same, place), Run(model)
    slow.advance(20)
    fast.advance(20)
    np.testing.assert_allclose(slow.losses, fast.losses, rtol=1e-9)


def test_gradients_that_are_not_reset_add_up() -> None:
    model = model_of("L = norm(w)**2", {"w": [1.0, -2.0]})
    fault = FAULTS["reset"]
    training = FaultyRun(model, fault, fault.places(model.graph)[0], Recipe("gd", {"learning_rate": 0.1}))
    training.advance(3)
    w, added = np.array([[1.0, -2.0]]), 0.0
    for iteration in range(3):
        added = added + 2 * w
        w = w - 0.1 * added
        np.testing.assert_allclose(training.at(iteration + 1).parameters["w"], w, rtol=1e-12)
    point = training.at(2)
    found = training.traced(model.graph, point.parameters, point)
    state = found.start()
    np.testing.assert_allclose(state.gradients["w"], point.state["w", "left"])
    for step in found.steps:
        state.apply(step)
    for step in reversed(found.steps):
        state.revert(step)
    np.testing.assert_array_equal(state.gradients["w"], found.start().gradients["w"])


def test_units_that_start_at_zero_stay_alike() -> None:
    model = bind(load("perceptron-classifier"))
    fault = FAULTS["zeros"]
    training = FaultyRun(model, fault, fault.places(model.graph)[0])
    training.advance(30)
    W1 = training.point.parameters["W1"]
    assert np.allclose(W1, W1[0])
    right = Run(model)
    right.advance(30)
    assert not np.allclose(right.point.parameters["W1"], right.point.parameters["W1"][0])


@pytest.mark.parametrize("network", built_in_names())
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_too_large_a_rate_makes_the_loss_worse(network: str, optimizer: str) -> None:
    if network == "scalar-operations":  # a sigmoid is the loss: it cannot grow for ever
        return
    model = bind(load(network))
    fault = FAULTS["rate"]
    training = FaultyRun(model, fault, fault.places(model.graph)[0], Recipe(optimizer))
    training.advance(30)
    assert training.diverged or np.max(training.losses) > training.losses[0]


def test_a_faulty_run_travels() -> None:
    model = bind(load("two-layer-nonlinear"))
    fault = FAULTS["activation"]
    training = FaultyRun(model, fault, fault.places(model.graph)[0])
    training.advance(3)
    other = pickle.loads(pickle.dumps(training))
    training.advance(4)
    other.advance(4)
    np.testing.assert_array_equal(other.losses, training.losses)


def test_every_fault_says_what_it_is() -> None:
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.explanation.endswith(".")
        model = bind(load("graphs/templates/residual.toml"))
        for place in fault.places(model.graph):
            assert fault.where(place)


def test_part_names_are_kept_apart() -> None:
    assert part_source("L.1") == "L_part1"
