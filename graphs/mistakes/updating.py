"""Wrong updates: an optimizer's lines misread, one operation in them left out, or its sign turned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from engine.elementwise import express
from engine.expr import Expr, Name
from engine.formula import Item, Statement
from engine.graph import Node
from engine.notation import latex
from engine.ops import OPS
from engine.optimizers import OPTIMIZERS
from graphs.definition import Array
from graphs.mistakes.items import operands, other_items
from graphs.mistakes.record import Mistake, Slip, made
from graphs.mistakes.words import Words
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["of_update"]

Items = tuple[Item, ...]
Statements = tuple[Statement, ...]
Changed = tuple[str, str, Statements]
OLD = "old "  # before a quantity: as it was before the update


def of_update(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    """Yield a quantity of an update with one thing on the way to it done otherwise.

    First what an optimizer's lines are known to be misread as: averages not put right, weights exchanged, the
    old value of what has just been worked out; then every operation left out or with its sign turned.
    """
    lines = _Lines(subject, snapshot)
    for kind, sentence, statements in chain(lines.misread(), lines.with_one_change()):
        yield made(subject, kind, sentence, _Updating(subject, snapshot, statements))
    name = lines.words.name(subject.name)
    gradient = f"That is the gradient of {name}."
    yield made(subject, Slip.UPSTREAM, gradient, lambda draw: draw.trace.gradients[subject.name])
    before = f"That is {name} before the update."
    yield made(subject, Slip.VALUE, before, lambda draw: draw.trace.values[subject.name])
    for quantity in snapshot.optimizer.quantities:
        if quantity.name != subject.quantity:
            other = Subject(Aspect.UPDATE, subject.name, quantity=quantity.name)
            sentence = f"That is {other.words(snapshot.derivation, snapshot.optimizer)}."
            yield made(subject, Slip.OTHER, sentence, other.value)


class _Lines:
    """An optimizer's lines up to the one that is asked for, and what they may be misread as."""

    def __init__(self, subject: Subject, snapshot: Snapshot) -> None:
        self.words = Words(snapshot.derivation)
        self._optimizer = snapshot.optimizer
        self._scope = _scope(snapshot, snapshot.trace.graph[subject.name])
        self._names = [quantity.name for quantity in self._optimizer.quantities]
        self._last = self._names.index(subject.quantity)
        self._lines = self._optimizer.statements[: self._last + 1]

    def with_one_change(self) -> Iterator[Changed]:
        """Yield the lines with one operation left out, or its sign turned."""
        for i, statement in enumerate(self._lines):
            for kind, sentence, items in other_items(statement.items, _Writing(statement, self._scope)):
                yield kind, sentence, self._with({i: items})

    def misread(self) -> Iterator[Changed]:
        """Yield the lines as they are often misread."""
        yield from self._uncorrected()
        for i, statement in enumerate(self._lines):
            yield from self._exchanged(i, statement)
            yield from self._with_old(i, statement)
        if self._names[self._last] in ("step", "value") and self._last:
            yield from self._plain()

    def _with(self, changed: Mapping[int, Items]) -> Statements:
        statements = self._optimizer.statements
        return tuple(s._replace(items=changed.get(i, s.items)) for i, s in enumerate(statements))

    def _write(self, i: int, items: Items) -> str:
        return _Writing(self._lines[i], self._scope)(items)

    def _uncorrected(self) -> Iterator[Changed]:
        """Yield the lines with averages that are not put right for their start at zero: all, then each."""
        found = {i: raw for i, line in enumerate(self._lines) if (raw := self._raw(line)) is not None}
        divisors = {i: self._write(i, self._lines[i].items[1:-1]) for i in found}
        if self._last in found:
            i = self._last
            average = self._write(i, (found[i],))
            sentence = f"That is {average} itself. It began at zero, which has not been put right yet."
            yield Slip.CORRECTION, sentence, self._with({i: (found[i],)})
            return
        if len(found) > 1:
            by = " and ".join(divisors.values())
            sentence = f"The averages have not been put right: divide them by {by} first."
            yield Slip.CORRECTION, sentence, self._with({i: (raw,) for i, raw in found.items()})
        for i, raw in found.items():
            average = self._write(i, (raw,))
            sentence = f"{average} has not been put right: divide it by {divisors[i]} first."
            yield Slip.CORRECTION, sentence, self._with({i: (raw,)})

    def _raw(self, line: Statement) -> Item | None:
        """Return what a line puts right: what it divides by a number that changes with every update."""
        items = line.items
        is_quotient = items[-1].text == "/" and operands(items, len(items) - 1)[0] == (0, 1)
        changes = any(item.kind == "name" and item.text == "t" for item in items)
        return items[0] if is_quotient and changes and items[0].text in self._names else None

    def _exchanged(self, i: int, line: Statement) -> Iterator[Changed]:
        """Yield an average with the weights of its two terms exchanged."""
        items = line.items
        if items[-1].text != "+":
            return
        terms = [_weighted(items[a:b], self._names) for a, b in operands(items, len(items) - 1)]
        if None in terms:
            return
        (first, old, product), (second, new, _) = (term for term in terms if term is not None)
        sentence = f"The weights are exchanged: {self._write(i, first)} is that of {self._write(i, old)}."
        changed = (*second, *old, product, *first, *new, product, items[-1])
        yield Slip.WEIGHTS, sentence, self._with({i: changed})

    def _with_old(self, i: int, line: Statement) -> Iterator[Changed]:
        """Yield a line that reads what was kept instead of what has just been worked out."""
        for name in self._names[:i]:
            if name in self._optimizer.state and any(item.text == name for item in line.items):
                items = tuple(
                    item._replace(text=OLD + name) if item.text == name else item for item in line.items
                )
                written = self._write(i, tuple(item for item in line.items if item.text == name)[:1])
                sentence = f"That takes the old {written}: the new one has just been worked out."
                yield Slip.OLD, sentence, self._with({i: items})

    def _plain(self) -> Iterator[Changed]:
        """Yield the step that plain gradient descent would take."""
        plain = OPTIMIZERS["gd"].statements[0].items
        items = plain if self._names[self._last] == "value" else plain[1:-1]
        sentence = f"That is a step of gradient descent alone: {self._optimizer.title} takes another one."
        yield Slip.PLAIN, sentence, self._with({self._last: items})


def _weighted(items: Items, names: Sequence[str]) -> tuple[Items, Items, Item] | None:
    """Return the weight of a term, what it weighs and the product; None where it is none of numbers alone."""
    if items[-1].text != "*":
        return None
    (a, b), (c, d) = operands(items, len(items) - 1)
    own = {*names, "gradient"}
    is_number = not any(item.text in own for item in items[a:b])
    return (items[a:b], items[c:d], items[-1]) if is_number else None


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
        kept = {key: found.kept.get((name, key), zero) for key in optimizer.state}
        known |= kept | {OLD + key: array for key, array in kept.items()}
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
