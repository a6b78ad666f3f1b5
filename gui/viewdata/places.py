"""What is selected, at another detail."""

from __future__ import annotations

from engine.graph import Detail, Graph
from graphs.views.records import EdgeKey

__all__ = ["same_selection"]


def same_selection(graph: Graph, selection: str | EdgeKey | None, detail: Detail) -> str | EdgeKey | None:
    """Return what stands at `detail` for a node or an edge: itself, or the line it is a part of.

    None where nothing stands for it.
    """
    if selection is None or isinstance(selection, str):
        return None if selection is None else _same_node(graph, selection, detail)
    _, target, slot = selection
    if target not in graph.ids:
        return None
    other = _within_line(graph, target, slot) if detail == Detail.PRIMITIVE else _of_line(graph, target, slot)
    edges = set(graph.edges(detail))
    if selection in edges and other not in edges:
        return selection
    return other if other in edges else _same_node(graph, target, detail)


def _same_node(graph: Graph, name: str, detail: Detail) -> str | None:
    if name not in graph.ids:
        return None
    line = graph[name].line
    names = (name, graph.lines[line].name if line >= 0 else name)
    visible = set(graph.visible(detail))
    return next((n for n in names if n in visible), None)


def _within_line(graph: Graph, target: str, slot: int) -> EdgeKey | None:
    """Return the primitive edge of a line's use."""
    line = graph.line_by_name.get(target)
    if line is None or slot >= len(line.uses):
        return None
    use = line.uses[slot]
    node, own = use.path[-1]
    return graph.nodes[use.source].name, graph.nodes[node].name, own


def _of_line(graph: Graph, target: str, slot: int) -> EdgeKey | None:
    """Return the line's use that a primitive edge is, None for an edge inside the line."""
    node = graph[target]
    if node.line < 0:
        return None
    line = graph.lines[node.line]
    use = next((u for u in line.uses if u.path[-1] == (node.id, slot)), None)
    return (graph.nodes[use.source].name, line.name, use.slot) if use is not None else None
