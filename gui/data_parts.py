"""The parts of the data choice: lists of columns, filters, and what is seen of a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.data import Between, Dataset, Texts
from engine.errors import DataError, excerpt
from gui.icons import icon
from gui.theme import RESOURCES, Theme, application_font
from gui.viewdata.choice import Columns, Scatter, TableView, read_end

if TYPE_CHECKING:
    from gui.plots import Plot

MOST_BOXES = 40
"""Columns or values that stand as boxes side by side; more of them stand in a list."""
MOST_LISTED = 1000
LIST_HEIGHT = 132
MARKS = "●", "▲"
"""How the points of the first and the second kind look."""


# --- choosing several, or one ------------------------------------------------------------------------------


class ColumnList(QFrame):
    """Columns, or values, of which any number can be chosen.

    Signals
    -------
    changed()
        The user chose other ones.
    """

    changed = Signal()

    def __init__(self, columns: Sequence[str], chosen: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        self._boxes: dict[str, QCheckBox] = {}
        self._list: QListWidget | None = None
        if len(columns) > MOST_BOXES:
            self._fill_list(grid, columns, set(chosen))
        else:
            self._fill_boxes(grid, columns, set(chosen))

    def chosen(self) -> Columns:
        """Return the columns that are chosen."""
        if self._list is None:
            return tuple(column for column, box in self._boxes.items() if box.isChecked())
        items = (self._list.item(row) for row in range(self._list.count()))
        checked = Qt.CheckState.Checked
        return tuple(i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == checked)

    def _fill_boxes(self, grid: QGridLayout, columns: Sequence[str], chosen: set[str]) -> None:
        width = 1 if any(len(column) > 18 for column in columns) else 2
        for i, column in enumerate(columns):
            box = QCheckBox(excerpt(column, 40).replace("&", "&&"))
            box.setToolTip(column if len(column) > 40 else "")
            box.setChecked(column in chosen)
            box.toggled.connect(lambda _: self.changed.emit())
            self._boxes[column] = box
            grid.addWidget(box, i // width, i % width)

    def _fill_list(self, grid: QGridLayout, columns: Sequence[str], chosen: set[str]) -> None:
        self._list = found = QListWidget()
        found.setFixedHeight(LIST_HEIGHT)
        first = [c for c in columns if c in chosen]
        for column in [*first, *(c for c in columns if c not in chosen)][:MOST_LISTED]:
            item = QListWidgetItem(excerpt(column, 40))
            item.setData(Qt.ItemDataRole.UserRole, column)
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable
            )
            item.setCheckState(Qt.CheckState.Checked if column in chosen else Qt.CheckState.Unchecked)
            found.addItem(item)
        found.itemChanged.connect(lambda _: self.changed.emit())
        grid.addWidget(found, 0, 0)

    # Qt

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        if self._list is not None:
            self._list.setAccessibleName(name)


class ColumnBox(QComboBox):
    """Columns of which one is chosen."""

    changed = Signal()

    def __init__(self, columns: Sequence[str], chosen: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems(list(columns))
        self.setCurrentIndex(self.findText(chosen[0]) if chosen else -1)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())

    def chosen(self) -> Columns:
        """Return the column that is chosen."""
        return (self.currentText(),) if self.currentText() else ()


# --- filters -----------------------------------------------------------------------------------------------


class FilterRow(QFrame):
    """Which rows are used, going by one column: those with one of its values, or in a range.

    Signals
    -------
    changed()
        Other rows are wanted.
    removed()
        The column shall no longer decide.
    """

    changed = Signal()
    removed = Signal()

    def __init__(
        self, dataset: Dataset, column: str, wanted: Sequence[Any] | Between, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.column = column
        self._values: ColumnList | None = None
        self._by_text: dict[str, Any] = {}
        self._ends: tuple[QLineEdit, QLineEdit] | None = None
        title = QLabel(f"Only rows with {excerpt(column, 24)}")
        title.setProperty("role", "heading")
        title.setTextFormat(Qt.TextFormat.PlainText)
        self.remove_button = QToolButton()
        self.remove_button.setProperty("flat", True)
        self.remove_button.setIcon(icon("close", theme, "muted"))
        self.remove_button.setAccessibleName(f"Remove the filter on {column}")
        self.remove_button.setToolTip("Remove this filter")
        self.remove_button.clicked.connect(self.removed)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.remove_button)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addLayout(head)
        values = dataset.table[column]
        if isinstance(values, Texts) or not isinstance(wanted, Between):
            self._offer_values(inside, values, tuple(wanted) if not isinstance(wanted, Between) else ())
        else:
            self._offer_range(inside, values, wanted)

    def wanted(self) -> tuple[Any, ...] | Between:
        """Return which values are kept; raises `DataError` for an end of a range that is no number."""
        if self._values is not None:
            return tuple(self._by_text[text] for text in self._values.chosen())
        assert self._ends is not None
        least, most = (read_end(field.text()) for field in self._ends)
        if least is not None and most is not None and least > most:
            raise DataError(f"the range of {self.column} begins after its end", how="Exchange the two.")
        return Between(least, most)

    def focus_first(self) -> None:
        """Let the user choose at once."""
        parts = [
            *self.findChildren(QLineEdit),
            *self.findChildren(QListWidget),
            *self.findChildren(QCheckBox),
        ]
        if parts:
            parts[0].setFocus()

    def _offer_values(self, inside: QVBoxLayout, values: Any, wanted: Sequence[Any]) -> None:
        if isinstance(values, Texts):
            self._by_text = {value: value for value in values.values}
        else:
            found = np.unique(values[~np.isnan(values)])[:MOST_LISTED].tolist()
            self._by_text = {f"{value:.10g}": value for value in sorted({*found, *map(float, wanted)})}
        chosen = [text for text, value in self._by_text.items() if not wanted or value in wanted]
        self._values = ColumnList(list(self._by_text), chosen)
        self._values.setAccessibleName(f"Values of {self.column} that are kept")
        self._values.changed.connect(self.changed)
        inside.addWidget(self._values)

    def _offer_range(self, inside: QVBoxLayout, values: Any, wanted: Between) -> None:
        present = values[~np.isnan(values)]
        ends = (float(present.min()), float(present.max())) if present.size else (0.0, 0.0)
        row = QHBoxLayout()
        row.setSpacing(6)
        fields = []
        for word, now, end in zip(("from", "to"), (wanted.least, wanted.most), ends, strict=True):
            field = QLineEdit("" if now is None else f"{now:.10g}")
            field.setPlaceholderText(f"{end:.6g}")
            field.setAccessibleName(f"{self.column} {word}")
            field.setMaxLength(24)
            field.textEdited.connect(self.changed)
            row.addWidget(QLabel(word))
            row.addWidget(field, 1)
            fields.append(field)
        self._ends = fields[0], fields[1]
        inside.addLayout(row)


# --- the table ---------------------------------------------------------------------------------------------


class TableModel(QAbstractTableModel):
    """The first rows of a data set, with what becomes of each."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._view = TableView((), (), ())
        self._roles: dict[str, str] = {}
        self._used: np.ndarray | None = None
        self._held: np.ndarray | None = None

    def set_view(self, view: TableView) -> None:
        """Show another table."""
        self.beginResetModel()
        self._view, self._used, self._held, self._roles = view, None, None, {}
        self.endResetModel()

    def set_rows(self, used: np.ndarray | None, held: np.ndarray | None, roles: dict[str, str]) -> None:
        """Show which rows and columns are used."""
        self._used, self._held, self._roles = used, held, roles
        if self.rowCount() and self.columnCount():
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self.rowCount() - 1)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)

    def _is_used(self, row: int) -> bool:
        return self._used is None or bool(self._used[row])

    def _mark(self, row: int) -> str:
        if not self._is_used(row):
            return " –"
        return " ○" if self._held is not None and self._held[row] else ""

    # Qt

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._view.cells)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._view.heads)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> Any:
        cell = self._view.cells[index.row()][index.column()]
        kinds = Qt.ItemDataRole
        if role == kinds.DisplayRole:
            return "missing" if cell is None else cell
        if role == kinds.TextAlignmentRole:
            right = self._view.numeric[index.column()]
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == kinds.ForegroundRole:
            faint = not self._is_used(index.row())
            return self.theme.color("disabled" if faint else "muted" if cell is None else "text")
        if role == kinds.FontRole and cell is None:
            font = QFont(application_font("small"))
            font.setItalic(True)
            return font
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return f"{section + 1}{self._mark(section)}" if role == Qt.ItemDataRole.DisplayRole else None
        name, kind = self._view.heads[section]
        if role == Qt.ItemDataRole.DisplayRole:
            use = self._roles.get(name, "")
            return f"{excerpt(name, 24)}{f' → {use}' if use else ''}\n{kind}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self._view.numeric[section] else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{name}: {kind}"
        if role == Qt.ItemDataRole.ForegroundRole and name in self._roles:
            return self.theme.color("text")
        return None


