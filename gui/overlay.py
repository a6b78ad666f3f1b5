"""What lies over the window for a moment without being a dialog: overlays, and popups under a button."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from gui.theme import Theme

VEIL = 0.74
"""How much of the window an overlay hides."""
RADIUS = 10.0


class Overlay(QWidget):
    """Covers its parent, takes the focus, and gives it back when it closes.

    While it is open no key reaches the window: its shortcuts would change what cannot be seen. Escape and a
    click beside its card close it; closing deletes it.

    Parameters
    ----------
    parent
        What is covered, also while its size changes.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._under = parent
        self._focus_before: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()
        parent.installEventFilter(self)

    def open_over(self) -> None:
        """Show it over its parent; once it is open, fit it to its parent again."""
        if not self.isVisible():
            self._focus_before = QApplication.focusWidget()
        self.setGeometry(self._under.rect())
        self.arrange()
        self.show()
        self.raise_()
        self.focus_inside()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def card(self) -> QRect:
        """Return where the card is."""
        return self.rect()

    def arrange(self) -> None:
        """Place what is inside for the size there is."""

    def focus_inside(self) -> None:
        """Give the focus to the part that takes keys."""
        self.setFocus()

    def _paint_card(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shadow = self._theme.color("canvas" if self._theme.is_dark else "text")
        shadow.setAlphaF(0.02)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shadow)
        card = QRectF(self.card())
        for grow in range(1, 12, 2):
            painter.drawRoundedRect(
                card.adjusted(-grow, 2 - grow, grow, 3 + grow), RADIUS + grow, RADIUS + grow
            )
        painter.setPen(QPen(self._theme.color("card_border"), 1))
        painter.setBrush(self._theme.color("card"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._under and self.isVisible():
            self.setGeometry(self._under.rect())
            self.arrange()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return True  # the tab key does not lead out of it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card().contains(event.position().toPoint()):
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        before, self._focus_before = self._focus_before, None  # once: it may be told to close again
        if before is not None and shiboken6.isValid(before):
            before.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        veil = self._theme.color("canvas")
        veil.setAlphaF(VEIL)
        painter.fillRect(self.rect(), veil)
        self._paint_card(painter)
        painter.end()


class Popup(QFrame):
    """Opens under a button, and closes at a click elsewhere or Escape."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme

    def open_under(self, button: QWidget) -> None:
        """Show it under a button, moved to where there is room for it."""
        corner = button.mapToGlobal(QPoint(0, button.height() + 4))
        over = self.over(button)
        window = QRect(over.mapToGlobal(QPoint(0, 0)), over.size())
        bottom = max(window.bottom(), button.screen().availableGeometry().bottom())
        self.fit(bottom - corner.y() - 4)
        corner.setX(max(window.left() + 4, min(corner.x(), window.right() - self.width() - 4)))
        self.move(corner)
        self.show()

    def over(self, button: QWidget) -> QWidget:
        """Return the window that it opens over: not the button's own where that stands in a popup."""
        parent = self.parentWidget()
        return parent.window() if parent is not None else button.window()

    def fit(self, room: int) -> None:
        """Take the size that is needed; `room` is the height there is."""
        self.adjustSize()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._theme.color("card_border"))
        painter.setBrush(self._theme.color("card"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
