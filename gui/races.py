"""Races: recipes that are trained side by side, made from the one in use. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.optimizers import OPTIMIZERS
from engine.training import Recipe

__all__ = ["Race", "all_optimizers", "learning_rates", "rivals", "with_optimizer"]

FACTORS = (1.0, 0.1, 0.3, 3.0, 10.0)
"""The rate in use first: the timeline stands in the first run of a race."""


@dataclass(frozen=True)
class Race:
    """Something to race: what it is called, what it is in a sentence, and the recipes."""

    text: str
    tip: str
    recipes: tuple[Recipe, ...]


def all_optimizers(recipe: Recipe) -> Race:
    """Return the recipe in use against every other optimizer, with defaults of its own."""
    others = [with_optimizer(recipe, name) for name in OPTIMIZERS if name != recipe.optimizer]
    return Race(
        "All optimizers",
        "The recipe in use against every other optimizer with its own defaults; equal steps at equal rates",
        (recipe, *others),
    )


def learning_rates(recipe: Recipe) -> Race:
    """Return the recipe in use with its learning rate and four others, a tenth to ten times as large."""
    rates = [float(f"{recipe.learning_rate * factor:.12g}") for factor in FACTORS]
    recipes = [
        recipe,
        *(replace(recipe, settings={**recipe.settings, "learning_rate": r}) for r in rates[1:]),
    ]
    return Race(
        "Learning rates, 0.1× to 10×",
        "The recipe in use with its learning rate η, and with 0.1 η, 0.3 η, 3 η and 10 η",
        tuple(recipes),
    )


def rivals(recipe: Recipe) -> list[Race]:
    """Return a race against each other optimizer alone."""
    return [
        Race(
            f"Against {optimizer.title}",
            f"The recipe in use against {optimizer.title} with its own defaults",
            (recipe, with_optimizer(recipe, name)),
        )
        for name, optimizer in OPTIMIZERS.items()
        if name != recipe.optimizer
    ]


def with_optimizer(recipe: Recipe, name: str) -> Recipe:
    """Return the recipe with an optimizer, its own as it is; one with steps of the same size keeps the rate.

    Gradient descent and momentum (in the course's form, an average of gradients) have the same default rate:
    beside each other at different rates, the rate would win and not the optimizer.
    """
    if name == recipe.optimizer:
        return recipe
    own, other = OPTIMIZERS[recipe.optimizer].settings({}), OPTIMIZERS[name].settings({})
    keeps = own["learning_rate"] == other["learning_rate"]
    settings = {**other, "learning_rate": recipe.learning_rate} if keeps else other
    return replace(recipe, optimizer=name, settings=settings)
