"""Small controls that stay out of the way: a value with its name in front, and buttons that elide.

The window has keys of its own (arrows, space, page up and down). A control that has the focus keeps those it
needs by accepting Qt's ShortcutOverride; everything else goes on to the window.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QFont, QIcon, QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from gui.icons import paint_icon
from gui.theme import Theme, application_font

Key = Qt.Key
ENTER = (Key.Key_Return, Key.Key_Enter)
PRESS = (Key.Key_Space, *ENTER)
ARROWS = (Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down)
EDITING = (Key.Key_Up, Key.Key_Down, Key.Key_PageUp, Key.Key_PageDown, Key.Key_Escape, *ENTER)
"""What a field keeps besides what every line edit does: letters, digits, space, left, right, home, end."""
HEIGHT = 30


def keeps(event: QEvent, keys: Sequence[Qt.Key]) -> bool:
    """Accept and tell if a key of `keys` asks whether it is a shortcut."""
    if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
        event.accept()
        return True
    return False


def medium(role: str = "body") -> QFont:
    """Return the font of a role, a little stronger: that of buttons and values."""
    font = application_font(role)
    font.setWeight(QFont.Weight.Medium)
    return font


class Field(QLineEdit):
    """One value, with its name in front.

    Enter asks for it, Escape brings back what was shown, up and down ask for the next one. Leaving the field
    asks for it too, so that it never shows a value that is not the one in use.

    Signals
    -------
    submitted(str)
        The user wants this value. Whoever listens calls `show_value` or `refuse`.
    stepped(int)
        The user wants the next value (+1) or the one before (-1).
    finished()
        The user is done: the focus may go back to the graph.
    """

    submitted = Signal(str)
    stepped = Signal(int)
    finished = Signal()

    GAP = 5

    def __init__(self, name: str, theme: Theme, characters: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._theme = theme
        self._shown = ""
        self._characters = characters
        self.setMaxLength(24)
        self.setFont(medium())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setTextMargins(self._name_width() + self.GAP, 0, 0, 0)

    @property
    def is_refused(self) -> bool:
        """Say whether the text was refused and still stands there."""
        return bool(self.property("invalid"))

    def show_value(self, text: str) -> None:
        """Show the value in use, whatever stood there."""
        self._shown = text
        self.setText(text)
        self.setCursorPosition(0)  # of a long number, its first digits are seen
        self.setCursorPosition(0)
        self._mark(False)
        if self.hasFocus():
            self.selectAll()

    def refuse(self) -> None:
        """Mark the text as one that cannot be used, ready to be typed over."""
        self._mark(True)
        self.selectAll()

    def restore(self) -> None:
        """Show the value in use again."""
        self.show_value(self._shown)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _mark(self, invalid: bool) -> None:
        if self.is_refused != invalid:
            self.setProperty("invalid", invalid)
            self.style().unpolish(self)
            self.style().polish(self)

    def _submit(self) -> None:
        self.submitted.emit(self.text().strip())
        if not self.is_refused:
            self.finished.emit()

    def _name_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._name) if self._name else -self.GAP

    # Qt

    def sizeHint(self) -> QSize:
        digits = self.fontMetrics().horizontalAdvance("0") * self._characters
        return QSize(self._name_width() + self.GAP + digits + 26, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self._theme.color("muted" if self.isEnabled() else "disabled"))
        left = 8 if isinstance(self.parentWidget(), QComboBox) else 12
        rect = QRectF(left, 0, self._name_width() + 2, self.height())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._name)
        painter.end()

    def event(self, event: QEvent) -> bool:
        return keeps(event, EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ENTER:
            self._submit()
        elif key == Key.Key_Escape:
            self.restore()
            self.finished.emit()
        elif key in (Key.Key_Up, Key.Key_Down):
            self.stepped.emit(1 if key == Key.Key_Up else -1)
        elif key not in EDITING:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        # Another window or a list over this one is no end: the user comes back to what is half typed.
        if event.reason() in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            return
        if self.text() != self._shown and not self.is_refused:
            self.submitted.emit(self.text().strip())
        if self.is_refused:
            self.restore()
        self.deselect()


class ChoiceField(QComboBox):
    """A field with a list of usual values.

    Signals
    -------
    picked(str)
        The user chose from the list.
    """

    picked = Signal(str)

    def __init__(self, name: str, theme: Theme, characters: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = Field(name, theme, characters)  # before anything that makes Qt ask for a size
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setLineEdit(self.field)
        self.setCompleter(None)  # type: ignore[arg-type]  # None is how Qt is told to complete nothing
        # The name in front begins where those of other fields do, and the text ends at the arrow.
        self.setStyleSheet("QComboBox { padding-left: 2px; padding-right: 2px; }")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.textActivated.connect(self.picked)

    def set_choices(self, choices: Sequence[str]) -> None:
        """Offer these values."""
        if [self.itemText(i) for i in range(self.count())] != list(choices):
            self.blockSignals(True)
            self.clear()
            self.addItems(list(choices))
            self.blockSignals(False)

    def show_value(self, text: str) -> None:
        """Show the value in use."""
        self.blockSignals(True)
        self.setCurrentIndex(self.findText(text))
        self.field.show_value(text)
        self.blockSignals(False)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.field.set_theme(theme)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(self.field.sizeHint().width() + 18, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # turning the wheel over it while reading must not begin another run


class PushButton(QPushButton):
    """A button that keeps space and enter while it has the focus; a click leaves the focus where it is."""

    KEYS: tuple[Qt.Key, ...] = PRESS

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)

    # Qt

    def event(self, event: QEvent) -> bool:
        return keeps(event, self.KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)


class SegmentButton(PushButton):
    """One of several side by side of which one is chosen; arrows choose while it has the focus."""

    KEYS = (*PRESS, *ARROWS)

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCheckable(True)
        self.setAutoExclusive(True)


class DropButton(PushButton):
    """A button that opens something under it; its text is shortened before anything is cut off.

    Parameters
    ----------
    least, comfortable
        Its smallest width, and the one under which other controls should rather go.
    """

    KEYS = (*PRESS, Key.Key_Down)
    ROOM = 40
    """Pixels around the text, the arrow with them."""

    def __init__(self, least: int, comfortable: int, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._least = least
        self.comfortable = comfortable
        self.setFont(medium())
        self.setProperty("menu", True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + self.ROOM, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._least, self.sizeHint().width()), HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Key.Key_Down:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.width() - self.ROOM + 4
        elided = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        option.text = elided  # type: ignore[attr-defined]
        option.features |= QStyleOptionButton.ButtonFeature.HasMenu  # type: ignore[attr-defined]
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()


def comfortable_size(widget: QWidget) -> QSize:
    """Return the size down to which a control stays easy to read."""
    if isinstance(widget, DropButton):
        return widget.sizeHint().boundedTo(QSize(widget.comfortable, HEIGHT))
    return widget.minimumSizeHint()


class IconButton(QToolButton):
    """A quiet button of the bar: one of our icons, and a word beside it where there is room."""

    def __init__(self, name: str, theme: Theme, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._theme = theme
        self._word = text
        self._wordy = bool(text)
        self.setProperty("flat", True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def icon_name(self) -> str:
        """The icon's name."""
        return self._name

    def set_action(self, action: QAction) -> None:
        """Do what an action does, and tell its keys on hovering."""
        self.setDefaultAction(action)
        self.setAccessibleName(action.text().replace("&", "").rstrip("…"))
        keys = action.shortcut().toString()
        if keys and keys not in action.toolTip():
            action.setToolTip(f"{action.toolTip()} ({keys})")

    def set_wordy(self, wordy: bool) -> None:
        """Show the word, or the icon alone."""
        self._wordy = wordy and bool(self._word)
        self.updateGeometry()
        self.update()

    def set_icon_name(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _role(self) -> str:
        if not self.isEnabled():
            return "disabled"
        return "text" if self.underMouse() or self.hasFocus() else "muted"

    # Qt

    def sizeHint(self) -> QSize:
        word = self.fontMetrics().horizontalAdvance(self._word) + 10 if self._wordy else 0
        return QSize(32 + word, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        return keeps(event, PRESS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.icon, option.text = QIcon(), ""  # type: ignore[attr-defined]
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        color = self._theme.color(self._role())
        paint_icon(painter, QRectF(7, (self.height() - 18) / 2, 18, 18), self._name, color)
        if self._wordy:
            painter.setPen(color)
            rect = QRectF(31, 0, self.width() - 31, self.height())
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, self._word)
        painter.end()
