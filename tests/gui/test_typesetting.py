"""Typesetting without Qt: quicker than ziamath's own way, and what comes out is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gui.typesetting import LATEX_REPLACEMENTS, MATHML_REPLACEMENTS, Bar, Glyph, set_all, set_formula

ROOT = Path(__file__).parents[2]
LONG = (
    r"\frac{\partial\mathcal{L}}{\partial W_1} = \left(\left(w_2^\intercal\frac{2}{m}(\hat{y} - y)\right)"
    r"\odot A \odot (1 - A)\right)X^\intercal"
)
FORMULAS = (
    LONG,
    LONG + r"\begin{cases}\frac{1}{2} & x\\ \left(\frac{a}{\sqrt{b}}\right) & y\end{cases}",
    r"\textcolor{factor}{\left(\frac{1}{2}\right)} \odot \textcolor{stored}{A_{12}^{(2)}}",
    r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}",
    r"\sum_{i=1}^{n} \sqrt[3]{x_i} + \max(a, b) \cdot \lVert x\rVert",
    r"\hat{y} = \mathrm{softmax}(Z) \leftarrow \vec{1}",
)
PLAIN = """
import json, re, sys, warnings
warnings.simplefilter("ignore")
from ziamath.config import config
from ziamath.tex import tex2mml
from ziamath.zmath import Math
config.svg2 = False
def replaced(text, replacements):
    for pattern, replacement in replacements:
        text = re.sub(pattern, replacement, text)
    return text
def hide(node):
    for child in node.nodes:
        if getattr(child, "glyph", None) is not None and not child.glyph.operators:
            child.phantom = True
        hide(child)
formulas, of_latex, of_mathml = json.load(sys.stdin)
found = []
for latex in formulas:
    formula = Math(replaced(tex2mml(replaced(latex, of_latex)), of_mathml), 24.0)
    hide(formula.node)
    found.append([[element.tag, dict(element.attrib)] for element in formula.svgxml()])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def plain() -> list[list[tuple[str, dict[str, str]]]]:
    """Return what ziamath itself draws of the formulas, in an interpreter where nothing of it is changed."""
    told = json.dumps([FORMULAS, LATEX_REPLACEMENTS, MATHML_REPLACEMENTS])
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], input=told, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(FORMULAS)))
def test_what_comes_out_is_what_ziamath_draws(plain: list, number: int) -> None:
    setting = set_formula(FORMULAS[number])
    assert len(setting.shapes) == len(plain[number])
    for shape, (tag, drawn) in zip(setting.shapes, plain[number], strict=True):
        assert shape.color == drawn["fill"]
        if isinstance(shape, Bar):
            assert tag == "rect"
            sides = [float(drawn[side]) for side in ("x", "y", "width", "height")]
            assert list(shape[:4]) == pytest.approx(sides, abs=2e-3)
        else:
            assert placed(shape, setting.outlines[shape.outline]) == pytest.approx(
                numbers(drawn["d"]), abs=2e-3
            )


def placed(shape: Glyph, outline: tuple) -> list[float]:
    """Return the coordinates of a glyph's outline where it stands."""
    flat = [side for _, sides in outline for side in sides]
    return [
        shape.x + shape.scale * side if i % 2 == 0 else shape.y - shape.scale * side
        for i, side in enumerate(flat)
    ]


def numbers(data: str) -> list[float]:
    return [float(word) for word in data.split() if not word.isalpha()]


def test_deep_brackets_take_no_exponential_time() -> None:
    deep = "x"
    for _ in range(25):
        deep = rf"\left({deep}\right)"
    assert len(set_formula(deep).shapes) == 51


def test_one_that_cannot_be_set_does_not_spoil_the_others() -> None:
    good, bad, other = set_all(["x", r"\frac{1}", "y"])
    assert not isinstance(good, str)
    assert isinstance(bad, str)
    assert not isinstance(other, str)


def test_qt_is_not_needed() -> None:
    script = "import sys\nimport gui.typesetting as t\nt.set_all(['x'])\nprint('PySide6' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


def gaps_of_minus(latex: str) -> list[tuple[float | None, float]]:
    """Return how far each minus stands from the glyph before it, if any, and from the one behind it."""
    setting = set_formula(latex)
    glyphs = sorted((s for s in setting.shapes if isinstance(s, Glyph)), key=lambda g: g.x)
    places = [across(g, setting.outlines[g.outline]) for g in glyphs]
    minus = {g.outline for g in set_formula("-x").shapes[:1] if isinstance(g, Glyph)}
    return [
        (places[i][0] - places[i - 1][1] if i else None, places[i + 1][0] - places[i][1])
        for i, glyph in enumerate(glyphs)
        if glyph.outline in minus
    ]


def across(shape: Glyph, outline: tuple) -> tuple[float, float]:
    sides = placed(shape, outline)[::2]
    return min(sides), max(sides)


TIGHT = gaps_of_minus("-x")[0][1]


@pytest.mark.parametrize(
    "latex",
    [
        *("w_1 = -x", r"a \leftarrow -x", r"a \mathrel{+}= -x", "(-x)", r"\left(-x\right)", r"\sigma(-x)"),
        *(r"a \cdot -x", r"a \odot -x", "a < -x", r"a \approx -x", "[-x, -x]", r"\{-x\}", "a, -x", "a - -x"),
        *("|-x|", r"\left|-x\right|", r"\|-x\|", r"\lVert -x\rVert", r"|a| + |-x|", r"\sqrt{-x}", "f: -x"),
        *(r"\sum_{i} -x", r"a = \textcolor{factor}{-x}", "w_1 = −x", r"\lfloor -x\rfloor", r"\quad -x"),
        *(r"\begin{aligned} a &= -x \\ &= -x\end{aligned}", r"\begin{bmatrix} -x & 1\end{bmatrix}"),
    ],
)
def test_a_sign_of_what_follows_stands_close_to_it(latex: str) -> None:
    found = gaps_of_minus(latex)
    assert found[-1][1] == pytest.approx(TIGHT, abs=0.3)
    assert found[-1][1] < gaps_of_minus("a - x")[0][1] / 2


BETWEEN = (
    r"a; \hat{y}; (a); \left(a\right); W_1[0, 1]; |a|; \|a\|; a_1^2; \frac{1}{2}; \textcolor{factor}{a}; "
)
BETWEEN += (
    r"\textcolor{factor}{a}; \ldots; {}; a!; \mathrm{sum}(a); \lfloor a\rfloor; \text{loss}; X^\intercal"
)


@pytest.mark.parametrize("left", BETWEEN.split("; "))
def test_a_sign_between_two_stands_as_far_from_both(left: str) -> None:
    before, after = gaps_of_minus(f"{left} - x")[-1]
    assert after == pytest.approx(gaps_of_minus("a - x")[0][1], abs=0.3)
    assert before is None or before > 2 * TIGHT
