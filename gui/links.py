"""What is pointed at, in formulas: the symbol under the mouse, and the symbols of what others point at.

A formula is laid out a second time with each symbol in a role of its own; both layouts are the same to the
last point, so the one tells where the symbols of the other lie. The second one is made in idle moments, when
it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gui.equation_cache import EquationCache
from gui.equations import Equation, equation, is_ready
from gui.formulas import INDENT, LEADING, FormulaBlock
from gui.theme import Theme
from gui.viewdata import Link, Symbol, marked
from gui.viewdata.links import MARK

__all__ = ["LinkedFormula", "link_at", "missing", "paint_frame", "paint_marks"]

Lines = tuple[Equation, ...]
Symbols = tuple[Symbol, ...]
REACH = 1.6
"""How far around a symbol the mouse still points at it, in points."""


def missing(lines: Lines, symbols: Symbols) -> list[str]:
    """Return the layouts that are still to be made before `lines` can be pointed at."""
    return [latex for line in lines if not is_ready(latex := marked(line.latex, symbols)[0])]


def link_at(lines: Lines, size: float, symbols: Symbols, point: QPointF) -> Link | None:
    """Return what a point lies on, the first line's top left being the origin."""
    for rect, link in _places(lines, size, symbols):
        if rect.adjusted(-REACH, -REACH, REACH, REACH).contains(point):
            return link
    return None


def paint_marks(
    painter: QPainter, lines: Lines, size: float, symbols: Symbols, link: Link | None, theme: Theme
) -> None:
    """Put a frame around every symbol of what is pointed at."""
    if link is None:
        return
    for rect, own in _places(lines, size, symbols):
        if (own.name, own.part) == (link.name, link.part):
            paint_frame(painter, rect.adjusted(-REACH, -REACH, REACH, REACH), theme)


def paint_frame(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Put a frame on a ground of its own around what is pointed at."""
    ground = QColor(theme.color("focus"))
    ground.setAlpha(36)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("focus"), 1.2, Qt.PenStyle.DotLine))
    painter.setBrush(ground)
    painter.drawRoundedRect(rect, 3, 3)
    painter.restore()


def _places(lines: Lines, size: float, symbols: Symbols) -> Iterator[tuple[QRectF, Link]]:
    """Yield where each symbol lies; nothing of lines that have no second layout yet."""
    top = 0.0
    for i, line in enumerate(lines):
        latex, links = marked(line.latex, symbols)
        if is_ready(latex):
            twin = equation(latex, line.size)
            left, baseline = INDENT * size if i else 0.0, top + line.ascent
            for place, link in enumerate(links):
                rect = twin.role_rect(f"{MARK}{place}")
                if not rect.isEmpty():
                    yield rect.translated(left, baseline), link
        top += line.height + LEADING * size


class LinkedFormula(FormulaBlock):
    """A formula whose symbols can be pointed at, and are marked where others point at what they stand for.

    Signals
    -------
    pointed(object)
        The `Link` of the symbol under the mouse, None for none.
    """

    pointed = Signal(object)

    def __init__(
        self, theme: Theme, size: float, cache: EquationCache, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, size, parent)
        self._cache = cache
        self._symbols: Symbols = ()
        self._linked: Link | None = None
        self.setMouseTracking(True)
        cache.ready.connect(self._note_ready)

    def set_symbols(self, symbols: Symbols) -> None:
        """Know which symbols stand for what."""
        self._symbols = symbols

    def set_linked(self, link: Link | None) -> None:
        """Mark what is pointed at."""
        self._linked = link
        if link is not None and self.isVisible():
            self._cache.prefetch(missing(self.lines(), self._symbols))
        self.update()

    def symbol_at(self, point: QPointF) -> Link | None:
        """Return what the symbol at a point stands for."""
        corner = QPointF(self.MARGIN, self.MARGIN)
        return link_at(self.lines(), self._size, self._symbols, (point - corner) / self.scale())

    def paint_over(self, painter: QPainter) -> None:
        """Paint the marks, in the formula's coordinates."""
        paint_marks(painter, self.lines(), self._size, self._symbols, self._linked, self._theme)

    def _note_ready(self, latex: str) -> None:
        if MARK in latex and self._linked is not None:
            self.update()

    # Qt

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self.latex:
            self._cache.prefetch(missing(self.lines(), self._symbols))
            self.pointed.emit(self.symbol_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)
