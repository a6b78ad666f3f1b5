"""The key sheet: every key of the window on one card, as large as the window lets it be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from gui.fields import medium
from gui.overlay import Overlay
from gui.theme import Theme, application_font

Row = tuple[str, str, str]
"""Group, keys, description."""
Group = tuple[str, list[tuple[str, str]]]

SCALES = (1.4, 1.3, 1.2, 1.1, 1.0)
SMALLER = (0.95, 0.85)
"""Sizes to try, of the body font; the smaller ones scroll where they do not fit either."""
HEADING = 1.5
"""Height of a group's title and the room over it, in rows."""
MOST_COLUMNS = 4


def grouped(rows: Sequence[Row]) -> list[Group]:
    """Return the rows by group, each group where its first row stands."""
    order = {group: i for i, group in reversed(list(enumerate(row[0] for row in rows)))}
    by_group = sorted(rows, key=lambda row: order[row[0]])
    return [(g, [row[1:] for row in some]) for g, some in groupby(by_group, key=lambda row: row[0])]


def into_columns(groups: Sequence[Group], count: int) -> list[list[Group]]:
    """Deal the groups into at most `count` columns, in their order, the highest as low as can be."""
    heights = [len(rows) + HEADING for _, rows in groups]
    sums = {sum(heights[i:j]) for i in range(len(heights)) for j in range(i + 1, len(heights) + 1)}
    for limit in sorted(sums):
        columns = _filled(groups, heights, limit)
        if len(columns) <= count and limit >= max(heights):
            return columns
    return []


def _filled(groups: Sequence[Group], heights: Sequence[float], limit: float) -> list[list[Group]]:
    columns: list[list[Group]] = [[]]
    height = 0.0
    for group, own in zip(groups, heights, strict=True):
        if columns[-1] and height + own > limit:
            columns.append([])
            height = 0.0
        columns[-1].append(group)
        height += own
    return columns


def caps_of(keys: str) -> list[str]:
    """Return the chords of a text such as ``Ctrl+Z, Ctrl+Y``: each becomes one key cap."""
    return [cap for part in keys.split(", ") for cap in part.split(" / ") if cap]


