"""Presenting: large words under the graph, a clicker's two keys, and everything back afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from graphs.lesson import read_lesson
from graphs.network import load
from gui.app import application, temporary_settings
from gui.presenting import LEAST, contrasted
from gui.session import Document, Session
from gui.theme import DARK, LIGHT, Theme, application_font
from gui.window import Window
from tests.gui.test_theme import contrast

LESSON = """
title = "A lesson"
network = "two-layer-nonlinear"
[[page]]
title = "One"
text = "The loss is {{L}}."
docks = ["fit"]
notes = "Say it slowly."
[[page]]
title = "Two"
text = "Which?"
at = "start"
wait = { at = "forward Z" }
[[page]]
title = "Three"
text = "And now?"
[page.question]
ask = "Which is it?"
kind = "choice"
choices = ["a", "b"]
answer = "b"
hints = ["x", "y"]
explain = "Because."
"""


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Window]:
    application()
    window = Window(Session(Document.of(load("two-layer-nonlinear"))), temporary_settings())
    window.resize(1280, 720)
    window.show()
    window.settle()
    yield window
    window.close()


def page_down(window: Window) -> None:
    QTest.keyClick(window, Qt.Key.Key_PageDown)


def staged(window: Window, qtbot: QtBot) -> None:
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)


def test_a_step_is_said_in_large_letters(window: Window) -> None:
    window.presenting.begin(is_full=False)
    page_down(window)
    assert window.session.position == 1
    assert window.strip.text.source.startswith("**")
    assert window.strip.text.document().defaultFont().pointSizeF() >= LEAST - 0.01
    assert not window.strip.is_cut
    assert not window.transport.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.values())
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert window.session.position == 0


def test_everything_is_back_afterwards(window: Window) -> None:
    shown = {name for name, dock in window.docks.items() if dock.isVisible()}
    theme = window.theme
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.presenting.is_on
    QTest.keyClick(window, Qt.Key.Key_F11)
    window.resize(1280, 720)
    window.settle()
    assert not window.presenting.is_on
    assert {name for name, dock in window.docks.items() if dock.isVisible()} == shown
    assert window.transport.isVisible()
    assert not window.strip.isVisible()
    assert window.theme == theme
    page_down(window)
    assert window.session.iterations == 1


def test_a_clicker_goes_through_a_lesson(window: Window, qtbot: QtBot) -> None:
    window.presenting.begin(is_full=False)
    window.teaching.begin(read_lesson(LESSON))
    player = window.teaching.player
    staged(window, qtbot)
    assert window.strip.text.source.startswith("The loss is")
    assert window.docks["fit"].isVisible()
    assert not window.docks["lesson"].isVisible()
    page_down(window)
    staged(window, qtbot)
    assert (player.number, window.session.position) == (1, 0)
    assert window.docks["fit"].isVisible()  # what a page opens stays open until another says otherwise
    page_down(window)
    assert (player.number, window.session.position) == (1, 1)
    page_down(window)
    staged(window, qtbot)
    assert (player.number, window.presenting.phase) == (2, "text")
    page_down(window)
    assert "Which is it?" in window.strip.text.source
    assert "b" in window.strip.text.source
    page_down(window)
    assert window.strip.text.source == "**b**\n\nBecause."
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert window.presenting.phase == "question"
    window.presenting.end()
    assert window.docks["lesson"].isVisible()


def test_the_speaker_sees_notes_and_what_comes_next(window: Window, qtbot: QtBot) -> None:
    window.teaching.begin(read_lesson(LESSON))
    staged(window, qtbot)
    window.presenting.begin(is_full=False)
    window.presenting.show_speaker()
    speaker = window.presenting.speaker
    assert speaker is not None
    assert (speaker.notes.source, speaker.following.text()) == ("Say it slowly.", "Next: Two")
    QTest.keyClick(speaker, Qt.Key.Key_PageDown)
    staged(window, qtbot)
    assert speaker.page.text() == "2 of 3: Two"
    assert ":" in speaker.clock.text()
    window.presenting.end()
    assert window.presenting.speaker is None


def test_why_leads_back_to_where_it_was_asked(window: Window, qtbot: QtBot) -> None:
    window.session.go(12)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.presenting.is_away
    window.session.go(2)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert (window.session.position, window.presenting.is_away) == (12, False)


def test_a_spotlight_dims_what_is_not_spoken_of(window: Window) -> None:
    window.session.go(9)
    before = window.view.grab().toImage()
    QTest.keyClick(window, Qt.Key.Key_P)
    after = window.view.grab().toImage()
    step = window.session.frame.step
    assert step is not None
    for name, is_lit in ((step.target, True), ("X", False)):
        rect = window.view.mapFromScene(window.scene.node_rect(name)).boundingRect()
        assert (before.copy(rect) == after.copy(rect)) == is_lit
    QTest.keyClick(window, Qt.Key.Key_P)
    assert window.view.grab().toImage() == before


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_quiet_words_can_be_read_from_the_last_row(theme: Theme) -> None:
    strong = contrasted(theme)
    assert contrast(strong, "muted", "canvas") > 9
    assert application_font().pointSizeF() < LEAST
