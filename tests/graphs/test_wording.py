"""Sentences about steps, with the symbols written as a document wants them."""

from __future__ import annotations

import pytest

from engine.derive import Derivation
from engine.graph import Detail
from engine.trace import Phase, trace
from graphs.network import Model, bind, built_in_names
from graphs.reading import load
from graphs.wording import Wording, product_shapes
from tests.helpers import model_of


def said(model: Model, detail: Detail, latex: bool = False) -> list[str]:
    """Return a sentence for every forward and backward step."""
    found = trace(model.graph, model.leaves, detail)
    derivation = Derivation(model.graph, detail)
    wording = Wording(derivation, (lambda name: f"${derivation.name_latex(name)}$") if latex else None)
    sentences = []
    for step in found.steps:
        if step.phase == Phase.FORWARD:
            sentences.append(wording.forward(step))
        elif step.phase == Phase.BACKWARD and step.slot is not None:
            equation = derivation.backward_equation(step.node, step.slot, step.before is not None)
            sentences.append(wording.backward(step, equation))
    return sentences


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", built_in_names())
def test_every_step_has_a_sentence_and_symbols_stand_in_it_as_the_document_writes_them(
    name: str, detail: Detail
) -> None:
    model = bind(load(name))
    plain, formulas = said(model, detail), said(model, detail, latex=True)
    assert all(sentence.endswith(".") and "$" not in sentence for sentence in plain)
    symbols = {symbol for sentence in formulas for symbol in sentence.split("$")[1::2]}
    derivation = Derivation(model.graph, detail)
    assert symbols
    assert symbols <= {derivation.name_latex(node) for node in model.graph.visible(detail)}


def test_a_bias_is_said_to_be_copied_to_every_example() -> None:
    model = model_of(
        "Z = w @ X + b\nL = sum(Z)", {"w": [[1.0, 2.0]], "b": [[1.0]]}, {"X": [[1, 2, 3], [4, 5, 6]]}
    )
    assert "b is copied to every example, so its gradient is the sum over all of them." in said(
        model, Detail.EQUATION
    )


def test_shapes_say_how_a_product_fits() -> None:
    model = model_of("Z = w @ X\nL = sum(Z)", {"w": [[1.0, 2.0]]}, {"X": [[1, 2, 3], [4, 5, 6]]})
    assert product_shapes(Derivation(model.graph).right_side("Z")) == "(1 × 2) · (2 × 3) → 1 × 3"


@pytest.mark.parametrize(
    ("line", "name", "sentence"),
    [
        (
            "sigmoid(W @ X + b)",
            "W",
            "passes back through σ, then is multiplied from the right by the transpose of X.",
        ),
        ("sigmoid(W @ X + b)", "b", "passes back through σ, then is summed over every example."),
        (
            "tanh(exp(-(W @ X)) + b)",
            "W",
            "passes back through tanh, then passes back through exp, then has its "
            "sign turned, then is multiplied from the right by the transpose of X.",
        ),
        (
            "3 * sin(W @ X + b)**2",
            "b",
            "is multiplied by 3, then passes back through the square, then passes back "
            "through sin, then is summed over every example.",
        ),
        (
            "(W @ X / 2)**3 * b",
            "W",
            "is multiplied entry by entry by b, then passes back through the power, then is "
            "divided by 2, then is multiplied from the right by the transpose of X.",
        ),
        (
            "sqrt(cos(tanh(exp(sin(W @ X + b)))))",
            "b",
            "passes back through sqrt, then passes back through cos, then "
            "passes back through tanh, then goes through 3 more operations.",
        ),
    ],
)
def test_the_operations_that_a_gradient_passes_are_said_in_order(line: str, name: str, sentence: str) -> None:
    model = model_of(
        f"Y = {line}\nL = sum(Y * b)", {"W": [[1.0, 2.0]], "b": [[1.0]]}, {"X": [[1, 2, 3], [4, 5, 6]]}
    )
    assert f"To reach {name}, the gradient of Y {sentence}" in said(model, Detail.EQUATION)


def test_an_operation_without_a_name_is_called_by_what_it_does() -> None:
    model = model_of("L = (a * b + c * a)**2 + exp(a + b)", {"a": 1.0, "b": 2.0, "c": 3.0})
    called = [model.graph.called(model.graph.nodes[i].name) for i in model.graph.lines[0].parts]
    assert called == [
        "the 1st product in line L",
        "the 2nd product in line L",
        "the 1st sum in line L",
        "the square in line L",
        "the 2nd sum in line L",
        "the exp in line L",
        "L",
    ]
