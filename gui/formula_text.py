"""The editor of a formula's text: coloured by role, completed, numbered, with an error underlined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import (
    QKeyCombination,
    QMimeData,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QPlainTextEdit, QTextEdit, QWidget

from engine.formula import MAX_CHARACTERS
from gui.rows import BAR, TINTS
from gui.theme import Theme, code_font
from gui.viewdata.formula import bracket_pair, completions, error_span, spans, word_before, words_of

__all__ = ["FormulaText"]

Key = Qt.Key
OTHER_REDO = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Key.Key_Y)
"""Redo, also where the system has another key for it."""
MOST_COLOURED = 100_000
"""Characters up to which the text is coloured: beyond, every change would be felt."""
LINES_AT_ONCE = 100
"""Lines that are coloured in one turn of the window."""
INKS = {
    "comment": "muted",
    "number": "backward_text",
    "function": "stored_text",
    "parameter": "update_text",
    "input": "forward_text",
    "line": "text",
    "name": "text",
    "error": "error_text",
}
"""The theme's role for each role of a word."""
SHORTEST = 2
"""Letters of a word after which completions are offered unasked."""


class Highlighter(QSyntaxHighlighter):
    """Colours words by their role, so many lines at once; the rest of a long text follows."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.roles: Mapping[str, str] = {}
        self._coloured = 0  # lines in this turn
        self._left: list[int] = []  # the numbers of lines that wait for another turn
        self._lines = 0  # that the text had when they were noted
        self._turn = QTimer(self, interval=0, singleShot=True)
        self._turn.timeout.connect(self._go_on)
        self.set_theme(theme)

    def set_roles(self, roles: Mapping[str, str]) -> None:
        """Colour the lines anew that have a name whose role is another one."""
        changed = {name for name, _ in roles.items() ^ self.roles.items()}
        self.roles = dict(roles)
        document = self.document()
        lines = document.toPlainText().split("\n")
        self._colour(i for i, line in enumerate(lines) if not changed.isdisjoint(words_of(line, "")))

    def _colour(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            block = self.document().findBlockByNumber(number)
            if block.isValid():
                self.rehighlightBlock(block)

    def _go_on(self) -> None:
        self._coloured, lines = 0, self.document().blockCount()
        if self._left and lines != self._lines:  # some have moved
            self._left = list(range(min(self._left), lines))
        now, self._left, self._lines = self._left[:LINES_AT_ONCE], self._left[LINES_AT_ONCE:], lines
        self._colour(now)

    def set_theme(self, theme: Theme) -> None:
        """Colour in another theme; the caller asks for the text to be coloured anew."""
        self._formats = {role: _ink(theme, role) for role in INKS}

    # Qt

    def highlightBlock(self, text: str) -> None:
        self._coloured += 1
        if not self._turn.isActive():
            self._turn.start()
        if self._coloured > LINES_AT_ONCE:
            self._lines = self.document().blockCount()
            self._left.append(self.currentBlock().blockNumber())
            return
        for start, length, role in spans(text, self.roles):
            self.setFormat(_units(text[:start]), _units(text[start : start + length]), self._formats[role])


def _ink(theme: Theme, role: str) -> QTextCharFormat:
    found = QTextCharFormat()
    found.setForeground(theme.color(INKS[role]))
    if role == "comment":
        found.setFontItalic(True)
    elif role in ("parameter", "input"):
        found.setFontWeight(QFont.Weight.DemiBold)
    return found


def _units(text: str) -> int:
    """Return how many of Qt's units a text has: it counts letters beyond the 65536th twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


