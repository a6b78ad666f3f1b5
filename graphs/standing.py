"""Where the graph stands while a question is asked, what is hidden there, and what no answer may name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from engine.trace import Phase, Step, Trace
from graphs.answers import Posed
from graphs.drills.base import Exercise
from graphs.subjects import Aspect, Subject

__all__ = ["Standing", "closed", "covers", "place_of", "standing"]

_RULES = ("equations", "factors")
_NUMBERS = ("shapes", "values", "gradients")


@dataclass(frozen=True)
class Standing:
    """What a window shows while a question is asked.

    Attributes
    ----------
    position
        How many steps have been taken.
    hidden
        Names and kinds, as :class:`graphs.views.curtain.Curtain` takes them.
    marked
        What is pointed at.
    """

    position: int
    hidden: frozenset[str] = frozenset()
    marked: tuple[str, ...] = ()


def standing(exercise: Exercise, part: int, answered: Iterable[int] = ()) -> Standing:
    """Return where an exercise stands at one of its parts.

    Parameters
    ----------
    answered
        The parts that have been answered: what they asked for is shown.
    """
    done, parts, trace = set(answered), exercise.parts, exercise.stage.trace
    own = parts[part].subject
    hidden: frozenset[str] = frozenset().union(
        *(_covers(exercise, other) for i, other in enumerate(parts) if i not in done)
    )
    if exercise.kind == "faults":  # until the fault is known, its formula would pass for a right one
        is_told = done >= {0, 1}
        hidden = frozenset(() if is_told else _RULES)
        return Standing(_position(exercise, own), hidden, _marks(own, trace) if is_told else ())
    if part in done:
        hidden -= _covers(exercise, parts[part])
    return Standing(_position(exercise, own), hidden, _marks(own, trace))


def _position(exercise: Exercise, subject: Subject | None) -> int:
    trace = exercise.stage.trace
    if exercise.kind == "faults" or subject is None:
        phase = Phase.FORWARD if exercise.kind == "stored" else Phase.BACKWARD
        return _last(trace, lambda step: step.phase == phase)
    return place_of(subject, trace)


def place_of(subject: Subject, trace: Trace) -> int:
    """Return how many steps have been taken when a subject has just been worked out."""
    name, reader = subject.name, subject.reader

    def chooses(step: Step) -> bool:
        if subject.aspect == Aspect.VALUE:
            return step.phase == Phase.FORWARD and step.node == name
        if subject.aspect == Aspect.UPDATE:
            return step.phase == Phase.UPDATE and step.node == name and step.quantity == subject.quantity
        if subject.aspect == Aspect.GRADIENT:
            return step.phase in (Phase.SEED, Phase.BACKWARD) and step.target == name
        if step.phase != Phase.BACKWARD or (step.node, step.input) != (reader, name):
            return False
        return subject.aspect == Aspect.LOCAL or step.slot == subject.slot

    return _last(trace, chooses)


def _last(trace: Trace, chooses: Callable[[Step], bool]) -> int:
    places = [step.index for step in trace.steps if chooses(step)]
    return places[-1] + 1 if places else 0


def _covers(exercise: Exercise, posed: Posed) -> frozenset[str]:
    if exercise.kind in ("faults", "stored"):
        return frozenset(_RULES)
    if exercise.kind == "shapes":
        return frozenset(_NUMBERS)
    subject = posed.subject
    return covers(subject) if subject is not None else frozenset()


def covers(subject: Subject) -> frozenset[str]:
    """Return what has to be hidden for a subject to be found out."""
    if subject.aspect == Aspect.VALUE:
        return frozenset((subject.name,))
    if subject.aspect == Aspect.UPDATE:
        own = f"new_{subject.name}"
        return frozenset((own if subject.quantity == "value" else f"{own}:{subject.quantity}",))
    if subject.aspect == Aspect.LOCAL:
        return frozenset(_RULES)
    return frozenset((f"d_{subject.name}",))


def _marks(subject: Subject | None, trace: Trace) -> tuple[str, ...]:
    if subject is None:
        return ()
    if subject.aspect in (Aspect.LOCAL, Aspect.CONTRIBUTION):
        return (f"{subject.name} -> {subject.reader}",)
    is_gradient = subject.aspect == Aspect.GRADIENT
    return (f"d_{subject.name}" if is_gradient else subject.name,)


def _closed_names(posed: Posed) -> frozenset[str]:
    """Return the names by which a question's answer could be given away instead of worked out."""
    subject, place = posed.subject, posed.place
    if subject is None:
        return frozenset()
    name, loss = subject.name, place.trace.graph.loss
    if subject.aspect in (Aspect.GRADIENT, Aspect.CONTRIBUTION):
        return frozenset((f"d_{name}", f"d_{loss}/d_{name}"))
    return frozenset((subject.whole().text(place),))


def closed(posed: Posed) -> Posed:
    """Return the question, whose answer may not name what it asks for."""
    return replace(posed, closed=_closed_names(posed))
