"""What every panel is: a widget that reads the session's frame, and refreshes only while it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt, Signal, SignalInstance
from PySide6.QtGui import QFont, QGuiApplication, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QScrollArea, QWidget

from gui.session import Session
from gui.theme import Theme, application_font

COVERED = "Hidden until it is answered."
"""What stands over a panel that would give an answer away."""


def lay_out(area: QScrollArea) -> None:
    """Give all that an area scrolls its place now; until later it would stand over what grew."""
    inside = area.widget()
    layout = inside.layout() if inside is not None else None
    if inside is None or layout is None:
        return
    for part in (*(frame.layout() for frame in inside.findChildren(QFrame)), layout):
        if part is not None:
            part.activate()
    width = area.viewport().width()
    high = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()
    inside.resize(width, max(high, area.viewport().height()))


def keep_bar(area: QAbstractScrollArea) -> None:
    """Keep the room of an area's bar, which is seen only where there is something to scroll.

    A bar that comes makes a text higher, one that goes makes it fit: Qt would go on for ever.
    """
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    bar = area.verticalScrollBar()

    def show_bar(least: int, most: int) -> None:
        if bar.property("idle") != (least == most):
            bar.setProperty("idle", least == most)
            bar.style().polish(bar)

    bar.rangeChanged.connect(show_bar)
    show_bar(bar.minimum(), bar.maximum())


def scrolled(inside: QWidget) -> QScrollArea:
    """Return an area that scrolls what is in it up and down, as wide as there is room."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    keep_bar(area)
    area.setWidget(inside)
    return area


class Panel(QWidget):
    """One dock's content.

    A hidden panel does nothing; what it missed is made up for when it is shown, so no old number is seen.

    Attributes
    ----------
    title, object_name
        The dock's title, and the name its place is remembered by.
    letters
        How much larger than on a desk its words are.

    Signals
    -------
    focus_back()
        The user is done here: the keys go to the graph again.
    remarked(str)
        Something to be said over the graph as long as it holds; "" takes it back.
    """

    focus_back = Signal()
    remarked = Signal(str)

    title = ""
    object_name = ""
    letters = 1.0

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.theme = theme
        self._is_stale = True
        self._sheet: QWidget | None = None
        self.setObjectName(self.object_name)
        self.setAccessibleName(self.title)
        session.frame_changed.connect(self.cover_up)

    def refresh(self) -> None:
        """Show what the session's frame says."""
        raise NotImplementedError

    @property
    def gives_away(self) -> bool:
        """Whether it shows what an exercise or a lesson hides, in a picture that cannot leave it out."""
        return False

    def settle(self) -> None:
        """Do at once what would be done a moment later, for pictures and tests."""

    def choices(self) -> dict[str, Any]:
        """Return what the user has chosen here, for a session file: numbers, text and truths."""
        return {}

    def choose_again(self, choices: Mapping[str, Any]) -> None:
        """Choose what a session file says; what cannot be chosen any more is left as it is."""

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for; pictures stay as they are.

        What the mouse works with goes: nobody in the room can read a button, and its place is the picture's.
        """
        self.letters = factor

    @property
    def is_projected(self) -> bool:
        """Whether letters are those of a projector."""
        return self.letters > 1.0

    def lettering(self, role: str = "small") -> QFont:
        """Return the font of a role, as large as letters are here."""
        return application_font(role, self.letters)

    def put(self, text: str, what: str) -> None:
        """Put a text onto the clipboard, and say what has been copied."""
        QGuiApplication.clipboard().setText(text)
        self.session.notice.emit("copied", f"Copied {what}.")

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        self.mark_stale()

    def refresh_on(self, *signals: SignalInstance) -> None:
        """Refresh whenever one of `signals` is sent."""
        for signal in signals:
            signal.connect(self.mark_stale)

    @property
    def is_seen(self) -> bool:
        """Whether the panel is on the screen; Qt calls one behind a tab visible, but puts it outside."""
        place = QRect(self.mapTo(self.window(), QPoint()), self.size())
        return self.isVisible() and self.window().rect().intersects(place)

    def mark_stale(self) -> None:
        """Refresh now if the panel is seen, else when it is shown."""
        self._is_stale = True
        if self.is_seen:
            self._refresh_now()

    def make_up(self, seen: bool = True) -> None:
        """Show what was missed while the panel was not seen; for the dock, when its tab is chosen."""
        if seen and self._is_stale:
            self._refresh_now()

    def _refresh_now(self) -> None:
        self._is_stale = False
        self.refresh()
        self.cover_up()

    def cover_up(self) -> None:
        """Lie a sheet over all of it while it would give an answer away."""
        covers = self.gives_away and not self.session.frame.curtain.asks
        if covers and self._sheet is None:
            self._sheet = _Sheet(self)
        if self._sheet is not None:
            self._sheet.setGeometry(self.rect())
            self._sheet.setVisible(covers)
            self._sheet.raise_()

    @property
    def is_covered_up(self) -> bool:
        """Whether a sheet lies over it."""
        return self._sheet is not None and not self._sheet.isHidden()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._sheet is not None:
            self._sheet.setGeometry(self.rect())

    def showEvent(self, event: QShowEvent) -> None:
        self.make_up()
        super().showEvent(event)


class _Sheet(QWidget):
    """What lies over a panel: nothing of it is seen."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.setAccessibleName(COVERED)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._panel.theme
        painter.fillRect(self.rect(), theme.color("window"))
        painter.setPen(theme.color("muted"))
        painter.setFont(self._panel.lettering("body"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, COVERED)
        painter.end()
