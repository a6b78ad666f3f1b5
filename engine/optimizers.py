r"""The optimizers: one record each.

A record declares its hyperparameters with their ranges, and its update as a function from the gradient and
the state of one parameter to the quantities it works out, in order; the last one, ``value``, is the new
parameter. So an update can be shown quantity by quantity, taken back, and exported, like any other step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import TrainingError
from engine.trace import Update

__all__ = ["OPTIMIZERS", "Hyperparameter", "Optimizer", "Quantity", "updates"]

Array = np.ndarray
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Hyperparameter:
    """A number that the user sets, from `low` (excluded where `open_low` says so) to `high`."""

    name: str
    text: str
    default: float
    low: float
    high: float
    symbol: str
    open_low: bool = True

    def checked(self, value: Any) -> float:
        """Return `value` as a float in range.

        Raises
        ------
        TrainingError
            Where it is not a number in range.
        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        below = number <= self.low if self.open_low else number < self.low
        if not np.isfinite(number) or below or number > self.high:
            bounds = f"{'greater than' if self.open_low else 'at least'} {self.low:g}"
            bounds += f" and at most {self.high:g}" if np.isfinite(self.high) else ""
            raise TrainingError(f"the {self.text} cannot be {value}.", how=f"It is a number {bounds}.")
        return number


@dataclass(frozen=True)
class Quantity:
    r"""One line of an update: its name, its LaTeX and its NumPy source.

    In both, ``{p}`` stands for the parameter and ``{g}`` for its gradient.
    """

    name: str
    latex: str
    source: str

    def write_latex(self, parameter: str, gradient: str) -> str:
        """Return the line as LaTeX, from the LaTeX of a parameter and of its gradient."""
        return self.latex.replace("{p}", parameter).replace("{g}", gradient)

    def write_source(self, parameter: str, settings: Settings) -> str:
        """Return the NumPy statement for a parameter, hyperparameters put in."""
        return self.source.format(p=parameter, g=f"d_{parameter}", **settings)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer.

    Attributes
    ----------
    state
        The quantities that it keeps from one iteration to the next, zeros at first.
    lines
        Its quantities in the order in which they are worked out.
    rule
        From value, gradient, state and settings to the quantities by name.
    """

    name: str
    title: str
    hyperparameters: tuple[Hyperparameter, ...]
    state: tuple[str, ...]
    lines: tuple[Quantity, ...]
    rule: Callable[[Array, Array, Mapping[str, Array], Settings], Mapping[str, Array]]

    def line(self, name: str | None) -> Quantity:
        """Return the line that works out a quantity."""
        return next(line for line in self.lines if line.name == name)

    def settings(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Return every hyperparameter, checked; defaults where none is given.

        Raises
        ------
        TrainingError
            For a value out of range, and for one that this optimizer does not have.
        """
        known = {h.name for h in self.hyperparameters}
        for name in given:
            if name not in known:
                raise TrainingError(
                    f"{self.name} has no {name.replace('_', ' ')}.",
                    how=f"It has: {', '.join(sorted(known))}.",
                )
        return {h.name: h.checked(given.get(h.name, h.default)) for h in self.hyperparameters}


LEARNING_RATE = Hyperparameter("learning_rate", "learning rate", 0.1, 0.0, float("inf"), r"\eta")


def _gd(value: Array, gradient: Array, state: Mapping[str, Array], settings: Settings) -> Mapping[str, Array]:
    return {"value": value - settings["learning_rate"] * gradient}


_TABLE = (
    Optimizer(
        "gd",
        "Gradient descent",
        (LEARNING_RATE,),
        (),
        (Quantity("value", r"{p} \leftarrow {p} - \eta {g}", "{p} = {p} - {learning_rate} * {g}"),),
        _gd,
    ),
)

OPTIMIZERS: Mapping[str, Optimizer] = {optimizer.name: optimizer for optimizer in _TABLE}


def updates(
    optimizer: Optimizer,
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    state: Mapping[tuple[str, str], Array],
    settings: Settings,
) -> Sequence[Update]:
    """Return every quantity of one update, parameter by parameter."""
    found = []
    for name, value in parameters.items():
        kept = {key: state.get((name, key), np.zeros_like(value)) for key in optimizer.state}
        quantities = optimizer.rule(value, gradients[name], kept, settings)
        for line in optimizer.lines:
            before = value if line.name == "value" else state.get((name, line.name))
            found.append(Update(name, line.name, before, np.asarray(quantities[line.name])))
    return found
