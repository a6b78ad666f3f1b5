r"""Expressions in symbols: what a formula says, and what the chain rule makes of it.

An operation's rules are written once, with NumPy's own operators: ``lambda x, out: out * (1 - out)``. Given arrays
they compute; given :class:`Expr` objects they build the expression that is printed, as LaTeX by :func:`latex`, as
NumPy source by :func:`source`. So the equation on the screen and the number beside it cannot disagree.

The constructors keep expressions as a mathematician writes them: a product stays in its order, constants side by
side combine (``1/m`` and ``2`` give ``2/m``), a factor of one vanishes, signs move to the front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from engine.shapes import Dim, Dims, broadcast, matmul, reduced, sizes

__all__ = [
    "ONE",
    "Const",
    "Expr",
    "Head",
    "Name",
    "count",
    "evaluate",
    "latex",
    "lift",
    "source",
    "spread",
    "sum_to",
    "uses",
]

Array = np.ndarray
_BITS = 256  # beyond this, exact constants are kept as floats: bounded time for any input


class Head(Protocol):
    """What a function application prints and computes with: an Op, or a helper such as ``sign``."""

    name: str

    def write_latex(self, *args: str, **attrs: Any) -> str: ...
    def write_source(self, *args: str, **attrs: Any) -> str: ...
    def compute(self, *args: Any, **attrs: Any) -> Any: ...


class Expr:
    """A node of an expression; subclasses are immutable. `dims` is its shape, `weight` the number of symbols."""

    dims: Dims
    weight: int
    __array_ufunc__ = None  # NumPy scalars defer to the reflected operators below

    @property
    def T(self) -> Expr:  # noqa: N802  (NumPy's name)
        return transpose(self)

    @property
    def is_scalar(self) -> bool:
        return not self.dims

    def __add__(self, other: Any) -> Expr:
        return add((1, self), (1, lift(other)))

    def __radd__(self, other: Any) -> Expr:
        return add((1, lift(other)), (1, self))

    def __sub__(self, other: Any) -> Expr:
        return add((1, self), (-1, lift(other)))

    def __rsub__(self, other: Any) -> Expr:
        return add((1, lift(other)), (-1, self))

    def __neg__(self) -> Expr:
        return negate(self)

    def __mul__(self, other: Any) -> Expr:
        return multiply(self, lift(other))

    def __rmul__(self, other: Any) -> Expr:
        return multiply(lift(other), self)

    def __truediv__(self, other: Any) -> Expr:
        return divide(self, lift(other))

    def __rtruediv__(self, other: Any) -> Expr:
        return divide(lift(other), self)

    def __pow__(self, other: Any) -> Expr:
        return power(self, lift(other))

    def __matmul__(self, other: Any) -> Expr:
        return dot(self, lift(other))


@dataclass(frozen=True)
class Const(Expr):
    """A constant: an exact number times powers of dimensions, such as 2/m. `decimal` keeps 0.5 from becoming 1/2."""

    value: Fraction
    powers: tuple[tuple[Dim, int], ...] = ()
    decimal: bool = False
    dims: Dims = ()
    weight: int = 1

    def number(self) -> float:
        """Return the value as a float, dimensions put in."""
        result = self.value
        for dim, exponent in self.powers:
            result *= Fraction(dim.size) ** exponent
        return float(result)


@dataclass(frozen=True)
class Name(Expr):
    """A value that has been stored: a named line, an input, a parameter, or a gradient (`kind` "gradient").

    An unnamed part of a line that was stored (primitive detail) prints as `part`, the expression it stands for.
    """

    name: str
    dims: Dims
    text: str
    code: str
    kind: str = "value"
    part: Expr | None = field(default=None, compare=False)
    weight: int = 1


@dataclass(frozen=True)
class Sum(Expr):
    terms: tuple[tuple[int, Expr], ...]
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Product(Expr):
    """Scalars and matrices in the order in which they are written; neighbouring matrices multiply as with ``@``."""

    factors: tuple[Expr, ...]
    dims: Dims
    weight: int
    negative: bool = False


@dataclass(frozen=True)
class Hadamard(Expr):
    factors: tuple[Expr, ...]
    dims: Dims
    weight: int
    negative: bool = False


@dataclass(frozen=True)
class Quotient(Expr):
    numerator: Expr
    denominator: Expr
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Power(Expr):
    base: Expr
    exponent: Expr
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Transpose(Expr):
    operand: Expr
    dims: Dims
    weight: int


@dataclass(frozen=True)
class SumTo(Expr):
    """The sum over `axes`, shaped `dims`: a product with a vector of ones."""

    operand: Expr
    axes: tuple[int, ...]
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Spread(Expr):
    """`operand` copied along `axis` (every axis where None) to shape `dims`: the mirror of a sum."""

    operand: Expr
    axis: int | None
    kept: bool
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Reshape(Expr):
    """The same single number in another shape, (1, 1) as a scalar; not visible in an equation."""

    operand: Expr
    dims: Dims
    weight: int


@dataclass(frozen=True)
class Apply(Expr):
    head: Head
    args: tuple[Expr, ...]
    attrs: tuple[tuple[str, Any], ...]
    dims: Dims
    weight: int


ONE = Const(Fraction(1))


# --- constructors ------------------------------------------------------------------------------------------


def lift(value: Any) -> Expr:
    """Return `value` as an expression: numbers become constants."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, Fraction):
        return Const(value)
    if isinstance(value, bool | int):
        return Const(Fraction(int(value)))
    return Const(Fraction(repr(float(value))), decimal=True)


