"""A key in the formula, from the key to the painted graph: built-in networks, and a formula of 1500 lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytest_benchmark.fixture import BenchmarkFixture

from graphs.network import built_in_names
from gui.app import application, make_window, temporary_settings
from gui.panels.formula import FormulaPanel
from gui.window import Window

LINES = 1500
ROUNDS = 20


@pytest.fixture
def opened() -> Iterator[Callable[[str], Window]]:
    """Open a window with the formula in sight, its cursor at the end of the first line."""
    application()
    windows: list[Window] = []

    def open_window(source: str) -> Window:
        window = make_window(source, temporary_settings())
        window.resize(1280, 720)
        window.show()
        windows.append(window)
        window.show_dock("formula")
        window.settle()
        text = formula_of(window).text
        text.go_to(1, len(text.toPlainText().split("\n")[0]) + 1)
        return window

    yield open_window
    for window in windows:
        window.filing.give_up()
        window.close()


def formula_of(window: Window) -> FormulaPanel:
    panel = window.panels["formula"]
    assert isinstance(panel, FormulaPanel)
    return panel


def typed(window: Window) -> Callable[[], None]:
    """Return what types a change of the network, and goes on until it has been painted."""
    panel = formula_of(window)
    QTest.keyClicks(panel.text, " + 0.")
    panel.settle()
    keys = cycle([Qt.Key.Key_5, Qt.Key.Key_Backspace])

    def key() -> None:
        before = window.session.document
        QTest.keyClick(panel.text, next(keys))
        while window.session.document is before:
            QApplication.processEvents()
        QApplication.processEvents()

    return key


@pytest.mark.parametrize("name", built_in_names())
def test_built_in(benchmark: BenchmarkFixture, opened: Callable[[str], Window], name: str) -> None:
    """Every built-in network, with an undo step for every key."""
    benchmark.pedantic(typed(opened(name)), rounds=ROUNDS, warmup_rounds=2)


def test_many_lines(benchmark: BenchmarkFixture, opened: Callable[[str], Window], tmp_path: Path) -> None:
    """A formula so long that its graph is made ready beside the window."""
    lines = ["h0 = tanh(w * x)", *(f"h{i} = tanh(w * h{i - 1} + b)" for i in range(1, LINES))]
    text = "\n".join([*lines, f"L = mse(h{LINES - 1}, y)"])
    numbers = "parameters = { w = 0.5, b = 0.1 }\ndata = { x = [1.0, 2.0], y = [0.1, 0.2] }"
    path = tmp_path / "long.toml"
    path.write_text(f'formula = """\n{text}\n"""\n{numbers}\n', "utf-8")
    benchmark.pedantic(typed(opened(str(path))), rounds=4, warmup_rounds=1)
