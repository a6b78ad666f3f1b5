"""What the lecturer sees while the window presents: notes, what comes next, the time."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QScreen
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.panel import keep_bar
from gui.rich_text import RichText
from gui.theme import Theme

__all__ = ["SpeakerWindow", "is_same", "place_on"]


class SpeakerWindow(QWidget):
    """Notes, what comes next and the clock, in a window of their own.

    Signals
    -------
    key_pressed(QKeyEvent)
        A key for the window that presents.
    closed()
        It was closed by hand.
    """

    key_pressed = Signal(object)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle("Backstep – speaker")
        self.clock, self.page, self.following, self.remark = QLabel(), QLabel(), QLabel(), QLabel()
        self.notes = RichText(theme)
        self.clock.setStyleSheet("font-size: 28pt; font-weight: 600;")
        for label in (self.page, self.following, self.remark):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setStyleSheet("font-size: 16pt;")
        self.following.setProperty("role", "muted")
        self.remark.setProperty("role", "error")
        self.remark.hide()
        self.notes.set_factor(1.9)
        self.notes.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._arrange()
        self.resize(900, 600)

    def _arrange(self) -> None:
        inside = QWidget()
        below = QVBoxLayout(inside)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.notes)
        below.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(
            Qt.FocusPolicy.NoFocus
        )  # the keys are the clicker's; long notes scroll by the wheel
        keep_bar(area)
        area.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 20, 28, 20)
        column.setSpacing(14)
        for part in (self.clock, self.page, self.remark):
            column.addWidget(part)
        column.addWidget(area, 1)
        column.addWidget(self.following)

    def show_page(self, page: str, notes: str, following: str) -> None:
        """Show the notes of a page, and what comes after it."""
        self.page.setText(page)
        text = notes or "*No notes.*"
        if text != self.notes.source:
            self.notes.set_source(text)
        self.following.setText(f"Next: {following}" if following else "")

    def show_time(self, now: str, passed: str) -> None:
        """Show the time, and how long it has been."""
        self.clock.setText(f"{now}   presenting for {passed}")

    def show_remark(self, sentence: str) -> None:
        """Say what the audience does not see, "" for nothing."""
        self.remark.setText(sentence)
        self.remark.setVisible(bool(sentence))

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.key_pressed.emit(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


def is_same(a: QScreen, b: QScreen) -> bool:
    """Say whether two are one screen; the binding's object for it is another when a window there has gone."""
    return a.name() == b.name() and a.geometry() == b.geometry()


def place_on(widget: QWidget, screen: QScreen, room: QRect) -> None:
    """Let a window stand on a screen, in a part of it."""
    widget.winId()  # so that there is a handle
    handle = widget.windowHandle()
    if handle is not None and not is_same(handle.screen(), screen):
        handle.setScreen(screen)
    widget.setGeometry(room)
