"""Drawings of computation graphs: what stands where, and that no line runs into a box."""

import os
import subprocess
import sys
from itertools import combinations, pairwise
from math import hypot
from pathlib import Path
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.layout import Layout, layout

ROOT = Path(__file__).parents[2]
OPS = ("op", "line")


def drawn(text, loss=None, unused=()):
    """Make a graph of lines such as "Z = W1 X b1"; leaves that start with X, x, H or y are data."""
    graph = nx.MultiDiGraph()
    lines = [line.split(" = ") for line in text.strip().splitlines()]
    ops = [name.strip() for name, _ in lines]
    leaves = [*dict.fromkeys(n for _, reads in lines for n in reads.split() if n not in ops), *unused]
    for order, name in enumerate([*leaves, *ops]):
        kind = "line" if name in ops else "input" if name[0] in "XxHy" else "parameter"
        graph.add_node(name, kind=kind, order=order)
    for name, reads in lines:
        for slot, source in enumerate(reads.split()):
            graph.add_edge(source, name.strip(), slot)
    graph.graph["loss"] = loss or ops[-1]
    return graph


def usual_sizes(graph):
    return {n: (110.0, 110.0) if kind in OPS else (84.0, 90.0) for n, kind in graph.nodes(data="kind")}


def usual(text, **options):
    graph = drawn(text, **options)
    return layout(graph, usual_sizes(graph))


TWO_LAYER = "Z = W1 X b1\nA = Z\nyhat = w2 A b2\nL = yhat y"
NETWORKS = {
    "two-layer": TWO_LAYER,
    "primitive": "Z.1 = W1 X\nZ = Z.1 b1\nA = Z\ns.1 = w2 A\ns = s.1 b2\nL.1 = s y\nL.2 = L.1\nL = L.2",
    "residual": "Z1 = W1 X b1\nA1 = Z1\nZ2 = W2 A1 b2\nA2 = Z2\nS = A2 Z1\nT = S\nU = T S\nL = U y",
    "regularised": "Z = W X b\nA = Z\nR = W lam\nE = A y\nL = E R",
    "recurrent": "A1 = Wx X1 Wh H0 b\nh1 = A1\nA2 = Wx X2 Wh h1 b\nh2 = A2\nA3 = Wx X3 Wh h2 b\nL = A3 y",
    "square": "s = w w\nL = s s y",
    "many leaves": "yhat = w1 x1 w2 x2 w3 x3 w4 x4 b\nL = yhat y",
    "attention": "Q = Wq X\nK = Wk X\nV = Wv X\nS = Q K\nP = S\nC = P V\nO = X C\nL = O y",
    "doubling": "d0 = X X\n" + "\n".join(f"d{i} = d{i - 1} d{i - 1}" for i in range(1, 60)),
    "one line": "L = w X y",
    "leaf alone": "L = w w",
}


@st.composite
def graphs(draw, most=16):
    """Random graphs: forks, joins, repeats, lines off the loss, leaves read once, often or never."""
    lines = []
    for i in range(draw(st.integers(1, most))):
        sources = [f"n{j}" for j in range(i)] + ["X", "W", "V", f"x{i}", f"w{i}", f"b{i}"]
        lines.append(f"n{i} = " + " ".join(draw(st.lists(st.sampled_from(sources), min_size=1, max_size=5))))
    loss = f"n{draw(st.integers(0, len(lines) - 1))}"
    unused = draw(st.sampled_from([(), ("u",), ("u", "v", "t")]))
    graph = drawn("\n".join(lines), loss=loss, unused=unused)
    if draw(st.booleans()):
        side = st.sampled_from([50.0, 90.0, 110.0, 180.0, 260.0])
        return graph, {node: (draw(side), draw(side)) for node in sorted(graph)}
    return graph, usual_sizes(graph)


def long_way(seed, count):
    """Make a random graph so wide and long that its long edges take lanes."""
    chance = Random(seed)
    lines = ["n0 = X W"]
    for i in range(1, count):
        sources = [f"n{i - 1 - int(chance.expovariate(0.2)) % i}", f"n{chance.randrange(i)}", "W", f"w{i}"]
        lines.append(f"n{i} = " + " ".join(chance.sample(sources, 3)))
    return drawn("\n".join(lines))


