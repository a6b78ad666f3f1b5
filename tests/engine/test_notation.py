"""What is printed means what was written: source and LaTeX are read back by readers of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import expr as ex
from engine.derive import Derivation
from engine.errors import FormulaError
from engine.notation import const_latex, latex, source
from engine.trace import trace
from tests.helpers import assert_well_formed, model_of, run

SCALARS = {"a": 1.3, "b": -0.7, "c": 2.1, "d": 0.4}


class LatexReader:
    r"""Works out the number that LaTeX stands for, by the rules by which people read it.

    Juxtaposed factors multiply, a sign binds less tightly than a product, an exponent more tightly than both.
    """

    _TOKENS = re.compile(r"\\mathcal\{L\}|\\[a-z]+|\d+\.?\d*|[a-zA-Z]|[-+^(){}]")

    def __init__(self, text: str, values: Mapping[str, float]) -> None:
        text = text.replace(r"\left", "").replace(r"\right", "")
        self._tokens = [*self._TOKENS.findall(text), "end"]
        self._values = values

    def value(self) -> float:
        result = self._sum()
        assert self._tokens == ["end"], self._tokens
        return result

    def _take(self, expected: str = "") -> str:
        token = self._tokens.pop(0)
        assert token == expected or not expected, (token, expected, self._tokens)
        return token

    def _sum(self) -> float:
        result = 0.0
        sign = self._take() if self._tokens[0] == "-" else "+"
        while True:
            result += self._product() * (-1 if sign == "-" else 1)
            if self._tokens[0] not in "+-":
                return result
            sign = self._take()

    def _product(self) -> float:
        result = self._power()
        while self._tokens[0] not in ("+", "-", ")", "}", "end"):
            if self._tokens[0] == r"\cdot":
                self._take()
            result *= self._power()
        return result

    def _power(self) -> float:
        base = self._atom()
        if self._tokens[0] != "^":
            return base
        self._take()
        exponent = self._group("{", "}") if self._tokens[0] == "{" else self._atom()
        assert self._tokens[0] != "^", "two exponents"
        return float(np.power(base, exponent))

    def _atom(self) -> float:
        token = self._tokens[0]
        if token == "(":
            return self._group("(", ")")
        self._take()
        if token == r"\frac":
            return float(np.true_divide(self._group("{", "}"), self._group("{", "}")))
        if token == r"\log":
            return float(np.log(self._group("(", ")")))
        return float(token) if token[0].isdigit() else self._values[token]

    def _group(self, opening: str, closing: str) -> float:
        self._take(opening)
        result = self._sum()
        self._take(closing)
        return result


def _binary(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "/", "**", "*-", "-(-", "**-"])
    joined = st.tuples(parts, operator, parts).map(lambda t: f"{t[0]}{t[1]}{t[2]}" + ")" * (t[1] == "-(-"))
    return joined | parts.map(lambda text: f"({text})") | parts.map(lambda text: f"-{text}")


# parentheses are drawn, not forced: so Python's own precedence is put to the test
formulas = st.recursive(st.sampled_from([*SCALARS, "m", "1", "2", "3", "0.5", "10"]), _binary, max_leaves=8)


@given(formulas)
def test_a_formula_means_what_python_says_and_prints_what_it_means(formula: str) -> None:
    with np.errstate(all="ignore"):
        try:
            expected = eval(formula, _as_numpy({"m": 2.0, **SCALARS}))  # noqa: S307
        except (ZeroDivisionError, OverflowError, ValueError):
            expected = float("nan")
        assume(isinstance(expected, float | int) and np.isfinite(expected) and abs(expected) < 1e12)
        assume("**" not in formula or np.isfinite(_powers(formula)))
    model = model_of(f"L = {formula} + 0*a", SCALARS, {"X": [[1.0, 2.0]]})
    found = trace(model.graph, model.leaves)
    assume(all(np.all(np.isfinite(a)) and np.all(np.abs(a) < 1e12) for a in found.arrays))
    derivation = Derivation(model.graph)
    written = derivation.right_side("L")
    values = dict(found.values)
    assert found.loss == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert ex.evaluate(written, values) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert run(source(written), m=2, **values) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    named = {**SCALARS, "m": 2.0, r"\mathcal{L}": found.loss}
    assert LatexReader(latex(written), named).value() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def _as_numpy(values: Mapping[str, float]) -> dict[str, np.float64]:
    return {name: np.float64(value) for name, value in values.items()}


def _powers(formula: str) -> float:
    """Return the value with every name a float: exact powers of integers grow without bound."""
    try:
        return float(eval(formula, {"m": 2.0, **SCALARS}))  # noqa: S307
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        return float("nan")


@given(formulas)
def test_gradients_print_what_they_mean(formula: str) -> None:
    positive = {name: abs(value) + 0.5 for name, value in SCALARS.items()}  # so that log is there
    try:
        model = model_of(f"L = ({formula}) * a", positive, {"X": [[1.0, 2.0]]})
    except FormulaError as error:
        if "not a finite number" not in error.what:
            raise
        assume(False)  # a division of constants by zero
        raise
    found = trace(model.graph, model.leaves)
    assume(all(np.all(np.isfinite(a)) and np.all(np.abs(a) < 1e9) for a in found.arrays))
    derivation = Derivation(model.graph)
    named = {**positive, "m": 2.0, r"\mathcal{L}": found.loss}
    for name in SCALARS:
        expected = float(found.gradients[name])
        assume(np.isfinite(expected) and abs(expected) < 1e9)
        printed = latex(derivation.gradient(name))
        with np.errstate(all="ignore"):
            value = LatexReader(printed, named).value()
        assert value == pytest.approx(expected, rel=1e-7, abs=1e-7), printed


ODD = [
    ("-x**2", "-x^{2}"),
    ("(-x)**2", "(-x)^{2}"),
    ("2**-x", "2^{-x}"),
    ("(a + b)**2", "(a + b)^{2}"),
    ("(a / b)**2", r"\left(\frac{a}{b}\right)^{2}"),
    ("1/x", r"\frac{1}{x}"),
    ("a / (b*c)", r"\frac{a}{b c}"),
    ("x / 2", r"\frac{x}{2}"),
    ("a * -b", "-a b"),
    ("a - (b - c)", "a - b + c"),
    ("-(a + b)", "-(a + b)"),
    ("x / (-a)", r"-\frac{x}{a}"),
    ("x * 2", r"x \cdot 2"),
    ("x * 3 * a", r"x \cdot 3 a"),
    ("0.5 * x * 4", "2 x"),
    ("2e-7 * x", r"2 \cdot 10^{-7} x"),
    ("x**a**b", "x^{a^{b}}"),
    ("(x**a)**b", "(x^{a})^{b}"),
    ("exp(x)**2", "(e^{x})^{2}"),
    ("log(x)**2", r"(\log(x))^{2}"),
    ("sqrt(x)", r"\sqrt{x}"),
    ("abs(x)", r"\left|x\right|"),
    ("norm(X)**2", "||X||^2"),
    ("norm(X)**3", "||X||^{3}"),
    ("sum((w @ X).T)", r"\mathrm{sum}((w X)^\intercal)"),
    ("sum(X**-1)", r"\mathrm{sum}(X^{\odot -1})"),
    ("sum(X / y)", r"\mathrm{sum}(X \oslash y)"),
    ("sum((w @ X) * y)", r"\mathrm{sum}((w X) \odot y)"),
    ("sum((w * x) @ X)", r"\mathrm{sum}(w x X)"),
    ("sum((X - y) / 2)", r"\mathrm{sum}\left(\frac{X - y}{2}\right)"),
    (
        "sum(X, axis=0) @ sum(X, axis=0)",
        r"\mathrm{sum}_{\text{axis }0}(X) \cdot \mathrm{sum}_{\text{axis }0}(X)",
    ),
    (
        "2 * (sum(X, axis=0) @ sum(X, axis=0))",
        r"2 (\mathrm{sum}_{\text{axis }0}(X) \cdot \mathrm{sum}_{\text{axis }0}(X))",
    ),
    ("max(a, -b)", r"\max(a, -b)"),
    ("mean(X)", r"\mathrm{mean}(X)"),
    ("1/(2*m) * x", r"\frac{1}{2 m} x"),
    ("(1/m)**2 * x", r"\frac{1}{m^{2}} x"),
]


@pytest.mark.parametrize(("formula", "expected"), ODD)
def test_odd_forms_are_printed_as_they_must_be_read(formula: str, expected: str) -> None:
    model = model_of(
        f"L = {formula}",
        {"a": 2.0, "b": 3.0, "c": 1.5, "x": 0.5, "w": [[1.0, 2.0]]},
        {"X": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "y": [[1.0, 2.0, 3.0]]},
    )
    written = latex(Derivation(model.graph).right_side("L"))
    assert_well_formed(written)
    assert written == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, "0.5"),
        (1e-7, "10^{-7}"),
        (2.5e300, r"2.5 \cdot 10^{300}"),
        (3, "3"),
        (-2, "-2"),
        (10**12, "1000000000000"),
    ],
)
def test_constants_are_printed_as_numbers_are(value: float, expected: str) -> None:
    constant = ex.lift(value)
    assert isinstance(constant, ex.Const)
    assert const_latex(constant) == expected
    assert run(source(constant)) == value


def test_a_factor_can_be_coloured() -> None:
    model = model_of("Z = W @ X\nL = sum(Z)", {"W": np.ones((2, 2))}, {"X": np.ones((2, 3))})
    equation = Derivation(model.graph).backward_equation("Z", 0)
    assert equation.coloured.endswith(
        r"\frac{\partial\mathcal{L}}{\partial Z} \textcolor{factor}{X^\intercal}"
    )
    assert equation.source == "d_W = d_Z @ X.T"
