"""The fan-out microscope in the window: it follows the step, lights what arrives, and is walked by keys."""

from __future__ import annotations

import re
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
from gui.panels.microscope import MicroscopePanel, with_air
from gui.session import Session
from gui.viewdata import Link, scene_view
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.panels.helpers import words

FAN = """
title = "Fan"
network = "fan"
[networks.fan]
title = "A value that is used twice"
formula = '''
a = x * w
b = w + 1
L = a * b
'''
parameters = { w = 2.0 }
data = { x = 3.0 }
"""


def microscope(window: Window) -> Any:
    panel = window.panels["microscope"]
    assert isinstance(panel, MicroscopePanel)
    return panel


def states(panel: Any) -> list[str]:
    return [arrival.state for arrival in panel.fan.arrivals]


def plain(text: str) -> str:
    return re.sub("<[^>]*>", "", text.replace("<br>", " ").replace("&nbsp;", " "))


def click(panel: Any, row: int) -> None:
    """Click on a contribution."""
    place = panel.view.visualRect(panel._model.index(row)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def point_at(qtbot: QtBot, session: Session, panel: Any) -> None:
    """Point at the last contribution: the node it comes from is marked, and its way is said."""
    view = panel.view.viewport()
    place = panel.view.visualRect(panel._model.index(2)).center()
    QTest.mouseMove(view, place)
    qtbot.waitUntil(lambda: session.hovered == Link("h1", part="gradient"))
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, place, view.mapToGlobal(QPoint(place))))
    assert "The gradient of h₁ passes back through tanh" in QToolTip.text()


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    return open_window("graphs/templates/recurrence.toml", size=(1280, 720))


def test_it_opens_by_its_key_and_follows_the_step(window: Window, qtbot: QtBot) -> None:
    session = window.session
    QTest.keyClick(window, Qt.Key.Key_M)
    window.settle()
    panel = microscope(window)
    assert panel.is_seen
    session.select("W")
    places = [i + 1 for i in session.statics.arrivals(session.trace, "W")]
    assert states(panel) == ["future"] * 3
    assert "3 contributions are to come" in words(panel)
    session.go(places[0])
    assert states(panel) == ["current", "future", "future"]
    assert panel.view.currentIndex().row() == -1  # nothing but the step moves it
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert states(panel)[0] == "done"
    session.go(places[2])
    assert states(panel) == ["done", "done", "current"]
    assert "agrees." in plain(panel._adds.text())
    assert "wrong" in plain(panel._overwrites.text())
    assert "does not agree" in plain(panel._overwrites.text())
    QTest.keyClick(window, Qt.Key.Key_Left)
    assert states(panel) == ["done", "done", "future"]
    assert "more to come" in plain(panel._adds.text())

    walk(qtbot, session, panel, places)
    session.set_detail(Detail.PRIMITIVE)
    assert panel.fan.name == "W"
    assert len(panel.fan.arrivals) == 3
    window.set_theme("dark")
    assert panel.grab().toImage().pixelColor(2, 2) == window.theme.color("window")


def walk(qtbot: QtBot, session: Session, panel: Any, places: list[int]) -> None:
    """Click on a contribution, then choose one by the keyboard: the step goes there."""
    click(panel, 1)
    assert session.position == places[1]
    assert scene_view(session.frame).current == panel.fan.arrivals[1].edge  # the wire that is lit up
    panel.view.setCurrentIndex(panel._model.index(2))
    QTest.keyClick(panel.view, Qt.Key.Key_Return)
    assert session.position == places[2]
    point_at(qtbot, session, panel)


def hide(session: Session, panel: Any) -> None:
    """Hide the gradient: no number of it is left."""
    session.select("W")
    session.go(len(session.trace.steps))
    assert re.search(r"\d\.\d", plain(panel._adds.text()))
    session.set_hidden(frozenset({"d_W"}))
    assert panel.fan.is_hidden
    assert not re.search(r"\d", plain(panel._adds.text()) + plain(panel._overwrites.text()))
    session.set_hidden(frozenset())
    assert not panel.fan.is_hidden


