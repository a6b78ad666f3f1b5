"""The numbers put in: reading them back and working them out gives the result that is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from engine.derive import Derivation
from engine.errors import BackstepError
from engine.graph import Detail
from engine.substitute import number_latex, put_in
from engine.trace import Trace, trace
from graphs.network import Model
from tests.arithmetic import work_out
from tests.helpers import Sample, assert_well_formed, model_of, samples

X = [[0.5, -1.2, 2.0], [1.5, 0.3, -0.7]]
FORMULAS = {
    "residual": "Z = W @ X + b\nA = tanh(Z) + Z\nL = sum(A**2) / m",
    "difference": "Z = W @ X\nL = mean((y - (Z - b))**2)",
    "powers": "Z = W @ X + b\nL = sum((Z**2 + 1)**0.5) - sum(2**Z)",
    "quotient": "Z = W @ X\nq = Z / (1 + exp(-Z))\nL = 1/m * norm(q - y)**2",
    "extremes": "Z = W @ X + b\nA = max(Z, 0.1 * Z)\nL = sum(min(A, y))",
    "negative": "Z = -(W @ X) * -b\nL = -sum(-Z)",
    "losses": "Z = W @ X\ns = sum(Z, axis=0)\nL = mse(s, sum(y, axis=0)) - 2 * bce(s, sum(y, axis=0)) / 3",
    "classes": "Z = W @ X\nP = softmax(Z)\nL = cross_entropy(Z, y) + mse(b, 2) + bce(b, 1)",
    "reductions": "Z = W @ X\nM = max(Z, axis=1, keepdims=True)\nL = sum(M * norm(Z, axis=1, keepdims=True))",
    "scalars": "Z = W @ X\nL = b * sum(abs(Z)) + log(1 + b**2)",
}


def small(formula: str) -> Model:
    data = {"X": X, "y": [[1.0, 0.0, -1.0], [0.25, 2.0, 0.5]]}
    return model_of(formula, {"W": [[0.4, -0.9], [1.1, 0.2]], "b": -0.3}, data)


def numbers_of(found: Trace) -> dict[str, np.ndarray]:
    names = {node.name: array for node, array in zip(found.graph.nodes, found.arrays, strict=True)}
    gradients = {f"d_{step.target}": step.after for step in found.steps if step.phase in ("seed", "backward")}
    return {**names, **gradients}


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-0.56789, "-0.5679"),
        (12345.0, r"1.234 \cdot 10^{4}"),
        (1e-7, "10^{-7}"),
        (-1e13, "-10^{13}"),
        (1.00001e13, r"1.000 \cdot 10^{13}"),
        (-1.1e13, r"-1.1 \cdot 10^{13}"),
        (-2.5e300, r"-2.5 \cdot 10^{300}"),
        (np.nan, r"\text{nan}"),
        (np.inf, r"\infty"),
        (-np.inf, r"-\infty"),
    ],
)
def test_a_number_is_written_with_four_digits(x: float, text: str) -> None:
    assert number_latex(x) == text


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("in_full", [False, True])
def test_the_numbers_put_in_come_to_the_result(formula: str, detail: Detail, in_full: bool) -> None:
    model = small(formula)
    found = trace(model.graph, model.leaves, detail)
    derivation = Derivation(model.graph, detail)
    numbers = numbers_of(found)
    for step in found.steps:
        if step.phase == "forward":
            expr, result = derivation.right_side(step.node), step.after
        elif step.contribution is not None and step.slot is not None:
            expr, result = derivation.contribution(step.node, step.slot).expr, step.contribution
        else:
            continue
        for index in np.ndindex(result.shape):
            text = put_in(expr, numbers, index, in_full)
            if r"\ldots" in text:
                continue
            value, bound = work_out(text)
            assert abs(value - result[index]) <= bound + 1e-3 * abs(result[index]) + 1e-12, f"{step}: {text}"


@given(samples(largest=3))
def test_any_formula_has_numbers_to_put_in(sample: Sample) -> None:
    model = model_of(*sample)
    found = trace(model.graph, model.leaves, Detail.PRIMITIVE)
    derivation = Derivation(model.graph, Detail.PRIMITIVE)
    numbers = numbers_of(found)
    for step in found.steps:
        try:
            if step.contribution is not None and step.slot is not None:
                expr, shape = derivation.contribution(step.node, step.slot).expr, step.contribution.shape
            elif step.phase == "forward":
                expr, shape = derivation.right_side(step.node), step.after.shape
            else:
                continue
        except BackstepError:
            continue
        for in_full in (False, True):
            assert_well_formed(put_in(expr, numbers, tuple(size - 1 for size in shape), in_full))


def test_the_first_term_is_written_down_to_the_numbers_that_it_is_made_of() -> None:
    model = model_of(
        "o = sigmoid(W @ h)\nE = 1/2 * norm(t - o)**2",
        {"W": [[0.5, 0.25], [1.0, 2.0]]},
        {"h": [[1.0, 2.0], [0.0, 4.0]], "t": [[0.0, 1.0], [1.0, 0.0]]},
    )
    found = trace(model.graph, model.leaves)
    derivation = Derivation(model.graph)
    step = next(s for s in found.steps if s.input == "W")
    expr = derivation.contribution(step.node, int(step.slot or 0)).expr
    text = put_in(expr, numbers_of(found), (0, 0), in_full=True)
    assert text == r"(0.6225 \cdot 0.6225 \cdot (1 - 0.6225)) \cdot 1 + (-0.01252) \cdot 2"
    assert put_in(expr, numbers_of(found), (0, 0)) == r"0.1463 \cdot 1 + (-0.01252) \cdot 2"


def test_a_long_series_is_cut_short_and_counted() -> None:
    model = model_of("L = sum(w * x)", {"w": 2.0}, {"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    derivation = Derivation(model.graph, Detail.PRIMITIVE)
    found = trace(model.graph, model.leaves, Detail.PRIMITIVE)
    step = next(s for s in found.steps if s.input == "w")
    text = put_in(derivation.contribution(step.node, int(step.slot or 0)).expr, numbers_of(found), ())
    assert text.endswith(r"\ldots\;\text{(6 terms)}")


LONG = {"w": 0.1}, {"x": [[1, 2, 3, 4, 5, 6, 7, 8]], "y": [[0, 1, 0, 1, 1, 0, 1, 0]]}
CLASSES = (
    {"w": 0.1},
    {
        "x": [[1, 2, 3, 4, 5], [2, 1, 0, 1, 2]],
        "y": [[1, 0, 0, 1, 0], [0, 1, 1, 0, 1]],
    },
)


@pytest.mark.parametrize(
    ("formula", "numbers", "text"),
    [
        (
            "L = mse(w * x, y)",
            LONG,
            r"\frac{1}{8} \cdot (0.01000 + 0.6400 + 0.09000 + \ldots\;\text{(8 terms)})",
        ),
        (
            "L = bce(w * x, y)",
            LONG,
            r"\frac{1}{8} \cdot (0.7444 + 0.5981 + 0.8544 + \ldots\;\text{(8 terms)})",
        ),
        (
            "L = cross_entropy(w * x, y)",
            CLASSES,
            r"-\frac{1}{5} \cdot (-0.7444 - 0.7444 - 0.8544 + \ldots\;\text{(5 terms)})",
        ),
        ("L = sum(sum(w * x, axis=0))", CLASSES, r"\mathrm{sum}(0.3,\; 0.3,\; 0.3,\; \ldots)"),
        ("L = mean(max(w * x, keepdims=True))", CLASSES, r"\mathrm{mean}(0.5)"),
    ],
)
def test_a_loss_of_many_entries_has_its_first_numbers_put_in(
    formula: str, numbers: tuple[dict, dict], text: str
) -> None:
    model = model_of(formula, *numbers)
    found = trace(model.graph, model.leaves)
    shown = put_in(Derivation(model.graph).right_side("L"), numbers_of(found), ())
    assert shown.replace("0.3000", "0.3") == text


def test_entries_of_reductions_and_shares_show_what_they_are_made_of() -> None:
    model = model_of("P = softmax(w * x)\nM = max(w * x, axis=1)\nL = sum(P) + sum(M)", *CLASSES)
    numbers, derivation = numbers_of(trace(model.graph, model.leaves)), Derivation(model.graph)
    assert put_in(derivation.right_side("P"), numbers, (1, 0)) == r"\frac{e^{0.2}}{e^{0.1} + e^{0.2}}"
    assert put_in(derivation.right_side("M"), numbers, (1,)) == r"\max(0.2,\; 0.1,\; 0,\; \ldots)"


def test_sizes_that_are_multiplied_have_a_sign_between_them() -> None:
    model = model_of("S = w * x\nL = mean(S * S)", {"w": [[1.0], [2.0]]}, {"x": [1.0, 2.0]})
    derivation = Derivation(model.graph)
    text = put_in(derivation.contribution("L", 0).expr, numbers_of(trace(model.graph, model.leaves)), (0, 0))
    assert text == r"\frac{1}{2 \cdot 2} \cdot 1"


def test_not_a_number_is_said_as_such() -> None:
    model = model_of("z = log(w)\nL = z * 2", {"w": -1.0})
    found = trace(model.graph, model.leaves)
    right = Derivation(model.graph).right_side("L")
    assert r"\text{nan}" in put_in(right, numbers_of(found), ())


def test_zero_never_has_a_minus() -> None:
    model = model_of("z = -w * x\nL = -w + z", {"w": 0.0}, {"x": 2.0})
    derivation = Derivation(model.graph)
    numbers = numbers_of(trace(model.graph, model.leaves))
    assert put_in(derivation.right_side("z"), numbers, ()) == r"0 \cdot 2"
    assert put_in(derivation.right_side("L"), numbers, ()) == "0 + 0"
