"""The stored-activation shelf: what forward puts away and backward takes, and what that costs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from engine.graph import Graph, Kind
from engine.storage import BYTES, Moment, Storage, replay, size_of
from engine.trace import Phase, Step
from graphs.views.curtain import FOR_NOW
from graphs.views.frame import Frame, Statics
from graphs.wording import capital, counted, listed

__all__ = [
    "Read",
    "ShelfView",
    "StoredRow",
    "bytes_text",
    "every_root",
    "has_storage",
    "is_same",
    "keep_storage",
    "plans",
    "shelf_view",
    "storage_of",
    "values_formula",
]

MOST_ROWS = 300
REMEMBERED = 6
"""Choices of what is recomputed whose plans are kept for a graph."""
STATES = {
    "future": "not yet worked out",
    "passing": "in use, will not be kept",
    "kept": "on the shelf",
    "read": "read now",
    "back": "worked out again",
    "gone": "forgotten",
    "done": "no longer needed",
}
"""What can be with a value, and in words."""


@dataclass(frozen=True)
class Read:
    """One reading of a value by a backward step.

    Attributes
    ----------
    words
        Whose gradient the step contributes to.
    position
        Where the timeline stands after the step.
    state
        "done", "current" or "future".
    """

    words: str
    position: int
    state: str


@dataclass(frozen=True)
class StoredRow:
    """One value that backward reads.

    Attributes
    ----------
    name, words
        The node, and what it is called.
    values, formula
        How many numbers it has, and as a formula in the number of examples, "4 m"; "" without examples. Where
        shapes are hidden, None and "".
    state
        A key of `STATES`; "anyway" for an input or a parameter; "" where what is with it would tell too much.
    is_kept
        Whether it is put away for backward, rather than worked out again.
    reads
        Who reads it, in the order of the steps; a question in place of all that are hidden.
    recomputed
        Where and how it is worked out again; "" for what is kept.
    again
        Where the timeline stands when it has been worked out again; 0 for what is kept.
    """

    name: str
    words: str
    shape: str
    dims: str
    values: int | None
    formula: str
    state: str
    is_kept: bool
    reads: tuple[Read, ...]
    recomputed: str = ""
    again: int = 0

    @property
    def current(self) -> bool:
        """Whether this step reads it."""
        return self.state == "read" or any(read.state == "current" for read in self.reads)

    @property
    def done(self) -> bool:
        """Whether it is there now."""
        return self.state in ("kept", "read", "back", "passing", "anyway")

    @property
    def phase(self) -> str:
        """The phase in which it is read."""
        return Phase.BACKWARD.value


@dataclass(frozen=True, eq=False)
class ShelfView:
    """The shelf at one place of the timeline.

    Attributes
    ----------
    rows, leaves
        Values that forward works out and backward reads, and inputs and parameters that it reads: those are
        there anyway, and not counted.
    sentence
        What this step puts away, takes, or works out again.
    note
        What is not kept, and why.
    held
        How many values are in memory now.
    kept, kept_formula
        How many are kept for backward in all, and as a formula in the number of examples.
    peak, peak_formula, peak_position
        The most that are in memory at any time, in numbers and as a formula, and after which step.
    usual
        The peak where everything is kept.
    extra, forward
        Operations that are done a second time, and those of the forward pass.
    history, usual_history
        The most values in memory during each step, so and with everything kept.
    is_covered
        Whether what is kept, or how many values that are, is still to be found out: `rows` are those that are
        known to be read, and everything counted is 0 or "".
    """

    rows: tuple[StoredRow, ...]
    leaves: tuple[StoredRow, ...]
    sentence: str
    note: str
    held: int
    kept: int
    kept_formula: str
    peak: int
    peak_formula: str
    peak_position: int
    usual: int
    extra: int
    forward: int
    history: tuple[int, ...]
    usual_history: tuple[int, ...]
    is_covered: bool = False


COVERED = ShelfView((), (), "", "", 0, 0, "", 0, "", 0, 0, 0, 0, (), (), is_covered=True)
"""A shelf of which nothing is told."""


def storage_of(frame: Frame, recomputed: frozenset[str] = frozenset()) -> Storage:
    """Return what is in memory at every step of a frame's trace; worked out once for a graph and a choice."""
    found = _known(frame, recomputed)
    return found or keep_storage(frame.statics, recomputed, _worked_out(frame, recomputed))


