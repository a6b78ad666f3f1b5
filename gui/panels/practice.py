"""Exercises: what is given and asked, the answer with its verdict, help in levels, and the report."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.errors import excerpt
from engine.optimizers import OPTIMIZERS
from graphs.answers import Posed
from graphs.drills.base import Exercise
from graphs.exercise import DRILLS
from graphs.report import Report
from graphs.typed import PROMPTS
from gui.answering import AnswerField, Choice
from gui.exercising import ExercisePlayer
from gui.fields import Field, PushButton
from gui.garbage import soon
from gui.learning import Learning
from gui.panel import Panel, lay_out, scrolled
from gui.rich_text import RichText
from gui.session import Session
from gui.theme import Theme, application_font

__all__ = ["KINDS", "PracticePanel"]

KINDS: tuple[tuple[str, str], ...] = (
    ("", "All kinds"),
    *((name, drill.title) for name, drill in DRILLS.items()),
    *((name, f"{optimizer.title}: update") for name, optimizer in OPTIMIZERS.items()),
)
"""What can be chosen: the kind's name, and its words."""
ROOM_BESIDE = 28  # pixels, of a row of the list: its margins and the scroll bar
MOST_SEED = 999_999_999
MOST_SOURCES = 40
"""Lessons and networks of which the report says something here; the export has all."""
_INTRO = (
    "Exercises are made from the network that is open. It shrinks to a few numbers that can be worked out by "
    "hand; yours comes back at the end."
)
_HUNT = (
    "One step of the backward pass in the graph goes wrong; what comes after it goes by the rules. Look at "
    "the numbers, on the cards and large in the inspector, and compare gradients with nudge tests: select a "
    "card and press G. The formulas are hidden."
)


