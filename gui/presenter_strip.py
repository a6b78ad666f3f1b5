"""What a projector says under the graph: the words as large as they fit, the place, and what lines mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from graphs.palette import MEANINGS
from graphs.staging import Stage
from graphs.views.curtain import ASKED, COVERED
from graphs.views.nudge import NudgeView
from graphs.views.records import StepView
from gui.exercising import ExercisePlayer
from gui.garbage import soon
from gui.lessons import LessonPlayer
from gui.matrices import paint_map
from gui.rich_text import BREAK, TAB, RichText
from gui.scene.legend import paint_line
from gui.theme import Theme, application_font

__all__ = [
    "LEAST",
    "PresenterStrip",
    "Words",
    "answer_line",
    "question_under_text",
    "words_of_exercise",
    "words_of_nudge",
    "words_of_page",
    "words_of_step",
]

LEAST, LARGEST, HUGE = 24.0, 32.0, 40.0
"""Points of the strip's text: the least, the most, and the most where others need the room anyway."""
SIZES = (HUGE, 36.0, LARGEST, 28.0, 26.0, LEAST)
MOST_HEIGHT = 0.62
"""The share of the screen that the strip may take; the graph has the rest."""
WANTED = 0.45
"""The share of that which it takes with letters larger than the least."""
TOGETHER = 0.55
"""The share of that up to which a question stands under the text that it is about."""
SIDE = 24
FOOT = 16.0
"""Points of the place, the clock and the legend."""
SHORT = {**MEANINGS, "update": "parameter", "stored": "stored"}
"""What lines mean in fewer words."""
SAMPLE, BESIDE, APART = 26.0, 7.0, 18.0
"""Pixels of a line's sample, from there to its word, and from one meaning to the next."""
NUDGED = ("slope, ΔL / 2ε", "gradient")
"""What a nudge test says that matters."""
ENDS = ("\u2212", "+")
"""What the ends of the map of colours stand for."""


@dataclass(frozen=True)
class Words:
    """What the strip says: a heading, a text, what can be chosen, and a text after that."""

    heading: str
    text: str
    choices: Sequence[str] = ()
    after: str = ""


def words_of_step(view: StepView) -> Words:
    """Return what is said of a step."""
    is_asked = view.equation.endswith((ASKED, COVERED))  # once is enough
    more = () if is_asked else (view.numbers, view.result)
    lines = [view.equation, *(line for line in more if line)]
    formula = " ".join(lines) if sum(map(len, lines)) < 160 else view.equation
    return Words("", f"**{view.sentence}**\n\n$${formula}$$" if formula else f"**{view.sentence}**")


def words_of_nudge(view: NudgeView) -> Words:
    """Return what a nudge test says: the two slopes, and how they compare."""
    rows = dict(view.rows)
    parts = [f"{name} **{rows[name]}**" for name in NUDGED if name in rows]
    return Words("Nudge test", f"{view.title} {view.note}\n\n{TAB.join(parts)}", after=f"**{view.verdict}**")


def words_of_exercise(player: ExercisePlayer) -> Words:
    """Return what is asked in an exercise, what was said of an answer, or the right one."""
    exercise, part = player.exercise, player.part
    if exercise is None or part is None:
        return Words("", "One moment…")
    ask, state = f"**{part.question.ask}**", player.state
    if state.is_done:
        return Words(exercise.title, f"{ask}\n\n{part.answer_latex}\n\n{part.question.explain}".strip())
    return Words(exercise.title, ask, part.question.choices, state.said)


def words_of_page(player: LessonPlayer, phase: str) -> Words:
    """Return what is said on a page: its text, its question, or the answer."""
    page, stage = player.page, player.stage
    if page is None or stage is None:
        return Words("", "")
    asked = f"**{stage.texts['ask']}**"
    if phase == "question" and page.question is not None:
        return Words("", asked, stage.choices)
    if phase == "answer" and page.question is not None:
        return Words("", f"{asked}\u2002{answer_line(stage)}", after=stage.texts["explain"])
    return Words(page.title, stage.texts["text"])


