"""CSV for spreadsheets: runs, one iteration a row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.training import Run
from graphs.documents import Format, Options, Scope
from graphs.provenance import provenance
from graphs.snapshot import Snapshot

__all__ = ["FORMAT", "entry_names", "runs_csv", "train_csv"]

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


# --- runs side by side -------------------------------------------------------------------------------------

COLUMNS = ("run", "iteration", "loss", "learning_rate", "held_out_loss", "gradient_norm")


def runs_csv(runs: Mapping[str, Run], said: Mapping[str, str]) -> str:
    """Return runs as one table, a row for each iteration of each run.

    Held-out loss and gradient norm stand where they were sampled, and are empty elsewhere. What the file says
    about itself stands in the first row of a last column, ``about``: a spreadsheet shows it, and readers that
    go by the columns' names are not disturbed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [name for name in COLUMNS if name != "held_out_loss" or any(map(_has_held, runs.values()))]
    writer.writerow([*columns, "about"])
    about = _cell("; ".join(f"{key}: {value}" for key, value in said.items()))
    for row in (row for name, run in runs.items() for row in _rows_of(name, run)):
        writer.writerow([*(row[name] for name in columns), about])
        about = ""
    return out.getvalue()


def _has_held(run: Run) -> bool:
    return bool(np.isfinite(run.history.samples.numbers[:, 0]).any())


def _rows_of(name: str, run: Run) -> Iterator[dict[str, object]]:
    samples = run.history.samples
    sampled = dict(zip(samples.iterations.tolist(), samples.numbers.tolist(), strict=True))
    for i, loss in enumerate(run.losses.tolist()):
        held, norm = sampled.get(i, (math.nan, math.nan))
        rate = run.recipe.settings_at(i)["learning_rate"]
        numbers = (
            _cell(name),
            i,
            loss,
            rate,
            "" if math.isnan(held) else held,
            "" if math.isnan(norm) else norm,
        )
        yield dict(zip(COLUMNS, numbers, strict=True))


def _cell(text: str) -> str:
    """Return text that a spreadsheet does not take for a formula."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain


def _write(snapshot: Snapshot, _: Options) -> str:
    run = snapshot.run or Run(snapshot.model, snapshot.recipe)
    return runs_csv(snapshot.runs or {snapshot.recipe.title(): run}, provenance(snapshot, scope=Scope.RUN))


FORMAT = Format("csv", "CSV of the runs", (".csv",), _write, Scope.RUN)
