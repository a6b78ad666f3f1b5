"""The lesson: the page's text, its question, and the way on."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from graphs.typed import PROMPTS
from gui.answering import AnswerField, Choice
from gui.fields import PushButton
from gui.lessons import LessonPlayer
from gui.panel import Panel, lay_out, scrolled
from gui.rich_text import RichText
from gui.session import Session
from gui.theme import Theme, application_font

__all__ = ["LessonPanel"]


class LessonPanel(Panel):
    """Shows the page that is open, and takes the answer.

    Signals
    -------
    course_requested()
        The user wants another lesson.
    """

    title = "Lesson"
    object_name = "lesson"
    course_requested = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._player: LessonPlayer | None = None
        self._has_turned = False  # the page, with a button of the panel
        self._make()
        self._arrange()

    def set_player(self, player: LessonPlayer) -> None:
        """Show what a player holds."""
        if player is self._player:
            self._show_page()
            return
        self._player = player
        player.page_changed.connect(self._show_page)
        player.stage_changed.connect(self._show_stage)
        player.stage_revised.connect(self._show_revised)
        player.state_changed.connect(self._show_state)
        player.failed.connect(self._show_failure)
        self._show_page()

    # --- making ---

    def _make(self) -> None:
        self.course, self.name = PushButton("Course"), QLabel()
        self.course.setToolTip("All lessons")
        self.heading, self.text = QLabel(), RichText(self.theme)
        self.ask = RichText(self.theme)
        self.said = RichText(self.theme)
        self.field = AnswerField()
        self.check, self.hint, self.show_answer = map(PushButton, ("Check", "Hint", "Show"))
        self.check.setProperty("accent", True)
        self.show_answer.setToolTip("Show the answer")
        self.tasks = QLabel()
        self.back, self.forward, self.dots = PushButton("Back"), PushButton("Next"), _Dots(self.theme)
        self.options = QButtonGroup(self)
        self.name.setProperty("role", "muted")
        self.heading.setFont(application_font("title"))
        for label in (self.heading, self.tasks):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.tasks.setProperty("role", "muted")
        self.course.clicked.connect(self.course_requested)
        self.check.clicked.connect(self.submit)
        self.field.returnPressed.connect(self.submit)
        self.hint.clicked.connect(self._give_hint)
        self.show_answer.clicked.connect(lambda: self._player and self._player.give_up())
        self.back.clicked.connect(lambda: self._turn(-1))
        self.forward.clicked.connect(lambda: self._turn(1))
        self.field.left.connect(self.focus_back)
        self._seeing = QTimer(self, singleShot=True, interval=0)  # when it has its place
        self._seeing.timeout.connect(lambda: self.area.ensureWidgetVisible(self.said, 0, 0))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.course)
        self._inside = inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        for part in (self.heading, self.text, self._make_question(), self.tasks):
            column.addWidget(part)
        column.addStretch(1)
        self.area = scrolled(inside)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for part, stretch in ((self.back, 0), (self.dots, 1), (self.forward, 0)):
            foot.addWidget(part, stretch)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 2, 12, 8)
        whole.setSpacing(6)
        whole.addLayout(head)
        whole.addWidget(self.area, 1)
        whole.addLayout(foot)

    def _make_question(self) -> QWidget:
        self.asking = QFrame()
        column = QVBoxLayout(self.asking)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(6)
        self._choice_box = QVBoxLayout()
        self._choice_box.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(8)
        for part in (self.check, self.hint, self.show_answer):
            row.addWidget(part)
        row.addStretch(1)
        column.addWidget(self.ask)
        column.addLayout(self._choice_box)
        column.addWidget(self.field)
        column.addLayout(row)
        column.addWidget(self.said)
        return self.asking

    # --- showing ---

    def refresh(self) -> None:
        """Paint what is shown in the theme there is."""
        for text in (self.text, self.ask, self.said):
            text.set_theme(self.theme)
        for button in self.options.buttons():
            button.set_theme(self.theme)  # type: ignore[attr-defined]
        self.dots.set_theme(self.theme)

    def _show_page(self) -> None:
        player, has_keys = self._player, self._has_keys
        page = player.page if player is not None else None
        self._inside.setVisible(page is not None)
        for part in (self.back, self.forward, self.dots):
            part.setVisible(page is not None)
        if player is None or player.lesson is None or page is None:
            self.name.setText("No lesson is open.")
            return
        last = len(player.lesson.pages) - 1
        self.name.setText(player.lesson.title)
        self.heading.setText(page.title)
        self.back.setEnabled(player.number > 0)
        self.forward.setEnabled(player.number < last)
        self.dots.show_place(player.number, last + 1)
        self.text.set_source("")
        self.asking.hide()
        if has_keys:
            self._focus_way_on()  # not whichever button Qt finds
        self.tasks.setText("One moment…")

    def _show_stage(self) -> None:
        """Show the texts, which are there now."""
        player = self._player
        if player is None or player.stage is None or player.page is None:
            return
        texts, question = player.stage.texts, player.page.question
        self.text.set_source(texts["text"])
        self.asking.setVisible(question is not None)
        self.field.clear()
        self._say("")
        if question is not None:
            self.ask.set_source(texts["ask"])
            self.field.setPlaceholderText(PROMPTS.get(question.kind, ""))
            self.field.setAccessibleName(f"Answer: {texts['ask']}")
            self._make_choices(player.stage.choices)
            self.field.setVisible(question.kind != "choice")
        self.area.verticalScrollBar().setValue(0)
        self._show_state()
        lay_out(self.area)
        self._give_keys()

    def _give_keys(self) -> None:
        """Let who has turned the page here answer at once, or do what the page waits for."""
        player, turned = self._player, self._has_turned
        self._has_turned = False
        assert player is not None
        if self.is_projected or not (turned or self._has_keys):
            return
        if player.question is not None and not player.state.is_answered:
            self.focus_answer()
        elif player.open_tasks:
            self.focus_back.emit()

    @property
    def _has_keys(self) -> bool:
        """Whether the keyboard writes or presses something here."""
        focused = self.window().focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def _focus_way_on(self) -> None:
        """Let Enter turn the page."""
        (self.forward if self.forward.isEnabled() else self.back).setFocus()

    def focus_answer(self) -> None:
        """Let the keyboard write the answer, or choose it."""
        button = next(iter(self.options.buttons()), None)
        (button if button is not None else self.field).setFocus()

    def _turn(self, direction: int) -> None:
        """Open the next page or the one before; a key that is pressed again passes no question on its way."""
        player, button = self._player, self.forward if direction > 0 else self.back
        if player is None:
            return
        is_coming = player.stage is None and player.question is not None and not player.state.is_answered
        if is_coming and self.window().focusWidget() is button:
            return
        self._has_turned = True
        if direction > 0:
            player.forward()
        else:
            player.back()

    def _show_revised(self) -> None:
        """Show the words of a page that is being written, where the reader is."""
        assert self._player is not None
        assert self._player.page is not None
        place = self.area.verticalScrollBar().value()
        self.heading.setText(self._player.page.title)
        self._show_stage()
        self.area.verticalScrollBar().setValue(place)

    def _make_choices(self, choices: tuple[str, ...]) -> None:
        for button in self.options.buttons():
            self.options.removeButton(button)
            button.deleteLater()
        for number, text in enumerate(choices):
            button = Choice(text, self.theme)
            self.options.addButton(button, number)
            self._choice_box.addWidget(button)
            button.show()  # now, not when the event loop comes to it: it is to have the keys

    def _show_state(self) -> None:
        player = self._player
        if player is None or player.stage is None:
            return
        state, question = player.state, player.question
        self.tasks.setText("\n".join(t for t in player.open_tasks if t != "Answer the question."))
        self.tasks.setVisible(bool(self.tasks.text()))
        if question is not None and state.is_answered:
            right = "**Right.**" if state.is_right else f"The answer is {player.stage.answer_text}."
            self._say(" ".join(text for text in (right, state.note, player.stage.texts["explain"]) if text))
        had_focus = self.asking.isAncestorOf(self.window().focusWidget() or self)
        self.field.setEnabled(question is not None and not state.is_answered)
        for part in (self.check, self.hint, self.show_answer):
            part.setVisible(not state.is_answered)  # what is said of the answer has their place
        for button in self.options.buttons():
            button.setEnabled(not state.is_answered)
        done = not player.open_tasks
        self.forward.setProperty("accent", done)
        self.forward.style().unpolish(self.forward)
        self.forward.style().polish(self.forward)
        if state.is_answered and had_focus and self.forward.isEnabled():
            self.forward.setFocus()  # not what comes next in the order of Tab, which is Back

    def _show_failure(self, sentence: str) -> None:
        self.tasks.setText(sentence)
        self.tasks.show()

    # --- answering ---

    def submit(self) -> None:
        """Take the answer that stands there."""
        player = self._player
        if player is None or player.question is None or player.stage is None:
            return
        text = self.field.text()
        if player.question.kind == "choice":
            number = self.options.checkedId()
            text = player.question.choices[number] if number >= 0 else ""
        if not text.strip():
            return
        verdict = player.submit(text)
        if verdict is not None and not verdict.right:
            self._say(verdict.message)

    def _give_hint(self) -> None:
        if self._player is not None:
            text = self._player.hint()
            self._say(text or "There is no hint. Show gives the answer.")

    def _say(self, text: str) -> None:
        """Say something of an answer, where it can be seen."""
        self.said.set_source(text)
        if text:
            self._seeing.start()

    def choose_again(self, choices: Any) -> None:
        """Leave the page as it is: a lesson remembers its own place."""


class _Dots(QWidget):
    """Which of the pages is open."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._place = (0, 0)
        self.setMinimumHeight(20)

    def show_place(self, number: int, count: int) -> None:
        """Mark a page of so many."""
        self._place = (number, count)
        self.setAccessibleName(f"Page {number + 1} of {count}")
        self.setToolTip(self.accessibleName())
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        number, count = self._place
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.color("muted"))
        painter.setFont(application_font("small"))
        room = QRectF(self.rect())
        painter.drawText(
            room.adjusted(0, 0, 0, -6),
            Qt.AlignmentFlag.AlignCenter,
            f"{number + 1} of {count}" if count else "",
        )
        if count:
            bar = QRectF(room.left(), room.bottom() - 4, room.width(), 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("control"))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            painter.setBrush(self._theme.color("accent"))
            bar.setWidth(bar.width() * (number + 1) / count)
            painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.end()
