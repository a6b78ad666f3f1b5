"""What a frame of the loss dock costs: four runs of a million losses and more, all of them being trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytest_benchmark.fixture import BenchmarkFixture

from engine.training import Point, Records, Run
from gui.app import application, make_window, temporary_settings
from gui.curves import Pyramid, View, drawn
from gui.panels.loss import LossPanel
from gui.races import all_optimizers
from gui.window import Window

MILLION = 1_000_000
AT_ONCE = 1600
"""Iterations that come between two frames of a fast run: a hundred thousand a second."""


def record(run: Run, count: int, noise: float, generator: np.random.Generator) -> None:
    """Let a run have recorded so many losses more, as if it came from its training process."""
    first = len(run.losses)
    losses = np.exp(-np.arange(first, first + count) / 2e5) + noise * generator.random(count) + 0.01
    run.extend(Records(first, losses, Point(first + count - 1, run.point.parameters)))


@pytest.fixture(params=[0.0, 0.3], ids=["smooth", "noisy"])
def noise(request: pytest.FixtureRequest) -> float:
    return request.param


@pytest.fixture
def window(noise: float) -> Iterator[Window]:
    application()
    window = make_window("univariate-regression", temporary_settings())
    window.show()
    window.settle()
    session = window.session
    session.race(all_optimizers(session.document.recipe).recipes[:4], 1)
    session.pause()
    while session._lab.expects_news:
        QApplication.processEvents()
    generator = np.random.default_rng(0)
    for run in session.runs:
        record(run.run, MILLION, noise, generator)
    yield window
    window.close()


def test_frame(benchmark: BenchmarkFixture, window: Window, noise: float) -> None:
    """Take in what four runs have recorded since, and work out what is drawn."""
    panel = window.panels["loss"]
    assert isinstance(panel, LossPanel)
    generator = np.random.default_rng(1)

    def come() -> None:
        for run in window.session.runs:
            record(run.run, AT_ONCE, noise, generator)
        QApplication.processEvents()

    benchmark.pedantic(panel.refresh, setup=come, rounds=100, warmup_rounds=5)


def test_paint(benchmark: BenchmarkFixture, window: Window) -> None:
    """Paint the whole plot."""
    panel = window.panels["loss"]
    assert isinstance(panel, LossPanel)
    panel.refresh()
    QApplication.processEvents()
    assert panel.plot is not None
    benchmark(panel.plot.viewport().repaint)


@pytest.mark.parametrize("log_x", [False, True])
def test_zoom(benchmark: BenchmarkFixture, noise: float, log_x: bool) -> None:
    """Work out what is drawn of a million losses, from all of them down to a few."""
    series = Pyramid()
    series.extend(np.exp(-np.linspace(0, 8, MILLION)) + noise * np.random.default_rng(0).random(MILLION))
    rights = np.geomspace(10, MILLION, 50)
    views = [View(0, np.log10(r + 1) if log_x else r, 0, 1.4, 500, 120, log_x) for r in rights]
    benchmark(lambda: [drawn(series, view) for view in views])
