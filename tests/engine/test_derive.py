"""The equations: the course's, word for word, and those of formulas that nobody has tried yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from engine import expr as ex
from engine.derive import Derivation, part_source
from engine.errors import BackstepError
from engine.graph import Detail
from engine.notation import source
from engine.trace import Phase, Trace, trace
from graphs.network import Model, bind, built_in, built_in_names
from tests.helpers import Sample, assert_well_formed, built, equations_of, model_of, run, samples, scope_of

# The equations of primer.txt, as it prints them.
_ERROR = r"\frac{2}{m}(\hat{y} - y)"
_HIDDEN = rf"\left(\left(w_2^\intercal{_ERROR}\right)\odot A \odot (1 - A)\right)"
PRIMER = {
    "univariate-regression": {"w": rf"{_ERROR}x^\intercal", "b": rf"{_ERROR}\vec{{1}}"},
    "multivariate-regression": {"w": rf"{_ERROR}X^\intercal", "b": rf"{_ERROR}\vec{{1}}"},
    "two-layer-linear": {
        "W1": rf"w_2^\intercal{_ERROR}X^\intercal",
        "b1": rf"w_2^\intercal{_ERROR}\vec{{1}}",
        "w2": rf"{_ERROR}Z^\intercal",
        "b2": rf"{_ERROR}\vec{{1}}",
    },
    "two-layer-nonlinear": {
        "W1": rf"{_HIDDEN}X^\intercal",
        "b1": rf"{_HIDDEN}\vec{{1}}",
        "w2": rf"{_ERROR}A^\intercal",
        "b2": rf"{_ERROR}\vec{{1}}",
    },
}
_NAMES = {"W1": "W_1", "b1": "b_1", "w2": "w_2", "b2": "b_2", "w": "w", "b": "b"}
_LOSS = r"\mathcal{L} = \frac{1}{m}||\hat{y} - y||^2"
FORWARD = {
    "univariate-regression": {"yhat": r"\hat{y} = wx + b", "L": _LOSS},
    "multivariate-regression": {"yhat": r"\hat{y} = wX + b", "L": _LOSS},
    "two-layer-linear": {"Z": r"Z = W_1 X + b_1", "yhat": r"\hat{y} = w_2Z + b_2", "L": _LOSS},
    "two-layer-nonlinear": {
        "Z": r"Z = W_1 X + b_1",
        "A": r"A = \sigma(Z)",
        "yhat": r"\hat{y} = w_2A + b_2",
        "L": _LOSS,
    },
}


def bare(latex: str) -> str:
    return latex.replace(r"\left", "").replace(r"\right", "").replace(" ", "")


@pytest.mark.parametrize("name", PRIMER)
def test_gradients_are_printed_as_in_the_course(name: str) -> None:
    derivation = Derivation(bind(built_in(name)).graph)
    for parameter, expected in PRIMER[name].items():
        left = rf"\frac{{\partial\mathcal{{L}}}}{{\partial {_NAMES[parameter]}}}"
        assert bare(derivation.equation(parameter)) == bare(f"{left} = {expected}")


@pytest.mark.parametrize("name", FORWARD)
def test_lines_are_printed_as_in_the_course(name: str) -> None:
    derivation = Derivation(bind(built_in(name)).graph)
    for line, expected in FORWARD[name].items():
        assert bare(derivation.forward_latex(line)) == bare(expected)


@pytest.mark.parametrize("examples", [1, 2, 3])
def test_equations_do_not_depend_on_how_many_examples_are_loaded(examples: int) -> None:
    network = built_in("two-layer-nonlinear")
    data = {"X": np.ones((1, examples)), "y": np.ones((1, examples))}
    derivation = Derivation(bind(network, overrides=data).graph)
    for parameter, expected in PRIMER[network.name].items():
        assert bare(derivation.equation(parameter)).endswith(bare(f"= {expected}"))


# --- factors, one use at a time ----------------------------------------------------------------------------

FACTORS = [
    # formula, line, slot, side, LaTeX, what it reads
    ("Z = W @ X\nL = sum(Z)", "Z", 0, "right", r"X^\intercal", ("X",)),
    ("Z = W @ X\nL = sum(Z)", "Z", 1, "left", r"W^\intercal", ("W",)),
    ("Z = X + b\nL = sum(Z)", "Z", 1, "sum", r"\vec{1}", ()),
    ("A = sigmoid(X)\nL = sum(A)", "A", 0, "elementwise", r"A \odot (1 - A)", ("A",)),
    ("A = tanh(X)\nL = sum(A)", "A", 0, "elementwise", r"1 - A^{\odot 2}", ("A",)),
    ("A = exp(X)\nL = sum(A)", "A", 0, "elementwise", "A", ("A",)),
    ("A = 3 * X\nL = sum(A)", "A", 0, "scalar", "3", ()),
    ("A = X - b\nL = sum(A)", "A", 1, "composed", r"-\square\vec{1}", ()),
    ("A = -X\nL = sum(A)", "A", 0, "scalar", "-1", ()),
    ("A = X.T\nL = sum(A)", "A", 0, "transpose", r"\square^\intercal", ()),
    ("A = W @ X @ X.T\nL = sum(A)", "A", 0, "right", r"X X^\intercal", ("X",)),
    ("L = 1/m * norm(X - b)**2", "L", 0, "elementwise", r"\frac{2}{m} (X - b)", ("X", "b")),
    ("s = sum(X)\nL = s**2", "L", 0, "scalar", "2 s", ("s",)),
]


@pytest.mark.parametrize(("formula", "line", "slot", "side", "latex", "uses"), FACTORS)
def test_a_factor_says_its_side_its_symbols_and_what_it_reads(
    formula: str, line: str, slot: int, side: str, latex: str, uses: tuple[str, ...]
) -> None:
    model = model_of(formula, {"W": np.ones((3, 2)), "b": [[1.0], [2.0]]}, {"X": np.ones((2, 4))})
    factor = Derivation(model.graph).contribution(line, slot).factor
    assert (factor.side, factor.latex, factor.uses) == (side, latex, uses)


def test_a_long_chain_refers_to_the_gradients_of_named_lines() -> None:
    lines = "\n".join(f"h{i + 1} = tanh(h{i} * w + b)" for i in range(40))
    model = model_of(f"h0 = x + 0\n{lines}\nL = h40", {"w": 0.5, "b": 0.1}, {"x": 1.0})
    derivation = Derivation(model.graph)
    assert max(len(derivation.equation(name)) for name in model.graph.named if name not in "wb") < 400
    assert r"= \frac{\partial\mathcal{L}}{\partial h_{21}}" in derivation.equation("h19")


def test_sixty_doublings_stay_short() -> None:
    model = model_of("y = w * x\n" + "y = y + y\n" * 60 + "L = sum(y)", {"w": 1.0}, {"x": [1.0, 2.0]})
    derivation = Derivation(model.graph)
    assert max(len(derivation.equation(name)) for name in model.graph.named) < 600
    found = {name: code for name, code in derivation.code()}
    assert len(found) == len(model.graph.named)


def test_a_line_too_long_to_write_out_says_so() -> None:
    model = model_of(
        "z = x * a\nh = " + " + ".join(["z*z"] * 300) + "\nL = h**2 + b", {"x": 1.0, "a": 2.0, "b": 0.5}
    )
    derivation = Derivation(model.graph)
    assert r"\text{(599 operations)}" in derivation.forward_latex("h")
    with pytest.raises(BackstepError, match="line 2: the line of h, of 599 operations, is too long"):
        derivation.contribution("h", 0)
    assert derivation.equation("z").endswith(r"= \ldots")
    assert derivation.equation("h").endswith("= 2 h")
    assert (
        derivation.equation("x")
        == r"\frac{\partial\mathcal{L}}{\partial x} = \frac{\partial\mathcal{L}}{\partial z} a"
    )
    assert [name for name, _ in derivation.code()] == ["L", "h", "b"]


def test_a_line_of_many_terms_is_written_out_as_it_was_typed() -> None:
    model = model_of("L = " + " + ".join(["w*x"] * 150), {"w": 3.0, "x": 2.0})
    derivation = Derivation(model.graph)
    assert derivation.forward_latex("L").count("w x") == 150
    assert run(dict(derivation.code())["w"], **model.leaves) == pytest.approx(300.0)


def test_a_line_that_nests_deeply_is_not_written_out() -> None:
    model = model_of("L = " + "a / " * 200 + "a", {"a": 1.5})
    assert Derivation(model.graph).equation("a").endswith(r"= \ldots")


def test_a_parameter_that_the_loss_does_not_read_has_the_gradient_zero() -> None:
    model = model_of("L = a * 2", {"a": 1.0, "unused": [[1.0, 2.0]]})
    code = dict(Derivation(model.graph).code())
    assert run(code["unused"], **model.leaves).tolist() == [[0.0, 0.0]]
    assert Derivation(model.graph).equation("unused").endswith("= 0")


# --- everything the engine prints, against its numbers -----------------------------------------------------


def check_code(model: Model) -> None:
    found = trace(model.graph, model.leaves)
    scope = scope_of(model, found.values)
    for name, code in Derivation(model.graph).code():
        value = run(code, **scope)
        assert np.shape(value) == found.gradients[name].shape, code
        close(value, found.gradients[name], found, code)
        scope[f"d_{name}"] = value


def check_steps(model: Model, detail: Detail) -> None:
    """Check every equation of a pass, as source and as symbols, against the step that it stands for."""
    found = trace(model.graph, model.leaves, detail)
    derivation = Derivation(model.graph, detail)
    values: dict[str, Any] = {n.name: found.arrays[n.id] for n in model.graph.nodes}
    scope = scope_of(model, {_code(name): value for name, value in values.items()})
    for step in found.steps:
        if step.phase == Phase.FORWARD:
            expr = derivation.right_side(step.node)
            expected = step.after
        elif step.phase == Phase.BACKWARD:
            expr = derivation.contribution(step.node, step.slot or 0).expr
            expected = step.contribution
        else:
            expr, expected = ex.ONE, step.after
        for value in (ex.evaluate(expr, values), run(source(expr), **scope)):
            assert expected is not None
            assert np.shape(value) == expected.shape, source(expr)
            close(value, expected, found, source(expr))
        if step.phase != Phase.FORWARD:
            values[f"d_{step.target}"] = scope[f"d_{_code(step.target)}"] = step.after


def _code(name: str) -> str:
    return part_source(name) if "." in name else name


def close(value: Any, expected: Any, found: Trace, code: str) -> None:
    largest = max(float(np.max(np.abs(a), initial=1.0)) for a in found.arrays)
    np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-9 * largest, err_msg=code)


@pytest.mark.parametrize("name", built_in_names())
def test_printed_equations_of_built_in_networks_compute_the_numbers(name: str) -> None:
    model = bind(built_in(name))
    check_code(model)
    for detail in Detail:
        check_steps(model, detail)
        for latex in equations_of(model.graph, detail):
            assert_well_formed(latex)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(sample=samples())
def test_printed_equations_of_random_networks_compute_the_numbers(sample: Sample) -> None:
    model = built(sample)
    assume(model is not None)
    assert model is not None
    found = trace(model.graph, model.leaves)
    if not all(np.all(np.abs(a) < 1e5) for a in found.arrays):
        return
    check_code(model)
    for detail in Detail:
        check_steps(model, detail)
        for latex in equations_of(model.graph, detail):
            assert_well_formed(latex)
