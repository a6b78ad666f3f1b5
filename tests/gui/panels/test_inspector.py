"""The inspector: every entry can be read and copied, and the future has no numbers."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui.panels.inspector import GRADIENT, STATISTICS, VALUE, InspectorPanel
from tests.gui.panels.helpers import words


def test_it_follows_the_step_until_something_is_selected(open_session, show):
    session = open_session(position=1)
    panel = show(InspectorPanel, session)
    assert panel.heading.latex.startswith("Z =")
    assert "4 × 133 (k × m)" in words(panel)
    assert panel.tabs.currentIndex() == VALUE
    session.go(11)
    assert panel.heading.latex.startswith("Z =")
    assert panel.tabs.currentIndex() == GRADIENT
    session.select("A")
    session.go(1)
    assert panel.heading.latex.startswith("A =")


def test_the_future_is_told_in_words_and_has_no_number(open_session, show):
    session = open_session(position=1)
    panel = show(InspectorPanel, session)
    session.select("A")
    assert "has not been computed yet" in words(panel)
    assert not panel.value_matrix.isVisible()
    assert not panel.numpy_button.isVisible()
    session.go(2)
    assert panel.value_matrix.isVisible()
    assert "has not been computed yet" not in words(panel)


@pytest.mark.parametrize("tab", [VALUE, GRADIENT])
def test_what_is_copied_reads_back_as_the_same_numbers(qtbot, open_session, show, tab):
    session = open_session(position=18)
    session.select("w2")
    panel = show(InspectorPanel, session)
    panel.tabs.setCurrentIndex(tab)
    qtbot.mouseClick(panel.numpy_button, Qt.MouseButton.LeftButton)
    copied = eval(QGuiApplication.clipboard().text(), {"np": np})  # noqa: S307  the program's own source
    expected = session.frame.values["w2"] if tab == VALUE else session.frame.gradients["w2"]
    assert np.array_equal(copied, expected)
    qtbot.mouseClick(panel.latex_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().startswith("\\begin{bmatrix}")


def test_a_scalar_is_shown_in_full(open_session, show):
    session = open_session("scalar-operations", 3)
    session.select("q")
    panel = show(InspectorPanel, session)
    assert repr(float(session.frame.values["q"])) in words(panel)
    assert panel.value_matrix.is_read_out


def test_a_column_of_four_is_seen_whole_in_a_small_window(open_window):
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    window.session.select("W1")
    panel = window.panels["inspector"]
    panel.value_matrix.select_cell(2, 0)
    window.settle()
    assert panel.value_matrix.array.shape == (4, 1)
    assert "[2, 0]" in words(panel)
    assert panel._stack.currentWidget().verticalScrollBar().maximum() == 0


def test_there_is_room_beneath_a_matrix_only_for_what_stands_there(open_session, show):
    session = open_session(position=1)
    panel = show(InspectorPanel, session, 300, 400)
    session.select("b1")
    panel.resize(300, 401)
    plain = panel.value_matrix.height()
    assert panel.value_matrix.caption() == ""
    session.select("Z")
    panel.resize(300, 400)
    assert "of 133" in panel.value_matrix.caption()
    assert panel.value_matrix.height() >= plain + 20


def test_an_edge_has_its_contribution_beside_the_whole_gradient(open_session, show):
    session = open_session()
    edge = ("A", "yhat", next(slot for a, b, slot in session.statics.edges if (a, b) == ("A", "yhat")))
    session.select(edge)
    panel = show(InspectorPanel, session)
    panel.tabs.setCurrentIndex(GRADIENT)
    assert "No gradient has flowed back along it yet." in words(panel)
    assert not panel.contribution_matrix.isVisible()
    session.last()
    assert "What flowed back along this edge" in words(panel)
    assert panel.contribution_matrix.isVisible()
    assert np.array_equal(panel.shown_array(), session.frame.gradients["A"])


def test_clicking_a_cell_puts_its_numbers_into_the_equation(qtbot, open_session, show):
    session = open_session(position=1)
    panel = show(InspectorPanel, session)
    place = panel.value_matrix.cell_position(2, 1)
    with qtbot.waitSignal(session.frame_changed):
        qtbot.mouseClick(panel.value_matrix, Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert session.frame.entry == (2, 1)
    assert f"[2, 1]  {session.frame.values['Z'][2, 1]!r}".replace("np.float64(", "").rstrip(")") in words(
        panel
    )


def test_statistics_are_those_of_the_numbers(open_session, show):
    session = open_session(position=18)
    session.select("Z")
    panel = show(InspectorPanel, session)
    panel.tabs.setCurrentIndex(STATISTICS)
    text = words(panel)
    assert "value: mean" in text
    assert f"{session.frame.values['Z'].mean():.4g}" in text


def test_another_network_leaves_nothing_of_the_old_one(open_session, show):
    session = open_session(position=18)
    session.select("w2")
    panel = show(InspectorPanel, session)
    session.open("univariate-regression")
    assert panel.heading.latex.startswith(r"\mathcal{L}")
    assert panel.shown_array() is None


def test_a_long_formula_is_seen_whole_in_a_low_panel(open_session, show):
    session = open_session("logistic-regression", 3)
    session.select("L")
    panel = show(InspectorPanel, session)
    high = panel.heading.height()
    panel.resize(345, 150)
    QApplication.processEvents()
    heading = panel.heading
    assert heading.height() <= 50 < high
    assert heading.geometry().bottom() < panel.tabs.geometry().top()
    needed = sum(line.height for line in heading.lines()) * heading.scale()
    assert needed <= heading.height()
