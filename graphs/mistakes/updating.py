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
from graphs.mistakes.items import other_items
from graphs.mistakes.record import Mistake, Slip, made
from graphs.mistakes.words import Words
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["of_update"]


def of_update(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    """Yield a quantity of an update with one operation on the way to it left out, or its sign turned."""
    optimizer, words = snapshot.optimizer, Words(snapshot.derivation)
    scope = _scope(snapshot, snapshot.trace.graph[subject.name])
    for i, (quantity, statement) in enumerate(zip(optimizer.quantities, optimizer.statements, strict=True)):
        for kind, sentence, items in other_items(statement.items, _Writing(statement, scope)):
            changed = list(optimizer.statements)
            changed[i] = statement._replace(items=items)
            yield made(subject, kind, sentence, _Updating(subject, snapshot, tuple(changed)))
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
class _Writing:
    """Writes a part of an optimizer's line in the parameter's own symbols."""

    statement: Statement
    scope: dict[str, Expr]

    def __call__(self, items: tuple[Item, ...]) -> str:
        return f"${latex(express(self.statement._replace(items=items), self.scope))}$"


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
