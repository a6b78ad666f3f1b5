r"""The numbers put in: one entry of an expression with every symbol replaced by its number.

``2/m (yhat - y) A^T`` at entry [0, 1] becomes ``\frac{2}{12}(0.31 - 1.2) \cdot 0.38 + \ldots``: the second of
the three lines in which a step is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine import expr as ex
from engine.expr import (
    Apply,
    Const,
    Expr,
    Hadamard,
    Name,
    Power,
    Product,
    Quotient,
    Reshape,
    Spread,
    Sum,
    SumTo,
    Transpose,
)
from engine.notation import const_latex, parenthesised
from engine.ops import Op
from engine.shapes import Dims

__all__ = ["number_latex", "put_in"]

Array = np.ndarray
Index = tuple[int, ...]
MAX_TERMS = 3
_SUM, _PRODUCT, _ATOM = range(3)


def number_latex(x: float, digits: int = 4) -> str:
    r"""Return a number with `digits` significant digits as LaTeX; never ``-0``; nan and infinity in words."""
    if np.isnan(x):
        return r"\text{nan}"
    if np.isinf(x):
        return r"\infty" if x > 0 else r"-\infty"
    if x == 0:
        return "0"
    text = f"{x:.{digits}g}"
    if float(text) != x:
        text = f"{x:#.{digits}g}"  # a rounded number keeps its zeros: 0.8990 is not 0.899
    mantissa, _, exponent = text.rstrip(".").partition("e")
    if not exponent:
        return mantissa
    sign = mantissa.removesuffix("1")  # a power of ten itself has no mantissa
    return (sign if sign in ("", "-") else rf"{mantissa} \cdot ") + f"10^{{{int(exponent)}}}"


def put_in(expr: Expr, values: Mapping[str, Array], index: Index, in_full: bool = False) -> str:
    r"""Return one entry of `expr` with numbers for symbols, as LaTeX.

    Parameters
    ----------
    values
        Arrays by name; gradients as ``d_NAME``.
    index
        Which entry: as many numbers as `expr` has dimensions.
    in_full
        Whether the first term of a sum of products is written down to the numbers that it is made of, as
        ``(0.74 \cdot 0.75 \cdot (1 - 0.75)) \cdot 0.59 + 0.10 \cdot 0.61``; else what each factor comes to.
    """
    writer = _Writer(values, in_full)
    with np.errstate(all="ignore"):
        if isinstance(expr, Apply) and expr.head.name == "softmax":  # by itself: inside others it is a number
            return writer.shares(expr, index)
        return writer.write(expr, index, _SUM)


class _Writer:
    def __init__(self, values: Mapping[str, Array], in_full: bool) -> None:
        self._values = values
        self._in_full = in_full

    def write(self, expr: Expr, index: Index, level: int) -> str:
        text, own = self._body(expr, index)
        return parenthesised(text) if own < level else text

    def _body(self, expr: Expr, index: Index) -> tuple[str, int]:
        match expr:
            case Const():
                return _const(expr)
            case Name():
                return self._number(expr, index)
            case Sum():
                return self._sum(expr, index), _SUM
            case Product():
                return self._product(expr, index)
            case Hadamard():
                parts = [self.write(f, _index_in(f.dims, index), _PRODUCT) for f in expr.factors]
                return _signed(parts, expr.negative)
        return self._other(expr, index)

    def _other(self, expr: Expr, index: Index) -> tuple[str, int]:
        match expr:
            case Quotient():
                top = self.write(expr.numerator, _index_in(expr.numerator.dims, index), _SUM)
                bottom = self.write(expr.denominator, _index_in(expr.denominator.dims, index), _SUM)
                return rf"\frac{{{top}}}{{{bottom}}}", _ATOM
            case Power():
                base = self.write(expr.base, _index_in(expr.base.dims, index), _ATOM)
                exponent = self.write(expr.exponent, _index_in(expr.exponent.dims, index), _SUM)
                base = parenthesised(base) if "^" in base or r"\frac" in base else base
                return rf"{base}^{{{exponent}}}", _ATOM
            case Transpose():
                return self._body(expr.operand, index[::-1])
            case Reshape():
                return self._body(expr.operand, (0,) * len(expr.operand.dims))
            case Spread():
                return self._body(expr.operand, _spread_index(expr, index))
            case SumTo():
                return self._summed(expr, index)
            case Apply():
                return self._apply(expr, index)
        raise TypeError(f"no numbers for {type(expr).__name__}")

    def _number(self, expr: Expr, index: Index) -> tuple[str, int]:
        value = float(np.asarray(ex.evaluate(expr, self._values))[index])
        text = number_latex(value)
        return text, _SUM if text.startswith("-") else _PRODUCT if "^" in text else _ATOM

    def _sum(self, expr: Sum, index: Index) -> str:
        text = ""
        for sign, term in expr.terms:
            bare = sign > 0 and (not text or isinstance(term, Product))
            part = self.write(term, _index_in(term.dims, index), _SUM if bare else _PRODUCT)
            part = parenthesised(part) if text and part.startswith("-") else part
            first = "-" if sign < 0 and part != "0" else ""  # never -0
            text += (f" {'+-'[sign < 0]} " if text else first) + part
        return text

    def _product(self, expr: Product, index: Index) -> tuple[str, int]:
        matrices = [f for f in expr.factors if not f.is_scalar]
        if len(matrices) < 2:
            parts = [self.write(f, _index_in(f.dims, index), _PRODUCT) for f in expr.factors]
            return _signed(parts, expr.negative)
        return self._contraction(expr, index)

    def _contraction(self, expr: Product, index: Index) -> tuple[str, int]:
        """Write row times column; what stands before the last matrix is taken as one."""
        last = max(i for i, f in enumerate(expr.factors) if not f.is_scalar)
        left = self._value(expr.factors[:last], expr)
        right = np.asarray(ex.evaluate(expr.factors[last], self._values))
        row = left[index[0]] if left.ndim == 2 else left
        column = right[:, index[-1]] if right.ndim == 2 else right
        tail = [self.write(f, (), _PRODUCT) for f in expr.factors[last + 1 :]]
        firsts = [_factor(row[0]), _factor(column[0])]
        if self._in_full:
            own = expr.factors[:last]
            if len(own) == 1:
                firsts[0] = self._first(own[0], (index[0], 0) if left.ndim == 2 else (0,))
            firsts[1] = self._first(expr.factors[last], (0, index[-1]) if right.ndim == 2 else (0,))
        text = _series(
            row.size,
            lambda i: r" \cdot ".join(firsts if i == 0 else (_factor(row[i]), _factor(column[i]))),
        )
        if tail:
            return _signed([parenthesised(text), *tail], expr.negative)
        return (f"-{parenthesised(text)}" if expr.negative else text), _SUM

    def _first(self, expr: Expr, index: Index) -> str:
        """Write a factor of the first term down to its numbers."""
        text, own = self._body(expr, index)
        return parenthesised(text) if own != _ATOM else text

    def _value(self, factors: Sequence[Expr], whole: Product) -> Array:
        part = Product(tuple(factors), whole.dims, whole.weight)
        return np.asarray(ex.evaluate(part, self._values))

    def _summed(self, expr: SumTo, index: Index) -> tuple[str, int]:
        array = np.asarray(ex.evaluate(expr.operand, self._values))
        kept = iter(index if len(index) == array.ndim - len(expr.axes) else _dropped(index, expr.axes))
        select = tuple(slice(None) if a in expr.axes else next(kept) for a in range(array.ndim))
        if array[select].size == 1:  # a sum of one term is that term, with its own numbers
            return self._body(expr.operand, tuple(0 if isinstance(s, slice) else s for s in select))
        first = self.write(expr.operand, tuple(0 if isinstance(s, slice) else s for s in select), _SUM)
        return self._listed(np.ravel(array[select]), first if self._in_full else "")

    def _listed(self, entries: Array, first: str = "") -> tuple[str, int]:
        """Write a sum of entries; `first` for the first one where that is written in full."""
        text = _series(
            entries.size, lambda i: first if first and not i else _term(entries[i], first=not i), join=""
        )
        return text, _SUM if entries.size > 1 or text.startswith("-") else _ATOM

    def _apply(self, expr: Apply, index: Index) -> tuple[str, int]:
        head = expr.head
        elementwise = not isinstance(head, Op) or head.elementwise
        if elementwise and head.name not in ("softmax", "log_softmax", "share", "outer"):
            args = [self.write(a, _index_in(a.dims, index), _SUM) for a in expr.args]
            return head.write_latex(*args, **dict(expr.attrs)), _ATOM
        if isinstance(head, Op) and head.written is not None:
            return self._body(head.written(*expr.args, **dict(expr.attrs)), index)
        if isinstance(head, Op) and len(expr.args) == 1 and head.name != "softmax":
            return self._reduced(expr, head, index), _ATOM
        return self._number(expr, index)

    def _reduced(self, expr: Apply, head: Op, index: Index) -> str:
        """Write a reduction of the entries that come to one of its own."""
        shown = self._entries(expr.args[0], dict(expr.attrs).get("axis"), index)
        return head.write_latex(_series(shown.size, lambda i: number_latex(float(shown[i])), join=r",\; "))

    def shares(self, expr: Apply, index: Index) -> str:
        """Write an entry of softmax: its power of e over the sum of all along the axis."""
        axis = dict(expr.attrs).get("axis", 0) % len(index)
        entries = self._entries(expr.args[0], axis, index)
        powers = [rf"e^{{{number_latex(float(entry))}}}" for entry in entries]
        return rf"\frac{{{powers[index[axis]]}}}{{{_series(len(powers), powers.__getitem__)}}}"

    def _entries(self, operand: Expr, axis: int | None, index: Index) -> Array:
        """Return the entries that an entry of a reduction is made of: all, or those along an axis."""
        array = np.asarray(ex.evaluate(operand, self._values))
        if axis is None:
            return np.ravel(array)
        axis %= array.ndim
        kept = index if len(index) < array.ndim else _dropped(index, (axis,))
        return array[(*kept[:axis], slice(None), *kept[axis:])]


def _const(expr: Const) -> tuple[str, int]:
    """Write a constant with numbers for its dimensions: 2/m is 2/12."""
    numbers = tuple((dim._replace(name=str(dim.size)), power) for dim, power in expr.powers)
    text = const_latex(Const(expr.value, numbers, expr.decimal))
    return text, _SUM if text.startswith("-") else _ATOM


def _index_in(dims: Dims, index: Index) -> Index:
    """Return where broadcasting reads an operand of shape `dims` for the entry `index` of the result."""
    own = index[len(index) - len(dims) :] if dims else ()
    return tuple(0 if dim.size == 1 else i for dim, i in zip(dims, own, strict=True))


def _spread_index(expr: Spread, index: Index) -> Index:
    if expr.operand.is_scalar:
        return ()
    if expr.kept or expr.axis is None:
        return _index_in(expr.operand.dims, index)
    return index[: expr.axis] + index[expr.axis + 1 :]


def _dropped(index: Index, axes: Sequence[int]) -> Index:
    return tuple(i for a, i in enumerate(index) if a not in axes)


def _series(count: int, write: Callable[[int], str], join: str = " + ") -> str:
    """Write the first terms of a series, and how many there are where that is more."""
    if count <= MAX_TERMS + 1:
        return join.join(write(i) for i in range(count))
    shown = [write(i) for i in range(MAX_TERMS)]
    dots = r"\ldots" if join.startswith(",") else r" + \ldots" if not join else r"\ldots"
    return join.join([*shown, dots]) + rf"\;\text{{({count} terms)}}" * (not join.startswith(","))


def _factor(x: float) -> str:
    text = number_latex(float(x))
    return f"({text})" if text.startswith("-") or r"\cdot" in text else text


def _term(x: float, first: bool) -> str:
    text = number_latex(abs(float(x)))
    minus = x < 0
    return f"-{text}" if first and minus else text if first else f" {'-' if minus else '+'} {text}"


def _signed(parts: Sequence[str], negative: bool) -> tuple[str, int]:
    text = r" \cdot ".join(parts)
    negative = negative and parts[0] != "0"  # never -0
    return (f"-{text}", _SUM) if negative else (text, _PRODUCT if len(parts) > 1 else _ATOM)
