"""``search``: random search from the command line, and its comparison with gradient descent."""

from __future__ import annotations

import csv
import json
from typing import Any

import numpy as np
import pytest

import main as command_line
from graphs.network import built_in_names

Caught = pytest.CaptureFixture[str]
U = "univariate-regression"


def searched(capsys: Caught, *argv: str) -> dict[str, Any]:
    assert command_line.main(["search", *argv, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def traced_loss(capsys: Caught, name: str, parameters: dict[str, Any]) -> float:
    sets = [word for n, value in parameters.items() for word in ("--set", f"{n}={json.dumps(value)}")]
    assert command_line.main(["trace", name, *sets, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["loss"]


@pytest.mark.parametrize("name", built_in_names())
def test_the_best_parameters_have_the_loss_that_is_printed(name: str, capsys: Caught) -> None:
    found = searched(capsys, name, "--evaluations", "60", "--seed", "3")
    assert (found["network"], found["seed"], found["evaluations"]) == (name, 3, 60)
    assert found["loss"] == min(found["losses"]) == found["losses"][found["evaluation"] - 1]
    assert len(found["losses"]) == 60
    assert traced_loss(capsys, name, found["parameters"]) == pytest.approx(found["loss"], rel=1e-12)
    sentence = found["comparison"]["sentence"]
    assert sentence.startswith(("Yes, ", "Not here: ", "Here it makes", "Neither "))


def test_gradient_descent_is_that_of_train(capsys: Caught) -> None:
    options = (U, "--optimizer", "adam", "--learning-rate", "0.05", "--batch-size", "10", "--seed", "2")
    comparison = searched(capsys, *options, "--evaluations", "90")["comparison"]
    assert (comparison["evaluations"], comparison["iterations"]) == (90, 150)  # a step costs 3 times a fifth
    assert command_line.main(["train", *options, "--steps", "150", "--format", "json"]) == 0
    losses = json.loads(capsys.readouterr().out)["loss"]
    assert (comparison["start"], comparison["reached"]) == (losses[0], losses[150])
    assert "gradient descent (Adam, η 0.05, 10 a batch)" in comparison["sentence"]


def test_the_cost_of_a_step_is_the_user_s(capsys: Caught) -> None:
    assert searched(capsys, U, "--evaluations", "90")["comparison"]["iterations"] == 30
    free = searched(capsys, U, "--evaluations", "90", "--step-cost", "1")["comparison"]
    assert (free["iterations"], free["evaluations"]) == (90, 90)


def test_the_spread_bounds_what_is_drawn(capsys: Caught) -> None:
    found = searched(capsys, U, "--spread", "0.25", "--evaluations", "200")
    assert found["spread"] == 0.25
    assert all(abs(value) <= 0.25 for value in found["parameters"].values())


def test_the_same_seed_finds_the_same(capsys: Caught) -> None:
    first = searched(capsys, U, "--seed", "1")
    assert first == searched(capsys, U, "--seed", "1")
    assert first["losses"] != searched(capsys, U, "--seed", "2")["losses"]


def test_the_text_says_what_is_drawn_what_was_found_and_the_answer(capsys: Caught) -> None:
    assert command_line.main(["search", U]) == 0
    text = capsys.readouterr().out
    assert "1000 random samples. Every number is drawn uniformly between -2 and 2.\n" in text
    assert "\nw          scalar  0.868964\n" in text
    assert text.rstrip().splitlines()[-1].startswith("Yes, the gradient directs the search: ")


def test_many_improvements_are_cut_to_the_first_and_the_last(capsys: Caught) -> None:
    assert command_line.main(["search", "perceptron-classifier", "--evaluations", "20000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("evaluation"))
    rows = [line.split() for line in lines[start + 1 : lines.index("", start)]]
    assert len(rows) <= 10
    assert rows[0][0] == "1"
    assert [float(r[1]) for r in rows] == sorted((float(r[1]) for r in rows), reverse=True)


def test_csv_has_every_sample(capsys: Caught) -> None:
    assert (
        command_line.main(["search", "two-layer-nonlinear", "--evaluations", "700", "--format", "csv"]) == 0
    )
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0])[:5] == ["evaluation", "loss", "lowest", "W1[0,0]", "W1[1,0]"]
    assert [int(row["evaluation"]) for row in rows] == list(range(1, 701))
    losses = np.array([float(row["loss"]) for row in rows])
    np.testing.assert_array_equal(np.minimum.accumulate(losses), [float(row["lowest"]) for row in rows])
    parameters = {
        "W1": [[float(rows[650][f"W1[{i},0]"])] for i in range(4)],
        "b1": [[float(rows[650][f"b1[{i},0]"])] for i in range(4)],
        "w2": [[float(rows[650][f"w2[0,{i}]"]) for i in range(4)]],
        "b2": float(rows[650]["b2"]),
    }
    assert traced_loss(capsys, "two-layer-nonlinear", parameters) == pytest.approx(losses[650], rel=1e-12)


def test_a_search_without_a_finite_loss_says_so(tmp_path: Any, capsys: Caught) -> None:
    path = tmp_path / "own.toml"
    path.write_text('formula = "L = log(-1 - w*w)"\n[parameters]\nw = 0.0\n')
    assert command_line.main(["search", str(path), "--evaluations", "9"]) == 0
    text = capsys.readouterr().out
    assert "No sample has a finite loss." in text
    assert "none of 9 random samples has a finite loss" in text
    found = searched(capsys, str(path), "--evaluations", "9")
    assert (found["loss"], found["parameters"], found["losses"]) == (None, {}, [None] * 9)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--evaluations", "0"], "the least is 1"),
        (["--evaluations", "x"], "not a whole number"),
        (["--evaluations", "99999999999"], "the most is 10000000"),
        (["--spread", "0"], "the spread cannot be 0"),
        (["--spread", "nan"], "not a finite number"),
        (["--step-cost", "0.5"], "from 1 to 1000"),
        (["--learning-rate", "-1"], "learning rate cannot be"),
        (["--batch-size", "51"], "51"),
        (["--evaluations", "10000000", "--format", "csv"], "too long"),
    ],
)
def test_what_cannot_be_is_one_sentence(argv: list[str], words: str, capsys: Caught) -> None:
    assert command_line.main(["search", U, *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("backstep: ")
    assert err.count("\n") == 1
    assert words in err