# What is measured.


def boxes(drawing, sizes):
    places = drawing.positions.items()
    return {
        node: (x - sizes[node][0] / 2, y - sizes[node][1] / 2, x + sizes[node][0] / 2, y + sizes[node][1] / 2)
        for node, (x, y) in places
    }


def apart(box, other):
    return max(box[0] - other[2], other[0] - box[2], box[1] - other[3], other[1] - box[3])


def sides(box):
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return list(pairwise([*corners, corners[0]]))


def from_point(point, a, b):
    along = (b[0] - a[0], b[1] - a[1])
    square = along[0] ** 2 + along[1] ** 2
    t = ((point[0] - a[0]) * along[0] + (point[1] - a[1]) * along[1]) / square if square else 0
    t = min(1, max(0, t))
    return hypot(a[0] + t * along[0] - point[0], a[1] + t * along[1] - point[1])


def turn(line, point):
    (ax, ay), (bx, by) = line
    return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)


def distance(p, q):
    """Return the distance of two line segments, zero if they cross."""
    if turn(p, q[0]) * turn(p, q[1]) < 0 and turn(q, p[0]) * turn(q, p[1]) < 0:
        return 0.0
    return min(from_point(p[0], *q), from_point(p[1], *q), from_point(q[0], *p), from_point(q[1], *p))


def around(segment):
    (ax, ay), (bx, by) = segment
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def clearance(segment, box):
    """Return how near a segment comes to a box; zero also if it runs inside."""
    x, y = segment[0]
    if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
        return 0.0
    if (rough := apart(around(segment), box)) > 6:
        return rough
    return min(distance(segment, side) for side in sides(box))


def on_border(point, box):
    (x, y), (left, top, right, bottom) = point, box
    inside = left - 0.01 <= x <= right + 0.01 and top - 0.01 <= y <= bottom + 0.01
    return inside and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) < 0.01


def check_boxes(graph, sizes, drawing):
    """No two nodes are nearer than 24 pixels, and the bounds hold everything."""
    found = boxes(drawing, sizes)
    assert set(found) == set(graph)
    row = sorted(found, key=lambda node: found[node][0])
    for i, node in enumerate(row):
        for other in row[i + 1 :]:
            if found[other][0] > found[node][2] + 24:
                break
            assert apart(found[node], found[other]) > 23.99, (node, other)
    left, top, width, height = drawing.bounds
    points = [p for route in drawing.routes.values() for p in route]
    points += [corner for box in found.values() for corner in (box[:2], box[2:])]
    assert min(x for x, _ in points) == left
    assert min(y for _, y in points) == top
    assert max(x for x, _ in points) == pytest.approx(left + width)
    assert max(y for _, y in points) == pytest.approx(top + height)


def check_routes(graph, sizes, drawing):
    """Every edge runs from border to border and keeps away from all other nodes."""
    found = boxes(drawing, sizes)
    assert set(drawing.routes) == set(graph.edges(keys=True))
    for (source, target, slot), route in drawing.routes.items():
        assert len(route) >= 2
        assert on_border(route[0], found[source]), (source, target, slot)
        assert on_border(route[-1], found[target]), (source, target, slot)
        for segment in pairwise(route):
            assert segment[0] != segment[1]
            for node, box in found.items():
                if node not in (source, target):
                    assert clearance(segment, box) >= 6, (source, target, slot, node)


def check_flow(graph, sizes, drawing):
    """Operations stand right of what they read; nothing is drawn right of the loss."""
    found, loss = boxes(drawing, sizes), graph.graph["loss"]
    for source, target in graph.edges():
        if graph.nodes[source]["kind"] in OPS or graph.out_degree(source) != graph.number_of_edges(
            source, target
        ):
            assert found[source][2] < found[target][0], (source, target)
    if not nx.descendants(graph, loss):
        for node in set(graph) - set(graph.predecessors(loss)):
            assert found[node][2] <= found[loss][2] + 0.01, node


