"""The process that paints: sessions as they stood, laid out and painted, with no window that anybody sees.

It takes an order at a time, sends what comes of it, and goes on where one fails. What it makes on the way
stands in a folder that the window takes away with it.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEventLoop, QSize

from graphs.exporting import Look
from gui.app import application
from gui.export import pictures_of
from gui.garbage import Collector
from gui.lessons import HeldLesson
from gui.offscreen import fitting, quietly, unseen_window
from gui.painting import (
    Answer,
    Encoded,
    Encoding,
    End,
    Failed,
    Message,
    Order,
    Painting,
    Progress,
    Shown,
    Standing,
    Work,
)
from gui.pictures import Picture, formats
from gui.processes import sentence_of
from gui.raster import painted
from gui.session import Session
from gui.theme import THEMES
from gui.window import Window

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["serve"]

LARGEST = 2.0
"""Pixels of a picture for the screen for each of its own, at most."""


def serve(orders: Connection, messages: Connection, folder: str) -> None:
    """Paint what comes until the other side is gone."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    tempfile.tempdir = folder
    with quietly():
        easel, collector = _Easel(), Collector()
        while True:
            try:
                standing, order = orders.recv()
            except (EOFError, OSError):
                return
            _send(messages, easel.answers(standing, order), collector)


def _send(messages: Connection, answers: Iterator[Answer], collector: Collector) -> None:
    def send(message: Message) -> None:
        messages.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))

    try:
        for answer in answers:
            send(answer)
            collector.look()  # no timer does
    except Exception as error:  # said by the window, whatever it is
        send(Failed(sentence_of(error)))
    send(End())


class _Easel:
    """What has been put up to be painted: the last standing, until another one comes."""

    def __init__(self) -> None:
        self._known: bytes | None = None
        self._standing: Standing | None = None
        self._session: Session | None = None
        self._window: Window | None = None

    def answers(self, standing: bytes, order: Order) -> Iterator[Answer]:
        """Yield what comes of an order; the standing, pickled, is put up unless it is the last one."""
        application(THEMES[order.look.theme])
        if self._session is None or standing != self._known:
            self._take_down()
            found: Standing = pickle.loads(standing)
            self._standing, self._session, self._known = found, found.session(), standing
        yield from _worked(order, self._pictures(self._session, order))

    def _take_down(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
        if self._session is not None:
            self._session.close()
        self._session = self._window = self._known = None

    def _pictures(self, session: Session, order: Order) -> Mapping[int, Picture]:
        positions = sorted({position for work in order.work for position in _positions(work)})
        window = self._window_on(session, order.look)
        return dict(zip(positions, pictures_of(session, order.look, positions, window), strict=True))

    def _window_on(self, session: Session, look: Look) -> Window | None:
        """Return a window on the session as the user's stands, in the theme that is wanted; None for none."""
        seen = self._standing.window if self._standing is not None else None
        if look.subject != "window" or seen is None:
            return None
        if self._window is None:
            self._window = unseen_window(session, look, QSize(*seen.size), seen.settings)
            if seen.lesson is not None:
                _hold(self._window, seen.lesson)
            self._window.show_view(seen.view)
        self._window.show_theme(THEMES[look.theme])
        self._window.settle()
        return self._window


def _hold(window: Window, lesson: HeldLesson) -> None:
    """Have a lesson open, and wait until its page is there."""
    window.teaching.hold(lesson)
    while window.teaching.player.is_busy:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def _positions(work: Work) -> tuple[int, ...]:
    return work.positions if isinstance(work, Encoding) else (work.position,)


def _worked(order: Order, pictures: Mapping[int, Picture]) -> Iterator[Answer]:
    for work in order.work:
        if isinstance(work, Painting):
            yield _shown(pictures[work.position], work)
        else:
            yield from _encoded(work, [pictures[position] for position in work.positions], order.look)


def _encoded(work: Encoding, pictures: Sequence[Picture], look: Look) -> Iterator[Answer]:
    format = formats()[work.kind]
    encoding = format.encode(fitting(pictures, format, look))
    while True:
        try:
            yield Progress(next(encoding))
        except StopIteration as end:
            yield Encoded(end.value)
            return


def _shown(picture: Picture, work: Painting) -> Shown:
    """Paint a picture as large as there is room."""
    sides = picture.size.width(), picture.size.height()
    scale = min(work.width / sides[0], work.height / sides[1], LARGEST) * work.ratio
    image = painted(replace(picture, scale=scale))
    data = bytes(image.constBits())
    return Shown(data, image.width(), image.height(), picture.title, picture.background is None)
