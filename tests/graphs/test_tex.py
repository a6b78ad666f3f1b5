"""Any text comes out as ASCII that TeX sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.tex import comments, escaped, formula, pdf_text, sentence
from tests.graphs.snapshots import STRANGE_TITLE
from tests.graphs.tex import compiled, needs_tex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % & more_#1", r"50 \% \& more\_\#1"),
        ("a--b", "a-{}-b"),
        ("ŷ, é and ß", r"\^{y}, \'{e} and {\ss}"),
        ("β₁ × 2²", r"\ensuremath{\beta}\ensuremath{{}_{1}} \ensuremath{\times} 2\ensuremath{{}^{2}}"),
        ("Модель 神", "Model' [U+795E]"),
        ("a\nb\x07\u200b", "a b"),
    ],
)
def test_text_is_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(st.text(max_size=30))
def test_everything_that_comes_out_is_ascii_and_on_one_line(text: str) -> None:
    for found in (escaped(text), pdf_text(text)):
        assert found.isascii()
        assert "\n" not in found
        assert found.count("{") - found.count(r"\{") == found.count("}") - found.count(r"\}")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\frac{1}{m} ||\hat{y}||^2", r"\frac{1}{m} \|\hat{y}\|^2"),
        (r"2 \cdot 10^{-7} \cdot 3", r"2 \times 10^{-7} \cdot 3"),
        (r"\mathbb{1}[x > 0]", r"\mathbf{1}[x > 0]"),
        (r"0.1 \mathrm{sum}(x)", r"0.1 \, \mathrm{sum}(x)"),
        (r"\mathrm{вес} é", r"\mathrm{\text{v}\text{e}\text{s}} \text{\'{e}}"),
    ],
)
def test_formulas_are_made_good_tex(latex: str, expected: str) -> None:
    assert formula(latex) == expected


def test_sentences_keep_their_formulas() -> None:
    assert sentence("50 % of $W_1$ & σ.") == r"50 \% of $W_1$ \& \ensuremath{\sigma}."


def test_long_values_stand_at_the_end() -> None:
    said = {"Title": "a\nb", "Document": "x" * 900}
    assert comments(said) == "% Title: a b\n"
    assert comments(said, long=True) == f"% Document: {'x' * 900}\n"


@needs_tex
def test_odd_letters_compile_in_text_in_formulas_and_in_the_pdf_s_own_words() -> None:
    letters = "".join(
        map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x370, 0x460), *range(0x1E00, 0x1F00)])
    )
    words = " ".join([*letters, STRANGE_TITLE, "∂ ⊙ ‖x‖ ᵀ ⁻¹ 1⃗ β̂ x̂ ﬁ 𝐱 e\u0301\u0323 \u0301 \u0302a"])
    formulas = "".join(rf"${formula(c)}$ " for c in letters if c.isalpha() and not c.isascii())
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern,amsmath,amssymb,hyperref}"
    title = rf"\hypersetup{{pdftitle={{{pdf_text(STRANGE_TITLE)}}}}}"
    found = compiled(
        f"{head}{title}\\begin{{document}}\\raggedright {escaped(words)} {formulas}\\end{{document}}"
    )
    assert found.complaints == []
