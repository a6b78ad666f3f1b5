"""Find the fault that was put into the backward pass."""

from __future__ import annotations

import numpy as np

from engine.alterations import Change
from engine.derive import Derivation
from engine.faults import (
    FAULTS,
    Fault,
    FaultyDerivation,
    FaultyRun,
    FaultyTrace,
    Place,
    Stage,
    faulty_trace,
)
from engine.names import entry_latex, entry_text
from engine.notation import latex
from graphs.answers import Posed, Question
from graphs.drills.base import Block, Drill, Exercise, Maker, posed
from graphs.hints import array_latex, contributed
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL"]

MOST_PLACES = 12  # of a fault, that are tried
CHOICES = 4
SMALL = 16  # entries of a gradient that is told whole
_TOLD = (
    "Somebody has written this backward pass in NumPy. There is one fault in it; what comes after it goes by "
    "the rules."
)
_WHERE = "Which gradient is the first that comes out wrong?"
_RIGHT = "Write the right formula for the gradient that part a) asks for."
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
        hints=("Compare the first wrong gradient as it is with what the rules give.",),
        explain=fault.explanation,
    )
    remarks = _about_names(here, staged, place.name)
    written = latex(contributed(FaultyDerivation(here.trace.graph, fault, place), place.name))
    parts = (
        Posed(where, here, remarks=remarks, of_gradients=True, way=_way(here, staged, place.name)),
        Posed(
            *(what, here),
            remarks={f.title: _about(f) for f in _IN_BACKWARD if f is not fault},
            way=(f"The gradient that is wrong first is worked out as ${written}$.",),
        ),
        posed(subject, here, "expression", _RIGHT),
    )
    blocks = (Block("text", (_TOLD,)), Block("code", lines))
    return Exercise("faults", "Find the fault", maker.given(turn), blocks, parts, here, staged=staged)


def _staged(snapshot: Snapshot, fault: Fault, place: Place) -> Snapshot:
    """Return the iteration as it is with the fault in it."""
    run = FaultyRun(snapshot.model, fault, place, snapshot.recipe)
    return Snapshot.of(run, snapshot.model)


def _way(here: Snapshot, staged: Snapshot, first: str) -> tuple[str, ...]:
    """Return how the first wrong gradient is told: what it comes to, and what it should."""
    right, wrong = here.trace.gradients[first], staged.trace.gradients[first]
    symbol, place = here.derivation.gradient_latex(first), ""
    if right.size > SMALL:
        entry = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(right - wrong)), right.shape))
        symbol, right, wrong = entry_latex(symbol, entry), right[entry], wrong[entry]
        place = f" at entry {entry_text(entry)}"
    return (
        f"By the rules ${symbol} = {array_latex(right)}$, as the nudge test confirms.",
        f"Here it comes to ${array_latex(wrong)}${place}, while all gradients that it is worked out from are "
        "right.",
    )


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
    """Return a fault and a place where it makes a difference: to one gradient, and to others by that alone.

    An operation inside a line is gone through on the way to all that the line reads: a fault in it would be
    in several gradients, and none would be the first.
    """
    graph, values = snapshot.trace.graph, snapshot.trace.values
    leaves = {name: values[name] for name in (*graph.inputs, *graph.parameters)}
    right = dict(Derivation(graph).code())
    for fault in [_IN_BACKWARD[i] for i in rng.permutation(len(_IN_BACKWARD))]:
        places = [place for place in fault.places(graph) if _is_written(place)][:MOST_PLACES]
        for place in [places[i] for i in rng.permutation(len(places))]:
            changed = [
                n for n, source in FaultyDerivation(graph, fault, place).code() if source != right.get(n)
            ]
            if changed == [place.name] and _differs(faulty_trace(graph, leaves, fault, place), place.name):
                return fault, place
    return None


def _differs(found: FaultyTrace, name: str) -> bool:
    return not np.allclose(found.trace.gradients[name], found.right.gradients[name], rtol=1e-6, atol=1e-9)


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
