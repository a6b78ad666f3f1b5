"""A step in the window, from the key to the painted picture, on the largest built-in network."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytest_benchmark.fixture import BenchmarkFixture

from engine.graph import Detail
from gui.app import application, make_window, temporary_settings
from gui.window import Window


@pytest.fixture
def window() -> Iterator[Window]:
    application()
    window = make_window("perceptron-classifier", temporary_settings())
    window.show()
    window.settle()
    yield window
    window.close()


@pytest.mark.parametrize("detail", list(Detail))
def test_step(benchmark: BenchmarkFixture, window: Window, detail: Detail) -> None:
    """Right to the end and Left to the start, a key at a time."""
    window.session.set_detail(detail)
    window.settle()
    count = len(window.session.trace.steps)
    keys = cycle([Qt.Key.Key_Right] * count + [Qt.Key.Key_Left] * count)

    def step() -> None:
        QTest.keyClick(window.view, next(keys))
        QApplication.processEvents()
        QApplication.processEvents()

    benchmark.pedantic(step, rounds=4 * count, warmup_rounds=4 * count)
