"""Running exported training scripts by themselves, and what they are to print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.network import Model, Training, bind, load
from graphs.snapshot import Snapshot
from tests.helpers import model_of

__all__ = ["LONG", "ODD", "check_printed", "exported", "odd", "shortened"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)")
LONG = " + ".join(["sin(w * a) * cos(exp(0.1))"] * 90)
ODD: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a parameter called m": ("L = mean((m*X - y)**2)", {"m": 2.5}, {"X": [[1.0, 2.0]], "y": [[2.0, 1.0]]}),
    "names of the script's own": (
        "forward = print * X + rate\nrows = sigmoid(forward)\nbatch = rows + 1\nL = mse(rows, i)",
        {"print": 0.5, "rate": -0.1, "SEED": 1.0},
        {"X": [[1.0, 2.0, -1.0]], "i": [[0.0, 1.0, 1.0]]},
    ),
    "names like quantities": (
        "v_w = w * X\nX_batch = v_w + b\nL = mse(X_batch, y)",
        {"w": 1.5, "b": 0.0},
        {"X": [[1.0, 2.0, 3.0]], "y": [[0.5, 1.0, 2.0]]},
    ),
    "scalars alone": ("alpha_1 = x * w\nL = (alpha_1 - 2)**2 + sin(w) * 1e-300", {"w": 0.3}, {"x": 2.0}),
    "a parameter that the loss does not read": ("Z = v * 2\nL = w * w", {"w": 1.0, "v": [[1.0], [2.0]]}, {}),
    "the loss stands before another line": ("L = (w - 1)**2\nafter = L * w + 1\nlast = 2", {"w": 3.0}, {}),
    "a shared parameter": (
        "A = tanh(W @ X)\nB = tanh(W @ A)\nL = mse(W @ B, X)",
        {"W": [[0.1, 0.2], [-0.3, 0.4]]},
        {"X": [[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]]},
    ),
    "softmax and axes": (
        "P = softmax(W @ X, axis=0)\ns = sum(P, axis=1, keepdims=True)\n"
        "L = cross_entropy(W @ X, Y) + 0.1 * max(s) + min(max(P, axis=0)) + norm(mean(W, axis=-1))",
        {"W": [[0.1, 0.2], [-0.3, 0.4], [0.5, -0.1]]},
        {"X": [[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]], "Y": [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]},
    ),
    "two-argument extremes, and bce": (
        "z = max(w @ X, min(b, 0.1))\nL = bce(z, y) + abs(b)",
        {"w": [[0.5, -0.5]], "b": 0.3},
        {"X": [[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]], "y": [[1.0, 0.0, 1.0]]},
    ),
    "a long line": (f"a = w * w\nL = 0.001 * ({LONG}) + a", {"w": 0.3}, {}),
    "inputs of several shapes": (
        "yhat = W @ X + c * b\nL = mse(yhat, y) + 0.01 * norm(W)**2",
        {"W": [[0.5, -0.5, 1.0]], "b": [[0.2]]},
        {"X": [[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]], "y": [[1.0, 0.0]], "c": 2.0},
    ),
}
"""Networks by what is odd about them: formula, parameters, data."""


def shortened(name: str, steps: int = 30) -> Model:
    """Return the model of a built-in network that is trained for few iterations, from random parameters.

    From their own, gradients may be zero but for rounding, which adaptive optimizers make as large as any.
    """
    network = load(name)
    model = bind(replace(network, training=replace(network.training, steps=steps)), seed=2)
    rng = np.random.default_rng(5)
    return model.revalued({name: rng.normal(0, 0.5, a.shape) for name, a in model.parameters.items()})


def odd(name: str) -> Model:
    """Return one of the odd networks."""
    return model_of(*ODD[name], loss="L", training=Training(steps=20))


def exported(
    model: Model,
    recipe: Recipe,
    iteration: int = 0,
    detail: Detail = Detail.EQUATION,
    trained: int | None = None,
) -> Snapshot:
    """Return an iteration of a run that has been trained so far, or for some iterations."""
    run = Run(model, recipe)
    if trained or iteration:
        run.advance(iteration if trained is None else trained)
    return Snapshot.of(run, model, detail=detail, iteration=iteration)


def check_printed(printed: str, snapshot: Snapshot, where: str, iterations: int | None = None) -> None:
    """Assert that a script printed the run's losses, gradients of the exported iteration, last parameters."""
    run = Run(snapshot.model, snapshot.recipe)
    found = list(_blocks(printed))
    losses = {int(key): values[0] for kind, key, values in found if kind == "iteration"}
    run.advance(max(losses))
    last = run.iteration if iterations is None else iterations
    assert (min(losses), max(losses)) == (0, last), where
    for i, loss in losses.items():
        _close(np.array(loss), run.losses[i], f"{where}: loss of iteration {i}")
    arrays = {key: values for kind, key, values in found if kind == "array"}
    (shown,) = [values[0] for kind, _, values in found if kind == "exported"]
    _close(np.array(shown), np.asarray(snapshot.trace.loss), f"{where}: loss of the exported iteration")
    graph = snapshot.model.graph
    for name in graph.parameters:
        gradient = snapshot.trace.gradients[name]
        wanted = run.at(last).parameters[name]
        for key, array in ((f"d_{name}", gradient), (name, wanted)):
            if key != name and graph.ids[name] not in graph.on_loss_path and key not in arrays:
                continue  # PyTorch has no gradient where there is nothing to go back through
            code = next(k for k in arrays if k.rstrip("_") == key.rstrip("_"))
            _close(np.reshape(arrays[code], array.shape), array, f"{where}: {key}")


def _blocks(printed: str) -> Any:
    """Yield what a script printed: losses of iterations, the exported loss, and arrays by name."""
    for block in re.split(r"\n(?=\w)", printed.strip()):
        if match := re.match(r"iteration (\d+): .* = (\S+)$", block):
            yield "iteration", match[1], [float(match[2])]
        elif match := re.match(r"exported here.* = (\S+)$", block):
            yield "exported", "", [float(match[1])]
        elif match := re.match(r"(\w+) = ", block):
            text = block[match.end() :].partition("requires_grad")[0].partition("dtype")[0]
            yield "array", match[1], [float(x) for x in _NUMBER.findall(text)]


def _close(found: np.ndarray, wanted: np.ndarray, where: str) -> None:
    size = np.max(np.abs(wanted), where=np.isfinite(wanted), initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * size, err_msg=where)
