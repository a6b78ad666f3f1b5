"""The code dock: the lines run, the current one is marked, each is a way to its step."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from graphs.network import built_in_names
from gui.panels.code import CodePanel, NumberedRow


@pytest.mark.parametrize("network", built_in_names())
def test_what_is_copied_runs_and_gives_the_numbers_on_the_screen(qtbot, open_session, show, network):
    session = open_session(network)
    session.last()
    panel = show(CodePanel, session, 460, 190)
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    leaves = {
        n: session.trace.values[n] for n in (*session.trace.graph.inputs, *session.trace.graph.parameters)
    }
    scope = {**leaves, "m": session.model.examples}
    exec(QGuiApplication.clipboard().text(), scope)  # noqa: S102  the program's own source
    for name, gradient in session.frame.gradients.items():
        assert np.allclose(scope[f"d_{name}"], gradient, rtol=1e-9, atol=1e-12), name
    for name in session.trace.graph.parameters:
        assert np.allclose(scope[name], session.frame.values[name], rtol=1e-9), name


def test_the_current_line_is_that_of_the_last_step(open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 190)
    assert panel._model.current_row() is None
    for position in (1, 7, 18, 4):
        session.go(position)
        row = panel._model.rows[panel._model.current_row()]
        assert row.position == position
        done = [r.position for r in panel._model.rows if isinstance(r, NumberedRow) and r.done]
        assert done == list(range(1, position + 1))
        rect = panel.view.visualRect(panel._model.index(panel._model.current_row()))
        assert panel.view.viewport().rect().contains(rect.center())


def test_a_click_goes_to_the_step(qtbot, open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 400)
    row = next(i for i, r in enumerate(panel._model.rows) if isinstance(r, NumberedRow) and r.position == 9)
    place = panel.view.visualRect(panel._model.index(row)).center()
    with qtbot.waitSignal(session.frame_changed):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.position == 9


def test_a_click_on_a_comment_does_nothing(qtbot, open_session, show):
    session = open_session(position=5)
    panel = show(CodePanel, session, 460, 600)
    place = panel.view.visualRect(panel._model.index(0)).center()
    with qtbot.assertNotEmitted(session.frame_changed):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_new_learning_rate_is_in_the_code(open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 190)
    session.set_learning_rate(0.125)
    assert "W1 = W1 - 0.125 * d_W1" in panel.text()
