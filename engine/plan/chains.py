"""Chains of products, multiplied in the cheapest order.

``w2 @ (W1 @ X)`` over many examples costs far more than ``(w2 @ W1) @ X``. With the biases of both layers the
same holds for ``[w2 b2] @ [[W1 b1], [0 1]] @ [X; 1]``: a *closed* block ends in a row that hands the row of
ones on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.plan.affine import Affine
from engine.plan.values import Builder, Term, Value, reached, rebuilt, users

__all__ = ["closable", "closed", "reassociated"]

CALL = 300.0  # what a product costs, in nanoseconds, however small it is
SPEED = 10.0  # multiplications a nanosecond
LONGEST = 8


def closable(outputs: Sequence[Term], affine_maps: Sequence[Affine]) -> list[Affine]:
    """Return the affine maps that only feed products: with ones under them, they are products too."""
    reading = users([term.value for term in outputs])
    found = []
    for affine in affine_maps:
        value = next((v for v in reading if _is_product_of(v, affine)), None)
        if value is not None and _ends_in_ones(value.args[1]):
            stacks = reading[value]
            if stacks and all(_is_closable(s, reading) for s in stacks):
                found.append(affine)
    return found


def _is_product_of(value: Value, affine: Affine) -> bool:
    return value.kind == "dot" and value.args[0].attrs == (affine.block.name, "block")


def _ends_in_ones(value: Value) -> bool:
    return value.kind == "stack" and value.args[-1].kind == "ones"


def _is_closable(stack: Value, reading: Mapping[Value, Sequence[Value]]) -> bool:
    """Say whether a stack is a map with ones under it, and read by products alone."""
    return (
        stack.kind == "stack"
        and _ends_in_ones(stack)
        and len(stack.args) == 2
        and _feeds_products(stack, reading)
    )


def _feeds_products(value: Value, reading: Mapping[Value, Sequence[Value]]) -> bool:
    """Say whether a value, or its transpose, is read by matrix products alone."""
    readers = reading.get(value, ())
    return bool(readers) and all(
        len(r.shape) == 2 and (r.kind == "dot" or (r.kind == "t" and _feeds_products(r, reading)))
        for r in readers
    )


def closed(builder: Builder, outputs: Sequence[Term], affine_maps: Sequence[Affine]) -> list[Term]:
    """Return `outputs` with the stacks over `affine_maps` as products with closed blocks."""
    reading = users([term.value for term in outputs])
    instead: dict[Value, Term] = {}
    for affine in affine_maps:
        product = next(v for v in reading if _is_product_of(v, affine))
        rows, columns = affine.block.shape
        leaf = builder.leaf(affine.block.name, (rows + 1, columns), "closed")
        whole = builder.dot(Term(1.0, leaf), Term(1.0, product.args[1]))
        instead.update((stack, whole) for stack in reading[product])
    return rebuilt(builder, outputs, instead)


def reassociated(builder: Builder, outputs: Sequence[Term]) -> list[Term]:
    """Return `outputs` with every chain of products multiplied in the cheapest order."""
    ends = [term.value for term in outputs]
    reading = users(ends)
    kept = set(ends)

    def inner(value: Value) -> bool:
        """Say whether nobody needs the value but longer chains."""
        return (
            value.kind == "dot" and value not in kept and not value.fixed and _feeds_products(value, reading)
        )

    made: set[Value] = set()
    instead: dict[Value, Term] = {}
    for value in reading:
        if value.kind == "dot" and not inner(value):
            factors = _factors(builder, value, inner)
            if 2 < len(factors) <= LONGEST:
                instead[value] = Term(1.0, _multiplied(builder, factors, made))
    instead = {value: term for value, term in instead.items() if term.value is not value}
    return rebuilt(builder, outputs, instead)


def _factors(builder: Builder, value: Value, inner: Callable[[Value], bool]) -> list[Value]:
    """Return the factors of a chain of products, transposed products taken apart."""
    found: list[Value] = []
    stack = [*value.args[::-1]]
    while stack:
        factor = stack.pop()
        if len(factor.shape) == 2 and factor.kind == "dot" and inner(factor):
            stack += factor.args[::-1]
        elif factor.kind == "t" and factor.args[0].kind == "dot" and inner(factor.args[0]):
            stack += [builder.t(Term(1.0, arg)).value for arg in factor.args[0].args]
        else:
            found.append(factor)
    return found


def _multiplied(builder: Builder, factors: Sequence[Value], made: set[Value]) -> Value:
    """Return the product of `factors`, in the order of least cost; what is in `made` costs nothing."""
    best: dict[tuple[int, int], tuple[float, Value]] = {
        (i, i + 1): (0.0, factor) for i, factor in enumerate(factors)
    }
    for length in range(2, len(factors) + 1):
        for i in range(len(factors) - length + 1):
            choices = [
                _product(builder, best[i, j], best[j, i + length], made) for j in range(i + 1, i + length)
            ]
            best[i, i + length] = min(choices, key=lambda choice: choice[0])
    result = best[0, len(factors)][1]
    made.update(v for v in reached([result], given=set(factors)) if v.kind == "dot")
    return result


def _product(
    builder: Builder, left: tuple[float, Value], right: tuple[float, Value], made: set[Value]
) -> tuple[float, Value]:
    value = builder.dot(Term(1.0, left[1]), Term(1.0, right[1])).value
    if value in made:
        return 0.0, value
    rows, inner = left[1].shape
    cost = CALL + rows * inner * right[1].shape[1] / SPEED
    return left[0] + right[0] + (0.0 if value.fixed else cost), value
