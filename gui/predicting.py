"""Predict, then reveal, in the graph: a field beside what is hidden takes numbers, a shape or a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from graphs.answers import Verdict
from graphs.predicting import EdgeKey, Prediction, prediction_at, without
from graphs.report import Key
from graphs.views.curtain import Curtain
from gui.answering import AnswerField
from gui.asking import Asking
from gui.fields import PushButton
from gui.icons import icon
from gui.jobs import LatestTask
from gui.rich_text import RichText
from gui.theme import Theme, application_font

if TYPE_CHECKING:
    from gui.window import Window

__all__ = ["PredictBox", "Predicting"]

WIDTH, LARGE_WIDTH = 316, 640
LARGEST = 24.0
"""Points of the words on a projector."""
GAP = 10
SIDE, TOP = 12, 10


class PredictBox(QFrame):
    """Asks for one thing, beside where it is hidden.

    Signals
    -------
    submitted(str)
        An answer was typed.
    hint_wanted(), answer_wanted(), closed()
        Help, the answer, or nothing more is wanted.
    """

    submitted = Signal(str)
    hint_wanted = Signal()
    answer_wanted = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Prediction")
        self.is_done = self.is_right = False
        self.ask, self.said = RichText(theme), RichText(theme)
        self.field = AnswerField()
        self.check, self.hint, self.show_answer = map(PushButton, ("Check", "Hint", "Show"))
        self._buttons = (self.check, self.hint, self.show_answer)
        self.check.setProperty("accent", True)
        self.close_button = _close_button()
        self._arrange()
        self.field.returnPressed.connect(self._submit)
        self.check.clicked.connect(self._submit)
        self.field.left.connect(self.closed)
        self.close_button.clicked.connect(self.closed)
        self.hint.clicked.connect(self.hint_wanted)
        self.show_answer.clicked.connect(self.answer_wanted)
        self.set_theme(theme)
        self.hide()

    def _arrange(self) -> None:
        head, row = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.ask, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        row.setSpacing(6)
        for part in self._buttons:
            row.addWidget(part)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, TOP, SIDE, TOP)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.field)
        column.addLayout(row)
        column.addWidget(self.said)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.close_button.setIcon(icon("close", theme, "muted"))
        edge = theme.update if self.is_right else theme.focus
        self.setStyleSheet(
            f"PredictBox {{ border: 1px solid {edge}; border-radius: 8px; background: {theme.card}; }}"
        )
        for text in (self.ask, self.said):
            text.set_theme(theme)

    def put(self, prediction: Prediction, is_large: bool) -> None:
        """Ask for another thing."""
        factor = LARGEST / application_font().pointSizeF() if is_large else 1.0
        for text in (self.ask, self.said):
            text.set_factor(factor)
        self.field.setStyleSheet("font-size: 22pt;" if is_large else "")
        for button in self._buttons:
            button.setStyleSheet("font-size: 16pt;" if is_large else "")
        self.ask.set_source(prediction.ask)
        self.field.clear()
        self.field.setPlaceholderText(prediction.prompt)
        self.field.setAccessibleName(f"Prediction: {prediction.ask}")
        self.set_done(False)
        self.say(prediction.remark)

    def say(self, text: str) -> None:
        """Say something about the answer."""
        self.said.set_source(text)
        self.said.setVisible(bool(text))

    def set_done(self, is_done: bool, is_right: bool = False) -> None:
        """Take no more answers, or the first one; of what was found out, the edge is another."""
        self.is_done, self.is_right = is_done, is_right
        self.set_theme(self._theme)
        for part in (self.field, *self._buttons):
            part.setVisible(not is_done)

    def fit(self, width: int) -> None:
        """Be as high as the words are at a width. It has to be seen: what is not has no layout."""
        room = width - 2 * SIDE
        for text, wide in ((self.ask, room - self.close_button.sizeHint().width() - 6), (self.said, room)):
            text.resize(wide, text.height())
            text.fit_height()
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        layout.activate()
        self.resize(width, layout.sizeHint().height())

    def _submit(self) -> None:
        if self.field.text().strip():
            self.submitted.emit(self.field.text())


class Predicting(Asking):
    """Asks for what is hidden in a window's graph.

    A click on something hidden asks for it, and so does a key for what the step has worked out.

    Parameters
    ----------
    window
        Whose session hides things.
    """

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self.box = PredictBox(window.theme, window.view)
        self._prediction: Prediction | None = None
        self._place: tuple[object, ...] = ()
        self._near: tuple[QRectF, ...] = ()
        self._hints = 0
        self._work = LatestTask(self)
        self.box.submitted.connect(self._check)
        self.box.hint_wanted.connect(self._give_hint)
        self.box.answer_wanted.connect(self._show_answer)
        self.box.closed.connect(self.end)
        window.scene.node_clicked.connect(self._ask_for)
        window.scene.edge_clicked.connect(self._ask_for)
        self._session.frame_changed.connect(self._look)
        window.practice.listen(self)
        for bar in (window.view.horizontalScrollBar(), window.view.verticalScrollBar()):
            bar.valueChanged.connect(lambda _: self._move())
            bar.rangeChanged.connect(lambda *_: self._move())

    # --- facts ---

    @property
    def prediction(self) -> Prediction | None:
        """What is asked for."""
        return self._prediction

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being checked."""
        return self._work.running

    # --- commands ---

    def ask(self) -> None:
        """Ask for what the step has worked out; tell where nothing is hidden."""
        if not self._ask_for(None):
            self._session.notice.emit("info", "Nothing is hidden here. H hides each result at first.")

    def end(self) -> None:
        """Ask no more; what is hidden stays hidden."""
        self._work.cancel()
        if self._prediction is not None:
            self._prediction = None
            self.box.hide()
            self._window.view.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.box.set_theme(theme)

    # --- inside ---

    def _ask_for(self, target: str | EdgeKey | None) -> bool:
        """Ask for something where it is hidden; say whether it is."""
        session, window = self._session, self._window
        if not session.hidden:
            return False
        if window.practice.wants_answer:  # the exercise asks for it already
            window.practice.answer()
            return True
        link = session.hovered
        entry = link.entry if link is not None and link.name == target else session.frame.entry
        found = prediction_at(
            session.snapshot(),
            Curtain(session.hidden),
            session.frame.covered,
            target,
            entry,
            session.statics.derivation,
        )
        if found is None:
            return False
        self._work.cancel()
        self._prediction, self._hints, self._place = found, 0, self._here
        self._near = tuple(self._places_of(target))
        self.box.put(found, window.presenting.is_on)
        self.box.show()
        self._move()
        self.box.raise_()
        self.box.field.setFocus()
        return True

    @property
    def _here(self) -> tuple[object, ...]:
        session = self._session
        return session.trace, session.position

    def _places_of(self, target: str | EdgeKey | None) -> Iterator[QRectF]:
        """Yield what is not to be covered, first what matters most.

        That is what is asked for, then wire and factor that lead to it, then the other cards of the step.
        """
        scene, step = self._window.scene, self._session.frame.step
        current = step.target if step is not None else ""
        if target is None and not scene.lane_rect().isEmpty():
            yield scene.lane_rect()
        name = target[0] if isinstance(target, tuple) else target or current
        edge = target if isinstance(target, tuple) else scene.view.current
        yield scene.node_rect(name)
        if edge is not None and edge[0] == name:
            yield scene.edge_rect(edge)
            yield scene.node_rect(edge[1])
        if name == current:
            yield from scene.current_rects()

    def _move(self) -> None:
        """Stand beside what is asked for, inside of the view."""
        if self._prediction is None:
            return
        view = self._window.view
        width = min(LARGE_WIDTH if self._window.presenting.is_on else WIDTH, view.width() - 2 * GAP)
        self.box.fit(width)
        near = [view.mapFromScene(rect).boundingRect() for rect in self._near]
        remark = self._window.remark
        if remark.isVisible():
            near.append(remark.geometry())
        self.box.move(_beside(near, self.box.size(), view.rect()))

    def _look(self) -> None:
        """Go away with what was asked for: elsewhere, when it is revealed otherwise, or hidden again."""
        prediction = self._prediction
        if prediction is None:
            return
        is_revealed = not (prediction.revealed & (self._session.frame.covered | self._session.hidden))
        if self._place != self._here or is_revealed != self.box.is_done:
            self.end()

    def _check(self, text: str) -> None:
        prediction = self._prediction
        if prediction is not None and not self.is_busy:
            self._run(lambda: prediction.check(text), partial(self._judge, prediction))

    def _run(self, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
        """Work something out beside the window: in a large network it takes a while."""
        self._work.run(lambda: iter([work()]), take, self.box.say)

    def _judge(self, prediction: Prediction, found: tuple[Verdict, bool]) -> None:
        if prediction is not self._prediction:
            return
        verdict, is_found = found
        if is_found or not verdict.right:
            self._tell(self.tried, verdict)
        self._say(f"**Right.** {verdict.note}".strip() if is_found else verdict.message)
        if is_found:
            self._reveal(prediction, is_right=True)

    def _reveal(self, prediction: Prediction, *, is_right: bool = False) -> None:
        """Show what has been found out; the keys step on."""
        self.box.set_done(True, is_right)
        self._move()
        session = self._session
        session.set_hidden(without(session.hidden, prediction.revealed, session.trace))
        self._window.view.setFocus()

    def _say(self, text: str) -> None:
        self.box.say(text)
        self._move()

    def _give_hint(self) -> None:
        prediction = self._prediction
        if prediction is not None and not self.is_busy:
            self._run(lambda: prediction.hints, self._say_hint)

    def _say_hint(self, hints: Sequence[str]) -> None:
        self._hints = min(self._hints + 1, len(hints))
        if hints:
            self._tell(self.helped, self._hints)
        self._say(hints[self._hints - 1] if hints else "There is no hint. Show gives the answer.")

    def _show_answer(self) -> None:
        prediction = self._prediction
        if prediction is not None and not self.is_busy:
            posed = prediction.posed(prediction.help_kind)
            self._run(lambda: posed.answer_latex, partial(self._say_answer, prediction))

    def _say_answer(self, prediction: Prediction, answer: str) -> None:
        if prediction is self._prediction:
            self._tell(self.revealed)
            self._say(f"It is {answer}.")
            self._reveal(prediction)

    def _tell(self, signal: SignalInstance, *facts: object) -> None:
        prediction = self._prediction
        if prediction is not None:
            key = Key(self._session.document.network.title, prediction.key)
            signal.emit(key, prediction.ask, *facts)


def _close_button() -> QToolButton:
    button = QToolButton()
    button.setProperty("flat", True)
    button.setAccessibleName("Close")
    button.setToolTip("Close (Esc)")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _beside(near: Sequence[QRect], box: QSize, room: QRect) -> QPoint:
    """Return where a box stands: where it covers least of the first place, then of the next, and is nearest.

    Wherever there is room beside them, it covers none of them: it stands at an edge of each in turn.
    """
    inside = room.adjusted(GAP, GAP, -GAP, -GAP)
    middle = near[0].center()
    lefts = {middle.x() - box.width() // 2, *_edges([(r.left(), r.right()) for r in near], box.width())}
    tops = {middle.y() - box.height() // 2, *_edges([(r.top(), r.bottom()) for r in near], box.height())}
    most = QPoint(inside.right() + 1 - box.width(), inside.bottom() + 1 - box.height())
    places = {
        QPoint(max(inside.left(), min(left, most.x())), max(inside.top(), min(top, most.y()))).toTuple()
        for left, top in product((*lefts, most.x(), 0), (*tops, most.y(), 0))
    }

    def cost(place: tuple[int, int]) -> tuple[int, ...]:
        own = QRect(QPoint(*place), box)
        covered = (rect.intersected(own) for rect in near)
        distance = (own.center() - middle).manhattanLength()
        return *(part.width() * part.height() for part in covered), distance, *place

    return QPoint(*min(places, key=cost))


def _edges(spans: Sequence[tuple[int, int]], size: int) -> Iterator[int]:
    """Yield where something of a size begins that stands before or after a span."""
    for first, last in spans:
        yield first - GAP - size
        yield last + 1 + GAP
