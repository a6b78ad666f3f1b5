"""Recipes as people write them: one flat table of names, the same in a network file and on the command line.

``optimizer``, ``schedule`` and ``batch_size`` stand beside the hyperparameters of the optimizer (``beta1``),
of the schedule (``period``) and the rules by which a run stops (``tolerance``), each under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from engine.errors import TrainingError, excerpt
from engine.hyperparameters import Hyperparameter, chosen
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.schedules import SCHEDULES, Schedule
from engine.training import SPAN, STOPPING, Recipe, Stopping

__all__ = ["OF_OPTIMIZERS", "OF_SCHEDULES", "OF_STOPPING", "changed", "recipe_of", "table_of"]


def _by_name(owners: Iterable[Optimizer | Schedule]) -> dict[str, Hyperparameter]:
    """Return every hyperparameter there is, the first one of each name."""
    found: dict[str, Hyperparameter] = {}
    for owner in owners:
        for h in owner.hyperparameters:
            found.setdefault(h.name, h)
    return found


OF_OPTIMIZERS: Mapping[str, Hyperparameter] = _by_name(OPTIMIZERS.values())
OF_SCHEDULES: Mapping[str, Hyperparameter] = _by_name(SCHEDULES.values())
OF_STOPPING: Mapping[str, str] = {h.name: rule for rule, h in STOPPING.items()}


def recipe_of(table: Mapping[str, Any], span: int = SPAN) -> Recipe:
    """Return the recipe that a table says, checked; defaults for what it leaves out.

    Parameters
    ----------
    span
        How many iterations are to be trained: the defaults of a schedule go with it.

    Raises
    ------
    TrainingError
        For an optimizer or a schedule that does not exist, a hyperparameter that it lacks, and a value out of
        range.
    """
    optimizer, schedule = table.get("optimizer", "gd"), table.get("schedule", "constant")
    settings = {name: table[name] for name in OF_OPTIMIZERS if name in table}
    schedule_settings = {name: table[name] for name in OF_SCHEDULES if name in table}
    _require_own(settings, optimizer, OPTIMIZERS)
    _require_own(schedule_settings, schedule, SCHEDULES)
    stopping = Stopping(**{rule: table[name] for name, rule in OF_STOPPING.items() if name in table})
    batch_size = table.get("batch_size")
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise TrainingError(
            f"the batch size cannot be {excerpt(batch_size, 30)}.", how="It is a whole number of at least 1."
        )
    return Recipe(optimizer, settings, batch_size, stopping, schedule, schedule_settings, span).checked()


def _require_own(
    settings: Mapping[str, Any], name: str, owners: Mapping[str, Optimizer] | Mapping[str, Schedule]
) -> None:
    """Say whose hyperparameter one is that `name` lacks."""
    own = [h.name for h in owners[name].hyperparameters] if name in owners else list(settings)
    for setting in settings:
        if setting not in own:
            kind = "optimizer" if owners is OPTIMIZERS else "schedule"
            having = [o.name for o in owners.values() if any(h.name == setting for h in o.hyperparameters)]
            word = setting.replace("_", " ")
            raise TrainingError(
                f"the {kind} {name} has no hyperparameter {word}.",
                how=f"{word} belongs to {_listed(having)}; {name} has {_listed(own)}.",
            )


def _listed(names: Sequence[str]) -> str:
    words = [name.replace("_", " ") for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def table_of(recipe: Recipe, span: int | None = None) -> dict[str, Any]:
    """Return a checked recipe as a table, without what is the default anyway.

    Parameters
    ----------
    span
        The iterations that defaults are made for where the table is read; the recipe's own where None.
    """
    found: dict[str, Any] = {"optimizer": recipe.optimizer}
    found |= chosen(OPTIMIZERS[recipe.optimizer].settings, recipe.settings, ("learning_rate",))
    if recipe.batch_size is not None:
        found["batch_size"] = recipe.batch_size
    if recipe.schedule != "constant":
        found["schedule"] = recipe.schedule
    over = partial(SCHEDULES[recipe.schedule].settings, span=recipe.span if span is None else span)
    found |= chosen(over, recipe.schedule_settings)
    rules = ((name, getattr(recipe.stopping, rule)) for name, rule in OF_STOPPING.items())
    return found | {name: value for name, value in rules if value is not None}


def changed(recipe: Recipe, given: Mapping[str, Any], span: int | None = None) -> Recipe:
    """Return `recipe` with what `given` says instead; another optimizer or schedule brings its own defaults.

    Parameters
    ----------
    span
        How many iterations are to be trained; as many as `recipe` is made for where None.

    Raises
    ------
    TrainingError
        As :func:`recipe_of`.
    """
    table = table_of(recipe)
    for kind, own, name in (
        ("optimizer", OF_OPTIMIZERS, recipe.optimizer),
        ("schedule", OF_SCHEDULES, recipe.schedule),
    ):
        if given.get(kind, name) != name:
            table = {name: value for name, value in table.items() if name not in own}
    return recipe_of(table | dict(given), recipe.span if span is None else span)
