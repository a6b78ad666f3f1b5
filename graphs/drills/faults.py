"""Find the fault that was put into the backward pass."""

from __future__ import annotations

import numpy as np

from engine.alterations import Change
from engine.derive import Derivation
from engine.faults import FAULTS, Fault, FaultyDerivation, FaultyRun, Place, Stage, faulty_trace
from graphs.answers import Posed, Question
from graphs.drills.base import Block, Drill, Exercise, Maker, posed
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL"]

MOST_PLACES = 12  # of a fault, that are tried
CHOICES = 4
_TOLD = (
    "Somebody has written this backward pass in NumPy. There is one fault in it; what comes after it goes by "
    "the rules."
)
_WHERE = "Which gradient is the first that comes out wrong?"
_HINTS = (
    "Compare a gradient with its nudge test (G): where the two differ, the fault is there or further back.",
    "Begin at the loss and go back. The first gradient that the nudge test does not confirm is the one.",
)
_IN_BACKWARD = tuple(f for f in FAULTS.values() if f.stage in (Stage.FACTOR, Stage.ACCUMULATION))


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.small(turn), maker.rng(turn, "faults")
    found = _that_shows(here, rng)
    if found is None:
        return None
    fault, place = found
    code = FaultyDerivation(here.trace.graph, fault, place).code()
    lines = tuple(f"d_{name} = {source}" for name, source in code if name not in here.trace.graph.inputs)
    subject = Subject(Aspect.GRADIENT, place.name)
    symbol = subject.symbol(here.derivation)
    staged = _staged(here, fault, place)
    where = Question(_WHERE, "name", place.name, hints=_HINTS, explain=f"${symbol}$ is where it begins.")
    what = Question(
        *("What is the fault?", "choice", fault.title, _choices(here, fault, rng)),
        hints=(f"Compare ${symbol}$ as it is with what the rules give.",),
        explain=fault.explanation,
    )
    parts = (
        Posed(where, here, remarks=_about_names(here, staged, place.name), of_gradients=True),
        Posed(what, here, remarks={f.title: _about(f) for f in _IN_BACKWARD if f is not fault}),
        posed(subject, here, "expression", f"Write the right formula for ${symbol}$."),
    )
    blocks = (Block("text", (_TOLD,)), Block("code", lines))
    return Exercise("faults", "Find the fault", maker.given(turn), blocks, parts, here, staged=staged)


def _staged(snapshot: Snapshot, fault: Fault, place: Place) -> Snapshot:
    """Return the iteration as it is with the fault in it."""
    run = FaultyRun(snapshot.model, fault, place, snapshot.recipe)
    return Snapshot.of(run, snapshot.model)


def _about_names(here: Snapshot, staged: Snapshot, first: str) -> dict[str, str]:
    """Return what is to be said where a gradient is named that is right, or wrong because of another."""
    derivation, found = here.derivation, {}
    for name, right in here.trace.gradients.items():
        if name == first:
            continue
        if np.allclose(right, staged.trace.gradients[name], rtol=1e-9, atol=1e-12):
            found[name] = f"The gradient of ${derivation.name_latex(name)}$ is right: the nudge test agrees."
        else:
            found[name] = (
                f"The gradient of ${derivation.name_latex(name)}$ is wrong because another one is: "
                "look further back, towards the loss."
            )
    return found


def _about(fault: Fault) -> str:
    return f"Were it {fault.title}: {fault.explanation} That is not what these numbers show."


def _that_shows(snapshot: Snapshot, rng: np.random.Generator) -> tuple[Fault, Place] | None:
    """Return a fault and a place where it makes a difference, to numbers and to one line of the source."""
    graph, values = snapshot.trace.graph, snapshot.trace.values
    leaves = {name: values[name] for name in (*graph.inputs, *graph.parameters)}
    right = dict(Derivation(graph).code())
    for fault in [_IN_BACKWARD[i] for i in rng.permutation(len(_IN_BACKWARD))]:
        places = [place for place in fault.places(graph) if _is_written(place)][:MOST_PLACES]
        for place in [places[i] for i in rng.permutation(len(places))]:
            changed = [
                n for n, source in FaultyDerivation(graph, fault, place).code() if source != right.get(n)
            ]
            is_first = bool(changed) and changed[0] == place.name
            if is_first and faulty_trace(graph, leaves, fault, place).shows:
                return fault, place
    return None


def _is_written(place: Place) -> bool:
    """Say whether somebody would write such a line: nobody reshapes a matrix whose transpose is forgotten."""
    return place.alteration is None or place.alteration.change != Change.RESHAPE


def _choices(snapshot: Snapshot, fault: Fault, rng: np.random.Generator) -> tuple[str, ...]:
    """Return the fault's title among those of others, the ones that the network could have first."""
    others = [f for f in _IN_BACKWARD if f is not fault]
    others.sort(key=lambda f: not f.places(snapshot.trace.graph))
    titles = [fault.title, *(f.title for f in others[: CHOICES - 1])]
    return tuple(titles[i] for i in rng.permutation(len(titles)))


DRILL = Drill("faults", "Find the fault", "find the fault in a backward pass", _make)
