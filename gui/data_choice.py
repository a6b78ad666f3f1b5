"""The popup in which the data set, its columns and their scale are chosen, and what comes of it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.data import Between, Dataset, Texts, read_csv, rows_where
from engine.errors import BackstepError, DataError, excerpt
from graphs.network import FileData, Model, Network, bind
from gui.fields import ENTER
from gui.overlay import Popup
from gui.session import Session
from gui.theme import Theme

Columns = tuple[str, ...]

USUAL: Mapping[str, tuple[str, Columns]] = {
    "airquality.csv": ("Ozone", ("Temp", "Wind", "Solar.R")),
    "penguins.csv": ("body_mass_g", ("flipper_length_mm", "bill_length_mm", "bill_depth_mm")),
}
"""What is usually explained, and by what, where a file's last column would be an odd first choice."""


# --- data sets and columns (no Qt) -------------------------------------------------------------------------


@lru_cache(maxsize=1)
def built_in_sets() -> Mapping[str, Path]:
    """Return the built-in data sets by file name."""
    folder = Path(str(resources.files("graphs") / "datasets"))
    return {path.name: path for path in sorted(folder.glob("*.csv"))}


def files_of(network: Network) -> dict[str, Path]:
    """Return the data sets that can be chosen for a network: the built-in ones, and its own file."""
    data = network.data
    if isinstance(data, FileData) and network.folder is not None:
        own = network.folder / data.file
        if own.exists():
            return {**built_in_sets(), data.file: own}
    return dict(built_in_sets())


def own_file(network: Network) -> str:
    """Return the name of a network's data set as it stands in `files_of`."""
    assert isinstance(network.data, FileData)
    file = network.data.file
    return file if file in files_of(network) else f"{file}.csv"


def input_columns(dataset: Dataset) -> Columns:
    """Return the columns of numbers."""
    return tuple(c for c in dataset.columns if not isinstance(dataset.table[c], Texts))


def target_columns(dataset: Dataset, where: Mapping[str, Sequence[Any] | Between]) -> Columns:
    """Return the columns of numbers and those of two classes among the rows that are used."""
    return tuple(c for c in dataset.columns if c in input_columns(dataset) or _is_binary(dataset, c, where))


def _is_binary(dataset: Dataset, column: str, where: Mapping[str, Sequence[Any] | Between]) -> bool:
    texts = dataset.table[column]
    assert isinstance(texts, Texts)
    try:
        rows, _ = rows_where(dataset, where)
    except BackstepError:  # said where the choice is tried
        return False
    codes = np.unique(texts.codes[rows])
    return int((codes >= 0).sum()) == 2


def first_choice(dataset: Dataset, data: FileData) -> FileData:
    """Return `data` with columns of another data set: as many inputs as before, as far as there are."""
    numeric = input_columns(dataset)
    usual = USUAL.get(dataset.name, (numeric[-1] if numeric else "", numeric))
    target, candidates = usual[0], [c for c in usual[1] if c != usual[0]]
    return replace(
        data,
        file=dataset.name,
        inputs={name: tuple(candidates[: len(columns)]) for name, columns in data.inputs.items()},
        targets={name: (target,) for name in data.targets},
        standardize=bool(data.standardize),
        where={},
    )


def where_text(where: Mapping[str, Sequence[Any] | Between]) -> str:
    """Say in a phrase which rows are used."""
    parts = [f"{column} {wanted_text(wanted)}" for column, wanted in where.items()]
    return excerpt("Only rows with " + " and ".join(parts), 80)


def wanted_text(wanted: Sequence[Any] | Between) -> str:
    """Say in a phrase which values of a column are used."""
    return str(wanted) if isinstance(wanted, Between) else " or ".join(str(value) for value in wanted)


HELD_TIP = "Examples that are not trained on: their loss tells how the network does on what it has not seen."


@dataclass(frozen=True)
class Preview:
    """What would come of a choice: a network and what is to be said about it, or why not."""

    network: Network | None
    headline: str
    notes: tuple[str, ...] = ()


