"""The nudge test of a session: which entry it is about, by how much, and as long as what it holds. No Qt."""

from __future__ import annotations

from engine.nudge import AnyNudge, nudge_any
from engine.trace import Step, Trace
from gui.viewdata import EdgeKey

__all__ = ["Nudging"]


class Nudging:
    """The last nudge test; it holds for the numbers that it was made with, at whatever step.

    Attributes
    ----------
    epsilon
        By how much the entry is moved.
    """

    def __init__(self) -> None:
        self.epsilon = 1e-4
        self._made: tuple[Trace, AnyNudge] | None = None
        self._picked: tuple[str, tuple[int, ...]] | None = None

    def pick(self, name: str, index: tuple[int, ...]) -> None:
        """Choose the entry of a node that a test of it is about."""
        self._picked = (name, index)

    def make(self, trace: Trace, name: str, entry: tuple[int, ...] | None) -> None:
        """Nudge the picked entry of `name`, or else `entry`, or else its first."""
        dims = trace.graph[name].dims
        picked = self._picked[1] if self._picked is not None and self._picked[0] == name else entry
        chosen = picked if picked is not None and len(picked) == len(dims) else (0,) * len(dims)
        index = tuple(min(i, d.size - 1) for i, d in zip(chosen, dims, strict=True))
        self._made = (trace, nudge_any(trace, name, index, self.epsilon))

    def repeat(self) -> None:
        """Nudge the same entry again, by what `epsilon` is now."""
        if self._made is not None:
            trace, made = self._made
            self._made = (trace, nudge_any(trace, made.name, made.index, self.epsilon))

    def forget(self) -> None:
        """Have no test."""
        self._made = None

    def shown(self, trace: Trace) -> AnyNudge | None:
        """Return the test, as long as the numbers are those that it was made with."""
        return self._made[1] if self._made is not None and self._made[0] is trace else None

    @staticmethod
    def subject(trace: Trace, step: Step | None, selection: str | EdgeKey | None) -> str:
        """Return what a test is about: the selection, what the step changes, the first parameter."""
        graph = trace.graph
        named = selection[0] if isinstance(selection, tuple) else selection
        candidates = [named, step.target if step is not None else None, *graph.parameters, *graph.inputs]
        return next((c for c in candidates if c in graph.ids), graph.loss)
