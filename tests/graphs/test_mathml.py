"""Equations as MathML: the signs that another reader of LaTeX finds, and the numbers that are meant."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from latex2mathml.converter import convert

from engine.derive import Derivation
from engine.graph import Detail, Graph
from engine.names import entry_latex
from engine.optimizers import OPTIMIZERS, update_equation
from engine.substitute import put_in
from engine.trace import Phase, trace
from engine.training import Recipe, Run
from graphs.mathml import APPLY, MINUS, TIMES, mathml
from graphs.network import bind, built_in_names, load
from tests.helpers import Sample, built, equations_of, model_of, samples

CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "msubsup": 3}
CORE = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msqrt", *CHILDREN}


def parsed(latex: str) -> ET.Element:
    """Return the MathML of an equation: elements of MathML Core, each with as many children as it has."""
    root = ET.fromstring(mathml(latex))
    for element in root.iter():
        assert element.tag in CORE, (element.tag, latex)
        assert len(element) == CHILDREN.get(element.tag, len(element)), (element.tag, latex)
    return root


def signs(root: ET.Element) -> str:
    """Return everything that an equation shows, in reading order, without what is invisible."""
    text = "".join(root.itertext()).replace("||", "‖").replace("\u22ba", "⊤").replace("𝟙", "1")
    return re.sub(rf"[\s\\{APPLY}{TIMES}]", "", text.replace("◻", "□"))


def assert_same_signs(latex: str) -> None:
    found = signs(parsed(latex))
    assert found == signs(ET.fromstring(convert(latex))), latex
    assert "\\" not in "".join(parsed(latex).itertext()), latex


def latex_of(graph: Graph) -> Iterator[str]:
    for detail in Detail:
        yield from equations_of(graph, detail)


@pytest.mark.parametrize("name", built_in_names())
def test_every_equation_has_the_signs_that_another_reader_of_latex_finds(name: str) -> None:
    for latex in latex_of(bind(load(name)).graph):
        assert_same_signs(latex)


@given(samples())
def test_so_has_every_equation_of_any_network(sample: Sample) -> None:
    model = built(sample)
    assume(model is not None)
    assert model is not None
    for latex in latex_of(model.graph):
        assert_same_signs(latex)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_updates_and_numbers_put_in_have_the_same_signs(optimizer: str) -> None:
    model = bind(load("two-layer-linear"))
    run = Run(model, Recipe(optimizer).checked())
    run.advance(1)
    graph = model.graph
    found = trace(graph, {**model.leaves, **run.point.parameters}, optimize=run.optimize(run.point))
    derivation = Derivation(graph)
    for step in found.steps:
        if step.phase == Phase.UPDATE:
            assert_same_signs(update_equation(OPTIMIZERS[optimizer], derivation, step).latex)
        if step.phase == Phase.FORWARD:
            assert_same_signs(put_in(derivation.right_side(step.node), found.values, (0,) * step.after.ndim))


# --- what it means ------------------------------------------------------------------------------------------

FUNCTIONS = {
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "log": np.log,
    "σ": lambda x: 1 / (1 + np.exp(-x)),
}
VALUES = {"a": 1.3, "b": 0.7, "c": 2.1, "e": np.e}


class Meaning:
    """Works out a row of MathML by the operators in it, the invisible ones too."""

    def __init__(self, row: Sequence[ET.Element]) -> None:
        self._row = [*row, ET.Element("mo")]

    def value(self) -> float:
        result = self._term()
        while self._row[0].text in ("+", MINUS):
            result += self._term()
        assert len(self._row) == 1, [element.text for element in self._row]
        return result

    def _sign(self) -> str:
        return self._row.pop(0).text or "" if self._row[0].tag == "mo" else ""

    def _term(self) -> float:
        result = -1.0 if self._sign() == MINUS else 1.0
        result *= self._factor()
        while self._row[0].text in (TIMES, "·"):
            self._row.pop(0)
            result *= self._factor()
        return result

    def _factor(self) -> float:
        element = self._row.pop(0)
        if self._row[0].text == APPLY:
            self._row.pop(0)
            return float(FUNCTIONS[str(element.text)](value_of(self._row.pop(0))))
        return value_of(element)


def value_of(element: ET.Element) -> float:
    children = list(element)
    match element.tag:
        case "mn":
            return float(str(element.text))
        case "mi":
            return VALUES[str(element.text)]
        case "mfrac":
            return value_of(children[0]) / value_of(children[1])
        case "msup":
            return float(value_of(children[0]) ** value_of(children[1]))
        case "msqrt":
            return float(np.sqrt(Meaning(children).value()))
        case "mrow" if children[0].text == "(":
            assert children[-1].text == ")"
            return Meaning(children[1:-1]).value()
        case "mrow" if children[0].text == "|":
            return abs(Meaning(children[1:-1]).value())
    return Meaning(children).value()


@pytest.mark.parametrize(
    "formula",
    [
        *("a b", "a * b", "-a**2", "(-a)**2", "a**-b", "a - (b - c)", "a / (b*c)", "-(a + b) * c", "a * -b"),
        *(
            "2e-7 * a",
            "a * 2",
            "a * 3 * b",
            "a**b**c",
            "(a**b)**c",
            "exp(a)**2",
            "exp(-a) * b",
            "a * (b + c)",
        ),
        *("sin(a) * cos(b)", "a * sin(b)", "sigmoid(a) * (1 - sigmoid(a))", "log(a)**2", "tanh(a + b) / c"),
        *("sqrt(a + b) * c", "abs(a - c) * b", "a * (b + c) * (a - b)", "(a + b)**2", "(a / b)**2", "3 - -a"),
    ],
)
def test_it_means_what_the_formula_means(formula: str) -> None:
    formula = formula.replace("a b", "a * b")
    model = model_of(f"L = {formula}", {name: VALUES[name] for name in "abc"})
    found = trace(model.graph, model.leaves)
    derivation = Derivation(model.graph)
    assert value_of(parsed(derivation.definition_latex("L"))) == pytest.approx(found.loss)
    for name in model.graph.parameters:
        latex = derivation.equation(name).partition(" = ")[2].replace(r"\mathcal{L}", f"{found.loss!r}")
        if "[" not in latex and "sign" not in latex:
            assert value_of(parsed(latex)) == pytest.approx(float(found.gradients[name])), latex


# --- its form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("w x", f"<mi>w</mi><mo>{TIMES}</mo><mi>x</mi>"),
        (r"W_1^\intercal", '<msubsup><mi>W</mi><mn>1</mn><mi mathvariant="normal">⊤</mi></msubsup>'),
        (r"\vec{1}", '<mover accent="true"><mn>1</mn><mo stretchy="false" mathsize="65%">→</mo></mover>'),
        (r"\hat{y}", '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'),
        (r"w_{\text{out}}", "<msub><mi>w</mi><mtext>out</mtext></msub>"),
        (r"\mathrm{wide}", "<mi>wide</mi>"),
        (r"f'' g", f"<msup><mi>f</mi><mo>′′</mo></msup><mo>{TIMES}</mo><mi>g</mi>"),
        (
            r"\frac{\partial\mathcal{L}}{\partial w}",
            '<mfrac><mrow><mo form="prefix">∂</mo><mi>ℒ</mi></mrow>'
            '<mrow><mo form="prefix">∂</mo><mi>w</mi></mrow></mfrac>',
        ),
        (
            r"||x||^2",
            '<msup><mrow><mo stretchy="false">‖</mo><mi>x</mi><mo stretchy="false">‖</mo></mrow>'
            "<mn>2</mn></msup>",
        ),
        (r"g \textcolor{factor}{A}", f'<mi>g</mi><mo>{TIMES}</mo><mrow class="factor"><mi>A</mi></mrow>'),
        (
            r"g \odot \textcolor{factor}{A} \odot \textcolor{factor}{(1 - \textcolor{factor}{A})}",
            '<mi>g</mi><mo>⊙</mo><mrow class="factor"><mi>A</mi><mo>⊙</mo><mrow><mo stretchy="false">(</mo>'
            '<mn>1</mn><mo>\u2212</mo><mi>A</mi><mo stretchy="false">)</mo></mrow></mrow>',
        ),
        (
            r"\textcolor{factor}{2} + \textcolor{factor}{m}",
            '<mrow class="factor"><mn>2</mn></mrow><mo>+</mo><mrow class="factor"><mi>m</mi></mrow>',
        ),
        (r"a \mathrel{+}= b", "<mi>a</mi><mo>+=</mo><mi>b</mi>"),
        (r"= -2", '<mo>=</mo><mo form="prefix">\u2212</mo><mn>2</mn>'),
        (r"a - 2", "<mi>a</mi><mo>\u2212</mo><mn>2</mn>"),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    ],
)
def test_equations_have_the_elements_that_belong_to_them(latex: str, expected: str) -> None:
    assert mathml(latex) == f"<math>{expected}</math>"


def test_a_function_is_applied_and_a_product_is_multiplied() -> None:
    applied, multiplied = (signs_in_order(text) for text in (r"\sigma(x)", r"\sigma (x)"))
    assert applied[1] == APPLY
    assert multiplied[1] == TIMES


def signs_in_order(latex: str) -> list[str]:
    return [text for element in parsed(latex).iter() if (text := element.text)]


@pytest.mark.parametrize(
    "symbol", [r"\frac{\partial L}{\partial Z}", "Z", r"\hat{y}", r"\left(W X\right)", "W_1"]
)
def test_the_place_of_an_entry_is_no_factor(symbol: str) -> None:
    assert f"<mo>{APPLY}</mo><mrow><mo" in mathml(entry_latex(symbol, (0, 1)))
    assert f"<mo>{TIMES}</mo>" in mathml(rf"{symbol} [0]")
