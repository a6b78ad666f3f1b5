"""The application: one QApplication, the report for what nobody expected, and the window."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QSettings, QSize, QStandardPaths, Qt, QTemporaryDir
from PySide6.QtWidgets import QApplication

from engine.graph import Detail
from graphs.network import is_session, load
from graphs.sessions import read_session
from gui.dialogs import use_own_dialogs
from gui.keeping import opened
from gui.recovery import recovery_folder
from gui.session import Document, Session
from gui.settings import Settings
from gui.theme import LIGHT, THEMES, Theme
from gui.theme import apply as apply_theme
from gui.window import Window

__all__ = ["application", "make_window", "run", "temporary_settings"]

log = logging.getLogger("backstep")
DEFAULT = "two-layer-nonlinear"
SMALL_SCREEN = QSize(1440, 810)


def application(theme: Theme = LIGHT) -> QApplication:
    """Return the one QApplication, made where there is none, in a theme."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
        app = QApplication(sys.argv[:1])
        app.setApplicationName("Backstep")
        app.setOrganizationName("Backstep")
        app.setApplicationDisplayName("")
    apply_theme(app, theme)
    return app


def temporary_settings() -> Settings:
    """Return settings that are forgotten at the end, for pictures and tests."""
    folder = QTemporaryDir()
    settings = Settings(QSettings(folder.filePath("settings.ini"), QSettings.Format.IniFormat))
    settings.destroyed.connect(folder.remove)
    return settings


def make_window(
    source: str | None,
    settings: Settings,
    *,
    seed: int = 0,
    overrides: dict[str, Any] | None = None,
) -> Window:
    """Return the window on a network, paused, ready to step."""
    use_own_dialogs(settings.get("files/dialogs") == "own")
    kept = None
    if source is not None and is_session(source) and not (seed or overrides):
        kept = opened(read_session(Path(source)))
    document = Document.of(load(source or DEFAULT), seed, overrides) if kept is None else kept.moment.document
    window = Window(Session(document, Detail(_detail(settings))), settings)
    apply_theme(application(window.theme), window.theme)
    if kept is not None and source is not None:
        window.filing.enter(kept, Path(source).resolve(), is_first=True)
    return window


def _detail(settings: Settings) -> str:
    detail = settings.get("view/detail")
    return detail if detail in tuple(Detail) else Detail.EQUATION


def run(
    source: str | None = None,
    *,
    seed: int = 0,
    overrides: dict[str, Any] | None = None,
    lesson: str | None = None,
) -> int:
    """Open the window, with a lesson where one is named, and return the exit code when it has been closed.

    Where neither a network nor a lesson is named, the lesson that was open last goes on.

    Raises
    ------
    BackstepError
        Where the network cannot be opened; nothing has been shown then.
    """
    settings = Settings(
        QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Backstep", "Backstep")
    )
    app = application(THEMES.get(settings.get("view/theme"), LIGHT))
    window = make_window(source, settings, seed=seed, overrides=overrides)
    sys.excepthook = lambda *error: report(window, *error)
    window.keep_work(recovery_folder())
    show(window)
    if lesson is not None:
        window.teaching.open(lesson)
    elif source is None:
        window.teaching.resume()
    return app.exec()


def show(window: Window) -> None:
    """Show a window where it was last; the first time, on all of a small screen or most of a large one."""
    room = window.screen().availableGeometry()
    if not window.settings.get("window/geometry"):
        if room.width() <= SMALL_SCREEN.width() or room.height() <= SMALL_SCREEN.height():
            window.showMaximized()
            return
        window.resize(min(1600, room.width() * 9 // 10), min(950, room.height() * 9 // 10))
    window.show()


def report(
    window: Window, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Keep a report of what nobody expected, say where it is, and go on: the user's work is still there."""
    if issubclass(kind, KeyboardInterrupt):
        window.end_at_once()
        QApplication.quit()
        return
    text = "".join(traceback.format_exception(kind, error, trace))
    log.error("%s", text)
    sys.stderr.write(text)
    path = _write_report(text)
    if window.recovery is not None:
        with suppress(Exception):  # whatever is wrong with the work, it was said already
            window.recovery.keep()
    window.notifier.error(f"Something unexpected happened ({kind.__name__}). A report is in {path}.")


def _write_report(text: str) -> Path:
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation) or ".")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"report-{os.getpid()}.txt"
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    return path
