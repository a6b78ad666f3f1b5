r"""Learning-rate schedules: how the learning rate changes from iteration to iteration, one record each.

In the formulas :math:`\eta` is the recipe's learning rate and :math:`i` the iteration, counted from 0. Every
schedule can start with a warm-up: over its first `warmup` iterations the learning rate grows linearly to
:math:`\eta`, and the schedule begins at the warm-up's end. What goes with the length of a run, such as the
period of a cosine, is by default what suits the iterations that are to be trained. The rules are those of
PyTorch's ``StepLR``, ``ExponentialLR``, ``CosineAnnealingLR`` and ``LinearLR``; but the cosine stays at its
final rate, where PyTorch's would rise again.
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
    latex, code
        :math:`\eta_i` without a warm-up, as LaTeX and in words of Python; ``{i}`` stands for the iteration;
        ``{j}`` where it needs no brackets.
    rule
        From the recipe's learning rate, the iteration since the warm-up and the settings to the rate.
    """

    name: str
    title: str
    text: str
    latex: str
    code: str
    hyperparameters: tuple[Hyperparameter, ...]
    rule: Callable[[float, int, Settings], float]

    @property
    def independent(self) -> frozenset[str]:
        """The hyperparameters that have nothing to do with the length of a run."""
        return frozenset(h.name for h in self.hyperparameters if h.of_span is None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name alone: a rule is a function."""
        return _named, (self.name,)

    def settings(self, given: Mapping[str, Any], span: int | None = None) -> dict[str, float]:
        """Return every hyperparameter, checked; defaults where none is given.

        Parameters
        ----------
        span
            How many iterations are to be trained, if that is known: what comes after the warm-up spans the
            rest of them.

        Raises
        ------
        TrainingError
            For a value out of range, and for one that this schedule does not have.
        """
        owner = f"the schedule {self.name}"
        if span is not None:
            warmup = [h for h in self.hyperparameters if h.name == "warmup"]
            known = completed(owner, warmup, {k: v for k, v in given.items() if k == "warmup"})
            span = max(1, span - int(known["warmup"]))
        return completed(owner, self.hyperparameters, given, span)

    def rate(self, learning_rate: float, iteration: int, settings: Settings) -> float:
        """Return the learning rate of an iteration, counted from 0."""
        warmup = settings["warmup"]
        if iteration < warmup:
            return learning_rate * ((iteration + 1) / warmup)
        return self.rule(learning_rate, iteration - int(warmup), settings)

    def formula(self, settings: Settings) -> str:
        r"""Return :math:`\eta_i` as LaTeX, the warm-up a case of its own where there is one.

        Examples
        --------
        >>> SCHEDULES["exponential"].formula({"warmup": 0})
        '\\eta_i = \\eta\\, \\gamma^{i}'
        """
        if not settings["warmup"]:
            return rf"\eta_i = {self.latex.replace('{i}', 'i').replace('{j}', 'i')}"
        after = self.latex.replace("{i}", "(i - W)").replace("{j}", "i - W")
        growing = r"\eta\, \frac{i + 1}{W} & i < W"
        return rf"\eta_i = \begin{{cases}} {growing} \\ {after} & i \geq W \end{{cases}}"

    def source(self, settings: Settings) -> str:
        """Return the learning rate of an iteration ``i`` as an expression, for a terminal.

        It reads ``eta``, the learning rate, and the hyperparameters by their names.

        Examples
        --------
        >>> SCHEDULES["exponential"].source({"warmup": 20})
        'eta * (i + 1) / warmup if i < warmup else eta * decay ** (i - warmup)'
        """
        if not settings["warmup"]:
            return self.code.replace("{i}", "i").replace("{j}", "i")
        after = self.code.replace("{i}", "(i - warmup)").replace("{j}", "i - warmup")
        return f"eta * (i + 1) / warmup if i < warmup else {after}"


def _iterations(
    name: str,
    text: str,
    default: int,
    low: int,
    symbol: str,
    why: str,
    of_span: Callable[[int], float] | None = None,
) -> Hyperparameter:
    return Hyperparameter(name, text, default, low, inf, symbol, why, whole=True, of_span=of_span)


def _warmup(default: int) -> Hyperparameter:
    why = "Over how many iterations the learning rate grows to its full value at first."
    return _iterations("warmup", "warm-up", default, 0, "W", why)


def _factor(
    name: str, text: str, default: float, why: str, of_span: Callable[[int], float] | None = None
) -> Hyperparameter:
    return Hyperparameter(name, text, default, 0.0, 1.0, r"\gamma", why, open_low=True, of_span=of_span)


def _fifth(span: int) -> float:
    """Return the length of a step of which a run has five: halved each time, the rate ends at a sixteenth."""
    return max(1, span // 5)


def _to_a_hundredth(span: int) -> float:
    """Return the decay that brings the rate to about a hundredth by the end of a run."""
    lost = float(f"{1.0 - 0.01 ** (1.0 / span):.2g}")
    return float(f"{1.0 - lost:.12g}")


def _cosine(rate: float, iteration: int, settings: Settings) -> float:
    done = min(iteration / settings["period"], 1.0)
    final = settings["final_rate"]
    return final + (rate - final) * (1 + math.cos(math.pi * done)) / 2


_TABLE = (
    Schedule(
        "constant",
        "Constant",
        "The learning rate stays as it is.",
        r"\eta",
        "eta",
        (_warmup(0),),
        lambda rate, iteration, settings: rate,
    ),
    Schedule(
        "step",
        "Step",
        "The learning rate falls by a factor every so many iterations.",
        r"\eta\, \gamma^{\lfloor {i} / N \rfloor}",
        "eta * factor ** ({i} // every)",
        (
            _iterations(
                *("every", "length of a step", 100, 1, "N", "After how many iterations it falls.", _fifth)
            ),
            _factor("factor", "factor", 0.5, "What it is multiplied by each time."),
            _warmup(0),
        ),
        lambda rate, iteration, settings: rate * settings["factor"] ** (iteration // settings["every"]),
    ),
    Schedule(
        "exponential",
        "Exponential",
        "The learning rate falls a little at every iteration, always by the same factor.",
        r"\eta\, \gamma^{{j}}",
        "eta * decay ** {i}",
        (
            _factor("decay", "decay", 0.99, "What it is multiplied by at every iteration.", _to_a_hundredth),
            _warmup(0),
        ),
        lambda rate, iteration, settings: rate * settings["decay"] ** iteration,
    ),
    Schedule(
        "cosine",
        "Cosine",
        "The learning rate falls along half a cosine: slowly, then fast, then slowly to its final value.",
        r"\eta_T + \frac{1}{2}(\eta - \eta_T)\left(1 + \cos\frac{\pi \min({j}, T)}{T}\right)",
        "final_rate + (eta - final_rate) * (1 + cos(pi * min({j}, period) / period)) / 2",
        (
            _iterations(
                *("period", "period", 500, 1, "T", "After how many iterations it has reached the end."),
                of_span=lambda span: span,
            ),
            Hyperparameter("final_rate", "final rate", 0.0, 0.0, inf, r"\eta_T", "Where it ends and stays."),
            _warmup(0),
        ),
        _cosine,
    ),
    Schedule(
        "warmup",
        "Warm-up",
        "The learning rate grows linearly from near zero, then stays.",
        r"\eta",
        "eta",
        (_warmup(20),),
        lambda rate, iteration, settings: rate,
    ),
)

SCHEDULES: Mapping[str, Schedule] = {schedule.name: schedule for schedule in _TABLE}


def _named(name: str) -> Schedule:
    return SCHEDULES[name]
