"""The step-size sweep: the same numbers over any executor, given up at once, and every rate by itself."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.stability import stability_limit
from engine.sweep import (
    LISTED,
    Found,
    Sweep,
    SweepRecords,
    SweepResult,
    default_range,
    log_rates,
    sweep,
    train_on,
)
from engine.training import Point, Recipe, Run, Stopping
from graphs.network import bind, built_in
from tests.helpers import model_of

U = "univariate-regression"


def swept(plan: Sweep, executor: Executor) -> SweepResult:
    result = SweepResult(plan)
    for records in sweep(plan, executor):
        result.extend(records)
    return result


class AtOnce(Executor):
    """Runs a task when it is submitted; one may be made to fail."""

    def __init__(self, fails_at: float | None = None) -> None:
        self._fails_at = fails_at

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if args[1].learning_rate == self._fails_at:
            future.set_exception(MemoryError("no room"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def expected(plan: Sweep) -> list[tuple[float, float, float, int | None]]:
    found = []
    for rate in plan.rates:
        run = Run(plan.problem, plan.at(rate))
        run.advance(plan.steps)
        found.append(
            (
                rate,
                float(run.losses[0]),
                float(run.losses[-1]),
                run.diverged.iteration if run.diverged else None,
            )
        )
    return found


def assert_same(result: SweepResult, plan: Sweep) -> None:
    numbers = [(f.rate, f.start, f.loss, f.diverged_at) for f in result.found]
    np.testing.assert_array_equal(
        np.array(numbers, dtype=float), np.array(expected(plan.checked()), dtype=float)
    )


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe("adam", batch_size=8),
        Recipe("momentum", schedule="cosine", schedule_settings={"warmup": 10}),
    ],
    ids=["gd", "adam", "momentum"],
)
def test_every_rate_comes_to_what_a_run_comes_to(recipe: Recipe) -> None:
    plan = Sweep(bind(built_in("two-layer-nonlinear")), recipe, log_rates(1e-3, 1e3, 7), 60)
    with ThreadPoolExecutor(3) as threads:
        assert_same(swept(plan, threads), plan)
    assert_same(swept(plan, AtOnce()), plan)


def test_processes_give_the_same_numbers() -> None:
    plan = Sweep(bind(built_in(U)), Recipe(), log_rates(1e-2, 10, 6), 300)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert_same(swept(plan, processes), plan)


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_a_rate_trained_in_many_tasks_ends_at_the_same_number(optimizer: str) -> None:
    """A task of no time at all does one iteration; this is what a slow network's tasks are like."""
    model = bind(built_in("two-layer-nonlinear"))
    recipe = Recipe(optimizer, batch_size=20).checked()
    point, tasks = Point(0, model.parameters), 0
    while True:
        stand = train_on(model, recipe, point, 50, seconds=0.0)
        point, tasks = stand.point, tasks + 1
        if stand.is_over:
            break
    assert tasks > 1
    run = Run(model, recipe)
    run.advance(50)
    assert stand.loss == run.losses[-1]


def test_a_stopping_rule_ends_a_rate_but_not_at_a_loss() -> None:
    recipe = Recipe(stopping=Stopping(loss=1.0, change=1e-6))
    plan = Sweep(bind(built_in(U)), recipe, (0.01, 0.1), 1000)
    found = swept(plan, AtOnce()).found
    assert all(f.loss < 0.36 and f.iterations < 1000 for f in found)
    assert found[0].iterations > found[1].iterations


def test_rates_around_the_limit_converge_below_and_diverge_above() -> None:
    model = bind(built_in(U))
    limit = stability_limit(model, Recipe()).rate
    assert limit is not None
    shares = (0.5, 0.9, 0.99, 1.01, 1.1, 1.5)
    result = swept(Sweep(model, Recipe(), tuple(limit * s for s in shares), 2000), AtOnce())
    assert [f.outcome for f in result.found] == ["trained"] * 3 + ["rose", "diverged", "diverged"]
    assert all(f.loss == pytest.approx(result.found[0].loss, rel=1e-9) for f in result.found[:3])
    assert result.sentence() == (
        "3 rates from 0.5 to 0.99 reach the lowest loss, 0.3489; from 1.01 on the loss ends no "
        "lower than it starts, or training diverges."
    )


