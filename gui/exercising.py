"""Exercises at work: which one is posed, what has been answered, and where the graph stands. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from engine.faults import fault_of
from engine.graph import Detail
from engine.training import Run
from graphs.answers import Posed, Verdict
from graphs.drills.base import Exercise
from graphs.exercise import series
from graphs.report import Key, key_of_part
from graphs.snapshot import Snapshot
from graphs.standing import closed, standing
from gui.asking import Asking
from gui.jobs import LatestTask
from gui.moments import Moment
from gui.session import Session

__all__ = ["ExercisePlayer", "PartState"]

LAST = "These are all. Another seed gives other numbers; Finish goes back to your network."
"""What is said after the last exercise."""


@dataclass
class PartState:
    """What the learner has done about one part of an exercise.

    Attributes
    ----------
    tries
        The answers that were wrong, oldest first.
    hints
        How many hints have been asked for.
    is_right
        Whether it has been answered.
    is_shown
        Whether the answer was shown rather than found.
    said
        What was said last: a verdict or a hint.
    """

    tries: list[str] = field(default_factory=list)
    hints: int = 0
    is_right: bool = False
    is_shown: bool = False
    said: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the part is out of the way."""
        return self.is_right or self.is_shown


class _Home(NamedTuple):
    """What was open before the exercises, and what of it was hidden and pointed at."""

    moment: Moment
    detail: Detail
    hidden: frozenset[str]
    marked: tuple[str, ...]


class _Left(NamedTuple):
    """The exercises that were left last, to go back to them."""

    home: _Home
    source: Snapshot | None
    made: list[Exercise]
    number: int
    part: int