def preview(changed: Network, seed: int, overrides: Mapping[str, Any]) -> Preview:
    """Try a choice without touching anything; data given by hand go with the old choice."""
    inputs = changed.data.inputs if isinstance(changed.data, FileData) else {}
    empty = next((name for name, columns in inputs.items() if not columns), None)
    if empty is not None:
        return Preview(None, f"Choose at least one column for {empty}.")
    kept = {name: value for name, value in overrides.items() if name in changed.parameters}
    try:
        model = bind(changed, seed=seed, overrides=kept)
    except BackstepError as error:
        return Preview(None, str(error))
    misfit = _misfit(model)
    return Preview(None, misfit) if misfit else Preview(changed, _headline(model), model.notices)


def _misfit(model: Model) -> str:
    """Say where a target would be compared with several rows at once, "" where none is.

    NumPy copies the target then, and the formula has a value: but not one that anybody asks for.
    """
    nodes = model.graph.nodes
    elementwise = (node for node in nodes if node.op is not None and node.op.elementwise)
    meetings = ((node, nodes[source]) for node in elementwise for source in node.inputs)
    for node, target in meetings:
        if target.name not in model.targets:
            continue
        rows, own = (n.dims[0].size if len(n.dims) == 2 else 1 for n in (node, target))
        if rows > own:
            return f"The formula gives {rows} rows, but {target.name} has {own}: choose fewer columns."
    return ""


def _headline(model: Model) -> str:
    dropped = model.selection.dropped if model.selection is not None else 0
    parts = [f"{model.examples} example{'s' if model.examples != 1 else ''}"]
    if model.held_examples:
        parts = [f"{parts[0]} to train on", f"{model.held_examples} held out"]
    if dropped:
        parts.append(f"{dropped} row{'s' if dropped != 1 else ''} left out")
    return ", ".join(parts)


def percent_text(fraction: float) -> str:
    """Write which part is held out, in percent."""
    return f"{100 * fraction:.4g}"


def read_percent(text: str) -> float:
    """Return the part that a text in percent says; raise `DataError` where it is none.

    Examples
    --------
    >>> read_percent("25"), read_percent("12,5 %"), read_percent("")
    (0.25, 0.125, 0.0)
    """
    plain = text.strip().removesuffix("%").strip().replace(",", ".")
    try:
        percent = float(plain or 0)
    except ValueError:
        percent = float("nan")
    if not 0 <= percent < 100:
        raise DataError(f"{excerpt(text, 20)} percent cannot be held out", how="Write a number from 0 to 99.")
    return percent / 100


# --- the popup ---------------------------------------------------------------------------------------------


