"""What a plan computes, before it is laid out in memory: a graph of values, each made once.

A :class:`Value` is one array that a plan may have to compute; equal ones are the same object, so that nothing
is computed twice. Every operation of the language and every factor of the chain rule comes down to a few
kinds. What is linear carries its constant factor outside, in a :class:`Term`: ``2/m``, minus signs and the
like travel to where they cost least, or meet and combine, before anything is computed.

Values that are made of data and numbers alone are *fixed*: they are worked out once, not at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import count
from math import isfinite, prod
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Builder", "Shape", "Term", "Value", "reached", "rebuilt", "users"]

Shape = tuple[int, ...]
FLATTENED = 6  # sums of sums are written as one up to so many terms
OPENED = 8  # products of products likewise: without a bound, a chain of n lines would take n squared factors
DISTRIBUTED = 4  # products are multiplied out up to so many terms


class Value:
    """One array; compared by identity.

    Attributes
    ----------
    kind
        ``leaf`` (name, role), ``ones``, ``lin`` (a sum with coefficients), ``prod`` (with integer exponents),
        ``dot`` (matrix product), ``vdot`` (sum of the entrywise product), ``sum``, ``max``, ``min`` (over an
        axis), ``fn`` (entry by entry, by name), ``call`` (any function of arrays), ``stack`` (rows under
        rows), ``pad`` (a last row and column under and beside), and the views ``t``, ``reshape``, ``spread``,
        ``rows``.
    fixed
        Whether it is made of data and numbers alone.
    examples
        The axis along which a fixed value holds an example at each place; None where it does not depend on
        the examples, -1 where it mixes them.
    """

    __slots__ = ("args", "attrs", "examples", "fixed", "index", "kind", "shape")

    def __init__(
        self, index: int, kind: str, args: tuple[Value, ...], attrs: tuple[Any, ...], shape: Shape
    ) -> None:
        self.index = index
        self.kind = kind
        self.args = args
        self.attrs = attrs
        self.shape = shape
        self.fixed = all(arg.fixed for arg in args)
        self.examples: int | None = None

    @property
    def size(self) -> int:
        """The number of entries."""
        return prod(self.shape)

    def __repr__(self) -> str:
        inside = ", ".join([*(f"#{arg.index}" for arg in self.args), *map(repr, self.attrs)])
        return f"#{self.index} = {self.kind}({inside}) {self.shape}"


class Term(NamedTuple):
    """A number times a value."""

    scale: float
    value: Value

    @property
    def shape(self) -> Shape:
        """The shape of the value."""
        return self.value.shape

    def times(self, number: float) -> Term:
        """Return `number` times this term."""
        return Term(self.scale * number, self.value)


class Builder:
    """Makes values, each once, in the plainest form that it sees.

    While `kept` holds values, products and sums are not merged into those that contain them: they are needed
    in full.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Value] = {}
        self._indices = count()
        self.kept: set[Value] = set()
        self.merging = False

    # --- leaves ---

    def leaf(self, name: str, shape: Shape, role: str, examples: int | None = None) -> Value:
        """Return an input (`role` "data"), a parameter or another named array."""
        value = self._value("leaf", (), (name, role), shape)
        value.fixed = role == "data"
        value.examples = examples
        return value

    def ones(self, shape: Shape = ()) -> Value:
        """Return an array of ones."""
        return self._value("ones", (), (), shape)

    def number(self, number: float, shape: Shape = ()) -> Term:
        """Return a constant."""
        return Term(float(number), self.ones(shape))

    # --- entry by entry ---

    def add(self, *terms: Term) -> Term:
        """Return the sum, broadcast; sums inside it are opened where that saves work."""
        shape = np.broadcast_shapes(*(t.shape for t in terms))
        found: dict[Value, float] = {}
        for scale, value in self._opened(terms, shape):
            found[value] = found.get(value, 0.0) + scale
        kept = [Term(c, v) for v, c in found.items() if c != 0.0]
        if not kept:
            return self.number(0.0, shape)
        first = kept[0].scale
        if len(kept) == 1:
            return self.spread(kept[0], shape)
        if not isfinite(first) or not all(isfinite(t.scale / first) for t in kept):
            first = 1.0
        coefficients = tuple(t.scale / first for t in kept)
        inner = np.broadcast_shapes(*(t.shape for t in kept))
        value = self._value("lin", tuple(t.value for t in kept), coefficients, inner)
        return self.spread(Term(first, value), shape)

    def _opened(self, terms: Sequence[Term], shape: Shape) -> Iterable[Term]:
        """Yield the terms of a sum, inner sums opened; constants as numbers, which broadcast."""
        room = FLATTENED - len(terms)
        for scale, value in terms:
            if value.kind == "spread":
                value = value.args[0]  # a sum broadcasts by itself
            if value.kind == "ones" and value.shape and len(terms) > 1:
                yield Term(scale, self.ones())
            elif (
                self.merging
                and value.kind == "lin"
                and value not in self.kept
                and value.shape == shape
                and len(value.args) - 1 <= room
            ):
                room -= len(value.args) - 1
                yield from (Term(scale * c, v) for c, v in zip(value.attrs, value.args, strict=True))
            else:
                yield Term(scale, value)

    def mul(self, *terms: Term) -> Term:
        """Return the product entry by entry, broadcast; equal factors become powers."""
        shape = np.broadcast_shapes(*(t.shape for t in terms))
        scale, powers = 1.0, {}
        for term in terms:
            scale *= term.scale
            self._multiply_in(powers, term.value, 1)
        if any(term.scale == 0.0 for term in terms):
            return self.number(0.0, shape)
        if self.merging:
            found = self._multiplied_out(powers)
            if found is not None:
                return self.spread(found.times(scale), shape)
        return self.spread(self.product(powers).times(scale), shape)

    def invert(self, term: Term) -> Term:
        """Return one over a term."""
        powers: dict[Value, int] = {}
        self._multiply_in(powers, term.value, -1)
        return self.spread(self.product(powers).times(_power(term.scale, -1)), term.shape)

    def power(self, term: Term, exponent: int) -> Term:
        """Return a power with a small whole exponent, not 0."""
        powers: dict[Value, int] = {}
        self._multiply_in(powers, term.value, exponent)
        return self.spread(self.product(powers).times(_power(term.scale, exponent)), term.shape)

    def _multiply_in(self, powers: dict[Value, int], value: Value, exponent: int) -> None:
        if value.kind == "ones":
            return
        if value.kind == "spread":
            return self._multiply_in(powers, value.args[0], exponent)
        opens = value.kind == "prod" and self.merging and value not in self.kept
        if opens and len(powers) + len(value.args) <= OPENED:
            for arg, inner in zip(value.args, value.attrs, strict=True):
                powers[arg] = powers.get(arg, 0) + inner * exponent
        else:
            powers[value] = powers.get(value, 0) + exponent
        return None

    def product(self, powers: Mapping[Value, int]) -> Term:
        """Return a product of powers."""
        kept = {v: p for v, p in powers.items() if p}
        if not kept:
            return self.number(1.0)
        if list(kept.values()) == [1]:
            return Term(1.0, next(iter(kept)))
        shape = np.broadcast_shapes(*(v.shape for v in kept))
        return Term(1.0, self._value("prod", tuple(kept), tuple(kept.values()), shape))

    def _multiplied_out(self, powers: Mapping[Value, int]) -> Term | None:
        """Return a product with a sum whose quotients the other factors cancel, multiplied out; or None.

        So ``(y/a - (1-y)/(1-a)) * a * (1-a)`` becomes ``y - a``, as one would on paper.
        """
        for value, exponent in powers.items():
            if exponent == 1 and value.kind == "lin" and value not in self.kept:
                others = {v: p for v, p in powers.items() if v is not value}
                if all(_cancels(term, others) for term in value.args):
                    return self._polynomial(value, others)
        return None

    def _polynomial(self, total: Value, others: Mapping[Value, int]) -> Term | None:
        monomials: dict[frozenset[tuple[Value, int]], float] = {}
        for scale, value in zip(total.attrs, total.args, strict=True):
            powers = dict(others)
            self._multiply_in(powers, value, 1)
            _expand(monomials, scale, {v: p for v, p in powers.items() if p})
        kept = {key: c for key, c in monomials.items() if c != 0.0}
        if len(kept) > DISTRIBUTED or any(p < 0 for key in kept for _, p in key):
            return None
        return self.add(*(self.product(dict(key)).times(c) for key, c in kept.items())) if kept else None

    def fn(self, name: str, *terms: Term) -> Term:
        """Return a function of one or two arrays, entry by entry."""
        args = tuple(self.realised(t) for t in terms)
        shape = np.broadcast_shapes(*(a.shape for a in args))
        return Term(1.0, self._value("fn", args, (name,), shape))

    def call(self, compute: Callable[..., Any], attrs: tuple[Any, ...], shape: Shape, *terms: Term) -> Term:
        """Return any function of arrays, with keywords as pairs."""
        args = tuple(self.realised(t) for t in terms)
        return Term(1.0, self._value("call", args, (compute, attrs), shape))

    def realised(self, term: Term) -> Value:
        """Return a term as one value; the number goes into something fixed where there is any."""
        scale, value = term
        if scale == 1.0:
            return value
        if value.kind == "dot" and not value.fixed:
            left, right = value.args
            if right.fixed and right.size <= FOLDED:
                return self._dot(left, self.realised(Term(scale, right)))
            if left.fixed and left.size <= FOLDED:
                return self._dot(self.realised(Term(scale, left)), right)
        if value.kind in ("t", "spread"):
            inner = self.realised(Term(scale, value.args[0]))
            return self._value(value.kind, (inner,), value.attrs, value.shape)
        return self._value("lin", (value,), (scale,), value.shape)

    # --- products and sums ---

    def dot(self, a: Term, b: Term) -> Term:
        """Return the product ``a @ b`` of matrices and vectors."""
        shape = _dot_shape(a.shape, b.shape)
        scale = a.scale * b.scale
        if scale == 0.0:
            return self.number(0.0, shape)
        left, right = a.value, b.value
        if len(left.shape) == len(right.shape) == 2:
            if left.kind == "spread" or right.kind == "spread":
                return self._dot_of_copies(left, right).times(scale)
            if left.shape == (1, 1) or right.shape == (1, 1):
                return self.mul(Term(scale, left), Term(1.0, right))
        return Term(scale, self._dot(left, right))

    def _dot_of_copies(self, left: Value, right: Value) -> Term:
        """Return a product with rows or columns that are copies of one, worked out for one alone."""
        shape, n = _dot_shape(left.shape, right.shape), left.shape[1]
        if left.kind == "spread":
            inner, whole = self._matrix(left.args[0]), Term(1.0, right)
            if inner.shape[1] == 1 and n > 1:  # equal columns
                whole, inner = (
                    self.dot(self.number(1, (1, n)), whole),
                    self.spread(inner, (inner.shape[0], 1)),
                )
            return self.spread(self.dot(inner, whole), shape)
        inner, whole = self._matrix(right.args[0]), Term(1.0, left)
        if inner.shape[0] == 1 and n > 1:  # equal rows
            whole, inner = self.dot(whole, self.number(1, (n, 1))), self.spread(inner, (1, inner.shape[1]))
        return self.spread(self.dot(whole, inner), shape)

    def _matrix(self, value: Value) -> Term:
        return self.reshape(Term(1.0, value), (1,) * (2 - len(value.shape)) + value.shape)

    def _dot(self, left: Value, right: Value) -> Value:
        return self._value("dot", (left, right), (), _dot_shape(left.shape, right.shape))

    def vdot(self, a: Term, b: Term) -> Term:
        """Return the sum of the entrywise product of two arrays of one shape."""
        scale = a.scale * b.scale
        return Term(scale, self._value("vdot", (a.value, b.value), (), ()))

    def total(self, term: Term) -> Term:
        """Return the sum of all entries, as a scalar."""
        scale, value = term
        if value.size == 1:
            return self.reshape(term, ())
        if value.kind == "ones":
            return self.number(scale * value.size)
        if value.kind == "spread":
            inner = value.args[0]
            return self.total(Term(scale * value.size / inner.size, inner))
        return Term(scale, self._value("total", (value,), (), ()))

    def reduce(self, how: str, term: Term, axis: int, keepdims: bool) -> Term:
        """Return the sum, the largest or the smallest over an axis."""
        axis %= len(term.shape)
        shape = list(term.shape)
        shape[axis : axis + 1] = [1] if keepdims else []
        if how != "sum":
            value = self.realised(term)
            return Term(1.0, self._value(how, (value,), (axis, keepdims), tuple(shape)))
        if term.shape[axis] == 1:
            return self.reshape(term, tuple(shape))
        if len(term.shape) == 2:  # a product with ones: faster, and part of a chain of products
            n, m = term.shape
            product = (
                self.dot(term, self.number(1, (m, 1))) if axis else self.dot(self.number(1, (1, n)), term)
            )
            return self.reshape(product, tuple(shape))
        value = self._value("sum", (term.value,), (axis, keepdims), tuple(shape))
        return Term(term.scale, value)

    def pad(self, value: Value, last: float) -> Value:
        """Return a row with one more entry, a number."""
        return self._value("pad", (value,), (last,), (1, value.shape[1] + 1))

    def rows(self, value: Value, start: int, stop: int) -> Value:
        """Return some rows of a matrix."""
        return self._value("rows", (value,), (start, stop), (stop - start, value.shape[1]))

    # --- views ---

    def t(self, term: Term) -> Term:
        """Return the transpose."""
        scale, value = term
        if len(value.shape) < 2:
            return term
        shape = value.shape[::-1]
        if value.kind == "t":
            return Term(scale, value.args[0])
        if value.kind == "ones":
            return self.number(scale, shape)
        if value.kind == "dot":  # a product's transpose is the product of the transposes, in the other order
            left, right = value.args
            if left.kind == "t" or right.kind == "t":
                swapped = self._dot(self.t(Term(1.0, right)).value, self.t(Term(1.0, left)).value)
                return Term(scale, swapped)
        return Term(scale, self._value("t", (value,), (), shape))

    def reshape(self, term: Term, shape: Shape) -> Term:
        """Return the same entries in another shape."""
        scale, value = term
        if value.shape == shape:
            return term
        if value.kind == "ones":
            return self.number(scale, shape)
        if value.kind == "reshape":
            return self.reshape(Term(scale, value.args[0]), shape)
        if value.kind == "t" and value.size == max(value.shape):
            value = value.args[0]
            return self.reshape(Term(scale, value), shape)
        return Term(scale, self._value("reshape", (value,), (), shape))

    def spread(self, term: Term, shape: Shape) -> Term:
        """Return a term broadcast to a shape."""
        scale, value = term
        if value.shape == shape:
            return term
        if value.kind == "ones":
            return self.number(scale, shape)
        if value.kind == "spread":
            value = value.args[0]
        return Term(scale, self._value("spread", (value,), (), shape))

    def stack(self, parts: Sequence[Value]) -> Value:
        """Return matrices under one another."""
        if len(parts) == 1:
            return parts[0]
        shape = (sum(p.shape[0] for p in parts), parts[0].shape[1])
        return self._value("stack", tuple(parts), (), shape)

    def remade(self, value: Value, args: Sequence[Term]) -> Term:
        """Return the value with other arguments, in its plainest form."""
        kind, attrs = value.kind, value.attrs
        if kind in ("leaf", "ones"):
            return Term(1.0, value)
        if kind == "lin":
            terms = [a.times(c) for a, c in zip(args, attrs, strict=True)]
            return self.spread(self.add(*terms), value.shape)
        if kind == "prod":
            return self._remade_product(value, args)
        if kind in ("reshape", "spread"):
            return getattr(self, kind)(args[0], value.shape)
        if kind in ("max", "min", "sum"):
            return self.reduce(kind, args[0], *attrs)
        if kind == "fn":
            return self.fn(attrs[0], *args)
        if kind == "call":
            return self.call(attrs[0], attrs[1], value.shape, *args)
        if kind == "stack":
            return Term(1.0, self.stack([self.realised(a) for a in args]))
        if kind in ("pad", "rows"):
            return Term(1.0, getattr(self, kind)(self.realised(args[0]), *attrs))
        return getattr(self, kind)(*args)  # dot, vdot, total, t

    def _remade_product(self, value: Value, args: Sequence[Term]) -> Term:
        scale, powers = 1.0, {}
        for term, exponent in zip(args, value.attrs, strict=True):
            scale *= _power(term.scale, exponent)
            self._multiply_in(powers, term.value, exponent)
        return self.spread(self.product(powers).times(scale), value.shape)

    def _value(self, kind: str, args: tuple[Value, ...], attrs: tuple[Any, ...], shape: Shape) -> Value:
        key = (kind, *(a.index for a in args), None, *attrs, shape)
        found = self._made.get(key)
        if found is None:
            found = Value(next(self._indices), kind, args, attrs, shape)
            if found.fixed and args:
                found.examples = _examples_axis(found)
            self._made[key] = found
        return found


