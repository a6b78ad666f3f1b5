"""Text for people: traces and derivations as tables, numbers that fit on a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.derive import Derivation
from engine.errors import BackstepError, excerpt
from engine.names import plain_name
from engine.optimizers import QUANTITIES, Optimizer, update_equation
from engine.trace import Phase, Step, Trace
from graphs.network import Model
from graphs.plain import equation_text, name_text

__all__ = ["columns", "derive_text", "number", "shape_text", "summary", "trace_text"]

Array = np.ndarray
Chosen = tuple[Optimizer | None, Mapping[str, float]]
SMALL = 12  # entries of an array that are shown one by one
WIDEST = 72  # characters of an equation in a table


# --- the equations of a network ----------------------------------------------------------------------------


def derive_text(derivation: Derivation) -> str:
    """Return every equation of a network, forward and backward, one a line."""
    forward = [(plain_name(line.name), _definition(derivation, line.name)) for line in derivation.graph.lines]
    backward = [
        (_gradient(derivation, name), equation_text(derivation.gradient(name), derivation.graph.loss))
        for name in derivation.gradients
    ]
    return f"Forward\n{_equations(forward)}\n\nBackward\n{_equations(backward)}\n"


def _equations(rows: Sequence[tuple[str, str]]) -> str:
    width = max(map(text_width, (left for left, _ in rows)))
    return "\n".join(f"  {_padded(left, width)} = {right}" for left, right in rows)


def _definition(derivation: Derivation, name: str) -> str:
    line = derivation.graph.lines[derivation.graph[name].line]
    if not derivation.is_written(line):
        return f"({len(line.parts)} operations)"
    return equation_text(derivation.right_side(name))


def _gradient(derivation: Derivation, name: str) -> str:
    return f"∂{plain_name(derivation.graph.loss)}/∂{name_text(name)}"


# --- a trace -----------------------------------------------------------------------------------------------


def trace_text(
    model: Model,
    trace: Trace,
    optimizer: Optimizer | None = None,
    settings: Mapping[str, float] | None = None,
) -> str:
    """Return a trace as a table of its steps, one a row."""
    derivation = Derivation(trace.graph, trace.detail)
    chosen = (optimizer, settings or {})
    rows = [_step_row(step, derivation, chosen) for step in trace.steps]
    heading = [
        f"{model.network.title} ({model.network.name}), {trace.detail.value} detail, seed {model.seed}",
        *model.notices,
        f"loss {number(trace.loss)}",
    ]
    table = columns(("step", "phase", "sets", "shape", "equation", "factor", "value"), rows)
    return "\n".join(heading) + f"\n\n{table}\n"


def _step_row(step: Step, derivation: Derivation, chosen: Chosen) -> tuple[str, ...]:
    equation, factor = _step_equation(step, derivation, chosen)
    backward = step.phase in (Phase.SEED, Phase.BACKWARD)
    sets = _gradient(derivation, step.target) if backward else name_text(step.target)
    if step.phase == Phase.UPDATE and step.quantity not in (None, "value"):
        sets = f"{QUANTITIES[str(step.quantity)].text} of {sets}"
    return (
        str(step.index + 1),  # counted as the window counts, from 1
        step.phase.value,
        sets,
        shape_text(step.after),
        excerpt(equation, WIDEST),
        excerpt(factor, WIDEST // 2),
        summary(step.after),
    )


def _step_equation(step: Step, derivation: Derivation, chosen: Chosen) -> tuple[str, str]:
    if step.phase == Phase.FORWARD:
        return _definition(derivation, step.node), ""
    if step.phase == Phase.SEED:
        return "1", ""
    if step.phase == Phase.UPDATE:
        return _update_text(step, derivation, *chosen), ""
    assert step.slot is not None
    try:
        found = derivation.contribution(step.node, step.slot)
    except BackstepError:  # a line of thousands of operations: its numbers stand, its equation does not
        return "", ""
    added = "+ " if step.before is not None else ""
    operand = equation_text(found.factor.operand) if found.factor.operand is not None else ""
    return added + equation_text(found.expr, derivation.graph.loss), f"{found.factor.side} {operand}".strip()


def _update_text(
    step: Step, derivation: Derivation, optimizer: Optimizer | None, settings: Mapping[str, float]
) -> str:
    """Return the right-hand side of an update's line, its settings put in."""
    if optimizer is None:
        return ""
    text = equation_text(update_equation(optimizer, derivation, step).expr, derivation.graph.loss)
    return text.format_map({name: f"{value:.6g}" for name, value in settings.items()})


# --- numbers and tables ------------------------------------------------------------------------------------


def number(value: Any) -> str:
    """Return a number in six significant digits; nan and inf in words."""
    value = float(value)
    return f"{value + 0.0:.6g}" if np.isfinite(value) else {"nan": "not a number"}.get(str(value), str(value))


def shape_text(array: Array) -> str:
    """Return the shape of an array, ``4×50``; of a number ``scalar``."""
    return "×".join(map(str, array.shape)) or "scalar"


def summary(array: Array) -> str:
    """Return a small array entry by entry, of a large one its range and mean.

    Examples
    --------
    >>> summary(np.array([[1.0, -2.5]])), summary(np.arange(100.0))
    ('[1, -2.5]', '0 ... 99, mean 49.5')
    """
    if array.ndim == 0:
        return number(array)
    if array.size <= SMALL:
        rows = [", ".join(number(entry) for entry in row) for row in np.atleast_2d(array)]
        return f"[{'; '.join(rows)}]"
    wrong = int(np.sum(~np.isfinite(array)))
    if wrong:
        return f"{wrong} of {array.size} entries are not finite"
    if array.min() == array.max():
        return f"all {number(array.min())}"
    with np.errstate(all="ignore"):
        return f"{number(array.min())} ... {number(array.max())}, mean {number(array.mean())}"


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns stand under each other; columns that are empty throughout are left out."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    table = [[row[i] for i in kept] for row in (head, *rows)]
    widths = [max(map(text_width, cells)) for cells in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table
    )


def text_width(text: str) -> int:
    """Return how many columns a terminal gives to `text`: marks above a letter take none."""
    return sum(not unicodedata.combining(char) for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_width(text))