def _worked_out(frame: Frame, recomputed: frozenset[str]) -> Storage:
    return Storage(frame.trace, recomputed, frame.statics.derivation)


def _known(frame: Frame, recomputed: frozenset[str]) -> Storage | None:
    """Return the plan that is at hand; none where another optimizer has given the iteration other steps."""
    found = frame.statics.kept.get("storage", {}).get(recomputed)
    return found if found is not None and len(found.steps) == len(frame.trace.steps) else None


def keep_storage(statics: Statics, recomputed: frozenset[str], storage: Storage) -> Storage:
    """Have a plan at hand for every frame of a graph; return it."""
    known: dict[frozenset[str], Storage] = statics.kept.setdefault("storage", {})
    known[recomputed] = storage
    while len(known) > REMEMBERED:
        del known[next(choice for choice in known if choice)]  # the one that keeps everything stays
    return storage


def has_storage(frame: Frame, recomputed: frozenset[str] = frozenset()) -> bool:
    """Say whether :func:`shelf_view` answers at once."""
    return all(_known(frame, choice) is not None for choice in (recomputed, frozenset[str]()))


def plans(frame: Frame, recomputed: frozenset[str] = frozenset()) -> Iterator[tuple[frozenset[str], Storage]]:
    """Yield what :func:`shelf_view` needs, worked out from what does not change: for a thread."""
    for choice in dict.fromkeys((frozenset[str](), recomputed)):
        yield choice, _worked_out(frame, choice)


def every_root(storage: Storage) -> frozenset[str]:
    """Return what is recomputed where, of n values, every √n-th is kept: the usual compromise.

    A chain of n layers then needs about 2 √n values in memory rather than n, for one more forward pass.
    """
    names = [n for n in storage.graph.visible(storage.detail) if n in {*storage.kept, *storage.recomputed}]
    distance = max(1, round(len(names) ** 0.5))
    return frozenset(name for place, name in enumerate(names, 1) if place % distance)


def is_same(frame: Frame, storage: Storage) -> bool:
    """Say whether every contribution to every gradient comes out the same, to the last bit.

    An iteration is done anew with nothing but what is in memory.
    """
    trace = frame.trace
    leaves = {name: trace.values[name] for name in (*trace.graph.inputs, *trace.graph.parameters)}
    found = replay(storage, leaves).contributions
    parts = ((s.index, s.contribution) for s in trace.steps)
    return all(part is None or np.array_equal(found[i], part, equal_nan=True) for i, part in parts)


def shelf_view(frame: Frame, recomputed: frozenset[str] = frozenset()) -> ShelfView:
    """Return what the shelf shows at a frame, where some values are recomputed instead of kept."""
    usual, storage = storage_of(frame), storage_of(frame, recomputed)
    shelf, facts = _Shelf(frame, storage), _facts(frame.statics, storage)
    rows = tuple(shelf.row(name) for name in usual.kept[:MOST_ROWS] if shelf.tells(name))
    leaves = tuple(shelf.leaf(name) for name in facts.leaves[:MOST_ROWS] if shelf.tells(name))
    if frame.hides_readings or "shapes" in frame.curtain.names:
        return replace(COVERED, rows=rows, leaves=leaves, sentence=shelf.sentence())
    moments = storage.moments[: frame.position]
    return ShelfView(
        rows=rows,
        leaves=leaves,
        sentence=shelf.sentence(),
        note=facts.note,
        held=moments[-1].held if moments else 0,
        kept=facts.kept,
        kept_formula=facts.kept_formula,
        peak=storage.peak,
        peak_formula=facts.peak_formula,
        peak_position=storage.peak_index + 1,
        usual=usual.peak,
        extra=storage.extra,
        forward=storage.forward,
        history=facts.history,
        usual_history=_facts(frame.statics, usual).history,
    )


