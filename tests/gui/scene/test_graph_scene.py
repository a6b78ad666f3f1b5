"""The scene as a user sees it: where notes stand, what is repainted, and what a click does."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from gui.scene.edge_item import EdgeItem, Wire
from gui.scene.graph_scene import GraphScene
from gui.scene.metrics import IN_PICTURES, ON_SCREEN
from gui.scene.node_item import NodeItem
from gui.scene.notes import Notes
from gui.theme import DARK, LIGHT
from gui.viewdata import EdgeKey, SceneView
from tests.gui.scene.conftest import NETWORKS
from tests.gui.scene.scenes import Show
from tests.helpers import model_of


def nodes(scene: GraphScene) -> dict[str, NodeItem]:
    return {item.view.name: item for item in scene.items() if isinstance(item, NodeItem)}


def edges(scene: GraphScene) -> dict[EdgeKey, EdgeItem]:
    return {item.key: item for item in scene.items() if isinstance(item, EdgeItem)}


def gradient_wire(item: EdgeItem) -> Wire:
    assert item.wires.backward is not None
    return item.wires.backward


def notes(scene: GraphScene) -> Notes:
    assert scene.notes is not None
    return scene.notes


def distance(rect: QRectF, points: list[tuple[float, float]]) -> float:
    """Return how far a rectangle is from the nearest of `points`."""
    return min(
        float(
            np.hypot(
                max(rect.left() - x, 0, x - rect.right()),
                max(rect.top() - y, 0, y - rect.bottom()),
            )
        )
        for x, y in points
    )


def points_on(corners) -> list[tuple[float, float]]:
    found = []
    for a, b in pairwise(corners):
        found += [tuple(np.add(a, t * np.subtract(b, a))) for t in np.linspace(0, 1, 40)]
    return found


FAR = {ON_SCREEN: 120, IN_PICTURES: 150}
"""A wide factor over a short wire stands above the cards, with a line to the wire."""


@pytest.mark.parametrize("letters", [ON_SCREEN, IN_PICTURES], ids=["screen", "picture"])
@pytest.mark.parametrize("detail", ["equation", "primitive"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_factor_stands_by_its_wire_and_covers_no_card(qapp, shows, name, detail, letters):
    show = shows[name, detail]
    scene = GraphScene(LIGHT, letters=letters)
    scene.set_graph(show.scene(0), show.layout(letters))
    wires = edges(scene)
    for view in show.backward_scenes():
        scene.show_step(view)
        box = notes(scene).factor_rect()
        assert not box.isEmpty()
        covered = [n for n in view.nodes if scene.node_rect(n).intersects(box)]
        assert not covered, (view.current, covered)
        labels = [arrow.label_rect for arrow in notes(scene).reads()]
        assert not any(label.intersects(box) for label in labels), view.current
        apart = [label.adjusted(-4, 0, 4, 0) for label in labels]  # words in one line do not run together
        assert not any(a.intersects(b) for a, b in combinations(apart, 2)), view.current
        if letters == IN_PICTURES:  # which is looked at closely
            assert not any(scene.node_rect(n).intersects(label) for n in view.nodes for label in labels)
        assert distance(box, points_on(gradient_wire(wires[view.current]).corners)) < FAR[letters]


def test_an_arrow_leads_from_what_is_read_to_the_factor_and_through_no_card(scene, show):
    view = show.after("backward", "A", "Z")
    scene.show_step(view)
    (arrow,) = notes(scene).reads()
    path = arrow.arc()
    start, end = path.pointAtPercent(0), path.pointAtPercent(1)
    assert scene.node_rect("A").adjusted(0, -15, 0, 0).contains(start)
    assert notes(scene).factor_rect().adjusted(-4, -4, 4, 4).contains(end)
    inner = [path.pointAtPercent(t) for t in np.linspace(0.1, 1, 50)]
    assert not any(scene.node_rect(name).contains(p) for name in view.nodes for p in inner)
    assert not any(scene.node_rect(name).intersects(arrow.label_rect) for name in view.nodes)


def test_notes_leave_when_the_step_does(scene, show):
    scene.show_step(show.after("backward", "A", "Z"))
    scene.show_step(show.after("forward", "A"))
    assert notes(scene).factor_rect().isEmpty()
    assert notes(scene).reads() == []


def test_wires_end_at_the_borders_of_their_cards(scene, show):
    for (source, target, _), item in edges(scene).items():
        for wire, ends in (
            (item.wires.forward, (source, target)),
            (gradient_wire(item), (target, source)),
        ):
            for corner, name in zip((wire.corners[0], wire.corners[-1]), ends, strict=True):
                rect = scene.node_rect(name)
                assert distance(rect, [corner]) < 0.01
                assert not rect.adjusted(0.01, 0.01, -0.01, -0.01).contains(*corner)


def test_only_what_changed_is_painted_anew(scene, show, monkeypatch):
    scene.show_step(show.scene(2))
    updated = []
    for kind in (NodeItem, EdgeItem):
        monkeypatch.setattr(kind, "update", lambda self: updated.append(self))
    scene.show_step(show.scene(2))
    assert updated == []
    scene.show_step(show.scene(3))
    # ŷ is computed: A is no longer current, Z no longer read, ŷ is, from A, w2 and b2, over three wires
    names = {item.view.name for item in updated if isinstance(item, NodeItem)}
    assert names == {"Z", "A", "yhat", "w2", "b2"}


def test_selecting_marks_one_thing_at_a_time_and_says_nothing(scene, qtbot):
    with qtbot.assertNotEmitted(scene.node_clicked):
        scene.select("A")
        scene.select(("Z", "A", 0))
    assert scene.selected == ("Z", "A", 0)
    scene.select(None)
    assert scene.selected is None


def test_another_graph_replaces_the_first(scene, shows):
    other = shows["scalar-operations", "equation"]
    scene.select("A")
    scene.set_graph(other.scene(0), other.layout(), DARK)
    assert set(nodes(scene)) == set(other.scene(0).nodes)
    assert scene.selected is None
    assert scene.theme is DARK


def test_a_theme_changes_every_colour(scene):
    def picture() -> QImage:
        image = QImage(600, 200, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        scene.paint_to(painter, QRectF(image.rect()))
        painter.end()
        return image

    before = picture()
    scene.set_theme(DARK)
    assert picture() != before
    scene.set_theme(LIGHT)
    assert picture() == before


def test_an_svg_is_made_of_paths_and_text(scene, show):
    scene.show_step(show.after("backward", "A", "Z"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setViewBox(QRectF(0, 0, 1200, 400))
    painter = QPainter(generator)
    scene.paint_to(painter, QRectF(0, 0, 1200, 400))
    painter.end()
    svg = bytes(buffer.data().data()).decode()
    assert "<image" not in svg
    assert "reads stored" in svg
    assert svg.count("<path") > 50


def chain(length: int) -> Show:
    lines = ["h0 = sin(x)", *(f"h{i} = tanh(h{i - 1} * w)" for i in range(1, length))]
    formula = "\n".join([*lines, f"L = norm(h{length - 1})**2"])
    return Show(model_of(formula, {"w": 0.5}, {"x": [[1.0, 2.0]]}))


def test_a_large_graph_is_one_item_that_can_be_clicked_and_stepped(qtbot):
    show = chain(600)
    scene = GraphScene(LIGHT)
    scene.set_graph(show.scene(0), show.layout())
    assert not nodes(scene)
    view = show.scene(show.length - 700)
    scene.show_step(view)
    assert scene.at(scene.node_rect("h300").center()) == "h300"
    assert not notes(scene).factor_rect().isEmpty()
    assert scene.current_rect().isValid()
    for size in (QSizeF(800, 80), QSizeF(100_000, 2_000)):
        image = QImage(400, 200, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        scene.paint_to(painter, QRectF(0, 0, size.width(), size.height()))
        painter.end()


def test_an_empty_scene_is_harmless(qapp):
    scene = GraphScene()
    scene.show_step(SceneView({}, {}))
    scene.select("A")
    scene.set_theme(DARK)
    assert scene.picture_rect().isEmpty()
    assert scene.current_rect().isEmpty()
