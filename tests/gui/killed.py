"""The real program, edited until it is killed, and opened again: what has become of the edits?

As a program: python -m tests.gui.killed --times 20
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT = 10.0
"""Seconds of edits that may be lost."""
NETWORK = """# mine
formula = "L = w*w*sum(x)"
[parameters]
w = 0.5
[data]
x = [0.25, 2.0]
"""
EDITING = """
import random, sys, time
import numpy as np
from PySide6.QtCore import QTimer
import main
from gui import app

chance = random.Random(int(sys.argv[2]))

def begin():
    window = next(w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.Window))
    window.edit_formula()  # where it is hidden nobody types
    session, text = window.session, window.panels["formula"].text
    edits = {
        "w": lambda n: session.set_value("w", float(n)),
        "x": lambda n: session.edit("x", np.array([[float(n), 1.0]])),  # as a cell of the inspector does
        "rate": lambda n: session.set_learning_rate(1.0 / (1000 + n)),
        "text": lambda n: text.setPlainText(f"L = w*w*sum(x) + {n}"),
        "half": lambda n: text.setPlainText(f"L = w*w*sum(x + {n}"),
    }
    count = 0
    def edit():
        nonlocal count
        count += 1
        kind = chance.choice(list(edits))
        edits[kind](count)
        print("text" if kind == "half" else kind, count, time.time(), flush=True)
        if chance.random() < 0.1:
            session.train(chance.randrange(10, 20_000))
        timer.start(chance.randrange(20, 500))
    timer = QTimer(window, singleShot=True)
    timer.timeout.connect(edit)
    timer.start(0)

QTimer.singleShot(0, begin)
sys.exit(main.main([sys.argv[1]]))
"""
OPENING = """
import json, sys
import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton
import main
from gui import app

def begin():
    window = next(w for w in app.QApplication.topLevelWidgets() if isinstance(w, app.Window))
    message = window.messages.current
    found = {"message": message.text if message else ""}
    said = []
    window.notifier.message.connect(lambda message: said.append(message.text))
    def end():
        if message is not None and not any(text.startswith("Restored") for text in said):
            return  # also while it is being opened, which lets timers go on
        window.settle()
        session = window.session
        found.update({name: float(np.ravel(session.model.leaves[name])[0]) for name in ("w", "x")})
        found["rate"] = session.document.recipe.learning_rate
        found["text"] = window.panels["formula"].text.toPlainText()
        found["modified"], found["path"] = window.isWindowModified(), str(window.filing.path)
        print(json.dumps(found), flush=True)
        timer.stop()
        window.filing.give_up()
        window.close()
    if message is not None:
        next(b for b in window.messages.findChildren(QPushButton) if b.text() == "&Restore").click()
    timer = QTimer(window, interval=20)
    timer.timeout.connect(end)
    timer.start()

QTimer.singleShot(0, begin)
sys.exit(main.main([sys.argv[1]]))
"""


@dataclass(frozen=True)
class Edit:
    """An edit that was done before the kill: what it changed, its number, and when it was done (seconds)."""

    place: str
    number: int
    when: float


@dataclass(frozen=True)
class Round:
    """One kill: when, what had been edited until then, and what the next start restored.

    Attributes
    ----------
    found
        What the next start said and showed, as :data:`OPENING` writes it.
    left
        Names of what is in the folder of recovery after that start has ended.
    orphans
        How many processes of the killed program were still there after ten seconds.
    """

    killed: float
    edits: tuple[Edit, ...]
    found: Mapping[str, Any]
    left: tuple[str, ...]
    orphans: int

    @property
    def lasted(self) -> float:
        """Seconds from the first edit to the kill."""
        return self.killed - self.edits[0].when

    @property
    def lost(self) -> tuple[Edit, ...]:
        """The edits that are neither there nor replaced by a later one, the first first."""
        there = numbers_of(self.found)
        return tuple(edit for edit in self.edits if edit.number > there[edit.place])

    @property
    def seconds_lost(self) -> float:
        """The age that the oldest lost edit had at the kill; 0 where none is lost."""
        return self.killed - self.lost[0].when if self.lost else 0.0


def numbers_of(found: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of the edit that stands at each place; 0 where there is none."""
    _, plus, rest = found["text"].partition("+ ")
    w, x, rate = (found[name] for name in ("w", "x", "rate"))
    return {
        "w": round(w),
        "x": round(x),
        "rate": max(0, round(1 / rate) - 1000),
        "text": int(rest) if plus else 0,
    }


def kill_once(folder: Path, data: Path, seconds: float, seed: int) -> Round:
    """Edit the program for so many seconds, kill it, start it again, restore, and end it as it should end.

    Parameters
    ----------
    folder
        Where the network's file is made.
    data
        The folder that the program keeps its data and settings in.
    """
    network = folder / "line.toml"
    network.write_text(NETWORK)
    edits: list[Edit] = []
    with _started(EDITING, data, str(network), str(seed)) as program:
        assert program.stdout is not None
        for line in program.stdout:
            edits.append(_read(line))
            if len(edits) == 1:
                break
        others = _children(program.pid)
        time.sleep(max(0.0, edits[0].when + seconds - time.time()))
        killed = time.time()
        others |= _children(program.pid)
        program.kill()
        edits += [_read(line) for line in program.stdout if line.endswith("\n")]
    orphans = _living(others)
    with _started(OPENING, data, str(network)) as program:
        out, _ = program.communicate(timeout=200)
    assert network.read_text() == NETWORK
    left = sorted(path.name for path in data.rglob("recovery/*"))
    done = tuple(edit for edit in edits if edit.when <= killed)
    return Round(killed, done, json.loads(out), tuple(left), orphans)


def _read(line: str) -> Edit:
    place, number, when = line.split()
    return Edit(place, int(number), float(when))


@contextmanager
def _started(code: str, data: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    places = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), str(data))
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _children(pid: int) -> set[int]:
    """Return the processes that a process has started; none where the system does not say it so."""
    try:
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def _living(pids: set[int]) -> int:
    """Return how many of some processes do not end within ten seconds."""
    until = time.monotonic() + 10.0
    while pids := {pid for pid in pids if Path(f"/proc/{pid}").exists()}:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return len(pids)


def main() -> int:
    """Kill the program again and again, and print what each kill has cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=20.0, help="seconds of editing, at most")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    worst = 0.0
    for number in range(args.times):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            data.mkdir()
            one = kill_once(Path(folder), data, chance.uniform(0.0, args.longest), args.seed + number)
        worst = max(worst, one.seconds_lost)
        print(
            f"{number + 1:3}: killed after {one.lasted:5.2f} s and {len(one.edits):3} edits; "
            f"lost {len(one.lost):2} edits, {one.seconds_lost:5.2f} s; "
            f"{one.orphans} processes left, {len(one.left)} files left",
            flush=True,
        )
    print(f"the most that was lost: {worst:.2f} s of edits")
    return int(worst >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
