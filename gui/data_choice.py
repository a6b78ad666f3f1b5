"""The data choice: a data set, its columns, filters and scale, and at once what would come of them.

It lies over the window as the key sheet does, and is no dialog. Nothing changes until Apply; whatever takes
long (a million rows) is done beside the window, and what was asked for before does not arrive any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QFontDatabase, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.data import Between, Dataset, Texts
from engine.dialect import NOTHING, Stated
from engine.errors import BackstepError, DataError, as_sentence, excerpt
from graphs.draft import Checked
from graphs.network import FileData, Network
from graphs.wording import listed
from gui.data_parts import ColumnBox, ColumnList, FilterRow, ScatterPlot, Table, parts_style
from gui.dialect_row import DialectRow
from gui.fields import ENTER, PushButton, SegmentButton
from gui.jobs import Task
from gui.overlay import Overlay
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.choice import (
    CLASSES,
    Opened,
    Preview,
    Source,
    Subject,
    TableView,
    Typed,
    class_text,
    classes_of,
    first_choice,
    first_lines,
    input_columns,
    loading,
    own_source,
    percent_text,
    read_percent,
    scatter,
    sources_of,
    target_columns,
)

__all__ = ["DataChoice"]

FEW_CELLS = 40_000
"""Cells of a table that is small enough for everything to be done at once."""
SMALL_FILE = 32 * 1024
TURN, NEWS = 0.0003, 0.1
"""Seconds that the thread which reads leaves to the window again and again, and between two words from it."""
MARGIN, LARGEST = 20, (1240, 820)
LEFT = 330
ROOMY = (900, 520)
"""The card's size from which table and plot have room under one another."""
STANDARDIZE = "Standardise: mean 0, standard deviation 1"
HELD_TIP = "Examples that are not trained on: their loss tells how the network does on what it has not seen."


