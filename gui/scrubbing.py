"""Numbers that the mouse or the arrow keys change by notches, each about a hundredth of the number."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

__all__ = ["Grip", "neat", "notch", "pace_of"]

PIXELS = 3
"""Of a drag, for one notch."""


def notch(value: float, fine: bool = False, coarse: bool = False) -> float:
    """Return by how much one notch changes a number: about a hundredth of its size.

    Examples
    --------
    >>> notch(3.7), notch(-0.25), notch(0.0), notch(3.7, fine=True), notch(3.7, coarse=True)
    (0.01, 0.001, 0.01, 0.001, 0.1)
    """
    power = math.floor(math.log10(abs(value))) - 2 if value else -2
    return 10.0 ** (min(max(power, -300), 290) - fine + coarse)


def neat(x: float) -> float:
    """Return a number without the last digits, which stepping leaves behind."""
    return float(f"{x:.12g}") + 0.0


def pace_of(modifiers: Qt.KeyboardModifier) -> tuple[bool, bool]:
    """Say whether notches are finer (Shift), and whether they are coarser (Ctrl)."""
    return (
        bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        bool(modifiers & Qt.KeyboardModifier.ControlModifier),
    )


class Grip:
    """A number that the mouse holds.

    Parameters
    ----------
    x
        Where the mouse was pressed, in pixels.
    value
        The number then.
    """

    def __init__(self, x: float, value: float) -> None:
        self._x = x
        self._start = self._value = self._reached = value
        self._pace: tuple[bool, bool] = (False, False)
        self.is_moving = False

    def drag(self, event: QMouseEvent) -> float | None:
        """Return the number that a move of the mouse leads to, None where it stays what it is."""
        x = event.position().x()
        if not self.is_moving:
            if abs(x - self._x) < QApplication.startDragDistance():
                return None
            self.is_moving, self._x = True, x
        pace = pace_of(event.modifiers())
        if pace != self._pace:  # another pace goes on from the number that is reached
            self._value, self._x, self._pace = self._reached, x, pace
        reached = neat(self._value + round((x - self._x) / PIXELS) * notch(self._start, *pace))
        if reached == self._reached:
            return None
        self._reached = reached
        return reached
