"""The notes of the current step: the factor on its wire, and the arrows from the values it reads."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QGraphicsScene

from gui.scene.edge_item import wire_bounds
from gui.scene.equation_item import EquationItem
from gui.scene.geometry import Geometry
from gui.scene.node_item import bookmark_top
from gui.scene.placement import Spot, spot_beside
from gui.scene.reads_item import ReadsItem
from gui.theme import Theme
from gui.viewdata import EdgeKey, SceneView

FACTOR_SIZE = 17.0


class Notes:
    """Places the factor's box and the arrows of reading; a spot once found is remembered.

    Parameters
    ----------
    scene : QGraphicsScene
        Where the notes are put.
    """

    def __init__(self, scene: QGraphicsScene, geometry: Geometry, theme: Theme) -> None:
        self._scene = scene
        self._geometry = geometry
        self._theme = theme
        self._spots: dict[tuple[EdgeKey, str], Spot] = {}
        self._shown: tuple[object, ...] = ()
        self._reads: list[ReadsItem] = []
        self._factor = EquationItem(theme, "", FACTOR_SIZE, "backward", "backward")
        self._factor.setZValue(1.0)
        self._factor.hide()
        scene.addItem(self._factor)

    def show(self, view: SceneView) -> None:
        """Show the notes of a step; the same ones again cost nothing."""
        edge = view.edges.get(view.current) if view.current else None
        latex = edge.factor if edge and edge.current == "backward" else ""
        if (view.current, latex, view.reads) == self._shown:
            return
        self._shown = (view.current, latex, view.reads)
        self._clear_reads()
        self._factor.setVisible(bool(latex))
        if latex and view.current:
            spot = self._place_factor(view.current, latex)
            self._place_reads(view, spot)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self._factor.set_theme(theme)
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
        spot = self._spots.get((key, latex))
        if spot is None:
            spot = self._spots[key, latex] = self._spot(key)
        self._factor.setScale(spot.scale)
        self._factor.setPos(spot.center)
        return spot

    def _spot(self, key: EdgeKey) -> Spot:
        both = self._geometry.wires[key]
        line = (both.backward or both.forward).corners
        around = self._geometry.around(wire_bounds(both), without=key)
        return spot_beside(line, self._factor.box().size(), around)

    def _place_reads(self, view: SceneView, spot: Spot) -> None:
        taken = [spot.rect]
        for name in view.reads:
            start = self._geometry.places[name] + bookmark_top(self._geometry.cards[name])
            around = self._geometry.around(QRectF(start, spot.center).normalized())
            item = ReadsItem(start, spot.rect, view.nodes[name].title, around, taken, self._theme)
            taken.append(item.label_rect)
            self._scene.addItem(item)
            self._reads.append(item)

    def _clear_reads(self) -> None:
        for item in self._reads:
            self._scene.removeItem(item)
        self._reads = []
