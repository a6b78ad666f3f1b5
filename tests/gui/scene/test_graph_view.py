"""The view: real clicks, wheel, drag and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.scene.edge_item import EdgeItem
from gui.scene.graph_scene import GraphScene
from gui.scene.graph_view import CAPTION_HEIGHT, KEY_HEIGHT, GraphView
from gui.viewdata import SceneView

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
    with qtbot.waitSignal(scene.node_hovered) as hovered:
        QTest.mouseMove(view.viewport(), at(view, scene.node_rect("Z").center()))
    assert hovered.args == ["Z"]


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
