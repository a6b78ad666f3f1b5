"""Places in iterations of all kinds of networks, for tests of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.network import Model, Network, bind, built_in_names, load
from graphs.snapshot import Snapshot

BUILT_IN = [(name, detail) for name in built_in_names() for detail in Detail]
STRANGE_TITLE = '50 % of $x_1 & #2 \\ {a} ~ ^ "q" <b> `c` ŷ β Модель 神经 🎉 -- --> ?!'
_LONG = " + ".join(f"a * x{i}" for i in range(40))


def snapshot_of(
    model: Model, detail: Detail = Detail.EQUATION, recipe: Recipe | None = None, iteration: int = 0
) -> Snapshot:
    """Return the place after all steps of an iteration."""
    run = Run(model, recipe or model.network.training.recipe)
    run.advance(iteration)
    return Snapshot.of(run, model, detail=detail, iteration=iteration)


@cache
def built_in_snapshot(name: str, detail: Detail = Detail.EQUATION) -> Snapshot:
    """Return the first iteration of a built-in network."""
    return snapshot_of(bind(load(name)), detail)


def _model(formula: str, parameters: Mapping[str, Any], data: Mapping[str, Any], title: str = "Odd") -> Model:
    known = [{n: np.array(v, dtype=float) for n, v in values.items()} for values in (parameters, data)]
    known[1] = {n: a.reshape(1, -1) if a.ndim == 1 else a for n, a in known[1].items()}
    return bind(Network("odd_1", title, formula, parameters=known[0], data=known[1], description=title))


ODD: Mapping[str, tuple[Any, ...]] = {
    "names": (
        "alpha_1 = lam * x + вес\nprint = alpha_1**2\nL = mean(print) + 0 * lambda_",
        {"lam": 2.0, "вес": 0.5, "lambda_": 1.0},
        {"x": [1.0, 2.0, 3.0]},
        STRANGE_TITLE,
    ),
    "extreme": (
        "z = a * x\nL = sum(exp(z)) + log(c)",
        {"a": 1e-300, "c": 0.0},
        {"x": [1e300, -1e300, 3.0]},
    ),
    "not a number": ("z = log(a) * x\nL = sum(z * z)", {"a": -1.0}, {"x": [1.0, 2.0]}),
    "deep": (f"L = {'sin(' * 45}a * b + 1{')' * 45} + a", {"a": 1.0, "b": 0.5}, {}),
    "many": (f"L = a * b{' + sin(1)' * 210}", {"a": 1.0, "b": 0.5}, {}),  # not written out
    "wide": (
        f"L = {_LONG}",
        {"a": 1.0, **{f"x{i}": 0.1 * i for i in range(40)}},
        {},
    ),
    "functions": (
        "Z = W @ X\nS = softmax(Z)\nM = max(Z, axis=0)\n"
        "L = cross_entropy(Z, Y) + mean(S * S) + 0.1 * sum(min(W, 0.3)) + norm(W) + sum(M) + sum(abs(W)) + "
        "sum(relu(Z)) + sum(softplus(Z)) + sum(sqrt(W * W + 1)) / 3",
        {"W": [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]},
        {"X": [[1, 2, 3, 4], [0, 1, 0, 1]], "Y": [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]},
    ),
    "shared": (
        "u = w * x + b\nv = w * u + b\nq = v * v\nL = 1/m * norm(q - y)**2 + sum(w)",
        {"w": 0.5, "b": -0.25},
        {"x": [1, 2, 3, 4], "y": [0.5, 1, 0.25, 0]},
    ),
    "unused": ("y = a * x\nL = sum(y * y)", {"a": 1.0, "spare": [[1.0, 2.0]]}, {"x": [1, 2]}),
    "one axis": ("u = sum(X, axis=0)\nL = w * (u @ u)", {"w": 1.0}, {"X": [[1, 2], [3, 4]]}),
    "long names": (
        "a_very_long_name_of_a_value_that_goes_on_and_on = another_long_name_of_something * x\n"
        "L = sum(a_very_long_name_of_a_value_that_goes_on_and_on**2)",
        {"another_long_name_of_something": 1.0},
        {"x": [1, 2]},
        "A title of many words " * 12,
    ),
    "no data": ("L = a**2 + 1/(1 + exp(-b))", {"a": 0.5, "b": 2.0}, {}),
}


@cache
def odd_snapshot(key: str, detail: Detail = Detail.EQUATION) -> Snapshot:
    """Return the first iteration of an odd network."""
    return snapshot_of(_model(*ODD[key]), detail)


def batch_snapshot(detail: Detail = Detail.EQUATION) -> Snapshot:
    """Return iteration 37 of a training with Adam on mini-batches."""
    model = bind(load("two-layer-nonlinear"))
    return snapshot_of(model, detail, Recipe("adam", batch_size=16).checked(), 37)


def every_snapshot() -> Iterator[tuple[str, Snapshot]]:
    """Yield the built-in networks and the odd ones at both details, and a mini-batch of Adam's."""
    for name, detail in BUILT_IN:
        yield f"{name} {detail}", built_in_snapshot(name, detail)
    for key in ODD:
        for detail in Detail:
            yield f"{key} {detail}", odd_snapshot(key, detail)
    yield "batch", batch_snapshot()


def numbers_in(latex: str) -> list[float]:
    """Return the numbers that stand in LaTeX, powers of ten put in, dots left out."""
    latex = re.sub(r"(?<!\\times )10\^", r"1 \\times 10^", latex)  # a power of ten has no mantissa
    found = re.findall(r"-?\d+(?:\.\d+)?(?: \\times 10\^\{-?\d+\})?|-?\\infty|\\text\{nan\}", latex)
    words = {r"\infty": np.inf, r"-\infty": -np.inf, r"\text{nan}": np.nan}
    return [
        words[text] if text in words else float(re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", text))
        for text in found
    ]


def rounding_snapshot() -> Snapshot:
    """Return an iteration in which a value and gradients should have been zero, but for rounding."""
    formula = "z = 0.1 * w + 0.2 * w - 0.3 * w\nL = mean(z * x) + mean(z * z)"
    return snapshot_of(_model(formula, {"w": [[1.0], [2.0]]}, {"x": [[1.0, 2.0, 3.0]]}))
