"""The matrices of an equation, left to right, with what stands between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from engine.derive import GETS, PLUS_EQUALS, BackwardEquation
from engine.expr import Apply, Expr, Hadamard, Product, Quotient, Sum, SumTo, evaluate, names
from engine.notation import latex
from engine.ops import Op, Side
from engine.optimizers import UpdateEquation
from engine.trace import Step
from graphs.views.frame import Frame, FrameNumbers
from graphs.views.records import Array, MatrixView
from graphs.views.scene import has_upstream
from graphs.views.words import label_of
from graphs.wording import dim_names, sizes

MAX_MATRICES = 5
Numbers = Mapping[str, Array]


def product_views(
    frame: Frame, name: str, result: Array, expr: Expr, role: str
) -> tuple[MatrixView | str, ...]:
    """Return a result and the matrices that make it: the terms of a sum, the factors of a product."""
    shape, dims = frame.statics.shapes_of(name)
    noise = frame.rounding.is_value(name, result)
    whole = MatrixView(label_of(frame, name), result, shape, dims, role, noise)
    parts = _expression_views(frame.numbers, expr)
    if not parts or sum(isinstance(p, MatrixView) for p in parts) > MAX_MATRICES:
        return (whole,)
    return (whole, "=", *parts)


def _expression_views(numbers: Numbers, expr: Expr, read: str = "forward") -> list[MatrixView | str]:
    """Return the terms of a sum, the factors of a product; `read` is the role of what is made of values."""
    if isinstance(expr, Sum):
        return _terms_views(numbers, expr, read)
    if isinstance(expr, Product | Hadamard):
        return [*(["−"] if expr.negative else []), *_factors_views(numbers, expr, read)]
    if isinstance(expr, Apply) and len(expr.args) == 1 and expr.dims:
        return [_head(expr), _matrix_view(numbers, expr.args[0], read)]
    if isinstance(expr, Quotient):
        return _quotient_views(numbers, expr, read)
    return [_matrix_view(numbers, expr, read)]


def _quotient_views(numbers: Numbers, expr: Quotient, read: str) -> list[MatrixView | str]:
    top, bottom = expr.numerator, expr.denominator
    sign = "÷" if top.is_scalar or bottom.is_scalar else "⊘"
    above: list[MatrixView | str] = [_matrix_view(numbers, top, read)]
    if isinstance(top, Product) and not top.negative:
        above = _factors_views(numbers, top, read)
    return [*above, sign, _matrix_view(numbers, bottom, read)]


def _terms_views(numbers: Numbers, expr: Sum, read: str) -> list[MatrixView | str]:
    parts: list[MatrixView | str] = []
    for sign, term in expr.terms:
        if parts or sign < 0:
            parts.append("+" if sign > 0 else "−")
        # a sum inside, or a minus of its own, would read as part of this sum
        whole = isinstance(term, Sum) or (isinstance(term, Product | Hadamard) and term.negative)
        parts += [_matrix_view(numbers, term, read)] if whole else _expression_views(numbers, term, read)
    return parts


def _head(expr: Apply) -> str:
    """Return what stands before the argument of a function: σ, tanh."""
    head = expr.head
    return (head.symbol or head.name) if isinstance(head, Op) else head.name


def _factors_views(numbers: Numbers, expr: Product | Hadamard, read: str) -> list[MatrixView | str]:
    parts: list[MatrixView | str] = []
    for i, factor in enumerate(expr.factors):
        if i:
            scalar = factor.is_scalar or expr.factors[i - 1].is_scalar
            parts.append("⊙" if isinstance(expr, Hadamard) else "×" if scalar else "·")
        parts.append(_matrix_view(numbers, factor, read))
    return parts


def _matrix_view(numbers: Numbers, expr: Expr, read: str = "forward") -> MatrixView:
    with np.errstate(all="ignore"):
        array = np.asarray(evaluate(expr, numbers), dtype=float)
    noise = isinstance(numbers, FrameNumbers) and numbers.is_rounding(expr, array)
    return MatrixView(latex(expr), array, sizes(expr.dims), dim_names(expr.dims), _role(expr, read), noise)


def _role(expr: Expr, read: str) -> str:
    """Return the role of what is made of an update's quantities, of gradients, of values, or of numbers."""
    found = names(expr)
    owners = [name.name.partition(":") for name in found]
    if any(owner and colon for owner, colon, _ in owners):
        return "update"
    if any(name.kind == "gradient" for name in found):
        return "backward"
    return read if any(not colon for _, colon, _ in owners) else "text"


