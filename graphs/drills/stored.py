"""What forward has to store for backward, and how many numbers that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphs.answers import Posed, Question
from graphs.drills.base import Block, Drill, Exercise, Maker
from graphs.drills.local import local_pairs
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject
from graphs.wording import counted, listed

__all__ = ["DRILL", "stored_values"]

_TOLD = (
    "The gradients of all parameters are wanted. Inputs and parameters are kept anyway; of what forward "
    "works out, only what a factor reads has to be kept."
)


def stored_values(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the values worked out by forward that backward reads, for the gradients of all parameters.

    Inputs and parameters are there anyway. What an operation reads is as its record says: the derivative of a
    sigmoid is taken from its output.
    """
    graph, derivation = snapshot.trace.graph, snapshot.derivation
    read: set[str] = set()
    for line in graph.lines:
        if line.node in graph.on_loss_path and line.written:
            for use in line.uses:
                if use.source in graph.trained:
                    read.update(derivation.contribution(line.name, use.slot).factor.uses)
    return tuple(line.name for line in graph.lines if line.name in read)


def _make(maker: Maker, turn: int) -> Exercise | None:
    here = maker.snapshot
    names = stored_values(here)
    if not names or turn:  # the same every time
        return None
    total = sum(here.trace.values[name].size for name in names)
    which = Question("Which values that forward works out does backward read?", "name", ", ".join(names))
    many = Question("How many numbers is that in all?", "number", str(total), tolerance=0.0)
    told = f"{_TOLD} {_rules(here)}".strip()
    remarks = _miscounted(here, names, total)
    parts = (
        Posed(which, here, way=_readers(here, names)),
        Posed(many, here, remarks=remarks, way=_counted(here, names)),
    )
    return Exercise("stored", "What has to be stored", maker.sizes, (Block("text", (told,)),), parts, here)


def _miscounted(snapshot: Snapshot, names: Sequence[str], total: int) -> dict[str, str]:
    """Return what is said to other counts than the right one, by the count."""
    graph, derivation, values = snapshot.trace.graph, snapshot.derivation, snapshot.trace.values
    found: dict[str, str] = {}

    def count(number: int, sentence: str) -> None:
        if number != total:
            found.setdefault(str(number), sentence)

    count(len(names), "That is the number of arrays. Asked is how many numbers are in them.")
    for name in names:
        count(values[name].size, f"That is how many numbers ${derivation.name_latex(name)}$ has alone.")
    single = sum(int(np.prod([d.size for d in graph[name].dims if not d.examples])) for name in names)
    count(single, "That is how many numbers there are for one example. Every example has its own.")
    whole = sum(values[line.name].size for line in graph.lines)
    count(whole, "That is all that forward works out, read or not.")
    leaves = sum(values[name].size for name in (*graph.inputs, *graph.parameters))
    count(total + leaves, "Inputs and parameters are counted in it: they are kept anyway.")
    return found


def _readers(snapshot: Snapshot, names: Sequence[str]) -> tuple[str, ...]:
    """Return which factor reads each of the values."""
    derivation, graph = snapshot.derivation, snapshot.trace.graph
    found: dict[str, str] = {}
    for line in reversed(graph.lines):
        if line.node not in graph.on_loss_path or not line.written:
            continue
        for use in line.uses:
            factor = derivation.contribution(line.name, use.slot).factor
            source = derivation.name_latex(graph.nodes[use.source].name)
            for name in factor.uses if use.source in graph.trained else ():
                way = f"back from ${derivation.name_latex(line.name)}$ to ${source}$"
                what = f"the factor ${factor.latex}$ reads ${derivation.name_latex(name)}$"
                found.setdefault(name, f"On the way {way} {what}.")
    return tuple(found[name] for name in names)


def _counted(snapshot: Snapshot, names: Sequence[str]) -> tuple[str, ...]:
    """Return how many numbers each of the values is, and their sum."""
    derivation, graph = snapshot.derivation, snapshot.trace.graph
    told, counts = [], [snapshot.trace.values[name].size for name in names]
    for name, count in zip(names, counts, strict=True):
        dims = " × ".join(str(d.size) for d in graph[name].dims)
        shape = f"{dims}: " if dims else ""
        told.append(f"${derivation.name_latex(name)}$ is {shape}{counted(count, 'number')}.")
    several = [f"${' + '.join(map(str, counts))} = {sum(counts)}$"] if len(counts) > 1 else []
    return (*told, *several)


def _rules(snapshot: Snapshot) -> str:
    """Say from what the derivatives of functions are taken, where others would serve as well.

    The formulas themselves may be asked for in another exercise.
    """
    derivation, graph = snapshot.derivation, snapshot.trace.graph
    found = []
    for line, name in local_pairs(snapshot):
        slot = next(u.slot for u in graph.line_by_name[line].uses if graph.nodes[u.source].name == name)
        factor = derivation.contribution(line, slot).factor
        if factor.operand is not None and line in factor.uses:
            symbol = Subject(Aspect.LOCAL, name, line).symbol(derivation)
            found.append(f"${symbol}$ from ${derivation.name_latex(line)}$")
    return f"Take {listed(found)}." if found else ""


DRILL = Drill("stored", "Stored values", "what forward has to store, and how many numbers", _make)
