"""A matrix whose numbers can be changed: typed, pasted, dragged, or stepped with keys.

What is typed is read by :mod:`engine.numerals`: a number, an expression, a block copied from elsewhere. What
cannot be read stays in its field, marked, with a sentence that says why; nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.errors import BackstepError, as_sentence
from engine.numerals import array as read_block
from engine.numerals import number as read_number
from graphs.entries import number_text
from graphs.views.numbers import full, shape_text
from gui.edits import with_entry
from gui.jobs import Task
from gui.matrices import Cell, MatrixWidget, as_table
from gui.scrubbing import Grip, neat, notch, pace_of
from gui.theme import Theme, application_font

__all__ = ["EditableMatrix", "as_tabs", "shapes_differ"]

FIELD = QSize(132, 24)
"""The least room for the text of a number that is being edited."""
LONG = 20_000
"""Characters beyond which a block is read in the background."""
SIGNS = ".,-−+(√"
"""What an expression begins with besides digits and letters; typed onto a marked cell, it opens the field."""
NUDGE = "gG"
"""The letter that stays with the window: it nudges the marked cell, and no function begins with it."""
PLAIN = ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
KEYS = Qt.Key


def _begins_expression(text: str) -> bool:
    return len(text) == 1 and (text in SIGNS or (text.isalnum() and text not in NUDGE))


def as_tabs(table: np.ndarray) -> str:
    """Return numbers as a spreadsheet takes them: tabs between columns, a line for each row."""
    return "\n".join("\t".join(full(x) for x in row) for row in np.atleast_2d(table).tolist())


class EditableMatrix(MatrixWidget):
    """A matrix whose cells take numbers, where whoever shows it allows that.

    Signals
    -------
    changed(object, str)
        The whole array as the user wants it, and the entry that was changed, such as ``[0, 0]``.
    scrubbed(object, float)
        An entry's index and the number that it is being dragged to.
    scrub_ended(bool)
        The drag is over: whether its number is kept.
    pasted(object)
        A block of another shape than the matrix.
    said(str)
        A sentence for the user; "" where there is nothing to say any more.
    """

    changed = Signal(object, str)
    scrubbed = Signal(object, float)
    scrub_ended = Signal(bool)
    pasted = Signal(object)
    said = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._name = ""
        self._refusal = ""
        self._anchor: Cell | None = None
        self._grip: Grip | None = None
        self._is_stepping = False
        self._reading: Task | None = None
        self._edited: Cell = (0, 0)
        self._back: QWidget | None = None
        self.field = CellField(self)
        self.field.hide()
        self.addAction("Copy for a spreadsheet").triggered.connect(self.copy_cells)
        self.addAction("Paste numbers").triggered.connect(self.paste)

    def set_matrix(
        self, array: Any, border_role: str = "forward", note: str = "", scale: float | None = None
    ) -> None:
        """Show another matrix; of another shape, no cell of the old one is edited or held any more."""
        is_other = np.shape(array) != self._array.shape
        super().set_matrix(array, border_role, note, scale)
        if is_other:
            self._anchor = self._grip = None
            self.close_field()

    def set_editing(self, name: str, refusal: str = "") -> None:
        """Let the numbers of `name` be changed, or say why they cannot be."""
        if name != self._name:
            self.close_field()
            self._anchor = None
            self._forget_reading()
        self._name, self._refusal = name, refusal

    @property
    def is_editable(self) -> bool:
        """Whether numbers can be changed here."""
        return bool(self._name) and not self._refusal

    @property
    def is_scrubbing(self) -> bool:
        """Whether a number is being dragged."""
        return self._grip is not None and self._grip.is_moving

    def index_of(self, cell: Cell) -> tuple[int, ...]:
        """Return the entry that a cell shows."""
        return cell[2 - self._array.ndim :] if self._array.ndim < 3 else cell

    def edit_cell(self, row: int, column: int, text: str | None = None, back: QWidget | None = None) -> None:
        """Open the field of a cell with its number, ready to be typed over, or with the text typed first.

        Parameters
        ----------
        back
            What has the keys when the field is left, where that is not the matrix.
        """
        if not self._may():
            return
        self.select_cell(row, column)
        if self.selected is None:
            return
        self._edited, self._back = self.selected, back
        number = float(as_table(self._array)[self._edited])
        value = number_text(number) if np.isfinite(number) else full(number)
        self.field.open(value if text is None else text, self._field_rect(), is_typed=text is not None)
        self.field.setAccessibleName(f"{self._name}{list(self._edited)}")

    def close_field(self) -> None:
        """Leave the field without taking what stands there."""
        if self.field.isVisible():
            had_focus = self.field.hasFocus()
            self.field.close_up()
            self.said.emit("")
            if had_focus:
                (self._back or self).setFocus()

    def take(self, move: Cell = (0, 0)) -> bool:
        """Take the number of the field and go on to another cell; what is none stays, with a sentence."""
        if not self.field.isVisible():
            return True
        if self.field.text() != self.field.opened_with or self.field.is_typed:
            try:
                number = read_number(self.field.text())
            except BackstepError as error:
                self.field.mark(True)
                self.said.emit(as_sentence(error))
                return False
            cell = self._edited
            self.close_field()
            if number != as_table(self._array)[cell]:
                index = self.index_of(cell)
                self.changed.emit(with_entry(self._array, index, number), str(list(index)) if index else "")
        else:
            self.close_field()
        if move != (0, 0):
            self._go_on(move)
        return True

    def paste(self) -> None:
        """Put what is on the clipboard into the cells: from the marked one on, or over the whole matrix."""
        if not self._may():
            return
        text = QGuiApplication.clipboard().text()
        self._forget_reading()
        if len(text) <= LONG:
            try:
                self._put(read_block(text, as_table(self._array).shape))
            except BackstepError as error:
                self.said.emit(f"Nothing was pasted: {error}")
            return
        shape = as_table(self._array).shape

        def read() -> Iterator[Any]:
            yield read_block(text, shape)

        self.said.emit("Reading what was pasted …")
        self._reading = Task(read, self)
        self._reading.came.connect(self._put)
        self._reading.failed.connect(lambda sentence: self.said.emit(f"Nothing was pasted: {sentence}"))
        self._reading.start()

    def copy_cells(self) -> None:
        """Put the marked cells, or all, onto the clipboard for a spreadsheet."""
        table = as_table(self._array)
        QGuiApplication.clipboard().setText(as_tabs(table[self._span()] if self.selected else table))

    # --- inner workings ---

    def _may(self) -> bool:
        self.said.emit(self._refusal)
        return self.is_editable

    def _go_on(self, move: Cell) -> None:
        row, column = self._edited
        rows, columns = as_table(self._array).shape
        row, column = row + move[0], column + move[1]
        if column >= columns and row + 1 < rows:
            row, column = row + 1, 0
        elif column < 0 < row:
            row, column = row - 1, columns - 1
        self._anchor = None
        self.select_cell(row, column)

    def _put(self, block: np.ndarray) -> None:
        """Put a block into the cells."""
        self.said.emit("")
        table = as_table(self._array)
        values, start = np.atleast_2d(block), self.selected or (0, 0)
        if values.shape == table.shape:
            self.changed.emit(values.reshape(self._array.shape), "")
            return
        end = start[0] + values.shape[0], start[1] + values.shape[1]
        fits = end[0] <= table.shape[0] and end[1] <= table.shape[1]
        if not fits or (self.selected is None and values.size > 1):
            self.pasted.emit(values)
            return
        found = table.copy()
        found[start[0] : end[0], start[1] : end[1]] = values
        self.changed.emit(
            found.reshape(self._array.shape), str(list(self.index_of(start))) if block.size == 1 else ""
        )

    def _forget_reading(self) -> None:
        if self._reading is not None:
            self._reading.dismiss()
            self._reading = None

    def _span(self) -> tuple[slice, slice]:
        """Return the rows and columns that are marked."""
        cell = self.selected or (0, 0)
        other = self._anchor or cell
        (top, bottom), (left, right) = (sorted(pair) for pair in zip(cell, other, strict=True))
        return slice(top, bottom + 1), slice(left, right + 1)

    def _field_rect(self) -> QRect:
        """Return where the field lies: over its cell, wider where the number needs it, inside the widget."""
        shown, grid = self._shown(), self._grid()
        cell = grid.cell_rect(self._edited[0] - shown.top(), self._edited[1] - shown.left()).toAlignedRect()
        size = QSize(max(FIELD.width(), cell.width() + 2), max(FIELD.height(), cell.height() + 2))
        rect = QRect(cell.topLeft() - QPoint(1, (size.height() - cell.height()) // 2), size)
        rect.setWidth(min(rect.width(), self.width()))
        rect.moveLeft(max(0, min(rect.left(), self.width() - rect.width())))
        return rect

    def _step(self, event: QKeyEvent) -> None:
        """Change the marked number by a notch: Alt and the arrows."""
        if self.selected is None or not self._may():
            return
        value = float(as_table(self._array)[self.selected])
        by = notch(value, *pace_of(event.modifiers()))
        self._is_stepping = True
        number = neat(value + (by if event.key() == KEYS.Key_Up else -by))
        self.scrubbed.emit(self.index_of(self.selected), number)

    def _end_steps(self) -> None:
        if self._is_stepping:
            self._is_stepping = False
            self.scrub_ended.emit(True)

    def _let_go(self, keep: bool) -> None:
        grip, self._grip = self._grip, None
        if grip is not None and grip.is_moving:
            self.scrub_ended.emit(keep)

    def _hover(self, point: QPointF) -> None:
        over = self.is_editable and self._cell_at(point) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def _begins_editing(self, event: QKeyEvent) -> bool:
        """Say whether a key begins to edit the marked cell."""
        if event.modifiers() & PLAIN:
            return False
        if event.key() in (KEYS.Key_F2, KEYS.Key_Return, KEYS.Key_Enter):
            return True
        return self.selected is not None and _begins_expression(event.text())

    def _keeps_key(self, event: QKeyEvent) -> bool:
        """Say whether a key is for the matrix rather than for a shortcut of the window."""
        is_step = event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in (
            KEYS.Key_Up,
            KEYS.Key_Down,
        )
        is_span = (
            event.modifiers() == Qt.KeyboardModifier.ShiftModifier and self._target(event.key()) is not None
        )
        return (
            bool(is_step)
            or is_span
            or event.matches(QKeySequence.StandardKey.Paste)
            or self._begins_editing(event)
        )

    def _extend(self, event: QKeyEvent) -> None:
        """Move the marked cell and leave the other corner of the marked block where it is."""
        anchor = self._anchor or self.selected
        target = self._target(event.key())
        if target is not None:
            self.select_cell(*target)
            self._anchor = anchor
            self.update()

    # Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            escapes = event.key() == KEYS.Key_Escape and (self.is_scrubbing or self._is_stepping)
            if escapes or self._keeps_key(event):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == KEYS.Key_Escape and (self.is_scrubbing or self._is_stepping):
            self._is_stepping = False
            self._grip = None
            self.scrub_ended.emit(False)
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and key in (KEYS.Key_Up, KEYS.Key_Down):
            self._step(event)
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.matches(QKeySequence.StandardKey.Copy) and self.selected is not None:
            self.copy_cells()
        elif self._begins_editing(event):
            is_text = _begins_expression(event.text())
            self.edit_cell(*(self.selected or (0, 0)), text=event.text() if is_text else None)
        elif event.modifiers() == Qt.KeyboardModifier.ShiftModifier and self._target(key) is not None:
            self._extend(event)
        else:
            if key == KEYS.Key_Escape or self._target(key) is not None:
                self._anchor = None
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat() and event.key() in (KEYS.Key_Up, KEYS.Key_Down, KEYS.Key_Alt):
            self._end_steps()
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end_steps()
        super().focusOutEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._anchor = None
        self.take()
        super().mousePressEvent(event)
        cell = self._cell_at(event.position())
        if cell and event.button() == Qt.MouseButton.LeftButton and self.is_editable:
            self._grip = Grip(event.position().x(), float(as_table(self._array)[cell]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None and event.buttons() & Qt.MouseButton.LeftButton:
            number = self._grip.drag(event)
            if self._grip.is_moving:  # not before: the arrows would cover the number
                self.setCursor(Qt.CursorShape.SizeHorCursor)
            if number is not None and self.selected is not None:
                self.scrubbed.emit(self.index_of(self.selected), number)
        else:
            self._hover(event.position())
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._let_go(keep=True)
        self._hover(event.position())
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        self._grip = None
        if cell:
            self.edit_cell(*cell)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.take()
        super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._anchor is not None and self.selected is not None:
            self._paint_span()

    def _paint_span(self) -> None:
        shown, grid = self._shown(), self._grid()
        rows, columns = self._span()
        first = grid.cell_rect(rows.start - shown.top(), columns.start - shown.left())
        last = grid.cell_rect(rows.stop - 1 - shown.top(), columns.stop - 1 - shown.left())
        painter = QPainter(self)
        painter.setPen(QPen(self._theme.color("text"), 2))
        painter.drawRect(first.united(last).intersected(QRectF(self.rect()).adjusted(1, 1, -1, -1)))
        painter.end()


class CellField(QLineEdit):
    """The text of one number, over its cell."""

    def __init__(self, matrix: EditableMatrix) -> None:
        super().__init__(matrix)
        self._matrix = matrix
        self.opened_with = ""
        self.is_typed = False
        self.setMaxLength(2000)
        self.setFont(application_font("small"))
        self.textEdited.connect(lambda: self.mark(False))

    def open(self, text: str, rect: QRect, is_typed: bool) -> None:
        """Show a text over a cell; one that was typed is gone on with, a number is typed over."""
        self.opened_with, self.is_typed = text, is_typed
        self.mark(False)
        self.setText(text)
        self.setGeometry(rect)
        self.show()
        self.setFocus()
        if not is_typed:
            self.selectAll()

    def submit(self) -> None:
        """Put what was typed into use."""
        if self.isVisible():
            self._matrix.take()

    def close_up(self) -> None:
        """Be gone, and nothing of the text with it."""
        self.mark(False)
        self.hide()

    def mark(self, invalid: bool) -> None:
        """Show that the text cannot be used, or that it may."""
        if bool(self.property("invalid")) != invalid:
            self.setProperty("invalid", invalid)
            self.style().unpolish(self)
            self.style().polish(self)

    # Qt

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _MOVES:
            self._matrix.take(_MOVES[KEYS(event.key())])
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == KEYS.Key_Escape:
            self._matrix.close_field()
        elif event.matches(QKeySequence.StandardKey.Paste) and _is_block(QGuiApplication.clipboard().text()):
            self._matrix.close_field()
            self._matrix.paste()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        leaves = event.reason() not in (
            Qt.FocusReason.PopupFocusReason,
            Qt.FocusReason.ActiveWindowFocusReason,
        )
        if leaves and self.isVisible():
            self._matrix.take()


_MOVES: dict[Qt.Key, Cell] = {
    KEYS.Key_Return: (1, 0),
    KEYS.Key_Enter: (1, 0),
    KEYS.Key_Tab: (0, 1),
    KEYS.Key_Backtab: (0, -1),
}


def _is_block(text: str) -> bool:
    """Say whether a text that is pasted into a field is more than one number."""
    return any(sign in text.strip() for sign in "\t\n[") or "\\begin" in text


def shapes_differ(name: str, shape: tuple[int, ...], block: np.ndarray) -> str:
    """Say in one sentence that a block has another shape than the matrix."""
    mine, its = shape_text(shape), shape_text(block.shape)
    hint = " Transpose it first." if block.shape == shape[::-1] else ""
    return f"Nothing was pasted: the block is {its}, {name} is {mine}.{hint}"
