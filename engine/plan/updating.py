"""An optimizer's update as calls over the one vector of all parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.elementwise import Call as Line
from engine.elementwise import compute
from engine.memory import aligned
from engine.optimizers import Optimizer
from engine.plan.emission import Array, Call

__all__ = ["Rates", "Updating", "folded_factor"]


@dataclass(frozen=True)
class Rates:
    """The hyperparameters of an optimizer as they change from iteration to iteration.

    Attributes
    ----------
    at
        From an iteration to the hyperparameters, ``t`` among them.
    are_constant
        Whether they are always the same, but for ``t``.
    """

    optimizer: Optimizer
    at: Callable[[int], Mapping[str, Any]]
    are_constant: bool


def folded_factor(rates: Rates) -> float | None:
    """Return the number that the gradient is multiplied by, where it is constant and nothing else reads it.

    Then the gradient may come multiplied, and the product be left out.
    """
    line = _product(rates.optimizer)
    if line is None or not rates.are_constant:
        return None
    known = dict(rates.at(0))
    compute(_number_lines(rates.optimizer), known)
    factor = _factor_of(line)
    moving = _moving({"t"}, _number_lines(rates.optimizer))
    return None if factor in moving else float(known[factor] if isinstance(factor, str) else factor)


def _product(optimizer: Optimizer) -> Line | None:
    """Return the one line that reads the gradient, where that multiplies it by a number."""
    numbers = {h.name for h in optimizer.hyperparameters} | {x.target for x in _number_lines(optimizer)}
    reading = [line for line in optimizer.calls if "gradient" in line.operands]
    if len(reading) != 1 or reading[0].function is not np.multiply:
        return None
    factor = _factor_of(reading[0])
    return reading[0] if not isinstance(factor, str) or factor in numbers else None


def _factor_of(line: Line) -> str | float:
    return next((o for o in line.operands if o != "gradient"), "gradient")


def _number_lines(optimizer: Optimizer) -> list[Line]:
    return [line for line in optimizer.calls if line.is_number]


def _moving(names: Collection[str], lines: Collection[Line]) -> set[str]:
    """Return `names` and the numbers that are made of them."""
    found = set(names)
    for line in lines:
        if found.intersection(o for o in line.operands if isinstance(o, str)):
            found.add(line.target)
    return found


class Updating:
    """The calls of an update, and the numbers that they read.

    Parameters
    ----------
    vectors
        The arrays by the names in the optimizer's lines: ``value``, ``gradient`` and what it keeps.
    scale
        What the vector of the gradient is to be multiplied by.
    is_folded
        Whether the gradient comes multiplied by the number of :func:`folded_factor`.

    Attributes
    ----------
    calls
        To be called at each iteration, after :meth:`prepare` unless `is_still`.
    """

    def __init__(
        self, rates: Rates, vectors: Mapping[str, Array], scale: float, is_folded: bool = False
    ) -> None:
        self._rates = rates
        self._arrays = dict(vectors)
        self._cells: dict[str, tuple[Array, float]] = {}
        self._free: list[Array] = []
        self._lines = _number_lines(rates.optimizer)
        self._numbers = {*rates.at(0), *(line.target for line in self._lines)}
        self.calls: list[Call] = []
        lines = [line for line in rates.optimizer.calls if not line.is_number]
        if is_folded:
            product = _product(rates.optimizer)
            assert product is not None
            self._arrays[product.target] = vectors["gradient"]
            lines.remove(product)
        self._scale = 1.0 if is_folded else self._taken_in(lines, scale)
        for place, line in enumerate(lines):
            self._write(line, {o for later in lines[place + 1 :] for o in later.operands})
        self._settle()

    def _taken_in(self, lines: list[Line], scale: float) -> float:
        """Return the scale, if the numbers that multiply the gradient can take it; else multiply it in."""
        reading = [line for line in lines if "gradient" in line.operands]
        if all(x.function is np.multiply and _factor_of(x) in self._numbers for x in reading):
            return scale
        if scale != 1.0:
            gradient = self._arrays["gradient"]
            self.calls.append((np.multiply, (gradient, np.array(scale), gradient)))
        return 1.0

    def _write(self, line: Line, read_later: Collection[str | float]) -> None:
        scale = self._scale if "gradient" in line.operands else 1.0
        operands = tuple(
            self._arrays[o] if isinstance(o, str) and o not in self._numbers else self._cell(o, scale)
            for o in line.operands
        )
        out = self._arrays.get(line.target)
        given = [o for o in line.operands if isinstance(o, str) and "." in o and o not in self._numbers]
        ending = [self._arrays[o] for o in given if o not in read_later]
        if out is None:
            shape = self._arrays["value"].shape
            out = ending.pop() if ending else self._free.pop() if self._free else aligned(shape)
            self._arrays[line.target] = out
        self._free += [array for array in ending if not np.shares_memory(array, self._arrays["gradient"])]
        self.calls.append((line.function, (*operands, out)))

    def _cell(self, operand: str | float, scale: float) -> Array:
        """Return a number, times the gradient's scale, as an array without axes that :meth:`prepare` sets."""
        if not isinstance(operand, str):
            return np.array(operand * scale)
        key = operand if scale == 1.0 else f"{operand} scaled"
        return self._cells.setdefault(key, (np.array(0.0), scale))[0]

    def _settle(self) -> None:
        """Set the numbers that stay; keep those that have to be set at each iteration."""
        known = dict(self._rates.at(0))
        compute(self._lines, known)
        for key, (cell, scale) in self._cells.items():
            cell[...] = known[key.removesuffix(" scaled")] * scale
        always = {"t"} if self._rates.are_constant else set(self._rates.at(0))
        moving = _moving(always, self._lines)
        self._moving = [line for line in self._lines if line.target in moving]
        named = ((key.removesuffix(" scaled"), *cell) for key, cell in self._cells.items())
        self._set = [(name, cell, scale) for name, cell, scale in named if name in moving]
        self._known = known
        self.is_still = not self._set

    def prepare(self, iteration: int) -> None:
        """Set the numbers of an iteration's update."""
        known = self._known
        if self._rates.are_constant:
            known["t"] = iteration + 1
        else:
            known.update(self._rates.at(iteration))
        compute(self._moving, known)
        for name, cell, scale in self._set:
            cell[()] = known[name] * scale
