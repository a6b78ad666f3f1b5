"""Every operation's record against derivatives that owe nothing to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine import expr as ex
from engine import ops
from engine.errors import ShapeError
from engine.expr import Name
from engine.notation import latex, source, torch_source
from engine.ops import OPS, Op
from engine.shapes import Dims, sizes, unnamed
from tests.helpers import assert_well_formed, complex_slope, run, slope
from tests.pytorch import needs_torch, run_with_torch

SHAPES = [(), (1, 1), (1, 4), (3, 1), (3, 4), (4,), (1,)]
PAIRS = [(a, b) for a in SHAPES for b in SHAPES if len(a) == len(b) or () in (a, b)]
PAIRS += [((3, 4), (4,)), ((4,), (3, 4)), ((1, 4), (4,)), ((3, 1), (4,)), ((3, 4), (1,)), ((1, 1), (4,))]
PAIRS = [
    (a, b) for a, b in PAIRS if all(p == q or 1 in (p, q) for p, q in zip(a[::-1], b[::-1], strict=False))
]
ALIKE = [(a, a) for a in SHAPES if a]
REDUCTIONS: list[tuple[tuple[tuple[int, ...], ...], dict[str, Any]]] = [
    ((shape,), {"axis": axis, "keepdims": keepdims})
    for shape in SHAPES
    for axis in (None, *range(-len(shape), len(shape)))
    for keepdims in (False, True)
]
PRODUCTS = [((3, 2), (2, 4)), ((1, 2), (2, 4)), ((3, 2), (2, 1)), ((1, 1), (1, 4)), ((3, 1), (1, 4))]
PRODUCTS += [((2,), (2, 4)), ((3, 2), (2,)), ((4,), (4,)), ((1,), (1, 4)), ((1, 1), (1,))]

# What the elementwise operations need not say: shapes and attributes to try.
CASES: dict[str, list[tuple[tuple[tuple[int, ...], ...], dict[str, Any]]]] = {
    "@": [(pair, {}) for pair in PRODUCTS],
    "T": [((shape,), {}) for shape in SHAPES],
    "softmax": [((s,), {"axis": a} if a is not None else {}) for s in SHAPES if s for a in (None, 0, -1)],
    "mse": [(pair, {}) for pair in [((), ()), *ALIKE]],
    "bce": [(pair, {}) for pair in [((), ()), *ALIKE]],
    "cross_entropy": [(pair, {}) for pair in ALIKE if len(pair[0]) == 2],
    **{name: REDUCTIONS for name in ("sum", "mean", "max", "min", "norm", "norm_squared")},
}
POSITIVE = {"log", "sqrt", "**"}


class Case(NamedTuple):
    """An operation with numbers."""

    op: Op
    inputs: list[np.ndarray]
    attrs: dict[str, Any]

    @property
    def dims(self) -> list[Dims]:
        given = [tuple(unnamed(size) for size in x.shape) for x in self.inputs]
        return [*given, self.op.shape(*given, **self.attrs)]

    def forward(self, *inputs: np.ndarray) -> Any:
        return self.op.compute(*inputs, **self.attrs)


def _cases() -> Iterator[Any]:
    for op in OPS.values():
        for i, (shapes, attrs) in enumerate(_samples(op)):
            rng = np.random.default_rng([i, len(op.name)])
            inputs = [np.asarray(rng.normal(0, 1, shape)) for shape in shapes]
            if op.name in POSITIVE:
                inputs = [np.asarray(np.abs(x) + 0.5) for x in inputs]
            shown = ",".join(f"{k}={v}" for k, v in attrs.items())
            yield pytest.param(Case(op, inputs, attrs), id=f"{op.name} {shapes} {shown}")


def _samples(op: Op) -> list[tuple[tuple[tuple[int, ...], ...], dict[str, Any]]]:
    if op.name in CASES:
        return CASES[op.name]
    if not op.elementwise:
        return []
    return [(pair, {}) for pair in PAIRS] if op.arity == (2, 2) else [((shape,), {}) for shape in SHAPES]


ALL = list(_cases())


def test_every_op_has_a_sample() -> None:
    missing = [op.name for op in OPS.values() if not _samples(op)]
    assert not missing, f"add shapes to CASES for: {', '.join(missing)}"


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_every_op_has_a_rule_for_every_slot(op: Op) -> None:
    assert len(op.factors) == op.arity[1]
    assert all(op.factors), f"{op.name} lacks a factor"
    assert op.sentence.endswith(".")


@pytest.mark.parametrize("case", ALL)
def test_shape_rule_says_what_numpy_does(case: Case) -> None:
    assert np.shape(case.forward(*case.inputs)) == sizes(case.dims[-1])


@pytest.mark.parametrize("case", ALL)
def test_gradient_agrees_with_differences_in_random_directions(case: Case) -> None:
    out = np.asarray(case.forward(*case.inputs))
    rng = np.random.default_rng(7)
    upstream = rng.normal(0, 1, out.shape)
    for slot, x in enumerate(case.inputs):
        placed = ops.links(case.op, slot, case.inputs, out, case.dims, case.attrs)
        gradient = np.asarray(ops.chain(upstream, placed))
        assert gradient.shape == x.shape
        direction = np.asarray(rng.normal(0, 1, x.shape))

        def loss(moved: np.ndarray, slot: int = slot) -> Any:
            inputs = [*case.inputs[:slot], moved, *case.inputs[slot + 1 :]]
            return np.sum(upstream * case.forward(*inputs))

        expected = slope(loss, x, direction)
        found = float(np.sum(gradient * direction))
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7), (
            f"slot {slot}: {found} against {expected}"
        )
        if case.op.analytic:
            exact = complex_slope(loss, x, direction)
            assert found == pytest.approx(exact, rel=1e-12, abs=1e-13), (
                f"slot {slot}: {found} against {exact}"
            )


def _symbols(case: Case) -> tuple[list[Name], Name]:
    inputs = [Name(f"x{i}", d, f"x_{i}", f"x{i}") for i, d in enumerate(case.dims[:-1])]
    return inputs, Name("out", case.dims[-1], "a", "out")


@pytest.mark.parametrize("case", ALL)
def test_printed_source_computes_the_forward_value(case: Case) -> None:
    inputs, _ = _symbols(case)
    written = case.op.express(inputs, case.dims[-1], case.attrs)
    expected = case.forward(*case.inputs)
    values = {f"x{i}": x for i, x in enumerate(case.inputs)}
    found = run(source(written), m=1, **values)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(ex.evaluate(written, values), expected, rtol=1e-12)
    assert_well_formed(latex(written))


@pytest.mark.parametrize("case", ALL)
def test_factors_in_symbols_equal_the_factors_in_numbers(case: Case) -> None:
    inputs, out = _symbols(case)
    values = {f"x{i}": x for i, x in enumerate(case.inputs)}
    value = np.asarray(case.forward(*case.inputs))
    upstream = np.asarray(np.random.default_rng(8).normal(0, 1, value.shape))
    g = Name("out", case.dims[-1], r"\partial", "d_out", kind="gradient")
    for slot, x in enumerate(case.inputs):
        expected = ops.chain(upstream, ops.links(case.op, slot, case.inputs, value, case.dims, case.attrs))
        written = ops.chain(g, ops.links(case.op, slot, inputs, out, case.dims, case.attrs))
        scope = {**values, "out": value, "d_out": upstream}
        for found in (ex.evaluate(written, scope), run(source(written), **scope)):
            assert np.shape(found) == x.shape
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        assert_well_formed(latex(written))


# --- where a derivative does not exist ----------------------------------------------------------------------


def gradient_of(name: str, *inputs: Any, **attrs: Any) -> list[list[float]]:
    case = Case(OPS[name], [np.array(x, dtype=float) for x in inputs], attrs)
    out = np.asarray(case.forward(*case.inputs))
    ones = np.ones(out.shape)
    return [
        np.asarray(ops.chain(ones, ops.links(case.op, slot, case.inputs, out, case.dims, attrs))).tolist()
        for slot in range(len(inputs))
    ]


def test_relu_and_abs_stop_at_zero() -> None:
    assert gradient_of("relu", [[-1.0, 0.0, 2.0]]) == [[[0.0, 0.0, 1.0]]]
    assert gradient_of("abs", [[-1.0, 0.0, 2.0]]) == [[[-1.0, 0.0, 1.0]]]


def test_norm_stops_at_zero_and_its_square_passes_through() -> None:
    assert gradient_of("norm", [[0.0, 0.0]]) == [[[0.0, 0.0]]]
    assert gradient_of("norm", [[0.0, 3.0], [0.0, 4.0]], axis=0) == [[[0.0, 0.6], [0.0, 0.8]]]
    assert gradient_of("norm_squared", [[0.0, 3.0]]) == [[[0.0, 6.0]]]


def test_ties_share_the_gradient_evenly() -> None:
    assert gradient_of("max", [[1.0, 3.0, 3.0]]) == [[[0.0, 0.5, 0.5]]]
    assert gradient_of("min", [[1.0, 1.0], [1.0, 2.0]], axis=1) == [[[0.5, 0.5], [1.0, 0.0]]]
    assert gradient_of("maximum", [[1.0, 3.0]], [[1.0, 2.0]]) == [[[0.5, 1.0]], [[0.5, 0.0]]]
    assert gradient_of("minimum", [[1.0, 3.0]], [[1.0, 2.0]]) == [[[0.5, 0.0]], [[0.5, 1.0]]]


def test_a_power_of_zero_has_the_slope_of_its_limit() -> None:
    assert gradient_of("**", [[0.0, 0.0]], [[2.0, 1.0]])[0] == [[0.0, 1.0]]
    assert gradient_of("**", 0.0, 0.0)[0] == 0.0


@pytest.mark.parametrize("big", [-1000.0, 1000.0])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "softmax"])
def test_nothing_overflows_far_out(name: str, big: float) -> None:
    x = [[big, 0.0]]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(OPS[name].forward(np.array(x))).all()
        assert np.isfinite(gradient_of(name, x)).all()


def test_cross_entropies_are_stable() -> None:
    z, y = np.array([[1000.0, -1000.0]]), np.array([[1.0, 0.0]])
    assert OPS["bce"].forward(z, y) == 0.0
    assert OPS["bce"].forward(-z, y) == 1000.0
    logits = np.array([[1000.0], [0.0]])
    assert OPS["cross_entropy"].forward(logits, np.array([[1.0], [0.0]])) == 0.0
    assert OPS["cross_entropy"].forward(logits, np.array([[0.0], [1.0]])) == 1000.0


def test_complex_rules_agree_with_real_ones() -> None:
    for case in (p.values[0] for p in ALL):
        if case.op.analytic:
            moved = [x.astype(complex) for x in case.inputs]
            np.testing.assert_allclose(case.forward(*moved), case.forward(*case.inputs), rtol=1e-12)


@pytest.mark.parametrize("name", ["mse", "bce", "cross_entropy"])
def test_losses_of_two_compare_entry_by_entry(name: str) -> None:
    a, b = (unnamed(2), unnamed(3)), (unnamed(3), unnamed(2))
    with pytest.raises(ShapeError, match=rf"{name} compares .* \(2, 3\) and \(3, 2\).*\.T"):
        OPS[name].shape(a, b)


def test_softmax_of_a_scalar_says_what_to_use() -> None:
    with pytest.raises(ShapeError, match="Use sigmoid"):
        OPS["softmax"].shape(())


# --- PyTorch -----------------------------------------------------------------------------------------------

RUNNER = """
import json
from pathlib import Path
found = []
for case in json.loads(Path("cases.json").read_text()):
    scope = {"torch": torch}
    names = []
    for name, values, shape in case["inputs"]:
        scope[name] = torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()
        names.append(name)
    out = eval(case["text"], scope)
    out.backward(torch.tensor(case["upstream"], dtype=torch.float64).reshape(out.shape))
    grads = [scope[name].grad for name in names]
    found.append([out.tolist(), [g.tolist() for g in grads]])
