"""Random search: what is drawn, what is kept, and the primer's question answered at equal cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TrainingError
from engine.search import MOST_DOTS, Comparison, Search, SearchRecords, SearchResult, search
from engine.trace import forward
from engine.training import Recipe, Run
from graphs.network import bind, built_in, built_in_names
from tests.helpers import Sample, built, model_of, samples

U = "univariate-regression"


def searched(plan: Search, batch: int | None = None) -> SearchResult:
    result = SearchResult(plan)
    for records in search(plan, batch=batch):
        result.extend(records)
    return result


def line_model(start: float = 0.5):
    """Return a loss of one parameter, (w - 1)^2, from `start`."""
    return model_of("L = (w - 1)**2", {"w": start}, {})


# --- what is drawn -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_samples_and_losses_are_the_same_in_any_batch(name: str) -> None:
    plan = Search(bind(built_in(name)), 600, seed=4)
    whole = searched(plan)
    for batch in (1, 7, 599, 5000):
        result = searched(plan, batch)
        np.testing.assert_array_equal(result.losses, whole.losses)
        np.testing.assert_array_equal(result.dots.vectors, whole.dots.vectors)
        assert [i.evaluation for i in result.improvements] == [i.evaluation for i in whole.improvements]


@given(samples(), st.integers(1, 40), st.integers(0, 2**32))
def test_every_loss_is_that_of_its_sample(sample: Sample, batch: int, seed: int) -> None:
    model = built(sample)
    if model is None:
        return
    plan = Search(model, 40, seed, spread=1.0).checked()
    graph = model.graph
    for records in search(plan, batch=batch):
        np.testing.assert_array_equal(records.vectors, plan.vectors(records.first, len(records.losses)))
        for vector, loss in zip(records.vectors, records.losses, strict=True):
            values = forward(graph, {**model.inputs, **plan.parameters(vector)})
            np.testing.assert_allclose(loss, values[graph.ids[graph.loss]], rtol=1e-9, atol=1e-12)


def test_more_evaluations_go_on_where_fewer_ended() -> None:
    model = bind(built_in(U))
    short, long = searched(Search(model, 100)), searched(Search(model, 250))
    np.testing.assert_array_equal(long.losses[:100], short.losses)
    for records in search(Search(model, 250), first=100):
        short.extend(records)
    np.testing.assert_array_equal(long.best_so_far, short.best_so_far)


def test_another_seed_draws_other_samples() -> None:
    model = bind(built_in(U))
    assert searched(Search(model, 20, seed=1)).losses[0] != searched(Search(model, 20, seed=2)).losses[0]


@pytest.mark.parametrize("spread", [0.01, 2.0, 50.0])
def test_numbers_fill_their_box_evenly(spread: float) -> None:
    plan = Search(bind(built_in("two-layer-nonlinear")), spread=spread).checked()
    drawn = plan.vectors(0, 4000).ravel()
    assert np.abs(drawn).max() <= spread
    shares = np.histogram(drawn, bins=10, range=(-spread, spread))[0] / drawn.size
    np.testing.assert_allclose(shares, 0.1, atol=0.005)
    assert f"between -{spread:g} and {spread:g}" in plan.sentence()


def test_the_box_reaches_as_far_as_the_initial_values() -> None:
    assert Search(bind(built_in(U))).half_width == 2.0
    assert Search(line_model(start=-7.5)).half_width == 7.5
    assert Search(line_model(start=-7.5), spread=3.0).half_width == 3.0


def test_a_vector_holds_the_parameters_in_order() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    plan = Search(model).checked()
    assert plan.size == 13
    vectors = plan.vectors(5, 3)
    several = plan.parameters(vectors)
    for name, value in model.parameters.items():
        assert several[name].shape == (3, *value.shape)
        np.testing.assert_array_equal(several[name][1], plan.parameters(vectors[1])[name])


# --- what is kept ------------------------------------------------------------------------------------------


def test_the_best_is_kept_with_every_improvement_on_the_way() -> None:
    model = bind(built_in("two-layer-nonlinear"))
    result = searched(Search(model, 3000))
    assert (result.evaluations, result.done) == (3000, True)
    np.testing.assert_array_equal(result.best_so_far, np.minimum.accumulate(result.losses))
    assert result.best is not None
    assert result.best.loss == result.losses.min() == result.losses[result.best.evaluation]
    assert [i.loss for i in result.improvements] == sorted({*result.best_so_far.tolist()}, reverse=True)
    for improvement in result.improvements:
        np.testing.assert_array_equal(improvement.vector, result.plan.vectors(improvement.evaluation, 1)[0])
    parameters = result.parameters
    assert parameters is not None
    values = forward(model.graph, {**model.inputs, **parameters})
    assert float(values[model.graph.ids["L"]]) == pytest.approx(result.best.loss, rel=1e-12)


def test_what_is_no_number_is_never_the_best() -> None:
    result = searched(Search(model_of("L = log(w) + 1/w", {"w": 1.0}, {}), 200))
    assert np.isnan(result.losses).any()
    assert np.isfinite(result.best_so_far[-1])
    first = int(np.flatnonzero(np.isfinite(result.losses))[0])
    assert np.isnan(result.best_so_far[:first]).all()
    assert result.improvements[0].evaluation == first
    minus_infinity = SearchResult(Search(line_model(), 3))
    minus_infinity.extend(SearchRecords(0, np.array([-np.inf, 4.0, np.nan]), np.zeros((3, 1))))
    assert minus_infinity.best is not None
    assert minus_infinity.best.loss == 4.0


def test_a_search_without_a_finite_loss_has_no_best() -> None:
    model = model_of("L = log(-1 - w*w)", {"w": 1.0}, {})
    result = searched(Search(model, 30))
    assert (result.best, result.parameters) == (None, None)
    run = Run(model)
    run.advance(5)
    assert result.compared(run).winner is None
    assert result.compared(run).sentence() == (
        "Neither gets below the loss at the start, not a number: at the cost of 30 loss evaluations, "
        "gradient descent (η 0.1) cannot begin, none of 30 random samples has a finite loss."
    )


def test_gradient_descent_that_cannot_begin_loses() -> None:
    model = model_of("L = log(w) + 1/w", {"w": -1.0}, {})
    run = Run(model)
    run.advance(5)
    found = searched(Search(model, 300)).compared(run)
    assert (found.winner, found.evaluations, found.iterations) == ("search", 300, 0)
    assert "cannot begin, as the loss at the start is not a number." in found.sentence()


def test_dots_are_bounded_and_spread_over_the_search() -> None:
    result = searched(Search(bind(built_in(U)), 30_000))
    dots = result.dots
    assert MOST_DOTS / 2 <= len(dots.losses) <= MOST_DOTS
    assert len(set(np.diff(dots.evaluations))) == 1
    assert dots.evaluations[-1] > 29_900
    np.testing.assert_array_equal(dots.losses, result.losses[dots.evaluations])
    for place in (0, 17, -1):
        expected = result.plan.vectors(int(dots.evaluations[place]), 1)[0]
        np.testing.assert_array_equal(dots.vectors[place], expected)


def test_dots_of_many_parameters_are_fewer() -> None:
    model = model_of("L = norm(w)**2", {"w": np.ones((1, 200_000))}, {})
    result = searched(Search(model, 60))
    assert result.plan.block < 10
    assert len(result.dots.losses) <= 20


def test_records_follow_one_another() -> None:
    plan = Search(bind(built_in(U)), 20)
    result = SearchResult(plan)
    with pytest.raises(ValueError, match="do not follow"):
        result.extend(next(search(plan, first=10)))


def test_what_is_kept_cannot_be_written_to() -> None:
    result = searched(Search(bind(built_in(U)), 5))
    for array in (result.losses, result.best_so_far, result.improvements[0].vector):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"evaluations": 0}, "evaluations cannot be 0"),
        ({"evaluations": 10**9}, "from 1 to 10000000"),
        ({"spread": 0.0}, "spread cannot be 0"),
        ({"spread": -1.0}, "spread cannot be -1"),
        ({"spread": math.nan}, "spread cannot be nan"),
        ({"spread": math.inf}, "spread cannot be inf"),
    ],
)
def test_what_cannot_be_searched_is_said(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        Search(bind(built_in(U)), **options).checked()


def test_a_network_without_parameters_cannot_be_searched() -> None:
    with pytest.raises(TrainingError, match="no parameters"):
        Search(model_of("L = mean(x)", {}, {"x": [1.0, 2.0]})).checked()


# --- the primer's question ---------------------------------------------------------------------------------


def compared(model, evaluations: int, recipe: Recipe, iterations: int, price: float = 3.0) -> Comparison:
    run = Run(model, recipe)
    run.advance(iterations)
    return searched(Search(model, evaluations)).compared(run, price)


@pytest.mark.parametrize("name", built_in_names())
def test_the_gradient_directs_the_search_on_the_built_in_networks(name: str) -> None:
    model = bind(built_in(name))
    found = compared(model, 900, model.network.training.recipe, 300)
    assert (found.evaluations, found.iterations, found.winner) == (900, 300, "descent")
    assert found.sentence().startswith(
        "Yes, the gradient directs the search: at the cost of 900 loss evaluat"
    )
    assert found.passed is not None
    run = Run(model, model.network.training.recipe)
    run.advance(300)
    assert run.losses[found.passed] < found.found <= run.losses[found.passed - 1]
    assert run.losses[300] == found.reached


@pytest.mark.parametrize(
    ("evaluations", "iterations", "price", "samples", "steps"),
    [
        (300, 100, 3.0, 300, 100),
        (1000, 100, 3.0, 300, 100),  # the run is shorter
        (100, 1000, 3.0, 99, 33),  # the search is
        (100, 1000, 1.0, 100, 100),  # the backward pass for nothing
        (2, 50, 3.0, 0, 0),
        (50, 0, 3.0, 0, 0),
    ],
)
def test_both_are_read_at_the_same_cost(
    evaluations: int, iterations: int, price: float, samples: int, steps: int
) -> None:
    found = compared(bind(built_in(U)), evaluations, Recipe(), iterations, price)
    assert (found.evaluations, found.iterations) == (samples, steps)
    if not samples:
        words = "draw 3 to compare" if evaluations < price else "There is nothing to compare yet"
        assert words in found.sentence()


def test_a_mini_batch_costs_its_share() -> None:
    model = bind(built_in(U))  # 50 examples
    found = compared(model, 300, Recipe(batch_size=10), 2000)
    assert found.price == pytest.approx(0.6)
    assert (found.evaluations, found.iterations) == (300, 500)


def test_a_diverging_run_loses_and_is_told_so() -> None:
    found = compared(bind(built_in(U)), 9000, Recipe("gd", {"learning_rate": 3.0}), 3000)
    assert (found.winner, found.diverged) == ("search", True)
    assert found.sentence().startswith("Not here: ")
    assert f"diverged from {found.start:.4g}; try a smaller learning rate" in found.sentence()


def test_a_creeping_run_loses() -> None:
    found = compared(bind(built_in(U)), 300, Recipe("gd", {"learning_rate": 1e-5}), 100)
    assert found.winner == "search"
    assert (
        f"while 100 steps of gradient descent (η 1e-05) came from {found.start:.4g} to " in found.sentence()
    )
    assert found.sentence().endswith(" only.")


def test_a_run_that_rises_is_told_so() -> None:
    found = compared(bind(built_in(U)), 30, Recipe("gd", {"learning_rate": 1.1}), 10)
    assert f"went up from {found.start:.4g} to {found.reached:.4g}; try" in found.sentence()


def test_neither_may_help() -> None:
    found = compared(line_model(start=1.0), 30, Recipe(), 10)
    assert found.winner is None
    assert found.sentence().startswith("Neither gets below the loss at the start, 0: ")


def test_both_may_reach_the_same() -> None:
    model = model_of("L = max(abs(w) - 3, 0 * w) + abs(v)*0", {"w": 5.0, "v": 1.0}, {})
    found = compared(model, 3000, Recipe("gd", {"learning_rate": 0.5}), 1000)
    assert found.winner == "both"
    assert found.sentence().startswith("Here it makes no difference: ")


def test_other_optimizers_are_named() -> None:
    model = bind(built_in(U))
    found = compared(model, 300, Recipe("adam", {"learning_rate": 0.1}), 100)
    assert "100 steps of gradient descent (Adam, η 0.1)" in found.sentence()


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, 0.5, 0.5000000001])


@given(numbers, numbers, numbers, st.integers(0, 300), st.none() | st.integers(0, 100), st.booleans())
def test_the_sentence_is_true_whoever_wins(
    start: float, found: float, reached: float, samples: int, passed: int | None, diverged: bool
) -> None:
    method = "gradient descent (η 1)"
    compared = Comparison(samples, samples // 3, 3.0, method, start, found, reached, passed, diverged)
    sentence = compared.sentence()
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert "nan" not in sentence
    assert "inf " not in sentence
    if not samples:
        return
    descended = reached if math.isfinite(reached) and not diverged else math.inf
    sampled = found if math.isfinite(found) else math.inf
    begun = start if math.isfinite(start) else math.inf
    if sentence.startswith("Yes"):
        assert descended < min(sampled, begun)
    elif sentence.startswith("Not here"):
        assert sampled < min(descended, begun)
    elif sentence.startswith("Here"):
        assert descended == pytest.approx(sampled, rel=1e-8)
        assert min(descended, sampled) < begun  # the other may lie a rounding above it
    else:
        assert sentence.startswith("Neither")
        assert min(descended, sampled) >= begun or min(descended, sampled) == math.inf


def test_the_best_loss_at_the_cost_of_each_iteration() -> None:
    result = searched(Search(bind(built_in(U)), 31))
    by_iteration = result.by_iteration(100)
    assert len(by_iteration) == 11
    assert np.isnan(by_iteration[0])
    np.testing.assert_array_equal(by_iteration[1:], result.best_so_far[2:30:3])


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("trained", [0, 5])
def test_fewer_samples_than_a_step_costs_say_what_they_found(count: int, trained: int) -> None:
    model = bind(built_in("two-layer-nonlinear"))
    result = searched(Search(model, count, seed=0).checked())
    run = Run(model)
    run.advance(trained)
    sentence = result.compared(run).sentence()
    assert result.best is not None
    start, best = float(run.losses[0]), result.best.loss
    who = "The one random sample has" if count == 1 else "The best of 2 random samples has"
    side = "below" if best < start else "above"
    assert sentence == (
        f"{who} the loss {best:.4g}, {side} the {start:.4g} at the start; a step of gradient descent (η 0.1) "
        "costs as much as 3 samples: draw 3 to compare."
    )


def test_one_sample_without_a_finite_loss_says_so() -> None:
    model = model_of("L = log(w - 10)", {"w": 20.0}, {})
    result = searched(Search(model, 1, spread=1.0).checked())
    assert (
        result.compared(Run(model)).sentence().startswith("The one random sample has no finite loss; a step")
    )
