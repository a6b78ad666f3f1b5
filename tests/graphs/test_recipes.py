"""Recipes as flat tables: read, written without what is the default, and changed by what a user says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from engine.errors import TrainingError
from engine.hyperparameters import Hyperparameter
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training import STOPPING, Recipe, Stopping
from graphs.recipes import changed, recipe_of, table_of
from tests.helpers import recipes


@given(recipes())
def test_a_recipe_is_read_back_as_it_was_written(recipe: Recipe) -> None:
    table = table_of(recipe)
    assert recipe_of(table) == recipe
    assert changed(recipe, {}) == recipe


def test_no_name_means_two_things() -> None:
    groups: list[tuple[Hyperparameter, ...]] = [o.hyperparameters for o in OPTIMIZERS.values()]
    optimizers = {h.name for hs in groups for h in hs}
    schedules = {h.name for s in SCHEDULES.values() for h in s.hyperparameters}
    stopping = {h.name for h in STOPPING.values()}
    others = {"optimizer", "schedule", "batch_size", "steps"}
    assert len(optimizers | schedules | stopping | others) == sum(
        map(len, (optimizers, schedules, stopping, others))
    )


def test_only_what_differs_from_the_defaults_is_written() -> None:
    recipe = Recipe("momentum", {"momentum": 0.8}, stopping=Stopping(loss=0.5)).checked()
    assert table_of(recipe) == {
        "optimizer": "momentum",
        "learning_rate": 0.1,
        "momentum": 0.8,
        "stop_loss": 0.5,
    }


def test_dampening_follows_a_changed_momentum_unless_it_was_given() -> None:
    follows = Recipe("momentum", {"momentum": 0.8}).checked()
    fixed = Recipe("momentum", {"momentum": 0.8, "dampening": 0.0}).checked()
    assert changed(follows, {"momentum": 0.5}).settings["dampening"] == 0.5
    assert changed(fixed, {"momentum": 0.5}).settings["dampening"] == 0


def test_another_optimizer_or_schedule_brings_its_own_defaults() -> None:
    recipe = recipe_of(
        {"learning_rate": 3.0, "batch_size": 4, "schedule": "step", "every": 3, "tolerance": 1}
    )
    adam = changed(recipe, {"optimizer": "adam"})
    assert adam.learning_rate == OPTIMIZERS["adam"].hyperparameter("learning_rate").default
    assert (adam.batch_size, adam.schedule, adam.stopping.change) == (4, "step", 1)
    assert adam.schedule_settings["every"] == 3
    cosine = changed(recipe, {"schedule": "cosine"})
    assert cosine.learning_rate == 3
    assert cosine.schedule_settings["period"] == 500


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"momentum": 0.5},
            "the optimizer gd has no hyperparameter momentum. momentum belongs to momentum and nesterov",
        ),
        (
            {"optimizer": "adam", "rho": 0.5},
            "adam has no hyperparameter rho. rho belongs to rmsprop; adam has learning rate",
        ),
        (
            {"final_rate": 0.5},
            "the schedule constant has no hyperparameter final rate. final rate belongs to cosine",
        ),
        ({"batch_size": 0}, "the batch size cannot be 0. It is a whole number of at least 1."),
        ({"optimizer": "x"}, "there is no optimizer x."),
        ({"optimizer": "x", "momentum": 1}, "there is no optimizer x."),
        ({"stop_loss": "nan"}, "the loss to stop at cannot be nan."),
    ],
)
def test_what_cannot_be_is_said(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        changed(Recipe().checked(), given)
    assert str(caught.value).startswith(message) or message in str(caught.value)
