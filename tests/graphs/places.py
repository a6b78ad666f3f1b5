"""Places that documents are tested at: every network, odd ones, both details; first, middle and last step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.network import Model, Training, bind, built_in_names, load
from graphs.snapshot import Snapshot
from tests.helpers import model_of

__all__ = ["TITLE", "every_place", "odd_models"]

TITLE = '</script> ŷ & "quotes" \\ <b>\u201c</b> = {1} % # $x$'

_LONG = " + ".join(["sin(w * a)"] * 150)


def odd_models() -> Iterator[Model]:
    """Yield models of odd networks, each with a title that no format may trip over."""
    data = {"X": [[1.0, 2.0, 3.0]], "y": [[1.0, 0.0, 1.0]]}
    networks = (
        ("L = sum(lam * X) + print", {"print": 2.5, "lam": 1.0}, data),
        ("alpha_1 = x * w\nL = (alpha_1 - 2)**2 * 1e-300", {"w": 0.3}, {"x": 2.0}),
        ("Z = log(w * X)\nL = sum(Z) / 0", {"w": -1.0}, data),
        (f"a = w * w\nL = {_LONG} + a", {"w": 0.3}, {}),
        (
            "A = softmax(W @ X, axis=0)\nL = cross_entropy(W @ X, A) + max(W) - min(max(A, axis=1))",
            {"W": [[0.1], [-0.2]]},
            data,
        ),
        ("ŷ = W * X + W\nL = mse(ŷ, y) + bce(ŷ, y)", {"W": 0.5}, data),
    )
    for parts in networks:
        model = model_of(*parts, training=Training(steps=20))
        yield bind(replace(model.network, title=TITLE))


@cache
def every_place(detail: Detail, built_in: bool = True) -> Sequence[tuple[str, Snapshot]]:
    """Return snapshots with names: of the built-in networks and the odd ones, or of these alone.

    The iteration is number 37 of a training with Adam and mini-batches, where there is one.
    """
    models = [bind(load(name)) for name in built_in_names()] if built_in else []
    found = []
    for number, model in enumerate((*models, *odd_models())):
        size = min(7, model.examples) if model.graph.examples is not None else None
        run = Run(model, Recipe("adam", {}, size))
        with np.errstate(all="ignore"):
            run.advance(37)
            whole = Snapshot.of(run, model, detail=detail, iteration=run.iteration)
        last = len(whole.trace.steps)
        for position in (0, 1, (last + 1) // 2, last):
            found.append((f"{model.network.name}-{number}-{position}", whole.at(position)))
    return found
