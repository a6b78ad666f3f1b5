"""The place in one iteration: how many of its steps have been taken, and what is known then. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from engine.faults import fault_of
from engine.graph import Detail, Graph
from engine.trace import State, Step, Trace
from engine.training import Run
from gui.viewdata import Statics

__all__ = ["Ready", "Timeline"]

MOST_STATICS = 8
"""Graphs whose equations are kept: those of mini-batches of several sizes, and what undo goes back to."""


class Ready(NamedTuple):
    """The steps of an iteration, worked out before anybody asks, and what is the same at all of them."""

    run: Run
    iteration: int
    trace: Trace
    statics: Statics | None = None


class Timeline:
    """The steps of one iteration with a place among them; there is none before the first :meth:`show`.

    Attributes
    ----------
    trace
        All steps of the iteration.
    position
        How many of them have been taken.
    state
        What is known then.
    """

    def __init__(self) -> None:
        self._statics: dict[tuple[Any, ...], Statics] = {}
        self._ready: Ready | None = None

    def expect(self, ready: Ready) -> None:
        """Take steps that have been worked out already, for who is about to show them."""
        self._ready = ready
        if ready.statics is not None:
            self._keep(ready.run, ready.statics)

    def expected(self, run: Run, iteration: int, graph: Graph, detail: Detail) -> Trace | None:
        """Return those steps, once, where they are of this iteration; None where there are none."""
        ready, self._ready = self._ready, None
        if ready is None or ready.run is not run or ready.iteration != iteration:
            return None
        is_shown = ready.trace.graph is graph and ready.trace.detail == detail
        return ready.trace if is_shown else None

    def show(self, trace: Trace, position: int) -> None:
        """Stand among other steps: those of another iteration, or of other numbers."""
        self.trace = trace
        self.stand(position)

    def stand(self, position: int) -> None:
        """Stand after `position` steps, worked out from the start."""
        self.position = self._inside(position)
        self.state: State = self.trace.state(self.position)

    def go(self, position: int) -> None:
        """Apply or revert steps until `position` of them have been taken."""
        position = self._inside(position)
        while self.position < position:
            self.state.apply(self.trace.steps[self.position])
            self.position += 1
        while self.position > position:
            self.position -= 1
            self.state.revert(self.trace.steps[self.position])

    def _inside(self, position: int) -> int:
        return max(0, min(position, self.length))

    @property
    def length(self) -> int:
        """How many steps the iteration has."""
        return len(self.trace.steps)

    @property
    def is_at_end(self) -> bool:
        """Whether all of them have been taken."""
        return self.position == self.length

    def beyond(self, direction: int, differs: Callable[[Step, Step], bool]) -> int | None:
        """Return the next place after which the step differs: what belongs together is taken at once.

        None at the end that `direction` leads to.
        """
        steps = self.trace.steps
        if self.position == (len(steps) if direction > 0 else 0):
            return None
        position = self.position + direction
        while 0 < position < len(steps) and not differs(steps[position - 1], steps[position]):
            position += direction
        return position

    def statics(self, run: Run) -> Statics:
        """Return what does not change while stepping through a run; kept for every graph and fault."""
        graph, detail = self.trace.graph, self.trace.detail
        found = self.known(graph, detail, run)
        return found or self._keep(run, Statics(graph, detail, run.derivation))

    def known(self, graph: Graph, detail: Detail, run: Run) -> Statics | None:
        """Return what does not change while stepping through a graph, where that has been worked out."""
        found = self._statics.get(_key(graph, detail, run))
        return found if found is not None and found.graph is graph else None

    def _keep(self, run: Run, statics: Statics) -> Statics:
        if len(self._statics) > MOST_STATICS:
            self._statics.clear()
        self._statics[_key(statics.graph, statics.detail, run)] = statics
        return statics


def _key(graph: Graph, detail: Detail, run: Run) -> tuple[Any, ...]:
    return id(graph), detail.value, fault_of(run)
