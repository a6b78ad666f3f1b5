"""The real window, opened for a test and closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.app import application, make_window, temporary_settings
from gui.settings import Settings
from gui.window import Window

OpenWindow = Callable[..., Window]


@pytest.fixture
def open_window(qtbot: QtBot) -> Iterator[OpenWindow]:
    """Return a function that opens the window on a network, a file, or what is open at first.

    It takes the size, the step, settings, and `before`, called with the window before it is shown.
    """
    application()
    opened: list[Window] = []

    def open_window(
        source: Path | str | None = None,
        *,
        size: tuple[int, int] | None = None,
        position: int = 0,
        settings: Settings | None = None,
        before: Callable[[Window], object] | None = None,
    ) -> Window:
        window = make_window(None if source is None else str(source), settings or temporary_settings())
        opened.append(window)
        qtbot.addWidget(window)
        window.session.go(position)
        if size is not None:
            window.resize(*size)
        if before is not None:
            before(window)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        window.settle()
        return window

    yield open_window
    for window in opened:
        window.session.close()


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """Return the window as it is at the first start."""
    return open_window()
