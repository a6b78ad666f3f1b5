"""Files written while the window goes on: pictures a slice at a time, documents in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import BackstepError
from graphs.documents import Options
from graphs.documents import formats as documents
from graphs.exporting import Job
from graphs.files import write_whole
from graphs.snapshot import Snapshot
from gui.jobs import Task
from gui.pictures import Encoding, Picture
from gui.pictures import formats as pictures

__all__ = ["Exporter"]

Paintable: TypeAlias = Mapping[int, Picture]
"""The picture of each place."""


class Exporter(QObject):
    """Writes one list of files, each whole or not at all.

    Pictures are painted here, in the window's thread, one each time the window has nothing else to do. What
    has been written when it is cancelled stays; the file being written does not.

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
        self._jobs = list(jobs)
        self._total = sum(1 if not job.kind.is_picture else len(job.positions) for job in jobs)
        self._done = 0
        self._written: list[Path] = []
        self._paints: Callable[[], Paintable] | None = None
        self._pictures: Paintable = {}
        self._encoding: Encoding | None = None
        self._within = 0
        self._task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    @property
    def running(self) -> bool:
        """Whether something is still to be written."""
        return self._timer.isActive() or (self._task is not None and self._task.running)

    def start(self, snapshot: Snapshot, options: Options, paints: Callable[[], Paintable]) -> None:
        """Begin.

        Parameters
        ----------
        snapshot
            What documents are written of, at the place of each.
        options
            What is chosen about documents.
        paints
            Returns the picture of every place; called once where there are pictures.
        """
        texts = [job for job in self._jobs if not job.kind.is_picture]
        self._jobs = [job for job in self._jobs if job.kind.is_picture]
        self._paints = paints
        if not texts:
            self._timer.start()
            return
        self._task = Task(lambda: _write_documents(texts, snapshot, options), self)
        self._task.came.connect(self._wrote)
        self._task.failed.connect(self.failed)
        self._task.ended.connect(self._timer.start)
        self._task.start()

    def cancel(self) -> None:
        """Write nothing more; nothing is told any more."""
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
        if self._encoding is not None:
            self._encoding.close()
            self._encoding = None

    def _wrote(self, path: Path) -> None:
        self._written.append(path)
        self._done += 1
        self.progressed.emit(self._done, self._total)

    def _turn(self) -> None:
        """Paint one picture, or go on to the next file."""
        try:
            if self._encoding is None:
                self._begin_next()
            else:
                self._within = next(self._encoding)
                self.progressed.emit(self._done + self._within, self._total)
        except StopIteration as end:
            self._end_file(end.value)
        except BackstepError as error:
            self.cancel()
            self.failed.emit(str(error))

    def _begin_next(self) -> None:
        if not self._jobs:
            self._timer.stop()
            self.finished.emit(self._written)
            return
        if self._paints is not None:
            self._pictures, self._paints = self._paints(), None
        job = self._jobs[0]
        self._encoding = pictures()[job.kind.name].encode([self._pictures[p] for p in job.positions])

    def _end_file(self, data: bytes) -> None:
        job = self._jobs.pop(0)
        self._encoding = None
        try:
            write_whole(job.path, data)
        except BackstepError as error:
            self.cancel()
            self.failed.emit(str(error))
            return
        self._written.append(job.path)
        self._done += len(job.positions)
        self.progressed.emit(self._done, self._total)


def _write_documents(jobs: Sequence[Job], snapshot: Snapshot, options: Options) -> Iterator[Path]:
    for job in jobs:
        text = documents()[job.kind.name].write(snapshot.at(job.positions[0]), options)
        write_whole(job.path, text.encode())
        yield job.path
