"""What is drawn of a sweep: heights, signs, lines, and words that are true of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.stability import Limit
from engine.sweep import Found, Sweep, SweepRecords, SweepResult
from engine.training import Recipe
from graphs.network import bind, built_in
from gui.viewdata.sweep import legend, nearest, same_sweep, status, sweep_view, told

NAN = float("nan")
MODEL = bind(built_in("univariate-regression"))


def found(rate, loss, start=2.0, **more):
    return Found(rate, loss, 10, start, **more)


def result_of(*all_found, rates=None, limit=None):
    plan = Sweep(MODEL, Recipe().checked(), rates or tuple(f.rate for f in all_found))
    result = SweepResult(plan, limit)
    result.extend(SweepRecords(all_found, 0))
    return result


TRAINED = (found(0.01, 1.5), found(0.1, 0.5), found(1.0, 1.0))
DIVERGED = found(10.0, NAN, diverged_at=7)
ROSE = found(100.0, 1e9)
FAILED = found(1000.0, NAN, failure="no room")


def test_rates_stand_at_their_logarithms_and_losses_at_their_heights():
    view = sweep_view(result_of(*TRAINED), None, 2.0)
    assert [(m.x, m.y) for m in view.marks] == [(-2.0, 1.5), (-1.0, 0.5), (0.0, 1.0)]
    assert (view.is_log, view.low, view.high, view.start) == (False, 0.5, 2.0, 2.0)
    assert [m.is_best for m in view.marks] == [False, True, False]
    assert view.lines == (((-2.0, 1.5), (-1.0, 0.5), (0.0, 1.0)),)


def test_losses_far_apart_stand_at_their_logarithms():
    view = sweep_view(result_of(found(0.1, 1e-3), found(1.0, 1e-5)), None, 10.0)
    assert view.is_log
    assert [m.y for m in view.marks] == pytest.approx([-3.0, -5.0])
    assert (view.low, view.high, view.start) == pytest.approx((-5.0, 1.0, 1.0))


@pytest.mark.parametrize("loss", [0.0, -3.0])
def test_losses_that_are_not_positive_have_no_logarithm(loss):
    view = sweep_view(result_of(found(0.1, 1e-3), found(1.0, loss)), None, 10.0)
    assert not view.is_log
    assert view.low == loss


def test_what_did_not_come_down_has_a_sign_at_the_edge_and_breaks_the_line():
    between = found(0.3, NAN, diverged_at=2)
    more = (found(0.5, 0.7), DIVERGED, ROSE, FAILED)
    view = sweep_view(result_of(*TRAINED[:2], between, *more), None, 2.0)
    assert [m.y for m in view.marks] == [1.5, 0.5, None, 0.7, None, None, None]
    assert view.lines == (((-2.0, 1.5), (-1.0, 0.5)),)
    assert legend(view) == "▲ not below the start  ✕ diverges  ★ failed"
    assert view.high == 2.0, "what lies above the start does not crush the rest"


def test_what_is_above_the_limit_diverges_however_low_its_loss_is():
    limit = Limit(1.0, "2/λmax", 2.0)
    result = result_of(found(0.5, 1.0), found(1.0, 0.9), found(1.001, 0.1), DIVERGED, limit=limit)
    view = sweep_view(result, limit, 2.0)
    assert [m.y for m in view.marks] == [1.0, None, None, None]
    assert [m.is_best for m in view.marks] == [True, False, False, False]
    assert legend(view) == "■ to and fro for ever  ✕ diverges"
    assert told(view.marks[2].found) == "learning rate 1.001: loss 0.1\ndiverging: above the limit"
    assert told(view.marks[1].found) == "learning rate 1: loss 0.9\ngoes to and fro for ever: at the limit"
    assert status(result, limit, False) == (
        "The best of 4 learning rates is 0.5, with loss 1; at 1, the limit itself, training goes to and fro "
        "for ever. The loss is quadratic: learning rates above 2/λmax = 1 diverge."
    )


def test_nothing_is_best_while_more_is_to_come():
    result = result_of(*TRAINED, rates=(0.01, 0.1, 1.0, 5.0))
    assert not any(m.is_best for m in sweep_view(result, None, 2.0, is_running=True).marks)


@pytest.mark.parametrize("start", [NAN, math.inf, 0.0, -1.0, 2.0])
def test_there_is_always_a_range_to_draw(start):
    for result in (None, result_of(DIVERGED), result_of(found(0.1, 2.0, start=3.0))):
        view = sweep_view(result, None, start)
        assert view.low < view.high
        assert math.isfinite(view.low + view.high)


def test_the_limit_is_written_at_its_line():
    limit = Limit(0.97123456, "2/λmax", 2.06)
    view = sweep_view(None, limit, 2.0)
    assert view.limit == pytest.approx(math.log10(0.97123456))
    assert view.limit_label == "2/λmax = 0.9712"
    long = Limit(18.99999999999, "2(1 + M)/((1 − D) λmax)", 2.0)
    assert sweep_view(None, long, 2.0).limit_label == "limit = 19"
    assert sweep_view(None, Limit(reason="No."), 2.0).limit is None


def test_the_nearest_mark_within_reach():
    view = sweep_view(result_of(*TRAINED), None, 2.0)
    mark = nearest(view, -0.9, 0.2)
    assert mark is not None
    assert mark.found.rate == 0.1
    assert nearest(view, -0.5, 0.2) is None
    assert nearest(sweep_view(None, None, 2.0), 0.0, 9.0) is None


def test_exact_values_are_told():
    assert told(found(1e-5, 0.1 + 0.2)) == (
        "learning rate 1e−05: loss 0.30000000000000004\nclick to train with it"
    )
    assert told(DIVERGED) == "learning rate 10: diverged at iteration 7"
    assert told(ROSE) == "learning rate 100: loss 1000000000.0, not below the start"
    assert told(FAILED) == "learning rate 1000: no room"


def test_the_status_says_where_it_stands_and_what_was_found():
    limit, none = Limit(1.0, "2/λmax", 2.0), Limit(reason="The loss is not quadratic.")
    assert status(None, limit, False) == "The loss is quadratic: learning rates above 2/λmax = 1 diverge."
    assert status(None, None, False) == ""
    begun = result_of(*TRAINED, rates=(0.01, 0.1, 1.0, 2.0))
    assert status(begun, limit, True).startswith("3 of 4 learning rates, ")
    assert status(begun, none, False) == (
        "Cancelled after 3 of 4 learning rates. The best of 3 learning rates is 0.1, with loss 0.5. "
        "The loss is not quadratic."
    )
    done = result_of(*TRAINED, DIVERGED)
    assert "from 10 on training diverges" in status(done, none, False)
    assert status(done, limit, False) == (
        "The best of 4 learning rates is 0.1, with loss 0.5. "
        "The loss is quadratic: learning rates above 2/λmax = 1 diverge."
    )


def test_only_another_learning_rate_leaves_a_sweep_what_it_is():
    recipe = Recipe("momentum", {"learning_rate": 0.1}).checked()
    assert same_sweep(recipe, replace(recipe, settings={**recipe.settings, "learning_rate": 3.0}))
    assert not same_sweep(recipe, replace(recipe, settings={**recipe.settings, "momentum": 0.3}))
    assert not same_sweep(recipe, replace(recipe, batch_size=5))
    assert not same_sweep(recipe, Recipe("gd").checked())
