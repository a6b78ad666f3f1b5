"""Learning-rate schedules: PyTorch's numbers, warm-up before any of them, what is said of bad settings."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.schedules import SCHEDULES, Schedule
from engine.training import Recipe, Stopping
from tests.engine.test_optimizers import reference
from tests.helpers import assert_well_formed

ALL = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=list(SCHEDULES))


def rates(schedule: Schedule, count: int, base: float = 0.2, **given: Any) -> list[float]:
    settings = schedule.settings(given)
    return [schedule.rate(base, i, settings) for i in range(count)]


@pytest.mark.parametrize("case", reference()["schedules"], ids=lambda case: case["schedule"])
def test_fifty_rates_agree_with_pytorch(case: dict[str, Any]) -> None:
    found = rates(SCHEDULES[case["schedule"]], len(case["rates"]), **case["settings"])
    np.testing.assert_allclose(found, case["rates"], rtol=0, atol=1e-12)


def test_every_schedule_is_held_to_the_reference() -> None:
    assert {case["schedule"] for case in reference()["schedules"]} | {"constant"} == set(SCHEDULES)


@ALL
def test_every_schedule_begins_at_the_learning_rate_after_its_warmup(schedule: Schedule) -> None:
    found = rates(schedule, 6, warmup=5)
    np.testing.assert_allclose(found, [0.04, 0.08, 0.12, 0.16, 0.2, 0.2], rtol=1e-12)


@ALL
def test_rates_are_finite_and_never_negative_however_long(schedule: Schedule) -> None:
    settings = schedule.settings({})
    for iteration in (0, 1, 499, 500, 501, 10**6, 10**12):
        assert 0 <= schedule.rate(0.1, iteration, settings) <= 0.1


def test_the_cosine_stays_at_its_final_rate() -> None:
    found = rates(SCHEDULES["cosine"], 40, period=10, final_rate=0.05)
    assert found[10:] == [0.05] * 30


@ALL
def test_every_schedule_is_explained(schedule: Schedule) -> None:
    assert_well_formed(schedule.latex)
    for sentence in (schedule.text, *(h.why for h in schedule.hyperparameters)):
        assert sentence.endswith(".")
    assert pickle.loads(pickle.dumps(schedule)) is schedule


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("step", {"every": 0}, "the length of a step cannot be 0. It is a whole number of at least 1."),
        ("step", {"every": 2.5}, "the length of a step cannot be 2.5. It is a whole number"),
        ("step", {"factor": 0}, "the factor cannot be 0. It is a number greater than 0 and at most 1."),
        (
            "exponential",
            {"decay": 1.5},
            "the decay cannot be 1.5. It is a number greater than 0 and at most 1.",
        ),
        ("cosine", {"final_rate": -1}, "the final rate cannot be -1. It is a number of at least 0."),
        ("warmup", {"warmup": -1}, "the warm-up cannot be -1. It is a whole number of at least 0."),
        ("cosine", {"factor": 0.5}, "the schedule cosine has no factor. It has: final rate, period, warmup."),
    ],
)
def test_a_bad_setting_is_said(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Recipe(schedule=name, schedule_settings=given).checked()
    assert str(caught.value).startswith(message)


# --- in a recipe -------------------------------------------------------------------------------------------


def test_a_recipe_gives_the_rate_of_each_iteration() -> None:
    recipe = Recipe("adam", {"learning_rate": 0.1}, schedule="step", schedule_settings={"every": 2}).checked()
    found = [recipe.settings_at(i) for i in range(5)]
    assert [s["learning_rate"] for s in found] == [0.1, 0.1, 0.05, 0.05, 0.025]
    assert [s["t"] for s in found] == [1, 2, 3, 4, 5]
    assert found[0]["beta2"] == 0.999
    assert recipe.title() == "Adam, η 0.1, step"
    assert Recipe("gd", {"learning_rate": 0.01}).title() == "Gradient descent, η 0.01"


@pytest.mark.parametrize("recipe", [Recipe("foo"), Recipe(schedule="foo")])
def test_what_does_not_exist_is_said(recipe: Recipe) -> None:
    with pytest.raises(TrainingError, match=r"there is no (optimizer|schedule) foo\. There are: "):
        recipe.checked()


@pytest.mark.parametrize("rule", ["change", "gradient"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "soon"])
def test_a_stopping_rule_out_of_range_is_said(rule: str, value: Any) -> None:
    with pytest.raises(TrainingError, match=r"tolerance cannot be .*It is a number of at least 0\."):
        Recipe(stopping=Stopping(**{rule: value})).checked()


def test_a_loss_to_stop_at_may_be_negative() -> None:
    assert Recipe(stopping=Stopping(loss=-3)).checked().stopping.loss == -3
    with pytest.raises(TrainingError, match=r"the loss to stop at cannot be nan\. It is a finite number\."):
        Recipe(stopping=Stopping(loss=float("nan"))).checked()
