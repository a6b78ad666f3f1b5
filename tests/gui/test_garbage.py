"""Garbage goes in the window's thread alone: also a circle of widgets, however busy other threads are."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QThread
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.garbage import Collector, collect_here, soon


class Circle(QWidget):
    """A widget that refers to itself, and notes in which thread its Python side goes."""

    def __init__(self, went_in: list[threading.Thread]) -> None:
        super().__init__()
        self.own = self
        weakref.finalize(self, lambda: went_in.append(threading.current_thread()))


@pytest.fixture
def collecting() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    if was_on:
        gc.enable()


def test_a_thread_that_makes_much_frees_no_widget(qtbot: QtBot, collecting: None) -> None:
    app = QCoreApplication.instance()
    assert app is not None
    collect_here(app)
    went_in: list[threading.Thread] = []
    Circle(went_in)
    made: list[list[int]] = []
    thread = threading.Thread(target=lambda: made.extend([i] for i in range(200_000)))
    thread.start()
    thread.join()
    assert not went_in
    qtbot.waitUntil(lambda: bool(went_in), timeout=10_000)
    assert went_in == [threading.main_thread()]
    assert QThread.currentThread() is app.thread()


def test_what_was_set_aside_is_freed_once_nothing_happens(collecting: None) -> None:
    gc.disable()
    collector, gone = Collector(), []

    class Node:
        pass

    node = Node()
    node.own = node  # type: ignore[attr-defined]
    weakref.finalize(node, lambda: gone.append(1))
    gc.collect()
    gc.freeze()
    del node
    gc.collect()
    assert not gone
    collector.look_at_all()
    assert gone


def test_what_was_to_be_done_soon_goes_with_its_owner(qtbot: QtBot) -> None:
    done: list[str] = []

    class Owner(QWidget):
        def do(self) -> None:
            done.append("done")

    owner = Owner()
    soon(owner, owner.do)
    qtbot.waitUntil(lambda: done == ["done"])
    soon(owner, owner.do)
    shiboken6.delete(owner)
    gone = weakref.ref(owner)
    del owner
    gc.unfreeze()
    gc.collect()
    assert gone() is None
    QCoreApplication.processEvents()
    assert done == ["done"]
