"""Commands that take a while: who does the work, and how a person sees that it goes on."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from engine.errors import UsageError, excerpt

__all__ = ["Progress", "executor"]

MOST_WORKERS = 64
PATIENCE = 5.0  # seconds in which a scheduler must answer
ADDRESS = re.compile(r"((tcp|tls|ws|wss)://)?([\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}")
HOW = "Start one with dask scheduler; it prints its address, such as tcp://127.0.0.1:8786."


@contextmanager
def executor(workers: int | None = None, scheduler: str | None = None, tasks: int = 1) -> Iterator[Executor]:
    """Lend an executor: a Dask cluster's, this process alone, or a process for each processor.

    Processes are started afresh and have one BLAS thread each. Ctrl+C reaches all of them; it is this
    process that ends the others, and they end with it however it ends.
    """
    if scheduler is not None:
        with _of_cluster(scheduler) as found:
            yield found
        return
    count = min(workers or os.cpu_count() or 1, max(1, tasks), MOST_WORKERS)
    pool = ThreadPoolExecutor(1) if count == 1 else _processes(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _processes(count: int) -> ProcessPoolExecutor:
    """Start processes that leave Ctrl+C to this one from their first moment: what is blocked is inherited."""
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_settle)
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return pool
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        for _ in range(count):
            pool.submit(int)  # each starts a process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)  # a Ctrl+C in between arrives now
    return pool


def _settle() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


@contextmanager
def _of_cluster(address: str) -> Iterator[Executor]:
    """Lend the executor of a Dask cluster, whose workers have Backstep installed."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "Dask is not installed.",
            how="Install it with pip install distributed, or leave out --scheduler.",
        ) from None
    if not ADDRESS.fullmatch(address):
        raise UsageError(f"{excerpt(address, 80)} is not an address.", how=HOW)
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        raise UsageError(f"no Dask scheduler answers at {excerpt(address, 80)}.", how=HOW) from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()


class Progress:
    """How far a command is, on stderr where a person watches it: nothing in a file or a pipe."""

    def __init__(self) -> None:
        self._shown = ""
        self._watched = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, share: float, text: str = "") -> None:
        """Show a share of the work, from 0 to 1, and what there is to say about it."""
        self._write(f"{int(100 * share):3d} %{', ' if text else ''}{text}")

    def _write(self, line: str) -> None:
        if self._watched and line != self._shown:
            sys.stderr.write("\r" + line.ljust(len(self._shown)) + ("" if line else "\r"))
            sys.stderr.flush()
            self._shown = line
