"""``export`` on the command line: many files at a time, and nothing lost."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import main as command_line
from engine.faults import FaultAt, run_of
from engine.training import Recipe, Run
from graphs.carrying import CARRIERS
from graphs.exporting import kinds
from graphs.network import bind, load
from graphs.sessions import SavedDocument, SavedRun, SavedSession, read_session, write_session

U = "univariate-regression"
Caught = pytest.CaptureFixture[str]


def test_several_formats_and_all_steps_in_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Caught
) -> None:
    monkeypatch.chdir(tmp_path)
    to = [word for name in ("step-{step:03d}.svg", "trace.json", "script.py") for word in ("--to", name)]
    assert command_line.main(["export", U, *to, "--step", "all", "--theme", "print"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "script.py",
        *(f"step-{k:03d}.svg" for k in range(11)),
        "trace.json",
    ]
    series = "step-000.svg to step-010.svg (11)"
    assert capsys.readouterr().out == f"13 files written: {series}, trace.json and script.py.\n"
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
    assert "no file can be written in this folder" in capsys.readouterr().err


def test_the_window_is_one_subject(tmp_path: Path, capsys: Caught) -> None:
    path = str(tmp_path / "a.png")
    assert command_line.main(["export", U, "--to", path, "--window", "--of", "graph"]) == 2
    assert "are two things" in capsys.readouterr().err


def test_a_legend_belongs_to_the_graph(tmp_path: Path, capsys: Caught) -> None:
    path = str(tmp_path / "a.svg")
    assert command_line.main(["export", U, "--to", path, "--legend", "--of", "step"]) == 2
    assert "--legend belongs to the graph" in capsys.readouterr().err
    assert command_line.main(["export", U, "--to", path, "--legend", "--numbers"]) == 0
    assert "stored for backward" in Path(path).read_text("utf-8")


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


# --- the step of a file ------------------------------------------------------------------------------------


def written(tmp_path: Path, source: str, name: str, *options: str) -> Path:
    path = tmp_path / name
    assert command_line.main(["export", source, "--to", str(path), *options]) == 0
    return path


def place_of(path: Path) -> tuple[int, int, str]:
    """Return iteration, step and detail at which a file opens again."""
    place = read_session(path).place
    return place["iteration"], place["position"], place["detail"]


@pytest.mark.parametrize("ending", [".json", ".html", ".svg"])
def test_a_file_is_exported_again_at_its_own_step(tmp_path: Path, ending: str) -> None:
    place = ["--iteration", "5", "--step", "9", "--detail", "primitive", "--seed", "3", "--set", "w=0.25"]
    first = written(tmp_path, U, f"a{ending}", *place, "--optimizer", "adam", "--batch-size", "8")
    again = [written(tmp_path, str(first), name) for name in ("b.json", "b.html")]
    assert [place_of(path) for path in (first, *again)] == [(5, 9, "primitive")] * 3
    straight = written(tmp_path, U, "c.json", *place, "--optimizer", "adam", "--batch-size", "8")
    assert again[0].read_bytes() == straight.read_bytes()


def test_options_come_before_the_place_of_a_file(tmp_path: Path) -> None:
    first = str(written(tmp_path, "two-layer-nonlinear", "a.svg", "--iteration", "2", "--step", "14"))
    assert place_of(written(tmp_path, first, "step.json", "--step", "3")) == (2, 3, "equation")
    assert place_of(written(tmp_path, first, "iteration.json", "--iteration", "6")) == (6, 14, "equation")
    detail = written(tmp_path, first, "detail.json", "--detail", "primitive")
    assert place_of(detail)[1] > 14
    assert place_of(written(tmp_path, str(detail), "back.json", "--detail", "equation"))[1] == 14
    other = written(tmp_path, first, "other.json", "--optimizer", "adam")
    assert place_of(other) == (2, 14, "equation")
    assert read_session(other).document.recipe.optimizer == "adam"


def test_a_file_keeps_its_seed_whatever_is_done_with_it(tmp_path: Path, capsys: Caught) -> None:
    path = str(written(tmp_path, "two-layer-nonlinear", "a.json", "--seed", "3"))
    capsys.readouterr()
    values = []
    for argv in ([path], ["two-layer-nonlinear", "--seed", "3"], [path, "--seed", "4"]):
        assert command_line.main(["trace", *argv, "--format", "json"]) == 0
        values.append(json.loads(capsys.readouterr().out)["values"]["W1"])
    assert values[0] == values[1] != values[2]


def test_a_fault_and_the_runs_beside_are_exported_again(tmp_path: Path) -> None:
    model = bind(load(U))
    runs = {"Right": Run(model, Recipe()), "Wrong": run_of(model, Recipe(), FaultAt("count", "L"))}
    for run in runs.values():
        run.advance(6)
    document = SavedDocument(model.network, 0, {}, Recipe().checked(), None)
    documents = (document, replace(document, fault=FaultAt("count", "L")))
    rows = tuple(
        SavedRun(d, run.recording(), name, i, 0, key=i)
        for i, (d, (name, run)) in enumerate(zip(documents, runs.items(), strict=True))
    )
    place = {"detail": "equation", "iteration": 4, "position": 7, "selection": None, "entry": None}
    session = tmp_path / "lab.backstep"
    with session.open("wb") as file:
        write_session(SavedSession(documents[1], rows, 1, place), file)
    found = json.loads(written(tmp_path, str(session), "a.json").read_text())
    assert found["metadata"]["Step"] == "7"
    assert found["metadata"]["Iteration"] == "4"
    assert found["metadata"]["Fault"].startswith("1/m left out")
    assert found["loss"] == runs["Wrong"].losses[4]
    text = written(tmp_path, str(session), "runs.csv").read_text("utf-8")
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["run"] for row in table] == ["Wrong"] * 7 + ["Right"] * 7


def test_a_page_begins_at_the_start_or_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Caught
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of(written(tmp_path, U, "a.html"))[1] == 0
    assert place_of(written(tmp_path, U, "b.html", "--step", "4"))[1] == 4
    assert place_of(written(tmp_path, U, "c.json"))[1] == 10
    assert capsys.readouterr().err == ""
    assert place_of(written(Path(), U, "d.html", "--step", "4-6"))[1] == 4
    said = "backstep: d.html has every step of the iteration and opens at step 4.\n"
    assert capsys.readouterr().err == said


# --- what makes no difference ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (
            ["a.md", "a.tex"],
            ["--step", "4"],
            "{} and {} have every step of the iteration, whatever --step says.",
        ),
        (["a.md"], ["--step", "all"], ""),
        (["a.csv"], ["--steps", "3", "--step", "4"], "{} has every iteration, whatever --step says."),
        (["a.svg"], ["--scale", "3"], "--scale made no difference to {}."),
        (["a.svg", "a.png"], ["--scale", "3"], ""),
        (
            ["a.html"],
            ["--theme", "dark", "--no-answers"],
            "--theme and --no-answers made no difference to {}.",
        ),
        (
            ["a.svg"],
            ["--of", "loss", "--steps", "3", "--step", "4", "--duration", "2"],
            "--duration made no difference to {}. The loss is that of the run, whatever --step says.",
        ),
    ],
)
def test_options_without_effect_are_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Caught,
    names: list[str],
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["export", U, *(word for name in names for word in ("--to", name)), *options]
    assert command_line.main(argv) == 0
    assert capsys.readouterr().err == (f"backstep: {said.format(*names)}\n" if said else "")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)


def test_a_run_that_ends_early_is_said(tmp_path: Path, capsys: Caught) -> None:
    written(tmp_path, U, "a.csv", "--steps", "500", "--learning-rate", "1e6")
    assert re.match(r"backstep: Training stopped at iteration \d+: .*\n\Z", capsys.readouterr().err)


def test_a_script_trains_as_long_as_the_run(tmp_path: Path) -> None:
    def iterations(name: str, *options: str) -> str:
        lines = written(tmp_path, U, name, *options).read_text().splitlines()
        return next(line for line in lines if line.startswith("ITERATIONS"))

    assert iterations("a.py", "--iteration", "20") == "ITERATIONS = 21"
    assert iterations("b.py", "--iteration", "20", "--steps", "50") == "ITERATIONS = 50"
    assert iterations("c.py") == f"ITERATIONS = {load(U).training.steps}"


def test_a_format_that_is_said_is_taken_where_the_ending_says_nothing(tmp_path: Path, capsys: Caught) -> None:
    assert written(tmp_path, U, "a.txt", "--format", "SVG").read_bytes().startswith(b"<?xml")
    path = str(tmp_path / "a.svg")
    assert command_line.main(["export", U, "--to", path, "--format", "png"]) == 2
    assert "is not the name of a png file. End it in .png, or leave --format out." in capsys.readouterr().err


def test_what_is_in_the_way_of_a_file_is_said_before_training(tmp_path: Path, capsys: Caught) -> None:
    taken = tmp_path / "a.json"
    taken.write_text("mine")
    long = ["--iteration", "9999999"]
    for to, said in ((str(taken), "exists. Add --force"), ("/proc/a.json", "in this folder. Choose another")):
        assert command_line.main(["export", U, "--to", to, *long]) == 2
        assert said in capsys.readouterr().err
