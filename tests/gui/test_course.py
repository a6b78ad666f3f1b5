"""The course, played to the end in the real window: wrong and right answers; every page on a projector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from graphs.lesson import built_in_lessons, load_lesson
from graphs.staging import place
from gui.lessons import LessonPlayer
from gui.window import Window
from tests.gui.waiting import wait_until_settled

pytestmark = pytest.mark.timeout(400)
LIMIT = 120_000


@pytest.fixture
def window(shared_window: Window, qtbot: QtBot) -> Iterator[Window]:
    """Return one window for the whole course, as a learner has it; no lesson is open or left open."""
    assert shared_window.teaching.player.lesson is None
    assert not shared_window.presenting.is_on
    yield shared_window
    shared_window.presenting.end()
    shared_window.teaching.end()
    wait_until_settled(shared_window.session)


def arrived(window: Window, qtbot: QtBot) -> LessonPlayer:
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=LIMIT)
    window.session.stop_search()
    if window.session.playing:
        window.session.toggle_play()
    wait_until_settled(window.session)
    return player


def do_what_is_asked(window: Window, player: LessonPlayer) -> None:
    """Step, edit, train and nudge as a page asks for it."""
    session, page, stage = window.session, player.page, player.stage
    assert page is not None
    assert stage is not None
    wait = page.wait
    if wait is None:
        return
    if wait.at:
        session.go(place(wait.at, session.trace))
    if wait.edited:
        session.edit(wait.edited, np.asarray(session.model.leaves[wait.edited]) + 0.25)
    for _ in range(20):
        reached = wait.loss_below is None or (session.losses < wait.loss_below).any()
        if reached and session.iterations >= wait.trained:
            break
        session.train(max(wait.trained, 100))
        wait_until_settled(session)
    if wait.nudged:
        session.select(wait.nudged.partition("[")[0])
        session.nudge_test()
    assert player.open_tasks in ((), ("Answer the question.",)), page.title


def answer(window: Window, player: LessonPlayer) -> None:
    """Give a wrong answer, see what is said of it, then the right one."""
    stage, question = player.stage, player.question
    if question is None or stage is None or stage.posed is None:
        return
    panel = window.panels["lesson"]
    wrong = next((c for c in question.choices if c != question.answer), "12345.678")
    wrong = {"shape": "7 x 9", "name": "nobody"}.get(question.kind, wrong)
    assert all(b.height() >= b.heightForWidth(b.width()) for b in panel.options.buttons())  # type: ignore[attr-defined]
    right = question.answer
    if question.kind == "shape":
        right = "x".join(map(str, stage.posed.right_shape)) or "scalar"
    for text in (wrong, right):
        if question.kind == "choice":
            panel.options.button(question.choices.index(text)).click()  # type: ignore[attr-defined]
        else:
            panel.field.setText(text)  # type: ignore[attr-defined]
        panel.check.click()  # type: ignore[attr-defined]
        if text == wrong:
            assert not player.state.is_right, question.ask
            assert panel.said.source, question.ask  # type: ignore[attr-defined]
    assert player.state.is_right, question.ask
    assert panel.said.source.startswith("**Right.**")  # type: ignore[attr-defined]
    assert window.session.hidden == frozenset()


def reach(window: Window) -> int:
    """Return by how many pixels a page can be scrolled, once it is laid out."""
    for _ in range(3):
        QApplication.processEvents()
    return window.panels["lesson"].area.verticalScrollBar().maximum()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", built_in_lessons())
def test_a_lesson_is_played_to_the_end(window: Window, qtbot: QtBot, name: str) -> None:
    window.teaching.open(name, 0)
    count = len(load_lesson(name).pages)
    for number in range(count):
        player = arrived(window, qtbot)
        assert player.number == number
        assert reach(window) == 0, number  # a page at 1280x720 is seen whole
        do_what_is_asked(window, player)
        answer(window, player)
        assert reach(window) == 0, number
        assert player.open_tasks == ()
        QTest.keyClick(window, Qt.Key.Key_N)
    assert window.teaching.rows()[built_in_lessons().index(name)].is_done
    height = window.docks["lesson"].height()
    QTest.keyClick(window, Qt.Key.Key_L)  # larger plots, and back: the column at the right stays
    QTest.keyClick(window, Qt.Key.Key_L)
    assert abs(window.docks["lesson"].height() - height) < 20


@pytest.mark.parametrize("name", built_in_lessons())
def test_every_page_fits_on_a_projector(window: Window, qtbot: QtBot, name: str) -> None:
    window.presenting.begin(is_full=False)
    window.teaching.open(name, 0)
    cut = []
    for number, page in enumerate(load_lesson(name).pages):
        window.teaching.player.go(number)
        player = arrived(window, qtbot)
        for phase in ("text", "question", "answer") if page.question is not None else ("text",):
            while window.presenting.phase != phase:
                window.presenting.advance()
            qtbot.wait(1)
            if window.strip.is_cut:
                cut.append((page.title, phase))
        assert window.view.height() > 180, page.title
        assert player.number == number
    assert cut == []
    assert (window.width(), window.height()) == (1280, 720)
