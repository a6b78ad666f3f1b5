"""CSV of runs: read back by another reader, each number stands in its column."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from engine.training import Recipe, Run
from graphs.documents import Options, Scope, formats
from graphs.network import bind, built_in_names, load
from graphs.provenance import provenance
from graphs.snapshot import Snapshot


def rows_of(snapshot: Snapshot) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(formats()["csv"].write(snapshot, Options()))))


def trained(recipe: Recipe, iterations: int, held_out: float = 0.0) -> Snapshot:
    model = bind(replace(load("perceptron-classifier"), held_out=held_out))
    run = Run(model, recipe)
    run.advance(iterations)
    return Snapshot.of(run, model)


def test_a_run_is_a_row_for_each_iteration() -> None:
    snapshot = trained(Recipe("adam", batch_size=32, schedule="cosine"), 300, held_out=0.2)
    rows, run = rows_of(snapshot), snapshot.run
    assert run is not None
    assert [int(row["iteration"]) for row in rows] == list(range(301))
    assert [float(row["loss"]) for row in rows] == run.losses.tolist()
    assert [float(row["learning_rate"]) for row in rows] == [
        run.recipe.settings_at(i)["learning_rate"] for i in range(301)
    ]
    samples = run.history.samples
    known = [row for row in rows if row["gradient_norm"]]
    assert [int(row["iteration"]) for row in known] == samples.iterations.tolist()
    np.testing.assert_array_equal(
        [[float(row["held_out_loss"]), float(row["gradient_norm"])] for row in known], samples.numbers
    )


@pytest.mark.parametrize("name", built_in_names())
def test_the_run_of_every_network_is_read(name: str) -> None:
    model = bind(load(name))
    run = Run(model, model.network.training.recipe)
    run.advance(12)
    rows = rows_of(Snapshot.of(run, model))
    assert [float(row["loss"]) for row in rows] == run.losses.tolist()


def test_without_held_out_examples_there_is_no_column_of_their_loss() -> None:
    assert "held_out_loss" not in rows_of(trained(Recipe(), 5))[0]


def test_runs_side_by_side_are_told_apart_by_name() -> None:
    first, second = trained(Recipe("gd"), 9), trained(Recipe("adam"), 4)
    assert first.run is not None
    assert second.run is not None
    rows = rows_of(replace(first, runs={"GD, η 0.1": first.run, "=HYPERLINK(1)": second.run}))
    assert [row["run"] for row in rows] == ["GD, η 0.1"] * 10 + ["'=HYPERLINK(1)"] * 5
    assert [int(row["iteration"]) for row in rows] == [*range(10), *range(5)]


def test_the_first_row_says_where_the_table_comes_from() -> None:
    snapshot = trained(Recipe(), 3)
    rows = rows_of(snapshot)
    about = provenance(snapshot, scope=Scope.RUN)
    assert about["Iteration"] == "0 to 3"
    assert rows[0]["about"] == "; ".join(f"{key}: {value}" for key, value in about.items())
    assert list(rows[0]) == ["run", "iteration", "loss", "learning_rate", "gradient_norm", "about"]
    assert not any(row["about"] for row in rows[1:])