FOLDED = 1 << 15  # entries of a fixed array that a constant factor is multiplied into, for the copy it takes


def _dot_shape(a: Shape, b: Shape) -> Shape:
    return (*a[:-1], *(b[-1:] if len(b) > 1 else ()))


def _power(scale: float, exponent: int) -> float:
    return scale**exponent if scale or exponent > 0 else float("inf")


def _cancels(term: Value, others: Mapping[Value, int]) -> bool:
    if term.kind != "prod":
        return False
    falling = [v for v, p in zip(term.args, term.attrs, strict=True) if p < 0]
    return bool(falling) and all(others.get(v, 0) > 0 for v in falling)


def _expand(
    monomials: dict[frozenset[tuple[Value, int]], float], scale: float, powers: dict[Value, int]
) -> None:
    """Add ``scale`` times a product to a polynomial, its sums of two terms multiplied out."""
    total = next((v for v, p in powers.items() if p == 1 and v.kind == "lin" and len(v.args) == 2), None)
    if total is None:
        key = frozenset(powers.items())
        monomials[key] = monomials.get(key, 0.0) + scale
        return
    rest = {v: p for v, p in powers.items() if v is not total}
    for coefficient, value in zip(total.attrs, total.args, strict=True):
        grown = dict(rest)
        if value.kind != "ones":
            grown[value] = grown.get(value, 0) + 1
        _expand(monomials, scale * coefficient, grown)


