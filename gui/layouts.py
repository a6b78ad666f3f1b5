"""Where the cards stand: the layout of a graph at a detail, worked out once and kept.

The layouts of the built-in networks are kept in a file too: with them the first picture needs no NetworkX,
whose import alone takes a third of the time to the first picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gui.scene.metrics import CROWD, CROWD_SIZE, ON_SCREEN, Letters, node_size
from gui.viewdata import EdgeKey, Frame, SceneView, scene_view

if TYPE_CHECKING:
    from graphs.layout import Layout

__all__ = [
    "STORE",
    "Kept",
    "lay_out_ahead",
    "layout_key",
    "layout_of",
    "preload",
    "stored_layout",
    "worked_out",
]

STORE = Path(__file__).parent / "resources" / "layouts.json"
Point = tuple[float, float]
_kept: dict[str, Layout | Kept] = {}


class Kept(NamedTuple):
    """A layout from the file: the same fields as one that has just been worked out."""

    positions: dict[str, Point]
    routes: dict[EdgeKey, tuple[Point, ...]]
    bounds: tuple[float, float, float, float]


def layout_of(frame: Frame, view: SceneView, letters: Letters = ON_SCREEN) -> Layout | Kept:
    """Return the layout of the graph of `frame`; the same graph always gets the same one.

    With other letters than those of the screen it is that of a picture, which is narrower; the cards of a
    large graph have no letters, so it has one layout.
    """
    letters = ON_SCREEN if len(view.nodes) > CROWD else letters
    key = layout_key(frame, view, letters)
    if key not in _kept:
        if len(_kept) > 16:
            _kept.clear()
        _kept[key] = stored_layout(key) or worked_out(frame, view, letters)
    return _kept[key]


def lay_out_ahead(frame: Frame) -> Iterator[object]:
    """Work out, in any thread, what the graph of a large network shows first, and where its cards stand.

    The cards of a small one are measured with the window's fonts, in the window's thread.
    """
    yield from preload()
    view = scene_view(frame)
    yield view
    if len(view.nodes) > CROWD:
        layout_of(frame, view)
        yield view


def worked_out(frame: Frame, view: SceneView, letters: Letters = ON_SCREEN) -> Layout:
    """Return the layout of the graph of `frame`, worked out now."""
    layout, nx_graph = _rules()
    graph = nx_graph(frame.trace.graph, frame.statics.detail)
    return layout(graph, _sizes(view, letters), is_narrow=_is_narrow(letters))


def preload() -> Iterator[object]:
    """Import what the first layout that is in no file needs, in any thread: it takes half a second."""
    yield _rules()


def _rules() -> tuple[Any, Any]:
    # imported here: NetworkX is not needed for the networks whose layout is in the file
    from graphs.layout import layout
    from graphs.nxgraph import nx_graph

    return layout, nx_graph


def layout_key(frame: Frame, view: SceneView, letters: Letters = ON_SCREEN) -> str:
    """Return what a layout depends on, as one word: edges, kinds, the loss and the size of every card."""
    cards = [(name, view.nodes[name].kind, *size) for name, size in _sizes(view, letters).items()]
    whole = json.dumps([frame.trace.graph.loss, cards, list(frame.statics.edges)])
    whole += "narrow" if _is_narrow(letters) else ""
    return hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()[:16]


def _is_narrow(letters: Letters) -> bool:
    """Say whether cards stand closer together: in pictures, and for the last row."""
    return replace(letters, has_numbers=False) != ON_SCREEN


def _sizes(view: SceneView, letters: Letters) -> dict[str, Point]:
    """Return the size of every card, rounded: the last digit of a font's measure makes no other layout."""
    if len(view.nodes) > CROWD:  # drawn small and alike: measuring ten thousand formulas would take minutes
        return {name: CROWD_SIZE for name in view.nodes}
    sizes = {name: node_size(node, letters) for name, node in view.nodes.items()}
    return {name: (round(width, 1), round(height, 1)) for name, (width, height) in sizes.items()}


@lru_cache(maxsize=1)
def _store() -> dict[str, Any]:
    try:
        return json.loads(STORE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def stored_layout(key: str) -> Kept | None:
    """Return the layout of that key from the file, None where it has none."""
    found = _store().get(key)
    if found is None:
        return None
    return Kept(
        {name: (x, y) for name, x, y in found["positions"]},
        {(s, t, slot): tuple((x, y) for x, y in line) for s, t, slot, line in found["routes"]},
        tuple(found["bounds"]),
    )


def stored_form(layout: Layout | Kept) -> dict[str, Any]:
    """Return a layout as the file keeps it; for the tool that writes the file, and its test."""
    return {
        "positions": [[name, round(x, 2), round(y, 2)] for name, (x, y) in layout.positions.items()],
        "routes": [
            [*key, [[round(x, 2), round(y, 2)] for x, y in line]] for key, line in layout.routes.items()
        ],
        "bounds": [round(side, 2) for side in layout.bounds],
    }
