"""Constant factors, put where they cost nothing: into what is fixed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.plan.values import FOLDED, Builder, Term, Value, reached, rebuilt, users

__all__ = ["pushed", "signs_shared"]

DEEPEST = 16  # products that a factor is taken through on its way to the data


def pushed(builder: Builder, values: Sequence[Value], factor: float, loss: Value) -> list[Value] | None:
    """Return `values` times a factor that goes into fixed arrays; None where it would cost a call.

    Parameters
    ----------
    loss
        What is computed as well.
    """
    made: dict[Value, Value | None] = {}
    found = [_times(builder, value, factor, made) for value in values]
    if any(value is None for value in found):
        return None
    scaled = [value for value in found if value is not None]
    count = sum(not v.fixed for v in reached([loss, *scaled]))
    return scaled if count <= sum(not v.fixed for v in reached([loss, *values])) else None


def _times(
    builder: Builder, value: Value, factor: float, made: dict[Value, Value | None], depth: int = DEEPEST
) -> Value | None:
    if value not in made:
        made[value] = _worked_out(builder, value, factor, made, depth - 1) if depth else None
    return made[value]


def _worked_out(
    builder: Builder, value: Value, factor: float, made: dict[Value, Value | None], depth: int
) -> Value | None:
    if value.fixed:
        return builder.realised(Term(factor, value)) if value.size <= FOLDED else None
    if value.kind in ("dot", "prod"):
        for place in sorted(range(len(value.args)), key=lambda i: not value.args[i].fixed):
            if value.kind == "prod" and value.attrs[place] != 1:
                continue
            other = _times(builder, value.args[place], factor, made, depth)
            if other is not None:
                args = [Term(1.0, arg) for arg in value.args]
                args[place] = Term(1.0, other)
                return builder.remade(value, args).value
    if value.kind in ("t", "reshape", "spread", "rows"):
        other = _times(builder, value.args[0], factor, made, depth)
        return None if other is None else builder.remade(value, [Term(1.0, other)]).value
    return None


def signs_shared(builder: Builder, outputs: Sequence[Term]) -> list[Term]:
    """Return `outputs` with large data negated once for all where a negative of their product is read.

    A sigmoid reads ``-(W @ X)``. For small data there is a copy ``-X``; large ones are negated themselves,
    and every other product with them takes the sign outside.
    """
    reading = users([term.value for term in outputs])
    negated: set[Value] = set()
    for value in reading:
        if value.kind == "lin" and value.attrs == (-1.0,) and value.args[0].kind == "dot":
            data = value.args[0].args[1]
            if data.fixed and data.size > FOLDED and all(r.kind in ("dot", "t") for r in reading[data]):
                negated.add(data)

    def rule(value: Value, args: Sequence[Term]) -> Term | None:
        if value not in negated:
            return None
        return Term(-1.0, builder.realised(builder.remade(value, args).times(-1.0)))

    return rebuilt(builder, outputs, rule=rule)
