"""A column times a row that need not be formed.

In the gradient of a two-layer network, ``((w2.T @ e) * slope) @ X.T``, the column w2.T scales rows. Over many
examples it is cheaper to scale the rows of the product: ``w2.T * ((e * slope) @ X.T)``.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.plan.values import Builder, Term, Value, rebuilt, users

__all__ = ["rows_scaled"]

LARGE = 8000  # entries of the matrix; below, the product of column and row is one fast call


def rows_scaled(builder: Builder, outputs: Sequence[Term]) -> list[Term]:
    """Return `outputs` with the columns taken out of products of large matrices."""
    reading = users([term.value for term in outputs])
    instead: dict[Value, Term] = {}
    for value in reading:
        if value.kind == "dot" and not value.fixed:
            left, right = value.args
            if left.kind == "prod" and left.size > LARGE and len(reading[left]) == 1 and len(left.shape) == 2:
                found = _scaled(builder, left, right, reading)
                if found is not None:
                    instead[value] = found
    return rebuilt(builder, outputs, instead)


def _scaled(builder: Builder, left: Value, right: Value, reading: dict[Value, list[Value]]) -> Term | None:
    powers = dict(zip(left.args, left.attrs, strict=True))
    outer = next((v for v, p in powers.items() if p == 1 and _is_outer(v) and len(reading[v]) == 1), None)
    if outer is None:
        return None
    column, row = outer.args
    del powers[outer]
    rest = builder.mul(builder.product(powers), Term(1.0, row))
    if rest.shape != left.shape:
        return None
    return builder.mul(Term(1.0, column), builder.dot(rest, Term(1.0, right)))


def _is_outer(value: Value) -> bool:
    return value.kind == "dot" and len(value.shape) == 2 and value.args[0].shape[-1] == 1
