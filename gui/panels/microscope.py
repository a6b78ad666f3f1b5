"""The fan-out microscope: contributions to one gradient arrive one by one, ``+=`` beside ``=``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from graphs.views.fanout import Arrival, FanOut, Judged, fan_out, fan_out_subject, fan_outs, judged
from graphs.views.numbers import format_number, signed
from graphs.views.records import Array
from gui.equation_cache import EquationCache, Wanted
from gui.equations import plain_source
from gui.formulas import fitting_scale, lines_missing, lines_size, paint_lines, set_lines
from gui.formulas import with_air as air_of
from gui.labels import words_label
from gui.matrices import matrix_size, paint_matrix
from gui.panel import Panel, keep_bar
from gui.rows import ROW, RowDelegate, RowList, RowModel
from gui.session import Session
from gui.theme import Theme, application_font, strong
from gui.viewdata import Link

SIZE = 14.0
PADDING = 3.0
BADGE = 36.0
COLUMN, LEAST_SHARE = 92.0, 0.23
"""The width of the column of contributions, and of that of running sums: at most so much, or this share."""
PICTURE = (76.0, 28.0)
WAITING = 28.0
SETTLE = 60
"""Milliseconds in which formulas that have become ready are collected."""
MOST_OFFERED = 300
"""Values offered in the list; the others can be selected in the graph."""
CHEAP = 200_000
"""Numbers in all arrays up to which the nudge test is made at once: it works the loss out several times."""
HEADING_HEIGHT = 20.0
LEAST_LIST = 44


@lru_cache(maxsize=2048)
def with_air(latex: str) -> str:
    """Return a formula with air around its factor, once for each."""
    return air_of(latex)


class MicroscopePanel(Panel):
    """The contributions to the gradient of a value that is used several times."""

    title = "Fan-out"
    object_name = "microscope"

    def __init__(
        self,
        session: Session,
        theme: Theme,
        parent: QWidget | None = None,
        cache: EquationCache | None = None,
    ) -> None:
        super().__init__(session, theme, parent)
        self._cache = cache or EquationCache(self)
        self.fan = FanOut("", "", "", "", "")
        self._judged: tuple[object, ...] = ()
        self._verdict: Judged | None = None
        self._offered: tuple[str, ...] | None = None
        self._shown: tuple[object, ...] = ()
        self._wanted = Wanted(self._cache)
        self._factor = 1.0
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._make_parts()
        self._arrange()
        self.choice.activated.connect(self._choose)
        self.view.clicked.connect(self._go)
        self.view.activated.connect(self._go)
        self.view.pointed.connect(self._point)
        self._cache.ready.connect(self._note_ready)
        self._settle.timeout.connect(self._lay_out)
        self.refresh_on(session.frame_changed, session.selection_changed, session.graph_changed)

    def refresh(self) -> None:
        """Show the contributions to the selected value, as far as they have arrived."""
        session = self.session
        name = fan_out_subject(session.frame, session.selection)
        fan = self.fan = fan_out(session.frame, name)
        self._offer(name)
        has_rows = bool(fan.arrivals)
        self._sentence.setText(fan.sentence or fan.note)
        self._note.setText(fan.note if has_rows else "")
        self._note.setVisible(bool(self._note.text()))
        for part in (self._headings, self.view, self._cards):
            part.setVisible(has_rows)
        self._model.set_rows([*fan.arrivals])
        self._delegate.look_at(fan)
        shown = (session.statics, name, session.frame.curtain)
        if shown != self._shown:
            self._shown = shown
            self._wanted.begin_anew()
            self._lay_out()
        self._judge()
        self._say()
        self.view.follow()

    def settle(self) -> None:
        """Have the formulas set now."""
        self._wanted.settle(self._lay_out)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._delegate.theme = theme
        super().set_theme(theme)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for."""
        super().set_letters(factor)
        self._factor = factor
        self._delegate.set_factor(factor)
        self._headings.set_factor(factor)
        for part in (self.choice, self._sentence, self._note, self._adds, self._overwrites):
            part.setFont(application_font("small" if part is self._note else "body", factor))
        self._top.setDirection(
            QBoxLayout.Direction.TopToBottom if factor > 1 else QBoxLayout.Direction.LeftToRight
        )
        self._lay_out()
        self.mark_stale()

    # --- what is chosen ---

    def _offer(self, name: str) -> None:
        """Offer every value with several uses, and show which one is looked at."""
        statics = self.session.statics
        found = fan_outs(statics)[:MOST_OFFERED]
        if found != self._offered:
            self._offered = found
            self.choice.clear()
            for own in found:
                self.choice.addItem(f"{statics.wording.name(own)} · {statics.expected[own]} uses", own)
        self.choice.setVisible(bool(found))
        self.choice.setCurrentIndex(found.index(name) if name in found else -1)
        self.choice.setPlaceholderText("choose a value")

    def _choose(self, place: int) -> None:
        self.session.select(self.choice.itemData(place))

    def _go(self, index: QModelIndex) -> None:
        """Stand where the contribution has just arrived."""
        row = index.data(ROW)
        if isinstance(row, Arrival):
            self.session.go(row.position)

    def _point(self, index: QModelIndex | None, _: QPointF) -> None:
        row = index.data(ROW) if index is not None else None
        self.session.hover(Link(row.edge[1], part="gradient") if isinstance(row, Arrival) else None)

    # --- words ---

    def _judge(self) -> None:
        """Make the nudge test once for the same numbers, and only where that takes no time."""
        fan, trace = self.fan, self.session.trace
        key = (trace, fan.name, fan.index, fan.is_complete, fan.is_hidden)
        if key != self._judged:
            self._judged = key
            is_cheap = sum(array.size for array in trace.arrays) <= CHEAP
            self._verdict = judged(self.session.frame, fan) if is_cheap else None

    def _say(self) -> None:
        fan, found = self.fan, self._verdict
        if fan.total is None or fan.last is None or fan.missing is None:
            waiting = "?" if fan.is_hidden else "Nothing has arrived yet."
            self._adds.setText(self._card("+=", "adds up", "", waiting, True))
            self._overwrites.setText(self._card("=", "overwrites", "", waiting, False))
            return
        total, last = float(fan.total[fan.index]), float(fan.last[fan.index])
        lost = float(fan.missing[fan.index])
        entry = _entry(fan.index)
        added = f"{entry}{self._sum_text()} = {strong(_text(total))}"
        self._adds.setText(
            self._card("+=", "adds up", "✓" if fan.is_complete else "", added, True, self._tested(True))
        )
        differs = bool((fan.missing != 0).any())
        kept = f"{entry}{strong(_text(last))}"
        said = f"{kept}, short of {_text(lost)}" if differs else kept
        mark = "✗ wrong" if differs else ""
        more = self._tested(False) if found is not None else _alike(fan)
        self._overwrites.setText(self._card("=", "overwrites", mark, said, False, more))

    def _sum_text(self) -> str:
        """Return the terms of the sum at the chosen entry; of many the last ones."""
        fan = self.fan
        parts = [a.contribution for a in fan.arrivals if a.contribution is not None]
        terms = ([fan.left] if fan.left is not None else []) + parts
        shown = terms[-3:]
        words = [_text(float(array[fan.index])) for array in shown]
        text = words[0] + "".join(f" − {w[1:]}" if w.startswith("−") else f" + {w}" for w in words[1:])
        return f"… + {text}" if len(terms) > len(shown) else text

    def _tested(self, is_sum: bool) -> str:
        found, fan = self._verdict, self.fan
        if found is None:
            return "Press G for the nudge test." if fan.is_complete else "more to come"
        passes = found.total_passes if is_sum else found.last_passes
        verdict = {True: "agrees", False: "does not agree", None: "cannot tell here"}[passes]
        return f"Nudge test {_text(found.slope)}: {verdict}."

    def _card(self, sign: str, what: str, mark: str, said: str, is_right: bool, more: str = "") -> str:
        theme = self.theme
        color = theme.update_text if is_right else theme.error_text
        head = strong(f"{sign}&nbsp; {what} {mark}", color)
        tail = f'<br><span style="color:{theme.muted}">{escape(more)}</span>' if more else ""
        return f"{head}<br>{said}{tail}"

    # --- formulas ---

    def _note_ready(self, latex: str) -> None:
        # begun again with every formula, it would wait for the last
        if self._wanted.take(latex) and not self._settle.isActive():
            self._settle.start()

    def _lay_out(self) -> set[str]:
        """Give every row the height of its formula; ask for what is missing of it, and return that."""
        missing = self._missing(self._model.rows)
        self._wanted.ask(missing, self._missing(self.view.rows_in_sight()))
        self._model.lay_out_again()
        self.view.follow()
        return missing

    def _missing(self, rows: Iterable[Any]) -> set[str]:
        formulas = (with_air(row.equation) for row in rows if row.equation)
        return {part for latex in formulas for part in self._delegate.unset(latex)}

    # --- parts ---

    def _make_parts(self) -> None:
        self.choice = QComboBox()
        self.choice.setAccessibleName("value with several uses")
        self.choice.setToolTip("Values that are used several times: each use sends a contribution back")
        self.choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._sentence = _label("")
        self._note = _label("small")
        self._note.setFont(application_font("small"))
        self._model = RowModel(_spoken, self)
        self.view = ArrivalList(self._model)
        self.view.setAccessibleName("contributions")
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._delegate = ArrivalDelegate(self.theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self._headings = Headings(self)
        self._adds, self._overwrites = _label(""), _label("")
        self._adds.setAccessibleName("added up")
        self._overwrites.setAccessibleName("overwritten")

    def _arrange(self) -> None:
        top = self._top = QHBoxLayout()
        top.setContentsMargins(14, 2, 10, 0)
        top.setSpacing(8)
        top.addWidget(self.choice)
        top.addWidget(self._sentence, 1)
        self._cards = QFrame()
        cards = QHBoxLayout(self._cards)
        cards.setContentsMargins(14, 4, 10, 6)
        cards.setSpacing(14)
        for label in (self._adds, self._overwrites):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            cards.addWidget(label, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self._headings)
        column.addWidget(self.view, 1)
        column.addWidget(self._note)
        column.addWidget(self._cards)
        column.addStretch(0)
        self._note.setContentsMargins(14, 0, 10, 0)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width() and not self._settle.isActive():
            self._settle.start()  # other lines may have to be set


class Headings(QWidget):
    """What the columns of numbers are called."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._factor = 1.0
        self.set_factor(1.0)

    def set_factor(self, factor: float) -> None:
        """Write larger or smaller."""
        self._factor = factor
        self.setFont(application_font("small", factor))
        self.setFixedHeight(int(HEADING_HEIGHT * factor))

    # Qt

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        width = column_width(self.width() - BAR_ROOM, self._factor)
        metrics = QFontMetricsF(self.font())
        for place, words, short in ((2, "contribution", "arrives"), (1, "running sum", "sum")):
            rect = QRectF(self.width() - BAR_ROOM - place * width, 0, width, self.height())
            fits = metrics.horizontalAdvance(words) <= width - 4
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, words if fits else short)
        painter.end()


BAR_ROOM = 10.0
"""Where the list's scroll bar is."""


class ArrivalList(RowList):
    """The contributions, with what the gradient went through as a tip."""

    def __init__(self, model: RowModel) -> None:
        super().__init__(model)
        keep_bar(self)
        self.setMinimumHeight(LEAST_LIST)
        self.setResizeMode(QListView.ResizeMode.Adjust)

    def viewportEvent(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            row = self.indexAt(event.pos()).data(ROW)
            QToolTip.showText(event.globalPos(), _tip(row) if isinstance(row, Arrival) else "", self)
            return True
        return super().viewportEvent(event)  # type: ignore[arg-type]


class ArrivalDelegate(RowDelegate):
    """Paints a contribution: its number, its equation, what arrives, and the sum so far."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(theme, view)
        self._view = view
        self._fan = FanOut("", "", "", "", "")
        self._scale = 0.0
        self._heights: dict[tuple[str, float, float], float] = {}
        self.set_factor(1.0)

    def set_factor(self, factor: float) -> None:
        """Write larger or smaller."""
        self.factor = factor
        self._small = QFontMetricsF(self._font("small")).height()
        self._heights.clear()

    def look_at(self, fan: FanOut) -> None:
        """Paint the rows of another gradient; its pictures have one scale, so that sums can be seen."""
        if fan.name != self._fan.name:
            self._heights.clear()
        self._fan = fan
        self._scale = fan.scale

    def paint_row(self, painter: QPainter, rect: QRectF, row: Arrival) -> None:
        """Paint one contribution."""
        width = column_width(rect.width(), self.factor)
        self._paint_badge(painter, rect, row)
        formula = rect.adjusted(BADGE * self.factor, 0, -2 * width, 0)
        self._paint_formula(painter, formula, row)
        for place, array in ((2, row.contribution), (1, row.total)):
            cell = QRectF(rect.right() - place * width, rect.top(), width, rect.height())
            self._paint_array(painter, cell, array, row)

    def unset(self, latex: str) -> list[str]:
        """Return the formulas that an equation still waits for."""
        return lines_missing(latex, SIZE * self.factor, self._room())

    def _paint_badge(self, painter: QPainter, rect: QRectF, row: Arrival) -> None:
        side = 18.0 * self.factor
        badge = QRectF(rect.left() + 9 * self.factor, rect.center().y() - side / 2, side, side)
        is_there = row.current or row.done
        color = self.theme.color("backward" if is_there else "seed")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 1.4, Qt.PenStyle.SolidLine if is_there else Qt.PenStyle.DotLine))
        painter.setBrush(color if row.current else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(badge)
        painter.setFont(self._font("small"))
        ink = "window" if row.current else "backward_text" if row.done else "muted"
        painter.setPen(self.theme.color(ink))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(row.number))

    def _paint_formula(self, painter: QPainter, rect: QRectF, row: Arrival) -> None:
        latex = with_air(row.equation)
        if not latex or self.unset(latex):
            painter.setFont(self._font("small"))
            painter.setPen(self.ink(row))
            painter.drawText(
                rect, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, row.way if not latex else "…"
            )
            return
        size = SIZE * self.factor
        lines = set_lines(latex, size, self._room())
        scale = fitting_scale(lines, size, self._room())
        height = lines_size(lines, size)[1] * scale
        painter.save()
        painter.translate(rect.left(), rect.center().y() - height / 2)
        painter.scale(scale, scale)
        paint_lines(painter, lines, size, self.theme, "text" if row.current or row.done else "muted")
        painter.restore()

    def _paint_array(self, painter: QPainter, cell: QRectF, array: Array | None, row: Arrival) -> None:
        painter.setFont(self._font("body"))
        painter.setPen(self.theme.color("text"))
        if array is None:
            hidden = self._fan.is_hidden and (row.current or row.done)
            painter.setPen(self.theme.color("muted"))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, "?" if hidden else "–")
            return
        number = signed(float(array[self._fan.index]))
        if array.size == 1:
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, number)
            return
        widest = min(PICTURE[0] * self.factor, cell.width() - 8)
        size = matrix_size(array.shape, widest, PICTURE[1] * self.factor, 10.0 * self.factor)
        top = cell.top() + PADDING
        picture = QRectF(cell.center().x() - size.width() / 2, top, size.width(), size.height())
        paint_matrix(painter, picture, array, self.theme, scale=self._scale, border_role="backward")
        painter.setFont(self._font("small"))
        painter.setPen(self.theme.color("text"))
        words = QRectF(cell.left(), picture.bottom() + 2, cell.width(), cell.bottom() - picture.bottom() - 2)
        text = f"{_entry(self._fan.index)}{number}"
        if QFontMetricsF(painter.font()).horizontalAdvance(text) > cell.width():
            text = number
        painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

    def _font(self, role: str) -> QFont:
        return application_font(role, self.factor)

    def _room(self) -> float:
        width = self._view.viewport().width()
        return max(60.0, width - BADGE * self.factor - 2 * column_width(width, self.factor) - 4)

    def _height(self, row: Arrival) -> float:
        latex, size, room = with_air(row.equation), SIZE * self.factor, self._room()
        known = self._heights.get((latex, size, room))
        if known is not None:
            return known
        height = WAITING * self.factor
        if latex and not self.unset(latex):
            lines = set_lines(latex, size, room)
            height = max(height, lines_size(lines, size)[1] * fitting_scale(lines, size, room))
            self._heights[latex, size, room] = height
        return height

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        height = self._height(index.data(ROW))
        if self._fan.shape not in ("", "1 × 1"):
            height = max(height, PICTURE[1] * self.factor + self._small + 2)
        return QSize(100, int(height + 2 * PADDING) + 1)


def column_width(room: float, factor: float) -> float:
    """Return how wide a column of numbers is in a list of this width."""
    return min(COLUMN * factor, LEAST_SHARE * room)


def _label(role: str) -> QLabel:
    return words_label(role, Qt.TextFormat.RichText, is_selectable=True, gives_way=True)


def _text(x: float) -> str:
    return format_number(x)


def _entry(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}] " if index else ""


def _alike(fan: FanOut) -> str:
    if fan.is_complete:
        return ""
    return "no difference yet" if fan.arrived == 1 else "more to come"


def _tip(row: Arrival) -> str:
    return f"{row.way} Click to stand at this step.".strip()


def _spoken(row: Arrival) -> str:
    state = {"current": "arrives now", "done": "has arrived", "future": "is still to come"}[row.state]
    return f"Contribution {row.number} {state}. {row.way} {plain_source(row.equation)}"
