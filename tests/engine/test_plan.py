"""Plans: both modes take the same steps, whatever the network, the optimizer and the mini-batches."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.optimizers import OPTIMIZERS
from engine.plan import Inspector, Rates, Stepper
from engine.plan.passes import passes_of
from engine.plan.values import reached
from engine.trace import loss_and_gradients
from engine.training import Recipe, Run
from graphs.network import Model, bind, built_in_names, load
from tests.helpers import Sample, built, model_of, samples

Array = np.ndarray
STEPS = 5
# large enough that a gradient which is zero but for rounding makes no step
GENTLE = {"epsilon": 1e-3}


def rates_of(recipe: Recipe) -> Rates:
    return Rates(OPTIMIZERS[recipe.optimizer], recipe.settings_at, recipe.schedule == "constant")


def recipe_of(optimizer: str, rate: float = 0.01, **more: object) -> Recipe:
    known = {h.name for h in OPTIMIZERS[optimizer].hyperparameters}
    chosen = {"learning_rate": rate, **{k: v for k, v in GENTLE.items() if k in known}}
    return Recipe(optimizer, chosen, **more).checked()  # type: ignore[arg-type]


def trajectory(mode: Stepper | Inspector, start: Array, steps: int) -> tuple[Array, Array]:
    """Return the losses of the first steps, and the points after each."""
    mode.load(start)
    losses, points = [], []
    for iteration in range(steps):
        losses.append(mode.run(iteration, 1)[0])
        points.append(mode.save())
    return np.array(losses), np.array(points)


def assert_same_steps(
    model: Model, recipe: Recipe, batch_size: int | None = None, steps: int = STEPS
) -> None:
    """Assert that both modes agree to 1e-12, relative to the largest number and to what rounding can do.

    What rounding can do is seen on a twin that starts a rounding error away: some networks amplify it.
    """
    fast, slow = (mode(model, rates_of(recipe), batch_size) for mode in (Stepper, Inspector))
    start = slow.save()
    losses, points = trajectory(slow, start, steps)
    finite = (
        np.isfinite(losses) & np.isfinite(points).all(axis=1) & (np.abs(points).max(axis=1, initial=0) < 1e6)
    )
    count = len(finite) if finite.all() else int(np.argmin(finite))
    rng = np.random.default_rng(0)
    twins = [
        trajectory(slow, start * (1 + 2e-16 * rng.choice((-1, 1), start.shape)), count) for _ in range(3)
    ]
    found = trajectory(fast, start, count)
    for wanted, got, *others in zip((losses[:count], points[:count]), found, *twins, strict=True):
        for t in range(count):
            noise = max(np.max(np.abs(other[t] - wanted[t]), initial=0.0) for other in others)
            scale = max(1.0, float(np.max(np.abs(wanted[: t + 1]), initial=0.0)))
            np.testing.assert_allclose(got[t], wanted[t], rtol=0, atol=1e-12 * scale + 100 * noise)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", built_in_names())
def test_both_modes_agree_on_every_built_in_network(name: str, optimizer: str) -> None:
    model = bind(load(name))
    assert_same_steps(model, recipe_of(optimizer, 0.05), steps=60)
    assert_same_steps(model, recipe_of(optimizer, 0.05, schedule="cosine"), steps=20)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", [n for n in built_in_names() if n != "scalar-operations"])
def test_both_modes_agree_on_mini_batches_with_a_smaller_last_one(name: str, optimizer: str) -> None:
    model = bind(load(name))
    assert model.examples % 32
    assert_same_steps(model, recipe_of(optimizer, 0.02), batch_size=32, steps=2 * -(-model.examples // 32))


@given(samples(), st.sampled_from(sorted(OPTIMIZERS)))
def test_both_modes_agree_on_random_networks(sample: Sample, optimizer: str) -> None:
    model = built(sample)
    if model is not None:
        assert_same_steps(model, recipe_of(optimizer))


@given(samples(largest=5), st.sampled_from(sorted(OPTIMIZERS)), st.integers(1, 4))
def test_both_modes_agree_on_mini_batches_of_random_networks(
    sample: Sample, optimizer: str, batch_size: int
) -> None:
    model = built(sample)
    if model is not None and batch_size <= model.examples:
        assert_same_steps(model, recipe_of(optimizer), batch_size)


def test_a_target_is_merged_with_data_that_are_no_stack() -> None:
    """The grown data contain what they grow from: its replacement must not be made of itself."""
    formula = "yhat = -(-((w @ (b * y)) @ (y.T @ y)))\nL = mean((yhat - t)**2)"
    data = {"t": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "y": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]}
    model = model_of(formula, {"w": [[0.1, 0.2]], "b": [[0.1], [0.2]]}, data)
    assert_same_steps(model, recipe_of("gd", 1e-6))


@pytest.mark.parametrize("line", ["tanh(x{}) + w", "x{} * sigmoid(x{})", "exp(-x{})"])
def test_a_long_chain_stays_linear(line: str) -> None:
    """Products of slopes are not opened without a bound: that would undo what backpropagation saves."""
    factors = []
    for n in (50, 100):
        lines = ["x0 = w * x", *(f"x{i} = " + line.replace("{}", str(i - 1)) for i in range(1, n))]
        model = model_of("\n".join([*lines, f"L = mean(x{n - 1})"]), {"w": 0.5}, {"x": [0.1, 0.2]})
        passes = passes_of(model.graph)
        outputs = [passes.loss.value, *(term.value for _, term in passes.gradients)]
        factors.append(sum(len(value.args) for value in reached(outputs)))
        assert_same_steps(model, recipe_of("gd"), steps=2)
    assert factors[1] < 2.2 * factors[0]


@pytest.mark.parametrize("start", ["w * x", "x"])
def test_thousands_of_nodes_deep_is_no_deeper_than_one(start: str) -> None:
    """Whole and in mini-batches; also where all but the end is data."""
    lines = [f"x{i} = sin(x{i - 1})" for i in range(1, 3000)]
    formula = "\n".join([f"x0 = {start}", *lines, "L = mean(w * x2999)"])
    model = model_of(formula, {"w": 0.5}, {"x": [0.1, 0.2, 0.3]})
    assert_same_steps(model, recipe_of("gd"), steps=1)
    assert_same_steps(model, recipe_of("gd"), batch_size=2, steps=2)


# --- what the rewrites come to -----------------------------------------------------------------------------

LAYERS = "Z = W1 @ X + b1\nA = {}\nyhat = w2 @ A + b2\nL = 1/m * norm(yhat - y)**2"


def two_layers(activation: str, m: int, n: int, k: int) -> Model:
    rng = np.random.default_rng(3)
    shapes = {"W1": (k, n), "b1": (k, 1), "w2": (1, k), "b2": ()}
    parameters = {name: 0.3 * rng.normal(size=shape) for name, shape in shapes.items()}
    data = {"X": rng.normal(size=(n, m)), "y": rng.normal(size=(1, m))}
    return model_of(LAYERS.format(activation), parameters, data)


@pytest.mark.parametrize("activation", ["sigmoid(Z)", "tanh(Z)", "relu(Z)", "softplus(Z)", "Z"])
def test_both_modes_agree_on_large_data(activation: str) -> None:
    """Where a copy of the data would cost more than a call, and columns are taken out of products."""
    assert_same_steps(two_layers(activation, 2000, 20, 12), recipe_of("gd"))
    assert_same_steps(two_layers(activation, 2000, 20, 12), recipe_of("adam"), batch_size=1500)


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("univariate-regression", 2),  # error, gradient
        ("multivariate-regression", 2),
        ("two-layer-linear", 5),  # composed weights, error, its moments, a gradient for each layer
        ("two-layer-nonlinear", 11),
        ("logistic-regression", 8),
    ],
)
def test_the_passes_of_the_primers_networks_take_few_calls(name: str, passes: int) -> None:
    """As many as a person would need; the reading of the loss and the update come on top."""
    stepper = Stepper(bind(load(name)), rates_of(recipe_of("gd")))
    assert len(stepper._whole.forward) + len(stepper._whole.backward) == passes


def test_a_constant_learning_rate_goes_into_the_data() -> None:
    model = bind(load("multivariate-regression"))
    calls = [
        Stepper(model, rates_of(recipe))._update.calls for recipe in (recipe_of("gd"), recipe_of("momentum"))
    ]
    assert [len(c) for c in calls] == [1, 4]
    scheduled = Stepper(model, rates_of(recipe_of("gd", schedule="cosine")))
    assert len(scheduled._update.calls) == 2


def test_a_sigmoid_is_stable_far_out() -> None:
    model = model_of("a = sigmoid(w * x)\nL = sum(a)", {"w": 1.0}, {"x": [-1e4, -700.0, 0.0, 700.0, 1e4]})
    assert_same_steps(model, recipe_of("gd", 1e-9))
    stepper = Stepper(model, rates_of(recipe_of("gd")))
    assert np.isfinite([stepper.loss(), stepper.gradient_norm()]).all()


LINE = {"X": [[1.0, 2.0, 3.0, 4.0]], "y": [1.0, 0.5, 2.0, 2.5]}


@pytest.mark.parametrize(
    "formula",
    [
        "yhat = w @ X + b\nL = 1/m * norm(yhat - y)**2",  # u is read by nobody
        "yhat = w @ X + b\nL = 1/m * norm(yhat - y)**2 + u**2",
        "r = w @ X + b - y\nL = mean(r**2) / exp(u) + u",
    ],
)
def test_a_parameter_beside_a_block_has_its_own_place(formula: str) -> None:
    """Behind a block stands the coefficient of its target: no parameter lies over it."""
    model = model_of(formula, {"w": [[0.1]], "b": 0.3, "u": 3.0}, LINE)
    assert_same_steps(model, recipe_of("gd"))
    assert type(Run(model)._stepper) is Stepper


@pytest.mark.parametrize(
    ("formula", "parameters", "batch_size"),
    [
        (
            "L = mse(w @ tanh(W @ X + c), y) + norm(mean(W @ X + c, axis=0))**2",
            {"w": [[0.1, 0.2]], "W": [[0.3], [0.1]], "c": [[0.0], [0.5]]},
            None,
        ),
        ("L = mean(c @ (y * y))", {"c": [[0.1], [0.2]]}, 3),
        ("L = mean(c @ y)", {"c": [[0.1], [0.2]]}, 1),
        ("L = b * mean(log(X - 2))", {"b": 0.5}, None),
    ],
)
def test_what_no_plan_fits_is_trained_all_the_same(
    formula: str, parameters: dict[str, object], batch_size: int | None
) -> None:
    data = LINE if "X" in formula else {"y": LINE["y"]}
    run = Run(
        model_of(formula, parameters, data), Recipe(settings={"learning_rate": 0.01}, batch_size=batch_size)
    )
    run.advance(5)
    loss, gradients = loss_and_gradients(run.problem.graph, {**run.problem.inputs, **run.at(0).parameters})
    assert run.losses[0] == pytest.approx(loss, rel=1e-12, nan_ok=True)
    if batch_size is None and np.isfinite(loss):
        for name, value in run.at(1).parameters.items():
            np.testing.assert_allclose(value, run.at(0).parameters[name] - 0.01 * gradients[name], rtol=1e-10)


# --- what is written twice ---------------------------------------------------------------------------------

TWICE = (
    "L = mse(w2 @ (W1 @ X + b1) + b2, y) + norm(w2 @ (W1 @ X + b1) + b2)**2",
    "L = mse(V @ (W1 @ X + b1) + b + V @ (W1 @ X + b1) + b, Y)",
    "L = mse((V @ (W1 @ X + b1) + b) * (V @ (W1 @ X + b1) + b), Y)",
    "L = mse((W1 @ X + b1) + (V @ Y + b) + (W1 @ X + b1) + (V @ Y + b), Y)",
    "L = mse((W1 @ X + b1) * sigmoid(W1 @ X + b1), Y)",
    "L = mse(W1 @ X + b1, Y) + mse(W1 @ tanh(X) + b1, Y)",
    "L = mse(V @ (V @ Y + b) + b, Y)",
    "L = norm((W1 @ X + b1) @ (W1 @ X + b1).T)**2 / m**2",
)


@pytest.mark.parametrize("formula", TWICE)
@pytest.mark.parametrize("examples", [1, 7])
@pytest.mark.parametrize("batch_size", [None, 1])
def test_maps_that_are_written_twice_are_trained_by_the_plan(
    formula: str, examples: int, batch_size: int | None
) -> None:
    rng = np.random.default_rng(5)
    shapes = {"W1": (4, 3), "b1": (4, 1), "V": (4, 4), "b": (4, 1), "w2": (1, 4), "b2": ()}
    lengths = {"X": 3, "Y": 4, "y": 1}
    used = set(re.findall(r"\w+", formula))
    parameters = {name: 0.3 * rng.normal(size=shape) for name, shape in shapes.items() if name in used}
    data = {name: rng.normal(size=(n, examples)) for name, n in lengths.items() if name in used}
    model = model_of(formula, parameters, data)
    run = Run(model, Recipe(settings={"learning_rate": 1e-3}, batch_size=batch_size))
    assert isinstance(run._stepper, Stepper)
    slow = Inspector(model, run._rates, batch_size)
    slow.load(run._form.vector(run.point))
    slow.run(0, 5)
    run.advance(5)
    np.testing.assert_allclose(run._form.vector(run.point), slow.save(), rtol=0, atol=1e-12)
