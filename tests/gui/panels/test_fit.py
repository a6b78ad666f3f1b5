"""The fit dock: what is drawn follows the iteration, and the marks can be told apart and switched."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from graphs.network import built_in_names, load
from gui.panels.fit import MOST_RESIDUALS, FitPanel, _apart, unit_color
from gui.theme import DARK, LIGHT
from gui.viewdata.fit import NO_DATA, NO_TARGET
from tests.gui.panels.helpers import words
from tests.helpers import model_of


@pytest.fixture
def fit(qtbot, open_session, show):
    """Return a function that shows the fit of a network, with some of its examples held out."""

    def fit(network, held_out=0.0, width=640, height=300):
        session = open_session("univariate-regression")
        session.open_network(
            replace(load(network), held_out=held_out) if isinstance(network, str) else network
        )
        panel = show(FitPanel, session, width, height)
        qtbot.waitUntil(lambda: panel.plot is not None)
        return session, panel

    return fit


def places(item):
    return np.column_stack(item.getData())


@pytest.mark.parametrize("network", built_in_names())
def test_every_network_is_drawn_or_it_is_said_why_not(fit, network):
    _, panel = fit(network)
    assert panel.plot.isVisible() is bool(panel.view.kind)
    assert (NO_DATA in words(panel)) is (not panel.view.kind)
    panel.grab()
    panel.set_theme(DARK)
    panel.grab()


def test_it_follows_the_iteration_and_not_the_step(fit):
    session, panel = fit("univariate-regression")
    before = panel._curve.getData()[1]
    session.go(3)
    assert panel._curve.getData()[1] is before
    session.step_training()
    assert not np.allclose(panel._curve.getData()[1], before)
    assert "iteration 1" in panel.caption()
    session.go_to_iteration(0)
    assert np.allclose(panel._curve.getData()[1], before)


def test_a_costly_picture_rests_while_training_and_shows_the_end(fit, qtbot):
    session, panel = fit("univariate-regression")
    session.train(300)
    panel._cost = 0.02  # as it would be with thousands of examples
    qtbot.waitUntil(lambda: not session.training, timeout=20_000)
    qtbot.waitUntil(lambda: "iteration 300" in panel._caption.text())
    assert panel._trace is session.trace


def test_another_network_is_framed_anew(fit):
    session, panel = fit("univariate-regression")
    session.open("logistic-regression")
    assert panel.view.kind == "plane"
    assert not panel._curve.isVisible()
    assert panel.plot.box.viewRange()[0] == pytest.approx(panel.view.across)


def test_another_seed_shows_other_numbers_in_the_same_frame(fit):
    session, panel = fit("two-layer-nonlinear")
    before = panel._curve.getData()[1]
    ranges = panel.plot.box.viewRange()
    session.new_seed()
    assert not np.allclose(panel._curve.getData()[1], before)
    assert panel.plot.box.viewRange() == ranges


def test_held_out_examples_are_hollow(fit):
    session, panel = fit("logistic-regression", held_out=0.25)
    dots = panel._dots
    assert sum(len(places(item)) for (side, _), item in dots.items() if side == "held") == 55
    assert "○ held out" in panel.caption()
    for (side, _), item in dots.items():
        assert (item.opts["brush"].style() == Qt.BrushStyle.NoBrush) is (side == "held")
    session.set_data(replace(session.document.network, held_out=0.0))
    assert not any(item.isVisible() for (side, _), item in dots.items() if side == "held")
    assert "held out" not in panel.caption()


def test_the_classes_differ_by_shape_and_by_colour(fit):
    _, panel = fit("logistic-regression")
    first, second = panel._dots["points", "o"], panel._dots["points", "t1"]
    assert first.opts["brush"].color() != second.opts["brush"].color()
    second_class = panel.view.points.is_second
    assert (len(places(first)), len(places(second))) == ((~second_class).sum(), second_class.sum())
    assert "●\u00a0Adelie  ▲\u00a0Chinstrap" in panel.caption()


def test_residuals_run_from_each_example_to_the_curve(fit):
    session, panel = fit("univariate-regression", held_out=0.2)
    assert panel.residuals_box.isChecked()
    x, y = panel._residuals.getData()
    assert len(x) == 2 * 50
    assert np.array_equal(x[::2], x[1::2])
    w, b = (float(session.trace.values[name]) for name in ("w", "b"))
    assert np.allclose(y[1::2], w * x[1::2] + b)
    panel.residuals_box.click()
    assert not panel._residuals.isVisible()
    session.step_training()
    assert not panel.residuals_box.isChecked()


def test_residuals_of_many_points_wait_until_they_are_asked_for(fit):
    _, panel = fit("multivariate-regression")
    assert panel.view.points.x.size > MOST_RESIDUALS
    assert not panel._residuals.isVisible()
    panel.residuals_box.setFocus()
    QTest.keyClick(panel.residuals_box, Qt.Key.Key_Space)
    assert panel._residuals.isVisible()
    assert len(panel._residuals.getData()[0]) == 2 * panel.view.points.x.size


def test_each_hidden_unit_has_its_curve_and_its_name(fit):
    _, panel = fit("two-layer-nonlinear")
    assert [label.toPlainText() for _, label in panel._units if label.isVisible()] == ["0", "1", "2", "3"]
    assert len({curve.opts["pen"].color().name() for curve, _ in panel._units}) == 4
    (left, right), (bottom, top) = panel.plot.box.viewRange()
    for _, label in panel._units:
        assert left <= label.pos().x() <= right
        assert bottom <= label.pos().y() <= top
    panel.units_box.click()
    assert not any(item.isVisible() for pair in panel._units for item in pair)
    assert "hidden unit" not in panel.caption()


def test_names_of_units_stand_at_their_curves_however_large_the_plot_is(fit):
    _, panel = fit("two-layer-nonlinear")
    panel.resize(500, 130)
    panel.resize(620, 420)
    QApplication.processEvents()
    panel.plot.box.setRange(yRange=(-3, 3), padding=0)
    (_, _), (bottom, top) = panel.plot.box.viewRange()
    pixel = (top - bottom) / panel.plot.box.height()
    for i, (_, label) in enumerate(panel._units):
        x, y = label.pos().x(), label.pos().y()
        assert abs(y - np.interp(x, panel.view.curve[0], panel.view.units[i])) < 30 * pixel


def test_switches_are_there_for_what_can_be_switched(fit):
    session, panel = fit("univariate-regression")
    assert (panel.residuals_box.isVisible(), panel.units_box.isVisible()) == (True, False)
    session.open("two-layer-nonlinear")
    assert (panel.residuals_box.isVisible(), panel.units_box.isVisible()) == (True, True)
    session.open("logistic-regression")
    assert (panel.residuals_box.isVisible(), panel.units_box.isVisible()) == (False, False)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_no_unit_has_the_colour_of_the_fit(theme):
    colours = [unit_color(theme, i).name() for i in range(5)]
    assert len(set(colours)) == 5
    assert theme.forward not in colours


def test_names_are_moved_apart_and_stay_inside():
    found = _apart([0.0, 0.2, 0.3, 9.0, 9.9], 1.0, 10.0)
    assert found == sorted(found)
    assert min(np.diff(found)) >= 1.0 - 1e-12
    assert found[-1] <= 10.0


def test_what_does_not_fit_the_line_ends_in_dots_and_is_told_on_hovering(fit):
    _, panel = fit("two-layer-nonlinear", held_out=0.2, width=400)
    assert panel._caption.toolTip() == panel.caption()
    panel.set_letters(1.5)  # nobody hovers over a projector's picture: it has two lines
    line = panel._caption.fontMetrics().height()
    assert panel._caption.heightForWidth(panel._caption.width()) >= 2 * line
    panel.set_letters(1.0)
    panel.resize(1400, 300)
    assert panel._caption.toolTip() == ""


def test_beside_a_low_plot_the_axis_says_its_name_alone(fit):
    _, panel = fit("two-layer-nonlinear", height=400)
    assert panel.plot.axes["left"].labelText == "accel (standardised)"
    panel.resize(640, 150)
    assert panel.plot.axes["left"].labelText == "accel"
    panel.resize(640, 400)
    assert panel.plot.axes["left"].labelText == "accel (standardised)"


@pytest.mark.parametrize("width", [180, 300, 500])
def test_a_narrow_panel_can_be_drawn(fit, width):
    _, panel = fit("two-layer-nonlinear", width=width, height=120)
    assert panel.width() == width
    panel.grab()


def test_without_a_target_it_says_so(fit):
    session, panel = fit("univariate-regression")
    free = model_of("L = mean((w * x)**2)", {"w": 0.5}, {"x": [1.0, 2.0]})
    session.open_network(free.network)
    assert NO_TARGET in words(panel)
    assert not panel.plot.isVisible()


def test_predictions_that_are_not_finite_are_told_and_left_out(fit):
    session, panel = fit("univariate-regression")
    session.set_learning_rate(1e308)
    for _ in range(4):
        session.step_training()
    assert "not finite" in panel.caption()
    panel.grab()
