"""DOT for Graphviz: the graph at a step, coloured as on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import networkx as nx
import numpy as np

from graphs.documents import Format, Options, Scope
from graphs.palette import PALETTES, Palette
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.stepgraph import in_words, step_graph

__all__ = ["FORMAT"]

FONT = "Helvetica,Arial,sans-serif"
LONGEST = 44
"""Characters of a line of a label."""
SMALL, SMALLER = 11, 10
"""Points of what stands under a name."""


def _write(snapshot: Snapshot, options: Options) -> str:
    graph, palette = step_graph(snapshot), PALETTES[options.theme]
    loss = graph.nodes[graph.graph["loss"]]["text"]
    lines = [
        "digraph {",
        *_indented(_attributes(snapshot, graph, palette)),
        *_indented(_node(name, data, loss, palette) for name, data in graph.nodes(data=True)),
        *_indented(_edge(*edge, palette) for edge in graph.edges(keys=True, data=True)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines)


def _attributes(snapshot: Snapshot, graph: nx.MultiDiGraph, palette: Palette) -> Iterator[str]:
    """Yield what holds for the whole graph: where it comes from, its heading, fonts and colours."""
    yield from (f"{key}={_quoted(value)}" for key, value in provenance(snapshot).items())
    heading = [
        _font(f"<B>{_cell(snapshot.title, 2 * LONGEST)}</B>", palette.text, 14),
        _font(
            _cell(f"{graph.graph['place']}. {graph.graph['sentence']}", 3 * LONGEST),
            _role(palette, graph.graph["phase"]),
            12,
        ),
    ]
    font = f"fontname={_quoted(FONT)} fontcolor={_quoted(palette.text)}"
    yield f"label=<{'<BR/>'.join(heading)}> labelloc=t rankdir=LR nodesep=0.35 ranksep=0.75 pad=0.3"
    yield f"bgcolor={_quoted(palette.canvas)} {font} fontsize=12"
    yield (
        f'node [shape=box style="rounded,filled" fillcolor={_quoted(palette.card)} '
        f'color={_quoted(palette.card_border)} {font} fontsize=13 margin="0.14,0.08"]'
    )
    yield f"edge [color={_quoted(palette.disabled)} arrowsize=0.7 {font} fontsize={SMALL}]"


def _node(name: str, data: Mapping[str, Any], loss: str, palette: Palette) -> str:
    is_known = data["value"] is not None
    title = _cell(data["text"], LONGEST)
    lines = [_font(f"<B>{title}</B>" if is_known else title, palette.text if is_known else palette.muted, 13)]
    if data["kind"] in ("input", "parameter"):
        lines.append(_font(data["kind"], palette.muted, SMALLER))
    if data["formula"]:
        lines.append(
            _font(f"= {_cell(data['formula'], LONGEST)}", palette.text if is_known else palette.muted, SMALL)
        )
    if data["shape"]:
        lines.append(_font(" × ".join(map(str, data["shape"])), palette.muted, SMALLER))
    if is_known:
        lines.append(_font(in_words(data["value"], "value" in data["rounding"]), palette.forward_text, SMALL))
    if data["gradient"] is not None:
        of = f"∂{loss}/∂{data['text']} =" if data["kind"] != "op" else "gradient"
        said = f"{of} {in_words(data['gradient'], 'gradient' in data['rounding'])}"
        lines.append(_font(_cell(said, LONGEST), palette.backward_text, SMALL))
    if data["reads"]:
        lines.append(_font("stored, read now", palette.stored_text, SMALLER))
    look = {
        "label": f"<{'<BR/>'.join(lines)}>",
        "id": _quoted(f"node {name}"),
        "tooltip": _quoted(data["text"]),
    }
    look |= _outline(data, is_known, palette)
    return f"{_quoted(name)} {_list(look)}"


def _outline(data: Mapping[str, Any], is_known: bool, palette: Palette) -> dict[str, str]:
    if data["step"]:
        return {"color": _quoted(_mark(palette, data["step"])), "penwidth": "3"}
    if data["reads"]:
        return {"color": _quoted(palette.stored), "penwidth": "2"}
    if not is_known:
        return {"style": '"rounded,dashed"'}
    return {"penwidth": "2"} if data["is_loss"] else {}


def _edge(source: str, target: str, slot: int, data: Mapping[str, Any], palette: Palette) -> str:
    look = {
        "id": _quoted(f"edge {source} {target} {slot}"),
        "tooltip": _quoted(f"{source} to {target}, input {slot + 1}"),
    }
    if data["current"] == "backward":
        look |= {"color": _quoted(palette.backward), "style": "dashed", "dir": "back", "penwidth": "2.6"}
        said = [data["factor"], _said(data["contribution"], data["rounding"])]
        lines = [_font(_cell(text, LONGEST), palette.backward_text, SMALL) for text in said if text]
        look |= {"label": f"<{_apart('<BR/>'.join(lines))}>"} if lines else {}
    elif data["current"] == "forward":
        look |= {"color": _quoted(palette.forward), "penwidth": "2.6"}
    elif data["backward"]:
        look |= {"color": _quoted(f"{palette.forward}:{palette.backward}"), "dir": "both"}
    elif data["forward"]:
        look |= {"color": _quoted(palette.forward)}
    else:
        look |= {"style": "dotted"}
    return f"{_quoted(source)} -> {_quoted(target)} {_list(look)}"


def _said(array: np.ndarray | None, is_rounding: bool) -> str:
    return "" if array is None else f"= {in_words(array, is_rounding)}"


# --- how DOT writes it -------------------------------------------------------------------------------------


def _mark(palette: Palette, phase: str) -> str:
    return getattr(palette, phase)


def _role(palette: Palette, phase: str) -> str:
    return getattr(palette, f"{phase}_text", palette.text)


def _list(look: Mapping[str, str]) -> str:
    return f"[{' '.join(f'{key}={value}' for key, value in look.items())}]"


def _font(text: str, colour: str, points: int) -> str:
    return f'<FONT COLOR="{colour}" POINT-SIZE="{points}">{text}</FONT>'


def _apart(text: str) -> str:
    """Return a label with room around it: Graphviz leaves none between a label and its edge."""
    return f'<TABLE BORDER="0" CELLPADDING="5"><TR><TD>{text}</TD></TR></TABLE>'


def _cell(text: str, most: int) -> str:
    """Return text for a label, in one line, no longer than that."""
    plain = " ".join(_printable(text).split())
    return escape(plain if len(plain) <= most else f"{plain[: most - 1]}…")


def _quoted(text: str) -> str:
    """Return text in quotation marks; Graphviz takes a backslash for the beginning of something else."""
    plain = " ".join(_printable(str(text)).split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


FORMAT = Format("dot", "DOT for Graphviz", (".dot", ".gv"), _write, Scope.STEP, ("theme",))
