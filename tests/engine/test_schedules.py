"""Learning-rate schedules: PyTorch's numbers, warm-up before any of them, what is said of bad settings."""

from __future__ import annotations

import math
import pickle
import re
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


def read_latex(latex: str) -> str:
    """Return what the LaTeX of a schedule says as Python."""
    text = latex.removeprefix(r"\eta_i = ").replace(r"\frac{1}{2}", "0.5 * ").replace(r"\,", "*")
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    plain = {r"\lfloor": "floor(", r"\rfloor": ")", r"\eta_T": "eta_T", r"\eta": "eta", r"\gamma": "gamma"}
    plain |= {r"\pi": "pi*", r"\cos": "cos", r"\min": "min", r"\left": "*", r"\right": "", r"\geq": ">="}
    for sign, word in plain.items():
        text = text.replace(sign, word)
    cases = re.fullmatch(r"\\begin\{cases\} (.*) & (.*) \\\\ (.*) & (.*) \\end\{cases\}", text)
    return text if cases is None else "({}) if {} else ({})".format(*cases.groups()[:3])


@pytest.mark.parametrize("warmup", [0, 7])
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("constant", {}),
        ("step", {"every": 3, "factor": 0.7}),
        ("exponential", {"decay": 0.9}),
        ("cosine", {"period": 20, "final_rate": 0.03}),
        ("warmup", {}),
    ],
)
def test_formulas_give_the_numbers_with_and_without_a_warm_up(
    name: str, given: dict[str, Any], warmup: int
) -> None:
    schedule = SCHEDULES[name]
    settings = schedule.settings({**given, "warmup": warmup})
    functions: dict[str, Any] = {**vars(math), "min": min, "__builtins__": {}}
    known = {"eta": 0.2, **settings}
    symbols = {
        "W": warmup,
        "N": given.get("every"),
        "T": given.get("period"),
        "eta_T": given.get("final_rate"),
    }
    known |= symbols | {"gamma": given.get("factor", given.get("decay"))}
    assert ("cases" in schedule.formula(settings)) == bool(warmup)
    for text in (schedule.source(settings), read_latex(schedule.formula(settings))):
        found = [eval(text, functions, {**known, "i": i}) for i in range(40)]  # noqa: S307
        np.testing.assert_allclose(found, rates(schedule, 40, **settings), rtol=1e-12)


# --- how long a run is -------------------------------------------------------------------------------------


def test_defaults_go_with_the_number_of_iterations() -> None:
    def made(name: str, span: int, **given: Any) -> dict[str, Any]:
        return dict(Recipe(schedule=name, schedule_settings=given, span=span).checked().schedule_settings)

    assert made("cosine", 3000, warmup=100) == {"period": 2900, "final_rate": 0.0, "warmup": 100}
    assert made("cosine", 3000, period=40)["period"] == 40
    assert made("cosine", 10, warmup=50)["period"] == 1
    assert made("step", 1000)["every"] == 200
    assert made("step", 3)["every"] == 1
    for span in (1, 2, 50, 3000, 10**7):
        settings = made("exponential", span)
        assert 0.0 < SCHEDULES["exponential"].rate(1.0, span, settings) < 0.013
    assert SCHEDULES["exponential"].rate(1.0, 3000, made("exponential", 3000)) > 0.008


def test_what_is_by_default_follows_another_length_and_what_was_chosen_stays() -> None:
    recipe = Recipe(schedule="cosine", schedule_settings={"warmup": 20}, span=100).checked()
    assert recipe.schedule_settings["period"] == 80
    longer = recipe.spanning(500)
    assert (longer.span, longer.schedule_settings["period"]) == (500, 480)
    chosen = Recipe(schedule="cosine", schedule_settings={"period": 70}, span=100).checked().spanning(500)
    assert chosen.schedule_settings["period"] == 70
    assert Recipe().checked().spanning(9) == Recipe().checked(), "a constant rate knows no length"


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        (Recipe("adam", {"learning_rate": 0.01}), "Adam, η 0.01"),
        (Recipe("adam", {"learning_rate": 0.01, "beta1": 0.5}), "Adam, η 0.01, β₁ 0.5"),
        (Recipe("adam", {"learning_rate": 0.01, "beta2": 0.9999999}), "Adam, η 0.01, β₂ 0.9999999"),
        (Recipe("rmsprop", {"learning_rate": 0.1, "rho": 0.5}), "RMSprop, η 0.1, ρ 0.5"),
        (Recipe("momentum", {"momentum": 0.5}), "Momentum, η 0.1, momentum 0.5"),
        (Recipe("momentum", {"dampening": 0.0}), "Momentum, η 0.1, dampening 0"),
        (Recipe(batch_size=8), "Gradient descent, η 0.1, 8 a batch"),
        (Recipe(schedule_settings={"warmup": 5}), "Gradient descent, η 0.1, warm-up 5"),
        (Recipe(schedule="warmup"), "Gradient descent, η 0.1, warm-up 20"),
        (Recipe(schedule="cosine", span=900), "Gradient descent, η 0.1, cosine"),
        (
            Recipe(schedule="cosine", schedule_settings={"period": 90, "warmup": 4}),
            "Gradient descent, η 0.1, cosine, period 90, warm-up 4",
        ),
        (Recipe(stopping=Stopping(gradient=1e-6)), "Gradient descent, η 0.1, gradient ≤ 1e-06"),
    ],
)
def test_a_title_says_what_is_not_as_by_default(recipe: Recipe, title: str) -> None:
    assert recipe.checked().title() == title


@ALL
def test_every_schedule_is_explained(schedule: Schedule) -> None:
    for warmup in (0, 5):
        assert_well_formed(schedule.formula(schedule.settings({"warmup": warmup})))
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
    assert recipe.title() == "Adam, η 0.1, step, every 2"
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
