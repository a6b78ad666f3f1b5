"""Pictures of a landscape: of the command line's ``landscape --to FILE.png``, and of what is exported."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from engine.errors import UsageError
from engine.landscape import (
    Extent,
    Slice,
    Space,
    Surface,
    along_entries,
    along_principal,
    default_extent,
    evaluate,
    last_finite,
    run_points,
)
from engine.trace import loss_and_gradients
from engine.training import Point, Run
from graphs.commands.landscape import Drawn
from graphs.network import Model
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from gui.drawing import Drawing
from gui.groups import group
from gui.landscape_map import LandscapeMap, Marks, TrailMark
from gui.matrices import is_for_a_file
from gui.pictures import Picture
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.landscape import Trail, is_quick, slice_sentence

__all__ = ["check_landscape", "draw_landscape", "picture"]

SIZE = QSizeF(720, 560)
HEAD = 44.0
EDGE = 14.0
PATIENCE = 2.0
"""Seconds after which a landscape is shown as finely as it is known by then."""
TRAJECTORY = 10
"""Iterations from which on a run has directions of its own to show."""


def picture(drawn: Drawn, theme: Theme, is_log: bool = False, scale: float = 1.0) -> Picture:
    """Return a landscape as a picture: its map under two lines that say what it is."""
    drawing = _drawing(drawn, theme, [], is_log)
    title = f"{drawn.model.network.title}, loss landscape"
    snapshot = Snapshot.of(drawn.run, drawn.model, iteration=drawn.iteration)
    return Picture(
        size=SIZE,
        paint=lambda painter: drawing.paint(painter, 0),
        scale=scale,
        title=title,
        description=slice_sentence(drawn.surface.slice, drawn.iteration),
        metadata={**provenance(snapshot), "Title": title},
        background=drawing.background,
    )


# --- of a session ------------------------------------------------------------------------------------------


def check_landscape(session: Session) -> None:
    """Say so where there is no landscape.

    Raises
    ------
    UsageError
        For a network of fewer than two parameters.
    """
    if Space.of(session.model.graph).size < 2:
        raise UsageError(
            "there is no landscape: it takes two numbers that can be trained.", how="Export the loss."
        )


def draw_landscape(session: Session, positions: Sequence[int], theme: Theme) -> Drawing:
    """Lay out the landscape around the iteration that a session stands at, with all visible runs on it."""
    drawn = _worked_out(session)
    space = drawn.surface.slice.space
    others = [
        TrailMark(Trail(drawn.surface.slice, run.run).places(), run.style)
        for run in session.runs
        if run.visible
        and run is not session.current
        and run.iterations
        and Space.of(run.run.problem.graph) == space
    ]
    return _drawing(drawn, theme, others, style=session.current.style)


_known: list[tuple[tuple[object, ...], Drawn]] = []  # the last one: a preview asks for it again and again


def _worked_out(session: Session) -> Drawn:
    """Return the landscape around the iteration that a session stands at."""
    key = (session.run, session.iterations, session.iteration)
    for known, drawn in _known:
        if known[0] is key[0] and known[1:] == key[1:]:
            return drawn
    model, run = session.model, session.run
    graph = model.graph
    centre = last_finite(run, session.current.at(session.iteration))
    slice_ = _slice(model, run, session.iterations, centre)
    points = run_points(slice_.space, [run])
    extent = default_extent(slice_, graph if is_quick(model) else None, model.inputs, points)
    drawn = Drawn(model, run, _surface(slice_, model, extent), centre.iteration)
    _known[:] = [(key, drawn)]
    return drawn


def _surface(slice_: Slice, model: Model, extent: Extent) -> Surface:
    """Return the loss over a part of a slice, as finely as it is known when patience ends."""
    end = perf_counter() + PATIENCE
    surfaces = evaluate(slice_, model.graph, model.inputs, extent)
    found = next(surfaces)
    while perf_counter() < end and (finer := next(surfaces, None)) is not None:
        found = finer
    return found


def _slice(model: Model, run: Run, iterations: int, centre: Point) -> Slice:
    """Return the directions in which a run moved, or the first two numbers where it went nowhere, or up."""
    graph, space = model.graph, Space.of(model.graph)
    if iterations >= TRAJECTORY and space.size > 2 and run.losses[iterations] <= 2.0 * abs(run.losses[0]):
        points = run_points(space, [run])
        if len(points) > 1 and np.isfinite(points).all() and np.ptp(points, axis=0).any():
            return along_principal(graph, centre.parameters, points)
    return along_entries(graph, centre.parameters, space.name(0), space.name(1))


# --- painting ----------------------------------------------------------------------------------------------


def _drawing(
    drawn: Drawn, theme: Theme, others: Sequence[TrailMark], is_log: bool = False, style: int = 0
) -> Drawing:
    charts: dict[float, LandscapeMap] = {}

    def paint(painter: QPainter, position: int) -> None:
        _paint_head(painter, drawn, theme)
        ratio = 1.0 if is_for_a_file(painter) else max(0.1, painter.worldTransform().m11())
        if ratio not in charts:  # its lines are as wide as pixels
            charts[ratio] = _chart(drawn, theme, is_log, ratio, others, style)
        target = QRectF(EDGE, HEAD, SIZE.width() - 2 * EDGE, SIZE.height() - HEAD - EDGE / 2)
        with group(painter, "landscape"):
            source = QRectF(0, 0, target.width(), target.height())
            charts[ratio].scene().render(painter, target, source)

    return Drawing(SIZE, theme.color("window"), paint)


def _chart(
    drawn: Drawn, theme: Theme, is_log: bool, ratio: float, others: Sequence[TrailMark], style: int
) -> LandscapeMap:
    chart = LandscapeMap(theme, ratio=ratio)
    chart.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    chart.resize(int(SIZE.width() - 2 * EDGE), int(SIZE.height() - HEAD - EDGE / 2))
    chart.show()  # only what is shown has its layout done
    surface = drawn.surface
    slice_, run = surface.slice, drawn.run
    chart.set_labels(*slice_.labels)
    chart.show_extent(surface.extent)
    chart.set_surface(surface, is_log)
    point = run.point if run.diverged is None else run.history.samples[0].point
    model = drawn.model
    _, gradients = loss_and_gradients(model.graph, {**model.inputs, **point.parameters})
    own = [TrailMark(Trail(slice_, run).places(), style)] if run.iteration else []
    chart.set_marks(
        Marks(
            [*others, *own],
            np.array([slice_.coordinates(run.history.samples[0].point.parameters)]),
            slice_.coordinates(point.parameters) if run.iteration else None,
            slice_.downhill(gradients),
        )
    )
    chart.settle()
    chart.hide()
    return chart


def _paint_head(painter: QPainter, drawn: Drawn, theme: Theme) -> None:
    network, run = drawn.model.network, drawn.run
    trained = f", {run.recipe.title()}, {run.iteration} iterations" if run.iteration else ""
    rows = (
        ("strong", "text", f"{network.title}{trained}", 19.0),
        ("small", "muted", slice_sentence(drawn.surface.slice, drawn.iteration), 36.0),
    )
    with group(painter, "title"):
        for font, color, text, y in rows:
            painter.setFont(application_font(font))
            painter.setPen(theme.color(color))
            room = SIZE.width() - 2 * EDGE
            text = QFontMetricsF(application_font(font)).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(EDGE, y), text)
