"""The process that paints: the same pictures as painted here, of what there was when they were asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from engine.faults import FAULTS, FaultAt
from engine.graph import Detail
from graphs.exporting import SUBJECTS, Look
from graphs.network import load
from graphs.sessions import read_session
from gui.app import application
from gui.export import pictures_of
from gui.painting import Encoded, Encoding, Order, Painter, Painting, Progress, Shown, Standing, painter
from gui.pictures import formats
from gui.session import Document, Session
from gui.theme import THEMES
from tests.gui.conftest import OpenWindow
from tests.gui.pictures.readers import difference, pixels


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    """Return a session with two runs and a search, at a backward step of an iteration in the middle."""
    application()
    session = Session(Document.of(load("two-layer-nonlinear")))
    for _ in range(12):
        session.step_training()
    session.set_learning_rate(0.03)
    for _ in range(20):
        session.step_training()
    session.go_to_iteration(10)
    session.go(9)
    yield session
    session.close()


def svg_of(standing: Standing, look: Look, *positions: int) -> list[bytes]:
    order = Order(look, tuple(Encoding("svg", (position,)) for position in positions))
    return [a.data for a in painter().ask(standing, order) if isinstance(a, Encoded)]


def painted_here(session: Session, look: Look, *positions: int) -> list[bytes]:
    return [formats()["svg"].whole([p]) for p in pictures_of(session, look, positions)]


@pytest.mark.parametrize("subject", ["graph", "neurons", "step", "loss"])
def test_it_paints_what_the_window_would(session: Session, subject: str) -> None:
    look = Look(subject, "print")
    assert svg_of(Standing.of(session), look, 4, 9) == painted_here(session, look, 4, 9)


def test_what_happens_later_is_not_in_the_picture(session: Session) -> None:
    session.set_hidden(frozenset({"W1"}))
    look = Look("graph", "dark")
    standing, here = Standing.of(session), painted_here(session, look, 9)
    loss = painted_here(session, Look("loss"), 9)
    session.set_hidden(frozenset())
    session.go(3)
    for _ in range(5):
        session.step_training()
    session.set_value("W1", np.zeros(session.frame.values["W1"].shape))
    assert svg_of(standing, look, 9) == here != painted_here(session, look, 9)
    assert svg_of(standing, Look("loss"), 9) == loss


def test_the_search_is_in_the_loss(session: Session, qtbot: QtBot) -> None:
    session.start_search(50)
    qtbot.waitUntil(lambda: not session.searching, timeout=20_000)
    (found,) = svg_of(Standing.of(session), Look("loss"), 9)
    assert [found] == painted_here(session, Look("loss"), 9)
    assert b"best of random search" in found


@pytest.mark.parametrize("name", FAULTS)
def test_runs_with_a_fault_are_painted_with_it(qtbot: QtBot, name: str) -> None:
    application()
    session = Session(Document.of(load("logistic-regression")))
    places = FAULTS[name].places(session.model.graph)
    if not places:
        session.open("two-layer-nonlinear")
        places = FAULTS[name].places(session.model.graph)
    place = places[0]
    session.set_fault(FaultAt(name, place.node, place.slot))
    for _ in range(3):
        session.step_training()
    try:
        for subject in ("step", "loss"):
            found = svg_of(Standing.of(session), Look(subject), 9)
            assert found == painted_here(session, Look(subject), 9)
    finally:
        session.close()


def test_an_export_carries_the_network_with_its_comments_and_its_tables(qtbot: QtBot, tmp_path: Path) -> None:
    application()
    (tmp_path / "points.csv").write_text("a,b\n1,2\n2,3\n4,9\n")
    text = (
        'title = "Mine"  # a comment\nformula = """\nz = w * X\nL = sum((z - y)**2)\n"""\n'
        '[parameters]\nw = 0.5\n[data]\nfile = "points.csv"\n'
        'inputs = { X = ["a"] }\ntargets = { y = ["b"] }\n'
    )
    (tmp_path / "mine.toml").write_text(text)
    session = Session(Document.of(load(str(tmp_path / "mine.toml"))))
    found = svg_of(Standing.of(session), Look(), 2)
    assert found == painted_here(session, Look(), 2)
    session.close()
    (tmp_path / "points.csv").unlink()
    (tmp_path / "a.svg").write_bytes(found[0])
    network = read_session(tmp_path / "a.svg").document.network
    assert network.source.text == text
    assert b"4,9" in network.attached["points.csv"]
    again = Session(Document.of(network))
    (second,) = svg_of(Standing.of(again), Look(), 2)
    again.close()
    (tmp_path / "b.svg").write_bytes(second)
    assert b"4,9" in read_session(tmp_path / "b.svg").document.network.attached["points.csv"]


def test_another_detail_is_shown_at_the_same_iteration(session: Session) -> None:
    standing = Standing.of(session, Detail.PRIMITIVE)
    found = svg_of(standing, Look(), 20)
    session.set_detail(Detail.PRIMITIVE)
    assert found == painted_here(session, Look(), 20)


def test_pictures_for_the_screen_fit_their_room(session: Session) -> None:
    (shown,) = painter().ask(Standing.of(session), Order(Look(theme="dark"), (Painting(9, 300, 200, 2.0),)))
    assert isinstance(shown, Shown)
    assert (shown.width == 600) != (shown.height == 400)
    assert max(shown.width / 600, shown.height / 400) == 1.0
    kind = QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(shown.data, shown.width, shown.height, 4 * shown.width, kind)
    assert image.pixelColor(1, 1).name() == THEMES["dark"].color("canvas").name()
    assert "step 9 of" in shown.title


def test_it_is_told_how_far_it_is(session: Session) -> None:
    order = Order(Look(), (Encoding("svg", (1,)), Encoding("pdf", (1, 2, 3))))
    told = [a.done if isinstance(a, Progress) else "file" for a in painter().ask(Standing.of(session), order)]
    assert told == [1, "file", 1, 2, 3, "file"]


def test_what_cannot_be_painted_is_one_sentence_and_it_goes_on(session: Session) -> None:
    standing = Standing.of(session)
    with pytest.raises(UsageError, match=r"no picture of the moon\. Choose graph"):
        svg_of(standing, Look("moon"), 9)
    with pytest.raises(UsageError, match="Choose a smaller scale"):
        list(painter().ask(standing, Order(Look(scale=500.0), (Encoding("png", (9,)),))))
    assert len(svg_of(standing, Look(), 9)) == 1


def test_who_leaves_early_is_in_nobodys_way(session: Session) -> None:
    standing = Standing.of(session)
    answers = painter().ask(standing, Order(Look(), tuple(Encoding("svg", (k,)) for k in (1, 2, 3))))
    next(answers)
    answers.close()
    assert svg_of(standing, Look(), 9) == painted_here(session, Look(), 9)


def test_a_process_that_dies_is_one_sentence_and_another_one_comes(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = Painter()
    standing, order = Standing.of(session), Order(Look(), (Encoding("svg", (9,)),))
    try:
        assert len(list(own.ask(standing, order))) == 2
        (folder,) = tmp_path.iterdir()
        assert own.pid is not None
        os.kill(own.pid, signal.SIGTERM)
        with pytest.raises(UsageError, match=r"has ended unexpectedly\. Export again"):
            list(own.ask(standing, order))
        assert not folder.exists()
        assert len(list(own.ask(standing, order))) == 2
    finally:
        own.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="the application ends"):
        list(own.ask(standing, order))
    assert list(tmp_path.iterdir()) == []


def test_a_window_is_painted_as_it_stands_in_another_theme(open_window: OpenWindow) -> None:
    window = open_window("univariate-regression", size=(1180, 700), position=6)
    window.docks["equations"].hide()
    window.set_theme("light")
    window.settle()
    standing = Standing.of(window.session, window=window.seen())
    found = []
    for theme in ("light", "dark"):
        look = Look("window", theme, 1.0)
        answers = painter().ask(standing, Order(look, (Encoding("png", (6,)), Encoding("png", (7,)))))
        found.append([QImage.fromData(a.data) for a in answers if isinstance(a, Encoded)])
    (light, later), (dark, _) = found
    mean, other = difference(pixels(light), pixels(window.grab().toImage()))
    assert (mean, other) < (4.0, 0.02)
    assert later != light
    assert dark.size() == light.size()
    assert pixels(dark).mean() < 100 < pixels(light).mean()
    assert (window.theme.name, window.session.position) == ("light", 6)


def test_a_window_is_painted_with_the_lesson_that_is_held_in_it(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    window = open_window("univariate-regression", size=(1280, 760))
    window.teaching.open("chain-rule", 1)
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)
    window.settle()
    position = window.session.position
    standing = Standing.of(window.session, window=window.seen())
    order = Order(Look("window", window.theme.name, 1.0), (Encoding("png", (position,)),))
    (answer,) = (a for a in painter().ask(standing, order) if isinstance(a, Encoded))
    _, other = difference(pixels(QImage.fromData(answer.data)), pixels(window.grab().toImage()))
    assert other < 0.02


def test_every_subject_can_be_ordered(session: Session, open_window: OpenWindow) -> None:
    window = open_window("two-layer-nonlinear")
    standing = replace(Standing.of(session), window=window.seen())
    for subject in SUBJECTS:
        assert len(svg_of(standing, Look(subject, scale=0.5), 9)) == 1, subject
