"""A wrong answer that is often given, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from engine.alterations import Change
from engine.errors import BackstepError
from engine.graph import Graph
from graphs.definition import Array
from graphs.scope import Draw
from graphs.subjects import Subject

__all__ = ["Mistake", "Slip", "kind_words", "made", "most"]

FEWEST, MOST = 8, 160
WORK = 30_000  # nodes worked out for one kind of mistake

_ERRORS = (ArithmeticError, BackstepError, LookupError, ValueError)


class Slip(StrEnum):
    """What is wrong about an answer, beside the kinds of :class:`engine.alterations.Change`."""

    PATH = "path"  # one of the paths of a fan-out alone, or all but one
    UPSTREAM = "upstream"  # the gradient that arrives, not yet taken back through the line
    TOTAL = "total"  # the whole gradient instead of one path's contribution
    VALUE = "value"  # the value instead of its gradient
    OTHER = "other"  # another value or gradient
    ENTRY = "entry"  # another entry
    SOME = "some"  # some entries right, others wrong
    OPERATION = "operation"  # something left out: a function, a power, a quotient
    TERM = "term"  # what is added or subtracted left out
    TIMES = "times"  # what multiplies or divides left out
    MATRICES = "matrices"  # a matrix product instead of one entry by entry
    AXIS = "axis"  # a sum along the wrong axis
    CORRECTION = "correction"  # an average that began at zero, not put right
    WEIGHTS = "weights"  # the weights of an average exchanged
    OLD = "old"  # what was kept instead of what has just been worked out
    PLAIN = "plain"  # a step of gradient descent instead of the optimizer's
    TRANSPOSED = "transposed"  # rows for columns
    SHAPE = "shape"  # the right numbers in another shape
    SIZE = "size"  # the number of entries instead of the shape
    ROUNDING = "rounding"  # nearly right
    DIGITS = "digits"  # too few digits to tell
    DECIMAL = "decimal"  # the decimal point
    NUMBERS = "numbers"  # right at these numbers, but not in general


_WORDS: Mapping[str, str] = {
    Slip.PATH: "one path of several",
    Slip.UPSTREAM: "the gradient that arrives",
    Slip.TOTAL: "the whole gradient instead of one contribution",
    Slip.VALUE: "the value instead of its gradient",
    Slip.OTHER: "another value or gradient",
    Slip.ENTRY: "another entry",
    Slip.SOME: "some of the entries",
    Slip.OPERATION: "a function or a power left out",
    Slip.TERM: "a term left out",
    Slip.TIMES: "a factor left out",
    Slip.MATRICES: "a matrix product instead of entry by entry",
    Slip.AXIS: "the axis of a sum",
    Slip.CORRECTION: "averages not put right",
    Slip.WEIGHTS: "the weights of an average",
    Slip.OLD: "an old value instead of the new one",
    Slip.PLAIN: "plain gradient descent",
    Slip.TRANSPOSED: "rows for columns",
    Slip.SHAPE: "the shape",
    Slip.SIZE: "the size instead of the shape",
    Slip.ROUNDING: "rounding",
    Slip.DIGITS: "too few digits",
    Slip.DECIMAL: "the decimal point",
    Slip.NUMBERS: "numbers instead of a formula",
    Change.SIGN: "the sign",
    Change.TRANSPOSE: "a transpose left out",
    Change.RESHAPE: "reshaped instead of transposed",
    Change.COUNT: "1/m left out",
    Change.CONSTANT: "a factor such as 2",
    Change.FACTOR: "a local derivative left out",
    Change.PART: "a part of a local derivative left out",
    Change.POINT: "a derivative at another point",
    Change.FIRST: "the first example alone",
    Change.MEAN: "the mean instead of the sum",
    Change.UNSUMMED: "a sum left out",
    Change.ORDER: "the order of a product",
    Change.ELEMENTWISE: "entry by entry instead of a matrix product",
    Change.MATRIX: "a matrix product left out",
}


def kind_words(kind: str) -> str:
    """Return what a learner calls a kind of mistake; a kind of another Backstep as it is called there."""
    return _WORDS.get(kind, kind)


@dataclass(frozen=True, eq=False)
class Mistake:
    """A wrong answer and its hint.

    Attributes
    ----------
    kind
        A :class:`Slip` or a :class:`engine.alterations.Change`.
    sentence
        What to look at, with LaTeX between dollars.
    work_out
        The wrong answer at a draw; raises where there is none.
    """

    kind: str
    sentence: str
    work_out: Callable[[Draw], Array]
    _known: dict[Draw, Array | None] = field(default_factory=dict, repr=False)

    def value(self, draw: Draw) -> Array | None:
        """Return the wrong answer at a draw, None where it cannot be worked out."""
        if draw not in self._known:
            self._known[draw] = self._value(draw)
        return self._known[draw]

    def _value(self, draw: Draw) -> Array | None:
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(self.work_out(draw), dtype=float)
        except _ERRORS:
            return None
        return found if np.all(np.isfinite(found)) else None


def most(graph: Graph) -> int:
    """Return how many changes of a graph are looked through: fewer of a large one."""
    return int(np.clip(WORK // max(len(graph.nodes), 1), FEWEST, MOST))


def made(subject: Subject, kind: str, sentence: str, work_out: Callable[[Draw], Array]) -> Mistake:
    """Return a mistake about the whole of a subject, seen at its entry."""
    entry, whole = subject.entry, subject.whole()

    def at(draw: Draw) -> Array:
        found = np.asarray(work_out(draw))
        if entry is None:
            return found
        wanted = whole.value(draw).shape
        if found.shape != wanted and found.ndim != len(wanted):
            found = np.broadcast_to(found, wanted)
        return found[entry]

    return Mistake(kind, sentence, at)
