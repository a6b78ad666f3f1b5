"""The neuron view: any network has a picture that computes what the network computes, or one sentence."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from engine.graph import Detail
from graphs.network import bind, built_in_names, load
from gui.session import Document, Session
from gui.viewdata import neurons
from tests.helpers import Sample, built, model_of, samples

X = [[1.0, 2.0, -3.0], [0.5, -1.0, 2.0]]
Y = [1.0, 0.0, 2.0]
W = [[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]
NETWORKS = {
    "one line": (
        "L = mse(v @ tanh(W @ X + b) + c, y)",
        {"W": W, "b": [[0.1], [0.2], [0.3]], "v": [[1.0, 2.0, 3.0]], "c": 0.5},
        {"X": X, "y": Y},
    ),
    "a residual with shared weights": (
        "H = tanh(U @ X)\nR = H + tanh(U @ H)\nL = norm(R)**2",
        {"U": [[0.1, 0.2], [0.3, -0.4]]},
        {"X": X},
    ),
    "transposed weights": ("Z = W.T @ X + b\nL = sum(Z**2)", {"W": np.transpose(W), "b": -1.0}, {"X": X}),
    "examples as rows": (
        "Z = X @ V + b\nA = sigmoid(Z)\nyhat = A @ v\nL = mse(yhat, y)",
        {"V": [[1.0, 2.0, 3.0], [-1.0, 0.5, 0.1]], "b": [[0.1, 0.2, 0.3]], "v": [[1.0], [2.0], [3.0]]},
        {"X": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], "y": [[1.0], [2.0], [3.0], [4.0]]},
    ),
    "two inputs": (
        "Z = W @ X + 2 * u * t + b\nL = norm(Z - y)**2",
        {"W": [[0.3, 0.1]], "u": 0.7, "b": 0.2},
        {"X": X, "t": [3.0, 1.0, 2.0], "y": Y},
    ),
    "a product of weights": (
        "M = P @ Q\nZ = M @ X\nL = norm(Z)**2 + 0.1 * norm(P)**2",
        {"P": [[1.0], [2.0]], "Q": [[0.5, -1.0]]},
        {"X": X},
    ),
    "weights scaled": ("Z = (2 * W) @ X\nL = norm(Z)**2", {"W": W}, {"X": X}),
    "one example": (
        "yhat = w @ x\nL = (yhat - y) @ (yhat - y).T * 1",
        {"w": [[1.0, 2.0]]},
        {"x": [[1.0], [2.0]], "y": 3.0},
    ),
    "scalars": ("yhat = w * x + b\nL = (yhat - y)**2", {"w": 2.0, "b": 1.0}, {"x": 3.0, "y": 4.0}),
}


@pytest.fixture
def opened(qapp):
    sessions = []

    def opened(network, detail=Detail.EQUATION):
        session = Session(Document.of(network), detail)
        sessions.append(session)
        return session

    yield opened
    for session in sessions:
        session.close()


def neuron_view(frame, example: int | None = 0) -> Any:
    return neurons.neuron_view(frame, example)


def model(name):
    formula, parameters, data = NETWORKS[name]
    if name == "one example":
        formula = "yhat = w @ x\nL = norm(yhat - y)**2"
    return model_of(formula, parameters, data)


def lit(view: Any) -> set[str]:
    return {f"{b.source}>{b.target}" for b in view.bundles if b.phase} | {
        m.name for m in view.marks if m.phase
    }


def sums(view: Any, name: str) -> np.ndarray:
    """Return what a column's edges and biases come to."""
    column = view.by_name[name]
    found = np.zeros(column.units)
    for bundle in view.bundles:
        if bundle.target == name:
            source = view.by_name[bundle.source].values
            for i in range(column.units):
                terms = range(len(source)) if bundle.kind == "weights" else [min(i, len(source) - 1)]
                found[i] += sum(bundle.at(bundle.weights, i, j) * source[j] for j in terms)
    for mark in view.marks:
        if mark.target == name:
            found += mark.values
    return found