def add(*terms: tuple[int, Expr]) -> Expr:
    """Return the signed sum of `terms`, nested sums flattened and exact constants added up."""
    flat: list[tuple[int, Expr]] = []
    for sign, term in terms:
        flat.extend((sign * s, t) for s, t in _signed_terms(term))
    dims: Dims = ()
    for _, term in flat:
        dims = broadcast(dims, term.dims)
    constants = [(s, t) for s, t in flat if isinstance(t, Const) and not t.powers]
    if len(constants) == len(flat):
        total = sum((s * t.value for s, t in constants if isinstance(t, Const)), Fraction(0))
        return _const(total, (), any(t.decimal for _, t in constants if isinstance(t, Const)))
    if len(flat) == 1:
        return flat[0][1] if flat[0][0] > 0 else negate(flat[0][1])
    return Sum(tuple(flat), dims, _weight(t for _, t in flat))


def _signed_terms(expr: Expr) -> Sequence[tuple[int, Expr]]:
    if isinstance(expr, Sum):
        return expr.terms
    if isinstance(expr, Product | Hadamard) and expr.negative:
        return [(-1, negate(expr))]
    if isinstance(expr, Const) and expr.value < 0:
        return [(-1, Const(-expr.value, expr.powers, expr.decimal))]
    return [(1, expr)]


def negate(expr: Expr) -> Expr:
    """Return the negative of `expr`, its sign in front."""
    if isinstance(expr, Const):
        return Const(-expr.value, expr.powers, expr.decimal)
    if isinstance(expr, Hadamard):
        return Hadamard(expr.factors, expr.dims, expr.weight, not expr.negative)
    if isinstance(expr, Product):
        return _product(expr.factors, expr.dims, not expr.negative)
    if isinstance(expr, Sum) and len(expr.terms) == 1:
        return expr.terms[0][1]
    if isinstance(expr, Spread):
        return Spread(negate(expr.operand), expr.axis, expr.kept, expr.dims, expr.weight)
    return _product((expr,), expr.dims, True)


def multiply(a: Expr, b: Expr) -> Expr:
    """Return the elementwise product: a product with a scalar, or ``a \\odot b``."""
    dims = broadcast(a.dims, b.dims)
    if _is_one(a) and b.dims == dims:
        return b
    if _is_one(b) and a.dims == dims:
        return a
    if isinstance(a, Spread) and a.operand.is_scalar and b.dims == dims:
        return multiply(a.operand, b)
    if isinstance(b, Spread) and b.operand.is_scalar and a.dims == dims:
        return multiply(b.operand, a)
    if a.is_scalar or b.is_scalar:
        return _join(a, b, dims)
    factors = _hadamard_factors(a) + _hadamard_factors(b)
    return Hadamard(factors, dims, _weight(factors), _is_negative(a) != _is_negative(b))


