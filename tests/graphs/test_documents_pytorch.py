"""The PyTorch script: autograd gives the trace's gradients, torch.optim the run's losses and parameters."""

from __future__ import annotations

import ast
import builtins
import json
import re
import symtable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.training import Recipe, Stopping
from graphs.documents import Options, Scope, formats
from graphs.network import built_in_names
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from tests.graphs.places import every_place
from tests.graphs.scripts import ODD, check_printed, exported, odd, shortened
from tests.helpers import Sample, built, model_of, samples
from tests.pytorch import needs_torch, run_with_torch

RUNNER = """
import contextlib, io, json, sys
printed = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    with open(path, encoding="utf-8") as file, contextlib.redirect_stdout(out):
        exec(compile(file.read(), path, "exec"), {"__name__": "__main__"})
    printed[path] = out.getvalue()
known = {name.partition(".")[0] for name in sys.modules}
assert not known & {"engine", "graphs", "gui"}, known
with open("printed.json", "w", encoding="utf-8") as file:
    json.dump(printed, file)
"""


def text_of(snapshot: Snapshot) -> str:
    return formats()["pytorch"].write(snapshot, Options())


def check_all(folder: Path, snapshots: dict[str, Snapshot]) -> dict[str, str]:
    """Run the scripts in one process, check what they print, and return it."""
    texts = {f"{number}.py": text_of(snapshot) for number, snapshot in enumerate(snapshots.values())}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    run_with_torch(folder, RUNNER, *texts)
    printed = json.loads((folder / "printed.json").read_text(encoding="utf-8"))
    for (name, snapshot), text in zip(snapshots.items(), printed.values(), strict=True):
        check_printed(text, snapshot, name)
        distances = [float(x) for x in re.findall(r"differs by (\S+)", text)]
        assert distances, name
        largest = max(np.max(np.abs(g)) for g in snapshot.trace.gradients.values())
        assert max(distances) <= 1e-9 * max(1.0, largest), name
    return dict(zip(snapshots, printed.values(), strict=True))