class ExercisePlayer(Asking):
    """Poses exercises made from the network that is open.

    Making and checking run in threads. The network that was open is kept whole and comes back at the end,
    as it does by undo.

    Attributes
    ----------
    refusal
        Says why none can be made from the network that is open now, "" where they can.

    Signals
    -------
    changed()
        Another exercise or part, or none any more; it may still be on its way: see `exercise`.
    state_changed()
        Something was answered or asked for.
    failed(str)
        No exercise can be made: one sentence.
    """

    changed = Signal()
    state_changed = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.refusal: Callable[[], str] = lambda: ""
        self._session = session
        self._home: _Home | None = None
        self._left: _Left | None = None
        self._source: Snapshot | None = None
        self._series: Iterator[Exercise] = iter(())
        self._kinds: tuple[str, ...] = ()
        self._seed = 0
        self._made: list[Exercise] = []
        self._number, self._part = 0, 0
        self._states: dict[tuple[int, int], PartState] = {}
        self._work = LatestTask(self)
        self._has_ended = False
        self._expected: frozenset[str] = frozenset()  # what has been hidden
        session.hidden_changed.connect(self._look)
        session.document_changed.connect(self._uncover)

    # --- facts ---

    @property
    def is_open(self) -> bool:
        """Whether exercises are being done."""
        return self._home is not None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds are posed, all where empty."""
        return self._kinds

    @property
    def seed(self) -> int:
        """The seed of their numbers."""
        return self._seed

    @property
    def number(self) -> int:
        """Which exercise is posed, counted from 0."""
        return self._number

    @property
    def part_number(self) -> int:
        """Which of its parts is asked, counted from 0."""
        return self._part

    @property
    def exercise(self) -> Exercise | None:
        """The exercise that is posed; None while it is made."""
        return self._made[self._number] if self._number < len(self._made) else None

    @property
    def part(self) -> Posed | None:
        """The part that is asked."""
        exercise = self.exercise
        return exercise.parts[self._part] if exercise is not None else None

    @property
    def state(self) -> PartState:
        """What the learner has done about this part."""
        return self._states.setdefault((self._number, self._part), PartState())

    @property
    def is_busy(self) -> bool:
        """Whether an exercise is being made, or an answer checked."""
        return self._work.running

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after this part."""
        exercise = self.exercise
        at_end = exercise is None or self._part == len(exercise.parts) - 1
        return at_end and self._has_ended and self._number >= len(self._made) - 1

    @property
    def is_away(self) -> bool:
        """Whether the graph shows something else than the exercise."""
        exercise = self.exercise
        return exercise is not None and self._session.model is not exercise.stage.model

    @property
    def names_wanted(self) -> bool:
        """Whether the answer is a name, so that a card in the graph gives it."""
        part = self.part
        return part is not None and part.question.kind == "name" and not self.state.is_done

    @property
    def is_told(self) -> bool:
        """Whether the source with a fault in it may be read: when the fault has been found."""
        done = (self._states.get((self._number, part)) for part in (0, 1))
        return all(state is not None and state.is_done for state in done)

    # --- commands ---

    def begin(self, kinds: Sequence[str] = (), seed: int | None = None) -> None:
        """Pose exercises of these kinds, made from the network that is open, or from the one before."""
        session = self._session
        is_new = self._home is None or not (self._has_left_home or self._is_at_home)
        if is_new and (why_not := self.refusal()):
            session.notice.emit("warning", why_not)
            return
        self._work.cancel()
        if is_new:
            self._home = _Home(session.moment(), session.detail, session.hidden, session.marked)
            self._source = _without_fault(session.snapshot())
        self._kinds = tuple(kinds)
        self._seed = self._seed if seed is None else seed
        assert self._source is not None
        self._series = series(self._source, self._kinds, self._seed)
        self._made, self._states, self._has_ended = [], {}, False
        self._go(0, 0)

    def resume(self) -> None:
        """Go back to the exercises that were left last, at the same part."""
        left, self._left = self._left, None
        if left is None or self._home is not None:
            return
        self._home, self._source, self._made, self._number, self._part = left
        if self.exercise is not None:
            self._show()
        else:  # it was being made, and what makes them may still be at it
            self.begin(self._kinds)

    def end(self) -> None:
        """Leave the exercises; the network that was open before is there again."""
        if self._home is None:
            return
        self._left = _Left(self._home, self._source, self._made, self._number, self._part)
        self._work.cancel()
        home, must_return, is_at_home = self._home, self._has_left_home, self._is_at_home
        self._home = self._source = None
        self._made, self._number, self._part = [], 0, 0
        session = self._session
        session.set_secret(None)
        if must_return:
            session.set_hidden(home.hidden)
            session.return_to(home.moment, home.detail, "End the exercises")
        elif is_at_home:
            session.set_hidden(home.hidden)
            session.set_detail(home.detail)
            session.go_to_iteration(home.moment.iteration)
            session.go(home.moment.position)
        if must_return or is_at_home:
            session.set_marked(home.marked)
        self._expected = frozenset()
        self.changed.emit()

    @property
    def _is_at_home(self) -> bool:
        """Whether the session shows what the exercises are made from, as it was."""
        return self._home is not None and self._session.document is self._home.moment.document

    @property
    def _has_left_home(self) -> bool:
        """Whether the session shows an exercise in the place of the network that was open."""
        if self._home is None or self._is_at_home:
            return False
        document, own = self._session.document, self._home.moment.document.network.source
        for stage in (exercise.stage for exercise in self._made):
            source = stage.model.network.source
            if source is not own and document.network.source is source:
                return True
            is_like = document.recipe == stage.recipe and document.fault == fault_of(stage.run)
            if self._session.model is stage.model and is_like:
                return True
        return False

    def forward(self) -> None:
        """Go to the next part, or the next exercise."""
        exercise = self.exercise
        if exercise is None or self.is_busy:
            return
        if self._part < len(exercise.parts) - 1:
            self._go(self._number, self._part + 1)
        elif not self.is_last:
            self._go(self._number + 1, 0)
        else:
            self._session.notice.emit("info", LAST)

    def back(self) -> None:
        """Go to the part before, or the last one of the exercise before."""
        if self.is_busy:
            return
        if self._part > 0:
            self._go(self._number, self._part - 1)
        elif self._number > 0:
            before = self._made[self._number - 1]
            self._go(self._number - 1, len(before.parts) - 1)

    def restore(self) -> None:
        """Show the exercise in the graph again, after the learner has gone elsewhere."""
        if self.exercise is not None:
            self._show()

    def submit(self, text: str) -> bool:
        """Take an answer and have it checked; say whether that could be done."""
        part, state = self.part, self.state
        if part is None or state.is_done or self.is_busy or not text.strip():
            return False
        self._work.run(lambda: iter([part.check(text)]), partial(self._judge, text), self.failed)
        return True

    def hint(self) -> str:
        """Return the next hint; the last one again where there are no more, "" where there are none."""
        part, state = self.part, self.state
        hints = part.hints if part is not None else ()
        if not hints or part is None:
            return ""
        state.hints = min(state.hints + 1, len(hints))
        state.said = hints[state.hints - 1]
        self._tell(self.helped, part, state.hints)
        self.state_changed.emit()
        return state.said

    def give_up(self) -> None:
        """Show the answer, and how it is worked out."""
        part, state = self.part, self.state
        if part is None or state.is_done:
            return
        state.is_shown, state.said = True, ""
        self._tell(self.revealed, part)
        self._stand()
        self.state_changed.emit()

    # --- inside ---

    def _go(self, number: int, part: int) -> None:
        self._number, self._part = number, part
        if number < len(self._made):
            self._show()
            return
        self.changed.emit()
        made = self._series
        self._work.run(lambda: _next(made), self._take, self.failed, self._end_of_series)

    def _take(self, exercise: Exercise) -> None:
        self._made.append(exercise)
        self._show()

    def _end_of_series(self) -> None:
        """Stay at the last exercise where no more come."""
        if self._number >= len(self._made) > 0:
            self._has_ended = True
            self._number = len(self._made) - 1
            self._part = len(self._made[-1].parts) - 1
            self._session.notice.emit("info", LAST)
            self.changed.emit()

    def _show(self) -> None:
        """Let the session show the place of the part."""
        exercise = self.exercise
        assert exercise is not None
        self._session.set_secret(fault_of(exercise.stage.run) if exercise.kind == "faults" else None)
        self._stand()
        self.changed.emit()

    def _stand(self) -> None:
        exercise = self.exercise
        assert exercise is not None
        session = self._session
        done = {i for (n, i), state in self._states.items() if n == self._number and state.is_done}
        place = standing(exercise, self._part, done)
        self._expected = place.hidden
        session.set_hidden(place.hidden)  # before it could be seen
        if session.show_snapshot(exercise.stage.at(place.position), "Exercise"):
            session.set_marked(place.marked)
            if exercise.kind == "faults" and done >= {0, 1}:
                session.set_secret(None)

    def _uncover(self) -> None:
        """Hide nothing of another network that is open now, as after undo."""
        if self.is_away and self._expected and self._session.hidden == self._expected:
            self._session.set_hidden(frozenset())
            self._session.set_marked(())

    def _look(self) -> None:
        """Take it as giving up where what is asked for is revealed, as H does."""
        part = self.part
        is_asked = part is not None and not self.state.is_done and not self.is_away
        if is_asked and self._expected and not self._expected <= self._session.hidden:
            self.give_up()

    def _judge(self, text: str, verdict: Verdict) -> None:
        part, state = self.part, self.state
        assert part is not None
        state.said = verdict.message
        self._tell(self.tried, part, verdict)
        if verdict.right:
            state.is_right = True
            self._stand()
        elif verdict.is_read:  # what cannot be read is no try
            state.tries.append(text.strip())
        self.state_changed.emit()

    def _tell(self, signal, part: Posed, *facts: object) -> None:  # noqa: ANN001  one of the signals
        exercise = self.exercise
        if exercise is not None:
            key: Key = key_of_part(exercise, self._part)
            signal.emit(key, part.question.ask, *facts)


def _next(made: Iterator[Exercise]) -> Iterator[Exercise]:
    """Yield the next exercise with all that a first answer would wait for."""
    exercise = next(made, None)
    if exercise is not None:
        parts = tuple(closed(part).prepare() for part in exercise.parts)
        for part in parts:
            _ = part.hints, part.solution, part.answer_latex
        _ = exercise.stage.derivation
        yield replace(exercise, parts=parts)


def _without_fault(snapshot: Snapshot) -> Snapshot:
    """Return the place in a run by the rules: what is right is not to be asked of a faulty one."""
    if fault_of(snapshot.run) is None:
        return snapshot
    return Snapshot.of(Run(snapshot.model, snapshot.recipe), snapshot.model, overrides=snapshot.overrides)
