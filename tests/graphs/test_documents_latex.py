"""The derivation: what it says is the trace's, it compiles, and nothing sticks out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from engine.graph import Detail
from engine.names import entry_latex
from graphs.documents import Options, formats
from graphs.documents.latex import derivation_tex
from graphs.figures import is_shown_whole
from graphs.snapshot import Snapshot
from graphs.solution import Solution
from tests.graphs.snapshots import (
    BUILT_IN,
    ODD,
    batch_snapshot,
    built_in_snapshot,
    every_snapshot,
    numbers_in,
    odd_snapshot,
    rounding_snapshot,
)
from tests.graphs.tex import compiled, needs_tex

_MATRIX = re.compile(r"\\left\[\\begin\{array\}\{r+\}(.*?)\\end\{array\}\\right\]", re.DOTALL)


def matrices(source: str) -> list[np.ndarray]:
    """Return the matrices of a document that are shown whole."""
    bodies = [body for body in _MATRIX.findall(source) if "dots" not in body and "blank" not in body]
    return [np.array([numbers_in(row) for row in body.split(r"\\")]) for body in bodies]


def there(array: np.ndarray, found: list[np.ndarray]) -> bool:
    """Say whether an array stands among matrices of a document, to its digits."""
    wanted = np.atleast_2d(array)
    same = (m for m in found if m.shape == wanted.shape)
    return any(np.allclose(m, wanted, rtol=5e-4, atol=0, equal_nan=True) for m in same)


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_every_small_array_of_the_trace_stands_in_it(name: str, detail: Detail) -> None:
    _assert_complete(built_in_snapshot(name, detail))


@pytest.mark.parametrize("key", ODD)
def test_every_small_array_of_an_odd_trace_stands_in_it(key: str) -> None:
    _assert_complete(odd_snapshot(key))


def test_a_mini_batch_and_the_quantities_of_its_optimizer_stand_in_it() -> None:
    snapshot = batch_snapshot()
    _assert_complete(snapshot)
    source = derivation_tex(snapshot)
    assert snapshot.batch is not None
    which = ", ".join(map(str, snapshot.batch))
    assert f"mini-batch of 16 of the 133 examples: {which}, counted from 0." in source
    assert "this is update $t = 38$" in source


@pytest.mark.parametrize("detail", list(Detail))
def test_entries_are_named_and_counted_as_on_the_screen(detail: Detail) -> None:
    snapshot = built_in_snapshot("two-layer-nonlinear", detail)
    source, named = derivation_tex(snapshot), 0
    assert "$Z[i, j]$ is the entry of $Z$ in row $i$ and column $j$, which are counted from 0" in source
    for written in Solution(snapshot).steps:
        if written.right and written.index and written.numbers and not written.left.startswith("("):
            named += f"{entry_latex(written.left, written.index)} &" in source
    assert named > 4
    assert "_{1,1}" not in source


def _assert_complete(snapshot: Snapshot) -> None:
    source = derivation_tex(snapshot)
    found = matrices(source)
    shown = numbers_in(source)
    for array in _arrays(snapshot):
        if array.ndim and is_shown_whole(array):
            assert there(array, found), array
        elif not array.ndim:
            assert np.isclose(shown, float(array), rtol=5e-4, atol=0, equal_nan=True).any(), array


def _arrays(snapshot: Snapshot) -> Iterator[np.ndarray]:
    trace = snapshot.trace
    yield from (trace.values[name] for name in (*trace.graph.parameters, *trace.graph.inputs))
    backward = [step for step in trace.steps if step.contribution is not None]
    yield from (step.contribution for step in backward if step.contribution is not None)
    yield from {step.target: step.after for step in backward}.values()  # of several contributions, the sum
    yield from (step.after for step in trace.steps if step.contribution is None)


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_braces_and_environments_are_balanced_and_all_is_ascii(
    name: str, detail: Detail, answers: bool
) -> None:
    source = derivation_tex(built_in_snapshot(name, detail), answers)
    bare = re.sub(r"\\[{}]", "", source)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    for kind in set(re.findall(r"\\begin\{(\w+)\}", source)):
        assert source.count(rf"\begin{{{kind}}}") == source.count(rf"\end{{{kind}}}")
    assert re.sub(r"(?m)^%.*$", "", source).isascii()


@pytest.mark.parametrize("key", [*ODD, ""])
def test_an_exercise_gives_nothing_away(key: str) -> None:
    snapshot = odd_snapshot(key) if key else built_in_snapshot("two-layer-nonlinear")
    source = derivation_tex(snapshot, answers=False)
    given = matrices(derivation_tex(snapshot).partition(r"\section{Forward pass}")[0])
    assert len(matrices(source)) == len(given)
    body = source.partition(r"\section{Forward pass}")[2]
    for written in Solution(snapshot).steps:
        assert not written.numbers or f"{written.numbers} = {written.comes_to}" not in body
        assert not written.factor or f"= {written.coloured}" not in body
    assert r"\answer{" in body
    assert formats()["latex"].write(snapshot, Options(answers=False)) == source


def test_fan_outs_are_added_up() -> None:
    source = derivation_tex(odd_snapshot("shared"))
    assert "$v$ is used 2 times: its gradient is the sum of 2 contributions." in source
    assert r"&= g_{1} + g_{2}" in source
    assert r"With the new parameters, the loss of these examples goes from" in source


def test_it_says_where_it_comes_from() -> None:
    snapshot = odd_snapshot("names")
    source = derivation_tex(snapshot)
    for key in ("Software", "Title", "Network", "Seed", "Iteration", "Step", "Detail"):
        assert re.search(rf"(?m)^% {key}: .", source)
    assert "pdftitle={50 " in source


# --- compiled ----------------------------------------------------------------------------------------------


@needs_tex
@pytest.mark.parametrize("name", dict(BUILT_IN))
def test_the_derivation_of_a_built_in_network_compiles_as_it_stands(name: str) -> None:
    snapshot = built_in_snapshot(name)
    found = compiled(derivation_tex(snapshot))
    assert found.complaints == []
    assert "made smaller" not in found.log
    if found.text:
        _assert_reads(found.text, snapshot)


def _assert_reads(text: str, snapshot: Snapshot) -> None:
    """Assert that the pages show the title, and the numbers of small parameters and of the loss."""
    flat = re.sub(r"\s+", " ", text.replace("\u2212", "-"))
    assert snapshot.title in flat
    numbers = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", flat)]
    trace = snapshot.trace
    for name in trace.graph.parameters:
        for entry in np.ravel(trace.values[name]).tolist():
            assert np.isclose(numbers, entry, rtol=5e-4, atol=0).any(), (name, entry)
    assert np.isclose(numbers, trace.loss, rtol=5e-4, atol=0).any()


def _bodies(answers: bool) -> str:
    bodies = []
    for key, snapshot in every_snapshot():
        if key == "many primitive":
            continue  # hundreds of pages that are alike
        body = derivation_tex(snapshot, answers).partition("\\begin{document}")[2]
        bodies.append(body.partition("\\end{document}")[0])
    return "\\clearpage\n".join(bodies)


def _preamble() -> str:
    source = derivation_tex(odd_snapshot("names"))
    return source.partition("\\begin{document}")[0] + "\\begin{document}\n"


@needs_tex
@pytest.mark.parametrize("answers", [True, False])
def test_every_derivation_compiles_and_nothing_sticks_out(answers: bool) -> None:
    found = compiled(_preamble() + _bodies(answers) + "\\end{document}\n")
    assert found.complaints == []


def test_what_is_mere_rounding_is_no_number() -> None:
    text = derivation_tex(rounding_snapshot())
    assert r"0.3 \cdot 1 \approx 0" in text
    assert r"z &\approx \left[\begin{array}{r} 0 \\ 0 \end{array}\right]" in text
    assert r"&= 0.1 + 0.2 + (-0.3) \approx 0" in text
