"""Problems that misbehave, for what trains in another process: it imports this module, so no Qt here."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from graphs.network import Model


class Wrapped:
    """The model that it stands for, but for what :meth:`happen` does before an iteration."""

    def __init__(self, model: Model, at: int) -> None:
        self._model = model
        self._at = at

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._model, name)

    def indices(self, iteration: int, batch_size: int | None) -> Any:
        if iteration >= self._at:
            self.happen()
        return self._model.indices(iteration, batch_size)

    def happen(self) -> None:
        raise NotImplementedError


class Failing(Wrapped):
    """Fails as the system would."""

    def happen(self) -> None:
        raise OSError("the disk is gone")


class Greedy(Wrapped):
    """Wants more memory than there is."""

    def happen(self) -> None:
        raise MemoryError


class Stuck(Wrapped):
    """Has an iteration without an end; a file says that it has begun."""

    def __init__(self, model: Model, at: int, sign: Path) -> None:
        super().__init__(model, at)
        self._sign = sign

    def happen(self) -> None:
        self._sign.touch()
        threading.Event().wait()


class Deadly(Wrapped):
    """Ends the process that trains it."""

    def happen(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Unreadable(Wrapped):
    """Can be sent, but not be received."""

    def __setstate__(self, _: Any) -> None:
        raise ValueError("nobody can read this")


# --- for the pool of processes -----------------------------------------------------------------------------


def call_of_a_worker() -> tuple[str | None, int, bool, int]:
    """Return what a worker knows of itself: BLAS threads, priority, whether Qt is there, its number."""
    nice = os.nice(0) if hasattr(os, "nice") else 0
    return os.environ.get("OPENBLAS_NUM_THREADS"), nice, "PySide6" in sys.modules, os.getpid()


def wait_forever() -> None:
    """Return when all else has ended."""
    threading.Event().wait()
