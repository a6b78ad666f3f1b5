"""The notes of the current step: the factor on its wire, and the arrows from the values it reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsScene

from gui.scene.edge_item import wire_bounds
from gui.scene.equation_item import EquationItem
from gui.scene.geometry import Geometry
from gui.scene.node_item import bookmark_top
from gui.scene.placement import Spot, arc_around, label_beside, rows, spot_beside
from gui.scene.reads_item import FEW_WORDS, WORDS, ReadsItem, label_size
from gui.theme import Theme
from gui.viewdata import EdgeKey, SceneView

Array = np.ndarray

FACTOR_SIZE = 16.0
READABLE = 13.0
"""Pixels on the screen that a factor should have; in a small picture it is enlarged to reach them."""
LARGEST = 2.25
BESIDE = 10.0
"""Between the words of two arrows that stand in one line, in the scene's units."""
MANY = 2
"""Of more arrows than these each has fewer words."""


class Notes:
    """Places the factor's box and the arrows of reading; places once found are remembered.

    Parameters
    ----------
    scene : QGraphicsScene
        Where the notes are put.
    """

    def __init__(self, scene: QGraphicsScene, geometry: Geometry, theme: Theme) -> None:
        self._scene = scene
        self._geometry = geometry
        self._theme = theme
        self._scale = geometry.letters.notes
        self._spots: dict[tuple[EdgeKey, str, float], Spot] = {}
        self._arcs: dict[tuple[object, ...], list[tuple[Array, QRectF]]] = {}
        self._shown: tuple[object, ...] = ()
        self._reads: list[ReadsItem] = []
        self._factor = EquationItem(theme, "", FACTOR_SIZE, "backward", "backward")
        self._factor.setZValue(1.0)
        self._factor.hide()
        self._leader = QGraphicsLineItem()
        self._leader.setZValue(0.5)
        self._leader.hide()
        scene.addItem(self._leader)
        scene.addItem(self._factor)

    def show(self, view: SceneView) -> None:
        """Show the notes of a step; the same ones again cost nothing."""
        edge = view.edges.get(view.current) if view.current else None
        latex = edge.factor if edge and edge.current == "backward" else ""
        wanted = (view.current, latex, view.reads, self._scale)
        if wanted == self._shown:
            return
        self._shown = wanted
        self._clear_reads()
        self._factor.setVisible(bool(latex))
        self._leader.setVisible(bool(latex))
        if latex and view.current:
            self._place_reads(view, self._place_factor(view.current, latex))

    def set_zoom(self, zoom: float, view: SceneView) -> None:
        """Enlarge the notes where the whole picture is small; in few steps, so that they seldom move."""
        wanted = READABLE / (FACTOR_SIZE * zoom)
        scale = min(LARGEST, max(self._geometry.letters.notes, round(wanted * 4 - 0.25) / 4))
        if scale != self._scale:
            self._scale = scale
            self.show(view)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self._factor.set_theme(theme)
        self._leader.setPen(QPen(theme.color("backward"), 1.2))
        for item in self._reads:
            item.set_theme(theme)

    def factor_rect(self) -> QRectF:
        """Return where the factor's box stands, empty where there is none."""
        return self._factor.mapRectToScene(self._factor.box()) if self._factor.isVisible() else QRectF()

    def reads(self) -> list[ReadsItem]:
        """Return the arrows of reading."""
        return list(self._reads)

    def area(self) -> QRectF:
        """Return all that the notes are painted on."""
        area = self.factor_rect()
        for item in self._reads:
            area = area.united(item.sceneBoundingRect())
        return area

    def _place_factor(self, key: EdgeKey, latex: str) -> Spot:
        self._factor.set_latex(latex, "backward")
        known = (key, latex, self._scale)
        spot = self._spots.get(known)
        if spot is None:
            spot = self._spots[known] = self._spot(key)
        self._factor.setScale(spot.scale * self._scale)
        self._factor.setPos(spot.center)
        # From afar, a line says to which wire the factor belongs; near by, the box hides it.
        self._leader.setLine(QLineF(spot.foot, spot.center))
        self._leader.setPen(QPen(self._theme.color("backward"), 1.2))
        return spot

    def _spot(self, key: EdgeKey) -> Spot:
        both = self._geometry.wires[key]
        line = (both.backward or both.forward).corners
        around = self._geometry.around(wire_bounds(both), without=key, with_marks=True)
        return spot_beside(line, self._factor.box().size() * self._scale, around)

    def _place_reads(self, view: SceneView, spot: Spot) -> None:
        words = WORDS if len(view.reads) <= MANY else FEW_WORDS
        titles = [view.nodes[name].title for name in view.reads]
        known = (view.current, view.reads, self._scale)
        if known not in self._arcs:
            self._arcs[known] = self._arcs_to(spot.rect, view.reads, words, titles)
        for (curve, label), title in zip(self._arcs[known], titles, strict=True):
            item = ReadsItem(curve, label, words, title, self._scale, self._theme)
            self._scene.addItem(item)
            self._reads.append(item)

    def _arcs_to(
        self, box: QRectF, names: Sequence[str], words: str, titles: Sequence[str]
    ) -> list[tuple[Array, QRectF]]:
        """Draw all arcs first, then find room for the words between them."""
        cards, places = self._geometry.cards, self._geometry.places
        starts = [places[name] + bookmark_top(cards[name]) for name in names]
        area = box.united(_around(rows([QRectF(point, point) for point in starts])))
        around = self._geometry.around(area)
        curves = [arc_around(start, box, around) for start in starts]
        off_marks = self._geometry.around(area, with_marks=True)
        taken = [box]
        for curve, title in zip(curves, titles, strict=True):
            size = label_size(words, title, self._scale)
            off = rows([rect.adjusted(-BESIDE, 0, BESIDE, 0) for rect in taken])
            taken.append(label_beside(curve, size, off_marks.with_cards(off), curves))
        return list(zip(curves, taken[1:], strict=True))

    def _clear_reads(self) -> None:
        for item in self._reads:
            self._scene.removeItem(item)
        self._reads = []


def _around(rects: Array) -> QRectF:
    if not len(rects):
        return QRectF()
    left, top = rects[:, :2].min(axis=0).tolist()
    right, bottom = rects[:, 2:].max(axis=0).tolist()
    return QRectF(left, top, right - left, bottom - top)
