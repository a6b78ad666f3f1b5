"""What everybody tells who asks a learner something; the report of what was learnt listens."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

__all__ = ["Asking"]


class Asking(QObject):
    """Somebody who asks.

    Signals
    -------
    tried(object, str, object)
        An answer was given: the question's `Key`, what was asked, the `Verdict`.
    helped(object, str, int), revealed(object, str)
        So many hints have been shown; the answer was shown.
    """

    tried = Signal(object, str, object)
    helped = Signal(object, str, int)
    revealed = Signal(object, str)
