"""The fit dock while the network is trained: a refresh for another iteration, and with its painting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from graphs.network import FileData, Network, bind, load
from gui.app import application
from gui.panels.fit import FitPanel
from gui.session import Document, Session
from gui.theme import LIGHT

ITERATIONS = 40


def large() -> Network:
    """Return a two-layer network of one feature with 10 000 examples and 256 units."""
    network = load("two-layer-nonlinear")
    x = np.linspace(-2, 2, 10_000).reshape(1, -1)
    return replace(network, data={"X": x, "y": np.sin(3 * x)}, dimensions={"k": 256})


def plane() -> Network:
    """Return a classifier of two features, whose decision regions are drawn."""
    network = load("perceptron-classifier")
    assert isinstance(network.data, FileData)
    return replace(network, data=replace(network.data, inputs={"X": ("bill_length_mm", "body_mass_g")}))


NETWORKS: dict[str, Callable[[], Network]] = {
    "curve": lambda: load("univariate-regression"),
    "units": lambda: load("two-layer-nonlinear"),
    "versus": lambda: load("multivariate-regression"),
    "plane": plane,
    "large": large,
}


@pytest.fixture(params=list(NETWORKS))
def panel(request: pytest.FixtureRequest) -> Iterator[FitPanel]:
    application()
    session = Session(Document.of(replace(NETWORKS[request.param](), held_out=0.2)))
    panel = FitPanel(session, LIGHT)
    panel.resize(480, 240)
    panel.show()
    panel.build()
    yield panel
    session.close()


@pytest.mark.parametrize("painted", [False, True], ids=["refresh", "painted"])
def test_another_iteration(benchmark: BenchmarkFixture, panel: FitPanel, painted: bool) -> None:
    """What the dock adds to a frame: the session has the iteration's numbers already."""
    session, frames = panel.session, []
    for _ in range(ITERATIONS if "large" not in str(benchmark.name) else 4):
        session.step_training()
        frames.append(session.frame)
    places = cycle(frames)

    def refresh() -> None:
        panel.session._frame = frame = next(places)
        panel.session._timeline.trace = frame.trace
        panel.refresh()
        if painted and panel.plot is not None:
            panel.plot.viewport().repaint()

    benchmark.pedantic(refresh, rounds=100, warmup_rounds=5)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_new_model(benchmark: BenchmarkFixture, name: str) -> None:
    """What is worked out once for a network and its data."""
    from gui.viewdata.fit import Fit

    model = bind(replace(NETWORKS[name](), held_out=0.2))
    benchmark.pedantic(lambda: Fit(model), rounds=10)
