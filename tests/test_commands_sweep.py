"""``sweep``: learning rates against the final loss, in processes or on a Dask cluster, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
from graphs.commands import workers

Caught = pytest.CaptureFixture[str]
U = "univariate-regression"
ROOT = Path(__file__).parents[1]


def swept(capsys: Caught, *argv: str) -> dict[str, Any]:
    assert command_line.main(["sweep", *argv, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_every_rate_comes_to_what_train_comes_to(capsys: Caught) -> None:
    options = (
        "two-layer-nonlinear",
        "--optimizer",
        "adam",
        "--batch-size",
        "16",
        "--seed",
        "4",
        "--steps",
        "40",
    )
    found = swept(capsys, *options, "--rates", "0.001,0.05", "--workers", "1")
    assert (found["network"], found["seed"], found["optimizer"], found["steps"]) == (
        options[0],
        4,
        "adam",
        40,
    )
    for entry in found["rates"]:
        argv = ["train", *options, "--learning-rate", repr(entry["rate"]), "--format", "json"]
        assert command_line.main(argv) == 0
        losses = json.loads(capsys.readouterr().out)["loss"]
        assert (entry["start"], entry["loss"]) == (losses[0], losses[-1])


def test_processes_and_this_process_find_the_same(capsys: Caught) -> None:
    options = (U, "--points", "5", "--rates", "0.01..10")
    assert swept(capsys, *options, "--workers", "2") == swept(capsys, *options, "--workers", "1")


def test_rates_above_the_limit_are_seen_and_said_to_diverge(capsys: Caught) -> None:
    argv = ["sweep", U, "--rates", "0.5,0.99,1.01,1.5", "--steps", "5000", "--workers", "1"]
    assert command_line.main(argv) == 0
    text = capsys.readouterr().out
    assert "The loss is quadratic: learning rates above 2/λmax = 1 diverge.\n" in text
    rows = [line for line in text.splitlines() if line[:4] in ("0.5 ", "0.99", "1.01", "1.5 ")]
    assert [("diverg" in row) for row in rows] == [False, False, True, True]
    assert "diverging: above the limit" in rows[2]
    assert "diverged at iteration" in rows[3]
    assert text.rstrip().splitlines()[-1] == (
        "2 rates from 0.5 to 0.99 reach the lowest loss, 0.3489; from 1.01 on training diverges."
    )


def test_a_rate_above_the_limit_diverges_however_few_the_steps(capsys: Caught) -> None:
    """Two directions, of which the flatter one brings the loss down first."""
    argv = [U, "--set", "x=[2, 2, 2, -1]", "--set", "y=[-1, -1, -1, 9]", "--set", "w=0", "--set", "b=0"]
    limit = swept(capsys, *argv, "--rates", "0.1,0.2", "--workers", "1")["limit"]["rate"]
    rates = ",".join(repr(limit * share) for share in (0.5, 1, 1 + 1e-6, 1.5))
    found = swept(capsys, *argv, "--rates", rates, "--steps", "2", "--workers", "1")
    assert [r["outcome"] for r in found["rates"]] == ["trained", "oscillating", "diverging", "diverging"]
    assert [r["loss"] < r["start"] for r in found["rates"]][:3] == [True] * 3
    assert found["best"] == [limit * 0.5]
    assert (
        f"; at {limit:.4g}, the limit itself, training goes to and fro for ever, and from "
        in found["sentence"]
    )
    assert found["sentence"].endswith(" on training diverges.")
    argv = ["sweep", *argv, "--rates", repr(1.5 * limit), "--steps", "1", "--workers", "1"]
    assert command_line.main(argv) == 0
    text = capsys.readouterr().out
    assert "diverging: above the limit" in text
    assert "None of 1 learning rate converges; from" in text


def test_the_limit_is_in_the_json(capsys: Caught) -> None:
    limit = swept(capsys, U, "--rates", "0.1,0.2", "--workers", "1")["limit"]
    assert (limit["rate"], limit["curvature"]) == (pytest.approx(1.0), pytest.approx(2.0))
    limit = swept(capsys, "two-layer-linear", "--rates", "0.1,0.2", "--steps", "2", "--workers", "1")["limit"]
    assert limit["rate"] is None
    assert "not quadratic" in limit["reason"]


def test_what_is_not_given_comes_from_the_network(capsys: Caught) -> None:
    found = swept(capsys, U, "--workers", "1")
    rates = [entry["rate"] for entry in found["rates"]]
    assert (found["steps"], len(rates), rates[0], rates[-1]) == (100, 25, 0.001, 10.0)
    np.testing.assert_allclose(np.diff(np.log(rates)), np.log(1e4) / 24, rtol=1e-9)


def test_csv_has_a_row_for_each_rate(capsys: Caught) -> None:
    assert command_line.main(["sweep", U, "--rates", "0.1,1000", "--format", "csv", "--workers", "1"]) == 0
    first, second = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (first["learning_rate"], first["outcome"], first["diverged_at"]) == ("0.1", "trained", "")
    assert (second["learning_rate"], second["outcome"]) == ("1000.0", "diverged")
    assert int(second["diverged_at"]) == int(second["iterations"]) > 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--rates", "1..x"], "is neither 0.001..10 nor 0.1,0.5"),
        (["--rates", "0.1,nan"], "is neither 0.001..10 nor 0.1,0.5"),
        (["--rates", "10..1"], "cannot run from 10 to 1"),
        (["--rates", "0..1"], "cannot run from 0 to 1"),
        (["--rates", "0.1,-1"], "learning rate cannot be"),
        (["--points", "1"], "the least is 2"),
        (["--steps", "0"], "the least is 1"),
        (["--workers", "0"], "the least is 1"),
        (["--optimizer", "newton"], "there is no optimizer newton"),
        (["--batch-size", "51"], "51"),
        (["--scheduler", "here"], "here is not an address"),
        (["--scheduler", "tcp://127.0.0.1:123456"], "is not an address"),
    ],
)
def test_what_cannot_be_is_one_sentence(argv: list[str], words: str, capsys: Caught) -> None:
    assert command_line.main(["sweep", U, *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("backstep: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C is another thing there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_ended_leaves_no_process_behind(how: int) -> None:
    """The workers hold the write ends of these pipes: they are at their end when all have gone."""
    argv = [
        sys.executable,
        "main.py",
        "sweep",
        "two-layer-nonlinear",
        "--steps",
        "10000000",
        "--workers",
        "2",
    ]
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while children.exists() and len(children.read_text().split()) < 3 and process.poll() is None:
            os.sched_yield()  # until the workers are there
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does: to all of them
        else:
            process.kill()
        out, err = process.communicate(timeout=30)
    assert out == ""
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    assert err == "" or how == signal.SIGKILL  # Python's own tracker notes what was not given back


# --- Dask --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Return the address of a Dask cluster on this machine: two worker processes, no dashboard."""
    from distributed import LocalCluster

    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    cluster: Any = LocalCluster(**options)
    with cluster:
        yield cluster.scheduler_address


def test_a_dask_cluster_finds_the_same(scheduler: str, capsys: Caught) -> None:
    options = ("two-layer-nonlinear", "--rates", "0.01..10000", "--points", "7", "--steps", "60")
    assert swept(capsys, *options, "--scheduler", scheduler) == swept(capsys, *options, "--workers", "1")


def test_a_second_sweep_on_the_same_cluster_is_worked_out_anew(scheduler: str, capsys: Caught) -> None:
    options = ("--rates", "0.1,0.2", "--scheduler", scheduler)
    first = swept(capsys, U, *options)
    assert swept(capsys, U, *options) == first
    assert swept(capsys, U, *options, "--set", "w=2.5")["rates"] != first["rates"]


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Caught) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    assert command_line.main(["sweep", U, "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == (
        "backstep: no Dask scheduler answers at tcp://127.0.0.1:9. Start one with dask scheduler; it prints "
        "its address, such as tcp://127.0.0.1:8786.\n"
    )


def test_without_dask_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: Caught) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as where it is not installed
    assert command_line.main(["sweep", U, "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == (
        "backstep: Dask is not installed. Install it with pip install distributed, or leave out "
        "--scheduler.\n"
    )
