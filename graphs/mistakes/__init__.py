"""Wrong answers that are often given, worked out from the records: each with the hint that belongs to it.

Nothing here knows a network. A wrong gradient comes from the right backward pass with one link altered
(:mod:`engine.alterations`), or with one of the paths left out; a wrong value from the forward pass with one
operation left out or done the other way round; a wrong update from the optimizer's lines in the same way. The
rest are mix-ups: the value for the gradient, the gradient that arrives for the one that goes on, another
entry.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.alterations import Change
from engine.names import entry_text
from graphs.definition import Array
from graphs.mistakes.backward import Backward
from graphs.mistakes.forward import of_value
from graphs.mistakes.record import Mistake, Slip
from graphs.mistakes.updating import of_update
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["Mistake", "Slip", "mistakes"]

MOST_ENTRIES = 64  # entries that may be taken for another one
MOST_NAMES = 100  # values and gradients that may be


def mistakes(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    """Yield the wrong answers that are often given to a question about `subject`, the likeliest first."""
    yield Mistake(Change.SIGN, "Look at the sign.", lambda draw: -subject.value(draw))
    backward = Backward(subject, snapshot)
    if subject.aspect == Aspect.VALUE:
        yield from of_value(subject, snapshot)
    elif subject.aspect == Aspect.UPDATE:
        yield from of_update(subject, snapshot)
    elif subject.aspect == Aspect.GRADIENT:
        yield from backward.of_gradient()
    elif subject.aspect == Aspect.CONTRIBUTION:
        yield from backward.of_contribution()
    else:
        yield from backward.of_local()
    yield from _other_entries(subject, snapshot)
    yield from _other_names(subject, snapshot)


def _other_entries(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    if subject.entry is None:
        return
    whole, asked = subject.whole(), entry_text(subject.entry)
    shape = whole.value(Draw(snapshot.trace, snapshot)).shape
    for entry in list(np.ndindex(shape))[:MOST_ENTRIES]:
        if entry != subject.entry:
            yield Mistake(
                Slip.ENTRY,
                f"That is entry {entry_text(entry)}. Asked is {asked}: row, column, counted from 0.",
                whole.at(entry).value,
            )


def _other_names(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    for aspect in (Aspect.GRADIENT, Aspect.VALUE):
        for name in snapshot.trace.graph.named[:MOST_NAMES]:
            other = Subject(aspect, name)
            if other != subject.whole():
                yield _other(subject, other, snapshot)


def _other(subject: Subject, other: Subject, snapshot: Snapshot) -> Mistake:
    def work_out(draw: Draw) -> Array:
        found = other.value(draw)
        if subject.entry is None:
            return found
        if found.shape != subject.whole().value(draw).shape:
            raise ValueError
        return found[subject.entry]

    return Mistake(Slip.OTHER, f"That is {other.words(snapshot.derivation)}.", work_out)
