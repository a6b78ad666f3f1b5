"""How a table is written, to be looked at and to be stated: a choice for each part of its dialect."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget

from engine.dialect import NOTHING, Stated
from gui.viewdata.choice import dialect_options

__all__ = ["DialectRow"]

TITLES = {"delimiter": "Delimiter", "decimal": "Decimals", "header": "Header", "encoding": "Encoding"}
BESIDE = 66
"""Logical pixels of a box that are not its text's."""
LEAST = 64
"""Logical pixels that a box takes at least."""
TIPS = {
    "delimiter": "What stands between two values",
    "decimal": "What stands before the fraction of a number",
    "header": "Whether the first row holds the columns' names",
    "encoding": "How the file's bytes become letters",
}


class DialectRow(QWidget):
    """A box for each part of a dialect; the first entry of each leaves it to be found out.

    Parameters
    ----------
    wide
        Whether they stand side by side; else one under the other.

    Signals
    -------
    changed()
        The user states something else.
    """

    changed = Signal()

    def __init__(self, wide: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_wide = wide
        self.boxes = {key: self._made(key) for key in TITLES}
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(6)
        for place, (key, box) in enumerate(self.boxes.items()):
            label = QLabel(TITLES[key])
            label.setProperty("role", "muted")
            label.setBuddy(box)
            label.setToolTip(TIPS[key])
            row, column = (0, 2 * place) if wide else (place, 0)
            grid.addWidget(label, row, column)
            grid.addWidget(box, row, column + 1)
        self.show_dialect(None, NOTHING)

    def _made(self, key: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(TITLES[key])
        box.setToolTip(TIPS[key])
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(LEAST)
        box.activated.connect(lambda _: self.changed.emit())
        return box

    def stated(self) -> Stated:
        """Return what is stated now."""
        return Stated(**{key: box.currentData() for key, box in self.boxes.items()})

    def show_dialect(self, found: Stated | None, stated: Stated) -> None:
        """Show what was found out, None where that is not known, and what is stated instead."""
        for key, options in dialect_options(found, stated).items():
            self._fill(self.boxes[key], options, getattr(stated, key))
        self._share_room()

    def _share_room(self) -> None:
        """Give each box as much of the room as its words ask for."""
        for place, box in enumerate(self.boxes.values()):
            column = 2 * place + 1 if self._is_wide else 1
            needed = box.fontMetrics().horizontalAdvance(box.currentText()) + BESIDE
            self._grid.setColumnStretch(column, needed)

    def _fill(self, box: QComboBox, options: list[tuple[str, Any]], chosen: Any) -> None:
        box.clear()
        for text, value in options:
            box.addItem(text, value)
        box.setCurrentIndex([value for _, value in options].index(chosen))
        widest = max(box.fontMetrics().horizontalAdvance(text) for text, _ in options)
        box.view().setMinimumWidth(widest + 40)
