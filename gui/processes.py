"""Processes beside the window: how one begins.

Nothing heavy is imported here: a new process comes through this module first, and NumPy reads the number of
its threads only once, when it loads. The window imports it too, long before it needs a process: hence the
imports in functions.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from engine.errors import BackstepError, excerpt

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext, SpawnProcess

__all__ = ["begin", "context", "sentence_of", "served", "settle"]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
NICENESS = 5


def context() -> SpawnContext:
    """Return how processes are started: afresh, as Qt's threads do not survive a fork."""
    import multiprocessing

    return multiprocessing.get_context("spawn")


def served(module: str, name: str, *arguments: Any) -> tuple[SpawnProcess, Connection, Connection]:
    """Start a process that runs a module's ``serve``; return it, where orders go, where answers come from.

    ``serve`` is called with the other ends of the two connections, and `arguments`.
    """
    start = context()
    theirs, orders = start.Pipe(duplex=False)
    answers, theirs_too = start.Pipe(duplex=False)
    process = start.Process(
        target=begin, args=(module, theirs, theirs_too, *arguments), name=name, daemon=True
    )
    process.start()
    theirs.close()  # or the end of the process would not be seen
    theirs_too.close()
    return process, orders, answers


def begin(module: str, *arguments: Any) -> None:
    """Settle in as a new process, import `module` and run its ``serve``."""
    settle()
    importlib.import_module(module).serve(*arguments)


def settle() -> None:
    """Be a good neighbour of the window: one BLAS thread, a lower priority, an end when the window ends.

    Ctrl+C in a terminal reaches every process of the application; it is for the window to end the others.
    """
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the application has gone, however it went: nobody waits for this work any more."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def sentence_of(error: BaseException) -> str:
    """Return what went wrong in one sentence: an expected error's own words, else its type and text."""
    if isinstance(error, BackstepError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; choose smaller shapes or less data."
    text = excerpt(error, 200)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
