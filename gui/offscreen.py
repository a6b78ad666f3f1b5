"""Pictures without a display: what the command line's ``export`` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QMessageLogContext, QSize, Qt, QtMsgType, qInstallMessageHandler

from graphs.exporting import Job, Look
from graphs.files import write_whole
from graphs.snapshot import Snapshot
from gui.app import application, temporary_settings
from gui.export import format_of, graph_picture, window_picture
from gui.pictures import Picture
from gui.session import Document, Session
from gui.theme import THEMES
from gui.window import Window

__all__ = ["export"]

WINDOW = (1280, 720)
"""The size of a window that is painted, in logical pixels."""


class Progress(Protocol):
    """Whoever wants to know how many pictures are done."""

    def show(self, done: int) -> None:
        """Take in that so many are done."""
        ...


def export(snapshot: Snapshot, jobs: Sequence[Job], look: Look, progress: Progress) -> None:
    """Paint the files that are pictures.

    Parameters
    ----------
    snapshot
        The iteration whose steps are shown.
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
    heard_before = qInstallMessageHandler(_heard)
    application(THEMES[look.theme])
    model = snapshot.model
    document = Document(model.network, model.seed, dict(snapshot.overrides), snapshot.recipe)
    session = Session(document, snapshot.detail)
    try:
        for number, job in enumerate(jobs, 1):
            session.go(job.positions[0])
            write_whole(job.path, format_of(job.path).encode(_picture(session, look)))
            progress.show(number)
    finally:
        session.close()
        qInstallMessageHandler(heard_before)


def _picture(session: Session, look: Look) -> Picture:
    if look.subject == "window":
        return _whole_window(session, look.theme, QSize(*WINDOW), look.scale or 1.0)
    return graph_picture(session, THEMES[look.theme], look.scale or 2.0)


def _heard(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Pass on what Qt says, but not what its offscreen plugin says of itself to whoever exports a picture."""
    if "This plugin does not support" not in text:
        sys.stderr.write(f"{text}\n")


def _whole_window(session: Session, theme: str, size: QSize, scale: float) -> Picture:
    settings = temporary_settings()
    settings.set("view/theme", theme)
    window = Window(session, settings)
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.resize(size)
    window.show()
    window.settle()
    window.messages.clear()
    return window_picture(window, session, scale)
