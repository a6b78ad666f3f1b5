"""Lists of lines with the one marked that is being worked on: the look that equations and code share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.theme import Theme, application_font

Index = QModelIndex | QPersistentModelIndex

ROW = Qt.ItemDataRole.UserRole
BAR = 3.0
INDENT = 14.0
TINTS = {"forward": "info_background", "backward": "factor_background"}


class RowModel(QAbstractListModel):
    """Records and headings, one a line; a heading is a plain string.

    Parameters
    ----------
    spoken
        What a screen reader says of a record.
    """

    def __init__(self, spoken: Callable[[Any], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Any] = []
        self._spoken = spoken

    @property
    def rows(self) -> Sequence[Any]:
        """The records and headings."""
        return self._rows

    def set_rows(self, rows: list[Any]) -> bool:
        """Show other records; where as many are there, only what differs is painted anew.

        Returns
        -------
        bool
            Whether the whole list is new.
        """
        if len(rows) != len(self._rows):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return True
        changed = [i for i, (new, old) in enumerate(zip(rows, self._rows, strict=True)) if new != old]
        self._rows = rows
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))
        return False

    def current_row(self) -> int | None:
        """Return the line that is being worked on."""
        found = (i for i, row in enumerate(self._rows) if not isinstance(row, str) and row.current)
        return next(found, None)

    def lay_out_again(self) -> None:
        """Have the view measure every line anew."""
        self.layoutChanged.emit()

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row if isinstance(row, str) else self._spoken(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        heading = index.isValid() and isinstance(self._rows[index.row()], str)
        usable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags if heading else usable


class RowList(QListView):
    """The list itself: scrolls to the line that is being worked on.

    Signals
    -------
    pointed(object, QPointF)
        The index of the line under the mouse (None for none), and where on the list the mouse is.
    width_changed()
        Lines that break elsewhere have other heights.
    """

    pointed = Signal(object, QPointF)
    width_changed = Signal()

    def __init__(self, model: RowModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = model
        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrow keys to the window
        self.setMouseTracking(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.width_changed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        self.pointed.emit(index if index.isValid() else None, event.position())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None, QPointF())

    def rows_in_sight(self) -> Iterator[Any]:
        """Yield the records and headings that are on the screen."""
        room = self.viewport().rect()
        first = max(0, self.indexAt(room.topLeft()).row())
        for row in range(first, self._rows.rowCount()):
            if self.visualRect(self._rows.index(row)).top() > room.bottom():
                return
            yield self._rows.rows[row]

    def follow(self) -> None:
        """Bring the line that is being worked on into sight, with the one after it."""
        row = self._rows.current_row()
        if row is None:
            return
        following = min(row + 1, self._rows.rowCount() - 1)
        self.scrollTo(self._rows.index(following))
        self.scrollTo(self._rows.index(row))


class RowDelegate(QStyledItemDelegate):
    """Paints the field behind a line and the headings; what is in the line is painted by who inherits."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint_row(self, painter: QPainter, rect: QRectF, row: Any) -> None:
        """Paint what is in a line."""
        raise NotImplementedError

    def heading_font(self) -> QFont:
        """Return the font of headings."""
        return application_font("heading")

    def ink(self, row: Any) -> QColor:
        """Return the colour of a line's words: what is in the future stands back."""
        return self.theme.color("text" if row.current or row.done else "muted")

    def _paint_field(self, painter: QPainter, rect: QRectF, row: Any, hovered: bool) -> None:
        if row.current:
            painter.fillRect(rect, self.theme.color(TINTS.get(row.phase, "control")))
            bar = QRectF(rect.left(), rect.top(), BAR, rect.height())
            painter.fillRect(bar, self.theme.phase_color(row.phase))
        elif hovered:
            painter.fillRect(rect, self.theme.color("control"))

    def _paint_heading(self, painter: QPainter, rect: QRectF, text: str) -> None:
        painter.setFont(self.heading_font())
        painter.setPen(self.theme.color("muted"))
        inside = rect.adjusted(INDENT, 0, 0, -3)
        painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)

    # Qt

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        state: Any = option
        rect, row = QRectF(state.rect), index.data(ROW)
        painter.save()
        if isinstance(row, str):
            self._paint_heading(painter, rect, row)
        else:
            self._paint_field(painter, rect, row, bool(state.state & QStyle.StateFlag.State_MouseOver))
            self.paint_row(painter, rect, row)
        if state.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self.theme.color("focus"))
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.restore()


def lay_out_rows(panel: QWidget, view: QListView, copy_text: str) -> tuple[QLabel, QToolButton]:
    """Put a caption and a copy button over a list of rows; return both."""
    caption = QLabel()
    caption.setProperty("role", "small")
    caption.setFont(application_font("small"))
    caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    button = QToolButton()
    button.setText(copy_text)
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    top = QHBoxLayout()
    top.setContentsMargins(int(INDENT), 0, 8, 0)
    top.addWidget(caption, 1)
    top.addWidget(button)
    column = QVBoxLayout(panel)
    column.setContentsMargins(0, 2, 0, 0)
    column.setSpacing(0)
    column.addLayout(top)
    column.addWidget(view, 1)
    return caption, button
