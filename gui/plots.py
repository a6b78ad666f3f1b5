"""Plots in the window's own look. This imports pyqtgraph, so panels import it when they are first seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QWidget

from graphs.views.numbers import MINUS, format_number
from gui.theme import Theme, application_font, blend

Array = np.ndarray

LINE = 1.5
LARGEST = 1e300
"""What is larger lies outside of any plot: differences of such numbers overflow."""


def round_range(low: float, high: float) -> tuple[float, float]:
    """Return a range of round numbers around `low` to `high`, which seldom changes while a series grows.

    Examples
    --------
    >>> round_range(0.13, 1.826), round_range(2.0, 2.0)
    ((0.0, 2.0), (1.0, 3.0))
    """
    low, high = max(low, -LARGEST), min(high, LARGEST)
    if not low < high:
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    step = round_up((high - low) / 8)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def round_up(x: float) -> float:
    """Return the next number of 1, 2 and 5 times powers of ten.

    Examples
    --------
    >>> round_up(0.21), round_up(7), round_up(100)
    (0.5, 10.0, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(x))
    return next(digit * power for digit in (1.0, 2.0, 5.0, 10.0) if digit * power >= x * (1 - 1e-12))


SHORT = 2
"""Letters of an upright axis's name that stand; longer names lie along it."""


class NumberAxis(pg.AxisItem):
    """An axis whose numbers are written as everywhere in the window.

    Attributes
    ----------
    is_log
        Whether it counts in powers of ten: x stands at log10(x + `shift`).
    is_whole
        Whether only whole numbers stand on it.
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.setStyle(tickLength=0, autoExpandTextSpace=True, tickTextOffset=6, hideOverlappingLabels=False)
        self.enableAutoSIPrefix(False)
        self.is_log = False
        self.is_whole = False
        self.shift = 0.0
        self._metrics = QFontMetricsF(application_font("small"))

    @property
    def is_upright(self) -> bool:
        """Whether it runs upwards."""
        return self.orientation in ("left", "right")

    def set_look(self, theme: Theme, font: QFont) -> None:
        """Paint in a theme's colours, numbers and name in a font."""
        self.setPen(pg.mkPen(theme.color("grid"), width=1))
        self.setTextPen(theme.color("muted"))
        self.setTickFont(font)
        self._metrics = QFontMetricsF(font)
        self.picture = None

    def set_name(self, text: str, theme: Theme, font: QFont) -> None:
        """Say what it counts."""
        self.setLabel(text, color=theme.color("muted").name())
        if self.label is not None:
            self.label.setFont(font)
            if self.is_upright:
                self.label.setRotation(0 if self._is_letter else -90)  # a v that lies would be a <
            self._adjustSize()  # the name is as high as its letters
            self.resizeEvent(None)

    @property
    def _is_letter(self) -> bool:
        """Whether its name is a letter or two, which has the room to stand upright."""
        return self.is_upright and self.label is not None and len(self.label.toPlainText().strip()) <= SHORT

    def _thinned(self, values: Sequence[float], low: float, high: float, size: float) -> Sequence[float]:
        """Leave numbers out until none touches the next: every second, every third, … one stays."""
        if len(values) < 2 or not high > low:
            return values
        spacing = abs(values[1] - values[0])
        lengths = [self._metrics.height() * 0.9] * len(values)
        if not self.is_upright:
            texts = self.tickStrings(values, 1.0, spacing)
            lengths = [
                self._metrics.horizontalAdvance(text) + self._metrics.averageCharWidth() for text in texts
            ]
        places = [(value - low) / (high - low) * size for value in values]
        for every in range(1, len(values)):
            # the rest that is counted from: 0 stays where it is one of them, so that a zoom keeps its numbers
            first = round(values[0] / spacing) % every if self._is_even(values, spacing) else 0
            kept = range(-first % every, len(values), every)
            if all(places[j] - places[i] >= (lengths[i] + lengths[j]) / 2 for i, j in pairwise(kept)):
                return [values[i] for i in kept]
        return values[:1]

    @staticmethod
    def _is_even(values: Sequence[float], spacing: float) -> bool:
        return spacing > 0 and math.isclose(values[-1] - values[0], spacing * (len(values) - 1), rel_tol=1e-6)

    # pyqtgraph

    def resizeEvent(self, ev: Any = None) -> None:
        super().resizeEvent(ev)
        if self.label is not None and self._is_letter:
            middle = (self.size().height() - self.label.boundingRect().height()) / 2
            self.label.setY(middle)  # pyqtgraph puts it where it would begin if it lay

    def boundingRect(self) -> QRectF:
        # With a grid, pyqtgraph forgets that the numbers at the ends reach beyond the axis, and drops them.
        half, wide = 0.6 * self._metrics.height(), 3.5 * self._metrics.averageCharWidth()
        upright = (0, -half, 0, half) if self.is_upright else (-wide, 0, wide, 0)
        return super().boundingRect().adjusted(*upright)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.is_log and self.shift:
            return [format_number(float(f"{10.0**v - self.shift:.6g}")) for v in values]
        if self.is_log:
            return [_power_text(v) for v in values]
        near_zero = spacing * 1e-6
        return [format_number(0.0 if abs(v) < near_zero else float(f"{v:.9g}")) for v in values]

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Sequence[float]]]:
        spacing, values = self._all_ticks(minVal, maxVal, size)
        return [(spacing, self._thinned(values, minVal, maxVal, size))]

    def _all_ticks(self, low: float, high: float, size: float) -> tuple[float, Sequence[float]]:
        """Return how far ticks are apart and where they stand, with or without room for their numbers."""
        if not self.is_log:
            spacing, values = super().tickValues(low, high, size)[0]
            if self.is_whole and spacing < 1:
                spacing, values = 1.0, [float(v) for v in range(math.ceil(low), math.floor(high) + 1)]
            return spacing, values
        if self.shift:
            return 1.0, shifted_ticks(low, high, max(2, int(size / 48)), self.shift)
        return 1.0, log_ticks(low, high, max(2, int(size / 26)))


