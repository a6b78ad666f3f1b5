"""The graph as a picture that is built once and then only repainted where a step changed something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QGraphicsScene, QGraphicsSceneMouseEvent

from gui.scene.crowd_item import CrowdItem
from gui.scene.edge_item import wire_bounds
from gui.scene.geometry import MARGIN, Geometry, Placement
from gui.scene.item_layer import ItemLayer
from gui.scene.lane import Lane
from gui.scene.metrics import CROWD, ON_SCREEN, Letters, node_size
from gui.scene.notes import Notes
from gui.theme import LIGHT, Theme
from gui.viewdata import EdgeKey, Link, SceneView

__all__ = ["CROWD", "GraphScene", "Placement", "node_size"]

LEFT_BUTTON = Qt.MouseButton.LeftButton


class GraphScene(QGraphicsScene):
    """Shows a `SceneView`; knows nothing of where it comes from.

    Signals
    -------
    node_clicked(str), edge_clicked(object)
        The node's name; the edge's key.
    pointed(object)
        The `Link` to what is under the pointer, None for nothing.
    entry_clicked(object)
        The number of a parameter or an input that was clicked on its card, as a `Link`; after `node_clicked`.
    edit_requested(object)
        What was double-clicked, as a `Link`.
    scrubbed(str, object, float), scrub_ended(bool)
        A number is dragged on its card: node, entry, the number; the drag is over, and whether it is kept.
    graph_changed()
        Another graph is shown.
    step_shown()
        Another step is shown: `view` and `current_rect` have changed.
    theme_changed()
        `theme` has changed.
    """

    node_clicked = Signal(str)
    edge_clicked = Signal(object)
    pointed = Signal(object)
    entry_clicked = Signal(object)
    edit_requested = Signal(object)
    scrubbed = Signal(str, object, float)
    scrub_ended = Signal(bool)
    graph_changed = Signal()
    step_shown = Signal()
    theme_changed = Signal()

    def __init__(
        self, theme: Theme = LIGHT, parent: QObject | None = None, letters: Letters = ON_SCREEN
    ) -> None:
        super().__init__(parent)
        self._letters = letters
        self._spoken: tuple[str, ...] = ()  # the nodes that are pointed at
        self._theme = theme
        self._view = SceneView({}, {})
        self._geometry: Geometry | None = None
        self._layer: ItemLayer | CrowdItem | None = None
        self._notes: Notes | None = None
        self._lane: Lane | None = None
        self._selected: str | EdgeKey | None = None
        self._pointed: Link | None = None
        # Items do not move and are few: an index would cost more than it saves.
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setBackgroundBrush(theme.color("canvas"))

    @property
    def view(self) -> SceneView:
        """What is shown."""
        return self._view

    @property
    def theme(self) -> Theme:
        """In which theme it is painted."""
        return self._theme

    @property
    def notes(self) -> Notes | None:
        """The factor and the arrows of reading; None before there is a graph."""
        return self._notes

    @property
    def lane(self) -> Lane | None:
        """The update that continues the graph; None before there is a graph."""
        return self._lane

    @property
    def selected(self) -> str | EdgeKey | None:
        """The node or edge that is selected."""
        return self._selected

    @property
    def letters(self) -> Letters:
        """How large the small texts on its cards are."""
        return self._letters

    def set_letters(self, letters: Letters) -> None:
        """Write the next graph that is shown with other letters."""
        self._letters = letters

    def set_graph(self, view: SceneView, layout: Placement, theme: Theme | None = None) -> None:
        """Show another graph, at the step that `view` is of."""
        self._theme = theme or self._theme
        self.clear()
        self.setBackgroundBrush(self._theme.color("canvas"))
        self._selected, self._pointed = None, None
        self._view = view  # before anyone is told: who listens asks for the view
        self._geometry = Geometry(view, layout, self._letters)
        layer = CrowdItem if len(view.nodes) > CROWD else ItemLayer
        self._layer = layer(self, view, self._geometry, self._theme)
        self._notes = Notes(self, self._geometry, self._theme)
        self._lane = Lane(self, self._geometry, self._theme)
        self.setSceneRect(self.picture_rect())
        self.graph_changed.emit()
        self.show_step(view)

    def show_step(self, view: SceneView) -> None:
        """Show another step of the same graph; only what changed is painted anew."""
        if self._layer is None or self._notes is None or self._lane is None:
            return
        self._view = view
        self._layer.show(view)
        self._notes.show(view)
        self._lane.show(view.lane)
        self.step_shown.emit()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.setBackgroundBrush(theme.color("canvas"))
        for part in (self._layer, self._notes, self._lane):
            if part is not None:
                part.set_theme(theme)
        self.theme_changed.emit()

    def select(self, key: str | EdgeKey | None) -> None:
        """Mark a node by name or an edge by key as selected; None for nothing. Sends no signal."""
        before, self._selected = self._selected, key
        if self._layer is None or before == key:
            return
        for changed, selected in ((before, False), (key, True)):
            if changed is not None:
                self._layer.set_selected(changed, selected)

    def activate(self, key: str | EdgeKey | None) -> None:
        """Select what the user points at, and say so."""
        self.select(key)
        if isinstance(key, str):
            self.node_clicked.emit(key)
        elif key is not None:
            self.edge_clicked.emit(key)

    def neighbour(self, step: int) -> str | None:
        """Return the node `step` places after the selected one in the graph's order; None past an end."""
        names = list(self._view.nodes)
        at = names.index(self._selected) if self._selected in names else (-1 if step > 0 else len(names))
        return names[at + step] if 0 <= at + step < len(names) else None

    def node_rect(self, name: str) -> QRectF:
        """Return the outline of a node's card."""
        return self._geometry.rect(name) if self._geometry else QRectF()

    def edge_rect(self, key: EdgeKey) -> QRectF:
        """Return the outline of an edge's two arrows."""
        return wire_bounds(self._geometry.wires[key]) if self._geometry else QRectF()

    def current_rects(self) -> list[QRectF]:
        """Return what the current step is about: factor, update, nodes that change or take part."""
        found = [self._notes.factor_rect()] if self._notes else []
        if self._lane is not None:
            found.append(self._lane.current_rect())
        found += [self.node_rect(name) for name, node in self._view.nodes.items() if node.phase or node.part]
        return [rect for rect in found if not rect.isEmpty()]

    def current_rect(self) -> QRectF:
        """Return the outline of all that the current step is about."""
        return reduce(QRectF.united, self.current_rects(), QRectF())

    def step_rects(self) -> list[QRectF]:
        """Return the cards that a step changes, those that it reads, the nearest first, and its notes."""
        nodes = self._view.nodes.items()
        changed = [self.node_rect(name) for name, node in nodes if node.phase]
        others = [self.node_rect(name) for name, node in nodes if not node.phase and (node.part or node.read)]
        if changed:
            others.sort(key=lambda rect: QLineF(rect.center(), changed[0].center()).length())
        found = [*changed, *others, self.notes_rect()] if changed else []
        return [rect for rect in found if not rect.isEmpty()]

    def picture_rect(self) -> QRectF:
        """Return what a picture of the whole graph shows; the same at every step."""
        return QRectF(self._geometry.picture) if self._geometry else QRectF()

    def parameters_rect(self) -> QRectF:
        """Return the outline of all parameters' cards."""
        return QRectF(self._geometry.parameters) if self._geometry else QRectF()

    def notes_rect(self) -> QRectF:
        """Return where the factor and the arrows of reading stand, empty where there are none."""
        return self._notes.area() if self._notes else QRectF()

    def lane_rect(self) -> QRectF:
        """Return where the update that is shown stands, empty where none is."""
        return self._lane.area() if self._lane else QRectF()

    def whole_rect(self) -> QRectF:
        """Return what a picture of this step shows: the graph, and the update that continues it."""
        lane = self.lane_rect()
        if lane.isEmpty():
            return self.picture_rect()
        return self.picture_rect().united(lane.adjusted(-MARGIN, 0, MARGIN, MARGIN))

    def drawn_rect(self) -> QRectF:
        """Return all that is drawn at this step: its notes may reach out of the whole picture."""
        return self.whole_rect().united(self.notes_rect())

    def paint_to(self, painter: QPainter, target: QRectF, source: QRectF | None = None) -> None:
        """Paint the whole picture, or the part in `source`, into a rectangle, as large as it fits."""
        source = source or self.drawn_rect()
        self.render(painter, target, source, Qt.AspectRatioMode.KeepAspectRatio)

    def set_zoom(self, zoom: float) -> None:
        """Let the notes be readable at the scale at which the picture is looked at."""
        if self._notes is not None:
            self._notes.set_zoom(zoom, self._view)

    def at(self, point: QPointF) -> str | EdgeKey | None:
        """Return the name of the node, or the key of the edge, at a point of the scene.

        A card of an update stands for its parameter.
        """
        if self._lane is not None and self._lane.holds(point):
            return self._lane.parameter
        return self._layer.at(point) if self._layer else None

    def leave(self) -> None:
        """Let the pointer be gone."""
        self._point_at(None)

    def set_linked(self, link: Link | None) -> None:
        """Mark what is pointed at, here or in another panel."""
        if self._layer is not None:
            self._layer.set_linked(link)

    def set_marked(self, names: Sequence[str]) -> None:
        """Point at nodes, gradients (``d_A``) and edges (``A -> yhat``), and at nothing else."""
        nodes: dict[str, frozenset[str]] = {}
        edges = set()
        for name in names:
            ends = tuple(part.strip() for part in re.split("->|→", name))
            if len(ends) == 2:
                edges |= {key for key in self._view.edges if key[:2] == ends}
            elif name in self._view.nodes:
                nodes[name] = nodes.get(name, frozenset()) | {"value"}
            elif name.startswith("d_") and name[2:] in self._view.nodes:
                nodes[name[2:]] = nodes.get(name[2:], frozenset()) | {"gradient"}
        self._spoken = tuple(nodes)
        if self._layer is not None:
            self._layer.set_marked(nodes, edges)

    def spoken_of(self) -> list[QRectF]:
        """Return where the cards are that are pointed at; where none is, all that the step is about."""
        found = [name for name in self._spoken if name in self._view.nodes]
        if found:
            return [self.node_rect(name) for name in found]
        cards = [self.node_rect(n) for n, node in self._view.nodes.items() if node.phase or node.part]
        wire, notes = self._current_wire(), self.notes_rect()
        return [*cards, *(rect for rect in (wire, notes) if not rect.isEmpty())]

    def _current_wire(self) -> QRectF:
        """Return what the arrows of the step's edge are painted on, empty where it has none."""
        if self._geometry is None or self._view.current is None:
            return QRectF()
        return wire_bounds(self._geometry.wires[self._view.current])

    def _point_at(self, link: Link | None) -> None:
        if link != self._pointed:
            self._pointed = link
            self.pointed.emit(link)

    def number_at(self, point: QPointF) -> Link | None:
        """Return the number on a card that can be dragged there: of a parameter or an input, if it is one."""
        link = self._entry_at(point)
        value = self._view.nodes[link.name].value if link is not None else None
        return link if value is not None and value.size == 1 else None

    def _entry_at(self, point: QPointF) -> Link | None:
        """Return the number of a parameter or an input at a point."""
        link = self._link_at(point)
        node = self._view.nodes.get(link.name) if link is not None else None
        if link is None or node is None or link.entry is None or link.part != "value":
            return None
        return link if node.kind in ("parameter", "input") and node.value is not None else None

    def _link_at(self, point: QPointF) -> Link | None:
        if self._lane is not None and self._lane.holds(point):
            return Link(self._lane.parameter)
        return self._layer.link_at(point) if self._layer is not None else None

    # Qt

    def mouseMoveEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not event.buttons():
            self._point_at(self._link_at(event.scenePos()))

    def mouseDoubleClickEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        link = self._link_at(event.scenePos())
        if event.button() == LEFT_BUTTON and link is not None:
            self.edit_requested.emit(link)

    def mouseReleaseEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        moved = event.screenPos() - event.buttonDownScreenPos(LEFT_BUTTON)
        is_click = moved.manhattanLength() < QApplication.startDragDistance()
        if event.button() == LEFT_BUTTON and is_click:
            self.activate(self.at(event.scenePos()))
            link = self._entry_at(event.scenePos())
            if link is not None:
                self.entry_clicked.emit(link)