class DataChoice(Overlay):
    """Choose the data under the formula; nothing changes until Apply.

    Parameters
    ----------
    path
        A file to be opened, "" for the data in use.
    typed
        What came of the formula's text where the open network is not the one that it says: inputs that it
        still waits for are given what is chosen here.

    Signals
    -------
    applied()
        The session has other data now.
    open_requested()
        The user wants to choose a file.
    """

    applied = Signal()
    open_requested = Signal()

    def __init__(
        self, session: Session, theme: Theme, parent: QWidget, path: str = "", typed: Checked | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._session = session
        self._subject = _subject_of(session, typed)
        self._dataset: Dataset | None = None
        self._attached: Mapping[str, bytes] = {}
        self._template = self._subject.template()
        if isinstance(self._template, str) and typed is not None and typed.error is not None:
            self._template = f"The formula as typed cannot be read: {typed.sentence()}"
        self._data: FileData | None = None
        self._source: Source | None = None
        self._stated = NOTHING
        self._meant: FileData | None = None  # the columns that were chosen before the dialect took them away
        self._is_touched = False
        self._view = TableView((), (), ())
        self._found = Preview(None, "")
        self._task: Task | None = None
        self._columns: dict[str, ColumnList | ColumnBox] = {}
        self._class_labels: dict[str, QLabel] = {}
        self._filters: list[FilterRow] = []
        self._draws = False
        self._applies_next = False
        self._shows_raw = False
        self._sources = sources_of(self._subject.network)
        self._make()
        self._arrange()
        self.setStyleSheet(parts_style(theme))
        session.document_changed.connect(self.close)
        self._begin(path)

    # --- facts, for whoever looks ---

    @property
    def found(self) -> Preview:
        """What would come of the choice."""
        return self._found

    @property
    def is_busy(self) -> bool:
        """Whether something is still being read or worked out."""
        return self._task is not None and self._task.running

    @property
    def dataset(self) -> Dataset | None:
        """The table that is chosen from."""
        return self._dataset

    @property
    def dialect(self) -> DialectRow:
        """Where it is chosen how the table is written."""
        return self._dialects[self._is_roomy]

    # --- commands ---

    def open_data(self, path: str) -> None:
        """Choose from another file."""
        file = str(Path(path).absolute())
        source = next((s for s in self._sources if s.file == file), None)
        if source is None or not source.is_built_in:
            self._sources = [s for s in self._sources if s.file != file]
            source = Source(file, Path(file))
            self._sources.append(source)
        self._list_sources(source)
        self._load(source)

    def apply(self) -> None:
        """Give the session the data that were chosen; what is still being worked out is waited for."""
        if self.is_busy:
            self._applies_next = self._dataset is not None
            return
        found = self._found
        if found.network is None:
            return
        self._session.document_changed.disconnect(self.close)
        if isinstance(self._subject, Typed):
            self._session.set_network(found.network, "Data", overrides={}, model=found.model)
        else:
            self._session.set_data(found.network, found.model, found.forget)
        self.close()
        self.applied.emit()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        super().set_theme(theme)
        self.setStyleSheet(parts_style(theme))
        self.table.set_theme(theme)
        self.plot.set_theme(theme)

    # --- making ---

    def _make(self) -> None:
        self.sets = QComboBox()
        self.sets.setAccessibleName("Data set")
        self.sets.setMinimumContentsLength(14)
        self.sets.activated.connect(lambda _: self._load(self.sets.currentData()))
        self.open_button = PushButton("Open data…")
        self.open_button.clicked.connect(self.open_requested)
        self.standardize = QCheckBox(STANDARDIZE)
        self.standardize.setToolTip(STANDARDIZE)
        self.standardize.toggled.connect(self._preview)
        self.held = QLineEdit()
        self.held.setAccessibleName("Held out of training, percent of the examples")
        self.held.setMaxLength(8)
        self.held.setText(percent_text(self._subject.network.held_out))
        self.held.textEdited.connect(self._preview)
        self.filter_box = QComboBox()
        self.filter_box.setAccessibleName("Use only some rows: choose a column")
        self.filter_box.activated.connect(self._add_filter)
        self.headline, self.notes, self.table_note = QLabel(), QLabel(), QLabel()
        self.headline.setProperty("role", "strong")
        self.notes.setProperty("role", "muted")
        self.table_note.setProperty("role", "small")
        self.table_note.setFont(application_font("small"))
        for label in (self.headline, self.notes):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._make_reading()
        self._make_buttons()
        self._make_held_row()

    def _make_reading(self) -> None:
        """Make what is seen while a file is read, and its first lines where it cannot be."""
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName("Reading")
        self.progress.hide()
        self.raw = QPlainTextEdit()
        self.raw.setReadOnly(True)
        self.raw.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.raw.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.raw.setTabChangesFocus(True)
        self.raw.setAccessibleName("The first lines of the file")
        self.raw.hide()

    def _make_buttons(self) -> None:
        self.apply_button, self.cancel_button = PushButton("Apply"), PushButton("Cancel")
        self.apply_button.setProperty("accent", True)
        self.apply_button.clicked.connect(self.apply)
        self.cancel_button.clicked.connect(self.close)
        self.draw_button = PushButton("Draw new parameters")
        self.draw_button.setToolTip("Those that do not fit the chosen columns; undo brings the old ones back")
        self.draw_button.clicked.connect(self._draw_anew)
        self.draw_button.hide()
        self.table, self.plot = Table(self._theme), ScatterPlot(self._theme)
        self.plot.changed.connect(self._show_points)
        self.views = QFrame()
        self.views.setProperty("segmented", True)
        row = QHBoxLayout(self.views)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self.view_buttons = {word: SegmentButton(word) for word in ("Table", "Plot")}
        for button in self.view_buttons.values():
            button.clicked.connect(self.arrange)
            row.addWidget(button)
        self.view_buttons["Table"].setChecked(True)

    def _make_held_row(self) -> None:
        """Put the words around the field."""
        self._held_row = QWidget()
        row = QHBoxLayout(self._held_row)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(6)
        before, after = QLabel("Hold out of training"), QLabel("% of the examples")
        self._held_words = ((before, before.text(), "Hold out"), (after, after.text(), "%"))
        before.setBuddy(self.held)
        self.held.setFixedWidth(self.fontMetrics().horizontalAdvance("00.00") + 24)
        for part in (before, self.held, after):
            part.setToolTip(HELD_TIP)
            row.addWidget(part)
        row.addStretch(1)

    def _arrange(self) -> None:
        self._card = QWidget(self)
        head = QHBoxLayout()
        title = QLabel("Data")
        title.setProperty("role", "title")
        for part, stretch in ((title, 0), (self.sets, 1), (self.open_button, 0)):
            head.addWidget(part, stretch)
        head.addStretch(2)
        head.addWidget(self.views)
        middle = QHBoxLayout()
        middle.setSpacing(18)
        middle.addWidget(self._make_left())
        middle.addLayout(self._make_right(), 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        self._said_below = QVBoxLayout()
        self._said_below.addWidget(self.headline)
        foot.addLayout(self._said_below, 1)
        for part in (self.draw_button, self.cancel_button, self.apply_button):
            foot.addWidget(part)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(20, 14, 20, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addLayout(middle, 1)
        column.addWidget(self.progress)
        column.addLayout(foot)

    def _make_left(self) -> QScrollArea:
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setFixedWidth(LEFT)
        self._body, self._lists = QWidget(), QWidget()
        self._inside = QVBoxLayout(self._body)
        self._inside.setContentsMargins(0, 0, 8, 0)
        self._inside.setSpacing(8)
        self._filter_place = QVBoxLayout()
        self._filter_place.setSpacing(6)
        for part in (self._lists, self.filter_box):
            self._inside.addWidget(part)
        self._inside.insertLayout(1, self._filter_place)
        self._dialects = {wide: DialectRow(wide) for wide in (True, False)}
        for row in self._dialects.values():
            row.changed.connect(self._restate)
        for part in (self.standardize, self._held_row, self._dialects[False], self.notes):
            self._inside.addWidget(part)
        self._inside.addStretch(1)
        self._area.setWidget(self._body)
        return self._area

    def _make_right(self) -> QVBoxLayout:
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self._dialects[True])
        self._said_above = QVBoxLayout()
        right.addLayout(self._said_above)
        right.addWidget(self.raw, 1)
        self._tabled = QWidget()
        inside = QVBoxLayout(self._tabled)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        inside.addWidget(self.table, 1)
        inside.addWidget(self.table_note)
        right.addWidget(self._tabled, 1)
        right.addWidget(self.plot, 1)
        right.addStretch()
        return right

    # --- which table ---

    def _begin(self, path: str) -> None:
        """Read the file that was asked for, or the one in use."""
        own = own_source(self._subject.network)
        self._list_sources(own)
        if isinstance(self._template, str):
            self._show_form(False)
            self._say(Preview(None, self._template), error=bool(path))
        elif path:
            self.open_data(path)
        elif own is not None:
            self._load(own)
        elif isinstance(self._subject.network.data, FileData):
            self._say(Preview(None, "The file with the data in use is gone. Choose other data."))
        elif isinstance(self._subject, Typed):
            self._show_form(False)
            names = listed(excerpt(name) for name in self._template.columns)
            self._say(Preview(None, f"Choose a data set for {names}."), error=False)
        else:
            self._show_form(False)
            self._held_row.show()
            self._preview()

    def _list_sources(self, chosen: Source | None) -> None:
        self.sets.clear()
        for source in self._sources:
            self.sets.addItem(source.title, source)
            if not source.is_built_in:
                self.sets.setItemData(self.sets.count() - 1, source.file, Qt.ItemDataRole.ToolTipRole)
        files = [source.file for source in self._sources]
        self.sets.setCurrentIndex(files.index(chosen.file) if chosen is not None else -1)
        self.sets.setEnabled(not isinstance(self._template, str))
        self.open_button.setEnabled(not isinstance(self._template, str))

    def _show_form(self, shown: bool) -> None:
        for part in (self.filter_box, self.standardize, self._held_row, self._lists, self._tabled, self.plot):
            part.setVisible(shown)
        if shown:
            self.arrange()
        else:
            self.views.hide()

    def _load(self, source: Source) -> None:
        """Read another table, as the network's file says that it is written."""
        data, own = self._subject.network.data, own_source(self._subject.network)
        is_own = own is not None and own.file == source.file
        self._meant, self._is_touched = None, False
        self._read(source, data.stated if is_own and isinstance(data, FileData) else NOTHING)

    def _restate(self) -> None:
        """Read the table again as it is stated to be written; the columns stay where it still has them."""
        if self._source is None:
            return
        if self._data is not None and (self._meant is None or self._is_touched):
            with suppress(DataError):  # half a number in a filter
                self._meant = self._chosen()
        self._read(self._source, self.dialect.stated())

    def _read(self, source: Source, stated: Stated) -> None:
        """Read a table, at once where it is small."""
        self._forget_table()
        self._source, self._stated = source, stated
        self._show_dialect(None)
        self.arrange()
        is_small = source.is_built_in or _size_of(source) <= SMALL_FILE
        self._say(Preview(None, f"Reading {excerpt(source.title, 60)}…"), error=False)
        self._work(
            lambda: loading(source, stated),
            lambda value: self._take(source, value),
            lambda sentence: self._fail_reading(source, stated, sentence),
            at_once=is_small,
        )

    def _fail_reading(self, source: Source, stated: Stated, sentence: str) -> None:
        """Say why a file cannot be read over its first lines as they stand there."""
        lines = first_lines(source, stated)
        self.raw.setPlainText("\n".join(f"{number:>3}  {line}" for number, line in enumerate(lines, 1)))
        self._shows_raw = True
        self.arrange()
        self._say(Preview(None, sentence))

    def _show_dialect(self, found: Stated | None) -> None:
        for row in self._dialects.values():
            row.show_dialect(found, self._stated)

    def _forget_table(self) -> None:
        self._dataset = self._data = None
        self._draws = self._applies_next = self._shows_raw = False
        self._show_form(False)

    def _take(self, source: Source, value: Any) -> None:
        """Take in how far the reading is, or the table."""
        if isinstance(value, float):
            self.progress.setVisible(True)
            self.progress.setValue(int(1000 * value))
            return
        self.progress.hide()
        dataset, self._attached, self._view = value.dataset, value.kept, value.view
        self._dataset = dataset
        assert not isinstance(self._template, str)
        self._show_dialect(dataset.found)
        own = own_source(self._subject.network)
        is_own = own is not None and own.file == source.file and bool(self._template.file)
        if is_own and self._stated == self._template.stated and self._meant is None:
            data = self._template
        else:
            template = self._meant or replace(self._template, file=source.file)
            data = first_choice(dataset, template, self._subject.target_kind())
        self._is_touched = False
        self._choose_from(replace(data, file=source.file, stated=self._stated))

    # --- work that may take long ---

    def _work(
        self,
        work: Callable[[], Iterator[Any]],
        take: Callable[[Any], None],
        fail: Callable[[str], None],
        at_once: bool,
    ) -> None:
        """Do what was asked last; what was asked before is left off."""
        self._leave_off()
        if at_once:
            try:
                values = list(work())
            except BackstepError as error:
                fail(str(error))
            else:
                take(values[-1])
            return
        self._task = Task(lambda: _in_turns(work), self)
        self._task.came.connect(take)
        self._task.failed.connect(fail)
        self._task.failed.connect(lambda _: self.progress.hide())
        self._task.ended.connect(self._apply_if_wanted)
        self._task.start()

    def _leave_off(self) -> None:
        task, self._task = self._task, None
        self.progress.hide()
        if task is not None:
            task.dismiss()

    def _apply_if_wanted(self) -> None:
        if self._applies_next:
            self._applies_next = False
            self.apply()

    # --- what there is to choose from ---

    def _choose_from(self, data: FileData) -> None:
        """Offer the columns of the table, those of `data` chosen."""
        assert self._dataset is not None
        self._data = data
        self._check(self.standardize, bool(data.standardize))
        self._offer_columns(data)
        self._offer_filters(data)
        self.table.show_table(self._view)
        rows = self.table.rows.rowCount()
        rest = f"The first {rows} of {self._dataset.rows:,} rows" if rows < self._dataset.rows else ""
        self._shown_rows = rest or f"{rows:,} row{'s' if rows != 1 else ''}"
        self.plot.offer(
            [
                c
                for c in self._dataset.columns
                if c in input_columns(self._dataset) or len(classes_of(self._dataset, c)) > 0
            ]
        )
        self._plotted = ("", "", "")
        self._show_form(True)
        self._preview()

    def _check(self, box: QCheckBox, checked: bool) -> None:
        box.blockSignals(True)
        box.setChecked(checked)
        box.blockSignals(False)

    def _offer_columns(self, data: FileData) -> None:
        assert self._dataset is not None
        self._columns, self._class_labels = {}, {}
        lists = QWidget()
        column = QVBoxLayout(lists)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(6)
        numeric = input_columns(self._dataset)
        for name, chosen in data.inputs.items():
            self._offer(column, f"Inputs {name}", name, ColumnList(numeric, chosen))
        offered = target_columns(self._dataset)
        for name, chosen in data.targets.items():
            is_one = len(chosen) <= 1 and self._subject.target_kind() != CLASSES
            kind = ColumnBox if is_one else ColumnList
            self._offer(column, f"Target {name}", name, kind(offered, chosen))
            self._class_labels[name] = label = QLabel()
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setProperty("role", "strong")
            column.addWidget(label)
        self._inside.replaceWidget(self._lists, lists)
        self._lists.hide()
        self._lists.deleteLater()
        self._lists = lists
        lists.show()

    def _offer(self, column: QVBoxLayout, title: str, name: str, widget: ColumnList | ColumnBox) -> None:
        label = QLabel(title)
        label.setProperty("role", "heading")
        widget.setAccessibleName(title)
        widget.changed.connect(self._choose_columns)
        column.addWidget(label)
        column.addWidget(widget)
        self._columns[name] = widget

    def _choose_columns(self) -> None:
        """Follow the choice; a target of many classes gets a filter in which two can be kept."""
        data = self._data
        if data is None or self._dataset is None:
            return
        self._is_touched = True
        for name in data.targets:
            for column in self._columns[name].chosen():
                many = len(classes_of(self._dataset, column)) > 2
                if many and all(row.column != column for row in self._filters):
                    self._put_filter(column, ())
        self._preview()

    # --- filters ---

    def _offer_filters(self, data: FileData) -> None:
        for row in list(self._filters):
            self._drop_filter(row)
        for column, wanted in data.where.items():
            if self._dataset is not None and column in self._dataset.table:
                self._put_filter(column, wanted)
        self._list_filters()

    def _list_filters(self) -> None:
        """Offer the columns that do not filter yet."""
        assert self._dataset is not None
        taken = {row.column for row in self._filters}
        self.filter_box.clear()
        self.filter_box.addItem("Only rows where…", "")
        for column in self._dataset.columns[:1000]:
            if column not in taken:
                self.filter_box.addItem(excerpt(column, 40), column)

    def _add_filter(self, index: int) -> None:
        column = self.filter_box.itemData(index)
        if not column or self._dataset is None:
            return
        values = self._dataset.table[column]
        row = self._put_filter(column, () if isinstance(values, Texts) else Between())
        row.focus_first()
        self._preview()

    def _put_filter(self, column: str, wanted: Any) -> FilterRow:
        assert self._dataset is not None
        row = FilterRow(self._dataset, column, wanted, self._theme, self._body)
        row.changed.connect(self._preview)
        row.removed.connect(lambda: self._remove_filter(row))
        self._filters.append(row)
        self._filter_place.addWidget(row)
        row.show()
        self._list_filters()
        return row

    def _remove_filter(self, row: FilterRow) -> None:
        self._drop_filter(row)
        self._list_filters()
        self.filter_box.setFocus()
        self._preview()

    def _drop_filter(self, row: FilterRow) -> None:
        self._filters.remove(row)
        self._filter_place.removeWidget(row)
        row.hide()
        row.deleteLater()

    # --- what has been chosen ---

    def _chosen(self) -> FileData:
        data = self._data
        assert data is not None
        kept = data.standardize if data.standardize and self.standardize.isChecked() else None
        where = {row.column: row.wanted() for row in self._filters}
        return replace(
            data,
            inputs={name: self._columns[name].chosen() for name in data.inputs},
            targets={name: self._columns[name].chosen() for name in data.targets},
            standardize=self.standardize.isChecked() if kept is None else kept,
            where={c: w for c, w in where.items() if not (isinstance(w, Between) and w == Between())},
        )

    def _held_out(self) -> float:
        """Return which part is held out; what has not been touched is as exact as it was."""
        own = self._subject.network.held_out
        return own if self.held.text() == percent_text(own) else read_percent(self.held.text())

    def _changed(self) -> Network:
        """Return the network with the data that are chosen; raises `DataError` for a field that says none."""
        network = self._subject.network
        if self._data is not None:
            data = self._chosen()
            kept = {**network.attached, **self._attached}
            network = replace(network, data=data, attached=kept)
        return replace(network, held_out=self._held_out())

    def _draw_anew(self) -> None:
        self._draws = True
        self._preview()

    def _preview(self) -> None:
        """Work out what would come of the choice."""
        self._applies_next = False
        try:
            self._held_out()
        except DataError as error:
            self._mark_held(True)
            self._say(Preview(None, str(error)))
            return
        self._mark_held(False)
        try:
            changed = self._changed()
        except DataError as error:
            self._say(Preview(None, str(error)))
            return
        subject, dataset, draws = self._subject, self._dataset, self._draws
        cells = dataset.rows * len(dataset.columns) if dataset is not None else 0
        if cells > FEW_CELLS:
            self._say(Preview(None, "Working it out…"), error=False)
        self._work(
            lambda: iter([subject.preview(changed, dataset, draws)]),
            self._take_preview,
            lambda sentence: self._say(Preview(None, sentence)),
            at_once=cells <= FEW_CELLS,
        )

    def _take_preview(self, found: Preview) -> None:
        self._say(found)
        if self._dataset is None or self._data is None:
            return
        data = self._chosen()
        uses = {**data.targets, **data.inputs}
        roles = {column: name for name, columns in uses.items() for column in columns}
        self.table.rows.set_rows(found.used, found.held, roles)
        left_out = int((~found.used).sum()) if found.used is not None else 0
        marks = [f"–  left out ({left_out:,})"] if left_out else []
        marks += ["○  held out"] if found.held is not None and found.held.any() else []
        self.table_note.setText("  ·  ".join([self._shown_rows, *marks]))
        for name, label in self._class_labels.items():
            label.setText(class_text(found.classes, data.targets[name]))
            label.setVisible(bool(label.text()))
        self._choose_plot(data, found)

    def _choose_plot(self, data: FileData, found: Preview) -> None:
        """Show the first input against the target, or two inputs coloured by a target of two classes."""
        inputs = [column for columns in data.inputs.values() for column in columns]
        target = next((c for columns in data.targets.values() for c in columns), "")
        if inputs and target:
            is_class = target in found.classes or (self._dataset is not None and self._is_class(target))
            two = is_class and len(inputs) > 1
            wanted = (inputs[0], inputs[1] if two else target, target if is_class else "")
        else:
            wanted = ((inputs or [target])[0], (inputs[1:] or inputs or [target])[0], "")
        if wanted != self._plotted:
            self._plotted = wanted
            self.plot.choose(*wanted)
        self._show_points()

    def _is_class(self, column: str) -> bool:
        assert self._dataset is not None
        values = self._dataset.table[column]
        return isinstance(values, Texts) or bool(((values[:1000] == 0) | (values[:1000] == 1)).all())

    def _show_points(self) -> None:
        across, up, colour = self.plot.chosen()
        if self._dataset is not None and across and up:
            self.plot.show_points(scatter(self._dataset, self._found, across, up, colour))

    def _mark_held(self, invalid: bool) -> None:
        if bool(self.held.property("invalid")) != invalid:
            self.held.setProperty("invalid", invalid)
            self.held.style().unpolish(self.held)
            self.held.style().polish(self.held)

    def _say(self, found: Preview, *, error: bool = True) -> None:
        self._found = found
        self.apply_button.setEnabled(found.network is not None)
        self.draw_button.setVisible(bool(found.redraw))
        headline = as_sentence(found.headline)
        self.headline.setText(headline)
        self.headline.setAccessibleName(headline)
        self.headline.setProperty("role", "error" if error and found.network is None else "strong")
        self.headline.style().polish(self.headline)
        self.notes.setText("\n".join(found.notes))
        self.notes.setVisible(bool(found.notes))

    # --- place ---

    def card(self) -> QRect:
        width = min(self.width() - 2 * MARGIN, LARGEST[0])
        height = min(self.height() - 2 * MARGIN, LARGEST[1])
        return QRect((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    @property
    def _is_roomy(self) -> bool:
        """Whether table and plot have room under one another."""
        card = self.card()
        return card.width() >= ROOMY[0] and card.height() >= ROOMY[1]

    def arrange(self) -> None:
        card = self.card()
        self._card.setGeometry(card)
        has_table = self._dataset is not None
        is_roomy = self._is_roomy
        self.views.setVisible(has_table and not is_roomy)
        self.raw.setVisible(self._shows_raw and bool(self.raw.toPlainText()))
        (self._said_above if self._shows_raw else self._said_below).addWidget(self.headline)
        self._area.setVisible(not (self._shows_raw and is_roomy))  # which has nothing to choose then
        self._tabled.setVisible(has_table and (is_roomy or self.view_buttons["Table"].isChecked()))
        self.plot.setVisible(has_table and (is_roomy or self.view_buttons["Plot"].isChecked()))
        self.plot.set_wordy(is_roomy)
        self._make_room(is_roomy)
        self._area.setFixedWidth(LEFT if card.width() >= ROOMY[0] else min(LEFT, card.width() * 44 // 100))

    def _make_room(self, is_roomy: bool) -> None:
        """Say less and stand narrower where the card is small."""
        for wide, row in self._dialects.items():
            row.setVisible(wide == is_roomy and self._source is not None and not self._source.is_built_in)
        self.standardize.setText(STANDARDIZE if is_roomy else STANDARDIZE.partition(":")[0])
        for label, words, few in self._held_words:
            label.setText(words if is_roomy else few)

    def focus_inside(self) -> None:
        (self.sets if self.sets.isEnabled() else self.cancel_button).setFocus()

    # Qt

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go round inside the card."""
        stops = self._stops()
        now = self.window().focusWidget()
        place = stops.index(now) + (1 if forward else -1) if now in stops else 0
        if stops:
            reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
            stops[place % len(stops)].setFocus(reason)
            self._area.ensureWidgetVisible(stops[place % len(stops)])
        return True

    def _stops(self) -> list[QWidget]:
        """Return what the tab key stops at, from top to bottom."""
        seen = (w for w in self._card.findChildren(QWidget) if w.isVisible() and w.isEnabled())
        stops = [w for w in seen if w.focusPolicy().value & Qt.FocusPolicy.TabFocus.value]
        own = [w for w in stops if not isinstance(w.parentWidget(), QComboBox)]
        feet = (self.draw_button, self.cancel_button, self.apply_button)
        heads = (self.sets, self.open_button)
        rooms = ((0, heads), (3, feet))

        def order(widget: QWidget) -> tuple[int, int, int]:
            room = next((n for n, some in rooms if widget in some), 2 - self._area.isAncestorOf(widget))
            place = widget.mapTo(self, QPoint(0, 0))
            return room, place.y(), place.x()

        return sorted(own, key=order)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.apply()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._leave_off()
        super().closeEvent(event)


def _subject_of(session: Session, typed: Checked | None) -> Subject:
    if typed is not None and typed.missing:
        return Typed(typed, session.document.seed)
    return Opened(session.model, session.document.network, session.document.overrides)


def _size_of(source: Source) -> int:
    if isinstance(source.origin, bytes):
        return len(source.origin)
    try:
        return source.origin.stat().st_size
    except (OSError, ValueError):  # said when it is read
        return 0


def _in_turns(work: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Do the work with short rests: two threads of Python take turns, and the window's must not wait."""
    told = 0.0
    for value in work():
        now = time.perf_counter()
        if not isinstance(value, float) or now - told > NEWS:
            told = now
            yield value
        time.sleep(TURN)
