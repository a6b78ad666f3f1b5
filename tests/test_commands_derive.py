"""``derive``: the printed equations, code that gives what a trace gives, and text that a person can read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main as command_line
from graphs.network import built_in_names

Caught = pytest.CaptureFixture[str]

_FIT = r"\frac{2}{m}(\hat{y} - y)"
_BACK = r"w_2^\intercal\frac{2}{m}(\hat{y} - y)"
_BENT = r"((w_2^\intercal\frac{2}{m}(\hat{y} - y))\odot A \odot (1 - A))"
_LOSS = (r"\mathcal{L}", r"\frac{1}{m}||\hat{y} - y||^2")

# The equations as the course that these networks come from prints them.
FORWARD = {
    "univariate-regression": [(r"\hat{y}", "wx + b"), _LOSS],
    "multivariate-regression": [(r"\hat{y}", "wX + b"), _LOSS],
    "two-layer-linear": [("Z", "W_1 X + b_1"), (r"\hat{y}", "w_2Z + b_2"), _LOSS],
    "two-layer-nonlinear": [
        ("Z", "W_1 X + b_1"),
        ("A", r"\sigma(Z)"),
        (r"\hat{y}", "w_2A + b_2"),
        _LOSS,
    ],
}
BACKWARD = {
    "univariate-regression": {"w": rf"{_FIT}x^\intercal", "b": rf"{_FIT}\vec{{1}}"},
    "multivariate-regression": {"w": rf"{_FIT}X^\intercal", "b": rf"{_FIT}\vec{{1}}"},
    "two-layer-linear": {
        "W1": rf"{_BACK}X^\intercal",
        "b1": rf"{_BACK}\vec{{1}}",
        "w2": rf"{_FIT}Z^\intercal",
        "b2": rf"{_FIT}\vec{{1}}",
    },
    "two-layer-nonlinear": {
        "W1": rf"{_BENT}X^\intercal",
        "b1": rf"{_BENT}\vec{{1}}",
        "w2": rf"{_FIT}A^\intercal",
        "b2": rf"{_FIT}\vec{{1}}",
    },
}


def derived(capsys: Caught, *argv: str) -> dict[str, Any]:
    assert command_line.main(["derive", *argv, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def text_of(capsys: Caught, *argv: str) -> str:
    assert command_line.main(["derive", *argv]) == 0
    return capsys.readouterr().out


def bare(latex: str) -> str:
    r"""Return LaTeX without spaces, ``\left``, ``\right`` and alignment marks."""
    return re.sub(r"\s|\\left(?![a-z])|\\right(?![a-z])|&", "", latex)


@pytest.mark.parametrize("name", FORWARD)
def test_the_equations_are_the_printed_ones(name: str, capsys: Caught) -> None:
    found = derived(capsys, name)
    expected = [bare(f"{left} = {right}") for left, right in FORWARD[name]]
    assert [bare(equation) for equation in found["forward"].values()] == expected
    for parameter, right in BACKWARD[name].items():
        symbol = re.sub(r"(\d)$", r"_\1", parameter)
        printed = rf"\frac{{\partial\mathcal{{L}}}}{{\partial {symbol}}} = {right}"
        assert bare(found["gradients"][parameter]) == bare(printed)


# --- code ---------------------------------------------------------------------------------------------------

X = "X = [[0.5, -1.2, 2.0, 0.3], [1.1, 0.4, -0.7, -0.2]]"
Y = "y = [[0.2, 1.0, -0.5, 0.7]]"
ONE_HOT = "y = [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]"
W = "W = [[0.3, -0.8], [0.5, 0.9]]"
V = "V = [[0.2, -0.4], [0.7, 0.1], [-0.6, 0.8]]"
w = "w = [[0.4, -0.9]]"
C = "c = [[0.3], [-0.2]]"
B = "b = 0.7"

# formula, parameters, data
UNTRIED = {
    "residual": ("H = tanh(W @ X + c)\nR = H + X\nL = mse(w @ R, y)", [W, C, w], [X, Y]),
    "shared weights": ("H = sigmoid(W @ X)\nG = W @ H + W.T @ X\nL = mean((w @ G - y)**2)", [W, w], [X, Y]),
    "softmax": ("P = softmax(V @ X)\nL = -1/m * sum(y * log(P))", [V], [X, ONE_HOT]),
    "cross-entropy": ("Z = V @ X\nL = cross_entropy(Z, y)", [V], [X, ONE_HOT]),
    "softmax along rows": ("P = softmax(V @ X, axis=1)\nL = sum(P * y)", [V], [X, ONE_HOT]),
    "a reduction of each row": ("s = mean(X * c, axis=1, keepdims=True)\nL = sum((W @ s)**2)", [W, C], [X]),
    "centred columns": ("D = W @ X - mean(W @ X, axis=0, keepdims=True)\nL = norm(D)**2", [W], [X]),
    "norms of columns": ("n = norm(W @ X, axis=0)\nL = sum(n)", [W], [X]),
    "max of columns": ("p = max(W @ X, axis=0)\nL = sum(p * y)", [W], [X, Y]),
    "max and min": ("A = max(W @ X, 0.1)\nB2 = min(A, c)\nL = mean(A * B2)", [W, C], [X]),
    "power": ("p = (w @ X)**2 + 1\nq = p**b\nL = mean(q)", [w, B], [X]),
    "division that broadcasts": ("D = (W @ X) / (1 + c**2)\nE = D / b\nL = sum(E**3)", [W, C, B], [X]),
    "a square by itself": ("s = b * b\nt = s * s\nL = t * s + b", [B], []),
    "a matrix by itself": ("S = W @ W\nT2 = S @ S.T\nL = sum(T2 * W)", [W], []),
    "recurrence": (
        "h = tanh(c)\n" + "h2 = tanh(W @ h + c)\nh3 = tanh(W @ h2 + c)\nL = sum(h3**2)",
        [W, C],
        [],
    ),
    "an attention": ("S = softmax(X.T @ W @ X)\nO = X @ S\nL = mean((w @ O - y)**2)", [W, w], [X, Y]),
    "a product of entries": ("G = (W @ X) * sigmoid(W.T @ X)\nL = norm(G - X)", [W], [X]),
    "a leaky slope": ("Z = W @ X\nA = relu(Z) - 0.1 * relu(-Z)\nL = bce(w @ A, abs(y))", [W, w], [X, Y]),
}


def network_file(folder: Path, case: str) -> Path:
    formula, parameters, data = UNTRIED[case]
    path = folder / "untried.toml"
    tables = "\n".join(["[parameters]", *parameters, "[data]", *data])
    path.write_text(f'formula = """\n{formula}\n"""\n{tables}\n')
    return path


def assert_code_gives_the_gradients(capsys: Caught, source: str) -> None:
    rows = derived(capsys, source)["code"]
    assert command_line.main(["trace", source, "--format", "json"]) == 0
    traced = json.loads(capsys.readouterr().out)
    scope: dict[str, Any] = {name: np.array(value) for name, value in traced["values"].items()}
    data = next((scope[n] for n in ("X", "x") if n in scope), None)
    if data is not None:
        scope["m"] = data.shape[1]
    for name, expression in rows:
        value = eval(expression, {"__builtins__": {}, "np": np}, scope)  # noqa: S307  (what it is printed for)
        expected = np.array(traced["gradients"][name])
        np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-13, err_msg=f"{name} = {expression}")
        assert np.shape(value) == expected.shape, f"{name} = {expression}"
        scope[f"d_{name}"] = value
    assert rows[0][0] == "L"
    assert {name for name, _ in rows} == set(traced["gradients"])


@pytest.mark.parametrize("name", built_in_names())
def test_the_code_gives_what_the_trace_gives(name: str, capsys: Caught) -> None:
    assert_code_gives_the_gradients(capsys, name)


@pytest.mark.parametrize("case", UNTRIED)
def test_the_code_is_right_for_formulas_nobody_has_tried(case: str, tmp_path: Path, capsys: Caught) -> None:
    assert_code_gives_the_gradients(capsys, str(network_file(tmp_path, case)))


@pytest.mark.parametrize("case", UNTRIED)
def test_untried_formulas_pass_the_nudge_test(case: str, tmp_path: Path, capsys: Caught) -> None:
    code = command_line.main(["check", str(network_file(tmp_path, case))])
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("case", UNTRIED)
def test_untried_formulas_are_written_in_every_format(case: str, tmp_path: Path, capsys: Caught) -> None:
    path = str(network_file(tmp_path, case))
    text = text_of(capsys, path)
    assert text.count("(") == text.count(")")
    assert not re.search(r"None|Fraction|np\.|\\", text)
    latex = text_of(capsys, path, "--format", "latex")
    assert latex.count("{") == latex.count("}")


# --- formats for people ------------------------------------------------------------------------------------


def test_json_has_three_keys_and_every_name(capsys: Caught) -> None:
    found = derived(capsys, "two-layer-linear")
    assert set(found) == {"forward", "gradients", "code"}
    assert list(found["forward"]) == ["Z", "yhat", "L"]
    assert set(found["gradients"]) == {"L", "yhat", "Z", "W1", "b1", "w2", "b2", "X", "y"}


def test_text_reads_as_mathematics(capsys: Caught) -> None:
    lines = [re.sub(" +", " ", line.strip()) for line in text_of(capsys, "two-layer-nonlinear").splitlines()]
    assert "L = 1/m ‖ŷ − y‖²" in lines
    assert "∂L/∂W₁ = ((w₂ᵀ 2/m (ŷ − y)) ⊙ A ⊙ (1 − A)) Xᵀ" in lines
    assert "∂L/∂b₂ = 2/m (ŷ − y) 1⃗" in lines


def test_text_keeps_quotients_in_products_apart(capsys: Caught) -> None:
    text = text_of(capsys, "scalar-operations")
    assert "r = l/(1 + e)" in text
    assert "(1/(1 + e)) (1/(q + 1))" in text


def test_another_loss_gives_its_name_to_the_gradients(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "cost.toml"
    lines = "".join(f"a{i + 1} = a{i} * w + a{i}\n" for i in range(6))
    path.write_text(f'formula = """\na0 = w\n{lines}cost = a6**2\n"""\n[parameters]\nw = 0.5\n')
    assert "∂cost/∂a₅" in text_of(capsys, str(path))
    assert "∂L" not in text_of(capsys, str(path))


def test_latex_is_an_align_environment_a_pass(capsys: Caught) -> None:
    text = text_of(capsys, "two-layer-linear", "--format", "latex")
    blocks = re.findall(r"\\begin\{align\}\n(.*?)\n\\end\{align\}", text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        rows = block.split("\n")
        assert all(row.count(" &= ") == 1 for row in rows)
        assert all(row.endswith(r" \\") for row in rows[:-1])
        assert not rows[-1].endswith("\\")
    assert [len(block.split("\n")) for block in blocks] == [3, 9]


def test_a_line_too_long_to_write_out_is_said(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f'formula = "L = {" + ".join(["w"] * 500)}"\n[parameters]\nw = 1.0\n')
    assert command_line.main(["derive", str(path)]) == 0
    text = capsys.readouterr().out
    assert "L = (499 operations)" in text
    assert text.splitlines()[-1].split("=")[-1].strip() == "…"


def test_sixty_doublings_are_written_in_bounded_size(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "double.toml"
    lines = "".join(f"y{i + 1} = y{i} + y{i}\n" for i in range(60))
    path.write_text(f'formula = """\ny0 = w**2\n{lines}L = y60\n"""\n[parameters]\nw = 0.5\n')
    assert len(text_of(capsys, str(path))) < 20_000


def test_a_constant_beyond_every_float_is_said(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "huge.toml"
    path.write_text('formula = "L = w * (10**64)**64"\n[parameters]\nw = 1.0\n')
    assert command_line.main(["derive", str(path)]) == 2
    assert "the largest float" in capsys.readouterr().err


def test_a_slope_beyond_every_float_is_written_as_a_product(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "huge.toml"
    doublings = "".join(f"y{i + 1} = y{i} + y{i}\n" for i in range(1100))
    path.write_text(f'formula = """\ny0 = w + 1\n{doublings}"""\n[parameters]\nw = 1.0\n')
    assert len(text_of(capsys, str(path))) < 500_000
