"""The shelf in the window: it fills and empties with the steps, ticks are taken away and given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from engine.faults import FAULTS, FaultAt
from engine.graph import Detail
from graphs.lesson import read_lesson
from gui.panels.shelf import ShelfPanel
from gui.session import Session
from gui.theme import THEMES
from gui.viewdata import Link
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.panels.helpers import words
from tests.gui.test_theme import contrast

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
    look_at_what_is_hidden(panel)
    session.set_hidden(frozenset())
    panel.recompute(frozenset({"A"}))
    session.open("univariate-regression")
    assert panel.recomputed == frozenset()
    assert [row.words for row in panel.view.rows] == ["ŷ − y"]
    window.set_theme("dark")
    assert panel.grab().toImage().pixelColor(2, 2) == window.theme.color("window")


def look_at_what_is_hidden(panel: Any) -> None:
    """Hide what factors read, then shapes."""
    session = panel.session
    session.set_hidden(frozenset({"factors"}))
    session.go(len(session.trace.steps) - 10)
    assert "What factors read is hidden for now." in words(panel)
    assert "What is kept, and how much, is hidden for now." in words(panel)
    assert panel.view.rows == ()
    assert not panel.bars.isVisible()
    assert not panel.keep_all.isVisible()
    session.set_hidden(frozenset({"shapes"}))
    assert "532" not in " ".join(panel._model.index(i).data() for i in range(len(panel.view.rows)))


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


def rows_in_sight(panel: Any) -> list[Any]:
    """Return the rows of which any part can be seen; assert that no row is cut."""
    QApplication.processEvents()
    room = panel.list.viewport().rect()
    found = []
    for row in range(panel._model.rowCount()):
        place = panel.list.visualRect(panel._model.index(row))
        if place.intersects(room):
            assert room.top() <= place.top()
            assert place.bottom() <= room.bottom()
            found.append(panel._model.rows[row])
    return found


def test_no_value_is_cut_off_and_three_have_room_in_a_small_window(open_window: OpenWindow) -> None:
    window = open_window("scalar-operations", size=(1280, 720))
    window.show_dock("shelf")
    window.settle()
    panel = shelf(window)
    for position in range(len(window.session.trace.steps) + 1):
        window.session.go(position)
        assert len(rows_in_sight(panel)) == 3
    line = panel._more.fontMetrics().lineSpacing()
    panel.keep_none.click()
    assert panel._more.height() == 2 * line
    assert len(rows_in_sight(panel)) == 2
    panel.keep_all.click()
    assert panel._more.height() == line
    window.set_letters(1.4)
    assert rows_in_sight(panel)


def test_who_has_read_has_a_tick_and_stands_back_without_being_hard_to_read(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    window.show_dock("shelf")
    panel, delegate = shelf(window), shelf(window)._delegate
    window.session.go(8)  # the gradient of w2; that of Z comes later
    reads = panel.view.rows[0].reads
    assert [read.state for read in reads] == ["current", "future"]
    window.session.go(9)
    after = panel.view.rows[0].reads
    assert [read.state for read in after] == ["done", "future"]
    assert delegate._width_of(after[0]) > delegate._width_of(replace(after[0], state="future")) + 8
    assert not any(delegate._reader_font(read).strikeOut() for read in after)
    assert "read for w₂ (done), Z" in panel._model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    for theme in THEMES.values():
        for ground in ("window", "control", "factor_background"):
            assert contrast(theme, "muted", ground) >= 4.5, (theme.name, ground)


def test_what_a_fault_leaves_out_is_not_read(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    window.show_dock("shelf")
    panel, session = shelf(window), window.session
    assert [read.words for read in panel.view.rows[0].reads] == ["w₂", "Z"]
    place = FAULTS["activation"].places(session.trace.graph)[0]
    session.set_fault(FaultAt("activation", place.node, place.slot))
    assert [read.words for read in panel.view.rows[0].reads] == ["w₂"]
    step = session.trace.backward_places["Z", "A", 0]
    session.go(step + 1)
    assert "This factor reads no stored value." in words(panel)
