"""The formula language: what it takes, and what it says about everything else."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FormulaError
from engine.formula import FUNCTIONS, MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, identifiers, parse
from engine.ops import OPS
from engine.trace import trace
from tests.helpers import model_of

PARAMETERS: dict[str, Any] = {
    "a": 2.0,
    "b": [[0.5], [1.5]],
    "w": [[1.0, 2.0]],
    "W": [[1.0, 2.0], [3.0, 4.0]],
    "v": [[1.0], [2.0], [3.0]],  # as many features as there are examples
}
DATA = {"X": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "y": [[1.0, 0.0, 1.0]]}


def value_of(formula: str) -> Any:
    model = model_of(f"r = {formula}\nL = sum(r)", PARAMETERS, DATA)
    return trace(model.graph, model.leaves).values["r"]


X, W, B, Y = (np.array(t) for t in (DATA["X"], PARAMETERS["W"], PARAMETERS["b"], DATA["y"]))
VALUES = [
    ("1 + 2 * 3", 7.0),
    ("2 ** 3 ** 2", 512.0),
    ("-2 ** 2", -4.0),
    ("(-2) ** 2", 4.0),
    ("2 ** -1", 0.5),
    ("a - 1 - 1", 0.0),
    ("a / 2 / 2", 0.5),
    ("--a", 2.0),
    ("+a", 2.0),
    ("1_000 * a", 2000.0),
    (".5 * a", 1.0),
    ("1e-3 * a", 0.002),
    ("m * a", 6.0),
    ("1 / m * norm(y)**2", 2.0 / 3.0),
    ("W @ X + b", W @ X + B),
    ("(W @ X).T", (W @ X).T),
    ("X.T.T", X),
    ("sum(X)", 21.0),
    ("sum(X, axis=0)", X.sum(axis=0)),
    ("sum(X, axis=-1, keepdims=True)", X.sum(axis=1, keepdims=True)),
    ("sum(X, axis=None)", 21.0),
    ("mean(X, keepdims=True)", np.array([[3.5]])),
    ("norm(X)", np.linalg.norm(X)),
    ("norm(X)**2", np.sum(X**2)),
    ("norm(X, axis=0)**2", np.sum(X**2, axis=0)),
    ("max(X)", 6.0),
    ("max(X, 3)", np.maximum(X, 3)),
    ("min(X, axis=1)", X.min(axis=1)),
    ("min(X, y)", np.minimum(X, Y)),
    ("softmax(X)", np.exp(X) / np.exp(X).sum(axis=0)),
    ("softmax(X, axis=1)", np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)),
    ("mse(y, 0 * y)", 2.0 / 3.0),
    ("bce(0 * y, y)", np.log(2.0)),
    ("cross_entropy(0 * X, X / 21)", np.log(2.0) / 3.0),
    ("sigmoid(0 * a)", 0.5),
    ("relu(X - 3)", np.maximum(X - 3, 0)),
    ("b * y", B * Y),
]


@pytest.mark.parametrize(("formula", "expected"), VALUES)
def test_formulas_mean_what_numpy_means(formula: str, expected: Any) -> None:
    found = value_of(formula)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_operation(name: str) -> None:
    assert name in OPS


def test_lines_may_run_on_inside_parentheses_and_bear_comments() -> None:
    text = "# a network\nz = (a +   # first\n  1); q = z\r\nL = (\n q\n *\n 2)\n\n"
    statements = parse(text)
    assert [(s.name, s.line, s.column) for s in statements] == [("z", 2, 1), ("q", 3, 7), ("L", 4, 1)]
    assert statements[0].text == "z = (a +"
    model = model_of(text, {"a": 2.0})
    assert trace(model.graph, model.leaves).loss == 6.0


def test_names_are_normalised_as_python_does() -> None:
    model = model_of("z₁ = ŵ * 2\nL = z1", {"ŵ": 2.0})
    assert trace(model.graph, model.leaves).loss == 4.0


def test_identifiers_are_what_must_come_from_outside() -> None:
    assert identifiers(parse("z = w * x + z0\nz0 = z\nL = z0 + m")) == ["w", "x", "z0", "m"]


def test_a_name_assigned_again_is_numbered_and_noticed() -> None:
    model = model_of("y = a\ny = y * 2\ny = y + 1\nL = y", {"a": 2.0})
    assert [line.name for line in model.graph.lines] == ["y", "y_2", "y_3", "L"]
    assert "Line 2 assigns y again; from there on it is called y_2." in model.notices
    assert trace(model.graph, model.leaves).loss == 5.0


def test_many_names_assigned_again_give_few_notices() -> None:
    model = model_of("y = a\n" + "y = y + 1\n" * 50 + "L = y", {"a": 2.0})
    assert len(model.notices) < 8


def test_m_may_be_a_name_of_its_own() -> None:
    model = model_of("L = sum(m * X)", {"m": 10.0}, {"X": [[1.0, 2.0, 3.0]]})
    assert trace(model.graph, model.leaves).loss == 60.0
    model = model_of("m = 7 * a\nL = m", {"a": 1.0}, {"X": [[1.0, 2.0, 3.0]]})
    assert trace(model.graph, model.leaves).loss == 7.0


# --- errors ------------------------------------------------------------------------------------------------

ERRORS = [
    # formula, line, column, what, how
    ("", 1, 1, "the formula is empty", "Write a line"),
    ("  # only a comment\n", 1, 1, "the formula is empty", "Write a line"),
    ("L = a ^ 2", 1, 7, "character '^' is not part", "Write ** for a power."),
    ("z = a\nL = z × 2", 2, 7, "character '×'", "Write * or @"),
    ("L = a²", 1, 6, "character '²' is not part", "Write ** for a power."),
    ("z = 1\nL = zᵀ", 2, 6, "character 'ᵀ' is not part", "Write .T"),
    ("L = X'", 1, 6, 'character "\'"', "Write .T"),
    ("L = [1, 2]", 1, 5, "character '['", "[parameters] or [data]"),
    ("L = {a}", 1, 5, "character '{'", "Use parentheses."),
    ("L = |a|", 1, 5, "character '|'", "norm(...) or abs(...)"),
    (r"L = \alpha", 1, 5, "character", "without a backslash"),
    ("L = a < 2", 1, 7, "character '<'", "Comparisons"),
    ("L = a − 1", 1, 7, "character", "Write - for minus."),
    ("L = a ? 1", 1, 7, "character '?'", "README"),
    ("L = a\0", 1, 6, "character", "README"),
    ("2 = a", 1, 1, "a line starts with a name, not with '2'", "NAME = formula"),
    ("a + 1", 1, 3, "after a comes =, not '+'", "NAME = formula"),
    ("L", 1, 2, "after L comes =, not the end of the line", "NAME = formula"),
    ("L == a", 1, 3, "after L comes =, not '=='", "NAME = formula"),
    ("L = a = b", 1, 7, "'=' cannot stand here", "one ="),
    ("L = a b", 1, 7, "'b' cannot stand here", "* or @"),
    ("L = 2a", 1, 6, "'a' cannot stand here", "* or @"),
    ("L = a)", 1, 6, "')' cannot stand here", ") too many"),
    ("L = a, b", 1, 6, "',' cannot stand here", ""),
    ("L = 3,5*w", 1, 6, "',' cannot stand here", "Decimals have a point: write 3.5."),
    ("L = (3,5*w)", 1, 7, "',' cannot stand here", "Decimals have a point: write 3.5."),
    ("h = (W @ x + b1)o = h", 1, 17, "'o' cannot stand here", "Begin a new line before o, or write *"),
    (
        "L = [[1, 2]]",
        1,
        5,
        "'[' is not part",
        "in the field beside the formula, or in a file under [parameters]",
    ),
    ("a = 1\nsum(w)  # all", 2, 1, "sum is a function, and its value has no name", "Write L = sum(w)."),
    ("L = ", 1, 5, "a value is missing before the end of the line", "Put a name"),
    ("L = a +", 1, 8, "a value is missing before the end of the line", "Put a name"),
    ("L = * a", 1, 5, "a value is missing before '*'", "Put a name"),
    ("L = (a + 1", 1, 5, "the parenthesis is not closed before the end", "Add a )."),
    ("y = w * (x + b\nL = y", 1, 9, "the parenthesis is not closed before line 2", "Add a )."),
    ("L = (a b)", 1, 8, "'b' cannot stand here", "Write * or @ between two factors."),
    ("L = sin", 1, 5, "sin is a function", "Write sin(...)."),
    ("L = foo(a)", 1, 5, "there is no function foo", "There are:"),
    ("L = sigmoyd(a)", 1, 5, "there is no function sigmoyd", "Did you mean sigmoid?"),
    ("L = np.exp(a)", 1, 5, "np. is not part", "Write exp(x), not np.exp(x)."),
    ("L = a.real", 1, 7, ".real is not part", "Only .T"),
    ("L = a.__class__", 1, 7, ".__class__ is not part", "Only .T"),
    ("L = sin(a, a)", 1, 5, "sin takes 1 argument, not 2", ""),
    ("L = sum(X, 0)", 1, 5, "sum takes 1 argument, not 2", "Name the axis: axis=0."),
    ("L = max(a, a, a)", 1, 5, "max takes 1 or 2 arguments, not 3", "axis"),
    ("L = mse(a)", 1, 5, "mse takes 2 arguments, not 1", ""),
    ("L = sum()", 1, 5, "sum takes 1 argument, not 0", ""),
    ("L = sin(a, axis=0)", 1, 12, "sin has no option axis", "Reductions take"),
    ("L = softmax(X, keepdims=True)", 1, 16, "softmax has no option keepdims", "softmax takes axis="),
    ("L = sum(X, axes=0)", 1, 12, "sum has no option axes", "Reductions take"),
    ("L = sum(X, axis=a)", 1, 17, "axis= takes 0, 1 or None, not 'a'", ""),
    ("L = sum(X, axis=1.5)", 1, 17, "axis= takes 0, 1 or None, not '1.5'", ""),
    ("L = sum(X, keepdims=2)", 1, 21, "keepdims= takes True or False, not '2'", ""),
    ("L = sum(axis=0, X)", 1, 17, "a value cannot follow a keyword", "Put axis= last."),
    ("L = max(X, y, axis=0)", 1, 5, "max of two values takes no axis=", "axis of one value"),
    ("L = sum(X, axis=2)", 1, 5, "axis=2 does not exist: the shape is (2, 3)", "Rows are axis=0"),
    ("L = sum(a, axis=0)", 1, 5, "axis=0 does not exist: the shape is ()", "leave axis= out"),
    ("L = softmax(a)", 1, 5, "softmax needs a vector or a matrix", "Use sigmoid"),
    ("sin = a", 1, 1, "sin is a function and cannot name a line", "sin_"),
    ("lambda = a", 1, 1, "lambda is a word of Python", "lam"),
    ("np = a", 1, 1, "np is the name of NumPy", "np_"),
    ("L = 1e999 * a", 1, 5, "the number 1e999 is too large", "1.8e308"),
    ("L = a * (1 / 0)", 1, 12, "this constant is not a finite number", "divided by zero"),
    ("L = a * (1 / (m - 3))", 1, 12, "this constant is not a finite number", "divided by zero"),
    ("L = a * 10**400", 1, 11, "this constant is not a finite number", "largest float"),
    ("L = alpha", 1, 5, "alpha is not defined", "[parameters] or [data]"),
    ("L = Q * a", 1, 5, "Q is not defined", "[parameters] or [data]"),
    ("L = L + a", 1, 5, "L is used in its own line before it has a value", "[parameters]"),
    ("L = z\nz = a", 1, 5, "z is used before its line", "Move the line of z up"),
    (
        "z = X + y.T\nL = sum(z)",
        1,
        7,
        "X: the shapes (2, 3) and (3, 1) do not fit",
        "Transpose one of them with .T.",
    ),
    ("z = X + W\nL = sum(z)", 1, 7, "X and W: the shapes (2, 3) and (2, 2) do not fit", "equal, or 1"),
    ("z = X + X.T\nL = sum(z)", 1, 7, "X: the shapes (2, 3) and (3, 2) do not fit", "Transpose"),
    (
        "z = X @ W\nL = sum(z)",
        1,
        7,
        "(2, 3) and (2, 2) do not fit for @: 3 columns meet 2 rows",
        "Transpose the left",
    ),
    ("z = a @ X\nL = sum(z)", 1, 7, "one side is a scalar", "Write *"),
    ("L = X", 1, 1, "the loss L has the shape (2, 3); a loss is a scalar", "sum(...)"),
    ("d_a = a\nL = a", 1, 1, "the name d_a is kept for the gradient of a", "another name"),
    (
        "L = mse(y, X)",
        1,
        5,
        "mse compares entry by entry, but the shapes are (1, 3) and (2, 3)",
        "same shape",
    ),
    (
        "L = cross_entropy(sum(X, axis=0), sum(y, axis=0))",
        1,
        5,
        "takes a matrix with a row for each class",
        "bce",
    ),
]


@pytest.mark.parametrize(
    ("formula", "line", "column", "what", "how"), ERRORS, ids=[e[0][:40] for e in ERRORS]
)
def test_errors_say_what_where_and_how_to_mend_it(
    formula: str, line: int, column: int, what: str, how: str
) -> None:
    with pytest.raises(FormulaError) as caught:
        model_of(formula, PARAMETERS, DATA)
    error = caught.value
    assert what in error.what
    assert how in error.how
    assert (error.line, error.column) == (line, column), str(error)
    assert str(error).startswith(f"line {line}, column {column}: ")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "formula",
    [
        "L = norm(y - t)**2",  # (1, m) - (m, 1): an outer difference nobody wants
        "L = norm(t - y)**2",
        "Z = X + r\nL = sum(Z)",  # (2, m) + (1, k) with k == m: the bias lies along the examples
        "Z = r + X\nL = sum(Z)",
        "L = norm(y + y.T)**2",
        "L = sum(max(y, t))",
    ],
)
def test_examples_never_meet_features_silently(formula: str) -> None:
    """Yhat (1, m) - y (m, 1) gives an (m, m) matrix in NumPy, and a wrong gradient without a word."""
    parameters = {"t": [[1.0], [2.0], [3.0]], "r": [[1.0, 2.0, 3.0]]}
    data = {"X": DATA["X"], "y": DATA["y"]}
    if "t" in formula:
        data["t"] = parameters.pop("t")
    with pytest.raises(FormulaError, match=r"line 1, column \d+: .*\(\d, \d\) and \(\d, \d\)") as caught:
        model_of(formula, parameters, data)
    assert "examples" in caught.value.what


@pytest.mark.parametrize(
    "formula",
    [
        "L = sum(b * y)",
        "L = sum(b + y)",
        "L = sum(b @ y)",
        "L = sum(X * b + y)",
        "L = sum(X - mean(X, axis=0))",
    ],
)
def test_outer_sums_of_features_and_examples_are_allowed(formula: str) -> None:
    model = model_of(formula, PARAMETERS, DATA)
    assert np.isfinite(trace(model.graph, model.leaves).loss)


# --- any text, any length ----------------------------------------------------------------------------------

_WORDS = [*FUNCTIONS, *"abwWXyLm", "axis", "keepdims", "None", "True", "0", "1", "2.5", "1e5", "zhat", "T"]
_SIGNS = [*"+-*/@()=,.;\n\t #", "**", "==", ".T", "axis=", "\r\n", "^", "\0", "é", "𝑥", "٣", "\u2028", "_"]


@given(st.text(max_size=80) | st.lists(st.sampled_from([*_WORDS, *_SIGNS]), max_size=40).map("".join))
def test_any_text_gives_a_network_or_a_formula_error(text: str) -> None:
    for formula in (text, f"L = {text}"):
        error = _try_to_build(formula)
        assert error is None or (error.line >= 1 and error.column >= 1 and len(str(error)) < 1000)


M = MAX_CHARACTERS
HUGE = {
    "too long": "a" * (M + 1),
    "parentheses": "L = " + "(" * (M - 9),
    "calls": "L = " + "sin(" * (M // 5),
    "signs": "L = " + "-" * (M - 9) + "a",
    "powers": "L = " + "a**" * (M // 4) + "a",
    "transposes": "L = a" + ".T" * (M // 3),
    "digits": "L = " + "9" * (M - 9),
    "fraction": "L = 0." + "3" * (M - 9),
    "tower": "L = a * 9**9**9**9",
    "tiny": "L = a * 1e-99999999999",
    "tiny power": "L = a * 2**-9e99",
    "constants": "L = a * (" + "1+" * (M // 3) + "1)",
    "sizes": "L = a * (((m**64)**64)**64)**64",
    "one long sum": "L = a" + "+a" * (M // 3),
    "name": "L = " + "x" * (M - 9),
    "name of a line": "x" * (M - 9) + " = a",
    "newlines": "\n" * M,
    "comments": "# x\n" * (M // 5),
    "lines": "".join(f"v{i} = a\n" for i in range(60_000)),
    "one name": "y = a\n" + "y = y + 1\n" * (M // 11),
    "commas": "L = sum(" + "a," * (M // 3) + ")",
    "axis": "L = sum(a, axis=" + "9" * (M // 2) + ")",
    "equals": "=" * M,
    "nul": "\0" * M,
    "words": "L = " + "a " * (M // 3),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_megabyte_of_anything_gives_an_answer_or_an_error(name: str) -> None:
    started = time.process_time()
    error = _try_to_build(HUGE[name])
    assert error is None or len(str(error)) < 400
    assert time.process_time() - started < 30  # it takes one or two; what is not bounded takes for ever


@pytest.mark.parametrize("name", ["parentheses", "digits", "tiny", "tower", "sizes", "words", "nul"])
def test_a_megabyte_does_not_become_many(name: str) -> None:
    tracemalloc.start()
    try:
        _try_to_build(HUGE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * 2**20


def _try_to_build(formula: str) -> FormulaError | None:
    """Return what is wrong with `formula`; where nothing is, trace its network."""
    try:
        model = model_of(formula, PARAMETERS, DATA)
    except FormulaError as error:
        return error
    trace(model.graph, model.leaves)
    return None


def test_the_limits_themselves_are_within_reach() -> None:
    deep = "L = " + "(" * (MAX_DEPTH - 1) + "a" + ")" * (MAX_DEPTH - 1)
    assert len(model_of(deep, {"a": 1.0}).graph.lines) == 1
    many = "y = a\n" + "y = y + a\n" * 20_000 + "L = y"
    assert len(model_of(many, {"a": 1.0}).graph.nodes) < MAX_NODES
