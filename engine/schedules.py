r"""Learning-rate schedules: how the learning rate changes from iteration to iteration, one record each.

In the formulas :math:`\eta` is the recipe's learning rate and :math:`i` the iteration, counted from 0. Every
schedule can start with a warm-up: over its first `warmup` iterations the learning rate grows linearly to
:math:`\eta`, and :math:`i` is counted from the warm-up's end. The rules are those of PyTorch's ``StepLR``,
``ExponentialLR``, ``CosineAnnealingLR`` and ``LinearLR``; but the cosine stays at its final rate, where
PyTorch's would rise again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from engine.hyperparameters import Hyperparameter, completed

__all__ = ["SCHEDULES", "Schedule"]

Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Schedule:
    r"""A schedule.

    Attributes
    ----------
    text
        What it does, in one sentence.
    latex
        :math:`\eta_i`, after the warm-up.
    rule
        From the recipe's learning rate, the iteration since the warm-up and the settings to the rate.
    """

    name: str
    title: str
    text: str
    latex: str
    hyperparameters: tuple[Hyperparameter, ...]
    rule: Callable[[float, int, Settings], float]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name alone: a rule is a function."""
        return _named, (self.name,)

    def settings(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Return every hyperparameter, checked; defaults where none is given.

        Raises
        ------
        TrainingError
            For a value out of range, and for one that this schedule does not have.
        """
        return completed(f"the schedule {self.name}", self.hyperparameters, given)

    def rate(self, learning_rate: float, iteration: int, settings: Settings) -> float:
        """Return the learning rate of an iteration, counted from 0."""
        warmup = settings["warmup"]
        if iteration < warmup:
            return learning_rate * ((iteration + 1) / warmup)
        return self.rule(learning_rate, iteration - int(warmup), settings)


def _iterations(name: str, text: str, default: int, low: int, symbol: str, why: str) -> Hyperparameter:
    return Hyperparameter(name, text, default, low, inf, symbol, why, whole=True)


def _warmup(default: int) -> Hyperparameter:
    why = "Over how many iterations the learning rate grows to its full value at first."
    return _iterations("warmup", "warm-up", default, 0, "W", why)


def _factor(name: str, text: str, default: float, why: str) -> Hyperparameter:
    return Hyperparameter(name, text, default, 0.0, 1.0, r"\gamma", why, open_low=True)


def _cosine(rate: float, iteration: int, settings: Settings) -> float:
    done = min(iteration / settings["period"], 1.0)
    final = settings["final_rate"]
    return final + (rate - final) * (1 + math.cos(math.pi * done)) / 2


_TABLE = (
    Schedule(
        "constant",
        "Constant",
        "The learning rate stays as it is.",
        r"\eta_i = \eta",
        (_warmup(0),),
        lambda rate, iteration, settings: rate,
    ),
    Schedule(
        "step",
        "Step",
        "The learning rate falls by a factor every so many iterations.",
        r"\eta_i = \eta\, \gamma^{\lfloor i / N \rfloor}",
        (
            _iterations("every", "length of a step", 100, 1, "N", "After how many iterations it falls."),
            _factor("factor", "factor", 0.5, "What it is multiplied by each time."),
            _warmup(0),
        ),
        lambda rate, iteration, settings: rate * settings["factor"] ** (iteration // settings["every"]),
    ),
    Schedule(
        "exponential",
        "Exponential",
        "The learning rate falls a little at every iteration, always by the same factor.",
        r"\eta_i = \eta\, \gamma^i",
        (_factor("decay", "decay", 0.99, "What it is multiplied by at every iteration."), _warmup(0)),
        lambda rate, iteration, settings: rate * settings["decay"] ** iteration,
    ),
    Schedule(
        "cosine",
        "Cosine",
        "The learning rate falls along half a cosine: slowly, then fast, then slowly to its final value.",
        r"\eta_i = \eta_T + \frac{1}{2}(\eta - \eta_T)\left(1 + \cos\frac{\pi i}{T}\right)",
        (
            _iterations("period", "period", 500, 1, "T", "After how many iterations it has reached the end."),
            Hyperparameter("final_rate", "final rate", 0.0, 0.0, inf, r"\eta_T", "Where it ends and stays."),
            _warmup(0),
        ),
        _cosine,
    ),
    Schedule(
        "warmup",
        "Warm-up",
        "The learning rate grows linearly from near zero, then stays.",
        r"\eta_i = \eta \min\left(1, \frac{i + 1}{W}\right)",
        (_warmup(20),),
        lambda rate, iteration, settings: rate,
    ),
)

SCHEDULES: Mapping[str, Schedule] = {schedule.name: schedule for schedule in _TABLE}


def _named(name: str) -> Schedule:
    return SCHEDULES[name]
