"""Names as a mathematician writes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.names import entry_latex, entry_text, latex_name, plain_name
from tests.helpers import assert_well_formed


@pytest.mark.parametrize(
    ("name", "latex", "plain"),
    [
        ("x", "x", "x"),
        ("W1", "W_1", "W₁"),
        ("W12", "W_{12}", "W₁₂"),
        ("w_out", r"w_{\text{out}}", "w_out"),
        ("yhat", r"\hat{y}", "ŷ"),
        ("y_hat", r"\hat{y}", "ŷ"),
        ("yhat2", r"\hat{y}_2", "ŷ₂"),
        ("ybar", r"\bar{y}", "ȳ"),
        ("alpha", r"\alpha", "α"),
        ("alpha2", r"\alpha_2", "α₂"),
        ("thetahat", r"\hat{\theta}", "θ̂"),
        ("Sigma", r"\Sigma", "Σ"),
        ("lam", r"\lambda", "λ"),
        ("eps", r"\epsilon", "ε"),
        ("ŷ", r"\hat{y}", "ŷ"),
        ("α", r"\alpha", "α"),
        ("loss", r"\mathrm{loss}", "loss"),
        ("hat", r"\mathrm{hat}", "hat"),
        ("what", r"\hat{w}", "ŵ"),
        ("_", r"\_", "_"),
        ("a__", r"a_\_", "a__"),
        ("_a", r"\mathrm{\_a}", "_a"),
        ("a_b_c", r"a_{\text{b\_c}}", "a_b_c"),
    ],
)
def test_names_are_written_as_in_a_textbook(name: str, latex: str, plain: str) -> None:
    assert latex_name(name) == latex
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        (r"\hat{y}", r"\hat{y}[0, 1]"),
        (r"\frac{\partial\mathcal{L}}{\partial W_1}", r"\frac{\partial\mathcal{L}}{\partial W_1}[0, 1]"),
        (r"W_1 X", r"\left(W_1 X\right)[0, 1]"),
        (r"-y", r"\left(-y\right)[0, 1]"),
        (r"\sigma(Z)", r"\sigma(Z)[0, 1]"),
        (r"\Delta W_1", r"\Delta W_1[0, 1]"),
    ],
)
def test_an_entry_is_named_by_brackets(symbol: str, expected: str) -> None:
    assert entry_latex(symbol, (0, 1)) == expected
    assert entry_latex(symbol, ()) == symbol
    assert entry_text((0, 1)) == "[0, 1]"
    assert entry_text((np.int64(2),)) == "[2]"


@given(st.from_regex(r"[^\W\d]\w{0,12}", fullmatch=True).filter(str.isidentifier))
def test_any_name_gives_latex_that_holds_together(name: str) -> None:
    assert_well_formed(latex_name(name))
    assert plain_name(name)
