"""Hyperparameters: the numbers a user sets, as records with ranges, from which forms and options are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from engine.errors import TrainingError, excerpt

__all__ = ["Hyperparameter", "chosen", "completed"]


@dataclass(frozen=True)
class Hyperparameter:
    r"""A number that the user sets.

    Attributes
    ----------
    name, text
        In files and options (``learning_rate``), and in sentences ("learning rate").
    default
        Where the user gives none, unless `follows` names another hyperparameter whose value it then takes.
    low, high
        The ends of its range; `open_low` and `open_high` say that an end itself is not allowed.
    symbol
        Its LaTeX, such as ``\eta``.
    why
        What it does, in one sentence.
    whole
        Whether it is a whole number.
    of_span
        The default of a number that goes with the length of a run, from how many iterations it spans; None
        for the others.
    """

    name: str
    text: str
    default: float
    low: float
    high: float
    symbol: str
    why: str = ""
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    follows: str = ""
    of_span: Callable[[int], float] | None = None

    def default_over(self, span: int | None) -> float:
        """Return the default for a run over so many iterations; the plain one where that is not known."""
        return self.default if self.of_span is None or span is None else self.of_span(span)

    @property
    def range(self) -> str:
        """The range in words: ``number greater than 0``, ``number of at least 0 and less than 1``."""
        kind, ends = "whole number" if self.whole else "number", []
        if self.low > -inf:
            ends.append(f"{'greater than' if self.open_low else 'of at least'} {self.low:g}")
        if self.high < inf:
            ends.append(f"{'less than' if self.open_high else 'at most'} {self.high:g}")
        return f"{kind} {' and '.join(ends)}" if ends else f"finite {kind}"

    def contains(self, number: float) -> bool:
        """Say whether `number` is in range; nan and infinity never are."""
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return isfinite(number) and above and below and (not self.whole or number == int(number))

    def checked(self, value: Any) -> float:
        """Return `value` as a number in range.

        Raises
        ------
        TrainingError
            Where it is not one.
        """
        number = _number(value)
        if not self.contains(number):
            raise TrainingError(
                f"the {self.text} cannot be {excerpt(value, 30)}.", how=f"It is a {self.range}."
            )
        return int(number) if self.whole else number


def _number(value: Any) -> float:
    """Return what a user wrote as a number, nan for what is none."""
    if isinstance(value, bool):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def completed(
    owner: str,
    hyperparameters: Sequence[Hyperparameter],
    given: Mapping[str, Any],
    span: int | None = None,
) -> dict[str, float]:
    """Return every one of `hyperparameters`, checked: as given, else as the one it follows, else the default.

    Defaults that go with the length of a run are those for `span` iterations.

    Raises
    ------
    TrainingError
        For a value out of range, and for a name that is not among them; `owner` is who lacks it.
    """
    known = [h.name for h in hyperparameters]
    for name in given:
        if name not in known:
            has = f"It has: {', '.join(sorted(n.replace('_', ' ') for n in known))}." if known else ""
            raise TrainingError(f"{owner} has no {excerpt(name.replace('_', ' '), 40)}.", how=has)
    found: dict[str, float] = {}
    for h in hyperparameters:
        found[h.name] = h.checked(given.get(h.name, found.get(h.follows, h.default_over(span))))
    return found


def chosen(
    complete: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    settings: Mapping[str, Any],
    always: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the settings that would be others if they were left out, and those that are `always` said.

    Parameters
    ----------
    complete
        What gives every setting from some of them.
    """
    found = dict(settings)
    for name in settings:
        rest = {n: v for n, v in found.items() if n != name}
        if name not in always and complete(rest)[name] == settings[name]:
            found = rest
    return found
