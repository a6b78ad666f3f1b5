"""A graph of ordinary size: one item a node, one item an edge."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QGraphicsScene

from gui.scene.edge_item import EdgeItem
from gui.scene.geometry import Geometry
from gui.scene.node_item import GlowItem, NodeItem
from gui.theme import Theme
from gui.viewdata import EdgeKey, Link, SceneView


class ItemLayer:
    """Makes the items of a graph and hands each its record.

    Parameters
    ----------
    scene : QGraphicsScene
        Where the items are put.
    """

    def __init__(self, scene: QGraphicsScene, view: SceneView, geometry: Geometry, theme: Theme) -> None:
        self._scene = scene
        self.nodes = {name: NodeItem(node, theme, geometry.letters) for name, node in view.nodes.items()}
        self.edges = {key: EdgeItem(edge, geometry.wires[key], theme) for key, edge in view.edges.items()}
        for name, item in self.nodes.items():
            item.setPos(geometry.places[name])
        self._linked = ""
        self._marked: dict[str, frozenset[str]] = {}
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

    def set_linked(self, link: Link | None) -> None:
        """Mark the node that is pointed at, here or in another panel."""
        before, self._linked = self._linked, link.name if link is not None else ""
        for name in {before, self._linked} & self.nodes.keys():
            self.nodes[name].set_linked(link if name == self._linked else None)

    def set_marked(self, nodes: Mapping[str, frozenset[str]], edges: Collection[EdgeKey]) -> None:
        """Point at these cards, or their gradients, and at these edges; at nothing else."""
        for name in {*self._marked, *nodes} & self.nodes.keys():
            self.nodes[name].set_marked(nodes.get(name, frozenset()))
        for key, item in self.edges.items():
            item.set_marked(key in edges)
        self._marked = dict(nodes)

    def link_at(self, point: QPointF) -> Link | None:
        """Return what the node at a point shows there, None where there is no node."""
        found = self.at(point)
        return self.nodes[found].link_at(point) if isinstance(found, str) else None

    def _items(self) -> list[NodeItem | EdgeItem | GlowItem]:
        return [self._glow, *self.edges.values(), *self.nodes.values()]