class _Facts:
    """What is the same at every step, of one choice of what is recomputed."""

    def __init__(self, statics: Statics, storage: Storage) -> None:
        graph = storage.graph
        kept = [graph.ids[name] for name in storage.kept]
        self._statics = statics
        self._storage = storage
        self.kept = sum(size_of(graph.nodes[i]) for i in kept)
        self.kept_formula = values_formula(graph, kept)
        self.peak_formula = values_formula(graph, storage.at_peak)
        self.leaves = [name for name in (*graph.inputs, *graph.parameters) if name in storage.readers]
        self.history = tuple(moment.peak for moment in storage.moments)
        self.note = self._note()
        self.rows: dict[str, tuple[object, StoredRow]] = {}  # the last one of each, and how it looked
        self._origins: dict[int, str] = {}

    def words(self, name: str) -> str:
        """Return what a node is called."""
        known: dict[str, str] = self._statics.kept.setdefault("words", {})
        if name not in known:
            known[name] = self._statics.wording.name(name)
        return known[name]

    def named(self, ids: Iterable[int]) -> list[str]:
        """Return what nodes are called."""
        return [self.words(self._storage.graph.nodes[i].name) for i in ids]

    def _note(self) -> str:
        storage, graph = self._storage, self._storage.graph
        shown = graph.visible(storage.detail)
        unread = [
            n for n in shown if graph[n].kind == Kind.OP and n not in storage.readers and n != graph.loss
        ]
        if not unread:
            return ""
        verb, them = ("are", "them") if len(unread) > 1 else ("is", "it")
        return f"{listed(map(self.words, unread))} {verb} not kept: no factor reads {them}."

    @cached_property
    def formulas(self) -> Mapping[str, str]:
        """How many values each node has, as a formula."""
        graph = self._storage.graph
        return {name: values_formula(graph, [graph.ids[name]]) for name in self._storage.readers}

    @cached_property
    def made_again(self) -> Mapping[int, int]:
        """The index of the step that works a value out again to read it, by id."""
        found: dict[int, int] = {}
        for step, moment in zip(self._storage.steps, self._storage.moments, strict=True):
            if step.phase == Phase.BACKWARD:
                for node_id in moment.worked_out:
                    if node_id not in moment.passing:
                        found.setdefault(node_id, step.index)
        return found

    def origin(self, index: int) -> str:
        """Say what a step works values out from, by way of which others, and in how many operations."""
        if index not in self._origins:
            storage = self._storage
            passing = storage.moments[index].passing
            origins = self.named(storage.origins(index))
            by_way = f", by way of {listed(self.named(sorted(passing)))}" if passing else ""
            made = f" from {listed(origins)}" if origins else ""
            count = counted(storage.operations_at(index), "operation")
            self._origins[index] = f"{made}{by_way}: {count}"
        return self._origins[index]


def _facts(statics: Statics, storage: Storage) -> _Facts:
    known: dict[Storage, _Facts] = statics.kept.setdefault("shelf", {})
    if storage not in known:
        if len(known) > REMEMBERED:
            known.clear()
        known[storage] = _Facts(statics, storage)
    return known[storage]


