"""A large graph as one item: rectangles and lines from afar, whole cards from near by.

Two thousand items of their own would take an eighth of a second to paint; this takes some milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice, pairwise

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from graphs.wires import APART, HALF_HEAD
from gui.groups import group, is_grouped
from gui.scene.edge_item import REACH, paint_edge
from gui.scene.geometry import Geometry
from gui.scene.metrics import canvas_font
from gui.scene.node_item import Look, paint_card, paint_glow, spoken
from gui.scene.placement import pieces, rows
from gui.theme import Theme, blend
from gui.viewdata import EdgeKey, EdgeView, Link, NodeView, SceneView

NEAR = 0.45
"""From this scale on whole cards are painted, if there are not too many in sight."""
FEW = 150
MANY = 100
"""Changes up to which each place is painted anew by itself."""
NAMES = 0.12
"""From this scale on rectangles bear names."""
ASIDE = REACH + HALF_HEAD + APART / 2
"""Scene units to either side of the line between two cards that painting its arrows may touch."""


class CrowdItem(QGraphicsItem):
    """Paints all nodes and edges that lie in the exposed part."""

    def __init__(self, scene: QGraphicsScene, view: SceneView, geometry: Geometry, theme: Theme) -> None:
        super().__init__()
        self._view = view
        self._geometry = geometry
        self._theme = theme
        self._selected: str | EdgeKey | None = None
        self._hovered = ""
        self._names = list(view.nodes)
        self._keys = list(view.edges)
        self._card_rows = rows([geometry.bounds(name) for name in self._names])
        self._edge_rows, self._owners = pieces(geometry.lines, 2 * ASIDE)  # a row for each piece of an edge
        self._lines: dict[int, list[QLineF]] = {}  # of edges from afar, made when they are first painted
        self._bounds = _union(np.vstack([self._card_rows, self._edge_rows]))
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        scene.addItem(self)

    def show(self, view: SceneView) -> None:  # type: ignore[override]  # a layer shows a step
        """Show another step: only where something changed is painted anew."""
        before, self._view = self._view, view
        rects = list(islice(self._changed(before, view), MANY + 1))
        if len(rects) > MANY:
            self.update()
            return
        for rect in rects:
            self.update(rect)

    def _changed(self, before: SceneView, view: SceneView) -> Iterator[QRectF]:
        """Yield where another step is to be seen."""
        for i, name in enumerate(self._names):
            old, new = before.nodes[name], view.nodes[name]
            if (new is not old and not new.same(old)) or (new.part and before.phase != view.phase):
                yield _rect(self._card_rows[i])
        for i, key in enumerate(self._keys):
            if view.edges[key] is not before.edges[key] and view.edges[key] != before.edges[key]:
                start, end = np.searchsorted(self._owners, (i, i + 1))
                yield _union(self._edge_rows[start:end])

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def set_selected(self, key: str | EdgeKey, selected: bool) -> None:
        """Mark a node or an edge as selected, or no longer."""
        self._selected = key if selected else None
        self.update()

    def set_linked(self, link: Link | None) -> None:
        """Mark the node that is pointed at, here or in another panel."""
        before, self._hovered = self._hovered, link.name if link is not None else ""
        for changed in {self._hovered, before} & self._view.nodes.keys():
            self.update(self._geometry.rect(changed).adjusted(-4, -4, 4, 4))

    def set_marked(self, nodes: Mapping[str, frozenset[str]], edges: Collection[EdgeKey]) -> None:
        """Point at nothing: a graph of so many nodes is not what a lesson shows."""

    def link_at(self, point: QPointF) -> Link | None:
        """Return the node at a point, None where there is none."""
        found = self.at(point)
        return Link(found) if isinstance(found, str) else None

    def at(self, point: QPointF) -> str | EdgeKey | None:
        """Return the node or the edge at a point."""
        spot = QRectF(point, point).adjusted(-REACH, -REACH, REACH, REACH)
        for i in self._in(self._card_rows, spot):
            if self._geometry.rect(self._names[i]).contains(point):
                return self._names[i]
        for i in self._edges_in(spot):
            if _distance(self._geometry.wires[self._keys[i]].forward.corners, point) <= REACH:
                return self._keys[i]
        return None

    @staticmethod
    def _in(rects: np.ndarray, area: QRectF) -> list[int]:
        left, top, right, bottom = rects.T
        found = (left <= area.right()) & (right >= area.left())
        found &= (top <= area.bottom()) & (bottom >= area.top())
        return np.flatnonzero(found).tolist()

    def _edges_in(self, area: QRectF) -> list[int]:
        """Return the edges that run through an area, by number."""
        return np.unique(self._owners[self._in(self._edge_rows, area)]).tolist()

    def _look(self, name: str) -> Look:
        return Look(self._view.phase, selected=name == self._selected, hovered=name == self._hovered)

    def _paint_near(self, painter: QPainter, nodes: list[int], edges: list[int]) -> None:
        for name in (self._names[i] for i in nodes):
            if self._view.nodes[name].phase:
                paint_glow(painter, self._geometry.rect(name), self._view.nodes[name].phase, self._theme)
        near = self._near_edges(nodes, edges)
        self._paint_lines(painter, sorted({*edges}.difference(near)))
        for key in (self._keys[i] for i in near):
            marked = key == self._selected
            paint_edge(painter, self._geometry.wires[key], self._view.edges[key], self._theme, marked)
        for name in (self._names[i] for i in nodes):
            painter.save()
            painter.translate(self._geometry.places[name])
            card = self._geometry.cards[name]
            paint_card(painter, card, self._view.nodes[name], self._theme, self._look(name))
            painter.restore()

    def _near_edges(self, nodes: list[int], edges: list[int]) -> list[int]:
        """Return the edges painted as arrows; what only passes by, or is one of too many, is a line."""
        seen = {self._names[i] for i in nodes}
        ends = {i: sum(name in seen for name in self._keys[i][:2]) for i in edges}
        reaching = [i for i in edges if ends[i]]
        if len(reaching) <= 2 * FEW:
            return reaching
        return [i for i in reaching if ends[i] == 2 or self._view.edges[self._keys[i]].current]

    def _paint_far(self, painter: QPainter, nodes: list[int], edges: list[int], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._paint_lines(painter, edges)
        groups: dict[tuple[str, str, float], list[QRectF]] = {}
        for name in (self._names[i] for i in nodes):
            style = self._far_style(self._view.nodes[name], name == self._selected)
            groups.setdefault(style, []).append(self._geometry.rect(name))
        for (fill, border, width), rects in groups.items():
            painter.setBrush(self._theme.color(fill))
            pen = QPen(self._theme.color(border), width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawRects(rects)
        if scale >= NAMES and len(nodes) <= 4 * FEW:
            self._paint_names(painter, nodes, scale)

    def _paint_apart(self, painter: QPainter, nodes: list[int], edges: list[int]) -> None:
        """Paint as from afar, but each part by itself and named, for a file whose parts can be found."""
        for i in edges:
            source, target, slot = self._keys[i]
            with group(painter, f"edge-{source}-{target}-{slot}", f"{source} to {target}"):
                self._paint_lines(painter, [i])
        for i in nodes:
            name = self._names[i]
            fill, border, width = self._far_style(self._view.nodes[name], name == self._selected)
            with group(painter, f"node-{name}", name, spoken(self._view.nodes[name])):
                painter.setBrush(self._theme.color(fill))
                painter.setPen(QPen(self._theme.color(border), width))
                painter.drawRect(self._geometry.rect(name))
                self._paint_names(painter, [i], 1.0)

    def _far_style(self, node: NodeView, selected: bool) -> tuple[str, str, float]:
        """Return fill, border and its width: what is known from afar is how far the timeline has come."""
        if selected:
            return "selection", "focus", 2.0
        if node.phase:
            return "factor_background" if node.phase == "backward" else "info_background", node.phase, 2.5
        fill = "canvas" if node.value is None else "card"
        if node.gradient is not None:
            return fill, "backward", 1.0
        return fill, "card_border" if node.value is None else "forward", 1.0

    def _paint_lines(self, painter: QPainter, edges: list[int]) -> None:
        groups: dict[tuple[str, float, float], list[QLineF]] = {}
        for i in edges:
            groups.setdefault(_line_style(self._view.edges[self._keys[i]]), []).extend(self._line(i))
        for (role, amount, width), lines in groups.items():
            pen = QPen(blend(getattr(self._theme, role), self._theme.canvas, amount), width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(lines)

    def _line(self, i: int) -> list[QLineF]:
        found = self._lines.get(i)
        if found is None:
            corners = [QPointF(*corner) for corner in self._geometry.lines[i]]
            found = self._lines[i] = [QLineF(a, b) for a, b in pairwise(corners)]
        return found

    def _paint_names(self, painter: QPainter, nodes: list[int], scale: float) -> None:
        font = QFont(canvas_font("label"))  # its own: cards are measured with the shared one
        font.setPixelSize(round(11 / scale))
        painter.setFont(font)
        for name in (self._names[i] for i in nodes):
            future = self._view.nodes[name].value is None
            painter.setPen(self._theme.color("disabled" if future else "text"))
            painter.drawText(self._geometry.rect(name), Qt.AlignmentFlag.AlignCenter, name)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()  # the pointer is looked after by `at`

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        exposed = option.exposedRect  # type: ignore[attr-defined]
        scale = option.levelOfDetailFromTransform(painter.worldTransform())
        nodes, edges = self._in(self._card_rows, exposed), self._edges_in(exposed)
        if scale >= NEAR and len(nodes) <= FEW:
            self._paint_near(painter, nodes, edges)
        elif is_grouped(painter):
            self._paint_apart(painter, nodes, edges)
        else:
            self._paint_far(painter, nodes, edges, scale)


def _line_style(edge: EdgeView) -> tuple[str, float, float]:
    if edge.current:
        return edge.current, 1.0, 2.5
    if edge.backward:
        return "backward", 0.5, 1.0
    return ("forward", 0.7, 1.0) if edge.forward else ("muted", 0.35, 1.0)


def _rect(row: np.ndarray) -> QRectF:
    left, top, right, bottom = row.tolist()
    return QRectF(QPointF(left, top), QPointF(right, bottom))


def _union(rects: np.ndarray) -> QRectF:
    if not len(rects):
        return QRectF()
    return _rect(np.concatenate([rects[:, :2].min(axis=0), rects[:, 2:].max(axis=0)]))


def _distance(corners: tuple[tuple[float, float], ...], point: QPointF) -> float:
    """Return how far a point is from a line of straight pieces."""
    ends = np.asarray(corners)
    start, way = ends[:-1], np.diff(ends, axis=0)
    to = np.array([point.x(), point.y()]) - start
    share = np.clip((to * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-9), 0, 1)
    return float(np.hypot(*(to - share[:, None] * way).T).min())
