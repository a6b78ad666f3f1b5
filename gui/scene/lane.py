"""The update of a parameter as a continuation of the graph: a lane of cards below it.

The lane has a place of its own below all cards, so nothing of the graph moves or is covered when it comes.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from graphs.wires import HALF_HEAD
from gui.equations import equation, paint, plain_source
from gui.groups import aligned, group
from gui.scene.edge_item import WIDTHS, Wire
from gui.scene.geometry import Geometry
from gui.scene.lane_plan import INSIDE, LanePlan
from gui.scene.metrics import Letters, canvas_font, text_width
from gui.scene.node_item import GlowItem, NodeItem
from gui.theme import Theme, blend
from gui.viewdata import LaneArrow, LaneView

ROUND = 12.0
PLANS = 64
"""Places of lanes that are remembered: as many parameters as one looks at in turn."""
FLOWS = {"value": "forward", "gradient": "backward", "update": "update"}


class Lane:
    """Makes the items of an update, and hands each its record; there are none while nothing is updated.

    Parameters
    ----------
    scene : QGraphicsScene
        Where the items are put.
    """

    def __init__(self, scene: QGraphicsScene, geometry: Geometry, theme: Theme) -> None:
        self._scene = scene
        self._geometry = geometry
        self._theme = theme
        self._plans: dict[tuple[object, ...], LanePlan] = {}
        self._key: tuple[object, ...] = ()
        self._plan: LanePlan | None = None
        self._cards: dict[str, NodeItem] = {}
        self._arrows: list[ArrowItem] = []
        self._others: list[PanelItem | GlowItem] = []
        self._glow = GlowItem(theme)

    @property
    def parameter(self) -> str:
        """Whose update is shown, "" for none."""
        return str(self._key[0]) if self._key else ""

    @property
    def cards(self) -> dict[str, NodeItem]:
        """The cards that are shown, by name."""
        return self._cards

    @property
    def arrows(self) -> list[ArrowItem]:
        """The arrows that are shown."""
        return self._arrows

    def show(self, lane: LaneView | None) -> None:
        """Show a step of an update, or none: items whose record is the same are left alone."""
        key = _key_of(lane)
        if key != self._key:
            self._rebuild(key, lane)
        if lane is None:
            return
        rect = QRectF()
        for name, view in lane.cards.items():
            self._cards[name].set_view(view, "update")
            if view.phase:
                rect = self._cards[name].card_rect()
        self._glow.set_glow(rect, "" if rect.isEmpty() else "update")
        for item, arrow in zip(self._arrows, lane.arrows, strict=True):
            item.set_arrow(arrow)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        for item in self._items():
            item.set_theme(theme)

    def area(self) -> QRectF:
        """Return all that the lane is painted on, empty where there is none."""
        return QRectF(self._plan.area) if self._plan else QRectF()

    def current_rect(self) -> QRectF:
        """Return the outline of the card that is being worked out."""
        found = QRectF()
        for item in self._cards.values():
            if item.view.phase:
                found = found.united(item.card_rect())
        return found

    def holds(self, point: QPointF) -> bool:
        """Say whether one of the cards lies at a point."""
        return any(item.card_rect().contains(point) for item in self._cards.values())

    def _rebuild(self, key: tuple[object, ...], lane: LaneView | None) -> None:
        for item in self._items():
            self._scene.removeItem(item)
        self._key, self._plan, self._cards, self._arrows, self._others = key, None, {}, [], []
        if lane is None:
            return
        if key not in self._plans and len(self._plans) >= PLANS:
            self._plans.clear()
        self._plan = plan = self._plans.get(key) or LanePlan(lane, self._geometry)
        self._plans[key] = plan
        self._glow = GlowItem(self._theme)
        self._others = [PanelItem(plan.panel, lane.heading, self._theme, self._geometry.letters), self._glow]
        self._arrows = [ArrowItem(a, w, self._theme) for a, w in zip(lane.arrows, plan.wires, strict=True)]
        for name, view in lane.cards.items():
            self._cards[name] = NodeItem(view, self._theme, self._geometry.letters)
            self._cards[name].setPos(plan.places[name])
        for item in self._items():
            self._scene.addItem(item)

    def _items(self) -> list[PanelItem | GlowItem | ArrowItem | NodeItem]:
        return [*self._others, *self._arrows, *self._cards.values()]


def _key_of(lane: LaneView | None) -> tuple[object, ...]:
    """Return what the places of a lane depend on; () for none."""
    if lane is None:
        return ()
    cards = [(c.name, c.title, c.formula, c.shape, len(c.note)) for c in lane.cards.values()]
    arrows = [(a.source, a.target, a.flow) for a in lane.arrows]
    return (lane.parameter, lane.heading, tuple(cards), tuple(arrows))


class PanelItem(QGraphicsItem):
    """The ground on which the cards of an update stand, and the words that say whose it is."""

    def __init__(self, rect: QRectF, heading: tuple[str, str], theme: Theme, letters: Letters) -> None:
        super().__init__()
        self._letters = letters
        self._rect = rect
        self._heading = heading
        self._theme = theme
        self.setZValue(-4.0)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _paint(self, painter: QPainter, words: str, latex: str) -> None:
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(blend(theme.update, theme.canvas, 0.35), 1.2))
        painter.setBrush(blend(theme.update, theme.canvas, 0.05))
        painter.drawRoundedRect(self._rect, ROUND, ROUND)
        baseline = self._rect.bottom() - INSIDE + 4
        painter.setFont(canvas_font("note", self._letters))
        painter.setPen(theme.color("update_text"))
        with aligned(painter, Qt.AlignmentFlag.AlignRight):  # the name follows
            painter.drawText(QPointF(self._rect.left() + INSIDE, baseline), words)
        left = self._rect.left() + INSIDE + text_width(words, "note", self._letters) + 5
        paint(painter, equation(latex, self._letters.note + 1), left, baseline, theme, "update", field=False)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-2, -2, 2, 2)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        words, latex = self._heading
        with group(painter, "update", f"{words} {plain_source(latex)}"):
            self._paint(painter, words, latex)


class ArrowItem(QGraphicsItem):
    """One arrow of an update; what it shows is a `LaneArrow`."""

    def __init__(self, arrow: LaneArrow, path: Wire, theme: Theme) -> None:
        super().__init__()
        self._arrow = arrow
        self._wire = path
        self._theme = theme
        reach = WIDTHS["current"] + HALF_HEAD
        bounds = path.line.boundingRect() | path.head.boundingRect()
        self._bounds = bounds.adjusted(-reach, -reach, reach, reach)
        self._stack()

    @property
    def arrow(self) -> LaneArrow:
        """What is shown."""
        return self._arrow

    @property
    def wire(self) -> Wire:
        """Where it runs, in scene coordinates."""
        return self._wire

    def set_arrow(self, arrow: LaneArrow) -> None:
        """Show another record; the same one again costs nothing."""
        if arrow != self._arrow:
            self._arrow = arrow
            self._stack()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _stack(self) -> None:
        self.setZValue(-1.0 if self._arrow.current else -2.0)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = arrow_pen(self._arrow, self._theme)
        with group(painter, f"update-edge-{self._arrow.source}-{self._arrow.target}"):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen)
            painter.drawPath(self._wire.line)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(pen.color())
            painter.drawPolygon(self._wire.head)


def arrow_pen(arrow: LaneArrow, theme: Theme) -> QPen:
    """Return the pen of an arrow: as the graph's own, by what flows along it and how far the timeline is."""
    color = getattr(theme, FLOWS[arrow.flow])
    if arrow.current:
        pen = QPen(theme.color(FLOWS[arrow.flow]), WIDTHS["current"])
    elif arrow.done:
        pen = QPen(blend(color, theme.canvas, 0.7), WIDTHS["past"])
    else:
        pen = QPen(blend(theme.muted, theme.canvas, 0.35), WIDTHS["future"])
    if arrow.flow == "gradient":
        pen.setDashPattern([3.5, 2.4])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