def _hadamard_factors(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Hadamard):
        return expr.factors
    return (negate(expr) if _is_negative(expr) else expr,)


def _is_negative(expr: Expr) -> bool:
    return isinstance(expr, Product | Hadamard) and expr.negative


def _join(a: Expr, b: Expr, dims: Dims) -> Expr:
    """Return the product of `a` and `b` written side by side, at least one of them a scalar or both matrices."""
    if isinstance(a, Quotient | Const) and isinstance(b, Quotient | Const) and a.is_scalar and b.is_scalar:
        merged = _merge_constants(a, b)
        if merged is not None:
            return merged
    if a == b and a.is_scalar and isinstance(a, Name):
        return power(a, lift(2))
    negative = _is_negative(a) != _is_negative(b)
    return _product(_factors(a) + _factors(b), dims, negative)


def _factors(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Product):
        return expr.factors
    return (negate(expr) if _is_negative(expr) else expr,)


def _product(factors: Sequence[Expr], dims: Dims, negative: bool) -> Expr:
    kept: list[Expr] = []
    for factor in factors:
        if isinstance(factor, Const) and factor.value < 0:
            negative, factor = not negative, negate(factor)
        place = _constant_before(kept) if isinstance(factor, Const) else None
        merged = None if place is None else _merge_constants(kept[place], factor)
        if place is None or merged is None:
            kept.append(factor)
        else:
            kept[place] = merged
    kept = [f for f in kept if not _is_one(f)] or [ONE]
    if len(kept) == 1 and kept[0].dims == dims:
        return _signed(kept[0], dims, negative)
    return Product(tuple(kept), dims, _weight(kept), negative)


def _constant_before(kept: Sequence[Expr]) -> int | None:
    """Return the place of the constant in the run of scalars that ends `kept`: scalars commute, matrices do not."""
    for place in range(len(kept) - 1, -1, -1):
        if isinstance(kept[place], Const):
            return place
        if not kept[place].is_scalar:
            return None
    return None


def _signed(expr: Expr, dims: Dims, negative: bool) -> Expr:
    if not negative:
        return expr
    if isinstance(expr, Const):
        return negate(expr)
    return Product((expr,), dims, expr.weight, True)


def _merge_constants(a: Expr, b: Expr) -> Expr | None:
    if not (isinstance(a, Const) and isinstance(b, Const)):
        return None
    powers = dict(a.powers)
    for dim, exponent in b.powers:
        powers[dim] = powers.get(dim, 0) + exponent
    kept = tuple((d, e) for d, e in powers.items() if e)
    return _const(a.value * b.value, kept, a.decimal or b.decimal)


def _const(value: Fraction, powers: tuple[tuple[Dim, int], ...], decimal: bool) -> Const:
    if value.numerator.bit_length() > _BITS or value.denominator.bit_length() > _BITS:
        value, decimal = Fraction(repr(float(value))), True
    return Const(value, powers, decimal)


