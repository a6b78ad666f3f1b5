"""The fit: the picture suits the data, and its numbers are those of the iteration shown."""

import numpy as np
import pytest

from graphs.network import built_in_names, load
from gui.panels.fit import FitPanel
from gui.session import Document, Session
from gui.viewdata.fit import NO_DATA, NO_TARGET, fit_view, prediction
from tests.gui.panels.helpers import words
from tests.helpers import model_of

KINDS = {
    "univariate-regression": "curve",
    "two-layer-nonlinear": "curve",
    "multivariate-regression": "versus",
    "two-layer-linear": "versus",
    "logistic-regression": "plane",
    "perceptron-classifier": "classes",
    "scalar-operations": "",
}


@pytest.mark.parametrize("network", built_in_names())
def test_every_network_has_the_picture_that_suits_it(qtbot, open_session, show, network):
    session = open_session(network)
    panel = show(FitPanel, session, 480, 200)
    qtbot.waitUntil(lambda: panel.plot is not None)
    assert panel.view.kind == KINDS[network]
    assert panel.plot.isVisible() is bool(KINDS[network])
    assert (NO_DATA in words(panel)) is (not KINDS[network])
    panel.grab()


def test_the_curve_goes_through_the_predictions(open_session):
    session = open_session("univariate-regression")
    for _ in range(30):
        session.step_training()
    view = fit_view(session.frame)
    w, b = (float(session.trace.values[name]) for name in ("w", "b"))
    assert np.allclose(view.curve[1], w * view.curve[0] + b)
    assert np.allclose(view.predicted, w * view.x + b)
    assert w != 0


def test_it_follows_the_iteration_and_not_the_step(qtbot, open_session, show):
    session = open_session("univariate-regression")
    panel = show(FitPanel, session, 480, 200)
    qtbot.waitUntil(lambda: panel.plot is not None)
    before = panel._curve.getData()[1]
    session.go(3)
    assert panel._curve.getData()[1] is before
    session.step_training()
    assert not np.allclose(panel._curve.getData()[1], before)
    assert "iteration 1" in words(panel)


def test_the_caption_counts_who_is_right(open_session):
    session = open_session("logistic-regression")
    for _ in range(20):
        session.step_training()
    view = fit_view(session.frame)
    a = session.trace.values["a"]
    right = int(((a > 0.5) == (session.trace.values["y"] > 0.5)).sum())
    assert view.caption == f"right for {right} of {a.size} examples"
    assert set(view.classes) == {"Adelie", "Chinstrap"}
    assert "standardised" in view.x_label


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("yhat = w * x\nL = mean((yhat - y)**2)", "yhat"),
        ("yhat = w * x\nr = yhat - y\nL = mean(r**2)", "yhat"),
        ("z = w * x\np = sigmoid(z)\nL = bce(z, y)", "p"),
        ("z = w * x\nL = bce(z, y)", "z"),
    ],
)
def test_the_prediction_is_what_the_target_is_compared_with(formula, expected):
    model = model_of(formula, {"w": 0.5}, {"x": [1.0, 2.0, 3.0], "y": [0.0, 1.0, 1.0]})
    assert prediction(model.graph, "y") == expected


def test_without_a_target_it_says_so(qtbot, open_session, show):
    session = open_session("univariate-regression")
    panel = show(FitPanel, session, 480, 200)
    qtbot.waitUntil(lambda: panel.plot is not None)
    free = model_of("L = mean((w * x)**2)", {"w": 0.5}, {"x": [1.0, 2.0]})
    session.open_network(free.network)
    assert NO_TARGET in words(panel)
    assert not panel.plot.isVisible()


def test_predictions_that_are_not_finite_are_told_and_left_out(qtbot, open_session, show):
    session = open_session("univariate-regression")
    panel = show(FitPanel, session, 480, 200)
    qtbot.waitUntil(lambda: panel.plot is not None)
    session.set_learning_rate(1e308)
    for _ in range(4):
        session.step_training()
    assert "not finite" in words(panel)
    panel.grab()


def test_mini_batches_do_not_change_which_points_are_shown():
    session = Session(Document.of(load("univariate-regression")))
    session.set_batch_size(8)
    assert fit_view(session.frame).x.size == 50
    session.close()