class FormulaText(QPlainTextEdit):
    """The text.

    Signals
    -------
    left()
        Escape: the focus may go back to the graph.
    refused(str)
        Why something was not put in.
    undone_all(), redone_all()
        Undo or redo was asked for where the text has nothing more to take back or to do again.
    """

    left = Signal()
    refused = Signal(str)
    undone_all = Signal()
    redone_all = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._roles: Mapping[str, str] = {}
        self._error: tuple[int, int] | None = None
        self._step: tuple[int, str] | None = None
        self.highlighter = Highlighter(theme, self)
        self.highlighter.setDocument(self.document())
        self.numbers = _Numbers(self)
        self.offer = _Offer(self)
        self.setFont(code_font())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self.setAccessibleName("Formula")
        self.setPlaceholderText("Z = W @ X + b")
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scroll_numbers)
        self.cursorPositionChanged.connect(self._mark)
        self.verticalScrollBar().valueChanged.connect(self.offer.hide)
        self._make_room()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.highlighter.set_theme(theme)
        self.highlighter.rehighlight()
        self._mark()
        self.numbers.update()

    @property
    def theme(self) -> Theme:
        return self._theme

    def set_roles(self, roles: Mapping[str, str]) -> None:
        """Say what the names are: "parameter", "input" or "line"."""
        if roles != self._roles:
            self._roles = dict(roles)
            if self._is_coloured():
                self.highlighter.set_roles(roles)

    def set_error(self, line: int = 0, column: int = 0) -> None:
        """Underline the place of an error, counted from 1; none for line 0."""
        self._error = (line, column) if line else None
        self._mark()

    def set_step(self, place: tuple[int, str] | None) -> None:
        """Mark the line that the step is at, in the colour of its phase."""
        if place != self._step:
            self._step = place
            self._mark()
            self.numbers.update()

    @property
    def step(self) -> tuple[int, str] | None:
        """The line that is marked, and the phase."""
        return self._step

    def put(self, text: str, keep_history: bool) -> None:
        """Show another text; what was typed can be had back with undo where `keep_history`."""
        self.set_error()
        self._colour(len(text))
        if keep_history:
            cursor = QTextCursor(self.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.insertText(text)
        else:
            self.setPlainText(text)

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor at a place, counted from 1."""
        self.setTextCursor(self._cursor(line, column - 1))
        self.setFocus()

    def _cursor(self, line: int, column: int, length: int = 0) -> QTextCursor:
        block = self.document().findBlockByNumber(max(0, min(line, self.blockCount()) - 1))
        text = block.text()
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + _units(text[:column]))
        if length:
            cursor.setPosition(
                block.position() + _units(text[: column + length]), QTextCursor.MoveMode.KeepAnchor
            )
        return cursor

    def _is_coloured(self) -> bool:
        return self.highlighter.document() is not None

    def _colour(self, characters: int) -> None:
        """Colour and break a text of so many characters, or leave it where that would take too long."""
        is_short = characters <= MOST_COLOURED
        modes = QPlainTextEdit.LineWrapMode
        self.setLineWrapMode(modes.WidgetWidth if is_short else modes.NoWrap)
        wanted = self.document() if is_short else None
        if self.highlighter.document() is not wanted:
            self.highlighter.setDocument(wanted)  # type: ignore[arg-type]  (None: none)

    # marks

    def _mark(self) -> None:
        found = [self._step_mark(), *self._bracket_marks(), self._error_mark()]
        self.setExtraSelections([mark for mark in found if mark is not None])

    def _step_mark(self) -> QTextEdit.ExtraSelection | None:
        if self._step is None or self._step[0] > self.blockCount():
            return None
        mark = _selection(self._cursor(self._step[0], 0))
        mark.format.setBackground(self._theme.color(TINTS.get(self._step[1], "control")))  # type: ignore[attr-defined]
        mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)  # type: ignore[attr-defined]
        return mark

    def _bracket_marks(self) -> list[QTextEdit.ExtraSelection]:
        block = self.textCursor().block()
        column = len(
            block.text().encode("utf-16-le")[: 2 * self.textCursor().positionInBlock()].decode("utf-16-le")
        )
        pair = bracket_pair(block.text(), column) if self.hasFocus() else None
        if pair is None:
            return []
        line = block.blockNumber() + 1
        marks = [_selection(self._cursor(line, at, 1)) for at in pair if at is not None]
        for mark in marks:
            role = "control_pressed" if pair[1] is not None else "error_background"
            mark.format.setBackground(self._theme.color(role))  # type: ignore[attr-defined]
        return marks

    def _error_mark(self) -> QTextEdit.ExtraSelection | None:
        if self._error is None:
            return None
        line, column = self._error
        text = self.document().findBlockByNumber(min(line, self.blockCount()) - 1).text()
        start, length = error_span(text, column)
        mark = _selection(self._cursor(line, start, max(length, 1)))
        mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)  # type: ignore[attr-defined]
        mark.format.setUnderlineColor(self._theme.color("error"))  # type: ignore[attr-defined]
        return mark

    # line numbers

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers.wanted_width(), 0, 0, 0)

    def _scroll_numbers(self, rect: QRect, dy: int) -> None:
        if dy:
            self.numbers.scroll(0, dy)
        else:
            self.numbers.update(0, rect.y(), self.numbers.width(), rect.height())

    def paint_numbers(self, painter: QPainter, width: int) -> None:
        """Paint the numbers of the lines in sight, and a bar beside the one that the step is at."""
        block, offset = self.firstVisibleBlock(), self.contentOffset()
        painter.setFont(self.font())
        while block.isValid():
            rect = self.blockBoundingGeometry(block).translated(offset)
            if rect.top() > self.viewport().height():
                break
            self._paint_number(painter, QRectF(0, rect.top(), width, rect.height()), block.blockNumber() + 1)
            self._paint_breaks(painter, rect.top(), width, block.layout())
            block = block.next()

    def _paint_breaks(self, painter: QPainter, top: float, width: int, layout: QTextLayout) -> None:
        """Mark what goes on with the line above."""
        painter.setPen(self._theme.color("muted"))
        for at in range(1, layout.lineCount()):
            rect = QRectF(0, top + layout.lineAt(at).y(), width - 8, layout.lineAt(at).height())
            painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, "↪")

    def _paint_number(self, painter: QPainter, rect: QRectF, number: int) -> None:
        is_step = self._step is not None and self._step[0] == number
        if is_step:
            assert self._step is not None
            painter.fillRect(rect, self._theme.color(TINTS.get(self._step[1], "control")))
            bar = QRectF(0, rect.top(), BAR, rect.height())
            painter.fillRect(bar, self._theme.phase_color(self._step[1]))
        is_error = self._error is not None and self._error[0] == number
        painter.setPen(self._theme.color("error_text" if is_error else "muted"))
        painter.drawText(
            rect.adjusted(0, 0, -8, 0),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop,
            str(number),
        )

    # completion

    def _word(self) -> str:
        cursor = self.textCursor()
        return "" if cursor.hasSelection() else word_before(cursor.block().text(), cursor.positionInBlock())

    def complete(self, always: bool = False) -> None:
        """Offer what the word before the cursor may become."""
        word = self._word()
        typed = words_of(self.toPlainText(), word) if self._is_coloured() else {}
        found = completions(word, {**typed, **self._roles}, always)
        if found and (always or len(word) >= SHORTEST):
            self.offer.show_completions(found)
        else:
            self.offer.hide()

    def accept(self, text: str) -> None:
        """Put a completion in the place of the word before the cursor."""
        cursor = self.textCursor()
        for _ in range(_units(self._word())):
            cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self.setTextCursor(cursor)
        self.offer.hide()

    def _travel(self, is_own: bool, go: Callable[[], object], beyond: SignalInstance) -> None:
        self.offer.hide()
        if is_own:
            go()
        else:
            beyond.emit()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(300, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 60)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.offer.isVisible() and self.offer.take(event):
            return
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Key.Key_Escape:
            self.left.emit()
        elif key == Key.Key_Space and control:
            self.complete(always=True)
        elif event.matches(QKeySequence.StandardKey.Undo):
            self._travel(self.document().isUndoAvailable(), self.undo, self.undone_all)
        elif event.matches(QKeySequence.StandardKey.Redo) or event.keyCombination() == OTHER_REDO:
            self._travel(self.document().isRedoAvailable(), self.redo, self.redone_all)
        elif event.text() and len(event.text()) + self.document().characterCount() > MAX_CHARACTERS:
            self.refused.emit(_too_long(self.document().characterCount()))
        else:
            super().keyPressEvent(event)
            if event.text() and not control and (event.text().isprintable() or self.offer.isVisible()):
                self.complete()
            else:
                self.offer.hide()

    def focusNextPrevChild(self, forward: bool) -> bool:
        if self.offer.isVisible():  # Tab takes what is offered before it leaves the text
            self.offer.take_current()
            return True
        return super().focusNextPrevChild(forward)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not source.hasUrls() and super().canInsertFromMimeData(source)  # files are for the window

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        whole = len(text) + self.document().characterCount()
        if whole > MAX_CHARACTERS:
            self.refused.emit(_too_long(whole))
            return
        self._colour(whole)
        super().insertFromMimeData(source)
        self.offer.hide()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.offer.hide()
        super().focusOutEvent(event)
        self._mark()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._mark()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.offer.hide()
        super().mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        area = self.contentsRect()
        self.numbers.setGeometry(area.left(), area.top(), self.numbers.wanted_width(), area.height())


def _too_long(characters: int) -> str:
    return (
        f"The formula would have {characters:,} characters; at most {MAX_CHARACTERS:,} are read. "
        "Split the network into smaller ones."
    )


def _selection(cursor: QTextCursor) -> QTextEdit.ExtraSelection:
    found = QTextEdit.ExtraSelection()
    found.cursor = cursor  # type: ignore[attr-defined]
    return found


class _Numbers(QWidget):
    """The numbers of the lines, at the left of the text."""

    def __init__(self, text: FormulaText) -> None:
        super().__init__(text)
        self._text = text

    def wanted_width(self) -> int:
        digits = max(2, len(str(self._text.blockCount())))
        return self._text.fontMetrics().horizontalAdvance("0") * digits + 18

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        painter.translate(0, self._text.viewport().y() - self.y())
        self._text.paint_numbers(painter, self.width())
        painter.end()


class _Offer(QListWidget):
    """The list of completions under the word; the text keeps the focus and hands on its keys."""

    HEIGHT, WIDEST = 24, 340

    def __init__(self, text: FormulaText) -> None:
        super().__init__(text)
        self._text = text
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Completions")
        self.setProperty("popup", True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.itemClicked.connect(self._accept)
        self.hide()

    def show_completions(self, found: list) -> None:
        """Show completions, the first one chosen."""
        if self.parent() is not self._text.window():
            self.setParent(self._text.window())  # over the other docks, and not cut off by its own
        self.clear()
        for completion in found:
            item = QListWidgetItem(f"{completion.shown}   {completion.kind}")
            item.setData(Qt.ItemDataRole.UserRole, completion.text)
            item.setSizeHint(QSize(100, self.HEIGHT))
            self.addItem(item)
        self.setCurrentRow(0)
        self._place()
        self.show()
        self.raise_()

    def take(self, event: QKeyEvent) -> bool:
        """Do what a key asks for; say whether it was one of the list's."""
        key = event.key()
        if key in (Key.Key_Up, Key.Key_Down):
            step = 1 if key == Key.Key_Down else -1
            self.setCurrentRow((self.currentRow() + step) % self.count())
        elif key in (Key.Key_Return, Key.Key_Enter):
            self.take_current()
        elif key == Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def take_current(self) -> None:
        """Put in what is chosen."""
        self._accept(self.currentItem())

    def _accept(self, item: QListWidgetItem) -> None:
        self._text.accept(item.data(Qt.ItemDataRole.UserRole))

    def _place(self) -> None:
        window = self._text.window()
        under = self._text.cursorRect()
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(self.item(i).text()) for i in range(self.count()))
        width = min(self.WIDEST, widest + 40)
        height = min(8, self.count()) * self.HEIGHT + 12
        corner = self._text.viewport().mapTo(window, under.bottomLeft()) + QPoint(0, 4)
        if corner.y() + height > window.height():
            corner.setY(self._text.viewport().mapTo(window, under.topLeft()).y() - height - 4)
        corner.setX(max(4, min(corner.x(), window.width() - width - 4)))
        self.setGeometry(QRect(corner, QSize(width, height)))

    # Qt

    def focusNextPrevChild(self, forward: bool) -> bool:
        return False
