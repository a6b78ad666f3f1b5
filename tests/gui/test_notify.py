"""Messages to the user: one at a time, none lost, none in the way."""

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget

from engine.errors import FormulaError
from gui.notify import STRIP, NotificationBar, Notifier
from gui.theme import DARK, LIGHT


@pytest.fixture
def notifier(qapp):
    return Notifier()


@pytest.fixture
def bar(qtbot, notifier):
    window = QWidget()
    qtbot.addWidget(window)
    bar = NotificationBar(LIGHT, notifier, info_milliseconds=30, parent=window)
    bar.setGeometry(80, 80, 500, 44)  # where the mouse is not
    window.resize(600, 200)
    window.show()
    qtbot.waitExposed(window)
    yield bar  # noqa: PT022  not returned: the window lives as long as this function


def texts(bar):
    return [label.text() for label in bar.findChildren(QLabel) if label.isVisible() and label.text()]


def dismiss(qtbot, bar):
    qtbot.mouseClick(bar.findChild(QToolButton), Qt.MouseButton.LeftButton)


def test_without_a_message_there_is_no_bar(bar):
    assert not bar.isVisible()


def test_an_expected_error_is_one_sentence_and_stays(qtbot, notifier, bar):
    notifier.error(FormulaError("the name 'Wl' is not known.", 2, 5, how="Did you mean W1?"))
    assert texts(bar) == ["Line 2, column 5: the name 'Wl' is not known. Did you mean W1?"]
    assert bar.accessibleName().startswith("error: Line 2")
    assert not bar._timer.isActive()
    dismiss(qtbot, bar)
    assert not bar.isVisible()


def test_information_goes_away_by_itself(qtbot, notifier, bar):
    notifier.info("Saved.")
    assert texts(bar) == ["Saved."]
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_the_newest_message_is_on_top_and_errors_come_back_after_it(qtbot, notifier, bar):
    notifier.info("Saved.")
    notifier.error("One.")
    notifier.warning("Two.")
    notifier.error("Three.")
    assert texts(bar) == ["Three.", "2 more"]
    dismiss(qtbot, bar)
    assert texts(bar) == ["Two.", "1 more"]
    dismiss(qtbot, bar)
    assert texts(bar) == ["One."]


def test_the_same_message_is_not_piled_up(qtbot, notifier, bar):
    for _ in range(3):
        notifier.error("One.")
        notifier.error("Two.")
    assert texts(bar) == ["Two.", "1 more"]


LONG = "The shapes do not fit. " * 12


def test_a_long_text_is_cut_to_the_strip_and_whole_under_the_mouse(notifier, bar):
    notifier.error("Short.")
    assert bar.height() == STRIP
    notifier.error(LONG)
    assert bar.height() == STRIP
    [shown, _] = texts(bar)
    assert shown.endswith("…")
    assert LONG.startswith(shown[:-1].rstrip())
    assert bar.accessibleName() == f"error: {LONG}"
    here = QPointF(5, 5)
    QApplication.sendEvent(bar, QEnterEvent(here, here, here))
    assert texts(bar)[0] == LONG
    assert bar.height() > STRIP
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    assert texts(bar)[0] == shown
    assert bar.height() == STRIP


def test_a_message_after_one_that_was_read_whole_is_cut_again(notifier, bar):
    notifier.error(LONG)
    here = QPointF(5, 5)
    QApplication.sendEvent(bar, QEnterEvent(here, here, here))
    bar.dismiss()
    notifier.error(LONG)
    assert texts(bar)[0].endswith("…")
    assert bar.height() == STRIP


def test_news_of_the_file_take_the_place_of_older_ones(notifier, bar):
    notifier.error("The file is not valid TOML.", "file")
    notifier.error("Of the document.")
    notifier.ask("It has been changed.", ("&Reload", lambda: None), stays=True, about="file")
    assert texts(bar) == ["It has been changed.", "1 more"]
    notifier.warning("It has been moved.", "file")
    assert texts(bar) == ["It has been moved.", "1 more"]
    notifier.info("Saved.", "file")
    assert texts(bar) == ["Saved.", "1 more"]


