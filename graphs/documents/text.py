r"""Text for people: equations in Unicode, traces as tables, numbers that fit on a line.

The equations come from the same expressions as the LaTeX, in other signs: ``∂L/∂w = 2/m (ŷ − y) xᵀ``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine import expr as ex
from engine import ops
from engine.derive import Derivation
from engine.errors import BackstepError, excerpt
from engine.expr import Expr
from engine.names import plain_name
from engine.notation import copied_axes
from engine.optimizers import QUANTITIES, Optimizer, update_equation
from engine.trace import Phase, Step, Trace
from graphs.network import Model

__all__ = ["columns", "derive_text", "equation_text", "number", "summary", "trace_text"]

Array = np.ndarray
Chosen = tuple[Optimizer | None, Mapping[str, float]]
SMALL = 12  # entries of an array that are shown one by one
WIDEST = 72  # characters of an equation in a table


# --- equations ---------------------------------------------------------------------------------------------

_SUM, _HADAMARD, _PRODUCT, _MEMBER, _ATOM = range(5)
_ONES = "1⃗"
_MINUS = "−"
_SUPERSCRIPTS = {"2": "²", "3": "³"}


# Signs that differ from name(arguments); an operation that is not here is written that way.
_SIGNS: Mapping[str, str] = {
    "sigmoid": "σ({0})",
    "sqrt": "√({0})",
    "abs": "|{0}|",
    "norm": "‖{0}‖",
    "norm_squared": "‖{0}‖²",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "positive": "1[{0} > 0]",
    "share": "(1[{0} = {1}] / #[{0} = {1}])",
    "or_one": "{0}",
    "outer": "({0} {1}ᵀ)",
}


def equation_text(expr: Expr, loss: str = "L") -> str:
    """Return an expression as one line of text; gradients in it are those of `loss`.

    Examples
    --------
    >>> from engine.expr import Name, lift
    >>> x, y = (Name(n, (), n, n) for n in ("x", "yhat"))
    >>> equation_text(lift(2) * (y - x) / (1 + x**2))
    '2 (ŷ − x)/(1 + x²)'
    """
    return _Text(plain_name(loss)).write(expr, _SUM)


class _Text:
    def __init__(self, loss: str) -> None:
        self._loss = loss

    def write(self, expr: Expr, level: int) -> str:
        text, own = self._body(expr)
        return f"({text})" if own < level else text

    def _body(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case ex.Const():
                return _const(expr)
            case ex.Name(part=part) if part is not None:
                return self._body(part)
            case ex.Name(kind="gradient"):
                return f"∂{self._loss}/∂{name_text(expr.name)}", _MEMBER
            case ex.Name():
                return _name(expr), _ATOM
            case ex.Sum():
                return self._sum(expr), _SUM
            case ex.Product():
                return self._product(expr)
            case ex.Hadamard():
                text = " ⊙ ".join(self._member(factor) for factor in expr.factors)
                return (f"{_MINUS}{text}", _SUM) if expr.negative else (text, _HADAMARD)
            case ex.Quotient():
                return self._quotient(expr)
            case ex.Power():
                return self._power(expr)
        return self._shaped(expr)

    def _sum(self, expr: ex.Sum) -> str:
        text = ""
        for sign, term in expr.terms:
            mark = _MINUS if sign < 0 else "+"
            text += (f" {mark} " if text else mark * (sign < 0)) + self.write(term, _HADAMARD)
        return text

    def _product(self, expr: ex.Product) -> tuple[str, int]:
        several = len(expr.factors) > 1
        text = " ".join(self.write(factor, _PRODUCT if several else _HADAMARD) for factor in expr.factors)
        return (f"{_MINUS}{text}", _SUM) if expr.negative else (text, _PRODUCT)

    def _member(self, factor: Expr) -> str:
        """Return a factor beside ⊙: in parentheses, unless it is one matrix after scalars."""
        plain = isinstance(factor, ex.Product) and sum(not f.is_scalar for f in factor.factors) <= 1
        return self.write(factor, _PRODUCT if plain else _MEMBER)

    def _quotient(self, expr: ex.Quotient) -> tuple[str, int]:
        if expr.numerator.is_scalar or expr.denominator.is_scalar:
            return f"{self.write(expr.numerator, _PRODUCT)}/{self.write(expr.denominator, _ATOM)}", _HADAMARD
        return f"{self._member(expr.numerator)} ⊘ {self._member(expr.denominator)}", _HADAMARD

    def _power(self, expr: ex.Power) -> tuple[str, int]:
        base, exponent = self.write(expr.base, _ATOM), self.write(expr.exponent, _ATOM)
        if base[-1] in "²³ᵀ":
            base = f"({base})"
        if expr.base.is_scalar and exponent in _SUPERSCRIPTS:
            return base + _SUPERSCRIPTS[exponent], _ATOM
        return f"{base}^{'' if expr.base.is_scalar else '⊙'}{exponent}", _ATOM

    def _shaped(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case ex.Transpose():
                return f"{self.write(expr.operand, _ATOM)}ᵀ", _ATOM
            case ex.SumTo():
                return self._summed(expr), _PRODUCT
            case ex.Spread():
                return self._spread(expr), _PRODUCT
            case ex.Reshape():
                return self._body(expr.operand)
            case ex.Apply():
                return self._applied(expr), _ATOM
        raise TypeError(f"no text for {type(expr).__name__}")

    def _summed(self, expr: ex.SumTo) -> str:
        text = self.write(expr.operand, _PRODUCT)
        axes, rank = copied_axes(expr), len(expr.operand.dims)
        after = f" {_ONES}" if rank - 1 in axes else ""
        before = f"{_ONES}ᵀ " if rank > 1 and 0 in axes else ""
        return before + text + after

    def _spread(self, expr: ex.Spread) -> str:
        bare = expr.operand == ex.ONE
        inner = [] if bare else [self.write(expr.operand, _PRODUCT)]
        names = [dim.name for dim in expr.dims]
        column = [_ONES] if len(names) > 1 and expr.axis in (None, 0) and names[0] != "1" else []
        row = [f"{_ONES}ᵀ"] if expr.axis in (None, len(names) - 1) and names[-1] != "1" else []
        parts = [*inner, *column, *row] if expr.operand.is_scalar else [*column, *inner, *row]
        return " ".join(parts) or "1"

    def _applied(self, expr: ex.Apply) -> str:
        args = [self.write(arg, _SUM) for arg in expr.args]
        attrs = dict(expr.attrs)
        if expr.head in (ops.larger, ops.smaller):
            sign = ">" if expr.head is ops.larger else "<"
            return f"(1[{args[0]} {sign} {args[1]}] + 1/2 1[{args[0]} = {args[1]}])"
        if expr.head.name in _SIGNS:
            axis = "" if attrs.get("axis") is None or expr.head.name == "share" else f"_axis {attrs['axis']}"
            return _SIGNS[expr.head.name].format(*args) + axis
        if attrs.get("axis") is not None:
            args.append(f"axis={attrs['axis']}")
        return f"{expr.head.name}({', '.join(args)})"


def _name(symbol: ex.Name) -> str:
    """Return a symbol as text: of an update a quantity as ``v_w``, a hyperparameter as ``{rho}``."""
    owner, colon, quantity = symbol.name.partition(":")
    if not colon:
        return plain_name(symbol.name)
    if not owner:
        return symbol.code
    return f"{plain_name(QUANTITIES[quantity].code.removesuffix('_{p}'))}_{plain_name(owner)}"


def _const(const: ex.Const) -> tuple[str, int]:
    number = abs(const.value)
    whole = const.decimal or number.denominator == 1
    top = f"{float(number):.12g}" if whole else str(number.numerator)
    over = [_scripted(d.name, e) for d, e in const.powers if e > 0]
    under = [_scripted(d.name, -e) for d, e in const.powers if e < 0]
    if not whole:
        under.insert(0, str(number.denominator))
    text = " ".join(over if over and top == "1" else [top, *over])
    if under:
        text += "/" + (under[0] if len(under) == 1 else f"({' '.join(under)})")
    if const.value < 0:
        return _MINUS + text, _SUM
    return text, _MEMBER if under or len(over) > 1 else _ATOM


def _scripted(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}{_SUPERSCRIPTS.get(str(exponent), f'^{exponent}')}"


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


def name_text(name: str) -> str:
    """Return the name of a node as text; of an unnamed part its number behind the line: ``L.3``."""
    line, dot, part = name.partition(".")
    return plain_name(line) + dot + part


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