@pytest.mark.parametrize("example", [0, 2, None])
@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize(
    ("network", "column"),
    [
        ("one line", "L.2"),
        ("one line", "L.5"),
        ("a residual with shared weights", "H.1"),
        ("transposed weights", "Z"),
        ("examples as rows", "Z"),
        ("examples as rows", "yhat"),
        ("two inputs", "Z"),
        ("a product of weights", "Z"),
        ("weights scaled", "Z"),
        ("one example", "yhat"),
        ("scalars", "yhat"),
    ],
)
def test_edges_and_biases_compute_the_neurons_they_lead_to(opened, network, column, detail, example):
    session = opened(model(network).network, detail)
    session.go(next(s.index for s in session.trace.steps if s.phase == "seed"))
    view = neuron_view(session.frame, example)
    assert not view.sentence
    np.testing.assert_allclose(sums(view, column), view.by_name[column].values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["two-layer-nonlinear", "perceptron-classifier", "univariate-regression"])
def test_the_picture_of_a_built_in_network_computes(opened, name):
    session = opened(load(name))
    session.last()
    session.go(session.position - len(session.trace.graph.parameters) * 1)
    view = neuron_view(session.frame, 5)
    for target in {b.target for b in view.bundles if b.kind in ("weights", "scale")}:
        np.testing.assert_allclose(sums(view, target), view.by_name[target].values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", built_in_names())
def test_every_network_has_a_picture_or_a_sentence(opened, name):
    view = neuron_view(opened(load(name)).frame)
    assert bool(view.columns) != bool(view.sentence)
    if not bind(load(name)).graph.inputs:
        assert view.sentence == "This network has no inputs: a neuron view needs columns of features."


def test_every_edge_and_neuron_knows_its_entry(opened):
    for name in NETWORKS:
        session = opened(model(name).network)
        session.last()
        frame = session.frame
        view = neuron_view(frame, 0)
        for column in view.columns:
            for unit in range(column.units):
                if column.name in frame.values and column.values is not None:
                    assert frame.values[column.name][column.entry(unit)] == column.values[unit]
        for bundle in view.bundles:
            if bundle.name and bundle.plan.weight.exact:
                array, gradient = frame.values[bundle.name], frame.gradients[bundle.name]
                units = view.by_name[bundle.target].units, view.by_name[bundle.source].units
                for i, j in np.ndindex(*units):
                    assert array[bundle.entry(i, j)] == bundle.at(bundle.weights, i, j), name
                    assert gradient[bundle.entry(i, j)] == bundle.at(bundle.gradients, i, j), name
        for mark in view.marks:
            for unit in range(view.by_name[mark.target].units):
                assert frame.values[mark.name][mark.entry(unit)] == mark.values[unit]


def test_what_is_in_the_future_shows_no_number(opened):
    session = opened(load("two-layer-nonlinear"))
    view = neuron_view(session.frame)
    known = {c.name for c in view.columns if c.values is not None}
    assert known == {"X", "y"}
    assert all(c.gradients is None for c in view.columns)
    assert all(b.gradients is None for b in view.bundles)
    session.go(2)
    assert {c.name for c in neuron_view(session.frame).columns if c.values is not None} == {
        "X",
        "y",
        "Z",
        "A",
    }
    session.go(1)
    assert neuron_view(session.frame).by_name["A"].values is None


def test_z_and_a_share_a_neuron_where_nothing_else_reads_z(opened):
    view = neuron_view(opened(load("two-layer-nonlinear")).frame)
    assert view.by_name["A"].behind == "Z"
    classifier = neuron_view(opened(load("perceptron-classifier")).frame)
    assert classifier.by_name["A1"].behind == "Z1"
    assert classifier.by_name["yhat"].behind == ""  # the loss reads z2 itself


@pytest.mark.parametrize(
    ("position", "wanted", "changed", "reads", "upstream"),
    [
        (0, set(), set(), set(), set()),
        (1, {"X>Z", "b1"}, {"Z"}, set(), set()),
        (2, {"Z>A"}, {"A"}, set(), set()),
        (5, set(), {"L"}, set(), set()),
        (8, {"A>yhat"}, set(), {"A"}, {"yhat"}),  # w2: the outer product of the gradient and what is stored
        (9, {"A>yhat"}, {"A"}, set(), {"yhat"}),
        (11, {"Z>A"}, {"Z"}, {"A"}, {"A"}),
        (12, {"X>Z"}, set(), {"X"}, {"Z"}),
        (14, {"b1"}, set(), set(), {"Z"}),
        (15, {"X>Z"}, set(), set(), set()),
        (16, {"b1"}, set(), set(), set()),
    ],
)
def test_the_step_lights_up_what_it_works_with(opened, position, wanted, changed, reads, upstream):
    session = opened(load("two-layer-nonlinear"))
    session.go(position)
    view = neuron_view(session.frame)
    assert lit(view) == wanted
    assert {c.name for c in view.columns if c.phase} == changed
    assert {c.name for c in view.columns if c.read} >= reads
    assert {c.name for c in view.columns if c.upstream} == upstream
    assert {b.phase for b in view.bundles if b.phase} <= {session.frame.phase}
    outer = {b.name for b in view.bundles if b.outer}
    assert outer == (
        {session.frame.step.target} & {"W1", "w2"} if session.frame.phase == "backward" else set()
    )


def test_at_primitive_detail_the_product_and_the_bias_are_lit_one_after_the_other(opened):
    session = opened(load("two-layer-nonlinear"), Detail.PRIMITIVE)
    session.go(1)
    assert lit(neuron_view(session.frame)) == {"X>Z"}
    session.go(2)
    assert lit(neuron_view(session.frame)) == {"b1"}


def test_shared_weights_are_two_bundles_of_one_name(opened):
    view = neuron_view(opened(model("a residual with shared weights").network).frame)
    bundles = [b for b in view.bundles if b.name == "U"]
    assert [(b.source, b.target) for b in bundles] == [("X", "H.1"), ("H", "R")]
    assert [b.kind for b in view.bundles if (b.source, b.target) == ("H", "R")] == ["each", "weights"]


def test_the_mean_is_the_mean_over_the_examples(opened):
    session = opened(load("two-layer-nonlinear"))
    session.last()
    frame = session.frame
    view = neuron_view(frame, None)
    np.testing.assert_allclose(view.by_name["A"].values, frame.values["A"].mean(axis=1))
    np.testing.assert_allclose(view.by_name["A"].gradients, frame.gradients["A"].mean(axis=1))
    assert view.by_name["A"].title(2) == "A[2, :]"
    assert neuron_view(frame, 7).by_name["A"].title(2) == "A[2, 7]"
    assert neuron_view(frame, 10**6).example == 132


MIXING = "mixes examples: a neuron view needs columns that are features."
REFUSED = [
    ("S = X @ X.T\nL = sum(S)", {}, {"X": X}, f"The line S = X @ X.T {MIXING}"),
    ("mu = mean(X, axis=1, keepdims=True)\nL = sum((X - mu)**2)", {}, {"X": X}, MIXING),
    ("L = sum(w**2)", {"w": 2.0}, {}, "has no inputs"),
    (
        "Z = W @ X\nL = norm(Z)**2",
        {"W": np.ones((64, 300))},
        {"X": np.ones((300, 2))},
        "64 × 300 weights are too many to draw: the graph shows them as heat maps.",
    ),
    ("Z = W @ X\nL = norm(W)**2", {"W": W}, {"X": X}, "L does not depend on the data"),
    ("L = " + " + ".join(["w * sum(x)"] * 300), {"w": 1.0}, {"x": Y}, "too long to be drawn"),
    (
        "\n".join(f"h{i + 1} = tanh(h{i})" for i in range(60)) + "\nL = sum(h60)",
        {},
        {"h0": Y},
        "62 columns of neurons are too many to draw",
    ),
]


@pytest.mark.parametrize(("formula", "parameters", "data", "sentence"), REFUSED)
def test_where_there_is_no_picture_one_sentence_says_why(opened, formula, parameters, data, sentence):
    view = neuron_view(opened(model_of(formula, parameters, data).network).frame)
    assert sentence in view.sentence
    assert not view.columns


@settings(max_examples=150, deadline=None)
@given(samples())
def test_any_network_gives_a_picture_or_one_clear_sentence(sample: Sample):
    found = built(sample)
    if found is None:
        return
    for detail in Detail:
        session = Session(Document.of(found.network), detail)
        for position in range(0, len(session.trace.steps) + 1, 3):
            session.go(position)
            view = neuron_view(session.frame, position % 5)
            if view.sentence:
                assert re.fullmatch(r"[^\n]+\.", view.sentence)
                continue
            names = {c.name for c in view.columns}
            assert session.trace.graph.loss in names
            assert {b.source for b in view.bundles} | {b.target for b in view.bundles} <= names
            for bundle in view.bundles:
                ranks = view.by_name[bundle.source].rank, view.by_name[bundle.target].rank
                assert ranks[0] < ranks[1]
                last = view.by_name[bundle.target].units - 1, view.by_name[bundle.source].units - 1
                assert bundle.title(*last) or bundle.kind in ("each", "all")
                bundle.at(bundle.weights, *last)
                if bundle.name:
                    session.frame.trace.values[bundle.name][bundle.entry(*last)]
        session.close()
