"""Files written while the window goes on: documents by a thread, pictures by the process that paints."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from graphs.documents import Options
from graphs.documents import formats as documents
from graphs.exporting import Job, Look
from graphs.files import write_whole
from graphs.snapshot import Snapshot
from gui.jobs import Task
from gui.painting import Encoded, Encoding, Order, Progress, Standing, painter

__all__ = ["Exporter"]

News: TypeAlias = Path | int
"""A file that has been written, or how many pictures of the next one are done."""


class Exporter(QObject):
    """Writes one list of files, each whole or not at all.

    What has been written when it is cancelled stays; the file in work does not come.

    Signals
    -------
    progressed(int, int)
        So many pictures and documents of so many are done.
    finished(list)
        Everything is written: the files.
    failed(str)
        One sentence; nothing more is written.
    """

    progressed = Signal(int, int)
    finished = Signal(list)
    failed = Signal(str)

    def __init__(self, jobs: Sequence[Job], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = sorted(jobs, key=lambda job: job.kind.is_picture)
        self._total = sum(map(_size, jobs))
        self._written: list[Path] = []
        self._cancelled = threading.Event()
        self._task: Task | None = None

    @property
    def running(self) -> bool:
        """Whether something is still to be written."""
        return self._task is not None and self._task.running

    def start(self, snapshot: Snapshot, options: Options, standing: Standing, look: Look) -> None:
        """Begin.

        Parameters
        ----------
        snapshot
            What documents are written of, at the place of each.
        options
            What is chosen about documents.
        standing
            What is painted, at the places of each picture; nothing that happens later changes it.
        look
            How pictures are to look.
        """
        texts = [job for job in self._jobs if not job.kind.is_picture]
        pictures = [job for job in self._jobs if job.kind.is_picture]
        is_wanted = self._is_wanted

        def work() -> Iterator[News]:
            yield from _documents(texts, snapshot, options, is_wanted)
            if pictures:
                yield from _pictures(pictures, standing, look, is_wanted)

        self._task = Task(work, self)
        self._task.came.connect(self._take)
        self._task.failed.connect(self.failed)
        self._task.ended.connect(lambda: self.finished.emit(self._written))
        self._task.start()

    def cancel(self) -> None:
        """Write nothing more; nothing is told any more."""
        self._cancelled.set()
        if self._task is not None and self._task.running:
            self._task.cancel()
            if any(job.kind.is_picture for job in self._jobs):
                painter().end()  # it may be in the middle of a picture

    def _is_wanted(self) -> bool:
        return not self._cancelled.is_set()

    def _take(self, news: News) -> None:
        if isinstance(news, Path):
            self._written.append(news)
        done = sum(map(_size, self._jobs[: len(self._written)])) + (news if isinstance(news, int) else 0)
        self.progressed.emit(done, self._total)


def _size(job: Job) -> int:
    """Return how much of the work a file is: a document counts as a picture."""
    return len(job.positions) if job.kind.is_picture else 1


def _documents(
    jobs: Sequence[Job], snapshot: Snapshot, options: Options, is_wanted: Callable[[], bool]
) -> Iterator[Path]:
    for job in jobs:
        text = documents()[job.kind.name].write(snapshot.at(job.positions[0]), options)
        write_whole(job.path, text.encode(), is_wanted)
        yield job.path


def _pictures(
    jobs: Sequence[Job], standing: Standing, look: Look, is_wanted: Callable[[], bool]
) -> Iterator[News]:
    order = Order(look, tuple(Encoding(job.kind.name, job.positions) for job in jobs))
    left = list(jobs)
    with closing(painter().ask(standing, order)) as answers:
        for answer in answers:
            if isinstance(answer, Progress):
                yield answer.done
            elif isinstance(answer, Encoded):
                yield _wrote(left.pop(0).path, answer.data, is_wanted)


def _wrote(path: Path, data: bytes, is_wanted: Callable[[], bool]) -> Path:
    try:
        write_whole(path, data, is_wanted)
    except BaseException:
        painter().end()  # what else has been ordered is of no use
        raise
    return path
