r"""Expressions in symbols: what a formula says, and what the chain rule makes of it.

An operation's rules are written once, with NumPy's own operators: ``lambda x, out: out * (1 - out)``. Given
arrays they compute; given :class:`Expr` objects they build the expression that is printed, as LaTeX or as
NumPy source (:mod:`engine.notation`). So the equation on the screen and the number beside it
cannot disagree.

The constructors keep expressions as a mathematician writes them: a product stays in its order, constants side
by side combine (``1/m`` and ``2`` give ``2/m``), a factor of one vanishes, signs move to the front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from engine.shapes import UNIT, Dim, Dims, broadcast, matmul, sizes

__all__ = [
    "ONE",
    "Const",
    "Expr",
    "Head",
    "Name",
    "count",
    "evaluate",
    "is_zero",
    "lift",
    "spread",
    "sum_to",
    "uses",
]

Array = np.ndarray
# Bounded time for any input: beyond these, exact constants are kept as floats, and powers are not worked out.
_BITS = 256
_LARGEST_EXPONENT = 64


class Head(Protocol):
    """What a function application prints and computes with: an Op, or a helper such as ``sign``."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def compute(self) -> Callable[..., Any]:
        """Its value for arrays."""
        ...

    @property
    def infix(self) -> bool:
        """Whether its LaTeX is an operator between its arguments, which then may need parentheses."""
        ...

    @property
    def torch(self) -> Callable[..., str] | None:
        """Its PyTorch source, from that of its arguments; None for what only derivatives need."""
        ...

    def write_latex(self, *args: str, **attrs: Any) -> str:
        """Return its LaTeX, given that of its arguments."""
        ...

    def write_source(self, *args: str, **attrs: Any) -> str:
        """Return its NumPy source, given that of its arguments."""
        ...


class Expr:
    """A node of an expression, immutable: `dims` is its shape, `weight` the number of its symbols."""

    dims: Dims
    weight: int
    __array_ufunc__ = None  # NumPy scalars defer to the reflected operators below

    @property
    def T(self) -> Expr:  # noqa: N802  (NumPy's name)
        """The transpose."""
        return transpose(self)

    @property
    def is_scalar(self) -> bool:
        """Whether it has no axes."""
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
    """A constant: an exact number times powers of dimensions, such as 2/m.

    `decimal` keeps 0.5 from becoming 1/2.
    """

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
        found = _float(result)
        return float("inf" if self.value > 0 else "-inf") if found is None else found


