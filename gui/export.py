"""Export: the graph at a step, or the window, as a picture in any format found in ``gui.pictures``."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from PySide6.QtCore import QPoint, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from engine.errors import UsageError, excerpt
from graphs.files import write_whole
from gui.layouts import layout_of
from gui.matrices import is_for_a_file
from gui.pictures import Picture
from gui.registry import modules_of
from gui.scene.graph_scene import GraphScene
from gui.session import Session
from gui.theme import THEMES, Theme
from gui.viewdata import scene_view

__all__ = ["export_session", "format_of", "graph_picture", "picture_filters", "window_picture"]


def formats() -> dict[str, ModuleType]:
    """Return the picture format of each file ending."""
    return {ending: module for module in modules_of("gui.pictures") for ending in module.ENDINGS}


def picture_filters() -> str:
    """Return the formats as a file dialog lists them."""
    return ";;".join(f"{m.TITLE} (*{e})" for e, m in sorted(formats().items(), reverse=True))


def format_of(path: Path) -> ModuleType:
    """Return the format that a file's ending names.

    Raises
    ------
    UsageError
        For an ending that no format has.
    """
    found = formats().get(path.suffix.lower())
    if found is None:
        known = ", ".join(sorted(formats()))
        raise UsageError(
            f"pictures cannot be written as {excerpt(path.suffix) or 'a file without an ending'}.",
            where=excerpt(path.name),
            how=f"Choose one of: {known}.",
        )
    return found


def graph_picture(session: Session, theme: Theme, scale: float = 2.0) -> Picture:
    """Return the graph at the session's step as a picture."""
    view = scene_view(session.frame)
    scene = GraphScene(theme)
    scene.set_graph(view, layout_of(session.frame, view), theme)
    scene.show_step(view)
    size = scene.whole_rect().size()

    def paint(painter: QPainter) -> None:
        whole = QRectF(0, 0, size.width(), size.height())
        painter.fillRect(whole.adjusted(0, 0, 1, 1), theme.color("canvas"))  # to the last pixel
        scene.paint_to(painter, whole)

    return Picture(size, paint, scale, _title(session), _metadata(session))


def _title(session: Session) -> str:
    title = session.document.network.title
    return f"{title}, step {session.position} of {len(session.trace.steps)}"


def _metadata(session: Session) -> dict[str, str]:
    return {
        "Software": "Backstep",
        "Network": session.document.network.name,
        "Seed": str(session.document.seed),
        "Step": str(session.position),
        "Iteration": str(session.iteration),
        "Detail": session.detail.value,
    }


def _paint_window(painter: QPainter, window: QWidget) -> None:
    """Paint a window; into a vector file as one image, since widgets rely on clipping that SVG has not."""
    if not is_for_a_file(painter):
        window.render(painter, QPoint())
        return
    image = QImage(window.size() * 2, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    window.render(image)
    painter.drawImage(QRectF(window.rect()), image)


def window_picture(window: QWidget, session: Session, scale: float = 1.0) -> Picture:
    """Return a whole window as a picture."""
    return Picture(
        QSizeF(window.size()),
        lambda painter: _paint_window(painter, window),
        scale,
        _title(session),
        _metadata(session),
    )


def export_session(session: Session, path: Path, *, theme: str, scale: float = 2.0) -> None:
    """Write the graph at the session's step to a file.

    Raises
    ------
    UsageError
        For an unknown ending, and where the file cannot be written.
    """
    module = format_of(path)
    write_whole(path, module.encode(graph_picture(session, THEMES[theme], scale)))
