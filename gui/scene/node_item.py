"""One node as a card: name, shape, right-hand side, value and gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsSceneHoverEvent,
    QStyleOptionGraphicsItem,
    QWidget,
)

from graphs.views.numbers import NOTHING, format_number
from gui.equations import equation, paint, plain_source
from gui.groups import group, write
from gui.matrices import Grid, as_table, is_for_a_file, paint_matrix
from gui.scene.metrics import (
    BAR,
    ON_SCREEN,
    Card,
    Letters,
    Placed,
    canvas_font,
    card_of,
    labels_of,
    text_width,
)
from gui.theme import Theme, blend
from gui.viewdata import Link, NodeView

Array = np.ndarray

RADIUS = 9.0
GLOW = 9.0
"""How far the glow of the current node reaches."""
RING = 5.0
MARK = 7.0
"""How far outside the card the ring of the selected one runs."""
BOOKMARK = (15.0, 20.0)
BOOKMARK_IN = 15.0
"""How far from a card's right side the middle of its bookmark is: gradients come in at its left."""
BOOKMARK_OUT = 11.0
"""How far a bookmark looks out of the card's top."""
WIDEST_MOVE = "Δ −8.88e−188"
ROLES = {"gradient": "backward", "kept": "update", "quantity": "update"}
"""In whose colour the main array of a card is framed, where it is not a value of forward."""
KINDS = {"op": "operation", "line": "line of the formula", "kept": "kept from the last update"}
LEFT_MIDDLE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
LEFT_TOP = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
RIGHT_TOP = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True)
class Look:
    """What a card's looks depend on besides its own record: the step's phase, and the user's attention."""

    phase: str = ""
    selected: bool = False
    hovered: bool = False
    focused: bool = False
    linked: Link | None = None
    marked: frozenset[str] = frozenset()  # "value", "gradient": what a lesson points at


class NodeItem(QGraphicsItem):
    """A card whose middle is the item's origin; what it shows is a `NodeView`.

    Parameters
    ----------
    view : NodeView
        Also settles, once and for all, how large the card is.
    theme : Theme
    letters : Letters
        How large the small texts on it are.
    """

    def __init__(self, view: NodeView, theme: Theme, letters: Letters = ON_SCREEN) -> None:
        super().__init__()
        self._view = view
        self._theme = theme
        self._card = card_of(view, letters)
        self._look = Look()
        self._bounds = card_bounds(self._card, view)
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def view(self) -> NodeView:
        """What is shown."""
        return self._view

    @property
    def card(self) -> Card:
        """Where the parts of the card lie, in item coordinates."""
        return self._card

    def set_view(self, view: NodeView, phase: str) -> bool:
        """Show another record; return whether anything had to be painted anew."""
        phase = phase if view.part or view.phase else ""
        changed = view is not self._view and not view.same(self._view)
        self._view = view
        return self._set_look(phase=phase) or self._repaint(changed)

    def set_selected(self, selected: bool) -> None:
        """Put the ring of the selection around the card, or take it away."""
        self._set_look(selected=selected)

    def set_linked(self, link: Link | None) -> None:
        """Mark the card, and the entry of its value or gradient, that is pointed at somewhere."""
        self._set_look(linked=link)

    def set_marked(self, parts: frozenset[str]) -> None:
        """Point at the card ("value"), at its gradient, at both, or at nothing."""
        self._set_look(marked=parts)

    def link_at(self, point: QPointF) -> Link:
        """Return what lies at a point of the scene: an entry of the value or the gradient, or the node."""
        return link_on_card(self._card, self._view, point - self.pos())

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def card_rect(self) -> QRectF:
        """Return the card's outline in scene coordinates."""
        return self._card.rect.translated(self.pos())

    def _set_look(self, **changes: object) -> bool:
        look = Look(**{**self._look.__dict__, **changes})  # type: ignore[arg-type]
        changed, self._look = look != self._look, look
        return self._repaint(changed)

    def _repaint(self, changed: bool) -> bool:
        if changed:
            self.update()
        return changed

    # Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRoundedRect(self._card.rect, RADIUS, RADIUS)
        return path

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint_card(painter, self._card, self._view, self._theme, self._look)

    def hoverEnterEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self.setToolTip(tooltip(self._view))
        self._set_look(hovered=True)

    def hoverLeaveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self._set_look(hovered=False)


