"""How nodes, lists and shapes are said in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from engine.graph import Kind
from engine.names import plain_name
from engine.shapes import Dims
from gui.viewdata.frame import Frame


def kind_of(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    node = graph[name]
    if node.kind != Kind.OP:
        return node.kind.value
    return "line" if graph.lines[node.line].node == node.id else "op"


def plain(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    if name not in graph.ids:
        return name
    node = graph[name]
    if node.op is not None and graph.lines[node.line].node != node.id:
        line = graph.lines[node.line]
        return f"part {name.rpartition('.')[2]} of {plain(frame, line.name)}"
    return "the loss" if name == graph.loss else plain_name(name)


def stored_words(frame: Frame, name: str) -> str:
    return "loss" if name == frame.trace.graph.loss else plain(frame, name)


def listed(items: Iterable[str]) -> str:
    words = list(items)
    if len(words) > 5:
        words = [*words[:4], f"{len(words) - 4} others"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it starts with a name: b is not B."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith(("the ", "part ")) else sentence


def label_of(frame: Frame, name: str) -> str:
    return frame.statics.derivation.name_latex(name)


def sizes(dims: Dims) -> str:
    return " × ".join(str(d.size) for d in dims)


def dim_names(dims: Dims) -> str:
    text = " × ".join(d.name for d in dims)
    return "" if text == sizes(dims) else text
