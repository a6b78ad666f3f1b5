"""Panels that are not seen do nothing, and are right as soon as they are."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDockWidget, QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from gui.app import application
from gui.panel import Panel, keep_bar
from gui.theme import LIGHT
from gui.theme import apply as apply_theme
from gui.window import Window
from tests.gui.conftest import OpenWindow

LIMIT = 60_000  # ms


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    return open_window(size=(1600, 950))


def tabbed(window: Window) -> tuple[QDockWidget, QDockWidget]:
    """Return two docks that share a place, the one behind first."""
    for a, b in combinations(window.docks.values(), 2):
        if b in window.tabifiedDockWidgets(a):
            b.raise_()
            return a, b
    raise AssertionError("no two docks share a place")


def panel_of(dock: QDockWidget) -> Panel:
    panel = dock.widget()
    assert isinstance(panel, Panel)
    return panel


def test_of_docks_that_share_a_place_one_is_seen(window: Window, qtbot: QtBot) -> None:
    behind, front = (panel_of(dock) for dock in tabbed(window))
    qtbot.waitUntil(lambda: front.is_seen and not behind.is_seen, timeout=LIMIT)
    assert behind.isVisible()  # for Qt


def test_a_panel_behind_a_tab_does_nothing_until_its_tab_is_chosen(window: Window, qtbot: QtBot) -> None:
    dock, front = tabbed(window)
    panel = panel_of(dock)
    qtbot.waitUntil(lambda: not panel.is_seen, timeout=LIMIT)
    window.session.step(1)
    assert panel._is_stale
    assert not panel_of(front)._is_stale
    dock.raise_()
    qtbot.waitUntil(lambda: not panel._is_stale, timeout=LIMIT)
    qtbot.waitUntil(lambda: panel.is_seen, timeout=LIMIT)
    window.session.step(1)
    assert not panel._is_stale


def test_a_closed_dock_does_nothing_until_it_is_opened(window: Window) -> None:
    dock = window.docks["step"]
    dock.hide()
    assert not panel_of(dock).is_seen
    window.session.step(1)
    assert panel_of(dock)._is_stale
    dock.show()
    assert not panel_of(dock)._is_stale


def test_a_bar_is_seen_only_where_there_is_something_to_scroll(qtbot: QtBot) -> None:
    """Its room is kept all the same: what is in the area keeps its width."""
    apply_theme(application(), LIGHT)
    area, inside = QScrollArea(), QLabel("words")
    qtbot.addWidget(area)
    area.setWidget(inside)
    keep_bar(area)
    area.resize(200, 200)
    area.show()
    bar, width = area.verticalScrollBar(), area.viewport().width()

    def colours() -> set[str]:
        image = area.grab().toImage()
        corner = bar.mapTo(area, QPoint(0, 0))
        return {
            image.pixelColor(corner.x() + x, corner.y() + y).name()
            for x in range(bar.width())
            for y in range(0, bar.height(), 3)
        }

    handle = LIGHT.color("scroll_handle").name()
    assert handle not in colours()
    inside.resize(100, 900)
    qtbot.waitUntil(lambda: handle in colours())
    assert area.viewport().width() == width
    inside.resize(100, 90)
    qtbot.waitUntil(lambda: handle not in colours())
