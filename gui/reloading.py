"""Offering to read a file again that somebody else has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from engine.errors import excerpt
from gui.notify import Message, Notifier
from gui.watching import FileWatch

__all__ = ["ReloadOffer"]


class ReloadOffer(QObject):
    """Watches one file, and asks whether to read it again when it holds something else.

    Parameters
    ----------
    notifier
        By which it is asked.
    reload
        What is done then.
    remark
        What else is said of it, "" for nothing; None where nothing is to be asked now.
    """

    def __init__(
        self,
        notifier: Notifier,
        reload: Callable[[], object],
        remark: Callable[[], str | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._notifier = notifier
        self._reload = reload
        self._remark = remark
        self._message: Message | None = None
        self._watch = FileWatch(self)
        self._watch.changed.connect(self._ask)

    def watch(self, path: Path | None) -> None:
        """Watch a file from what it holds now, or none; what was asked of another one goes."""
        self._watch.watch([path] if path is not None else [])
        self._withdraw()

    def _withdraw(self) -> None:
        if self._message is not None:
            self._notifier.withdraw(self._message)
            self._message = None

    def _ask(self, path: Path) -> None:
        remark = self._remark()
        if remark is None:
            return
        self._withdraw()
        what = f"{excerpt(path.name)} has been changed by another program. {remark}".rstrip()
        choices = (("&Reload", self._reload), ("&Keep", lambda: None))
        self._message = self._notifier.ask(what, *choices, stays=True)
