"""Wrong updates: one operation in an optimizer's lines left out, or its sign turned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.elementwise import express
from engine.expr import Expr, Name
from engine.formula import Item, Statement
from engine.graph import Node
from engine.notation import latex
from engine.ops import OPS
from graphs.definition import Array
from graphs.mistakes.record import Mistake, Slip, made
from graphs.mistakes.words import MISSING, Words
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["of_update"]


def of_update(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    """Yield a quantity of an update with one operation on the way to it left out, or its sign turned."""
    optimizer, words = snapshot.optimizer, Words(snapshot.derivation)
    scope = _scope(snapshot, snapshot.trace.graph[subject.name])
    for i, (quantity, statement) in enumerate(zip(optimizer.quantities, optimizer.statements, strict=True)):
        for sentence, items in _other_items(statement, scope):
            changed = list(optimizer.statements)
            changed[i] = statement._replace(items=items)
            yield made(subject, Slip.OPERATION, sentence, _Updating(subject, snapshot, tuple(changed)))
        if quantity.name == subject.quantity:
            break
    name = words.name(subject.name)
    gradient = f"That is the gradient of {name}."
    yield made(subject, Slip.UPSTREAM, gradient, lambda draw: draw.trace.gradients[subject.name])
    before = f"That is {name} before the update."
    yield made(subject, Slip.VALUE, before, lambda draw: draw.trace.values[subject.name])
    for quantity in optimizer.quantities:
        if quantity.name != subject.quantity:
            other = Subject(Aspect.UPDATE, subject.name, quantity=quantity.name)
            sentence = f"That is {other.words(snapshot.derivation, optimizer)}."
            yield made(subject, Slip.OTHER, sentence, other.value)


def _scope(snapshot: Snapshot, node: Node) -> dict[str, Expr]:
    """Return the names of an optimizer's lines as symbols, for one parameter."""
    derivation, optimizer = snapshot.derivation, snapshot.optimizer
    parameter = Name(node.name, node.dims, derivation.name_latex(node.name), node.name)
    numbers = {h.name: h.symbol for h in optimizer.hyperparameters} | {"t": "t"}
    scope: dict[str, Expr] = {name: Name(f":{name}", (), symbol, name) for name, symbol in numbers.items()}
    scope |= {q.name: q.named(parameter) for q in optimizer.quantities}
    return scope | {"value": parameter, "gradient": derivation.gradient_name(node.name)}


@dataclass(frozen=True)
class _Updating:
    """A quantity of an update by lines of which one is done otherwise."""

    subject: Subject
    snapshot: Snapshot
    statements: tuple[Statement, ...]

    def __call__(self, draw: Draw) -> Array:
        found, name, optimizer = draw.trace, self.subject.name, self.snapshot.optimizer
        known = {key: np.asarray(float(value)) for key, value in self.snapshot.settings.items()}
        zero = np.zeros(found.values[name].shape)
        known |= {key: found.kept.get((name, key), zero) for key in optimizer.state}
        known |= {"value": found.values[name], "gradient": found.gradients[name]}
        for quantity, statement in zip(optimizer.quantities, self.statements, strict=True):
            known[quantity.name] = _worked_out(statement.items, known)
            if quantity.name == self.subject.quantity:
                break
        return known[self.subject.quantity]


def _worked_out(items: Sequence[Item], known: dict[str, Array]) -> Array:
    stack: list[Array] = []
    for item in items:
        if item.kind != "op":
            stack.append(known[item.text] if item.kind == "name" else np.asarray(float(item.text)))
            continue
        args = stack[len(stack) - item.arity :]
        del stack[len(stack) - item.arity :]
        stack.append(np.asarray(OPS[item.text].compute(*args)))
    return stack[0]


def _other_items(statement: Statement, scope: dict[str, Expr]) -> Iterator[tuple[str, tuple[Item, ...]]]:
    """Yield a line with one operation left out or its sign turned, and the hint."""
    items = statement.items
    for i, item in enumerate(items):
        if item.kind != "op":
            continue
        spans = _operands(items, i)
        start, rest = spans[0][0], items[i + 1 :]
        texts = [f"${latex(express(statement._replace(items=items[a:b]), scope))}$" for a, b in spans]
        for k, (a, b) in enumerate(spans):
            if len(spans) == 2 and item.text in MISSING:
                yield (
                    MISSING[item.text][1 - k].format(other=texts[1 - k]),
                    (*items[:start], *items[a:b], *rest),
                )
            elif len(spans) == 1:
                word = "The root" if item.text == "sqrt" else f"The {item.text}"
                yield f"{word} of {texts[0]} is missing.", (*items[:start], *items[a:b], *rest)
        if item.text in ("+", "-"):
            other = item._replace(text="-" if item.text == "+" else "+")
            yield f"Look at the sign of {texts[1]}.", (*items[:i], other, *rest)


def _operands(items: Sequence[Item], i: int) -> list[tuple[int, int]]:
    """Return where the operands of an operation in postfix order begin and end."""
    found, end = [], i
    for _ in range(items[i].arity):
        start, needed = end, 1
        while needed:
            start -= 1
            needed += items[start].arity - 1 if items[start].kind == "op" else -1
        found.append((start, end))
        end = start
    return found[::-1]