def test_what_speaks_of_a_step_goes_with_it_also_where_it_waits(notifier, bar):
    notifier.error("Of the step.", "step")
    notifier.error("Of the end.", "end")
    notifier.error("Of the document.")
    bar.leave("step")
    assert texts(bar) == ["Of the document.", "1 more"]
    bar.leave("end")
    assert texts(bar) == ["Of the document."]


def test_escape_dismisses(qtbot, notifier, bar):
    notifier.error("One.")
    qtbot.keyClick(bar, Qt.Key.Key_Escape)
    assert bar.current is None


def test_a_message_takes_no_focus_away(qtbot, notifier, bar):
    field = QWidget(bar.window())
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    field.show()
    bar.window().activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    notifier.error("One.")
    assert field.hasFocus()


def test_text_is_shown_as_it_stands(notifier, bar):
    notifier.error("<b>x</b> is not a number")
    assert bar.findChild(QLabel).textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_each_level_has_its_ground_in_each_theme(notifier, bar, level):
    getattr(notifier, level)("Something.")
    for theme in (LIGHT, DARK):
        bar.set_theme(theme)
        ground = bar.grab().toImage().pixelColor(10, 3)
        assert ground == theme.color(f"{level}_background")


@pytest.mark.parametrize("first", ["offer", "news"])
def test_what_asks_something_is_not_covered_by_news(qtbot, notifier, bar, first):
    done = []
    offer = "Backstep ended unexpectedly at 14:03 with unsaved changes to the Two-layer nonlinear network."

    def ask():
        notifier.ask(offer, ("&Restore", lambda: done.append("restore")), stays=True)

    if first == "offer":
        ask()
    notifier.info("2 of 135 rows are left out.")
    if first == "news":
        ask()
    assert bar.current.text == offer
    lines = texts(bar)[0].split("\n")
    assert lines[0].startswith("Backstep ended unexpectedly")
    assert lines[1] == "2 of 135 rows are left out."
    assert "2 of 135" in bar.accessibleName()
    assert bar.height() == STRIP
    qtbot.waitUntil(lambda: bar.beside is None)
    assert "2 of 135" not in texts(bar)[0]
    qtbot.mouseClick(bar.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert done == ["restore"]
    assert not bar.isVisible()


def test_a_click_meant_for_one_question_does_not_answer_the_next(qtbot, notifier, bar):
    done = []
    notifier.ask("Backstep ended unexpectedly.", ("&Restore", lambda: done.append("restore")))
    notifier.ask("e.toml has been changed.", ("&Reload", lambda: done.append("reload")))
    qtbot.waitUntil(lambda: bar.takes_clicks)
    for _ in range(2):  # a double click
        qtbot.mouseClick(button_of(qtbot, bar), Qt.MouseButton.LeftButton)
    assert done == ["reload"]
    assert bar.current.text == "Backstep ended unexpectedly."
    qtbot.waitUntil(lambda: bar.takes_clicks)
    qtbot.mouseClick(button_of(qtbot, bar), Qt.MouseButton.LeftButton)
    assert done == ["reload", "restore"]


def button_of(qtbot, bar):
    qtbot.waitUntil(bar._buttons[0].isVisible)
    return bar._buttons[0]


def test_news_beside_a_question_has_its_time_when_that_is_answered(qtbot, notifier, bar):
    message = notifier.ask("Reload?", ("&Reload", lambda: None), stays=True)
    notifier.info("Saved.")
    notifier.withdraw(message)
    assert (bar.current.text, bar.beside) == ("Saved.", None)
    qtbot.waitUntil(lambda: not bar.isVisible())
    notifier.ask("Reload?", ("&Reload", lambda: None), stays=True)
    notifier.info("Saved.")
    notifier.error("One.")
    assert texts(bar)[0] == "One."
    bar.clear()
    assert (bar.current.text, bar.beside) == ("Reload?", None)
