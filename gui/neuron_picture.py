"""Paints a neuron view into a rectangle: on the screen, and wherever else a painter leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import hypot, isfinite

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QPolygonF,
    QStaticText,
    QTransform,
)

from graphs.views.numbers import compact
from graphs.views.records import EdgeKey, Link
from gui.groups import aligned, write
from gui.neuron_layout import (
    GRADIENT_ROOM,
    LABEL,
    NUMBER_HEIGHT,
    NUMBER_WIDTH,
    Edge,
    NeuronLayout,
    Stack,
    neuron_layout,
)
from gui.theme import DARK_INK, LIGHT_INK, Theme, application_font, blend, diverging_map, light_ink_map
from gui.viewdata.neurons import EdgeBundle, NeuronColumn, NeuronView

THINNEST, THICKEST = 0.6, 3.8
WIDTHS = 8
"""How many widths of edges are told apart."""
GLOW = 5.0
LEGEND, ROOM = 20.0, 230.0
"""Height of the legend, and the height from which there is one."""
LETTERS_HEIGHT = 13.0
"""Of a column's name, on a desk."""
CHARACTERS = 5
"""Of a number in a neuron."""
DASHES = {"backward": [2.4, 1.5]}
Entry = tuple[int, ...]


@dataclass(frozen=True)
class Marked:
    """What the user marks: the selected node or edge, the entry looked at, and what the mouse is at."""

    selection: str | EdgeKey | None = None
    entry: Entry | None = None
    hovered: Link | None = None

    def points_at(self, name: str) -> bool:
        """Say whether the mouse is at a node, here or in another panel."""
        return self.hovered is not None and self.hovered.name == name


def paint_neurons(
    painter: QPainter,
    rect: QRectF,
    view: NeuronView,
    theme: Theme,
    *,
    marked: Marked | None = None,
    layout: NeuronLayout | None = None,
    legend: bool = True,
    letters: float = 1.0,
) -> None:
    """Paint a neuron view, or the sentence why there is none.

    Parameters
    ----------
    rect
        Where it is painted; numbers stand in the neurons where there is room for them.
    layout
        The places for :func:`body_of` `rect`, where they have been worked out before.
    legend
        Whether to say at the bottom what edges and marks mean, where there is room.
    letters
        How much larger names and numbers are written, as far as there is room.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if view.sentence:
        _paint_sentence(painter, rect, view.sentence, theme)
    else:
        places = layout or neuron_layout(view, body_of(rect) if legend else rect)
        _Picture(painter, view, places, theme, marked or Marked(), letters).paint()
        if legend and body_of(rect) != rect:
            paint_neuron_legend(
                painter, QRectF(rect.left(), rect.bottom() - LEGEND, rect.width(), LEGEND), theme
            )
    painter.restore()


def body_of(rect: QRectF) -> QRectF:
    """Return the part of a rectangle that the neurons have: all but a legend, where it is large enough."""
    return rect.adjusted(0, 0, 0, -LEGEND) if rect.height() >= ROOM and rect.width() >= ROOM * 1.8 else rect


def paint_neuron_legend(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Paint what the edges and marks mean."""
    painter.save()
    painter.setFont(application_font("small"))
    metrics = QFontMetricsF(painter.font())
    width = 14 + sum(26 + metrics.horizontalAdvance(text) + 16 for _, text in SAMPLES)
    scale = min(1.0, rect.width() / width)  # of a narrow picture
    painter.translate(rect.left(), rect.center().y())
    painter.scale(scale, scale)
    x, y = 14.0, 0.0
    for sample, text in SAMPLES:
        painter.setBrush(theme.color("canvas"))
        if sample in ("positive", "negative"):
            painter.setPen(QPen(theme.color(sample), THICKEST))
            painter.drawLine(QPointF(x, y), QPointF(x + 20, y))
        elif sample == "bias":
            painter.setPen(QPen(theme.color("muted"), 1))
            painter.drawRect(QRectF(x + 12, y - 4, 8, 8))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("stored"))
            painter.drawEllipse(QPointF(x + 16, y), 3.0, 3.0)
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(x + 26, y + metrics.capHeight() / 2), text)
        x += 26 + metrics.horizontalAdvance(text) + 16
    painter.restore()


SAMPLES = (
    ("positive", "+ weight"),
    ("negative", "− weight, as wide as large"),
    ("bias", "bias"),
    ("stored", "stored, read now"),
)


def _paint_sentence(painter: QPainter, rect: QRectF, sentence: str, theme: Theme) -> None:
    painter.setFont(application_font())
    painter.setPen(theme.color("muted"))
    inside = rect.adjusted(24, 8, -24, -8)
    painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, sentence)