def _examples_axis(value: Value) -> int | None:
    """Return the axis of a fixed value along which its examples lie: None without any, -1 where they mix."""
    axes = set()
    for arg in value.args:
        if arg.examples is not None:
            if value.kind in ("lin", "prod", "fn", "spread"):
                lead = len(value.shape) - len(arg.shape)
                axes.add(arg.examples + lead if arg.examples >= 0 else -1)
            elif value.kind == "t":
                axes.add(1 - arg.examples if arg.examples >= 0 else -1)
            else:
                axes.add(1 if value.kind == "stack" and arg.examples == 1 else -1)
    if not axes:
        return None
    return axes.pop() if len(axes) == 1 else -1


# --- walking -----------------------------------------------------------------------------------------------


def reached(outputs: Iterable[Value], given: Container[Value] = ()) -> list[Value]:
    """Return every value that `outputs` need, each after its arguments; not what only `given` ones need."""
    found: dict[int, Value] = {}
    stack = list(outputs)
    while stack:
        value = stack.pop()
        if value.index not in found:
            found[value.index] = value
            if value not in given:
                stack.extend(value.args)
    # a value is made after its arguments, so its index is larger
    return [found[index] for index in sorted(found)]


def users(outputs: Sequence[Value]) -> dict[Value, list[Value]]:
    """Return, for every value that `outputs` need, the values that read it; once for each time."""
    found: dict[Value, list[Value]] = {}
    for value in reached(outputs):
        found.setdefault(value, [])
        for arg in value.args:
            found[arg].append(value)
    return found


