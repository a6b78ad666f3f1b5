"""Formulas in narrow places: nothing is lost when they are broken, and text says the same."""

import pytest
from PySide6.QtGui import QGuiApplication

from gui.formulas import FormulaBlock, as_html, inline_fractions, pieces, set_lines, with_air
from gui.theme import LIGHT

LONG = r"\mathcal{L} = -\frac{1}{m} \text{sum}(y \odot \log(a) + (1 - y) \odot \log(1 - a))"


@pytest.mark.parametrize(
    ("latex", "html"),
    [
        (r"= (-0.5) \cdot 2 + \ldots\;\text{(133 terms)}", "= (−0.5) · 2 + … (133 terms)"),
        (r"\frac{1}{2 + 3} x^{2}", "1/(2 + 3) x<sup>2</sup>"),
        (r"\frac{2}{m} (\hat{y} - y)", "2/m (y\u0302 − y)"),
        (r"\left(\mathbb{1}[1.2 > 0.2]\right)", "(𝟙[1.2 &gt; 0.2])"),
        (r"||x||^2", "‖x‖<sup>2</sup>"),
        (r"\sigma(w_2^\intercal)", "σ(w<sub>2</sub>ᵀ)"),
        (r"\textcolor{factor}{A}", "A"),
        (r"\frac{\partial \mathcal{L}}{\partial w}", "∂L/∂w"),
        ("", ""),
    ],
)
def test_formulas_as_text(latex, html):
    assert as_html(latex) == html


@pytest.mark.parametrize("latex", [r"\begin{matrix}", r"\unheard{x}", "{", r"\frac{1}", "x" * 5000, "^"])
def test_what_text_cannot_say_is_left_to_the_formula(latex):
    assert as_html(latex) is None


@pytest.mark.parametrize("level", range(4))
def test_cutting_loses_nothing(level):
    assert "".join(pieces(LONG, level)).replace(" ", "") == LONG.replace(" ", "")


def test_a_formula_is_cut_before_its_outermost_signs():
    assert pieces(r"y = w \odot (a - b) + c") == ["y", "= w", r"\odot (a - b)", "+ c"]
    assert pieces(r"p \mathrel{+}= -q \cdot (-3)") == ["p", r"\mathrel{+}= -q", r"\cdot (-3)"]
    assert pieces(r"\left(a + b\right) - \frac{c + d}{2}") == [r"\left(a + b\right)", r"- \frac{c + d}{2}"]


@pytest.mark.parametrize("width", [600.0, 280.0, 200.0])
def test_lines_fit_and_the_left_side_is_never_alone(qapp, width):
    lines = set_lines(LONG, 18, width)
    assert (len(lines) == 1) is (width == 600)
    assert "=" in lines[0].latex
    joined = "".join(line.latex for line in lines)
    assert joined.replace(" ", "") == LONG.replace(" ", "")


def test_air_stands_beside_fractions_only():
    assert with_air(r"= \frac{a}{b} \textcolor{factor}{A}") == r"= \frac{a}{b} \;\textcolor{factor}{A}"
    assert with_air(r"= \textcolor{factor}{w} \frac{a}{b}") == r"= \textcolor{factor}{w}\;\frac{a}{b}"
    assert (
        with_air(r"= \frac{a}{b}\textcolor{factor}{\vec{1}}")
        == r"= \frac{a}{b} \;\textcolor{factor}{\vec{1}}"
    )
    for latex in (
        r"x \odot \textcolor{factor}{A} \odot (\textcolor{factor}{1 - \textcolor{factor}{A}})",
        r"x \odot \textcolor{factor}{A \odot (1 - \textcolor{factor}{A})}",
        r"x \odot \textcolor{factor}{A} \odot \textcolor{factor}{(1 - \textcolor{factor}{A})}",
        r"x \cdot \textcolor{factor}{2} \textcolor{factor}{p}",
    ):
        assert with_air(latex) == latex


def test_derivatives_on_one_line():
    assert (
        inline_fractions(r"\frac{\partial\mathcal{L}}{\partial w_2}") == r"\partial\mathcal{L}/\partial w_2"
    )
    assert inline_fractions(r"\frac{1}{m}") == r"\frac{1}{m}"


def test_a_block_grows_as_it_gets_narrower_and_copies_its_source(qtbot):
    block = FormulaBlock(LIGHT, 18)
    qtbot.addWidget(block)
    block.resize(600, 10)
    block.set_latex(r"\textcolor{factor}{x} = " + LONG)
    block.show()
    one = block.height()
    block.resize(220, block.height())
    assert block.height() > one
    block.copy()
    assert QGuiApplication.clipboard().text() == "x = " + LONG
    block.set_latex("")
    assert block.height() == 0
