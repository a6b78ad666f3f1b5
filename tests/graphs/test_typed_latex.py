"""Formulas as they are typed, typeset with the symbols of a network."""

from __future__ import annotations

import pytest

from engine.calculator import read
from engine.training import Run
from graphs.answers import Posed, Question
from graphs.network import bind, load
from graphs.snapshot import Snapshot
from graphs.typed_latex import typed_latex


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    model = bind(load("two-layer-nonlinear"))
    return Snapshot.of(Run(model, model.network.training.recipe), model)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("-2/m*(yhat-y)", r"-\frac{2}{m} (\hat{y} - y)"),
        ("d_Z @ X.T", r"\frac{\partial\mathcal{L}}{\partial Z} X^\intercal"),
        ("A * (1 - A)", r"A \odot (1 - A)"),
        ("w2.T @ d_yhat", r"w_2^\intercal \frac{\partial\mathcal{L}}{\partial \hat{y}}"),
        ("1/3", r"\frac{1}{3}"),
        ("W1[0, 0] * 2", ""),  # an entry is no formula of a network
    ],
)
def test_what_is_typed_is_typeset(snapshot: Snapshot, text: str, latex: str) -> None:
    names = Posed(Question("?", "expression", text), snapshot).names()
    assert typed_latex(read(text, names), names, snapshot.derivation) == latex


def test_an_answer_is_shown_typeset(snapshot: Snapshot) -> None:
    typed = Posed(Question("?", "expression", "-2/m*(yhat-y)", about="d_y"), snapshot)
    assert typed.answer_latex == r"$-\frac{2}{m} (\hat{y} - y)$"
    alone = Posed(Question("?", "expression", "d_W1"), snapshot)
    assert alone.answer_latex.endswith(r"X^\intercal$")