def check_parallels(graph, sizes, drawing):
    """The edges of `x * x` can be told apart."""
    for source, target in set(graph.edges()):
        routes = [drawing.routes[source, target, slot] for slot in graph[source][target]]
        room = min(*sizes[source], *sizes[target]) - 24  # shared by all edges into a small node
        least = min(10, 0.6 * room / max(1, graph.in_degree(target) - 1))
        for route, other in combinations(routes, 2):
            assert min(distance(a, b) for a in pairwise(route) for b in pairwise(other)) >= least, (
                source,
                target,
            )


def check_all(graph, sizes, **how):
    drawing = layout(graph, sizes, **how)
    for check in (check_boxes, check_routes, check_flow, check_parallels):
        check(graph, sizes, drawing)


@pytest.mark.parametrize("is_narrow", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_known_networks_are_drawn_cleanly(name, is_narrow):
    graph = drawn(NETWORKS[name])
    check_all(graph, usual_sizes(graph), is_narrow=is_narrow)


@given(graphs())
def test_any_graph_is_drawn_cleanly(sample):
    check_all(*sample)


@given(graphs())
def test_any_graph_is_drawn_cleanly_where_neighbours_stand_close(sample):
    check_all(*sample, is_narrow=True)


def test_a_narrow_picture_has_the_same_rows():
    graph = drawn(TWO_LAYER)
    sizes = usual_sizes(graph)
    usual_, narrow = layout(graph, sizes), layout(graph, sizes, is_narrow=True)
    assert narrow.bounds[2] < 0.85 * usual_.bounds[2]
    heights = [{node: y for node, (_, y) in found.positions.items()} for found in (usual_, narrow)]
    assert heights[0] == heights[1]


@pytest.mark.parametrize("seed", range(3))
def test_large_graphs_are_drawn_cleanly(seed):
    graph = long_way(seed, 200)
    drawing = layout(graph, usual_sizes(graph))
    for check in (check_boxes, check_routes, check_flow, check_parallels):
        check(graph, usual_sizes(graph), drawing)


# The picture of the two-layer network.


def test_the_spine_is_one_straight_line():
    drawing = usual(TWO_LAYER)
    spine = ["X", "Z", "A", "yhat", "L"]
    assert {drawing.positions[node][1] for node in spine} == {0.0}
    places = [drawing.positions[node][0] for node in spine]
    assert places == sorted(places)
    for source, target in pairwise(spine):
        slot = 1 if target in ("Z", "yhat") else 0
        (x0, y0), (x1, y1) = drawing.routes[source, target, slot]
        assert y0 == y1 == 0
        assert x1 - x0 >= 120, "an equation has to fit on the edge"


def test_the_two_layer_network_fits_its_place():
    _, _, width, height = usual(TWO_LAYER).bounds
    assert width <= 1050
    assert height <= 300


def test_leaves_hang_below_their_operation_in_the_order_of_its_operands():
    drawing = usual(TWO_LAYER)
    (zx, zy), (wx, wy), (bx, by) = (drawing.positions[node] for node in ("Z", "W1", "b1"))
    assert wx < zx < bx
    assert wx + bx == pytest.approx(2 * zx)
    assert wy == by == zy + 55 + 70 + 45
    ends = [drawing.routes[leaf, "Z", slot][-1] for leaf, slot in (("W1", 0), ("b1", 2))]
    assert all(y == zy + 55 for _, y in ends)
    assert ends[0][0] < ends[1][0]
    assert drawing.positions["y"][0] == drawing.positions["L"][0]


def test_of_many_leaves_some_hang_above():
    drawing = usual(NETWORKS["many leaves"])
    heights = [drawing.positions[leaf][1] for leaf in ("x1", "w2", "w3", "x4", "b")]
    assert any(y < 0 for y in heights)
    assert any(y > 0 for y in heights)


def test_a_residual_passes_over_the_top_with_two_corners():
    drawing = usual(NETWORKS["residual"])
    out, first, second, back = drawing.routes["Z1", "S", 1]
    assert out[1] == back[1] == -55
    assert first[1] == second[1] < -70
    assert out[0] == first[0]
    assert second[0] == back[0]
    assert {drawing.positions[node][1] for node in ("X", "Z1", "A1", "Z2", "A2", "S", "L")} == {0.0}


def test_residuals_in_a_row_lie_at_one_height():
    blocks = "".join(f"A{i} = W{i} Z{i - 1}\nB{i} = A{i}\nZ{i} = B{i} Z{i - 1}\n" for i in range(1, 5))
    drawing = usual("Z0 = W0 X\n" + blocks + "L = Z4 y")
    assert len({drawing.routes[f"Z{i - 1}", f"Z{i}", 1][1][1] for i in range(1, 5)}) == 1


def test_shared_parameters_stand_left_of_every_reader():
    drawing = usual(NETWORKS["recurrent"])
    for leaf in ("Wx", "Wh", "b"):
        assert drawing.positions[leaf][0] < drawing.positions["A1"][0]
    for leaf, reader in (("X2", "A2"), ("X3", "A3"), ("H0", "A1")):
        assert drawing.positions[leaf][0] == drawing.positions[reader][0]
    assert drawing.positions["X1"] == (drawing.positions["Wx"][0], 0)


def test_parallel_edges_of_a_hanging_leaf_go_straight_up():
    drawing = usual("s = w w\nL = s y")
    for slot in (0, 1):
        (x0, _), (x1, _) = drawing.routes["w", "s", slot]
        assert x0 == x1


def test_two_chains_of_equal_rank_both_begin_with_their_data():
    drawing = usual("P = U X1\nQ = V X2\nL = P Q y")
    assert drawing.positions["X1"][0] == drawing.positions["X2"][0] < drawing.positions["P"][0]
    assert drawing.positions["X2"][1] == drawing.positions["Q"][1]


def test_what_is_off_the_loss_does_not_pass_it():
    drawing = usual("Z = W X\nL = Z y\ns1 = k\ns2 = s1\ns3 = s2\ns4 = s3", loss="L", unused=("u",))
    assert drawing.positions["L"][0] >= drawing.positions["s4"][0]
    assert drawing.positions["Z"][1] == drawing.positions["L"][1] == 0
    assert drawing.positions["u"][1] > max(y for node, (_, y) in drawing.positions.items() if node != "u")


def test_what_reads_the_loss_stands_right_of_it():
    drawing = usual("Z = W X\nL = Z y\nM = L", loss="L")
    assert drawing.positions["M"][0] > drawing.positions["L"][0]


# The edges of what can be asked.


def test_an_empty_graph_is_an_empty_drawing():
    assert layout(nx.MultiDiGraph(), {}) == Layout({}, {}, (0, 0, 0, 0))


@pytest.mark.parametrize("kind", ["input", "parameter", "line", "op"])
def test_a_single_node_is_drawn(kind):
    graph = nx.MultiDiGraph(loss="a")
    graph.add_node("a", kind=kind, order=0)
    drawing = layout(graph, {"a": (80, 60)})
    x, y = drawing.positions["a"]
    assert drawing.bounds == (x - 40, y - 30, 80, 60)


def test_a_cycle_is_refused():
    graph = drawn("a = b X\nb = a")
    with pytest.raises(nx.NetworkXUnfeasible):
        layout(graph, usual_sizes(graph))


@pytest.mark.parametrize("shared", [True, False])
def test_ten_thousand_operations_in_a_row(shared):
    lines = [
        f"d{i} = {f'd{i - 1}' if i else 'X'} {'w' if shared else f'w{i}'}"
        for i in range(10_000 if shared else 5000)
    ]
    drawing = usual("\n".join(lines))
    places = [drawing.positions[f"d{i}"] for i in range(len(lines))]
    assert all(b[0] - a[0] > 110 for a, b in pairwise(places))
    assert {y for _, y in places} == {0.0}


def test_the_order_of_insertion_does_not_matter():
    graph = drawn(NETWORKS["attention"])
    other = nx.MultiDiGraph(loss="L")
    other.add_nodes_from(reversed(list(graph.nodes(data=True))))
    other.add_edges_from(reversed(list(graph.edges(keys=True))))
    assert layout(other, usual_sizes(graph)) == layout(graph, usual_sizes(graph))


def test_every_process_draws_the_same():
    program = (
        "from tests.graphs.test_layout import *\n"
        "for name in NETWORKS: print(usual(NETWORKS[name]))\n"
        "print(layout(long_way(1, 30), usual_sizes(long_way(1, 30))))\n"
        "print(layout(long_way(1, 200), usual_sizes(long_way(1, 200))))"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(pictures) == 1