def test_rates_that_look_alike_in_the_list_are_the_best_and_no_others() -> None:
    model = bind(built_in("scalar-operations"))
    rates = (0.1334, 0.1778, 5.623, 10.0)
    result = swept(Sweep(model, Recipe(), rates, 50), AtOnce())
    listed = [f"{f.loss:{LISTED}}" for f in result.found]
    assert listed == ["0.500006", "0.5", "0.5", "0.500003"]
    assert [f.rate for f in result.best] == [0.1778, 5.623]
    assert result.sentence() == "2 rates from 0.1778 to 5.623 reach the lowest loss, 0.5."


def test_rates_between_the_best_that_are_worse_are_counted() -> None:
    model = bind(built_in("scalar-operations"))
    result = swept(Sweep(model, Recipe(), (0.1778, 7.499, 5.623, 0.01), 50), AtOnce())
    result._found = [replace(f, loss=0.5) if f.rate == 7.499 else f for f in result.found]
    result._found = [replace(f, loss=0.6) if f.rate == 5.623 else f for f in result.found]
    assert result.sentence() == "2 of 3 rates from 0.1778 to 7.499 reach the lowest loss, 0.5."


def test_one_rate_that_fails_leaves_the_others() -> None:
    plan = Sweep(bind(built_in(U)), Recipe(), (0.01, 0.1, 0.5), 50)
    result = swept(plan, AtOnce(fails_at=0.1))
    assert [f.outcome for f in result.found] == ["trained", "failed", "trained"]
    assert result.found[1].sentence() == "learning rate 0.1: MemoryError: no room"
    assert result.done


def test_an_executor_that_is_closed_fails_every_rate() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    result = swept(Sweep(bind(built_in(U)), Recipe(), (0.01, 0.1), 50), threads)
    assert [f.outcome for f in result.found] == ["failed", "failed"]
    assert result.sentence().startswith("None of 2 learning rates could be tried: RuntimeError: ")


def test_a_worker_that_dies_is_said() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        plan = Sweep(bind(built_in("two-layer-nonlinear")), Recipe(), (0.01, 0.1), 10_000_000)
        work, result = sweep(plan, processes), SweepResult(plan)
        for records in work:
            result.extend(records)
            if records.iterations:
                for process in (processes._processes or {}).values():
                    process.kill()
    assert [f.outcome for f in result.found] == ["failed", "failed"]
    assert "a worker process ended before its time" in result.found[0].sentence()


def test_a_sweep_that_is_given_up_submits_nothing_more_and_cancels_what_waits() -> None:
    plan = Sweep(bind(built_in("two-layer-nonlinear")), Recipe(), log_rates(1e-3, 1, 20), 10_000_000)
    with ThreadPoolExecutor(1) as threads:
        work = sweep(plan, threads)
        while next(work).iterations == 0:
            pass
        work.close()
        begun = time.monotonic()
    assert time.monotonic() - begun < 60  # a sweep to the end would take days


def test_a_start_without_a_finite_loss_diverges_at_once() -> None:
    result = swept(Sweep(model_of("L = log(w)", {"w": -1.0}, {}), Recipe(), (0.1, 1.0)), AtOnce())
    assert [f.sentence() for f in result.found] == [
        "learning rate 0.1: diverged at iteration 0",
        "learning rate 1: diverged at iteration 0",
    ]
    assert "below not a number" not in result.sentence()


def test_progress_grows_to_one() -> None:
    plan = Sweep(bind(built_in("two-layer-nonlinear")), Recipe(), log_rates(1e-3, 1e3, 5), 3000)
    result, seen = SweepResult(plan), [0.0]
    with ThreadPoolExecutor(2) as threads:
        for records in sweep(plan, threads):
            result.extend(records)
            seen.append(result.progress)
    assert all(a <= b for a, b in pairwise(seen))
    assert seen[-1] == 1.0
    assert result.done


