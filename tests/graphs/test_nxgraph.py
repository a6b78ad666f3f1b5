"""The NetworkX graph has what the engine's graph has, use for use."""

from __future__ import annotations

import networkx as nx
import pytest

from engine.graph import Detail, Kind
from graphs.network import bind, built_in, built_in_names
from graphs.nxgraph import nx_graph
from tests.helpers import model_of


@pytest.mark.parametrize("detail", Detail)
@pytest.mark.parametrize("name", built_in_names())
def test_nodes_and_edges_are_those_shown(name: str, detail: Detail) -> None:
    graph = bind(built_in(name)).graph
    found = nx_graph(graph, detail)
    assert list(found.nodes) == list(graph.visible(detail))
    assert sorted(found.edges(keys=True)) == sorted(graph.edges(detail))
    assert nx.is_directed_acyclic_graph(found)
    assert found.graph == {"loss": "L"}
    assert all(found.nodes[p]["kind"] == "parameter" for p in graph.parameters)
    assert all(found.nodes[p]["kind"] == "input" for p in graph.inputs)
    orders = [found.nodes[n]["order"] for n in found]
    assert orders == sorted(orders)
    assert all(found.nodes[u]["order"] < found.nodes[v]["order"] for u, v in found.edges())


def test_a_value_used_twice_has_two_edges() -> None:
    graph = model_of("y = x * x\nL = y + y * x", {"x": 2.0}).graph
    found = nx_graph(graph)
    assert sorted(found.edges(keys=True)) == [
        ("x", "L", 2),
        ("x", "y", 0),
        ("x", "y", 1),
        ("y", "L", 0),
        ("y", "L", 1),
    ]
    assert {n: found.nodes[n]["kind"] for n in found} == {"x": "parameter", "y": "line", "L": "line"}


def test_parts_stand_at_primitive_detail() -> None:
    found = nx_graph(model_of("L = sigmoid(w * 2 + b)", {"w": 1.0, "b": 0.0}).graph, Detail.PRIMITIVE)
    assert {n: found.nodes[n]["kind"] for n in found} == {
        "w": "parameter",
        "b": "parameter",
        "L.1": "op",
        "L.2": "op",
        "L": "line",
    }
    assert Kind.CONSTANT not in nx.get_node_attributes(found, "kind").values()
    assert found.nodes["w"]["shape"] == ()
