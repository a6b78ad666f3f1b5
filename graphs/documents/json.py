"""The JSON of the command line: traces, equations and runs for other programs to read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.derive import Derivation
from engine.errors import BackstepError
from engine.optimizers import Optimizer, update_equation
from engine.trace import Phase, Step, Trace
from engine.training import Run
from graphs.documents import Format, Options
from graphs.network import Model
from graphs.provenance import provenance
from graphs.recipes import table_of
from graphs.snapshot import Snapshot

__all__ = ["FORMAT", "derive_json", "dumps", "plain", "step_json", "trace_json", "train_json"]


def dumps(document: Any) -> str:
    """Return a document as one line of JSON; a number that is not finite becomes null, which JSON has.

    Examples
    --------
    >>> dumps({"loss": [0.1, float("inf")]})
    '{"loss": [0.1, null]}'
    """
    try:
        return json.dumps(document, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(document), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def plain(array: Any) -> Any:
    """Return an array as nested lists of floats, a scalar as a float."""
    return np.asarray(array, dtype=float).tolist()


def _table(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(array) for name, array in arrays.items()}


def trace_json(
    model: Model,
    trace: Trace,
    optimizer: Optimizer | None = None,
    settings: Mapping[str, float] | None = None,
    derivation: Derivation | None = None,
) -> dict[str, Any]:
    """Return a trace as the command line prints it; with ``notices`` where numbers are not finite.

    Parameters
    ----------
    derivation
        The equations of its steps, where they are not the right ones: a fault is in them.
    """
    derivation = derivation or Derivation(trace.graph, trace.detail)
    result = {
        "network": model.network.name,
        "detail": trace.detail.value,
        "seed": model.seed,
        "loss": trace.loss,
        "values": _table(trace.values),
        "gradients": _table(trace.gradients),
        "steps": [step_json(step, trace, derivation, optimizer, settings) for step in trace.steps],
    }
    notices = _not_finite(trace)
    return result | {"notices": notices} if notices else result


def _not_finite(trace: Trace) -> list[str]:
    tables = (("the value", trace.values), ("the gradient", trace.gradients))
    return [
        f"{what} of {name} is not finite everywhere; null stands for such numbers."
        for what, table in tables
        for name, array in table.items()
        if not np.all(np.isfinite(array))
    ]


def step_json(
    step: Step,
    trace: Trace,
    derivation: Derivation,
    optimizer: Optimizer | None = None,
    settings: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return one step: where it is, what it sets, its factor, its equation and its NumPy line."""
    common = {
        "index": step.index,
        "phase": step.phase.value,
        "node": step.node,
        "input": step.input,
        "slot": step.slot,
        "shape": list(step.after.shape),
    }
    if step.phase == Phase.FORWARD:
        return common | _forward(step, derivation)
    if step.phase == Phase.UPDATE:
        return common | _update(step, trace, derivation, optimizer, settings or {})
    return common | {
        "contribution": plain(step.after if step.contribution is None else step.contribution),
        "gradient": plain(step.after),
        **(_seed(step, derivation) if step.phase == Phase.SEED else _backward(step, derivation)),
    }


def _forward(step: Step, derivation: Derivation) -> dict[str, Any]:
    return {
        "value": plain(step.after),
        "factor": None,
        "latex": derivation.forward_latex(step.node),
        "code": derivation.forward_source(step.node),
    }


def _seed(step: Step, derivation: Derivation) -> dict[str, Any]:
    name = derivation.gradient_name(step.node)
    return {"factor": None, "latex": f"{name.text} = 1", "code": f"{name.code} = 1.0"}


def _backward(step: Step, derivation: Derivation) -> dict[str, Any]:
    assert step.slot is not None
    try:
        equation = derivation.backward_equation(step.node, step.slot, accumulate=step.before is not None)
    except (
        BackstepError
    ) as error:  # a line of thousands of operations: its numbers stand, its equation does not
        return {"factor": None, "latex": rf"\text{{{error.what}}}", "code": f"# {error}"}
    factor = equation.contribution.factor
    return {
        "factor": {"side": factor.side, "latex": factor.latex, "uses": list(factor.uses)},
        "latex": equation.latex,
        "code": equation.source,
    }


def _update(
    step: Step,
    trace: Trace,
    derivation: Derivation,
    optimizer: Optimizer | None,
    settings: Mapping[str, float],
) -> dict[str, Any]:
    found = {
        "quantity": step.quantity,
        "value": plain(step.after),
        "gradient": plain(trace.gradients[step.node]),
    }
    if optimizer is None:
        return found | {"factor": None, "latex": "", "code": ""}
    equation = update_equation(optimizer, derivation, step)
    return found | {"factor": None, "latex": equation.latex, "code": equation.source(settings)}


def derive_json(derivation: Derivation) -> dict[str, Any]:
    """Return every equation, forward and backward, and the gradients' NumPy expressions."""
    graph = derivation.graph
    return {
        "forward": {line.name: derivation.forward_latex(line.name) for line in graph.lines},
        "gradients": {name: derivation.equation(name) for name in derivation.gradients},
        "code": [list(row) for row in derivation.code()],
    }


def train_json(model: Model, run: Run, trajectory: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a finished run; ``settings`` is its recipe in the words of a network file."""
    result = {
        "network": model.network.name,
        "optimizer": run.optimizer.name,
        "seed": model.seed,
        "steps": run.iteration,
        "loss": run.losses.tolist(),
        "parameters": _table(run.point.parameters),
    }
    result["settings"] = table_of(run.recipe) | dict(run.recipe.settings)
    if trajectory is not None:
        result["trajectory"] = {name: [plain(v) for v in values] for name, values in trajectory.items()}
    if model.held() is not None:
        result["held_loss"] = run.sample(run.point).held_loss
    if run.ended is not None:
        result["notices"] = [run.ended.sentence()]
    return result


def _write(snapshot: Snapshot, _: Options) -> str:
    chosen = (snapshot.optimizer, snapshot.settings)
    found = trace_json(snapshot.model, snapshot.trace, *chosen, snapshot.derivation)
    return dumps({"metadata": provenance(snapshot, with_document=True)} | found) + "\n"


FORMAT = Format("json", "JSON of every step", (".json",), _write)
