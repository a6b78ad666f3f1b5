r"""TikZ: the graph at a step, as a picture that compiles by itself and can be ``\input`` into a document.

Cards, arrows and notes are as in the window: what has been computed in blue, gradients in vermilion, dashed
and reversed, what a factor reads in purple, dotted; what is still to come is dimmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from graphs.documents import Format, Options, Scope
from graphs.drawing import FACTOR, LABEL, READS, Drawing
from graphs.lane_drawing import LaneDrawing
from graphs.palette import MEANINGS, PALETTES, SHADES
from graphs.provenance import provenance
from graphs.room import Array, Point, Rect
from graphs.snapshot import Snapshot
from graphs.solution import Solution
from graphs.tex import comments, escaped, pdf_text, sentence
from graphs.tikz import (
    MACROS,
    WIDTHS,
    Pen,
    arrow_rows,
    card_rows,
    colours,
    glow_rows,
    lane_rows,
    node_names,
    point,
    short,
)
from graphs.typesetting import lines
from graphs.views.frame import Frame
from graphs.views.records import EdgeView
from graphs.views.scene import scene_view

__all__ = ["FORMAT", "picture_tex"]

UNIT = 0.7  # points that a unit of the drawing is wide, so that names are set in 14 points
WIDEST = 14000.0  # points; TeX's lengths end at 16383
CAPTION = 10.0  # points, the size of the words below the graph
LEAST_CAPTION = 330.0  # points, how wide they are at least
MOST_LINES = 6  # of an equation
MARGIN = 12.0
HEAD, HALF_HEAD = 8.0, 3.8  # of the arrows of reading

_DOCUMENT = r"""% This file compiles by itself with pdflatex or lualatex. A document that loads tikz, amsmath
% and amssymb can \input it as well, which sets the picture alone.
\makeatletter
\ifx\documentclass\@twoclasseserror
  \let\backstepend\relax
\else
  \documentclass{article}
  \usepackage[T1]{fontenc}
  \usepackage{lmodern}
  \usepackage{amsmath,amssymb}
  \usepackage{tikz}
  \usepackage[hidelinks]{hyperref}
  @information
  \newsavebox{\backsteppage}
  \def\backstepend{\end{lrbox}% the page is as large as the picture
    \hoffset=-1in \voffset=-1in
    \edef\backstepwidth{\the\wd\backsteppage}%
    \edef\backstepheight{\the\dimexpr\ht\backsteppage+\dp\backsteppage\relax}%
    \ifdefined\pagewidth \pagewidth=\backstepwidth \pageheight=\backstepheight
    \else \pdfpagewidth=\backstepwidth \pdfpageheight=\backstepheight \fi
    \shipout\vbox{\box\backsteppage}%
    \end{document}}
  \begin{document}
  \begin{lrbox}{\backsteppage}%
