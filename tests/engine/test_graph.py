"""The graph: a value in topological order, every use an edge."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from engine.graph import Detail, Graph, Kind
from graphs.network import bind, built_in, built_in_names
from tests.helpers import Sample, built, model_of, samples


def assert_sound(graph: Graph) -> None:
    names = [node.name for node in graph.nodes]
    assert len(set(names)) == len(names)
    for i, node in enumerate(graph.nodes):
        assert node.id == i
        assert all(source < i for source in node.inputs)
        assert (node.op is not None) == (node.kind == Kind.OP)
        assert graph[node.name] is node
    for line in graph.lines:
        assert graph.nodes[line.node].name == line.name
        assert line.parts[-1] == line.node
        assert [use.slot for use in line.uses] == list(range(len(line.uses)))
        for use in line.uses:
            assert use.path[0][0] == line.node
            last, slot = use.path[-1]
            assert graph.nodes[last].inputs[slot] == use.source
    for detail in Detail:
        shown = set(graph.visible(detail))
        assert {name for a, b, _ in graph.edges(detail) for name in (a, b)} <= shown
        slots = [(target, slot) for _, target, slot in graph.edges(detail)]
        assert len(set(slots)) == len(slots)


@pytest.mark.parametrize("name", built_in_names())
def test_built_in_graphs_are_sound(name: str) -> None:
    assert_sound(bind(built_in(name)).graph)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(samples())
def test_random_graphs_are_sound(sample: Sample) -> None:
    model = built(sample)
    assume(model is not None)
    assert model is not None
    assert_sound(model.graph)


def test_a_value_may_stand_in_two_slots() -> None:
    graph = model_of("L = x * x", {"x": 2.0}).graph
    assert list(graph.edges(Detail.EQUATION)) == [("x", "L", 0), ("x", "L", 1)]
    assert list(graph.edges(Detail.PRIMITIVE)) == [("x", "L", 0), ("x", "L", 1)]


def test_lines_unfold_into_their_operations() -> None:
    graph = model_of("L = 2 * x + y", {"x": 2.0, "y": 1.0}).graph
    assert graph.visible(Detail.EQUATION) == ("x", "y", "L")
    assert graph.visible(Detail.PRIMITIVE) == ("x", "y", "L.1", "L")
    assert list(graph.edges(Detail.PRIMITIVE)) == [("x", "L.1", 1), ("L.1", "L", 0), ("y", "L", 1)]


def test_constants_are_no_nodes_of_the_picture_and_have_no_gradient() -> None:
    graph = model_of("L = x * (2 + 3) / m", {"x": 2.0}, {"X": [[1.0, 2.0]]}).graph
    constants = [node for node in graph.nodes if node.kind == Kind.CONSTANT]
    assert constants
    assert not {node.id for node in constants} & graph.active
    assert not {node.name for node in constants} & set(graph.visible(Detail.PRIMITIVE))


def test_a_squared_norm_is_one_operation() -> None:
    graph = model_of("L = 1/m * norm(X)**2", {}, {"X": [[1.0, 2.0]]}).graph
    assert [node.op.name for node in graph.nodes if node.op is not None] == ["norm_squared", "*"]


def test_the_path_of_the_loss_leaves_idle_lines_out() -> None:
    graph = model_of("idle = x * 2\nz = x + 1\nL = z", {"x": 1.0}).graph
    assert {graph.nodes[i].name for i in graph.on_loss_path if graph.nodes[i].kind != Kind.CONSTANT} == {
        "x",
        "z",
        "L",
    }
