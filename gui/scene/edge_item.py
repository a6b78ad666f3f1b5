"""One edge as two wires side by side: values run forward on one, gradients come back on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from graphs.wires import APART, HALF_HEAD, Arrow, Point, arrows
from gui.groups import group
from gui.theme import Theme, blend
from gui.viewdata import EdgeKey, EdgeView

REACH = 8.0
"""How far from a wire's middle line anything is painted, or a click counts."""
WIDTHS = {"future": 1.2, "past": 1.7, "current": 3.0}


@dataclass(frozen=True)
class Wire:
    """One arrow: the line up to its head, the head, and the corners it was made from."""

    line: QPainterPath
    head: QPolygonF
    corners: tuple[Point, ...]


@dataclass(frozen=True)
class Wires:
    """Both arrows of an edge; `backward` is None where no gradient ever flows."""

    forward: Wire
    backward: Wire | None


class EdgeItem(QGraphicsItem):
    """An edge in scene coordinates; what it shows is an `EdgeView`.

    Parameters
    ----------
    view : EdgeView
    both : Wires
        The two arrows, in scene coordinates.
    theme : Theme
    """

    def __init__(
        self,
        view: EdgeView,
        both: Wires,
        theme: Theme,
        parent: QGraphicsItem | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._theme = theme
        self._wires = both
        self._bounds = wire_bounds(both)
        self._selected = self._marked = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._stack()

    @property
    def key(self) -> EdgeKey:
        """Source, target and input slot."""
        return self._view.key

    @property
    def view(self) -> EdgeView:
        """What is shown."""
        return self._view

    @property
    def wires(self) -> Wires:
        """Both arrows, in scene coordinates."""
        return self._wires

    def set_view(self, view: EdgeView) -> bool:
        """Show another record; return whether anything had to be painted anew."""
        if view == self._view:
            return False
        self._view = view
        self._stack()
        self.update()
        return True

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def set_selected(self, selected: bool) -> None:
        """Mark the edge as selected."""
        self._selected = selected
        self.update()

    def set_marked(self, marked: bool) -> None:
        """Point at the edge, as a lesson does, or no longer."""
        if marked != self._marked:
            self._marked = marked
            self.update()

    def _stack(self) -> None:
        """Let the current edge lie above the others, and all of them below the cards."""
        self.setZValue(-1.0 if self._view.current else -2.0)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(2 * REACH)
        path = QPainterPath(self._wires.forward.line)
        if self._wires.backward:
            path.addPath(self._wires.backward.line)
        return stroker.createStroke(path)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint_edge(painter, self._wires, self._view, self._theme, self._selected or self._marked)


# Geometry


def wire_bounds(both: Wires) -> QRectF:
    """Return the rectangle that holds an edge with its arrows."""
    corners = both.forward.corners + (both.backward.corners if both.backward else ())
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    margin = REACH + HALF_HEAD
    bounds = QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys)))
    return bounds.adjusted(-margin, -margin, margin, margin)


def wires(route: Sequence[Point], has_backward: bool, apart: float = APART) -> Wires:
    """Return the two arrows along a route; a lone forward one runs on the route itself."""
    forward, backward = arrows(route, has_backward, apart)
    return Wires(wire(forward), wire(backward) if backward is not None else None)


def wire(arrow: Arrow) -> Wire:
    """Return an arrow as it is painted."""
    path = QPainterPath(QPointF(*arrow.line[0]))
    for before, corner, after in arrow.bends():
        path.lineTo(*before)
        path.quadTo(QPointF(*corner), QPointF(*after))
    path.lineTo(*arrow.line[-1])
    return Wire(path, QPolygonF([QPointF(*point) for point in arrow.head]), arrow.corners)


# Painting: functions, as large graphs are painted by one item


def paint_edge(painter: QPainter, both: Wires, view: EdgeView, theme: Theme, marked: bool = False) -> None:
    """Paint an edge as far as the timeline has come: values solid, gradients dashed and reversed."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    name = f"edge-{view.source}-{view.target}-{view.slot}"
    with group(painter, name, f"{view.source} to {view.target}"):
        if marked:
            _stroke(painter, both.forward, QPen(theme.color("selection"), 2 * REACH), head=False)
        with group(painter, f"{name}-forward"):
            _stroke(painter, both.forward, _forward_pen(view, theme))
        if both.backward and (view.backward or view.current == "backward"):
            with group(painter, f"{name}-backward", f"gradient from {view.target} to {view.source}"):
                _stroke(painter, both.backward, _backward_pen(view, theme))


def _forward_pen(view: EdgeView, theme: Theme) -> QPen:
    if view.current == "forward":
        return QPen(theme.color("forward"), WIDTHS["current"])
    if view.forward:
        return QPen(blend(theme.forward, theme.canvas, 0.85), WIDTHS["past"])
    return QPen(blend(theme.muted, theme.canvas, 0.35), WIDTHS["future"])


def _backward_pen(view: EdgeView, theme: Theme) -> QPen:
    current = view.current == "backward"
    color = theme.color("backward") if current else blend(theme.backward, theme.canvas, 0.55)
    pen = QPen(color, WIDTHS["current"] if current else WIDTHS["past"])
    pen.setDashPattern([2.4, 1.5] if current else [3.5, 2.4])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def _stroke(painter: QPainter, wire: Wire, pen: QPen, head: bool = True) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(wire.line)
    if head:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pen.color())
        painter.drawPolygon(wire.head)