def _power_text(exponent: float) -> str:
    """Write a power of ten, also one that no float can hold."""
    if abs(exponent) < 300:
        return format_number(float(f"{10.0**exponent:.3g}"), 3)
    return f"1e{round(exponent)}".replace("-", MINUS)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return where ticks stand between two powers of ten: whole powers, or 1, 2, 5 where there are few.

    Examples
    --------
    >>> log_ticks(-3, 0, 8), [round(10**t, 2) for t in log_ticks(-0.4, 0.4, 8)]
    ([-3.0, -2.0, -1.0, 0.0], [0.5, 1.0, 2.0])
    """
    powers = range(math.floor(low), math.ceil(high) + 1)
    every = max(1, math.ceil(len(powers) / most))
    ticks = [float(p) for p in powers if p % every == 0 and low <= p <= high]
    if len(ticks) < 3 and high - low < 3:
        finer = sorted(p + math.log10(digit) for p in powers for digit in (1, 2, 5))
        ticks = [t for t in finer if low <= t <= high]
    return ticks if len(ticks) > 1 else [low, high]


def shifted_ticks(low: float, high: float, most: int, shift: float) -> list[float]:
    """Return where 0, 1, 10, 100, ... stand when x stands at log10(x + shift); where few do, 2 and 5 too.

    Examples
    --------
    >>> [round(10**t - 1) for t in shifted_ticks(0, 3.01, 9, 1.0)]
    [0, 1, 10, 100, 1000]
    """
    least, largest = 10.0 ** min(low, 300.0) - shift, 10.0 ** min(high, 300.0) - shift
    powers = range(math.floor(math.log10(max(largest, 1.0))) + 1)
    numbers = [0.0, *(10.0**p for p in powers)]
    if sum(least <= n <= largest for n in numbers) < 3:
        numbers = [0.0, *(digit * 10.0**p for p in powers for digit in (1, 2, 5))]
    seen = [n for n in numbers if least - 1e-9 <= n <= largest * (1 + 1e-9)]
    if len(seen) < 2:
        seen = [math.ceil(least), math.floor(largest)]
    every = math.ceil(len(seen) / most)
    return [math.log10(n + shift) for n in seen[::-1][::every][::-1] if n + shift > 0]


class PlotBox(pg.ViewBox):
    """The area of a plot: the wheel zooms, dragging moves, a double click shows everything again.

    Signals
    -------
    clicked(float)
        Where on the horizontal axis.
    reset()
        Everything is to be seen again.
    """

    clicked = Signal(float)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)

    # pyqtgraph

    def mouseClickEvent(self, ev) -> None:  # noqa: ANN001  pyqtgraph's own event
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self.reset.emit()
        else:
            self.clicked.emit(self.mapSceneToView(ev.scenePos()).x())


class Plot(pg.PlotWidget):
    """A plot with quiet axes in a theme's colours.

    Signals
    -------
    mouse_moved(QPointF)
        Where the mouse is, in coordinates of the scene.
    """

    mouse_moved = Signal(object)

    def __init__(self, theme: Theme, across: str, up: str, parent: QWidget | None = None) -> None:
        self.box = PlotBox()
        self.axes = {side: NumberAxis(side) for side in ("bottom", "left")}
        super().__init__(parent, viewBox=self.box, axisItems=self.axes)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumHeight(60)
        self.box.setBorder(None)
        item: Any = self.plotItem  # pyqtgraph says it may be None, and that its layout is a method
        item.scene().sigMouseMoved.connect(self.mouse_moved)
        for axis in self.axes.values():
            axis.setZValue(-1000)  # the grid lies under everything
        self._labels = {"bottom": across, "left": up}
        self._factor = 1.0
        self.set_theme(theme)

    def lettering(self, role: str = "small") -> QFont:
        """Return the font of a role, as large as letters are in this plot."""
        return application_font(role, self._factor)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for."""
        if factor != self._factor:
            self._factor = factor
            self.set_theme(self.theme)

    def leaveEvent(self, event: QEvent) -> None:
        self.mouse_moved.emit(QPointF(-1e6, -1e6))  # nowhere: what is read out there goes
        super().leaveEvent(event)

    def set_labels(self, across: str, up: str) -> None:
        """Say what the axes are."""
        self._labels = {"bottom": across, "left": up}
        for side, axis in self.axes.items():
            axis.set_name(self._labels[side], self.theme, self.lettering())

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        self.setBackground(theme.color("window"))
        for side, axis in self.axes.items():
            axis.set_look(theme, self.lettering())
            axis.set_name(self._labels[side], theme, self.lettering())
        self.axes["left"].setGrid(255)
        item: Any = self.plotItem  # pyqtgraph says that its layout is a method
        item.layout.setContentsMargins(0, round(6 * self._factor), round(22 * self._factor), 0)

    def columns(self) -> int:
        """Return how many pixels the plot is wide."""
        return max(50, int(self.box.width()))


def line_pen(theme: Theme, role: str, width: float = LINE) -> pg.QtGui.QPen:
    """Return the pen of a line in a role's colour."""
    return pg.mkPen(theme.color(role), width=width)


def pale_pen(theme: Theme, role: str, amount: float = 0.45, width: float = 1.0) -> pg.QtGui.QPen:
    """Return the pen of a line that stands back."""
    return pg.mkPen(blend(getattr(theme, role), theme.window, amount), width=width)
