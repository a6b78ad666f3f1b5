"""The shelf in the window: it fills and empties with the steps, ticks are taken away and given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from graphs.lesson import read_lesson
from gui.panels.shelf import ShelfPanel
from gui.session import Session
from gui.viewdata import Link
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.panels.helpers import words

DEPTH = 16


def shelf(window: Window) -> Any:
    panel = window.panels["shelf"]
    assert isinstance(panel, ShelfPanel)
    return panel


def states(panel: Any) -> list[tuple[str, str]]:
    return [(row.words, row.state) for row in panel.view.rows]


def click(panel: Any, row: int, x: float) -> None:
    place = panel.list.visualRect(panel._model.index(row))
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(int(x), place.center().y()))


def tip(panel: Any, row: int) -> str:
    place = panel.list.visualRect(panel._model.index(row)).center()
    there = panel.list.viewport()
    QApplication.sendEvent(there, QHelpEvent(QEvent.Type.ToolTip, place, there.mapToGlobal(place)))
    return QToolTip.text()


def test_it_fills_and_empties_and_what_has_no_tick_is_worked_out_again(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    window = open_window(size=(1280, 720))
    session = window.session
    QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    window.settle()
    panel = shelf(window)
    assert panel.is_seen
    assert (window.width(), window.height()) == (1280, 720)
    assert states(panel) == [("A", "future"), ("ŷ", "future")]
    heights = []
    for expected in (
        "future",
        "kept",
        "kept",
        "kept",
        "kept",
        "kept",
        "kept",
        "read",
        "kept",
        "kept",
        "read",
        "done",
    ):
        QTest.keyClick(window, Qt.Key.Key_Right)
        heights.append(panel.list.height())
        assert states(panel)[0] == ("A", expected)
    assert len(set(heights)) == 1  # nothing moves while stepping
    assert "Kept: 5 m = 665 values, 5.3 kB" in words(panel)
    assert "In memory at most 1064 = 8 m, at step 2." in words(panel)
    usual = session.trace
    untick(session, panel)
    assert session.trace is usual  # the numbers are those that they were
    walk(qtbot, window, panel)


def untick(session: Session, panel: Any) -> None:
    """Take the tick from A: it is worked out again, and the gradients are the same."""
    click(panel, 0, 20)
    assert panel.recomputed == {"A"}
    assert "Kept: m = 133 values" in words(panel)
    assert "1596 operations done again, 55 % of forward; gradients the same to the last bit." in words(panel)
    session.go(8)
    assert "A is worked out again from W₁, X and b₁, by way of Z" in words(panel)
    assert "worked out again at step 8" in tip(panel, 0)
    assert "Take the tick away" in tip(panel, 1)
    assert panel.choices() == {"recomputed": "A"}
    panel.list.setCurrentIndex(panel._model.index(0))
    QTest.keyClick(panel.list, Qt.Key.Key_Space)
    assert panel.recomputed == frozenset()
    assert not session.playing
    panel.choose_again({"recomputed": "A,nobody,yhat"})
    assert panel.recomputed == {"A", "yhat"}
    panel.choose_again({"recomputed": 7})
    panel.keep_all.click()
    assert panel.recomputed == frozenset()
    panel.keep_none.click()
    assert panel.recomputed == {"A", "yhat"}
    panel.keep_all.click()


def walk(qtbot: QtBot, window: Window, panel: Any) -> None:
    """Point, select and go from the shelf; other details and networks."""
    session = window.session
    place = panel.list.visualRect(panel._model.index(0)).center()
    QTest.mouseMove(panel.list.viewport(), place)
    qtbot.waitUntil(lambda: session.hovered == Link("A"))
    assert panel._delegate.linked == "A"
    click(panel, 0, 120)
    assert session.selection == "A"
    assert panel.recomputed == frozenset()
    bars = panel.bars
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(20, 15))
    assert session.position == 1
    at = QPoint(bars.width() // 2, 12)
    QApplication.sendEvent(bars, QHelpEvent(QEvent.Type.ToolTip, at, bars.mapToGlobal(at)))
    assert "values in memory" in QToolTip.text()
    session.set_detail(Detail.PRIMITIVE)
    assert [row.words for row in panel.view.rows] == ["A", "ŷ − y"]
    session.set_hidden(frozenset({"factors"}))
    session.go(len(session.trace.steps) - 10)
    assert "Which stored values does this factor read?" in words(panel)
    session.set_hidden(frozenset())
    panel.recompute(frozenset({"A"}))
    session.open("univariate-regression")
    assert panel.recomputed == frozenset()
    assert [row.words for row in panel.view.rows] == ["ŷ − y"]
    window.set_theme("dark")
    assert panel.grab().toImage().pixelColor(2, 2) == window.theme.color("window")


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    lines = "\n".join(f"h{i + 1} = tanh(W @ h{i})" for i in range(DEPTH))
    path = tmp_path / "deep.toml"
    path.write_text(
        f'title = "Deep"\nformula = """\nh0 = tanh(W @ X)\n{lines}\nL = sum(h{DEPTH} * h{DEPTH})\n"""\n'
        "[parameters]\nW = [[0.5, 0.1], [0.2, 0.3]]\n[data]\nX = [[1, 2, 3], [4, 5, 6]]\n",
        "utf-8",
    )
    return path


def test_every_root_th_layer_kept_takes_less_and_large_networks_are_worked_out_beside(
    open_window: OpenWindow, qtbot: QtBot, deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(deep, size=(1280, 720))
    window.show_dock("shelf")
    panel = shelf(window)
    usual = panel.view.peak
    panel.keep_some.click()
    assert len(panel.view.rows) - len(panel.recomputed) == 4  # of 17
    assert panel.view.peak < usual / 2
    assert panel._is_same is True
    assert f"In memory at most {panel.view.peak} instead of {usual}" in words(panel)

    monkeypatch.setattr("gui.panels.shelf.MANY", 10)
    panel.recompute(frozenset({"h1"}))
    assert "Working out what is in memory" in words(panel)
    qtbot.waitUntil(lambda: panel.view is not None)
    assert panel.view.extra > 0
    panel.recompute(frozenset({"h2"}))
    panel.settle()
    assert panel.view is not None
    assert [row.name for row in panel.view.rows if not row.is_kept] == ["h2"]


def test_a_lesson_opens_it_with_what_is_recomputed(open_window: OpenWindow, qtbot: QtBot) -> None:
    page = '[[page]]\ntitle = "One"\ntext = "Look."\nat = "backward"\n'
    lesson = read_lesson(
        f'title = "Shelf"\nnetwork = "two-layer-nonlinear"\n{page}shelf = ["A"]\n{page}shelf = true\n{page}'
    )
    window = open_window(size=(1280, 720))
    player = window.teaching.player
    window.presenting.begin(is_full=False)
    window.teaching.begin(lesson)
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy)
    panel = shelf(window)
    assert panel.is_seen
    assert panel.recomputed == {"A"}
    assert panel._delegate.factor > 1
    player.forward()
    qtbot.waitUntil(lambda: player.number == 1 and player.stage is not None and not player.is_busy)
    assert panel.is_seen
    assert panel.recomputed == frozenset()
    player.forward()
    qtbot.waitUntil(lambda: player.number == 2 and player.stage is not None and not player.is_busy)
    assert not window.docks["shelf"].isVisible()
    window.presenting.end()
    assert panel._delegate.factor == 1
