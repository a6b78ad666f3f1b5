"""Docks stand where a session's file says; a file that says anything else moves nothing and harms nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QTextEdit
from pytestqt.qtbot import QtBot

from gui.app import application
from gui.docking import docks_state, restore_docks
from tests.gui.conftest import OpenWindow

RIGHT, BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
Docks = dict[str, QDockWidget]


def build() -> tuple[QMainWindow, Docks]:
    window = QMainWindow()
    window.resize(1000, 700)
    window.setCentralWidget(QTextEdit())
    docks: Docks = {}
    for name, area in (("a", RIGHT), ("b", RIGHT), ("c", BOTTOM), ("d", BOTTOM)):
        docks[name] = QDockWidget(name, window)
        docks[name].setObjectName(name)
        docks[name].setWidget(QTextEdit())
        window.addDockWidget(area, docks[name])
    window.tabifyDockWidget(docks["c"], docks["d"])
    window.show()
    QApplication.processEvents()
    return window, docks


@pytest.fixture
def made(qtbot: QtBot) -> Iterator[tuple[QMainWindow, Docks]]:
    application()
    window, docks = build()
    qtbot.addWidget(window)
    yield window, docks
    window.close()


def test_docks_stand_where_they_stood(qtbot: QtBot, made: tuple[QMainWindow, Docks]) -> None:
    window, docks = made
    docks["b"].hide()
    window.addDockWidget(BOTTOM, docks["a"])
    docks["d"].raise_()
    window.resizeDocks([docks["d"]], [260], Qt.Orientation.Vertical)
    QApplication.processEvents()
    state = docks_state(window, docks)
    other, again = build()
    qtbot.addWidget(other)
    restore_docks(other, again, state)
    QApplication.processEvents()
    found = docks_state(other, again)
    assert found["groups"] == state["groups"]
    for name, row in state["docks"].items():
        assert {k: v for k, v in found["docks"][name].items() if k != "size"} == {
            k: v for k, v in row.items() if k != "size"
        }
    assert abs(again["d"].height() - docks["d"].height()) <= 2


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "left", "size"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "area": st.sampled_from(["left", "top", "right", "bottom", "nowhere"]) | JUNK,
        "shown": st.booleans() | JUNK,
        "floating": st.booleans() | JUNK,
        "front": st.booleans() | JUNK,
        "size": st.lists(st.integers(-10, 30_000), max_size=3) | JUNK,
    },
)
STATE = JUNK | st.fixed_dictionaries(
    {
        "docks": st.dictionaries(st.sampled_from("abcdx"), ROW | JUNK),
        "groups": st.lists(st.lists(st.sampled_from("abcdx"), max_size=4)) | JUNK,
        "window": st.lists(st.integers(-10, 30_000), max_size=3) | JUNK,
    }
)


@given(state=STATE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_state_is_survived(made: tuple[QMainWindow, Docks], state: Any) -> None:
    window, docks = made
    restore_docks(window, docks, state)
    QApplication.processEvents()
    assert window.size() == QSize(1000, 700)


def test_a_tab_bar_that_is_left_over_is_hidden(open_window: OpenWindow) -> None:
    window = open_window(size=(1920, 1080))
    window.authoring.begin()
    QApplication.processEvents()
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = [{bar.tabText(i) for i in range(bar.count())} for bar in bars if bar.isVisible()]
    assert {"Write", "This step", "Inspector"} in shown
    assert not any(a < b for a in shown for b in shown)
    window.authoring.give_up()
