"""The NumPy script: by itself, with NumPy alone, it trains the run and prints the numbers of the trace."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.training import Recipe, Run, Stopping
from graphs.documents import Options, formats
from graphs.network import Training, bind, built_in_names, load
from graphs.snapshot import Snapshot
from tests.graphs.scripts import ODD, check_printed, exported, odd, shortened
from tests.helpers import Sample, built, model_of, samples

RUNNER = """
import contextlib, io, json, sys
printed = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    with open(path, encoding="utf-8") as file, contextlib.redirect_stdout(out):
        exec(compile(file.read(), path, "exec"), {"__name__": "__main__"})
    printed[path] = out.getvalue()
known = {name.partition(".")[0] for name in sys.modules}
assert not known & {"engine", "graphs", "gui", "networkx", "PySide6"}, known
with open("printed.json", "w", encoding="utf-8") as file:
    json.dump(printed, file)
"""


def text_of(snapshot: Snapshot) -> str:
    return formats()["numpy"].write(snapshot, Options())


def run_alone(folder: Path, texts: dict[str, str]) -> dict[str, str]:
    """Return what scripts print, run in one fresh process that finds nothing of this program."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "runner.py").write_text(RUNNER, encoding="utf-8")
    command = [sys.executable, "-I", "-W", "error", "runner.py", *texts]
    done = subprocess.run(
        command, cwd=folder, env={}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads((folder / "printed.json").read_text(encoding="utf-8"))


def check_all(folder: Path, snapshots: dict[str, Snapshot]) -> None:
    texts = {f"{number}.py": text_of(snapshot) for number, snapshot in enumerate(snapshots.values())}
    printed = run_alone(folder, texts)
    for (name, snapshot), text in zip(snapshots.items(), printed.values(), strict=True):
        check_printed(text, snapshot, name)


@pytest.mark.parametrize("detail", Detail)
def test_every_network_is_trained_with_every_optimizer(tmp_path: Path, detail: Detail) -> None:
    snapshots = {}
    for network in built_in_names():
        model = shortened(network)
        for number, optimizer in enumerate(OPTIMIZERS):
            size = None if number % 2 else max(1, model.examples // 3)
            recipe = Recipe(optimizer, {"learning_rate": 0.01}, size)
            snapshots[f"{network} {optimizer} {size}"] = exported(model, recipe, 11 * (number % 3), detail)
    check_all(tmp_path, snapshots)


@pytest.mark.parametrize("size", [None, 1, 2])
def test_odd_networks_are_trained(tmp_path: Path, size: int | None) -> None:
    snapshots = {}
    for name in ODD:
        model = odd(name)
        chosen = None if size is None or model.graph.examples is None else min(size, model.examples)
        for detail in Detail:
            recipe = Recipe("momentum", {"learning_rate": 0.01}, chosen)
            snapshots[f"{name} {detail}"] = exported(model, recipe, 3, detail)
    check_all(tmp_path, snapshots)


def test_schedules_and_rules_for_stopping_are_those_of_the_run(tmp_path: Path) -> None:
    model, small = shortened("perceptron-classifier", 60), shortened("univariate-regression", 60)
    run = exported(small, Recipe(), 20).run
    assert run is not None
    recipes = {
        "cosine": Recipe("adam", {}, 9, Stopping(), "cosine", {"warmup": 7, "period": 40}),
        "step": Recipe("gd", {}, None, Stopping(), "step", {"every": 9}),
        "exponential": Recipe("nesterov", {}, 20, Stopping(), "exponential", {}),
        "warm-up": Recipe("rmsprop", {}, 133, Stopping(), "warmup", {}),
    }
    snapshots = {name: exported(model, recipe, 37) for name, recipe in recipes.items()}
    stopping = {
        "stops at a loss": Recipe("gd", {}, None, Stopping(loss=float(run.losses[20]))),
        "stops at a change": Recipe("gd", {}, 7, Stopping(change=1e-4), "step", {"every": 5}),
        "stops at a gradient": Recipe("gd", {}, None, Stopping(gradient=0.1)),
        "stops at a gradient in batches": Recipe("gd", {}, 20, Stopping(gradient=0.2)),
    }
    for name, recipe in stopping.items():
        ended = Run(small, recipe)
        ended.advance(60)
        assert 0 < ended.iteration < 60, name
        snapshots[name] = exported(small, recipe)
    check_all(tmp_path, snapshots)


def test_a_run_that_diverges_is_followed_to_its_end(tmp_path: Path) -> None:
    snapshot = exported(
        bind(load("univariate-regression")), Recipe("gd", {"learning_rate": 50.0}), 3, trained=4000
    )
    assert snapshot.run is not None
    assert snapshot.run.diverged is not None
    (text,) = run_alone(tmp_path, {"a.py": text_of(snapshot)}).values()
    assert f"iteration {snapshot.run.iteration}: L = " in text
    check_printed(text, snapshot, "diverges")


def test_the_iterations_are_those_of_the_run(tmp_path: Path) -> None:
    recipe = Recipe("adam", {"learning_rate": 0.001}, 32)
    snapshot = exported(shortened("perceptron-classifier", 20), recipe, 37, trained=64)
    (text,) = run_alone(tmp_path, {"a.py": text_of(snapshot)}).values()
    check_printed(text, snapshot, "64 iterations", 64)


def test_many_numbers_are_packed(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    data = {"X": rng.normal(size=(3, 20_000)), "y": rng.normal(size=(1, 20_000))}
    model = model_of("L = mse(w @ X, y)", {"w": [[0.1, 0.2, 0.3]]}, data, training=Training(steps=20))
    snapshot = exported(model, Recipe("gd", {}, 64), 3)
    text = text_of(snapshot)
    assert "import zlib" in text
    assert max(map(len, text.splitlines())) <= 110
    check_printed(run_alone(tmp_path, {"a.py": text})["a.py"], snapshot, "packed")


def test_a_network_without_parameters_is_an_iteration(tmp_path: Path) -> None:
    network = model_of("L = sum(sin(X))", {}, {"X": [[1.0, 2.0]]}).network
    model = bind(replace(network, title='"</x>\\ "" \u201cŷ\u201d\n\u2028'))
    snapshot = exported(model, Recipe())
    text = text_of(snapshot)
    doc = ast.get_docstring(ast.parse(text))
    assert doc is not None
    assert doc.startswith('"</x>\\ "" “ŷ” in NumPy.')
    (printed,) = run_alone(tmp_path, {"a.py": text}).values()
    assert float(printed.partition("= ")[2]) == snapshot.trace.loss


@given(samples())
@settings(max_examples=100, deadline=None)
def test_the_script_of_any_network_defines_what_it_reads(sample: Sample) -> None:
    model = built(sample)
    if model is None:
        return
    for detail in Detail:
        recipe = Recipe("adam", {"learning_rate": 1e-3}, min(2, model.examples))
        snapshot = exported(model, recipe, 1, detail)
        scope: dict[str, object] = {}
        text = text_of(snapshot).replace("ITERATIONS = 500", "ITERATIONS = 2")
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            exec(text, scope)  # noqa: S102  the program's own source
        run = snapshot.run
        assert run is not None
        run.advance(1)
        for name, array in run.at(2).parameters.items():
            np.testing.assert_allclose(np.asarray(scope[name]), array, rtol=1e-9, atol=1e-9)


def test_a_script_reads_as_a_teacher_would_write_it() -> None:
    text = text_of(exported(bind(load("two-layer-nonlinear")), Recipe("momentum"), 1))
    lines = text.splitlines()
    tree = ast.parse(text)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions == ["forward", "backward", "update"]
    assert all(ast.get_docstring(n) for n in tree.body if isinstance(n, ast.FunctionDef))
    for line in (
        "Network: two-layer-nonlinear",
        "Iteration: 1",
        "def forward(X, y, W1, b1, w2, b2):",
        "    m = X.shape[1]  # examples",
        "    # A = sigmoid(Z)",
        "    d_W1 = d_Z @ X.T",
        "    velocity = MOMENTUM * velocity + (1 - DAMPENING) * gradient",
        "    W1, v_W1 = update(W1, d_W1, v_W1)",
    ):
        assert line in lines
    assert "d_X" not in text  # training needs no gradients of data
    assert max(map(len, lines)) <= 110
