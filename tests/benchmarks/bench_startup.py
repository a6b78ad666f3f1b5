"""How long until something is seen: the window against the least a pyqtgraph window takes, and `trace`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

BARE = """
import pyqtgraph
from PySide6.QtWidgets import QApplication, QMainWindow, QLabel
app = QApplication([])
class First(QLabel):
    def paintEvent(self, event):
        super().paintEvent(event)
        app.quit()
window = QMainWindow()
window.setCentralWidget(First("bare"))
window.resize(1280, 720)
window.show()
app.exec()
"""

OURS = """
import main
from PySide6.QtCore import QEvent, QObject
from gui.app import application, make_window, temporary_settings
app = application()
window = make_window(None, temporary_settings())
class First(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            app.quit()
        return False
first = First()
window.view.viewport().installEventFilter(first)
window.show()
app.exec()
import os
os._exit(0)
"""


@pytest.mark.parametrize(("name", "code"), [("bare", BARE), ("backstep", OURS)])
def test_first_paint(benchmark: BenchmarkFixture, name: str, code: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", code]

    def start() -> None:
        subprocess.run(command, env=environment, check=True, capture_output=True)

    benchmark.pedantic(start, rounds=7, warmup_rounds=1)


@pytest.mark.parametrize("arguments", [("trace", "two-layer-nonlinear"), ("trace", "perceptron-classifier")])
def test_trace(benchmark: BenchmarkFixture, arguments: tuple[str, ...]) -> None:
    def start() -> None:
        subprocess.run([sys.executable, "main.py", *arguments], check=True, capture_output=True)

    benchmark.pedantic(start, rounds=7, warmup_rounds=1)
