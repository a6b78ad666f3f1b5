"""Writing a lesson in the window: pages from what is on the screen, with undo, checks and a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.errors import BackstepError
from engine.names import plain_name
from graphs.files import write_whole
from graphs.lesson import DOCKS, Lesson, text_of
from graphs.lessondraft import Draft
from graphs.lessontext import LessonText
from graphs.screens import Looks, Shot, is_place_alike, shot
from graphs.staging import Problem
from graphs.writing import as_in
from gui.dialogs import ask_open, ask_save, completed
from gui.docking import hide_stale_tabs
from gui.garbage import soon
from gui.jobs import Task
from gui.question import UnsavedQuestion
from gui.reloading import ReloadOffer

__all__ = ["Authoring"]

CALM = 400  # ms without another letter after which the lesson is checked
MOST_BACK = 200
UNTITLED = "Untitled lesson"
LEAVING = "If you discard them now, they are lost."
FILTER = "Lessons (*.toml)"
COLUMN = ("lesson", "practice", "step", "inspector")
"""The docks that the editor is a tab beside."""


@dataclass(frozen=True)
class _State:
    """What can be gone back to: a draft, and the page that was open in it."""

    draft: Draft
    page: int


class Authoring(QObject):
    """The lesson that is being written in a window.

    Parameters
    ----------
    window
        Whose screen the pages are made from.

    Signals
    -------
    changed()
        Another text, another page, or another state of the file.
    checked()
        What is wrong is known, or known in part.
    opened(bool)
        Writing has begun or ended.
    """

    changed = Signal()
    checked = Signal()
    opened = Signal(bool)

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._draft: Draft | None = None
        self._page = 0
        self._saved = ""  # the text that is on the disk
        self._source = ""  # the file as it was read, for its line ends
        self._back: list[_State] = []
        self._forth: list[_State] = []
        self._merge: object = None
        self._problems: dict[int, list[Problem]] = {}
        self._shown: Lesson | None = None  # in the player
        self._check: Task | None = None
        self._write: Task | None = None
        self._is_leaving = False
        self._before: Any = None
        self._awaiting: list[Callable[[], object]] = []  # the page that a lesson is about to show
        self._is_elsewhere = False
        self._calm = QTimer(self, singleShot=True, interval=CALM)
        self._calm.timeout.connect(self._look_over)
        self._offer = ReloadOffer(window.notifier, self.reload, self._remark, self)
        player = window.teaching.player
        for signal in (player.page_changed, player.stage_changed, player.failed):
            signal.connect(self._go_on)
        player.stage_changed.connect(self._compare)

    # --- facts ---

    @property
    def is_open(self) -> bool:
        """Whether a lesson is being written."""
        return self._draft is not None

    @property
    def is_in_hand(self) -> bool:
        """Whether a lesson is being written: its editor is in sight, or no other lesson is open."""
        lesson, panel = self._window.teaching.player.lesson, self._window.panels.get("author")
        is_seen = panel is not None and panel.is_seen
        return self.is_open and (is_seen or lesson is None or lesson is self._shown)

    @property
    def draft(self) -> Draft:
        """The lesson as it is now."""
        assert self._draft is not None
        return self._draft

    @property
    def page(self) -> int:
        """The page that is worked on, counted from 0."""
        return self._page

    @property
    def path(self) -> Path | None:
        """The file that *Save* writes, None where it has to be asked for."""
        return self._draft.path if self._draft is not None else None

    @property
    def name(self) -> str:
        """What the lesson is called in questions: its file, or its title."""
        return (
            self.path.name if self.path is not None else str(self.draft.text.value(None, "title") or UNTITLED)
        )

    @property
    def is_modified(self) -> bool:
        """Whether anything is unsaved."""
        return self._draft is not None and self._draft.text.text != self._saved

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, as far as it has been looked over."""
        return [problem for rows in self._problems.values() for problem in rows]

    @property
    def is_checking(self) -> bool:
        """Whether the lesson has still to be looked over."""
        return self._calm.isActive() or (self._check is not None and self._check.running)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the screen shows something else than the page that has been opened or shown last."""
        return self._is_elsewhere

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._back)

    @property
    def can_redo(self) -> bool:
        """Whether there is anything to do again."""
        return bool(self._forth)

    # --- beginning and ending ---

    def begin(self) -> None:
        """Begin a lesson whose first page is what is on the screen, or is about to be."""
        self._when_shown(lambda: self._after_saving(self._begin))

    def _begin(self) -> None:
        draft = self._tried(
            lambda: Draft(LessonText.begun(UNTITLED)).with_page(self._shot({}), 0, "The first page")
        )
        if draft is not None:
            self._enter(draft, "", draft.text.text)  # nobody has written anything yet

    def edit_open(self) -> None:
        """Write on in the lesson that is open; in a copy of one of the course."""
        lesson = self._window.teaching.player.lesson
        if lesson is None:
            self.ask_open()
        elif lesson is not self._shown:
            number = self._window.teaching.player.number
            self._after_saving(lambda: self._edit(lesson.path, lesson.name, number))
        else:
            self._window.show_dock("author")

    def ask_open(self) -> None:
        """Let the user choose a lesson's file to write on."""
        settings = self._window.settings

        def edit(path: str) -> None:
            settings.set("files/folder", str(Path(path).parent))
            self.edit(Path(path))

        ask_open(self._window, "Edit a lesson", settings.get("files/folder"), FILTER, edit)

    def edit(self, path: Path) -> None:
        """Write on in a lesson's file."""
        self._after_saving(lambda: self._edit(path.resolve(), path.stem, 0))

    def _edit(self, path: Path | None, name: str, page: int) -> None:
        def read() -> tuple[str, Draft]:
            if path is not None:
                text = text_of(path)
                return text, Draft.of(text, path)
            text = (resources.files("graphs") / "lessons" / f"{name}.toml").read_text("utf-8")
            return text, replace(Draft.of(text), name=name)

        found = self._tried(read)
        if found is not None:
            text, draft = found
            self._enter(draft, text, draft.text.text, page)

    def restore(self, text: str, path: Path | None) -> bool:
        """Write on in what was left of a lesson that was never saved; return whether that can be done."""
        draft = self._tried(lambda: replace(Draft.of(text), path=path))
        if draft is None:
            return False
        self._enter(draft, text, "")
        return True

    def _enter(self, draft: Draft, source: str, saved: str, page: int = 0) -> None:
        was_open = self.is_open
        self._draft, self._source, self._saved = draft, source, saved
        self._page = min(page, len(draft) - 1)
        self._back, self._forth, self._merge, self._problems, self._shown = [], [], None, {}, None
        self._offer.watch(self.path)
        self._window.build_late()
        if not was_open:
            self._take_place()
            self.opened.emit(True)
        self._window.show_dock("author")
        self._compare()
        self._tell()

    def end(self) -> None:
        """Stop writing; what is unsaved is asked for."""
        if self.is_open:
            self._after_saving(self._end)

    def _end(self) -> None:
        if self._shown is not None and self._window.teaching.player.lesson is self._shown:
            self._window.teaching.end()
        if self._check is not None:
            self._check.cancel()
        self._calm.stop()
        self._draft, self._shown, self._problems = None, None, {}
        self._offer.watch(self.path)
        self.leave_place()
        self.changed.emit()
        self.opened.emit(False)
        self._window.view.setFocus()

    def close(self) -> bool:
        """Say whether the window may close now; if not, the user is asked, or the file is being written."""
        if self._is_leaving or not (self.is_modified or self._write is not None):
            return True
        if self._write is not None:
            self._write.ended.connect(self._window.close)
            return False
        self._ask(self._leave)
        return False

    def _leave(self) -> None:
        self.give_up()
        self._window.close()

    def give_up(self) -> None:
        """Let the window close without a question."""
        self._is_leaving = True

    def _after_saving(self, then: Callable[[], object]) -> None:
        """Do something that another lesson takes the place for; what is unsaved is asked for first."""
        if self.is_modified:
            self._ask(then)
        else:
            then()

    def _ask(self, then: Callable[[], object]) -> None:
        window = self._window
        window.presenting.end()  # no question on the projector
        question = UnsavedQuestion(window.theme, self.name, LEAVING, window)
        question.save.connect(lambda: self.save(then))
        question.discard.connect(then)
        window.show_overlay(question)

    # --- the file ---

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Write the lesson's file; ask for one where there is none."""
        if self.path is None:
            self.save_as(then)
        elif self._write is None:
            self._save_to(self.path, then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Let the user choose a file, and write it."""
        folder = (
            self.path.parent if self.path is not None else Path(self._window.settings.get("files/folder"))
        )
        name = self.path.name if self.path is not None else f"{_file_name(self.draft)}.toml"

        def save(path: str, _: str) -> None:
            target = Path(path) if path.endswith(".toml") else self._tried(lambda: completed(path, ".toml"))
            if target is not None:
                self._window.settings.set("files/folder", str(target.parent))
                self._save_to(target.resolve(), then)

        ask_save(self._window, "Save the lesson", str(folder / name), FILTER, save)

    def _save_to(self, path: Path, then: Callable[[], object] | None) -> None:
        text, source = self.draft.text.text, self._source

        def work() -> Iterator[None]:
            write_whole(path, as_in(source, text).encode())
            yield

        def end() -> None:
            self._write = None
            self._saved = text
            if self._draft is not None:
                self._draft = replace(self._draft, path=path, name=path.stem)
            self._offer.watch(self.path)
            self._window.notifier.info(f"Saved {path.name}.")
            self.changed.emit()
            if then is not None:
                then()

        def fail(sentence: str) -> None:
            self._write = None
            self._window.notifier.error(sentence)

        task = self._write = Task(work, self)
        task.ended.connect(end)
        task.failed.connect(fail)
        task.start()

    @property
    def is_busy(self) -> bool:
        """Whether the file is being written."""
        return self._write is not None

    def _remark(self) -> str | None:
        """Return what is said besides of a file that somebody else has changed; None for nothing at all."""
        if self.is_busy:
            return None
        return "Reloading drops your unsaved changes; Undo brings them back." if self.is_modified else ""

    def reload(self) -> None:
        """Read the file again; undo goes back to what stood here."""
        path = self.path
        if path is None:
            return
        found = self._tried(lambda: (text_of(path), Draft.of(text_of(path), path)))
        if found is not None:
            self._source, draft = found
            self._saved = draft.text.text
            self._change(draft, min(self._page, len(draft) - 1))
            self._offer.watch(self.path)

    # --- pages ---

    def open_page(self, page: int) -> None:
        """Work on another page."""
        if self.is_open and page != self._page and 0 <= page < len(self.draft):
            self._page, self._merge = page, None
            self._compare()
            self.changed.emit()

    def _compare(self) -> None:
        """See whether the screen shows the page that is open."""
        if not self.is_open:
            return
        was_elsewhere = self._is_elsewhere
        try:
            wanted = self.draft.screens[self._page]
            self._is_elsewhere = not is_place_alike(self._shot().screen, wanted)
        except (BackstepError, IndexError):  # of a page that cannot be read nobody knows
            self._is_elsewhere = False
        if self._is_elsewhere != was_elsewhere:
            self.changed.emit()

    def _when_shown(self, call: Callable[[], object]) -> None:
        """Do something with the screen, once the page of a lesson that is on its way to it has come."""
        self._awaiting.append(call)
        self._go_on()

    def _go_on(self, *_: object) -> None:
        player = self._window.teaching.player
        if player.lesson is not None and player.stage is None and player.is_busy:
            return
        awaiting, self._awaiting = self._awaiting, []
        for call in awaiting:
            call()

    def add_page(self) -> None:
        """Add what is on the screen as a page, after the one that is open; begin a lesson where none is."""
        if self.is_open:
            self._when_shown(self._add_page)
        else:
            self.begin()

    def _add_page(self) -> None:
        if not self.is_open:  # it has ended while the screen was on its way
            return
        draft = self._tried(lambda: self.draft.with_page(self._shot(), self._page + 1, self._title()))
        if draft is not None:
            self._change(draft, self._page + 1)
            self._compare()
            self._window.show_dock("author")

    def _title(self) -> str:
        """Return what a new page is called until somebody says better: where on the timeline it is."""
        step = self._window.session.frame.step
        return f"{step.phase.value.capitalize()}: {plain_name(step.target)}" if step else "At the start"

    def take_screen(self) -> None:
        """Let the page that is open show what is on the screen."""
        self._when_shown(self._take_screen)

    def _take_screen(self) -> None:
        if self.is_open:
            self._try(lambda: self.draft.with_screen(self._shot(), self._page), self._page)
            self._compare()

    def move(self, direction: int) -> None:
        """Move the page that is open up or down."""
        to = self._page + direction
        if self.is_open and 0 <= to < len(self.draft):
            self._try(lambda: self.draft.moved(self._page, to), to)

    def duplicate(self) -> None:
        """Have the page that is open twice."""
        if self.is_open:
            self._try(lambda: self.draft.duplicated(self._page), self._page + 1)

    def delete(self) -> None:
        """Take the page that is open away."""
        if self.is_open:
            self._try(lambda: self.draft.without(self._page), min(self._page, max(0, len(self.draft) - 2)))
            self._compare()

    def put(self, keys: Sequence[str], value: Any, *, in_head: bool = False) -> None:
        """Give a key of the page, or of the head, another value; None takes it away.

        One letter after the other in the same field is one change.
        """
        page = None if in_head else self._page
        draft = self._tried(lambda: self.draft.with_value(page, keys, value))
        if draft is not None and draft.text.text != self.draft.text.text:
            self._change(draft, self._page, merge=(page, *keys))

    def undo(self) -> None:
        """Take the last change back."""
        self._travel(self._back, self._forth)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._travel(self._forth, self._back)

    def _travel(self, source: list[_State], target: list[_State]) -> None:
        if self.is_open and source:
            target.append(_State(self.draft, self._page))
            state = source.pop()
            self._draft = replace(state.draft, path=self.draft.path, name=self.draft.name)
            self._page, self._merge = state.page, None
            self._tell()

    def _try(self, make: Callable[[], Draft], page: int) -> None:
        draft = self._tried(make)
        if draft is not None:
            self._change(draft, page)

    def _tried(self, make: Callable[[], Any]) -> Any:
        """Return what comes of it, or say why nothing does and return None."""
        try:
            return make()
        except BackstepError as error:
            self._window.notifier.error(error)
            return None

    def _change(self, draft: Draft, page: int, merge: object = None) -> None:
        if merge is None or merge != self._merge:
            self._back = [*self._back[1 - MOST_BACK :], _State(self.draft, self._page)]
        self._merge, self._forth = merge, []
        self._draft, self._page = draft, page
        self._tell()

    def _tell(self) -> None:
        self._calm.start()
        self.changed.emit()

    # --- what is on the screen ---

    def _shot(self, networks: Any = None) -> Shot:
        lesson = self._draft.lesson if self._draft is not None else None
        known = lesson.networks if lesson is not None else {}
        return shot(self._window.session.snapshot(), self._looks(), known if networks is None else networks)

    def _looks(self) -> Looks:
        window, session = self._window, self._window.session
        selection = session.selection
        chosen = () if selection is None else (_as_said(selection),)
        docks = [name for name in DOCKS if name in window.panels and window.panels[name].is_seen]
        if "loss" in docks and not any(run.iterations for run in session.runs):
            docks.remove("loss")  # it is always there, and has nothing to show yet
        nudge = session.frame.nudge
        actions = {} if nudge is None else {"nudge": _entry_said(nudge.name, nudge.index)}
        return Looks(
            highlight=tuple(dict.fromkeys((*session.marked, *chosen))),
            hide=() if session.predicting else session.hidden,
            docks=docks,
            camera=() if window.view.is_fitted else self._in_sight(),
            actions=actions,
        )

    def _in_sight(self) -> list[str]:
        """Return the nodes that can be seen as a whole."""
        view, scene = self._window.view, self._window.scene
        sight = view.mapToScene(view.viewport().rect()).boundingRect()
        names = self._window.session.statics.names
        found = [name for name in names if sight.contains(scene.node_rect(name))]
        return [] if len(found) == len(names) else found

    # --- showing and checking ---

    def preview(self) -> None:
        """Show the page as the learner will see it."""
        lesson = self.draft.lesson if self.is_open else None
        if lesson is None:
            return
        self._shown = lesson
        self._window.teaching.begin(lesson, min(self._page, len(lesson.pages) - 1))
        self._window.show_dock("lesson")

    def present(self) -> None:
        """Show the page as the projector will show it."""
        self.preview()
        if not self._window.presenting.is_on:
            self._window.presenting.begin()

    def _look_over(self) -> None:
        """Find out in the background what is wrong, and show new words where the page is shown."""
        if self._draft is None:
            return
        if self._check is not None:
            self._check.cancel()
        draft, number = self._draft, -1
        self._problems = {-1: [], **{p: rows for p, rows in self._problems.items() if 0 <= p < len(draft)}}
        player = self._window.teaching.player
        if draft.lesson is not None and player.lesson is self._shown is not None:
            self._shown = draft.lesson
            player.revise(draft.lesson)

        def take(rows: list[Problem]) -> None:
            nonlocal number
            self._problems[number] = rows
            number += 1
            self.checked.emit()

        task = self._check = Task(draft.problems, self)
        task.came.connect(take)
        task.ended.connect(self.checked)
        task.failed.connect(self._window.notifier.error)
        task.start()

    # --- its place ---

    def _take_place(self) -> None:
        """Let the dock share the whole column at the right with the others that stand there."""
        window, right = self._window, Qt.DockWidgetArea.RightDockWidgetArea
        if window.is_small:
            return
        names = ["author", *(n for n in COLUMN if not window.docks[n].isHidden())]
        bare = {name: window.docks[name].titleBarWidget() is not None for name in names}
        self._before = (window.saveState(), bare)
        for name in names:
            window.docks[name].hide()  # side by side for a moment, they would make the window higher
        for name in names:
            window.addDockWidget(right, window.docks[name])
            window.set_bare(name, True)  # its tab says what it is
        for name in names[1:]:
            window.tabifyDockWidget(window.docks["author"], window.docks[name])
        for name in names:
            window.docks[name].show()
        soon(self, lambda: hide_stale_tabs(window))

    def leave_place(self) -> None:
        """Put the docks back as they were before writing began."""
        window, before = self._window, self._before
        self._before = None
        if before is not None:
            state, bare = before
            window.restoreState(state)
            for name, is_bare in bare.items():
                window.set_bare(name, is_bare)
        window.docks["author"].hide()


def _as_said(selection: str | tuple[str, str, int]) -> str:
    return selection if isinstance(selection, str) else f"{selection[0]} -> {selection[1]}"


def _entry_said(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _file_name(draft: Draft) -> str:
    words = "".join(c if c.isalnum() else "-" for c in str(draft.text.value(None, "title") or "").lower())
    return "-".join(filter(None, words.split("-")))[:60] or "lesson"
