"""What a reader sees of a panel."""

import re

from PySide6.QtWidgets import QLabel, QWidget


def words(panel: QWidget) -> str:
    """Return all words in sight, without their mark-up."""
    texts = (label.text() for label in panel.findChildren(QLabel) if label.isVisible())
    return " ".join(re.sub("<[^>]*>", "", text) for text in texts).strip()
