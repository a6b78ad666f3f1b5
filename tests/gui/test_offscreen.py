"""Pictures without a display: many files in one call, each whole or not there, at any iteration of a run."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

import main as command_line
from engine.errors import UsageError
from engine.training import Run
from graphs.exporting import Job, Look, kinds
from graphs.network import bind, load
from graphs.snapshot import Snapshot
from graphs.views.numbers import format_number
from gui import frames
from gui.offscreen import WIDEST, export

SVG = "{http://www.w3.org/2000/svg}"
needs_pillow = pytest.mark.skipif(not frames.has_pillow(), reason="not installed: Pillow")


class Told:
    """Keeps what it is told; raises when it has been told so often."""

    def __init__(self, until: int | None = None) -> None:
        self.numbers: list[int] = []
        self._until = until

    def show(self, done: int) -> None:
        self.numbers.append(done)
        if len(self.numbers) == self._until:
            raise KeyboardInterrupt


@pytest.fixture
def snapshot(qtbot: QtBot) -> Snapshot:
    model = bind(load("univariate-regression"))
    run = Run(model, model.network.training.recipe)
    run.advance(40)
    return Snapshot.of(run, model, iteration=25, position=3)


def job(path: Path, *positions: int) -> Job:
    kind = next(k for k in kinds().values() if k.is_picture and k.endings[0] == path.suffix)
    return Job(path, kind, positions)


@needs_pillow
def test_many_files_are_written_in_one_call(snapshot: Snapshot, tmp_path: Path) -> None:
    told = Told()
    jobs = [job(tmp_path / f"{k}.svg", k) for k in (0, 4, 9)]
    jobs += [job(tmp_path / "all.pdf", 0, 4, 9), job(tmp_path / "all.gif", 4, 9)]
    export(snapshot, jobs, Look(theme="print", scale=0.5), told)
    assert {path.name for path in tmp_path.iterdir()} == {"0.svg", "4.svg", "9.svg", "all.pdf", "all.gif"}
    assert told.numbers == sorted(told.numbers)
    assert told.numbers[-1] == 8
    sizes = set()
    for k in (0, 4, 9):
        root = ET.parse(tmp_path / f"{k}.svg").getroot()
        sizes.add((root.get("width"), root.get("height")))
        entries = {e.get("key"): e.text for e in root.iter("{urn:backstep}entry")}
        assert (entries["Step"], entries["Iteration"]) == (str(k), "25")
    assert len(sizes) == 1


def test_the_numbers_are_those_of_the_iteration(snapshot: Snapshot, tmp_path: Path) -> None:
    export(snapshot, [job(tmp_path / "a.svg", len(snapshot.trace.steps))], Look(), Told())
    assert snapshot.run is not None
    losses = [format_number(snapshot.run.losses[k]) for k in (0, 25)]
    texts = [text.text for text in ET.parse(tmp_path / "a.svg").getroot().iter(f"{SVG}text")]
    assert losses[1] in texts
    assert losses[0] not in texts


@needs_pillow
def test_who_stops_it_leaves_no_half_a_file(snapshot: Snapshot, tmp_path: Path) -> None:
    jobs = [job(tmp_path / "a.png", 1), job(tmp_path / "b.gif", 1, 2, 3)]
    with pytest.raises(KeyboardInterrupt):
        export(snapshot, jobs, Look(scale=0.5), Told(until=4))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_animation_is_as_wide_as_a_projector_shows(snapshot: Snapshot, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    model = bind(load("perceptron-classifier"))
    wide = Snapshot.of(Run(model, model.network.training.recipe), model, position=3)
    export(wide, [job(tmp_path / "a.webp", 3), job(tmp_path / "a.png", 3)], Look(), Told())
    with pillow.open(tmp_path / "a.webp") as image:
        assert image.width == WIDEST
    assert QImage(str(tmp_path / "a.png")).width() > WIDEST


def test_a_missing_extra_is_one_sentence_before_anything_is_written(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs the extra “animation”.*backstep\[animation\]"):
        export(snapshot, [job(tmp_path / "a.svg", 1), job(tmp_path / "a.gif", 1)], Look(), Told())
    assert list(tmp_path.iterdir()) == []
    to = ["--to", str(tmp_path / "a.gif")]
    assert command_line.main(["export", "univariate-regression", *to]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "backstep[animation]" in said


def test_what_cannot_be_transparent_says_so(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no transparent background"):
        export(snapshot, [job(tmp_path / "a.mp4", 1)], Look(is_transparent=True), Told())
    assert list(tmp_path.iterdir()) == []


def test_the_window_goes_through_the_steps(snapshot: Snapshot, tmp_path: Path) -> None:
    export(snapshot, [job(tmp_path / f"{k}.png", k) for k in (2, 8)], Look("window", "dark"), Told())
    images = [QImage(str(tmp_path / f"{k}.png")) for k in (2, 8)]
    assert [(i.width(), i.height()) for i in images] == [(1280, 720)] * 2
    assert images[0] != images[1]
