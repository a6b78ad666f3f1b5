"""Matrices as pictures: cells with numbers while they are few, a heat map when they are many.

Sign and size are read from a diverging map centred at zero; where there is room a signed number says it
again. One function paints them wherever they appear: in nodes, beside equations, in the inspector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from graphs.views.numbers import MINUS, NOTHING, compact, format_number, full, shape_text
from gui.groups import GroupingEngine, write
from gui.links import paint_frame
from gui.theme import DARK_INK, LIGHT_INK, Theme, application_font, blend, diverging_map, light_ink_map

Cell = tuple[int, int]

FEW_CELLS = 256
"""Up to here each cell is a rectangle of its own, above they are one image."""
FINEST_IN_A_FILE = 2.0
"""Cells for each logical pixel of a file, across and down: beyond that nobody tells them apart on paper."""
FEW_CELLS_IN_A_FILE = 8192
"""The same for SVG and PDF, where an enlarged image would be blurred by whoever shows it."""
GAP_FROM = 5.0
"""Cells at least this wide and high are kept apart by a gap."""
NUMBER_WIDTH, NUMBER_HEIGHT = 25.0, 12.0
"""The least room for a number in a cell."""
BORDER = 1.4


@dataclass(frozen=True)
class Grid:
    """Where the cells of a matrix lie in a rectangle."""

    rect: QRectF
    rows: int
    columns: int

    @property
    def cell_size(self) -> QSizeF:
        """The width and height of a cell, gap included."""
        return QSizeF(self.rect.width() / max(1, self.columns), self.rect.height() / max(1, self.rows))

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return where a cell lies, gap included."""
        size = self.cell_size
        corner = QPointF(column * size.width(), row * size.height())
        return QRectF(self.rect.topLeft() + corner, size)

    def cell_at(self, point: QPointF) -> Cell | None:
        """Return the row and column under `point`, None outside."""
        if not self.rect.contains(point) or not self.rows or not self.columns:
            return None
        offset, size = point - self.rect.topLeft(), self.cell_size
        row, column = int(offset.y() / size.height()), int(offset.x() / size.width())
        return min(row, self.rows - 1), min(column, self.columns - 1)


def as_table(array: Any) -> np.ndarray:
    """Return `array` as rows and columns: a scalar is one cell, a list one row, the rest of axes joined."""
    values = np.asarray(array, dtype=float)
    if values.ndim <= 2:
        return np.atleast_2d(values)
    return values.reshape(values.shape[0], -1)


def matrix_size(shape: tuple[int, ...], max_width: float, max_height: float, cell: float = 12.0) -> QSizeF:
    """Return how large a matrix is drawn: square cells of side `cell`, narrowed where there is no room."""
    rows, columns = grid_shape(shape)
    return QSizeF(min(max_width, columns * cell), min(max_height, rows * cell))


