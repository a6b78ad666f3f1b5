"""``export`` on the command line: many files at a time, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main as command_line
from graphs.carrying import CARRIERS
from graphs.exporting import kinds
from graphs.sessions import read_session

U = "univariate-regression"
Caught = pytest.CaptureFixture[str]


def test_several_formats_and_all_steps_in_one_call(tmp_path: Path, capsys: Caught) -> None:
    names = ["step-{step:03d}.svg", "trace.json", "script.py"]
    to = [word for name in names for word in ("--to", str(tmp_path / name))]
    assert command_line.main(["export", U, *to, "--step", "all", "--theme", "print"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "script.py",
        *(f"step-{k:03d}.svg" for k in range(11)),
        "trace.json",
    ]
    assert "13 files written" in capsys.readouterr().out
    assert len({p.read_bytes() for p in tmp_path.glob("*.svg")}) == 11


def test_a_file_that_exists_is_left_alone(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "a.json"
    path.write_text("mine")
    assert command_line.main(["export", U, "--to", str(path)]) == 2
    assert "exists. Add --force" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert command_line.main(["export", U, "--to", str(path), "--force"]) == 0
    assert json.loads(path.read_text())["network"] == U


def test_an_iteration_is_trained_to(tmp_path: Path) -> None:
    adam = ["--optimizer", "adam"]
    first, later = tmp_path / "a.json", tmp_path / "b.json"
    assert command_line.main(["export", U, "--to", str(first)]) == 0
    assert command_line.main(["export", U, "--to", str(later), "--iteration", "7", *adam]) == 0
    trained = tmp_path / "run.json"
    assert command_line.main(["train", U, "--steps", "7", *adam, "--to", str(trained)]) == 0
    assert json.loads(later.read_text())["loss"] == json.loads(trained.read_text())["loss"][-1]
    assert json.loads(later.read_text())["loss"] < json.loads(first.read_text())["loss"]


def test_a_table_of_a_run_needs_a_run(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "run.csv"
    assert command_line.main(["export", U, "--to", str(path)]) == 2
    assert "nothing has been trained. Add how many iterations," in capsys.readouterr().err
    assert command_line.main(["export", U, "--to", str(path), "--steps", "20"]) == 0
    assert sum(not line.startswith("#") for line in path.read_text().splitlines()) == 22


def test_an_iteration_after_the_end_of_a_run_is_said(tmp_path: Path, capsys: Caught) -> None:
    args = ["--iteration", "3000", "--learning-rate", "100"]
    assert command_line.main(["export", U, "--to", str(tmp_path / "a.json"), *args]) == 2
    said = capsys.readouterr().err
    assert "there is no iteration 3000" in said
    assert "Ask for an earlier one." in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_leaves_nothing(tmp_path: Path, capsys: Caught) -> None:
    assert command_line.main(["export", U, "--to", "/proc/a.json"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_window_is_one_subject(tmp_path: Path, capsys: Caught) -> None:
    path = str(tmp_path / "a.png")
    assert command_line.main(["export", U, "--to", path, "--window", "--of", "graph"]) == 2
    assert "are two things" in capsys.readouterr().err


def test_what_was_exported_opens_again_at_its_step(tmp_path: Path) -> None:
    names = [f"a{ending}" for ending in CARRIERS if any(ending in kind.endings for kind in kinds().values())]
    assert {"a.json", "a.svg"} <= set(names)
    to = [word for name in names for word in ("--to", str(tmp_path / name))]
    place = ["--iteration", "5", "--step", "9", "--detail", "primitive", "--seed", "3", "--set", "w=0.25"]
    assert command_line.main(["export", U, *to, *place, "--optimizer", "adam", "--batch-size", "8"]) == 0
    for name in names:
        kept = read_session(tmp_path / name)
        where = (kept.place["iteration"], kept.place["position"], kept.place["detail"])
        assert where == (5, 9, "primitive"), name
        assert (kept.document.network.name, kept.document.seed) == (U, 3)
        assert (kept.document.recipe.optimizer, kept.document.recipe.batch_size) == ("adam", 8)
        assert {key: float(value) for key, value in kept.document.overrides.items()} == {"w": 0.25}
        assert len(kept.runs[0].recording.losses) == 6
