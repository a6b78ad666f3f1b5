"""Markdown with LaTeX between dollars, as a widget: formulas are vector paths on the text's baseline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QRectF, QSizeF, Qt, QTimer
from PySide6.QtGui import (
    QFont,
    QFontInfo,
    QFontMetricsF,
    QPainter,
    QPalette,
    QPyTextObject,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextLine,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from gui.equations import Equation, equation, paint
from gui.formulas import lines_size, paint_lines, set_lines
from gui.theme import Theme, application_font

__all__ = ["BREAK", "TAB", "RichText", "pieces_of"]

FORMULA = QTextFormat.ObjectTypes.UserObject + 1
SOURCE, DISPLAYED = QTextFormat.Property.UserProperty + 1, QTextFormat.Property.UserProperty + 2
LARGER = 1.12
"""A formula's font size by that of the text around it: its letters are the smaller ones."""
AIR = 4.0
"""Room above and below a formula on a line of its own, in pixels."""
SLACK = 2.0
"""Pixels that a letter may reach below those of the text and still stand on its line."""
BREAK, TAB = "\ue003", "\ue002"
"""Begins a new line of a paragraph; parts what stands at its left from what begins in its middle."""
GUTTER = 16.0
"""Pixels between the two, at least."""
_FIRST, _LAST = "\ue000", "\ue001"  # stand around a formula's number while the text is read as Markdown
_MATH = re.compile(r"(?<!\\)\$\$(?P<shown>.+?)(?<!\\)\$\$|(?<!\\)\$(?P<inline>[^$]+?)(?<!\\)\$", re.DOTALL)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(f"{_FIRST}(\\d+){_LAST}")


def pieces_of(text: str) -> tuple[str, list[tuple[str, bool]]]:
    """Return a text with a mark for each formula, and the formulas: LaTeX, and whether on a line of its own.

    Dollars inside code are dollars.

    Examples
    --------
    >>> pieces_of("If $x$ is `$1`: $$y = 2$$")[1]
    [('x', False), ('y = 2', True)]
    """
    found: list[tuple[str, bool]] = []

    def marked(match: re.Match[str]) -> str:
        is_shown = match["shown"] is not None
        found.append(((match["shown"] or match["inline"]).strip(), is_shown))
        mark = f"{_FIRST}{len(found) - 1}{_LAST}"
        return f"\n\n{mark}\n\n" if is_shown else mark

    parts, start = [], 0
    for code in _CODE.finditer(text):
        parts += [_MATH.sub(marked, text[start : code.start()]), code[0]]
        start = code.end()
    parts.append(_MATH.sub(marked, text[start:]))
    return "".join(parts), found


