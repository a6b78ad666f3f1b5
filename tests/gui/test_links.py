"""Linked views: what the mouse points at in one panel is marked in all the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.graph import Detail
from graphs.network import bind, built_in_names, load
from gui.equations import equation
from gui.links import link_at
from gui.matrices import Grid
from gui.rows import ROW
from gui.session import Document, Session
from gui.viewdata import EquationRow, Link, Statics, equation_rows, link_of_label, marked, symbols_of
from gui.viewdata.links import MARK
from gui.window import Window
from tests.gui.conftest import OpenWindow

Opened = Callable[..., Any]
_STATICS = Statics(bind(load("two-layer-nonlinear")).graph, Detail.EQUATION)


@pytest.fixture
def opened(open_window: OpenWindow) -> Opened:
    def opened(network: str = "two-layer-nonlinear", position: int = 0) -> Window:
        return open_window(network, size=(1600, 900), position=position)

    return opened


def move(widget: QWidget, point: QPointF) -> None:
    QTest.mouseMove(widget, QPoint(1, 1))
    QTest.mouseMove(widget, point.toPoint())


# --- symbols in formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_formula_with_its_symbols_marked_is_laid_out_as_without(qapp, name: str) -> None:
    session = Session(Document.of(load(name)))
    symbols = symbols_of(session.statics)
    for row in equation_rows(session.frame):
        latex, links = marked(row.latex, symbols)
        plain, twin = equation(row.latex, 16.0), equation(latex, 16.0)
        assert links
        assert (twin.width, twin.height) == pytest.approx((plain.width, plain.height), abs=0.01)
        for place in range(len(links)):
            assert not twin.role_rect(f"{MARK}{place}").isEmpty()
    session.close()


def test_every_symbol_is_found_and_nothing_else(qapp) -> None:
    texts = {
        r"\hat{y} = w_2 A + b_2": ["yhat", "w2", "A", "b2"],
        r"\mathcal{L} = \frac{1}{m} ||\hat{y} - y||^2": ["L", "yhat", "y"],
        r"\frac{\partial\mathcal{L}}{\partial W_1} = X^\intercal": ["W1", "X"],
        r"\textcolor{factor}{A \odot (1 - A)}": ["A", "A"],
        r"A_3 + \mathrm{X} \text{y Z}": [],
    }
    for latex, names in texts.items():
        links = marked(latex, symbols_of(_STATICS))[1]
        assert [link.name for link in links] == names
        assert [link.part for link in links if link.name == "W1"] == ["gradient"] * names.count("W1")


def test_labels_say_whether_they_are_transposed(qapp) -> None:
    symbols = symbols_of(_STATICS)
    assert link_of_label(r"A^\intercal", symbols) == (Link("A"), True)
    assert link_of_label("W_1", symbols) == (Link("W1"), False)
    assert link_of_label(r"\frac{\partial\mathcal{L}}{\partial Z}", symbols) == (
        Link("Z", part="gradient"),
        False,
    )
    assert link_of_label(r"\hat{y} - y", symbols) is None
    assert link_of_label("", symbols) is None


@given(st.text(alphabet=r"\{}^_ aAbwxyzL0123456789-+()", max_size=60))
def test_any_text_keeps_its_letters(text: str) -> None:
    symbols = symbols_of(_STATICS)
    latex, links = marked(text, symbols)
    for place in range(len(links)):
        latex = latex.replace(rf"\textcolor{{{MARK}{place}}}{{", "{", 1)
    assert latex.replace("{", "").replace("}", "") == text.replace("{", "").replace("}", "")


def test_a_point_on_a_symbol_is_on_that_symbol(qapp) -> None:
    symbols = symbols_of(_STATICS)
    line = equation(r"\hat{y} = w_2 A + b_2", 20.0)
    latex, links = marked(line.latex, symbols)
    twin = equation(latex, 20.0)
    for place, link in enumerate(links):
        middle = twin.role_rect(f"{MARK}{place}").center() + QPointF(0, line.ascent)
        assert link_at((line,), 20.0, symbols, middle) == link
    assert link_at((line,), 20.0, symbols, QPointF(-30, 0)) is None


# --- the window --------------------------------------------------------------------------------------------


def linked_cards(window: Any) -> dict[str, Link | None]:
    found = {name: item._look.linked for name, item in window.scene._layer.nodes.items()}
    return {name: link for name, link in found.items() if link is not None}


def test_a_symbol_in_the_equations_marks_its_card(opened: Opened) -> None:
    window = opened(position=11)
    panel = window.panels["equations"]
    view = panel.view
    place = next(
        i for i, row in enumerate(panel._model.rows) if isinstance(row, EquationRow) and row.name == "yhat"
    )
    index = panel._model.index(place)
    view.scrollTo(index)
    row, rect = index.data(ROW), view.visualRect(index).toRectF()
    middle = rect.center()
    move(view.viewport(), middle)  # asks for the layout
    window.cache.drain()
    found = {}
    for x in range(int(rect.left()), int(rect.right()), 2):
        link = panel._delegate.link_at(row, rect, QPointF(x, middle.y()))
        if link is not None:
            found.setdefault(link.name, QPointF(x + 1, middle.y()))
    assert list(found) == ["yhat", "w2", "A", "b2"]
    for name, point in found.items():
        move(view.viewport(), point)
        assert window.session.hovered == Link(name)
        assert linked_cards(window) == {name: Link(name)}
    QTest.mouseMove(window.view.viewport(), QPoint(3, 3))
    window.scene.leave()
    window.session.hover(None)
    assert linked_cards(window) == {}


def test_a_card_marks_its_symbols_in_the_equations(opened: Opened) -> None:
    window = opened(position=11)
    panel = window.panels["equations"]
    window.session.hover(Link("A"))
    window.cache.drain()
    before = panel.grab().toImage()
    window.session.hover(None)
    assert panel.grab().toImage() != before


def test_a_cell_of_a_card_is_the_cell_of_the_product(opened: Opened) -> None:
    window = opened(position=8)
    item = window.scene._layer.nodes["W1"]
    middle = item.pos() + Grid(item.card.value, 4, 1).cell_rect(2, 0).center()
    move(window.view.viewport(), QPointF(window.view.mapFromScene(middle)))
    assert window.session.hovered == Link("W1", (2, 0))
    assert linked_cards(window) == {"W1": Link("W1", (2, 0))}
    strip = window.panels["step"].strip
    pictures = []
    for link in (None, Link("A"), Link("A", (2, 50))):
        window.session.hover(link)
        pictures.append(strip.grab().toImage())
    assert pictures[0] != pictures[1] != pictures[2]


def test_a_cell_of_the_product_points_at_the_entry(opened: Opened) -> None:
    window = opened(position=8)  # the gradient of w2: a product with A transposed
    strip = window.panels["step"].strip
    for slot in strip.slots_shown:
        if not isinstance(slot.part, str) and slot.part.label == r"A^\intercal":
            point = strip.cell_position(slot.place, 5, 2)
            assert strip.link_at(point) == Link("A", (2, 5))
            move(strip, point)
            link = strip.link_at(QPointF(point.toPoint()))
            assert link is not None
            assert link.name == "A"
            assert window.session.hovered == link
            assert linked_cards(window) == {"A": link}
            return
    pytest.fail("the step has no transposed A")


def test_another_graph_forgets_what_was_pointed_at(opened: Opened) -> None:
    window = opened()
    window.session.hover(Link("A"))
    window.session.open("univariate-regression")
    assert window.session.hovered is None
    assert linked_cards(window) == {}


def test_a_cell_of_the_inspector_is_the_cell_of_every_other_panel(opened: Opened) -> None:
    window = opened(position=14)
    session, panel = window.session, window.panels["inspector"]
    session.select("W1")
    panel.tabs.setCurrentIndex(0)
    window.settle()
    matrix = panel.value_matrix
    assert matrix.isVisible()
    move(matrix, QPointF(matrix.cell_position(2, 0)))
    assert session.hovered == Link("W1", (2, 0))
    assert linked_cards(window) == {"W1": Link("W1", (2, 0))}
    QApplication.sendEvent(matrix, QEvent(QEvent.Type.Leave))
    assert session.hovered is None
    plain = matrix.grab().toImage()
    for link in (Link("W1", (1, 0)), Link("W1")):
        session.hover(link)
        assert matrix.grab().toImage() != plain
    for link in (Link("W1", (1, 0), "gradient"), Link("w2", (0, 1)), None):
        session.hover(link)
        assert matrix.grab().toImage() == plain
    panel.tabs.setCurrentIndex(1)
    move(panel.gradient_matrix, QPointF(panel.gradient_matrix.cell_position(3, 0)))
    assert session.hovered == Link("W1", (3, 0), "gradient")
    session.select("b2")  # a scalar has no entries
    panel.tabs.setCurrentIndex(0)
    move(matrix, QPointF(matrix.cell_position(0, 0)))
    assert session.hovered == Link("b2")
    plain = matrix.grab().toImage()
    session.hover(Link("b2", ()))  # as the neurons say it
    assert matrix.grab().toImage() == plain
    session.hover(None)
    assert matrix.grab().toImage() != plain
