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