def _is_one(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.value == 1 and not expr.powers


def divide(a: Expr, b: Expr) -> Expr:
    """Return the elementwise quotient; a quotient of constants stays exact."""
    dims = broadcast(a.dims, b.dims)
    if _is_one(b):
        return a
    if isinstance(b, Const) and b.value != 0:
        inverse = Const(1 / b.value, tuple((d, -e) for d, e in b.powers), b.decimal)
        merged = _merge_constants(a, inverse)
        if merged is not None:
            return merged
    if isinstance(a, Spread) and a.operand.is_scalar and b.dims == dims:
        return divide(a.operand, b)
    if _is_negative(a):
        return negate(divide(negate(a), b))
    return Quotient(a, b, dims, a.weight + b.weight)


def power(base: Expr, exponent: Expr) -> Expr:
    """Return ``base ** exponent`` elementwise."""
    dims = broadcast(base.dims, exponent.dims)
    if _is_one(exponent):
        return base
    if isinstance(exponent, Const) and exponent.value == 0:
        return spread(ONE, dims) if dims else ONE
    folded = _constant_power(base, exponent)
    if folded is not None:
        return folded
    return Power(base, exponent, dims, base.weight + exponent.weight)


def _constant_power(base: Expr, exponent: Expr) -> Const | None:
    if not (isinstance(base, Const) and isinstance(exponent, Const) and not exponent.powers):
        return None
    if exponent.value.denominator != 1 or abs(exponent.value) > 64 or base.value == 0:
        return None
    n = int(exponent.value)
    return _const(base.value**n, tuple((d, e * n) for d, e in base.powers), base.decimal)


def dot(a: Expr, b: Expr) -> Expr:
    """Return the matrix product ``a @ b``, flattened: products are associative."""
    dims = matmul(a.dims, b.dims)
    if len(a.dims) < 2 or len(b.dims) < 2:  # with vectors, the order of the products matters
        return Product((a, b), dims, a.weight + b.weight)
    return _product(_factors(a) + _factors(b), dims, _is_negative(a) != _is_negative(b))


def transpose(expr: Expr) -> Expr:
    """Return the transpose; of a scalar or a vector, the expression itself."""
    if len(expr.dims) < 2:
        return expr
    if isinstance(expr, Transpose):
        return expr.operand
    if _is_negative(expr):
        return negate(transpose(negate(expr)))
    return Transpose(expr, expr.dims[::-1], expr.weight)


def sum_to(expr: Expr, axes: tuple[int, ...], dims: Dims) -> Expr:
    """Return `expr` summed over `axes` and shaped as `dims`."""
    if not axes:
        return expr
    if _is_negative(expr):
        return negate(sum_to(negate(expr), axes, dims))
    return SumTo(expr, axes, dims, expr.weight + 1)


def spread(expr: Expr, dims: Dims, axis: int | None = None, kept: bool = True) -> Expr:
    """Return `expr` copied to shape `dims` along `axis`; `kept` says that `expr` still has that axis, with size 1."""
    if expr.dims == dims:
        return expr
    return Spread(expr, axis, kept, dims, expr.weight + 1)


def reshape(expr: Expr, dims: Dims) -> Expr:
    """Return a one-entry expression in another shape."""
    return expr if sizes(expr.dims) == sizes(dims) else Reshape(expr, dims, expr.weight)


def apply(head: Head, args: Sequence[Expr], dims: Dims, **attrs: Any) -> Expr:
    """Return the application of a function to `args`."""
    return Apply(head, tuple(args), tuple(sorted(attrs.items())), dims, _weight(args) + 1)


def count(x: Any, axis: int | None = None) -> Any:
    """Return how many entries a reduction over `axis` takes in: a number for an array, ``m`` for an expression."""
    if not isinstance(x, Expr):
        return float(np.size(x) if axis is None else np.shape(x)[axis])
    dims = x.dims if axis is None else (x.dims[axis],)
    result: Expr = ONE
    for dim in dims:
        result = multiply(result, dimension(dim))
    return result


def dimension(dim: Dim) -> Const:
    """Return the size of an axis as a constant that prints as its name."""
    if dim.name.isdigit():
        return Const(Fraction(dim.size))
    return Const(Fraction(1), ((dim, 1),))


def _weight(parts: Sequence[Expr] | Iterator[Expr]) -> int:
    return sum(part.weight for part in parts)


# --- walking -----------------------------------------------------------------------------------------------


def children(expr: Expr) -> tuple[Expr, ...]:
    """Return the expressions directly inside `expr`."""
    match expr:
        case Sum():
            return tuple(term for _, term in expr.terms)
        case Product() | Hadamard():
            return expr.factors
        case Quotient():
            return (expr.numerator, expr.denominator)
        case Power():
            return (expr.base, expr.exponent)
        case Transpose() | SumTo() | Spread() | Reshape():
            return (expr.operand,)
        case Apply():
            return expr.args
    return ()


def names(expr: Expr) -> list[Name]:
    """Return every name in `expr`, in reading order, each once."""
    found: dict[Name, None] = {}
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            found.setdefault(node)
        stack.extend(reversed(children(node)))
    return list(found)


def uses(expr: Expr) -> tuple[str, ...]:
    """Return the names of the stored values that `expr` reads."""
    return tuple(name.name for name in names(expr) if name.kind == "value")


def evaluate(expr: Expr, values: Mapping[str, Array]) -> Any:
    """Return the number or array that `expr` comes to; a gradient is looked up as ``d_NAME``."""
    match expr:
        case Const():
            return expr.number()
        case Name():
            return values[expr.name if expr.kind == "value" else f"d_{expr.name}"]
        case Sum():
            return _evaluate_sum(expr, values)
        case Product() | Hadamard():
            return _evaluate_product(expr, values)
        case Quotient():
            return np.true_divide(evaluate(expr.numerator, values), evaluate(expr.denominator, values))
        case Power():
            return np.power(evaluate(expr.base, values), evaluate(expr.exponent, values))
        case Apply():
            return expr.head.compute(*(evaluate(a, values) for a in expr.args), **dict(expr.attrs))
    return _evaluate_shaped(expr, values)


def _evaluate_sum(expr: Sum, values: Mapping[str, Array]) -> Any:
    result: Any = None
    for sign, term in expr.terms:
        value = evaluate(term, values)
        value = value if sign > 0 else np.negative(value)
        result = value if result is None else result + value
    return result


def _evaluate_product(expr: Product | Hadamard, values: Mapping[str, Array]) -> Any:
    result: Any = None
    scalar = True
    for factor in expr.factors:
        value = evaluate(factor, values)
        if result is None:
            result, scalar = value, factor.is_scalar
        elif scalar or factor.is_scalar or isinstance(expr, Hadamard):
            result, scalar = result * value, scalar and factor.is_scalar
        else:
            result = result @ value
    return np.negative(result) if expr.negative else result


def _evaluate_shaped(expr: Expr, values: Mapping[str, Array]) -> Any:
    match expr:
        case Transpose():
            return np.transpose(evaluate(expr.operand, values))
        case SumTo():
            return np.sum(evaluate(expr.operand, values), axis=expr.axes).reshape(sizes(expr.dims))
        case Spread():
            inner = np.asarray(evaluate(expr.operand, values))
            if not expr.kept and expr.axis is not None:
                inner = np.expand_dims(inner, expr.axis)
            return np.broadcast_to(inner, sizes(expr.dims))
        case Reshape():
            return np.reshape(evaluate(expr.operand, values), sizes(expr.dims))
    raise TypeError(f"no evaluation for {type(expr).__name__}")


# --- LaTeX -------------------------------------------------------------------------------------------------

_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)
Mark = Callable[[Expr, str], str]


