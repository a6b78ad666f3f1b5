"""The graph in TikZ: its numbers are the trace's, it compiles by itself and inside a document."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.trace import Phase
from engine.training import Recipe
from graphs.documents import Options, formats
from graphs.documents.tikz import picture_tex
from graphs.drawing import Drawing
from graphs.lane_drawing import HEADING, LaneDrawing
from graphs.network import bind, built_in_names, load
from graphs.palette import PALETTES
from graphs.snapshot import Snapshot
from graphs.tex import formula
from graphs.tikz import WIDTHS, node_names
from graphs.views.frame import Frame
from graphs.views.numbers import MINUS, compact
from graphs.views.scene import scene_view
from tests.graphs.snapshots import (
    BUILT_IN,
    ODD,
    batch_snapshot,
    built_in_snapshot,
    numbers_in,
    odd_snapshot,
    rounding_snapshot,
    snapshot_of,
)
from tests.graphs.tex import compiled, needs_tex

WIDE = ("deep", "wide", "functions")  # dozens of cards at primitive detail
_CARD_END = re.compile(r"\n% |\n\\draw\[bsbackward,line width=0.8pt\]|\n\\node\[anchor=north west,text width")


def places(snapshot: Snapshot) -> Iterator[Snapshot]:
    """Yield the first step, the middle and the end of an iteration."""
    last = len(snapshot.trace.steps)
    for position in dict.fromkeys((1, last // 2, last)):
        yield snapshot.at(position)


def cards(source: str, snapshot: Snapshot) -> dict[str, str]:
    """Return what is written of each card."""
    names = list(scene_view(Frame.of(snapshot)).nodes)
    found = {}
    for name in names:
        body = source.partition(f"\n% {name}\n")[2]
        found[name] = _CARD_END.split(body)[0]
    return found


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_cards_show_what_is_known_and_nothing_of_what_is_to_come(name: str, detail: Detail) -> None:
    for snapshot in places(built_in_snapshot(name, detail)):
        view = scene_view(Frame.of(snapshot))
        written = cards(picture_tex(snapshot), snapshot)
        for node in view.nodes.values():
            shown = written[node.name]
            _assert_shows(shown, node.value, "forward")
            if node.expected or node.is_loss:
                _assert_shows(shown, node.gradient, "backward")
            assert ("draw=bs" + node.phase in shown) == bool(node.phase) or not node.phase
            assert ("fill=bsstored" in shown) == node.read


def _assert_shows(card: str, array: np.ndarray | None, role: str) -> None:
    outlines = card.count(f"\\draw[bs{role},")
    scalars = [text for text in re.findall(rf"\\color\{{bs{role}text\}}\$(.*?)\$", card) if text != "+"]
    if array is None:
        assert (outlines, scalars) == (0, [])
    elif array.size == 1:
        assert [numbers_in(text)[0] for text in scalars] == [
            pytest.approx(float(array.reshape(())), rel=5e-4)
        ]
    else:
        assert outlines == 1
    if array is not None and array.size > 1 and max(np.atleast_2d(array).shape) <= 4:
        for entry in np.ravel(array).tolist():
            assert formula(compact(entry, 5).replace(MINUS, "-")) in card


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_edges_are_drawn_as_far_as_the_timeline_has_come(name: str, detail: Detail) -> None:
    for snapshot in places(built_in_snapshot(name, detail)):
        view = scene_view(Frame.of(snapshot))
        source, _, _ = picture_tex(snapshot).partition("\n% update of ")
        wires = [line for line in source.splitlines() if "rounded corners=6pt]" in line and "--" in line]
        back = [line for line in wires if "bsbackward" in line]
        assert len(wires) - len(back) == len(view.edges)
        assert len(back) == sum(edge.backward or edge.current == "backward" for edge in view.edges.values())
        assert all("dash pattern" in line for line in back)
        assert sum("bsmuted" in line for line in wires) == sum(
            not e.forward for e in view.edges.values()
        ) - sum(e.current == "forward" and not e.forward for e in view.edges.values())


def test_what_is_mere_rounding_is_no_number() -> None:
    snapshot = rounding_snapshot()
    assert 0 < abs(snapshot.trace.loss) < 1e-15
    shown = cards(picture_tex(snapshot), snapshot)
    assert shown["z"].count(r"${\approx}0$") == 2
    assert "10^" not in shown["z"]
    assert r"${\approx}0$" in shown["L"]
    strengths = re.findall(r"\\bscell.*\{(\d+)\}$", shown["z"], re.MULTILINE)
    assert strengths == ["0", "0", "100", "100"]  # the gradient is as it is


def lanes() -> Iterator[Snapshot]:
    """Yield updates: in the middle and at the end of Adam's, and a single line's."""
    adam, last = batch_snapshot(), built_in_snapshot("univariate-regression")
    first = next(step.index for step in adam.trace.steps if step.phase == Phase.UPDATE)
    yield adam.at(first + 3)
    yield adam
    yield last


def test_an_update_is_drawn_below_the_graph_as_far_as_it_has_come() -> None:
    for snapshot in lanes():
        source, view = picture_tex(snapshot), scene_view(Frame.of(snapshot))
        assert view.lane is not None
        lane = source.partition(f"% update of {view.lane.parameter}\n")[2].partition(
            "\\node[anchor=north west"
        )[0]
        assert len(re.findall(r"\((update-[A-Za-z0-9-]+)\)", lane)) == len(view.lane.cards)
        arrows = [line for line in lane.splitlines() if "rounded corners=6pt]" in line and "--" in line]
        assert len(arrows) == sum(arrow.source != "" or arrow.flow == "value" for arrow in view.lane.arrows)
        assert sum(f"line width={WIDTHS['current']}pt" in line for line in arrows) == sum(
            arrow.current for arrow in view.lane.arrows
        )
        known = [
            card.value for card in view.lane.cards.values() if card.value is not None and card.value.size == 1
        ]
        numbers = re.findall(r"\\color\{bs(?:update|backward)text\}\$(.*?)\$", lane)
        written = [numbers_in(text)[0] for text in numbers[:-1]]  # the last is the parameter's own name
        assert written == [pytest.approx(float(np.ravel(value)[0]), rel=5e-4) for value in known]
    assert "% update of" not in picture_tex(built_in_snapshot("univariate-regression").at(3))


@pytest.mark.parametrize("name", ["univariate-regression", "perceptron-classifier"])
def test_an_update_lies_below_the_graph_and_nothing_in_it_overlaps(name: str) -> None:
    model = bind(load(name))
    for optimizer in OPTIMIZERS:
        snapshot = snapshot_of(model, recipe=Recipe(optimizer).checked())
        frame = Frame.of(snapshot)
        view = scene_view(frame)
        drawing, lane = Drawing(frame.statics, view), view.lane
        assert lane is not None
        shape = tuple(dim.size for dim in frame.trace.graph[lane.parameter].dims)
        found = LaneDrawing(lane, lane.heading[1], shape, drawing.bounds, 0.0)
        left, top, right, bottom = found.panel
        assert top > drawing.bounds[3]
        rects = [found.rect(card) for card in lane.cards] + [port.rect for port in found.ports]
        for i, (a, b, c, d) in enumerate(rects):
            assert left < a < c < right
            assert top < b < d < bottom - HEADING
            assert all(c < e or g < a or d < f or h < b for e, f, g, h in rects[:i])


@pytest.mark.parametrize("theme", PALETTES)
def test_colours_are_the_theme_s(theme: str) -> None:
    source = formats()["tikz"].write(built_in_snapshot("univariate-regression"), Options(theme=theme))
    palette = PALETTES[theme]
    for role in ("forward", "backward", "stored", "update"):
        assert f"\\definecolor{{bs{role}}}{{HTML}}{{{getattr(palette, role)[1:].upper()}}}" in source
    assert ("\\colorbox{bscanvas}" in source) == palette.is_dark


def test_names_of_cards_are_ones_that_tikz_takes_and_differ() -> None:
    found = node_names(["W1", "L.1", "L-1", "вес", "век", ""])
    assert found["W1"] == "W1"
    assert len(set(found.values())) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", name) for name in found.values())


def test_it_says_where_it_comes_from() -> None:
    source = picture_tex(odd_snapshot("names").at(3))
    assert re.search(r"(?m)^% Step: 3$", source)
    assert "pdfinfo={Network=" in source
    assert re.sub(r"(?m)^%.*$", "", source).isascii()


# --- compiled ----------------------------------------------------------------------------------------------

_HOST = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern,amsmath,amssymb,tikz}
\begin{document}
"""


