"""What a landscape takes: pytest tests/benchmarks/bench_landscape.py --benchmark-only.

The loss at 200 x 200 points stands beside a loop of forward passes over a fortieth of them, so that their
ratio can be read off the table; and the dock, from the question to the finest picture.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.batched import losses
from engine.landscape import Space, along_entries, along_random, default_extent, evaluate
from engine.trace import forward
from graphs.network import Model, bind, built_in, built_in_names

SIDE = 200
PART = 40


def opened(name: str) -> Model:
    return bind(built_in(name))


@pytest.mark.benchmark(group="40 000 points")
@pytest.mark.parametrize("kind", ["entries", "random"])
@pytest.mark.parametrize("name", built_in_names())
def test_grid(benchmark: BenchmarkFixture, name: str, kind: str) -> None:
    model = opened(name)
    space = Space.of(model.graph)
    if kind == "entries":
        slice_ = along_entries(model.graph, model.parameters, space.name(0), space.name(1))
    else:
        slice_ = along_random(model.graph, model.parameters)
    line = np.linspace(-2, 2, SIDE)
    benchmark(lambda: losses(model.graph, model.inputs, slice_.grid(line, line)))


@pytest.mark.benchmark(group="1000 forward passes, one by one")
@pytest.mark.parametrize("name", built_in_names())
def test_loop(benchmark: BenchmarkFixture, name: str) -> None:
    model = opened(name)
    leaves = {**model.inputs, **model.parameters}
    benchmark(lambda: [forward(model.graph, leaves) for _ in range(SIDE * SIDE // PART)])


@pytest.mark.benchmark(group="coarse to fine, extent included")
@pytest.mark.parametrize("name", built_in_names())
def test_levels(benchmark: BenchmarkFixture, name: str) -> None:
    model = opened(name)
    slice_ = along_random(model.graph, model.parameters)

    def work() -> None:
        extent = default_extent(slice_, model.graph, model.inputs)
        for _ in evaluate(slice_, model.graph, model.inputs, extent):
            pass

    benchmark(work)


@pytest.mark.benchmark(group="the dock, to the finest picture")
@pytest.mark.parametrize("name", built_in_names())
def test_dock(benchmark: BenchmarkFixture, qtbot, name: str) -> None:
    from gui.panels.landscape import LandscapePanel
    from gui.session import Document, Session
    from gui.theme import LIGHT

    session = Session(Document.of(built_in(name)))
    panel = LandscapePanel(session, LIGHT)
    qtbot.addWidget(panel)
    panel.resize(560, 230)
    panel.show()
    panel.settle()

    def work() -> None:
        panel.recentre()
        qtbot.waitUntil(lambda: panel.surface is not None and panel.surface.share == 1, timeout=60_000)

    benchmark.pedantic(work, rounds=5)
    session.close()