class PracticePanel(Panel):
    """Poses exercises, takes answers, and shows what was right at the first try.

    Signals
    -------
    export_requested()
        The report is to be written to a file.
    """

    title = "Exercises"
    object_name = "practice"
    export_requested = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._player: ExercisePlayer | None = None
        self._learning: Learning | None = None
        self._forgotten: Report | None = None
        self._has_solution = False
        self._make()
        self._arrange()

    def set_player(self, player: ExercisePlayer, learning: Learning) -> None:
        """Show what a player poses, and the report of what was learnt."""
        self._player, self._learning = player, learning
        player.changed.connect(self._show_exercise)
        player.state_changed.connect(self._show_state)
        player.failed.connect(self._show_failure)
        learning.changed.connect(self._show_report)
        self.session.document_changed.connect(self._show_away)
        self._show_exercise()
        self._show_report()

    # --- making ---

    def _make(self) -> None:
        self.kinds = QComboBox()
        self.kinds.setAccessibleName("Kind of exercises")
        self.kinds.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name, text in KINDS:
            self.kinds.addItem(text, name)
        rows = self.kinds.view()
        rows.setTextElideMode(Qt.TextElideMode.ElideRight)
        rows.setMinimumWidth(rows.sizeHintForColumn(0) + ROOM_BESIDE)
        self.seed = Field("Seed", self.theme, 4)
        self.seed.setAccessibleName("Seed of the numbers")
        self.begin, self.more = PushButton("Begin"), PushButton("…")
        self.begin.setProperty("accent", True)
        self.more.setAccessibleName("More")
        self.more.setToolTip("The report; back to my network")
        self._menu = QMenu(self)
        self.to_report = self._menu.addAction("What was right at the first try")
        self.end = self._menu.addAction("Back to my network")
        self._make_parts()
        self._connect()

    def _make_parts(self) -> None:
        self.heading, self.place = QLabel(), QLabel()
        self.given, self.ask, self.said = (RichText(self.theme) for _ in range(3))
        self.field = AnswerField()
        self.options = QButtonGroup(self)
        self.check, self.hint, self.show_answer = map(PushButton, ("Check", "Hint", "Show"))
        self.check.setProperty("accent", True)
        self.show_answer.setToolTip("Show the answer and how it is worked out")
        self.away = PushButton("Show it in the graph")
        self.back, self.forward = PushButton("Back"), PushButton("Next")
        self.report = RichText(self.theme)
        self.export, self.copy, self.clear, self.to_exercise = map(
            PushButton, ("Export…", "Copy", "Clear", "Exercises")
        )
        self.heading.setFont(application_font("title"))
        for label in (self.heading, self.place):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.place.setProperty("role", "muted")
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _connect(self) -> None:
        self.kinds.activated.connect(lambda _: self._begin())
        self.begin.clicked.connect(lambda: self._begin())
        self.seed.submitted.connect(self._set_seed)
        self.seed.stepped.connect(lambda by: self._set_seed(str(self._seed + by)))
        self.seed.finished.connect(self.focus_back)
        self.check.clicked.connect(self.submit)
        self.field.returnPressed.connect(self.submit)
        self.field.left.connect(self.focus_back)
        self.hint.clicked.connect(self._give_hint)
        self.show_answer.clicked.connect(self._show_answer)
        self.away.clicked.connect(lambda: self._player and self._player.restore())
        self.back.clicked.connect(lambda: self._player and self._player.back())
        self.forward.clicked.connect(self._go_on)
        self.end.triggered.connect(lambda: self._player and self._player.end())
        self.to_report.triggered.connect(self.show_report)
        self.more.clicked.connect(self._show_menu)
        self.to_exercise.clicked.connect(self.show_exercises)
        self.export.clicked.connect(self.export_requested)
        self.copy.clicked.connect(self._copy)
        self.clear.clicked.connect(self._clear)

    def _arrange(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(self._make_exercise_page())
        self.pages.addWidget(self._make_report_page())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pages)

    def _make_exercise_page(self) -> QWidget:
        inside, self._inside = QWidget(), QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(8)
        for part in (self.heading, self.given, self._make_question()):
            column.addWidget(part)
        column.addStretch(1)
        self.area = scrolled(inside)
        # what is said of an answer makes the text longer a moment after it has been said
        self.area.verticalScrollBar().rangeChanged.connect(lambda *_: soon(self, self._bring_up))
        page = QWidget()
        whole = QVBoxLayout(page)
        whole.setContentsMargins(12, 6, 12, 10)
        whole.setSpacing(8)
        whole.addLayout(_row((self.kinds, 1), (self.seed, 0), (self.begin, 0), (self.more, 0)))
        whole.addWidget(self.area, 1)
        whole.addWidget(self.away)
        whole.addLayout(_row((self.back, 0), (self.place, 1), (self.forward, 0)))
        return page

    def _make_question(self) -> QWidget:
        self.asking = QFrame()
        column = QVBoxLayout(self.asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._choice_box = QVBoxLayout()
        self._choice_box.setSpacing(4)
        column.addWidget(self.ask)
        column.addLayout(self._choice_box)
        column.addWidget(self.field)
        column.addLayout(_row((self.check, 0), (self.hint, 0), (self.show_answer, 0), (None, 1)))
        column.addWidget(self.said)
        return self.asking

    def _make_report_page(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.addWidget(self.report)
        column.addStretch(1)
        page = QWidget()
        whole = QVBoxLayout(page)
        whole.setContentsMargins(12, 6, 12, 10)
        whole.setSpacing(8)
        whole.addWidget(scrolled(inside), 1)
        whole.addLayout(_row((self.export, 0), (self.copy, 0), (self.clear, 0), (None, 1)))
        whole.addLayout(_row((self.to_exercise, 0), (None, 1)))
        return page

    # --- showing ---

    def refresh(self) -> None:
        """Paint what is shown in the theme there is."""
        for text in (self.given, self.ask, self.said, self.report):
            text.set_theme(self.theme)
        self.seed.set_theme(self.theme)
        for button in self.options.buttons():
            button.set_theme(self.theme)  # type: ignore[attr-defined]

    @property
    def _seed(self) -> int:
        return self._player.seed if self._player is not None else 0

    def _show_exercise(self) -> None:
        """Show the exercise that is posed, or how to begin."""
        player = self._player
        if player is None:
            return
        self.seed.show_value(str(player.seed))
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(",".join(player.kinds))))
        exercise, part = player.exercise, player.part
        for widget in (self.back, self.place, self.forward):
            widget.setVisible(player.is_open)
        self.end.setEnabled(player.is_open)
        self.begin.setVisible(not player.is_open)
        self.asking.setVisible(part is not None)
        self._show_away()
        if exercise is None or part is None:
            self.heading.setText("One moment…" if player.is_open else "")
            self.heading.setVisible(player.is_open)
            self.given.set_source("" if player.is_open else _INTRO)
            return
        self.heading.show()
        self.heading.setText(exercise.title)
        self._show_part(player, exercise, part)

    def _show_part(self, player: ExercisePlayer, exercise: Exercise, part: Posed) -> None:
        count = len(exercise.parts)
        letter = f", part {_letter(player.part_number)} of {_letter(count - 1)}" if count > 1 else ""
        self.place.setText(f"Exercise {player.number + 1}{letter}")
        self.back.setEnabled(player.number + player.part_number > 0)
        self.forward.setText("Finish" if player.is_last else "Next")
        self.forward.setToolTip("Back to my network" if player.is_last else "")
        self.ask.set_source(f"**{_letter(player.part_number)})** {part.question.ask}")
        self.field.setPlaceholderText(self._prompt(part))
        self.field.setAccessibleName(f"Answer: {part.question.ask}")
        self.field.clear()
        self._has_solution = False
        self._make_choices(part.question.choices if part.question.kind == "choice" else ())
        self.field.setVisible(part.question.kind != "choice")
        self._show_state()
        if self.forward.hasFocus() and not player.state.is_done:
            self.focus_answer()  # who has gone on by keys answers by keys; again, Return would skip the part
        soon(self, self._bring_up)

    def _prompt(self, part: Posed) -> str:
        if part.question.kind != "name":
            return PROMPTS.get(part.question.kind, "")
        if len(part.right_names) == 1:
            return "click it in the graph, or type its name"
        return "click them in the graph, or type their names with commas"

    def _bring_up(self) -> None:
        """Have the question in sight, with as much before it as there is room for."""
        bar, bottom = self.area.verticalScrollBar(), self.asking.geometry().bottom()
        top = bottom - self.area.viewport().height() + 8
        if not self._says_hint:
            top = min(self.asking.geometry().top(), top)
        bar.setValue(max(0, top) if bottom > self.area.viewport().height() else 0)

    @property
    def _says_hint(self) -> bool:
        """Whether a hint or a verdict was said last: it is read next; a solution is, from the question on."""
        return self._player is not None and bool(self.said.source) and not self._player.state.is_done

    def _make_choices(self, choices: tuple[str, ...]) -> None:
        for button in self.options.buttons():
            self.options.removeButton(button)
            button.deleteLater()
        for number, text in enumerate(choices):
            button = Choice(text[0].upper() + text[1:], self.theme)
            self.options.addButton(button, number)
            self._choice_box.addWidget(button)
            button.show()  # now, not when the event loop comes to it: it has a place, and may have the keys

    def _show_state(self) -> None:
        player = self._player
        part = player.part if player is not None else None
        if player is None or part is None:
            return
        state = player.state
        self._show_given(player)
        self.said.set_source(self._words(part))
        focused = self.window().focusWidget()
        had_focus = focused is None or self.asking.isAncestorOf(focused)
        for widget in (self.check, self.hint, self.field, *self.options.buttons()):
            widget.setEnabled(not state.is_done)
        self.show_answer.setText("Solution" if state.is_done else "Show")
        self.show_answer.setEnabled(not (state.is_shown or self._has_solution))
        self.forward.setProperty("accent", state.is_done)
        self.forward.style().unpolish(self.forward)
        self.forward.style().polish(self.forward)
        if state.is_done and had_focus:
            self.forward.setFocus()  # not what comes next in the order of Tab, which is Solution, then Back
        lay_out(self.area)
        soon(self, self._bring_up)

    def _show_given(self, player: ExercisePlayer) -> None:
        assert player.exercise is not None
        text = given_text(player.exercise, is_told=player.is_told)
        if self.given.source != text:
            self.given.set_source(text)

    def _words(self, part: Posed) -> str:
        """Return what is said of a part: the verdict or a hint, or the answer with its solution."""
        assert self._player is not None
        state = self._player.state
        if not state.is_done:
            return state.said
        head = "**Right.**" if state.is_right else f"The answer is {part.answer_latex}."
        texts = [head, part.question.explain]
        if state.is_shown or self._has_solution:
            texts += [text for text in part.solution if text != part.answer_latex]
        return "\n\n".join(text for text in texts if text)

    def _show_failure(self, sentence: str) -> None:
        self.asking.hide()
        self.heading.hide()
        self.given.set_source(sentence)

    def _show_away(self) -> None:
        self.away.setVisible(self._player is not None and self._player.is_away)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        soon(self, self._bring_up)

    # --- doing ---

    def _show_menu(self) -> None:
        """Open the menu under its button, with its right edge inside the window."""
        under = self.more.mapToGlobal(self.more.rect().bottomRight() + QPoint(1, 0))
        self._menu.popup(under - QPoint(self._menu.sizeHint().width(), 0))

    def _begin(self) -> None:
        if self._player is not None:
            name = self.kinds.currentData()
            self._player.begin((name,) if name else ())

    def _set_seed(self, text: str) -> None:
        if self._player is None:
            return
        if not text.isdecimal() or int(text) > MOST_SEED:
            self.seed.refuse()
            sentence = f"A seed is a whole number from 0 to {MOST_SEED:,}, not {excerpt(text, 24)}."
            self.session.notice.emit("error", sentence)
            return
        self.seed.show_value(str(int(text)))
        self._player.begin(self._player.kinds, int(text))

    def _go_on(self) -> None:
        """Go to the next part; after the last one, back to the network that was open."""
        player = self._player
        if player is None:
            return
        if player.is_last:
            player.end()
            self.focus_back.emit()
        else:
            player.forward()

    def submit(self) -> None:
        """Take the answer that stands there; where it is answered, go on."""
        player = self._player
        part = player.part if player is not None else None
        if player is None or part is None:
            return
        if player.state.is_done:
            player.forward()
            return
        text = self.field.text()
        if part.question.kind == "choice":
            number = self.options.checkedId()
            text = part.question.choices[number] if number >= 0 else ""
        player.submit(text)

    def take_name(self, name: str) -> None:
        """Take a card that was clicked as the answer, or as one more name of it."""
        player = self._player
        if player is None or player.part is None or not player.names_wanted:
            return
        several = len(player.part.right_names) > 1
        names = [part.strip() for part in self.field.text().split(",") if part.strip()] if several else []
        names = [n for n in names if n != name] if name in names else [*names, name]
        self.field.setText(", ".join(names))

    def focus_answer(self) -> None:
        """Let the keyboard write the answer."""
        button = next(iter(self.options.buttons()), None)
        (button if button is not None else self.field).setFocus()

    def _give_hint(self) -> None:
        if self._player is not None and not self._player.hint():
            self._player.state.said = "There is no hint. Show gives the answer."
            self._show_state()

    def _show_answer(self) -> None:
        player = self._player
        if player is None or player.part is None:
            return
        if player.state.is_done:
            self._has_solution = True
            self._show_state()
        else:
            player.give_up()

    # --- the report ---

    def show_report(self) -> None:
        """Show what was right at the first try."""
        self._forgotten = None
        self._show_report()
        self.pages.setCurrentIndex(1)

    def show_exercises(self) -> None:
        """Show the exercise again."""
        self.pages.setCurrentIndex(0)

    def _show_report(self) -> None:
        if self._learning is None:
            return
        report = self._learning.report
        self.report.set_source(_report_text(report))
        for button in (self.export, self.copy):
            button.setEnabled(bool(report.records))
        self.clear.setText("Clear" if self._forgotten is None else "Put back")
        self.clear.setEnabled(bool(report.records) or self._forgotten is not None)

    def _clear(self) -> None:
        """Forget the report, or have it again."""
        assert self._learning is not None
        forgotten, self._forgotten = self._forgotten, None
        if forgotten is None:
            self._forgotten = self._learning.report  # before it is told
            self._learning.clear()
        else:
            self._learning.put_back(forgotten)

    def _copy(self) -> None:
        from PySide6.QtGui import QGuiApplication

        assert self._learning is not None
        QGuiApplication.clipboard().setText(self._learning.report.markdown())
        self.session.notice.emit("info", "Copied the report as Markdown.")


