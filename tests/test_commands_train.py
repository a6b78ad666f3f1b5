"""``train``: the JSON contract, defaults from the network, mini-batches, and runs that diverge."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from graphs.network import built_in_names

Caught = pytest.CaptureFixture[str]
U = "univariate-regression"


def trained(capsys: Caught, *argv: str, code: int = 0) -> dict[str, Any]:
    assert command_line.main(["train", *argv, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def traced(capsys: Caught, *argv: str) -> dict[str, Any]:
    assert command_line.main(["trace", *argv, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", built_in_names())
def test_the_json_keeps_its_contract(name: str, capsys: Caught) -> None:
    found = trained(capsys, name, "--steps", "7", "--seed", "3")
    assert set(found) == {"network", "optimizer", "seed", "steps", "loss", "parameters", "settings"}
    assert (found["network"], found["optimizer"], found["seed"], found["steps"]) == (name, "gd", 3, 7)
    assert len(found["loss"]) == 8
    assert found["loss"][-1] < found["loss"][0]
    first = traced(capsys, name, "--seed", "3")
    assert found["loss"][0] == pytest.approx(first["loss"], rel=1e-14)
    shapes = {key: np.shape(value) for key, value in found["parameters"].items()}
    assert shapes == {key: np.shape(first["values"][key]) for key in shapes}


def test_a_step_is_the_gradient_times_the_learning_rate(capsys: Caught) -> None:
    found = trained(capsys, "two-layer-linear", "--steps", "1", "--learning-rate", "0.03")
    first = traced(capsys, "two-layer-linear")
    for name, value in found["parameters"].items():
        expected = np.array(first["values"][name]) - 0.03 * np.array(first["gradients"][name])
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15)


def test_the_trajectory_runs_from_before_the_first_step_to_after_the_last(capsys: Caught) -> None:
    found = trained(capsys, U, "--steps", "5", "--trajectory")
    assert {name: len(values) for name, values in found["trajectory"].items()} == {"w": 6, "b": 6}
    assert {name: values[-1] for name, values in found["trajectory"].items()} == found["parameters"]
    assert found["trajectory"]["w"][0] == -0.5
    plain = trained(capsys, U, "--steps", "5")
    assert plain["loss"] == found["loss"]
    for i, (w, b) in enumerate(zip(found["trajectory"]["w"], found["trajectory"]["b"], strict=True)):
        again = traced(capsys, U, "--set", f"w={w!r}", "--set", f"b={b!r}")
        assert again["loss"] == pytest.approx(found["loss"][i], rel=1e-14)


def test_what_is_not_given_comes_from_the_network(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'formula = "L = mean((w * x - 1)**2)"\n[parameters]\nw = 0.0\n[data]\nx = [1.0, 2.0, 3.0]\n'
        "[training]\nlearning_rate = 0.01\nsteps = 9\nbatch_size = 2\n"
    )
    found = trained(capsys, str(path))
    assert found["steps"] == 9
    assert found == trained(capsys, str(path), "--learning-rate", "0.01", "--steps", "9", "--batch-size", "2")
    assert found["loss"] != trained(capsys, str(path), "--batch-size", "3")["loss"]


def test_the_same_seed_gives_the_same_run(capsys: Caught) -> None:
    options = ("two-layer-nonlinear", "--steps", "30", "--batch-size", "16")
    first = trained(capsys, *options, "--seed", "5")
    assert first == trained(capsys, *options, "--seed", "5")
    assert first["loss"] != trained(capsys, *options, "--seed", "6")["loss"]


def test_a_batch_of_everything_is_full_batch(capsys: Caught) -> None:
    whole = trained(capsys, U, "--steps", "20")
    np.testing.assert_allclose(
        trained(capsys, U, "--steps", "20", "--batch-size", "50")["loss"], whole["loss"]
    )


def test_a_diverging_run_is_said_and_what_was_recorded_is_valid_json(capsys: Caught) -> None:
    argv = ["train", U, "--learning-rate", "1000", "--trajectory", "--format", "json"]
    assert command_line.main(argv) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "no longer a finite number; try a smaller learning rate" in err
    found = json.loads(out, parse_constant=pytest.fail)
    assert found["loss"][-1] is None
    assert found["steps"] + 1 == len(found["loss"]) == len(found["trajectory"]["w"])
    assert found["notices"][0] in err


def test_a_diverging_run_keeps_its_text(capsys: Caught) -> None:
    assert command_line.main(["train", U, "--learning-rate", "1000"]) == 1
    out, err = capsys.readouterr()
    assert "inf" in out
    assert err.startswith("backstep: Training stopped at iteration ")


def test_the_text_shows_some_losses_and_the_parameters(capsys: Caught) -> None:
    assert command_line.main(["train", U, "--steps", "1000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "learning rate 0.1" in "".join(lines)
    start = next(i for i, line in enumerate(lines) if line.startswith("step"))
    steps = [line.split()[0] for line in lines[start + 1 : start + 12]]
    assert steps == [str(100 * i) for i in range(11)]
    assert lines[-2].startswith("w ")


def test_least_squares_is_where_training_ends(capsys: Caught) -> None:
    found = trained(capsys, "multivariate-regression", "--steps", "3000")
    values = traced(capsys, "multivariate-regression")["values"]
    X, y = np.array(values["X"]), np.array(values["y"])
    rows = np.vstack([X, np.ones(X.shape[1])])
    best, *_ = np.linalg.lstsq(rows.T, y[0], rcond=None)
    np.testing.assert_allclose(found["parameters"]["w"], [best[:-1]], atol=1e-8)
    np.testing.assert_allclose(found["parameters"]["b"], best[-1], atol=1e-8)


# --- optimizers, schedules, stopping -----------------------------------------------------------------------


def test_every_hyperparameter_is_an_option(capsys: Caught) -> None:
    options = ("--momentum", "0.8", "--dampening", "0", "--learning-rate", "0.02", "--steps", "5")
    found = trained(capsys, U, "--optimizer", "momentum", *options)
    assert found["optimizer"] == "momentum"
    assert found["settings"] == {
        "optimizer": "momentum",
        "learning_rate": 0.02,
        "momentum": 0.8,
        "dampening": 0.0,
    }
    adam = ("--beta1", "0.5", "--beta2", ".9", "--epsilon", "1e-6")
    settings = trained(capsys, U, "--optimizer", "adam", *adam, "--steps", "2")["settings"]
    assert (settings["beta1"], settings["beta2"], settings["epsilon"]) == (0.5, 0.9, 1e-6)
    assert (
        trained(capsys, U, "--optimizer", "rmsprop", "--rho", "0.5", "--steps", "2")["settings"]["rho"] == 0.5
    )


def test_a_heavy_ball_is_worked_out_by_hand(capsys: Caught) -> None:
    ball = ("--optimizer", "momentum", "--momentum", "0.5", "--dampening", "0", "--learning-rate", "0.1")
    found = trained(capsys, U, *ball, "--steps", "2", "--trajectory")["trajectory"]["w"]
    gradients = [traced(capsys, U, "--set", f"w={w!r}")["gradients"]["w"] for w in found[:2]]
    first = found[0] - 0.1 * gradients[0]
    second = first - 0.1 * (0.5 * gradients[0] + gradients[1])
    assert found[1:] == pytest.approx([first, second], rel=1e-12)


def test_nesterov_as_a_flag_is_the_optimizer(capsys: Caught) -> None:
    own = trained(capsys, U, "--optimizer", "nesterov", "--momentum", "0.8", "--steps", "9")
    for flag in (["--optimizer", "momentum", "--nesterov"], ["--nesterov"]):
        assert trained(capsys, U, *flag, "--momentum", "0.8", "--steps", "9") == own
    assert (
        own["loss"]
        != trained(capsys, U, "--optimizer", "momentum", "--momentum", "0.8", "--steps", "9")["loss"]
    )


def test_another_optimizer_than_the_networks_has_its_own_learning_rate(capsys: Caught) -> None:
    settings = trained(capsys, "logistic-regression", "--optimizer", "adam", "--steps", "1")["settings"]
    assert settings["learning_rate"] == OPTIMIZERS["adam"].hyperparameter("learning_rate").default
    settings = trained(capsys, "logistic-regression", "--steps", "1")["settings"]
    assert settings["learning_rate"] == 0.5


def test_a_schedule_changes_the_learning_rate_from_step_to_step(capsys: Caught) -> None:
    options = ("--schedule", "step", "--every", "2", "--factor", "0.5", "--warmup", "2", "--steps", "6")
    assert command_line.main(["train", U, *options, "--learning-rate", "0.4", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["learning_rate"]) for row in rows] == [0.2, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1]
    assert [row["iteration"] for row in rows] == [str(i) for i in range(7)]
    found = trained(capsys, U, *options, "--learning-rate", "0.4")
    assert [float(row["loss"]) for row in rows] == found["loss"]
    assert found["settings"]["schedule"] == "step"


@pytest.mark.parametrize(
    ("option", "bound", "rule"),
    [
        ("--stop-loss", 0.5, "the loss is"),
        ("--tolerance", 1e-3, "the change of the loss is"),
        ("--gradient-tolerance", 1e-2, "the gradient's norm is"),
    ],
)
def test_a_run_stops_when_it_is_told_to(option: str, bound: float, rule: str, capsys: Caught) -> None:
    found = trained(capsys, U, option, str(bound))
    assert 0 < found["steps"] < 100
    assert found["steps"] + 1 == len(found["loss"])
    assert rule in found["notices"][0]
    assert command_line.main(["train", U, option, str(bound)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == found["notices"][0]
    whole = trained(capsys, U)["loss"]
    assert whole[: len(found["loss"])] == found["loss"]


# --- files -------------------------------------------------------------------------------------------------


def test_the_csv_has_a_column_for_every_entry_of_the_trajectory(capsys: Caught) -> None:
    name = "two-layer-linear"
    assert command_line.main(["train", name, "--steps", "3", "--trajectory", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    found = trained(capsys, name, "--steps", "3", "--trajectory")
    assert len(rows) == 4
    for i, row in enumerate(rows):
        assert float(row["loss"]) == found["loss"][i]
        assert float(row["b2"]) == found["trajectory"]["b2"][i]
        assert float(row["W1[1,2]"]) == found["trajectory"]["W1"][i][1][2]


@pytest.mark.parametrize("ending", ["csv", "json", "txt"])
def test_a_file_is_written_as_its_ending_says(ending: str, tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / f"run.{ending}"
    assert command_line.main(["train", U, "--steps", "4", "--to", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("4 steps, loss ")
    assert said.count("\n") == 1
    kind = {"txt": "text"}.get(ending, ending)
    assert command_line.main(["train", U, "--steps", "4", "--format", kind]) == 0
    assert path.read_text("utf-8") == capsys.readouterr().out


def test_a_schedule_spans_the_run_unless_its_length_is_said(capsys: Caught) -> None:
    def rates(*more: str) -> list[float]:
        argv = ["train", "two-layer-nonlinear", "--optimizer", "adam", "--schedule", "cosine", *more]
        assert command_line.main([*argv, "--format", "csv"]) == 0
        return [float(row["learning_rate"]) for row in csv.DictReader(capsys.readouterr().out.splitlines())]

    found = rates("--steps", "400", "--warmup", "40")
    assert found[39] == found[40] == max(found)
    assert found[-1] == 0.0
    assert found[-2] > 0.0
    assert rates("--steps", "400", "--period", "100")[101:] == [0.0] * 300
    assert min(rates("--steps", "400", "--period", "3000")) > 0.9 * max(found)


def test_the_formula_of_a_schedule_is_printed_with_its_warm_up(capsys: Caught) -> None:
    argv = ["train", U, "--steps", "30", "--schedule", "exponential", "--warmup", "5"]
    assert command_line.main(argv) == 0
    text = capsys.readouterr().out
    assert "  at iteration i: eta * (i + 1) / warmup if i < warmup else eta * decay ** (i - warmup)\n" in text


def test_a_format_that_is_said_needs_no_ending(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "run.dat"
    assert command_line.main(["train", U, "--steps", "4", "--format", "csv", "--to", str(path)]) == 0
    assert path.read_text("utf-8").startswith("iteration,loss,")


def test_a_format_that_the_ending_denies_is_refused(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "run.csv"
    assert command_line.main(["train", U, "--steps", "4", "--format", "json", "--to", str(path)]) == 2
    assert (
        "is not the name of a json file. End it in .json, or leave --format out." in capsys.readouterr().err
    )
    assert not path.exists()


# --- what is at fault --------------------------------------------------------------------------------------

BAD = (
    (["--learning-rate", "-0.5"], "the learning rate cannot be -0.5. It is a number greater than 0."),
    (["--learning-rate", "0"], "the learning rate cannot be 0."),
    (["--learning-rate", "nan"], "the learning rate cannot be nan."),
    (["--learning-rate", "fast"], "the learning rate cannot be fast."),
    (["--optimizer", "momentum", "--momentum", "1"], "the momentum cannot be 1."),
    (["--optimizer", "momentum", "--dampening", "1.5"], "the dampening cannot be 1.5."),
    (["--optimizer", "adam", "--beta1", "1"], "cannot be 1. It is a number of at least 0 and less than 1."),
    (
        ["--optimizer", "adam", "--beta2", "1.0"],
        "cannot be 1.0. It is a number of at least 0 and less than 1.",
    ),
    (["--optimizer", "adam", "--beta2", "-0.1"], "cannot be -0.1."),
    (["--optimizer", "adam", "--epsilon", "0"], "the epsilon cannot be 0. It is a number greater than 0."),
    (["--optimizer", "rmsprop", "--rho", "inf"], "rho cannot be inf."),
    (
        ["--optimizer", "adam", "--momentum", "0.9"],
        "adam has no hyperparameter momentum. momentum belongs to momentum and nesterov",
    ),
    (
        ["--beta1", "0.9"],
        "the optimizer gd has no hyperparameter beta1. beta1 belongs to adam; gd has learning rate.",
    ),
    (["--optimizer", "adam", "--nesterov"], "the optimizer adam has no nesterov."),
    (["--schedule", "linear"], "there is no schedule linear. There are: constant, step, exponential, cosine"),
    (["--period", "5"], "the schedule constant has no hyperparameter period. period belongs to cosine"),
    (["--schedule", "step", "--every", "0"], "the length of a step cannot be 0."),
    (["--schedule", "step", "--every", "2.5"], "the length of a step cannot be 2.5. It is a whole number"),
    (["--schedule", "cosine", "--final-rate", "-1"], "the final rate cannot be -1."),
    (["--warmup", "-3"], "the warm-up cannot be -3."),
    (["--tolerance", "-1"], "the tolerance cannot be -1."),
    (["--stop-loss", "nan"], "the loss to stop at cannot be nan. It is a finite number."),
    (["--batch-size", "51"], "from 1 to 50"),
    (["--to", "no/such/folder/run.csv"], "there is no folder no/such/folder."),
    (["--to", "."], ". is a folder."),
    (["--to", ""], "the file to write has no name."),
    (["--step", "3"], "unrecognized arguments: --step 3. Did you mean --steps?"),
    (["--to", "run.xyz"], "run.xyz. End it in .txt, .json, .csv"),
    (["--to", "run"], "cannot be written as run."),
)


@pytest.mark.parametrize(
    ("options", "expected"), BAD, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
def test_what_cannot_be_is_one_sentence(options: list[str], expected: str, capsys: Caught) -> None:
    assert command_line.main(["train", U, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("backstep: ")
    assert expected in err


def test_a_file_at_fault_is_named(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'formula = "L = w**2"\n[parameters]\nw = 1.0\n[training]\noptimizer = "adam"\nbeta1 = 1\n'
    )
    assert command_line.main(["train", str(path)]) == 2
    assert capsys.readouterr().err.startswith(
        "backstep: own.toml, [training]: the decay rate beta1 cannot be 1."
    )


# --- every optimizer, everywhere ---------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", built_in_names())
def test_every_optimizer_learns_with_its_defaults(name: str, optimizer: str, capsys: Caught) -> None:
    losses = trained(capsys, name, "--optimizer", optimizer)["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_recipe_is_determined_by_its_seed(optimizer: str, schedule: str, capsys: Caught) -> None:
    argv = ("two-layer-nonlinear", "--steps", "12", "--optimizer", optimizer, "--schedule", schedule)
    options = (*argv, "--warmup", "4", "--batch-size", "20", "--seed")
    first = trained(capsys, *options, "7")
    assert first == trained(capsys, *options, "7")
    assert first["loss"] != trained(capsys, *options, "8")["loss"]


# --- who watches -------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_progress_is_shown_on_a_terminal_and_wiped_away_at_the_end() -> None:
    import pty  # not on Windows

    terminal, end = pty.openpty()
    argv = [sys.executable, str(Path(command_line.__file__)), "train", U, "--steps", "40"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        said = b""
        while chunk := _read(terminal):
            said += chunk
        out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 0
    assert b"%" not in out
    lines = [line.strip() for line in said.decode().split("\r")]
    assert any(re.fullmatch(r"100 %, loss 0\.34\d+", line) for line in lines)
    assert lines[-1] == ""


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other end has been closed
        return b""
