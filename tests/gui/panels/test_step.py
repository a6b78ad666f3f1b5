"""This step: what happens is said in words, symbols, numbers and matrices, and they agree."""

import re

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from graphs.network import loads
from gui.formulas import as_html
from gui.panels.step import StepPanel
from gui.product import bands, chosen_entry
from gui.step_words import shapes_html
from gui.theme import DARK, LIGHT
from gui.viewdata import MatrixView, step_view
from tests.gui.panels.helpers import words

NETWORKS = ["two-layer-nonlinear", "logistic-regression", "perceptron-classifier", "scalar-operations"]
Z, W2, SIGMA = 1, 8, 11  # positions of two-layer-nonlinear: after Z, at w2, through the sigmoid


def _bare(latex):
    """Return a formula without its spaces."""
    return latex.replace(r"\;", "").replace(" ", "")


def step_of(session, **wanted):
    """Return the position after the first step with these attributes."""
    steps = session.trace.steps
    return next(s.index + 1 for s in steps if all(getattr(s, k) == v for k, v in wanted.items()))


def test_the_start_says_how_to_begin_and_shows_no_number(open_session, show):
    panel = show(StepPanel, open_session())
    assert "Ready to go forward." in words(panel)
    assert not panel.equation.isVisible()
    assert not panel.strip.isVisible()
    assert not panel.nudge_button.isVisible()


def test_a_backward_step_is_said_in_full(open_session, show):
    session = open_session()
    panel = show(StepPanel, session)
    session.go(step_of(session, node="A", input="Z"))
    text = words(panel)
    assert "passes back through σ" in text
    assert "stored A" in text
    assert r"\textcolor{factor}" in panel.equation.latex
    gradient = session.frame.gradients["Z"][0, 0]
    shown = float(text.rpartition("= ")[2].replace("−", "-"))
    assert shown == pytest.approx(gradient, rel=1e-3)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_step_fits_the_width_and_writes_its_numbers_as_text(open_session, show, network):
    session = open_session(network)
    panel = show(StepPanel, session, 340, 400)
    for position in range(len(session.trace.steps) + 1):
        session.go(position)
        view = step_view(session.frame)
        assert _bare(panel.equation.latex) == _bare(view.equation), position
        assert as_html(view.numbers) is not None, view.numbers
        assert "\\" not in words(panel)
        for slot in panel.strip.slots_shown:
            assert slot.x + slot.width <= panel.strip.width(), position
        line_width = max(line.width for line in panel.equation.lines()) * panel.equation.scale()
        assert line_width <= panel.equation.width(), position


def test_clicking_a_cell_puts_its_numbers_in(qtbot, open_session, show):
    session = open_session()
    panel = show(StepPanel, session)
    session.go(step_of(session, node="yhat", input="w2"))
    place = panel.strip.cell_position(0, 0, 2).toPoint()
    with qtbot.waitSignal(session.frame_changed):
        qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=place)
    assert "Entry [0, 2]" in words(panel)
    result = session.trace.steps[session.position - 1].contribution[0, 2]
    assert f"{abs(result):.3f}" in words(panel)


def test_clicking_a_factor_chooses_the_row_or_the_column(qtbot, open_session, show):
    session = open_session()
    panel = show(StepPanel, session)
    session.go(step_of(session, node="Z", phase="forward"))
    place = panel.strip.cell_position(2, 3, 0).toPoint()  # W1, the left factor
    qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=place)
    assert "Entry [3, 0]" in words(panel)


def test_arrow_keys_move_the_entry_and_stop_at_the_edge(qtbot, open_session, show):
    session = open_session()
    panel = show(StepPanel, session)
    session.go(step_of(session, node="Z", phase="forward"))
    qtbot.keyClick(panel.strip, Qt.Key.Key_Down)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Right)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Up)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Up)
    assert "Entry [0, 1]" in words(panel)


def test_inner_dimensions_are_struck_through():
    html = shapes_html("(1 × 133) · (133 × 4) → 1 × 4", LIGHT)
    assert [re.sub("<[^>]*>", "", part) for part in re.findall("<s .*?</s>", html)] == ["133", "133"]
    assert ">1 × 4</span>" in html
    assert "<s " not in shapes_html("(1 × 2) · (3 × 4) → 1 × 4", LIGHT)


