"""Wrong gradients: a link altered, a path left out, the gradient that arrives for the one that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from engine import shapes
from engine.alterations import Alteration, Change, alterations
from engine.errors import BackstepError
from engine.faults import altered_rules
from engine.graph import Graph, Node
from engine.trace import RIGHT, Rules, contribution, gradients
from graphs.definition import Array
from graphs.mistakes.record import Mistake, Slip, made, most
from graphs.mistakes.words import Uses, Words
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject, contribution_of

__all__ = ["Backward"]

MOST_USES = 6


class Backward:
    """Makes the mistakes about a gradient, a contribution or a local derivative.

    Parameters
    ----------
    subject, snapshot
        What the question is about, and where it is asked.
    """

    def __init__(self, subject: Subject, snapshot: Snapshot) -> None:
        self._subject = subject
        self._graph: Graph = snapshot.trace.graph
        self._derivation = snapshot.derivation
        self._words = Words(self._derivation)

    def of_gradient(self) -> Iterator[Mistake]:
        """Yield the mistakes about a whole gradient."""
        region = self._region(self._subject.name)
        wanted = frozenset(region)
        yield from islice(self._altered(region, wanted), most(self._graph))
        yield from islice(self._paths(region, wanted), most(self._graph))
        for line in self._readers():
            yield self._made(
                Slip.UPSTREAM, self._words.arriving(line), lambda draw, line=line: draw.trace.gradients[line]
            )
        yield self._value()

    def _value(self) -> Mistake:
        name = self._subject.name
        sentence = f"That is the value of {self._words.name(name)}, not its gradient."
        return self._made(Slip.VALUE, sentence, lambda draw: draw.trace.values[name])

    def _region(self, name: str) -> list[int]:
        """Return a value and what lies between it and the loss, by id, in order."""
        graph = self._graph
        found = {graph.ids[name]}
        for node in graph.nodes[graph.ids[name] + 1 :]:
            if node.id in graph.on_loss_path and not found.isdisjoint(node.inputs):
                found.add(node.id)
        return sorted(found)

    def _altered(self, region: Sequence[int], wanted: frozenset[int]) -> Iterator[Mistake]:
        """Yield the gradient with one link on the way altered, the nearest to the value first."""
        graph, name = self._graph, self._subject.name
        forked = any(len(self._uses(graph.nodes[i].name)) > 1 for i in region)
        for node in (graph.nodes[i] for i in region[1:]):
            for slot, source in enumerate(node.inputs):
                if source not in wanted:
                    continue
                for alteration in self._possible(node, slot):
                    whole_sign = alteration.change == Change.SIGN and not forked
                    if whole_sign or (alteration.changes_shape and graph.nodes[source].name != name):
                        continue
                    rules = altered_rules(alteration, graph)
                    sentence = self._words.alteration(alteration)
                    yield self._made(alteration.change, sentence, _Backward(name, wanted, rules))

    def _possible(self, node: Node, slot: int) -> Iterator[Alteration]:
        try:
            yield from alterations(self._derivation, node, slot)
        except BackstepError:  # a line too long to be written out
            return

    def _uses(self, name: str) -> Uses:
        """Return the uses of a value on the way to the loss: line, slot, and the operation that reads it."""
        return self._all_uses.get(self._graph.ids[name], [])

    @cached_property
    def _all_uses(self) -> dict[int, list[tuple[str, int, tuple[int, int]]]]:
        graph = self._graph
        found: dict[int, list[tuple[str, int, tuple[int, int]]]] = {}
        for line in graph.lines:
            for use in line.uses if line.node in graph.on_loss_path else ():
                found.setdefault(use.source, []).append((line.name, use.slot, use.path[-1]))
        return found

    def _readers(self) -> list[str]:
        """Return the lines that read the value, but for the loss, whose own gradient is 1."""
        lines = dict.fromkeys(line for line, _, _ in self._uses(self._subject.name))
        return [line for line in lines if line != self._graph.loss]

    def _paths(self, region: Sequence[int], wanted: frozenset[int]) -> Iterator[Mistake]:
        """Yield the gradient with one of the paths alone, or one left out, wherever paths meet."""
        for i in region:
            name = self._graph.nodes[i].name
            uses = self._uses(name)
            if not 2 <= len(uses) <= MOST_USES:
                continue
            for k, (line, slot, _) in enumerate(uses):
                others = frozenset(place for j, (_, _, place) in enumerate(uses) if j != k)
                rules = Rules(_LeavingOut(others), RIGHT.add)
                only = self._words.only(name, (line, slot), uses)
                yield self._made(Slip.PATH, only, _Backward(self._subject.name, wanted, rules))
            for line, slot, place in uses if len(uses) > 2 else ():
                rules = Rules(_LeavingOut(frozenset({place})), RIGHT.add)
                sentence = self._words.all_but(name, (line, slot), uses)
                yield self._made(Slip.PATH, sentence, _Backward(self._subject.name, wanted, rules))

    # --- one path ---

    def of_contribution(self) -> Iterator[Mistake]:
        """Yield the mistakes about what one use of a value brings."""
        subject, graph, words = self._subject, self._graph, self._words
        yield from self._along(subject)
        if subject.reader != graph.loss:
            arriving = words.arriving(subject.reader)
            yield self._made(Slip.UPSTREAM, arriving, lambda draw: draw.trace.gradients[subject.reader])
        uses = self._uses(subject.name)
        if len(uses) > 1:
            sentence = f"That is the whole gradient of {words.name(subject.name)}: asked is one path's share."
            yield self._made(Slip.TOTAL, sentence, lambda draw: draw.trace.gradients[subject.name])
        for line, slot, _ in uses:
            if (line, slot) != (subject.reader, subject.slot):
                yield self._made(
                    Slip.PATH,
                    f"That is what comes back through {words.way(line, slot)}. Asked is another path.",
                    lambda draw, line=line, slot=slot: contribution_of(draw.trace, line, slot, subject.name),
                )
        yield self._value()

    def of_local(self) -> Iterator[Mistake]:
        """Yield the mistakes about a local derivative."""
        subject, graph, words = self._subject, self._graph, self._words
        name, reader = subject.name, subject.reader
        slots = [u.slot for u in graph.line_by_name[reader].uses if u.source == graph.ids[name]]
        if len(slots) == 1:
            yield from self._along(Subject(Aspect.CONTRIBUTION, name, reader, slots[0]), is_local=True)
        asked = f"Asked is the step through {words.line(reader)} alone."
        yield self._made(
            Slip.TOTAL,
            f"That is the gradient of {words.name(name)}, with everything up to the loss. {asked}",
            lambda draw: draw.trace.gradients[name],
        )
        for value in (reader, name):
            sentence = f"That is the value of {words.name(value)}, not a derivative."
            yield self._made(Slip.VALUE, sentence, lambda draw, value=value: draw.trace.values[value])

    def _along(self, path: Subject, is_local: bool = False) -> Iterator[Mistake]:
        """Yield what comes back along one use with a link altered."""
        places = path.use(self._graph).path
        for place in reversed(places):
            for alteration in self._possible(self._graph.nodes[place[0]], place[1]):
                fits = not alteration.changes_shape or (place == places[-1] and not is_local)
                if alteration.change != Change.SIGN and fits:
                    sentence = self._words.alteration(alteration)
                    along = _Along(path, alteration, self._graph, is_local)
                    yield self._made(alteration.change, sentence, along)

    def _made(self, kind: str, sentence: str, work_out: Callable[[Draw], Array]) -> Mistake:
        return made(self._subject, kind, sentence, work_out)


@dataclass(frozen=True)
class _Backward:
    """The gradient of a value by a backward pass with other rules."""

    name: str
    wanted: frozenset[int]
    rules: Rules

    def __call__(self, draw: Draw) -> Array:
        return gradients(draw.trace.graph, draw.trace.arrays, self.wanted, self.rules)[self.name]


class _LeavingOut:
    """The rule by which some uses of a value contribute nothing."""

    def __init__(self, places: frozenset[tuple[int, int]]) -> None:
        self._places = places

    def __call__(
        self, graph: Graph, node: Node, slot: int, values: Sequence[Array], upstream: Array
    ) -> Array:
        if (node.id, slot) in self._places:
            return np.zeros(shapes.sizes(graph.nodes[node.inputs[slot]].dims))
        return contribution(graph, node, slot, values, upstream)


@dataclass(frozen=True)
class _Along:
    """What comes back along one use of a value with one link altered; by itself, for a local derivative."""

    subject: Subject
    alteration: Alteration
    graph: Graph
    is_local: bool = False

    def __call__(self, draw: Draw) -> Array:
        found = draw.trace
        g = np.ones(found.values[self.subject.reader].shape)
        g = g if self.is_local else found.gradients[self.subject.reader]
        rules = altered_rules(self.alteration, self.graph)
        for node_id, slot in self.subject.use(self.graph).path:
            g = rules.contribute(self.graph, self.graph.nodes[node_id], slot, found.arrays, g)
        return g
