"""Pictures without a display: what the command line's ``export`` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QMessageLogContext, QSize, Qt, QtMsgType, qInstallMessageHandler

from engine.errors import UsageError
from graphs.exporting import Job, Look
from graphs.files import write_whole
from graphs.snapshot import Snapshot
from gui.app import application, temporary_settings
from gui.export import pictures_of
from gui.pictures import Picture, PictureFormat, Several, formats
from gui.session import Session
from gui.theme import THEMES
from gui.window import Window

__all__ = ["export", "fitting", "quietly", "unseen_window"]

WINDOW = QSize(1280, 720)
"""The size of a window that is painted, in logical pixels."""
WIDEST = 1920
"""Pixels across an animation, where nobody asks for a scale: what a projector shows."""


class Progress(Protocol):
    """Whoever wants to know how many pictures are done."""

    def show(self, done: int) -> None:
        """Take in that so many are done; what it raises ends the export."""
        ...


def export(snapshot: Snapshot, jobs: Sequence[Job], look: Look, progress: Progress) -> None:
    """Paint the files that are pictures, each whole or not at all.

    Parameters
    ----------
    snapshot
        The iteration whose steps are shown, and the run that it belongs to.
    jobs
        The files and their steps.
    look
        What is shown, and how.
    progress
        Is told after each picture.

    Raises
    ------
    BackstepError
        For anything that the user can mend.
    """
    for job in jobs:
        if job.kind.name not in formats():
            raise UsageError(f"pictures cannot be written as {job.kind.name}.", how="Choose another ending.")
        formats()[job.kind.name].check(is_transparent=look.is_transparent)
    with quietly():
        application(THEMES[look.theme])
        session = Session.at(snapshot)
        try:
            _write(session, jobs, look, progress)
        finally:
            session.close()


def _write(session: Session, jobs: Sequence[Job], look: Look, progress: Progress) -> None:
    positions = sorted({position for job in jobs for position in job.positions})
    window = unseen_window(session, look) if look.subject == "window" else None
    pictures = dict(zip(positions, pictures_of(session, look, positions, window), strict=True))
    done = 0
    for job in jobs:
        format = formats()[job.kind.name]
        encoding = format.encode(fitting([pictures[position] for position in job.positions], format, look))
        while True:
            try:
                progress.show(done + next(encoding))
            except StopIteration as end:
                write_whole(job.path, end.value)
                break
        done += len(job.positions)


def fitting(pictures: Sequence[Picture], format: PictureFormat, look: Look) -> Sequence[Picture]:
    """Return the pictures of a file; unless a scale is given, an animation is no wider than a projector."""
    if look.scale is not None or format.several != Several.FRAMES:
        return pictures
    return [replace(p, scale=min(p.scale, WIDEST / p.size.width())) for p in pictures]


@contextmanager
def quietly() -> Iterator[None]:
    """Keep from whoever exports a picture what Qt's offscreen plugin says of itself."""
    heard_before = qInstallMessageHandler(_heard)
    try:
        yield
    finally:
        qInstallMessageHandler(heard_before)


def _heard(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if "This plugin does not support" not in text:
        sys.stderr.write(f"{text}\n")


def unseen_window(
    session: Session, look: Look, size: QSize = WINDOW, chosen: Mapping[str, Any] | None = None
) -> Window:
    """Return a window that nobody sees.

    Parameters
    ----------
    chosen
        What is set in it, by key; as at the first start where None.
    """
    settings = temporary_settings()
    for key, value in (chosen or {}).items():
        settings.set(key, value)
    settings.set("view/theme", look.theme)
    window = Window(session, settings)
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.resize(size)
    window.show()
    window.settle()
    window.messages.clear()
    return window
