"""The process that paints what is exported, from the window's side: what it is sent, and what comes back.

The window never paints a file itself. It takes a :class:`Standing`, which nothing that happens later changes,
and a thread asks the process for pictures of it. That process is the application's only one of its kind; it
begins when it is first asked, and one who no longer wants an answer ends it.
"""

from __future__ import annotations

import atexit
import pickle
import shutil
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeAlias

from engine.errors import UsageError
from engine.graph import Detail
from graphs.definition import Network
from graphs.exporting import Look
from gui.keeping import Place
from gui.lessons import HeldLesson
from gui.moments import Moment
from gui.processes import sentence_of, served
from gui.session import Session

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = [
    "Answer",
    "Encoded",
    "Encoding",
    "End",
    "Failed",
    "Order",
    "Painter",
    "Painting",
    "Progress",
    "Shown",
    "Standing",
    "WindowLook",
    "painter",
]


# --- what the process is sent ------------------------------------------------------------------------------


@dataclass(frozen=True)
class WindowLook:
    """How a window stands, for its own picture.

    Attributes
    ----------
    size
        Width and height in logical pixels.
    view
        Its docks and what is chosen in them, as a session's file keeps it.
    settings
        What was set, by key.
    lesson
        The lesson that is held in it, None for none.
    """

    size: tuple[int, int]
    view: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    lesson: HeldLesson | None = None


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a session stands and how it is looked at: all that a picture of it shows.

    Attributes
    ----------
    place
        Its own detail, and what is selected.
    detail
        The one that is to be shown.
    hidden, marked
        What is to be found out first, and what a lesson points at.
    window
        How the window stands, None where it is not to be seen.
    """

    moment: Moment
    place: Place
    detail: Detail
    hidden: frozenset[str] = frozenset()
    marked: tuple[str, ...] = ()
    window: WindowLook | None = None

    @classmethod
    def of(cls, session: Session, detail: Detail | None = None, window: WindowLook | None = None) -> Standing:
        """Return where a session stands now."""
        moment = session.moment().detached()
        place = Place(session.detail, session.selection, session.frame.entry)
        return cls(moment, place, detail or session.detail, session.hidden, session.marked, window)

    def session(self) -> Session:
        """Return a session that stands there."""
        own = Session.at_moment(self.moment, self.place.detail, self.place.selection, self.place.entry)
        own.set_hidden(self.hidden)
        own.set_marked(self.marked)
        if self.detail != own.detail:
            own.set_detail(self.detail)
        return own


class _Pickler(pickle.Pickler):
    """Sends networks whole: what their files are written from goes into exports that open again."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, Network):
            return NotImplemented
        return _network, ({f.name: getattr(obj, f.name) for f in fields(obj)},)


def _network(kept: Mapping[str, Any]) -> Network:
    return Network(**kept)


def pickled(standing: Standing) -> bytes:
    """Return a standing as it is sent."""
    file = BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(standing)
    return file.getvalue()


@dataclass(frozen=True)
class Encoding:
    """A file that is wanted: the name of its format, and the places that it shows."""

    kind: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Painting:
    """A picture for the screen that is wanted: of which place, in how many pixels at most."""

    position: int
    width: int
    height: int
    ratio: float = 1.0


Work: TypeAlias = Encoding | Painting


@dataclass(frozen=True)
class Order:
    """What is wanted of a standing.

    Attributes
    ----------
    work
        One after the other; pictures of all of them have one size.
    """

    look: Look
    work: tuple[Work, ...]


# --- what comes back ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """So many pictures of the file in work are done."""

    done: int


@dataclass(frozen=True)
class Encoded:
    """The bytes of a file."""

    data: bytes


@dataclass(frozen=True)
class Shown:
    """A picture for the screen: rows of premultiplied ARGB, four bytes a pixel."""

    data: bytes
    width: int
    height: int
    title: str
    is_transparent: bool


@dataclass(frozen=True)
class Failed:
    """Why nothing more comes, in one sentence."""

    sentence: str


@dataclass(frozen=True)
class End:
    """Everything that was wanted has come, or has failed."""


Answer: TypeAlias = Progress | Encoded | Shown
Message: TypeAlias = Answer | Failed | End


# --- the process -------------------------------------------------------------------------------------------


class _Process:
    """A process that paints, with a folder of its own for what is made on the way."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="backstep-"))
        self._process, self._orders, self._messages = served(
            "gui.painting_process", "backstep-painting", str(self._folder)
        )

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    @property
    def connections(self) -> tuple[Connection, Connection]:
        """Where orders go, and where messages come from."""
        return self._orders, self._messages

    def end(self) -> None:
        """End the process, whatever it does, and take away what it has made on the way."""
        self._process.kill()
        self._process.join()
        shutil.rmtree(self._folder, ignore_errors=True)


class Painter:
    """Has pictures painted in a process; asked from threads, one at a time."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._is_closed = False
        self._turn = threading.Lock()
        self._change = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The number of the process, None where there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, standing: Standing, order: Order) -> Generator[Answer, None, None]:
        """Yield what comes of an order; waits, so it is for a thread.

        Who leaves it early waits until the rest has been painted, unless :meth:`end` is called.

        Raises
        ------
        UsageError
            Where something cannot be painted, and where the process cannot be had.
        """
        with self._turn:
            orders, messages = self._connections()
            try:
                orders.send((pickled(standing), order))
                yield from self._answers(messages)
            except (EOFError, OSError):
                self.end()
                raise UsageError(
                    "the process that paints has ended unexpectedly.",
                    how="Export again, fewer steps at a time.",
                ) from None

    def _answers(self, messages: Connection) -> Iterator[Answer]:
        has_ended = False
        try:
            while True:
                match pickle.loads(messages.recv_bytes()):
                    case End():
                        has_ended = True
                        return
                    case Failed(sentence):
                        has_ended = isinstance(pickle.loads(messages.recv_bytes()), End)
                        raise UsageError(sentence)
                    case answer:
                        yield answer
        finally:
            while not has_ended:
                has_ended = _is_end(messages)

    def _connections(self) -> tuple[Connection, Connection]:
        with self._change:
            if self._is_closed:
                raise UsageError("nothing is painted any more: the application ends.")
            try:
                self._process = self._process or _Process()
            except Exception as error:  # whatever forbids it
                sentence = f"pictures cannot be painted: {sentence_of(error)}"
                raise UsageError(sentence) from None
            return self._process.connections

    def end(self) -> None:
        """End the process, if there is one; who still waits for an answer of it waits no longer."""
        with self._change:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def close(self) -> None:
        """End the process, and begin no other: also a thread that waits for its turn gets none."""
        with self._change:
            self._is_closed = True
        self.end()


def _is_end(messages: Connection) -> bool:
    """Take a message that nobody waits for; say whether it is the last one."""
    try:
        return isinstance(pickle.loads(messages.recv_bytes()), End)
    except (EOFError, OSError):
        return True


@cache
def painter() -> Painter:
    """Return the application's painter; its process ends with the application."""
    made = Painter()
    atexit.register(made.close)
    return made
