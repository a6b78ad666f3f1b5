"""Pictures without a display: what the command line's ``export`` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMessageLogContext, QSize, Qt, QtMsgType, qInstallMessageHandler

from engine.errors import UsageError
from engine.graph import Detail
from graphs.files import write_whole
from graphs.network import load
from gui.app import application, temporary_settings
from gui.export import format_of, graph_picture, window_picture
from gui.pictures import Picture
from gui.session import Document, Session
from gui.theme import THEMES
from gui.window import Window

__all__ = ["export"]


def export(
    source: str,
    to: str | Path,
    *,
    seed: int = 0,
    overrides: dict[str, Any] | None = None,
    step: int | None = None,
    detail: str = "equation",
    theme: str = "light",
    window: bool = False,
    size: tuple[int, int] = (1280, 720),
    scale: float | None = None,
) -> None:
    """Write a network at a step to a picture file.

    Parameters
    ----------
    step
        How many steps have been taken, as the window counts them; None for all.
    window, size
        The whole window, at this size in logical pixels, rather than the graph.
    scale
        Pixels for each logical pixel; 2 for the graph and 1 for the window where None.

    Raises
    ------
    BackstepError
        For anything that the user can mend.
    """
    path = Path(to)
    module = format_of(path)
    heard_before = qInstallMessageHandler(_heard)
    application(THEMES[theme])
    session = Session(Document.of(load(source), seed, overrides), Detail(detail))
    try:
        _go(session, step)
        if window:
            picture = _whole_window(session, theme, QSize(*size), scale or 1.0)
        else:
            picture = graph_picture(session, THEMES[theme], scale or 2.0)
        write_whole(path, module.encode(picture))
    finally:
        session.close()
        qInstallMessageHandler(heard_before)


def _heard(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Pass on what Qt says, but not what its offscreen plugin says of itself to whoever exports a picture."""
    if "This plugin does not support" not in text:
        sys.stderr.write(f"{text}\n")


def _go(session: Session, step: int | None) -> None:
    last = len(session.trace.steps)
    if step is not None and not 0 <= step <= last:
        raise UsageError(f"there is no step {step}.", how=f"This trace has the steps 0 to {last}.")
    session.go(last if step is None else step)


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