def grid_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and columns an array of `shape` is drawn with."""
    if len(shape) <= 1:
        return 1, (shape[0] if shape else 1)
    return shape[0], int(np.prod(shape[1:]))


def matrix_scale(array: Any) -> float:
    """Return the largest finite magnitude, which the ends of the map stand for; 0 if there is none."""
    values = np.abs(np.asarray(array, dtype=float))
    return float(np.max(values, where=np.isfinite(values), initial=0.0))


def paint_matrix(
    painter: QPainter,
    rect: QRectF,
    array: Any,
    theme: Theme,
    *,
    scale: float | None = None,
    border_role: str | None = None,
    numbers: bool = False,
    selected: Cell | None = None,
) -> None:
    """Paint a matrix into `rect`.

    Parameters
    ----------
    array : array_like
        Any shape; a scalar is one cell and shows its number where there is room.
    scale : float, optional
        The magnitude at the ends of the map; by default that of the largest entry. At 0 every entry looks as
        zero does: for what is mere rounding.
    border_role : str, optional
        The theme's role of the border.
    numbers : bool
        Whether cells that are large enough show their number.
    selected : (int, int), optional
        A cell to mark.
    """
    table = as_table(array)
    scale = matrix_scale(table) if scale is None else scale
    painter.save()
    if table.size:
        _paint_cells(painter, rect, table, scale, theme)
        if numbers or table.size == 1:
            _paint_numbers(painter, rect, table, scale, theme)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if border_role:
        half = BORDER / 2
        _outline(painter, rect.adjusted(-half, -half, half, half), theme.color(border_role), BORDER)
    if selected is not None and table.size:
        _paint_selection(painter, Grid(rect, *table.shape).cell_rect(*selected), theme)
    painter.restore()


def paint_legend(
    painter: QPainter, rect: QRectF, theme: Theme, scale: float | None = None, note: str = ""
) -> None:
    """Paint the map with what its ends stand for, right-aligned: ``−max [bar] +max``, then a note."""
    low, high = (f"{MINUS}max", "+max") if scale is None else (_end(-scale), _end(scale))
    painter.save()
    painter.setFont(application_font("small"))
    painter.setPen(theme.color("muted"))
    metrics = QFontMetricsF(painter.font())
    right = f"{high}  {note}".rstrip()
    text = rect.adjusted(rect.width() - metrics.horizontalAdvance(right) - 1, 0, 0, 0)
    bar = QRectF(text.left() - 8 - 104, rect.center().y() - 4.5, 104, 9)
    write(painter, text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right)
    before = QRectF(rect.left(), rect.top(), bar.left() - 8 - rect.left(), rect.height())
    write(painter, before, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, low)
    paint_map(painter, bar, theme)
    painter.restore()


def paint_map(painter: QPainter, bar: QRectF, theme: Theme) -> None:
    """Paint the colours of numbers from negative to positive."""
    painter.drawImage(bar, _image(diverging_map(theme)[None, ::8]))


def as_numpy(array: Any) -> str:
    r"""Write an array as NumPy source that gives back the same numbers.

    Examples
    --------
    >>> as_numpy([[0.1, -2.0], [3.0, float("nan")]])
    'np.array([[0.1, -2.0],\n          [3.0, np.nan]])'
    """
    values = np.asarray(array)
    if values.size == 0:
        return f"np.zeros({values.shape})"
    return f"np.array({_nested(values.tolist(), ' ' * len('np.array('))})"


def as_latex(array: Any, digits: int = 4) -> str:
    r"""Write an array as a LaTeX ``bmatrix``, to `digits` significant digits; a scalar as its number."""
    values = np.asarray(array, dtype=float)
    if values.ndim == 0:
        return _latex_number(float(values), digits)
    rows = (" & ".join(_latex_number(x, digits) for x in row) for row in as_table(values).tolist())
    return "\\begin{bmatrix}\n" + " \\\\\n".join(rows) + "\n\\end{bmatrix}"


class MatrixWidget(QWidget):
    """One matrix with all its numbers: pages through what has no room, marks and reads out one cell.

    Arrow keys, Home, End, Page Up and Page Down move the marked cell while the widget has the focus;
    Escape gives the focus back. Hovering shows full precision, Ctrl+C copies the matrix for NumPy.

    Attributes
    ----------
    is_read_out
        Whether a scalar stands in full beside the matrix: then hovering would only cover it.

    Signals
    -------
    cell_selected(int, int)
        Row and column of the cell that is marked now.
    pointed(object)
        Row and column of the cell under the mouse, None for none.
    """

    cell_selected = Signal(int, int)
    pointed = Signal(object)

    CELL, FOOT = QSize(44, 22), 4
    ROWS_SHOWN = 8

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.is_read_out = False
        self._theme = theme
        self._array = np.zeros(())
        self._border_role = "forward"
        self._note = ""
        self._scale: float | None = None
        self._selected: Cell | None = None
        self._linked: tuple[Cell | None, bool] = (None, False)
        self._bars = {side: QScrollBar(side, self) for side in Qt.Orientation}
        for bar in self._bars.values():
            bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            bar.valueChanged.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.addAction("Copy as NumPy").triggered.connect(self.copy_numpy)
        self.addAction("Copy as LaTeX").triggered.connect(self.copy_latex)
        self._describe()

    def set_matrix(
        self, array: Any, border_role: str = "forward", note: str = "", scale: float | None = None
    ) -> None:
        """Show another matrix; the marked cell stays if the shape does.

        Parameters
        ----------
        border_role : str
            The theme's role of the border: forward for values, backward for gradients.
        note : str
            What a reader should know of the axes, for the caption: ``examples run across``.
        scale : float, optional
            The magnitude at the ends of the map.
        """
        values = np.asarray(array, dtype=float)
        if values.shape != self._array.shape:
            self._selected = None
        self._array, self._border_role, self._note, self._scale = values, border_role, note, scale
        self._fit_bars()
        self._describe()
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    @property
    def array(self) -> np.ndarray:
        """What is shown."""
        return self._array

    @property
    def selected(self) -> Cell | None:
        """The marked cell, as row and column."""
        return self._selected

    def select_cell(self, row: int, column: int) -> None:
        """Mark a cell, bring it into sight and say so."""
        rows, columns = as_table(self._array).shape
        if not rows or not columns:
            return
        cell = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
        changed, self._selected = cell != self._selected, cell
        self._bring_into_sight(cell)
        self._describe()
        self.update()
        if changed:
            self.cell_selected.emit(*cell)

    def set_linked(self, cell: Cell | None, is_whole: bool = False) -> None:
        """Mark what is pointed at elsewhere: one cell, or the whole matrix."""
        if (cell, is_whole) != self._linked:
            self._linked = cell, is_whole
            self.update()

    def clear_selection(self) -> None:
        """Mark no cell."""
        self._selected = None
        self._describe()
        self.update()

    def caption(self) -> str:
        """Return the line beneath: which part is in sight, and what the axes are."""
        rows, columns = as_table(self._array).shape
        shown = self._shown()
        parts = [
            f"{name} {start}–{start + count - 1} of {total}"
            for name, start, count, total in (
                ("rows", shown.top(), shown.height(), rows),
                ("columns", shown.left(), shown.width(), columns),
            )
            if 0 < count < total
        ]
        return " · ".join([*parts, self._note] if self._note else parts)

    def cell_text(self, row: int, column: int) -> str:
        """Return a cell's index and full-precision number; a scalar has no index."""
        value = as_table(self._array)[row, column]
        number = full(value) if np.isfinite(value) else format_number(value)
        return f"[{row}, {column}]  {number}" if self._array.ndim else number

    def copy_numpy(self) -> None:
        """Put the whole matrix onto the clipboard as NumPy source."""
        QGuiApplication.clipboard().setText(as_numpy(self._array))

    def copy_latex(self) -> None:
        """Put the whole matrix onto the clipboard as LaTeX."""
        QGuiApplication.clipboard().setText(as_latex(self._array))

    def cell_position(self, row: int, column: int) -> QPoint:
        """Return the middle of a cell that is in sight, in widget coordinates."""
        shown, grid = self._shown(), self._grid()
        return grid.cell_rect(row - shown.top(), column - shown.left()).center().toPoint()

    # Geometry

    def _header(self) -> QSize:
        """Return the room for row numbers at the left and column numbers at the top."""
        metrics = QFontMetricsF(application_font("small"))
        rows, columns = as_table(self._array).shape
        wide = metrics.horizontalAdvance(str(max(rows - 1, 0))) + 8 if rows > 1 else 2
        return QSize(int(wide), int(metrics.height()) + 2 if columns > 1 else 2)

    def _caption_height(self) -> int:
        return int(QFontMetricsF(application_font("small")).height()) + 6

    def _columns_fitting(self) -> int:
        return max(1, (self.width() - self._header().width() - 12) // self.CELL.width())

    def _foot(self, rows_fitting: int) -> int:
        """Return the room beneath the cells: for caption and scroll bar, where there are any."""
        rows, columns = as_table(self._array).shape
        is_cut = rows > rows_fitting or columns > self._columns_fitting()
        return self._caption_height() + 12 if self._note or is_cut else self.FOOT

    def _room(self) -> tuple[int, int]:
        """Return how many rows and columns fit."""
        height = self.height() - self._header().height()
        rows = (height - self._foot(height // self.CELL.height())) // self.CELL.height()
        if rows < as_table(self._array).shape[0]:  # a caption says which are in sight
            rows = (height - self._foot(0)) // self.CELL.height()
        return max(1, rows), self._columns_fitting()

    def _shown(self) -> QRect:
        """Return the part in sight, as columns and rows."""
        rows, columns = as_table(self._array).shape
        fitting_rows, fitting_columns = self._room()
        left, top = (self._bars[side].value() for side in Qt.Orientation)
        return QRect(left, top, min(fitting_columns, columns), min(fitting_rows, rows))

    def _grid(self) -> Grid:
        shown, header = self._shown(), self._header()
        room = self.width() - header.width() - 12
        width = min(room / max(1, shown.width()), self.CELL.width() * 1.6)
        size = QSizeF(width * shown.width(), self.CELL.height() * shown.height())
        return Grid(QRectF(QPointF(header.width(), header.height()), size), shown.height(), shown.width())

    def _fit_bars(self) -> None:
        rows, columns = as_table(self._array).shape
        fitting_rows, fitting_columns = self._room()
        totals = ((columns, fitting_columns), (rows, fitting_rows))
        for bar, (total, fitting) in zip(self._bars.values(), totals, strict=True):
            bar.setRange(0, max(0, total - fitting))
            bar.setPageStep(fitting)
            bar.setVisible(total > fitting)
        cells = self._grid().rect.toAlignedRect()
        across, down = self._bars.values()
        across.setGeometry(cells.left(), cells.bottom() + 3, cells.width(), 10)
        down.setGeometry(cells.right() + 2, cells.top(), 10, cells.height())

    def _bring_into_sight(self, cell: Cell) -> None:
        shown = self._shown()
        across, down = self._bars.values()
        for bar, index, count in ((down, cell[0], shown.height()), (across, cell[1], shown.width())):
            bar.setValue(min(max(bar.value(), index - count + 1), index))

    def _cell_at(self, point: QPointF) -> Cell | None:
        found, shown = self._grid().cell_at(point), self._shown()
        return found and (found[0] + shown.top(), found[1] + shown.left())

    def _describe(self) -> None:
        self.setAccessibleName(f"matrix, {shape_text(self._array.shape)}")
        self.setAccessibleDescription(self.cell_text(*self._selected) if self._selected else "")

    def _target(self, key: int) -> Cell | None:
        """Return the cell a key leads to from the marked one."""
        row, column = self._selected or (0, 0)
        columns = as_table(self._array).shape[1]
        page = self._shown().height()
        targets = {
            Qt.Key.Key_Left: (row, column - 1),
            Qt.Key.Key_Right: (row, column + 1),
            Qt.Key.Key_Up: (row - 1, column),
            Qt.Key.Key_Down: (row + 1, column),
            Qt.Key.Key_Home: (row, 0),
            Qt.Key.Key_End: (row, columns - 1),
            Qt.Key.Key_PageUp: (row - page, column),
            Qt.Key.Key_PageDown: (row + page, column),
        }
        first_key = self._selected is None and key in targets
        return (0, 0) if first_key else targets.get(Qt.Key(key))

    def _paint_linked(self, painter: QPainter, grid: Grid, shown: QRect) -> None:
        """Frame what is pointed at elsewhere, as far as it is in sight."""
        cell, is_whole = self._linked
        if is_whole:
            paint_frame(painter, grid.rect, self._theme)
        elif cell is not None and shown.contains(cell[1], cell[0]):
            paint_frame(painter, grid.cell_rect(cell[0] - shown.top(), cell[1] - shown.left()), self._theme)

    def _paint_headers(self, painter: QPainter, grid: Grid) -> None:
        painter.setFont(application_font("small"))
        painter.setPen(self._theme.color("muted"))
        shown, header = self._shown(), self._header()
        marked = self._selected or (-1, -1)
        for j in range(grid.columns if header.height() > 2 else 0):
            cell = grid.cell_rect(0, j)
            cell.moveBottom(grid.rect.top() - 1)
            self._paint_header(painter, cell, shown.left() + j, marked[1], Qt.AlignmentFlag.AlignHCenter)
        for i in range(grid.rows if header.width() > 2 else 0):
            cell = QRectF(0, grid.cell_rect(i, 0).top(), header.width() - 5, grid.cell_size.height())
            self._paint_header(painter, cell, shown.top() + i, marked[0], Qt.AlignmentFlag.AlignRight)

    def _paint_header(
        self, painter: QPainter, rect: QRectF, index: int, marked: int, side: Qt.AlignmentFlag
    ) -> None:
        painter.setPen(self._theme.color("text" if index == marked else "muted"))
        vertical = (
            Qt.AlignmentFlag.AlignBottom
            if side == Qt.AlignmentFlag.AlignHCenter
            else Qt.AlignmentFlag.AlignVCenter
        )
        painter.drawText(rect, side | vertical, str(index))

    def _paint_caption(self, painter: QPainter, grid: Grid) -> None:
        painter.setFont(application_font("small"))
        painter.setPen(self._theme.color("muted"))
        top = grid.rect.bottom() + (13 if self._bars[Qt.Orientation.Horizontal].isVisible() else 2)
        rect = QRectF(grid.rect.left(), top, self.width() - grid.rect.left(), self._caption_height())
        text = painter.fontMetrics().elidedText(
            self.caption(), Qt.TextElideMode.ElideRight, int(rect.width())
        )
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    # Qt

    def sizeHint(self) -> QSize:
        rows, columns = as_table(self._array).shape
        header = self._header()
        shown = min(rows, self.ROWS_SHOWN)
        height = header.height() + shown * self.CELL.height() + self._foot(self.ROWS_SHOWN)
        return QSize(header.width() + min(columns, 8) * self.CELL.width() + 14, height)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(
            min(hint.width(), 3 * self.CELL.width()), min(hint.height(), 3 * self.CELL.height() + 40)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown, grid = self._shown(), self._grid()
        table = as_table(self._array)
        part = table[shown.top() : shown.bottom() + 1, shown.left() : shown.right() + 1]
        marked = self._selected
        if marked:
            marked = marked[0] - shown.top(), marked[1] - shown.left()
            marked = marked if 0 <= marked[0] < grid.rows and 0 <= marked[1] < grid.columns else None
        scale = matrix_scale(table) if self._scale is None else self._scale
        paint_matrix(
            painter,
            grid.rect,
            part,
            self._theme,
            scale=scale,
            border_role="focus" if self.hasFocus() and not marked else self._border_role,
            numbers=True,
            selected=marked,
        )
        self._paint_linked(painter, grid, shown)
        self._paint_headers(painter, grid)
        self._paint_caption(painter, grid)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_bars()
        self.updateGeometry()  # columns that have no room any more want a scroll bar beneath

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell and event.button() == Qt.MouseButton.LeftButton:
            self.select_cell(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(self._cell_at(event.position()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        target = self._target(event.key())
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_numpy()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear_selection()
            self.clearFocus()
        elif target and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.select_cell(*target)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        sideways = abs(delta.x()) > abs(delta.y()) or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        bar = self._bars[Qt.Orientation.Horizontal if sideways else Qt.Orientation.Vertical]
        steps = round((delta.x() or delta.y()) / 120)
        if not bar.isVisible() or not steps:
            event.ignore()
            return
        bar.setValue(bar.value() - steps)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self._cell_at(QPointF(event.pos()))
            is_told = self._array.ndim > 0 or not self.is_read_out
            QToolTip.showText(event.globalPos(), self.cell_text(*cell) if cell and is_told else "", self)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            # While a cell is being looked for, the window's shortcuts on these keys stand back.
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if event.matches(QKeySequence.StandardKey.Copy) or (plain and self._target(event.key())):
                event.accept()
                return True
        return super().event(event)


# Colours


def _indices(table: np.ndarray, scale: float) -> np.ndarray:
    """Return for each entry its place in the diverging map; entries that are not finite get zero's."""
    if not scale:
        return np.full(table.shape, 128, dtype=np.uint8)
    with np.errstate(all="ignore"):
        share = np.clip(np.nan_to_num(table / scale, nan=0.0), -1.0, 1.0)
    return np.rint(128 + share * np.where(share < 0, 128, 127)).astype(np.uint8)


def _image(colors: np.ndarray) -> QImage:
    """Return an image of ``0xffrrggbb`` colours of shape (rows, columns), one pixel each."""
    pixels = np.ascontiguousarray(colors, dtype=np.uint32)
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()


# Cells


def _paint_cells(painter: QPainter, rect: QRectF, table: np.ndarray, scale: float, theme: Theme) -> None:
    for_a_file = is_for_a_file(painter)
    if for_a_file:
        fine = painter.deviceTransform().mapRect(rect).size() * FINEST_IN_A_FILE
        table = _extremes(table, max(1, round(fine.height())), max(1, round(fine.width())))
    cell = min(rect.width() / table.shape[1], rect.height() / table.shape[0])
    # without gaps and hatches an image looks the same, and costs a fifth of the cells
    plain = not for_a_file and cell < GAP_FROM and bool(np.isfinite(table).all())
    limit = FEW_CELLS_IN_A_FILE if for_a_file else FEW_CELLS
    if table.size <= limit and not plain:
        _paint_few(painter, Grid(rect, *table.shape), table, scale, theme)
    else:
        _paint_many(painter, rect, table, scale, theme)


def _paint_few(painter: QPainter, grid: Grid, table: np.ndarray, scale: float, theme: Theme) -> None:
    size = grid.cell_size
    gap = 1.0 if min(size.width(), size.height()) >= GAP_FROM else 0.0
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(grid.rect, theme.color("card"))
    colors = diverging_map(theme)[_indices(table, scale)].tolist()
    finite = np.isfinite(table)
    # In a file, cells without gaps reach below the next ones: readers that smooth edges would show seams.
    over = QPointF(size.width(), size.height()) / 4 if is_for_a_file(painter) and not gap else QPointF()
    for row, column in np.ndindex(table.shape):
        cell = grid.cell_rect(row, column).adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
        right = over.x() if column + 1 < table.shape[1] else 0.0
        below = over.y() if row + 1 < table.shape[0] else 0.0
        cell.adjust(0, 0, right, below)
        painter.fillRect(cell, QColor.fromRgb(colors[row][column]))
        if not finite[row, column]:
            _hatch(painter, cell, theme)


def _paint_many(painter: QPainter, rect: QRectF, table: np.ndarray, scale: float, theme: Theme) -> None:
    area = painter.deviceTransform().mapRect(rect)
    table = _extremes(table, max(1, round(area.height())), max(1, round(area.width())))
    colors = diverging_map(theme)[_indices(table, scale)]
    colors[~np.isfinite(table)] = theme.color("error").rgb()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(rect, _image(colors))


def _extremes(table: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Reduce a table to at most `rows` and `columns`: of joined entries the largest in size stands for all.

    So a single large entry is seen, and what is not a number stays so.
    """
    for axis, room in ((0, rows), (1, columns)):
        count = table.shape[axis]
        if count > room:
            starts = np.arange(room) * count // room
            low = np.minimum.reduceat(table, starts, axis=axis)
            high = np.maximum.reduceat(table, starts, axis=axis)
            table = np.where(np.abs(low) > np.abs(high), low, high)
    return table


def is_for_a_file(painter: QPainter) -> bool:
    """Say whether a painter writes vectors: SVG, PDF, a picture."""
    engine = painter.paintEngine()
    kinds = (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf, QPaintEngine.Type.Picture)
    return engine is not None and (engine.type() in kinds or isinstance(engine, GroupingEngine))


def _hatch(painter: QPainter, cell: QRectF, theme: Theme) -> None:
    painter.fillRect(cell, theme.color("error_background"))
    painter.fillRect(
        cell, QBrush(blend(theme.error, theme.error_background, 0.4), Qt.BrushStyle.BDiagPattern)
    )


def _paint_numbers(painter: QPainter, rect: QRectF, table: np.ndarray, scale: float, theme: Theme) -> None:
    grid = Grid(rect, *table.shape)
    size = grid.cell_size
    if size.width() < NUMBER_WIDTH or size.height() < NUMBER_HEIGHT or table.size > FEW_CELLS:
        return
    font = _number_font(size)
    chars = int((size.width() - 6) / QFontMetricsF(font).horizontalAdvance("0"))
    inks = np.where(light_ink_map(theme)[_indices(table, scale)], LIGHT_INK, DARK_INK)
    inks[~np.isfinite(table)] = theme.error_text
    painter.setFont(font)
    for (row, column), value in np.ndenumerate(table):
        painter.setPen(QColor(str(inks[row, column])))
        text = _cell_text(value, chars, scale)
        write(painter, grid.cell_rect(row, column), Qt.AlignmentFlag.AlignCenter, text)


def _cell_text(value: float, chars: int, scale: float) -> str:
    is_noise = not scale and value != 0 and np.isfinite(value)
    return NOTHING[-chars:] if is_noise else compact(value, chars)


def _number_font(cell: QSizeF) -> QFont:
    font = application_font("small")
    font.setPixelSize(max(7, min(12, int(cell.height() * 0.52), int(cell.width() / 3.4))))
    return font


def _paint_selection(painter: QPainter, cell: QRectF, theme: Theme) -> None:
    """Mark a cell with a light and a dark line, one of which stands out from any colour."""
    _outline(painter, cell.adjusted(-0.5, -0.5, 0.5, 0.5), theme.color("card"), 4)
    _outline(painter, cell.adjusted(-0.5, -0.5, 0.5, 0.5), theme.color("text"), 2)


def _outline(painter: QPainter, rect: QRectF, color: QColor, width: float) -> None:
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)


# Text


def _end(x: float) -> str:
    return f"+{format_number(x)}" if x > 0 else format_number(x)


def _nested(values: Any, indent: str) -> str:
    if not isinstance(values, list):
        return _source_number(values)
    if not values or not isinstance(values[0], list):
        return "[" + ", ".join(_source_number(x) for x in values) + "]"
    inner = indent + " "
    return "[" + f",\n{inner}".join(_nested(row, inner) for row in values) + "]"


def _source_number(x: float) -> str:
    text = repr(x)
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(text, text)


def _latex_number(x: float, digits: int) -> str:
    text = format_number(x, digits)
    if not np.isfinite(x):
        sign = "-" if x < 0 else ""
        return r"\text{not a number}" if np.isnan(x) else rf"{sign}\infty"
    mantissa, power, exponent = text.replace(MINUS, "-").partition("e")
    return rf"{mantissa} \times 10^{{{exponent}}}" if power else mantissa
