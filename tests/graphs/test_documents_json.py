"""The JSON documents: valid for any numbers, and nothing lost on the way."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.derive import Derivation
from engine.graph import Detail
from engine.trace import trace
from graphs.documents import Options, formats
from graphs.documents.json import derive_json, dumps, plain, trace_json
from graphs.network import bind, built_in, built_in_names
from graphs.provenance import provenance
from tests.graphs.places import every_place


@given(arrays(np.float64, array_shapes(min_dims=0, max_dims=2), elements=st.floats(allow_nan=False)))
def test_an_array_comes_back_bit_for_bit(array: np.ndarray) -> None:
    back = json.loads(dumps(plain(array)))
    expected = np.where(np.isfinite(array), array, np.nan)
    found = np.array(back, dtype=float)
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_does_not_have_is_null(value: float) -> None:
    assert (
        dumps({"a": [1.5, (value, {"b": value})], "c": "nan"})
        == '{"a": [1.5, [null, {"b": null}]], "c": "nan"}'
    )


def test_it_is_one_line_of_ascii() -> None:
    assert dumps({"ŷ": "a\nb"}) == r'{"\u0177": "a\nb"}'


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", built_in_names())
def test_the_uses_of_a_factor_are_stored_values(name: str, detail: Detail) -> None:
    model = bind(built_in(name))
    document = trace_json(model, trace(model.graph, model.leaves, detail))
    known = {node.name for node in model.graph.nodes}
    for step in document["steps"]:
        if step["phase"] == "backward":
            assert set(step["factor"]["uses"]) <= known
            assert model.graph.nodes[model.graph[step["node"]].inputs[0]].name
            assert step["slot"] is not None


@pytest.mark.parametrize("name", built_in_names())
def test_derive_names_every_line_forward_and_every_value_backward(name: str) -> None:
    graph = bind(built_in(name)).graph
    document = derive_json(Derivation(graph))
    assert list(document["forward"]) == [line.name for line in graph.lines]
    assert set(document["gradients"]) == set(graph.named) == {row[0] for row in document["code"]}
    assert all(len(row) == 2 for row in document["code"])


@pytest.mark.parametrize("detail", Detail)
def test_json_of_every_place_is_strict_and_says_where_it_comes_from(detail: Detail) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    for where, snapshot in every_place(detail):
        found = json.loads(formats()["json"].write(snapshot, Options()), parse_constant=refuse)
        assert found["metadata"] == provenance(snapshot, with_document=True), where
        assert found["metadata"]["Title"] == f"{snapshot.title}, {snapshot.place()}"
        contract = {"network", "detail", "seed", "loss", "values", "gradients", "steps"}
        assert contract <= set(found), where
        assert len(found["steps"]) == len(snapshot.trace.steps)
        assert found["values"].keys() == set(snapshot.trace.graph.named)
