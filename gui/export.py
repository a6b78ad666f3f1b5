"""What is exported as a picture: the graph, the neurons, the window, at any step of a session's iteration.

A row of `SUBJECTS` says what there is; the formats are found in :mod:`gui.pictures`. Pictures are made of the
session's trace and leave its place alone: they are painted one after another, each when it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path

from PySide6.QtCore import QPoint, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from engine.errors import UsageError, excerpt
from graphs.exporting import Look
from graphs.files import write_whole
from graphs.provenance import provenance
from gui.drawing import Drawing
from gui.groups import group, write
from gui.landscape_picture import check_landscape, draw_landscape
from gui.layouts import layout_of
from gui.loss_picture import check_loss, draw_loss
from gui.matrices import is_for_a_file
from gui.neuron_picture import paint_neurons
from gui.overlay import Overlay
from gui.pictures import Picture, PictureFormat, formats
from gui.scene.graph_scene import GraphScene
from gui.scene.legend import legend_height, paint_graph_legend
from gui.scene.metrics import IN_PICTURES
from gui.session import Session
from gui.step_picture import draw_step
from gui.theme import THEMES, Theme, application_font
from gui.viewdata import measured_view, scene_view, step_view
from gui.viewdata.neurons import neuron_view

__all__ = [
    "SUBJECTS",
    "Subject",
    "export_session",
    "format_of",
    "graph_picture",
    "picture_filters",
    "pictures_of",
    "window_picture",
]


def _always(_: Session) -> None:
    return None


@dataclass(frozen=True)
class Subject:
    """Something that can be exported.

    Attributes
    ----------
    name
        As ``--of`` takes it.
    title
        As a menu shows it.
    draw
        Lays it out for places of a session's iteration.
    check
        Raises `UsageError` where the session has no such thing.
    by_step
        Whether another step gives another picture; else it is of the iteration.
    """

    name: str
    title: str
    draw: Callable[[Session, Sequence[int], Look], Drawing]
    check: Callable[[Session], object] = _always
    by_step: bool = True


# --- the graph ---------------------------------------------------------------------------------------------


def _draw_graph(session: Session, positions: Sequence[int], look: Look) -> Drawing:
    frame, theme = session.frame, THEMES[look.theme]
    first = measured_view(frame.at(positions[0]))
    letters = replace(IN_PICTURES, has_numbers=look.has_numbers)
    scene = GraphScene(theme, letters=letters)
    scene.set_graph(first, layout_of(frame, first, letters), theme)
    scene.setBackgroundBrush(Qt.BrushStyle.NoBrush)
    rects = []
    for position in positions:
        scene.show_step(scene_view(frame.at(position)))
        rects.append(scene.drawn_rect())
    whole = QRectF(_united(rects).toAlignedRect())
    graph = QRectF(0, 0, whole.width(), whole.height())
    below = ceil(legend_height(whole.width())) if look.has_legend else 0

    def paint(painter: QPainter, position: int) -> None:
        scene.show_step(scene_view(frame.at(position)))
        scene.paint_to(painter, graph, whole)
        if below:
            paint_graph_legend(painter, QRectF(0, graph.height(), graph.width(), below), theme)

    return Drawing(QSizeF(graph.width(), graph.height() + below), theme.color("canvas"), paint)


def _united(rects: Sequence[QRectF]) -> QRectF:
    whole = QRectF()
    for rect in rects:
        whole = whole.united(rect)
    return whole


# --- the neurons -------------------------------------------------------------------------------------------

NEURONS = QSizeF(752, 456)
EDGE = 16.0


def _draw_neurons(session: Session, positions: Sequence[int], theme: Theme) -> Drawing:
    frame = session.frame

    def paint(painter: QPainter, position: int) -> None:
        rect = QRectF(0, 0, NEURONS.width(), NEURONS.height()).adjusted(EDGE, 8, -EDGE, -8)
        view = neuron_view(frame.at(position), 0)
        with group(painter, "neurons"):
            paint_neurons(painter, rect, view, theme)
        if view.examples > 1:
            painter.setFont(application_font("small"))
            painter.setPen(theme.color("muted"))
            corner = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
            write(painter, rect.adjusted(0, 0, 0, -3), corner, f"values of example 0 of {view.examples}")

    return Drawing(NEURONS, theme.color("canvas"), paint)


def _check_neurons(session: Session) -> None:
    sentence = neuron_view(session.frame, 0).sentence
    if sentence:
        raise UsageError(f"there are no neurons to draw. {sentence}", how="Export the graph.")


# --- the window --------------------------------------------------------------------------------------------


def _paint_window(painter: QPainter, window: QWidget) -> None:
    """Paint a window; into a vector file as one image, since widgets rely on clipping that SVG has not."""
    image = QImage(window.size() * 2, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    with _without_overlays(window):
        if not is_for_a_file(painter):
            window.render(painter, QPoint())
            return
        window.render(image)
    painter.drawImage(QRectF(window.rect()), image)


@contextmanager
def _without_overlays(window: QWidget) -> Iterator[None]:
    """Keep what lies over a window out of its picture, such as the card on which the picture is chosen.

    It is put aside, not hidden: hiding it would take the focus away from it.
    """
    overlays = [(overlay, overlay.pos()) for overlay in window.findChildren(Overlay)]
    for overlay, place in overlays:
        overlay.move(place.x() + 2 * window.width(), place.y())
    try:
        yield
    finally:
        for overlay, place in overlays:
            overlay.move(place)


def _draw_window(session: Session, window: QWidget) -> Drawing:
    """Lay out a window as it stands; where the session is the window's own, it is moved to each place."""

    def paint(painter: QPainter, position: int) -> None:
        if position != session.position:
            session.go(position)
            window.settle()  # type: ignore[attr-defined]
        _paint_window(painter, window)

    return Drawing(QSizeF(window.size()), QColor(0, 0, 0, 0), paint, 1.0)


