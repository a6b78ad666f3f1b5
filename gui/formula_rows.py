"""The names of a formula as a table of fields: what each is, its value, its shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.graph import Kind
from engine.names import plain_name
from graphs.draft import Row, Size
from gui.fields import ENTER, keeps
from gui.theme import application_font

__all__ = ["MOST_ROWS", "RowTable"]

MOST_ROWS = 60
"""Names that have a row; the values of more are given in a file."""
NARROW = 330
"""Pixels below which shapes stand in the tips alone."""
SHORT = {"parameter": "param", "dimension": "dim"}
STATES = {"missing": "needs numbers", "drawn": "to fill in", "given": ""}
EDITING = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Escape, *ENTER)


class ValueField(QLineEdit):
    """One value: Enter and leaving the field give it, Escape takes it back.

    Signals
    -------
    given(str)
        The user wants this value.
    moved(int)
        The field below (+1) or above (-1) is wanted.
    left()
        Escape: the focus may go back to the graph.
    """

    given = Signal(str)
    moved = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self._refused: str | None = None
        self.setMaxLength(100_000)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(70)

    def show_value(self, text: str) -> None:
        """Show the value in use; what is being typed is left alone."""
        is_kept = text == self._shown and (self._refused is not None or self.isModified())
        self._shown = text
        if not is_kept:
            self.setText(text)
            self.setCursorPosition(0)
            self.refuse(False)

    def refuse(self, refused: bool = True) -> None:
        """Mark the text as one that cannot be used; it stays to be mended."""
        self._refused = self.text() if refused else None
        if bool(self.property("invalid")) != refused:
            self.setProperty("invalid", refused)
            self.style().unpolish(self)
            self.style().polish(self)

    def submit(self) -> None:
        """Give the value, if it is another."""
        if self.isModified() and self.text() != self._refused:
            self.setModified(False)
            self.given.emit(self.text())

    def restore(self) -> None:
        """Show the value in use again."""
        self.setText(self._shown)
        self.refuse(False)

    # Qt

    def event(self, event: QEvent) -> bool:
        return keeps(event, EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ENTER:
            self.submit()
            self.moved.emit(1)
        elif key == Qt.Key.Key_Escape:
            self.restore()
            self.left.emit()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.moved.emit(1 if key == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.submit()
            self.deselect()
            self.setCursorPosition(0)  # of a long value, its beginning is seen


class _Line:
    """The widgets of one name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._role, self._is_short = "", False
        self.label, self.shape = QLabel(plain_name(name)), QLabel()
        self.label.setFont(application_font("strong"))
        self.label.setMaximumWidth(90)
        self.label.setToolTip(name)
        self.shape.setProperty("role", "small")
        self.shape.setFont(application_font("small"))
        self.field = ValueField()
        self.role = _button()
        self.carry = _button()

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        return self.label, self.role, self.field, self.carry, self.shape

    def set_role(self, role: str) -> None:
        self._role = role
        self.shorten(self._is_short)

    def shorten(self, is_short: bool) -> None:
        """Say the role in a short word, or in its own."""
        self._is_short = is_short
        self.role.setText(SHORT.get(self._role, self._role) if is_short else self._role)

    def show(self, row: Row) -> None:
        other = "input" if row.kind == Kind.PARAMETER else "parameter"
        self.set_role(row.kind.value)
        self.role.setToolTip(f"{row.name} is {_a(row.kind.value)}. Click: make it {_a(other)}.")
        self.role.setAccessibleName(f"{row.name}: {row.kind.value}")
        self.field.setPlaceholderText(row.hint)
        self.field.show_value(row.text)
        state = STATES[row.state]
        self.field.setAccessibleName(f"Value of {row.name}{f', {state}' if state else ''}")
        self.field.setToolTip(f"{row.name}: {state or row.text or row.hint}, {row.shape}"[:300])
        self.shape.setText(f"{row.shape} · {state}" if state and row.shape else row.shape or state)
        self.label.setProperty("role", "error" if row.state == "missing" else "strong")
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)
        self.carry.setVisible(bool(row.carry))
        self.carry.setText(f"as {row.carry}" if row.carry else "")
        self.carry.setToolTip(f"Give {row.name} the value that {row.carry} had" if row.carry else "")

    def remove(self) -> None:
        for widget in self.widgets:
            widget.hide()
            widget.deleteLater()


def _a(word: str) -> str:
    return f"an {word}" if word.startswith("i") else f"a {word}"


