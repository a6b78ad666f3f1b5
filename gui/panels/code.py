"""The iteration as NumPy: a line a step, the current one marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QStyleOptionViewItem,
    QWidget,
)

from graphs.iteration_script import Iteration, arrays_before, numpy_script
from gui.jobs import Task
from gui.panel import Panel
from gui.rows import INDENT, ROW, RowDelegate, RowList, RowModel, lay_out_rows
from gui.session import Session
from gui.theme import Theme, code_font
from gui.viewdata import CodeRow, Frame, Link, arrays_counted, iteration_of, written_rows

LINE_HEIGHT = 1.45
MOST_AT_ONCE, MOST_NUMBERS = 100, 5000
"""Steps and numbers of a script that is written while the window waits."""
MOST_SETUP = 2000
"""Lines of data and parameters that are listed."""
PREDICTED = "Nothing was copied: lines are still to be predicted. All are copied when predicting is off (H)."
COVERED = "Nothing was copied: lines of the code are hidden for now."
HEADINGS = {"forward": "# forward", "seed": "# backward", "update": "# update"}
"""Comments before the first line of a phase; the seed is where backward begins."""


@dataclass(frozen=True)
class NumberedRow:
    """One statement and the position on the timeline after it; a comment has none."""

    row: CodeRow
    position: int

    @property
    def phase(self) -> str:
        return self.row.phase

    @property
    def current(self) -> bool:
        return self.row.current

    @property
    def done(self) -> bool:
        return self.row.done


@dataclass(frozen=True)
class SetupRow:
    """A line of what stands before the first step; one without `is_open` belongs to those that unfold."""

    text: str
    is_open: bool | None = None
    phase: str = ""
    current: bool = False
    done: bool = True

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        state = {None: "", True: ", unfolded", False: ", folded"}[self.is_open]
        return self.text.removeprefix("# ") + state


class CodePanel(Panel):
    """NumPy statements that do what the steps do, under what they start from."""

    title = "Code"
    object_name = "code"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._key: tuple[object, ...] = ()
        self._code: list[CodeRow] = []  # as written: what is hidden is covered anew at every frame
        self._setup: tuple[str, ...] = ()
        self._written: object = None  # the trace whose arrays `_setup` defines
        self._is_open = False
        self._writing: Task | None = None
        self._model = RowModel(lambda row: row.spoken if isinstance(row, SetupRow) else row.row.text, self)
        self.view = RowList(self._model)
        self.view.setAccessibleName("NumPy code")
        self.view.setUniformItemSizes(True)
        self._delegate = CodeDelegate(theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self._arrange()
        self.view.clicked.connect(self._go)
        self.view.activated.connect(self._go)
        self.copy_button.clicked.connect(self.copy)
        self.view.entered.connect(self._point)
        self.view.viewportEntered.connect(lambda: session.hover(None))
        session.hover_changed.connect(self._mark)
        self.refresh_on(session.frame_changed)

    def refresh(self) -> None:
        """Mark the line of the step that was taken last."""
        frame = self.session.frame
        code, setup = self._written_rows(frame), self._setup_rows()
        self._delegate.set_widest(len(code), [r.text for r in (*code, *setup)])
        rows = [numbered(row, i, frame) for i, row in enumerate(code)]
        self._model.set_rows([*setup, *with_comments(rows)])
        left_out = len(frame.trace.steps) - len(rows)
        more = f" · {left_out} more steps are not listed" if left_out else ""
        self._caption.setText(f"line {frame.position} of {len(rows)}{more} · click one to go there")
        self.view.follow()

    def _written_rows(self, frame: Frame) -> list[CodeRow]:
        """Return the lines as written, worked out once for steps that are alike."""
        key = (frame.statics, frame.optimizer, tuple(frame.settings.items()), len(frame.trace.steps))
        if key != self._key:
            self._key, self._code = key, written_rows(frame)
        return self._code

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._delegate.theme = theme
        self.view.viewport().update()
        super().set_theme(theme)

    def text(self) -> str:
        """Return the whole iteration as a script that runs as it is."""
        return numpy_script(self._iteration()).text

    def copy(self) -> None:
        """Put the whole iteration onto the clipboard; that of a large graph is written in the background.

        While lines of it are hidden, it says so instead.
        """
        if self.is_covered:
            self.session.notice.emit("info", PREDICTED if self.session.predicting else COVERED)
            return
        iteration = self._iteration()
        if self._writing is not None:
            self._writing.dismiss()
        self._writing = None
        self.copy_button.setEnabled(True)
        if len(iteration.trace.steps) <= MOST_AT_ONCE and _count(iteration) <= MOST_NUMBERS:
            self._put(numpy_script(iteration).text)
            return
        self.copy_button.setEnabled(False)
        self._writing = Task(lambda: iter([numpy_script(iteration).text]), self)
        self._writing.came.connect(self._put)
        self._writing.ended.connect(lambda: self.copy_button.setEnabled(True))
        self._writing.failed.connect(self._say_failure)
        self._writing.start()

    @property
    def is_covered(self) -> bool:
        """Whether lines of the iteration are hidden."""
        frame = self.session.frame
        written = self._written_rows(frame)
        return any(numbered(row, i, frame).row.text != row.text for i, row in enumerate(written))

    def _put(self, text: str) -> None:
        self.put(text, "the code: a script that runs as it is")

    def _say_failure(self, sentence: str) -> None:
        self.copy_button.setEnabled(True)
        self.session.notice.emit("error", f"The code could not be written: {sentence}")

    def fold(self, is_open: bool) -> None:
        """Show the lines that define data and parameters, or one line for all of them."""
        self._is_open = is_open
        self.mark_stale()
        if is_open:
            self.view.scrollToTop()  # what was asked for, not the current line

    def _setup_rows(self) -> list[SetupRow]:
        """Return the line that stands for data and parameters, and those that it unfolds to."""
        frame = self.session.frame
        if self._is_open and self._written is not frame.trace:
            self._written, self._setup = frame.trace, arrays_before(self._iteration())
        title = SetupRow(f"# data and parameters: {arrays_counted(frame)} arrays", self._is_open)
        if not self._is_open:
            return [title]
        lines = [SetupRow(text) for text in self._setup[:MOST_SETUP]]
        left_out = len(self._setup) - len(lines)
        return [title, *lines, *([SetupRow(f"# ... {left_out} more lines")] if left_out else [])]

    def _iteration(self) -> Iteration:
        session = self.session
        indices = session.model.indices(session.iteration, session.document.batch_size)
        return iteration_of(session.frame, None if indices is None else indices.tolist())

    def _go(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if isinstance(row, NumberedRow):
            self.session.go(row.position)
        elif isinstance(row, SetupRow) and row.is_open is not None:
            self.fold(not row.is_open)

    def _point(self, index: QModelIndex) -> None:
        """Tell all panels which node the mouse is at."""
        row = index.data(ROW)
        name = row.row.names[0] if isinstance(row, NumberedRow) and row.row.names else ""
        gradient = isinstance(row, NumberedRow) and row.phase in ("seed", "backward")
        self.session.hover(Link(name, None, "gradient" if gradient else "value") if name else None)

    def _mark(self) -> None:
        """Mark the lines of the node that the mouse is at, here or in another panel."""
        hovered = self.session.hovered
        self._delegate.pointed = "" if hovered is None else hovered.name
        self.view.viewport().update()

    def _arrange(self) -> None:
        self.view.addAction("Copy code").triggered.connect(self.copy)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._caption, self.copy_button = lay_out_rows(self, self.view, "Copy code")

    # Qt

    def leaveEvent(self, event: QEvent) -> None:
        self.session.hover(None)
        super().leaveEvent(event)


def _count(iteration: Iteration) -> int:
    """Return how many numbers a script defines before its first step."""
    graph, values = iteration.trace.graph, iteration.trace.values
    return sum(values[name].size for name in (*graph.inputs, *graph.parameters))


def numbered(row: CodeRow, index: int, frame: Frame) -> NumberedRow:
    """Return a statement as it is to be seen at a frame."""
    current, done = index == frame.position - 1, index < frame.position
    if (row.current, row.done) != (current, done):
        row = replace(row, current=current, done=done)
    return NumberedRow(frame.curtain.over_code(row), index + 1)


def with_comments(rows: Sequence[NumberedRow]) -> list[NumberedRow | str]:
    """Return the rows with a comment before those of each phase."""
    found: list[NumberedRow | str] = []
    for i, row in enumerate(rows):
        if (i == 0 or rows[i - 1].phase != row.phase) and row.phase in HEADINGS:
            found.append(HEADINGS[row.phase])
        found.append(row)
    return found


class CodeDelegate(RowDelegate):
    """Paints one statement with its number."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._font = code_font()
        self._metrics = QFontMetricsF(self._font)
        self._numbers = 0.0
        self._width = 100.0
        self.pointed = ""

    def set_widest(self, count: int, texts: Sequence[str]) -> None:
        """Make room for the longest line and the largest number."""
        self._numbers = self._metrics.horizontalAdvance(str(count)) + 12
        longest = max(texts, key=len, default="")
        self._width = INDENT + self._numbers + self._metrics.horizontalAdvance(longest) + INDENT

    def paint_row(self, painter: QPainter, rect: QRectF, row: NumberedRow | SetupRow) -> None:
        """Paint a statement; the number before it stands back."""
        left, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self._font)
        inside = rect.adjusted(INDENT + self._numbers, 0, 0, 0)
        if isinstance(row, SetupRow):
            painter.setPen(self.theme.color("muted" if row.text.startswith("#") else "text"))
            painter.drawText(inside, left | middle, row.text)
            if row.is_open is not None:
                self._triangle(painter, QPointF(rect.left() + INDENT + 5, rect.center().y()), row.is_open)
            return
        if self.pointed and self.pointed in row.row.names and not row.current:
            painter.fillRect(rect, self.theme.color("control"))
        painter.setPen(self.theme.color("disabled"))
        numbers = QRectF(rect.left() + INDENT, rect.top(), self._numbers - 12, rect.height())
        painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | middle, str(row.position))
        painter.setPen(self.ink(row))
        painter.drawText(inside, left | middle, row.row.text)

    def _triangle(self, painter: QPainter, centre: QPointF, is_open: bool) -> None:
        """Paint the sign that lines unfold here, or are unfolded."""
        points = [QPointF(-2.5, -4), QPointF(2.5, 0), QPointF(-2.5, 4)]
        if is_open:
            points = [QPointF(-4, -2.5), QPointF(4, -2.5), QPointF(0, 2.5)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("muted"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolygon([centre + point for point in points])

    def heading_font(self) -> QFont:
        return self._font

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(int(self._width), int(self._metrics.height() * LINE_HEIGHT))
