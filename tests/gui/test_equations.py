"""Formulas: everything the products' equations use is set, coloured and never raises."""

import json
import logging

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene, QStyleOptionGraphicsItem

from engine.graph import Detail
from graphs.network import bind, built_in_names, load
from gui import equations
from gui.equations import (
    STORE,
    EquationLabel,
    equation,
    paint,
    plain_source,
    stored_form,
)
from gui.scene.equation_item import EquationItem
from gui.theme import DARK, LIGHT
from gui.viewdata import Statics

LONG = (
    r"\frac{\partial\mathcal{L}}{\partial W_1} = \left(\left(w_2^\intercal\frac{2}{m}(\hat{y} - y)\right)"
    r"\odot A \odot (1 - A)\right)X^\intercal"
)
SET = [
    LONG,
    r"\frac{1}{m}||\hat{y} - y||^2",
    r"\lVert x \rVert",
    r"\vec{1}",
    r"\mathbb{1}[Z > 0]",
    r"\oslash",
    r"\mathrm{softmax}(Z)",
    r"\text{out}",
    r"A^{\odot 2}",
    r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}",
    r"\mathcal{L}",
    r"a \mathrel{+}= b",
    r"\sum",
    r"\sqrt{x}",
    r"|x|",
    r"\alpha",
    r"\hat{y}_1",
    r"\cdot",
    r"\square",
    r"X^\intercal",
]
RED = QColor("#ff0000")


def painted(latex, theme=LIGHT, size=24.0, **options):
    """Return a picture of a formula, and what it was."""
    formula = equation(latex, size)
    image = QImage(int(formula.width) + 21, int(formula.height) + 21, QImage.Format.Format_RGB32)
    image.fill(theme.color("window"))
    painter = QPainter(image)
    paint(painter, formula, 10, 10 + formula.ascent, theme, **options)
    painter.end()
    return image, formula


def colors_of(image):
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


@pytest.fixture(autouse=True)
def fresh_cache():
    equations._layouts.clear()
    equations._scaled.cache_clear()


@pytest.mark.parametrize("latex", SET)
def test_a_formula_is_set_without_a_word_in_the_log(qapp, caplog, latex):
    image, formula = painted(latex)
    assert formula.parts
    assert formula.width > 1
    assert not caplog.records
    assert LIGHT.text in colors_of(image)


@pytest.mark.parametrize("latex", SET)
def test_no_ink_leaves_the_box(qapp, latex):
    formula = equation(latex, 24)
    box = formula.rect().adjusted(-0.01, -0.01, 0.01, 0.01)
    assert all(box.contains(path.boundingRect()) for path, _ in formula.parts)


def test_letters_a_font_lacks_by_name_are_found(qapp):
    bar = equation(r"\lVert x\rVert", 24)
    assert bar.width == pytest.approx(equation(r"\|x\|", 24).width)
    assert equation(r"\mathbb{1}", 24).parts != equation("1", 24).parts
    assert equation("a\\mathrel{+}=b", 24).width > equation("ab", 24).width + 10


def test_a_role_has_the_colour_of_the_theme(qapp):
    latex = r"\textcolor{stored}{A} = \textcolor{update}{\frac{1}{2}}"
    for theme in (LIGHT, DARK):
        colors = colors_of(painted(latex, theme, size=60)[0])
        assert {theme.stored_text, theme.update_text, theme.text} <= colors
        assert theme.backward_text not in colors


def test_the_rest_of_a_formula_has_the_default_role(qapp):
    colors = colors_of(painted(r"\textcolor{stored}{A} B", default_role="forward")[0])
    assert {LIGHT.stored_text, LIGHT.forward_text} <= colors
    assert LIGHT.text not in colors


def test_a_space_does_not_take_the_role_of_its_neighbour(qapp):
    roles = [role for _, role in equation(r"\textcolor{stored}{A}\operatorname{log x}\, B", 24).parts]
    assert roles == ["stored", None]


def test_the_factor_stands_on_a_field(qapp):
    latex = r"B \odot \textcolor{factor}{A}"
    image, formula = painted(latex)
    assert LIGHT.factor_background in colors_of(image)
    assert LIGHT.factor_background not in colors_of(painted(latex, field=False)[0])
    assert formula.role_rect("factor").left() > formula.width / 2
    assert formula.role_rect("stored").isEmpty()


