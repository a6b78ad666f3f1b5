"""The window's look at the graph: zooms, pans, keeps it fitted; a caption and a key in the corners."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsView, QWidget

from gui.equations import equation, paint, plain_source
from gui.matrices import paint_legend
from gui.scene.graph_scene import GraphScene
from gui.theme import PHASE_TEXT, Theme, application_font

MOST_FITTED = 1.7
"""A small graph is not blown up beyond this scale."""
SCALES = (0.004, 6.0)
ZOOM = 1.0016
"""By how much a unit of the wheel (a notch has 120) enlarges."""
EDGE = 12
"""Room at the sides of the viewport."""
CAPTION_HEIGHT, KEY_HEIGHT = 46, 40
CAPTION_SIZE = 17.0
LINE = 21.0
"""Length of a sample line in the key."""
KEY = (
    ("value", "forward", Qt.PenStyle.SolidLine),
    ("gradient", "backward", Qt.PenStyle.DashLine),
    ("parameter", "update", Qt.PenStyle.SolidLine),
    ("stored for backward", "stored", Qt.PenStyle.DotLine),
)
LEGEND_WIDTH = 212.0
LEGEND_NOTE = "each by its own scale"
LEFT_MIDDLE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class GraphView(QGraphicsView):
    """Shows a `GraphScene`; fits it into the window until the user zooms or pans."""

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._scene = scene
        self._fitted = True
        self._grabbed: QPointF | None = None
        self._panning = False
        self._about = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumSize(240, 130)
        self.setMouseTracking(True)
        self.setAccessibleName("computation graph")
        self._caption = Overlay(self, paint_caption)
        self._key = Overlay(self, paint_key)
        scene.graph_changed.connect(self._on_graph_changed)
        scene.step_shown.connect(self._on_step_shown)
        scene.theme_changed.connect(self._update_overlays)

    @property
    def is_fitted(self) -> bool:
        """Whether the whole graph is kept in sight."""
        return self._fitted

    def fit(self) -> None:
        """Bring the whole graph into sight, between the caption and the key, and keep it there."""
        self._fitted = True
        picture = self._scene.picture_rect()
        room = self.viewport().rect().adjusted(EDGE, CAPTION_HEIGHT - 10, -EDGE, -KEY_HEIGHT)
        if picture.isEmpty() or room.isEmpty():
            return
        scale = min(room.width() / picture.width(), room.height() / picture.height(), MOST_FITTED)
        self._scale_to(scale)
        aside = room.center() - self.viewport().rect().center()
        self.centerOn(picture.center() - QPointF(aside) / self.transform().m11())

    def zoom(self, factor: float) -> None:
        """Enlarge about the pointer, or make smaller."""
        self._fitted = False
        self._scale_to(self.transform().m11() * factor)

    def ensure_current_visible(self) -> None:
        """Bring what the current step is about into sight, where it is not."""
        rect = self._scene.current_rect()
        if not self._fitted and not rect.isEmpty():
            self.ensureVisible(rect, self.width() // 6, self.height() // 6)

    def _scale_to(self, scale: float) -> None:
        wanted = min(max(scale, SCALES[0]), SCALES[1])
        self._allow_panning(wanted)
        factor = wanted / self.transform().m11()
        self.scale(factor, factor)
        self._scene.set_zoom(wanted)

    def _allow_panning(self, scale: float) -> None:
        """Let every part of the picture be brought to the middle."""
        across, down = self.viewport().width() / scale, self.viewport().height() / scale
        self.setSceneRect(self._scene.picture_rect().adjusted(-across, -down, across, down))

    def _on_graph_changed(self) -> None:
        self._about = ""
        self.fit()
        self._update_overlays()

    def _on_step_shown(self) -> None:
        view = self._scene.view
        self._caption.update()
        latex, words = view.caption
        self.setAccessibleDescription(f"{plain_source(latex)} {words}".strip())
        about = repr((view.current, [name for name, node in view.nodes.items() if node.phase]))
        if about != self._about:
            self._about = about
            self.ensure_current_visible()

    def _update_overlays(self) -> None:
        self._caption.update()
        self._key.update()

    def _place_overlays(self) -> None:
        area = self.viewport().geometry()
        self._caption.setGeometry(area.left() + EDGE, area.top(), area.width() - 2 * EDGE, CAPTION_HEIGHT)
        top = area.bottom() + 1 - KEY_HEIGHT
        self._key.setGeometry(area.left() + EDGE, top, area.width() - 2 * EDGE, KEY_HEIGHT)

    def _pan(self, position: QPointF) -> None:
        assert self._grabbed is not None
        moved = position - self._grabbed
        if not self._panning and moved.manhattanLength() < QApplication.startDragDistance():
            return
        if not self._panning:
            self._panning, self._fitted = True, False
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self._grabbed = position
        for bar, by in ((self.horizontalScrollBar(), moved.x()), (self.verticalScrollBar(), moved.y())):
            bar.setValue(bar.value() - round(by))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_overlays()
        if self._fitted:
            self.fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fitted:
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # keys step through time; a scroll area would move the picture

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y() or event.pixelDelta().y()
        if delta:
            self.zoom(ZOOM**delta)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grabbed, self._panning = event.position(), False
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None and event.buttons():
            self._pan(event.position())
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._grabbed, self._panning = None, False
        self.viewport().unsetCursor()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._scene.leave()

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab goes through the nodes, and past the last one on to the next widget.
        name = self._scene.neighbour(1 if forward else -1)
        if not self.hasFocus() or name is None:
            return super().focusNextPrevChild(forward)
        self._scene.activate(name)
        if not self._fitted:
            self.ensureVisible(self._scene.node_rect(name), EDGE * 2, CAPTION_HEIGHT)
        return True


class Overlay(QWidget):
    """A strip over the view that is painted by a function and lets the mouse through."""

    def __init__(self, view: GraphView, paint_strip) -> None:  # noqa: ANN001
        super().__init__(view)
        self._view = view
        self._paint_strip = paint_strip
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_strip(painter, QRectF(self.rect()), self._view.scene())
        painter.end()


def paint_caption(painter: QPainter, rect: QRectF, scene: GraphScene) -> None:
    """Paint what is being computed: a formula in the phase's colour, then words."""
    latex, words = scene.view.caption
    formula = equation(latex, CAPTION_SIZE)
    middle = rect.center().y() + 1
    baseline = middle + formula.ascent - formula.height / 2
    role = scene.view.phase if scene.view.phase in PHASE_TEXT else "text"
    paint(painter, formula, rect.left(), baseline, scene.theme, role, field=False)
    painter.setFont(application_font())
    painter.setPen(scene.theme.color("muted"))
    left = rect.left() + (formula.width + 12 if formula.width else 0)
    painter.drawText(QRectF(left, middle - 12, rect.right() - left, 24), LEFT_MIDDLE, words)


