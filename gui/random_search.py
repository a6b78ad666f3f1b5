"""Random search beside the window: a search is begun, its records arrive, it ends or is stopped."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.search import Search, SearchRecords, SearchResult, search
from engine.training import Run
from gui.jobs import Task

__all__ = ["RandomSearch"]


class RandomSearch(QObject):
    """The random search of one session: what it has found so far, and the task that finds more."""

    changed = Signal()  # begun, further, ended
    ended = Signal()  # by itself: everything that was planned has been drawn
    failed = Signal(str)  # one sentence

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._result: SearchResult | None = None
        self._sampling: Task | None = None

    @property
    def result(self) -> SearchResult | None:
        """What has been found so far, None where nothing has been searched."""
        return self._result

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._sampling is not None and self._sampling.running

    def start(self, plan: Search) -> None:
        """Sample parameters in the background; what was found before is forgotten."""
        self.forget()
        self._result = SearchResult(plan)
        self._sampling = Task(lambda: search(plan), self)
        self._sampling.came.connect(self._take)
        self._sampling.ended.connect(self._end)
        self._sampling.failed.connect(self._fail)
        self._sampling.start()
        self.changed.emit()

    def stop(self) -> None:
        """Stop sampling; what was found stays."""
        if self._sampling is not None and self._sampling.running:
            self._sampling.cancel()
            self.changed.emit()

    def forget(self) -> None:
        """Stop sampling and forget what was found; nobody is told."""
        if self._sampling is not None:
            self._sampling.dismiss()
        self._result = self._sampling = None

    def put_back(self, result: SearchResult | None) -> None:
        """Have what was found at an earlier moment; a search that is still the same goes on."""
        if result is not self._result:
            self.forget()
            self._result = result

    def sentence(self, run: Run) -> str:
        """Return what was found, beside what `run` has come to where it has been trained; "" for nothing."""
        result = self._result
        if result is None:
            return ""
        if len(run.losses) > 1:
            return result.compared(run).sentence()
        if result.best is None:
            return ""
        count = result.evaluations
        who = "The one random sample" if count == 1 else f"The best of {count} random samples"
        found = f"{who} has the loss {result.best.loss:.4g}."
        return f"{found} Train (T) to see what the gradient reaches at the same cost."

    def _take(self, records: SearchRecords) -> None:
        assert self._result is not None
        self._result.extend(records)
        self.changed.emit()

    def _end(self) -> None:
        self.ended.emit()
        self.changed.emit()

    def _fail(self, sentence: str) -> None:
        self.failed.emit(sentence)
        self.changed.emit()
