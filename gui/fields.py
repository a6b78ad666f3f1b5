"""Small controls that stay out of the way: a value with its name in front, and buttons that elide.

The window has keys of its own (arrows, space, page up and down). A control that has the focus keeps those it
needs by accepting Qt's ShortcutOverride; everything else goes on to the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QFocusEvent,
    QFont,
    QIcon,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
    QTextLayout,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from engine import numerals
from gui.icons import paint_icon
from gui.theme import Theme, application_font

if TYPE_CHECKING:
    _Editor = QLineEdit  # OneValue goes beside one of Qt's editors and calls what they have in common
else:
    _Editor = object

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


def medium(role: str = "body", factor: float = 1.0) -> QFont:
    """Return the font of a role, a little stronger: that of buttons and values."""
    font = application_font(role, factor)
    font.setWeight(QFont.Weight.Medium)
    return font


AWAY = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
"""Another window or a list over this one is no end: the user comes back to what is half typed."""


class OneValue(_Editor):
    """What a field of one value does, whichever of Qt's editors it is.

    It shows the value in use. What is being typed stays while that value is shown again, and while another
    window or a list has the focus; leaving the field asks for it.
    """

    KEEPS_REFUSED = False
    """Whether a refused text stays to be mended, also when the field is left or the value changes."""

    submitted: Any  # Qt's signal: each class has its own

    _shown = ""
    _asked: str | None = None  # the text that was submitted last, until a value is shown
    _refused: str | None = None

    @property
    def is_refused(self) -> bool:
        """Say whether a text was refused and still stands there."""
        return self._refused is not None

    @property
    def is_typed(self) -> bool:
        """Say whether a text stands there that nobody has been asked for yet."""
        return self.text() not in (self._shown, self._asked, self._refused)

    def show_value(self, text: str) -> None:
        """Show the value in use; what is being typed stays as long as that is the one shown before."""
        is_same = text == self._shown
        is_kept = self.is_refused and (self.KEEPS_REFUSED or (is_same and self.hasFocus()))
        is_kept |= is_same and self.is_typed
        self._shown, self._asked = text, None
        if not is_kept:
            self.restore()

    def refuse(self) -> None:
        """Mark the text as one that cannot be used, ready to be typed over."""
        self._mark(True)
        self.selectAll()

    def restore(self) -> None:
        """Show the value in use again."""
        self._mark(False)
        if self.text() != self._shown:
            self.setText(self._shown)
        self._show_beginning()
        if self.hasFocus():
            self.selectAll()

    def submit(self) -> None:
        """Ask for what was typed, if it is another value."""
        if self.is_typed or self.text() == self._shown != (self._refused or self._shown):
            self._ask()

    def _ask(self) -> None:
        self._mark(False)
        self._asked = self.text()
        self.submitted.emit(self._asked.strip())

    def _mark(self, invalid: bool) -> None:
        self._refused = self.text() if invalid else None
        if bool(self.property("invalid")) != invalid:
            self.setProperty("invalid", invalid)
            self.style().unpolish(self)
            self.style().polish(self)

    def _show_beginning(self) -> None:
        """Have the first digits of a long value in sight."""
        self.setCursorPosition(0)

    def _enter(self, event: QFocusEvent) -> None:
        if event.reason() not in (Qt.FocusReason.MouseFocusReason, *AWAY):
            self.selectAll()

    def _leave(self, event: QFocusEvent) -> None:
        if event.reason() in AWAY:
            return
        self.submit()
        if self.is_refused and not self.KEEPS_REFUSED:
            self.restore()
        self.deselect()
        self._show_beginning()


class Field(OneValue, QLineEdit):
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
        self._characters = characters
        self.setMaxLength(24)
        self.setFont(medium())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setTextMargins(self._name_width() + self.GAP, 0, 0, 0)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

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
            self._ask()
            if not self.is_refused:
                self.finished.emit()
        elif key == Key.Key_Escape:
            self.restore()
            self.finished.emit()
        elif key in (Key.Key_Up, Key.Key_Down):
            self.stepped.emit(1 if key == Key.Key_Up else -1)
        elif key not in EDITING:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._enter(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._leave(event)


class TextField(OneValue, QPlainTextEdit):
    """One value that may be long, as a matrix is: it is broken into lines, and as high as they are.

    Enter asks for the value and goes to the next field unless it is refused; Escape takes it back.

    Signals
    -------
    submitted(str)
        The user wants this value. Whoever listens calls `show_value` or `refuse`.
    moved(int)
        The field below (+1) or above (-1) is wanted.
    finished()
        Escape: the focus may go back to the graph.
    """

    submitted = Signal(str)
    moved = Signal(int)
    finished = Signal()

    KEEPS_REFUSED = True
    MOST_LINES = 8
    """Lines that are in sight at once."""
    AROUND = 7
    """Pixels above and below the text, taken together."""
    BESIDE = 14
    """Pixels left and right of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("value", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.document().setDocumentMargin(0)
        self.textChanged.connect(self.updateGeometry)

    def text(self) -> str:
        """Return what stands there."""
        return self.toPlainText()

    def setText(self, text: str) -> None:
        """Put another text there."""
        self.setPlainText(text)

    def setCursorPosition(self, position: int) -> None:
        """Put the cursor at a position of the text."""
        cursor = self.textCursor()
        cursor.setPosition(position)
        self.setTextCursor(cursor)

    def deselect(self) -> None:
        """Mark nothing."""
        self.setCursorPosition(self.textCursor().position())

    @property
    def line_height(self) -> int:
        """How high the field is with one line."""
        return self.fontMetrics().lineSpacing() + self.AROUND

    def set_hint(self, text: str) -> None:
        """Show what holds or is wanted as long as nothing stands there."""
        if text != self.placeholderText():
            self.setPlaceholderText(text)
            self.viewport().update()  # Qt paints a hint when it comes or goes, not when it changes
            self.updateGeometry()

    def _lines(self, width: int) -> int:
        """Return into how many lines the text, or the hint in its place, is broken at a width."""
        room = max(40, width - self.BESIDE)
        text = (self.text() or self.placeholderText())[: self.MOST_LINES * room]
        option = QTextOption()
        option.setWrapMode(self.wordWrapMode() if self.text() else QTextOption.WrapMode.WordWrap)
        layout = QTextLayout(text.replace("\n", "\u2028"), self.font())
        layout.setTextOption(option)
        layout.beginLayout()
        lines = 0
        while lines < self.MOST_LINES and (line := layout.createLine()).isValid():
            line.setLineWidth(room)
            lines += 1
        layout.endLayout()
        return max(1, lines)

    def _is_at_end(self, below: bool) -> bool:
        """Say whether the cursor is in the first or last line, so that up or down leads out of the field."""
        operation = QTextCursor.MoveOperation.Down if below else QTextCursor.MoveOperation.Up
        return not self.textCursor().movePosition(operation)

    # Qt

    def event(self, event: QEvent) -> bool:
        return keeps(event, EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in ENTER:
            self.submit()
            if not self.is_refused:
                self.moved.emit(1)
        elif key == Key.Key_Escape:
            self.restore()
            self.finished.emit()
        elif key in (Key.Key_Up, Key.Key_Down) and self._is_at_end(key == Key.Key_Down):
            self.moved.emit(1 if key == Key.Key_Down else -1)
        elif key not in (Key.Key_PageUp, Key.Key_PageDown):
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not source.hasUrls() and super().canInsertFromMimeData(source)  # files are for the window

    def insertFromMimeData(self, source: QMimeData) -> None:
        # as plain text, and no more of it than is read: what is cut is refused, not read in part
        self.insertPlainText(source.text().strip("\r\n")[: numerals.MAX_CHARACTERS + 1])

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._enter(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._leave(event)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self.AROUND + self.fontMetrics().lineSpacing() * self._lines(width)

    def sizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(70, self.line_height)


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
        if self.field.is_typed:
            self.field.show_value(text)  # the list would put its own text over what is being typed
            return
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