def _told(source: str) -> str:
    """Let the log say what is made smaller."""
    shrinks = r"\ifdim\wd0>#1\relax "
    assert shrinks in source
    return source.replace(shrinks, rf"{shrinks}\typeout{{SMALLER \the\wd0 to \the\dimexpr#1\relax}}")


@needs_tex
@pytest.mark.parametrize("detail", Detail)
def test_pictures_of_the_built_in_networks_compile_inside_a_document_and_all_text_has_room(
    detail: Detail,
) -> None:
    files, body = {}, []
    for name in built_in_names():
        for snapshot in places(built_in_snapshot(name, detail)):
            stem = f"picture{len(files)}"
            files[stem] = _told(picture_tex(snapshot, "dark" if snapshot.position == 1 else "light"))
            body.append(rf"\noindent\resizebox{{\linewidth}}{{!}}{{\input{{{stem}}}}}\par")
    found = compiled(_HOST + "\n".join(body) + "\n\\end{document}\n", **files)
    assert found.complaints == []
    smaller = re.findall(r"SMALLER (\d+\.\d+)pt to (\d+\.\d+)pt", found.log.replace("\n", ""))
    assert min((float(room) / float(wide) for wide, room in smaller), default=1.0) > 0.7


@needs_tex
def test_pictures_of_odd_networks_compile_inside_a_document() -> None:
    files, body = {}, []
    keys = [(key, d) for key in ODD for d in Detail if d == Detail.EQUATION or key not in WIDE]
    keys = [key for key in keys if key[0] != "many"]  # hundreds of cards
    odd = [snapshot.at(2 * len(snapshot.trace.steps) // 3) for snapshot in (odd_snapshot(*k) for k in keys)]
    for middle in (*odd, *lanes()):
        stem = f"picture{len(files)}"
        files[stem] = picture_tex(middle, "print")
        body.append(rf"\noindent\resizebox{{\linewidth}}{{!}}{{\input{{{stem}}}}}\par")
    assert compiled(_HOST + "\n".join(body) + "\n\\end{document}\n", **files).complaints == []


@needs_tex
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_a_picture_compiles_by_itself_to_a_page_of_its_size(engine: str, tmp_path: Path) -> None:
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    snapshot = built_in_snapshot("two-layer-nonlinear").at(11)
    found = compiled(picture_tex(snapshot, "dark"), engine)
    assert found.complaints == []
    if found.text:
        assert "Step 11 of 18, backward" in found.text
        assert "0.8990" not in found.text  # cells are compact
        assert "reads stored" in found.text
    if shutil.which("pdfinfo"):
        path = tmp_path / "picture.pdf"
        path.write_bytes(found.pdf)
        said = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True).stdout
        assert re.search(r"Pages:\s+1\n", said)
        wide, high = (float(x) for x in re.findall(r"Page size:\s+([\d.]+) x ([\d.]+)", said)[0])
        assert 700 < wide < 900
        assert 300 < high < 450
