"""A pass as data: to the end and back, every array bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.errors import BackstepError
from engine.graph import Detail
from engine.optimizers import OPTIMIZERS, updates
from engine.trace import Phase, State, Step, Trace, gradients, loss_and_gradients, trace
from graphs.network import Model, bind, built_in, built_in_names
from tests.helpers import Sample, built, model_of, samples


def snapshot(state: State) -> dict[str, Any]:
    tables = {"v": state.values, "g": state.gradients, "q": state.quantities}
    return {
        f"{t} {key}": a.tobytes() + str(a.shape).encode()
        for t, table in tables.items()
        for key, a in table.items()
    }


def traced(model: Model, detail: Detail) -> Trace:
    gd = OPTIMIZERS["gd"]
    return trace(
        model.graph,
        model.leaves,
        detail,
        lambda parameters, found: updates(gd, parameters, found, {}, gd.settings({})),
    )


def walk(found: Trace) -> None:
    """Walk a trace to its end and back, comparing every array at every place."""
    state = found.start()
    places = [snapshot(state)]
    for step in found.steps:
        state.apply(step)
        places.append(snapshot(state))
    for position, step in reversed(list(enumerate(found.steps))):
        assert snapshot(state) == places[position + 1]
        state.revert(step)
        assert snapshot(state) == places[position]


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", built_in_names())
def test_built_in_networks_walk_to_the_end_and_back(name: str, detail: Detail) -> None:
    walk(traced(bind(built_in(name)), detail))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(samples(), st.sampled_from(Detail))
def test_random_networks_walk_to_the_end_and_back(sample: Sample, detail: Detail) -> None:
    model = built(sample)
    assume(model is not None)
    assert model is not None
    with np.errstate(all="ignore"):
        found = traced(model, detail)
    walk(found)
    other = trace(model.graph, model.leaves, Detail.PRIMITIVE)
    for name in model.graph.named:
        np.testing.assert_array_equal(found.values[name], other.values[name])
        close = 1e-9 * max(1.0, float(np.max(np.abs(other.gradients[name]))))
        np.testing.assert_allclose(found.gradients[name], other.gradients[name], rtol=1e-9, atol=close)


@given(st.data())
def test_a_walk_that_turns_about_arrives_where_a_straight_one_does(data: st.DataObject) -> None:
    found = traced(bind(built_in("scalar-operations")), Detail.PRIMITIVE)
    state, position = found.start(), 0
    for target in data.draw(st.lists(st.integers(0, len(found.steps)), max_size=8)):
        while position < target:
            state.apply(found.steps[position])
            position += 1
        while position > target:
            position -= 1
            state.revert(found.steps[position])
        assert snapshot(state) == snapshot(found.state(position))


# --- what a pass is made of --------------------------------------------------------------------------------


def phases(steps: tuple[Step, ...]) -> list[str]:
    return [f"{s.phase} {s.node}" + (f"->{s.input}.{s.slot}" if s.input else "") for s in steps]


def test_steps_stand_in_the_order_of_the_pass() -> None:
    model = model_of("z = w * v + b\nL = sigmoid(z)", {"w": 2.0, "v": 0.5, "b": 1.0})
    found = traced(model, Detail.EQUATION)
    assert phases(found.steps) == [
        "forward z",
        "forward L",
        "seed L",
        "backward L->z.0",
        "backward z->w.0",
        "backward z->v.1",
        "backward z->b.2",
        "update w",
        "update v",
        "update b",
    ]
    assert [s.index for s in found.steps] == list(range(10))


def test_a_value_used_twice_in_one_operation_gets_two_contributions() -> None:
    found = trace(model_of("L = x * x", {"x": 3.0}).graph, {"x": np.array(3.0)})
    back = [s for s in found.steps if s.phase == Phase.BACKWARD]
    assert phases(tuple(back)) == ["backward L->x.0", "backward L->x.1"]
    assert [
        (s.before, float(s.contribution if s.contribution is not None else 0), float(s.after)) for s in back
    ] == [
        (None, 3.0, 3.0),
        (np.asarray(3.0), 3.0, 6.0),
    ]


def test_a_value_used_in_two_lines_gets_the_sum() -> None:
    model = model_of("a = x**2\nb = 3 * x\nL = a * b", {"x": 2.0})
    found = trace(model.graph, model.leaves)
    assert float(found.gradients["x"]) == 9 * 2.0**2
    arriving = [s for s in found.steps if s.input == "x"]
    assert len(arriving) == 2
    assert arriving[-1].after == found.gradients["x"]


def test_running_backward_twice_gives_the_same_gradients() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    first, second = (trace(model.graph, model.leaves).gradients for _ in range(2))
    assert {n: a.tobytes() for n, a in first.items()} == {n: a.tobytes() for n, a in second.items()}
    values = list(trace(model.graph, model.leaves).arrays)
    assert all(
        gradients(model.graph, values)[n].tobytes() == gradients(model.graph, values)[n].tobytes()
        for n in model.graph.named
    )


@pytest.mark.parametrize("name", built_in_names())
def test_gradients_have_the_shapes_of_what_they_belong_to(name: str) -> None:
    model = bind(built_in(name))
    found = trace(model.graph, model.leaves)
    for named in model.graph.named:
        assert found.gradients[named].shape == found.values[named].shape


def test_arrays_that_leave_the_engine_are_read_only() -> None:
    found = traced(bind(built_in("two-layer-nonlinear")), Detail.PRIMITIVE)
    arrays = [*found.arrays, *found.values.values(), *found.gradients.values()]
    arrays += [a for s in found.steps for a in (s.before, s.after, s.contribution) if a is not None]
    assert not any(a.flags.writeable for a in arrays)


def test_sixty_doublings_are_two_to_the_sixty() -> None:
    model = model_of("y = x + 0\n" + "y = y + y\n" * 60 + "L = y", {"x": 1.0})
    found = trace(model.graph, model.leaves)
    assert found.loss == 2.0**60
    assert float(found.gradients["x"]) == 2.0**60
    assert sum(s.phase == Phase.BACKWARD for s in found.steps) == 2 * 60 + 2


@pytest.mark.parametrize("detail", Detail)
def test_ten_thousand_nodes_in_a_row(detail: Detail) -> None:
    lines = "\n".join(f"h{i + 1} = h{i} * w" for i in range(10_000))
    model = model_of(f"h0 = x + 0\n{lines}\nL = h10000", {"w": 1.0001, "x": 1.0})
    found = trace(model.graph, model.leaves, detail)
    assert found.loss == pytest.approx(1.0001**10_000)
    assert float(found.gradients["w"]) == pytest.approx(10_000 * 1.0001**9_999)
    state = found.state(len(found.steps))
    for step in reversed(found.steps):
        state.revert(step)
    assert snapshot(state) == snapshot(found.start())


def test_ten_thousand_operations_in_one_line() -> None:
    model = model_of("L = x" + " + x" * 10_000, {"x": 2.0})
    found = trace(model.graph, model.leaves)
    assert found.loss == 20_002.0
    assert float(found.gradients["x"]) == 10_001.0


def test_a_wide_fan_out_sums_all_of_it() -> None:
    lines = "\n".join(f"h{i} = x * {i}" for i in range(500))
    model = model_of(f"{lines}\nL = " + " + ".join(f"h{i}" for i in range(500)), {"x": 1.0})
    found = trace(model.graph, model.leaves)
    assert float(found.gradients["x"]) == sum(range(500))


def test_what_the_loss_does_not_read_has_the_gradient_zero_and_no_step() -> None:
    model = model_of("idle = x * 3\nL = w**2", {"w": 2.0, "x": 5.0}, loss="L")
    found = trace(model.graph, model.leaves)
    assert float(found.gradients["x"]) == float(found.gradients["idle"]) == 0.0
    assert not [s for s in found.steps if s.phase == Phase.BACKWARD and s.node == "idle"]


def test_the_loss_may_stand_above_the_last_line() -> None:
    model = model_of("L = w**2\nafter = L * 3", {"w": 2.0}, loss="L")
    found = trace(model.graph, model.leaves)
    assert found.loss == 4.0
    assert float(found.gradients["w"]) == 4.0
    assert float(found.gradients["after"]) == 0.0


def test_the_first_node_that_is_not_finite_is_named() -> None:
    model = model_of("z = exp(w)\ny = z - z\nL = y", {"w": 1000.0})
    assert trace(model.graph, model.leaves).first_non_finite() == "z"
    fine = model_of("L = w", {"w": 1.0})
    assert trace(fine.graph, fine.leaves).first_non_finite() is None


def test_numbers_that_are_not_finite_raise_no_warning() -> None:
    model = model_of("L = log(w) + sqrt(w) + w / (w + 1) + w**-0.5", {"w": -1.0})
    loss, found = loss_and_gradients(model.graph, model.leaves)
    assert np.isnan(loss)
    assert np.isnan(found["w"])


def test_leaves_must_be_there_and_fit() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    with pytest.raises(BackstepError, match="W1 has no value"):
        trace(model.graph, {n: a for n, a in model.leaves.items() if n != "W1"})
    with pytest.raises(BackstepError, match=r"W1 has the shape \(1,\); the network was built for \(4, 1\)"):
        trace(model.graph, {**model.leaves, "W1": np.ones(1)})


def test_places_of_backward_steps_can_be_looked_up() -> None:
    found = traced(model_of("L = x * x", {"x": 3.0}), Detail.EQUATION)
    for (receiver, node, slot), index in found.backward_places.items():
        step = found.steps[index]
        assert (step.input, step.node, step.slot) == (receiver, node, slot)


def test_updates_are_steps_too() -> None:
    model = model_of("L = w**2", {"w": 2.0})
    found = traced(model, Detail.EQUATION)
    state = found.state(len(found.steps))
    assert float(state.values["w"]) == pytest.approx(2.0 - 0.1 * 4.0)
    state.revert(found.steps[-1])
    assert float(state.values["w"]) == 2.0
