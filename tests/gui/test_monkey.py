"""Twenty thousand random events on the real window: no exception, no warning of Qt, and memory is bounded.

Exceptions in virtual methods and slots, and Qt's warnings, fail any test here (pytest-qt sees to that); this
one gives them every occasion. What chance alone hardly ever reaches is done on purpose now and then: a
network is opened in the place of a blank one, a lesson begun, a fault put in, a file written and read, steps
exported in any format as small pictures.
"""

from __future__ import annotations

import gc
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from engine.faults import FaultAt
from graphs.network import built_in_names, load
from graphs.templates import template, template_names
from gui.actions import ACTIONS
from gui.clinic import CLINIC
from gui.export_choice import ExportChoice
from gui.filing import NETWORK, SESSION
from gui.session import Document, Session
from gui.settings import Settings
from gui.window import Window

EVENTS = 20_000
SEED = int(os.environ.get("BACKSTEP_MONKEY_SEED", "1"))
WARM_UP = 5_000
"""Events after which every panel has been built and every cache has begun to be filled."""
GROWTH = 400 * 2**20
"""Bytes that the process may grow by after the warm-up: caches of equations, the history of changes, records
of runs. All of these are bounded; a leak of a window's picture an event would be tens of gigabytes."""
SIZES = ((1280, 720), (1920, 1080), (900, 600), (512, 303), (1100, 640))
TEXTS = ("1/3", "0.5", "-1e-3", "sqrt(2)", "nan", "W1 @ X", "y = w * x\n", "(", "[[1, 2]]", "", "É", "a b\tc")
KEYS = (
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return),
    *(Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace),
    *(Qt.Key.Key_F1, Qt.Key.Key_F2),
    *(Qt.Key(code) for code in range(Qt.Key.Key_A.value, Qt.Key.Key_Z.value + 1)),
    *(Qt.Key(code) for code in range(Qt.Key.Key_0.value, Qt.Key.Key_9.value + 1)),
    *(Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Period, Qt.Key.Key_Equal),
)
MODIFIERS = (
    *(Qt.KeyboardModifier.NoModifier,) * 4,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
RARE = 0.4
"""Of 32.4 events: twelve in a thousand."""
BUTTONS = (Qt.MouseButton.LeftButton,) * 5 + (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)


class Monkey:
    """Does one random thing after another to a window."""

    def __init__(self, window: Window, seed: int) -> None:
        self.window = window
        self._random = random.Random(seed)
        self._kinds: tuple[tuple[float, Callable[[], None]], ...] = (
            (10, self._press_key),
            (6, self._click),
            (2, self._double_click),
            (3, self._drag),
            (2, self._wheel),
            (3, self._move),
            (2, self._type),
            (3, self._do_action),
            (1, self._resize),
            (RARE, self._do_something_rare),
        )
        self._rare = (
            *(self._open_network,) * 8,
            *(self._put_fault,) * 4,
            *(self._begin_lesson, self._write_and_read) * 2,
            self._export,
        )
        self.done: Counter[str] = Counter()

    def act(self) -> None:
        """Do one thing, to whatever is open: a popup, a menu, a dialog, the window."""
        weights, acts = zip(*self._kinds, strict=True)
        act = self._random.choices(acts, weights)[0]
        with suppress(RuntimeError):  # what was aimed at can be gone; errors of slots are caught elsewhere
            act()
        QApplication.processEvents()
        QApplication.sendPostedEvents(
            None, QEvent.Type.DeferredDelete.value
        )  # as the application's loop does

    @property
    def _open(self) -> QWidget:
        app = QApplication
        return app.activePopupWidget() or app.activeModalWidget() or self.window

    def _target(self) -> tuple[QWidget, QPoint]:
        """Return the widget that lies at a random point of what is open, and the point on it."""
        top = next(w for w in (self._open, self.window) if isValid(w))
        sides = top.width(), top.height()
        point = QPoint(*(self._random.randrange(max(1, side)) for side in sides))
        widget = top.childAt(point) or top
        return widget, widget.mapFrom(top, point)

    def _press_key(self) -> None:
        target = QApplication.focusWidget() or self._open
        QTest.keyClick(target, self._random.choice(KEYS), self._random.choice(MODIFIERS))

    def _type(self) -> None:
        for char in self._random.choice(TEXTS):
            target = QApplication.focusWidget() or self._open
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(target, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, char))

    def _click(self) -> None:
        widget, point = self._target()
        QTest.mouseClick(widget, self._random.choice(BUTTONS), self._random.choice(MODIFIERS), point)

    def _double_click(self) -> None:
        widget, point = self._target()
        QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)

    def _drag(self) -> None:
        widget, point = self._target()
        button, keys = self._random.choice(BUTTONS), self._random.choice(MODIFIERS)
        QTest.mousePress(widget, button, keys, point)
        for _ in range(self._random.randrange(1, 5)):
            if not isValid(widget):  # what was pressed has closed
                return
            point += QPoint(self._random.randrange(-80, 80), self._random.randrange(-40, 40))
            QTest.mouseMove(widget, point)
        if isValid(widget):
            QTest.mouseRelease(widget, button, keys, point)

    def _move(self) -> None:
        QTest.mouseMove(*self._target())

    def _wheel(self) -> None:
        widget, point = self._target()
        turn = QPoint(0, self._random.choice((-120, 120)))
        spot, nothing = QPointF(point), Qt.ScrollPhase.NoScrollPhase
        place = QPointF(widget.mapToGlobal(point))
        buttons, keys = Qt.MouseButton.NoButton, self._random.choice(MODIFIERS)
        QApplication.sendEvent(
            widget, QWheelEvent(spot, place, QPoint(), turn, buttons, keys, nothing, False)
        )

    def _do_action(self) -> None:
        if self._open is self.window:
            self.window.actions_by_id[self._random.choice(ACTIONS).id].trigger()

    def _resize(self) -> None:
        self.window.resize(*self._random.choice(SIZES))

    # --- what is done on purpose ---

    def _do_something_rare(self) -> None:
        if self._open is self.window:
            act = self._random.choice(self._rare)
            self.done[act.__name__] += 1
            act()

    def _open_network(self) -> None:
        name = self._random.choice((*built_in_names(), *template_names()))
        network = load(name) if name in built_in_names() else template(name)
        self.window.session.open_network(network)

    def _put_fault(self) -> None:
        session = self.window.session
        fault = self._random.choice(CLINIC)
        places = fault.places(session.model.graph)
        if places:
            place = self._random.choice(places)
            session.set_fault(FaultAt(fault.name, place.node, place.slot))

    def _begin_lesson(self) -> None:
        row = self._random.choice(self.window.teaching.rows())
        self.window.teaching.open(row.source, self._random.randrange(row.pages))

    def _write_and_read(self) -> None:
        path = Path(f"kept{self._random.randrange(3)}{self._random.choice((NETWORK, SESSION))}").absolute()
        self.window.filing.write(path, lambda: self.window.filing.open(str(path)))

    def _export(self) -> None:
        """Choose anything on the export card, as small as it goes, and write it."""
        self.window.export()
        card = self.window.overlay
        assert isinstance(card, ExportChoice)
        card.scale.setValue(card.scale.minimum())
        card.duration.setValue(card.duration.minimum())
        for box in (card.kinds, card.subjects, card.steps, card.themes):
            for _ in range(self._random.randrange(box.count())):
                QTest.keyClick(box, Qt.Key.Key_Down)
        card.typed.setText(self._random.choice(("1", "2-4", "last", "9999", "x")))
        card.set_path(str(Path(f"out{self._random.randrange(3)}{Path(card.name.text()).suffix}").absolute()))
        QTest.keyClick(card, Qt.Key.Key_Return)


