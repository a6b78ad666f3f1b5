"""The iteration as NumPy: a line a step, the current one marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QStyleOptionViewItem,
    QWidget,
)

from gui.panel import Panel
from gui.rows import INDENT, ROW, RowDelegate, RowList, RowModel, lay_out_rows
from gui.session import Session
from gui.theme import Theme, code_font
from gui.viewdata import CodeRow, code_rows

LINE_HEIGHT = 1.45
HEADINGS = {"forward": "# forward", "seed": "# backward", "update": "# update"}
"""Comments before the first line of a phase; the seed is where backward begins."""


@dataclass(frozen=True)
class NumberedRow:
    """One statement and the position on the timeline after it; a comment has none."""

    row: CodeRow
    position: int

    @property
    def phase(self) -> str:
        return self.row.phase

    @property
    def current(self) -> bool:
        return self.row.current

    @property
    def done(self) -> bool:
        return self.row.done


class CodePanel(Panel):
    """NumPy statements that do what the steps do."""

    title = "Code"
    object_name = "code"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._key: tuple[object, ...] = ()
        self._code: list[CodeRow] = []
        self._model = RowModel(lambda row: row.row.text, self)
        self.view = RowList(self._model)
        self.view.setAccessibleName("NumPy code")
        self.view.setUniformItemSizes(True)
        self._delegate = CodeDelegate(theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self._arrange()
        self.view.clicked.connect(self._go)
        self.view.activated.connect(self._go)
        self.copy_button.clicked.connect(self.copy)
        self.refresh_on(session.frame_changed)

    def refresh(self) -> None:
        """Mark the line of the step that was taken last."""
        frame = self.session.frame
        key = (frame.statics, frame.optimizer, tuple(frame.settings.items()), len(frame.trace.steps))
        if key != self._key:
            self._key, self._code = key, code_rows(frame)
            self._delegate.set_widest(self._code)
        rows = [marked(row, i, frame.position) for i, row in enumerate(self._code)]
        self._model.set_rows(with_comments(rows))
        left_out = len(frame.trace.steps) - len(rows)
        more = f" · {left_out} more steps are not listed" if left_out else ""
        self._caption.setText(f"line {frame.position} of {len(rows)}{more} · click one to go there")
        self.view.follow()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._delegate.theme = theme
        self.view.viewport().update()
        super().set_theme(theme)

    def text(self) -> str:
        """Return the whole iteration as source."""
        lines = (row if isinstance(row, str) else row.row.text for row in self._model.rows)
        return "\n".join(["import numpy as np", *lines]) + "\n"

    def copy(self) -> None:
        """Put the whole iteration onto the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def _go(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if isinstance(row, NumberedRow):
            self.session.go(row.position)

    def _arrange(self) -> None:
        self.view.addAction("Copy code").triggered.connect(self.copy)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._caption, self.copy_button = lay_out_rows(self, self.view, "Copy code")


def marked(row: CodeRow, index: int, position: int) -> NumberedRow:
    """Return a statement as it is to be seen after `position` steps."""
    current, done = index == position - 1, index < position
    if (row.current, row.done) != (current, done):
        row = replace(row, current=current, done=done)
    return NumberedRow(row, index + 1)


def with_comments(rows: Sequence[NumberedRow]) -> list[NumberedRow | str]:
    """Return the rows with a comment before those of each phase."""
    found: list[NumberedRow | str] = []
    for i, row in enumerate(rows):
        if (i == 0 or rows[i - 1].phase != row.phase) and row.phase in HEADINGS:
            found.append(HEADINGS[row.phase])
        found.append(row)
    return found


class CodeDelegate(RowDelegate):
    """Paints one statement with its number."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._font = code_font()
        self._metrics = QFontMetricsF(self._font)
        self._numbers = 0.0
        self._width = 100.0

    def set_widest(self, rows: Sequence[CodeRow]) -> None:
        """Make room for the longest statement and the largest number."""
        self._numbers = self._metrics.horizontalAdvance(str(len(rows))) + 12
        longest = max((row.text for row in rows), key=len, default="")
        self._width = INDENT + self._numbers + self._metrics.horizontalAdvance(longest) + INDENT

    def paint_row(self, painter: QPainter, rect: QRectF, row: NumberedRow) -> None:
        """Paint a statement; the number before it stands back."""
        left, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self._font)
        painter.setPen(self.theme.color("disabled"))
        numbers = QRectF(rect.left() + INDENT, rect.top(), self._numbers - 12, rect.height())
        painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | middle, str(row.position))
        painter.setPen(self.ink(row))
        painter.drawText(rect.adjusted(INDENT + self._numbers, 0, 0, 0), left | middle, row.row.text)

    def heading_font(self) -> QFont:
        return self._font

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(int(self._width), int(self._metrics.height() * LINE_HEIGHT))
