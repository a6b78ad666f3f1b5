"""The application is killed: what was not saved is offered at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gui.recovery import Recovery, recovery_folder
from gui.window import Window
from tests.gui.conftest import OpenWindow

LIMIT = 60_000
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes as Unix does")

EDITING = """
import sys, time
from PySide6.QtCore import QTimer
from gui import app

def edit():
    window = next(w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.Window))
    count = 0
    def change():
        nonlocal count
        count += 1
        window.session.set_value("w", float(count))
        print(count, time.time(), flush=True)
    timer = QTimer(window, interval=100)
    timer.timeout.connect(change)
    timer.start()

QTimer.singleShot(0, edit)
sys.exit(app.run(sys.argv[1]))
"""
ASKING = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton
from gui import app

def look():
    window = next(w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.Window))
    message = window.messages.current
    print(message.text if message else "nothing", flush=True)
    if message is None:
        window.close()
        return
    button = next(b for b in window.messages.findChildren(QPushButton) if b.text() == sys.argv[2])
    button.click()
    def tell():
        if not window.filing.is_busy:
            print(float(window.session.model.leaves["w"]), window.isWindowModified(),
                  window.filing.path, flush=True)
            window.filing.give_up()
            window.close()
            timer.stop()
    timer = QTimer(window, interval=20)
    timer.timeout.connect(tell)
    timer.start()

QTimer.singleShot(0, look)
sys.exit(app.run(sys.argv[1]))
"""


@contextmanager
def started(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield process
        process.kill()


def edits_until_killed(source: str, enough: Callable[[float], bool]) -> list[tuple[float, float]]:
    """Let the application be edited for so many seconds, kill it, and return each edit with its time."""
    edits: list[tuple[float, float]] = []
    with started(EDITING, source) as process:
        assert process.stdout is not None
        for line in process.stdout:
            count, when = line.split()
            edits.append((float(count), float(when)))
            if enough(edits[-1][1] - edits[0][1]):
                process.kill()
                break
        rest = [line.split() for line in process.stdout]
        edits += [(float(line[0]), float(line[1])) for line in rest if len(line) == 2]
    return edits


def answers(source: str, button: str) -> list[str]:
    with started(ASKING, source, button) as process:
        out, _ = process.communicate(timeout=100)
    return out.splitlines()


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "line.toml"
    path.write_text('# mine\nformula = "L = w * w"\n[parameters]\nw = 0.5\n')
    return path


@pytest.mark.timeout(300)
def test_a_killed_application_loses_less_than_ten_seconds(network: Path) -> None:
    edits = edits_until_killed(str(network), lambda seconds: seconds > 14.0)
    killed = edits[-1][1]
    asked, restored = answers(str(network), "&Restore")
    assert asked.startswith("Backstep ended unexpectedly")
    assert asked.endswith("with unsaved changes to line.toml.")
    value, is_modified, path = restored.split()
    when = dict(edits)[float(value)]
    assert killed - when < 10.0
    assert (is_modified, path) == ("True", str(network))
    assert network.read_text().endswith("w = 0.5\n")


@pytest.mark.timeout(300)
def test_what_is_discarded_is_not_offered_again(network: Path) -> None:
    edits_until_killed(str(network), lambda _: any(recovery_folder().glob("*.backstep")))
    assert answers(str(network), "&Discard")[0].startswith("Backstep ended unexpectedly")
    assert answers(str(network), "&Discard") == ["nothing"]


# --- in one process ----------------------------------------------------------------------------------------


def keep(window: Window) -> None:
    window.keep_work(recovery_folder())


@pytest.fixture
def window(open_window: OpenWindow, network: Path) -> Window:
    return open_window(network, before=keep)


def recovery_of(window: Window) -> Recovery:
    assert window.recovery is not None
    return window.recovery


def test_unsaved_work_is_kept_and_a_clean_end_leaves_nothing(qtbot: QtBot, window: Window) -> None:
    recovery = recovery_of(window)
    assert not recovery.path.exists()
    window.session.set_value("w", 3)
    qtbot.waitUntil(recovery.path.exists, timeout=LIMIT)
    window.filing.give_up()
    window.close()
    assert list(recovery_folder().iterdir()) == []


def test_what_was_saved_needs_no_recovery(qtbot: QtBot, window: Window) -> None:
    recovery = recovery_of(window)
    window.session.set_value("w", 3)
    qtbot.waitUntil(recovery.path.exists, timeout=LIMIT)
    window.filing.save()
    qtbot.waitUntil(lambda: not recovery.path.exists(), timeout=LIMIT)


def test_two_windows_do_not_offer_each_others_work(
    qtbot: QtBot, window: Window, open_window: OpenWindow, network: Path
) -> None:
    window.session.set_value("w", 3)
    qtbot.waitUntil(recovery_of(window).path.exists, timeout=LIMIT)
    other = open_window(network, before=keep)
    assert other.messages.current is None
    other.close()
    assert recovery_of(window).path.exists()


def test_a_file_that_cannot_be_read_is_not_offered(open_window: OpenWindow, network: Path) -> None:
    recovery_folder().mkdir(parents=True)
    (recovery_folder() / "old.backstep").write_bytes(b"PK nonsense")
    window = open_window(network, before=keep)
    assert not window.messages.findChildren(QPushButton)
    window.close()


def test_interrupting_the_application_keeps_the_work(
    qtbot: QtBot, window: Window, open_window: OpenWindow, network: Path
) -> None:
    window.session.set_value("w", 4)
    window.end_at_once()
    assert not window.isVisible()
    later = open_window(network, before=keep)
    restore = next(b for b in later.messages.findChildren(QPushButton) if b.text() == "&Restore")
    restore.click()
    qtbot.waitUntil(lambda: float(later.session.model.leaves["w"]) == 4, timeout=LIMIT)
    assert later.isWindowModified()
    later.filing.give_up()
    later.close()
    later.session.close()