class GlowItem(QGraphicsItem):
    """The light around the current card; an item of its own, as it lies below the wires that end there."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rect = QRectF()
        self._phase = ""
        self.setZValue(-3.0)

    def set_glow(self, rect: QRectF, phase: str) -> None:
        """Shine around a card's outline, in scene coordinates, in the colour of a phase; "" for no light."""
        if (rect, phase) != (self._rect, self._phase):
            self.prepareGeometryChange()
            self._rect, self._phase = rect, phase
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-GLOW, -GLOW, GLOW, GLOW) if self._phase else QRectF()

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._phase:
            paint_glow(painter, self._rect, self._phase, self._theme)


def card_bounds(card: Card, view: NodeView) -> QRectF:
    """Return all that painting a card may touch: glow, bookmark and badge included."""
    margin = GLOW + 2
    widest = badge_rect(card, view, always=True) if view.expected > 1 else QRectF()
    bounds = card.rect.adjusted(-margin, -margin, margin, margin).united(widest.adjusted(-2, -2, 2, 2))
    return bounds.united(moved_rect(card, WIDEST_MOVE).adjusted(-2, -2, 2, 2))


def tooltip(view: NodeView) -> str:
    """Return what hovering says: name, shape, and the number of a scalar."""
    shape = view.shape if view.dims in ("", view.shape) else f"{view.shape} ({view.dims})"
    lines = [f"{view.says or plain_source(view.name)}, {shape or 'scalar'}"]
    for word, array in (("value", view.value), ("gradient", view.gradient)):
        if array is not None and np.size(array) == 1:
            lines.append(f"{word} {format_number(_number(array), 8)}")
    if view.asked:
        lines.append(f"hidden: {' and '.join(view.asked)}; predict, then press H")
    elif view.value is None:
        lines.append("not computed yet")
    return "\n".join(lines)


# Painting: functions, as large graphs are painted by one item


def paint_card(painter: QPainter, card: Card, view: NodeView, theme: Theme, look: Look) -> None:
    """Paint a card around the painter's origin."""
    with group(painter, f"node-{view.name}", view.says or plain_source(view.name), spoken(view)):
        _paint_card(painter, card, view, theme, look)


def spoken(view: NodeView) -> str:
    """Return what a card shows, for those who cannot see it."""
    return ", ".join([KINDS.get(view.kind, view.kind), *tooltip(view).splitlines()[1:]])


def _paint_card(painter: QPainter, card: Card, view: NodeView, theme: Theme, look: Look) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    future = view.value is None
    if "value" in look.marked:
        _paint_mark(painter, card, look.marked, theme)
    if look.selected or look.focused:
        _paint_ring(painter, card.rect, theme)
    elif look.linked is not None:
        _paint_ring(painter, card.rect, theme, Qt.PenStyle.DotLine)
    _paint_frame(painter, card, view, theme, look)
    _paint_formula(painter, card.title, theme, "muted" if future else "text")
    if card.formula:
        _paint_formula(painter, card.formula, theme, "muted")
    _paint_labels(painter, card, view, theme)
    with group(painter, f"value-{view.name}"):
        _paint_array(
            painter,
            card,
            card.value,
            view.value,
            theme,
            ROLES.get(view.kind, "forward"),
            "value" in view.noise,
        )
    if card.gradient is not None:
        with group(painter, f"gradient-{view.name}"):
            _paint_array(
                painter, card, card.gradient, view.gradient, theme, "backward", "gradient" in view.noise
            )
    _paint_questions(painter, card, view, theme)
    if look.marked and "value" not in look.marked:
        _paint_mark(painter, card, look.marked, theme)
    if view.stored or view.read:
        _paint_bookmark(painter, card, view, theme)
    if shows_badge(view):
        _paint_badge(painter, card, view, theme)
    if view.moved:
        _paint_moved(painter, card, view.moved, theme)
    if look.linked is not None:
        _paint_entry(painter, card, view, theme, look.linked)