Rule = Callable[[Value, Sequence[Term]], Term | None]


def rebuilt(
    builder: Builder,
    outputs: Sequence[Term],
    instead: Mapping[Value, Term] | None = None,
    rule: Rule = lambda value, args: None,
) -> list[Term]:
    """Return `outputs` with every value made again, its arguments first.

    Parameters
    ----------
    instead
        What some values are to be replaced with; that is made again as well.
    rule
        From a value and its new arguments to what it becomes; None for its plain form.
    """
    instead = instead or {}
    made: dict[Value, Term] = {}
    entered: set[Value] = set()
    stack = [term.value for term in outputs]
    while stack:
        value = stack[-1]
        other = instead.get(value)
        needed = value.args if other is None else (other.value,)
        missing = [arg for arg in needed if arg not in made]
        if missing:
            if value in entered:
                raise RuntimeError(f"{value} would be made of itself")
            entered.add(value)
            stack += missing
            continue
        stack.pop()
        if value in made:
            continue
        if other is not None:
            made[value] = made[other.value].times(other.scale)
            continue
        args = [made[arg] for arg in value.args]
        found = rule(value, args)
        if found is None:
            same = all(term == (1.0, arg) for term, arg in zip(args, value.args, strict=True))
            found = Term(1.0, value) if same else builder.remade(value, args)
        made[value] = found
    return [made[term.value].times(term.scale) for term in outputs]
