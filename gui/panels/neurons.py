"""The neuron view: columns of neurons and an edge per weight, at the same step and selection as the graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QToolTip, QVBoxLayout, QWidget

from graphs.views.numbers import format_number, full
from graphs.views.records import Array, Link
from gui.neuron_layout import Hit, NeuronLayout, neuron_layout, structure
from gui.neuron_picture import Marked, body_of, paint_neuron_legend, paint_neurons
from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font, pad_spin_box
from gui.viewdata.neurons import NeuronView, neuron_view

Write = Callable[[float], str]
MEAN = -1
"""The spin box's number for the mean over examples."""
LARGEST_ZOOM, NOTCH = 12.0, 1.2
SCALES = 6
"""How many sizes are tried between that of a projector's letters and a desk's."""
DRAGGED = 4
"""Pixels that the mouse moves before a press is a drag rather than a click."""
LEGEND = "An edge is as wide as its weight is large, green for +, purple for −; squares are biases"
KEYS = "Up and down choose the example, [ and ] select the neurons and edges one after the other."


class NeuronsPanel(Panel):
    """The network as columns of neurons."""

    title = "Neurons"
    object_name = "neurons"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.view = NeuronView()
        self.canvas = NeuronCanvas(theme)
        self._network: object = None
        self._said = ""
        self._make_parts()
        self.canvas.clicked.connect(self._select)
        self.canvas.hovered.connect(self._point)
        session.hover_changed.connect(self._mark)
        self.canvas.stepped.connect(lambda way: self.example.setValue(self.example.value() + way))
        self.example.valueChanged.connect(self.mark_stale)
        self.refresh_on(session.frame_changed, session.selection_changed)

    def refresh(self) -> None:
        """Show the step and the selection."""
        session = self.session
        example = self.example.value()
        self.view = neuron_view(session.frame, None if example == MEAN else example)
        fresh = session.document.network is not self._network
        self._network = session.document.network
        self._set_range()
        self.canvas.show_view(self.view, self._marked(), fresh)
        self._tell(self.canvas.hit)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.canvas.theme = theme
        self.canvas.update()
        super().set_theme(theme)

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for."""
        super().set_letters(factor)
        self.caption.setFont(self.lettering())
        self.canvas.set_letters(factor)
        self.mark_stale()

    def _make_parts(self) -> None:
        self.caption = QLabel()
        self.caption.setProperty("role", "small")
        self.caption.setFont(application_font("small"))
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.example = QSpinBox()
        self.example.setAccessibleName("example")
        self.example.setRange(MEAN, 0)
        self.example.setValue(0)
        self.example.setWrapping(True)
        self.example.setPrefix("example ")
        self.example.setSpecialValueText("mean of all examples")
        self.example.setToolTip("Whose values the neurons show: an example, counted from 0, or the mean")
        self.example.setMinimumWidth(158)
        pad_spin_box(self.example)
        top = QHBoxLayout()
        top.setContentsMargins(14, 2, 8, 0)
        top.addWidget(self.caption, 1)
        top.addWidget(self.example)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.canvas, 1)

    def _set_range(self) -> None:
        """Offer the examples of the iteration shown; a mini-batch says which of the data each one is."""
        has_choice = not self.view.sentence and self.view.examples > 1
        self.example.setVisible(has_choice and not self.is_projected)
        if not self.view.sentence and self.example.maximum() != self.view.examples - 1:
            self.example.blockSignals(True)
            self.example.setRange(MEAN, self.view.examples - 1)
            self.example.blockSignals(False)
        suffix = (
            "" if self.view.example is None else f" of {self.view.examples}{self._of_data(self.view.example)}"
        )
        if self.example.suffix() != suffix:
            self.example.setSuffix(suffix)

    def _of_data(self, example: int) -> str:
        session = self.session
        indices = session.model.indices(session.iteration, session.document.batch_size)
        return "" if indices is None else f" (no. {int(indices[example])} of the data)"

    # --- the mouse ---

    def _marked(self) -> Marked:
        return Marked(self.session.selection, self.session.frame.entry, self.session.hovered)

    def _mark(self) -> None:
        """Mark what the mouse is at, here or in another panel."""
        self.canvas.mark(self._marked())

    def _point(self, hit: Hit | None) -> None:
        """Tell all panels what the mouse is at."""
        name, entry = self._target(hit) if hit is not None else ("", None)
        self.session.hover(Link(name, entry) if name else None)
        self._tell(hit)

    def _select(self, hit: Hit) -> None:
        """Select what was clicked in the session, with the entry."""
        name, entry = self._target(hit)
        if name:
            self.session.select(name)
            self.session.set_entry(entry)

    def _target(self, hit: Hit) -> tuple[str, tuple[int, ...] | None]:
        """Return the node and the entry that something stands for; "" for nothing that can be selected."""
        if hit.kind == "neuron":
            column = self.view.columns[hit.index]
            entry = column.entry(hit.unit) if column.selects == column.name else None
            return column.selects, entry
        if hit.kind == "mark":
            mark = self.view.marks[hit.index]
            return mark.name, mark.entry(hit.unit)
        bundle = self.view.bundles[hit.index]
        if bundle.name:
            return bundle.name, bundle.entry(hit.unit, hit.source)
        return self.view.by_name[bundle.target].selects, None

    def _tell(self, hit: Hit | None) -> None:
        """Say what the mouse is over, else what the step does."""
        # on a projector the graph says what the step does
        says = self.example.text() if self.is_projected else self.view.says
        text = says if hit is None else " · ".join(self.said(hit, format_number))
        self._said = "" if self.view.sentence else text
        self._elide()
        self.canvas.tip = "" if hit is None else "\n".join(self.said(hit, full))
        self.canvas.setAccessibleDescription(self.view.sentence or f"{text} {LEGEND}. {KEYS}")

    def _elide(self) -> None:
        """Show as much of the caption as there is room for."""
        room = self.caption.width()
        text = self.caption.fontMetrics().elidedText(self._said, Qt.TextElideMode.ElideRight, room)
        self.caption.setText(text)
        self.caption.setToolTip(self._said if text != self._said else "")

    def said(self, hit: Hit, write: Write = format_number) -> list[str]:
        """Return what is told of a neuron, an edge or a bias: its name, value and gradient."""
        if hit.kind == "edge":
            bundle = self.view.bundles[hit.index]
            pair = (hit.unit, hit.source)
            value, gradient = bundle.at(bundle.weights, *pair), bundle.at(bundle.gradients, *pair)
            if bundle.kind in ("each", "all"):
                ends = (self.view.by_name[bundle.source].label, self.view.by_name[bundle.target].label)
                return [f"{ends[0]} → {ends[1]}", "no weight"]
            return _numbers(bundle.title(*pair), value, gradient, write)
        if hit.kind == "mark":
            mark = self.view.marks[hit.index]
            numbers = _unit_of(mark.values, hit.unit), _unit_of(mark.gradients, hit.unit)
            return _numbers(mark.title(hit.unit), *numbers, write)
        column = self.view.columns[hit.index]
        numbers = _unit_of(column.values, hit.unit), _unit_of(column.gradients, hit.unit)
        mean = column.place.examples_axis is not None and self.view.example is None
        return [
            *_numbers(column.title(hit.unit), *numbers, write),
            *(["means over the examples"] if mean else []),
        ]

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()


def _unit_of(array: Array | None, unit: int) -> float | None:
    return None if array is None else float(array[unit])


def _numbers(title: str, value: float | None, gradient: float | None, write: Write) -> list[str]:
    told = [title, "no value yet" if value is None else f"value {write(value)}"]
    return told if gradient is None else [*told, f"gradient {write(gradient)}"]


class NeuronCanvas(QWidget):
    """The picture itself: fits its size, zooms with the wheel, is dragged, and knows what is under the mouse.

    Signals
    -------
    clicked(Hit)
        A neuron, an edge or a bias was clicked.
    hovered(object)
        The mouse is over another `Hit`, or over None.
    stepped(int)
        The next example is wanted (+1), or the one before.
    """

    clicked = Signal(object)
    hovered = Signal(object)
    stepped = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.hit: Hit | None = None
        self.tip = ""
        self._view = NeuronView()
        self._marked = Marked()
        self._layout = NeuronLayout()
        self._structure: object = None
        self._zoom, self._pan = 1.0, QPointF()
        self._factor = self._scale = 1.0  # of the letters, as asked for and as there is room
        self._pressed: QPointF | None = None
        self._dragged = False
        self.setAccessibleName("neurons")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_view(self, view: NeuronView, marked: Marked, fresh: bool = False) -> None:
        """Show another step or selection; `fresh` for another network, which is fitted anew."""
        self._view, self._marked = view, marked
        found = structure(view)
        if fresh:
            self._zoom, self._pan = 1.0, QPointF()
        if found != self._structure or fresh:
            self._structure, self.hit = found, None
            self._lay_out()
        self.update()

    def mark(self, marked: Marked) -> None:
        """Mark something else."""
        if marked != self._marked:
            self._marked = marked
            self.update()

    def walk(self, way: int) -> None:
        """Select the next neuron, bias or edge, or the one before, as a click does."""
        hits = self._layout.hits(self._view)
        if hits:
            place = hits.index(self.hit) + way if self.hit in hits else (0 if way > 0 else -1)
            hit = hits[place % len(hits)]
            self._hover(hit)
            self.clicked.emit(hit)

    def fit(self) -> None:
        """Show everything."""
        self._zoom, self._pan = 1.0, QPointF()
        self._lay_out()

    def set_letters(self, factor: float) -> None:
        """Paint everything larger, as far as the numbers keep their room."""
        self._factor = factor
        self._lay_out()

    def _lay_out(self) -> None:
        self._scale = 1.0
        self._layout = neuron_layout(self._view, self._area())
        count = sum(stack.has_numbers for stack in self._layout.stacks)
        for scale in np.linspace(self._factor, 1.0, SCALES) if self._factor > 1.0 else ():
            self._scale = float(scale)
            self._layout = neuron_layout(self._view, self._area())
            if sum(stack.has_numbers for stack in self._layout.stacks) >= count:
                break
        self.update()

    def _whole(self) -> QRectF:
        """Return the widget's rectangle, in units of the picture."""
        return QRectF(0, 0, self.width() / self._scale, self.height() / self._scale)

    def _area(self) -> QRectF:
        """Return the rectangle that the picture fills: the widget, enlarged and moved."""
        return QRectF(self._pan, body_of(self._whole()).size() * self._zoom)

    @property
    def places(self) -> NeuronLayout:
        """Where everything lies now, in units of the picture."""
        return self._layout

    def _hover(self, hit: Hit | None) -> None:
        if hit != self.hit:
            self.hit = hit
            self.setCursor(Qt.CursorShape.ArrowCursor if hit is None else Qt.CursorShape.PointingHandCursor)
            self.hovered.emit(hit)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.scale(self._scale, self._scale)
        whole = self._whole()
        painter.fillRect(whole, self.theme.color("canvas"))
        area = self._area() if not self._view.sentence else whole
        paint_neurons(
            painter,
            area,
            self._view,
            self.theme,
            marked=self._marked,
            layout=self._layout,
            legend=False,
            letters=self._factor / self._scale,
        )
        body = body_of(whole)
        if body != whole and not self._view.sentence:
            below = QRectF(whole.left(), body.bottom(), whole.width(), whole.bottom() - body.bottom())
            painter.fillRect(below, self.theme.color("canvas"))
            paint_neuron_legend(painter, below, self.theme)
        if self.hasFocus():
            painter.setPen(self.theme.color("focus"))
            painter.drawRect(whole.adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        zoom = max(1.0, min(LARGEST_ZOOM, self._zoom * NOTCH**turns))
        anchor = self._layout.nearest(event.position() / self._scale)
        self._zoom = zoom
        self._lay_out()
        if anchor is not None:  # what the mouse is at stays there, though numbers and gaps do not grow
            stack, unit, before = anchor
            self._pan += before - self._layout.stacks[stack].neurons[unit].center()
        if zoom == 1:
            self._pan = QPointF()
        self._lay_out()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position() / self._scale, False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position() / self._scale
        if self._pressed is not None:
            moved = point - self._pressed
            if self._dragged or moved.manhattanLength() > DRAGGED:
                self._dragged, self._pressed = True, point
                self._pan += moved
                self._lay_out()
            return
        self._hover(self._layout.hit(self._view, point) if not self._view.sentence else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and not self._dragged:
            hit = self._layout.hit(self._view, event.position() / self._scale)
            if hit is not None:
                self.clicked.emit(hit)
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._layout.hit(self._view, event.position() / self._scale) is None:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip, self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if key == Qt.Key.Key_Up else -1)
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.walk(1 if key == Qt.Key.Key_BracketRight else -1)
        else:
            super().keyPressEvent(event)