def _button() -> QToolButton:
    button = QToolButton()
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class RowTable(QScrollArea):
    """A field for each name that is read, and for each dimension whose size can be chosen.

    Parameters
    ----------
    after
        The widget from which Tab leads to the first field.

    Signals
    -------
    given(str, str)
        A name and the text of its value.
    sized(str, str)
        A dimension and the text of its size.
    turned(str)
        A name that is to be an input instead of a parameter, or the other way.
    carried(str, str)
        An old name and a new one that is to have its value.
    left()
        The focus may go back to the graph.
    """

    given = Signal(str, str)
    sized = Signal(str, str)
    turned = Signal(str)
    carried = Signal(str, str)
    left = Signal()

    def __init__(self, after: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._after = after
        self._rows: tuple[Row, ...] = ()
        self._sizes: tuple[Size, ...] = ()
        self._lines: dict[str, _Line] = {}
        self._carry: dict[str, str] = {}
        self._order: list[str] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Parameters and inputs")
        self._note = QLabel("Every name that the formula reads gets a row here.")
        self._note.setProperty("role", "small")
        self._note.setWordWrap(True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(10, 2, 8, 4)
        column.setSpacing(4)
        column.addLayout(self._grid)
        column.addWidget(self._note)
        column.addStretch(1)
        self.setWidget(inner)

    @property
    def fields(self) -> dict[str, ValueField]:
        """The fields by name; those of dimensions too."""
        return {name: line.field for name, line in self._lines.items()}

    @property
    def buttons(self) -> dict[str, QToolButton]:
        """The buttons that turn a parameter into an input and back, by name."""
        return {row.name: self._lines[row.name].role for row in self._rows if row.name in self._lines}

    def carry_button(self, name: str) -> QToolButton:
        """Return the button that gives a name the value of the one that is gone."""
        return self._lines[name].carry

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown."""
        return self._rows

    def show_rows(self, rows: Sequence[Row], sizes: Sequence[Size]) -> None:
        """Show other rows; those of names that stay keep their place, and what is being typed in them."""
        shown = {row.name: row for row in rows[:MOST_ROWS]}
        dims = {f"[{size.name}]": size for size in sizes[:MOST_ROWS]}
        if set(self._lines) != {*shown, *dims}:
            self._arrange(list(shown), list(dims))
        if tuple(rows) != self._rows:
            for name, row in shown.items():
                self._lines[name].show(row)
        for key, size in dims.items():
            self._show_size(self._lines[key], size)
        self._rows, self._sizes = tuple(rows), tuple(sizes)
        self._carry = {row.name: row.carry for row in rows}
        left_out = len(rows) - len(shown)
        self._note.setText(f"{left_out} more names have no row: give them in a file." if left_out else "")
        self._note.setVisible(bool(left_out))

    def _arrange(self, names: list[str], dims: list[str]) -> None:
        """Make the lines of new names, drop those of names that are gone, and put all in order."""
        for name in [n for n in self._lines if n not in names and n not in dims]:
            self._lines.pop(name).remove()
        for name in (*names, *dims):
            if name not in self._lines:
                self._lines[name] = self._made(name, name in dims)
        stay = [n for n in self._order if n in names]
        self._rows, self._order = (), [*(n for n in names if n not in stay), *stay, *dims]
        lines = [self._lines[name] for name in self._order]
        for place, line in enumerate(lines):
            for column, widget in enumerate(line.widgets):
                self._grid.addWidget(widget, place, column)
            line.field.show()  # now, or a Tab that comes at once would pass it by
        chain = [self._after, *(line.field for line in lines)]  # from value to value, then the buttons
        chain += [button for line in lines for button in (line.role, line.carry)]
        for before, widget in pairwise(chain):
            QWidget.setTabOrder(before, widget)
        self._show_columns()

    def _made(self, name: str, is_size: bool) -> _Line:
        line = _Line(name)
        line.field.left.connect(self.left)
        line.field.moved.connect(lambda step: self._move(name, step))
        line.role.setFocusPolicy(Qt.FocusPolicy.ClickFocus if is_size else Qt.FocusPolicy.TabFocus)
        if is_size:
            line.field.given.connect(lambda text: self.sized.emit(name.strip("[]"), text))
        else:
            line.field.given.connect(lambda text: self.given.emit(name, text))
            line.role.clicked.connect(lambda: self.turned.emit(name))
            line.carry.clicked.connect(lambda: self.carried.emit(self._carry.get(name, ""), name))
        return line

    def _show_size(self, line: _Line, size: Size) -> None:
        line.label.setText(size.name)
        line.label.setToolTip(f"The dimension {size.name}")
        line.set_role("dimension")
        line.role.setEnabled(False)
        line.field.setAccessibleName(f"Size of the dimension {size.name}")
        line.field.setPlaceholderText("")
        line.field.show_value(str(size.size))
        line.carry.hide()

    def _move(self, name: str, step: int) -> None:
        """Go to the field below or above."""
        names = self.order
        at = names.index(name) + step
        if 0 <= at < len(names):
            field = self._lines[names[at]].field
            field.setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(field)
            self.horizontalScrollBar().setValue(0)

    @property
    def order(self) -> list[str]:
        """The names from top to bottom."""
        return list(self._order)

    def _show_columns(self) -> None:
        is_narrow = self.width() < NARROW
        for line in self._lines.values():
            line.shape.setVisible(not is_narrow)
            line.shorten(is_narrow)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_columns()
