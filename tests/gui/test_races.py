"""Races: the recipe in use against others, all of them fit to be trained."""

import pytest

from engine.optimizers import OPTIMIZERS
from engine.training import Recipe, Stopping
from gui.races import all_optimizers, learning_rates, rivals, with_optimizer

RECIPE = Recipe("adam", {"learning_rate": 0.02, "beta1": 0.8}, 16, Stopping(loss=1e-3)).checked()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_optimizers_race_once_the_one_in_use_first_and_as_it_is(name):
    recipe = Recipe(name, {"learning_rate": 0.3}).checked()
    race = all_optimizers(recipe)
    assert race.recipes[0] == recipe
    assert sorted(r.optimizer for r in race.recipes) == sorted(OPTIMIZERS)
    for other in race.recipes[1:]:
        own = Recipe(other.optimizer).checked()
        if own.learning_rate == Recipe(name).checked().learning_rate:  # steps of one size: a fair race
            own = Recipe(other.optimizer, {"learning_rate": 0.3}).checked()
        assert other == own


def test_what_is_no_hyperparameter_is_the_same_for_all():
    for race in (all_optimizers(RECIPE), learning_rates(RECIPE), *rivals(RECIPE)):
        assert {(r.batch_size, r.stopping, r.schedule) for r in race.recipes} == {
            (16, Stopping(loss=1e-3), RECIPE.schedule)
        }
        assert all(r.checked() == r for r in race.recipes)
        assert race.text
        assert race.tip


def test_learning_rates_span_two_powers_of_ten_and_keep_the_other_settings():
    rates = [r.learning_rate for r in learning_rates(RECIPE).recipes]
    assert rates == [0.02, 0.002, 0.006, 0.06, 0.2]
    assert {r.settings["beta1"] for r in learning_rates(RECIPE).recipes} == {0.8}


def test_the_optimizer_in_use_stays_as_it_is():
    assert with_optimizer(RECIPE, "adam") is RECIPE
    descent = Recipe("gd", {"learning_rate": 0.18}).checked()
    assert with_optimizer(descent, "momentum").learning_rate == 0.18
    assert with_optimizer(RECIPE, "gd") == Recipe("gd", {}, 16, Stopping(loss=1e-3)).checked()


def test_every_other_optimizer_is_a_rival():
    assert [race.recipes[1].optimizer for race in rivals(RECIPE)] == [n for n in OPTIMIZERS if n != "adam"]
    assert all(race.recipes[0] == RECIPE for race in rivals(RECIPE))
