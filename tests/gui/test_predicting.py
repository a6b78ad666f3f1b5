"""Predict, then reveal, in the real window: by mouse and by keys, right and wrong, also on a projector."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.faults import FaultAt
from graphs.views.curtain import ASKED
from gui.viewdata import inspector_view, scene_view
from gui.window import PREDICTING, Window


@pytest.fixture
def window(open_window) -> Window:
    """Return the window with each result hidden, at the second step."""
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    window.session.toggle_hidden()
    for _ in range(3):
        window.session.step(1)
    assert window.session.hidden == {"A"}
    return window


def type_in(window: Window, qtbot: QtBot, text: str) -> str:
    """Type a prediction and return what is said of it."""
    box = window.predicting.box
    assert box.field.hasFocus()
    box.field.selectAll()
    QTest.keyClicks(box.field, text)
    QTest.keyClick(box.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.predicting.is_busy)
    return box.said.source


def test_keys_alone_are_enough(window: Window, qtbot: QtBot) -> None:
    box, session = window.predicting.box, window.session
    QTest.keyClick(window, Qt.Key.Key_Q)
    assert box.isVisible()
    assert "[0, 0]" in box.ask.source
    assert "sign" in type_in(window, qtbot, "-sigmoid(Z)")
    assert "its shape" in type_in(window, qtbot, "4 x 133")
    assert session.hidden == {"A"}
    box.hint.click()
    qtbot.waitUntil(lambda: not window.predicting.is_busy)
    assert window.predicting.prediction is not None
    assert box.said.source == window.predicting.prediction.hints[0]
    assert type_in(window, qtbot, "sigmoid(Z)") == "**Right.**"
    assert session.hidden == frozenset()
    assert "A" in session.frame.values
    assert window.view.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert box.isHidden()
    assert session.hidden == {"yhat"}  # predicting goes on
    QTest.keyClick(window, Qt.Key.Key_Q)
    QTest.keyClick(box.field, Qt.Key.Key_Escape)
    assert box.isHidden()
    assert session.hidden == {"yhat"}
    record = next(iter(window.practice.learning.report.records.values()))
    assert (record.tries, record.is_right, record.is_first) == (2, True, False)


def test_a_click_asks_where_something_is_hidden_and_nowhere_else(window: Window, qtbot: QtBot) -> None:
    box, session = window.predicting.box, window.session
    window.scene.activate("X")
    assert box.isHidden()
    window.scene.activate("A")
    assert box.isVisible()
    near = window.view.mapFromScene(window.scene.node_rect("A")).boundingRect()
    assert not box.geometry().intersects(near)
    assert window.view.rect().contains(box.geometry())
    box.show_answer.click()
    qtbot.waitUntil(lambda: not window.predicting.is_busy)
    assert box.said.source.startswith("It is $")
    assert session.hidden == frozenset()
    while session.frame.step is None or session.frame.step.target != "W1":
        session.step(1)
    edge = ("W1", "Z", 0)
    window.scene.activate(edge)
    assert "gradient of $W_1$" in box.ask.source
    close = inspector_view(session.frame, edge)
    assert close is not None
    assert close.contribution is None
    assert close.heading.endswith(ASKED)
    assert "transpose" in type_in(window, qtbot, "d_Z @ X")
    assert type_in(window, qtbot, "d_Z @ X.T") == "**Right.**"
    assert scene_view(session.frame).nodes["W1"].gradient is not None


@pytest.mark.parametrize("network", ["two-layer-nonlinear", "perceptron-classifier"])
def test_it_never_covers_what_it_asks_about(open_window, network: str) -> None:
    window = open_window(network, size=(1280, 720))
    session, box, view = window.session, window.predicting.box, window.view
    session.toggle_hidden()
    for position, step in enumerate(session.trace.steps, 1):
        session.go(position - 1)
        session.step(1)
        window.predicting.ask()
        assert box.isVisible()
        near = [window.scene.node_rect(step.target), *window.scene.current_rects()]
        if window.scene.view.current is not None:
            near.append(window.scene.edge_rect(window.scene.view.current))
        for rect in near:
            assert not box.geometry().intersects(view.mapFromScene(rect).boundingRect()), position
        assert view.rect().contains(box.geometry())


def test_it_is_as_high_as_its_words(window: Window, qtbot: QtBot) -> None:
    box = window.predicting.box

    def spare() -> int:
        parts = [part for part in (box.ask, box.field, box.check, box.said) if part.isVisible()]
        return box.height() - sum(part.height() for part in parts)

    window.predicting.ask()
    assert spare() < 60
    asked = box.height()
    assert type_in(window, qtbot, "sigmoid(Z)") == "**Right.**"
    assert spare() < 60
    assert box.height() < asked - 30
    assert window.theme.update in box.styleSheet()
    box.close_button.click()
    assert box.isHidden()


def test_it_goes_with_what_it_asks_for(window: Window) -> None:
    box, session = window.predicting.box, window.session
    window.predicting.ask()
    session.toggle_hidden()  # H reveals it
    assert box.isHidden()
    window.predicting.ask()
    assert box.isHidden()
    session.step(1)
    window.predicting.ask()
    session.go(0)
    assert box.isHidden()


def test_on_a_projector_it_is_large_and_nothing_is_kept(window: Window, qtbot: QtBot) -> None:
    window.presenting.begin(False)
    window.predicting.ask()
    box = window.predicting.box
    assert box.ask.document().defaultFont().pointSizeF() >= 24
    assert window.view.rect().contains(box.geometry())
    type_in(window, qtbot, "4711")
    assert not window.practice.learning.report.records
    window.presenting.end()


def test_in_a_faulty_run_it_says_what_a_formula_is_compared_with(window: Window, qtbot: QtBot) -> None:
    window.session.set_fault(FaultAt("activation", "A"))
    window.session.set_hidden(frozenset(("gradients",)))
    step = next(i for i, s in enumerate(window.session.trace.steps, 1) if s.target == "Z" and s.node == "A")
    window.session.go(step)
    window.predicting.ask()
    box = window.predicting.box
    assert box.said.isVisible()
    assert "fault" in box.said.source
    assert type_in(window, qtbot, "d_A") == "**Right.**"


def test_menu_and_graph_say_that_the_mode_is_on(open_window) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    action, session = window.actions_by_id["hide"], window.session
    assert action.isCheckable()
    assert (action.isChecked(), window.remark.isHidden()) == (False, True)
    QTest.keyClick(window, Qt.Key.Key_H)
    assert (action.isChecked(), window.remark.text()) == (True, PREDICTING)
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert session.frame.covered
    QTest.keyClick(window, Qt.Key.Key_H)  # reveals
    assert (action.isChecked(), window.remark.isVisible()) == (True, True)
    QTest.keyClick(window, Qt.Key.Key_H)  # ends it
    assert (action.isChecked(), window.remark.isHidden()) == (False, True)
    assert window.messages.current is not None
    assert window.messages.current.text == "Predicting is off: nothing is hidden."


def test_code_with_hidden_lines_is_not_copied(window: Window) -> None:
    session, clipboard = window.session, QGuiApplication.clipboard()
    window.show_dock("code")
    button = window.panels["code"].copy_button  # type: ignore[attr-defined]
    clipboard.setText("mine")

    def said() -> str:
        button.click()
        message = window.messages.current
        assert message is not None
        return message.text

    assert "off (H)" in said()
    session.toggle_hidden()  # what comes later is hidden still
    assert "off (H)" in said()
    session.toggle_hidden()
    session.set_hidden(frozenset({"d_A"}))  # as a page or an exercise does
    assert said() == "Nothing was copied: lines of the code are hidden for now."
    assert clipboard.text() == "mine"
    session.set_hidden(frozenset())
    button.click()
    assert "d_A = w2.T @ d_yhat" in clipboard.text()


def test_the_plot_of_the_loss_tells_no_loss_that_is_to_be_predicted(window: Window) -> None:
    session = window.session
    window.show_dock("loss")
    panel = window.panels["loss"]
    loss = f"{session.losses[0]:.4g}"

    def told() -> str:
        return f"{panel.status()} {panel.plot._cursor.label.format}"  # type: ignore[attr-defined]

    assert "loss ?" in told()
    assert loss not in told()
    while session.frame.step is None or session.frame.step.node != "L":
        session.step(1)
    assert loss not in told()
    session.step(1)  # reveals it
    assert told().count(loss) == 2
    session.toggle_hidden()
    session.go(0)
    assert told().count(loss) == 2


def test_what_is_hidden_again_is_not_said_to_be_shown(window: Window, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_Q)
    assert type_in(window, qtbot, "sigmoid(Z)") == "**Right.**"
    QTest.keyClick(window.view, Qt.Key.Key_H)
    assert window.messages.current is not None
    assert window.predicting.box.isVisible()
    QTest.keyClick(window.view, Qt.Key.Key_H)
    assert window.session.hidden == {"A"}
    assert window.messages.current is None
    assert window.predicting.box.isHidden()