def test_data_and_batches_reach_the_tasks() -> None:
    """A model travels whole: its data, seed and batches are those of the run in this process."""
    model = bind(built_in(U), seed=5, overrides={"w": 3.0})
    plan = Sweep(model, Recipe(batch_size=7), (0.05,), 30)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        assert_same(swept(plan, processes), plan)


# --- what is said ------------------------------------------------------------------------------------------


def result_of(*found: Found) -> SweepResult:
    plan = Sweep(bind(built_in(U)), Recipe(), tuple(f.rate for f in found))
    result = SweepResult(plan)
    result.extend(SweepRecords(found, 0))
    return result


def test_the_best_rate_is_said() -> None:
    nan = float("nan")
    trained = Found(0.1, 0.5, 10, 2.0), Found(0.3, 0.4, 10, 2.0)
    assert result_of(*trained).sentence() == "The best of 2 learning rates is 0.3, with loss 0.4."
    diverged = Found(1.0, nan, 4, 2.0, diverged_at=4)
    assert result_of(*trained, diverged).sentence() == (
        "The best of 3 learning rates is 0.3, with loss 0.4; from 1 on training diverges."
    )
    rose = Found(1.0, 7.0, 10, 2.0)
    assert result_of(*trained, rose).sentence() == (
        "The best of 3 learning rates is 0.3, with loss 0.4; from 1 on the loss ends no lower than it starts."
    )
    assert result_of(diverged).sentence() == (
        "None of 1 learning rate brings the loss below 2, where it starts; from 1 on training diverges."
    )
    still = Found(1.0, 2.0 * (1 - 1e-14), 10, 2.0)  # exactly at the limit a run goes to and fro for ever
    assert still.outcome == "rose"
    assert diverged.sentence() == "learning rate 1: diverged at iteration 4"
    assert rose.sentence() == "learning rate 1: loss 7, not below the 2 at the start"
    assert trained[0].sentence() == "learning rate 0.1: loss 0.5 after 10 iterations"


def test_rates_are_evenly_spaced_on_a_log_axis_and_read_well() -> None:
    rates = log_rates(1e-3, 10, 33)
    np.testing.assert_allclose(np.diff(np.log10(rates)), 4 / 32, rtol=1e-6)
    assert (rates[0], rates[8], rates[16], rates[-1]) == (0.001, 0.01, 0.1, 10.0)


@pytest.mark.parametrize(
    ("rate", "limit"), [(0.1, None), (0.1, 1.0), (0.1, 1e9), (3e-7, None), (1e-300, None), (1e300, 1e300)]
)
def test_the_default_range_holds_the_rate_and_the_limit(rate: float, limit: float | None) -> None:
    low, high = default_range(rate, limit)
    assert low < max(rate, 1e-290)
    assert high > rate or rate > 1e290
    assert limit is None or high > limit or limit > 1e290
    log_rates(low, high, 20)


@pytest.mark.parametrize(
    ("low", "high", "points", "words"),
    [
        (0.0, 1.0, 5, "cannot run from 0 to 1"),
        (1.0, 0.1, 5, "cannot run from 1 to 0.1"),
        (float("nan"), 1.0, 5, "cannot run from nan"),
        (0.1, float("inf"), 5, "cannot run from 0.1 to inf"),
        (0.1, 1.0, 1, "cannot have 1 rates"),
        (0.1, 1.0, 10**6, "from 2 to 1000"),
    ],
)
def test_ranges_that_cannot_be_are_said(low: float, high: float, points: int, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        log_rates(low, high, points)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rates": ()}, "cannot have 0 rates"),
        ({"rates": (-1.0,)}, "learning rate cannot be"),
        ({"steps": 0}, "number of steps cannot be 0"),
        ({"recipe": Recipe(batch_size=51)}, "51"),
        ({"problem": model_of("L = mean(x)", {}, {"x": [1.0]})}, "no parameters"),
    ],
)
def test_what_cannot_be_swept_is_said(options: dict[str, Any], words: str) -> None:
    plan: dict[str, Any] = {"problem": bind(built_in(U)), "recipe": Recipe(), "rates": (0.1,), **options}
    with pytest.raises(TrainingError, match=words):
        Sweep(**plan).checked()
