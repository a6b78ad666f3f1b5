"""The NumPy statements of a trace, run one after the other, give the trace's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.graph import Detail
from engine.trace import trace
from graphs.documents.json import trace_json
from graphs.network import Model, bind, built_in_names, load, loads

NETWORKS = {
    "two gradients that are one array": 'A = exp(w)\nL = sum(A*A)"""\n[parameters]\nw = [[0.1, 0.2]]',
    "a value handed on": 'y = x + 0\nz = y + y\nL = sum(z*z) + sum(y)"""\n[parameters]\nx = [1.0, 2.0]',
    "a parameter called m": 'L = sum(m*X)"""\n[parameters]\nm = 2.5\n[data]\nX = [[1.0, 2.0], [3.0, 4.0]]',
    "a name like a part's": 'x_part1 = a*2\nx = a*2 + x_part1*a\nL = x*a"""\n[parameters]\na = 2.0',
    "a residual": (
        'h = tanh(W@X)\nr = h + tanh(W@h)\nL = norm(r)**2"""\n[parameters]\nW = [[0.1, 0.2], [0.3, -0.4]]\n'
        "[data]\nX = [[1.0, 2.0, 3.0], [3.0, 4.0, 0.5]]"
    ),
}


def run_codes(model: Model, detail: Detail) -> tuple[dict[str, Any], dict[str, Any]]:
    steps = trace_json(model, trace(model.graph, model.leaves, detail))
    known: dict[str, Any] = {name: np.array(value) for name, value in model.leaves.items()}
    if model.graph.examples is not None:
        known.setdefault("m", model.graph.examples)
    known["np"] = np
    for step in steps["steps"]:
        exec(step["code"], known)  # noqa: S102  (our own statements, as a reader would run them)
    return known, steps


def check(model: Model, detail: Detail) -> None:
    known, steps = run_codes(model, detail)
    reached = {
        step["input"] or step["node"] for step in steps["steps"] if step["phase"] in ("seed", "backward")
    }
    for name, gradient in steps["gradients"].items():
        if name in reached:
            np.testing.assert_allclose(known[f"d_{name}"], gradient, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", built_in_names())
def test_the_statements_of_a_built_in_network_run(name: str, detail: Detail) -> None:
    check(bind(load(name)), detail)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", NETWORKS)
def test_the_statements_of_a_tricky_network_run(name: str, detail: Detail) -> None:
    check(bind(loads('formula = """\n' + NETWORKS[name])), detail)
