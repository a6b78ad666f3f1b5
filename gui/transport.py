"""The transport bar: buttons, one line of time coloured by phase, and where on it we stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import groupby

from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QEnterEvent,
    QIcon,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from graphs.views.numbers import TIMES, format_number
from gui.icons import paint_icon
from gui.theme import Theme, application_font, blend, strong

Run = tuple[str, int, int]
"""A phase with its first step and the one after its last."""

FUTURE = 0.36
"""How much of its colour the line keeps where we have not been yet."""
TICK_APART = 6.0
"""Ticks stand at least this many pixels apart; steps between go without."""


class Scrubber(QSlider):
    """One line of time: its segments are phases, the handle stands after the step taken last.

    A position is the number of steps taken: 0 before the first one, `len(phases)` after the last.
    Click or drag to go there, the wheel goes step by step, hovering tells what is there. It is a slider to
    screen readers too.

    Signals
    -------
    moved(int)
        The user asks for this position; never sent by `set_position`.
    """

    moved = Signal(int)

    LINE = 8.0
    HANDLE = 8.5
    MARGIN = 12.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._runs: list[Run] = []
        self._preview: Callable[[int], str] = self._plain_preview
        self._hovered: int | None = None
        self.setAccessibleName("time line")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setRange(0, 0)
        self.actionTriggered.connect(lambda _: self.moved.emit(self.sliderPosition()))

    def set_timeline(self, phases: Sequence[str]) -> None:
        """Show steps of these phases, in their order."""
        self._runs, start = [], 0
        for phase, steps in groupby(phases):
            end = start + sum(1 for _ in steps)
            self._runs.append((phase, start, end))
            start = end
        self.setRange(0, start)
        self.setPageStep(max(1, start // 10))
        self.update()

    def set_position(self, position: int) -> None:
        """Stand after `position` steps, without a signal."""
        self.setValue(position)
        self.setAccessibleDescription(self._plain_preview(position))

    def set_preview(self, preview: Callable[[int], str]) -> None:
        """Let `preview` say in a sentence what is at a position, for the tooltip."""
        self._preview = preview

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def phase_at(self, position: int) -> str:
        """Return the phase of the step taken last, empty before the first."""
        index = bisect_right(self._runs, position - 1, key=lambda run: run[1]) - 1
        return self._runs[index][0] if position > 0 and self._runs else ""

    def x_of(self, position: float) -> float:
        """Return where a position lies, in pixels from the left."""
        return self.MARGIN + self._room * position / max(1, self.maximum())

    def position_at(self, x: float) -> int:
        """Return the position nearest to `x`."""
        share = (x - self.MARGIN) / self._room
        return round(min(1.0, max(0.0, share)) * self.maximum())

    def tick_distance(self) -> int:
        """Return how many steps there are from one tick to the next: 1, 2, 5, 10, 20, ..."""
        apart = self._room / max(1, self.maximum())
        round_numbers = (digit * 10**power for power in range(10) for digit in (1, 2, 5))
        return next((d for d in round_numbers if apart * d >= TICK_APART), 10**10)

    @property
    def _room(self) -> float:
        """The length of the line, in pixels; a window that is squeezed can leave none."""
        return max(1.0, self.width() - 2 * self.MARGIN)

    def _plain_preview(self, position: int) -> str:
        if position == 0:
            return "before the first step"
        return f"step {position} of {self.maximum()} · {self.phase_at(position)}"

    def _go(self, x: float) -> None:
        position = self.position_at(x)
        if position != self.value():
            self.set_position(position)
            self.moved.emit(position)

    def _line_y(self) -> float:
        return 14.0

    def _paint_segments(self, painter: QPainter) -> None:
        now, gap = self.x_of(self.value()), 1.5
        for phase, start, end in self._runs:
            left = self.x_of(start) + (gap if start else 0)
            right = self.x_of(end) - (gap if end < self.maximum() else 0)
            color = self._theme.phase_color(phase)
            pale = blend(color.name(), self._theme.window, FUTURE)
            self._paint_line(painter, left, right, pale)
            if now > left:
                self._paint_line(painter, left, min(now, right), color)

    def _paint_line(self, painter: QPainter, left: float, right: float, color: QColor) -> None:
        rect = QRectF(left, self._line_y() - self.LINE / 2, max(right - left, 0.8), self.LINE)
        radius = min(self.LINE, rect.width()) / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(rect, radius, radius)

    def _paint_ticks(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._theme.color("seed"), 1))
        top = self._line_y() + self.LINE / 2 + 2.5
        distance = self.tick_distance()
        xs = (round(self.x_of(i)) + 0.5 for i in range(0, self.maximum() + 1, distance))
        painter.drawLines([QLineF(x, top, x, top + 3) for x in xs])

    def _paint_labels(self, painter: QPainter) -> None:
        painter.setFont(application_font("small"))
        metrics = painter.fontMetrics()
        top = self._line_y() + self.LINE / 2 + 6
        current = self.phase_at(self.value())
        for phase, start, end in self._runs:
            rect = QRectF(self.x_of(start), top, self.x_of(end) - self.x_of(start), metrics.height() + 1)
            if metrics.horizontalAdvance(phase) + 6 <= rect.width():
                painter.setPen(self._theme.color("text" if phase == current else "muted"))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, phase)

    def _paint_handle(self, painter: QPainter) -> None:
        center = QPointF(self.x_of(self.value()), self._line_y())
        phase = self.phase_at(self.value()) or (self._runs[0][0] if self._runs else "seed")
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(center, self.HANDLE + 3, self.HANDLE + 3)
        painter.setPen(QPen(self._theme.phase_color(phase), 3))
        painter.setBrush(self._theme.color("card"))
        radius = self.HANDLE + (0.8 if self.isSliderDown() or self._hovered == self.value() else 0)
        painter.drawEllipse(center, radius, radius)

    def _paint_hovered(self, painter: QPainter) -> None:
        if self._hovered is None or self._hovered == self.value():
            return
        x = self.x_of(self._hovered)
        painter.setPen(QPen(self._theme.color("text"), 1.5))
        painter.drawLine(QPointF(x, self._line_y() - 8), QPointF(x, self._line_y() + 8))

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(420, 42)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 42)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._runs:
            self._paint_segments(painter)
            self._paint_ticks(painter)
            self._paint_labels(painter)
            self._paint_hovered(painter)
            self._paint_handle(painter)
        else:
            self._paint_line(painter, self.x_of(0), self.width() - self.MARGIN, self._theme.color("control"))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = self.position_at(event.position().x())
        if self.isSliderDown():
            self._go(event.position().x())
        if position != self._hovered and self._runs:
            self._hovered = position
            below = QPoint(round(self.x_of(position)) - 20, self.height() - 8)
            QToolTip.showText(self.mapToGlobal(below), self._preview(position), self)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() or event.angleDelta().x()
        position = min(self.maximum(), max(0, self.value() - (steps > 0) + (steps < 0)))
        if position != self.value():
            self.set_position(position)
            self.moved.emit(position)
        event.accept()


class TransportButton(QToolButton):
    """A button with one of our icons, whatever icon its action has; it follows the theme and the scale."""

    def __init__(self, theme: Theme, name: str, accent: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._accent = accent
        self.setProperty("accent", accent)
        self.setFixedSize(34, 34)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    @property
    def icon_name(self) -> str:
        """The icon's name."""
        return self._name

    def set_icon_name(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.icon, option.text = QIcon(), ""  # type: ignore[attr-defined]
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        role = "on_accent" if self._accent else "text"
        color = self._theme.color(role if self.isEnabled() else "disabled")
        paint_icon(painter, QRectF(self.rect()).adjusted(6, 6, -6, -6), self._name, color)
        painter.end()


class TransportBar(QFrame):
    """Buttons, time line and two lines of words saying the same.

    Signals
    -------
    moved(int)
        The user asks for this position on the time line.
    """

    moved = Signal(int)

    BUTTONS = ("first", "back", "play", "forward", "last")
    ENDS_FROM = 340
    WORDS_FROM = 600
    """Narrower than this, the words make room for the time line; its tooltip says the same."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("bar", "transport")
        self.buttons = {name: TransportButton(theme, name, accent=name == "play") for name in self.BUTTONS}
        self.scrubber = Scrubber(theme)
        self.scrubber.moved.connect(self.moved)
        self._words = QWidget()
        self._step, self._iteration = QLabel(), QLabel()
        self._arrange()
        self._state: tuple[int, int, float, bool] = (0, 0, 1.0, False)
        self._tell()

    def set_actions(
        self, first: QAction, back: QAction, play: QAction, forward: QAction, last: QAction
    ) -> None:
        """Let the buttons trigger these actions."""
        for button, action in zip(self.buttons.values(), (first, back, play, forward, last), strict=True):
            button.setDefaultAction(action)
            button.setAccessibleName(action.text().replace("&", ""))

    def set_timeline(self, phases: Sequence[str]) -> None:
        """Show steps of these phases, in their order."""
        self.scrubber.set_timeline(phases)
        self._tell()

    def set_position(
        self, position: int, iteration: int, iterations: int, speed: float = 1.0, playing: bool = False
    ) -> None:
        """Show where we stand: after `position` steps of `iteration`, and how fast we move.

        Parameters
        ----------
        iterations : int
            How many there are so far; with 0 the line about them says only the speed.
        """
        self._state = (iteration, iterations, speed, playing)
        self.scrubber.set_position(position)
        self.buttons["play"].set_icon_name("pause" if playing else "play")
        self._tell()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        for part in (*self.buttons.values(), self.scrubber):
            part.set_theme(theme)
        self._tell()

    def text(self) -> tuple[str, str]:
        """Return the two lines of words, without their mark-up."""
        iteration, iterations, speed, playing = self._state
        position = self.scrubber.value()
        phase = self.scrubber.phase_at(position) or "start"
        counted = f"iteration {iteration} of {iterations} · " if iterations else ""
        pace = f"speed {format_number(speed)}{TIMES}"
        step = f"step {position} of {self.scrubber.maximum()} · {phase}"
        return step, counted + (f"playing, {pace}" if playing else pace)

    def _arrange(self) -> None:
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(1)
        self._iteration.setFont(application_font("small"))
        self._iteration.setProperty("role", "muted")
        words.addWidget(self._step)
        words.addWidget(self._iteration)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 14, 7)
        row.setSpacing(7)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(self.scrubber, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(2)
        row.addWidget(self._words, 0, Qt.AlignmentFlag.AlignVCenter)

    def _tell(self) -> None:
        step, iteration = self.text()
        number, rest = step.removeprefix("step ").split(" ", 1)
        count, phase = rest.split(" · ")
        color = self._theme.phase_text_color(self.scrubber.phase_at(self.scrubber.value())).name()
        self._step.setText(f"step {strong(number)} {count} · {strong(phase, color)}")
        self._iteration.setText(iteration)
        self._words.setMinimumWidth(max(self._words.minimumWidth(), self._room_for_words()))

    def _room_for_words(self) -> int:
        """Return a width at which the line does not move as the numbers grow."""
        total = self.scrubber.maximum()
        widest = f"step {total} of {total} · backward"
        strong = self._step.fontMetrics().horizontalAdvance(widest) * 1.06
        small = self._iteration.fontMetrics().horizontalAdvance(self._iteration.text())
        return int(max(strong, small)) + 2

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._words.setVisible(self.width() >= self.WORDS_FROM)
        for name in ("first", "last"):  # Home and End remain
            self.buttons[name].setVisible(self.width() >= self.ENDS_FROM)

    def minimumSizeHint(self) -> QSize:
        return QSize(250, 58)