class _Shelf:
    """Says what is with each value at a place of the timeline."""

    def __init__(self, frame: Frame, storage: Storage) -> None:
        self._frame = frame
        self._storage = storage
        self._facts = _facts(frame.statics, storage)
        self._graph = storage.graph
        self._held = storage.held_after(frame.position)
        self._kept = frozenset(storage.kept)
        self._hides = frame.curtain.hides_factor(frame.step)
        self._hides_some = frame.hides_readings

    # --- rows ---

    def row(self, name: str) -> StoredRow:
        """Return a value that forward works out; the last one where it looks as it did."""
        return self._remembered(name, self._state(name))

    def leaf(self, name: str) -> StoredRow:
        """Return an input or a parameter."""
        return self._remembered(name, "anyway")

    def tells(self, name: str) -> bool:
        """Say whether it is known that a value is read."""
        return not self._hides_some or any(map(self._is_told, self._storage.readers.get(name, ())))

    def _is_told(self, index: int) -> bool:
        """Say whether it is known what a backward step reads."""
        frame = self._frame
        return not frame.curtain.hides_reading(frame.trace.steps[index], frame.position)

    def _remembered(self, name: str, state: str) -> StoredRow:
        position, reads = self._frame.position, self._storage.readers.get(name, ())
        taken = bisect_left(reads, position)
        is_now = taken > 0 and reads[taken - 1] == position - 1
        told = tuple(map(self._is_told, reads)) if self._hides_some else ()
        looks = (state, taken, is_now, told, "shapes" in self._frame.curtain.names)
        known = self._facts.rows.get(name)
        if known is None or known[0] != looks:
            is_kept = state == "anyway" or name in self._kept
            row = self._row(name, state, is_kept)
            known = self._facts.rows[name] = (looks, row)
        return known[1]

    def _row(self, name: str, state: str, is_kept: bool) -> StoredRow:
        shape, dims = self._frame.statics.shapes_of(name)
        tells_nothing = is_kept or self._hides_some
        hides = "shapes" in self._frame.curtain.names
        return StoredRow(
            name=name,
            words=self._facts.words(name),
            shape="?" if hides else shape or "scalar",
            dims="" if hides else dims,
            values=None if hides else size_of(self._graph[name]),
            formula="" if hides else self._facts.formulas[name],
            state=state,
            is_kept=is_kept,
            reads=tuple(self._reads(name)),
            recomputed="" if tells_nothing else self._recomputed(name),
            again=0 if tells_nothing else self._facts.made_again.get(self._graph.ids[name], -1) + 1,
        )

    def _state(self, name: str) -> str:
        node_id, position = self._graph.ids[name], self._frame.position
        step = self._moment
        if name not in self._frame.statics.titles or not self._is_worked_out(name):
            return "future"
        is_read = step is not None and node_id in step.reads and not self._hides
        if is_read:
            return "read"
        if self._hides_some:  # when it is not needed any more, or needed again, tells what comes
            return "kept" if name in self._kept else ""
        if node_id in self._held:
            if name in self._kept:
                return "kept"
            return "back" if self._is_backward else "passing"
        return "gone" if self._storage.last_read[node_id] >= position else "done"

    def _is_worked_out(self, name: str) -> bool:
        return self._forward_index[name] < self._frame.position

    @property
    def _forward_index(self) -> Mapping[str, int]:
        found = self._frame.statics.kept.get("worked out at")
        if found is None:
            steps = (s for s in self._storage.steps if s.phase == Phase.FORWARD)
            found = self._frame.statics.kept["worked out at"] = {s.node: s.index for s in steps}
        return found

    @property
    def _is_backward(self) -> bool:
        return self._frame.phase in (Phase.SEED.value, Phase.BACKWARD.value)

    def _reads(self, name: str) -> Iterable[Read]:
        position = self._frame.position
        for index in self._storage.readers.get(name, ()):
            if self._hides_some and not self._is_told(index):
                continue
            state = "current" if index == position - 1 else "done" if index < position else "future"
            yield Read(self._facts.words(self._storage.steps[index].target), index + 1, state)
        if self._hides_some:
            yield Read("?", 0, "future")

    def _recomputed(self, name: str) -> str:
        if name in self._kept:
            return ""
        node_id = self._graph.ids[name]
        index = self._facts.made_again.get(node_id)
        return "" if index is None else f"worked out again at step {index + 1}{self._facts.origin(index)}"

    # --- words ---

    @property
    def _moment(self) -> Moment | None:
        position = self._frame.position
        return self._storage.moments[position - 1] if position else None

    def sentence(self) -> str:
        step, moment = self._frame.step, self._moment
        if step is None or moment is None:
            return "Nothing is put away yet."
        if step.phase == Phase.FORWARD:
            if self._hides_some:
                return self._asks(f"Will a factor read {self._facts.words(step.node)}?")
            return " ".join(filter(None, (self._put_away(step), self._freed(moment, step.node))))
        if step.phase == Phase.SEED:
            return "Forward is done: what is on the shelf now is all that backward has of it."
        if step.phase == Phase.UPDATE:
            return "Backward is done: nothing of forward is needed any more."
        if self._hides:
            return self._asks("Which stored values does this factor read?")
        freed = "" if self._hides_some else self._freed(moment)
        return " ".join(filter(None, (self._again(step), self._taken(moment), freed)))

    def _asks(self, question: str) -> str:
        """Ask where the step asks; elsewhere say that it is covered."""
        return question if self._frame.curtain.asks else f"What factors read is {FOR_NOW}."

    def _put_away(self, step: Step) -> str:
        name, words = step.node, capital(self._facts.words(step.node))
        if name in self._kept:
            times = len(self._storage.readers[name])
            return f"{words} is put away: {counted(times, 'backward step')} will read it."
        if name in self._storage.recomputed:
            return f"{words} is not put away: backward will work it out again."
        if name == self._graph.loss:
            return f"{words} is the result; no factor reads it."
        return f"No factor reads {words}: it goes when forward has used it."

    def _again(self, step: Step) -> str:
        made = self._storage.moments[step.index].worked_out
        if not made:
            return ""
        passing = self._storage.moments[step.index].passing
        named = listed(self._facts.named(i for i in made if i not in passing))
        verb = "are" if len(made) - len(passing) > 1 else "is"
        return capital(f"{named} {verb} worked out again{self._facts.origin(step.index)}.")

    def _taken(self, moment: Moment) -> str:
        values = [i for i in sorted(moment.reads) if self._graph.nodes[i].kind == Kind.OP]
        leaves = [i for i in sorted(moment.reads) if i not in values]
        if values:
            return f"The factor reads {listed(self._facts.named([*values, *leaves]))}."
        if leaves:
            verb = "is" if len(leaves) == 1 else "are"
            return f"The factor reads {listed(self._facts.named(leaves))}, which {verb} there anyway."
        return "This factor reads no stored value."

    def _freed(self, moment: Moment, own: str = "") -> str:
        named = [
            self._facts.words(n.name)
            for n in map(self._graph.nodes.__getitem__, moment.freed)
            if n.name != own
        ]
        if not named:
            return ""
        verb = "are" if len(named) > 1 else "is"
        return capital(f"{listed(named)} {verb} not needed any more.")