def question_under_text(player: LessonPlayer) -> Words:
    """Return a page's question under the text that it may be about."""
    asked = words_of_page(player, "question")
    stage = player.stage
    return asked if stage is None else replace(asked, text=f"{stage.texts['text']}\n\n{asked.text}".strip())


def answer_line(stage: Stage) -> str:
    """Return the right answer as a line; a choice with its letter."""
    answer = stage.answer_text
    if answer in stage.choices:
        return f"**{_letter(stage.choices.index(answer))}\u00a0\u00a0{answer}**"
    return answer if answer.startswith("$$") else f"**Answer:**\u00a0{answer}"


def _letter(place: int) -> str:
    """Return what a choice is called in a lecture hall."""
    return chr(ord("A") + place)


def _listed(choices: Sequence[str], in_columns: bool) -> str:
    """Return the choices as lines of one paragraph, two in each line where they are in columns."""
    items = [f"**{_letter(place)}**\u2002{choice}" for place, choice in enumerate(choices)]
    width = 2 if in_columns else 1
    rows = [TAB.join(items[first : first + width]) for first in range(0, len(items), width)]
    return BREAK.join(rows)


class PresenterStrip(QFrame):
    """The words under the graph, as large as they fit, over a line with the place, the seed and the clock.

    Attributes
    ----------
    has_fuller
        Whether there is room for the fuller words that were offered.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("bar", "transport")
        self.heading, self.place, self.facts = QLabel(), QLabel(), QLabel()
        self.text, self.legend = RichText(theme), MeaningRow(theme)
        self._words, self._others = Words("", ""), ()
        self._fuller: tuple[Words | None, bool] = (None, False)
        self.has_fuller = False
        for label, role in ((self.heading, "title"), (self.place, "body"), (self.facts, "body")):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setFont(application_font(role))
        self.heading.setStyleSheet(f"font-size: {LEAST}pt; font-weight: 600;")
        for label in (self.place, self.facts):
            label.setProperty("role", "muted")
            label.setStyleSheet(f"font-size: {FOOT}pt;")
        foot = QHBoxLayout()
        foot.setSpacing(int(APART))
        foot.addWidget(self.place, 1)
        foot.addWidget(self.legend)
        foot.addWidget(self.facts)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 10, SIDE, 8)
        column.setSpacing(6)
        column.addWidget(self.heading)
        column.addWidget(self.text)
        column.addStretch(1)
        column.addLayout(foot)
        self._most = 400

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.text.set_theme(theme)
        self.legend.set_theme(theme)

    def set_room(self, size: QSize) -> None:
        """Take no more than a share of a screen of this size."""
        self._most = int(size.height() * MOST_HEIGHT)
        self._fit()

    def show_words(
        self,
        words: Words,
        others: Sequence[Words] = (),
        fuller: Words | None = None,
        *,
        says_fuller: bool = False,
    ) -> None:
        """Say something else, in the room that the others need as well: they follow without a move.

        Parameters
        ----------
        fuller
            What has room as well, up to a share of the screen.
        says_fuller
            Whether it is said in place of the words where there is room.
        """
        others, full = tuple(others), (fuller, says_fuller)
        if (words, others, full) != (self._words, self._others, self._fuller):
            self._words, self._others, self._fuller = words, others, full
            self._fit()

    def show_place(self, place: str) -> None:
        """Say where in a lesson and a run this is."""
        self.place.setText(place)
        self._fit_legend()

    def show_facts(self, facts: str) -> None:
        """Say the seed and the time."""
        self.facts.setText(facts)
        self._fit_legend()

    def _fit(self) -> None:
        """Choose the largest letters at which everything is there."""
        self.text.resize(self.width() - 2 * SIDE, self.text.height())
        wanted = self._most * WANTED
        needed = max(self._enlarge(words, wanted) for words in (*self._others, self._words))
        words, fuller, says_fuller = self._words, *self._fuller
        if fuller is not None:
            room = max(needed, self._most * TOGETHER)
            height = self._enlarge(fuller, room)
            self.has_fuller = height <= room
            needed = max(needed, height) if self.has_fuller else needed
            words = fuller if self.has_fuller and says_fuller else words
        height = self._enlarge(words, needed, HUGE) if self._others else needed
        self.setFixedHeight(min(self._most, max(needed, height)))
        self._fit_legend()

    def _enlarge(self, words: Words, room: float, most: float = LARGEST) -> int:
        """Write words in the largest letters for which there is room; return the height of the strip."""
        base = application_font().pointSizeF()
        for points in SIZES[SIZES.index(most) :]:
            self.text.set_factor(points / base)
            self._write(words)
            if self._height() <= room:
                break
        return self._height()

    def _write(self, words: Words) -> None:
        """Write words at the size of letters there is: choices in columns where each has the room."""
        self.heading.setText(words.heading)
        self.heading.setVisible(bool(words.heading))
        text = self.text
        for in_columns in (True, False):
            parts = (words.text, _listed(words.choices, in_columns), words.after)
            source = "\n\n".join(part for part in parts if part)
            if source != text.source:
                text.set_source(source)
            text.fit_height()
            if text.keeps_columns():
                return

    def _fit_legend(self) -> None:
        """Say what lines mean in the words that the rest of the line leaves room for."""
        used = self.place.sizeHint().width() + self.facts.sizeHint().width()
        self.legend.fit(self.width() - 2 * SIDE - 2 * APART - used)

    def _height(self) -> int:
        layout = self.layout()
        assert layout is not None
        layout.activate()
        margins = layout.contentsMargins()
        head = self.heading.sizeHint().height() + layout.spacing() if not self.heading.isHidden() else 0
        foot = self.place.sizeHint().height() + layout.spacing()
        return self.text.height() + head + foot + margins.top() + margins.bottom()

    @property
    def is_cut(self) -> bool:
        """Whether something of the words is out of sight."""
        return self._height() > self.height()

    # Qt

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            soon(self, self._fit)


class MeaningRow(QWidget):
    """What lines and colours of the graph mean, in a row: in full, in short, or not at all."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._font = application_font("body")
        self._font.setPointSizeF(FOOT)
        self._form: tuple[dict[str, str], bool] = ({}, False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("What lines mean: " + ", ".join(MEANINGS.values()))

    @property
    def words(self) -> list[str]:
        """What it says now."""
        return list(self._form[0].values())

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def fit(self, room: float) -> None:
        """Say as much as so many pixels allow."""
        forms = ((MEANINGS, True), (SHORT, True), (SHORT, False))
        self._form = next((form for form in forms if self._width(*form) <= room), ({}, False))
        self.updateGeometry()
        self.update()

    def _width(self, words: dict[str, str], colours: bool) -> float:
        metrics = QFontMetricsF(self._font)
        lines = sum(SAMPLE + BESIDE + metrics.horizontalAdvance(word) + APART for word in words.values())
        return lines + (self._colours_width(metrics) + APART if colours else 0.0)

    def _colours_width(self, metrics: QFontMetricsF) -> float:
        return 2 * SAMPLE + 2 * BESIDE + sum(map(metrics.horizontalAdvance, ENDS))

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(int(self._width(*self._form)), 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)  # or the strip could not go to a narrower screen

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        metrics, middle, left = QFontMetricsF(self._font), self.height() / 2, 0.0

        def write(words: str) -> None:
            nonlocal left
            painter.setPen(self._theme.color("muted"))
            width = metrics.horizontalAdvance(words)
            painter.drawText(QRectF(left, 0, width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            left += width

        meanings, colours = self._form
        for role, words in meanings.items():
            paint_line(painter, QPointF(left, middle), SAMPLE, role, self._theme)
            left += SAMPLE + BESIDE
            write(words)
            left += APART
        if colours:
            low, high = ENDS
            write(low)
            left += BESIDE
            paint_map(painter, QRectF(left, middle - 6, 2 * SAMPLE, 12), self._theme)
            left += 2 * SAMPLE + BESIDE
            write(high)
        painter.end()
