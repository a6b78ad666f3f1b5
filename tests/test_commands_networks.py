"""``networks``: every built-in network, with a name that the other commands take."""

from __future__ import annotations

import json

import pytest

import main as command_line

NAMES = [
    "univariate-regression",
    "multivariate-regression",
    "two-layer-linear",
    "two-layer-nonlinear",
    "logistic-regression",
    "perceptron-classifier",
    "scalar-operations",
]


def test_json_holds_name_title_and_description(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["networks", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [set(entry) for entry in found] == [{"name", "title", "description"}] * len(found)
    assert [entry["name"] for entry in found][: len(NAMES)] == NAMES
    assert all(entry["title"] and entry["description"] for entry in found)


def test_text_names_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["networks", "--seed", "1"]) == 0
    text = capsys.readouterr().out
    assert all(f"{name}: " in text for name in NAMES)