def spoil(session: Session, panel: Any) -> None:
    """Put the fault in that overwrites: it is said, and no equation adds."""
    place = next(p for p in FAULTS["overwrite"].places(session.model.graph) if p.name == "W")
    session.set_fault(FaultAt("overwrite", place.node, place.slot))
    session.go(len(session.trace.steps))
    assert "The fault that was put in is done here" in words(panel)
    assert not any(r"\mathrel{+}=" in a.equation for a in panel.fan.arrivals)
    assert float(panel.fan.last[panel.fan.index]) == session.frame.gradients["W"][panel.fan.index]
    session.set_fault(None)


def test_it_says_what_to_select_hides_what_is_hidden_and_shows_a_fault(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.show_dock("microscope")
    panel, session = microscope(window), window.session
    offered = [panel.choice.itemText(i) for i in range(panel.choice.count())]
    assert offered == ["b · 3 uses", "W · 3 uses", "U · 3 uses"]
    panel.choice.setCurrentIndex(2)
    panel.choice.activated.emit(2)
    assert session.selection == "U"
    assert panel.fan.name == "U"
    session.select("v")
    assert "v is used once" in words(panel)
    assert "Select a value with several uses: b, W or U." in words(panel)
    assert not panel.view.isVisible()
    session.select(("W", "h2", 1))
    assert panel.fan.name == "W"

    hide(session, panel)
    spoil(session, panel)
    monkeypatch.setattr("gui.panels.microscope.CHEAP", 10)  # a large network is not nudged at every step
    session.go(0)
    session.go(len(session.trace.steps))
    assert panel.fan.is_complete
    assert panel._verdict is None
    assert "does not agree" not in plain(panel._overwrites.text())
    session.open("univariate-regression")
    assert "Every value of this network is used once" in words(panel)
    assert not panel.choice.isVisible()


def test_formulas_come_by_themselves(qtbot: QtBot, open_session: Any, show: Any) -> None:
    panel = show(MicroscopePanel, open_session("scalar-operations"), 440, 260)
    rows = panel._model.rows
    assert rows

    def are_set() -> bool:
        return not any(panel._delegate.unset(with_air(row.equation)) for row in rows)

    for width in (440, 230):  # where there is less room, other lines may be needed
        panel.resize(width, 260)
        qtbot.waitUntil(are_set, timeout=20_000)
        qtbot.waitUntil(lambda: not panel._settle.isActive())
        rect = panel.view.visualRect(panel._model.index(0))
        assert rect.height() >= panel._delegate._height(rows[0])


def test_sixty_doublings_are_shown_whole(open_window: OpenWindow, tmp_path: Path) -> None:
    lines = "\n".join(f"y{i + 1} = y{i} + y{i}" for i in range(60))
    path = tmp_path / "doubled.toml"
    path.write_text(
        f'title = "Doubled"\nformula = """\ny0 = 1 * w\n{lines}\nL = y60\n"""\n[parameters]\nw = 1.5\n',
        "utf-8",
    )
    window = open_window(path, size=(1280, 720))
    window.show_dock("microscope")
    panel, session = microscope(window), window.session
    assert panel.choice.count() == 60
    for name, gradient in (("y59", 2.0), ("y0", 2.0**60)):
        session.select(name)
        session.go(len(session.trace.steps))
        assert len(panel.fan.arrivals) == 2
        assert float(panel.fan.total) == gradient
        assert "agrees." in plain(panel._adds.text())
        assert "does not agree" in plain(panel._overwrites.text())


def test_a_lesson_opens_it_also_on_a_projector(open_window: OpenWindow, qtbot: QtBot) -> None:
    page = '[[page]]\ntitle = "One"\ntext = "Look."\nat = "backward"\n'
    lesson = read_lesson(f'{FAN}{page}microscope = "w"\n{page.replace("One", "Two")}')
    window = open_window(size=(1280, 720))
    player = window.teaching.player
    window.teaching.begin(lesson)
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy)
    panel = microscope(window)
    assert panel.is_seen
    assert panel.fan.name == "w"
    window.presenting.begin(is_full=False)
    window.settle()
    assert panel.is_seen
    assert panel._delegate.factor > 1
    assert (window.width(), window.height()) == (1280, 720)
    player.forward()
    qtbot.waitUntil(lambda: player.number == 1 and player.stage is not None and not player.is_busy)
    assert not window.docks["microscope"].isVisible()
    window.presenting.end()
    assert panel._delegate.factor == 1
