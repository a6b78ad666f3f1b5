"""A question that has to be answered first: a card over the window, answered by one key."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.overlay import Overlay
from gui.theme import Theme, application_font

__all__ = ["UnsavedQuestion"]

WIDTH = 460


class UnsavedQuestion(Overlay):
    """Asks what is to become of unsaved changes: Enter saves, D discards, Escape goes back.

    Parameters
    ----------
    name
        What is unsaved.
    before
        What happens to it otherwise.
    has_file
        Whether it is known which file is written.

    Signals
    -------
    save(), discard(), cancelled()
        The answer; the question has gone by then.
    """

    save = Signal()
    discard = Signal()
    cancelled = Signal()

    def __init__(
        self, theme: Theme, name: str, before: str, parent: QWidget, *, has_file: bool = True
    ) -> None:
        super().__init__(theme, parent)
        self._answered = False
        self._box = QWidget(self)
        title, text = QLabel(f"Save the changes to {name}?"), QLabel(before)
        title.setFont(application_font("strong"))
        for label in (title, text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        text.setProperty("role", "muted")
        self.save_button, self.discard_button, self.cancel_button = (
            QPushButton(words) for words in ("Save" if has_file else "Save as…", "Discard", "Cancel")
        )
        row = QHBoxLayout()
        row.addWidget(self.discard_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.save_button)
        column = QVBoxLayout(self._box)
        column.setContentsMargins(22, 18, 22, 18)
        column.setSpacing(10)
        for part in (title, text):
            column.addWidget(part)
        column.addSpacing(6)
        column.addLayout(row)
        self.setAccessibleName(title.text())
        self.setAccessibleDescription("Enter saves, D discards, Escape goes back.")
        self._name_buttons()

    def _name_buttons(self) -> None:
        answers = (
            (self.save_button, "Save (Enter)", self.save),
            (self.discard_button, "Discard the changes (D)", self.discard),
            (self.cancel_button, "Go back (Esc)", self.cancelled),
        )
        for button, tip, signal in answers:
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, signal=signal: self._answer(signal))
        self.save_button.setProperty("accent", True)
        self._order = [self.discard_button, self.cancel_button, self.save_button]

    def _answer(self, signal: object) -> None:
        self._answered = True
        self.close()
        signal.emit()  # type: ignore[attr-defined]

    def card(self) -> QRect:
        """Return where the card is: in the middle, a little above it."""
        width = min(WIDTH, self.width() - 32)
        self._box.ensurePolished()
        layout = self._box.layout()
        assert layout is not None
        height = (
            layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()
        )
        return QRect((self.width() - width) // 2, max(8, (self.height() - height) * 2 // 5), width, height)

    def arrange(self) -> None:
        """Place the words and the buttons on the card."""
        self._box.setGeometry(self.card())

    def focus_inside(self) -> None:
        """Let Enter save."""
        self.save_button.setFocus()

    # Qt

    def focusNextPrevChild(self, forward: bool) -> bool:
        focused = next((i for i, button in enumerate(self._order) if button.hasFocus()), -1)
        self._order[(focused + (1 if forward else -1)) % len(self._order)].setFocus()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_D:
            self._answer(self.discard)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            next((b for b in self._order if b.hasFocus()), self.save_button).click()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.focusNextPrevChild(key == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: object) -> None:
        super().closeEvent(event)  # type: ignore[arg-type]
        if not self._answered:
            self._answered = True
            self.cancelled.emit()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 160)
