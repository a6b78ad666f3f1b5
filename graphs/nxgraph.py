"""The engine's graph as a NetworkX graph: what layout, DOT and GraphML work on."""

from __future__ import annotations

import networkx as nx

from engine.graph import Detail, Graph, Kind

__all__ = ["nx_graph"]


def nx_graph(graph: Graph, detail: Detail = Detail.EQUATION) -> nx.MultiDiGraph:
    """Return `graph` as it is shown at `detail`.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes by name, with `kind` ("input", "parameter", "line", "op"), `order` and `shape`; an edge for each
        use, its key the input slot. The graph's own attribute `loss` names the loss.
    """
    result = nx.MultiDiGraph(loss=graph.loss)
    lines = {line.name for line in graph.lines}
    for name in graph.visible(detail):
        node = graph[name]
        kind = "line" if name in lines else "op" if node.kind == Kind.OP else node.kind.value
        result.add_node(name, kind=kind, order=node.id, shape=tuple(d.size for d in node.dims))
    for source, target, slot in graph.edges(detail):
        result.add_edge(source, target, key=slot)
    return result
