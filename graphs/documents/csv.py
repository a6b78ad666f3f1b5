"""CSV for spreadsheets: a run, one iteration a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.training import Run
from graphs.documents import Format, Options, Scope
from graphs.snapshot import Snapshot

__all__ = ["FORMAT", "entry_names", "train_csv"]

Array = np.ndarray
Trajectory = Mapping[str, Sequence[Array]]


def train_csv(run: Run, trajectory: Trajectory | None = None) -> str:
    """Return a run as CSV: iteration, loss before it, learning rate in it, and the parameters if wanted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    recorded = trajectory or {}
    names = [entry for name, values in recorded.items() for entry in entry_names(name, values[0].shape)]
    writer.writerow(["iteration", "loss", "learning_rate", *names])
    writer.writerows(_rows(run, recorded))
    return out.getvalue()


def _rows(run: Run, recorded: Trajectory) -> Iterator[list[object]]:
    for i, loss in enumerate(run.losses.tolist()):
        entries = [entry for values in recorded.values() for entry in np.ravel(values[i]).tolist()]
        yield [i, loss, run.recipe.settings_at(i)["learning_rate"], *entries]


def entry_names(name: str, shape: Sequence[int]) -> list[str]:
    """Return the names of an array's entries, row by row.

    Examples
    --------
    >>> entry_names("W", (2, 2)), entry_names("b", ())
    (['W[0,0]', 'W[0,1]', 'W[1,0]', 'W[1,1]'], ['b'])
    """
    return [f"{name}[{','.join(map(str, index))}]" if index else name for index in np.ndindex(*shape)]


def _write(snapshot: Snapshot, _: Options) -> str:
    run = snapshot.run or Run(snapshot.model, snapshot.recipe)
    return train_csv(run)


FORMAT = Format("csv", "CSV of the run", (".csv",), _write, Scope.RUN)
