"""A NumPy script of the iteration."""

from __future__ import annotations

from graphs.documents import Format, Options
from graphs.iteration_script import Iteration, numpy_script
from graphs.snapshot import Snapshot

__all__ = ["FORMAT"]


def _write(snapshot: Snapshot, _: Options) -> str:
    chosen = (snapshot.optimizer, snapshot.settings)
    iteration = Iteration(snapshot.title, snapshot.trace, *chosen, snapshot.iteration, snapshot.batch)
    return numpy_script(iteration).text


FORMAT = Format("numpy", "NumPy script", (".py",), _write)
