"""The same numbers come of the same data, wherever and however these lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from engine.batched import losses
from engine.memory import ALIGNMENT, aligned, settled
from engine.plan import Inspector
from engine.training import Recipe, Run
from graphs.network import Model, bind, built_in
from tests.helpers import model_of

Array = np.ndarray


def shifted(array: Array) -> Array:
    """Return a copy that begins 8 bytes behind a multiple of the alignment."""
    room = aligned((array.size + 1,))[1:].reshape(array.shape)
    room[...] = array
    return room


def strided(array: Array) -> Array:
    """Return a copy whose entries are every other one of a larger array."""
    every_other = (*(slice(None, None, 2),) * array.ndim, ...)
    room = np.full(tuple(2 * n for n in array.shape), np.nan)[every_other]
    room[...] = array
    return room


LIES: Mapping[str, Callable[[Array], Array]] = {
    "shifted": shifted,
    "strided": strided,
    "by columns": lambda array: np.array(array, order="F"),
}


def lying(model: Model, how: str) -> Model:
    return replace(model, leaves={name: LIES[how](array) for name, array in model.leaves.items()})


def random_model(formula: str) -> Model:
    rng = np.random.default_rng(3)
    data = {"X": rng.normal(size=(7, 53)), "y": rng.normal(size=(1, 53))}
    shapes = {"W": (5, 7), "b": (5, 1), "v": (1, 5)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items() if name in formula}
    return model_of(formula, parameters, data)


NETWORKS = {
    "two layers": "L = mse(v @ tanh(W @ X + b), y)",
    "data turned": "L = mse(v @ W @ X @ X.T @ X, y)",
    "data as they are": "L = norm(v @ exp(W @ X / 9) - y * exp(y))**2 + sum(sum(X * X, axis=0) * y) * sum(b)",
}


@pytest.mark.parametrize("how", LIES)
@pytest.mark.parametrize("formula", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("batch_size", [None, 9])
def test_a_run_is_the_same_to_the_last_bit_however_its_data_lie(
    formula: str, how: str, batch_size: int | None
) -> None:
    model = random_model(formula)
    recipe = Recipe("adam", {"learning_rate": 1e-3}, batch_size=batch_size)
    found = []
    for run in (Run(model, recipe), Run(lying(model, how), recipe)):
        run.advance(40)
        found.append(
            (run.losses.tobytes(), run.at(23).parameters["v"].tobytes(), run.gradient_norm(run.at(9)))
        )
    assert found[0] == found[1]


@pytest.mark.parametrize("how", LIES)
def test_a_run_of_the_interpreter_is_the_same_to_the_last_bit(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "_agree", lambda *_: False)
    model = random_model(NETWORKS["two layers"])
    found = []
    for run in (Run(model, Recipe(batch_size=9)), Run(lying(model, how), Recipe(batch_size=9))):
        run.advance(20)
        assert isinstance(run._stepper, Inspector)
        found.append((run.losses.tobytes(), run.point.parameters["W"].tobytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("how", LIES)
def test_a_landscape_is_the_same_to_the_last_bit(how: str) -> None:
    model = bind(built_in("two-layer-nonlinear"))
    share = np.linspace(-2, 2, 31)
    found = []
    for m in (model, lying(model, how)):
        parameters = {n: np.multiply.outer(share, a) for n, a in m.parameters.items()}
        found.append(losses(m.graph, m.inputs, parameters))
    assert found[0].tobytes() == found[1].tobytes()


def test_what_lies_well_is_not_copied() -> None:
    array = aligned((3, 4))
    found = settled({"as it is": array, "turned": array.T})
    assert found["as it is"] is array
    assert all(a.ctypes.data % ALIGNMENT == 0 and a.flags.c_contiguous for a in found.values())