class _Picture:
    def __init__(
        self,
        painter: QPainter,
        view: NeuronView,
        layout: NeuronLayout,
        theme: Theme,
        marked: Marked,
        letters: float,
    ) -> None:
        self._painter = painter
        self._view = view
        self._layout = layout
        self._theme = theme
        self._marked = marked
        self._letters = letters
        self._small = application_font("small", min(letters, LABEL / LETTERS_HEIGHT))
        self._tiny = tiny_font()
        self._borders = [blend(theme.muted, theme.canvas, share) for share in (0.35, 0.8)]
        self._is_lit = any(b.phase for b in view.bundles) or any(m.phase for m in view.marks)

    def paint(self) -> None:
        self._edges()
        self._names()
        for stack in self._layout.stacks:
            self._stack(stack)
        self._marks()

    # --- edges ---

    def _edges(self) -> None:
        """Paint all edges, as many at once as look alike: the lit ones last, above the others."""
        alike: dict[tuple[object, ...], list[Edge]] = {}
        for edge in self._layout.edges:
            alike.setdefault(self._look(edge), []).append(edge)
        for bundle_index, bundle in enumerate(self._view.bundles):
            if self._is_selected(bundle):
                chosen = (e for e in self._layout.edges if e.bundle == bundle_index)
                self._lines(chosen, QPen(self._theme.color("selection"), 8))
        for edge in self._layout.edges:
            if self._is_pointed_at(edge):
                self._lines([edge], QPen(blend(self._theme.focus, self._theme.canvas, 0.45), 7))
        for look in sorted(alike, key=lambda look: (str(look[0]) != "", str(look))):
            self._draw(look, alike[look])
        for edge in self._layout.edges:
            if self._is_the_entry(edge):
                self._lines([edge], QPen(self._theme.color("focus"), 7))
                self._draw(self._look(edge), [edge])

    def _look(self, edge: Edge) -> tuple[object, ...]:
        """Return what an edge looks like: the phase that lights it up, its sign, its width."""
        bundle = self._view.bundles[edge.bundle]
        if bundle.kind in ("each", "all"):
            return (bundle.phase, "plain", 1)
        weight = bundle.at(bundle.weights, edge.target, edge.source)
        if weight is None:
            return (bundle.phase, "future", 1)
        if not isfinite(weight):
            return (bundle.phase, "error", WIDTHS)
        share = abs(weight) / bundle.largest if bundle.largest else 0.0
        sign = "positive" if weight > 0 else "negative" if weight < 0 else "plain"
        return (bundle.phase, sign, round(share * WIDTHS))

    def _draw(self, look: tuple[object, ...], edges: list[Edge]) -> None:
        phase, sign, width = str(look[0]), str(look[1]), int(str(look[2]))
        theme = self._theme
        shown = 0.3 if self._is_lit and not phase else 0.85
        if sign in ("plain", "future"):
            color = theme.phase_color(phase) if phase else blend(theme.muted, theme.canvas, 0.2 + shown * 0.4)
            pen = QPen(color, 1.6 if phase else 1.0)
            pen.setDashPattern(DASHES.get(phase, [1, 0]))
            self._lines(edges, pen)
            return
        wide = THINNEST + (THICKEST - THINNEST) * width / WIDTHS
        if phase:
            strength = 0.65 if theme.is_dark else 0.45
            glow = QPen(blend(theme.phase_color(phase).name(), theme.canvas, strength), wide + GLOW)
            glow.setCapStyle(Qt.PenCapStyle.FlatCap)
            if phase in DASHES:
                glow.setDashPattern([8 / glow.widthF(), 4 / glow.widthF()])
            self._lines(edges, glow)
        color = theme.color(sign) if phase else blend(getattr(theme, sign), theme.canvas, shown)
        self._lines(edges, QPen(color, wide))

    def _lines(self, edges: Iterable[Edge], pen: QPen) -> None:
        self._painter.setPen(pen)
        straight: list[QPointF] = []
        for edge in edges:
            if len(edge.points) == 2:
                straight += edge.points
            else:
                self._painter.drawPolyline(QPolygonF(edge.points))
        if straight:
            self._painter.drawLines(straight)

    def _names(self) -> None:
        """Paint the names of weights above the uppermost edge of each bundle."""
        tops: dict[int, tuple[float, QPointF]] = {}
        for edge in self._layout.edges:
            start, end = edge.points[0], edge.points[-1]
            height = edge.points[len(edge.points) // 2].y() + start.y()
            if edge.bundle not in tops or height < tops[edge.bundle][0]:
                tops[edge.bundle] = height, _beside(start, end)
        painter, theme = self._painter, self._theme
        painter.setFont(self._small)
        for index, (_, point) in tops.items():
            bundle = self._view.bundles[index]
            if bundle.label:
                role = theme.phase_text_color(bundle.phase) if bundle.phase else theme.color("muted")
                painter.setPen(role)
                _write(painter, point, bundle.label)

    def _is_selected(self, bundle: EdgeBundle) -> bool:
        selection = self._marked.selection
        if isinstance(selection, tuple):
            return selection[:2] == (bundle.source, bundle.target)
        return bool(bundle.name) and selection == bundle.name

    def _is_pointed_at(self, edge: Edge) -> bool:
        bundle, hovered = self._view.bundles[edge.bundle], self._marked.hovered
        if hovered is None or not bundle.name or hovered.name != bundle.name:
            return False
        return hovered.entry is None or hovered.entry == bundle.entry(edge.target, edge.source)

    def _is_the_entry(self, edge: Edge) -> bool:
        bundle = self._view.bundles[edge.bundle]
        if not bundle.name or self._marked.selection != bundle.name or self._marked.entry is None:
            return False
        return bundle.entry(edge.target, edge.source) == self._marked.entry

    # --- neurons ---

    def _stack(self, stack: Stack) -> None:
        columns = [self._view.by_name[name] for name in stack.names]
        self._label(stack, columns)
        for unit in range(len(stack.neurons)):
            for column in columns:
                self._neuron(stack, column, unit)
            if len(columns) > 1:
                self._divide(stack.neurons[unit], columns)
            self._ring(stack, columns, unit)
        if stack.more is not None:
            self._painter.setPen(self._theme.color("muted"))
            self._painter.setFont(self._small)
            write(self._painter, stack.more, Qt.AlignmentFlag.AlignCenter, f"… {stack.hidden} more")

    def _label(self, stack: Stack, columns: list[NeuronColumn]) -> None:
        """Paint the names of a column; the one that the step changes in the phase's colour."""
        theme, painter = self._theme, self._painter
        parts: list[tuple[str, QColor]] = []
        for column in columns:
            if parts:
                parts.append(("  |  ", theme.color("disabled")))
            role = theme.phase_text_color(column.phase) if column.phase else theme.color("text")
            parts.append(
                (column.label, theme.color("stored_text") if column.read and not column.phase else role)
            )
        painter.setFont(self._small)
        metrics = QFontMetricsF(self._small)
        fits = sum(metrics.horizontalAdvance(t) for t, _ in parts) <= stack.label.width()
        room = stack.label.width() if fits else stack.label.width() / len(columns) - 8
        texts = [(metrics.elidedText(t, Qt.TextElideMode.ElideRight, room), c) for t, c in parts]
        x = stack.label.center().x() - sum(metrics.horizontalAdvance(t) for t, _ in texts) / 2
        for text, color in texts:
            painter.setPen(color)
            painter.drawText(QPointF(x, stack.label.bottom() - 6), text)
            x += metrics.horizontalAdvance(text)

    def _neuron(self, stack: Stack, column: NeuronColumn, unit: int) -> None:
        theme, painter, rect = self._theme, self._painter, stack.half(unit, column.name)
        value = None if column.values is None else float(column.values[unit])
        index = None if value is None else _color_index(value, column.largest)
        fill = theme.color("card") if index is None else QColor(int(diverging_map(theme)[index]))
        border = self._borders[value is not None]
        whole, radius = stack.neurons[unit], stack.neurons[unit].height() / 2
        halved = rect != whole
        if halved:
            painter.save()
            painter.setClipRect(rect.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(border, 1.0))
        painter.setBrush(QBrush(fill))
        painter.drawRoundedRect(whole, radius, radius)
        if halved:
            painter.restore()
        if value is not None and stack.has_numbers:
            light = index is not None and light_ink_map(theme)[index]
            room = min(rect.width() / NUMBER_WIDTH, rect.height() / NUMBER_HEIGHT)
            painter.setFont(application_font("small", max(1.0, min(self._letters, 0.95 * room))))
            painter.setPen(QColor(LIGHT_INK if light else DARK_INK))
            _write(painter, rect.center(), _number(value, CHARACTERS))
        if column.gradients is not None and stack.has_gradients:
            self._gradient(rect, float(column.gradients[unit]))

    def _gradient(self, rect: QRectF, gradient: float) -> None:
        self._painter.setFont(self._tiny)
        self._painter.setPen(self._theme.color("backward_text"))
        below = QPointF(rect.center().x(), rect.bottom() + GRADIENT_ROOM / 2)
        characters = CHARACTERS + (rect.width() >= 44)
        _write(self._painter, below, _number(gradient, characters))

    def _divide(self, rect: QRectF, columns: list[NeuronColumn]) -> None:
        """Paint the line between z and a: what the step does between them lights it up."""
        between = (b for b in self._view.bundles if b.source == columns[0].name)
        phase = next((b.phase for b in between if b.target == columns[1].name), "")
        color = self._theme.phase_color(phase) if phase else self._theme.color("muted")
        self._painter.setPen(QPen(color, 3.0 if phase else 1.0))
        middle = rect.center().x()
        self._painter.drawLine(QPointF(middle, rect.top() + 1), QPointF(middle, rect.bottom() - 1))

    def _ring(self, stack: Stack, columns: list[NeuronColumn], unit: int) -> None:
        painter, theme = self._painter, self._theme
        whole, radius = stack.neurons[unit], stack.neurons[unit].height() / 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for column in columns:
            pen = self._ring_pen(column, unit)
            if pen is None:
                continue
            out = pen.widthF() / 2 + 0.5
            half = stack.half(unit, column.name)
            sides = (half.left() == whole.left(), half.right() == whole.right())
            painter.save()
            clip = half.adjusted(-4 if sides[0] else 0, -4, 4 if sides[1] else 0, 4)
            painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
            painter.setPen(pen)
            painter.drawRoundedRect(whole.adjusted(-out, -out, out, out), radius + out, radius + out)
            painter.restore()
            if column.read:
                self._stored(half, theme)

    def _ring_pen(self, column: NeuronColumn, unit: int) -> QPen | None:
        theme = self._theme
        if self._marked.selection == column.name:
            chosen = column.unit_of(self._marked.entry)
            return QPen(theme.color("focus"), 3.0 if chosen in (None, unit) else 1.6)
        hovered = self._marked.hovered if self._marked.points_at(column.name) else None
        if hovered is not None and column.unit_of(hovered.entry) in (None, unit):
            return QPen(theme.color("focus"), 1.6)
        if column.phase:
            return QPen(theme.phase_color(column.phase), 2.6)
        if column.upstream:
            pen = QPen(theme.color("backward"), 2.0)
            pen.setDashPattern(DASHES["backward"])
            return pen
        return QPen(theme.color("stored"), 2.0) if column.read else None

    def _stored(self, rect: QRectF, theme: Theme) -> None:
        """Paint the mark of a stored activation that the factor reads."""
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(theme.color("stored"))
        self._painter.drawEllipse(QPointF(rect.right() - rect.height() * 0.15, rect.top() + 1.5), 3.0, 3.0)

    # --- biases ---

    def _marks(self) -> None:
        painter, theme = self._painter, self._theme
        for mark in self._view.marks:
            stack = self._layout.stacks[self._layout.stack_of[mark.target]]
            largest = 0.0 if mark.values is None else float(np.nanmax(np.abs(mark.values), initial=0.0))
            chosen = self._marked.selection == mark.name or self._marked.points_at(mark.name)
            for unit in range(len(stack.neurons)):
                value = None if mark.values is None else float(mark.values[unit])
                index = None if value is None else _color_index(value, largest)
                fill = theme.color("card") if index is None else QColor(int(diverging_map(theme)[index]))
                role = theme.phase_color(mark.phase) if mark.phase else theme.color("muted")
                painter.setPen(
                    QPen(theme.color("focus") if chosen else role, 2.4 if mark.phase or chosen else 1)
                )
                painter.setBrush(fill)
                painter.drawRect(stack.mark(unit))


def tiny_font() -> QFont:
    """Return the font of the gradients below neurons."""
    return application_font("small", 0.92)


def _beside(start: QPointF, end: QPointF) -> QPointF:
    """Return a point beside the middle of an edge, on its upper side."""
    way = end - start
    length = max(1.0, hypot(way.x(), way.y()))
    return (start + end) / 2 + QPointF(way.y(), -way.x()) * (12 / length)


def _color_index(value: float, largest: float) -> int | None:
    """Return the place of a value in the diverging map, None for one that has none."""
    if not isfinite(value):
        return None
    share = value / largest if largest else 0.0
    return max(0, min(255, 128 + round(share * 127)))


_number = lru_cache(maxsize=4096)(compact)


@lru_cache(maxsize=4096)
def _static(text: str, size: float) -> tuple[QStaticText, float, float]:
    """Return a short text laid out once and for all, with half its width and height."""
    font = application_font("small")
    font.setPointSizeF(size)
    found = QStaticText(text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    found.prepare(QTransform(), font)
    half = found.size() / 2
    return found, half.width(), half.height()


def _write(painter: QPainter, centre: QPointF, text: str) -> None:
    """Write a short text about a point, in the painter's font and pen."""
    found, width, height = _static(text, painter.font().pointSizeF())
    with aligned(painter, Qt.AlignmentFlag.AlignHCenter):
        painter.drawStaticText(QPointF(centre.x() - width, centre.y() - height), found)
