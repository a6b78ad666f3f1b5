"""The one channel for messages to the user: a bar in the window that asks for nothing and stops nothing.

Whoever has something to say calls a `Notifier`; the window's `NotificationBar` shows it, tells screen
readers, and keeps what comes meanwhile. Errors and warnings stay until they are dismissed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from engine.errors import BackstepError, as_sentence
from gui.icons import icon, paint_icon
from gui.theme import Theme

Level = Literal["info", "warning", "error"]
INFO_MILLISECONDS = 6000
MARKS = {"info": "accent", "warning": "warning", "error": "error"}
"""The theme's role of a level's mark."""


Choice = tuple[str, Callable[[], object]]
"""What a button says, and what it does."""


@dataclass(frozen=True)
class Message:
    """One sentence to the user.

    Attributes
    ----------
    choices
        What the user may do about it: a button each; the first is the one that is meant.
    stays
        Whether it still holds when another document is open.
    """

    level: Level
    text: str
    choices: tuple[Choice, ...] = ()
    stays: bool = False


class Notifier(QObject):
    """Where messages to the user go in.

    Signals
    -------
    message(Message)
        Something to be shown.
    withdrawn(Message)
        Something not to be shown any more.
    """

    message = Signal(object)
    withdrawn = Signal(object)

    def info(self, text: str) -> None:
        """Tell that something is done; it goes away by itself."""
        self.message.emit(Message("info", as_sentence(text)))

    def warning(self, text: str) -> None:
        """Tell of something to be looked at."""
        self.message.emit(Message("warning", as_sentence(text)))

    def ask(self, text: str, *choices: Choice, stays: bool = False) -> Message:
        """Offer something to be done; return the message, by which it can be withdrawn."""
        message = Message("warning", as_sentence(text), choices, stays)
        self.message.emit(message)
        return message

    def withdraw(self, message: Message) -> None:
        """Take a message back that does not hold any more."""
        self.withdrawn.emit(message)

    def error(self, error: BackstepError | str) -> None:
        """Tell of something that could not be done: an expected error says what, where and how to mend it."""
        self.message.emit(Message("error", as_sentence(error)))


class NotificationBar(QWidget):
    """Shows one message at a time; hidden while there is none.

    The newest is in sight; an error or a warning under it comes back when it has gone.
    """

    def __init__(
        self,
        theme: Theme,
        notifier: Notifier,
        info_milliseconds: int = INFO_MILLISECONDS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._waiting: deque[Message] = deque()
        self._current: Message | None = None
        self._buttons: list[QPushButton] = []
        self._text, self._more, self._dismiss = QLabel(), QLabel(), QToolButton()
        self._timer = QTimer(self, singleShot=True, interval=info_milliseconds)
        self._arrange()
        self.hide()
        self._timer.timeout.connect(self.dismiss)
        self._dismiss.clicked.connect(self.dismiss)
        notifier.message.connect(self.show_message)
        notifier.withdrawn.connect(self.withdraw)

    @property
    def current(self) -> Message | None:
        """The message in sight."""
        return self._current

    def show_message(self, message: Message) -> None:
        """Show a message; one that has not been dismissed comes back after it."""
        if message == self._current:
            return
        if message in self._waiting:
            self._waiting.remove(message)
        if self._current is not None and self._current.level != "info":
            self._waiting.appendleft(self._current)
        self._show(message)

    def dismiss(self) -> None:
        """Take the message away and show the next one."""
        self._timer.stop()
        self._current = None
        if self._waiting:
            self._show(self._waiting.popleft())
        else:
            self.hide()

    def withdraw(self, message: Message) -> None:
        """Take one message away, wherever it waits."""
        if message in self._waiting:
            self._waiting.remove(message)
            self._count()
        if message == self._current:
            self.dismiss()

    def clear(self) -> None:
        """Take every message away: what was said of an old document is not said of a new one."""
        kept = [m for m in (self._current, *self._waiting) if m is not None and m.stays]
        self._waiting = deque(kept)
        if self._current is None or not self._current.stays:
            self.dismiss()
        else:
            self._waiting.popleft()
            self._count()

    def height_for(self, width: int) -> int:
        """Return how high the bar is to be for its message at this width."""
        buttons = sum(button.sizeHint().width() + 6 for button in self._buttons)
        room = (
            width - 44 - 10 - buttons - self._dismiss.sizeHint().width() - self._more.sizeHint().width() - 24
        )
        text = self._text.fontMetrics().boundingRect(
            0, 0, max(80, room), 10_000, Qt.TextFlag.TextWordWrap, self._text.text()
        )
        least = max([part.sizeHint().height() for part in (self._dismiss, *self._buttons)])
        return max(least, text.height()) + 14

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self._dismiss.setIcon(icon("close", theme, "muted"))
        self.update()

    def _arrange(self) -> None:
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._more.setProperty("role", "muted")
        self._dismiss.setProperty("flat", True)
        self._dismiss.setAccessibleName("Dismiss")
        self._dismiss.setToolTip("Dismiss")
        self._dismiss.setIcon(icon("close", self._theme, "muted"))
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(44, 7, 10, 7)
        for part in (self._text, self._more, self._dismiss):
            row.addWidget(part)

    def _show(self, message: Message) -> None:
        self._current = message
        self._text.setText(message.text)
        self._offer(message)
        self._count()
        self._timer.stop()
        if message.level == "info":
            self._timer.start()
        self.setAccessibleName(f"{message.level}: {message.text}")
        self.show()
        self.updateGeometry()
        self.update()
        self._announce(message)

    def _offer(self, message: Message) -> None:
        """Show a button for each thing that can be done about the message."""
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = [QPushButton(text) for text, _ in message.choices]
        for place, (button, (_, run)) in enumerate(zip(self._buttons, message.choices, strict=True)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, run=run: self._choose(message, run))
            self._row.insertWidget(1 + place, button)

    def _choose(self, message: Message, run: Callable[[], object]) -> None:
        self.withdraw(message)
        run()

    def _count(self) -> None:
        self._more.setText(f"{len(self._waiting)} more" if self._waiting else "")

    def _announce(self, message: Message) -> None:
        event = QAccessibleAnnouncementEvent(self, message.text)
        if message.level == "error":
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._current is None:
            return
        level = self._current.level
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color(f"{level}_background"))
        painter.fillRect(0, 0, 4, self.height(), self._theme.color(MARKS[level]))
        mark = QRectF(16, self.height() / 2 - 10, 20, 20)
        paint_icon(painter, mark, level, self._theme.color(MARKS[level]))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)
