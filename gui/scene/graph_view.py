"""The window's look at the graph: zooms, pans, keeps it fitted; a caption and a key above and below it."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Any

from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRect, QRectF, QSizeF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsView, QWidget

from graphs.palette import MEANINGS, PHASE_TEXT
from gui.equations import equation, paint, plain_source
from gui.matrices import paint_legend
from gui.scene.graph_scene import GraphScene
from gui.scene.legend import paint_line
from gui.scrubbing import Grip
from gui.theme import Theme, application_font
from gui.viewdata import Link

MOST_FITTED = 1.7
"""A small graph is not blown up beyond this scale."""
READABLE, READABLE_BARE = 0.75, 0.65
"""Graph and update are shown together at this scale or larger, also with the larger letters of a projector;
else the view goes down to the update."""
HEADROOM = 26
"""Scene units above a card: for its bookmark, and for the edge of the caption's ground."""
CLOSER = 1.2
"""The view goes down to an update only where that makes it so much larger."""
FARTHEST = 0.6
"""Below this scale the parameter's card need not be in sight with its update: it is too far away."""
LIKE = 0.88
"""A view that is about as large as the one wanted stays as it is when the next parameter has its turn."""
TOO_SMALL, LARGER = 0.64, 1.18
"""A bare picture smaller than the first is shown where the step is; so much larger it is whole again."""
AT_STEP = 0.9
"""The scale at which it is then looked at: the letters on a projector's cards have 18 pixels."""
BESIDE = 16.0
"""Room that is kept around the cards of a step, in the scene's units."""
NEAR = 0.85
"""An update is not looked at from nearer than this, or than the graph is: what is around it matters too."""
EVERY = 0.95
"""All parameters' cards are kept in sight with an update where that leaves it this share of its size."""
MOTION = 260
"""Milliseconds in which the view goes from the graph to the update and back."""
SCALES = (0.004, 6.0)
FARTHEST_OUT = 1e6
"""Scene units that no picture has."""
ZOOM = 1.0016
"""By how much a unit of the wheel (a notch has 120) enlarges."""
EDGE = 12
"""Room at the sides of the viewport."""
CAPTION_HEIGHT, KEY_HEIGHT = 46, 40
FADE = 10
"""Pixels in which the ground of caption and key fades into the picture."""
CAPTION_SIZE = 17.0
CAPTION_GAP = 12
"""Between the caption's formula and its words."""
LINE = 21.0
"""Length of a sample line in the key."""
LEGEND_WIDTH = 212.0
LEGEND_NOTE = "each by its own scale"
LEFT_MIDDLE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


BEGINS = "0123456789.-−"
"""What begins a number that is typed onto a card."""
SPOT = 14.0
"""How far a spotlight reaches beyond a card, in the scene's units."""
DIMMED = 0.82
"""How much of what is not in the light is taken away."""
TRIES = 3
"""Times that notes, enlarged for a smaller picture, are given room anew."""
BEYOND = 6.0
"""How far notes may reach out of what is looked at, in the scene's units: their edges are empty."""
AROUND = 40.0
"""Room around what is looked at, in the scene's units."""
CLOSEST = 2.0
"""The largest scale at which a part is looked at."""


@dataclass(frozen=True)
class Sight:
    """What a view looks at: the point in the middle of its room, and the scale."""

    center: QPointF
    scale: float

    def between(self, other: Sight, share: float) -> Sight:
        """Return the sight on the way to another one; scales change evenly to the eye."""
        scale = exp(log(self.scale) + share * log(other.scale / self.scale))
        # the middle keeps pace with the scale, so that every point moves on a straight line
        here, there = 1 / self.scale, 1 / other.scale
        way = share if here == there else (1 / scale - here) / (there - here)
        return Sight(self.center + (other.center - self.center) * way, scale)


