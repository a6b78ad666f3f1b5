"""A lesson at work: which page is open, what the learner has answered, and when it may go on. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from engine.errors import LessonError
from graphs.answers import Verdict
from graphs.lesson import Lesson, Page, Question, Wait
from graphs.report import Key, key_of_page
from graphs.staging import Stage, Stager, place
from gui.asking import Asking
from gui.jobs import LatestTask
from gui.session import Session

__all__ = ["HeldLesson", "LessonPlayer", "PageState"]


@dataclass
class PageState:
    """What the learner has done on a page.

    Attributes
    ----------
    tries
        The answers that were wrong, oldest first.
    hints
        How many of the hints have been asked for.
    is_right
        Whether the question has been answered.
    is_shown
        Whether the answer was shown rather than found.
    note
        What is to be said of the right answer.
    met
        What was waited for and has been done.
    """

    tries: list[str] = field(default_factory=list)
    hints: int = 0
    is_right: bool = False
    is_shown: bool = False
    note: str = ""
    met: set[str] = field(default_factory=set)

    @property
    def is_answered(self) -> bool:
        """Whether the question is out of the way."""
        return self.is_right or self.is_shown


HeldLesson: TypeAlias = tuple[Lesson, int, Mapping[int, PageState]]
"""A lesson, the page that is open, and what the learner has done on each page."""


class LessonPlayer(Asking):
    """Holds one lesson after another in a session.

    A page is worked out in a thread, for what it trains; then the session shows it, and the texts are there.

    Signals
    -------
    page_changed()
        Another page, or none any more; its texts may still be on their way: see `stage`.
    stage_changed()
        The page's texts and answers are there, and the session shows it.
    stage_revised()
        The page's words are others; the session shows what it showed.
    state_changed()
        Something was answered, asked for, or done.
    failed(str)
        A page cannot be shown: one sentence.
    """

    page_changed = Signal()
    stage_changed = Signal()
    state_changed = Signal()
    stage_revised = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._lesson: Lesson | None = None
        self._stager: Stager | None = None
        self._number = 0
        self._stage: Stage | None = None
        self._states: dict[int, PageState] = {}
        self._work = LatestTask(self)
        self._begun: tuple[int, object] = (0, None)
        session.frame_changed.connect(self._look)
        session.document_changed.connect(self._look)
        session.progressed.connect(self._look)

    # --- facts ---

    @property
    def lesson(self) -> Lesson | None:
        """The lesson that is open."""
        return self._lesson

    @property
    def number(self) -> int:
        """The page that is open, counted from 0."""
        return self._number

    @property
    def page(self) -> Page | None:
        """The page that is open."""
        return self._lesson.pages[self._number] if self._lesson is not None else None

    @property
    def stage(self) -> Stage | None:
        """The page with its place and numbers; None while they are worked out."""
        return self._stage

    @property
    def state(self) -> PageState:
        """What the learner has done on this page."""
        return self._states.setdefault(self._number, PageState())

    @property
    def states(self) -> dict[int, PageState]:
        """What the learner has done on each page that was open."""
        return self._states

    @property
    def is_busy(self) -> bool:
        """Whether the page is still being worked out."""
        return self._work.running

    @property
    def open_tasks(self) -> tuple[str, ...]:
        """What has to be done before the lesson goes on, each as a sentence."""
        page, state = self.page, self.state
        if page is None:
            return ()
        found = [] if page.question is None or state.is_answered else ["Answer the question."]
        if page.wait is not None:
            found += [text for key, text in _asked(page.wait) if key not in state.met]
        return tuple(found)

    # --- commands ---

    def open(self, lesson: Lesson, number: int = 0) -> None:
        """Begin a lesson, at one of its pages."""
        self._lesson, self._stager = lesson, Stager(lesson)
        self._states = {}
        self._enter(max(0, min(number, len(lesson.pages) - 1)))

    def join(self, lesson: Lesson, number: int, states: Mapping[int, PageState]) -> None:
        """Hold a lesson that is held elsewhere, at its page: the session shows it already."""
        self._states, self._number = dict(states), number
        self.revise(lesson)
        self.page_changed.emit()

    def revise(self, lesson: Lesson) -> None:
        """Hold the same lesson with other words: while it is written, the page that is open is read again.

        The session stays as it is; a page that shows something else is shown when it is opened again.
        """
        self._lesson, self._stager = lesson, Stager(lesson)
        self._number = min(self._number, len(lesson.pages) - 1)
        if self._stage is None:  # on its way to the session
            self._enter(self._number)
            return
        stager, number = self._stager, self._number
        self._work.run(lambda: _staged(stager, number), self._take_words, self.failed)

    def exchange(self, lesson: Lesson) -> None:
        """Hold another version of the lesson: its page is shown anew, and answers to the same questions stay.

        The page is the one of the same title; where there is none, the one in the same place.
        """
        old, page = self._lesson, self.page
        assert old is not None
        titles = [new.title for new in lesson.pages]
        number = min(self._number, len(titles) - 1)
        if page is not None and titles[number] != page.title and page.title in titles:
            number = titles.index(page.title)
        asked = {p.title: (p.question, self._states.get(n)) for n, p in enumerate(old.pages)}
        self._cancel()
        self._lesson, self._stager, self._states = lesson, Stager(lesson), {}
        for n, new in enumerate(lesson.pages):
            question, state = asked.get(new.title, (None, None))
            if state is not None and question == new.question:
                self._states[n] = state
        self._enter(number)

    def _take_words(self, stage: Stage) -> None:
        self._stage = stage
        self.stage_revised.emit()

    def close(self) -> None:
        """Leave the lesson; the session stays as it is, with nothing hidden."""
        if self._lesson is None:
            return
        self._cancel()
        self._lesson = self._stager = self._stage = None
        self._number = 0
        self._session.set_hidden(frozenset())
        self._session.set_marked(())
        self.page_changed.emit()

    def go(self, number: int) -> None:
        """Open a page; beyond either end, that end's."""
        if self._lesson is not None:
            number = max(0, min(number, len(self._lesson.pages) - 1))
            if number != self._number:
                self._enter(number)

    def forward(self) -> None:
        """Open the next page, whatever is left to be done on this one."""
        self.go(self._number + 1)

    def back(self) -> None:
        """Open the page before."""
        self.go(self._number - 1)

    def restore(self) -> None:
        """Show the page again as it begins, after the learner has gone elsewhere."""
        if self._lesson is not None:
            self._enter(self._number)

    @property
    def is_last(self) -> bool:
        """Whether no page follows."""
        return self._lesson is None or self._number + 1 >= len(self._lesson.pages)

    @property
    def awaits_step(self) -> bool:
        """Whether the page waits for a place that steps lead to."""
        page = self.page
        if page is None or page.wait is None or not page.wait.at or "at" in self.state.met:
            return False
        return self._session.position < len(self._session.trace.steps)

    def advance(self) -> None:
        """Do the next thing, as a clicker's key does: take a step that is waited for, or turn the page."""
        if self.page is None:
            return
        if self.awaits_step:
            self._session.step(1)
        else:
            self.forward()

    def submit(self, text: str) -> Verdict | None:
        """Take an answer and return what is to be said of it; None where nothing is asked."""
        page, stage, state = self.page, self._stage, self.state
        if page is None or page.question is None or stage is None or state.is_answered:
            return None
        verdict = stage.check(text)
        self.tried.emit(self._key, stage.texts["ask"], verdict)
        if verdict.right:
            state.is_right, state.note = True, verdict.note
            self._tell()
        elif verdict.is_read:  # what cannot be read is no try
            state.tries.append(text.strip())
        self.state_changed.emit()
        return verdict

    def hint(self) -> str:
        """Return the next hint; the last one again where there are no more, "" where there are none."""
        stage, state = self._stage, self.state
        hints = stage.hints if stage is not None else ()
        if not hints:
            return ""
        state.hints = min(state.hints + 1, len(hints))
        if self.question is not None:
            self.helped.emit(self._key, self.question.ask, state.hints)
        self.state_changed.emit()
        return hints[state.hints - 1]

    def give_up(self) -> None:
        """Show the answer."""
        question = self.question
        if question is not None and not self.state.is_answered:
            self.state.is_shown = True
            self.revealed.emit(self._key, question.ask)
            self._tell()
            self.state_changed.emit()

    def reveal(self) -> None:
        """Show what the page hides."""
        self._session.set_hidden(frozenset())

    def _tell(self) -> None:
        """Show what the answer is about, at the step that works it out, and all that the page hides."""
        session, stage = self._session, self._stage
        if stage is not None and stage.answered is not stage.snapshot:
            is_own = session.model is stage.snapshot.model  # else the learner is elsewhere
            if is_own and session.iteration == stage.snapshot.iteration:
                session.go(stage.answered.position)
        self.reveal()

    @property
    def question(self) -> Question | None:
        """What the page asks."""
        return self.page.question if self.page is not None else None

    @property
    def _key(self) -> Key:
        assert self._lesson is not None
        return key_of_page(self._lesson, self._number)

    # --- pages ---

    def _enter(self, number: int) -> None:
        self._cancel()
        self._number, self._stage = number, None
        stager = self._stager
        assert stager is not None
        self.page_changed.emit()
        self._work.run(lambda: _staged(stager, number), self._show, self.failed)

    def _cancel(self) -> None:
        if self._work.cancel() and self._lesson is not None:
            self._stager = Stager(
                self._lesson
            )  # the thread may still be at the old page: its runs are its own

    def _show(self, stage: Stage) -> None:
        """Let the session show a page that has been worked out."""
        session, screen = self._session, stage.page.screen
        snapshot = stage.answered if self.state.is_answered else stage.snapshot
        if not session.show_snapshot(snapshot, f"Lesson, page {stage.number + 1}"):
            return
        session.end_nudge()  # another page's
        self._stage = stage
        self._begun = (session.iterations, session.document.overrides)
        session.set_hidden(frozenset() if self.state.is_answered else frozenset(screen.hide))
        session.set_marked(screen.highlight)
        if screen.train and session.iterations < screen.trained + screen.train:
            session.train(screen.trained + screen.train - session.iterations)
        self.stage_changed.emit()
        self._look()

    def _look(self) -> None:
        """See whether something that is waited for has been done."""
        page, stage = self.page, self._stage
        if page is None or stage is None or page.wait is None:
            return
        new = {key for key, is_met in self._conditions(page.wait, stage) if is_met()} - self.state.met
        if new:
            self.state.met |= new
            self.state_changed.emit()

    def _conditions(self, wait: Wait, stage: Stage) -> Iterator[tuple[str, Callable[[], bool]]]:
        session = self._session
        iterations, overrides = self._begun
        if wait.at:
            yield "at", lambda: self._has_reached(wait.at, stage)
        if wait.edited:
            yield "edited", lambda: _changed(wait.edited, overrides, session.document.overrides)
        if wait.trained:
            yield "trained", lambda: session.iterations >= iterations + wait.trained
        if wait.loss_below is not None:
            yield "loss_below", lambda: bool((session.losses < wait.loss_below).any())
        if wait.nudged:
            yield "nudged", lambda: _is_nudged(session, wait.nudged)

    def _has_reached(self, at: str, stage: Stage) -> bool:
        session = self._session
        if session.iteration > stage.snapshot.iteration:
            return True
        try:
            return session.position >= place(at, session.trace)
        except LessonError:  # the learner looks at another network
            return False


