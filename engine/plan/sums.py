"""Sums of products as inner products: one call of BLAS instead of a product, its array and its sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.plan.values import Builder, Term, Value, rebuilt, users

__all__ = ["inner_products", "joined_functions"]


def inner_products(builder: Builder, outputs: Sequence[Term]) -> list[Term]:
    """Return `outputs` with every sum of all entries of products and of sums taken apart."""
    reading = users([term.value for term in outputs])

    def rule(value: Value, args: Sequence[Term]) -> Term | None:
        if value.kind != "total":
            return None
        inside = value.args[0]
        alone = len(reading[inside]) == 1
        return _total(builder, args[0], args[0].value.shape) if alone else None

    return rebuilt(builder, outputs, rule=rule)


def _total(builder: Builder, term: Term, shape: tuple[int, ...]) -> Term:
    """Return the sum of all entries of a term that is broadcast to `shape`."""
    scale, value = term
    if value.kind == "lin" and value.shape == shape:
        parts = zip(value.attrs, value.args, strict=True)
        terms = [_total(builder, Term(scale * c, arg), shape) for c, arg in parts]
        return builder.add(*terms)
    if value.kind == "prod" and value.shape == shape and all(p > 0 for p in value.attrs):
        found = _inner_product(builder, dict(zip(value.args, value.attrs, strict=True)), shape)
        if found is not None:
            return found.times(scale)
    return builder.total(builder.spread(term, shape))


def _inner_product(builder: Builder, powers: dict[Value, int], shape: tuple[int, ...]) -> Term | None:
    first = next((v for v in powers if v.shape == shape), None)
    if first is None:
        return None
    rest = {v: p - (v is first) for v, p in powers.items() if p > (v is first)}
    others = builder.product(rest)
    return builder.vdot(Term(1.0, first), others) if others.shape == shape else None


def joined_functions(builder: Builder, loss: Term, others: Sequence[Term]) -> Term:
    """Return the loss with its inner products of one function joined.

    ``y . log(a) + (1-y) . log(1-a)`` is one inner product of the stacked ``[y; 1-y]`` with one logarithm, of
    the stacked ``[a; 1-a]``.
    """
    value = loss.value
    if value.kind != "lin":
        return loss
    reading = users([loss.value, *(term.value for term in others)])
    terms = list(zip(value.attrs, value.args, strict=True))
    groups: dict[str, list[tuple[float, Value, Value]]] = {}
    for coefficient, product in terms:
        if product.kind == "vdot" and len(reading[product]) == 1:
            known, function = sorted(product.args, key=lambda v: not v.fixed)
            if known.fixed and _is_stackable(function, reading):
                key = f"{function.attrs[0]} {function.shape[1]}"
                groups.setdefault(key, []).append((coefficient, known, function))
    found = [Term(c, v) for c, v in terms]
    for members in groups.values():
        if len(members) > 1:
            gone = {f for _, _, f in members}
            found = [t for t in found if t.value.kind != "vdot" or not gone.intersection(t.value.args)]
            found.append(_joined(builder, members))
    return builder.add(*found).times(loss.scale)


def _is_stackable(function: Value, reading: Mapping[Value, Sequence[Value]]) -> bool:
    return (
        function.kind == "fn"
        and len(function.args) == 1
        and len(function.shape) == 2
        and len(reading[function]) == 1
        and function.args[0].kind not in ("leaf", "t", "reshape", "spread", "rows", "stack")
        and not function.fixed
    )


def _joined(builder: Builder, members: Sequence[tuple[float, Value, Value]]) -> Term:
    known = [builder.realised(Term(c, v)) for c, v, _ in members]
    arguments = builder.stack([f.args[0] for _, _, f in members])
    function = builder.fn(members[0][2].attrs[0], Term(1.0, arguments))
    return builder.vdot(Term(1.0, builder.stack(known)), function)
