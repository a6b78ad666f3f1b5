"""What a step does, as a picture: the sentence, the equation with its factor and numbers, the matrices.

It shows what the panel *This step* shows, from the same record, laid out so that it can stand by itself on
a slide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from PySide6.QtCore import QSizeF
from PySide6.QtGui import QAbstractTextDocumentLayout, QColor, QFont, QPainter, QPalette, QTextDocument

from gui.drawing import Drawing
from gui.equations import plain_source
from gui.formulas import fitting_scale, lines_size, paint_lines, set_lines, with_air
from gui.groups import group
from gui.product import GAP, ProductStrip
from gui.session import Session
from gui.step_words import more_html, numbers_html, result_html, shapes_html, short_html
from gui.theme import Theme, application_font
from gui.viewdata import StepView, step_view

__all__ = ["draw_step"]

LEAST, ROOM = 320.0, 620.0
"""How wide what is shown is, margins aside: as wide as it needs, within these."""
MARGIN = 24.0
EQUATION, NUMBERS = 21.0, 16.0
"""Font sizes of formulas, in pixels."""
SLACK = 1.17
"""By how much wider words are in fonts that others may have instead, for readers that do not squeeze them."""
PRODUCT = 1.25
"""By how much the matrices are larger than in the panel."""
APART = 14.0
"""Between the equation and the numbers put in."""


class _Block(NamedTuple):
    """A part of the picture: its name, its size, the room above it, and what paints it at the origin."""

    name: str
    width: float
    height: float
    above: float
    paint: Callable[[QPainter], object]


def draw_step(session: Session, positions: Sequence[int], theme: Theme) -> Drawing:
    """Lay out *This step* at places of a session's iteration."""
    frame, snapshot = session.frame, session.snapshot()

    def blocks(position: int) -> list[_Block]:
        place = f"{snapshot.title}, {snapshot.at(position).place()}"
        return list(_blocks(step_view(frame.at(position)), place, theme))

    every = [blocks(position) for position in sorted(set(positions))]
    height = max(sum(block.above + block.height for block in found) for found in every)
    width = max(block.width for found in every for block in found)
    size = QSizeF(*(ceil(side + 2 * MARGIN) for side in (max(LEAST, width), height)))

    def paint(painter: QPainter, position: int) -> None:
        y = MARGIN
        for block in blocks(position):
            y += block.above
            painter.save()
            painter.translate(MARGIN, y)
            with group(painter, block.name):
                block.paint(painter)
            painter.restore()
            y += block.height

    return Drawing(size, theme.color("window"), paint)


def _blocks(view: StepView, place: str, theme: Theme) -> Iterator[_Block]:
    """Yield the parts of the picture, those that this step has."""
    phase = theme.phase_text_color(view.phase) if view.phase != "start" else theme.color("muted")
    muted, body = theme.color("muted"), application_font()
    yield _words("place", place, application_font("small"), phase, 0.0, plain=True)
    yield _words("sentence", view.sentence, application_font("title"), theme.color("text"), 3.0, plain=True)
    if view.more:
        yield _words("more", more_html(view, theme), body, muted, 4.0)
    if view.equation:
        yield _formula("equation", with_air(view.equation), EQUATION, theme, 20.0)
    above = APART
    for block in _numbers(view, theme):
        yield block._replace(above=above)
        above = 3.0
    if view.matrices:
        yield _product(view, theme)
    if view.shapes:
        yield _words("shapes", shapes_html(view.shapes, theme), body, muted, 10.0)


def _numbers(view: StepView, theme: Theme) -> Iterator[_Block]:
    """Yield the numbers put in for one entry, and what they come to."""
    if view.entry:
        yield _words("entry", view.entry, application_font("small"), theme.color("muted"))
    text = unbroken(numbers_html(view) or "")
    font = QFont(application_font())
    font.setPixelSize(round(NUMBERS))
    if text:
        yield _words("numbers", text, font, theme.color("text"))
    elif view.numbers:
        yield _formula("numbers", view.numbers, NUMBERS, theme)
    short = unbroken(short_html(view))
    if short:
        yield _words("short", short, font, theme.color("text"))
    result = result_html(view, theme)
    if result:
        yield _words("result", result, font, theme.color("text"))


def unbroken(text: str) -> str:
    """Return numbers put in so that a line ends between terms: products and powers of ten stay whole."""
    return text.replace(" · ", "\u00a0·\u00a0")


def _words(
    name: str, text: str, font: QFont, color: QColor, above: float = 0.0, *, plain: bool = False
) -> _Block:
    document = QTextDocument()
    document.setDefaultFont(font)
    document.setDocumentMargin(0)
    document.setTextWidth(ROOM / SLACK)
    if plain:
        document.setPlainText(text)
    else:
        document.setHtml(text)
    context = QAbstractTextDocumentLayout.PaintContext()
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Text, color)
    context.palette = palette  # type: ignore[assignment]  # a property that the stubs take for a constant

    def paint(painter: QPainter) -> None:
        document.documentLayout().draw(painter, context)

    return _Block(name, document.idealWidth() * SLACK, document.size().height(), above, paint)


def _formula(name: str, latex: str, size: float, theme: Theme, above: float = 0.0) -> _Block:
    lines = set_lines(latex, size, ROOM)
    scale = fitting_scale(lines, size, ROOM)
    width, height = lines_size(lines, size)

    def paint(painter: QPainter) -> None:
        with group(painter, f"{name}-lines", plain_source(latex)):
            painter.scale(scale, scale)
            paint_lines(painter, lines, size, theme)

    return _Block(name, width * scale, height * scale, above, paint)


def _product(view: StepView, theme: Theme) -> _Block:
    strip = ProductStrip(theme)
    strip.resize(round(ROOM / PRODUCT), 10)
    strip.set_parts(view.matrices, view.index)

    def paint(painter: QPainter) -> None:
        painter.scale(PRODUCT, PRODUCT)
        strip.paint_on(painter)

    reach = max(slot.x + slot.width for slot in strip.slots_shown) + GAP
    return _Block("product", reach * PRODUCT, strip.height() * PRODUCT, 20.0, paint)