def factor_views(frame: Frame, step: Step, equation: BackwardEquation) -> tuple[MatrixView | str, ...]:
    """Return a contribution as the product of the incoming gradient and its factor."""
    found = equation.contribution
    factor, derivation = found.factor, frame.statics.derivation
    shape, dims = frame.statics.shapes_of(found.input)
    assert step.contribution is not None
    noise = frame.rounding.is_gradient(found.input, step.contribution)
    label = derivation.gradient_latex(found.input)
    result = MatrixView(label, step.contribution, shape, dims, "backward", noise)
    upstream = _upstream_view(frame, found.node)
    joined = {PLUS_EQUALS: "+=", GETS: "←"}.get(equation.sign, "=")
    if factor.side == Side.SUM and factor.latex == r"\vec{1}":
        return (result, joined, upstream, "·", _ones_view(frame, found.node))
    if factor.operand is None:
        parts = _written_out(frame, found.expr)
        return (result, joined, *parts) if parts else (result, "←", upstream)
    operand = _operand_view(frame, factor.operand)
    if not has_upstream(equation):
        parts = _expression_views(frame.numbers, factor.operand, "stored")
        few = sum(isinstance(p, MatrixView) for p in parts) <= 3
        return (result, joined, *parts) if few else (result, joined, operand)
    if factor.side == Side.LEFT:
        return (result, joined, operand, "·", upstream)
    sign = {Side.RIGHT: "·", Side.ELEMENTWISE: "⊙"}.get(factor.side, "×")
    return (result, joined, upstream, sign, operand)


def _written_out(frame: Frame, expr: Expr) -> list[MatrixView | str]:
    """Return what a factor of several operations is worked out from: its products, where they are few."""
    if isinstance(expr, SumTo):
        inner = _expression_views(frame.numbers, expr.operand)
        few = sum(isinstance(part, MatrixView) for part in inner) <= 3
        return ["Σ", *(inner if few else [_matrix_view(frame.numbers, expr.operand)])]
    parts = _expression_views(frame.numbers, expr)
    return parts if 1 < sum(isinstance(part, MatrixView) for part in parts) <= 3 else []


def _upstream_view(frame: Frame, node: str) -> MatrixView:
    shape, dims = frame.statics.shapes_of(node)
    gradient = frame.gradients[node]
    noise = frame.rounding.is_gradient(node, gradient)
    return MatrixView(frame.statics.derivation.gradient_latex(node), gradient, shape, dims, "backward", noise)


def _ones_view(frame: Frame, node: str) -> MatrixView:
    dim = frame.trace.graph[node].dims[-1]
    return MatrixView(r"\vec{1}", np.ones((dim.size, 1)), f"{dim.size} × 1", f"{dim.name} × 1", "text")


def _operand_view(frame: Frame, operand: Expr) -> MatrixView:
    return _matrix_view(frame.numbers, operand, "stored")


def update_numbers(frame: Frame, step: Step) -> Numbers:
    """Return what the equation of an update step reads: what stood there before the step.

    Hyperparameters are looked up as ``:rho``, quantities as ``W1:velocity``; what an optimizer keeps is zero
    before the first update.
    """
    name, updates = step.node, frame.trace.updates[step.node]
    found = {f":{key}": np.asarray(value) for key, value in frame.settings.items()}
    found |= {name: frame.trace.values[name], f"d_{name}": frame.trace.gradients[name]}
    found |= {f"{name}:{key}": np.zeros_like(found[name]) for key in frame.optimizer.state}
    found |= {f"{name}:{s.quantity}": s.before for s in updates if s.before is not None}
    found |= {f"{name}:{s.quantity}": s.after for s in updates if s.index < step.index}
    return found


def update_views(
    frame: Frame, step: Step, equation: UpdateEquation, numbers: Numbers
) -> tuple[MatrixView | str, ...]:
    """Return one line of an update: what it sets, and the matrices that make it."""
    shape, dims = frame.statics.shapes_of(step.node)
    new = r"\;\text{new}" if equation.replaces else ""
    whole = MatrixView(equation.target.text + new, step.after, shape, dims, "update")
    parts = (_rounded(part) for part in _expression_views(numbers, equation.expr))
    return (whole, "=", *parts)


def _rounded(part: MatrixView | str) -> MatrixView | str:
    """Return a number made of hyperparameters as a person would write it: 1 - 0.9 is 0.1."""
    if isinstance(part, str) or part.role != "text":
        return part
    return replace(part, array=np.asarray(float(f"{float(part.array):.12g}")))
