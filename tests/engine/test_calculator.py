"""Typed expressions: every notation comes to the same numbers, and nothing that is typed is a defect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphs
from engine.calculator import MAX_CHARACTERS, evaluate, read
from engine.derive import Derivation
from engine.errors import FormulaError
from engine.ops import OPS
from engine.trace import Trace, trace
from graphs.documents.text import equation_text
from graphs.network import bind, built_in_names, load
from tests.helpers import Sample, built, samples

TEMPLATES = sorted(str(p) for p in (Path(graphs.__file__).parent / "templates").glob("*.toml"))
RNG = np.random.default_rng(1)
NAMES = {
    "A": RNG.uniform(0.1, 0.9, (3, 4)),
    "Z": RNG.normal(size=(3, 4)),
    "W1": RNG.normal(size=(3, 2)),
    "X": RNG.normal(size=(2, 4)),
    "w2": RNG.normal(size=(1, 3)),
    "yhat": RNG.normal(size=(1, 4)),
    "y": RNG.normal(size=(1, 4)),
    "alpha": np.asarray(0.3),
    "b": np.asarray(-1.5),
    "m": np.asarray(4.0),
    "d_Z": RNG.normal(size=(3, 4)),
    "d_W1": RNG.normal(size=(3, 2)),
    "d_L/d_W1": RNG.normal(size=(3, 2)),
    "d_A/d_Z": RNG.normal(size=(3, 4)),
}
A, Z, W1, X, W2, YHAT, Y = (NAMES[name] for name in ("A", "Z", "W1", "X", "w2", "yhat", "y"))
SIGMA = 1 / (1 + np.exp(-Z))

NOTATIONS = {
    "A*(1-A)": A * (1 - A),
    "A ⊙ (1 − A)": A * (1 - A),
    "A∘(1-A)": A * (1 - A),
    "sigmoid(Z)*(1-sigmoid(Z))": SIGMA * (1 - SIGMA),
    "σ(Z)(1 − σ(Z))": None,  # a matrix product of what does not fit
    "σ(Z)⊙(1 − σ(Z))": SIGMA * (1 - SIGMA),
    "σ'(Z)": SIGMA * (1 - SIGMA),
    "sigmoid′(Z)": SIGMA * (1 - SIGMA),
    "relu'(Z)": (Z > 0) * 1.0,
    "1[Z > 0]": (Z > 0) * 1.0,
    "(Z >= 0) * 2": (Z >= 0) * 2.0,
    "tanh'(Z)": 1 - np.tanh(Z) ** 2,
    "2/m (ŷ − y) · Aᵀ": 2 / 4 * (YHAT - Y) @ A.T,
    "2/m*(yhat-y)@A.T": 2 / 4 * (YHAT - Y) @ A.T,
    "2/m (y_hat - y) A^T": 2 / 4 * (YHAT - Y) @ A.T,
    "2(ŷ-y)A'/m": 2 / 4 * (YHAT - Y) @ A.T,
    "(2/m) × (ŷ − y) A⊤": 2 / 4 * (YHAT - Y) @ A.T,
    "np.dot(2/m*(yhat-y), A.T)": 2 / 4 * (YHAT - Y) @ A.T,
    "(yhat-y).dot(A.T) * 2 / m": 2 / 4 * (YHAT - Y) @ A.T,
    "w2ᵀ (ŷ − y) ⊙ A": (W2.T @ (YHAT - Y)) * A,
    "dW1": NAMES["d_W1"],
    "d_W1": NAMES["d_W1"],
    "dW_1": NAMES["d_W1"],
    "dL/dW1": NAMES["d_L/d_W1"],
    "∂L/∂W₁": NAMES["d_L/d_W1"],
    "∂L / ∂W1": NAMES["d_L/d_W1"],
    "∂A/∂Z ⊙ A": NAMES["d_A/d_Z"] * A,
    "W₁[0, 1]": W1[0, 1],
    "W1[-1,0] + 1": W1[-1, 0] + 1,
    "X[0]": X[0],
    "X[:, 1]": X[:, 1],
    "W1X": W1 @ X,
    "W1 X + b": W1 @ X - 1.5,
    "∂L/∂b = (ŷ − y)1⃗": (YHAT - Y).sum(axis=1, keepdims=True),
    "1⃗ᵀ A": A.sum(axis=0, keepdims=True),
    "np.sum(dZ, axis=1, keepdims=True)": NAMES["d_Z"].sum(axis=1, keepdims=True),
    "dZ.sum(axis=1)": NAMES["d_Z"].sum(axis=1),
    "A²": A**2,
    "A^2": A**2,
    "A**2": A**2,
    "A⁻¹": 1 / A,
    "-alpha²": np.asarray(-0.09),
    "−α^2": np.asarray(-0.09),
    "½ α": np.asarray(0.15),
    "3 m": np.asarray(12.0),
    "|b|": np.asarray(1.5),
    "||ŷ − y||²": np.sum((YHAT - Y) ** 2),
    "‖ŷ − y‖^2 / m": np.sum((YHAT - Y) ** 2) / 4,
    "√m": np.asarray(2.0),
    "ln(m)": np.log(4),
    "25 %": np.asarray(0.25),
    "e^b": np.exp(-1.5),
    "2π": np.asarray(2 * np.pi),
    "Σ(A)": A.sum(),
    "max(Z, 0)": np.maximum(Z, 0),
}


@pytest.mark.parametrize("text", [text for text, value in NOTATIONS.items() if value is not None])
def test_every_notation_comes_to_the_same_numbers(text: str) -> None:
    np.testing.assert_allclose(evaluate(text, NAMES), NOTATIONS[text], rtol=1e-14)


ERRORS = {
    "": (1, "nothing to read"),
    "Q + 1": (1, "Q is not known here"),
    "A + wl": (5, "wl is not known"),
    "A @ X": (3, "do not fit for @"),
    "A X": (3, "do not fit for @"),
    "A * X": (3, "do not fit together"),
    "σ(Z)(1 − σ(Z))": (5, "do not fit for @"),
    "W1[3, 0]": (3, "no place 3"),
    "W1[0, 0, 0]": (3, "3 places"),
    "W1[a]": (4, "no index"),
    "A[0": (4, "cannot stand in an index"),
    "(A": (1, "not closed"),
    "A)": (2, "cannot stand here"),
    "sigmoid": (1, "is a function"),
    "softmax'(Z)": (1, "no derivative entry by entry"),
    "foo(A)": (1, "no function foo"),
    "0.5 0.3": (5, "cannot stand here"),
    "∂A/∂W1": (1, "not known here"),
    "A.shape": (3, "cannot be read"),
    "A ; Z": (3, "cannot be read"),
    "__import__('os')": (1, "no function"),
    "np.load(A)": (4, "cannot be read"),
    "A = Z = 2": (7, "cannot stand here"),
    "1⃗ᵀ1⃗": (4, "cannot be told"),
    "σ' + 1": (2, "taken at"),
    "1[A]": (1, "comparison is missing"),
}


@pytest.mark.parametrize("text", ERRORS)
def test_what_cannot_be_read_is_said_with_its_column(text: str) -> None:
    with pytest.raises(FormulaError) as caught:
        evaluate(text, NAMES)
    column, what = ERRORS[text]
    assert (caught.value.column, caught.value.line) == (column, 1), str(caught.value)
    assert what in caught.value.what


def test_work_is_bounded() -> None:
    names = {"x": np.ones((1, 3000)), "d_x": np.ones((1, 3000))}
    for text in ("x.T @ x", "x.T * x", "x.T + d_x", "1[x.T > x]"):
        with pytest.raises(FormulaError, match="would have the shape"):
            evaluate(text, names)
    with pytest.raises(FormulaError, match="longer than"):
        read("x+" * MAX_CHARACTERS, names)
    with pytest.raises(FormulaError, match="levels deep"):
        read("(" * 500 + "x", names)
    with pytest.raises(FormulaError, match="levels deep"):
        read("√" * 500 + "x", names)
    with pytest.raises(FormulaError, match="levels deep"):
        read("|" * 501 + "x", names)


def test_a_name_may_be_split_only_where_there_is_one_way() -> None:
    assert [item.text for item in read("wx", ["w", "x"])] == ["w", "x", "·"]
    with pytest.raises(FormulaError):
        read("abc", ["a", "bc", "ab", "c"])
    assert [item.text for item in read("dw", ["d", "w", "d_w"])] == ["d_w"]  # a gradient before a product


def test_names_of_the_network_come_before_functions_and_constants() -> None:
    names = {"e": np.asarray(3.0), "sigma": np.asarray(2.0), "x": np.asarray(4.0)}
    assert float(evaluate("e x", names)) == 12.0
    assert float(evaluate("sigma(x + 1)", names)) == 10.0


# --- what is printed can be typed --------------------------------------------------------------------------


def known(found: Trace, examples: int) -> dict[str, np.ndarray]:
    loss = found.graph.loss
    gradients = {f"d_{name}": array for name, array in found.gradients.items()}
    gradients |= {f"d_{loss}/d_{name}": array for name, array in found.gradients.items()}
    sizes = {d.name: np.asarray(float(d.size)) for node in found.graph.nodes for d in node.dims}
    return {**sizes, "m": np.asarray(float(examples)), **gradients, **found.values}


@pytest.mark.parametrize("network", [*built_in_names(), *TEMPLATES])
def test_every_gradient_that_is_printed_can_be_typed(network: str) -> None:
    model = bind(load(network))
    found = trace(model.graph, model.leaves)
    derivation, names = Derivation(model.graph), known(found, model.examples)
    for name in derivation.gradients:
        text = equation_text(derivation.gradient(name), model.graph.loss)
        if "log_softmax" in text:  # the gradient of a target, which no formula can write
            continue
        wanted = found.gradients[name]
        value = evaluate(text, names, wanted.shape)
        assert value.size == wanted.size or text == "0", text  # what the loss does not depend on
        np.testing.assert_allclose(
            np.broadcast_to(value.reshape(wanted.shape if value.size > 1 else ()), wanted.shape),
            wanted,
            rtol=1e-9,
            atol=1e-12,
        )


@given(samples())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_formula_can_be_typed(sample: Sample) -> None:
    model = built(sample)
    if model is None:
        return
    found = trace(model.graph, model.leaves)
    names = known(found, model.examples)
    for line in sample.formula.split("\n"):
        name, _, right = line.partition(" = ")
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                evaluate(right, names), found.values[name], rtol=1e-9, atol=1e-12, err_msg=right
            )


_PIECES = st.sampled_from(
    (
        *(
            *NAMES,
            *"()[],.:|‖'+-*/@^=<>%²ᵀ½√∑∂",
            "**",
            "1⃗",
            "1[",
            " ",
            "0",
            "1",
            "2.5",
            "1e9",
            ".T",
            "σ",
            "np.",
        ),
        *("sum(", "axis=1", "sigmoid(", "ŷ", "W₁", "dL/d", "∂L/∂", "max(", "exp(", "\u0302", "٣", "𝟙["),
    )
)


@given(st.lists(_PIECES, max_size=14).map("".join) | st.text(max_size=30))
@settings(max_examples=600, deadline=None)
def test_whatever_is_typed_is_a_value_or_one_sentence(text: str) -> None:
    error, value = None, None
    try:
        value = evaluate(text, NAMES, (3, 4))
    except FormulaError as caught:
        error = caught
    if error is None:
        assert isinstance(value, np.ndarray)
        assert value.dtype == float
    else:
        assert 1 <= error.column <= len(text) + 2
        assert error.what
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "name", [n for n, op in OPS.items() if op.elementwise and op.arity == (1, 1) and op.latex]
)
def test_the_derivative_of_every_function_is_its_slope(name: str) -> None:
    x = np.array([[0.3, 1.7, 0.9]])
    step = 1e-6
    slope = (evaluate(f"{name}(x)", {"x": x + step}) - evaluate(f"{name}(x)", {"x": x - step})) / (2 * step)
    np.testing.assert_allclose(evaluate(f"{name}'(x)", {"x": x}), slope, rtol=1e-8)
