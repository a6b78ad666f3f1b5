"""Presents on two screens, in a process of its own: the platform learns of them from a file as it starts.

Run as ``python -m tests.gui.two_screens``, with ``QT_QPA_PLATFORM=offscreen:configfile=...``. An assertion
that does not hold ends it with an error.
"""

from __future__ import annotations

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from graphs.lesson import read_lesson
from gui.app import application, make_window, temporary_settings
from gui.speaker import SpeakerWindow
from gui.window import Window

LESSON = """
title = "A lesson"
network = "two-layer-nonlinear"
[[page]]
title = "One"
text = "The loss is {{L}}."
notes = "Say it slowly."
[[page]]
title = "Two"
question = { ask = "How many?", answer = "1" }
"""


def until(holds: object) -> None:
    """Run the event loop until something holds, or for twenty seconds."""
    assert callable(holds)
    loop = QEventLoop()
    look, limit = QTimer(interval=5), QTimer(singleShot=True, interval=20_000)
    look.timeout.connect(lambda: holds() and loop.quit())
    limit.timeout.connect(loop.quit)
    look.start()
    limit.start()
    loop.exec()
    assert holds()


def screen(name: str) -> QScreen:
    """Return a screen; the object for it is another one when a window that stood there has gone."""
    return next(found for found in QGuiApplication.screens() if found.name() == name)


def stands_on(widget: QWidget, name: str) -> bool:
    return widget.screen().name() == name and screen(name).geometry().contains(widget.geometry())


def fills(widget: QWidget, name: str) -> bool:
    return widget.isFullScreen() and widget.geometry() == screen(name).geometry()


def check_places(window: Window, laptop: str, projector: str) -> None:
    """The window fills the projector's screen, the notes stand on the laptop's, and both can be exchanged."""
    QTest.keyClick(window, Qt.Key.Key_F5)
    speaker = speaker_of(window)
    assert fills(window, projector)
    assert stands_on(speaker, laptop)
    assert speaker.notes.source == "Say it slowly."
    assert speaker.following.text() == "Next: Two"
    until(lambda: not window.strip.is_cut and window.strip.width() == screen(projector).geometry().width())
    for first, second in ((laptop, projector), (projector, laptop)):
        QTest.keyClick(window, Qt.Key.Key_F11, Qt.KeyboardModifier.ControlModifier)
        assert fills(window, first)
        assert stands_on(speaker, second)


def check_keys(window: Window) -> None:
    """The clicker may be plugged into either: its keys mean the same over the notes."""
    speaker, presenting = speaker_of(window), window.presenting
    QTest.keyClick(speaker, Qt.Key.Key_PageDown)
    until(lambda: window.teaching.player.stage is not None)
    assert speaker.following.text() == "Next: the question"
    QTest.keyClick(speaker, Qt.Key.Key_B)
    assert presenting.blank.isVisible()
    assert presenting.blank.size() == window.size()
    assert "black" in speaker.remark.text()
    QTest.keyClick(speaker, Qt.Key.Key_PageDown)
    assert not presenting.blank.isVisible()
    assert presenting.phase == "text"
    QTest.keyClick(speaker, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert "Not while presenting" in speaker.remark.text()


def check_a_cable_that_is_pulled(window: Window, laptop: str, projector: str) -> None:
    """Both come back to the screen that is left, and go out again with the cable."""
    presenting = window.presenting
    presenting.screens = lambda: [screen(laptop)]
    application().screenRemoved.emit(screen(projector))
    until(lambda: fills(window, laptop))
    assert presenting.is_on
    assert stands_on(speaker_of(window), laptop)
    presenting.screens = QGuiApplication.screens
    application().screenAdded.emit(screen(projector))
    until(lambda: fills(window, projector))
    assert stands_on(speaker_of(window), laptop)


def check(window: Window) -> None:
    laptop, projector = "laptop", "projector"
    before = window.geometry()
    assert stands_on(window, laptop)
    check_places(window, laptop, projector)
    check_keys(window)
    check_a_cable_that_is_pulled(window, laptop, projector)
    QTest.keyClick(speaker_of(window), Qt.Key.Key_Escape)
    assert not window.presenting.is_on
    assert window.presenting.speaker is None
    until(lambda: window.geometry() == before and not window.isFullScreen())
    assert stands_on(window, laptop)


def speaker_of(window: Window) -> SpeakerWindow:
    speaker = window.presenting.speaker
    assert speaker is not None
    return speaker


def main() -> None:
    application()
    window = make_window("two-layer-nonlinear", temporary_settings())
    window.resize(1000, 600)
    window.move(40, 40)
    window.show()
    window.settle()
    window.teaching.begin(read_lesson(LESSON))
    until(lambda: window.teaching.player.stage is not None)
    check(window)
    window.close()
    print("done")


if __name__ == "__main__":
    main()
