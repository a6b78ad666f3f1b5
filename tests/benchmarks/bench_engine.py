"""What the engine takes: pytest tests/benchmarks/bench_engine.py --benchmark-only.

Training stands beside the loop that one would write by hand, so that their ratio can be read off the table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.derive import Derivation
from engine.formula import parse
from engine.graph import Detail
from engine.trace import trace
from engine.training import Recipe, Run
from graphs.network import Model, bind, built_in, built_in_names
from tests.helpers import equations_of, model_of

STEPS = 100


@pytest.mark.benchmark(group="trace")
@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", built_in_names())
def test_trace(benchmark: BenchmarkFixture, name: str, detail: Detail) -> None:
    model = bind(built_in(name))
    benchmark(trace, model.graph, model.leaves, detail)


@pytest.mark.benchmark(group="open")
@pytest.mark.parametrize("name", built_in_names())
def test_open(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark(lambda: bind(built_in(name)))


@pytest.mark.benchmark(group="derive")
@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", built_in_names())
def test_every_equation(benchmark: BenchmarkFixture, name: str, detail: Detail) -> None:
    graph = bind(built_in(name)).graph
    benchmark(equations_of, graph, detail)


def _chain() -> str:
    lines = "\n".join(f"h{i + 1} = tanh(h{i})" for i in range(10_000))
    return f"h0 = w * 1\n{lines}\nL = h10000"


@pytest.mark.benchmark(group="ten thousand nodes")
def test_parse_chain(benchmark: BenchmarkFixture) -> None:
    benchmark(parse, _chain())


@pytest.mark.benchmark(group="ten thousand nodes")
def test_build_chain(benchmark: BenchmarkFixture) -> None:
    benchmark(model_of, _chain(), {"w": 0.5})


@pytest.mark.benchmark(group="ten thousand nodes")
def test_trace_chain(benchmark: BenchmarkFixture) -> None:
    model = model_of(_chain(), {"w": 0.5})
    benchmark(trace, model.graph, model.leaves)


@pytest.mark.benchmark(group="ten thousand nodes")
def test_derive_chain(benchmark: BenchmarkFixture) -> None:
    graph = model_of(_chain(), {"w": 0.5}).graph
    benchmark(lambda: Derivation(graph).code())


# --- training beside a loop by hand ------------------------------------------------------------------------


def _by_hand(model: Model, rate: float) -> dict[str, np.ndarray]:
    """Return what gradient descent comes to on the two-layer nonlinear network, written out in NumPy."""
    x, y = model.leaves["X"], model.leaves["y"]
    w1, b1, w2, b2 = (model.leaves[n].copy() for n in ("W1", "b1", "w2", "b2"))
    m = x.shape[1]
    for _ in range(STEPS):
        a = 1 / (1 + np.exp(-(w1 @ x + b1)))
        error = 2 / m * (w2 @ a + b2 - y)
        back = (w2.T @ error) * a * (1 - a)
        w1, b1 = w1 - rate * back @ x.T, b1 - rate * back.sum(axis=1, keepdims=True)
        w2, b2 = w2 - rate * error @ a.T, b2 - rate * error.sum()
    return {"W1": w1, "b1": b1, "w2": w2, "b2": b2}


def _by_engine(model: Model, rate: float) -> dict[str, np.ndarray]:
    run = Run(model, Recipe(settings={"learning_rate": rate}))
    run.advance(STEPS)
    return dict(run.point.parameters)


@pytest.mark.benchmark(group=f"{STEPS} steps of two-layer-nonlinear")
@pytest.mark.parametrize("way", [_by_hand, _by_engine], ids=["by hand", "engine"])
def test_training(benchmark: BenchmarkFixture, way: Callable[[Model, float], dict[str, np.ndarray]]) -> None:
    model = bind(built_in("two-layer-nonlinear"))
    found = benchmark(way, model, 0.3)
    for name, array in _by_hand(model, 0.3).items():
        np.testing.assert_allclose(found[name], array, rtol=1e-6)
