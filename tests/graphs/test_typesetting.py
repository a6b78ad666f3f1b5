"""Widths of formulas as TeX has them, and lines that break where they may."""

from __future__ import annotations

import re

import pytest

from engine.derive import Derivation
from graphs.network import bind, built_in_names, load
from graphs.tex import formula
from graphs.typesetting import lines, width
from tests.graphs.tex import measured, needs_tex
from tests.helpers import assert_well_formed

FORMULAS = [
    r"x",
    r"\frac{\partial\mathcal{L}}{\partial W_1} = \frac{\partial\mathcal{L}}{\partial Z} X^\intercal",
    r"\left(\left(w_2^\intercal \frac{2}{m} (\hat{y} - y)\right) \odot A \odot (1 - A)\right)\vec{1}",
    r"0.005540 \cdot 0.3207 + 0.005966 \cdot 0.3218 + 1.235 \times 10^{-7} + \ldots\;\text{(133 terms)}",
    r"\left(\mathbf{1}[r > a] + \frac{1}{2}\mathbf{1}[r = a]\right) \frac{1}{1 + e^{-z_{\text{out}}}}",
    r"\mathrm{softmax}(Z) + \max(Z, 0.1 Z) - \sqrt{1 + \alpha^{\odot 2}} \oslash \|w\|^2",
    r"\left[\begin{array}{rrr} 0.1 & -0.25 & \cdots \\ 1.5 \times 10^{-9} & 3 & 4 \end{array}\right]",
    r"\left(\frac{\partial\mathcal{L}}{\partial \hat{y}}\right)_{1,1} \leftarrow \tanh(\Theta) \log(\omega)",
]


@needs_tex
def test_widths_are_those_of_tex() -> None:
    for latex, real in zip(FORMULAS, measured(FORMULAS), strict=True):
        assert width(latex) == pytest.approx(real, rel=0.05, abs=0.1), latex


def _bare(latex: str) -> str:
    """Return a formula without what breaking it adds: spaces, and signs of products."""
    latex = re.sub(r"\\biggl|\\biggr|\\left|\\right(?!arrow)|\\cdot|\\textcolor\{\w+\}|[{}\s]", "", latex)
    return latex.replace(r"\;", "")


@pytest.mark.parametrize("room", [60.0, 20.0, 9.0, 4.0])
@pytest.mark.parametrize("latex", FORMULAS)
def test_lines_hold_the_whole_formula_and_each_is_well_formed(latex: str, room: float) -> None:
    found = lines(latex, room)
    assert _bare("".join(found)) == _bare(latex)
    for line in found:
        assert line.count("{") == line.count("}")
        assert len(re.findall(r"\\left(?!arrow)", line)) == len(re.findall(r"\\right(?!arrow)", line))


@pytest.mark.parametrize("name", built_in_names())
def test_every_gradient_of_the_built_in_networks_fits_on_narrow_lines(name: str) -> None:
    derivation = Derivation(bind(load(name)).graph)
    for node in derivation.gradients:
        latex = formula(derivation.equation(node))
        found = lines(latex, 18.0)
        assert max(map(width, found)) <= 18.0
        assert _bare("".join(found)) == _bare(latex)


def test_a_line_breaks_before_a_sum_s_sign_rather_than_in_a_product() -> None:
    assert lines("a b c d + e f g h", 3.5, indent=0.0) == ["a b c d", "{} + e f g h"]


def test_a_product_that_is_broken_gets_a_sign() -> None:
    _, second = lines(r"W_1 W_2 W_3 W_4 W_5 W_6", 7.0)
    assert second.startswith(r"{} \cdot W_")


def test_parentheses_are_left_alone_where_there_is_another_place() -> None:
    assert lines("x (a + b + c + d) + (e + f + g)", 9.5)[1] == "{} + (e + f + g)"


def test_a_colour_goes_on_where_a_line_is_broken_inside_it() -> None:
    found = lines(r"a + \textcolor{factor}{b \odot c \odot d}", 5.0)
    assert len(found) > 1
    for line in found:
        assert_well_formed(line.replace("{}", ""))
    assert all(r"\textcolor{factor}" in line for line in found[1:])


def test_a_power_of_ten_stays_with_its_number() -> None:
    assert all(
        "10^{-7}" not in line or r"1.5 \times 10^{-7}" in line
        for line in lines(r"a + 1.5 \times 10^{-7}", 3.0)
    )