def test_the_buttons_copy_and_test(qtbot, open_session, show):
    session = open_session()
    panel = show(StepPanel, session, 400)
    session.go(step_of(session, node="yhat", input="w2"))
    qtbot.mouseClick(panel.latex_button, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert "A^\\intercal" in copied
    assert "textcolor" not in copied
    qtbot.mouseClick(panel.code_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "d_w2 = d_yhat @ A.T"
    qtbot.mouseClick(panel.nudge_button, Qt.MouseButton.LeftButton)
    assert "w₂[0, 0] = " in words(panel)


def test_the_nudge_is_told_with_both_slopes_and_a_verdict(qtbot, open_session, show):
    session = open_session(position=14)  # the backward pass is done
    panel = show(StepPanel, session, 400, 700)
    session.select("Z")
    session.set_entry((1, 2))
    session.nudge_test()
    found = session.frame.nudge
    text = words(panel)
    assert "Z[1, 2] = " in text
    assert "They agree." in text
    assert f"{found.loss:.8f}"[:8] in text
    assert "What moves, by its largest change: Z +0.0001, 1 of 532 entries" in text
    panel.nudge_box.epsilon.setCurrentIndex(0)
    panel.nudge_box.epsilon.activated.emit(0)
    assert session.frame.nudge.epsilon == 0.1
    qtbot.mouseClick(panel.nudge_box.close_button, Qt.MouseButton.LeftButton)
    assert not panel.nudge_box.isVisible()


def test_a_hidden_panel_is_made_up_to_date_when_it_is_shown(open_session, show):
    session = open_session()
    panel = show(StepPanel, session)
    panel.hide()
    session.go(3)
    panel.show()
    assert "ŷ is computed" in words(panel)


def test_a_theme_recolours_the_result(open_session, show):
    session = open_session(position=W2)
    panel = show(StepPanel, session)
    panel.set_theme(DARK)
    html = " ".join(label.text() for label in panel.findChildren(QLabel))
    assert DARK.backward_text in html
    assert LIGHT.backward_text not in html


def _matrix(rows, columns):
    return MatrixView("M", np.ones((rows, columns)), f"{rows} × {columns}", "", "text")


def test_a_product_marks_the_row_and_the_column_that_make_an_entry():
    parts = (_matrix(4, 5), "=", _matrix(4, 3), "·", _matrix(3, 5), "+", _matrix(4, 1))
    found = bands(parts, (2, 1))
    assert [(found[i].kind, found[i].row, found[i].column) for i in (0, 2, 4, 6)] == [
        ("cell", 2, 1),
        ("row", 2, 0),
        ("column", 0, 1),
        ("cell", 2, 0),
    ]
    assert chosen_entry(parts, (2, 1), 4, (0, 3)) == (2, 3)
    assert chosen_entry(parts, (2, 1), 6, (0, 0)) == (0, 1)


def test_a_shared_biass_step_shows_what_is_added_up(open_session):
    session = open_session("two-layer-nonlinear")
    session.open_network(
        loads(
            "formula = '''\nh = sigmoid(W @ x + b)\nE = 1/2 * norm(t - h)**2\n'''\n"
            "parameters = { W = [[0.1, 0.2], [0.3, 0.4]], b = 0.35 }\n"
            "data = { x = [[0.05], [0.1]], t = [[0.01], [0.99]] }"
        )
    )
    session.go(step_of(session, phase="backward", target="b"))
    view = step_view(session.frame)
    result, *rest = view.matrices
    assert isinstance(result, MatrixView)
    assert rest[:2] == ["=", "Σ"]
    factors = [part.array for part in rest[2:] if isinstance(part, MatrixView)]
    assert np.prod(np.broadcast_arrays(*factors), axis=0).sum() == pytest.approx(
        float(result.array), rel=1e-12
    )


def test_a_sum_over_one_example_shows_the_product_that_it_is(open_session):
    session = open_session("two-layer-nonlinear")
    session.open_network(
        loads(
            "formula = '''\nh = sigmoid(W @ x + b)\nE = 1/2 * norm(t - h)**2\n'''\n"
            "parameters = { W = [[0.1, 0.2], [0.3, 0.4]], b = [[0.35], [0.25]] }\n"
            "data = { x = [[0.05], [0.1]], t = [[0.01], [0.99]] }"
        )
    )
    session.go(step_of(session, phase="backward", target="b"))
    assert r"\cdot" in step_view(session.frame).numbers
