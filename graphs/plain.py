"""Equations as a line of text for people, in Unicode: ``∂L/∂w = 2/m (ŷ − y) xᵀ``.

They come from the same expressions as the LaTeX, in other signs.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine import expr as ex
from engine import ops
from engine.expr import Expr
from engine.names import plain_name
from engine.notation import copied_axes
from engine.optimizers import QUANTITIES

__all__ = ["equation_text", "name_text"]

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


def name_text(name: str) -> str:
    """Return the name of a node as text; of an unnamed part its number behind the line: ``L.3``."""
    line, dot, part = name.partition(".")
    return plain_name(line) + dot + part
