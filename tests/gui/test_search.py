"""The command search: typed, found, done, and the focus is back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow, QWidget

from gui.search import CommandSearch, find, match
from gui.theme import LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key
ITEMS = [
    ("back", "Step back", "Left", False),
    ("forward", "Step forward", "Right", True),
    ("next", "Next iteration", "PgDown", True),
    ("export", "Export picture…", "Ctrl+E", True),
    ("layout", "Restore the panels", "", True),
]
NODES = ["X", "W1", "b1", "Z", "A", "yhat", "L"]


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


@pytest.fixture
def search(window):
    search = CommandSearch(LIGHT, ITEMS, NODES, window, steps=21)
    search.open_over()
    return search


def shown(search):
    return [search.list.item(row).text() for row in range(search.list.count())]


def test_it_begins_with_every_command_and_the_first_that_can_be_done(search):
    assert search.edit.hasFocus()
    assert shown(search) == [item[1] for item in ITEMS]
    assert search.list.currentItem().text() == "Step forward"


def test_enter_does_the_command_with_the_focus_back(qtbot, window, search):
    QTest.keyClicks(search.edit, "exp")
    with qtbot.waitSignal(search.chosen) as signal:
        QTest.keyClick(search.edit, Key.Key_Return)
    assert signal.args == ["export"]
    assert not search.isVisible()
    assert window.centralWidget().hasFocus()


def test_arrows_go_over_what_can_be_done_and_round(search):
    seen = []
    for key in (Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_Up):
        QTest.keyClick(search.edit, key)
        seen.append(search.list.currentItem().text())
    assert seen == [ITEMS[2][1], ITEMS[3][1], ITEMS[4][1], ITEMS[1][1], ITEMS[4][1]]
    assert search.edit.accessibleDescription() == "Restore the panels"


def test_a_click_does_it(qtbot, search):
    place = search.list.visualItemRect(search.list.item(2)).center()
    with qtbot.waitSignal(search.chosen) as signal:
        qtbot.mouseClick(search.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == ["next"]


def test_what_cannot_be_done_now_is_not_done(qtbot, search):
    QTest.keyClicks(search.edit, "step back")
    assert shown(search) == ["Step back"]
    with qtbot.assertNotEmitted(search.chosen):
        QTest.keyClick(search.edit, Key.Key_Return)
        place = search.list.visualItemRect(search.list.item(0)).center()
        qtbot.mouseClick(search.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert search.isVisible()


@pytest.mark.parametrize("text", ["14", "step 14", "go to step 14", "Go to 14", " goto  14 "])
def test_a_number_is_a_step(qtbot, search, text):
    QTest.keyClicks(search.edit, text)
    assert shown(search)[0] == "Go to step 14"
    with qtbot.waitSignal(search.go_to) as signal:
        QTest.keyClick(search.edit, Key.Key_Return)
    assert signal.args == [14]


def test_a_step_that_is_not_there_is_said(qtbot, search):
    QTest.keyClicks(search.edit, "99")
    assert shown(search) == ["There is no step 99: this iteration has 21"]
    with qtbot.assertNotEmitted(search.go_to):
        QTest.keyClick(search.edit, Key.Key_Return)


@pytest.mark.parametrize(("text", "name"), [("Z", "Z"), ("w1", "W1"), ("find yh", "yhat"), ("go to A", "A")])
def test_a_name_is_a_node(qtbot, search, text, name):
    QTest.keyClicks(search.edit, text)
    assert shown(search)[0] == f"Find {name}"
    with qtbot.waitSignal(search.find_node) as signal:
        QTest.keyClick(search.edit, Key.Key_Return)
    assert signal.args == [name]


def test_nothing_found_is_a_sentence(qtbot, search):
    QTest.keyClicks(search.edit, "qqq")
    assert not search.list.isVisible()
    assert search.nothing.isVisible()
    assert search.nothing.text().startswith("Nothing is called “qqq”.")
    assert search.card().contains(search.nothing.geometry())
    QTest.keyClick(search.edit, Key.Key_Return)
    assert search.isVisible()


def test_escape_and_a_click_beside_it_close_it(qtbot, window, search):
    with qtbot.waitSignal(search.destroyed):
        QTest.keyClick(search.edit, Key.Key_Escape)
    assert window.centralWidget().hasFocus()
    another = CommandSearch(LIGHT, ITEMS, NODES, window)
    another.open_over()
    with qtbot.waitSignal(another.destroyed):
        qtbot.mouseClick(another, Qt.MouseButton.LeftButton, pos=another.rect().bottomLeft())


def test_no_key_reaches_the_window(window, search):
    fired = []
    for text in ("Right", "PgDown", "Ctrl+Z", "Ctrl+K", "F1", "Home"):
        action = QAction(text, window)
        action.setShortcut(QKeySequence(text))
        action.triggered.connect(lambda _, text=text: fired.append(text))
        window.addAction(action)
        QTest.keySequence(search.edit, QKeySequence(text))
    QTest.keyClick(search.edit, Key.Key_Tab)
    assert fired == []
    assert search.edit.hasFocus()


@pytest.mark.parametrize("size", [(1920, 1080), (1000, 600), (512, 288)])
def test_it_fits_into_any_window(window, search, size):
    window.resize(*size)
    assert search.geometry() == window.rect()
    assert window.rect().contains(search.card())
    assert search.card().contains(search.list.geometry())


@pytest.mark.parametrize(
    ("query", "best"),
    [("step f", "forward"), ("ni", "next"), ("rtp", "layout"), ("pict", "export"), ("nxt", "next")],
)
def test_the_closest_is_first(query, best):
    assert find(query, ITEMS)[0].value == best


def positions(query):
    found = match(query, "Next iteration")
    return found.positions if found is not None else None


def test_what_matches_is_marked():
    assert positions("ni") == (0, 5)
    assert positions("xt") == (2, 3)
    assert positions("nta") == (0, 3, 9)
    assert positions("zz") is None


def test_the_beginning_of_a_word_is_better_than_its_middle():
    items = [(text, text, "", True) for text in ("Reset", "Restore", "Go to step", "Step")]
    assert [result.value for result in find("st", items)] == ["Step", "Go to step", "Restore", "Reset"]
