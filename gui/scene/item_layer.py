"""A graph of ordinary size: one item a node, one item an edge."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QGraphicsScene

from gui.scene.edge_item import EdgeItem
from gui.scene.geometry import Geometry
from gui.scene.node_item import GlowItem, NodeItem
from gui.theme import Theme
from gui.viewdata import EdgeKey, SceneView


class ItemLayer:
    """Makes the items of a graph and hands each its record.

    Parameters
    ----------
    scene : QGraphicsScene
        Where the items are put.
    """

    def __init__(self, scene: QGraphicsScene, view: SceneView, geometry: Geometry, theme: Theme) -> None:
        self._scene = scene
        self.nodes = {name: NodeItem(node, theme) for name, node in view.nodes.items()}
        self.edges = {key: EdgeItem(edge, geometry.wires[key], theme) for key, edge in view.edges.items()}
        for name, item in self.nodes.items():
            item.setPos(geometry.places[name])
        self._glow = GlowItem(theme)
        for item in self._items():
            scene.addItem(item)

    def show(self, view: SceneView) -> None:
        """Show another step: items whose record is the same are left alone."""
        rect, phase = QRectF(), ""
        for name, node in view.nodes.items():
            self.nodes[name].set_view(node, view.phase)
            if node.phase:
                rect, phase = self.nodes[name].card_rect(), node.phase
        self._glow.set_glow(rect, phase)
        for key, edge in view.edges.items():
            self.edges[key].set_view(edge)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        for item in self._items():
            item.set_theme(theme)

    def set_selected(self, key: str | EdgeKey, selected: bool) -> None:
        """Mark a node or an edge as selected, or no longer."""
        item = self.nodes.get(key) if isinstance(key, str) else self.edges.get(key)
        if item is not None:
            item.set_selected(selected)

    def at(self, point: QPointF) -> str | EdgeKey | None:
        """Return the node or the edge at a point: nodes lie above edges."""
        mode, order = Qt.ItemSelectionMode.IntersectsItemShape, Qt.SortOrder.DescendingOrder
        for item in self._scene.items(point, mode, order, QTransform()):
            if isinstance(item, NodeItem):
                return item.view.name
            if isinstance(item, EdgeItem):
                return item.key
        return None

    def set_hovered(self, name: str) -> None:
        """Do nothing: items know for themselves when they are hovered."""

    def _items(self) -> list[NodeItem | EdgeItem | GlowItem]:
        return [self._glow, *self.edges.values(), *self.nodes.values()]
