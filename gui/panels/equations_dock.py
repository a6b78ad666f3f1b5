"""The network's equations, forward and backward, with the one marked that is being computed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QListView,
    QStyleOptionViewItem,
    QWidget,
)

from gui.equation_cache import EquationCache, Wanted
from gui.equations import Equation, plain_source
from gui.formulas import fitting_scale, lines_missing, lines_size, paint_lines, set_lines
from gui.links import link_at, missing, paint_marks
from gui.panel import Panel
from gui.rows import INDENT, ROW, RowDelegate, RowList, RowModel, lay_out_rows
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata import EquationRow, Link, Symbol, each_equation, equation_rows, symbols_of

SIZE = 16.0
PADDING = 6.0
HEADING_HEIGHT = 26
WAITING_HEIGHT = 32
"""The height of a line whose equation is still being set."""
PREFETCHED = 200
"""Networks with more nodes than this have their equations set when the dock is seen, not ahead of time."""
SETTLE = 60
"""Milliseconds in which equations that have become ready are collected."""
HEADINGS = {"forward": "Forward", "backward": "Backward"}


class EquationsPanel(Panel):
    """Every equation of the network in full."""

    title = "Equations"
    object_name = "equations"

    def __init__(
        self,
        session: Session,
        theme: Theme,
        parent: QWidget | None = None,
        cache: EquationCache | None = None,
    ) -> None:
        super().__init__(session, theme, parent)
        self._cache = cache or EquationCache(self)
        self._known: frozenset[str] = frozenset()
        self._wanted = Wanted(self._cache)
        self._asked: set[str] = set()  # formulas laid out for the mouse
        self._model = RowModel(lambda row: plain_source(row.latex), self)
        self.view = RowList(self._model)
        self.view.setAccessibleName("equations")
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = EquationDelegate(theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._arrange()
        self._settle.timeout.connect(self._lay_out_again)
        self._cache.ready.connect(self._note_ready)
        self.view.clicked.connect(self._select)
        self.view.activated.connect(self._select)
        self.copy_button.clicked.connect(self.copy_all)
        self.view.pointed.connect(self._point)
        self.view.width_changed.connect(self._settle_soon)
        session.document_changed.connect(self._prefetch)
        session.preparing.views.append(each_equation)
        session.hover_changed.connect(self._mark)
        self.refresh_on(session.frame_changed)
        self._prefetch()

    def refresh(self) -> None:
        """Mark the equation that is being computed."""
        rows = equation_rows(self.session.frame)
        self._delegate.symbols = symbols_of(self.session.statics)
        self._model.set_rows(with_headings(rows))
        latex = frozenset(row.latex for row in rows)
        if latex != self._known:
            self._known = latex
            self._wanted.begin_anew()
            self._lay_out()
        counts = [sum(row.phase == phase for row in rows) for phase in HEADINGS]
        self._caption.setText(f"{counts[0]} forward, {counts[1]} backward · click one to inspect its node")
        self.view.follow()

    def settle(self) -> None:
        """Give every row the height of its formula now."""
        self._wanted.settle(self._lay_out)
        self._lay_out_again()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._delegate.theme = theme
        self.view.viewport().update()
        super().set_theme(theme)

    def latex(self) -> str:
        """Return all equations as LaTeX, aligned at their signs of equality."""
        rows = (plain_source(row.latex) for row in equation_rows(self.session.frame))
        lines = " \\\\\n".join("  " + row.replace(" = ", " &= ", 1) for row in rows)
        return f"\\begin{{align*}}\n{lines}\n\\end{{align*}}"

    def copy_all(self) -> None:
        """Put all equations onto the clipboard as LaTeX."""
        self.put(self.latex(), "all equations as LaTeX")

    def copy_current(self) -> None:
        """Put the equation at the pointer or at the focus onto the clipboard as LaTeX."""
        row = self.view.currentIndex().data(ROW)
        if isinstance(row, EquationRow):
            self.put(plain_source(row.latex), "the equation as LaTeX")

    def _prefetch(self) -> None:
        """Have the equations of a network ready before the dock is looked at."""
        frame = self.session.frame
        if len(frame.statics.names) <= PREFETCHED:
            self._cache.plan(self.object_name, (row.latex for row in each_equation(frame)))

    def _note_ready(self, latex: str) -> None:
        if self._wanted.take(latex):
            self._settle_soon()
        elif latex in self._asked:
            self._asked.discard(latex)
            self.view.viewport().update()

    def _settle_soon(self) -> None:
        if not self._settle.isActive():  # begun again with every formula, it would wait for the last
            self._settle.start()

    def _point(self, index: QModelIndex | None, point: QPointF) -> None:
        """Say which symbol the mouse is on."""
        row = index.data(ROW) if index is not None else None
        link = None
        if index is not None and isinstance(row, EquationRow):
            self._ask_for([row])
            link = self._delegate.link_at(row, QRectF(self.view.visualRect(index)), point)
        self.session.hover(link)

    def _mark(self) -> None:
        """Mark the symbols of what is pointed at."""
        self._delegate.linked = self.session.hovered
        if self.is_seen:
            if self.session.hovered is not None:
                self._ask_for(row for row in self.view.rows_in_sight() if isinstance(row, EquationRow))
            self.view.viewport().update()

    def _ask_for(self, rows: Iterable[EquationRow]) -> None:
        """Have the formulas laid out so that their symbols can be pointed at."""
        wanted = [latex for row in rows for latex in self._delegate.missing(row)]
        self._asked.update(wanted)
        self._cache.prefetch(wanted)

    def _lay_out(self) -> set[str]:
        """Give every row the height of its formula; ask for what is missing of it, and return that."""
        missing = self._missing(self._model.rows)
        self._wanted.ask(missing, self._missing(self.view.rows_in_sight()))
        self._model.lay_out_again()
        return missing

    def _missing(self, rows: Iterable[object]) -> set[str]:
        equations = (row for row in rows if isinstance(row, EquationRow))
        return {latex for row in equations for latex in self._delegate.unset(row)}

    def _lay_out_again(self) -> None:
        self._lay_out()
        self.view.follow()

    def _select(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if isinstance(row, EquationRow):
            self.session.select(row.name)

    def _arrange(self) -> None:
        for text, action in (("Copy as LaTeX", self.copy_current), ("Copy all as LaTeX", self.copy_all)):
            self.view.addAction(text).triggered.connect(action)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.view.setResizeMode(QListView.ResizeMode.Adjust)
        self._caption, self.copy_button = lay_out_rows(self, self.view, "Copy all as LaTeX")


def with_headings(rows: list[EquationRow]) -> list[EquationRow | str]:
    """Return the rows with a heading before those of each phase."""
    found: list[EquationRow | str] = []
    for i, row in enumerate(rows):
        if i == 0 or rows[i - 1].phase != row.phase:
            found.append(HEADINGS[row.phase])
        found.append(row)
    return found


class EquationDelegate(RowDelegate):
    """Paints one equation in as many lines as it needs."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(theme, view)
        self._view = view
        self.symbols: tuple[Symbol, ...] = ()
        self.linked: Link | None = None

    def paint_row(self, painter: QPainter, rect: QRectF, row: EquationRow) -> None:
        """Paint an equation, or its name in dots while it is being set."""
        if not self.is_set(row) or rect.height() < self._height(row):
            painter.setFont(application_font("small"))
            painter.setPen(self.theme.color("muted"))
            painter.drawText(rect.adjusted(INDENT, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, f"{row.name} …")
            return
        lines, corner, scale = self._placed(row, rect)
        painter.translate(corner)
        painter.scale(scale, scale)
        is_there = (row.current or row.done) and not row.covered
        paint_lines(painter, lines, SIZE, self.theme, "text" if is_there else "muted")
        paint_marks(painter, lines, SIZE, self.symbols, self.linked, self.theme)

    def link_at(self, row: EquationRow, rect: QRectF, point: QPointF) -> Link | None:
        """Return what the symbol at a point of the list stands for."""
        if not self.is_set(row):
            return None
        lines, corner, scale = self._placed(row, rect)
        return link_at(lines, SIZE, self.symbols, (point - corner) / scale)

    def missing(self, row: EquationRow) -> list[str]:
        """Return what is still to be laid out before a row can be pointed at."""
        if not self.is_set(row):
            return []
        return missing(set_lines(row.latex, SIZE, self._room()), self.symbols)

    def is_set(self, row: EquationRow) -> bool:
        """Say whether an equation is there, with the lines that it takes at this width."""
        return not self.unset(row)

    def unset(self, row: EquationRow) -> list[str]:
        """Return the formulas that an equation still waits for."""
        return lines_missing(row.latex, SIZE, self._room())

    def _placed(self, row: EquationRow, rect: QRectF) -> tuple[tuple[Equation, ...], QPointF, float]:
        """Return a row's lines, where the first one's top left lies, and their scale."""
        lines = set_lines(row.latex, SIZE, self._room())
        scale = fitting_scale(lines, SIZE, self._room())
        height = lines_size(lines, SIZE)[1] * scale
        return lines, QPointF(rect.left() + INDENT, rect.top() + (rect.height() - height) / 2), scale

    def _height(self, row: EquationRow) -> float:
        lines = set_lines(row.latex, SIZE, self._room())
        return lines_size(lines, SIZE)[1] * fitting_scale(lines, SIZE, self._room())

    def _room(self) -> float:
        return max(100.0, self._view.viewport().width() - 2 * INDENT)

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row = index.data(ROW)
        if isinstance(row, str):
            return QSize(100, HEADING_HEIGHT)
        if not self.is_set(row):
            return QSize(100, WAITING_HEIGHT)
        return QSize(100, int(self._height(row) + 2 * PADDING) + 1)
