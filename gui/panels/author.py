"""Writing a lesson: its pages in a list, and what a page says in fields, each with what is wrong there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QObject, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from engine.errors import as_sentence
from graphs.lesson import ACTIONS, KINDS, Screen
from graphs.lessontext import value_text
from graphs.staging import Problem
from gui.authoring import Authoring
from gui.fields import EDITING, PushButton, keeps
from gui.panel import Panel, scrolled
from gui.session import Session
from gui.theme import Theme, application_font

__all__ = ["AuthorPanel"]

Keys = tuple[str, ...]
NO_QUESTION = "no question"
LABEL = 64
ROW, ROWS = 25, 4
"""Logical pixels of a row of the list, and how many of them are in sight."""
LEAST = 120
"""Logical pixels of height below which the panel is not made: with less than it needs, all of it scrolls."""


# --- what stands in a field --------------------------------------------------------------------------------


def _names_text(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value or "")


def _names(text: str) -> Any:
    words = [word.strip() for word in text.split(",") if word.strip()]
    return ([] if words == ["none"] else words) if words else None


def _lines_text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _lines(text: str) -> Any:
    return [line for line in text.split("\n") if line.strip()] or None


def _number(text: str) -> Any:
    """Return a number; text that is none is kept, so that the checker says what is wrong with it."""
    word = text.strip()
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word) if word else None
    except ValueError:
        return word


def _table_text(value: Any) -> str:
    return value_text(value)[2:-2] if isinstance(value, dict) and value else ""


def _table(text: str) -> Any:
    """Return what ``key = value, …`` says.

    Raises
    ------
    ValueError
        Where it says nothing.
    """
    if not text.strip():
        return None
    if "\n" in text:
        raise ValueError
    return tomllib.loads(f"x = {{ {text.strip().rstrip(',')} }}")["x"]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True)
class _Row:
    """A field: its key in the page, what it is called, how its value is shown and read.

    Attributes
    ----------
    lines
        How high it is; 1 for a line.
    in_head
        Whether it is the lesson's rather than the page's.
    at_end
        Whether its value is taken when the field is left, rather than letter by letter.
    """

    keys: Keys
    name: str
    hint: str = ""
    lines: int = 1
    show: Callable[[Any], str] = _text
    read: Callable[[str], Any] = lambda text: text or None
    in_head: bool = False
    at_end: bool = False


def _kept(text: str) -> Any:
    return text  # a title that is missing is said; the key stays


_STARTS: Keys = ("starts",)
"""Not a key of its own: all that a page starts, by their keys."""
HEAD = (
    _Row(("title",), "Lesson", "what the lesson is called", read=_kept, in_head=True),
    _Row(("summary",), "Summary", "what it is about, in a sentence", in_head=True),
)
WORDS = (
    _Row(("title",), "Title", read=_kept),
    _Row(("text",), "Text", "Markdown; formulas between $; numbers as {{L}}", 6),
)
SCREEN = (
    _Row(("at",), "Place", "start, forward A, backward W1, end", at_end=True),
    _Row(("iteration",), "Iteration", "a number, or last", read=_number, at_end=True),
    _Row(("train",), "Train", "iterations, while it is shown", read=_number, at_end=True),
    _Row(("highlight",), "Mark", "such as A, d_A, A -> yhat", 1, _names_text, _names, at_end=True),
    _Row(("hide",), "Hide", "such as values, gradients, d_A", 1, _names_text, _names, at_end=True),
    _Row(("docks",), "Panels", "such as fit, loss; none", 1, _names_text, _names, at_end=True),
    _Row(("camera",), "Look at", "such as A, Z; none for all", 1, _names_text, _names, at_end=True),
    _Row(("fault",), "Fault", "such as activation at A", at_end=True),
    _Row(("set",), "Values", "such as w = 1.5, x = [[1, 2]]", 1, _table_text, _table, at_end=True),
    _Row(("training",), "Training", 'such as optimizer = "adam"', 1, _table_text, _table, at_end=True),
    _Row(("wait",), "Wait for", 'such as at = "backward W1"', 1, _table_text, _table, at_end=True),
    _Row(_STARTS, "Start", 'such as nudge = "W1[0,1]"', 1, _table_text, _table, at_end=True),
)
QUESTION = (
    _Row(("question", "ask"), "Ask", lines=2, read=_kept),
    _Row(("question", "answer"), "Answer", read=_kept),
    _Row(("question", "choices"), "Choices", "one a line", 3, _lines_text, _lines),
    _Row(("question", "about"), "About", "d_W1: wrong answers get its hints"),
    _Row(("question", "tolerance"), "Tolerance", "0.001", read=_number, at_end=True),
    _Row(("question", "hints"), "Hints", "one a line, from vague to plain", 3, _lines_text, _lines),
    _Row(("question", "explain"), "Explain", "what is said after the answer", 3),
)
ANSWERS = {
    "choice": "the right one of the choices, word for word",
    "shape": "the name of a value, or a shape, 4 x 2",
    "name": "the name of a node, or several",
}
"""What the answer to a question is, for the kinds whose answer is no formula."""
NOTES = (_Row(("notes",), "Notes", "for the speaker alone", 3),)


# --- the panel ---------------------------------------------------------------------------------------------


class AuthorPanel(Panel):
    """Fields for the page that is worked on, under the list of all pages; buttons to begin where none is."""

    title = "Write"
    object_name = "author"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._authoring: Authoring | None = None
        self.entries: dict[tuple[bool, Keys], _Entry] = {}
        self._make()
        self._arrange()

    def set_authoring(self, authoring: Authoring) -> None:
        """Show the lesson that is written there."""
        self._authoring = authoring
        authoring.changed.connect(self.mark_stale)
        authoring.checked.connect(self._show_problems)
        self.mark_stale()

    # --- making ---

    def _make(self) -> None:
        self.list = _Pages()
        self.add, self.up, self.down = PushButton("Add page"), PushButton("Up"), PushButton("Down")
        self.copy, self.delete = PushButton("Copy"), PushButton("Delete")
        self.show_button, self.take, self.present = (
            PushButton("Show"),
            PushButton("Take screen"),
            PushButton("Present"),
        )
        self.save, self.undo, self.redo = PushButton("Save"), PushButton("Undo"), PushButton("Redo")
        self.done = PushButton("Close")
        self.begin, self.edit = PushButton("New lesson"), PushButton("Edit a lesson")
        self.summary, self.kind = QLabel(), QComboBox()
        self.kind.addItems([NO_QUESTION, *KINDS])
        self.kind.setAccessibleName("Kind of question")
        tips = (
            (self.add, "Add a page that shows what is on the screen, after this one (Ctrl+Shift+A)"),
            (self.up, "Move this page up (Alt+Up)"),
            (self.down, "Move this page down (Alt+Down)"),
            (self.copy, "Have this page twice"),
            (self.delete, "Take this page away (Undo brings it back)"),
            (self.show_button, "Show this page as the learner will see it"),
            (self.take, "Let this page show what is on the screen; its words stay"),
            (self.present, "Show this page as the projector will show it"),
            (self.save, "Save the lesson (Ctrl+S)"),
            (self.undo, "Take the last change back (Ctrl+Z)"),
            (self.redo, "Do it again (Ctrl+Shift+Z)"),
            (self.done, "Stop writing"),
            (self.begin, "Begin one whose first page is what is on the screen (Ctrl+Shift+L)"),
            (self.edit, "Write on in the lesson that is open, or in one of your files"),
        )
        for button, tip in tips:
            button.setToolTip(tip)
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setProperty("role", "muted")
        self.summary.setFont(application_font("small"))
        self.elsewhere = QLabel("not on the screen")
        self.elsewhere.setProperty("role", "muted")
        self.elsewhere.setFont(application_font("small"))
        self.elsewhere.setToolTip("The screen shows something else than this page: Show brings it there.")
        self.screen_error, self.question_error = _error_label(), _error_label()
        self._connect()

    def _connect(self) -> None:
        def on(button: PushButton, call: Callable[[Authoring], object]) -> None:
            button.clicked.connect(lambda: None if self._authoring is None else call(self._authoring))

        on(self.add, lambda a: a.add_page())
        on(self.up, lambda a: a.move(-1))
        on(self.down, lambda a: a.move(1))
        on(self.copy, lambda a: a.duplicate())
        on(self.delete, lambda a: a.delete())
        on(self.show_button, lambda a: self._after_fields(a.preview))
        on(self.present, lambda a: self._after_fields(a.present))
        on(self.take, lambda a: a.take_screen())
        on(self.save, lambda a: self._after_fields(a.save))
        on(self.undo, lambda a: a.undo())
        on(self.redo, lambda a: a.redo())
        on(self.done, lambda a: self._after_fields(a.end))
        on(self.begin, lambda a: a.begin())
        on(self.edit, lambda a: a.edit_open())
        self.list.currentRowChanged.connect(self._open_page)
        self.kind.activated.connect(self._choose_kind)

    def _arrange(self) -> None:
        self._beginning, self._writing = self._make_beginning(), QWidget()
        self._fill_writing(QVBoxLayout(self._writing))
        self._writing.hide()
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._beginning)
        column.addWidget(self._writing)
        self.around = scrolled(whole)
        self.around.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.around)

    def _make_beginning(self) -> QWidget:
        """Return what is seen while no lesson is written."""
        said = QLabel("No lesson is being written.")
        said.setProperty("role", "muted")
        said.setWordWrap(True)
        beginning = QWidget()
        column = QVBoxLayout(beginning)
        column.setContentsMargins(10, 6, 6, 8)
        column.addWidget(said)
        column.addLayout(_row(self.begin, self.edit, None))
        column.addStretch(1)
        return beginning

    def _fill_writing(self, whole: QVBoxLayout) -> None:
        whole.setContentsMargins(10, 6, 6, 8)
        whole.setSpacing(6)
        whole.addLayout(_row(self.save, self.undo, self.redo, None, self.done))
        for row in HEAD:
            whole.addWidget(self._entry(row))
        whole.addLayout(_row(self.add, self.up, self.down, self.copy, self.delete, None))
        whole.addWidget(self.list)
        whole.addLayout(_row(self.show_button, self.take, self.present, self.elsewhere, None))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        self._fill(column)
        self.area = scrolled(inside)
        whole.addWidget(self.area, 1)

    def _fill(self, column: QVBoxLayout) -> None:
        for row in WORDS:
            column.addWidget(self._entry(row))
        column.addWidget(_heading("The screen"))
        column.addWidget(self.summary)
        column.addWidget(self.screen_error)
        for row in SCREEN:
            column.addWidget(self._entry(row))
        column.addWidget(_heading("The question"))
        column.addLayout(_row(self.kind, None))
        column.addWidget(self.question_error)
        for row in QUESTION:
            column.addWidget(self._entry(row))
        column.addWidget(_heading("For the speaker"))
        for row in NOTES:
            column.addWidget(self._entry(row))
        column.addStretch(1)

    def _entry(self, row: _Row) -> _Entry:
        entry = self.entries[row.in_head, row.keys] = _Entry(row)
        entry.put.connect(lambda value, row=row: self._put(row, value))
        entry.field.installEventFilter(self)
        return entry

    # --- showing ---

    def refresh(self) -> None:
        """Show the page that is worked on."""
        authoring = self._authoring
        is_written = authoring is not None and authoring.is_open
        self._beginning.setVisible(not is_written)
        self._writing.setVisible(is_written)
        if authoring is None or not is_written:
            return
        draft, page = authoring.draft, authoring.page
        self._show_list(authoring)
        row = draft.text.pages[page]
        screen = draft.screens[page] if page < len(draft.screens) else Screen()
        for (in_head, keys), entry in self.entries.items():
            if keys == _STARTS:
                entry.show_value({k: v for k, v in row.items() if k in ACTIONS} or None)
            else:
                entry.show_value(draft.text.value(None if in_head else page, *keys))
            entry.show_hint(_inherited(keys, screen))
        self._show_question(row.get("question"))
        self.summary.setText(_summary(screen))
        for button, is_next in (
            (self.save, authoring.is_modified),
            (self.show_button, authoring.is_elsewhere),
        ):
            button.setProperty("accent", is_next)
            _polish(button)
        self.elsewhere.setVisible(authoring.is_elsewhere)
        self.save.setEnabled(authoring.is_modified or authoring.path is None)
        self.undo.setEnabled(authoring.can_undo)
        self.redo.setEnabled(authoring.can_redo)
        self.up.setEnabled(page > 0)
        self.down.setEnabled(page < len(draft) - 1)
        self.delete.setEnabled(len(draft) > 1)
        self._show_problems()

    def _show_list(self, authoring: Authoring) -> None:
        titles = [str(row.get("title") or "(no title)") for row in authoring.draft.text.pages]
        with QSignalBlocker(self.list):
            while self.list.count() > len(titles):
                self.list.takeItem(self.list.count() - 1)
            for number, title in enumerate(titles):
                if number == self.list.count():
                    self.list.addItem(QListWidgetItem())
                self.list.item(number).setText(f"{number + 1}  {title}")
                self.list.item(number).setSizeHint(QSize(0, ROW))
            self.list.setCurrentRow(authoring.page)

    def _show_question(self, question: Any) -> None:
        """Show the fields of a question where there is one."""
        has_question = isinstance(question, dict)
        kind = question.get("kind", "number") if has_question else NO_QUESTION
        self.kind.setCurrentIndex(max(0, self.kind.findText(str(kind))))
        for row in QUESTION:
            is_wanted = has_question and (row.keys[-1] != "choices" or kind == "choice")
            self.entries[False, row.keys].setVisible(is_wanted)
        answer = ANSWERS.get(kind, "a formula over the names of the page")
        self.entries[False, ("question", "answer")].show_hint(answer)

    def _show_problems(self) -> None:
        """Say at every field what is wrong there, and mark the pages that have something wrong."""
        authoring = self._authoring
        if authoring is None or not authoring.is_open:
            return
        own = [p for p in authoring.problems if p.page == authoring.page]
        head = [p for p in authoring.problems if p.page < 0]
        said: dict[tuple[bool, Keys], list[str]] = {}
        for problem in (*own, *head):
            said.setdefault(self._place_of(problem), []).append(_sentence(problem))
        for place, entry in self.entries.items():
            entry.show_error(" ".join(said.pop(place, ())))
        _say(self.question_error, " ".join(said.pop((False, ("question",)), ())))
        _say(self.screen_error, " ".join(sentence for rows in said.values() for sentence in rows))
        wrong = {problem.page for problem in authoring.problems}
        for number in range(self.list.count()):
            self._mark(self.list.item(number), number in wrong)

    def _place_of(self, problem: Problem) -> tuple[bool, Keys]:
        """Return the field that a problem is said at; what has none is said of the screen."""
        in_head, key = problem.page < 0, problem.key
        if key[:1] == ("question",):
            return (False, key[:2]) if (False, key[:2]) in self.entries else (False, ("question",))
        if not key:
            return (False, ("title",)) if "title" in problem.sentence else (False, ())
        if key[0] in ACTIONS:
            return (False, _STARTS)
        return (in_head, key[:1])

    def _mark(self, item: QListWidgetItem, is_wrong: bool) -> None:
        text = item.text().removesuffix("  ▲")
        item.setText(f"{text}  ▲" if is_wrong else text)
        item.setForeground(self.theme.color("error_text" if is_wrong else "text"))
        item.setToolTip("Something is wrong with this page: see its fields." if is_wrong else "")

    # --- what the user does ---

    def _put(self, row: _Row, value: Any) -> None:
        authoring = self._authoring
        if authoring is None or not authoring.is_open:
            return
        if row.keys == _STARTS:
            given = value or {}
            now = authoring.draft.text.pages[authoring.page]
            for key in [k for k in (*ACTIONS, *given) if now.get(k) != given.get(k)]:
                authoring.put((key,), given.get(key))
        else:
            authoring.put(row.keys, value, in_head=row.in_head)

    def _open_page(self, page: int) -> None:
        if self._authoring is not None and page >= 0:
            self._after_fields(lambda: self._authoring and self._authoring.open_page(page))
            self.area.verticalScrollBar().setValue(0)

    def _choose_kind(self, _: int) -> None:
        authoring, kind = self._authoring, self.kind.currentText()
        if authoring is None:
            return
        if kind == NO_QUESTION:
            authoring.put(("question",), None)
        else:
            authoring.put(("question", "kind"), kind)
            self.entries[False, ("question", "ask")].field.setFocus()

    def _after_fields(self, call: Callable[[], object]) -> None:
        """Do something with what has been typed in fields that are taken when they are left."""
        for entry in self.entries.values():
            entry.commit()
        call()

    def _pressed(self, event: QKeyEvent) -> bool:
        """Do what a key means here; say whether it means anything."""
        authoring = self._authoring
        if authoring is None or not authoring.is_open:
            return False
        standard = QKeySequence.StandardKey
        if event.matches(standard.Save):
            self._after_fields(authoring.save)
        elif event.matches(standard.Undo):
            authoring.undo()
        elif event.matches(standard.Redo) or _is_control_y(event):
            authoring.redo()
        elif event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in _MOVES:
            authoring.move(_MOVES[Qt.Key(event.key())])
        else:
            return False
        return True

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(self._writing.minimumSizeHint().width(), LEAST)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._pressed(event):
            return True
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._pressed(event):
            super().keyPressEvent(event)


_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


def _is_control_y(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _is_ours(event: QKeyEvent) -> bool:
    standard = QKeySequence.StandardKey
    wanted = (standard.Save, standard.Undo, standard.Redo)
    return any(event.matches(key) for key in wanted) or _is_control_y(event)


def _inherited(keys: Keys, screen: Screen) -> str:
    """Return what holds of a key that the page says nothing of, "" where that needs no word."""
    iteration = "last" if screen.iteration is None else str(screen.iteration)
    found = {
        "at": screen.at,
        "iteration": iteration,
        "docks": _names_text(list(screen.docks)) if screen.docks else "",
        "camera": _names_text(list(screen.camera)) if screen.camera else "",
        "fault": screen.fault,
        "set": _table_text(dict(screen.values)),
        "training": _table_text(dict(screen.training)),
    }
    return found.get(keys[0], "") if len(keys) == 1 else ""


def _summary(screen: Screen) -> str:
    """Say in a line what network a page shows, and how far it is trained."""
    total = screen.trained + screen.train
    parts = [screen.network, f"{screen.detail.value} detail", f"seed {screen.seed}"]
    return " · ".join([*parts, *([f"{total} iterations trained"] if total else [])])


def _sentence(problem: Problem) -> str:
    """Return what is wrong without the file and the line, which the field stands for."""
    place, colon, rest = problem.sentence.partition(": ")
    return as_sentence(rest if colon and ", line " in place else problem.sentence)


# --- parts -------------------------------------------------------------------------------------------------


class _Pages(QListWidget):
    """The list of pages, some rows high."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Pages")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setFixedHeight(ROWS * ROW + 2)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)

    # Qt

    def event(self, event: QEvent) -> bool:
        return keeps(event, (Qt.Key.Key_Up, Qt.Key.Key_Down)) or super().event(event)


