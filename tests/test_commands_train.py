"""``train``: the JSON contract, defaults from the network, mini-batches, and runs that diverge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
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
    assert set(found) == {"network", "optimizer", "seed", "steps", "loss", "parameters"}
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
