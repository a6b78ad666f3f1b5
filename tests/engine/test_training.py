"""Training: deterministic, rewindable to any iteration bit for bit, and stopped with a sentence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TrainingError
from engine.graph import Detail
from engine.history import LEAST_SAMPLES, SAMPLES_A_ROOT, History, Samples, merged
from engine.optimizers import OPTIMIZERS
from engine.plan import Stepper
from engine.trace import Phase, loss_and_gradients, trace
from engine.training import Diverged, Point, Reached, Recipe, Records, Run, Stopping
from graphs.network import Model, bind, built_in, built_in_names, load, loads
from tests.helpers import model_of

Array = np.ndarray
DATA = {"X": [[1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 1.0, 0.0, 1.0, 0.0]], "y": [[1.0, 0.0, 1.0, 0.0, 1.0]]}
ADAM = Recipe("adam", {"learning_rate": 0.01}, batch_size=2, schedule="cosine")


def small(seed: int = 1) -> Model:
    model = model_of("z = w @ X + b\nL = bce(z, y)", {"w": [[0.1, -0.2]], "b": 0.0}, DATA)
    return bind(model.network, seed=seed)


def bits(point: Point) -> dict[object, bytes]:
    found: dict[object, bytes] = {name: array.tobytes() for name, array in point.parameters.items()}
    return {**found, **{key: array.tobytes() for key, array in point.state.items()}}


def line_model(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> Model:
    """Return the regression line of standardised data."""
    standard = [(np.array(v) - np.mean(v)) / np.std(v) for v in (x, y)]
    return model_of(
        built_in("univariate-regression").formula, {"w": -0.5, "b": 0.3}, {"x": standard[0], "y": standard[1]}
    )


# --- a run is determined -----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 2, 5])
def test_the_same_seed_gives_the_same_run(batch_size: int | None) -> None:
    recipe = Recipe(batch_size=batch_size)
    runs = [Run(small(), recipe) for _ in range(2)]
    for run in runs:
        run.advance(50)
    assert runs[0].losses.tobytes() == runs[1].losses.tobytes()
    assert bits(runs[0].point) == bits(runs[1].point)
    other = Run(small(seed=2), recipe)
    other.advance(50)
    assert (other.losses.tobytes() == runs[0].losses.tobytes()) == (batch_size in (None, 5))


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(batch_size=2), ADAM])
def test_a_run_that_pauses_is_the_run_that_does_not(recipe: Recipe) -> None:
    whole, paused = (Run(small(), recipe) for _ in range(2))
    records = whole.advance(40)
    assert (records.first, len(records.losses)) == (1, 40)
    for n in (1, 0, 12, 27):
        paused.advance(n)
    assert paused.losses.tobytes() == whole.losses.tobytes()
    assert bits(paused.point) == bits(whole.point)
    assert paused.iteration == 40


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 2])
def test_any_iteration_can_be_stood_at_bit_for_bit(optimizer: str, batch_size: int | None) -> None:
    steps = 3 * LEAST_SAMPLES + 7
    run = Run(small(), Recipe(optimizer, batch_size=batch_size))
    expected = [bits(run.point)]
    for _ in range(steps):
        run.advance(1)
        expected.append(bits(run.point))
    assert run.history.stride > 1
    places = np.random.default_rng(0).permutation(steps + 1)[:500].tolist()
    for t in (*places, *range(100, 120), *range(120, 90, -1)):
        point = run.at(t)
        assert (point.iteration, bits(point)) == (t, expected[t])


def test_a_run_goes_on_in_another_process_bit_for_bit() -> None:
    run = Run(small(), ADAM)
    run.advance(1500)
    copy = pickle.loads(pickle.dumps(run))
    code = (
        "import pickle, sys; run = pickle.loads(sys.stdin.buffer.read()); run.advance(500); "
        "sys.stdout.buffer.write(pickle.dumps((run.losses, run.at(777), run.point)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(run), capture_output=True, check=True
    )
    losses, at, point = pickle.loads(done.stdout)
    for own in (run, copy):
        own.advance(500)
        assert own.losses.tobytes() == losses.tobytes()
        assert bits(own.at(777)) == bits(at)
        assert bits(own.point) == bits(point)


def test_rewinding_and_resuming_gives_the_same_loss_curve_bit_for_bit() -> None:
    """From iteration 50 000 to 123, backward and forward there, and on to the end."""
    model = bind(built_in("two-layer-nonlinear"))
    recipe = Recipe("momentum", {"learning_rate": 0.1}, batch_size=50)
    whole, rewound = Run(model, recipe), Run(model, recipe)
    whole.advance(51_000)
    rewound.advance(50_000)
    there = bits(rewound.at(123))
    for t in (122, 121, 122, 123, 124, 123):
        assert bits(rewound.at(t)) == bits(whole.at(t))
    assert bits(rewound.at(123)) == there
    resumed = Run(model, recipe, point=rewound.at(123))
    resumed.advance(50_000 - 123)
    assert resumed.losses.tobytes() == rewound.losses[124:].tobytes()
    rewound.advance(1000)
    assert rewound.losses.tobytes() == whole.losses.tobytes()


def test_a_run_goes_on_from_the_records_of_another() -> None:
    whole, first, here = (Run(small(), ADAM) for _ in range(3))
    whole.advance(3000)
    here.extend(first.advance(2000))
    elsewhere = Run(small(), ADAM, point=here.point, stride=here.history.stride)
    here.extend(elsewhere.advance(1000))
    assert here.losses.tobytes() == whole.losses.tobytes()
    assert bits(here.at(2345)) == bits(whole.at(2345))
    assert [s.point.iteration for s in here.history.samples] == [
        s.point.iteration for s in whole.history.samples
    ]


# --- memory ------------------------------------------------------------------------------------------------


def test_a_million_iterations_are_kept_in_little_memory_and_replayed_in_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(bind(built_in("univariate-regression")))
    run.advance(1_000_000)
    samples = run.history.samples
    assert LEAST_SAMPLES <= len(samples) <= SAMPLES_A_ROOT * 1000 + 1
    assert np.unique(np.diff(samples.iterations)).tolist() == [run.history.stride]
    assert run.history.stride <= 1024
    assert samples.vectors.nbytes + samples.numbers.nbytes + samples.iterations.nbytes < 200_000
    steps = []
    stepper = run._stepper
    plain = stepper.run
    monkeypatch.setattr(stepper, "run", lambda first, count: steps.append(count) or plain(first, count))
    for iteration in (123, 500_000, 999_999, 765_432):
        steps.clear()
        run.at(iteration)
        assert sum(steps) < run.history.stride
        steps.clear()
        run.at(iteration - 1)
        assert sum(steps) <= 1 or (iteration - 1) % run.history.stride == run.history.stride - 1


@given(st.lists(st.integers(1, 900), min_size=1, max_size=12), st.integers(0, 2))
def test_memory_grows_like_the_square_root_however_a_run_is_cut(parts: list[int], power: int) -> None:
    history = History()
    form = Samples.of([Run(small()).sample(Point(0, {"w": np.zeros((1, 2)), "b": np.zeros(())}))]).form
    count = 0
    for part in parts:
        part *= 10**power
        iterations = np.arange(count, count + part)
        iterations = iterations[iterations % history.stride == 0]
        vectors = np.repeat(iterations[:, np.newaxis] * 1.0, form.width, axis=1)
        kept = Samples(form, iterations, vectors, np.zeros((len(iterations), 2)))
        point = form.point(count + part - 1, np.zeros(form.width))
        history.extend(Records(count, np.arange(count, count + part) * 1.0, point, kept))
        count += part
    samples = history.samples
    assert len(history.losses) == count
    assert len(samples) <= max(LEAST_SAMPLES, SAMPLES_A_ROOT * count**0.5)
    assert samples.iterations.tolist() == list(range(0, count, history.stride))
    assert samples.vectors[:, 0].tolist() == samples.iterations.tolist()
    for iteration in (0, count // 2, count - 1):
        found = history.before(iteration).point.iteration
        assert found <= iteration < found + history.stride


def test_a_large_network_keeps_fewer_samples() -> None:
    form = Samples.of([Run(small()).sample(Run(small()).point)]).form._replace(
        parameters=(("w", (600_000,)),)
    )
    history = History()
    vectors = np.zeros((100, form.width))
    kept = Samples(form, np.arange(100), vectors, np.zeros((100, 2)))
    history.extend(Records(0, np.zeros(100), form.point(99, vectors[0]), kept))
    assert len(history.samples) <= 64
    assert history.stride == 2


def test_samples_are_read_like_a_list_and_travel() -> None:
    run = Run(small(), ADAM)
    run.advance(20)
    samples = pickle.loads(pickle.dumps(run.history.samples))
    assert [s.point.iteration for s in samples] == list(range(21))
    assert [s.point.iteration for s in samples[3:9:2]] == [3, 5, 7]
    assert bits(samples[-1].point) == bits(run.point)
    assert bits(samples[0].point) == bits(Run(small(), ADAM).point)
    assert samples[7].gradient_norm == pytest.approx(run.gradient_norm(run.at(7)), rel=1e-12)
    with pytest.raises(IndexError):
        samples[21]


def test_views_of_a_history_stay_as_they_were() -> None:
    run = Run(small())
    losses, samples = run.losses, run.history.samples
    run.advance(5000)
    assert len(losses) == len(samples) == 1
    before = run.losses.copy()
    held = run.losses
    run.advance(5000)
    assert held.tobytes() == before.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 0.0


def test_records_must_follow_one_another() -> None:
    run = Run(small())
    parts = [run.advance(10), run.advance(5)]
    whole = merged(parts)
    assert (whole.first, len(whole.losses), len(whole.samples)) == (1, 15, 15)
    other = Run(small())
    with pytest.raises(ValueError, match="do not follow"):
        other.extend(parts[1])


@pytest.mark.parametrize("iteration", [-1, 11])
def test_an_iteration_not_reached_is_said(iteration: int) -> None:
    run = Run(small())
    run.advance(10)
    with pytest.raises(TrainingError, match=f"iteration {iteration} has not been reached. The run has 10"):
        run.at(iteration)


# --- what is recorded --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 2])
def test_losses_are_those_before_each_iteration_and_after_the_last(batch_size: int | None) -> None:
    """Over the whole data, also with mini-batches."""
    run = Run(small(), Recipe(batch_size=batch_size))
    run.advance(3)
    assert len(run.losses) == 4
    for t, loss in enumerate(run.losses):
        found, gradients = loss_and_gradients(
            run.problem.graph, {**run.problem.inputs, **run.at(t).parameters}
        )
        assert loss == pytest.approx(found, rel=1e-13)
        norm = np.sqrt(sum(np.sum(gradients[name] ** 2) for name in run.problem.parameters))
        assert run.history.samples[t].gradient_norm == pytest.approx(norm, rel=1e-12)
        assert np.isnan(run.history.samples[t].held_loss)


def test_a_step_goes_down_the_gradient() -> None:
    model = small()
    run = Run(model, Recipe(settings={"learning_rate": 0.3}))
    run.advance(1)
    _, gradients = loss_and_gradients(model.graph, model.leaves)
    for name, start in model.parameters.items():
        np.testing.assert_allclose(run.point.parameters[name], start - 0.3 * gradients[name], rtol=1e-14)


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
    run = Run(model, Recipe(batch_size=2, settings={"learning_rate": 0.3}))
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
        Run(small(), Recipe(batch_size=size))


# --- how it ends -------------------------------------------------------------------------------------------


def test_a_run_that_diverges_names_the_first_node_and_what_to_try() -> None:
    model = model_of("h = w * 3\ny = 1 + 2 * (h * h)\nL = y**2", {"w": 2.0})
    run = Run(model, Recipe(settings={"learning_rate": 1.0}))
    done = run.advance(1000)
    assert isinstance(done.ended, Diverged)
    diverged = done.ended
    assert run.diverged is diverged
    assert len(done.losses) < 20
    assert len(run.losses) == run.iteration + 1
    last = trace(model.graph, {**model.leaves, **run.point.parameters})
    assert diverged.node == last.first_non_finite()
    sentence = diverged.sentence()
    node = diverged.node.rpartition(".")[0] or diverged.node
    assert f"stopped at iteration {run.iteration}: " in sentence
    assert f"{node} is no longer a finite number" in sentence
    assert sentence.endswith("try a smaller learning rate, such as 0.1.")
    assert len(run.advance(10).losses) == 0
    assert np.isfinite(run.losses[:-1]).all()
    assert not np.isfinite(run.losses[-1])
    assert bits(run.at(run.iteration - 1)) != bits(run.point)


def test_a_parameter_that_leaves_the_finite_numbers_stops_the_run_too() -> None:
    """A sigmoid of infinity is one: the loss alone would not tell."""
    run = Run(
        model_of("L = sigmoid(-w * w) + 1e300 * w", {"w": 1.0}), Recipe(settings={"learning_rate": 1e10})
    )
    run.advance(10)
    assert run.diverged is not None
    assert (run.diverged.iteration, run.diverged.node) == (1, "w")


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize(("rule", "least"), [("loss", 0.4), ("change", 1e-5), ("gradient", 1e-2)])
def test_a_rule_that_is_met_ends_the_run_at_that_very_iteration(
    rule: str, least: float, batch_size: int | None
) -> None:
    free = Run(small(), Recipe(settings={"learning_rate": 0.3}, batch_size=batch_size))
    free.advance(3000)
    numbers = {
        "loss": free.losses,
        "change": np.abs(np.diff(free.losses, prepend=np.inf)),
        "gradient": np.array([free.gradient_norm(free.at(t)) for t in range(1000)]),
    }[rule]
    first = int(np.argmax(numbers <= least))
    assert first > 3
    stopping = Stopping(**{rule: least})
    run = Run(small(), Recipe(settings={"learning_rate": 0.3}, batch_size=batch_size, stopping=stopping))
    run.advance(10_000)
    assert isinstance(run.ended, Reached)
    assert (run.ended.iteration, run.ended.rule) == (first, rule)
    assert run.ended.value == pytest.approx(numbers[first], rel=1e-9)
    assert run.ended.value <= least
    assert run.losses.tobytes() == free.losses[: first + 1].tobytes()
    assert bits(run.point) == bits(free.at(first))
    assert f"stopped at iteration {first}" in run.ended.sentence()
    assert len(run.advance(5).losses) == 0


def test_a_rule_that_is_met_at_the_start_ends_the_run_there() -> None:
    run = Run(small(), Recipe(stopping=Stopping(loss=100.0)))
    assert len(run.advance(10).losses) == 0
    assert run.ended == Reached(0, "loss", run.losses[0])


def test_a_run_stops_when_asked() -> None:
    run = Run(small())
    asked = iter([False, False, True])
    records = run.advance(1_000_000, stop=lambda: next(asked))
    assert 2 <= len(records.losses) < 1_000_000
    assert run.iteration == len(records.losses)
    assert len(run.advance(100, stop=lambda: True).losses) == 0


def test_parameters_in_a_run_are_read_only_and_a_point_travels() -> None:
    run = Run(small())
    run.advance(2)
    for point in (run.point, run.at(1)):
        with pytest.raises(ValueError, match="read-only"):
            point.parameters["w"][...] = 0.0
    assert bits(pickle.loads(pickle.dumps(run.point))) == bits(run.point)


def test_a_network_without_parameters_cannot_train() -> None:
    with pytest.raises(TrainingError, match=r"no parameters to train. Add some under"):
        Run(model_of("L = sum(X)", {}, {"X": [1.0, 2.0]})).advance(1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_unused_parameter_stays_where_it_is(optimizer: str) -> None:
    run = Run(model_of("L = w**2", {"w": 1.0, "q": [[5.0]]}), Recipe(optimizer))
    run.advance(5)
    assert run.point.parameters["q"].tolist() == [[5.0]]


def test_training_the_nonlinear_network_fits_the_curve() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    run = Run(model, model.network.training.recipe)
    run.advance(1500)
    assert run.losses[-1] < 0.5 * run.losses[0]
    assert np.all(np.diff(run.losses[500:]) <= 1e-6)


# --- what is shown -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", built_in_names())
def test_the_update_on_the_screen_is_the_next_iteration_to_the_last_bit(
    name: str, detail: Detail, optimizer: str
) -> None:
    model = bind(load(name))
    run = Run(model, Recipe(optimizer, {"learning_rate": 0.05}))
    run.advance(3)
    for iteration in range(3):
        point, following = run.at(iteration), run.at(iteration + 1)
        shown = trace(model.graph, {**model.inputs, **point.parameters}, detail, run.optimize(point))
        after = {(s.node, s.quantity): s.after for s in shown.steps if s.phase == Phase.UPDATE}
        for parameter, value in following.parameters.items():
            np.testing.assert_array_equal(after[parameter, "value"], value)
        for key, value in following.state.items():
            np.testing.assert_array_equal(after[key], value)


def test_an_update_from_elsewhere_is_worked_out() -> None:
    model = small()
    run = Run(model)
    run.advance(3)
    moved = Point(1, {name: array + 1.0 for name, array in run.at(1).parameters.items()})
    for point in (moved, run.point):
        shown = trace(model.graph, {**model.inputs, **point.parameters}, optimize=run.optimize(point))
        after = {step.node: step.after for step in shown.steps if step.phase == Phase.UPDATE}
        for name, value in point.parameters.items():
            expected = value - run.settings["learning_rate"] * shown.gradients[name]
            np.testing.assert_array_equal(after[name], expected)


# --- against certified values ------------------------------------------------------------------------------

# NIST Statistical Reference Datasets, linear regression, "Norris" (J. Norris, calibration of ozone monitors);
# public domain, https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml
NORRIS = """
0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3 449.1 448.6
778.9 777.0 559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0 448.9 447.5 10.8 11.6
557.7 556.0 228.3 228.1 998.0 995.8 888.8 887.6 119.6 120.2 0.3 0.3 0.6 0.3 557.6 556.8 339.3 339.1
888.0 887.2 998.5 999.0 778.9 779.0 10.2 11.1 117.6 118.3 228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5
"""
NORRIS_CERTIFIED = (-0.262323073774029, 1.00211681802045)  # intercept, slope

SETTLING = {
    "gd": Recipe("gd", {"learning_rate": 0.2}),
    "momentum": Recipe("momentum", {"learning_rate": 0.2, "momentum": 0.8}),
    # at a constant rate Adam goes on circling at about the rate's own size
    "adam": Recipe("adam", {"learning_rate": 0.05}, schedule="cosine", schedule_settings={"period": 4000}),
}


@pytest.mark.parametrize("recipe", SETTLING.values(), ids=SETTLING)
def test_least_squares_reach_the_certified_coefficients(recipe: Recipe) -> None:
    y, x = np.array(NORRIS.split(), float).reshape(-1, 2).T
    run = Run(line_model(x, y), recipe)
    run.advance(5000)
    w, b = (float(run.point.parameters[name]) for name in "wb")
    slope = w * np.std(y) / np.std(x)
    intercept = np.mean(y) + b * np.std(y) - slope * np.mean(x)
    assert (intercept, slope) == pytest.approx(NORRIS_CERTIFIED, abs=1e-8 * float(np.std(y)))
    assert slope == pytest.approx(NORRIS_CERTIFIED[1], rel=1e-8)


@pytest.mark.parametrize("recipe", SETTLING.values(), ids=SETTLING)
def test_least_squares_on_cars_reach_the_closed_form(recipe: Recipe) -> None:
    model = bind(built_in("univariate-regression"))
    x, y = (model.inputs[name][0] for name in "xy")
    table = np.stack([x, np.ones_like(x)])
    exact = np.linalg.solve(table @ table.T, table @ y)
    run = Run(model, recipe)
    run.advance(5000)
    found = [float(run.point.parameters[name]) for name in "wb"]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["univariate-regression", "multivariate-regression"])
def test_a_learning_rate_above_the_stability_limit_diverges_and_is_said_to(name: str) -> None:
    model = bind(built_in(name))
    data, _ = model.inputs.values()
    table = np.concatenate([data, np.ones((1, model.examples))])
    limit = 2 / np.linalg.eigvalsh(2 / model.examples * table @ table.T)[-1]
    below, above = (Run(model, Recipe(settings={"learning_rate": f * limit})) for f in (0.99, 1.01))
    for run in (below, above):
        run.advance(100_000)
    assert below.ended is None
    assert below.losses[-1] < below.losses[0]
    assert isinstance(above.ended, Diverged)
    assert "is no longer a finite number; try a smaller learning rate" in above.ended.sentence()


def test_a_large_graph_is_opened_without_a_plan_and_trained_with_one() -> None:
    lines = "\n".join(f"x{i + 1} = tanh(w * x{i})" for i in range(600))
    model = bind(
        loads(
            f"formula = '''\n{lines}\nL = mean(x600)\n'''\nparameters = {{ w = 0.9 }}\n"
            "data = { x0 = [1.0, 2.0] }"
        )
    )
    run = Run(model)
    assert "_stepper" not in vars(run)
    assert run.losses.tolist() == Run(model).losses.tolist()
    run.advance(3)
    assert isinstance(run._stepper, Stepper)
    assert run.losses[0] == pytest.approx(run._standing_at(run.at(0)).loss(), rel=1e-12)
