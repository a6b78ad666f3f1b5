"""The application is killed: what was not saved is offered at the next start."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from graphs.sessions import read_session
from gui.recovery import Recovery, recovery_folder
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.killed import kill_once

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
LOCKING = """
import os, sys
from PySide6.QtCore import QLockFile

lock = QLockFile(sys.argv[1])
assert lock.tryLock(0)
os._exit(0)  # as if killed
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
def test_a_killed_program_loses_less_than_ten_seconds_of_edits(tmp_path: Path) -> None:
    one = kill_once(tmp_path, tmp_path, random.uniform(11.0, 14.0), random.randrange(1000))
    assert one.seconds_lost < 10.0, one
    assert one.found["message"].startswith("Backstep ended unexpectedly")
    assert one.found["message"].endswith("with unsaved changes to line.toml.")
    assert (one.found["modified"], one.found["path"]) == (True, str(tmp_path / "line.toml"))
    assert one.left == ()
    assert one.orphans == 0


def test_what_a_killed_window_was_writing_is_taken_away(open_window: OpenWindow, network: Path) -> None:
    recovery_folder().mkdir(parents=True)
    half = recovery_folder() / ".deadbeef.backstep.x1y2"
    half.write_bytes(b"PK half")
    lock = recovery_folder() / "deadbeef.lock"
    subprocess.run([sys.executable, "-c", LOCKING, str(lock)], check=True)
    assert lock.exists()
    window = open_window(network, before=keep)
    assert list(recovery_folder().iterdir()) == []
    assert window.messages.current is None


@pytest.mark.timeout(300)
def test_what_is_discarded_is_not_offered_again(network: Path) -> None:
    edits_until_killed(str(network), lambda _: any(recovery_folder().glob("*.backstep")))
    assert answers(str(network), "&Discard")[0].startswith("Backstep ended unexpectedly")
    assert answers(str(network), "&Discard") == ["nothing"]


@pytest.mark.timeout(300)
def test_what_was_discarded_can_be_brought_back_until_the_next_start(
    network: Path, open_window: OpenWindow, qtbot: QtBot
) -> None:
    edits = edits_until_killed(str(network), lambda _: any(recovery_folder().glob("*.backstep")))
    window = open_window(before=keep)
    name = window.session.document.network.name
    click(qtbot, window, "&Discard")
    assert window.messages.current is not None
    assert window.messages.current.text.startswith("Discarded the changes to line.toml.")
    assert not any(recovery_folder().glob("*.backstep"))
    window._recent_menu.aboutToShow.emit()
    assert "Discarded changes to line.toml (" in window._recent_menu.actions()[-1].text()
    click(qtbot, window, "&Bring back")
    qtbot.waitUntil(lambda: window.session.document.network.name == "line", timeout=LIMIT)
    assert float(window.session.model.leaves["w"]) in dict(edits)
    assert window.filing.path == network
    window._recent_menu.aboutToShow.emit()
    assert not any("Discarded" in action.text() for action in window._recent_menu.actions())
    window.session.undo()
    while window.session.document.network.name == "line":
        window.session.undo()
    assert window.session.document.network.name == name


@pytest.mark.timeout(300)
def test_what_was_discarded_is_brought_back_by_the_menu_and_is_gone_after_the_next_start(
    network: Path, open_window: OpenWindow, qtbot: QtBot
) -> None:
    edits_until_killed(str(network), lambda _: any(recovery_folder().glob("*.backstep")))
    first = open_window(before=keep)
    click(qtbot, first, "&Discard")
    first.messages.dismiss()
    open_window(before=keep)  # while the first one is open what it has discarded is its own
    assert [path.suffix for path in recovery_folder().glob("*.discarded")] == [".discarded"]
    first._recent_menu.aboutToShow.emit()
    first._recent_menu.actions()[-1].trigger()
    qtbot.waitUntil(lambda: first.session.document.network.name == "line", timeout=LIMIT)
    first.session.undo()
    assert recovery_of(first).path.suffix == ".backstep"


def click(qtbot: QtBot, window: Window, text: str) -> None:
    def buttons() -> list[QPushButton]:
        found = window.messages.findChildren(QPushButton)
        return [button for button in found if button.text() == text and button.isVisible()]

    qtbot.waitUntil(lambda: bool(buttons()) and window.messages.takes_clicks, timeout=LIMIT)
    qtbot.mouseClick(buttons()[0], Qt.MouseButton.LeftButton)


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


def first_column(path: Path) -> list[float]:
    """Return the first column of W1 as it has been kept, empty where nothing has."""
    if not path.exists():
        return []
    kept = read_session(path).document.overrides
    return kept["W1"][:, 0].tolist() if "W1" in kept else []


def test_one_entry_after_the_other_is_kept(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window("two-layer-nonlinear", before=keep)
    recovery = recovery_of(window)
    weights = np.array(window.session.model.leaves["W1"])
    for number in range(3):
        weights[number, 0] = 100.0 + number
        window.session.edit("W1", weights.copy())
        wanted = [100.0 + n for n in range(number + 1)]
        qtbot.waitUntil(
            lambda wanted=wanted: first_column(recovery.path)[: len(wanted)] == wanted, timeout=LIMIT
        )


def test_what_a_lesson_shows_and_trains_is_nothing_to_lose(qtbot: QtBot, window: Window) -> None:
    recovery = recovery_of(window)
    window.teaching.open("when-it-goes-wrong")
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=LIMIT)
    window.session.train(5)
    qtbot.waitUntil(lambda: not window.session.training and window.session.iterations >= 5, timeout=LIMIT)
    recovery.keep()
    assert not recovery.path.exists()
    name = window.session.model.graph.parameters[0]
    window.session.edit(name, 0.0 * np.array(window.session.model.leaves[name]) + 7.0)
    qtbot.waitUntil(recovery.path.exists, timeout=LIMIT)


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