\fi
\makeatother
"""
_LINES = {
    "forward": "bsforward,line width=1.4pt",
    "backward": "bsbackward,line width=1.4pt,dash pattern=on 4pt off 2.8pt",
    "update": "bsupdate,line width=3.4pt",
    "stored": "bsstored,line width=1.4pt,line cap=round,dash pattern=on 0.1pt off 2.6pt",
}
_SHADES = ("bsnegative", "bsnegative!50!bszero", "bszero", "bspositive!50!bszero", "bspositive")


def picture_tex(snapshot: Snapshot, theme: str = "light") -> str:
    """Return the graph at a step as a TikZ picture.

    Parameters
    ----------
    theme
        ``light``, ``dark`` or ``print``.
    """
    said = provenance(snapshot)
    known = {"Title": "pdftitle", "Software": "pdfcreator"}
    rows = [f"{known[key]}={{{pdf_text(value)}}}" for key, value in said.items() if key in known]
    others = [f"{key}={{{pdf_text(value)}}}" for key, value in said.items() if key not in known]
    information = f"\\hypersetup{{{','.join(rows)},pdfinfo={{{','.join(others)}}}}}"
    head = comments(said) + _DOCUMENT.replace("@information", information)
    picture = "\n".join(_Picture(snapshot, theme).rows())
    return f"{head}{picture}\n\\backstepend\n{comments(said, long=True)}"


class _Picture:
    """Writes a picture, from the back to the front."""

    def __init__(self, snapshot: Snapshot, theme: str) -> None:
        self.snapshot = snapshot
        self.palette = PALETTES[theme]
        frame = Frame.of(snapshot)
        self.view = scene_view(frame)
        self.drawing = Drawing(frame.statics, self.view)
        self.lane = self._laid_out(frame)
        self.bounds = self._bounds()
        left, _, right, _ = self.bounds
        self.pen = Pen(min(UNIT, WIDEST / (right - left)))

    def _laid_out(self, frame: Frame) -> LaneDrawing | None:
        """Return the lane of the update, None where nothing is updated."""
        lane = self.view.lane
        if lane is None:
            return None
        shape = tuple(dim.size for dim in frame.trace.graph[lane.parameter].dims)
        x, _ = self.drawing.places[lane.parameter]
        return LaneDrawing(lane, lane.heading[1], shape, self.drawing.bounds, x)

    def _bounds(self) -> Rect:
        left, top, right, bottom = self.drawing.bounds
        if self.lane is None:
            return left, top, right, bottom
        lane = self.lane.panel
        return min(left, lane[0] - MARGIN), top, max(right, lane[2] + MARGIN), lane[3] + MARGIN

    def rows(self) -> Iterator[str]:
        unit = self.pen.unit
        yield "\\begingroup"
        yield from colours(self.palette)
        yield MACROS
        yield "\\fboxsep=0pt\\colorbox{bscanvas}{%" if self.palette.is_dark else "{%"
        options = "inner sep=0pt,outer sep=0pt,line join=round"
        yield f"\\begin{{tikzpicture}}[x={unit:.5g}pt,y=-{unit:.5g}pt,{options}]"
        left, top, right, bottom = self.bounds
        yield f"\\path {point((left, top))} rectangle {point((right, bottom))};"
        for node in self.view.nodes.values():
            yield from glow_rows(self.pen, self.drawing, node)
        for edge in sorted(self.view.edges.values(), key=lambda edge: (bool(edge.current), edge.forward)):
            yield from self.edge(edge)
        names = node_names(self.view.nodes)
        for node in self.view.nodes.values():
            yield f"% {_comment(node.name)}"
            yield from card_rows(self.pen, self.drawing, node, names[node.name], self.view.phase)
        yield from self.notes()
        if self.lane is not None and self.view.lane is not None:
            yield f"% update of {_comment(self.view.lane.parameter)}"
            yield from lane_rows(self.pen, self.lane, self.view.lane)
        yield from self.caption()
        yield "\\end{tikzpicture}}\\endgroup"

    # --- wires ---

    def edge(self, edge: EdgeView) -> Iterator[str]:
        forward, backward = self.drawing.arrows[edge.key]
        yield f"% {_comment(edge.source)} to {_comment(edge.target)}"
        when = "current" if edge.current == "forward" else "past" if edge.forward else "future"
        colour = {"current": "bsforward", "past": "bsforward!85!bscanvas", "future": "bsmuted!35!bscanvas"}[
            when
        ]
        yield from arrow_rows(forward, f"{colour},line width={WIDTHS[when]}pt", colour)
        if backward is None or not (edge.backward or edge.current == "backward"):
            return
        if edge.current == "backward":
            colour, dashes, when = "bsbackward", "on 5pt off 3pt", "current"
        else:
            colour, dashes, when = "bsbackward!55!bscanvas", "on 4pt off 2.8pt", "past"
        yield from arrow_rows(backward, f"{colour},line width={WIDTHS[when]}pt,dash pattern={dashes}", colour)

    # --- notes ---

    def notes(self) -> Iterator[str]:
        """Yield the factor on its wire, and the arrows from what it reads."""
        found, view, pen = self.drawing.notes(self.view), self.view, self.pen
        if found is None or view.current is None:
            return
        spot = found.spot
        left, top, right, bottom = spot.rect
        wide, high = right - left, bottom - top
        latex = f"$\\displaystyle {short(view.edges[view.current].factor)}$"
        content = pen.content(latex, FACTOR * spot.scale, "bsbackwardtext", wide - 8, high - 4)
        style = f"draw=bsbackward,fill=bscard,line width=1pt,rounded corners=4pt,{pen.box(wide, high)}"
        yield f"\\draw[bsbackward,line width=0.8pt] {point(spot.foot)} -- {point(spot.center)};"
        yield f"\\node[{style}] at {point(spot.center)} {{{content}}};"
        for name, curve, rect in found.arcs:
            yield from self.arc(name, curve, rect)

    def arc(self, name: str, curve: Array, rect: Rect) -> Iterator[str]:
        start, first, second, end = ((float(x), float(y)) for x, y in curve)
        path = f"{point(start)} .. controls {point(first)} and {point(second)} .. {point(end)}"
        yield f"\\draw[{_LINES['stored']}] {path};"
        yield f"\\fill[bsstored] {' -- '.join(map(point, _head(second, end)))} -- cycle;"
        left, top, right, bottom = rect
        words = f"{READS}${short(self.view.nodes[name].title)}$"
        content = self.pen.content(words, LABEL, "bsstoredtext", right - left, bottom - top)
        style = f"fill=bscanvas,rounded corners=2pt,{self.pen.box(right - left, bottom - top)}"
        yield f"\\node[{style}] at {point(((left + right) / 2, (top + bottom) / 2))} {{{content}}};"

    # --- what stands below ---

    def caption(self) -> Iterator[str]:
        """Yield the step in words and as an equation, then what the colours mean."""
        left, _, right, bottom = self.bounds
        wide = max(LEAST_CAPTION, self.pen.unit * (right - left - 2 * MARGIN))
        corner = point((left + MARGIN, bottom))
        yield (
            f"\\node[anchor=north west,text width={wide:.1f}pt] (caption) at {corner} "
            f"{{\\bssize{{{CAPTION}pt}}\\baselineskip=1.25em\\color{{bstext}}\\raggedright"
        )
        yield from self.said(wide / CAPTION)
        yield "};"
        yield from _legend()
        yield f"\\path ([yshift=-{MARGIN}pt]legend.south east) -- ([xshift={MARGIN}pt]caption.east);"

    def said(self, room: float) -> Iterator[str]:
        place, step, phase = self.snapshot.place(), self.snapshot.step, self.view.phase
        colour = f"bs{phase}text" if phase in ("forward", "backward", "update") else "bstext"
        heading = f"\\textbf{{\\textcolor{{{colour}}}{{{escaped(place[0].upper() + place[1:])}}}}}"
        if step is None:
            yield heading
            return
        written = Solution(self.snapshot).written(step)
        yield f"{heading}\\quad {sentence(written.sentence)}"
        if not written.right:
            return
        first, *more = lines(f"{written.left} {written.sign} {written.coloured}", room - 1)
        more = [*more[: MOST_LINES - 1], *([r"\ldots"] if len(more) >= MOST_LINES else [])]
        for line in (first, *(rf"\quad {line}" for line in more)):
            fitted = f"\\bsfit{{{room * CAPTION:.1f}pt}}{{\\maxdimen}}{{$\\displaystyle {line}$}}"
            yield f"\\par\\vskip3pt\\noindent{fitted}"


def _head(before: Point, tip: Point) -> tuple[Point, Point, Point]:
    length = hypot(tip[0] - before[0], tip[1] - before[1]) or 1.0
    dx, dy = (tip[0] - before[0]) / length, (tip[1] - before[1]) / length
    base = (tip[0] - dx * HEAD, tip[1] - dy * HEAD)
    left, right = ((base[0] - s * dy * HALF_HEAD, base[1] + s * dx * HALF_HEAD) for s in (1, -1))
    return tip, left, right


def _legend() -> Iterator[str]:
    """Yield what lines and cells mean, one beside the other."""
    yield "\\coordinate (legend) at ([yshift=-12pt]caption.south west);"
    words = "\\bssize{8pt}\\color{bsmuted}"
    for role, meaning in MEANINGS.items():
        yield f"\\draw[{_LINES[role]}] (legend) -- ++(17pt,0pt) coordinate (legend);"
        yield f"\\node[anchor=west] (legend) at ([xshift=4pt]legend) {{{words}{meaning}}};"
        yield "\\coordinate (legend) at ([xshift=12pt]legend.east);"
    for shade in _SHADES:
        style = f"fill={shade},draw=bsmuted!40!bscanvas,line width=0.4pt"
        yield f"\\filldraw[{style}] ([yshift=-3pt]legend) rectangle ++(7pt,6pt) coordinate (legend);"
        yield "\\coordinate (legend) at ([yshift=-3pt]legend);"
    yield f"\\node[anchor=west] (legend) at ([xshift=4pt]legend) {{{words}{SHADES}}};"


def _comment(name: str) -> str:
    return " ".join(name.split())


def _write(snapshot: Snapshot, options: Options) -> str:
    return picture_tex(snapshot, options.theme)


FORMAT = Format("tikz", "Graph in TikZ", (".tikz.tex", ".tikz", ".tex"), _write, Scope.STEP, uses=("theme",))