class ColumnList(QFrame):
    """Columns of which any number can be chosen.

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
        self._boxes = {column: QCheckBox(column.replace("&", "&&")) for column in columns}
        for i, (column, box) in enumerate(self._boxes.items()):
            box.setChecked(column in chosen)
            box.toggled.connect(lambda _: self.changed.emit())
            grid.addWidget(box, i // 2, i % 2)

    def chosen(self) -> Columns:
        """Return the columns that are chosen."""
        return tuple(column for column, box in self._boxes.items() if box.isChecked())


class ColumnBox(QComboBox):
    """Columns of which one is chosen."""

    changed = Signal()

    def __init__(self, columns: Sequence[str], chosen: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems(list(columns))
        self.setCurrentIndex(self.findText(chosen[0]) if chosen else 0)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())

    def chosen(self) -> Columns:
        """Return the column that is chosen."""
        return (self.currentText(),) if self.currentText() else ()


class DataChoice(Popup):
    """Choose the data under the formula; nothing changes until Apply.

    Signals
    -------
    applied()
        The session has other data now.
    """

    applied = Signal()

    WIDTH = 372
    MOST_ROOM = 560
    """More columns than fit into this height scroll."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._session = session
        self._network: Network | None = None
        self._dataset: Dataset | None = None
        self._room = self.MOST_ROOM
        self._columns: dict[str, ColumnList | ColumnBox] = {}
        self._make()
        self._arrange()
        session.document_changed.connect(self.hide)

    def open_under(self, button: QWidget) -> None:
        self._read_session()
        super().open_under(button)
        (self.sets if self.sets.isVisible() else self).setFocus()

    def apply(self) -> None:
        """Give the session the data that were chosen."""
        if self._network is not None:
            network, self._network = self._network, None
            self.hide()
            self._session.set_data(network)
            self.applied.emit()

    def _make(self) -> None:
        self.sets = QComboBox()
        self.sets.setAccessibleName("Data set")
        self.sets.activated.connect(self._choose_set)
        self.filter, self.standardize = QCheckBox(), QCheckBox("Standardise: mean 0, standard deviation 1")
        self.filter.toggled.connect(self._choose_filter)
        self.standardize.toggled.connect(self._preview)
        self.held = QLineEdit()
        self.held.setAccessibleName("Held out of training, percent of the examples")
        self.held.setToolTip(HELD_TIP)
        self.held.setMaxLength(8)
        self.held.textEdited.connect(self._preview)
        self.headline, self.notes = QLabel(), QLabel()
        self.headline.setProperty("role", "strong")
        self.notes.setProperty("role", "muted")
        for label in (self.headline, self.notes):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.apply_button, self.cancel_button = QPushButton("Apply"), QPushButton("Cancel")
        self.apply_button.setProperty("accent", True)
        self.apply_button.clicked.connect(self.apply)
        self.cancel_button.clicked.connect(self.hide)
        self._make_held_row()

    def _make_held_row(self) -> None:
        """Put the words around the field."""
        self._held_row = QWidget()
        row = QHBoxLayout(self._held_row)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(6)
        before, after = QLabel("Hold out of training"), QLabel("% of the examples")
        before.setBuddy(self.held)
        self.held.setFixedWidth(self.fontMetrics().horizontalAdvance("00.00") + 24)
        for part in (before, self.held, after):
            part.setToolTip(HELD_TIP)
            row.addWidget(part)
        row.addStretch(1)

    def _arrange(self) -> None:
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body, self._lists = QWidget(), QWidget()
        self._inside = QVBoxLayout(self._body)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(8)
        for part in (self._lists, self.filter, self.standardize, self._held_row, self.notes):
            self._inside.addWidget(part)
        self._inside.addStretch(1)
        self._area.setWidget(self._body)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.apply_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 16, 14)
        self._column.setSpacing(8)
        for part in (self.sets, self._area, self.headline):
            self._column.addWidget(part)
        self._column.addLayout(buttons)
        self.setFixedWidth(self.WIDTH)

    def fit(self, room: int | None = None) -> None:
        """Take the height that is needed, as far as there is room; the rest scrolls."""
        self._room = min(room, self.MOST_ROOM) if room is not None else self._room
        for part in (self, *self.findChildren(QWidget)):
            part.ensurePolished()  # before that, their sizes are those of another style
        inner = self.WIDTH - 32
        self._inside.invalidate()
        needed = self._inside.totalHeightForWidth(inner)
        others = 28 + 8 * 3 + self.apply_button.sizeHint().height() + self.headline.heightForWidth(inner)
        others += self.sets.sizeHint().height() if not self.sets.isHidden() else 0
        self._area.setFixedHeight(max(40, min(needed, self._room - others)))
        self._column.activate()
        self.adjustSize()

    # --- what there is to choose from ---

    def _read_session(self) -> None:
        network = self._session.document.network
        has_file, has_data = isinstance(network.data, FileData), bool(network.data)
        for part in (self.sets, self._lists, self.filter, self.standardize):
            part.setVisible(has_file)
        for part in (self._area, self._held_row, self.apply_button):
            part.setVisible(has_data)
        self.cancel_button.setText("Cancel" if has_data else "Close")
        self.held.setText(percent_text(network.held_out))
        self._dataset = None
        if isinstance(network.data, FileData):
            self.sets.clear()
            for name in files_of(network):
                self.sets.addItem(name.removesuffix(".csv"), name)
            self.sets.setCurrentIndex(self.sets.findData(own_file(network)))
            self._choose_set()
        elif has_data:
            self._preview()
        else:
            self._say(Preview(None, "This network has its numbers in its file."), error=False)

    def _choose_set(self) -> None:
        network = self._session.document.network
        if not isinstance(network.data, FileData):
            return  # another network has been opened under the popup
        dataset = self._read(self.sets.currentData())
        if dataset is not None:
            own = self.sets.currentData() == own_file(network)
            self._choose_from(network.data if own else first_choice(dataset, network.data))

    def _read(self, name: str | None) -> Dataset | None:
        """Return a data set, or say why it cannot be read: a file may have gone since it was opened."""
        path = files_of(self._session.document.network).get(name or "")
        try:
            self._dataset = read_csv(path) if path is not None else None
        except BackstepError as error:
            self._dataset = None
            self._say(Preview(None, str(error)))
        else:
            if self._dataset is None:
                self._say(Preview(None, "The file with the data in use is gone. Choose other data."))
        return self._dataset

    def _choose_from(self, data: FileData) -> None:
        """Offer the columns of a data set, those of `data` chosen."""
        self._data = data
        for box, checked in ((self.filter, bool(data.where)), (self.standardize, bool(data.standardize))):
            box.blockSignals(True)
            box.setChecked(checked)
            box.blockSignals(False)
        self.filter.setText(where_text(data.where).replace("&", "&&"))
        self.filter.setVisible(bool(data.where))
        self._offer_columns(data)
        self._preview()

    def _offer_columns(self, data: FileData) -> None:
        assert self._dataset is not None
        self._columns = {}
        lists = QWidget()
        column = QVBoxLayout(lists)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(6)
        numeric = input_columns(self._dataset)
        for name, chosen in data.inputs.items():
            self._offer(column, f"Inputs {name}", name, ColumnList(numeric, chosen))
        offered = target_columns(self._dataset, data.where if self.filter.isChecked() else {})
        for name, chosen in data.targets.items():
            kind = ColumnBox if len(chosen) <= 1 else ColumnList
            self._offer(column, f"Target {name}", name, kind(offered, chosen))
        self._inside.replaceWidget(self._lists, lists)
        self._lists.hide()
        self._lists.deleteLater()
        self._lists = lists
        lists.show()

    def _offer(self, column: QVBoxLayout, title: str, name: str, widget: ColumnList | ColumnBox) -> None:
        label = QLabel(title)
        label.setProperty("role", "heading")
        widget.setAccessibleName(title)
        widget.changed.connect(self._preview)
        column.addWidget(label)
        column.addWidget(widget)
        self._columns[name] = widget

    def _choose_filter(self) -> None:
        """Offer other targets: a filter may leave two classes of a text column, or more."""
        if self._dataset is None:
            return
        self._offer_columns(self._chosen())
        self._preview()

    # --- what has been chosen ---

    def _chosen(self) -> FileData:
        data = self._data
        kept = data.standardize if data.standardize and self.standardize.isChecked() else None
        return replace(
            data,
            inputs={name: self._columns[name].chosen() for name in data.inputs},
            targets={name: self._columns[name].chosen() for name in data.targets},
            standardize=self.standardize.isChecked() if kept is None else kept,
            where=data.where,
        )

    def _held_out(self) -> float:
        """Return which part is held out; what has not been touched is as exact as it was."""
        own = self._session.document.network.held_out
        return own if self.held.text() == percent_text(own) else read_percent(self.held.text())

    def _preview(self) -> None:
        document = self._session.document
        network = document.network
        if isinstance(network.data, FileData):
            if self._dataset is None:
                return
            data = self._chosen()
            network = replace(network, data=data if self.filter.isChecked() else replace(data, where={}))
        try:
            found = preview(replace(network, held_out=self._held_out()), document.seed, document.overrides)
        except DataError as error:
            found = Preview(None, str(error))
            self._mark_held(True)
        else:
            self._mark_held(False)
        self._say(found)

    def _mark_held(self, invalid: bool) -> None:
        if bool(self.held.property("invalid")) != invalid:
            self.held.setProperty("invalid", invalid)
            self.held.style().unpolish(self.held)
            self.held.style().polish(self.held)

    def _say(self, found: Preview, *, error: bool = True) -> None:
        self._network = found.network
        self.apply_button.setEnabled(found.network is not None)
        self.headline.setText(found.headline)
        self.headline.setProperty("role", "error" if error and found.network is None else "strong")
        self.headline.style().polish(self.headline)
        self.notes.setText("\n".join(found.notes))
        self.notes.setVisible(bool(found.notes))
        self.fit()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.apply()
        else:
            super().keyPressEvent(event)
