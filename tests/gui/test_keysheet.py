"""The key sheet: every key in sight, nothing behind it moves, and the focus comes back."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow, QWidget

from gui.keysheet import KeySheet, caps_of, grouped, into_columns
from gui.theme import DARK, LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key
GROUPS = {"Step": 12, "Play": 3, "Train": 4, "Look closer": 2, "View": 8, "File": 4, "Edit": 2, "Help": 2}
ROWS = [(g, f"Ctrl+Shift+{i}", f"Do what {g} does, {i}") for g, count in GROUPS.items() for i in range(count)]


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    graph = QWidget()
    graph.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    window.setCentralWidget(graph)
    window.resize(1280, 720)
    window.show()
    window.activateWindow()
    graph.setFocus()
    qtbot.waitUntil(graph.hasFocus)
    yield window  # noqa: PT022  not returned: the window lives as long as this function


def opened(window):
    sheet = KeySheet(LIGHT, ROWS, window)
    sheet.open_over()
    return sheet


def test_all_of_it_is_in_sight_on_a_projector(window):
    sheet = opened(window)
    assert sheet.sheet.size() == sheet.area.viewport().size()
    assert window.rect().contains(sheet.card())
    assert sheet.sheet.fontMetrics().height() <= sheet.sheet._row


def test_every_key_of_the_program_is_in_sight_on_a_projector(open_window):
    window = open_window(size=(1280, 720))
    window.actions_by_id["keys"].trigger()
    sheet = window.findChild(KeySheet)
    assert sheet.sheet.size() == sheet.area.viewport().size()
    assert window.rect().contains(sheet.card())
    sheet.close()


@pytest.mark.parametrize("size", [(1920, 1080), (1000, 600), (512, 288)])
def test_in_any_window_it_lies_inside_and_scrolls_only_downwards(window, size):
    sheet = opened(window)
    window.resize(*size)
    assert sheet.geometry() == window.rect()
    assert window.rect().contains(sheet.card())
    assert sheet.sheet.width() <= sheet.area.viewport().width()
    bar = sheet.area.verticalScrollBar()
    for _ in range(20):
        QTest.keyClick(sheet, Key.Key_PageDown)
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("key", [Key.Key_Escape, Key.Key_F1])
def test_a_key_closes_it_and_the_focus_is_back(qtbot, window, key):
    sheet = opened(window)
    assert sheet.hasFocus()
    with qtbot.waitSignal(sheet.destroyed):
        QTest.keyClick(sheet, key)
    assert window.centralWidget().hasFocus()


def test_a_click_closes_it(qtbot, window):
    sheet = opened(window)
    with qtbot.waitSignal(sheet.destroyed):
        qtbot.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=sheet.card().center())
    assert window.centralWidget().hasFocus()


def test_nothing_behind_it_moves(qtbot, window):
    fired = []
    for text in ("Right", "Space", "F1", "Ctrl+Z"):
        action = QAction(text, window)
        action.setShortcut(QKeySequence(text))
        action.triggered.connect(lambda _, text=text: fired.append(text))
        window.addAction(action)
    sheet = opened(window)
    for text in ("Right", "Space", "Ctrl+Z"):
        QTest.keySequence(sheet, QKeySequence(text))
    QTest.keyClick(sheet, Key.Key_Tab)
    assert fired == []
    assert sheet.hasFocus()


def test_groups_stay_together_and_in_order():
    mixed = [("A", "1", "one"), ("B", "2", "two"), ("A", "3", "three")]
    assert grouped(mixed) == [("A", [("1", "one"), ("3", "three")]), ("B", [("2", "two")])]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_columns_are_as_even_as_they_can_be(count):
    columns = into_columns(grouped(ROWS), count)
    assert len(columns) == count
    assert [group for column in columns for group in column] == grouped(ROWS)
    assert into_columns([], count) == []


def test_each_chord_has_a_cap():
    assert caps_of("Ctrl+Z, Ctrl+Y") == ["Ctrl+Z", "Ctrl+Y"]
    assert caps_of("+ / -") == ["+", "-"]
    assert caps_of("Ctrl++") == ["Ctrl++"]


def test_it_is_read_out_and_follows_the_theme(window):
    sheet = opened(window)
    assert "Ctrl+Shift+0: Do what Step does, 0" in sheet.sheet.accessibleDescription()
    sheet.set_theme(DARK)
    image = sheet.grab().toImage()
    assert image.pixelColor(sheet.card().topLeft() + QPoint(20, 8)) == DARK.color("card")
