"""``trace``: the JSON contract key by key, the update, and the table for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
from engine.optimizers import OPTIMIZERS
from graphs.network import built_in_names

Caught = pytest.CaptureFixture[str]
COMMON = {"index", "phase", "node", "input", "slot", "shape", "factor", "latex", "code"}
KEYS = {
    "forward": COMMON | {"value"},
    "seed": COMMON | {"contribution", "gradient"},
    "backward": COMMON | {"contribution", "gradient"},
    "update": COMMON | {"quantity", "value", "gradient"},
}


def traced(capsys: Caught, *argv: str) -> dict[str, Any]:
    assert command_line.main(["trace", *argv, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out, parse_constant=pytest.fail)


def test_a_network_that_states_how_its_table_is_written_is_read_so(tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "lab.csv").write_bytes("Zeit/s;Länge\n1,5;2\n2,5;4\n".encode("latin-1"))
    network = tmp_path / "lab.toml"
    text = (
        'formula = "L = mean((w * x - y)**2)"\n[parameters]\nw = 2.0\n[data]\nfile = "lab.csv"\n'
        'inputs = { x = ["Zeit/s"] }\ntargets = { y = ["Länge"] }\n'
        'delimiter = ";"\ndecimal = ","\nheader = true\nencoding = "latin-1"\n'
    )
    network.write_text(text, encoding="utf-8")
    assert traced(capsys, str(network))["values"]["x"] == [[1.5, 2.5]]
    network.write_text(text.replace('"latin-1"', '"utf-8"'), encoding="utf-8")
    assert command_line.main(["trace", str(network)]) == 2
    said = "lab.csv, line 1: the text is not UTF-8. Name another encoding, or leave it to be found out.\n"
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("detail", ["equation", "primitive"])
@pytest.mark.parametrize("name", built_in_names())
def test_the_json_keeps_its_contract(name: str, detail: str, capsys: Caught) -> None:
    found = traced(capsys, name, "--detail", detail, "--seed", "2", "--optimizer", "gd")
    assert set(found) == {"network", "detail", "seed", "loss", "values", "gradients", "steps"}
    assert (found["network"], found["detail"], found["seed"]) == (name, detail, 2)
    assert found["loss"] == found["values"]["L"]
    assert found["values"].keys() == found["gradients"].keys()
    assert [step["index"] for step in found["steps"]] == list(range(len(found["steps"])))
    phases = [step["phase"] for step in found["steps"]]
    assert list(dict.fromkeys(phases)) == ["forward", "seed", "backward", "update"]
    for step in found["steps"]:
        assert set(step) == KEYS[step["phase"]]
        main_array = step["gradient"] if step["phase"] in ("seed", "backward") else step["value"]
        assert list(np.shape(main_array)) == step["shape"]
        assert isinstance(step["latex"], str)
        assert isinstance(step["code"], str)


@pytest.mark.parametrize("name", built_in_names())
def test_the_steps_add_up_to_the_values_and_gradients(name: str, capsys: Caught) -> None:
    found = traced(capsys, name)
    gradients: dict[str, Any] = {}
    for step in found["steps"]:
        if step["phase"] == "forward":
            assert step["value"] == found["values"][step["node"]]
            assert (step["factor"], step["input"], step["slot"]) == (None, None, None)
        if step["phase"] == "backward":
            assert set(step["factor"]) == {"side", "latex", "uses"}
            assert set(step["factor"]["uses"]) <= set(found["values"])
            total = gradients.get(step["input"], 0.0) + np.array(step["contribution"])
            np.testing.assert_allclose(step["gradient"], total, rtol=1e-14, atol=1e-300)
            gradients[step["input"]] = total
            assert np.shape(step["gradient"]) == np.shape(found["values"][step["input"]])
    for target, total in gradients.items():
        np.testing.assert_allclose(found["gradients"][target], total, rtol=1e-14, atol=1e-300)


def test_scalars_are_numbers_and_arrays_nested_lists(capsys: Caught) -> None:
    values = traced(capsys, "two-layer-linear")["values"]
    assert isinstance(values["L"], float)
    assert isinstance(values["b2"], float)
    assert np.shape(values["W1"]) == (2, 3)
    assert np.shape(values["b1"]) == (2, 1)


def test_numbers_keep_full_precision(capsys: Caught) -> None:
    data = ("--set", "x=[1.0]", "--set", "y=[0.1]", "--set", "w=0.30000000000000004", "--set", "b=0")
    found = traced(capsys, "univariate-regression", *data)
    assert found["values"]["w"] == 0.30000000000000004
    assert found["loss"] == (0.30000000000000004 - 0.1) ** 2


def test_a_seed_draws_the_parameters_and_set_replaces_them(capsys: Caught) -> None:
    first = traced(capsys, "two-layer-nonlinear", "--seed", "1")
    assert first == traced(capsys, "two-layer-nonlinear", "--seed", "1")
    other = traced(capsys, "two-layer-nonlinear", "--seed", "2")
    assert first["values"]["W1"] != other["values"]["W1"]
    replaced = traced(capsys, "two-layer-nonlinear", "--seed", "1", "--set", "w2=[[1, 2, 3, 4]]")
    assert replaced["values"]["w2"] == [[1.0, 2.0, 3.0, 4.0]]
    assert replaced["values"]["W1"] == first["values"]["W1"]


def test_an_optimizer_adds_the_update(capsys: Caught) -> None:
    found = traced(capsys, "univariate-regression", "--optimizer", "gd", "--learning-rate", "0.25")
    updates = [step for step in found["steps"] if step["phase"] == "update"]
    assert [step["node"] for step in updates] == ["w", "b"]
    for step in updates:
        before, gradient = found["values"][step["node"]], found["gradients"][step["node"]]
        assert step["quantity"] == "value"
        assert step["gradient"] == gradient
        assert step["value"] == before - 0.25 * gradient
        assert step["code"] == f"{step['node']} = {step['node']} - 0.25 * d_{step['node']}"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("detail", ["equation", "primitive"])
def test_every_optimizer_has_a_step_a_quantity(optimizer: str, detail: str, capsys: Caught) -> None:
    name = "two-layer-linear"
    argv = (name, "--detail", detail, "--optimizer", optimizer)
    updates = [step for step in traced(capsys, *argv)["steps"] if step["phase"] == "update"]
    quantities = [q.name for q in OPTIMIZERS[optimizer].quantities]
    assert [step["quantity"] for step in updates] == 4 * quantities
    assert {step["node"] for step in updates} == {"W1", "b1", "w2", "b2"}
    for step in updates:
        assert set(step) == KEYS["update"]
        assert step["latex"]
        assert step["code"]
    assert command_line.main(["trace", *argv]) == 0
    text = capsys.readouterr().out
    for quantity in OPTIMIZERS[optimizer].quantities[:-1]:
        assert f"{quantity.text} of W₁" in text


def test_an_update_is_said_in_the_words_of_the_optimizer(capsys: Caught) -> None:
    assert command_line.main(["trace", "two-layer-linear", "--optimizer", "adam", "--beta1", "0.8"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if " update " in line]
    assert rows[0].split(" update ")[1].startswith("first moment of W₁ 2×3 0.8 v_W₁ + (1 − 0.8) ∂L/∂W₁ [")
    assert "0.05 v̂_W₁ ⊘ (√(ŝ_W₁) + 1e-08)" in rows[4]
    assert rows[5].split(" update ")[1].startswith("W₁ 2×3 W₁ − step_W₁ [")


def test_a_learning_rate_alone_takes_the_networks_optimizer(capsys: Caught) -> None:
    found = traced(capsys, "univariate-regression", "--learning-rate", "1")
    assert found["steps"][-1]["phase"] == "update"
    assert traced(capsys, "univariate-regression")["steps"][-1]["phase"] == "backward"


def test_numbers_that_are_not_finite_become_null_and_are_named(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "pole.toml"
    path.write_text('formula = "L = a / b"\n[parameters]\na = 1.0\nb = 0.0\n')
    found = traced(capsys, str(path))
    assert found["loss"] is None
    assert any("the value of L" in notice for notice in found["notices"])
    assert command_line.main(["trace", str(path)]) == 0
    assert "inf" in capsys.readouterr().out


@pytest.mark.parametrize("detail", ["equation", "primitive"])
@pytest.mark.parametrize("name", built_in_names())
def test_the_table_has_a_row_for_every_step(name: str, detail: str, capsys: Caught) -> None:
    steps = traced(capsys, name, "--detail", detail, "--optimizer", "gd")["steps"]
    assert command_line.main(["trace", name, "--detail", detail, "--optimizer", "gd"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = lines[next(i for i, line in enumerate(lines) if line.startswith("step")) + 1 :]
    assert [row.split()[0] for row in rows] == [str(step["index"] + 1) for step in steps]
    assert [row.split()[1] for row in rows] == [step["phase"] for step in steps]


def test_the_table_says_what_a_step_does(capsys: Caught) -> None:
    assert command_line.main(["trace", "two-layer-nonlinear"]) == 0
    text = capsys.readouterr().out
    assert "standardised" in text
    row = next(line for line in text.splitlines() if "∂L/∂Z " in line)
    assert "4×133" in row
    assert "∂L/∂A ⊙ A ⊙ (1 − A)" in row
    assert "elementwise A ⊙ (1 − A)" in row
    assert " ... " in row


def test_thousands_of_operations_are_traced(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f'formula = "L = {" + ".join(["w"] * 3000)}"\n[parameters]\nw = 1.0\n')
    found = traced(capsys, str(path))
    assert found["gradients"]["w"] == 3000.0
    assert command_line.main(["trace", str(path)]) == 0
    assert "(2999 operations)" in capsys.readouterr().out