def link_on_card(card: Card, view: NodeView, point: QPointF) -> Link:
    """Return what lies at a point of a card, in the card's coordinates."""
    parts = (("value", card.value, view.value), ("gradient", card.gradient, view.gradient))
    for part, rect, array in parts:
        if rect is not None and array is not None and rect.contains(point):
            cell = Grid(rect, *as_table(array).shape).cell_at(point)
            return Link(view.name, cell[2 - array.ndim :] if cell is not None else None, part)
    return Link(view.name)


def _paint_entry(painter: QPainter, card: Card, view: NodeView, theme: Theme, link: Link) -> None:
    """Put a frame around the entry that is pointed at, where it can be told from its neighbours."""
    rect, array = (card.gradient, view.gradient) if link.part == "gradient" else (card.value, view.value)
    if rect is None or array is None or not link.entry or len(link.entry) != array.ndim:
        return
    row, column = (0, *link.entry)[-2:]
    cell = Grid(rect, *as_table(array).shape).cell_rect(row, column)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for role, width in (("card", 3.0), ("text", 1.4)):
        painter.setPen(QPen(theme.color(role), width))
        painter.drawRect(cell)


def paint_glow(painter: QPainter, rect: QRectF, phase: str, theme: Theme) -> None:
    """Paint light around the current card: opaque rings that fade, as these print and export well."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    color = theme.phase_color(phase).name()
    with group(painter, "glow"):
        for reach, amount in ((GLOW, 0.07), (6.5, 0.14), (4.0, 0.24)):
            painter.setBrush(blend(color, theme.canvas, amount))
            grown = rect.adjusted(-reach, -reach, reach, reach)
            painter.drawRoundedRect(grown, RADIUS + reach, RADIUS + reach)


def shows_badge(view: NodeView) -> bool:
    """Say whether a gradient is being added up here, from more than one contribution."""
    return (
        view.expected > 1 and view.arrived > 0 and (view.arrived < view.expected or view.phase == "backward")
    )


def badge_text(view: NodeView) -> str:
    """Return what the badge says: which of the contributions has arrived last."""
    return f"+ {view.arrived} of {view.expected}"


def badge_rect(card: Card, view: NodeView, always: bool = False) -> QRectF:
    """Return where the badge sits: at the right border, where gradients come in, below the wires."""
    if not (always or shows_badge(view)):
        return QRectF()
    width = text_width(f"+ {view.expected} of {view.expected}", "badge", card.letters) + 12
    height = _pill_height(card)
    return QRectF(card.rect.right() - width / 2, card.rect.bottom() - height * 0.55, width, height)


def moved_rect(card: Card, text: str) -> QRectF:
    """Return where it stands by how much a nudge moves a card: on its lower border, at the left."""
    width, height = text_width(text, "badge", card.letters) + 14, _pill_height(card)
    return QRectF(card.rect.left() + 6, card.rect.bottom() - height * 0.45, width, height)


def _pill_height(card: Card) -> float:
    return card.letters.badge + 5.0


def bookmark_top(card: Card) -> QPointF:
    """Return the middle of the bookmark's upper edge, where arrows of reading begin."""
    return QPointF(card.rect.right() - BOOKMARK_IN, card.rect.top() - BOOKMARK_OUT)


def _number(array: Array) -> float:
    return float(np.asarray(array).reshape(-1)[0])


def _paint_mark(painter: QPainter, card: Card, parts: frozenset[str], theme: Theme) -> None:
    """Paint a broad band around a card, or around its gradient alone: what a lesson speaks of."""
    only_gradient = "value" not in parts and card.gradient is not None
    rect = card.gradient if only_gradient and card.gradient is not None else card.rect
    band = theme.color("focus")
    painter.setPen(QPen(band, 2))
    band.setAlphaF(0.2)
    painter.setBrush(band)
    around = rect.adjusted(-MARK, -MARK, MARK, MARK)
    painter.drawRoundedRect(around, RADIUS + MARK, RADIUS + MARK)