Path("found.json").write_text(json.dumps(found))
"""


def _with_kinks(case: Case) -> Case:
    """Return a case at zeros and ties, where PyTorch has to take the same derivative by convention."""
    return case._replace(inputs=[np.round(x) for x in case.inputs])


@needs_torch
def test_pytorch_source_has_the_values_and_gradients_of_every_operation(tmp_path: Path) -> None:
    smooth = ("/", "log", "sqrt", "**")
    plain = [case for parameters in ALL for case in parameters.values]
    cases = [*plain, *(_with_kinks(case) for case in plain if case.op.name not in smooth)]
    outs = [np.asarray(case.forward(*case.inputs)) for case in cases]
    upstreams = [np.random.default_rng(9).normal(0, 1, out.shape) for out in outs]
    rows = []
    for case, upstream in zip(cases, upstreams, strict=True):
        names, _ = _symbols(case)
        inputs = [(n.code, np.ravel(x).tolist(), x.shape) for n, x in zip(names, case.inputs, strict=True)]
        text = torch_source(case.op.express(names, case.dims[-1], case.attrs))
        rows.append({"inputs": inputs, "text": text, "upstream": np.ravel(upstream).tolist()})
    (tmp_path / "cases.json").write_text(json.dumps(rows))
    run_with_torch(tmp_path, RUNNER)
    results = json.loads((tmp_path / "found.json").read_text())
    for case, out, g, row, (found, gradients) in zip(cases, outs, upstreams, rows, results, strict=True):
        np.testing.assert_allclose(found, out, rtol=1e-12, atol=1e-12, err_msg=row["text"])
        for slot, gradient in enumerate(gradients):
            placed = ops.links(case.op, slot, case.inputs, out, case.dims, case.attrs)
            expected = np.broadcast_to(ops.chain(g, placed), case.inputs[slot].shape)
            np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-12, err_msg=row["text"])