class GraphView(QGraphicsView):
    """Shows a `GraphScene`; fits it into the window until the user zooms or pans.

    Signals
    -------
    number_typed(object, str)
        A number was begun to be typed onto the one that is marked: its `Link`, and the first character.
    """

    number_typed = Signal(object, str)

    _has_spot = False
    _shows_all = False  # whether an update is to be seen with the whole graph, however small
    _held: tuple[Link, Grip] | None = None  # a number on a card, and how far it has been dragged
    _marked: Link | None = None  # a number that keys are typed onto
    _least = TOO_SMALL  # the scale below which a bare picture is shown where the step is
    _is_bare = False  # whether caption and key are left to others, and the picture has their room
    _above = 0  # pixels at the top where something else lies over a bare picture
    _about = ""  # what the step was about that was shown last
    _updated = ""  # the parameter whose update was in sight last
    _way: tuple[Sight, Sight] | None = None
    _kept: tuple[Sight, QSizeF] | None = None  # what a session's file looks at, and in how much room

    _aim: Sight | None = None  # what is looked at of a step, where all would be too small

    def __init__(self, scene: GraphScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._scene = scene
        self._fitted = True
        self._grabbed: QPointF | None = None
        self._panning = False
        self._reach = QRectF()  # of the step's notes, where they have no room in the picture
        self._motion = False
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setDuration(MOTION)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._on_way)
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
        self._caption = Overlay(self, paint_caption, is_above=True)
        self._key = Overlay(self, paint_key, is_above=False)
        scene.graph_changed.connect(self._on_graph_changed)
        scene.step_shown.connect(self._on_step_shown)
        scene.theme_changed.connect(self._update_overlays)

    def set_bare(self, bare: bool) -> None:
        """Give the picture the room of caption and key: a projector's strip says what they say.

        Where the whole graph would be too small to be read from the last row, the view is where the step is.
        """
        self._is_bare, self._aim = bare, None
        for overlay in (self._caption, self._key):
            overlay.setVisible(not bare)
        self._fit_again()

    def follow_below(self, scale: float) -> None:
        """Show a bare picture where the step is if the whole of it would be smaller than that."""
        if scale != self._least:
            self._least, self._aim = scale, None
            self._fit_again()

    def keep_free(self, height: int) -> None:
        """Leave so many pixels at the top of a bare picture to what lies over it."""
        if height != self._above:
            self._above = height
            if self._is_bare:
                self._fit_again()

    def _fit_again(self) -> None:
        wanted = self._wanted() if self._fitted and self._aim is not None else None
        if wanted is not None and wanted == self._aim:
            self._go_to(wanted)  # the words below take more room, or less, at every step
        elif self._fitted:
            self._fit()
        else:
            self._look_kept()

    @property
    def is_fitted(self) -> bool:
        """Whether the whole graph is kept in sight."""
        return self._fitted

    @property
    def is_moving(self) -> bool:
        """Whether it is on its way to an update or back."""
        return self._animation.state() == QVariantAnimation.State.Running

    def set_motion(self, motion: bool) -> None:
        """Let the view glide to an update and back, or be there at once."""
        self._motion = motion

    def fit(self) -> None:
        """Bring the whole graph into sight, between the caption and the key, and keep it there.

        An update that is shown comes into sight with it; where both would be too small, the update does, with
        its parameter's card.
        """
        self._shows_all = False
        self._fit()

    def fit_all(self) -> None:
        """Bring the whole graph into sight together with the update that is shown, however small.

        Where the view was where the step is, the next time leads back there.
        """
        self._shows_all = not (self._is_bare and self._fitted and self._shows_all)
        self._fit()

    def _fit(self) -> None:
        self._animation.stop()
        self._fitted, self._kept = True, None
        self._updated = self._scene.view.lane.parameter if self._scene.view.lane else ""
        sight = self._wanted_with_notes()
        if sight is not None:
            self._look_at(sight)

    def look_at(self, rect: QRectF) -> None:
        """Bring a part of the picture into sight, as large as there is room but at most `CLOSEST`."""
        room = self._room()
        if rect.isEmpty() or room.isEmpty():
            return
        self._animation.stop()
        self._fitted, self._kept = False, None
        around = rect.adjusted(-AROUND, -AROUND, AROUND, AROUND)
        scale = min(room.width() / around.width(), room.height() / around.height(), CLOSEST)
        self._look_at(Sight(around.center(), scale))
        self._scene.set_zoom(scale)

    def camera(self) -> dict[str, Any]:
        """Return what is looked at, in numbers, for a session's file."""
        if self._fitted:
            return {"fitted": True, "all": self._shows_all}
        sight, room = self._sight(), self._room()
        center = [sight.center.x(), sight.center.y()]
        return {
            "fitted": False,
            "center": center,
            "scale": sight.scale,
            "room": [room.width(), room.height()],
        }

    def look_again(self, camera: Any) -> None:
        """Look at what a session's file says, as far as there is room for it, or else at the whole graph."""
        kept = _kept_of(camera)
        if kept is None:
            self._shows_all = isinstance(camera, dict) and camera.get("all") is True
            self._fit()
            return
        self._animation.stop()
        self._fitted, self._kept = False, kept
        self._look_kept()

    def _look_kept(self) -> None:
        """Look at what a session's file says, in a window of whichever size."""
        room = self._room()
        if self._kept is None or room.isEmpty():
            return
        sight, size = self._kept
        scale = sight.scale * min(room.width() / size.width(), room.height() / size.height())
        self._look_at(Sight(sight.center, scale))
        self._scene.set_zoom(self.transform().m11())

    @property
    def has_spot(self) -> bool:
        """Whether everything but what is spoken of is dimmed."""
        return self._has_spot

    def set_spot(self, spot: bool) -> None:
        """Dim everything but what is pointed at, or what the step is about; or nothing."""
        if spot != self._has_spot:
            self._has_spot = spot
            mode = QGraphicsView.ViewportUpdateMode
            self.setViewportUpdateMode(mode.FullViewportUpdate if spot else mode.MinimalViewportUpdate)
            self.viewport().update()

    def bring_into_sight(self, rect: QRectF) -> None:
        """Move the picture only where `rect` is not in sight."""
        if not self.mapToScene(self._room().toRect()).boundingRect().contains(rect):
            self.centerOn(rect.center())

    def _room(self) -> QRectF:
        """Return the viewport without the strips of caption and key, or what is over a bare picture."""
        above, below = (max(EDGE, self._above), EDGE) if self._is_bare else (CAPTION_HEIGHT - 10, KEY_HEIGHT)
        return QRectF(self.viewport().rect().adjusted(EDGE, above, -EDGE, -below))

    def _wanted(self) -> Sight | None:
        """Return what to look at while all is kept in sight; None where there is nothing, or no room."""
        picture, whole, room = self._scene.picture_rect(), self._scene.whole_rect(), self._room()
        if picture.isEmpty() or room.isEmpty():
            return None
        picture, whole = picture.united(self._reach), whole.united(self._reach)
        graph, both = _scale_for(picture, room), _scale_for(whole, room)
        together = Sight(whole.center(), both)
        readable = READABLE_BARE if self._is_bare else READABLE
        if self._shows_all:
            return together
        if self._scene.lane_rect().isEmpty():
            self._aim = self._at_step()
            return self._aim or together
        if both >= readable:
            return together
        near = self._near(graph)
        return near if near.scale > CLOSER * both else together

    def _at_step(self) -> Sight | None:
        """Return the look at what a step is about where all would be too small; None elsewhere.

        What the step changes comes first, then what it goes through and reads, the nearest first, as far as
        there is room. The picture moves no farther than that takes.
        """
        picture, room, rects = self._scene.picture_rect(), self._room(), self._scene.step_rects()
        least = self._least * (1 if self._aim is None else LARGER)
        if not self._is_bare or not rects or _scale_for(picture, room) >= least:
            return None
        half = QSizeF(room.width(), room.height()) / (2 * AT_STEP)
        area = QRectF()
        for rect in rects:
            more = area.united(rect.adjusted(-BESIDE, -HEADROOM, BESIDE, BESIDE))
            if area.isEmpty() or (more.width() <= 2 * half.width() and more.height() <= 2 * half.height()):
                area = more
        start = area.center() if self._aim is None else self._aim.center
        x = _holding(start.x(), area.left(), area.right(), picture.left(), picture.right(), half.width())
        y = _holding(start.y(), area.top(), area.bottom(), picture.top(), picture.bottom(), half.height())
        return Sight(QPointF(x, y), AT_STEP)

    def _near(self, graph: float) -> Sight:
        """Return the look at an update: its lane, and its parameter's card where that is not far."""
        whole, room = self._scene.whole_rect(), self._room()
        lane = self._scene.lane_rect().adjusted(-EDGE, 0, EDGE, EDGE)
        card = self._scene.node_rect(self._scene.view.lane.parameter) if self._scene.view.lane else lane
        area = lane.united(card.adjusted(0, -HEADROOM, 0, 0))
        if _scale_for(area, room) < FARTHEST:
            area = lane
        every = area.united(self._scene.parameters_rect().adjusted(0, -HEADROOM, 0, 0))
        if _scale_for(every, room) >= EVERY * _scale_for(area, room):
            area = every  # so that the view stays where it is when the next parameter has its turn
        scale = min(_scale_for(area, room), max(graph, NEAR))
        half = QPointF(room.width(), room.height()) / (2 * scale)
        x = _clamped(area.center().x(), whole.left() + half.x(), whole.right() - half.x())
        y = whole.bottom() - half.y()
        if self._is_bare:  # no caption hides where cards are cut
            y = max(y, area.top() + half.y())
        return Sight(QPointF(x, y), scale)

    def _sight(self) -> Sight:
        """Return what is looked at now."""
        return Sight(self.mapToScene(self._room().center().toPoint()), self.transform().m11())

    def _look_at(self, sight: Sight) -> None:
        scale = min(max(sight.scale, SCALES[0]), SCALES[1])
        self._allow_panning(scale)
        self.setTransform(QTransform.fromScale(scale, scale))
        aside = self._room().center() - QRectF(self.viewport().rect()).center()
        self.centerOn(sight.center - aside / scale)

    def _follow_update(self) -> None:
        """Go to an update when it begins, and back to the graph when it is over; not between its steps.

        Where the whole graph would be too small, go from step to step.
        """
        parameter = self._scene.view.lane.parameter if self._scene.view.lane else ""
        before, self._updated = self._updated, parameter
        if self._fitted and not parameter and self._is_bare:
            aim, wanted = self._aim, self._wanted()
            if wanted is not None and (parameter != before or self._aim != aim):
                self._go_to(wanted)
            return
        if not self._fitted or parameter == before:
            return
        wanted = self._wanted()
        if wanted is None or (before and parameter and self._is_enough(wanted)):
            return
        self._go_to(wanted)

    def _go_to(self, wanted: Sight) -> None:
        self._scene.set_zoom(wanted.scale)
        if self._motion and self.isVisible():
            self._way = (self._sight(), wanted)
            self._animation.stop()
            self._animation.start()
        else:
            self._look_at(wanted)

    def _make_room_for_notes(self) -> None:
        """Bring the step's notes into sight where they stand beyond the picture, and go back after them."""
        before, self._reach = self._reach, QRectF()
        is_at_step = self._aim is not None and self._fitted  # its notes are among what it looks at
        if is_at_step or not self._fitted or self._scene.view.lane is not None:
            return
        wanted = self._wanted_with_notes()
        if self._reach != before and wanted is not None:
            self._go_to(wanted)

    def _wanted_with_notes(self) -> Sight | None:
        """Return what to look at, and the step's notes with it; the smaller it is, the larger they are."""
        self._reach = QRectF()
        wanted, room = self._wanted(), self._room()
        for _ in range(TRIES if wanted is not None else 0):
            assert wanted is not None
            self._scene.set_zoom(wanted.scale)
            notes = self._scene.notes_rect().adjusted(BEYOND, BEYOND, -BEYOND, -BEYOND)
            is_elsewhere = self._aim is not None or self._scene.view.lane is not None
            if is_elsewhere or _seen_from(wanted, room).contains(notes):
                break
            self._reach = notes
            wanted = self._wanted() or wanted
        return wanted

    def _is_enough(self, wanted: Sight) -> bool:
        """Say whether what is in sight now shows the next parameter's update as well."""
        if self.is_moving:
            return False
        room = self._room()
        sight = self.mapToScene(room.toRect()).boundingRect().adjusted(-2, -2, 2, 2)
        scale = self.transform().m11()
        card = self._scene.node_rect(self._updated)
        is_seen = sight.contains(self._scene.lane_rect()) and (
            sight.contains(card) or not _seen_from(wanted, room).contains(card)
        )
        return is_seen and LIKE <= scale / wanted.scale <= 1 / LIKE

    def _on_way(self, share: object) -> None:
        if self._way is not None:
            self._look_at(self._way[0].between(self._way[1], float(share)))  # type: ignore[arg-type]

    def zoom(self, factor: float) -> None:
        """Enlarge about the pointer, or make smaller."""
        self._animation.stop()
        self._fitted, self._kept = False, None
        self._scale_to(self.transform().m11() * factor)

    def ensure_current_visible(self) -> None:
        """Bring what the current step is about into sight, where it is not."""
        rect = self._scene.current_rect()
        if self._scene.lane is not None and not _fits(rect, self._room(), self.transform().m11()):
            rect = self._scene.lane.current_rect() or rect
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
        self.setSceneRect(self._scene.whole_rect().adjusted(-across, -down, across, down))

    def _on_graph_changed(self) -> None:
        self._about, self._aim = "", None
        self._reach = QRectF()
        self.fit()
        self._update_overlays()

    def _on_step_shown(self) -> None:
        view = self._scene.view
        self._caption.update()
        latex, words = view.caption
        self.setAccessibleDescription(f"{plain_source(latex)} {words}".strip())
        cards = {**view.nodes, **(view.lane.cards if view.lane else {})}
        about = repr((view.current, [name for name, card in cards.items() if card.phase], bool(view.lane)))
        self._follow_update()
        self._make_room_for_notes()
        if about != self._about:
            self._about, self._kept = about, None
            self.ensure_current_visible()

    def caption_width(self) -> int:
        """Return how wide the caption is, with the air at its sides."""
        latex, words = self._scene.view.caption
        said = QFontMetricsF(application_font("body")).horizontalAdvance(words)
        formula = equation(latex, CAPTION_SIZE).width
        return int(2 * EDGE + (formula + CAPTION_GAP if formula else 0) + said) + 1

    def mark_number(self, link: Link | None) -> None:
        """Take what a number begins with as typed onto this one; for none, leave it to shortcuts."""
        self._marked = link

    def _begins_number(self, event: QKeyEvent) -> bool:
        is_plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        return self._marked is not None and is_plain and event.text() != "" and event.text() in BEGINS

    def _update_overlays(self) -> None:
        self._caption.update()
        self._key.update()

    def _place_overlays(self) -> None:
        area = self.viewport().geometry()
        self._caption.setGeometry(area.left(), area.top(), area.width(), CAPTION_HEIGHT)
        top = area.bottom() + 1 - KEY_HEIGHT
        self._key.setGeometry(area.left(), top, area.width(), KEY_HEIGHT)

    def _let_go(self, keep: bool) -> None:
        """Let go of a number, and keep what it was dragged to, or not."""
        held, self._held = self._held, None
        if held is not None and held[1].is_moving:
            self._scene.scrub_ended.emit(keep)

    def _pan(self, position: QPointF) -> None:
        assert self._grabbed is not None
        moved = position - self._grabbed
        if not self._panning and moved.manhattanLength() < QApplication.startDragDistance():
            return
        if not self._panning:
            self._animation.stop()
            self._panning, self._fitted, self._kept = True, False, None
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self._grabbed = position
        for bar, by in ((self.horizontalScrollBar(), moved.x()), (self.verticalScrollBar(), moved.y())):
            bar.setValue(bar.value() - round(by))

    # Qt

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        if not self._has_spot:
            return
        veil = QPainterPath()
        veil.addRect(self.mapToScene(self.viewport().rect()).boundingRect())
        for lit in self._scene.spoken_of():
            hole = QPainterPath()
            hole.addRoundedRect(lit.adjusted(-SPOT, -SPOT, SPOT, SPOT), SPOT, SPOT)
            veil = veil.subtracted(hole)
        color = self._scene.theme.color("canvas")
        color.setAlphaF(DIMMED)
        painter.fillPath(veil, color)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_overlays()
        self._fit_again()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fitted:
            self.fit()

    def event(self, event: QEvent) -> bool:
        is_asked = event.type() == QEvent.Type.ShortcutOverride
        if is_asked and isinstance(event, QKeyEvent) and self._begins_number(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._begins_number(event):
            self.number_typed.emit(self._marked, event.text())
            return
        if event.key() == Qt.Key.Key_Escape and self._held is not None and self._held[1].is_moving:
            self._let_go(keep=False)
            return
        event.ignore()  # keys step through time; a scroll area would move the picture

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().y() or event.pixelDelta().y()
        if delta:
            self.zoom(ZOOM**delta)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        link = self._scene.number_at(self.mapToScene(event.position().toPoint()))
        value = self._scene.view.nodes[link.name].value if link is not None else None
        if event.button() == Qt.MouseButton.LeftButton and link is not None and value is not None:
            self._held = (link, Grip(event.position().x(), float(value[link.entry])))
            event.accept()
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grabbed, self._panning = event.position(), False
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and event.buttons():
            link, grip = self._held
            number = grip.drag(event)
            if grip.is_moving:  # not before: the arrows would cover the number
                self.viewport().setCursor(Qt.CursorShape.SizeHorCursor)
            if number is not None:
                self._scene.scrubbed.emit(link.name, link.entry, number)
        elif self._grabbed is not None and event.buttons():
            self._pan(event.position())
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._let_go(keep=True)
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


def _holding(middle: float, low: float, high: float, first: float, last: float, half: float) -> float:
    """Return the middle, moved no more than it takes to see from low to high, and not beyond the picture."""
    inside = (first + last) / 2 if last - first <= 2 * half else _clamped(middle, first + half, last - half)
    return _clamped(inside, high - half, low + half)


def _kept_of(camera: Any) -> tuple[Sight, QSizeF] | None:
    """Return what a session's file looks at, and in how much room; None where that is not sound."""
    if not isinstance(camera, dict) or camera.get("fitted") is not False:
        return None
    center, room, scale = camera.get("center"), camera.get("room"), camera.get("scale", 0)
    if (
        not _are_lengths(center, -FARTHEST_OUT)
        or not _are_lengths(room, 1)
        or not _are_lengths([scale, 1], 0)
    ):
        return None
    return Sight(QPointF(*center), float(scale)), QSizeF(*room)


def _are_lengths(values: Any, least: float) -> bool:
    """Say whether a file says two numbers that a place or a size can have."""
    if not isinstance(values, list) or len(values) != 2:
        return False
    return all(type(value) in (int, float) and least < value < FARTHEST_OUT for value in values)


def _scale_for(rect: QRectF, room: QRectF) -> float:
    """Return the scale at which a part of the scene fills the room."""
    return min(room.width() / rect.width(), room.height() / rect.height(), MOST_FITTED)


def _fits(rect: QRectF, room: QRectF, scale: float) -> bool:
    return rect.width() * scale <= room.width() and rect.height() * scale <= room.height()


def _seen_from(sight: Sight, room: QRectF) -> QRectF:
    """Return the part of the scene that is in the room."""
    seen = QRectF(QPointF(), room.size() / sight.scale)
    seen.moveCenter(sight.center)
    return seen


def _clamped(x: float, low: float, high: float) -> float:
    """Return `x` kept between two ends; their middle where they leave nothing between them."""
    return (low + high) / 2 if low > high else min(max(x, low), high)


class Overlay(QWidget):
    """A strip over the view that is painted by a function and lets the mouse through.

    It has a ground of its own, which fades towards the picture: what is below it would strike its words out.
    """

    def __init__(self, view: GraphView, paint_strip, is_above: bool) -> None:  # noqa: ANN001
        super().__init__(view)
        self._view = view
        self._paint_strip = paint_strip
        self._is_above = is_above
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        scene: GraphScene = self._view.scene()  # type: ignore[assignment]
        painter.fillRect(self.rect(), self._ground(scene.theme))
        self._paint_strip(painter, QRectF(self.rect()).adjusted(EDGE, 0, -EDGE, 0), scene)
        painter.end()

    def _ground(self, theme: Theme) -> QLinearGradient:
        clear = theme.color("canvas")
        clear.setAlpha(0)
        height = float(self.height())
        ground = QLinearGradient(0, 0 if self._is_above else height, 0, height if self._is_above else 0)
        ground.setColorAt(0, theme.color("canvas"))
        ground.setColorAt(1 - FADE / height, theme.color("canvas"))
        ground.setColorAt(1, clear)
        return ground


def paint_caption(painter: QPainter, rect: QRectF, scene: GraphScene) -> None:
    """Paint what is being computed: a formula in the phase's colour, then words."""
    latex, words = scene.view.caption
    formula = equation(latex, CAPTION_SIZE)
    middle = rect.center().y() + 1
    baseline = middle + formula.ascent - formula.height / 2
    role = scene.view.phase if scene.view.phase in PHASE_TEXT else "text"
    paint(painter, formula, rect.left(), baseline, scene.theme, role, field=False)
    font = application_font("body")
    painter.setFont(font)
    painter.setPen(scene.theme.color("muted"))
    left = rect.left() + (formula.width + CAPTION_GAP if formula.width else 0)
    words = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, rect.right() - left)
    painter.drawText(QRectF(left, middle - 12, rect.right() - left, 24), LEFT_MIDDLE, words)


def paint_key(painter: QPainter, rect: QRectF, scene: GraphScene) -> None:
    """Paint what lines and colours mean: lines at the left, colours of numbers at the right."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(application_font("small"))
    metrics = QFontMetricsF(painter.font())
    left, middle = rect.left(), rect.center().y()
    for role, word in MEANINGS.items():
        paint_line(painter, QPointF(left, middle), LINE, role, scene.theme)
        left += LINE + 7
        painter.setPen(scene.theme.color("muted"))
        painter.drawText(QRectF(left, rect.top(), 400, rect.height()), LEFT_MIDDLE, word)
        left += metrics.horizontalAdvance(word) + 18
    note_width = metrics.horizontalAdvance(LEGEND_NOTE) + 10
    room = rect.right() - left
    if room >= LEGEND_WIDTH:
        note = LEGEND_NOTE if room >= LEGEND_WIDTH + note_width else ""
        paint_legend(painter, QRectF(left, rect.top(), room, rect.height()), scene.theme, None, note)
