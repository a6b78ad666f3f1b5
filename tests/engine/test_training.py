"""Training: deterministic, rewindable to any iteration bit for bit, and stopped with a sentence."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TrainingError
from engine.graph import Detail
from engine.trace import Phase, loss_and_gradients, trace
from engine.training import MAX_CHECKPOINTS, Point, Run
from graphs.network import Model, bind, built_in, built_in_names, load
from tests.helpers import model_of

DATA = {"X": [[1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 1.0, 0.0, 1.0, 0.0]], "y": [[1.0, 0.0, 1.0, 0.0, 1.0]]}


def small(seed: int = 1) -> Model:
    model = model_of("z = w @ X + b\nL = bce(z, y)", {"w": [[0.1, -0.2]], "b": 0.0}, DATA)
    return bind(model.network, seed=seed)


def bits(point: Point) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in point.parameters.items()}


@pytest.mark.parametrize("batch_size", [None, 2, 5])
def test_the_same_seed_gives_the_same_run(batch_size: int | None) -> None:
    runs = [Run(small(), batch_size=batch_size) for _ in range(2)]
    for run in runs:
        run.advance(50)
    assert runs[0].losses == runs[1].losses
    assert bits(runs[0].point) == bits(runs[1].point)
    other = Run(small(seed=2), batch_size=batch_size)
    other.advance(50)
    assert (other.losses == runs[0].losses) == (batch_size in (None, 5))


@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_run_that_pauses_is_the_run_that_does_not(batch_size: int | None) -> None:
    whole, paused = (Run(small(), batch_size=batch_size) for _ in range(2))
    whole.advance(40)
    for n in (1, 0, 12, 27):
        paused.advance(n)
    assert paused.losses == whole.losses
    assert bits(paused.point) == bits(whole.point)
    assert paused.iteration == 40


@pytest.mark.parametrize("batch_size", [None, 2])
def test_any_iteration_can_be_stood_at_bit_for_bit(batch_size: int | None) -> None:
    steps = 3 * MAX_CHECKPOINTS + 7
    run = Run(small(), batch_size=batch_size)
    expected = [bits(run.point)]
    for _ in range(steps):
        run.advance(1)
        expected.append(bits(run.point))
    assert [bits(run.at(t)) for t in range(steps + 1)] == expected
    assert [run.at(t).iteration for t in (0, 5, steps)] == [0, 5, steps]


def test_memory_stays_bounded() -> None:
    run = Run(small())
    run.advance(10 * MAX_CHECKPOINTS)
    assert len(run._checkpoints) <= MAX_CHECKPOINTS + 1
    gaps = np.diff(sorted(run._checkpoints))
    assert len(set(gaps.tolist())) == 1


@pytest.mark.parametrize("iteration", [-1, 11])
def test_an_iteration_not_reached_is_said(iteration: int) -> None:
    run = Run(small())
    run.advance(10)
    with pytest.raises(TrainingError, match=f"iteration {iteration} has not been reached. The run has 10"):
        run.at(iteration)


def test_losses_are_those_before_each_iteration_and_after_the_last() -> None:
    run = Run(small())
    run.advance(3)
    assert len(run.losses) == 4
    for t, loss in enumerate(run.losses):
        found, _ = loss_and_gradients(run.problem.graph, {**run.problem.inputs, **run.at(t).parameters})
        assert found == loss


def test_a_step_goes_down_the_gradient() -> None:
    model = small()
    run = Run(model, settings={"learning_rate": 0.3})
    run.advance(1)
    _, gradients = loss_and_gradients(model.graph, model.leaves)
    for name, start in model.parameters.items():
        np.testing.assert_array_equal(run.point.parameters[name], start - 0.3 * gradients[name])


@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 9))
def test_an_epoch_of_mini_batches_deals_out_every_example_once(size: int, epoch: int, seed: int) -> None:
    model = small(seed)
    turns = -(-5 // size)
    dealt: list[int] = []
    for turn in range(turns):
        indices = model.indices(epoch * turns + turn, size)
        dealt += range(5) if indices is None else indices.tolist()
    assert sorted(dealt) == list(range(5))


def test_a_mini_batch_takes_the_gradient_of_its_examples_alone() -> None:
    model = small()
    run = Run(model, batch_size=2, settings={"learning_rate": 0.3})
    run.advance(1)
    indices = model.indices(0, 2)
    assert indices is not None
    data = {name: np.array(values)[:, indices] for name, values in DATA.items()}
    part = model_of("z = w @ X + b\nL = bce(z, y)", model.parameters, data)
    _, gradients = loss_and_gradients(part.graph, part.leaves)
    np.testing.assert_allclose(
        run.point.parameters["w"], model.parameters["w"] - 0.3 * gradients["w"], rtol=1e-14
    )


@pytest.mark.parametrize("size", [0, -1, 6])
def test_a_batch_size_that_cannot_be_dealt_is_said(size: int) -> None:
    with pytest.raises(TrainingError, match="Choose a batch size from 1 to 5"):
        Run(small(), batch_size=size)


def test_a_run_that_diverges_names_the_first_node_and_what_to_try() -> None:
    model = model_of("h = w * 3\ny = 1 + 2 * (h * h)\nL = y**2", {"w": 2.0})
    run = Run(model, settings={"learning_rate": 1.0})
    done = run.advance(1000)
    assert run.diverged is not None
    assert len(done) < 20
    assert len(run.losses) == run.iteration + 1
    last = trace(model.graph, {**model.leaves, **run.point.parameters})
    assert run.diverged.node == last.first_non_finite()
    sentence = run.diverged.sentence()
    assert (
        f"stopped at iteration {run.iteration}: {run.diverged.node} is no longer a finite number" in sentence
    )
    assert sentence.endswith("try a smaller learning rate, such as 0.1.")
    assert run.advance(10) == []
    assert np.isfinite(run.losses[-2])
    assert not np.isfinite(run.losses[-1])


def test_a_parameter_that_leaves_the_finite_numbers_stops_the_run_too() -> None:
    """A sigmoid of infinity is one: the loss alone would not tell."""
    run = Run(model_of("L = sigmoid(-w * w) + 1e300 * w", {"w": 1.0}), settings={"learning_rate": 1e10})
    run.advance(10)
    assert run.diverged is not None
    assert (run.diverged.iteration, run.diverged.node) == (1, "w")


def test_a_run_stops_when_asked() -> None:
    run = Run(small())
    asked = iter([False, False, True])
    assert len(run.advance(100, stop=lambda: next(asked))) == 2


def test_parameters_in_a_run_are_read_only_and_a_point_travels() -> None:
    run = Run(small())
    run.advance(2)
    with pytest.raises(ValueError, match="read-only"):
        run.point.parameters["w"][...] = 0.0
    assert bits(pickle.loads(pickle.dumps(run.point))) == bits(run.point)


def test_a_network_without_parameters_cannot_train() -> None:
    with pytest.raises(TrainingError, match=r"no parameters to train. Add some under"):
        Run(model_of("L = sum(X)", {}, {"X": [1.0, 2.0]})).advance(1)


def test_an_unused_parameter_stays_where_it_is() -> None:
    run = Run(model_of("L = w**2", {"w": 1.0, "q": [[5.0]]}))
    run.advance(5)
    assert run.point.parameters["q"].tolist() == [[5.0]]


def test_training_the_nonlinear_network_fits_the_curve() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    run = Run(model, settings={"learning_rate": model.network.training.learning_rate})
    run.advance(1500)
    assert run.losses[-1] < 0.5 * run.losses[0]
    assert all(
        after <= before + 1e-6 for before, after in zip(run.losses[500:], run.losses[501:], strict=False)
    )


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", built_in_names())
def test_the_update_on_the_screen_is_the_next_iteration_to_the_last_bit(name: str, detail: Detail) -> None:
    model = bind(load(name))
    run = Run(model, settings={"learning_rate": 0.05})
    run.advance(3)
    for iteration in range(3):
        point = run.at(iteration)
        shown = trace(model.graph, {**model.inputs, **point.parameters}, detail, run.optimize(point))
        after = {step.node: step.after for step in shown.steps if step.phase == Phase.UPDATE}
        for parameter, value in run.at(iteration + 1).parameters.items():
            np.testing.assert_array_equal(after[parameter], value)
