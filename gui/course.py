"""The course: the lessons there are, to be chosen from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui.fields import ENTER, PushButton
from gui.overlay import Overlay
from gui.theme import Theme, application_font

__all__ = ["Course", "CourseRow"]

MARGIN, LARGEST = 24, QSize(760, 720)
ROW = 52
NUMBER, PAGES = 34, 118


@dataclass(frozen=True)
class CourseRow:
    """A lesson in the list.

    Attributes
    ----------
    source
        What opens it.
    page
        The page that the learner left it at, counted from 1; 0 for one that was not begun.
    is_done
        Whether its last page was reached.
    is_latest
        Whether it is the one that was open last.
    questions, answered
        How many questions it asks, and how many of them were answered right.
    """

    source: str
    number: int
    title: str
    summary: str
    pages: int
    page: int = 0
    is_done: bool = False
    is_latest: bool = False
    questions: int = 0
    answered: int = 0

    @property
    def progress(self) -> str:
        """How far the learner is, in words."""
        if self.is_done:
            all_right = self.answered >= self.questions
            return "done" if all_right else f"{self.answered} of {self.questions} answered"
        return f"page {self.page} of {self.pages}" if self.page else f"{self.pages} pages"


def _next(rows: Sequence[CourseRow]) -> int:
    """Return the lesson to go on with: the one that was open last, or the next where that is done."""
    latest = next((i for i, row in enumerate(rows) if row.is_latest), 0)
    order = (*range(latest, len(rows)), *range(latest))
    return next((i for i in order if not rows[i].is_done), 0)


class Course(Overlay):
    """A list of lessons; Enter or a click opens one.

    Signals
    -------
    chosen(str)
        The lesson to open.
    file_requested()
        The user wants a lesson of their own.
    """

    chosen = Signal(str)
    file_requested = Signal()

    def __init__(self, theme: Theme, rows: Sequence[CourseRow], parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName("Lessons")
        self.list = QListWidget()
        self.list.setAccessibleName("Lessons")
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._painter = _Rows(theme, self.list)
        self.list.setItemDelegate(self._painter)
        for row in rows:
            item = QListWidgetItem(f"{row.number}. {row.title}. {row.summary}")
            item.setData(Qt.ItemDataRole.UserRole, row)
            self.list.addItem(item)
        self.list.setCurrentRow(_next(rows))
        self.list.itemClicked.connect(lambda _: self._open())
        self._box = self._arranged()

    def _arranged(self) -> QWidget:
        box = QWidget(self)
        title = QLabel("Lessons")
        title.setProperty("role", "title")
        own = PushButton("Open a file…")
        own.clicked.connect(self._open_file)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(own)
        column = QVBoxLayout(box)
        column.setContentsMargins(20, 14, 20, 16)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        return box

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        super().set_theme(theme)
        self._painter.theme = theme
        self.list.viewport().update()

    def card(self) -> QRect:
        """Return where the card is."""
        room = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        height = min(room.height(), LARGEST.height(), 84 + ROW * max(3, self.list.count()))
        card = QRect(0, 0, min(room.width(), LARGEST.width()), height)
        card.moveCenter(self.rect().center())
        return card

    def arrange(self) -> None:
        """Place what is inside for the size there is."""
        self._box.setGeometry(self.card())

    def focus_inside(self) -> None:
        """Let the arrow keys move in the list."""
        self.list.setFocus()

    def _open(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            row: CourseRow = item.data(Qt.ItemDataRole.UserRole)
            self.close()
            self.chosen.emit(row.source)

    def _open_file(self) -> None:
        self.close()
        self.file_requested.emit()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self._open()
            return
        super().keyPressEvent(event)


class _Rows(QStyledItemDelegate):
    """Paints a lesson: number, title over summary, how far the learner is."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row: CourseRow = index.data(Qt.ItemDataRole.UserRole)
        rect = QRectF(option.rect).adjusted(2, 2, -2, -2)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            is_chosen = bool(state & QStyle.StateFlag.State_Selected)
            painter.setBrush(self.theme.color("selection" if is_chosen else "control"))
            painter.drawRoundedRect(rect, 7, 7)
        self._write(painter, rect.adjusted(10, 4, -10, -4), row)
        painter.restore()

    def _write(self, painter: QPainter, rect: QRectF, row: CourseRow) -> None:
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(self.theme.color("muted"))
        painter.setFont(application_font("strong"))
        painter.drawText(QRectF(rect.left(), rect.top(), NUMBER, rect.height()), middle, str(row.number))
        painter.setFont(application_font("small"))
        right = QRectF(rect.right() - PAGES, rect.top(), PAGES, rect.height())
        painter.drawText(right, middle | Qt.AlignmentFlag.AlignRight, row.progress)
        text = rect.adjusted(NUMBER, 0, -PAGES - 8, 0)
        half = text.height() / 2
        self._line(painter, QRectF(text.left(), text.top(), text.width(), half), row.title, "strong", "text")
        below = QRectF(text.left(), text.top() + half, text.width(), half)
        self._line(painter, below, row.summary, "small", "muted")

    def _line(self, painter: QPainter, rect: QRectF, text: str, role: str, colour: str) -> None:
        painter.setFont(application_font(role))
        painter.setPen(self.theme.color(colour))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)
