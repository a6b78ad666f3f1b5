"""The update below the graph: it covers nothing, its arrows run around the cards, and little is repainted."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from graphs.layout import Layout
from graphs.network import built_in_names
from gui.scene.geometry import Geometry
from gui.scene.graph_scene import GraphScene
from gui.scene.lane import ArrowItem, Lane
from gui.scene.lane_plan import CLEAR, LanePlan
from gui.scene.metrics import CROWD
from gui.scene.node_item import NodeItem, tooltip
from gui.theme import DARK, LIGHT, PRINT, Theme, apply
from gui.viewdata import LaneView, SceneView
from tests.gui.scene.scenes import DRAG, Show
from tests.helpers import model_of

OPTIMIZERS_SHOWN = (
    OPTIMIZERS["gd"],
    OPTIMIZERS["momentum"],
    OPTIMIZERS["nesterov"],
    OPTIMIZERS["adam"],
    DRAG,
)
CASES = [(name, detail) for name in built_in_names() for detail in Detail]


@pytest.fixture
def adam() -> Show:
    return Show("two-layer-nonlinear", optimizer=OPTIMIZERS["adam"], after=3)


@pytest.fixture
def updating(qapp, adam) -> GraphScene:
    apply(qapp, LIGHT)
    scene = GraphScene(LIGHT)
    scene.set_graph(adam.scene(0), adam.layout())
    scene.show_step(adam.update("W1", "second_moment"))
    return scene


def lane_of(scene: GraphScene) -> Lane:
    assert scene.lane is not None
    return scene.lane


def view_of(scene: SceneView) -> LaneView:
    assert scene.lane is not None
    return scene.lane


def points_on(path) -> list[QPointF]:
    return [path.pointAtPercent(t) for t in np.linspace(0, 1, 60)]


def distance(rect: QRectF, point: QPointF) -> float:
    """Return how far a point is from a rectangle, 0 inside."""
    across = max(rect.left() - point.x(), 0, point.x() - rect.right())
    down = max(rect.top() - point.y(), 0, point.y() - rect.bottom())
    return float(np.hypot(across, down))


# --- places ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS_SHOWN, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize(("name", "detail"), CASES)
def test_a_lane_covers_nothing_and_its_arrows_cross_no_card(qapp, name, detail, optimizer):
    show = Show(name, detail, optimizer)
    geometry = Geometry(show.scene(0), show.layout())
    for parameter in show.model.graph.parameters:
        view = view_of(show.update(parameter))
        plan = LanePlan(view, geometry)
        graph = {node: geometry.rect(node) for node in show.statics.names}
        own = {card: plan.rect(card) for card in view.cards}
        assert not [node for node, rect in graph.items() if rect.intersects(plan.panel)]
        for card, rect in own.items():
            assert plan.panel.contains(rect)
            assert not [other for other, place in own.items() if other != card and place.intersects(rect)]
        for arrow, wire in zip(view.arrows, plan.wires, strict=True):
            ends = {arrow.source or parameter, arrow.target or parameter}
            around = {**{n: r for n, r in graph.items()}, **{f"lane {n}": r for n, r in own.items()}}
            allowed = {f"lane {n}" for n in ends if n in own} | ({parameter} if parameter in ends else set())
            crossed = {
                n
                for p in points_on(wire.line)
                for n, r in around.items()
                if n not in allowed and r.contains(p)
            }
            assert not crossed, (parameter, arrow)


def test_arrows_lead_from_what_is_read_to_what_reads_it(updating):
    lane = lane_of(updating)
    rects = {name: item.card_rect() for name, item in lane.cards.items()}
    rects[""] = updating.node_rect("W1")
    for item in lane.arrows:
        corners = [QPointF(*corner) for corner in item.wire.corners]
        for corner, name in zip(
            (corners[0], corners[-1]), (item.arrow.source, item.arrow.target), strict=True
        ):
            assert distance(rects[name], corner) < 0.01
            assert not rects[name].adjusted(0.01, 0.01, -0.01, -0.01).contains(corner)
        inside = [
            p
            for p in points_on(item.wire.line)
            for r in rects.values()
            if r.adjusted(1, 1, -1, -1).contains(p)
        ]
        assert not inside, item.arrow


PLACED = Layout(
    {"w": (0.0, 0.0), "x": (0.0, 160.0), "z": (150.0, 0.0), "L": (400.0, 100.0)},
    {
        ("w", "z", 0): ((50.0, 0.0), (100.0, 0.0)),
        ("x", "z", 1): ((50.0, 160.0), (150.0, 60.0)),
        ("z", "L", 0): ((200.0, 0.0), (350.0, 100.0)),
    },
    (-60.0, -60.0, 520.0, 280.0),
)
"""A layout in which a card stands right below the parameter's, and another at its right."""


