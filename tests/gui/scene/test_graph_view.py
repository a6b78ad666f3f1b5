"""The view: real clicks, wheel, drag and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.optimizers import OPTIMIZERS
from gui.scene.edge_item import EdgeItem
from gui.scene.graph_scene import GraphScene
from gui.scene.graph_view import CAPTION_HEIGHT, FADE, KEY_HEIGHT, MOTION, GraphView
from gui.viewdata import Link, SceneView
from tests.gui.scene.scenes import Show

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(qtbot, scene) -> GraphView:
    view = GraphView(scene)
    qtbot.addWidget(view)
    view.resize(850, 440)
    view.show()
    qtbot.waitExposed(view)
    return view


def at(view: GraphView, point: QPointF) -> QPoint:
    return view.mapFromScene(point)


def wheel(view: GraphView, position: QPoint, notches: int) -> None:
    where = QPointF(position)
    event = QWheelEvent(
        where,
        QPointF(view.viewport().mapToGlobal(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


@pytest.mark.parametrize("size", [(850, 440), (1400, 700), (500, 300)])
def test_the_whole_graph_is_in_sight_between_caption_and_key(view, scene, show, size):
    view.resize(*size)
    for name in scene.view.nodes:
        rect = view.mapFromScene(scene.node_rect(name)).boundingRect()
        assert rect.left() >= 0
        assert rect.right() <= view.viewport().width()
        assert rect.top() >= CAPTION_HEIGHT - 10
        assert rect.bottom() <= view.viewport().height() - KEY_HEIGHT


def test_clicking_a_node_selects_it(view, scene, qtbot):
    with qtbot.waitSignal(scene.node_clicked) as clicked:
        qtbot.mouseClick(view.viewport(), LEFT, pos=at(view, scene.node_rect("A").center()))
    assert clicked.args == ["A"]
    assert scene.selected == "A"


def test_clicking_an_edge_selects_it(view, scene, qtbot):
    edge = next(i for i in scene.items() if isinstance(i, EdgeItem) and i.key == ("Z", "A", 0))
    with qtbot.waitSignal(scene.edge_clicked) as clicked:
        qtbot.mouseClick(view.viewport(), LEFT, pos=at(view, edge.boundingRect().center()))
    assert clicked.args == [("Z", "A", 0)]


def test_clicking_beside_everything_selects_nothing(view, scene, qtbot):
    scene.select("A")
    with qtbot.assertNotEmitted(scene.node_clicked):
        qtbot.mouseClick(view.viewport(), LEFT, pos=QPoint(view.width() // 2, CAPTION_HEIGHT + 4))
    assert scene.selected is None


def test_hovering_names_the_node(view, scene, qtbot):
    with qtbot.waitSignal(scene.pointed) as pointed:
        QTest.mouseMove(view.viewport(), at(view, scene.node_rect("Z").topLeft() + QPointF(14, 14)))
    assert pointed.args == [Link("Z")]


def test_the_wheel_zooms_about_the_pointer(view, scene):
    position = at(view, scene.node_rect("A").center())
    QTest.mouseMove(view.viewport(), position)
    before, scale = view.mapToScene(position), view.transform().m11()
    wheel(view, position, 3)
    after = view.mapToScene(position)
    assert view.transform().m11() > scale * 1.3
    assert (after - before).manhattanLength() < 6
    assert not view.is_fitted
    view.fit()
    assert view.transform().m11() == pytest.approx(scale)


def test_dragging_pans_and_is_no_click(view, scene, qtbot):
    start = at(view, scene.node_rect("A").center())
    with qtbot.assertNotEmitted(scene.node_clicked):
        QTest.mousePress(view.viewport(), LEFT, pos=start)
        for x in (10, 30, 60):
            QTest.mouseMove(view.viewport(), start + QPoint(x, 0))
        QTest.mouseRelease(view.viewport(), LEFT, pos=start + QPoint(60, 0))
    moved = at(view, scene.node_rect("A").center()) - start
    assert abs(moved.x() - 60) <= 2
    assert abs(moved.y()) <= 1


def test_it_stays_fitted_until_the_user_zooms(view, scene):
    small = view.transform().m11()
    view.resize(1400, 700)
    assert view.transform().m11() > small
    view.zoom(2)
    zoomed = view.transform().m11()
    view.resize(900, 500)
    assert view.transform().m11() == pytest.approx(zoomed)


def test_the_current_node_comes_into_sight(view, scene, show):
    view.zoom(4)
    view.centerOn(scene.node_rect("X").center())
    scene.show_step(show.after("seed", "L"))
    sight = view.viewport().rect()
    assert sight.contains(at(view, scene.node_rect("L").center()))


def test_tab_goes_through_the_nodes_and_on(view, scene, qtbot):
    view.setFocus()
    names = list(scene.view.nodes)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert scene.selected == names[0]
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert scene.selected == names[1]
    QTest.keyClick(view, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert scene.selected == names[0]


def test_readers_of_the_screen_hear_what_is_computed(view, scene, show):
    scene.show_step(show.after("backward", "A", "Z"))
    assert "is computed" in view.accessibleDescription()


def test_small_pictures_have_readable_notes(view, scene, shows):
    show = shows["scalar-operations", "equation"]
    scene.set_graph(show.scene(0), show.layout())
    for step in show.backward_scenes():
        scene.show_step(step)
        height = scene.notes.factor_rect().height() * view.transform().m11()
        assert height >= 12


def test_an_empty_view_can_be_shown(qtbot):
    scene = GraphScene()
    view = GraphView(scene)
    qtbot.addWidget(view)
    view.show()
    scene.show_step(SceneView({}, {}))
    view.grab()


# --- updates -----------------------------------------------------------------------------------------------


@pytest.fixture
def adam() -> Show:
    return Show("two-layer-nonlinear", optimizer=OPTIMIZERS["adam"], after=2)


def sight(view: GraphView) -> tuple[float, QPointF]:
    """Return the scale, and the point of the scene in the middle of the viewport."""
    return view.transform().m11(), view.mapToScene(view.viewport().rect().center())


def same_sight(one: tuple[float, QPointF], other: tuple[float, QPointF]) -> bool:
    return one[0] == pytest.approx(other[0], rel=1e-6) and (one[1] - other[1]).manhattanLength() < 3


def is_in_sight(view: GraphView, rect: QRectF) -> bool:
    """Say whether a part of the scene is between caption and key."""
    room = view.viewport().rect().adjusted(0, CAPTION_HEIGHT - 10, 0, -KEY_HEIGHT)
    return room.adjusted(-1, -1, 1, 1).contains(view.mapFromScene(rect).boundingRect().adjusted(1, 1, -1, -1))


@pytest.mark.parametrize("size", [(934, 421), (1520, 720), (500, 300)])
def test_an_update_comes_into_sight_and_the_graph_comes_back(view, scene, adam, size):
    view.resize(*size)
    scene.show_step(adam.scene(0))
    before = sight(view)
    scene.show_step(adam.update("W1", "first_moment"))
    assert is_in_sight(view, scene.lane_rect())
    assert is_in_sight(view, scene.lane.cards["step"].card_rect())
    if size != (500, 300):
        assert is_in_sight(view, scene.node_rect("W1"))
    assert view.is_fitted
    scene.show_step(adam.after("backward", "Z", "W1"))
    assert same_sight(sight(view), before)


def test_large_windows_show_graph_and_update_together(view, scene, adam):
    view.resize(1520, 720)
    scene.show_step(adam.update("b2", "step"))
    assert is_in_sight(view, scene.lane_rect())
    assert all(is_in_sight(view, scene.node_rect(name)) for name in scene.view.nodes)


def test_everything_can_be_brought_into_sight_with_an_update(view, scene, adam):
    view.resize(934, 421)
    scene.show_step(adam.update("W1", "first_moment"))
    view.fit_all()
    assert is_in_sight(view, scene.lane_rect())
    assert all(is_in_sight(view, scene.node_rect(name)) for name in scene.view.nodes)
    scene.show_step(adam.update("W1", "value"))
    assert all(is_in_sight(view, scene.node_rect(name)) for name in scene.view.nodes)


def test_what_is_in_sight_is_not_moved_to(view, scene):
    before = sight(view)
    view.bring_into_sight(scene.node_rect("Z"))
    assert same_sight(sight(view), before)
    view.zoom(4.0)
    view.bring_into_sight(scene.node_rect("L"))
    assert view.mapToScene(view.viewport().rect()).boundingRect().intersects(scene.node_rect("L"))


def test_the_view_rests_while_an_update_is_stepped_through(view, scene, adam):
    view.resize(934, 421)
    scene.show_step(adam.update("W1", "first_moment"))
    before = sight(view)
    for quantity in ("corrected_first", "step", "value", "first_moment"):
        scene.show_step(adam.update("W1", quantity))
        assert same_sight(sight(view), before)


def test_every_parameters_update_is_in_sight_in_its_turn(view, scene, adam):
    view.resize(934, 421)
    for name in adam.model.graph.parameters:
        scene.show_step(adam.update(name, "value"))
        assert is_in_sight(view, scene.lane_rect())
        assert is_in_sight(view, scene.node_rect(name))


def test_a_user_who_has_zoomed_keeps_the_zoom_and_sees_the_current_card(view, scene, adam):
    scene.show_step(adam.scene(0))
    view.zoom(2)
    view.centerOn(scene.node_rect("X").center())
    scale = sight(view)[0]
    scene.show_step(adam.update("W1", "second_moment"))
    assert sight(view)[0] == pytest.approx(scale)
    card = scene.lane.cards["second_moment"].card_rect()
    assert view.viewport().rect().contains(at(view, card.center()))
    assert not view.is_fitted


def test_motion_leads_to_the_same_sight_in_little_time(view, scene, adam, qtbot):
    view.resize(934, 421)
    scene.show_step(adam.scene(0))
    graph = sight(view)
    scene.show_step(adam.update("W1", "first_moment"))
    update = sight(view)
    scene.show_step(adam.scene(0))
    view.set_motion(True)
    scene.show_step(adam.update("W1", "first_moment"))
    assert view.is_moving
    assert not same_sight(sight(view), update)
    qtbot.waitUntil(lambda: same_sight(sight(view), update))
    scene.show_step(adam.scene(0))
    qtbot.waitUntil(lambda: same_sight(sight(view), graph))
    assert MOTION <= 400


def test_motion_can_be_interrupted(view, scene, adam, qtbot):
    view.resize(934, 421)
    scene.show_step(adam.scene(0))
    graph = sight(view)
    view.set_motion(True)
    scene.show_step(adam.update("W1", "first_moment"))
    scene.show_step(adam.scene(0))
    qtbot.waitUntil(lambda: same_sight(sight(view), graph))
    scene.show_step(adam.update("W1", "first_moment"))
    view.fit()
    assert not view.is_moving
    assert is_in_sight(view, scene.lane_rect())
    scene.show_step(adam.scene(0))
    view.zoom(1.5)
    assert not view.is_moving


def test_readers_of_the_screen_hear_which_quantity_is_computed(view, scene, adam):
    scene.show_step(adam.update("W1", "second_moment"))
    assert "is computed: the second moment of W₁" in view.accessibleDescription()


def test_what_lies_below_caption_and_key_does_not_shine_through(view, scene, adam):
    view.resize(934, 421)
    scene.show_step(adam.update("W1", "second_moment"))
    strip = view.grab(QRect(300, 0, view.width() - 300, CAPTION_HEIGHT - FADE - 1)).toImage()
    ground = scene.theme.color("canvas").rgb()
    assert all(strip.pixel(x, y) == ground for x in range(0, strip.width(), 3) for y in range(strip.height()))
