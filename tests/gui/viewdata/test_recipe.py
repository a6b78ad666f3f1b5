"""The recipe's form: what stands in it, and what becomes of a recipe when one thing is changed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TrainingError
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training import STOPPING, Recipe, Stopping
from gui.viewdata.recipe import (
    hyperparameter,
    next_number,
    next_rate,
    number_text,
    rates,
    settings_of,
    summary,
    with_defaults,
    with_optimizer,
    with_schedule,
    with_setting,
)

GROUPS = ("optimizer", "schedule", "stopping")
OWN = Recipe("gd", {"learning_rate": 0.3}).checked()
EVERY = [Recipe(o, schedule=s).checked() for o in OPTIMIZERS for s in SCHEDULES]


def texts(recipe, group):
    return {s.name: s.text for s in settings_of(recipe, group)}


@pytest.mark.parametrize("recipe", EVERY, ids=lambda r: f"{r.optimizer}-{r.schedule}")
def test_every_hyperparameter_has_a_field_that_is_read_back(recipe):
    assert texts(recipe, "optimizer").keys() == {h.name for h in OPTIMIZERS[recipe.optimizer].hyperparameters}
    assert texts(recipe, "schedule").keys() == {h.name for h in SCHEDULES[recipe.schedule].hyperparameters}
    assert texts(recipe, "stopping").keys() == STOPPING.keys()
    for group in GROUPS:
        for setting in settings_of(recipe, group):
            assert with_setting(recipe, group, setting.name, setting.text) == recipe
            assert setting.is_default
            assert setting.symbol
            assert "\n" in setting.tip


def test_every_field_says_its_range_and_its_default():
    fields = {s.name: s for s in settings_of(Recipe("adam").checked(), "optimizer")}
    assert "of at least 0 and less than 1; by default 0.999." in fields["beta2"].tip
    fields = {s.name: s for s in settings_of(Recipe("momentum").checked(), "optimizer")}
    assert "by default the momentum." in fields["dampening"].tip


# --- another optimizer -------------------------------------------------------------------------------------


def test_an_optimizer_that_is_only_picked_starts_at_its_own_rate():
    adam = with_optimizer(OWN, "adam", OWN)
    assert adam == Recipe("adam").checked()
    assert with_optimizer(adam, "gd", OWN) == OWN, "and the file's optimizer at the file's"


def test_a_rate_that_was_typed_in_stays():
    typed = with_setting(OWN, "optimizer", "learning_rate", "0.07")
    for name in OPTIMIZERS:
        assert with_optimizer(typed, name, OWN).learning_rate == 0.07


def test_what_the_other_optimizer_knows_is_kept_and_the_rest_forgotten():
    typed = with_setting(with_optimizer(OWN, "momentum", OWN), "optimizer", "momentum", "0.5")
    nesterov = with_optimizer(typed, "nesterov", OWN)
    assert (nesterov.settings["momentum"], nesterov.settings["dampening"]) == (0.5, 0.5)
    assert with_optimizer(with_optimizer(typed, "adam", OWN), "momentum", OWN).settings["momentum"] == 0.9


def test_dampening_follows_the_momentum_until_it_is_set_itself():
    recipe = with_optimizer(OWN, "momentum", OWN)
    recipe = with_setting(recipe, "optimizer", "momentum", "0.5")
    assert recipe.settings["dampening"] == 0.5
    recipe = with_setting(recipe, "optimizer", "dampening", "0")
    recipe = with_setting(recipe, "optimizer", "momentum", "0.8")
    assert recipe.settings["dampening"] == 0.0
    assert with_optimizer(recipe, "nesterov", OWN).settings["dampening"] == 0.0


def test_everything_but_the_optimizer_stays():
    recipe = replace(OWN, batch_size=8, stopping=Stopping(loss=0.1), schedule="cosine").checked()
    adam = with_optimizer(recipe, "adam", OWN)
    assert (adam.batch_size, adam.stopping, adam.schedule) == (8, Stopping(loss=0.1), "cosine")
    assert adam.schedule_settings == recipe.schedule_settings


def test_a_warm_up_that_was_typed_in_goes_with_every_schedule():
    recipe = with_setting(OWN, "schedule", "warmup", "30")
    for name in SCHEDULES:
        assert with_schedule(recipe, name, OWN).schedule_settings["warmup"] == 30
    assert with_schedule(OWN, "warmup", OWN).schedule_settings["warmup"] == 20
    assert with_schedule(with_schedule(OWN, "warmup", OWN), "cosine", OWN).schedule_settings["warmup"] == 0


def test_the_same_one_again_changes_nothing():
    assert with_optimizer(OWN, "gd", OWN) is OWN
    assert with_schedule(OWN, "constant", OWN) is OWN


# --- one field ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "name", "text", "part"),
    [
        (
            "optimizer",
            "learning_rate",
            "-3",
            "the learning rate cannot be -3. It is a number greater than 0.",
        ),
        ("optimizer", "learning_rate", "", "the learning rate cannot be"),
        ("optimizer", "beta1", "1", "of at least 0 and less than 1"),
        ("optimizer", "beta1", "nan", "cannot be nan"),
        ("schedule", "period", "2.5", "whole number"),
        ("schedule", "final_rate", "-1", "final rate cannot be -1"),
        ("stopping", "change", "-1", "tolerance cannot be -1"),
        ("stopping", "loss", "soon", "cannot be soon"),
    ],
)
def test_what_is_no_value_is_said(group, name, text, part):
    recipe = Recipe("adam", schedule="cosine").checked()
    with pytest.raises(TrainingError) as caught:
        with_setting(recipe, group, name, text)
    assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "  ", "never", "Never", "–"])
def test_an_empty_rule_never_stops(text):
    stopping = with_setting(OWN, "stopping", "loss", "0,5")
    assert stopping.stopping == Stopping(loss=0.5)
    assert with_setting(stopping, "stopping", "loss", text).stopping == Stopping()
    assert texts(stopping, "stopping") == {"loss": "0.5", "change": "", "gradient": ""}


def test_defaults_bring_one_group_back():
    recipe = Recipe("adam", {"beta1": 0.5}, 4, Stopping(loss=1.0), "step", {"every": 7}).checked()
    assert with_defaults(recipe, "optimizer") == replace(recipe, settings={}).checked()
    assert with_defaults(recipe, "schedule") == replace(recipe, schedule_settings={}).checked()
    assert with_defaults(recipe, "stopping") == replace(recipe, stopping=Stopping())


def test_a_summary_says_what_is_not_usual():
    assert summary(OWN) == "Gradient descent: learning rate 0.3"
    text = summary(Recipe("adam", {}, None, Stopping(loss=0.5), "cosine").checked())
    assert text.splitlines()[1:] == ["learning-rate schedule: cosine", "stops at loss at most 0.5"]


# --- numbers -----------------------------------------------------------------------------------------------


@given(st.sampled_from(EVERY), st.data())
def test_stepping_stays_in_range_and_moves_unless_at_an_end(recipe, data):
    group = data.draw(st.sampled_from(GROUPS))
    name = data.draw(st.sampled_from(sorted(texts(recipe, group))))
    record = hyperparameter(recipe, group, name)
    value = record.default
    for direction in data.draw(st.lists(st.sampled_from([-1, 1]), max_size=30)):
        found = next_number(record, value, direction)
        assert record.contains(found)
        assert found == value or (found > value) is (direction > 0)
        value = found


@pytest.mark.parametrize(
    ("optimizer", "name", "value", "direction", "expected"),
    [
        ("adam", "beta2", 0.999, 1, 0.9995),
        ("adam", "beta2", 0.999, -1, 0.998),
        ("adam", "beta1", 0.0, -1, 0.0),
        ("adam", "beta1", 0.9999, 1, 0.9999),
        ("adam", "epsilon", 1e-8, 1, 2e-8),
    ],
)
def test_shares_are_stepped_by_how_far_they_are_from_one(optimizer, name, value, direction, expected):
    record = hyperparameter(Recipe(optimizer).checked(), "optimizer", name)
    assert next_number(record, value, direction) == pytest.approx(expected, rel=1e-12)


def test_a_warm_up_is_stepped_from_and_to_none():
    record = hyperparameter(OWN, "schedule", "warmup")
    assert [next_number(record, v, d) for v, d in ((0, 1), (1, 1), (1, -1), (0, -1))] == [1, 2, 0, 0]


@given(st.floats(1e-12, 1e12))
def test_a_number_is_read_back_as_it_was_written(number):
    assert float(number_text(number)) == number
    assert next_rate(number, -1) < number < next_rate(number, 1)


# --- the schedule's curve ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("iterations", [1, 2, 50, 3000])
def test_the_curve_is_the_rate_that_training_uses(name, iterations):
    recipe = Recipe("adam", schedule=name).checked()
    x, y = rates(recipe, iterations)
    assert len(x) <= 402
    assert x[0] == 0
    assert x[-1] == max(1, iterations - 1)
    assert np.all(np.diff(x) > 0)
    for i, rate in zip(x[::7], y[::7], strict=True):
        assert rate == recipe.settings_at(int(i))["learning_rate"]


def test_the_top_of_a_short_warm_up_is_on_the_curve():
    recipe = Recipe(
        "gd", {"learning_rate": 0.5}, schedule="exponential", schedule_settings={"warmup": 7}
    ).checked()
    assert rates(recipe, 100_000)[1].max() == 0.5
