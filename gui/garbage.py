"""Python's garbage, collected in the window's thread alone, and never for longer than a frame.

What refers to itself in a circle, as widgets and their slots do, is freed by Python's collector. Left to
itself, it runs in whichever thread makes something, and frees a widget there while the window uses what is in
it. And it goes through everything that lives: a tenth of a second. So from the first thread on, young objects
are looked at by a timer of the window; those that have lived through it are set aside, and all are looked at
only when nothing has happened for a while.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer

__all__ = ["Collector", "collect_here", "soon"]

OFTEN = 100  # ms between two looks
YOUNG = 2000  # objects more than there were, from which on the young ones are looked at
GENERATIONS = 10  # times that young ones are looked at before older ones are
IDLE = 100  # looks without anything to do before everything is looked at
WORTH = 20  # times that older ones are set aside before everything is looked at: it takes a tenth of a second


def soon(owner: QObject, do: Callable[[], object]) -> None:
    """Do something when the events at hand have been dealt with, unless its owner has gone by then.

    ``QTimer.singleShot`` keeps what it was to call, and all that this holds, where the owner goes first.
    """
    timer = QTimer(owner, singleShot=True)
    timer.timeout.connect(do)
    timer.timeout.connect(timer.deleteLater)
    timer.start(0)


class Collector(QObject):
    """Frees what is garbage, whenever :meth:`look` is called."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._quiet = 0
        self._set_aside = 0

    def look(self) -> None:
        """Look at the objects that are due."""
        young, middle, old = gc.get_count()
        if young < YOUNG:
            self._quiet += 1
            if self._quiet >= IDLE and self._set_aside >= WORTH:
                self.look_at_all()
            return
        self._quiet = 0
        if old >= GENERATIONS:
            gc.collect(2)
            gc.freeze()
            self._set_aside += 1
        else:
            gc.collect(1 if middle >= GENERATIONS else 0)

    def look_at_all(self) -> None:
        """Look at everything, also at what was set aside."""
        self._set_aside = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def collect_here(app: QCoreApplication) -> None:
    """Collect in the thread of the caller, which is the application's."""
    gc.disable()
    collector = Collector(app)
    timer = QTimer(collector)
    timer.timeout.connect(collector.look)
    timer.start(OFTEN)
