"""The names of a formula as a table of fields: what each is, its value, its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import excerpt
from engine.graph import Kind
from engine.names import plain_name
from graphs.draft import Row, Size
from gui.fields import TextField
from gui.garbage import soon
from gui.theme import application_font

__all__ = ["MOST_ROWS", "RowTable"]

MOST_ROWS = 60
"""Names that have a row; the values of more are given in a file."""
NARROW = 330
"""Pixels below which shapes stand in the tips alone."""
SHORT = {"parameter": "param", "dimension": "dim"}
STATES = {"missing": "needs numbers", "drawn": "to fill in", "given": ""}


class _Line:
    """The widgets of one name: a row of the grid, and under it why its value cannot be used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._role, self._is_short = "", False
        self.field = TextField()
        self.label, self.shape = QLabel(plain_name(name)), QLabel()
        self.label.setFont(application_font("strong"))
        self.label.setMaximumWidth(90)
        self.label.setToolTip(name)
        self.shape.setProperty("role", "small")
        self.shape.setFont(application_font("small"))
        self.role = _button()
        self.role.setProperty("tight", True)
        self.role.setFont(application_font("small"))
        self.carry = _button()
        self.fault = QLabel()
        self.fault.setProperty("role", "error")
        self.fault.setFont(application_font("small"))
        self.fault.setWordWrap(True)
        self.fault.setTextFormat(Qt.TextFormat.PlainText)
        self.fault.hide()
        for part in (self.label, self.role, self.shape):
            part.setFixedHeight(self.field.line_height)  # beside the first line of a long value

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        return self.label, self.role, self.field, self.shape, self.fault, self.carry

    def add_to(self, grid: QGridLayout, place: int) -> None:
        """Put the widgets into a grid, the `place`-th from above."""
        top, left = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignLeft
        row = 3 * place
        for column, widget in ((0, self.label), (1, self.role), (3, self.shape)):
            grid.addWidget(widget, row, column, top)
        grid.addWidget(self.field, row, 2)  # as wide as there is room
        grid.addWidget(self.fault, row + 1, 0, 1, 4)
        grid.addWidget(
            self.carry, row + 2, 0, 1, 4, left
        )  # over all columns: it is wider than a field may be
        self.field.show()  # now, or a Tab that comes at once would pass it by

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
        self.field.set_hint(row.hint)
        self.field.show_value(row.text)
        state = STATES[row.state]
        self.field.setAccessibleName(f"Value of {row.name}{f', {state}' if state else ''}")
        self.field.setToolTip(f"{row.name}: {state or row.text or row.source or row.hint}, {row.shape}"[:400])
        self.shape.setText(f"{row.shape} · {state}" if state and row.shape else row.shape or state)
        self.label.setProperty("role", "error" if row.state == "missing" else "strong")
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)
        self.carry.setVisible(bool(row.carry))
        self.carry.setText(f"Take the value of {plain_name(excerpt(row.carry, 12))}" if row.carry else "")
        self.carry.setToolTip(f"Give {row.name} the value that {row.carry} had" if row.carry else "")

    def complain(self, sentence: str) -> None:
        """Say under the field why its value cannot be used, or nothing."""
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))
        self.field.setAccessibleDescription(sentence)

    def remove(self) -> None:
        for widget in self.widgets:
            widget.hide()
            widget.deleteLater()


def _wanted_most(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the rows that are shown, as they come: of too many, first those that need a value."""
    if len(rows) <= MOST_ROWS:
        return rows
    places = sorted(range(len(rows)), key=lambda at: (rows[at].state == "given", at))[:MOST_ROWS]
    return [rows[at] for at in sorted(places)]


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
        self._said: dict[str, str] = {}
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
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(8, 3, 6, 3)
        column.setSpacing(4)
        column.addLayout(self._grid)
        column.addWidget(self._note)
        column.addStretch(1)
        self.setWidget(inner)

    @property
    def fields(self) -> dict[str, TextField]:
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

    def forget(self) -> None:
        """Take back what was refused: the fields are of another network."""
        for line in self._lines.values():
            line.field.restore()

    def show_rows(self, rows: Sequence[Row], sizes: Sequence[Size]) -> None:
        """Show other rows, in the formula's order; what is being typed in those that stay is left alone."""
        shown = {row.name: row for row in _wanted_most(rows)}
        dims = {f"[{size.name}]": size for size in sizes[:MOST_ROWS]}
        if self._order != [*shown, *dims]:
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
        self._rows, self._order = (), [*names, *dims]
        lines = [self._lines[name] for name in self._order]
        for place, line in enumerate(lines):
            line.add_to(self._grid, place)
        chain = [self._after, *(line.field for line in lines)]  # from value to value, then the buttons
        chain += [button for line in lines for button in (line.role, line.carry)]
        for before, widget in pairwise(chain):
            QWidget.setTabOrder(before, widget)
        self._show_columns()

    def _made(self, name: str, is_size: bool) -> _Line:
        line = _Line(name)
        line.field.finished.connect(self.left)
        line.field.moved.connect(lambda step: self._move(name, step))
        line.role.setFocusPolicy(Qt.FocusPolicy.ClickFocus if is_size else Qt.FocusPolicy.TabFocus)
        if is_size:
            line.field.submitted.connect(lambda text: self.sized.emit(name.strip("[]"), text))
        else:
            line.field.submitted.connect(lambda text: self.given.emit(name, text))
            line.role.clicked.connect(lambda: self.turned.emit(name))
            line.carry.clicked.connect(lambda: self.carried.emit(self._carry.get(name, ""), name))
        return line

    def _show_size(self, line: _Line, size: Size) -> None:
        line.label.setText(size.name)
        line.label.setToolTip(f"The dimension {size.name}")
        line.set_role("dimension")
        line.role.setEnabled(False)
        line.field.setAccessibleName(f"Size of the dimension {size.name}")
        line.field.show_value(str(size.size))
        line.carry.hide()

    @property
    def faults(self) -> dict[str, str]:
        """What is said under the fields, by name."""
        return dict(self._said)

    def complain(self, sentences: Mapping[str, str]) -> None:
        """Say under each field of these names why its value cannot be used, and nothing under the others."""
        for name, line in self._lines.items():
            line.complain(sentences.get(name, ""))
        if sentences == self._said:
            return
        self._said = dict(sentences)
        under = next((line.fault for line in self._lines.values() if line.field.hasFocus()), None)
        if under is not None and not under.isHidden():
            self._bring(under)

    def _bring(self, widget: QWidget) -> None:
        """Have a widget in sight, when everything has its place."""

        def bring() -> None:
            if shiboken6.isValid(widget):
                self.ensureWidgetVisible(widget, 0, 4)
                self.horizontalScrollBar().setValue(0)

        soon(widget, bring)

    def _move(self, name: str, step: int) -> None:
        """Go to the field below or above."""
        names = self.order
        at = names.index(name) + step
        if 0 <= at < len(names):
            field = self._lines[names[at]].field
            field.setFocus(Qt.FocusReason.TabFocusReason)
            self._bring(field)

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
