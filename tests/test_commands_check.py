"""``check``: what passes, what must not, and arrays with more entries than there is time for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
from engine import gradcheck
from engine.graph import Graph
from engine.trace import loss_and_gradients
from graphs.commands import check
from graphs.network import built_in_names

Caught = pytest.CaptureFixture[str]
KEYS = {"name", "shape", "method", "numeric", "backpropagated", "relative_error", "passed", "worst"}


def checked(capsys: Caught, code: int, *argv: str) -> dict[str, Any]:
    assert command_line.main(["check", *argv, "--format", "json"]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out, parse_constant=pytest.fail)


@pytest.mark.parametrize("name", built_in_names())
def test_every_gradient_of_every_network_passes(name: str, capsys: Caught) -> None:
    found = checked(capsys, 0, name, "--seed", "4")
    assert set(found) == {"network", "seed", "method", "passed", "checks"}
    assert (found["network"], found["seed"], found["passed"]) == (name, 4, True)
    assert found["method"] in ("complex step", "central differences")
    for entry in found["checks"]:
        assert set(entry) >= KEYS
        assert set(entry["worst"]) == {"index", "numeric", "backpropagated", "relative_error"}
        assert list(np.shape(entry["numeric"])) == list(np.shape(entry["backpropagated"])) == entry["shape"]
        assert entry["entries_checked"] == np.size(entry["numeric"])
        np.testing.assert_allclose(entry["numeric"], entry["backpropagated"], rtol=1e-5, atol=1e-8)
        worst = entry["worst"]
        assert np.array(entry["numeric"])[tuple(worst["index"])] == worst["numeric"]


def test_parameters_and_inputs_are_both_checked(capsys: Caught) -> None:
    found = checked(capsys, 0, "two-layer-nonlinear")
    assert [entry["name"] for entry in found["checks"]] == ["W1", "b1", "w2", "b2", "X", "y"]


def test_the_text_shows_both_numbers_and_a_verdict(capsys: Caught) -> None:
    assert command_line.main(["check", "univariate-regression", "--set", "w=0.5"]) == 0
    text = capsys.readouterr().out
    row = next(line.split() for line in text.splitlines() if line.startswith("w "))
    assert row[1:4] == ["scalar", "complex", "step"]
    assert float(row[4]) == pytest.approx(float(row[5]))
    assert row[-1] == "ok"
    assert text.endswith("All 4 gradients agree.\n")


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let backpropagation be off by a thousandth."""

    def off(graph: Graph, leaves: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        loss, gradients = loss_and_gradients(graph, leaves)
        return loss, {name: 1.001 * gradient for name, gradient in gradients.items()}

    monkeypatch.setattr(gradcheck, "loss_and_gradients", off)
    monkeypatch.setattr(check, "loss_and_gradients", off)


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.usefixtures("wrong")
def test_a_wrong_gradient_fails(name: str, capsys: Caught) -> None:
    found = checked(capsys, 1, name)
    assert not found["passed"]
    assert command_line.main(["check", name]) == 1
    assert "FAILED" in capsys.readouterr().out


@pytest.mark.usefixtures("wrong")
def test_a_wrong_gradient_fails_at_kinks_too(tmp_path: Path, capsys: Caught) -> None:
    found = checked(capsys, 1, str(kinked(tmp_path)))
    assert [entry["name"] for entry in found["checks"] if not entry["passed"]] == ["W", "b", "X"]


@pytest.mark.usefixtures("wrong")
def test_a_wrong_gradient_fails_among_sampled_entries(
    monkeypatch: pytest.MonkeyPatch, capsys: Caught
) -> None:
    monkeypatch.setattr(check, "WORK", 1.0)
    assert not checked(capsys, 1, "two-layer-nonlinear")["passed"]


def kinked(folder: Path, examples: int = 300) -> Path:
    rng = np.random.default_rng(0)
    path = folder / "kinked.toml"
    data = json.dumps(rng.standard_normal((4, examples)).round(3).tolist())
    path.write_text(
        'formula = """\nA = relu(W @ X + b)\nL = mean(abs(A - 0.2))\n"""\n[dimensions]\nk = 8\n[parameters]\n'
        f'W = {{ shape = ["k", "n"], init = "he" }}\nb = {{ shape = ["k", 1] }}\n[data]\nX = {data}\n'
    )
    return path


def test_kinks_near_a_nudge_are_no_failure(tmp_path: Path, capsys: Caught) -> None:
    path = str(kinked(tmp_path, 2000))
    for seed in ("0", "1", "2"):
        assert checked(capsys, 0, path, "--seed", seed)["method"] == "central differences"


def test_large_arrays_are_sampled_and_it_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Caught) -> None:
    monkeypatch.setattr(check, "WORK", 1.0)
    found = checked(capsys, 0, "two-layer-nonlinear")
    data = next(entry for entry in found["checks"] if entry["name"] == "X")
    assert data["entries_checked"] == check.FEWEST
    assert sum(value is not None for value in data["numeric"][0]) == check.FEWEST
    assert len(data["directions"]) == check.DIRECTIONS
    assert command_line.main(["check", "two-layer-nonlinear"]) == 0
    assert "X: 24 of 133 entries were nudged one by one" in capsys.readouterr().out


def test_a_network_that_is_not_finite_fails_with_valid_json(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "pole.toml"
    path.write_text('formula = "L = a / b"\n[parameters]\na = 1.0\nb = 0.0\n')
    assert checked(capsys, 1, str(path))["checks"][0]["relative_error"] is None
