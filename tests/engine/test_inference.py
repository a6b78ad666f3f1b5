"""What is proposed for names that nobody has defined."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formula import Leaf, build, parse
from engine.graph import Kind
from engine.inference import Inference, infer
from engine.shapes import UNIT, Dim, Dims, sizes
from graphs.initial import Initial
from graphs.network import Model, bind
from graphs.reading import built_in, built_in_names
from tests.helpers import Sample, built, samples

N, M = Dim("n", 3), Dim("m", 50, True)
DATA: dict[str, Dims] = {"X": (N, M), "y": (UNIT, M)}
TWO_LAYERS = """
Z = W1 @ X + b1
A = sigmoid(Z)
yhat = w2 @ A + b2
L = 1/m * norm(yhat - y)**2
"""
MAZUR = "h = sigmoid(W1 @ x + b1)\no = sigmoid(W2 @ h + b2)\nE = sum(1/2*(t - o)**2)"


def proposed(formula: str, known: dict[str, Dims] | None = None, **more: Any) -> dict[str, Any]:
    found = infer(parse(formula), known or {}, **more)
    return {p.name: p.shape for p in found.proposals}


def inputs_of(formula: str, known: dict[str, Dims] | None = None, **more: Any) -> set[str]:
    found = infer(parse(formula), known or {}, **more)
    return {p.name for p in found.proposals if p.kind == Kind.INPUT}


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (TWO_LAYERS, {"W1": ("k", "n"), "b1": ("k", 1), "w2": (1, "k"), "b2": ()}),
        ("yhat = w @ X + b\nL = mse(yhat, y)", {"w": (1, "n"), "b": ()}),
        ("z = w @ X + b\nL = bce(z, y)", {"w": (1, "n"), "b": ()}),
        ("yhat = w*y + b\nL = mse(yhat, y)", {"w": (), "b": ()}),
        ("H = W @ X + X\nL = norm(H)**2", {"W": ("n", "n")}),
        ("H = (X.T @ W).T\nL = norm(H - V @ X)**2", {"W": ("n", "k"), "V": ("k", "n")}),
        ("L = mse(w @ X, y) + lam * norm(w)**2", {"w": (1, "n"), "lam": ()}),
        ("H = softmax(W @ X + c, axis=0)\nL = -mean(log(max(H, axis=0)))", {"W": ("k", "n"), "c": ("k", 1)}),
        ("Z = X - shift\nL = norm(w @ Z - y)", {"shift": ("n", 1), "w": (1, "n")}),
    ],
)
def test_shapes_follow_from_the_data(formula: str, wanted: dict[str, Any]) -> None:
    assert proposed(formula, DATA, has_data=True) == wanted


def test_without_data_the_shapes_are_those_of_the_names() -> None:
    found = infer(parse(MAZUR), {})
    assert {p.name: p.shape for p in found.proposals} == {
        "W1": ("k", "n"),
        "x": ("n", "m"),
        "b1": ("k", 1),
        "W2": ("p", "k"),
        "b2": ("p", 1),
        "t": ("p", "m"),
    }
    assert found.dimensions == {"k": 4}
    assert found.pending == ("n", "m", "p")


def test_a_value_that_is_given_decides_the_shapes_around_it() -> None:
    known: dict[str, Dims] = {"W1": (Dim("2", 2), Dim("2", 2)), "x": (Dim("2", 2), Dim("m", 1, True))}
    assert proposed(MAZUR, known)["W2"] == ("k", 2)
    known["t"] = (Dim("3", 3), Dim("m", 1, True))
    assert proposed(MAZUR, known) == {"b1": (2, 1), "W2": (3, 2), "b2": (3, 1)}


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        (MAZUR, {"x", "t"}),
        ("L = mse(w*x + b, y)", {"x", "y"}),
        ("f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", {"x0", "x1"}),
        ("z = w * speed\nL = (z - distance)**2", {"distance"}),
        ("L = (a - b)**2", set()),
        ("L = a * b - c", {"c"}),
        ("z = a*b\nL = (z - c)**2 + c", set()),
    ],
)
def test_what_the_loss_compares_with_and_what_is_called_x_y_or_t_is_data(
    formula: str, names: set[str]
) -> None:
    assert inputs_of(formula) == names


def test_beside_data_an_undefined_x_is_a_parameter() -> None:
    assert inputs_of("L = mse(w @ X + x0, y)", DATA, has_data=True) == set()


def test_a_chosen_role_is_kept() -> None:
    kinds = {"x": Kind.PARAMETER}
    assert inputs_of("L = mse(w*x + b, y)", kinds=kinds) == {"y"}


def test_m_counts_examples_or_is_a_name_like_any_other_where_there_are_none() -> None:
    assert proposed("L = E * m * c**2") == {"E": (), "c": (), "m": ()}
    assert "m" not in proposed("L = 1/m * norm(w @ x - y)**2")


def test_a_dimension_of_the_file_that_nothing_uses_is_used_again() -> None:
    found = infer(parse(TWO_LAYERS), DATA, has_data=True, dimensions={"hidden": 7})
    assert found.dimensions == {"hidden": 7}
    assert found.proposals[0].shape == ("hidden", "n")


def test_names_of_lines_that_come_too_late_are_not_proposed() -> None:
    assert proposed("a = b * w\nb = a + h\nL = b") == {"w": (), "h": ()}


# --- networks whose parameters were dropped -----------------------------------------------------------------


def dropped(model: Model, names: list[str]) -> tuple[Inference, dict[str, Dims]]:
    known = {leaf.name: leaf.dims for leaf in model.kinds if leaf.name not in names}
    network = model.network
    found = infer(network.statements, known, loss=network.loss, has_data=True, dimensions=network.dimensions)
    return found, known


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_network_without_its_parameters_gets_the_same_shapes_back(name: str) -> None:
    model = bind(built_in(name))
    for names in ([p] for p in model.parameters):
        agrees(model, names)
    agrees(model, list(model.parameters))


def agrees(model: Model, names: list[str]) -> None:
    found, _ = dropped(model, names)
    network = model.network
    assert {p.name for p in found.proposals} == set(names)
    proposals = {p.name: Initial(p.shape, "xavier") for p in found.proposals}
    filled = replace(
        network,
        parameters={**network.parameters, **proposals},
        dimensions={**network.dimensions, **found.dimensions},
    )
    again = bind(filled)
    for name in names:
        assert again.leaves[name].shape == model.leaves[name].shape, name


@given(samples(largest=4), st.data())
def test_what_is_called_determined_is_the_true_shape(sample: Sample, data: st.DataObject) -> None:
    model = built(sample)
    if model is None or model.examples < 2:
        return
    read = {model.graph.nodes[i].name for node in model.graph.nodes for i in node.inputs}
    candidates = [name for name in model.parameters if name in read]
    names = data.draw(st.lists(st.sampled_from(candidates), unique=True)) if candidates else []
    found, _ = dropped(model, names)
    assert {p.name for p in found.proposals} == set(names)
    size_of = {leaf_dim.name: leaf_dim.size for leaf in model.kinds for leaf_dim in leaf.dims}
    for proposal in found.proposals:
        if proposal.is_determined:
            shape = tuple(size_of[s] if isinstance(s, str) else s for s in proposal.shape)
            assert shape == model.leaves[proposal.name].shape, (proposal, sample.formula)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(2, 6), st.data())
def test_layers_of_any_width_bind_with_what_is_proposed(
    depth: int, rows: int, examples: int, data: st.DataObject
) -> None:
    widths = [rows, *(data.draw(st.integers(2, 5)) for _ in range(depth))]
    lines, known = [], {"H0": (Dim(str(rows), rows) if rows > 1 else UNIT, Dim("m", examples, True))}
    for i in range(depth):
        function = data.draw(st.sampled_from(["tanh", "sigmoid", "relu", ""]))
        lines.append(f"H{i + 1} = {function}(W{i} @ H{i} + b{i})")
    known["y"] = (Dim(str(widths[-1]), widths[-1]), Dim("m", examples, True))
    formula = "\n".join([*lines, f"L = mse(H{depth}, y)"])
    found = infer(parse(formula), known, has_data=True)
    size_of = {**found.dimensions, "m": examples}
    leaves = [Leaf(name, Kind.INPUT, dims) for name, dims in known.items()]
    for p in found.proposals:
        dims = tuple(Dim(str(s), size_of.get(s, 0) if isinstance(s, str) else s) for s in p.shape)
        leaves.append(Leaf(p.name, p.kind, dims))
    graph = build(parse(formula), leaves, examples=examples)
    assert graph[f"H{depth}"].dims[0].size == widths[-1]
    assert sizes(graph["b0"].dims)[1:] == (1,)


# --- what is wrong or large ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    [
        "Z = X @ X\nL = norm(w @ Z)",
        "L = mse(W @ X, sum(X)) + W",
        "a = a + 1",
        "Z = X.T + W @ X\nL = norm(Z)",
        "L = w\nw = L",
        "Z = W @ X\nL = W + norm(Z) @ W",
    ],
)
def test_a_formula_that_contradicts_itself_gets_proposals_and_no_crash(formula: str) -> None:
    infer(parse(formula), DATA, has_data=True)


@pytest.mark.parametrize(
    "line", ["h{1} = tanh(w{0} @ h{0} + b{0})", "h{1} = w{0} * h{0} + b{0}", "h{1} = h{0} * h0"]
)
def test_ten_thousand_lines_are_done_in_bounded_time(line: str) -> None:
    formula = "\n".join(line.format(i, i + 1) for i in range(10_000)) + "\nL = mse(h10000, y)"
    statements = parse(formula)
    begin = time.process_time()
    found = infer(statements, {"y": DATA["y"]}, has_data=True)
    assert time.process_time() - begin < 30
    assert found.proposals


def test_nothing_is_done_where_nothing_is_missing() -> None:
    assert infer(parse("L = norm(X)"), DATA) == Inference()
    assert not np.any(infer(parse("L = m * norm(X)"), DATA).proposals)
