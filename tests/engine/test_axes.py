"""Names for axes: one for what a formula lines up, another for what only happens to have the same size."""

import time
from collections import defaultdict

import numpy as np
import pytest

from engine.axes import MOST_LINES, distinct_names, free_names
from engine.formula import parse
from engine.shapes import UNIT, Dim, Dims, sizes, unnamed
from graphs.network import bind, built_in_names, load
from tests.helpers import model_of

TWO = unnamed(2)
M = Dim("m", 5, True)


def named(text: str, leaves: dict[str, Dims], dimensions: dict[str, int] | None = None, **more: bool) -> dict:
    found = distinct_names(parse(text), leaves, dimensions or {}, **more)
    assert {name: sizes(dims) for name, dims in found.items()} == {n: sizes(d) for n, d in leaves.items()}
    return {name: " ".join(dim.name for dim in dims) for name, dims in found.items()}


@pytest.mark.parametrize(
    ("text", "leaves", "wanted"),
    [
        (
            "h = sigmoid(W1 @ x + b1)\no = sigmoid(W2 @ h + b2)\nE = 0.5 * sum((t - o)**2)",
            {
                "x": (Dim("n", 2), UNIT),
                "t": (TWO, UNIT),
                "W1": (TWO, TWO),
                "b1": (TWO, UNIT),
                "W2": (TWO, TWO),
                "b2": (),
            },
            {"x": "n 1", "t": "p 1", "W1": "k n", "b1": "k 1", "W2": "p k", "b2": ""},
        ),
        ("L = sum(A.T @ B)", {"A": (TWO, TWO), "B": (TWO, TWO)}, {"A": "k p", "B": "k q"}),
        ("L = sum(A * B)", {"A": (TWO, TWO), "B": (TWO, UNIT)}, {"A": "k p", "B": "k 1"}),
        ("L = sum(sum(A, axis=0) * v)", {"A": (TWO, TWO), "v": (TWO,)}, {"A": "k p", "v": "p"}),
        (
            "s = sum(A, axis=1, keepdims=True)\nL = sum(s - B)",
            {"A": (TWO, TWO), "B": (TWO, TWO)},
            {"A": "k p", "B": "k q"},
        ),
        ("L = sum(max(A, B))", {"A": (TWO, TWO), "B": (TWO, TWO)}, {"A": "k p", "B": "k p"}),
        ("L = mse(A, B)", {"A": (TWO, TWO), "B": (TWO, TWO)}, {"A": "k p", "B": "k p"}),
        ("L = sum(W @ X)", {"W": (TWO, unnamed(5)), "X": (unnamed(5), M)}, {"W": "k p", "X": "p m"}),
        # what is lined up with the examples keeps its size for a name: it is not the data that it counts
        ("L = sum(E * X)", {"E": (TWO, unnamed(5)), "X": (TWO, M)}, {"E": "k 5", "X": "k m"}),
        ("k = sum(A)\nL = k * 2", {"A": (TWO, TWO)}, {"A": "p q"}),  # a line has that name
        ("L = a", {"a": ()}, {"a": ""}),
    ],
)
def test_what_is_lined_up_has_one_name_and_the_rest_has_others(text, leaves, wanted):
    assert named(text, leaves) == wanted


def test_names_that_are_given_stay_and_are_given_first():
    leaves = {"W": (TWO, Dim("n", 2)), "X": (Dim("n", 2), M), "V": (unnamed(3), TWO)}
    assert named("L = sum(V @ W @ X)", leaves, {"h": 2}) == {"W": "h n", "X": "n m", "V": "k h"}
    both = {"A": (Dim("h", 2), TWO), "B": (Dim("d", 2), TWO)}
    assert named("L = sum(A + B)", both) == {"A": "h k", "B": "d k"}


def test_where_only_known_names_are_wanted_the_rest_keeps_its_size():
    leaves = {"W": (TWO, Dim("n", 3)), "X": (unnamed(3), M), "V": (unnamed(4), TWO)}
    assert named("L = sum(V @ W @ X)", leaves, {"h": 2}, is_known=True) == {
        "W": "h n",
        "X": "n m",
        "V": "4 h",
    }


def test_where_shapes_do_not_fit_what_was_lined_up_before_holds():
    leaves = {"A": (TWO, TWO), "B": (TWO, TWO), "c": (unnamed(3), UNIT)}
    text = "P = A @ B\nQ = P + c\nL = sum(A + Q)"
    assert named(text, leaves) == {"A": "k p", "B": "p q", "c": "r 1"}
    assert named("L = sum(s @ A, axis=3) + sum(unknown @ A)", {"A": (TWO, TWO), "s": ()})["A"] == "k p"


@pytest.mark.parametrize("name", built_in_names())
def test_in_every_network_each_axis_has_a_name_and_each_name_one_size(name):
    model = bind(load(name))
    lengths = defaultdict(set)
    for node in model.graph.nodes:
        for dim in node.dims:
            lengths[dim.name].add(dim.size)
            assert dim.size == 1 or not dim.name.isdigit()
    assert all(len(found) == 1 for found in lengths.values())


def test_a_square_network_says_which_dimensions_cancel():
    square, data = np.eye(3), np.ones((3, 3))
    graph = model_of("L = sum(W2 @ (W1 @ X))", {"W1": square, "W2": square}, {"X": data}).graph
    assert [[dim.name for dim in graph[name].dims] for name in ("X", "W1", "W2")] == [
        ["n", "m"],
        ["p", "n"],
        ["k", "p"],
    ]


def test_free_names_never_end_and_skip_what_is_taken():
    names = free_names({"k", "q", "k2"})
    assert [next(names) for _ in range(8)] == ["p", "r", "d", "h", "p2", "q2", "r2", "d2"]


def test_the_longest_formula_is_named_in_no_time_and_a_longer_one_not_at_all():
    lines = ["Z1 = W1 @ X"] + [f"Z{i} = W{i} @ tanh(Z{i - 1})" for i in range(2, MOST_LINES)]
    leaves = {"X": (TWO, M)} | {f"W{i}": (TWO, TWO) for i in range(1, MOST_LINES)}
    statements = parse("\n".join([*lines, f"L = sum(Z{MOST_LINES - 1})"]))
    start = time.perf_counter()
    found = distinct_names(statements, leaves, {})
    assert time.perf_counter() - start < 1
    assert len({dim.name for dims in found.values() for dim in dims}) == MOST_LINES + 1
    assert distinct_names((*statements, *statements), leaves, {}) == leaves
