"""Choosing entries of parameters by hand, out of any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.training import Run
from gui.overlay import Popup
from gui.runseries import Entry, entries_of
from gui.theme import RESOURCES, Theme, application_font

__all__ = ["EntryChoice"]

MOST_LISTED = 200
MOST_CHOSEN = 16
LEAST, MOST = 320, 420
"""Its height in logical pixels."""


class EntryChoice(Popup):
    """A list of the entries of a run's parameters to be ticked, with a field to look for one by name.

    Signals
    -------
    chosen(object)
        A list of entries, in the order of the parameters; None for whichever move most.
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._run: Run | None = None
        self._ticked: list[Entry] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText("Look for an entry, such as W1[0")
        self.field.setAccessibleName("look for an entry")
        self.field.textChanged.connect(self._fill)
        self.list = QListWidget()
        self.list.setAccessibleName("entries to draw")
        self.list.itemChanged.connect(self._tick)
        self.note = QLabel()
        self.note.setProperty("role", "muted")
        self.note.setFont(application_font("small"))
        self.note.setWordWrap(True)
        self.automatic = QPushButton("Those that move most")
        self.automatic.clicked.connect(self._give_up)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(6)
        for part in (self.field, self.list, self.note, self.automatic):
            column.addWidget(part)
        self.setFixedWidth(280)
        self._room = 0
        self.set_theme(theme)

    def open_for(self, run: Run, ticked: Sequence[Entry], button: QWidget) -> None:
        """Open under a button, for a run of which these entries are drawn."""
        self._run, self._ticked = run, list(ticked)
        self.field.clear()
        self._fill()
        self.open_under(button)
        self.field.setFocus()

    def open_under(self, button: QWidget) -> None:
        """Show it under a button, or over it where there is more room."""
        super().open_under(button)
        if self._room < LEAST:
            above = button.mapToGlobal(QPoint(0, 0)).y() - self.over(button).mapToGlobal(QPoint(0, 0)).y() - 8
            self.resize(self.width(), max(LEAST, min(above, MOST)))
            self.move(self.x(), button.mapToGlobal(QPoint(0, -4 - self.height())).y())

    def fit(self, room: int) -> None:
        """Be as high as there is room for, and no higher than needed."""
        self._room = room
        self.resize(self.width(), max(LEAST, min(room, MOST)))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        super().set_theme(theme)
        mark = (RESOURCES / "style" / f"check-{'dark' if theme.is_dark else 'light'}.svg").as_posix()
        box = f"width: 12px; height: 12px; border-radius: 3px; border: 1px solid {theme.seed};"
        self.list.setStyleSheet(
            f"QListView::indicator {{ {box} background: {theme.control}; }}"
            f"QListView::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};"
            f' image: url("{mark}"); }}'
        )

    def _fill(self) -> None:
        """List the entries that bear the words looked for, those that are ticked first."""
        if self._run is None:
            return
        words = self.field.text().replace(" ", "").casefold()
        found = list(islice(self._matching(words), MOST_LISTED + 1))
        self.list.blockSignals(True)
        self.list.clear()
        for entry in found[:MOST_LISTED]:
            item = QListWidgetItem(entry.title)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable
            )
            ticked = entry in self._ticked
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._say(len(found))

    def _say(self, found: int) -> None:
        text = f"{len(self._ticked)} of at most {MOST_CHOSEN} are drawn."
        if found > MOST_LISTED:
            text += f" The first {MOST_LISTED} are listed; look for others by name."
        self.note.setText(text if found else "No entry has this name.")

    def _matching(self, words: str) -> Iterable[Entry]:
        assert self._run is not None
        if not words:
            yield from self._ticked
        for entry in entries_of(self._run):
            fits = any(words in name.replace(" ", "").casefold() for name in (entry.text, entry.title))
            if fits and (words or entry not in self._ticked):
                yield entry

    def _tick(self, item: QListWidgetItem) -> None:
        entry = Entry(*item.data(Qt.ItemDataRole.UserRole))
        wanted = item.checkState() == Qt.CheckState.Checked
        chosen = [e for e in self._ticked if e != entry] + ([entry] if wanted else [])
        if not 1 <= len(chosen) <= MOST_CHOSEN:
            self.list.blockSignals(True)
            item.setCheckState(Qt.CheckState.Unchecked if wanted else Qt.CheckState.Checked)
            self.list.blockSignals(False)
            return
        assert self._run is not None
        names = list(self._run.problem.parameters)
        self._ticked = sorted(chosen, key=lambda e: (names.index(e.parameter), e.place))
        self._say(self.list.count())
        self.chosen.emit(list(self._ticked))

    def _give_up(self) -> None:
        self.chosen.emit(None)
        self.close()
