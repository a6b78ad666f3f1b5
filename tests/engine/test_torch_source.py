"""PyTorch source: there is some for every operation, it is Python, and numbers alone are tensors in it."""

from __future__ import annotations

import ast

import pytest

from engine.derive import Derivation
from engine.expr import Name, lift
from engine.notation import torch_source
from engine.ops import OPS, Op, positive
from engine.shapes import Dim, Dims
from tests.helpers import model_of

MATRIX: Dims = (Dim("k", 3), Dim("m", 4, True))


def symbols(op: Op) -> list[Name]:
    names = [Name(name, MATRIX, name, name) for name in "ab"[: op.arity[0]]]
    if op.name == "@":
        names[1] = Name("b", MATRIX[::-1], "b", "b")
    return names


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_every_operation_is_written_over_torch_and_its_arguments(op: Op) -> None:
    args = symbols(op)
    text = torch_source(op.express(args, op.shape(*(arg.dims for arg in args)), {}))
    read = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
    assert {arg.name for arg in args} <= read <= {"torch", "a", "b"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sum(w)", "torch.sum(w)"),
        ("sum(sum(w, axis=1))", "torch.sum(torch.sum(w, dim=1))"),
        ("sum(max(w, axis=0, keepdims=True))", "torch.sum(torch.amax(w, dim=0, keepdim=True))"),
        ("sum(norm(w, keepdims=True))", "torch.sum(torch.linalg.vector_norm(w, dim=None, keepdim=True))"),
        ("sum(max(w, 0))", "torch.sum(torch.maximum(w, torch.tensor(0, dtype=torch.float64)))"),
        ("sum(w) * sqrt(2 / m)", "torch.sum(w) * torch.sqrt(torch.tensor(2 / m, dtype=torch.float64))"),
        ("1/m * norm(w.T @ w - 1)**2", "1 / m * torch.sum((w.T @ w - 1)**2)"),
    ],
)
def test_formulas_read_as_people_write_them_in_pytorch(text: str, written: str) -> None:
    model = model_of(f"L = {text}", {"w": [[1.0, 2.0], [3.0, 4.0]]}, {"X": [[1.0, 2.0]]})
    assert torch_source(Derivation(model.graph).right_side("L")) == written


def test_a_number_alone_is_a_tensor() -> None:
    assert torch_source(lift(2)) == "torch.tensor(2, dtype=torch.float64)"


def test_what_only_derivatives_need_has_no_source() -> None:
    with pytest.raises(TypeError, match="positive"):
        torch_source(positive(Name("a", MATRIX, "a", "a")))