def _no_window(session: Session, positions: Sequence[int], look: Look) -> Drawing:
    raise AssertionError("a window is laid out by whoever has it")


def _themed(
    draw: Callable[[Session, Sequence[int], Theme], Drawing],
) -> Callable[[Session, Sequence[int], Look], Drawing]:
    """Return what draws a subject of which a look says the theme alone."""
    return lambda session, positions, look: draw(session, positions, THEMES[look.theme])


# --- all of them -------------------------------------------------------------------------------------------

_ALL = (
    Subject("graph", "Graph", _draw_graph),
    Subject("neurons", "Neurons", _themed(_draw_neurons), _check_neurons),
    Subject("step", "This step", _themed(draw_step)),
    Subject("loss", "Loss", _themed(draw_loss), check_loss, by_step=False),
    Subject("landscape", "Landscape", _themed(draw_landscape), check_landscape, by_step=False),
    Subject("window", "Window", _no_window),
)
SUBJECTS: Mapping[str, Subject] = {subject.name: subject for subject in _ALL}
"""What can be exported, by name."""


def pictures_of(
    session: Session, look: Look, positions: Sequence[int], window: QWidget | None = None
) -> Sequence[Picture]:
    """Return pictures of a session's iteration, all of one size.

    Parameters
    ----------
    positions
        How many steps have been taken in each of them.
    window
        The session's window, for that subject: its session goes to each place.

    Raises
    ------
    UsageError
        Where the session has no such thing.
    """
    if look.subject not in SUBJECTS:
        raise UsageError(f"there is no picture of the {look.subject}.", how=f"Choose {', '.join(SUBJECTS)}.")
    subject = SUBJECTS[look.subject]
    look.check()
    subject.check(session)
    drawing = subject.draw(session, positions, look) if window is None else _draw_window(session, window)
    return [_picture(session, look, drawing, position) for position in positions]


def _picture(session: Session, look: Look, drawing: Drawing, position: int) -> Picture:
    snapshot = session.snapshot().at(position)
    metadata = provenance(snapshot)
    subject = SUBJECTS[look.subject]
    description = step_view(session.frame.at(position)).sentence
    if not subject.by_step:
        description = f"{subject.title} of {snapshot.title}, iteration {snapshot.iteration}"
        metadata["Title"] = f"{snapshot.title}, {subject.title.lower()}, iteration {snapshot.iteration}"
    return Picture(
        size=drawing.size,
        paint=partial(_paint, drawing, position),
        scale=look.scale or drawing.scale,
        title=metadata["Title"],
        description=description,
        metadata=metadata,
        carried=partial(provenance, snapshot, with_document=True),
        background=None if look.is_transparent else drawing.background,
        duration=look.duration,
        is_live=look.subject == "window",
    )


def _paint(drawing: Drawing, position: int, painter: QPainter) -> None:
    drawing.paint(painter, position)


def graph_picture(session: Session, theme: Theme, scale: float = 2.0) -> Picture:
    """Return the graph at the session's step as a picture."""
    return pictures_of(session, Look(theme=theme.name, scale=scale), [session.position])[0]


def window_picture(window: QWidget, session: Session, scale: float = 1.0) -> Picture:
    """Return a whole window as a picture."""
    return pictures_of(session, Look("window", scale=scale), [session.position], window)[0]


# --- files -------------------------------------------------------------------------------------------------


def _by_ending() -> dict[str, PictureFormat]:
    """Return the picture format of each file ending."""
    return {ending: format for format in formats().values() for ending in format.endings}


def picture_filters() -> str:
    """Return the formats as a file dialog lists them."""
    return ";;".join(f"{f.title} (*{e})" for e, f in sorted(_by_ending().items(), reverse=True))


def format_of(path: Path) -> PictureFormat:
    """Return the format that a file's ending names.

    Raises
    ------
    UsageError
        For an ending that no format has.
    """
    found = _by_ending().get(path.suffix.lower())
    if found is None:
        known = ", ".join(sorted(_by_ending()))
        raise UsageError(
            f"pictures cannot be written as {excerpt(path.suffix) or 'a file without an ending'}.",
            where=excerpt(path.name),
            how=f"Choose one of: {known}.",
        )
    return found


def export_session(session: Session, path: Path, *, theme: str, scale: float = 2.0) -> None:
    """Write the graph at the session's step to a file.

    Raises
    ------
    UsageError
        For an unknown ending, and where the file cannot be written.
    """
    format = format_of(path)
    write_whole(path, format.whole([graph_picture(session, THEMES[theme], scale)]))
