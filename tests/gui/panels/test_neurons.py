"""The neurons dock: the same step and selection as the graph, an example that is chosen, numbers on hover."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from PySide6.QtTest import QTest

from engine.training import Recipe
from graphs.network import built_in_names, load
from graphs.views.numbers import format_number
from graphs.views.records import Link
from gui.neuron_layout import MOST_SHOWN, NUMBER_WIDTH, neuron_layout
from gui.neuron_picture import paint_neurons, tiny_font
from gui.panels.neurons import MEAN, NeuronsPanel
from gui.theme import THEMES
from gui.viewdata.neurons import neuron_view
from tests.helpers import model_of

LEFT = Qt.MouseButton.LeftButton


def neuron(panel, name, unit) -> QPoint:
    return panel.canvas.places.neuron(name, unit).center().toPoint()


def on_edge(panel, name, target, source) -> QPoint:
    """Return a point on an edge, where no other one is near."""
    bundles = [b.name for b in panel.view.bundles]
    for edge in panel.canvas.places.edges:
        if (bundles[edge.bundle], edge.target, edge.source) == (name, target, source):
            return (edge.points[0] * 0.3 + edge.points[-1] * 0.7).toPoint()
    raise AssertionError(name)


def hover(panel, point) -> str:
    QTest.mouseMove(panel.canvas, QPoint(1, 1))
    QTest.mouseMove(panel.canvas, point)
    return panel.caption.text()


def test_a_click_on_a_neuron_selects_its_node_and_its_entry(qtbot, open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    panel.example.setValue(17)
    qtbot.mouseClick(panel.canvas, LEFT, pos=neuron(panel, "A", 2))
    assert session.selection == "A"
    assert session.frame.entry == (2, 17)
    qtbot.mouseClick(panel.canvas, LEFT, pos=neuron(panel, "Z", 0))
    assert (session.selection, session.frame.entry) == ("Z", (0, 17))


def test_a_click_on_an_edge_selects_its_weight(qtbot, open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    qtbot.mouseClick(panel.canvas, LEFT, pos=on_edge(panel, "w2", 0, 3))
    assert (session.selection, session.frame.entry) == ("w2", (0, 3))
    qtbot.mouseClick(panel.canvas, LEFT, pos=on_edge(panel, "W1", 1, 0))
    assert (session.selection, session.frame.entry) == ("W1", (1, 0))


def test_a_click_on_a_bias_selects_it_and_one_on_nothing_leaves_all_as_it_is(qtbot, open_session, show):
    session = open_session()
    panel = show(NeuronsPanel, session, 700, 300)
    places = panel.canvas.places
    mark = places.stacks[places.stack_of["Z"]].mark(3)
    qtbot.mouseClick(panel.canvas, LEFT, pos=mark.center().toPoint())
    assert (session.selection, session.frame.entry) == ("b1", (3, 0))
    qtbot.mouseClick(panel.canvas, LEFT, pos=QPoint(3, 3))
    assert session.selection == "b1"


def test_hovering_tells_name_value_and_gradient(open_session, show):
    session = open_session(position=18)
    panel = show(NeuronsPanel, session, 700, 300)
    frame = session.frame
    said = hover(panel, on_edge(panel, "W1", 2, 0))
    value, gradient = frame.values["W1"][2, 0], frame.gradients["W1"][2, 0]
    assert said == f"W₁[2, 0] · value {format_number(value)} · gradient {format_number(gradient)}"
    assert panel.canvas.tip == f"W₁[2, 0]\nvalue {float(value)!r}\ngradient {float(gradient)!r}"
    said = hover(panel, neuron(panel, "A", 1))
    assert said.startswith(f"A[1, 0] · value {format_number(frame.values['A'][1, 0])} · gradient ")
    session.go(0)
    assert hover(panel, neuron(panel, "A", 1)) == "A[1, 0] · no value yet"


def test_up_and_down_choose_the_example_and_below_the_first_is_the_mean(qtbot, open_session, show):
    session = open_session(position=3)
    panel = show(NeuronsPanel, session, 700, 300)
    panel.canvas.setFocus()
    qtbot.keyClick(panel.canvas, Qt.Key.Key_Up)
    assert panel.view.example == 1
    qtbot.keyClick(panel.canvas, Qt.Key.Key_Down)
    qtbot.keyClick(panel.canvas, Qt.Key.Key_Down)
    assert panel.view.example is None
    assert panel.example.text() == "mean of all examples"
    np.testing.assert_allclose(panel.view.by_name["A"].values, session.frame.values["A"].mean(axis=1))
    panel.example.setValue(5)
    assert panel.example.text() == "example 5 of 133"


def test_a_mini_batch_says_which_example_of_the_data_is_shown(open_session, show):
    session = open_session()
    session.set_recipe(Recipe(batch_size=10))
    panel = show(NeuronsPanel, session, 700, 300)
    panel.example.setValue(4)
    number = session.model.indices(0, 10)[4]
    assert panel.example.text() == f"example 4 of 10 (no. {number} of the data)"
    assert panel.view.by_name["X"].values[0] == session.model.inputs["X"][0, number]


def test_another_network_shows_nothing_of_the_old_one(open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    panel.example.setValue(100)
    session.open("multivariate-regression")
    assert {c.name for c in panel.view.columns} == {"X", "y", "yhat", "L"}
    assert panel.view.example is not None
    assert panel.view.example < panel.view.examples
    session.open("scalar-operations")
    assert panel.view.sentence
    assert not panel.example.isVisible()
    assert panel.caption.text() == ""
    assert panel.view.sentence in panel.canvas.accessibleDescription()


def test_the_wheel_zooms_about_the_mouse_and_a_double_click_fits_again(qtbot, open_session, show):
    panel = show(NeuronsPanel, open_session(), 700, 300)
    before = panel.canvas.places.neuron("yhat", 0)
    wheel(panel.canvas, before.center(), 3)
    after = panel.canvas.places.neuron("yhat", 0)
    assert (after.center() - before.center()).manhattanLength() < 1e-6
    apart = [p.neuron("L", 0).center().x() - p.neuron("X", 0).center().x() for p in (panel.canvas.places,)]
    assert apart[0] > 700
    drag(qtbot, panel.canvas, QPoint(5, 290), QPoint(65, 270))
    assert panel.canvas.places.neuron("yhat", 0).center() == after.center() + QPointF(60, -20)
    QTest.mouseDClick(panel.canvas, LEFT, pos=QPoint(3, 3))
    assert panel.canvas.places.neuron("yhat", 0) == before


def wheel(canvas, point, notches) -> None:
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtGui import QWheelEvent

    event = QWheelEvent(
        QPointF(point),
        canvas.mapToGlobal(QPointF(point)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QCoreApplication.sendEvent(canvas, event)


def drag(qtbot, canvas, start, end) -> None:
    qtbot.mousePress(canvas, LEFT, pos=start)
    qtbot.mouseMove(canvas, start + (end - start) / 2)
    qtbot.mouseMove(canvas, end)
    qtbot.mouseRelease(canvas, LEFT, pos=end)


def test_of_a_long_column_the_first_neurons_are_drawn_and_the_rest_counted(open_session, show):
    rng = np.random.default_rng(1)
    model = model_of(
        "Z = W @ X\nL = norm(Z)**2", {"W": rng.normal(size=(3, 30))}, {"X": rng.normal(size=(30, 4))}
    )
    session = open_session()
    session.open_network(model.network)
    panel = show(NeuronsPanel, session, 700, 300)
    stack = panel.canvas.places.stacks[panel.canvas.places.stack_of["X"]]
    assert len(stack.neurons) < MOST_SHOWN
    assert len(stack.neurons) + stack.hidden == 30
    assert stack.more is not None


@pytest.mark.parametrize("size", [(455, 160), (700, 380), (1200, 600), (300, 90)])
@pytest.mark.parametrize("name", ["two-layer-nonlinear", "perceptron-classifier", "logistic-regression"])
def test_neurons_lie_inside_the_rectangle_and_apart(open_session, size, name):
    session = open_session(name, 9)
    view = neuron_view(session.frame)
    rect = QRectF(10, 20, *size)
    places = neuron_layout(view, rect)
    rects = [r for stack in places.stacks for r in stack.neurons]
    assert all(rect.contains(r) for r in rects)
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


WIDEST_RING = 3.5
"""Logical pixels that the ring of a selected neuron reaches beyond it."""


@pytest.mark.parametrize("size", [(465, 172), (465, 140), (930, 300)])  # the dock at 1280 and 1920
@pytest.mark.parametrize("name", built_in_names())
def test_the_gradient_below_a_neuron_touches_no_ring(open_session, size, name):
    session = open_session(name)
    session.last()
    places = neuron_layout(neuron_view(session.frame), QRectF(0, 0, *size))
    figures = QFontMetricsF(tiny_font()).tightBoundingRect("−.0123456789e").height()
    seen = 0
    for stack in places.stacks:
        for upper, lower in pairwise(stack.neurons if stack.has_gradients else ()):
            room = lower.top() - upper.bottom() - 2 * WIDEST_RING
            assert room >= figures + 1
            seen += 1
    assert seen or not any(s.has_gradients and len(s.neurons) > 1 for s in places.stacks)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda t: t.name)
def test_the_picture_is_painted_into_any_rectangle_of_any_painter(open_session, theme):
    session = open_session(position=12)
    image = QImage(600, 300, QImage.Format.Format_RGB32)
    image.fill(theme.color("canvas"))
    painter = QPainter(image)
    paint_neurons(painter, QRectF(300, 0, 300, 300), neuron_view(session.frame), theme)
    painter.end()
    canvas = theme.color("canvas").rgb()
    painted = [image.pixel(x, y) != canvas for x in range(0, 600, 3) for y in range(0, 300, 3)]
    assert not any(painted[: len(painted) // 2 - 400])
    assert any(painted[len(painted) // 2 :])


def test_the_selection_of_the_window_is_marked(open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    before = panel.canvas.grab().toImage()
    session.select("W1")
    assert panel.canvas.grab().toImage() != before
    session.select(None)
    assert panel.canvas.grab().toImage() == before


def test_what_the_mouse_is_at_is_marked_in_every_panel(open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    hover(panel, on_edge(panel, "w2", 0, 3))
    assert session.hovered == Link("w2", (0, 3))
    hover(panel, neuron(panel, "A", 2))
    assert session.hovered == Link("A", (2, 0))
    QTest.mouseMove(panel.canvas, QPoint(1, 1))
    assert session.hovered is None
    before = panel.canvas.grab().toImage()
    for link in (Link("W1", (2, 0)), Link("W1"), Link("yhat", (0, 0)), Link("b1")):  # as another panel does
        session.hover(link)
        assert panel.canvas.grab().toImage() != before
        session.hover(None)
        assert panel.canvas.grab().toImage() == before


def test_brackets_select_neurons_biases_and_edges_one_after_the_other(qtbot, open_session, show):
    session = open_session(position=9)
    panel = show(NeuronsPanel, session, 700, 300)
    panel.canvas.setFocus()
    found = []
    for _ in range(1 + 1 + 4 + 4 + 1 + 1 + 5 + 8):
        qtbot.keyClick(panel.canvas, Qt.Key.Key_BracketRight)
        found.append((session.selection, session.frame.entry))
    assert found[0] == ("X", (0, 0))
    assert len(set(found)) == len(found)
    assert {name for name, _ in found} == set(session.statics.names)
    assert panel.caption.text().startswith("w₂[0, 3] · value ")
    qtbot.keyClick(panel.canvas, Qt.Key.Key_BracketLeft)
    assert (session.selection, session.frame.entry) == ("w2", (0, 2))


def test_below_the_first_example_is_the_mean(open_session, show):
    panel = show(NeuronsPanel, open_session(), 700, 300)
    assert panel.example.minimum() == MEAN


def test_a_network_is_opened_while_hidden_and_shown_later(open_session, show):
    session = open_session(load("two-layer-nonlinear").name)
    panel = show(NeuronsPanel, session, 700, 300)
    panel.hide()
    session.open("logistic-regression")
    panel.show()
    assert "z" in panel.view.by_name


def test_two_layers_show_their_numbers_in_the_dock_of_a_small_window(open_session, show):
    session = open_session()
    formula = "h = sigmoid(W1 @ x + b1)\no = sigmoid(W2 @ h + b2)\nL = sum((t - o)**2) / 2"
    weights = {"W1": [[0.15, 0.2], [0.25, 0.3]], "W2": [[0.4, 0.45], [0.5, 0.55]], "b1": 0.35, "b2": 0.6}
    data = {"x": [[0.05], [0.1]], "t": [[0.01], [0.99]]}
    session.open_network(model_of(formula, weights, data).network)
    session.go(3)
    panel = show(NeuronsPanel, session, 467, 215)
    stacks = panel.canvas.places.stacks
    assert all(stack.has_numbers for stack in stacks)
    for stack in stacks:
        assert all(rect.width() >= NUMBER_WIDTH * len(stack.names) for rect in stack.neurons)
    part = next(column for column in panel.view.columns if column.label == "W₁ x + b₁")
    assert part.title(1) == "(W₁ x + b₁)[1, 0]"
    whole = next(column for column in panel.view.columns if column.name == "h")
    assert whole.title(1) == "h[1, 0]"
