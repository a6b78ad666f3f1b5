"""Playing: a step is due again and again, at one of several speeds."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

__all__ = ["SPEEDS", "Player"]

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Steps a second."""


class Player(QObject):
    """Says when the next step is due."""

    due = Signal()
    changed = Signal()  # begun, stopped, faster or slower

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._speed = 1.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.due)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def speed(self) -> float:
        """Steps a second."""
        return self._speed

    def start(self) -> None:
        """Play."""
        self._timer.start(int(1000 / self._speed))
        self.changed.emit()

    def stop(self) -> None:
        """Stop playing."""
        if self.playing:
            self._timer.stop()
            self.changed.emit()

    def faster(self, direction: int) -> None:
        """Play faster or slower, one notch."""
        place = SPEEDS.index(self._speed) + direction
        self._speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]
        if self.playing:
            self._timer.start(int(1000 / self._speed))
        self.changed.emit()
