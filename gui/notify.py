"""The one channel for messages to the user: a bar in the window that asks for nothing and stops nothing.

Whoever has something to say calls a `Notifier`; the window's `NotificationBar` shows it, tells screen
readers, and keeps what comes meanwhile. Errors and warnings stay until they are dismissed, or until what they
speak of is no longer on the screen.

The bar is no higher than the strip that the graph leaves free for it; a text that needs more is cut, and is
whole while the mouse is over it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QEnterEvent,
    QFont,
    QFontMetrics,
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from engine.errors import BackstepError, as_sentence
from gui.icons import icon, paint_icon
from gui.theme import Theme, application_font

Level = Literal["info", "warning", "error"]
INFO_MILLISECONDS = 6000
STRIP = 36
"""Logical pixels: the height of the bar, whatever it says."""
INDENT = 40
"""Logical pixels before the text: the mark stands there."""
SETTLES = 400
"""Milliseconds without clicks where one question has taken another's place: they were meant for that."""
LINES = 2
"""Lines of text in it."""
MARKS = {"info": "accent", "warning": "warning", "error": "error"}
"""The theme's role of a level's mark."""


CLICKS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)

About = Literal["", "step", "end", "file"]
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
    about
        What it speaks of besides the document: "step", the place on the timeline; "end", the end of a run;
        "file", what became of the document's file: newer news take the place of older.
    """

    level: Level
    text: str
    choices: tuple[Choice, ...] = ()
    stays: bool = False
    about: About = ""


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

    def info(self, text: str, about: About = "") -> None:
        """Tell that something is done; it goes away by itself."""
        self.message.emit(Message("info", as_sentence(text), about=about))

    def warning(self, text: str, about: About = "") -> None:
        """Tell of something to be looked at."""
        self.message.emit(Message("warning", as_sentence(text), about=about))

    def ask(
        self, text: str, *choices: Choice, stays: bool = False, level: Level = "warning", about: About = ""
    ) -> Message:
        """Offer something to be done; return the message, by which it can be withdrawn."""
        message = Message(level, as_sentence(text), choices, stays, about)
        self.message.emit(message)
        return message

    def withdraw(self, message: Message) -> None:
        """Take a message back that does not hold any more."""
        self.withdrawn.emit(message)

    def error(self, error: BackstepError | str, about: About = "") -> None:
        """Tell of something that could not be done: an expected error says what, where and how to mend it."""
        self.message.emit(Message("error", as_sentence(error), about=about))


class NotificationBar(QWidget):
    """Shows one message at a time; hidden while there is none.

    The newest is in sight; an error or a warning under it comes back when it has gone. What asks something is
    covered by no news: each has a line of the bar.
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
        self._beside: Message | None = None  # news, while the one in sight asks something
        self._holds = False
        self._kept: list[Message] = []  # that ask something while nothing is to be asked
        self._buttons: list[QPushButton] = []
        self._is_open = False  # the mouse is over it: the whole text is shown
        self._least = STRIP
        self._text, self._more, self._dismiss = QLabel(), QLabel(), QToolButton()
        self._timer = QTimer(self, singleShot=True, interval=info_milliseconds)
        self._settling = QTimer(self, singleShot=True, interval=SETTLES)
        self._arrange()
        self.hide()
        self._timer.timeout.connect(self._end_news)
        self._dismiss.clicked.connect(self.dismiss)
        notifier.message.connect(self.show_message)
        notifier.withdrawn.connect(self.withdraw)

    @property
    def current(self) -> Message | None:
        """The message in sight."""
        return self._current

    @property
    def beside(self) -> Message | None:
        """The news in sight together with what asks something."""
        return self._beside

    @property
    def takes_clicks(self) -> bool:
        """Whether the buttons have stood long enough to be meant by a click."""
        return not self._settling.isActive()

    def show_message(self, message: Message) -> None:
        """Show a message; one that has not been dismissed comes back after it."""
        if message == self._current:
            return
        if message.about == "file":
            self.leave("file")
        if _is_news(message) and self._current is not None and self._current.choices:
            self._show_beside(message)
            self._timer.start()
            return
        if self._holds and message.choices:
            self._kept.append(message)
            return
        if message in self._waiting:
            self._waiting.remove(message)
        before = self._current
        if before is not None and not _is_news(before):
            self._waiting.appendleft(before)
        self._show(message)
        if message.choices and before is not None and _is_news(before):
            self._show_beside(before)
            self._timer.start()

    def _show_beside(self, message: Message | None) -> None:
        """Give news the second line, or take it away."""
        self._beside = message
        self.fit(self.width())
        self._name()
        if message is not None:
            self._announce(message)

    def _end_news(self) -> None:
        """Take away what goes by itself."""
        if self._beside is not None:
            self._show_beside(None)
        else:
            self.dismiss()

    def hold(self, held: bool) -> None:
        """Keep what asks something until nobody looks on any more, or show what was kept."""
        self._holds = held
        if held:
            if self._current is not None and self._current.choices:
                self._kept.append(self._current)
                self.dismiss()
            return
        kept, self._kept = self._kept, []
        for message in kept:
            self.show_message(message)

    def dismiss(self) -> None:
        """Take the message away and show the next one."""
        self._timer.stop()
        self._current = None
        news, self._beside = self._beside, None
        if self._waiting:
            self._show(self._waiting.popleft())
        else:
            self.hide()
        if news is not None:  # it has not had its time
            self.show_message(news)

    def withdraw(self, message: Message) -> None:
        """Take one message away, wherever it waits."""
        self._kept = [kept for kept in self._kept if kept != message]
        if message in self._waiting:
            self._waiting.remove(message)
            self._count()
        if message == self._beside:
            self._show_beside(None)
        if message == self._current:
            self.dismiss()

    def leave(self, about: About) -> None:
        """Take the messages away that speak of what has gone: a step, the end of a run."""
        said = (*self._waiting, self._beside, self._current)
        for message in [m for m in said if m is not None and m.about == about]:
            self.withdraw(message)

    def clear(self) -> None:
        """Take every message away: what was said of an old document is not said of a new one."""
        self._beside = None
        kept = [m for m in (self._current, *self._waiting) if m is not None and m.stays]
        self._waiting = deque(kept)
        if self._current is None or not self._current.stays:
            self.dismiss()
        else:
            self._waiting.popleft()
            self._count()
            self._show_beside(None)

    def fit(self, width: int) -> None:
        """Take a width, and the height of the strip, or that of the whole text while the mouse is over it."""
        room, (whole, cut) = self._room(width), self._texts(width)
        shown = whole if self._is_open else cut
        if shown != self._text.text():
            self._text.setText(shown)
        self._text.setToolTip("" if cut == whole else whole)
        height = self._least
        if self._is_open and cut != whole:
            flags = Qt.TextFlag.TextWordWrap
            height = self._text.fontMetrics().boundingRect(0, 0, room, 10_000, flags, whole).height() + 10
        self.resize(width, max(self._least, height))

    def cuts(self, width: int) -> bool:
        """Say whether a width is too little for the text."""
        whole, cut = self._texts(width)
        return whole != cut

    def _room(self, width: int) -> int:
        """Return what a width leaves for the text."""
        buttons = sum(button.sizeHint().width() + 6 for button in self._buttons)
        more = self._more.sizeHint().width() if self._more.text() else 0
        return max(80, width - INDENT - 10 - buttons - self._dismiss.sizeHint().width() - more - 24)

    def _texts(self, width: int) -> tuple[str, str]:
        """Return the whole text, and as much of it as the lines of a width take."""
        room, font = self._room(width), self._text.font()
        said = [message.text for message in (self._current, self._beside) if message is not None]
        cut = [cut_to_lines(text, font, room, LINES // len(said)) for text in said]
        return "\n".join(said), "\n".join(cut)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for."""
        self._least = round(STRIP * factor)
        for part in (self._text, self._more):
            part.setFont(application_font("small", factor))
        self.fit(self.width())

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self._dismiss.setIcon(icon("close", theme, "muted"))
        self.update()

    def _arrange(self) -> None:
        self._text.setWordWrap(True)
        for part in (self._text, self._more):
            part.setFont(application_font("small"))
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._more.setProperty("role", "muted")
        self._dismiss.setProperty("flat", True)
        self._dismiss.setAccessibleName("Dismiss")
        self._dismiss.setToolTip("Dismiss")
        self._dismiss.setIcon(icon("close", self._theme, "muted"))
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(INDENT, 1, 10, 1)
        for part in (self._text, self._more, self._dismiss):
            row.addWidget(part)

    def _show(self, message: Message) -> None:
        self._current, self._beside = message, None
        self._offer(message)
        self._count()
        self.fit(self.width())
        self._timer.stop()
        if message.level == "info" and not message.choices:
            self._timer.start()
        self._name()
        self.show()
        self.updateGeometry()
        self.update()
        self._announce(message)

    def _name(self) -> None:
        said = [message for message in (self._current, self._beside) if message is not None]
        self.setAccessibleName(" ".join(f"{message.level}: {message.text}" for message in said))

    def _offer(self, message: Message) -> None:
        """Show a button for each thing that can be done about the message."""
        if self._buttons:
            self._settling.start()
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = [QPushButton(text) for text, _ in message.choices]
        for place, (button, (_, run)) in enumerate(zip(self._buttons, message.choices, strict=True)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(self)
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
        mark = QRectF(14, self.height() / 2 - 9, 18, 18)
        paint_icon(painter, mark, level, self._theme.color(MARKS[level]))
        painter.end()

    def hideEvent(self, event: QHideEvent) -> None:
        self._is_open = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let no click through to a button that stands where another one stood a moment ago."""
        return not self.takes_clicks and event.type() in CLICKS

    def enterEvent(self, event: QEnterEvent) -> None:
        self._is_open = True
        self.fit(self.width())

    def leaveEvent(self, event: QEvent) -> None:
        self._is_open = False
        self.fit(self.width())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)


def _is_news(message: Message) -> bool:
    return message.level == "info" and not message.choices


def cut_to_lines(text: str, font: QFont, width: float, lines: int) -> str:
    """Return a text as it is, or as much of it as goes into so many lines of a width, with an ellipsis."""
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout = QTextLayout(text, font)
    layout.setTextOption(option)
    layout.beginLayout()
    start = end = 0
    for _ in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        start, end = line.textStart(), line.textStart() + line.textLength()
    layout.endLayout()
    if end >= len(text):
        return text
    last = QFontMetrics(font).elidedText(text[start:], Qt.TextElideMode.ElideRight, int(width))
    return text[:start] + last