def paint_key(painter: QPainter, rect: QRectF, scene: GraphScene) -> None:
    """Paint what lines and colours mean: lines at the left, colours of numbers at the right."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(application_font("small"))
    metrics = QFontMetricsF(painter.font())
    left, middle = rect.left(), rect.center().y()
    for word, role, style in KEY:
        _paint_sample(painter, QPointF(left, middle), role, style, scene.theme)
        left += LINE + 7
        painter.setPen(scene.theme.color("muted"))
        painter.drawText(QRectF(left, rect.top(), 400, rect.height()), LEFT_MIDDLE, word)
        left += metrics.horizontalAdvance(word) + 18
    note_width = metrics.horizontalAdvance(LEGEND_NOTE) + 10
    room = rect.right() - left
    if room >= LEGEND_WIDTH:
        note = LEGEND_NOTE if room >= LEGEND_WIDTH + note_width else ""
        paint_legend(painter, QRectF(left, rect.top(), room, rect.height()), scene.theme, None, note)


def _paint_sample(painter: QPainter, start: QPointF, role: str, style: Qt.PenStyle, theme: Theme) -> None:
    pen = QPen(theme.color(role), 2.4)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pattern = {Qt.PenStyle.DashLine: [2.4, 1.0], Qt.PenStyle.DotLine: [1.0, 1.4]}.get(style)
    if pattern:
        pen.setDashPattern(pattern)
    painter.setPen(pen)
    painter.drawLine(start, start + QPointF(LINE, 0))