class Table(QTableView):
    """The preview of a table: to look at, not to change."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = TableModel(theme, self)
        self.setModel(self.rows)
        self.setAccessibleName("Preview of the table")
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(24)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().setMinimumWidth(54)
        self.horizontalHeader().setHighlightSections(False)

    def show_table(self, view: TableView) -> None:
        """Show another table."""
        self.rows.set_view(view)
        metrics = self.fontMetrics()
        for column, (name, kind) in enumerate(view.heads):
            texts = [excerpt(name, 24) + " → X", kind, *(row[column] or "missing" for row in view.cells[:40])]
            width = max(metrics.horizontalAdvance(text) for text in texts) + 22
            self.setColumnWidth(column, min(max(width, 64), 240))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.rows.theme = theme
        self.viewport().update()


# --- the scatter plot --------------------------------------------------------------------------------------


class ScatterPlot(QWidget):
    """Points of two columns, coloured by a third.

    Signals
    -------
    changed()
        The user wants to see other columns.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._plot: Plot | None = None
        self._dots: dict[tuple[bool, bool], Any] = {}
        self._shown: Scatter | None = None
        self._words_beside: list[QLabel] = []
        self.across, self.up, self.colour = (QComboBox() for _ in range(3))
        row = QHBoxLayout()
        row.setSpacing(6)
        for word, box, tip in (
            ("Across", self.across, "The column along the horizontal axis"),
            ("Up", self.up, "The column along the vertical axis"),
            ("Colour", self.colour, "The column that colours the points"),
        ):
            label = QLabel(word)
            label.setProperty("role", "muted")
            label.setBuddy(box)
            box.setAccessibleName(f"{word}: {tip}")
            box.setToolTip(tip)
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda _: self.changed.emit())
            row.addWidget(label)
            row.addWidget(box, 1)
            self._words_beside.append(label)
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.RichText)
        self.note.setProperty("role", "small")
        self.note.setFont(application_font("small"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(row)
        self._column.addWidget(self.note)

    def set_wordy(self, wordy: bool) -> None:
        """Show what the columns are for in words, or in tooltips alone."""
        for label in self._words_beside:
            label.setVisible(wordy)

    def offer(self, columns: Sequence[str]) -> None:
        """Let these columns be chosen."""
        for box in (self.across, self.up, self.colour):
            box.clear()
            if box is self.colour:
                box.addItem("none", "")
            for column in columns[:MOST_LISTED]:
                box.addItem(excerpt(column, 40), column)

    def choose(self, across: str, up: str, colour: str) -> None:
        """Show these columns."""
        for box, column in ((self.across, across), (self.up, up), (self.colour, colour)):
            box.setCurrentIndex(max(0, box.findData(column)))

    def chosen(self) -> tuple[str, str, str]:
        """Return the columns that are shown."""
        across, up, colour = (box.currentData() or "" for box in (self.across, self.up, self.colour))
        return across, up, colour

    def show_points(self, points: Scatter) -> None:
        """Draw points."""
        self._shown = points
        across, up, _ = self.chosen()
        plot = self._made()
        plot.set_labels(excerpt(across, 40), excerpt(up, 40))
        for second in (False, True):
            for held in (False, True):
                those = (points.second == second) & (points.held == held)
                self._draw(second, held, points.x[those], points.y[those], bool(points.names))
        plot.box.autoRange(padding=0.06)
        plot.setVisible(not points.why)
        self.note.setText(self._legend(points))
        self.note.setAccessibleName(self._words(points))
        plot.setAccessibleName(f"{up} against {across}. {self._words(points)}")

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        if self._plot is not None:
            self._plot.set_theme(theme)
            if self._shown is not None:
                self.show_points(self._shown)

    def _legend(self, points: Scatter) -> str:
        """Return the words with each mark in the colour of its points."""
        text = escape(self._words(points)).replace("  ", "&nbsp; ")
        for second, mark in enumerate(MARKS):
            text = text.replace(
                f"{mark} ", f'<span style="color:{self._color(bool(second)).name()}">{mark}</span> ', 1
            )
        return text

    def _color(self, second: bool) -> QColor:
        return self.theme.color("positive" if second else "negative")

    def _words(self, points: Scatter) -> str:
        if points.why:
            return points.why
        drawn = len(points.x)
        sampled = drawn < points.total and points.total > len(points.second)
        parts = [f"{drawn:,} of {points.total:,} points are drawn" if sampled else f"{drawn:,} points"]
        if points.names:
            parts.append("  ".join(f"{m} {excerpt(n, 24)}" for m, n in zip(MARKS, points.names, strict=True)))
        if points.held.any():
            parts.append("hollow: held out")
        return "  ·  ".join(parts)

    def _made(self) -> Plot:
        if self._plot is None:
            from gui.plots import Plot, pg  # slow to load, and not needed before a table has been read

            self._plot = Plot(self.theme, "", "")
            self._plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
            for second in (False, True):
                for held in (False, True):
                    item = pg.ScatterPlotItem(symbol="t1" if second else "o", size=7.0 if second else 6.0)
                    self._dots[second, held] = item
                    self._plot.addItem(item)
            self._column.insertWidget(1, self._plot, 1)
        return self._plot

    def _draw(self, second: bool, held: bool, x: np.ndarray, y: np.ndarray, is_coloured: bool) -> None:
        from gui.plots import pg

        color = self._color(second) if is_coloured else self.theme.color("seed")
        edge = pg.mkPen(color if held else self.theme.color("card"), width=1.4 if held else 0.7)
        self._dots[second, held].setData(x, y, brush=None if held else pg.mkBrush(color), pen=edge)


def parts_style(theme: Theme) -> str:
    """Return how lists and tables are painted: boxes as those beside words, cells in line with heads."""
    mark = (RESOURCES / "style" / f"check-{'dark' if theme.is_dark else 'light'}.svg").as_posix()
    box = f"width: 12px; height: 12px; border-radius: 3px; border: 1px solid {theme.seed};"
    return (
        f"QListView::indicator {{ {box} background: {theme.control}; }}"
        f"QListView::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};"
        f' image: url("{mark}"); }}'
        "QTableView::item { padding: 0 7px; } QHeaderView::section:vertical { border: 0; }"
    )