def test_arrows_go_around_a_card_that_stands_below_the_parameters(qapp):
    show = Show(model_of("z = w * x\nL = norm(z)**2", {"w": 0.5}, {"x": [[1.0, 2.0]]}))
    geometry = Geometry(show.scene(0), PLACED)
    view = view_of(show.update("w"))
    plan = LanePlan(view, geometry)
    others = [geometry.rect(node) for node in ("x", "z", "L")]
    own = geometry.rect("w")
    for arrow, wire in zip(view.arrows, plan.wires, strict=True):
        if arrow.source and arrow.target:
            continue
        nearest = min(distance(rect, point) for rect in others for point in points_on(wire.line))
        assert nearest > CLEAR / 2, arrow
        start = QPointF(*(wire.corners[-1] if arrow.source else wire.corners[0]))
        assert distance(own, start) < 0.01


def test_nothing_of_the_graph_moves_when_an_update_comes_and_goes(updating, adam):
    picture = updating.picture_rect()
    before = {name: updating.node_rect(name) for name in adam.statics.names}
    place = updating.lane_rect()
    for quantity in ("first_moment", "step", "value", "second_moment"):
        updating.show_step(adam.update("W1", quantity))
        assert updating.lane_rect() == place
    updating.show_step(adam.scene(0))
    assert updating.lane_rect().isEmpty()
    assert updating.whole_rect() == updating.picture_rect() == picture
    assert {name: updating.node_rect(name) for name in adam.statics.names} == before


def test_the_next_iteration_moves_no_card_of_an_update(qapp):
    places = []
    for after in (1, 9, 10):
        show = Show("two-layer-nonlinear", optimizer=OPTIMIZERS["adam"], after=after)
        plan = LanePlan(view_of(show.update("w2")), Geometry(show.scene(0), show.layout()))
        places.append({name: plan.rect(name) for name in plan.cards})
    assert places[0] == places[1] == places[2]


def test_a_lane_that_is_narrow_stands_below_its_parameter(qapp):
    show = Show("two-layer-nonlinear")
    scene = GraphScene(LIGHT)
    scene.set_graph(show.scene(0), show.layout())
    for parameter in ("W1", "w2"):
        scene.show_step(show.update(parameter))
        lane, card = scene.lane_rect(), scene.node_rect(parameter)
        assert lane.left() < card.center().x() < lane.right()


# --- what is shown -----------------------------------------------------------------------------------------


def test_only_what_changed_is_painted_anew(updating, adam, monkeypatch):
    items = dict(lane_of(updating).cards)
    updated = []
    for kind in (NodeItem, ArrowItem):
        monkeypatch.setattr(kind, "update", lambda self: updated.append(self))
    updating.show_step(adam.update("W1", "second_moment"))
    assert updated == []
    updating.show_step(adam.update("W1", "corrected_first"))
    assert lane_of(updating).cards == items
    names = {item.view.name for item in updated if isinstance(item, NodeItem)}
    assert names == {"kept second_moment", "gradient", "second_moment", "first_moment", "corrected_first"}
    arrows = {(i.arrow.source, i.arrow.target) for i in updated if isinstance(i, ArrowItem)}
    assert arrows == {
        ("kept second_moment", "second_moment"),
        ("gradient", "second_moment"),
        ("first_moment", "corrected_first"),
    }


