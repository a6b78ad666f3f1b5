"""The loss panel: it trains, shows every loss, and goes to any iteration."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from gui.panels.loss import LossPanel, Series
from gui.theme import DARK
from tests.gui.panels.helpers import words


@pytest.fixture
def panel(qtbot, open_session, show):
    panel = show(LossPanel, open_session("univariate-regression"), 520, 220)
    qtbot.waitUntil(lambda: panel.plot is not None)
    return panel


def train(qtbot, panel, iterations):
    panel.steps.setValue(iterations)
    qtbot.mouseClick(panel.train_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.session._poll.isActive(), timeout=20_000)


def point_of(panel, iteration):
    """Return where an iteration lies in the plot, in coordinates of its viewport."""
    y = sum(panel.plot.box.viewRange()[1]) / 2
    return panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(iteration, y)))


def test_it_trains_as_many_iterations_as_asked_for(qtbot, panel):
    train(qtbot, panel, 40)
    assert panel.session.iterations == 40
    assert "iteration 40 of 40 · loss" in words(panel)
    assert panel.train_button.text() == "Train"
    x, y = panel._curve.getData()
    assert list(x) == list(range(41))
    assert np.allclose(y, panel.session.losses)


def test_training_can_be_paused(qtbot, panel):
    panel.steps.setValue(10_000_000)
    qtbot.mouseClick(panel.train_button, Qt.MouseButton.LeftButton)
    assert panel.train_button.text() == "Pause"
    assert not panel.step_button.isEnabled()
    qtbot.waitUntil(lambda: panel.session.iterations > 3)
    qtbot.mouseClick(panel.train_button, Qt.MouseButton.LeftButton)
    assert panel.train_button.text() == "Train"


def test_stepping_and_resetting(qtbot, panel):
    for _ in range(3):
        qtbot.mouseClick(panel.step_button, Qt.MouseButton.LeftButton)
    assert "iteration 3 of 3" in words(panel)
    assert panel._cursor.value() == 3
    qtbot.mouseClick(panel.reset_button, Qt.MouseButton.LeftButton)
    assert "iteration 0 of 0" in words(panel)
    assert len(panel._curve.getData()[0]) == 1


def test_a_click_in_the_plot_goes_to_that_iteration(qtbot, panel):
    train(qtbot, panel, 40)
    with qtbot.waitSignal(panel.session.frame_changed):
        qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=point_of(panel, 10))
    assert panel.session.iteration == 10
    assert "iteration 10 of 40" in words(panel)


def test_dragging_the_cursor_goes_through_iterations(qtbot, panel):
    train(qtbot, panel, 40)
    view = panel.plot.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=point_of(panel, 40))
    for iteration in (35, 30, 20):
        qtbot.mouseMove(view, point_of(panel, iteration))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=point_of(panel, 20))
    qtbot.waitUntil(lambda: panel.session.iteration == 20)


def test_hovering_reads_the_exact_value(qtbot, panel):
    train(qtbot, panel, 40)
    qtbot.mouseMove(panel.plot.viewport(), point_of(panel, 20))
    qtbot.waitUntil(lambda: panel._tip.isVisible())
    assert panel._tip.toPlainText() == f"iteration 20: {panel.session.losses[20]!r}"
    panel._hover(QPointF(-50, -50))
    assert not panel._tip.isVisible()


def test_a_diverging_run_says_why_and_cannot_go_on(qtbot, panel):
    panel.session.set_learning_rate(1e200)
    train(qtbot, panel, 50)
    text = words(panel)
    assert "no longer a finite number" in text
    assert "smaller learning rate" in text
    assert not panel.train_button.isEnabled()
    assert np.isnan(panel._curve.getData()[1][-1])
    panel.session.set_learning_rate(0.1)
    assert panel.train_button.isEnabled()
    assert "no longer" not in words(panel)


def test_the_log_axis_shows_powers_of_ten_and_leaves_out_what_has_none(qtbot, panel):
    train(qtbot, panel, 5)
    panel.session.run.losses[2] = 0.0
    panel.session.run.losses[3] = -1.0
    panel._series = Series()
    qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    y = panel._curve.getData()[1]
    assert np.isnan(y[2:4]).all()
    assert y[0] == pytest.approx(np.log10(panel.session.losses[0]))
    assert panel.plot.axes["left"].tickStrings([-1.0, 2.0], 1, 1) == ["0.1", "100"]


def test_other_data_leaves_no_old_loss(qtbot, panel):
    train(qtbot, panel, 20)
    panel.session.set_seed(3)
    assert "iteration 0 of 0" in words(panel)
    assert len(panel._curve.getData()[0]) == 1


def test_zooming_stays_until_a_double_click(qtbot, panel):
    train(qtbot, panel, 40)
    panel.plot.box.setXRange(5, 10, padding=0)
    panel.plot.box.sigRangeChangedManually.emit([True, False])
    panel.session.step_training()
    assert panel.plot.box.viewRange()[0] == [5, 10]
    qtbot.mouseDClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 40))
    panel.plot.box.reset.emit()
    assert panel.plot.box.viewRange()[0][1] == 41


def test_it_is_light_until_it_is_seen(open_session, qtbot):
    panel = LossPanel(open_session("univariate-regression"), DARK)
    qtbot.addWidget(panel)
    panel.session.step_training()
    assert panel.plot is None


def test_a_series_grows_and_keeps_what_is_not_finite_out():
    series = Series()
    losses = [1.0] * 3000
    series.extend(losses)
    losses += [np.inf, 2.0]
    series.extend(losses)
    assert len(series.values) == 3002
    assert np.isnan(series.values[3000])
    assert series.values[3001] == 2.0
