"""Labels for sentences, as panels and boxes have them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

__all__ = ["words_label"]


def words_label(
    role: str = "",
    kind: Qt.TextFormat = Qt.TextFormat.PlainText,
    *,
    is_selectable: bool = False,
    gives_way: bool = False,
) -> QLabel:
    """Return a label that wraps, in the colour that its role has in the style sheet.

    Parameters
    ----------
    is_selectable
        Whether its words can be marked with the mouse and copied.
    gives_way
        Whether it takes the width that it is given, however long its words are.
    """
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(kind)
    if is_selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if gives_way:
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    if role:
        label.setProperty("role", role)
    return label