def latex(expr: Expr, mark: Mark | None = None, ones: str = r"\vec{1}") -> str:
    """Return `expr` as LaTeX.

    `mark` is called with every subexpression and its LaTeX, and may wrap it (a colour for the current factor);
    `ones` is how the vector of ones is written.
    """
    return _Latex(mark or (lambda _, text: text), ones).write(expr, _SUM)


def parenthesised(text: str) -> str:
    """Return `text` in parentheses that are as high as it is."""
    tall = r"\frac" in text or r"\left" in text
    return rf"\left({text}\right)" if tall else f"({text})"


class _Latex:
    def __init__(self, mark: Mark, ones: str) -> None:
        self._mark = mark
        self._ones = ones

    def write(self, expr: Expr, level: int) -> str:
        text, own = self._body(expr)
        text = self._mark(expr, text)
        return parenthesised(text) if own < level else text

    def _body(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Const():
                return const_latex(expr), _PRODUCT if expr.value < 0 else _ATOM
            case Name(part=part) if part is not None:
                return self._body(part)
            case Name():
                return expr.text, _ATOM
            case Sum():
                return self._sum(expr), _SUM
            case Product():
                return self._product(expr)
            case Hadamard():
                return self._hadamard(expr)
            case Quotient():
                return self._quotient(expr)
            case Power():
                return self._power(expr), _ATOM
        return self._shaped(expr)

    def _sum(self, expr: Sum) -> str:
        parts = []
        for i, (sign, term) in enumerate(expr.terms):
            text = self.write(term, _HADAMARD)
            parts.append(f"-{text}" if sign < 0 and not i else text if not i else f"{'+-'[sign < 0]} {text}")
        return " ".join(parts)

    def _product(self, expr: Product) -> tuple[str, int]:
        several = len(expr.factors) > 1
        parts = [self.write(f, _PRODUCT if several else _HADAMARD) for f in expr.factors]
        text = _juxtapose(parts)
        # scalars before one matrix need no parentheses inside an elementwise product
        plain = sum(not f.is_scalar for f in expr.factors) <= 1 and not expr.negative
        return (f"-{text}", _SUM) if expr.negative else (text, _PRODUCT if plain else _HADAMARD_MEMBER)

    def _hadamard(self, expr: Hadamard) -> tuple[str, int]:
        text = r" \odot ".join(self._member(f) for f in expr.factors)
        return (f"-{text}", _SUM) if expr.negative else (text, _HADAMARD)

    def _member(self, factor: Expr) -> str:
        text, own = self._body(factor)
        text = self._mark(factor, text)
        return parenthesised(text) if own < _PRODUCT or own == _HADAMARD_MEMBER else text

    def _quotient(self, expr: Quotient) -> tuple[str, int]:
        top, bottom = expr.numerator, expr.denominator
        if top.is_scalar or bottom.is_scalar:
            return rf"\frac{{{self.write(top, _SUM)}}}{{{self.write(bottom, _SUM)}}}", _ATOM
        return rf"{self._member(top)} \oslash {self._member(bottom)}", _HADAMARD

    def _power(self, expr: Power) -> str:
        exponent = self.write(expr.exponent, _SUM)
        circle = r"\odot " if expr.base.dims and exponent != "-1" else ""
        return f"{self._base(expr.base)}^{{{circle}{exponent}}}"

    def _base(self, expr: Expr) -> str:
        text, own = self._body(expr)
        text = self._mark(expr, text)
        bare = own == _ATOM and "^" not in text and r"\frac" not in text
        return text if bare else parenthesised(text)

    def _shaped(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Transpose():
                return rf"{self._base(expr.operand)}^\intercal", _ATOM
            case SumTo():
                return self._summed(expr), _PRODUCT
            case Spread():
                return self._spread(expr), _PRODUCT
            case Reshape():
                return self._body(expr.operand)
            case Apply():
                args = [self.write(a, _SUM) for a in expr.args]
                text = expr.head.write_latex(*args, **dict(expr.attrs))
                return text, _ATOM
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def _summed(self, expr: SumTo) -> str:
        inner = self.write(expr.operand, _PRODUCT)
        axes = copied_axes(expr)
        rank = len(expr.operand.dims)
        if rank - 1 in axes:
            inner = f"{inner}{self._ones}"
        return rf"{self._ones}^\intercal {inner}" if rank > 1 and 0 in axes else inner

    def _spread(self, expr: Spread) -> str:
        inner = "" if _is_one(expr.operand) else self.write(expr.operand, _PRODUCT)
        column, row = self._ones, rf"{self._ones}^\intercal"
        rows = len(expr.dims) > 1 and expr.axis in (None, 0) and expr.dims[0].name != "1"
        columns = expr.axis in (None, len(expr.dims) - 1) and expr.dims[-1].name != "1"
        if expr.operand.is_scalar:  # a scalar stands before the ones
            return _juxtapose(
                [p for p in (inner, column if rows else "", row if columns else "") if p] or ["1"]
            )
        return (column if rows else "") + inner + (row if columns else "")


_HADAMARD_MEMBER = (
    _PRODUCT + 0.5
)  # a product of several matrices: bare in a product, in parentheses beside a \odot


def copied_axes(expr: SumTo) -> tuple[int, ...]:
    """Return the axes that a sum really runs over: an axis that has one entry by definition is not written."""
    axes = tuple(a for a in expr.axes if expr.operand.dims[a].name != "1")
    return axes or expr.axes


def _juxtapose(parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += (r" \cdot " if _touches(text, part) else " ") + part
    return text


def _touches(left: str, right: str) -> bool:
    """Say whether two factors side by side would read as one number: 2 3, or 2 \\frac{1}{m}."""
    return left[-1:].isdigit() and (right[0].isdigit() and not right.startswith(r"\vec"))


def const_latex(const: Const) -> str:
    r"""Return a constant as LaTeX: ``\frac{2}{m}``, ``0.5``, ``3 m``."""
    sign = "-" if const.value < 0 else ""
    top, bottom = _split(abs(const.value), const.decimal)
    over = [(d, e) for d, e in const.powers if e > 0]
    under = [(d, -e) for d, e in const.powers if e < 0]
    numerator = _monomial(top, over, _power_latex)
    if bottom == "1" and not under:
        return sign + numerator
    return rf"{sign}\frac{{{numerator}}}{{{_monomial(bottom, under, _power_latex)}}}"


def _monomial(number: str, powers: Sequence[tuple[Dim, int]], write: Callable[[str, int], str]) -> str:
    symbols = " ".join(write(dim.name, exponent) for dim, exponent in powers)
    return symbols if symbols and number == "1" else f"{number} {symbols}".strip()


def _power_latex(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{{{exponent}}}"


def _split(value: Fraction, decimal: bool) -> tuple[str, str]:
    """Return numerator and denominator as text; a decimal number has the denominator 1."""
    if decimal and value.denominator != 1:
        return _decimal_latex(float(value)), "1"
    limit = 10**9
    if value.denominator == 1 and value.numerator > limit:
        return _decimal_latex(float(value)), "1"
    return str(value.numerator), str(value.denominator)


def _decimal_latex(number: float) -> str:
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    head = "" if mantissa in ("1", "1.0") else rf"{mantissa.removesuffix('.0')} \cdot "
    return rf"{head}10^{{{int(exponent)}}}"


# --- NumPy source ------------------------------------------------------------------------------------------


def source(expr: Expr) -> str:
    """Return `expr` as a NumPy expression over ``np``, ``m``, the stored values, and gradients as ``d_NAME``."""
    return _Source().write(expr, _SUM)


def atom(text: str) -> str:
    """Return source `text` so that an operator can stand beside it."""
    return text if re.fullmatch(r"[\w.]+", text) else f"({text})"


class _Source:
    def write(self, expr: Expr, level: float) -> str:
        text, own = self._body(expr)
        return f"({text})" if own < level else text

    def _body(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Const():
                return _const_source(expr)
            case Name():
                return expr.code, _ATOM
            case Sum():
                return self._sum(expr), _SUM
            case Product() | Hadamard():
                return self._product(expr), _SUM if expr.negative else _PRODUCT
            case Quotient():
                top, bottom = self.write(expr.numerator, _PRODUCT), self.write(expr.denominator, _ATOM)
                return f"{top} / {bottom}", _PRODUCT
            case Power():
                base, exponent = self.write(expr.base, _ATOM), self.write(expr.exponent, _ATOM)
                return f"{base}**{exponent}", _POWER
            case Apply():
                args = [self.write(a, _SUM) for a in expr.args]
                text = expr.head.write_source(*args, **dict(expr.attrs))
                return text, _level(text)
        return self._shaped(expr)

    def _sum(self, expr: Sum) -> str:
        text = ""
        for sign, term in expr.terms:
            part = self.write(term, _PRODUCT)
            text += (f" {'+-'[sign < 0]} " if text else "-" * (sign < 0)) + part
        return text

    def _product(self, expr: Product | Hadamard) -> str:
        text = "-" if expr.negative else ""
        scalar = True
        for i, factor in enumerate(expr.factors):
            part = self._factor(factor, expr, first=not i)
            matrices = isinstance(expr, Product) and not scalar and not factor.is_scalar
            text += part if not i else f" @ {part}" if matrices else f" * {part}"
            scalar = scalar and factor.is_scalar
        return text

    def _factor(self, factor: Expr, whole: Product | Hadamard, first: bool) -> str:
        # NumPy copies a spread operand by itself where the other operand has the full shape
        if isinstance(whole, Hadamard) and isinstance(factor, Spread):
            others = [f for f in whole.factors if not isinstance(f, Spread) and f.dims == whole.dims]
            if others:
                return self._unspread(factor)
        return self.write(factor, _PRODUCT if first else _POWER)

    def _unspread(self, expr: Spread) -> str:
        if expr.kept or expr.axis is None:
            return self.write(expr.operand, _POWER)
        return f"np.expand_dims({self.write(expr.operand, _SUM)}, {expr.axis})"

    def _shaped(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Transpose():
                return f"{self.write(expr.operand, _ATOM)}.T", _ATOM
            case SumTo():
                return self._summed(expr), _ATOM
            case Spread():
                ones = ", ".join(_size_source(dim) for dim in expr.dims)
                comma = "," if len(expr.dims) == 1 else ""
                return f"{self._unspread(expr)} * np.ones(({ones}{comma}))", _PRODUCT
            case Reshape():
                inner = self.write(expr.operand, _SUM)
                return (
                    f"np.squeeze({inner})" if not expr.dims else f"np.reshape({inner}, {sizes(expr.dims)})"
                ), _ATOM
        raise TypeError(f"no source for {type(expr).__name__}")

    def _summed(self, expr: SumTo) -> str:
        inner = self.write(expr.operand, _SUM)
        if not expr.dims:
            return f"np.sum({inner})"
        rank = len(expr.operand.dims)
        axes = str(expr.axes[0]) if len(expr.axes) == 1 else str(expr.axes)
        if len(expr.dims) == rank:
            return f"np.sum({inner}, axis={axes}, keepdims=True)"
        kept = reduced_to(expr.operand.dims, expr.axes)
        text = f"np.sum({inner}, axis={axes})"
        return text if len(kept) == len(expr.dims) else f"{text}.reshape({sizes(expr.dims)})"


_POWER = _PRODUCT + 0.5


def reduced_to(dims: Dims, axes: Sequence[int]) -> Dims:
    """Return `dims` without `axes`."""
    for axis in sorted(axes, reverse=True):
        dims = reduced(dims, axis, keepdims=False)
    return dims


def _level(text: str) -> float:
    """Return how tightly source `text` binds: its loosest operator outside parentheses."""
    depth, level = 0, float(_ATOM)
    for i, char in enumerate(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if depth or char not in "+-*/@<>=":
            continue
        level = min(level, _SUM if char in "+-<>=" and not _is_exponent(text, i) else _PRODUCT)
    return level


def _is_exponent(text: str, i: int) -> bool:
    """Say whether the sign at `i` belongs to a number such as 1e-05."""
    return bool(re.search(r"\d[eE]$", text[:i]))


def _const_source(const: Const) -> tuple[str, float]:
    value = abs(const.value)
    parts = [_number_source(value.numerator, const, value)]
    divisors = [] if const.decimal or value.denominator == 1 else [str(value.denominator)]
    for dim, exponent in const.powers:
        target = parts if exponent > 0 else divisors
        target.extend([_size_source(dim)] * abs(exponent))
    numbers = parts[1:] if parts[0] == "1" and len(parts) > 1 else parts
    text = " * ".join(numbers) + "".join(f" / {d}" for d in divisors)
    single = len(numbers) == 1 and not divisors
    if const.value < 0:
        return f"-{text}", _SUM
    return text, _ATOM if single else _PRODUCT


def _number_source(numerator: int, const: Const, value: Fraction) -> str:
    return repr(float(value)) if const.decimal or numerator > 2**53 else str(numerator)


def _size_source(dim: Dim) -> str:
    return "m" if dim.examples and dim.name == "m" else str(dim.size)
