"""The script of an iteration: in a fresh process, with NumPy alone, it gives the numbers of the trace."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from engine.faults import FAULTS, FaultyRun, Stage
from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.trace import Trace, trace
from engine.training import Recipe, Run
from graphs.array_source import MOST_WRITTEN, as_source
from graphs.iteration_script import Iteration, numpy_script
from graphs.network import Model, bind, built_in_names, load
from tests.helpers import Sample, built, model_of, samples

RUNNER = """
import json, sys
import numpy as np
assert "engine" not in sys.modules and "PySide6" not in sys.modules
found = {}
for path in sys.argv[1:]:
    scope = {"__name__": "__main__"}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), scope)
    found[path] = {
        name: np.asarray(value, dtype=float).tolist()
        for name, value in scope.items()
        if isinstance(value, (int, float, np.ndarray, np.generic))
    }
with open("found.json", "w", encoding="utf-8") as file:
    json.dump(found, file)
"""


def iteration(
    model: Model, detail: Detail, recipe: Recipe | None = None, number: int = 0
) -> tuple[Iteration, dict[str, np.ndarray]]:
    """Return an iteration of a run with what its script is to come to."""
    run = Run(model, recipe or Recipe())
    run.advance(number + 1)
    point = run.at(number)
    indices = model.indices(number, run.batch_size)
    graph, data = model.batch(indices)
    found = trace(graph, {**data, **point.parameters}, detail, run.optimize(point))
    batch = None if indices is None else indices.tolist()
    made = Iteration("Test", found, run.optimizer, run.recipe.settings_at(number), number, batch)
    return made, expected(found) | dict(run.at(number + 1).parameters)


def expected(found: Trace) -> dict[str, np.ndarray]:
    ends = {step.node: step.after for step in found.steps if step.quantity == "value"}
    gradients = {f"d_{name}": array for name, array in found.gradients.items()}
    return {**found.values, **gradients, **ends}


def check(scope: dict[str, Any], wanted: dict[str, np.ndarray], where: str = "") -> None:
    for name, array in wanted.items():
        got = np.asarray(scope[name], dtype=float)
        size = np.max(np.abs(array), where=np.isfinite(array), initial=1.0)
        assert got.shape == np.shape(array) or got.size == 1, (where, name)
        np.testing.assert_allclose(got, array, rtol=1e-12, atol=1e-12 * size, err_msg=f"{where} {name}")


def run_alone(folder: Path, texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return what scripts define, run in one fresh process that finds nothing of this program."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "runner.py").write_text(RUNNER, encoding="utf-8")
    command = [sys.executable, "-I", "-W", "error", "runner.py", *texts]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("detail", list(Detail))
def test_scripts_run_alone_and_give_every_number_of_the_trace(tmp_path, detail):
    wanted, texts = {}, {}
    for network in built_in_names():
        for optimizer in OPTIMIZERS:
            name = f"{network}-{optimizer}.py"
            made, wanted[name] = iteration(bind(load(network)), detail, Recipe(optimizer), number=3)
            texts[name] = numpy_script(made).text
    found = run_alone(tmp_path, texts)
    assert len(found) == len(built_in_names()) * len(OPTIMIZERS)
    for name, numbers in wanted.items():
        check(found[name], numbers, name)


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_a_mini_batch_is_written_with_its_own_examples(optimizer):
    model = bind(load("perceptron-classifier"))
    made, wanted = iteration(model, Detail.EQUATION, Recipe(optimizer, batch_size=32), number=5)
    text = numpy_script(made).text
    assert "m = 32  # examples" in text
    assert f"a mini-batch, examples {model.indices(5, 32)[0]}, " in text  # type: ignore[index]
    check(executed(text), wanted)


def executed(text: str) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        exec(text, scope)  # noqa: S102  the program's own source
    return scope


TRICKY = {
    "a parameter called m": ("L = sum(m*X)", {"m": 2.5}, {"X": [[1.0, 2.0]]}),
    "a parameter called print": ("L = sum(print*X)", {"print": 2.5}, {"X": [[1.0, 2.0]]}),
    "one that the loss does not read": ("Z = w * x\nL = sum(x)", {"w": 1.0}, {"x": [1.0, 2.0]}),
    "a name like a part's": ("x_part1 = a*2\nx = a*2 + x_part1*a\nL = x*a", {"a": 2.0}, {}),
    "large arguments": ("L = sum(sigmoid(w * x))", {"w": 1.0}, {"x": [-800.0, 800.0, 1.0]}),
    "not a number": ("L = sum(log(w * x))", {"w": 1.0}, {"x": [-1.0, 0.0, 1.0]}),
    "a division by zero": ("L = 1 / w", {"w": 0.0}, {}),
    "numbers in a long line": (
        "L = " + " + ".join(["cos(exp(0.1)) * sin(w)"] * 200),
        {"w": 0.3},
        {},
    ),
    "a long line": ("a = w * w\nL = " + " + ".join(["sin(w * a)"] * 300) + " + a", {"w": 0.3}, {}),
}


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("name", TRICKY)
def test_the_script_of_a_tricky_network_runs(name, detail):
    model = model_of(*TRICKY[name])
    found = trace(model.graph, model.leaves, detail)
    check(executed(numpy_script(Iteration("Test", found)).text), expected(found))


@settings(max_examples=150, deadline=None)
@given(samples())
def test_the_script_of_any_network_runs(sample: Sample):
    model = built(sample)
    if model is None:
        return
    for detail in Detail:
        found = trace(model.graph, model.leaves, detail)
        check(executed(numpy_script(Iteration("Test", found)).text), expected(found))


def test_a_script_reads_as_a_teacher_would_write_it():
    made, _ = iteration(bind(load("two-layer-nonlinear")), Detail.EQUATION, Recipe("momentum"), number=1)
    script = numpy_script(made)
    lines = script.text.splitlines()
    assert lines[0] == '"""Test: iteration 1 in NumPy."""'
    assert [line for line in lines if line.startswith("# ---")] == [
        "# --- data ---",
        "# --- parameters ---",
        "# --- what Momentum kept from the updates before ---",
        "# --- forward ---",
        "# --- backward ---",
        "# --- update ---",
    ]
    assert "# A = sigmoid(Z)" in lines
    assert "# back through Z = W1 @ X + b1" in lines
    assert any(line.startswith("# W1: Momentum, learning rate ") for line in lines)
    assert script.arrays == 2 + 4 + 4
    assert len(script.statements) == len(made.trace.steps)
    assert max(len(line) for line in script.setup) <= 104
    assert lines[-1] == 'print("L =", L)'


@pytest.mark.parametrize(
    "array",
    [
        0.1,
        [1.5],
        [[1 / 3, -0.0], [np.nan, -np.inf]],
        np.zeros((2, 0)),
        np.random.default_rng(0).normal(size=(40,)),
        np.random.default_rng(0).normal(size=(7, 30)),
        np.random.default_rng(0).normal(size=(3, MOST_WRITTEN)),
    ],
    ids=["scalar", "one", "special", "empty", "long", "wide", "packed"],
)
def test_an_array_comes_back_to_the_last_bit(array):
    import base64
    import zlib

    scope: dict[str, Any] = {"np": np, "base64": base64, "zlib": zlib}
    exec("\n".join(as_source("a", array)), scope)  # noqa: S102
    wanted = np.asarray(array, dtype=float)
    assert scope["a"].shape == wanted.shape
    assert scope["a"].tobytes() == wanted.tobytes()


def test_large_data_are_packed_and_the_script_runs_alone(tmp_path):
    rng = np.random.default_rng(3)
    data = {"X": rng.normal(size=(3, 20_000)), "y": rng.normal(size=(1, 20_000))}
    made, wanted = iteration(model_of("L = mse(w @ X, y)", {"w": [[0.1, 0.2, 0.3]]}, data), Detail.EQUATION)
    check(run_alone(tmp_path, {"large.py": numpy_script(made).text})["large.py"], wanted)


@pytest.mark.parametrize("name", ["perceptron-classifier", "scalar-operations"])
@pytest.mark.parametrize("detail", Detail)
def test_the_script_of_an_iteration_with_a_fault_has_the_fault(name: str, detail: Detail) -> None:
    model = bind(load(name))
    tried = 0
    for fault in FAULTS.values():
        if fault.stage not in (Stage.FACTOR, Stage.ACCUMULATION):
            continue
        for place in fault.places(model.graph):
            run = FaultyRun(model, fault, place)
            found = run.traced(model.graph, model.leaves, run.point, detail)
            derivation = run.derivation(model.graph, detail)
            made = Iteration("Test", found, run.optimizer, run.recipe.settings_at(0), derivation=derivation)
            check(executed(numpy_script(made).text), expected(found))
            tried += 1
    assert tried > 5