# --- numbers -----------------------------------------------------------------------------------------------


def values_formula(graph: Graph, ids: Iterable[int]) -> str:
    """Return how many values arrays have as a formula in the number of examples: "5 m + 1".

    "" where none of them has the examples among its axes.
    """
    counts: dict[int, int] = {}
    symbol = ""
    for node_id in ids:
        dims = graph.nodes[node_id].dims
        examples = [dim for dim in dims if dim.examples]
        symbol = symbol or next((dim.name for dim in examples), "")
        rest = prod(dim.size for dim in dims if not dim.examples)
        counts[len(examples)] = counts.get(len(examples), 0) + rest
    if not any(counts):
        return ""
    return " + ".join(_term(counts[power], symbol, power) for power in sorted(counts, reverse=True))


def _term(count: int, symbol: str, power: int) -> str:
    if not power:
        return str(count)
    raised = symbol + ("²" if power == 2 else f"^{power}" if power > 2 else "")
    return raised if count == 1 else f"{count} {raised}"


def bytes_text(values: int) -> str:
    """Return how much room values take: "5.3 kB".

    Examples
    --------
    >>> bytes_text(4), bytes_text(665), bytes_text(2_000_000)
    ('32 B', '5.3 kB', '16.0 MB')
    """
    room = float(values * BYTES)
    if room < 1000:
        return f"{int(room)} B"
    for unit in ("kB", "MB", "GB"):
        room /= 1000
        if room < 1000:
            return f"{room:.1f} {unit}"
    return f"{room:.0f} GB"