def test_sizes_are_proportional_and_asking_again_costs_nothing(qapp):
    small, large = equation(LONG, 10), equation(LONG, 30)
    assert large.width == pytest.approx(3 * small.width)
    assert large.ascent == pytest.approx(3 * small.ascent)
    assert equation(LONG, 10) is small


def test_what_cannot_be_set_is_shown_as_it_stands_and_logged_once(qapp, caplog):
    caplog.set_level(logging.WARNING)
    broken = r"\frac{1}"
    assert equation(broken, 12).width > 0
    assert equation(broken, 20).width > 0
    assert [broken in record.getMessage() for record in caplog.records] == [True]


def test_nothing_is_a_formula_too(qapp):
    assert equation("", 12).width == 0


def test_the_plain_source_has_no_roles():
    assert plain_source(r"B \textcolor{factor}{A_{1}} \textcolor{red}{c}") == r"B A_{1} \textcolor{red}{c}"
    assert plain_source(r"\textcolor{factor}{a \textcolor{stored}{b}}") == "a b"


def test_a_label_shrinks_to_fit_then_is_cut_off_and_says_it_all_in_a_tooltip(qtbot):
    label = EquationLabel(LIGHT, r"\textcolor{factor}{A}" + LONG, 14)
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    label.show()
    assert label.scale() == 1
    assert label.toolTip() == ""
    label.resize(int(label.sizeHint().width() * 0.8), 60)
    assert 0.6 < label.scale() < 1
    assert not label.is_cut_off()
    label.resize(80, 60)
    assert label.scale() == 0.6
    assert label.toolTip() == label.accessibleName() == "A" + LONG


def test_a_label_is_painted_in_its_theme(qtbot):
    label = EquationLabel(LIGHT, r"\sum x", 20, default_role="backward")
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    assert LIGHT.backward_text in colors_of(label.grab().toImage())
    label.set_theme(DARK)
    assert DARK.backward_text in colors_of(label.grab().toImage())


def test_a_label_copies_its_source(qtbot):
    label = EquationLabel(LIGHT, r"\textcolor{stored}{A} x")
    qtbot.addWidget(label)
    (copy,) = label.actions()
    copy.trigger()
    assert QGuiApplication.clipboard().text() == "A x"


def test_an_item_stays_inside_its_bounds(qapp):
    scene = QGraphicsScene()
    item = EquationItem(LIGHT, r"\odot A \odot (1 - A)", 14, role="backward", border_role="backward")
    scene.addItem(item)
    bounds = item.boundingRect()
    image = QImage(int(bounds.width()) + 40, int(bounds.height()) + 40, QImage.Format.Format_RGB32)
    image.fill(RED)
    painter = QPainter(image)
    painter.translate(20 - bounds.left(), 20 - bounds.top())
    item.paint(painter, QStyleOptionGraphicsItem())
    painter.end()
    inside = range(20, 20 + int(bounds.width()) + 1), range(20, 20 + int(bounds.height()) + 1)
    outside = {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if x not in inside[0] or y not in inside[1]
    }
    assert outside == {RED.name()}
    assert LIGHT.backward_text in colors_of(image)


def test_an_item_grows_with_its_formula_and_its_box(qapp):
    item = EquationItem(LIGHT, "x", 14)
    small = item.boundingRect()
    item.set_latex("x + y")
    wide = item.boundingRect()
    item.set_border("backward")
    assert small.width() < wide.width() < item.boundingRect().width()
    assert item.boundingRect().center().manhattanLength() == pytest.approx(0, abs=1e-6)


def test_the_stored_formulas_are_those_set_now() -> None:
    """If this fails, the way formulas are set has changed: run tools/make_stores.py."""
    stored = json.loads(STORE.read_text("utf-8"))
    assert len(stored) > 50
    for latex in list(stored)[::5]:
        assert stored[latex] == [list(part) for part in stored_form(latex)]


def test_every_formula_of_the_first_picture_is_stored() -> None:
    stored = json.loads(STORE.read_text("utf-8"))
    for name in built_in_names():
        statics = Statics(bind(load(name)).graph, Detail.EQUATION)
        shown = {text for title in statics.titles.values() for text in title if text}
        assert shown <= stored.keys()
