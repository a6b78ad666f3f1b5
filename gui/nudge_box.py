"""The nudge test on the screen: one number moved by ε, what the loss answers, and what the gradient says."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.nudge import EPSILONS
from gui.labels import words_label
from gui.theme import Theme
from gui.viewdata import NudgeView

__all__ = ["NudgeBox"]


ROWS = 6


class NudgeBox(QFrame):
    """Shows a `NudgeView`, and lets ε be chosen.

    Signals
    -------
    epsilon_chosen(float)
        The user wants another ε.
    closed()
        The user has seen enough.
    """

    epsilon_chosen = Signal(float)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("nudge test")
        self._title, self._note, self._verdict = words_label("strong"), words_label("muted"), words_label("")
        self.epsilon = QComboBox()
        self.epsilon.setAccessibleName("ε")
        for value in EPSILONS:
            self.epsilon.addItem(f"ε = {value:.0e}".replace("e-0", "e−"), value)
        self.epsilon.activated.connect(lambda at: self.epsilon_chosen.emit(self.epsilon.itemData(at)))
        self.close_button = QPushButton("Done  Esc")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button.clicked.connect(self.closed)
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 2, 0, 2)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(3)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._rows = [self._add_row() for _ in range(ROWS)]
        self._moved = words_label("muted")
        self._arrange()
        self.set_theme(theme)

    def set_view(self, view: NudgeView | None) -> None:
        """Show a nudge, or nothing."""
        self.setVisible(view is not None)
        if view is None:
            return
        self._title.setText(view.title)
        self._note.setText(view.note)
        self._note.setVisible(bool(view.note))
        self._verdict.setText(view.verdict)
        self._verdict.setProperty("role", "strong" if view.passed else "error")
        self._verdict.style().unpolish(self._verdict)
        self._verdict.style().polish(self._verdict)
        at = self.epsilon.findData(view.epsilon)
        self.epsilon.setCurrentIndex(at)
        for (name, number), row in zip(self._rows, view.rows, strict=True):
            name.setText(row[0])
            number.setText(row[1])
        moved = " · ".join(f"{name} {change}" for name, change in view.moved)
        self._moved.setText(f"What moves, by its largest change: {moved}")
        self._moved.setVisible(bool(moved))
        said = ", ".join(f"{name} {number}" for name, number in view.rows)
        self.setAccessibleDescription(f"{view.title} {view.note} {said}. {view.verdict}")

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.setStyleSheet(
            f"NudgeBox {{ border: 1px solid {theme.focus}; border-radius: 8px; background: {theme.card}; }}"
        )

    def _add_row(self) -> tuple[QLabel, QLabel]:
        name, number = words_label("muted"), words_label("")
        name.setWordWrap(False)
        number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._form.addRow(name, number)
        return name, number

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(5)
        head = QHBoxLayout()
        head.addWidget(self.epsilon)
        head.addStretch(1)
        head.addWidget(self.close_button)
        column.addWidget(self._title)
        column.addWidget(self._note)
        column.addLayout(head)
        column.addLayout(self._form)
        column.addWidget(self._verdict)
        column.addWidget(self._moved)
