"""The real window, opened for a test and closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.app import application, make_window, temporary_settings
from gui.settings import Settings
from gui.window import Window

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="session", autouse=True)
def clipboard_left_empty() -> Iterator[None]:
    """Leave nothing of Python's on the clipboard: without a display Qt frees it when Python has ended."""
    yield
    if isinstance(QApplication.instance(), QApplication):
        QApplication.clipboard().clear()


@pytest.fixture(autouse=True)
def empty_hands() -> Iterator[None]:
    """Leave screen and mouse to the next test empty: no window, menu or tooltip stands, no button is down.

    The platform sends a move of the mouse to the oldest window at its place, and ``QTest.mouseDClick`` ends
    with the button down: what one test leaves takes the moves of the next.
    """
    before = {id(widget) for widget in _standing()}
    yield
    if not isinstance(QApplication.instance(), QApplication):
        return
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    for window in _standing():
        if isinstance(window, Window) and id(window) not in before:
            discard(window)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for widget in QApplication.topLevelWidgets():
        if widget.inherits("QTipLabel"):
            widget.close()
    if held := QGuiApplication.mouseButtons():
        elsewhere = QWindow()
        elsewhere.create()
        for button in Qt.MouseButton:
            if button & held:
                QTest.mouseRelease(elsewhere, button)
        elsewhere.destroy()
    assert not QGuiApplication.mouseButtons()
    assert [repr(widget) for widget in _standing() if id(widget) not in before] == []


def give_up(window: Window) -> None:
    """Let a window close without a question."""
    window.filing.give_up()
    window.authoring.give_up()


def discard(window: Window) -> None:
    """Close a window, whatever is unsaved in it, for good."""
    give_up(window)
    window.close()
    window.deleteLater()


def _standing() -> list[QWidget]:
    if not isinstance(QApplication.instance(), QApplication):
        return []
    return [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


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
        qtbot.addWidget(window, before_close_func=give_up)
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


@pytest.fixture(scope="module")
def shared_window() -> Iterator[Window]:
    """Return one window for the tests of a module, at 1280x720 and without a lesson, destroyed at the end.

    A test that takes it through a fixture of its own leaves it as it was. A window that is closed but lives
    on makes every later one slower: its widgets are styled with each change of the application's style.
    """
    application()
    window = make_window(None, temporary_settings())
    window.resize(1280, 720)
    window.show()
    window.settle()
    yield window
    discard(window)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """Return the window as it is at the first start."""
    return open_window()