def colors(scene: GraphScene, rect: QRectF) -> set[str]:
    image = QImage(round(4 * rect.width()), round(4 * rect.height()), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    scene.render(painter, QRectF(image.rect()), rect)
    painter.end()
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32) & 0xFFFFFF
    found, counts = np.unique(pixels, return_counts=True)
    return {f"#{int(c):06x}" for c, n in zip(found, counts, strict=True) if n > 20}


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda theme: theme.name)
def test_the_current_quantity_is_lit_and_the_future_has_no_numbers(updating, theme: Theme):
    updating.set_theme(theme)
    cards = {name: item.card_rect() for name, item in lane_of(updating).cards.items()}
    now = colors(updating, cards["second_moment"])
    later = colors(updating, cards["step"])
    assert {theme.update, theme.card} <= now
    assert theme.update not in later
    assert theme.positive not in later
    assert theme.negative not in later
    assert theme.backward in colors(updating, cards["gradient"])


def test_a_card_of_an_update_stands_for_its_parameter(updating, qtbot):
    point = lane_of(updating).cards["second_moment"].card_rect().center()
    assert updating.at(point) == "W1"
    with qtbot.waitSignal(updating.node_clicked) as clicked:
        updating.activate(updating.at(point))
    assert clicked.args == ["W1"]


def test_hovering_tells_a_quantity_in_full(qapp):
    show = Show("univariate-regression", optimizer=OPTIMIZERS["momentum"], after=3)
    cards = view_of(show.update("w", "velocity")).cards
    value = float(show.update_step("w", "velocity").after)
    assert tooltip(cards["velocity"]).splitlines() == [
        "velocity of w, scalar",
        f"value {value:.8g}".replace("-", "−"),
    ]
    assert tooltip(cards["kept velocity"]).startswith("velocity of w, from iteration 2, scalar")
    assert "not computed yet" in tooltip(cards["step"])


def test_a_picture_of_an_update_shows_all_of_it(updating):
    whole = updating.whole_rect()
    assert whole.contains(updating.picture_rect())
    for item in lane_of(updating).cards.values():
        assert whole.contains(item.card_rect())
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setViewBox(QRectF(QPointF(), whole.size()))
    painter = QPainter(generator)
    updating.paint_to(painter, QRectF(QPointF(), whole.size()))
    painter.end()
    svg = bytes(buffer.data().data()).decode()
    assert "Adam updates" in svg
    assert "from iteration 2" in svg
    assert "<image" not in svg


def test_a_large_graph_has_its_updates_too(qapp):
    lines = ["h0 = sin(x)", *(f"h{i} = tanh(h{i - 1} * w)" for i in range(1, CROWD + 20))]
    formula = "\n".join([*lines, f"L = norm(h{CROWD + 19})**2"])
    show = Show(model_of(formula, {"w": 0.5}, {"x": [[1.0, 2.0]]}), optimizer=OPTIMIZERS["adam"])
    scene = GraphScene(LIGHT)
    scene.set_graph(show.scene(0), show.layout())
    scene.show_step(show.update("w", "step"))
    lane = lane_of(scene)
    assert lane.cards["step"].view.phase == "update"
    panel = scene.lane_rect()
    assert scene.at(lane.cards["step"].card_rect().center()) == "w"
    assert not any(
        scene.node_rect(name).intersects(panel.adjusted(0, 20, 0, 0)) for name in show.statics.names
    )
    scene.show_step(show.scene(0))
    assert scene.lane_rect().isEmpty()


def test_another_graph_takes_the_lane_away(updating, shows):
    other = shows["scalar-operations", "equation"]
    updating.set_graph(other.scene(0), other.layout(), DARK)
    assert updating.lane_rect().isEmpty()
    assert not lane_of(updating).cards
