"""Numbers are changed from the graph: a double click opens them, a drag on a card's number scrubs it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.scene.node_item import NodeItem
from gui.window import Window

LEFT = Qt.MouseButton.LeftButton


def place_of(window: Window, name: str) -> QPoint:
    """Return where the value of a card is on the screen of the view."""
    items = (i for i in window.scene.items() if isinstance(i, NodeItem) and i.view.name == name)
    item = next(items)
    rect = item.card.value
    return window.view.mapFromScene(item.mapToScene(QPointF(rect.left() + 12, rect.center().y())))


def drag(window: Window, name: str, by: int, release: bool = True) -> None:
    port, start = window.view.viewport(), place_of(window, name)
    QTest.mousePress(port, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for x in (14, 14 + by // 2, 14 + by):
        QTest.mouseMove(port, start + QPoint(x, 0))
    if release:
        QTest.mouseRelease(port, LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(14 + by, 0))


def test_a_double_click_on_a_card_opens_its_number(qtbot: QtBot, window: Window) -> None:
    panel: Any = window.panels["inspector"]
    qtbot.mouseDClick(window.view.viewport(), LEFT, pos=place_of(window, "b2"))
    assert window.session.selection == "b2"
    field = panel.value_matrix.field
    assert field.isVisible()
    qtbot.keyClicks(field, "1/4")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert window.session.frame.values["b2"] == 0.25


def test_a_number_that_was_clicked_is_typed_over(qtbot: QtBot, window: Window) -> None:
    panel: Any = window.panels["inspector"]
    speed = window.session.speed
    qtbot.mouseClick(window.view.viewport(), LEFT, pos=place_of(window, "b2"))
    assert window.session.selection == "b2"
    qtbot.keyClick(window.view, Qt.Key.Key_Minus)  # else: slower
    field = panel.value_matrix.field
    assert (field.isVisible(), field.text()) == (True, "-")
    qtbot.keyClicks(field, "1.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert window.session.frame.values["b2"] == -1.5
    assert window.focusWidget() is window.view  # the keys step again
    qtbot.keyClick(window.view, Qt.Key.Key_2)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert window.session.frame.values["b2"] == -1.5
    assert window.session.speed == speed
    qtbot.keyClick(window.view, Qt.Key.Key_Right)  # another place: the keys are the window's
    qtbot.keyClick(window.view, Qt.Key.Key_Minus)
    assert window.session.speed < speed
    assert not field.isVisible()


def test_an_entry_of_a_matrix_that_was_clicked_is_typed_over(qtbot: QtBot, window: Window) -> None:
    before = window.session.frame.values["W1"]
    qtbot.mouseClick(window.view.viewport(), LEFT, pos=place_of(window, "W1"))
    qtbot.keyClick(window.view, Qt.Key.Key_7)
    panel: Any = window.panels["inspector"]
    qtbot.keyClick(panel.value_matrix.field, Qt.Key.Key_Return)
    after = window.session.frame.values["W1"]
    assert np.count_nonzero(after != before) == 1
    assert 7.0 in after


def test_digits_on_a_card_that_is_computed_are_nobodys(qtbot: QtBot, window: Window) -> None:
    window.session.go(2)
    qtbot.mouseClick(window.view.viewport(), LEFT, pos=place_of(window, "Z"))
    qtbot.keyClick(window.view, Qt.Key.Key_7)
    panel: Any = window.panels["inspector"]
    assert not panel.value_matrix.field.isVisible()


def test_a_computed_card_says_what_to_change(qtbot: QtBot, window: Window) -> None:
    window.session.go(2)
    panel: Any = window.panels["inspector"]
    qtbot.mouseDClick(window.view.viewport(), LEFT, pos=place_of(window, "Z"))
    assert window.session.selection == "Z"
    assert not panel.value_matrix.field.isVisible()
    assert "Z is computed" in panel._message.text()


def test_dragging_the_number_of_a_card_scrubs_it_and_moves_no_picture(window: Window) -> None:
    session = window.session
    session.go(6)
    place = place_of(window, "b2")
    drag(window, "b2", 60)
    value = float(session.frame.values["b2"])
    assert value > 0
    assert session.position == 6
    assert session.undo_text == "Change b2"
    assert place_of(window, "b2") == place
    session.undo()
    assert session.frame.values["b2"] == 0


def test_the_arrows_come_with_the_drag_of_a_card_s_number(window: Window) -> None:
    port = window.view.viewport()
    QTest.mouseMove(port, place_of(window, "b2"))
    assert port.cursor().shape() != Qt.CursorShape.SizeHorCursor
    drag(window, "b2", 60, release=False)
    assert port.cursor().shape() == Qt.CursorShape.SizeHorCursor
    QTest.mouseRelease(port, LEFT, Qt.KeyboardModifier.NoModifier, place_of(window, "b2") + QPoint(74, 0))
    assert port.cursor().shape() != Qt.CursorShape.SizeHorCursor


def test_escape_gives_a_drag_on_a_card_up(qtbot: QtBot, window: Window) -> None:
    session = window.session
    drag(window, "b2", 60, release=False)
    assert session.frame.values["b2"] != 0
    window.view.setFocus()
    qtbot.keyClick(window.view, Qt.Key.Key_Escape)
    assert session.frame.values["b2"] == 0
    assert session.undo_text == ""


def test_a_zoomed_view_stays_where_it_is_when_a_number_changes(window: Window) -> None:
    window.view.zoom(1.5)
    place = place_of(window, "b2")
    window.session.edit("b2", np.array(2.0))
    assert place_of(window, "b2") == place


def test_g_and_escape_show_and_end_the_nudge_test(qtbot: QtBot, window: Window) -> None:
    window.view.setFocus()
    qtbot.keyClick(window.view, Qt.Key.Key_G)
    assert window.session.frame.nudge is not None
    panel: Any = window.panels["step"]
    assert panel.nudge_box.isVisible()
    qtbot.keyClick(window.view, Qt.Key.Key_Escape)
    assert window.session.frame.nudge is None
    assert not panel.nudge_box.isVisible()


def test_the_arrows_step_unless_a_matrix_has_the_focus(qtbot: QtBot, window: Window) -> None:
    panel: Any = window.panels["inspector"]
    window.session.select("w2")
    window.view.setFocus()
    qtbot.keyClick(window.view, Qt.Key.Key_Right)
    assert window.session.position == 1
    panel.value_matrix.setFocus()
    panel.value_matrix.select_cell(0, 0)
    qtbot.keyClick(panel.value_matrix, Qt.Key.Key_Right)
    assert window.session.position == 1
    assert panel.value_matrix.selected == (0, 1)
