"""The recipe of a training run as a form shows it, and what becomes of it when one thing is changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.hyperparameters import Hyperparameter
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training import STOPPING, Recipe, Stopping

__all__ = [
    "Setting",
    "next_number",
    "next_rate",
    "number_text",
    "rates",
    "settings_of",
    "summary",
    "with_defaults",
    "with_optimizer",
    "with_schedule",
    "with_setting",
]

Array = np.ndarray

NICE = (1, 2, 5, 10)
SHARES = (0.0, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0)
"""Where shares from 0 to 1 are stepped through: what matters is how far they are from 1."""
NEVER = ("", "never", "none", "-", "–", "—")


# --- numbers -----------------------------------------------------------------------------------------------


def number_text(number: float) -> str:
    """Write a number so that it is read back as the same one, without a needless ``.0``."""
    return repr(number).removesuffix(".0")


def next_rate(rate: float, direction: int) -> float:
    """Return the next nice number above or below: 0.1, 0.2, 0.5, 1, 2, ...

    Examples
    --------
    >>> next_rate(0.1, 1), next_rate(0.3, 1), next_rate(0.3, -1), next_rate(1.0, -1)
    (0.2, 0.5, 0.2, 0.5)
    """
    power = math.floor(math.log10(rate))
    nice = [float(f"{digit}e{power + shift}") for shift in (-1, 0, 1) for digit in NICE]
    beyond = [n for n in nice if (n > rate if direction > 0 else 0 < n < rate)]
    return (min if direction > 0 else max)(beyond, default=rate)


def next_number(hyperparameter: Hyperparameter, value: float, direction: int) -> float:
    """Return the next usual value of a hyperparameter above or below; the same one at its range's end."""
    if hyperparameter.low == 0 and hyperparameter.high == 1:
        beyond = [s for s in SHARES if (s > value if direction > 0 else s < value)]
        found = (min if direction > 0 else max)(beyond, default=value)
    elif value > 0:
        found = next_rate(value, direction)
        found = 0.0 if hyperparameter.whole and found < 1 else found
    else:
        found = 1.0 if hyperparameter.whole and direction > 0 else value
    return found if hyperparameter.contains(found) else value


# --- the form ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One field of the form.

    Attributes
    ----------
    group
        "optimizer", "schedule" or "stopping".
    name
        Of the hyperparameter, or of the stopping rule.
    text
        The value in use as it is written; "" for a stopping rule that is off.
    default
        What stands there unless the user says otherwise, in words.
    is_default
        Whether it does.
    tip
        What it does, and its range.
    """

    group: str
    name: str
    title: str
    symbol: str
    text: str
    default: str
    is_default: bool
    tip: str


TITLES = {"loss": "loss at most", "change": "change at most", "gradient": "gradient norm at most"}


def settings_of(recipe: Recipe, group: str) -> tuple[Setting, ...]:
    """Return the fields of a group, for a recipe that has been checked."""
    return tuple(_stopping(recipe) if group == "stopping" else _settings(recipe, group))


def _settings(recipe: Recipe, group: str) -> Iterator[Setting]:
    record, values = _record(recipe, group)
    standard = _standard(recipe, group)
    names = {h.name: h.text for h in record.hyperparameters}
    for h in record.hyperparameters:
        default = values[h.follows] if h.follows else standard[h.name]
        words = f"the {names[h.follows]}" if h.follows else number_text(default)
        words += ", by the number of iterations to train" if h.of_span is not None else ""
        yield Setting(
            group,
            h.name,
            _capital(h.text),
            h.symbol,
            number_text(values[h.name]),
            number_text(default),
            values[h.name] == default,
            f"{h.why}\nA {h.range}; by default {words}.",
        )


def _stopping(recipe: Recipe) -> Iterator[Setting]:
    for rule, h in STOPPING.items():
        value = getattr(recipe.stopping, rule)
        text = "" if value is None else number_text(float(value))
        tip = f"{h.why}\nA {h.range}; empty for never."
        yield Setting("stopping", rule, _capital(TITLES[rule]), h.symbol, text, "never", value is None, tip)


def _standard(recipe: Recipe, group: str) -> Mapping[str, Any]:
    """Return the defaults of a group; what goes with the length of a run is for what its warm-up leaves."""
    if group == "optimizer":
        return OPTIMIZERS[recipe.optimizer].settings({})
    schedule, warmup = SCHEDULES[recipe.schedule], recipe.schedule_settings["warmup"]
    found = schedule.settings({"warmup": warmup}, recipe.span)
    return {**found, "warmup": schedule.settings({})["warmup"]}


def _record(recipe: Recipe, group: str) -> tuple[Any, Mapping[str, Any]]:
    if group == "optimizer":
        return OPTIMIZERS[recipe.optimizer], recipe.settings
    return SCHEDULES[recipe.schedule], recipe.schedule_settings


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def hyperparameter(recipe: Recipe, group: str, name: str) -> Hyperparameter:
    """Return the record behind a field."""
    if group == "stopping":
        return STOPPING[name]
    record, _ = _record(recipe, group)
    return next(h for h in record.hyperparameters if h.name == name)


def summary(recipe: Recipe) -> str:
    """Say a recipe in a line for a tooltip: ``Adam: learning rate 0.01, ... · cosine schedule``."""
    fields = ", ".join(
        f"{s.title[0].lower()}{s.title[1:]} {s.text}" for s in settings_of(recipe, "optimizer")
    )
    parts = [f"{OPTIMIZERS[recipe.optimizer].title}: {fields}"]
    if recipe.schedule != "constant" or recipe.schedule_settings.get("warmup"):
        parts.append(f"learning-rate schedule: {SCHEDULES[recipe.schedule].title.lower()}")
    rules = [s for s in settings_of(recipe, "stopping") if s.text]
    parts += [f"stops at {s.title[0].lower()}{s.title[1:]} {s.text}" for s in rules]
    return "\n".join(parts)


# --- changes -----------------------------------------------------------------------------------------------


def with_optimizer(recipe: Recipe, name: str, own: Recipe) -> Recipe:
    """Return the recipe with another optimizer.

    What the user has changed and the other optimizer knows as well is kept: a learning rate that was typed
    in, a momentum. Everything else is what the other optimizer starts from: its defaults, or what the
    network's file says where it names that optimizer. So whoever only picks from the list meets each
    optimizer at a rate that suits it, and whoever compares optimizers at one rate types the rate once.

    Parameters
    ----------
    own
        What the network's file says.
    """
    if name == recipe.optimizer:
        return recipe
    kept = _changed(recipe.settings, _start("optimizer", recipe.optimizer, own))
    start = _start("optimizer", name, own)
    return replace(recipe, optimizer=name, settings=_carried(OPTIMIZERS[name], start, kept)).checked()


def with_schedule(recipe: Recipe, name: str, own: Recipe) -> Recipe:
    """Return the recipe with another schedule; what the user has changed is kept if it is known there."""
    if name == recipe.schedule:
        return recipe
    own = own.spanning(recipe.span)
    before = {**_start("schedule", recipe.schedule, own)}
    if recipe.schedule != own.schedule:
        before |= {n: v for n, v in _standard(recipe, "schedule").items() if n != "warmup"}
    kept = _changed(recipe.schedule_settings, before)
    start = dict(_start("schedule", name, own))
    if name != own.schedule:  # what goes with the length of the run is worked out anew
        start = {n: v for n, v in start.items() if n in SCHEDULES[name].independent}
    return replace(recipe, schedule=name, schedule_settings=_carried(SCHEDULES[name], start, kept)).checked()


def _start(group: str, name: str, own: Recipe) -> Mapping[str, Any]:
    """Return what an optimizer or a schedule starts from."""
    if group == "optimizer":
        return own.settings if own.optimizer == name else OPTIMIZERS[name].settings({})
    return own.schedule_settings if own.schedule == name else SCHEDULES[name].settings({})


def _changed(values: Mapping[str, Any], start: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != start.get(name)}


def _carried(record: Any, start: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings to begin with; what follows another one does so unless it was changed itself."""
    known = {h.name for h in record.hyperparameters}
    found = dict(start)
    for h in record.hyperparameters:
        if h.follows and start.get(h.name) == start.get(h.follows):
            del found[h.name]
    return {**found, **{name: value for name, value in kept.items() if name in known}}