def play(monkey: Monkey, events: int) -> None:
    """Let the monkey act inside of a loop like the application's, which deletes what has closed."""
    loop, turns = QEventLoop(), iter(range(events))

    def act() -> None:
        if next(turns, None) is None:
            loop.quit()
        else:
            monkey.act()

    timer = QTimer(interval=0)
    timer.timeout.connect(act)
    timer.start()
    loop.exec()
    timer.stop()


def memory() -> int:
    """Return the bytes of this process that lie in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.chdir(tmp_path)  # whatever it saves
    settings = Settings(QSettings())
    settings.set("files/folder", str(tmp_path))
    found = Window(Session(Document.of(load("two-layer-nonlinear"))), settings)
    found.show()
    qtbot.waitExposed(found)
    found.settle()
    yield found
    found.close()


@pytest.fixture
def closing_dialogs(qtbot: QtBot) -> Iterator[None]:
    """Close file dialogs and menus that wait for an answer: they hold up whoever opened them."""

    def close() -> None:
        for widget in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
            if widget is not None and (widget.isModal() or isinstance(widget, QMenu)):
                widget.close()

    timer = QTimer(interval=20)
    timer.timeout.connect(close)
    timer.start()
    yield
    timer.stop()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Memory is read where Linux tells it.")
@pytest.mark.timeout(1500)  # after other tests in one process: what they left makes each restyling slower
def test_twenty_thousand_random_events_do_no_harm(window: Window, closing_dialogs: None) -> None:
    monkey = Monkey(window, SEED)
    window.actions_by_id["quit"].blockSignals(True)  # it would have left
    play(monkey, WARM_UP)
    before = memory()
    play(monkey, EVENTS - WARM_UP)
    growth = memory() - before
    assert growth < GROWTH, f"{growth / 2**20:.0f} MB"
