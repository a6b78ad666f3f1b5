"""``exercise``: sheets on stdout and in files, and what is wrong with a request in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["exercise", *argv])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_a_sheet_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, err = run(capsys, "univariate-regression", "--kinds", "values,adam", "--seed", "2")
    assert (code, err) == (0, "")
    assert text.startswith("Exercises: Univariate regression\n")
    assert "2. One update by hand: Adam" in text
    assert "Solutions" not in text
    assert run(capsys, "univariate-regression", "--kinds", "values,adam", "--seed", "2")[1] == text
    assert run(capsys, "univariate-regression", "--kinds", "values,adam", "--seed", "3")[1] != text


def test_a_file_has_the_format_of_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beginnings = {
        ".md": "# Exercises",
        ".tex": "% Software",
        ".html": "<!DOCTYPE html>",
        ".json": "{",
        ".txt": "Exercises",
    }
    for ending, beginning in beginnings.items():
        path = tmp_path / f"sheet{ending}"
        code, out, _ = run(
            capsys, "univariate-regression", "--kinds", "gradients", "--to", str(path), "--solutions"
        )
        assert code == 0
        assert "1 exercises" in out or "1 exercise" in out
        assert path.read_text("utf-8").startswith(beginning)
    assert "olution" in (tmp_path / "sheet.md").read_text("utf-8")


def test_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(capsys, "two-layer-linear", "--kinds", "shapes", "--format", "json", "--solutions")
    assert code == 0
    document = json.loads(text)
    assert document["network"] == "two-layer-linear"
    assert all("answer" in part for part in document["exercises"][0]["parts"])


def test_an_own_network_and_own_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.toml"
    formula = 'formula = "h = tanh(w*x)\\nL = sum(h)"'
    path.write_text(f'title = "Mine"\n{formula}\n[parameters]\nw = 0.5\n[data]\nx = [1.0, 2.0]\n')
    code, text, _ = run(capsys, str(path), "--kinds", "local,paths,faults")
    assert code == 0
    assert "Exercises: Mine" in text


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["univariate-regression", "--kinds", "sums"], "there are no exercises sums"),
        (["univariate-regression", "--kinds", "paths"], "has nothing for that"),
        (["univariate-regression", "--count", "0"], "too small"),
        (
            ["univariate-regression", "--to", "sheet.docx"],
            "a sheet cannot be written as sheet.docx. End it in .txt, .md,",
        ),
        (["univariate-regression", "--to", "/nowhere/at/all.md"], "there is no folder /nowhere/at"),
        (["no-such-network"], "no-such-network"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_no_file_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.md"
    path.write_text("mine")
    assert run(capsys, "univariate-regression", "--kinds", "values", "--to", str(path))[0] == 2
    assert path.read_text() == "mine"
    assert run(capsys, "univariate-regression", "--kinds", "values", "--to", str(path), "--force")[0] == 0
    assert path.read_text("utf-8").startswith("# Exercises")


def test_a_kind_that_the_network_has_nothing_for_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, err = run(capsys, "two-layer-nonlinear", "--kinds", "adam,paths")
    assert code == 0
    assert "Adam" in text
    assert err == "backstep: this network has nothing to ask for paths: no exercises of that.\n"
    code, _, err = run(capsys, "two-layer-nonlinear", "--kinds", "values,adam", "--count", "1")
    assert (code, err) == (0, "")


def test_values_that_are_set_are_said_to_be_none_of_a_sheets(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, err = run(capsys, "univariate-regression", "--kinds", "VALUES", "--set", "b=5")
    assert code == 0
    assert "The forward pass" in text
    assert err == "backstep: exercises have short numbers of their own: --set changes none of them.\n"