class _Entry(QWidget):
    """A field with its name before it, and what is wrong with it below.

    Signals
    -------
    put(object)
        Another value.
    """

    put = Signal(object)

    def __init__(self, row: _Row) -> None:
        super().__init__()
        self.row = row
        self.field: _Line | _Area = _Line() if row.lines == 1 else _Area(row.lines)
        self.field.setAccessibleName(f"{'Lesson: ' if row.in_head else ''}{row.name}")
        self.field.setPlaceholderText(row.hint)
        self.error = _error_label()
        self._value: Any = None
        label = QLabel(row.name)
        label.setProperty("role", "muted")
        label.setFont(application_font("small"))
        label.setFixedWidth(LABEL)
        label.setBuddy(self.field)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        label.setContentsMargins(0, 7, 0, 0)
        line.addWidget(self.field, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(self.error)
        if row.at_end:
            self.field.left.connect(self.commit)
        else:
            self.field.typed.connect(self.commit)

    def show_value(self, value: Any) -> None:
        """Show a value; what is being typed and means the same stays as it is."""
        self._value = value
        text = self.row.show(value).removesuffix("\n")
        if text != self.field.text() and not self._is_typed_as(value):
            with QSignalBlocker(self.field):
                self.field.put_text(text)
            self.field.updateGeometry()

    def show_hint(self, inherited: str) -> None:
        """Say in the empty field what holds where nothing is said."""
        self.field.setPlaceholderText(inherited or self.row.hint)

    def _is_typed_as(self, value: Any) -> bool:
        if not self.field.hasFocus():
            return False
        try:
            return bool(self.row.read(self.field.text()) == value)
        except (ValueError, RecursionError):
            return self.row.at_end and self.row.show(value) == self.field.shown

    def show_error(self, sentence: str) -> None:
        """Say what is wrong."""
        _say(self.error, sentence)
        if bool(self.field.property("invalid")) != bool(sentence):
            self.field.setProperty("invalid", bool(sentence))
            _polish(self.field)

    def commit(self) -> None:
        """Take what stands there."""
        text = self.field.text()
        if text == self.row.show(self._value).removesuffix("\n"):
            return
        try:
            value = self.row.read(text)
        except (ValueError, RecursionError):  # such as tomllib's own
            self.show_error(f"This cannot be read. Write {self.row.hint}.")
            return
        self._value = value
        self.put.emit(value)


class _Line(QLineEdit):
    """One line; Enter and leaving it take what stands there."""

    typed = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self.textEdited.connect(lambda _: self.typed.emit())
        self.returnPressed.connect(self.left)

    def put_text(self, text: str) -> None:
        """Show another text, from its beginning."""
        self.shown = text
        self.setText(text)
        self.setCursorPosition(0)

    # Qt

    def event(self, event: QEvent) -> bool:
        return keeps(event, EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.put_text(self.shown)
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class _Area(QPlainTextEdit):
    """Several lines; Tab goes to the next field."""

    typed = Signal()
    left = Signal()

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.shown = ""
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)  # the lesson has its own
        height = QFontMetrics(self.font()).lineSpacing() * lines + 22
        self.setFixedHeight(height)
        self.textChanged.connect(self.typed)

    def text(self) -> str:
        """Return what stands there."""
        return self.toPlainText()

    def put_text(self, text: str) -> None:
        """Show another text; the cursor stays as near as it can."""
        self.shown = text
        place = self.textCursor().position()
        self.setPlainText(text)
        cursor = self.textCursor()
        cursor.setPosition(min(place, len(text)))
        self.setTextCursor(cursor)

    # Qt

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not source.hasUrls() and super().canInsertFromMimeData(source)  # files are for the window

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(source.text())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, 8, 0, 0)
    return label


def _error_label() -> QLabel:
    label = QLabel()
    label.setProperty("role", "error")
    label.setFont(application_font("small"))
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.hide()
    return label


def _say(label: QLabel, sentence: str) -> None:
    label.setText(sentence)
    label.setVisible(bool(sentence))


def _polish(widget: QWidget) -> None:
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def _row(*parts: QWidget | None) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    return row