@dataclass(frozen=True)
class Name(Expr):
    """A value that has been stored: a named line, an input, a parameter, or a gradient (`kind` "gradient").

    An unnamed part of a line that was stored (primitive detail) prints as `part`, the expression it stands
    for.
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
    """Scalars and matrices in the order in which they are written; matrices multiply as with ``@``."""

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
        folded = _const(total, (), any(t.decimal for _, t in constants if isinstance(t, Const)))
        if folded is not None:
            return folded
    if len(flat) == 1:
        return flat[0][1] if flat[0][0] > 0 else negate(flat[0][1])
    return Sum(tuple(flat), dims, _weight(t for _, t in flat))


def _signed_terms(expr: Expr) -> Sequence[tuple[int, Expr]]:
    if isinstance(expr, Sum):
        return expr.terms
    return [(-1, negate(expr))] if _is_negative(expr) else [(1, expr)]


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
    if isinstance(expr, Spread | Reshape):
        return replace(expr, operand=negate(expr.operand))
    return _product((expr,), expr.dims, True)


def multiply(a: Expr, b: Expr) -> Expr:
    r"""Return the elementwise product: a product with a scalar, or ``a \odot b``."""
    dims = broadcast(a.dims, b.dims)
    if is_one(a) and b.dims == dims:
        return b
    if is_one(b) and a.dims == dims:
        return a
    for number, other in ((a, b), (b, a)):
        if isinstance(number, Spread) and number.operand.is_scalar:
            spared = _without_ones(number, other, dims)
            if spared is not None:
                return spared
    if a.is_scalar or b.is_scalar:
        return _join(a, b, dims)
    factors = _hadamard_factors(a) + _hadamard_factors(b)
    return Hadamard(factors, dims, _weight(factors), _is_negative(a) != _is_negative(b))


def _without_ones(number: Spread, other: Expr, dims: Dims) -> Expr | None:
    """Return ``number * other`` for a scalar copied everywhere: `other` times it, in the full shape."""
    if other.is_scalar:
        return spread(multiply(other, number.operand), dims)
    product = multiply(number.operand, other)
    if product.dims == dims:
        return product
    missing = len(dims) - len(other.dims)
    if missing == 1 and other.dims == dims[1:]:
        return spread(product, dims, 0, kept=False)
    copied = [i for i, dim in enumerate(dims) if not missing and other.dims[i] != dim]
    return spread(product, dims, copied[0]) if len(copied) == 1 else None


def _hadamard_factors(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Hadamard):
        return expr.factors
    return (negate(expr) if _is_negative(expr) else expr,)


def _is_negative(expr: Expr) -> bool:
    while isinstance(expr, Spread | Reshape):
        expr = expr.operand
    return (
        expr.value < 0 if isinstance(expr, Const) else isinstance(expr, Product | Hadamard) and expr.negative
    )


def _join(a: Expr, b: Expr, dims: Dims) -> Expr:
    """Return the product of `a` and `b`, at least one of them a scalar, written side by side."""
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
        return (negate(expr) if expr.negative else expr,) if is_vector_product(expr) else expr.factors
    return (negate(expr) if _is_negative(expr) else expr,)


def is_vector_product(expr: Product) -> bool:
    """Say whether a vector is multiplied in `expr`: not associative, such products stay together."""
    tensors = [f for f in expr.factors if not f.is_scalar]
    return len(tensors) > 1 and any(len(f.dims) == 1 for f in tensors)


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
    kept = [f for f in kept if not is_one(f)] or [ONE]
    if len(kept) == 1 and kept[0].dims == dims:
        return _signed(kept[0], dims, negative)
    return Product(tuple(kept), dims, _weight(kept), negative)


def _constant_before(kept: Sequence[Expr]) -> int | None:
    """Return the place of the constant among the scalars that end `kept`: only scalars commute."""
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


def _const(value: Fraction, powers: tuple[tuple[Dim, int], ...], decimal: bool) -> Const | None:
    """Return a folded constant, None where no float or no short product of dimensions holds it."""
    if any(abs(exponent) > _LARGEST_EXPONENT for _, exponent in powers):
        return None
    if value.numerator.bit_length() > _BITS or value.denominator.bit_length() > _BITS:
        rounded = _float(value)
        if rounded is None:
            return None
        value, decimal = Fraction(repr(rounded)), True
    return Const(value, powers, decimal)


def _float(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def is_one(expr: Expr) -> bool:
    """Say whether `expr` is the constant 1."""
    return isinstance(expr, Const) and expr.value == 1 and not expr.powers


def divide(a: Expr, b: Expr) -> Expr:
    """Return the elementwise quotient; a quotient of constants stays exact."""
    dims = broadcast(a.dims, b.dims)
    if is_one(b):
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
    if _is_negative(b):
        return negate(divide(a, negate(b)))
    return Quotient(a, b, dims, a.weight + b.weight)


def power(base: Expr, exponent: Expr) -> Expr:
    """Return ``base ** exponent`` elementwise."""
    dims = broadcast(base.dims, exponent.dims)
    if is_one(exponent):
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
    if exponent.value.denominator != 1 or abs(exponent.value) > _LARGEST_EXPONENT or base.value == 0:
        return None
    n = int(exponent.value)
    return _const(base.value**n, tuple((d, e * n) for d, e in base.powers), base.decimal)


def dot(a: Expr, b: Expr) -> Expr:
    """Return the matrix product ``a @ b``, flattened: products are associative."""
    dims = matmul(a.dims, b.dims)
    if len(a.dims) < 2 or len(b.dims) < 2:  # with vectors, the order of the products matters
        factors = tuple(negate(f) if _is_negative(f) else f for f in (a, b))
        return Product(factors, dims, a.weight + b.weight, _is_negative(a) != _is_negative(b))
    for number, other in ((a, b), (b, a)):
        if isinstance(number, Spread) and number.operand.is_scalar and number.dims == (UNIT, UNIT):
            return multiply(number.operand, other)
    return _product(_factors(a) + _factors(b), dims, _is_negative(a) != _is_negative(b))


def transpose(expr: Expr) -> Expr:
    """Return the transpose; of a scalar or a vector, the expression itself."""
    if len(expr.dims) < 2:
        return expr
    if isinstance(expr, Transpose):
        return expr.operand
    if _is_negative(expr):
        return negate(transpose(negate(expr)))
    if isinstance(expr, Spread):
        axis = None if expr.axis is None else 1 - expr.axis
        return Spread(transpose(expr.operand), axis, expr.kept, expr.dims[::-1], expr.weight)
    return Transpose(expr, expr.dims[::-1], expr.weight)


def sum_to(expr: Expr, axes: tuple[int, ...], dims: Dims) -> Expr:
    """Return `expr` summed over `axes` and shaped as `dims`."""
    if not axes:
        return expr
    if _is_negative(expr):
        return negate(sum_to(negate(expr), axes, dims))
    return SumTo(expr, axes, dims, expr.weight + 1)


def spread(expr: Expr, dims: Dims, axis: int | None = None, kept: bool = True) -> Expr:
    """Return `expr` copied to shape `dims` along `axis`.

    `kept` says that `expr` still has that axis, with size 1.
    """
    if expr.dims == dims:
        return expr
    if isinstance(expr, Spread) and expr.operand.is_scalar:
        return Spread(expr.operand, None, True, dims, expr.weight)
    axis = None if axis is None else axis % len(dims)
    return Spread(expr, axis, kept, dims, expr.weight + 1)


def reshape(expr: Expr, dims: Dims) -> Expr:
    """Return a one-entry expression in another shape."""
    return expr if sizes(expr.dims) == sizes(dims) else Reshape(expr, dims, expr.weight)


def apply(head: Head, args: Sequence[Expr], dims: Dims, **attrs: Any) -> Expr:
    """Return the application of a function to `args`."""
    return Apply(head, tuple(args), tuple(sorted(attrs.items())), dims, _weight(args) + 1)


def count(x: Any, axis: int | None = None) -> Any:
    """Return how many entries a reduction over `axis` takes in: a number, or a symbol such as m."""
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


def _weight(parts: Iterable[Expr]) -> int:
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


def is_zero(expr: Any) -> bool:
    """Say whether `expr` is the number zero."""
    found = lift(expr) if isinstance(expr, int | float) else expr
    return isinstance(found, Const) and not found.value


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