def _staged(stager: Stager, number: int) -> Iterator[Stage]:
    stage = stager.stage(number)
    stage.prepare()
    yield stage


def _changed(name: str, before: object, now: object) -> bool:
    """Say whether a value was changed by hand since the page began."""
    assert isinstance(before, dict) or hasattr(before, "get")
    return before.get(name) is not now.get(name)  # type: ignore[union-attr]


def _is_nudged(session: Session, wanted: str) -> bool:
    nudge = session.frame.nudge
    if nudge is None:
        return False
    name, bracket, entry = wanted.partition("[")
    if nudge.name != name:
        return False
    return not bracket or entry.rstrip("]").replace(" ", "") == ",".join(map(str, nudge.index))


def _asked(wait: Wait) -> Iterator[tuple[str, str]]:
    """Yield what a page waits for, by key, as a sentence."""
    if wait.at:
        yield "at", f"Step on until {_place_words(wait.at)}."
    if wait.edited:
        yield "edited", f"Change {wait.edited}: click its number."
    if wait.trained:
        yield "trained", f"Train {wait.trained} iterations (T)."
    if wait.loss_below is not None:
        yield "loss_below", f"Train until the loss is below {wait.loss_below:g}."
    if wait.nudged:
        yield "nudged", f"Make the nudge test (G) of {wait.nudged}."


def _place_words(at: str) -> str:
    words = at.split()
    if at in ("forward", "backward", "update", "seed"):
        return f"the {at} pass is done" if at != "seed" else "the backward pass has begun"
    if at == "end":
        return "the iteration ends"
    if words[0] == "forward":
        return f"{words[1]} has its value"
    if words[0] == "backward":
        return f"the gradient of {words[-1]} is there"
    if words[0] == "update":
        return f"{words[1]} has its new value"
    return f"step {at}"
