"""The picture of the fit: it suits the data, and its numbers are those of the iteration shown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from engine.trace import forward
from graphs.network import FileData, built_in_names, load
from gui.session import Document, Session
from gui.viewdata.fit import MOST_POINTS, MOST_UNITS, NO_DATA, NO_TARGET, Fit, FitView, fit_view
from tests.helpers import Sample, built, model_of, samples

KINDS = {
    "univariate-regression": "curve",
    "two-layer-nonlinear": "curve",
    "multivariate-regression": "versus",
    "two-layer-linear": "versus",
    "logistic-regression": "plane",
    "perceptron-classifier": "classes",
    "scalar-operations": "",
}
X, Y = [1.0, 2.0, 4.0, 7.0, 9.0], [0.0, 1.0, 1.0, 0.0, 1.0]
RISING = [2.0, 3.0, 7.0, 9.0, 8.0]
LINE = "yhat = w * x + b\nL = mean((yhat - y)**2)"


@pytest.fixture
def shown(qapp):
    sessions = []

    def shown(network, trained=0):
        session = Session(Document.of(network))
        sessions.append(session)
        for _ in range(trained):
            session.step_training()
        return session

    yield shown
    for session in sessions:
        session.close()


def view_of(model) -> FitView:
    session = Session(Document.of(model.network))
    found = fit_view(session.frame)
    session.close()
    return found


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("held_out", [0.0, 0.25])
def test_every_network_has_the_picture_that_suits_it(shown, name, held_out):
    network = load(name)
    if not network.data and held_out:
        return
    session = shown(replace(network, held_out=held_out))
    view = fit_view(session.frame)
    assert view.kind == KINDS[name]
    assert view.held.x.size == (session.model.held_examples if view.kind else 0)
    assert (view.note == NO_DATA) is (not KINDS[name])
    assert ("held out" in view.caption) is (bool(held_out) and bool(KINDS[name]))


def test_the_curve_goes_through_the_predictions(shown):
    session = shown(replace(load("univariate-regression"), held_out=0.2), trained=30)
    view = fit_view(session.frame)
    w, b = (float(session.trace.values[name]) for name in ("w", "b"))
    assert np.allclose(view.curve[1], w * view.curve[0] + b)
    for points in (view.points, view.held):
        assert np.allclose(points.aim, w * points.x + b)
    assert w != 0


def test_the_range_holds_every_example_and_no_prediction(shown):
    session = shown(replace(load("univariate-regression"), held_out=0.2))
    fit = Fit(session.model)
    before = fit.view(session.frame)
    session.step_training()
    after = fit.view(session.frame)
    assert (before.across, before.up) == (after.across, after.up)
    every = np.concatenate([after.points.y, after.held.y])
    assert after.up[0] < every.min() <= every.max() < after.up[1]


def test_the_numbers_in_the_caption_are_those_of_either_side(shown):
    session = shown(replace(load("logistic-regression"), held_out=0.25), trained=20)
    view = fit_view(session.frame)
    graph, data = session.model.held()
    parameters = {n: session.trace.values[n] for n in session.model.graph.parameters}
    right = []
    for one, leaves in ((session.model.graph, session.model.inputs), (graph, data)):
        a = forward(one, {**leaves, **parameters})[one.ids["a"]]
        right.append(f"{int(((a > 0.5) == (leaves['y'] > 0.5)).sum())} of {a.size}")
    assert view.caption == f"right for {right[0]}, held out {right[1]}"
    assert view.classes == ("Adelie", "Chinstrap")
    assert "standardised" in view.x_label


def test_r_squared_is_one_for_a_perfect_fit_and_nought_for_the_mean():
    perfect = model_of(LINE, {"w": 2.0, "b": 1.0}, {"x": X, "y": [2 * x + 1 for x in X]})
    assert view_of(perfect).caption == "R² = 1.000"
    mean = model_of(LINE, {"w": 0.0, "b": float(np.mean(RISING))}, {"x": X, "y": RISING})
    assert view_of(mean).caption.lstrip("R² =−") == "0.000"
    bad = model_of(LINE, {"w": -9.0, "b": 0.0}, {"x": X, "y": RISING})
    assert view_of(bad).caption.startswith("R² = −")


def test_one_feature_and_two_classes_make_a_curve_of_probabilities():
    model = model_of("z = w * x\nL = bce(z, y)", {"w": 0.3}, {"x": X, "y": Y})
    view = view_of(model)
    assert (view.kind, view.classes, view.threshold) == ("curve", ("0", "1"), 0.5)
    assert np.allclose(view.curve[1], 1 / (1 + np.exp(-0.3 * view.curve[0])))
    assert view.y_label == "probability, σ(z)"


def test_the_border_is_where_the_network_cannot_decide(shown):
    session = shown(load("logistic-regression"), trained=30)
    view = fit_view(session.frame)
    w, b = np.ravel(session.trace.values["w"]), float(session.trace.values["b"])
    x, y = (part[np.isfinite(part)] for part in view.boundary)
    assert x.size > 10
    np.testing.assert_allclose(w[0] * x + w[1] * y + b, 0, atol=1e-9)
    assert view.plane.min() >= -1
    assert view.plane.max() <= 1


def test_a_steep_border_is_as_smooth_as_a_gentle_one():
    data = {"X": [X, X[::-1]], "y": Y}
    formula = "z = w @ X + b\na = sigmoid(z)\nL = bce(z, y)"
    borders = [
        view_of(model_of(formula, {"w": [[s * 1.0, s * 2.0]], "b": s * -14.0}, data)).boundary
        for s in (1.0, 1e4)
    ]
    np.testing.assert_allclose(borders[0], borders[1], atol=1e-9)


def test_classes_of_minus_one_and_one_are_classes():
    model = model_of(
        "yhat = tanh(w * x)\nL = mean((yhat - y)**2)", {"w": 1.0}, {"x": X, "y": [-1, 1, 1, -1, 1]}
    )
    view = view_of(model)
    assert (view.kind, view.classes, view.threshold, view.caption) == (
        "curve",
        ("−1", "1"),
        0.0,
        "right for 3 of 5",
    )


def test_two_inputs_of_one_row_make_a_plane_too():
    model = model_of(
        "z = u * x + v * t\na = sigmoid(z)\nL = bce(z, y)",
        {"u": 1.0, "v": -2.0},
        {"x": X, "t": RISING, "y": Y},
    )
    view = view_of(model)
    assert (view.kind, view.x_label, view.y_label) == ("plane", "x", "t")
    x, t = (part[np.isfinite(part)] for part in view.boundary)
    np.testing.assert_allclose(x - 2 * t, 0, atol=1e-9)


def test_of_several_features_the_one_that_varies_is_drawn():
    model = model_of(
        "yhat = w @ X\nL = mean((yhat - y)**2)", {"w": [[2.0, 5.0]]}, {"X": [X, [3.0] * 5], "y": RISING}
    )
    view = view_of(model)
    assert view.kind == "curve"
    assert np.allclose(view.curve[1], 2 * view.curve[0] + 15)


@pytest.mark.parametrize(
    "line",
    ["yhat = w * (x - mean(x))", "yhat = w * x / m", "yhat = w * sum(x) + x", "yhat = w * x / norm(x)"],
)
def test_what_depends_on_all_examples_is_drawn_against_the_truth(line):
    model = model_of(f"{line}\nL = mean((yhat - y)**2)", {"w": 2.0}, {"x": X, "y": RISING})
    view = view_of(model)
    assert view.kind == "versus"
    assert np.array_equal(view.points.aim, view.points.x)


def test_a_whole_network_in_one_line_has_a_fit():
    view = view_of(model_of("L = mean((w * x + b - y)**2)", {"w": 2.0, "b": 1.0}, {"x": X, "y": RISING}))
    assert (view.kind, view.y_label) == ("curve", "y")
    assert np.allclose(view.curve[1], 2 * view.curve[0] + 1)


def test_examples_as_rows_have_a_fit():
    column = [[x] for x in X]
    model = model_of("yhat = (X @ w).T\nL = mean((yhat - y)**2)", {"w": [[3.0]]}, {"X": column, "y": RISING})
    view = view_of(model)
    assert view.kind == "curve"
    assert np.allclose(view.curve[1], 3 * view.curve[0])


def test_one_hot_targets_are_counted_by_their_largest():
    hot = [[1.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0]]
    model = model_of(
        "Z = W @ X\nP = softmax(Z, axis=0)\nL = mean((P - y)**2)",
        {"W": [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]},
        {"X": [[1.0, 0.0, -1.0, 1.0, 2.0], [0.0, 3.0, 0.0, 0.0, 0.0]], "y": hot},
    )
    assert view_of(model).caption == "right for 4 of 5"


def test_without_a_target_it_says_so():
    view = view_of(model_of("L = mean((w * x)**2)", {"w": 0.5}, {"x": X}))
    assert (view.kind, view.note) == ("", NO_TARGET)


def test_mini_batches_do_not_change_which_points_are_shown(shown):
    session = shown(load("univariate-regression"))
    session.set_batch_size(8)
    assert fit_view(session.frame).points.x.size == 50


def test_many_points_are_thinned_and_it_is_said():
    x = np.linspace(0, 1, 3 * MOST_POINTS)
    view = view_of(model_of(LINE, {"w": 1.0, "b": 0.0}, {"x": x, "y": x}))
    assert view.points.x.size == MOST_POINTS
    assert view.note == "One point in 3 is drawn."


def test_the_units_of_a_two_layer_network_sum_to_its_curve(shown):
    session = shown(load("two-layer-nonlinear"), trained=5)
    view = fit_view(session.frame)
    assert view.unit_names == ("0", "1", "2", "3")
    assert view.units_text == "each hidden unit: w₂ · A"
    b2 = float(session.trace.values["b2"])
    np.testing.assert_allclose(view.units.sum(axis=0) + b2, view.curve[1], rtol=1e-12)


def test_of_many_units_those_that_vary_most_are_drawn():
    count = 3 * MOST_UNITS
    w2 = np.where(np.arange(count) % 3 == 1, 1.0, 1e-3)
    model = model_of(
        "A = tanh(W1 @ x)\nyhat = w2 @ A\nL = mean((yhat - y)**2)",
        {"W1": np.ones((count, 1)), "w2": w2},
        {"x": X, "y": RISING},
    )
    view = view_of(model)
    assert view.unit_names == tuple(str(i) for i in range(count) if i % 3 == 1)
    assert view.units_text.endswith(f"{MOST_UNITS} of {count} drawn")


@settings(max_examples=60)
@given(samples())
def test_any_formula_has_a_picture_or_a_reason(sample: Sample):
    model = built(sample)
    if model is None:
        return
    view = view_of(model)
    assert view.kind in KINDS.values()
    assert view.kind or view.note in (NO_DATA, NO_TARGET)


@pytest.mark.parametrize("name", [n for n in built_in_names() if isinstance(load(n).data, FileData)])
@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e308])
def test_parameters_that_are_not_finite_are_drawn_without_a_word_of_python(shown, name, broken):
    session = shown(load(name))
    session.set_values({n: np.full_like(v, broken) for n, v in session.model.parameters.items()})
    view = fit_view(session.frame)
    assert view.kind == KINDS[name]