@needs_torch
@pytest.mark.parametrize("detail", Detail)
def test_every_network_is_trained_with_every_optimizer(tmp_path: Path, detail: Detail) -> None:
    snapshots = {}
    for network in built_in_names():
        model = shortened(network, 20)
        for number, optimizer in enumerate(OPTIMIZERS):
            size = None if number % 2 else max(1, model.examples // 3)
            recipe = Recipe(optimizer, {"learning_rate": 0.01}, size)
            snapshots[f"{network} {optimizer} {size}"] = exported(model, recipe, 5 * (number % 3), detail)
    check_all(tmp_path, snapshots)


@needs_torch
@pytest.mark.parametrize("size", [None, 2])
def test_odd_networks_are_trained(tmp_path: Path, size: int | None) -> None:
    snapshots = {}
    for name in ODD:
        model = odd(name)
        chosen = None if size is None or model.graph.examples is None else min(size, model.examples)
        for detail in Detail:
            recipe = Recipe("momentum", {"learning_rate": 0.01}, chosen)
            snapshots[f"{name} {detail}"] = exported(model, recipe, 3, detail)
    check_all(tmp_path, snapshots)


@needs_torch
def test_where_pytorch_does_it_otherwise_the_script_does_it_as_here(tmp_path: Path) -> None:
    model = shortened("perceptron-classifier")
    cosine = (Stopping(), "cosine", {"warmup": 7, "period": 40})
    recipes = {
        "dampened": Recipe("momentum", {"momentum": 0.8, "dampening": 0.3}, 9, *cosine),
        "heavy ball": Recipe("momentum", {"learning_rate": 0.01, "dampening": 0.0}),
        "nesterov": Recipe("nesterov", {"momentum": 0.7, "dampening": 0.2}, None, Stopping(), "step", {}),
        "nesterov without momentum": Recipe("nesterov", {"momentum": 0.0, "dampening": 0.5}, 20, *cosine),
        "adagrad": Recipe("adagrad", {"epsilon": 1e-3}),
        "rmsprop": Recipe("rmsprop", {"rho": 0.5, "epsilon": 1e-2}),
        "stops at a loss": Recipe("gd", {}, None, Stopping(loss=0.6)),
        "stops at a change": Recipe("gd", {}, None, Stopping(change=1e-3)),
        "stops at a gradient": Recipe("adam", {}, 20, Stopping(gradient=0.05)),
    }
    check_all(tmp_path, {name: exported(model, recipe) for name, recipe in recipes.items()})
    assert "optimizer = " not in text_of(exported(model, recipes["nesterov without momentum"]))


@needs_torch
def test_what_cannot_be_trained_is_differentiated(tmp_path: Path) -> None:
    data = {"X": [[1.0, 2.0], [0.5, -1.0]]}
    for number, model in enumerate(
        (
            model_of("L = sum(sin(X))", {}, data),
            model_of("Z = w * 2\nL = sum(sin(X))", {"w": 1.0}, data),
            model_of("Z = w * 2\nL = sqrt(2)", {"w": 1.0}, {}),
        )
    ):
        snapshot = exported(model, Recipe())
        text = text_of(snapshot)
        assert "optimizer" not in text
        printed = run_with_torch(tmp_path, text)
        shown = re.search(r"L = (\S+)", printed)
        assert shown is not None
        assert float(shown[1]) == pytest.approx(snapshot.trace.loss, rel=1e-15)
        distances = [float(x) for x in re.findall(r"differs by (\S+)", printed)]
        assert len(distances) == (number < 2)
        assert all(distance < 1e-15 for distance in distances)


# --- without PyTorch ---------------------------------------------------------------------------------------


def undefined(text: str) -> set[str]:
    """Return the names that a script reads and nothing defines; functions may read nothing but constants."""
    top = symtable.symtable(text, "script", "exec")
    symbols = top.get_symbols()
    defined = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()} | set(dir(builtins))
    imported = {s.get_name() for s in symbols if s.is_imported()} | set(dir(builtins))
    found = {s.get_name() for s in symbols if s.is_referenced()} - defined
    for function in top.get_children():
        read = {s.get_name() for s in function.get_symbols() if s.is_global() and s.is_referenced()}
        found |= {name for name in read if name not in imported and not (name.isupper() and name in defined)}
    return found


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", [*built_in_names(), *ODD])
def test_a_script_defines_what_it_reads(name: str, detail: Detail) -> None:
    model = odd(name) if name in ODD else shortened(name)
    size = None if model.graph.examples is None else 1
    recipe = Recipe("nesterov", {"momentum": 0.0}, size, Stopping(0.0, 0.0, 0.0), "cosine", {})
    for format in ("numpy", "pytorch"):
        text = formats()[format].write(exported(model, recipe, 0, detail), Options())
        assert not undefined(text), format


@pytest.mark.parametrize("detail", Detail)
def test_scripts_of_odd_networks_are_python_and_say_where_they_come_from(detail: Detail) -> None:
    for where, snapshot in every_place(detail, built_in=False):
        for format in ("numpy", "pytorch"):
            text = formats()[format].write(snapshot, Options())
            assert not undefined(text), (where, format)
            said = str(ast.get_docstring(ast.parse(text))).splitlines()
            for key, value in provenance(snapshot, scope=Scope.ITERATION).items():
                assert f"{key}: {value}" in said, where


def test_what_is_undefined_is_found() -> None:
    assert undefined("def f(x):\n    return x + y\nprint(z, f(1))") == {"y", "z"}


@given(samples())
@settings(max_examples=60, deadline=None)
def test_the_script_of_any_network_defines_what_it_reads(sample: Sample) -> None:
    model = built(sample)
    if model is not None:
        for detail in Detail:
            assert not undefined(text_of(exported(model, Recipe("adam"), 0, detail)))


def test_a_script_reads_as_a_teacher_would_write_it() -> None:
    text = text_of(exported(shortened("two-layer-nonlinear"), Recipe("adam"), 1))
    lines = text.splitlines()
    for line in (
        "Network: two-layer-nonlinear",
        "W1.requires_grad_()",
        "    A = torch.sigmoid(Z)",
        "    L = 1 / m * torch.sum((yhat - y)**2)",
        "optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON)",
        "    L.backward()",
        "    optimizer.step()",
    ):
        assert line in lines
    assert "numpy" not in text
    assert max(map(len, lines)) <= 110