class RichText(QTextBrowser):
    """Shows a text, and is as high as the text is at the width there is."""

    def __init__(self, theme: Theme, role: str = "body", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role = role
        self._factor = 1.0
        self._letters = application_font(role)
        self._source = ""
        self._formulas = _Formulas(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().registerHandler(FORMULA, self._formulas)
        self.viewport().setAutoFillBackground(False)
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self.fit_height)
        self._width = 0
        self.set_theme(theme)

    @property
    def source(self) -> str:
        """The text as it was written."""
        return self._source

    @property
    def theme(self) -> Theme:
        """The theme it is painted in."""
        return self._theme

    def set_source(self, text: str) -> None:
        """Show another text."""
        self._source = text
        marked, formulas = pieces_of(text)
        document = self.document()
        document.setDefaultFont(self._letters)
        document.setMarkdown(marked, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
        self._put_formulas(formulas)
        self._put_breaks()
        self._set_strong()
        self._space_blocks()
        self.setAccessibleDescription(text.replace(BREAK, "\n").replace(TAB, "\n"))
        self.fit_height()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        colours = self.palette()
        colours.setColor(QPalette.ColorRole.Text, theme.color("text"))
        self.setPalette(colours)
        self.setStyleSheet("QTextBrowser { background: transparent; border: 0; padding: 0; }")
        self.viewport().update()

    def set_factor(self, factor: float) -> None:
        """Show the text larger or smaller than the rest of the window."""
        if factor != self._factor:
            self._factor = factor
            self._letters = application_font(self._role)
            self._letters.setPointSizeF(self._letters.pointSizeF() * factor)
            self.set_source(self._source)

    def text_height(self, width: int) -> int:
        """Return how high the text is at a width, in pixels."""
        twin = self.document()
        before = twin.textWidth()
        twin.setTextWidth(max(1, width))
        height = int(twin.size().height()) + 2
        twin.setTextWidth(before)
        return height

    def lines(self, format: QTextCharFormat) -> tuple[list[Equation], float]:
        """Return the formula of a place in the text, in lines where the width asks for it, and its scale."""
        size = self.formula_size()
        room = max(40.0, self.viewport().width() - 2.0)
        source = str(format.property(SOURCE))
        lines = set_lines(source, size, room) if format.property(DISPLAYED) else (equation(source, size),)
        widest, _ = lines_size(lines, size)
        return list(lines), min(1.0, room / max(widest, 1e-9))

    def formula_size(self) -> float:
        """Return the font size of formulas, in pixels."""
        return QFontInfo(self._letters).pixelSize() * LARGER

    def metrics(self) -> QFontMetricsF:
        """Return the measures of the text's font."""
        return QFontMetricsF(self._letters)

    def _put_formulas(self, formulas: list[tuple[str, bool]]) -> None:
        """Put each formula in the place of its mark."""
        document = self.document()
        while True:
            cursor = document.find(_FIRST)
            if cursor.isNull():
                return
            block = cursor.block()
            match = _MARK.search(block.text(), cursor.selectionStart() - block.position())
            cursor.setPosition(cursor.selectionStart())
            length = len(match[0]) if match is not None else 1
            cursor.movePosition(QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor, length)
            if match is None:
                cursor.removeSelectedText()
                continue
            latex, is_shown = formulas[int(match[1])]
            cursor.insertText("\ufffc", self._format(latex, is_shown))

    def _put_breaks(self) -> None:
        document = self.document()
        for mark, letter in ((BREAK, "\u2028"), (TAB, "\t")):
            while not (cursor := document.find(mark)).isNull():
                cursor.insertText(letter)

    def _set_strong(self) -> None:
        """Write strong words with letters that came with the window; bolder ones would be smeared."""
        strong = QTextCharFormat()
        strong.setFontWeight(QFont.Weight.DemiBold)
        cursor = QTextCursor(self.document())
        for block in _blocks(self.document()):
            bold = [f for f in _fragments(block) if f.charFormat().fontWeight() > QFont.Weight.DemiBold]
            for start, length in [(piece.position(), piece.length()) for piece in bold]:
                cursor.setPosition(start)
                cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(strong)

    def _format(self, latex: str, is_shown: bool) -> QTextCharFormat:
        format = QTextCharFormat()
        format.setObjectType(FORMULA)
        format.setProperty(SOURCE, latex)
        format.setProperty(DISPLAYED, is_shown)
        lines, scale = self.lines(format)
        is_low = len(lines) == 1 and _depth(lines[0]) * scale <= self.metrics().descent() + SLACK
        align = QTextCharFormat.VerticalAlignment
        format.setVerticalAlignment(align.AlignBaseline if is_low and not is_shown else align.AlignMiddle)
        return format

    def _space_blocks(self) -> None:
        """Give paragraphs the air of the window; a formula on a line of its own stands in the middle."""
        gap = self.metrics().height() * 0.5
        for block in _blocks(self.document()):
            format = QTextBlockFormat(block.blockFormat())
            format.setLineHeight(118, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            following = block.next()
            within = block.textList() is not None and following.textList() is not None
            is_near = _is_formula(block) or _is_formula(following)  # which has air of its own
            share = 0.25 if within else 0.5 if is_near else 1.0
            format.setBottomMargin(gap * share if following.isValid() else 0)
            format.setTopMargin(0)
            if _is_formula(block):
                format.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                format.setLineHeight(100, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            QTextCursor(block).setBlockFormat(format)

    def keeps_columns(self) -> bool:
        """Say whether no line with a tab is broken, and what stands before a tab ends before the middle."""
        middle = self.document().textWidth() / 2
        for block in _blocks(self.document()):
            layout, text = block.layout(), block.text()
            if "\t" not in text:
                continue
            if layout.lineCount() != 1 + text.count("\u2028"):
                return False
            for line in (layout.lineAt(number) for number in range(layout.lineCount())):
                start = line.textStart()
                tab = text.find("\t", start, start + line.textLength())
                if tab >= 0 and _x_of(line, tab) > middle - GUTTER:
                    return False
        return True

    def fit_height(self) -> None:
        """Lay the text out anew: formulas as large as the width allows, the widget as high as the text."""
        width = self.viewport().width()
        option = self.document().defaultTextOption()
        option.setTabStopDistance(max(1.0, width / 2))
        self.document().setDefaultTextOption(option)
        self.document().markContentsDirty(0, self.document().characterCount())
        self.setFixedHeight(self.text_height(width) + 2 * self.frameWidth())

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewport().width() != self._width:
            self._width = self.viewport().width()
            self._fitting.start()


class _Formulas(QPyTextObject):
    """Measures and paints the formulas of a text."""

    def __init__(self, text: RichText) -> None:
        super().__init__(text)
        self._text = text

    def intrinsicSize(self, document: QTextDocument, position: int, format: QTextFormat) -> QSizeF:
        lines, scale = self._text.lines(format.toCharFormat())
        width, height = lines_size(tuple(lines), self._text.formula_size())
        if _is_on_baseline(format):
            return QSizeF(width * scale + 1, lines[0].ascent * scale + self._text.metrics().descent())
        if len(lines) > 1:
            return QSizeF(width * scale + 1, height * scale + 2 * AIR)
        air, lift = AIR if format.property(DISPLAYED) else 0.0, self._lift()
        half = max(lines[0].ascent * scale - lift, _depth(lines[0]) * scale + lift)
        return QSizeF(width * scale + 1, 2 * (half + air))

    def _lift(self) -> float:
        """Return how far the middle of an object stands above the baseline of its line."""
        return self._text.metrics().xHeight() / 4  # as Qt has it

    def drawObject(
        self, painter: QPainter, rect: QRectF, document: QTextDocument, position: int, format: QTextFormat
    ) -> None:
        lines, scale = self._text.lines(format.toCharFormat())
        painter.save()
        if len(lines) > 1:
            painter.translate(rect.left(), rect.top() + AIR)
            painter.scale(scale, scale)
            paint_lines(painter, tuple(lines), self._text.formula_size(), self._text.theme)
        else:
            descent = self._text.metrics().descent()
            below = descent if _is_on_baseline(format) else rect.height() / 2 - self._lift()
            painter.translate(rect.left(), rect.bottom() - below)
            painter.scale(scale, scale)
            paint(painter, lines[0], 0, 0, self._text.theme)
        painter.restore()


def _blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def _fragments(block: QTextBlock) -> Iterator[QTextFragment]:
    place = block.begin()
    while not place.atEnd():
        yield place.fragment()
        place += 1


def _is_formula(block: QTextBlock) -> bool:
    """Say whether a block is a formula on a line of its own."""
    return block.text() == "\ufffc" and block.textList() is None


def _x_of(line: QTextLine, position: int) -> float:
    """Return where a letter begins, in pixels from the left end of its line."""
    x: Any = line.cursorToX(position)  # a pair, whatever its annotation says
    return float(x[0])


def _depth(line: Equation) -> float:
    """Return how far a formula reaches below its baseline."""
    return line.height - line.ascent


def _is_on_baseline(format: QTextFormat) -> bool:
    align = QTextCharFormat.VerticalAlignment
    return format.toCharFormat().verticalAlignment() == align.AlignBaseline
