"""The code dock: the lines run, the current one is marked, each is a way to its step."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from engine.training import Recipe
from graphs.network import built_in_names
from graphs.views.records import Link
from gui.panels.code import CodePanel, NumberedRow, SetupRow
from tests.helpers import model_of


@pytest.mark.parametrize("network", built_in_names())
def test_what_is_copied_runs_and_gives_the_numbers_on_the_screen(qtbot, open_session, show, network):
    session = open_session(network)
    session.last()
    panel = show(CodePanel, session, 460, 190)
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    scope = {}
    exec(QGuiApplication.clipboard().text(), scope)  # noqa: S102  the program's own source
    for name, gradient in session.frame.gradients.items():
        assert np.allclose(scope[f"d_{name}"], gradient, rtol=1e-12, atol=1e-13), name
    for name in session.trace.graph.parameters:
        assert np.allclose(scope[name], session.frame.values[name], rtol=1e-12), name


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
    assert panel._model.rows[1] == "# forward"
    place = panel.view.visualRect(panel._model.index(1)).center()
    with qtbot.assertNotEmitted(session.frame_changed):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_new_learning_rate_is_in_the_code(open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 190)
    session.set_learning_rate(0.125)
    assert "W1 = W1 - 0.125 * d_W1" in panel.text()


def test_data_and_parameters_stand_behind_one_line_that_unfolds(qtbot, open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 300)
    title = panel._model.rows[0]
    assert title.text == "# data and parameters: 6 arrays"
    count = len(panel._model.rows)
    place = panel.view.visualRect(panel._model.index(0)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    texts = [row.text for row in panel._model.rows if isinstance(row, SetupRow)]
    assert any(text.startswith("X = np.array([[") for text in texts)
    assert panel.view.visualRect(panel._model.index(0)).top() >= 0
    assert any(text.startswith("b2 = np.array(") for text in texts)
    assert panel._model.data(panel._model.index(0)) == "data and parameters: 6 arrays, unfolded"
    panel.view.setCurrentIndex(panel._model.index(0))
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert len(panel._model.rows) == count


def test_the_lines_of_another_iteration_define_its_own_parameters(open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 300)
    panel.fold(True)
    before = [row.text for row in panel._model.rows if isinstance(row, SetupRow)]
    session.step_training()
    after = [row.text for row in panel._model.rows if isinstance(row, SetupRow)]
    assert [t for t in before if t.startswith("X")] == [t for t in after if t.startswith("X")]
    assert [t for t in before if t.startswith("b2")] != [t for t in after if t.startswith("b2")]
    session.open("univariate-regression")
    assert not any(row.text.startswith("b2") for row in panel._model.rows if isinstance(row, SetupRow))


def test_what_the_optimizer_kept_is_in_the_script_of_a_later_iteration(open_session, show):
    session = open_session()
    session.set_recipe(Recipe("adam", batch_size=16))
    panel = show(CodePanel, session, 460, 300)
    for _ in range(3):
        session.step_training()
    session.go_to_iteration(2)
    session.last()
    scope = {}
    exec(panel.text(), scope)  # noqa: S102
    assert scope["m"] == 16
    for name in session.trace.graph.parameters:
        assert np.allclose(scope[name], session.frame.values[name], rtol=1e-12), name


def test_the_mouse_at_a_line_points_at_its_node_in_every_panel(open_session, show):
    session = open_session()
    panel = show(CodePanel, session, 460, 400)
    index = next(i for i, r in enumerate(panel._model.rows) if isinstance(r, NumberedRow) and r.position == 9)
    QTest.mouseMove(panel.view.viewport(), panel.view.visualRect(panel._model.index(index)).center())
    assert session.hovered == Link("A", None, "gradient")
    QTest.mouseMove(panel.view.viewport(), panel.view.visualRect(panel._model.index(0)).center())
    assert session.hovered is None
    before = panel.view.viewport().grab().toImage()
    session.hover(Link("A", (0, 0)))
    assert panel.view.viewport().grab().toImage() != before


def test_the_script_of_a_large_graph_is_written_beside_the_window(qtbot, open_session, show):
    lines = [f"h{i + 1} = tanh(w * h{i})" for i in range(200)]
    session = open_session()
    session.open_network(
        model_of("\n".join([*lines, "L = sum(h200)"]), {"w": 0.9}, {"h0": [1.0, 2.0]}).network
    )
    session.preparing.finish()  # a large network is made ready beside the window
    panel = show(CodePanel, session, 460, 300)
    QGuiApplication.clipboard().setText("")
    panel.copy()
    assert not panel.copy_button.isEnabled()
    qtbot.waitUntil(panel.copy_button.isEnabled, timeout=30_000)
    scope = {}
    exec(QGuiApplication.clipboard().text(), scope)  # noqa: S102
    assert scope["L"] == pytest.approx(session.trace.loss, rel=1e-12)


def test_what_was_covered_is_written_again_when_nothing_is_hidden(open_session, show):
    session = open_session("univariate-regression", position=1)
    panel = show(CodePanel, session, 460, 300)
    written = texts_of(panel)
    session.toggle_hidden()
    while session.frame.covered != {"d_L"}:
        session.step(1)
    assert "d_L = ?" in texts_of(panel)
    session.toggle_hidden()  # reveals
    assert "d_L = 1.0" in texts_of(panel)
    session.toggle_hidden()  # ends it
    assert texts_of(panel) == written
    session.go(8)
    assert texts_of(panel) == written


def texts_of(panel):
    return [row.row.text for row in panel._model.rows if isinstance(row, NumberedRow)]