def given_text(exercise: Exercise, is_told: bool = True) -> str:
    """Return what is given and told, as Markdown in little room: the numbers stand one after another.

    Parameters
    ----------
    is_told
        Whether source with a fault in it is shown too: before that it is to be found in the graph.
    """
    parts = []
    for block in exercise.texts:
        if block.kind == "equations":
            is_network = block in exercise.given[:2]
            parts.append(("  \n" if is_network else ",  ").join(f"${line}$" for line in block.lines))
        elif block.kind == "code":
            parts += ["\n".join(("```", *block.lines, "```"))] if is_told else []
        elif exercise.kind == "faults" and not is_told and block in exercise.blocks:
            parts.append(_HUNT)
        else:
            parts.append("\n".join(block.lines))
    return "\n\n".join(parts)


def _report_text(report: Report) -> str:
    """Return what the panel says of a report: each lesson and network in a line or two."""
    parts = ["**What was right at the first try**", "Kept on this computer, and sent nowhere."]
    if not report.records:
        return "\n\n".join([*parts, "Nothing has been answered yet."])
    parts.append(report.sentence())
    for source in report.sources[::-1][:MOST_SOURCES]:
        own = report.of(source)
        often = ", ".join(f"{kind} ({count})" for kind, count in own.commonest())
        words = source.replace("$", "\\$").replace("*", "\\*")
        parts.append(f"**{words}**: {own.sentence()}" + (f" Most often wrong: {often}." if often else ""))
    return "\n\n".join(parts)


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _row(*parts: tuple[QWidget | None, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for part, stretch in parts:
        if part is None:
            row.addStretch(stretch)
        else:
            row.addWidget(part, stretch)
    return row
