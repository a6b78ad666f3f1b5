"""The legend of a chart as a row of small buttons: which line is whose, which are shown, which is current."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from gui.fields import ENTER, PRESS, keeps, medium
from gui.icons import paint_icon
from gui.runstyle import paint_sample, run_color, style_text
from gui.theme import Theme, application_font

__all__ = ["Legend", "LegendItem", "MiniButton", "short_names"]

HEIGHT, GAP = 22, 2
"""Logical pixels, at the letters of a desk."""
SAMPLE, EDGE, CROSS = 24, 6, 18
"""Logical pixels: the piece of the line, the room at the ends, the cross that removes."""
LONGEST = 220
RADIUS = 6.0


@dataclass(frozen=True)
class LegendItem:
    """One line of a chart.

    Attributes
    ----------
    key
        What is told when something is wanted of it.
    texts, tip
        What is written, from the fullest to the shortest; and what is told on hovering.
    kind
        How its line is drawn: ``run``, ``held``, ``search``, as in the chart.
    can_choose, can_remove
        Whether one can stand in it, and whether it can go.
    """

    key: Hashable
    texts: tuple[str, ...]
    tip: str
    style: int
    kind: str = "run"
    ghost: bool = False
    shown: bool = True
    current: bool = False
    can_choose: bool = False
    can_remove: bool = False

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        look = style_text(self.style) if self.kind == "run" else self.kind
        state = ", the current run" if self.current else "" if self.shown else ", hidden"
        return f"{self.tip}, {look}{state}"


SHORT = {"Gradient descent": "GD", "Nesterov momentum": "Nesterov"}
"""Names that are known by a shorter one."""


def short_names(names: Sequence[str]) -> list[list[str]]:
    """Return names like ``Adam, η 0.1`` from the fullest to the shortest that still tells them apart.

    Examples
    --------
    >>> short_names(["Adam, η 0.1", "Adam, η 1"])
    [['η 0.1', 'η 1']]
    >>> short_names(["Adam, η 0.1", "Gradient descent, η 1"])[1:]
    [['Adam, η 0.1', 'GD, η 1'], ['Adam', 'GD']]
    """
    parts = [name.partition(", ") for name in names]
    fronts, backs = [part[0] for part in parts], [part[2] for part in parts]
    if len(names) > 1 and len(set(fronts)) == 1 and all(backs):
        return [backs]
    shorter = [SHORT.get(front, front) for front in fronts]
    found = [list(names), [s + comma + back for s, (_, comma, back) in zip(shorter, parts, strict=True)]]
    return [*found, shorter] if len(set(shorter)) == len(names) else found


class Chip(QAbstractButton):
    """One line of the legend: its sample shows or hides it, its name chooses it, its cross removes it.

    Delete removes it, and its menu says all three in words.

    Signals
    -------
    chosen(object), removed(object)
        The key of the item.
    toggled_line(object, bool)
        The key, and whether it is to be shown.
    """

    chosen = Signal(object)
    removed = Signal(object)
    toggled_line = Signal(object, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._factor = 1.0
        self._text = ""
        self.item = LegendItem(None, ("",), "", 0)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._choose)

    def shorten(self, level: int) -> None:
        """Write the item's text, or a shorter one."""
        text = self.item.texts[min(level, len(self.item.texts) - 1)]
        if text != self._text:
            self._text = text
            self.update()

    def show_item(self, item: LegendItem) -> None:
        """Show an item."""
        self.item = item
        self.shorten(0)
        self.setAccessibleName(item.spoken)
        self.setToolTip("" if not item.tip else f"{item.tip}\n{self._hint()}")
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller."""
        self._factor = factor
        self.updateGeometry()
        self.update()

    def actions_of(self, menu: QMenu) -> None:
        """Put into a menu what can be done with the item."""
        item = self.item
        if item.can_choose:
            _add(menu, "Stand in this run", lambda: self.chosen.emit(item.key), not item.current)
        text = "Hide" if item.shown else "Show"
        _add(menu, text, lambda: self.toggled_line.emit(item.key, not item.shown))
        if item.can_remove:
            _add(menu, "Remove", lambda: self.removed.emit(item.key))

    def _choose(self) -> None:
        if self.item.can_choose and not self.item.current:
            self.chosen.emit(self.item.key)
        else:
            self.toggled_line.emit(self.item.key, not self.item.shown)

    def _hint(self) -> str:
        show = "Hide" if self.item.shown else "Show"
        if not self.item.can_choose:
            return f"Click: {show.lower()}"
        if self.item.current:
            return f"The timeline stands in this run. Click: {show.lower()}"
        return f"Click the name: stand in this run. Click the line: {show.lower()}"

    def _font(self) -> QFont:
        font = (medium if self.item.current else application_font)("small", self._factor)
        font.setStrikeOut(not self.item.shown)
        return font

    def _cross(self) -> QRect:
        shown = self.item.can_remove and (self.underMouse() or self.hasFocus())
        return QRect(self.width() - CROSS, 0, CROSS, self.height()) if shown else QRect()

    # Qt

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self._font()).horizontalAdvance(self._text)
        legend = self.parentWidget()
        room = (
            legend.width() if legend is not None and self._factor > 1 else 0
        )  # a projector has no tool tips
        longest = max(LONGEST, room)
        return QSize(min(longest, 2 * EDGE + SAMPLE + 6 + words), round(HEIGHT * self._factor))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        return keeps(event, (*PRESS, Qt.Key.Key_Delete)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.item.can_remove:
            self.removed.emit(self.item.key)
        elif event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(place) and self.isDown():
            if self._cross().contains(place):
                self.setDown(False)
                self.removed.emit(self.item.key)
                return
            if place.x() < EDGE + SAMPLE + 2:
                self.setDown(False)
                self.toggled_line.emit(self.item.key, not self.item.shown)
                return
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        self.actions_of(menu)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_field(painter)
        self._paint_line(painter)
        self._paint_words(painter)
        painter.end()

    def _paint_field(self, painter: QPainter) -> None:
        field = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.item.current or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("control_hover" if self.underMouse() else "control"))
            painter.drawRoundedRect(field, RADIUS, RADIUS)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(field, RADIUS, RADIUS)

    def _paint_line(self, painter: QPainter) -> None:
        item, rect = self.item, QRectF(EDGE, 0, SAMPLE, self.height())
        painter.setOpacity(1.0 if item.shown else 0.35)
        if item.kind == "run":
            paint_sample(painter, rect, self._theme, item.style, ghost=item.ghost)
        else:
            self._paint_marked(painter, rect)
        painter.setOpacity(1.0)

    def _paint_marked(self, painter: QPainter, rect: QRectF) -> None:
        """Paint a line with its mark, as the chart draws held-out losses and the search."""
        searched = self.item.kind == "search"
        color = self._theme.color("text") if searched else run_color(self._theme, self.item.style)
        pen = QPen(color, 1.5 if searched else 1.0)
        if searched:
            pen.setDashPattern([1.0, 2.5])
        painter.setPen(pen)
        middle = rect.center()
        painter.drawLine(QPointF(rect.left(), middle.y()), QPointF(rect.right(), middle.y()))
        painter.setPen(QPen(color, 1.2))
        painter.setBrush(self._theme.color("window"))
        if searched:
            painter.drawPolygon([middle + QPointF(*d) for d in ((-3.5, 0), (0, -3.5), (3.5, 0), (0, 3.5))])
        else:
            painter.drawEllipse(middle, 2.8, 2.8)

    def _paint_words(self, painter: QPainter) -> None:
        left, cross = EDGE + SAMPLE + 5, self._cross()
        room = self.width() - left - (EDGE - 2 if cross.isNull() else CROSS)
        font = self._font()
        painter.setFont(font)
        painter.setPen(self._ink())
        text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(left, 0, room + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        if not cross.isNull():
            paint_icon(painter, QRectF(cross).adjusted(3, 5, -3, -5), "close", self._theme.color("muted"))

    def _ink(self) -> QColor:
        quiet = not self.item.shown or self.item.ghost
        return self._theme.color("muted" if quiet else "text")


class MiniButton(QAbstractButton):
    """A button as low as the legend: a word, and an arrow where something opens under it."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._menu: QMenu | None = None
        self._factor = 1.0
        self.setText(text)
        self.setFont(medium("small"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller."""
        self._factor = factor
        self.setFont(medium("small", factor))
        self.updateGeometry()

    def set_menu(self, menu: QMenu) -> None:
        """Open a menu at a click."""
        self._menu = menu
        self.clicked.connect(lambda: menu.popup(self.mapToGlobal(self.rect().bottomLeft())))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def sizeHint(self) -> QSize:
        arrow = 13 if self._menu is not None else 0
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2 * EDGE + arrow + 2
        return QSize(width, round(HEIGHT * self._factor))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        return keeps(event, PRESS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = self.underMouse()
        ground = ("accent_hover" if hovered else "accent") if self.isChecked() else "control"
        ground = "control_hover" if hovered and not self.isChecked() else ground
        painter.setPen(QPen(self._theme.color("focus" if not self.isChecked() else "text"), 2))
        if not self.hasFocus():
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        ink = self._theme.color(
            "on_accent" if self.isChecked() else "text" if self.isEnabled() else "disabled"
        )
        painter.setPen(ink)
        painter.setFont(self.font())
        words = QRectF(self.rect()).adjusted(EDGE + 1, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._menu is not None:
            tip = QPointF(self.width() - EDGE - 5, self.height() / 2 + 2.5)
            painter.setPen(QPen(ink, 1.4))
            painter.drawPolyline([tip + QPointF(-3.5, -3.5), tip, tip + QPointF(3.5, -3.5)])
        painter.end()


class Legend(QWidget):
    """Chips in as many rows as there may be; the rest behind a button.

    Signals
    -------
    chosen(object), removed(object), toggled_line(object, bool)
        As those of its chips.
    """

    chosen = Signal(object)
    removed = Signal(object)
    toggled_line = Signal(object, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._items: tuple[LegendItem, ...] = ()
        self._factor = 1.0
        self._most_rows = 1
        self._chips: list[Chip] = []
        self.more = MiniButton("", theme, self)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.more.set_menu(self._menu)
        self.more.setToolTip("The other lines of the legend")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("legend")

    @property
    def items(self) -> tuple[LegendItem, ...]:
        """What it tells of."""
        return self._items

    @property
    def chips(self) -> Sequence[Chip]:
        """The buttons, in the order of the items."""
        return self._chips[: len(self._items)]

    def set_items(self, items: Sequence[LegendItem]) -> None:
        """Tell of these lines."""
        if tuple(items) == self._items:
            return
        self._items = tuple(items)
        while len(self._chips) < len(items):
            chip = Chip(self._theme, self)
            chip.set_letters(self._factor)
            chip.chosen.connect(self.chosen)
            chip.removed.connect(self.removed)
            chip.toggled_line.connect(self.toggled_line)
            self._chips.append(chip)
        for chip, item in zip(self._chips, items, strict=False):
            if chip.item != item:
                chip.show_item(item)
        self._place()

    def set_most_rows(self, rows: int) -> None:
        """Choose how many rows it may take."""
        if rows != self._most_rows:
            self._most_rows = rows
            self._place()

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller."""
        if factor != self._factor:
            self._factor = factor
            for part in (self.more, *self._chips):
                part.set_letters(factor)
            self._place()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        for part in (self.more, *self._chips):
            part.set_theme(theme)

    @property
    def _row(self) -> int:
        """How high a row is, in logical pixels."""
        return round(HEIGHT * self._factor)

    # --- placing ---

    def _place(self) -> None:
        """Put the chips into rows; the current one is always seen, what does not fit waits in the menu."""
        places: list[QRect | None] = []
        levels = range(max((len(item.texts) for item in self._items), default=1))
        few = range(1, self._most_rows + 1) if self._most_rows < 3 else (self._most_rows,)
        for rows, level in product(
            few, levels
        ):  # a shorter name rather than a second row, where rows are few
            for chip in self.chips:
                chip.shorten(level)
            places = self._places(self.width(), rows)
            if None not in places:
                break
        hidden = places.count(None)
        if hidden:
            self.more.setText(f"{hidden + 1} more")
            self.more.resize(self.more.sizeHint())
            places = self._places(self.width() - self.more.width() - GAP, self._most_rows)
            self.more.setText(f"{places.count(None)} more")
        for number, chip in enumerate(self._chips):
            place = places[number] if number < len(places) else None
            chip.setVisible(place is not None)
            if place is not None:
                chip.setGeometry(place)
        self.more.setVisible(bool(hidden))
        rows = 1 + max((place.top() // (self._row + GAP) for place in places if place is not None), default=0)
        self.more.move(self.width() - self.more.width(), (rows - 1) * (self._row + GAP))
        height = rows * self._row + (rows - 1) * GAP
        if self.minimumHeight() != height or self.maximumHeight() != height:
            self.setFixedHeight(height)

    def _places(self, width: int, rows: int) -> list[QRect | None]:
        """Return where chips go, None for those without a place; the current one has one, ghosts go first."""
        items = self._items
        kept = sorted(range(len(items)), key=lambda n: (not items[n].current, items[n].ghost))
        for count in range(len(items), 0, -1):
            chosen = sorted(kept[:count])
            places = self._in_rows(chosen, width)
            if count == 1 or places[-1].top() < rows * (self._row + GAP):
                found = dict(zip(chosen, places, strict=True))
                return [found.get(n) for n in range(len(items))]
        return []

    def _in_rows(self, chosen: list[int], width: int) -> list[QRect]:
        places, x, top = [], 0, 0
        for n in chosen:
            wide = min(self._chips[n].sizeHint().width(), max(1, width))
            if x and x + wide > width:
                x, top = 0, top + self._row + GAP
            places.append(QRect(x, top, wide, self._row))
            x += wide + GAP
        return places

    def _fill_menu(self) -> None:
        menu = self._menu
        menu.clear()
        for chip in self.chips:
            if chip.isHidden():
                chip.actions_of(menu.addMenu(chip.item.tip.partition("\n")[0]))

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight() or self._row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()


def _add(menu: QMenu, text: str, do: object, enabled: bool = True) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(do)
    action.setEnabled(enabled)
    return action