def with_setting(recipe: Recipe, group: str, name: str, text: str) -> Recipe:
    """Return the recipe with one field changed to what a text says.

    Raises
    ------
    TrainingError
        Where the text is no number in range.
    """
    plain = text.strip().replace(",", ".").replace("−", "-")
    if group == "stopping":
        value = None if plain.casefold() in NEVER else STOPPING[name].checked(plain)
        return replace(recipe, stopping=replace(recipe.stopping, **{name: value}))
    record, before = _record(recipe, group)
    values = {**before, name: hyperparameter(recipe, group, name).checked(plain)}
    if name == "warmup":
        standard = _standard(recipe, group)
        for h in record.hyperparameters:
            if h.of_span is not None and before[h.name] == standard[h.name]:
                del values[h.name]  # it goes on spanning what the warm-up leaves
    for h in record.hyperparameters:
        if h.follows == name and before[h.name] == before[name]:
            del values[h.name]  # it goes on following
    return replace(recipe, **{_FIELDS[group]: values}).checked()


_FIELDS = {"optimizer": "settings", "schedule": "schedule_settings"}


def with_defaults(recipe: Recipe, group: str) -> Recipe:
    """Return the recipe with every field of a group as it is by default."""
    if group == "stopping":
        return replace(recipe, stopping=Stopping())
    return replace(recipe, **{_FIELDS[group]: {}}).checked()


# --- the schedule's curve ----------------------------------------------------------------------------------


def rates(recipe: Recipe, iterations: int, most: int = 400) -> tuple[Array, Array]:
    """Return the learning rate over some iterations: iteration and rate, at most so many of them.

    The iterations are spread evenly, and those just before and after a warm-up's end are among them.
    """
    last = max(1, iterations - 1)
    spread = np.linspace(0, last, min(most, last + 1)).round().astype(int)
    warmup = int(recipe.schedule_settings.get("warmup", 0))
    x = np.unique(np.concatenate([spread, np.clip([warmup - 1, warmup], 0, last)]))
    rate: Callable[..., float] = SCHEDULES[recipe.schedule].rate
    settings = recipe.schedule_settings
    return x.astype(float), np.array([rate(recipe.learning_rate, int(i), settings) for i in x])
