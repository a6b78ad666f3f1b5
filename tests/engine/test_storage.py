"""What is kept, how long, and what is worked out again: against iterations done with nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.derive import Derivation
from engine.faults import FAULTS, FaultyDerivation, Stage
from engine.graph import Detail
from engine.ops import OPS
from engine.storage import Storage, _Replay, operations, read_by, replay, size_of
from engine.trace import Phase, Trace, trace
from graphs.drills.stored import stored_values
from graphs.network import Model, bind, built_in_names, load
from graphs.templates import template, template_names
from graphs.views.frame import Statics
from tests.graphs.snapshots import snapshot_of
from tests.helpers import Sample, built, model_of, samples

DEPTH = 16


def chain(depth: int) -> Model:
    lines = "\n".join(f"h{i + 1} = tanh(W @ h{i})" for i in range(depth))
    formula = f"h0 = tanh(W @ X)\n{lines}\nL = sum(h{depth} * h{depth})"
    return model_of(formula, {"W": [[0.5, 0.1], [0.2, 0.3]]}, {"X": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]})


@cache
def models() -> dict[str, Model]:
    found = {name: bind(load(name)) for name in built_in_names()}
    found |= {name: bind(template(name), seed=2) for name in template_names() if name != "blank"}
    found["chain"] = chain(DEPTH)
    found["reads its output"] = model_of("z = exp(a * x)\nL = exp(sum(z) / 9)", {"a": 0.3}, {"x": [1.0, 2.0]})
    two = "z = a * x\nA = sigmoid(z)\nB = relu(z)\nL = sum(A * B)"
    found["two readers"] = model_of(two, {"a": 0.3}, {"x": [1, 2]})
    found["not used"] = model_of("z = a * x\nq = z * z\nL = sum(z)", {"a": 0.3}, {"x": [1.0, 2.0]})
    largest = "z = a * x\nL = max(z) + sum(max(z, b)) + norm(z) + sum(softmax(z, axis=1) * x)"
    found["max"] = model_of(largest, {"a": 0.3, "b": 0.4}, {"x": [1, 2]})
    return found


def traces() -> Iterator[tuple[str, Trace]]:
    for name, model in models().items():
        for detail in Detail:
            yield f"{name}, {detail}", trace(model.graph, model.leaves, detail)


def leaves_of(found: Trace) -> dict[str, np.ndarray]:
    return {name: found.values[name] for name in (*found.graph.inputs, *found.graph.parameters)}


def check(name: str, found: Trace, storage: Storage) -> None:
    """Do the iteration with what is in memory: numbers and memory have to be as they are said to be."""
    done = replay(storage, leaves_of(found))
    for step in found.steps:
        if step.phase == Phase.BACKWARD:
            own = done.contributions[step.index]
            there = np.asarray(step.contribution)
            assert np.array_equal(own, there, equal_nan=True), (name, step.node, step.input)
    for gradient, array in done.gradients.items():
        if gradient in found.gradients:  # of parts there are none by name
            assert np.array_equal(array, found.gradients[gradient], equal_nan=True), (name, gradient)
    assert done.held == tuple(moment.held for moment in storage.moments), name
    assert done.peak == storage.peak, name
    assert storage.moments[-1].held == 0, name
    assert sum(size_of(found.graph.nodes[i]) for i in storage.at_peak) == storage.peak, name


def test_recomputed_gradients_are_the_same_to_the_last_bit_for_every_network() -> None:
    draw = random.Random(5)
    for name, found in traces():
        everything = Storage(found)
        assert everything.extra == 0
        check(name, found, everything)
        for share in (0.2, 0.5, 0.8, 1.0):
            dropped = [own for own in everything.kept if draw.random() < share]
            storage = Storage(found, dropped)
            assert storage.recomputed == tuple(n for n in everything.kept if n in dropped)
            assert (storage.extra > 0) == bool(storage.recomputed), name
            check(name, found, storage)


@given(st.sets(st.integers(0, DEPTH)))
def test_any_choice_of_a_deep_chain_gives_the_same_gradients(dropped: set[int]) -> None:
    model = models()["chain"]
    found = trace(model.graph, model.leaves)
    storage = Storage(found, {f"h{i}" for i in dropped})
    check("chain", found, storage)
    assert storage.peak <= Storage(found).peak
    # each layer that is not kept is worked out once again, and no more
    assert storage.extra == sum(storage._pieces.operations(model.graph.ids[n]) for n in storage.recomputed)


def test_what_is_kept_is_needed() -> None:
    seen = 0
    for name, found in traces():
        storage = Storage(found)
        for own in storage.kept[:6]:
            op = found.graph[own].op
            if op is not None and op.name in ("max", "min"):
                continue  # the shares are taken from the entries alone
            backward = [step for step in found.steps if step.contribution is not None]
            same = [
                np.array_equal(spoiled[s.index], np.asarray(s.contribution))
                for spoiled in _spoiled(storage, leaves_of(found), found.graph.ids[own])
                for s in backward
            ]
            assert not all(same), (name, own)
            seen += 1
    assert seen > 80


def _spoiled(
    storage: Storage, leaves: dict[str, np.ndarray], node_id: int
) -> Iterator[Mapping[int, np.ndarray]]:
    """Do iterations in which one kept value turns into something else as soon as forward is done."""
    draw = np.random.default_rng(3)
    for scale in (1, -10, 10):
        replaying = _Replay(storage, leaves)
        with np.errstate(all="ignore"):
            for step, moment in zip(storage.steps, storage.moments, strict=True):
                if step.phase == Phase.SEED:
                    noise = draw.uniform(0, 1, size=replaying._memory[node_id].shape)
                    replaying._memory[node_id] = scale * noise
                replaying._do(step, moment)
        yield replaying._contributions


def test_readers_are_those_that_the_screen_marks() -> None:
    for name, model in models().items():
        for detail in Detail:
            found = trace(model.graph, model.leaves, detail)
            if not all(line.written for line in model.graph.lines):
                continue
            storage, statics = Storage(found), Statics(model.graph, detail)
            for own, readers in statics.readers.items():
                assert {found.steps[i].node for i in storage.readers[own]} == set(readers), (
                    name,
                    detail,
                    own,
                )
            assert set(storage.readers) == set(statics.readers), (name, detail)


def read_at_every_step(storage: Storage, derivation: Derivation) -> None:
    """Assert that each step reads what is marked in its factor, as the screen shows it."""
    for step in storage.steps:
        if step.phase == Phase.BACKWARD:
            marked = derivation.contribution(step.node, step.slot).factor.uses
            read = {storage.graph.nodes[i].name for i in storage.moments[step.index].reads}
            assert read == set(marked), (step.node, step.target)


@given(samples())
def test_each_step_of_any_network_reads_what_its_factor_shows(sample: Sample) -> None:
    model = built(sample)
    if model is None or not all(line.written for line in model.graph.lines):
        return
    for detail in Detail:
        found = trace(model.graph, model.leaves, detail)
        storage = Storage(found)
        read_at_every_step(storage, Derivation(model.graph, detail))
        done = replay(storage, leaves_of(found))
        for index, own in done.contributions.items():
            assert np.array_equal(own, np.asarray(found.steps[index].contribution), equal_nan=True)


@pytest.mark.parametrize(
    "formula", ["L = w + 0 * sin(h)", "L = w + (h * h)**0", "L = w + 0.0 * norm(h)**2", "L = w * (h - h)**0"]
)
def test_what_is_multiplied_by_zero_is_not_read(formula: str) -> None:
    model = model_of(f"h = 3 * w\n{formula}", {"w": 2.0})
    found = trace(model.graph, model.leaves)
    storage = Storage(found)
    read_at_every_step(storage, Derivation(model.graph))
    assert "h" not in storage.readers
    check(formula, found, storage)


@pytest.mark.parametrize("name", [n for n, fault in FAULTS.items() if fault.stage == Stage.FACTOR])
def test_what_a_fault_leaves_out_is_not_read(name: str) -> None:
    places = 0
    for model in models().values():
        for place in FAULTS[name].places(model.graph):
            for detail in Detail:
                derivation = FaultyDerivation(model.graph, FAULTS[name], place, detail)
                storage = Storage(trace(model.graph, model.leaves, detail), derivation=derivation)
                if all(line.written for line in model.graph.lines):
                    read_at_every_step(storage, derivation)
                    places += 1
    assert places, name


def test_a_slope_that_is_left_out_needs_no_activation() -> None:
    model = models()["two-layer-nonlinear"]
    found, fault = trace(model.graph, model.leaves), FAULTS["activation"]
    derivation = FaultyDerivation(model.graph, fault, fault.places(model.graph)[0])
    read = {found.steps[i].target for i in Storage(found).readers["A"]}
    assert read == {"w2", "Z"}
    assert {found.steps[i].target for i in Storage(found, (), derivation).readers["A"]} == {"w2"}


@pytest.mark.parametrize("name", built_in_names())
def test_the_exercise_about_stored_values_asks_for_what_the_shelf_shows(name: str) -> None:
    snapshot = snapshot_of(models()[name])
    storage = Storage(snapshot.trace)
    assert set(stored_values(snapshot)) <= set(storage.kept)
    inputs_alone = set(storage.kept) - set(stored_values(snapshot))
    graph = snapshot.trace.graph
    for own in inputs_alone:  # read for gradients of data alone
        targets = {snapshot.trace.steps[i].target for i in storage.readers[own]}
        assert all(graph.ids[target] not in graph.trained for target in targets)


def test_the_network_of_the_primer_by_hand() -> None:
    model = models()["two-layer-nonlinear"]
    found = trace(model.graph, model.leaves)
    storage, m, k = Storage(found), 133, 4
    assert storage.kept == ("A", "yhat")
    held = [moment.held for moment in storage.moments]
    # Z; A, while Z goes; yhat; the loss, which nobody reads; the seed; two read yhat; A is last read for Z
    a, y = k * m, m
    assert held == [a, a, a + y, a + y, a + y, a + y, a, a, a, a, 0, 0, 0, 0]
    assert (storage.peak, storage.peak_index) == (2 * k * m, 1)  # Z and A at once
    assert [model.graph.nodes[i].name for i in storage.at_peak] == ["Z", "A"]
    again = Storage(found, {"A"})
    place = next(i for i, moment in enumerate(again.moments) if moment.passing)
    assert found.steps[place].input == "w2"
    assert [model.graph.nodes[i].name for i in again.moments[place].worked_out] == ["Z", "A"]
    assert {model.graph.nodes[i].name for i in again.origins(place)} == {"X", "W1", "b1"}
    assert again.extra == k * m + k * m + k * m  # W1 X with one feature, + b1, sigma
    assert again.moments[4].held == m


def test_every_root_th_layer_kept_takes_far_less_memory() -> None:
    deep = chain(100)
    found = trace(deep.graph, deep.leaves)
    everything = Storage(found)
    some = Storage(found, [name for i, name in enumerate(everything.kept) if i % 10])
    size = 6
    assert everything.peak == 101 * size + 1
    assert some.peak <= 22 * size
    assert some.extra < some.forward
    check("deep", found, some)


def test_names_that_backward_does_not_read_are_left_out() -> None:
    model = models()["two-layer-nonlinear"]
    found = trace(model.graph, model.leaves)
    storage = Storage(found, {"Z", "X", "nobody", "A"})
    assert (storage.kept, storage.recomputed) == (("yhat",), ("A",))


def test_what_each_operation_reads() -> None:
    formula = "s = sigmoid(z)\nr = relu(s)\np = r * x\nq = p + x\nL = sum(q**2)"
    model = model_of(formula, {"z": 0.3}, {"x": [1, 2]})
    graph = model.graph
    expected = {"s": {"s"}, "r": {"s"}, "p": {"x"}, "q": set(), "L": set()}
    for name, read in expected.items():
        assert {graph.nodes[i].name for i in read_by(graph, graph[name], 0)} == read, name
    square = graph.nodes[graph["L"].inputs[0]]
    assert {graph.nodes[i].name for i in read_by(graph, square, 0)} == {"q"}


def test_operations_are_counted() -> None:
    graph = models()["two-layer-linear"].graph
    k, n, m = graph["Z"].dims[0].size, graph["X"].dims[0].size, graph["Z"].dims[1].size
    product = next(node for node in graph.nodes if node.op is OPS["@"])
    assert operations(graph, product) == k * m * (2 * n - 1)
    assert operations(graph, graph["Z"]) == k * m  # + b1
    assert operations(graph, graph["X"]) == 0
