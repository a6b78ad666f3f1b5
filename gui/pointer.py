"""The mouse pointer on a projector: away while nobody moves it, there again at once when somebody does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QCursor, QWindow
from PySide6.QtWidgets import QApplication, QWidget

__all__ = ["RestingPointer"]

REST = 2500
"""Milliseconds without a movement after which it goes."""
LOOK = 200
"""Milliseconds between two looks at whether something needs it, while it is away."""
MOVED = (
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.Wheel,
    QEvent.Type.TabletMove,
    QEvent.Type.Enter,
)


class RestingPointer(QObject):
    """Hides the pointer over a window while it rests.

    It stays where something needs it: a menu, an overlay, a field that is typed into, another window.

    Parameters
    ----------
    window
        Over which it is hidden.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._handle: QWindow | None = None
        self._is_away = False
        self.rest = QTimer(self, singleShot=True, interval=REST)
        self.rest.timeout.connect(self._go)
        self._look = QTimer(self, interval=LOOK)
        self._look.timeout.connect(self._come_if_needed)

    @property
    def is_away(self) -> bool:
        """Whether it is hidden."""
        return self._is_away

    def begin(self) -> None:
        """Hide it from now on whenever it rests."""
        handle = self._handle = self._window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)  # every movement comes through it, whatever is under the pointer
        self.rest.start()

    def end(self) -> None:
        """Show it, and leave it there."""
        if self._handle is not None:
            self._handle.removeEventFilter(self)
            self._handle = None
        self.rest.stop()
        self._come()

    def _go(self) -> None:
        if self._is_needed:
            self.rest.start()
        elif not self._is_away:
            self._is_away = True
            QApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
            self._look.start()

    def _come(self) -> None:
        self._look.stop()
        if self._is_away:
            self._is_away = False
            QApplication.restoreOverrideCursor()

    def _come_if_needed(self) -> None:
        if self._is_needed:
            self._come()
            self.rest.start()

    @property
    def _is_needed(self) -> bool:
        """Whether something is open that the mouse works with, or the pointer is over another window."""
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return True
        if getattr(self._window, "overlay", None) is not None:
            return True
        focus = QApplication.focusWidget()
        if focus is not None and focus.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled):
            return True
        return QApplication.topLevelAt(QCursor.pos()) not in (None, self._window)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in MOVED:
            self._come()
            self.rest.start()
        return False