def _paint_ring(
    painter: QPainter, rect: QRectF, theme: Theme, style: Qt.PenStyle = Qt.PenStyle.SolidLine
) -> None:
    painter.setPen(QPen(theme.color("focus"), 2, style))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(-RING, -RING, RING, RING), RADIUS + RING, RADIUS + RING)


def _paint_frame(painter: QPainter, card: Card, view: NodeView, theme: Theme, look: Look) -> None:
    painter.setPen(_frame_pen(view, theme, look))
    painter.setBrush(theme.color("canvas" if view.value is None else "card"))
    painter.drawRoundedRect(card.rect, RADIUS, RADIUS)
    if view.kind == "parameter":
        rect = card.rect
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("update"))
        painter.drawRoundedRect(QRectF(rect.left() - 1, rect.top(), BAR, rect.height()), BAR / 2, BAR / 2)


def _frame_pen(view: NodeView, theme: Theme, look: Look) -> QPen:
    if view.phase:
        return QPen(theme.phase_color(view.phase), 2.6)
    if view.part:
        return QPen(blend(theme.phase_color(look.phase).name(), theme.canvas, 0.75), 1.6)
    color = blend(theme.muted, theme.canvas, 0.75) if look.hovered else theme.color("card_border")
    if view.kind not in ("input", "kept"):
        return QPen(color, 1.3)
    pen = QPen(color if look.hovered else blend(theme.muted, theme.canvas, 0.45), 1.3)
    pen.setDashPattern([4, 3])
    return pen


def _paint_formula(painter: QPainter, placed: Placed, theme: Theme, role: str) -> None:
    too_long = placed.formula.width > placed.room + 0.5
    if too_long and is_for_a_file(painter):  # a vector file has no clipping: the whole formula, smaller
        small = placed.formula.scaled(placed.formula.size * placed.room / placed.formula.width)
        paint(painter, small, placed.x, placed.baseline, theme, role, field=False)
        return
    if too_long:
        painter.save()
        painter.setClipRect(
            placed.formula.rect(placed.x, placed.baseline).adjusted(0, -2, 0, 2) & _room(placed)
        )
    paint(painter, placed.formula, placed.x, placed.baseline, theme, role, field=False)
    if too_long:
        painter.restore()
        painter.setFont(canvas_font("note"))
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(placed.x + placed.room - 10, placed.baseline), "…")


def _room(placed: Placed) -> QRectF:
    return QRectF(placed.x, placed.baseline - 100, placed.room - 13, 200)


def _paint_labels(painter: QPainter, card: Card, view: NodeView, theme: Theme) -> None:
    if not card.label_lines:
        return
    painter.setFont(canvas_font("label", card.letters))
    painter.setPen(theme.color("disabled" if view.value is None else "muted"))
    texts = labels_of(view, card.label_lines)
    line = card.labels.height() / card.label_lines
    for index, text in enumerate(texts):
        if card.label_left:
            write(painter, card.labels.adjusted(0, 0, 40, 20), LEFT_TOP, text)
        else:
            write(painter, card.labels.adjusted(-40, index * line, 0, 20), RIGHT_TOP, text)


def _paint_array(
    painter: QPainter, card: Card, rect: QRectF, array: Array | None, theme: Theme, role: str, noise: bool
) -> None:
    """Paint a value or a gradient: a number, a heat map, or the empty place it will have.

    What is `noise`, mere rounding, looks as zero does; its number is read on hovering.
    """
    if array is None:
        _paint_placeholder(painter, rect, theme)
    elif card.is_number:
        _paint_number(painter, rect, _number(array), theme, role, noise, card.letters)
    else:
        scale, numbers = 0.0 if noise else None, card.letters.has_numbers
        paint_matrix(painter, rect, array, theme, scale=scale, numbers=numbers)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_map_pen(theme.color(role), dashed=role == "backward"))
        painter.drawRect(rect.adjusted(-0.7, -0.7, 0.7, 0.7))


