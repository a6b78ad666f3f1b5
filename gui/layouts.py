"""Where the cards stand: the layout of a graph at a detail, worked out once and kept."""

from __future__ import annotations

from graphs.layout import Layout, layout
from graphs.nxgraph import nx_graph
from gui.scene.graph_scene import node_size
from gui.viewdata import Frame, SceneView

__all__ = ["layout_of"]

_kept: dict[tuple, Layout] = {}


def layout_of(frame: Frame, view: SceneView) -> Layout:
    """Return the layout of the graph of `frame`; the same graph always gets the same one."""
    graph = frame.trace.graph
    sizes = {name: node_size(node) for name, node in view.nodes.items()}
    key = (tuple(frame.statics.edges), tuple(sizes.items()), graph.loss)
    if key not in _kept:
        if len(_kept) > 16:
            _kept.clear()
        _kept[key] = layout(nx_graph(graph, frame.statics.detail), sizes)
    return _kept[key]