class Sheet(QWidget):
    """The columns themselves, painted at one scale."""

    GAP = 40.0  # between columns
    APART = 12.0  # between a key and what it does

    def __init__(self, theme: Theme, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._groups = grouped(rows)
        self.setAccessibleName("Keys")
        self.setAccessibleDescription("\n".join(f"{keys}: {text}" for _, keys, text in rows))
        self.set_scale(1.0, MOST_COLUMNS)

    def set_scale(self, scale: float, columns: int) -> None:
        """Lay everything out at a scale in so many columns; `sizeHint` tells the room that takes."""
        self._scale = scale
        self._text, self._cap, self._heading = (
            _scaled(font, scale) for font in (application_font(), medium("small"), application_font("strong"))
        )
        self._row = QFontMetricsF(self._text).height() * 1.72
        self._columns = into_columns(self._groups, columns)
        self._key_widths = [max(map(self._caps_width, _keys(c)), default=0.0) for c in self._columns]
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _caps_width(self, keys: str) -> float:
        return sum(self._cap_width(cap) + 5 for cap in caps_of(keys)) - 5

    def _cap_width(self, cap: str) -> float:
        metrics = QFontMetricsF(self._cap)
        return max(metrics.horizontalAdvance(cap) + 14 * self._scale, metrics.height() * 1.5)

    def _column_width(self, column: Sequence[Group], key_width: float) -> float:
        metrics = QFontMetricsF(self._text)
        widest = max(metrics.horizontalAdvance(text) for _, rows in column for _, text in rows)
        return key_width + self.APART * self._scale + widest + 2

    def _paint_column(self, painter: QPainter, column: list[Group], left: float, key_width: float) -> None:
        top = 0.0
        for title, rows in column:
            painter.setFont(self._heading)
            painter.setPen(self._theme.color("forward_text"))
            rect = QRectF(left, top, self.width(), self._row)
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, title)
            top += self._row
            for keys, text in rows:
                self._paint_row(painter, keys, text, QRectF(left, top, self.width(), self._row), key_width)
                top += self._row
            top += self._row * (HEADING - 1)

    def _paint_row(self, painter: QPainter, keys: str, text: str, rect: QRectF, key_width: float) -> None:
        left = rect.left()
        for cap in caps_of(keys):
            width = self._cap_width(cap)
            self._paint_cap(painter, cap, QRectF(left, rect.top() + 2, width, rect.height() - 4))
            left += width + 5
        painter.setFont(self._text)
        painter.setPen(self._theme.color("text"))
        rect.setLeft(rect.left() + key_width + self.APART * self._scale)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_cap(self, painter: QPainter, cap: str, rect: QRectF) -> None:
        rect.adjust(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(self._theme.color("card_border"), 1))
        painter.setBrush(self._theme.color("control"))
        painter.drawRoundedRect(rect, 5, 5)
        painter.setFont(self._cap)
        painter.setPen(self._theme.color("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, cap)

    # Qt

    def sizeHint(self) -> QSize:
        widths = map(self._column_width, self._columns, self._key_widths)
        rows = [sum(len(rows) + HEADING for _, rows in c) - (HEADING - 1) for c in self._columns]
        width = sum(widths) + self.GAP * self._scale * (len(self._columns) - 1)
        return QSize(int(width) + 1, int(max(rows, default=0) * self._row) + 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 0.0
        for column, key_width in zip(self._columns, self._key_widths, strict=True):
            self._paint_column(painter, column, left, key_width)
            left += self._column_width(column, key_width) + self.GAP * self._scale
        painter.end()


def _keys(column: Sequence[Group]) -> list[str]:
    return [keys for _, rows in column for keys, _ in rows]


def _scaled(font: QFont, scale: float) -> QFont:
    font.setPointSizeF(font.pointSizeF() * scale)
    return font


class KeySheet(Overlay):
    """An overlay with every key; Escape, F1 or a click closes it.

    Parameters
    ----------
    rows
        Group, keys and description of each action, in their order.
    """

    PADDING = 26
    MARGIN = 20
    SMALL = 700
    """In a window narrower than this, paddings are half as wide."""

    def __init__(self, theme: Theme, rows: Sequence[Row], parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName("Keys")
        self.sheet = Sheet(theme, rows)
        self.area = QScrollArea(self)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(self.sheet)
        self.area.viewport().setAutoFillBackground(False)
        self.sheet.setAutoFillBackground(False)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for part in (self.area.viewport(), self.sheet):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.sheet.set_theme(theme)

    def card(self) -> QRect:
        pad = self._halved(self.PADDING)
        return self.area.geometry().adjusted(-pad, -pad, pad, pad)

    def _halved(self, pixels: int) -> int:
        return pixels if self.width() >= self.SMALL else pixels // 2

    def arrange(self) -> None:
        room = self.size() - QSize(2, 2) * (self._halved(self.PADDING) + self._halved(self.MARGIN))
        size = self._largest(room)
        scrolls = size.height() > room.height()
        # Said outright: left to itself, the bar would come and go once too often while sizes change.
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.area.setVerticalScrollBarPolicy(policy)
        view = QSize(size.width() + (self._bar_width() if scrolls else 0), size.height()).boundedTo(room)
        corner = (self.size() - view) / 2
        self.area.setGeometry(corner.width(), corner.height(), view.width(), view.height())
        self.sheet.resize(size)

    def _bar_width(self) -> int:
        return self.area.verticalScrollBar().sizeHint().width() + 2

    def _largest(self, room: QSize) -> QSize:
        """Lay the sheet out as large as it fits; where nothing fits, so that it scrolls only downwards."""
        whole = [(scale, columns) for scale in (*SCALES, *SMALLER) for columns in (MOST_COLUMNS, 3, 2)]
        narrow = [(scale, columns) for columns in (3, 2) for scale in SMALLER] + [(0.9, 1)]
        for number, (scale, columns) in enumerate((*whole, *narrow)):
            self.sheet.set_scale(scale, columns)
            size = self.sheet.sizeHint()
            scrolls = size.height() > room.height()
            bar = self._bar_width() if scrolls else 0
            if size.width() + bar <= room.width() and (number >= len(whole) or not scrolls):
                break
        return self.sheet.sizeHint()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.area.verticalScrollBar()
        moves = {
            Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_Up: -bar.singleStep(),
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
        }
        if event.key() == Qt.Key.Key_F1:
            self.close()
        elif event.key() in moves:
            bar.setValue(bar.value() + moves[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close()
