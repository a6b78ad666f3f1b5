"""Documents made ready beside the window: bound, their first iteration traced, their first frame made.

A network of a few lines is ready before anybody notices. One of thousands of lines, or with a million
numbers, takes seconds; until it is there the window goes on with what it has, and nothing of the new one is
on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import BackstepError
from engine.faults import run_of
from engine.trace import Trace
from engine.training import Run
from graphs.definition import Array
from graphs.network import FileData, Model, Network, data_path
from graphs.snapshot import Snapshot
from gui.jobs import LatestTask
from gui.lab import Document
from gui.notify import Message, Notifier
from gui.timeline import Ready
from gui.viewdata import Frame, Statics

__all__ = [
    "SHORT",
    "Preparation",
    "Prepared",
    "Preparing",
    "PreparingNotice",
    "View",
    "has_many_numbers",
    "is_large",
    "retraced",
]

SHORT = 2000
"""Characters of a formula up to which a document is made ready at once."""
MOST_NUMBERS = 100_000
"""Numbers of data and parameters up to which it is."""
BYTES_A_NUMBER = 4
"""About what a number takes in a table's file."""
PATIENCE = 300
"""Milliseconds that something is being prepared before that is said."""


class Prepared(NamedTuple):
    """A document with all that is worked out of it before any of it can be shown; its run is a new one."""

    document: Document
    model: Model
    ready: Ready


T = TypeVar("T")
View = Callable[[Frame], Iterator[object]]
"""Works out what a view will ask of a frame, and keeps it there; between two values it can be cancelled."""


@dataclass(frozen=True)
class Preparation:
    """What has to be known to make a document ready.

    Attributes
    ----------
    bind
        Binds its network.
    shown
        The frame in sight: its place is kept where the new graph has the same nodes and edges.

    Raises
    ------
    BackstepError
        By :meth:`work`, where data cannot be read or a shape does not fit.
    """

    document: Document
    bind: Callable[[], Model]
    shown: Frame

    def work(self, views: Sequence[View]) -> Iterator[Prepared | None]:
        """Yield nothing wherever this may end early, and the document made ready at last."""
        document = self.document
        model = self.bind()
        yield None
        run = run_of(model, document.recipe, document.fault)
        yield None
        graph, _ = model.batch(model.indices(0, document.batch_size))
        snapshot = Snapshot.of(run, model, detail=self.shown.statics.detail, overrides=document.overrides)
        yield None
        position = self.shown.position if self.shown.statics.is_of(graph) else 0
        frame = Frame.of(snapshot.at(min(position, snapshot.position)))
        yield None
        for view in views:
            for _ in view(frame):
                yield None
        yield Prepared(document, model, Ready(run, 0, snapshot.trace, frame.statics))


def retraced(
    run: Run, iteration: int, tracing: Callable[[], Trace], statics: Statics | None = None
) -> Iterator[Ready | None]:
    """Yield the steps of an iteration of a run.

    Parameters
    ----------
    tracing
        Works them out.
    statics
        What is the same at all steps of the graph that was there, which may be another one.
    """
    trace = tracing()
    yield None
    if statics is None or statics.graph is not trace.graph:
        statics = Statics(trace.graph, trace.detail, run.derivation)
    yield Ready(run, iteration, trace, statics)


def is_large(document: Document, model: Model | None = None) -> bool:
    """Say whether making a document ready may take longer than a frame; `model` is it bound, where it is."""
    network = document.network
    return len(network.formula) > SHORT or has_many_numbers(network, model)


def has_many_numbers(network: Network, model: Model | None = None) -> bool:
    """Say whether a network has so many numbers that reading them may take longer than a frame."""
    return _numbers(network, model) > MOST_NUMBERS


def _numbers(network: Network, model: Model | None) -> int:
    if model is not None:
        return sum(leaf.size for leaf in model.leaves.values())
    data = network.data
    literal = data.own if isinstance(data, FileData) else data
    given = sum(v.size for v in (*literal.values(), *network.parameters.values()) if isinstance(v, Array))
    return given + (_bytes(network, data) // BYTES_A_NUMBER if isinstance(data, FileData) else 0)


def _bytes(network: Network, data: FileData) -> int:
    """Return how long the table of a network is, 0 where it cannot be found: binding says why."""
    attached = network.attached.get(data.file)
    if attached is not None:
        return len(attached)
    try:
        return data_path(network, data.file).stat().st_size
    except (BackstepError, OSError):
        return 0


class Preparing(QObject):
    """What is being prepared, one document at a time.

    Attributes
    ----------
    views
        What is worked out of each document besides, in the thread.

    Signals
    -------
    changed()
        Something has been begun, or nothing is being prepared any more: it has been taken, or let be.
    failed(str)
        It could not be done, in one sentence.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.views: list[View] = []
        self._task = LatestTask(self)
        self._what = ""

    @property
    def what(self) -> str:
        """The name of the change that is being prepared, "" where none is."""
        return self._what

    def begin(
        self,
        what: str,
        work: Callable[[Sequence[View]], Iterator[T | None]],
        take: Callable[[T], object],
    ) -> None:
        """Prepare something in the place of what was; `take` gets it in the window's thread."""
        views = tuple(self.views)
        self._task.run(lambda: work(views), lambda found: self._end(found, take), self._fail)
        self._what = what
        self.changed.emit()

    def finish(self) -> None:
        """Have it now, however long it takes."""
        self._task.finish()

    def cancel(self) -> None:
        """Let it be."""
        if self._what:
            self._drop()
            self.changed.emit()

    def _end(self, found: Any, take: Callable[[Any], object]) -> None:
        if found is not None:
            self._drop()
            take(found)
            self.changed.emit()

    def _fail(self, sentence: str) -> None:
        self._drop()
        self.failed.emit(sentence)
        self.changed.emit()

    def _drop(self) -> None:
        self._what = ""
        self._task.cancel()


class PreparingNotice(QObject):
    """Says that something is being prepared, where it takes long, and lets it be cancelled."""

    def __init__(self, preparing: Preparing, notifier: Notifier) -> None:
        super().__init__(preparing)
        self._preparing = preparing
        self._notifier = notifier
        self._message: Message | None = None
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(self._say)
        preparing.changed.connect(self._follow)

    def _follow(self) -> None:
        if self._message is not None:
            self._notifier.withdraw(self._message)
            self._message = None
        if self._preparing.what:
            self._patience.start()
        else:
            self._patience.stop()

    def _say(self) -> None:
        text = (
            f"{self._preparing.what}: this takes a moment. Until then the graph shows what was there before."
        )
        cancel = ("&Cancel", self._preparing.cancel)
        self._message = self._notifier.ask(text, cancel, stays=True, level="info")
