"""What a network predicts, found from the graph's structure alone."""

import numpy as np
import pytest
from hypothesis import given

from engine.trace import forward
from graphs.network import bind, built_in_names, load
from gui.viewdata.prediction import (
    Part,
    features,
    find_target,
    hidden_units,
    is_by_example,
    logits_of,
    prediction,
)
from tests.helpers import Sample, built, model_of, samples

X, Y = [1.0, 2.0, 4.0, 7.0], [0.0, 1.0, 1.0, 0.0]
W1 = [[0.5], [-1.0], [2.0]]
W2 = [[1.0, -2.0, 0.5]]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("yhat = w * x\nL = mean((yhat - y)**2)", "yhat"),
        ("yhat = w * x\nr = yhat - y\nL = mean(r**2)", "yhat"),
        ("z = w * x\np = sigmoid(z)\nL = bce(z, y)", "p"),
        ("z = w * x\nL = bce(z, y)", "z"),
        ("L = mean((w * x - y)**2)", "L.1"),
        ("L = mean((y - w * x)**2)", "L.1"),
        ("L = mse(w * x + 1, y)", "L.2"),
        ("L = -mean(y * log(sigmoid(w * x)))", "L.3"),
    ],
)
def test_the_prediction_is_what_the_target_is_compared_with(formula, expected):
    model = model_of(formula, {"w": 0.5}, {"x": X, "y": Y})
    assert find_target(model) == ("y", expected)
    assert prediction(model.graph, "y") == expected


@pytest.mark.parametrize("formula", ["L = mean((w * x)**2)", "L = mean(x) * w + mean(y)"])
def test_without_a_comparison_there_is_no_prediction(formula):
    assert find_target(model_of(formula, {"w": 0.5}, {"x": X, "y": Y})) is None


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("z = w * x\np = sigmoid(z)\nL = bce(z, y)", "z"),
        ("z = w * x\nL = bce(z, y)", "z"),
        ("p = sigmoid(w * x)\nL = mean((p - y)**2)", "p.1"),
        ("p = w * x\nL = mean((p - y)**2)", None),
    ],
)
def test_logits_are_known_by_what_reads_them_and_not_by_their_size(formula, expected):
    model = model_of(formula, {"w": 0.1}, {"x": X, "y": Y})
    found = find_target(model)
    assert found is not None
    assert logits_of(model.graph, found[1]) == expected


@given(samples())
def test_a_part_of_any_graph_is_worked_out_as_the_whole_is(sample: Sample):
    model = built(sample)
    if model is None:
        return
    values = forward(model.graph, model.leaves)
    for node in model.graph.nodes[-3:]:
        found = Part(model.graph, model.inputs, [node.name])(model.parameters)[node.name]
        np.testing.assert_array_equal(found, values[node.id])


@given(samples())
def test_any_graph_can_be_asked_what_it_predicts(sample: Sample):
    model = built(sample)
    found = find_target(model) if model is not None else None
    if model is not None and found is not None:
        assert isinstance(is_by_example(model, found[1]), bool)
        assert all(f.values.shape == (model.examples,) for f in features(model, found[1]))
        hidden_units(model.graph, found[1])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("yhat = w * x\nL = mean((yhat - y)**2)", True),
        ("yhat = w * (x - mean(x))\nL = mean((yhat - y)**2)", False),
        ("yhat = w * x / m\nL = mean((yhat - y)**2)", False),
        ("yhat = softmax(w * x, axis=1)\nL = mean((yhat - y)**2)", False),
    ],
)
def test_a_prediction_that_needs_the_other_examples_is_noticed(formula, expected):
    assert is_by_example(model_of(formula, {"w": 0.5}, {"x": X, "y": Y}), "yhat") is expected


def test_features_are_the_rows_that_the_prediction_is_made_of():
    data = {"X": [X, [3.0] * 4], "u": Y, "unused": X, "y": Y}
    formula = "yhat = w @ X + u\nL = mean((yhat - y)**2) + 0 * mean(unused)"
    model = model_of(formula, {"w": [[1.0, 2.0]]}, data, held_out=0.25)
    found = features(model, "yhat")
    assert [(f.name, f.row, f.varies) for f in found] == [("X", 0, True), ("X", 1, False), ("u", 0, True)]
    assert all((f.values.size, f.held.size) == (3, 1) for f in found)
    assert sorted([*found[0].values, *found[0].held]) == X


# --- hidden units ------------------------------------------------------------------------------------------

LAYER = "A = sigmoid(W1 @ x)\n"


@pytest.mark.parametrize(
    ("line", "offset"),
    [
        ("yhat = w2 @ A", 0.0),
        ("yhat = w2 @ A + b", 3.0),
        ("yhat = b - w2 @ A", 3.0),
        ("yhat = b - (4 - w2 @ A)", -1.0),
        ("yhat = -(w2 @ A) / 2 + b", 3.0),
        ("yhat = b * (w2 @ A) + b", 3.0),
        ("yhat = (A.T @ w2.T).T", 0.0),
        ("s = w2 @ A\nyhat = s + 1", 1.0),
    ],
)
def test_the_units_parts_and_what_is_constant_sum_to_the_prediction(line, offset):
    model = model_of(
        f"{LAYER}{line}\nL = mean((yhat - y)**2)",
        {"W1": W1, "w2": W2, "b": 3.0},
        {"x": X, "y": Y},
    )
    hidden = hidden_units(model.graph, "yhat")
    assert hidden is not None
    assert (hidden.count, hidden.is_sum) == (3, True)
    values = Part(model.graph, model.inputs, ["yhat", *hidden.names])(model.parameters)
    curves = hidden.curves(values)
    assert curves.shape == (3, 4)
    np.testing.assert_allclose(curves.sum(axis=0) + offset, np.ravel(values["yhat"]), rtol=1e-13)


def test_examples_as_rows_are_units_all_the_same():
    model = model_of(
        "A = tanh(x.T @ W1.T)\nyhat = (A @ w2.T).T\nL = mean((yhat - y)**2)",
        {"W1": W1, "w2": W2},
        {"x": X, "y": Y},
    )
    hidden = hidden_units(model.graph, "yhat")
    assert hidden is not None
    values = Part(model.graph, model.inputs, ["yhat", *hidden.names])(model.parameters)
    np.testing.assert_allclose(hidden.curves(values).sum(axis=0), np.ravel(values["yhat"]), rtol=1e-13)


def test_behind_a_sigmoid_the_units_are_shown_by_their_activations():
    model = model_of(
        f"{LAYER}yhat = sigmoid(w2 @ A)\nL = mean((yhat - y)**2)", {"W1": W1, "w2": W2}, {"x": X, "y": Y}
    )
    hidden = hidden_units(model.graph, "yhat")
    assert hidden is not None
    assert (hidden.units, hidden.is_sum) == ("A", False)
    values = Part(model.graph, model.inputs, ["A", *hidden.names])(model.parameters)
    np.testing.assert_array_equal(hidden.curves(values), values["A"])


@pytest.mark.parametrize("name", built_in_names())
def test_the_networks_with_a_hidden_layer_are_those_of_two_layers(name):
    model = bind(load(name))
    found = find_target(model)
    hidden = hidden_units(model.graph, found[1]) if found is not None else None
    assert (hidden is not None) is (
        name in ("two-layer-linear", "two-layer-nonlinear", "perceptron-classifier")
    )


def test_features_are_no_hidden_units():
    model = model_of("yhat = w @ X\nL = mean((yhat - y)**2)", {"w": [[1.0, 2.0]]}, {"X": [X, Y], "y": Y})
    assert hidden_units(model.graph, "yhat") is None