def _map_pen(color: QColor, dashed: bool) -> QPen:
    pen = QPen(color, 1.4)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dashed:
        pen.setDashPattern([3, 1.6])
    return pen


def _paint_placeholder(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(blend(theme.card_border, theme.canvas, 0.8), 1))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)


def _paint_questions(painter: QPainter, card: Card, view: NodeView, theme: Theme) -> None:
    """Paint a question mark over what is there, but hidden."""
    places = {"value": (card.value, "forward_text"), "gradient": (card.gradient, "backward_text")}
    for part in view.asked:
        rect, role = places[part]
        if rect is None:
            continue
        side = min(rect.height(), 22.0)
        place = QRectF(0, 0, side, side)
        place.moveCenter(rect.center())
        painter.setPen(QPen(theme.color(role), 1.2, Qt.PenStyle.DotLine))
        painter.setBrush(theme.color("card"))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setFont(canvas_font("number", card.letters))
        painter.setPen(theme.color(role))
        write(painter, place, Qt.AlignmentFlag.AlignCenter, "?")


def _paint_number(
    painter: QPainter, rect: QRectF, number: float, theme: Theme, role: str, noise: bool, letters: Letters
) -> None:
    """Paint a scalar after a mark that says, as the borders of heat maps do, which of the two it is."""
    middle, left = rect.center().y(), rect.left() + 0.7
    painter.setPen(_map_pen(theme.color(role), dashed=role == "backward"))
    painter.drawLine(QPointF(left, rect.top() + 1), QPointF(left, rect.bottom() - 1))
    if role == "backward":
        sign = equation(r"\partial", letters.number + 1)
        paint(painter, sign, left + 6, middle + 0.38 * letters.number, theme, role, field=False)
    finite = np.isfinite(number)
    words = "backward_text" if role == "backward" else "text"
    painter.setPen(theme.color(words if finite else "error_text"))
    painter.setFont(canvas_font("number", letters))
    indent = 6.7 + (0.83 * letters.number if role == "backward" else 0.0)
    painter.drawText(
        rect.adjusted(indent, 0, 60, 0), LEFT_MIDDLE, NOTHING if noise else format_number(number)
    )


def _paint_bookmark(painter: QPainter, card: Card, view: NodeView, theme: Theme) -> None:
    """Paint a solid bookmark where the value is being read, a hollow one where it is kept to be read."""
    if view.value is None:
        return
    width, height = BOOKMARK
    color = theme.color("stored")
    painter.setPen(QPen(color, 1.4))
    painter.setBrush(color if view.read else theme.color("card"))
    painter.save()
    painter.translate(bookmark_top(card))
    if not view.read:
        painter.scale(0.72, 0.72)
    painter.drawPolygon(
        [
            QPointF(-width / 2, 0),
            QPointF(width / 2, 0),
            QPointF(width / 2, height),
            QPointF(0, height - 5),
            QPointF(-width / 2, height),
        ]
    )
    painter.restore()


def _paint_moved(painter: QPainter, card: Card, text: str, theme: Theme) -> None:
    pen = QPen(theme.color("focus"), 1.2)
    _paint_pill(painter, card, moved_rect(card, text), text, pen, theme, "text")


def _paint_badge(painter: QPainter, card: Card, view: NodeView, theme: Theme) -> None:
    pen = QPen(theme.color("backward"), 1.3)
    _paint_pill(painter, card, badge_rect(card, view), badge_text(view), pen, theme, "backward_text")


def _paint_pill(
    painter: QPainter, card: Card, rect: QRectF, text: str, pen: QPen, theme: Theme, ink: str
) -> None:
    """Paint a few words with round ends, on a card's border."""
    painter.setPen(pen)
    painter.setBrush(theme.color("card"))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    painter.setPen(theme.color(ink))
    painter.setFont(canvas_font("badge", card.letters))
    write(painter, rect, Qt.AlignmentFlag.AlignCenter, text)
