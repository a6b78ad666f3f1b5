"""What training takes: pytest tests/benchmarks/bench_training.py --benchmark-only.

Both modes of a plan stand beside one another, so that their ratio can be read off the table; so do the
optimizers, and full batch and mini-batches. For training beside other programs see peers.py.
"""

from __future__ import annotations

import itertools

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.optimizers import OPTIMIZERS
from engine.plan import Inspector, Rates, Stepper
from engine.training import Recipe, Run
from graphs.network import bind, built_in, built_in_names
from tests.helpers import model_of

STEPS = 100


@pytest.mark.benchmark(group=f"{STEPS} steps by mode")
@pytest.mark.parametrize("mode", [Stepper, Inspector], ids=["fast", "inspect"])
@pytest.mark.parametrize("name", built_in_names())
def test_modes(benchmark: BenchmarkFixture, name: str, mode: type[Stepper | Inspector]) -> None:
    recipe = Recipe(settings={"learning_rate": 1e-3}).checked()
    plan = mode(bind(built_in(name)), Rates(OPTIMIZERS["gd"], recipe.settings_at, True))
    benchmark(plan.run, 0, STEPS)


@pytest.mark.benchmark(group=f"{STEPS} steps by optimizer")
@pytest.mark.parametrize("batch_size", [None, 32], ids=["full batch", "mini-batches"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(benchmark: BenchmarkFixture, optimizer: str, batch_size: int | None) -> None:
    recipe = Recipe(optimizer, {"learning_rate": 1e-3}, batch_size)
    run = Run(bind(built_in("two-layer-nonlinear")), recipe)
    benchmark(run.advance, STEPS)


@pytest.mark.benchmark(group="making a plan")
@pytest.mark.parametrize("name", built_in_names())
def test_making(benchmark: BenchmarkFixture, name: str) -> None:
    recipe, model = Recipe().checked(), bind(built_in(name))
    benchmark(lambda: Stepper(model, Rates(OPTIMIZERS["gd"], recipe.settings_at, True)))


@pytest.mark.benchmark(group="making a plan")
def test_making_for_ten_thousand_nodes(benchmark: BenchmarkFixture) -> None:
    lines = "\n".join(f"h{i + 1} = tanh(h{i})" for i in range(10_000))
    recipe, model = Recipe().checked(), model_of(f"h0 = w * 1\n{lines}\nL = h10000", {"w": 0.5})
    benchmark.pedantic(lambda: Stepper(model, Rates(OPTIMIZERS["gd"], recipe.settings_at, True)), rounds=3)


@pytest.mark.benchmark(group="rewinding a run of a million iterations")
@pytest.mark.parametrize("by", [1, 54_321], ids=["by one", "far"])
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_rewinding(benchmark: BenchmarkFixture, optimizer: str, by: int) -> None:
    run = Run(bind(built_in("univariate-regression")), Recipe(optimizer))
    run.advance(1_000_000)
    places = itertools.cycle(range(999_000, 100_000, -by))
    benchmark(lambda: run.at(next(places)))
