"""Lines of the formula language that work entry by entry, as optimizers are written in.

A line is read once, and serves twice: :func:`express` makes the expression that is printed (LaTeX, NumPy
source, the numbers put in), :func:`compiled` the list of calls that computes. The calls work on arrays of any
shape, and on one flat vector of all parameters to the same bits as on each parameter alone, because every
operation here is elementwise and rounded correctly by itself.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.expr import Expr, lift
from engine.formula import Statement
from engine.ops import OPS

__all__ = ["Call", "compiled", "compute", "express"]


class Call(NamedTuple):
    """One operation: ``target = function(*operands)``.

    Attributes
    ----------
    target
        The name of a line, or ``line.1``, ``line.2`` for what it is worked out from.
    function
        A ufunc, which takes ``out=``; for numbers alone the function of :mod:`operator` or :mod:`math`, which
        is faster.
    operands
        Names, and numbers that stand in the text.
    is_number
        Whether the result is a number, made from hyperparameters alone: the same for every entry.
    """

    target: str
    function: Callable[..., Any]
    operands: tuple[str | float, ...]
    is_number: bool


_NUMBERS: Mapping[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "neg": operator.neg,
    "sqrt": math.sqrt,
}
_ARRAYS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "**": np.power,
    "neg": np.negative,
    "sqrt": np.sqrt,
}


def express(statement: Statement, scope: Mapping[str, Expr]) -> Expr:
    """Return the right-hand side of a line in symbols, names looked up in `scope`."""
    stack: list[Expr] = []
    for item in statement.items:
        if item.kind != "op":
            stack.append(lift(_number(item.text)) if item.kind == "number" else scope[item.text])
            continue
        args = stack[len(stack) - item.arity :]
        del stack[len(stack) - item.arity :]
        op = OPS[item.text]
        stack.append(op.express(args, op.shape(*(arg.dims for arg in args)), {}))
    return stack[0]


def compiled(statements: Sequence[Statement], numbers: Collection[str]) -> tuple[Call, ...]:
    """Return the calls that compute the lines, in order; `numbers` are the names that are no arrays."""
    calls: list[Call] = []
    for statement in statements:
        _compile(statement, set(numbers), calls)
    return tuple(calls)


def _compile(statement: Statement, numbers: set[str], calls: list[Call]) -> None:
    stack: list[str | float] = []
    last = len(statement.items) - 1
    for place, item in enumerate(statement.items):
        if item.kind != "op":
            stack.append(_number(item.text) if item.kind == "number" else item.text)
            continue
        operands = tuple(stack[len(stack) - item.arity :])
        del stack[len(stack) - item.arity :]
        target = statement.name if place == last else f"{statement.name}.{place}"
        is_number = all(not isinstance(o, str) or o in numbers for o in operands)
        if is_number:
            numbers.add(target)
        calls.append(_call(target, item.text, operands, is_number))
        stack.append(target)


def _call(target: str, name: str, operands: tuple[str | float, ...], is_number: bool) -> Call:
    if is_number:
        return Call(target, _NUMBERS[name], operands, True)
    if name == "**" and operands[1] == 2:  # many times faster than a power, and rounded once
        return Call(target, np.square, operands[:1], False)
    return Call(target, _ARRAYS[name], operands, False)


def _number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def compute(calls: Sequence[Call], known: MutableMapping[str, Any]) -> None:
    """Work the calls out one after the other, into the table of `known` values."""
    for call in calls:
        known[call.target] = call.function(
            *(known[operand] if isinstance(operand, str) else operand for operand in call.operands)
        )
