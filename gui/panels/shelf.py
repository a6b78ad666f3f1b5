"""The shelf: what forward puts away and backward takes, and what it is to recompute some of it instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QStyleOptionViewItem,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from engine.storage import Storage
from graphs.views.stored import (
    STATES,
    Read,
    ShelfView,
    StoredRow,
    bytes_text,
    every_root,
    has_storage,
    is_same,
    keep_storage,
    plans,
    shelf_view,
    storage_of,
)
from gui.jobs import Task
from gui.labels import words_label
from gui.panel import Panel, keep_bar
from gui.rows import ROW, RowDelegate, RowList, RowModel
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata import Frame, Link

MANY = 1200
"""Steps of an iteration from which what is in memory is worked out beside the window."""
CHEAP = 200_000
CHEAP_STEPS = 400
"""Numbers and steps up to which an iteration is done anew, to see that its gradients are the same."""
BOX = 15.0
LEFT = 14.0
TICK = 10.0
"""Logical pixels of a box, of the place where it stands, and of the tick of a reader that has read."""
ROW_HEIGHT = 35.0
BARS_HEIGHT = 30
LEAST_LIST = 44
COUNTED = (
    "Values worked out by forward are counted. Inputs and parameters are there anyway, and gradients are not"
    " counted. At equation detail a line is one piece: what is inside it comes and goes with it."
)
COVERED = "What is kept, and how much, is hidden for now."
"""What is said in place of everything counted, while what factors read or shapes are to be found out."""
ANYWAY = "There anyway: inputs and parameters"


class ShelfPanel(Panel):
    """Stored values, who reads them, and the memory they take."""

    title = "Shelf"
    object_name = "shelf"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.recomputed: frozenset[str] = frozenset()
        self.view: ShelfView | None = None
        self._task: Task | None = None
        self._checked: tuple[object, ...] = ()
        self._is_same: bool | None = None
        self._make_parts()
        self._arrange()
        self.list.ticked.connect(self.toggle)
        self.list.activated.connect(self._select)
        self.list.chosen.connect(self._select)
        self.list.pointed.connect(self._point)
        self.bars.chosen.connect(session.go)
        self.keep_all.clicked.connect(lambda: self.recompute(frozenset()))
        self.keep_some.clicked.connect(self._keep_some)
        self.keep_none.clicked.connect(self._keep_none)
        session.hover_changed.connect(self._mark)
        session.document_changed.connect(self._forget)
        self.refresh_on(session.frame_changed, session.graph_changed)

    # --- showing ---

    def refresh(self) -> None:
        """Show what is on the shelf after the last step."""
        frame = self.session.frame
        if len(frame.trace.steps) > MANY and not has_storage(frame, self.recomputed):
            self._work_out(frame)
            return
        view = self.view = shelf_view(frame, self.recomputed)
        self._check(frame)
        self._say(view)
        headed = [ANYWAY, *view.leaves] if view.leaves and not self.is_projected else []
        self._model.set_rows([*view.rows, *([view.note] if view.note else []), *headed])
        self.list.show_whole_rows()
        self.bars.show_view(view, frame)
        self.bars.setVisible(not view.is_covered)
        for button in (self.keep_all, self.keep_some, self.keep_none):
            button.setVisible(bool(view.rows) and not view.is_covered and not self.is_projected)
        self._follow(view)

    def _follow(self, view: ShelfView) -> None:
        """Bring what is read now into sight."""
        place = next((i for i, row in enumerate(view.rows) if row.current), None)
        if place is None:
            place = max((i for i, row in enumerate(view.rows) if row.state in ("kept", "passing")), default=0)
        if self.session.frame.position and view.rows:
            self.list.scrollTo(self._model.index(place))

    def settle(self) -> None:
        """Have what is worked out beside the window now."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            for choice, storage in plans(self.session.frame, self.recomputed):
                keep_storage(self.session.statics, choice, storage)
            self.mark_stale()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._delegate.theme = theme
        self.bars.set_theme(theme)
        super().set_theme(theme)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for; what is stored has the room then."""
        super().set_letters(factor)
        self._delegate.factor = factor
        self.bars.set_factor(factor)
        for label, role in ((self._head, "strong"), (self._more, "body"), (self._sentence, "body")):
            label.setFont(application_font(role, factor))
        self._give_room()
        self._model.lay_out_again()
        self.list.show_whole_rows()
        self.mark_stale()

    def _give_room(self) -> None:
        """Keep as many lines for the sentence as it may take: while stepping, nothing moves."""
        lines = 2 if self._delegate.factor == 1 else 3
        self._sentence.setFixedHeight(lines * self._sentence.fontMetrics().lineSpacing() + 2)
        self._more.setMinimumHeight(0)  # a label is never lower than it was told to be before
        self._more.setFixedHeight(max(1, self._more.heightForWidth(self.width())))

    def choices(self) -> dict[str, Any]:
        """Return what is recomputed."""
        return {"recomputed": ",".join(sorted(self.recomputed))} if self.recomputed else {}

    def choose_again(self, choices: Mapping[str, Any]) -> None:
        """Recompute what a session file says."""
        text = choices.get("recomputed", "")
        if isinstance(text, str):
            self.recompute(frozenset(filter(None, text.split(","))))

    # --- what is recomputed ---

    def toggle(self, name: str) -> None:
        """Keep a value, or have it worked out again."""
        self.recompute(self.recomputed ^ {name})

    def recompute(self, names: frozenset[str]) -> None:
        """Have these values worked out again, and all others kept."""
        known = frozenset(self.session.statics.names)
        self.recomputed = names & known
        self.mark_stale()

    def _keep_some(self) -> None:
        if self.view is not None:
            self.recompute(every_root(storage_of(self.session.frame)))

    def _keep_none(self) -> None:
        if self.view is not None:
            self.recompute(frozenset(storage_of(self.session.frame).kept))

    def _forget(self) -> None:
        """Leave out names that another network does not have."""
        self.recomputed &= frozenset(self.session.statics.names)

    def _select(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if isinstance(row, StoredRow):
            self.session.select(row.name)

    def _point(self, index: QModelIndex | None, _: QPointF) -> None:
        row = index.data(ROW) if index is not None else None
        self.session.hover(Link(row.name) if isinstance(row, StoredRow) else None)

    def _mark(self) -> None:
        link = self.session.hovered
        self._delegate.linked = link.name if link is not None and link.part == "value" else ""
        if self.is_seen:
            self.list.viewport().update()

    # --- beside the window ---

    def _work_out(self, frame: Frame) -> None:
        if self._task is not None:
            self._task.cancel()
        self.view = None
        self._head.setText("Working out what is in memory at every step …")
        self._more.setText("")
        self._sentence.setText("")
        self._model.set_rows([])
        statics, recomputed = frame.statics, self.recomputed
        self._task = Task(lambda: plans(frame, recomputed), self)

        def come(found: tuple[frozenset[str], Storage]) -> None:
            keep_storage(statics, *found)
            if statics is self.session.statics and has_storage(self.session.frame, self.recomputed):
                self._task = None
                self.mark_stale()

        self._task.came.connect(come)
        self._task.start()

    def _check(self, frame: Frame) -> None:
        """Do the iteration anew with what is in memory, where that takes no time."""
        key = (frame.trace, self.recomputed)
        if key == self._checked:
            return
        self._checked = key
        is_cheap = sum(a.size for a in frame.trace.arrays) <= CHEAP and len(frame.trace.steps) <= CHEAP_STEPS
        is_right = not frame.faulty and not frame.trace.left
        wanted = bool(self.recomputed) and is_cheap and is_right
        self._is_same = is_same(frame, storage_of(frame, self.recomputed)) if wanted else None

    # --- words ---

    def _say(self, view: ShelfView) -> None:
        if view.is_covered:
            self._head.setText(COVERED)
        elif not view.rows:
            self._head.setText("Backward reads no value that forward works out.")
        else:
            self._head.setText(f"Kept: {_amount(view.kept, view.kept_formula)}")
        self._more.setText("" if view.is_covered else self._compared(view))
        self._give_room()
        self._sentence.setText(view.sentence)

    def _compared(self, view: ShelfView) -> str:
        if not self.recomputed or not view.rows:
            formula = f" = {view.peak_formula}" if view.peak_formula else ""
            return f"In memory at most {view.peak}{formula}, at step {view.peak_position}."
        most = f"{view.peak} instead of {view.usual}" if view.peak != view.usual else f"{view.peak} as before"
        instead = f"In memory at most {most}"
        again = f"{view.extra} operations done again, {_share(view.extra, view.forward)} of forward"
        same = {True: "; gradients the same to the last bit", False: "; gradients differ", None: ""}[
            self._is_same
        ]
        return f"{instead}; {again}{same}."

    # --- parts ---

    def _make_parts(self) -> None:
        self._head, self._more, self._sentence = _label("strong"), _label("muted"), _label("")
        self._head.setFont(application_font("strong"))
        self._more.setToolTip(COUNTED)
        self._sentence.setAccessibleName("what this step does to the shelf")
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.keep_all = _button("Keep all", "Keep every value that backward reads")
        self.keep_some = _button("√n", "Of n values keep every √n-th, and work the others out again")
        self.keep_none = _button("None", "Keep nothing: work everything out again")
        self._model = RowModel(_spoken, self)
        self.list = ShelfList(self._model)
        self.list.setAccessibleName("stored values")
        self._delegate = ShelfDelegate(self.theme, self.list)
        self.list.setItemDelegate(self._delegate)
        self.bars = MemoryBars(self.theme)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(14, 0, 10, 0)
        top.setSpacing(10)
        top.addWidget(self._head, 1)
        for button in (self.keep_all, self.keep_some, self.keep_none):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(1)
        column.addLayout(top)
        column.addWidget(self._more)
        column.addWidget(self.list, 1)
        column.addWidget(self.bars)
        column.addWidget(self._sentence)
        for label in (self._more, self._sentence):
            label.setContentsMargins(14, 0, 10, 0)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._give_room()


class ShelfList(RowList):
    """The values, each with a box that says whether it is kept.

    Signals
    -------
    ticked(str)
        The name of the value whose box was clicked, or on which Space was pressed.
    chosen(QModelIndex)
        A value that was clicked beside its box.
    """

    ticked = Signal(str)
    chosen = Signal(object)

    def __init__(self, model: RowModel) -> None:
        super().__init__(model)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        keep_bar(self)
        self.setMinimumHeight(LEAST_LIST)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerItem)

    def show_whole_rows(self) -> None:
        """Leave empty at the foot what would show only a part of a row."""
        row = self.sizeHintForRow(0) if self.model().rowCount() else 0
        is_cut = 0 < row <= self.height() < row * self.model().rowCount()
        self.setViewportMargins(0, 0, 0, self.height() % row if is_cut else 0)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_whole_rows()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        row = index.data(ROW) if index.isValid() else None
        if event.button() != Qt.MouseButton.LeftButton or not isinstance(row, StoredRow):
            return
        delegate = self.itemDelegate()
        assert isinstance(delegate, ShelfDelegate)
        if row.state != "anyway" and event.position().x() < delegate.name_left():
            self.ticked.emit(row.name)
        else:
            self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().data(ROW)
        if event.key() == Qt.Key.Key_Space and isinstance(row, StoredRow) and row.state != "anyway":
            self.ticked.emit(row.name)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            ticks = event.key() == Qt.Key.Key_Space and self.currentIndex().isValid()
            if ticks:
                event.accept()  # here it ticks, elsewhere it plays
                return True
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self.indexAt(event.pos()).data(ROW)
            QToolTip.showText(event.globalPos(), _tip(row) if isinstance(row, StoredRow) else "", self)
            return True
        return super().viewportEvent(event)


class ShelfDelegate(RowDelegate):
    """Paints a value: whether it is kept, its name and shape, its size, who reads it and what is with it."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(theme, view)
        self.factor = 1.0
        self.linked = ""

    def heading_font(self) -> QFont:
        """Return the font of headings."""
        return self._font("heading")

    def name_left(self) -> float:
        """Return where names begin; the box is left of that."""
        return LEFT + (BOX + 8) * self.factor

    def paint_row(self, painter: QPainter, rect: QRectF, row: StoredRow) -> None:
        """Paint one value."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.name == self.linked:
            painter.setPen(QPen(self.theme.color("focus"), 1.2, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(rect.adjusted(4, 1, -4, -1), 4, 4)
        middle = rect.top() + rect.height() / 2
        upper = QRectF(rect.left(), rect.top() + 2, rect.width() - 8, rect.height() / 2 - 1)
        lower = QRectF(rect.left(), middle, rect.width() - 8, rect.height() / 2 - 3)
        if row.state != "anyway":
            self._paint_box(
                painter, QRectF(LEFT, middle - BOX * self.factor / 2, *[BOX * self.factor] * 2), row
            )
        else:
            self._paint_mark(painter, QPointF(LEFT + 2, middle), row.current)
        self._paint_upper(painter, upper, row)
        self._paint_lower(painter, lower, row)

    def _paint_box(self, painter: QPainter, box: QRectF, row: StoredRow) -> None:
        color = self.theme.color("stored" if row.is_kept else "seed")
        painter.setPen(QPen(color, 1.4))
        painter.setBrush(color if row.is_kept else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 3.5, 3.5)
        if row.is_kept:
            self._paint_tick(painter, box, QPen(self.theme.color("window"), 2.0 * self.factor))

    def _paint_tick(self, painter: QPainter, box: QRectF, pen: QPen) -> None:
        path = QPainterPath(box.topLeft() + QPointF(0.22, 0.52) * box.width())
        path.lineTo(box.topLeft() + QPointF(0.43, 0.73) * box.width())
        path.lineTo(box.topLeft() + QPointF(0.79, 0.30) * box.width())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen)
        painter.drawPath(path)

    def _paint_mark(self, painter: QPainter, place: QPointF, is_read: bool) -> None:
        """Paint a bookmark, filled while the value is read: as on the cards of the graph."""
        width, height = 9.0 * self.factor, 13.0 * self.factor
        top = place + QPointF(0, -height / 2)
        path = QPainterPath(top)
        for x, y in ((width, 0), (width, height), (width / 2, height * 0.7), (0, height)):
            path.lineTo(top + QPointF(x, y))
        path.closeSubpath()
        painter.setPen(QPen(self.theme.color("stored"), 1.2))
        painter.setBrush(self.theme.color("stored") if is_read else Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _paint_upper(self, painter: QPainter, rect: QRectF, row: StoredRow) -> None:
        ink = self.theme.color("text" if row.done else "muted")
        right = _size(row)
        painter.setFont(self._font("body"))
        painter.setPen(ink)
        room = QFontMetricsF(painter.font()).horizontalAdvance(right)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
        painter.setFont(self._font("strong"))
        left = rect.adjusted(self.name_left(), 0, -room - 8, 0)
        metrics = QFontMetricsF(painter.font())
        name = metrics.elidedText(row.words, Qt.TextElideMode.ElideRight, left.width())
        painter.drawText(left, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(self._font("small"))
        painter.setPen(self.theme.color("muted"))
        after = left.adjusted(metrics.horizontalAdvance(name) + 8, 0, 0, 0)
        shape = f"{row.shape} ({row.dims})" if row.dims else row.shape
        metrics = QFontMetricsF(painter.font())
        shape = shape if metrics.horizontalAdvance(shape) <= after.width() else row.shape
        if metrics.horizontalAdvance(shape) <= after.width():
            painter.drawText(after, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shape)

    def _paint_lower(self, painter: QPainter, rect: QRectF, row: StoredRow) -> None:
        """Paint the state at the right, and who reads it: those that have stand back and have a tick."""
        font = self._font("small")
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        state = _state(row)
        role = {"read": "stored_text", "back": "backward_text", "gone": "muted", "done": "muted"}.get(
            row.state, "text"
        )
        painter.setPen(self.theme.color(role))
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, state)
        x, end = rect.left() + self.name_left(), rect.right() - metrics.horizontalAdvance(state) - 12
        x = self._paint_word(painter, x, end, rect, "read for ", "muted", font)
        for place, read in enumerate(row.reads):
            is_last = place == len(row.reads) - 1
            room = end + 8 if is_last else end - metrics.horizontalAdvance(" …")
            if x + self._width_of(read) > room:
                self._paint_word(painter, x, end + 20, rect, "…", "muted", font)
                return
            x = self._paint_reader(painter, x, end + 20, rect, read)
            x = self._paint_word(painter, x, end + 20, rect, "" if is_last else ", ", "muted", font)

    def _paint_reader(self, painter: QPainter, x: float, end: float, rect: QRectF, read: Read) -> float:
        """Paint whose gradient a value is read for; return where the next word begins."""
        role = {"current": "stored_text", "done": "muted"}.get(read.state, "text")
        x = self._paint_word(painter, x, end, rect, read.words, role, self._reader_font(read))
        if read.state == "done":
            size = TICK * self.factor
            box = QRectF(x + 2, rect.center().y() - size / 2, size, size)
            self._paint_tick(painter, box, QPen(self.theme.color(role), 1.5 * self.factor))
            x = box.right()
        return x

    def _reader_font(self, read: Read) -> QFont:
        font = self._font("small")
        if read.state == "current":
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _width_of(self, read: Read) -> float:
        """Return how much room a reader takes with the comma after it."""
        tick = 2 + TICK * self.factor if read.state == "done" else 0
        return QFontMetricsF(self._reader_font(read)).horizontalAdvance(f"{read.words}, ") + tick

    def _paint_word(
        self, painter: QPainter, x: float, end: float, rect: QRectF, word: str, role: str, font: QFont
    ) -> float:
        painter.setFont(font)
        painter.setPen(self.theme.color(role))
        width = QFontMetricsF(font).horizontalAdvance(word)
        place = QRectF(x, rect.top(), min(width + 2, end - x), rect.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, word)
        return x + width

    def _font(self, role: str) -> QFont:
        return application_font(role, self.factor)

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, int(ROW_HEIGHT * self.factor))  # headings too: whole rows fill the list


class MemoryBars(QWidget):
    """The most values in memory during each step, as bars; with everything kept, as a line.

    Signals
    -------
    chosen(int)
        The place on the timeline whose bar was clicked.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view: ShelfView | None = None
        self._phases: tuple[str, ...] = ()
        self._position = 0
        self.set_factor(1.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("values in memory during each step")
        self.setMouseTracking(True)

    def show_view(self, view: ShelfView, frame: Frame) -> None:
        """Show other numbers, or another place."""
        self._view, self._position = view, frame.position
        if len(self._phases) != len(view.history):
            self._phases = tuple(step.phase.value for step in frame.trace.steps)
        most = f"at most {view.peak}, during step {view.peak_position}"
        self.setAccessibleDescription(f"{view.held} values in memory now, {most}.")
        self.update()

    def set_factor(self, factor: float) -> None:
        """Write larger or smaller."""
        self.factor = factor
        self.setFixedHeight(int(BARS_HEIGHT * factor))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _room(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, 3, -10, -6)

    def _step_at(self, x: float) -> int:
        room, count = self._room(), len(self._view.history) if self._view is not None else 0
        return min(max(0, int((x - room.left()) / max(room.width(), 1.0) * count)), max(0, count - 1))

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self._view
        if view is None or not view.history:
            return
        painter = QPainter(self)
        room, top = self._room(), max(*view.history, *view.usual_history, 1)
        count = len(view.history)
        width = room.width() / count
        columns = min(count, max(1, int(room.width())))
        starts = np.arange(columns) * count // columns
        now = np.maximum.reduceat(np.asarray(view.history), starts)
        usual = np.maximum.reduceat(np.asarray(view.usual_history), starts)
        for column, (start, high, line) in enumerate(zip(starts.tolist(), now, usual, strict=True)):
            left = room.left() + column * room.width() / columns
            right = room.left() + (column + 1) * room.width() / columns
            self._paint_bar(painter, QRectF(left, room.top(), right - left, room.height()), high / top, start)
            y = room.bottom() - line / top * room.height()
            painter.setPen(QPen(self._theme.color("text"), 1.0, Qt.PenStyle.DotLine))
            if (view.history != view.usual_history) and line:
                painter.drawLine(QPointF(left, y), QPointF(right, y))
        x = room.left() + self._position * width
        painter.setPen(QPen(self._theme.color("text"), 1.6))
        painter.drawLine(QPointF(x, room.top() - 3), QPointF(x, room.bottom() + 5))
        self._paint_now(painter, x, f"{view.held} now")
        painter.end()

    def _paint_now(self, painter: QPainter, x: float, text: str) -> None:
        """Say beside the cursor how much is in memory now, where the bars are lower."""
        font = application_font("small", self.factor)
        painter.setFont(font)
        metrics, room = QFontMetricsF(font), self._room()
        width = metrics.horizontalAdvance(text)
        left = x + 5 if x + 5 + width <= room.right() else x - 5 - width
        place = QRectF(left, room.top() - 3, width, metrics.height())
        ground = QColor(self._theme.color("window"))
        ground.setAlpha(215)
        painter.fillRect(place.adjusted(-2, 0, 2, -1), ground)
        painter.setPen(self._theme.color("text"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bar(self, painter: QPainter, rect: QRectF, share: float, index: int) -> None:
        gap = 1.0 if rect.width() > 4 else 0.0
        bar = rect.adjusted(0, rect.height() * (1 - share), -gap, 0)
        color = QColor(self._theme.color("stored"))
        if index >= self._position:
            color.setAlpha(95)
        painter.fillRect(bar, color)
        foot = QRectF(rect.left(), rect.bottom() + 2, rect.width() - gap, 2.5)
        painter.fillRect(foot, self._theme.phase_color(self._phases[index]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._view is not None:
            self.chosen.emit(self._step_at(event.position().x()) + 1)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = ""
            if self._view is not None and self._view.history:
                index = self._step_at(event.pos().x())
                values, usual = self._view.history[index], self._view.usual_history[index]
                other = f" (everything kept: {usual})" if usual != values else ""
                text = f"step {index + 1}, {self._phases[index]}: at most {values} values in memory{other}"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


def _label(role: str) -> QLabel:
    return words_label(role, is_selectable=True, gives_way=True)


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setProperty("flat", True)
    button.setProperty("tight", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _amount(values: int, formula: str) -> str:
    left = f"{formula} = " if formula else ""
    return f"{left}{values} {'value' if values == 1 else 'values'}, {bytes_text(values)}"


def _size(row: StoredRow) -> str:
    if row.values is None:
        return "? values"
    size = f"{row.formula} = {row.values}" if row.formula else str(row.values)
    return f"{size} {'value' if row.values == 1 else 'values'} · {bytes_text(row.values)}"


def _share(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "0 %"


def _state(row: StoredRow) -> str:
    """Return what is with a value, in words."""
    words = STATES.get(row.state, "")
    return f"{words} until step {row.again}" if row.state == "gone" and row.again else words


def _tip(row: StoredRow) -> str:
    if row.state == "anyway":
        return f"{row.words} is there anyway: it takes no extra memory."
    if row.is_kept:
        return f"{row.words}: {_state(row)}. Take the tick away to have it worked out again."
    return f"{row.words}: {row.recomputed}." if row.recomputed else f"{row.words} is not kept."


def _spoken(row: StoredRow) -> str:
    readers = ", ".join(f"{read.words}{' (done)' if read.state == 'done' else ''}" for read in row.reads)
    kept = "" if row.state == "anyway" else ", kept" if row.is_kept else ", not kept"
    state = "there anyway" if row.state == "anyway" else _state(row)
    values = "?" if row.values is None else row.values
    said = (row.words, row.shape, f"{values} values{kept}", state, f"read for {readers}")
    return ", ".join(filter(None, said))
