"""Lessons in the window: panels and camera follow the page, and what a page starts is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QObject, QRectF, Qt

from engine.errors import BackstepError, excerpt
from engine.landscape import Space
from engine.optimizers import OPTIMIZERS
from graphs.lesson import Lesson, Screen, built_in_lessons, load_lesson
from gui.course import CourseRow
from gui.lessons import HeldLesson, LessonPlayer
from gui.races import with_optimizer
from gui.reloading import ReloadOffer

if TYPE_CHECKING:
    from gui.window import Window

__all__ = ["PLACED", "Place", "Teaching"]

PLACED = ("author", "lesson", "practice")
"""The docks that have a :class:`Place`."""
MOST_PLACES = 100
"""Lessons whose page is remembered."""


class Progress(NamedTuple):
    """How far a learner is with a lesson: the last page that was reached, and the pages answered right."""

    reached: int = 0
    answered: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """What is kept of it: ``12:3,5``."""
        return f"{self.reached}:{','.join(map(str, sorted(self.answered)))}"


NOTHING_YET = Progress()


class Teaching(QObject):
    """Holds lessons in a window.

    Parameters
    ----------
    window
        Whose session the lesson is held in, and whose panels it opens.
    """

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.player = LessonPlayer(window.session, self)
        self._is_arranged = False
        self._before: list[Any] = []
        self._welcome = ""  # what is said when a lesson that goes on is there
        self._place = self.place_of("lesson")
        self._places = _read_places(window.settings.get("lessons/places"))
        self._progress = _read_progress(window.settings.get("lessons/progress"))
        self._offer = ReloadOffer(window.notifier, self.reload, self._remark, self)
        self._watched: Path | None = None
        self.player.page_changed.connect(self._watch_file)
        self.player.stage_changed.connect(self._follow)
        self.player.page_changed.connect(self.arrange)
        self.player.state_changed.connect(self._remember)

    # --- facts ---

    def rows(self) -> list[CourseRow]:
        """Return the lessons of the course, for the list."""
        found, names = [], built_in_lessons()
        latest = next((name for name in reversed(self._places) if name in names), "")
        for number, name in enumerate(names, 1):
            lesson = load_lesson(name)
            page, progress = self._places.get(name, 0), self._progress.get(name, NOTHING_YET)
            asked = {n for n, p in enumerate(lesson.pages, 1) if p.question is not None}
            row = CourseRow(
                name,
                number,
                lesson.title,
                lesson.summary,
                len(lesson.pages),
                page,
                is_done=max(page, progress.reached) >= len(lesson.pages),
                is_latest=name == latest,
                questions=len(asked),
                answered=len(asked & progress.answered),
            )
            found.append(row)
        return found

    def place_of(self, name: str) -> Place:
        """Return where a dock with words stands: lesson and exercises share one place."""
        return Place(self._window, name, self._before)

    # --- commands ---

    def open(self, source: str, page: int | None = None) -> None:
        """Begin a lesson by name or file: where it was left unless a page is given, at the last page anew.

        Where it cannot be read, the user is told why; unsaved changes are asked about first.
        """
        try:
            lesson = load_lesson(source)
        except BackstepError as error:
            self._window.notifier.error(error)
            return
        left = self._places.get(_key(lesson), 1) - 1
        number = (left if left < len(lesson.pages) - 1 else 0) if page is None else page
        self._window.filing.leave(lambda: self.begin(lesson, number), f"the lesson {excerpt(lesson.title)}")

    def begin(self, lesson: Lesson, page: int = 0) -> None:
        """Begin a lesson that has been read."""
        window = self._window
        window.build_late()
        panel: Any = window.panels["lesson"]
        panel.set_player(self.player)
        self.player.open(lesson, page)
        window.view.setFocus()

    def held(self) -> HeldLesson | None:
        """Return the lesson that is open and where it stands, None for none."""
        player = self.player
        return None if player.lesson is None else (player.lesson, player.number, dict(player.states))

    def hold(self, held: HeldLesson) -> None:
        """Have a lesson open that is held in another window, where that stands."""
        self._window.build_late()
        panel: Any = self._window.panels["lesson"]
        panel.set_player(self.player)
        self.player.join(*held)

    def end(self) -> None:
        """Leave the lesson; the network stays open."""
        self.player.close()

    def reload(self) -> None:
        """Read the lesson's file again, and show its page as it is now."""
        lesson = self.player.lesson
        if lesson is None or lesson.path is None:
            return
        try:
            self.player.exchange(load_lesson(lesson.path))
        except BackstepError as error:  # what is open stays, and the file is watched on
            self._window.notifier.error(error)

    def resume(self) -> None:
        """Go on with the lesson that was open when the application ended, if there was one."""
        place = next(iter(_read_places((self._window.settings.get("lessons/open"),)).items()), None)
        if place is None:
            return
        with suppress(BackstepError):  # a file that has gone: nothing was asked for, so nothing is said
            lesson = load_lesson(place[0])
            page = max(1, min(place[1], len(lesson.pages)))
            self.begin(lesson, page - 1)
            self._welcome = f"{lesson.title} goes on at page {page}. End the lesson is in the menu."

    def turn(self, direction: int) -> None:
        """Open the next page, or the one before."""
        if direction > 0:
            self.player.forward()
        else:
            self.player.back()

    # --- the window ---

    def arrange(self) -> None:
        """Give the lesson its place while there is one, and put things back afterwards."""
        has_lesson = self.player.lesson is not None
        self._remember()
        self._remember_open()
        if self._window.presenting.is_on:  # arranged when that ends
            return
        if has_lesson and not self._is_arranged:
            self._place.take()
        elif self._is_arranged and not has_lesson:
            self._place.give_back()
        self._is_arranged = has_lesson

    def leave_place(self) -> None:
        """Put the docks back as they were without a lesson: the window is closing."""
        self._place.give_back()

    def _watch_file(self) -> None:
        """Watch the file of the lesson that is open."""
        lesson = self.player.lesson
        path = None if lesson is None else lesson.path
        if path != self._watched:
            self._watched = path
            self._offer.watch(path)

    def _remark(self) -> str | None:
        """Say nothing more of a changed file, and nothing at all where it is written on in this window."""
        authoring = self._window.authoring
        return None if authoring.is_open and authoring.path == self._watched else ""

    def _remember(self) -> None:
        """Keep for the next time which page is open, how far the learner came, and what was answered."""
        lesson = self.player.lesson
        if lesson is None:
            return
        key, page = _key(lesson), self.player.number + 1
        before = self._progress.get(key, NOTHING_YET)
        right = {number + 1 for number, state in self.player.states.items() if state.is_right}
        reached = max(before.reached, self._places.get(key, 0), page)
        self._places = {**{k: p for k, p in self._places.items() if k != key}, key: page}
        self._progress = {
            **{k: p for k, p in self._progress.items() if k != key},
            key: Progress(reached, before.answered | right),
        }
        places = [f"{page} {key}" for key, page in self._places.items()]
        progress = [f"{progress.text} {key}" for key, progress in self._progress.items()]
        self._window.settings.set("lessons/places", tuple(places[-MOST_PLACES:]))
        self._window.settings.set("lessons/progress", tuple(progress[-MOST_PLACES:]))

    def _remember_open(self) -> None:
        """Keep which lesson is open, for the next start; one that is nowhere but here cannot be read then."""
        lesson, number = self.player.lesson, self.player.number
        can_return = lesson is not None and (lesson.path is not None or lesson.name in built_in_lessons())
        row = f"{number + 1} {_key(lesson)}" if lesson is not None and can_return else ""
        self._window.settings.set("lessons/open", row)

    def _follow(self) -> None:
        """Open the page's panels, look where it looks, and start what it starts."""
        stage = self.player.stage
        if stage is None:
            return
        window, screen = self._window, stage.page.screen
        window.filing.note_stage()
        if window.presenting.is_on:
            window.presenting.show_docks((*screen.started, *screen.docks))
        else:
            for name in (*screen.docks, *screen.started):
                window.show_dock(name)
        self._look_at(screen)
        welcome, self._welcome = self._welcome, ""
        if welcome:
            window.notifier.info(welcome)
        for name, value in screen.actions.items():
            _STARTS[name](window, value)

    def _look_at(self, screen: Screen) -> None:
        view, scene = self._window.view, self._window.scene
        rects = [
            scene.node_rect(name) for name in screen.camera if name in self._window.session.statics.names
        ]
        if rects:
            whole = QRectF()
            for rect in rects:
                whole = whole.united(rect)
            view.look_at(whole)
        elif not screen.camera:
            view.fit()


def _key(lesson: Lesson) -> str:
    """Return what a lesson is remembered by: its name, of a file its path."""
    return str(lesson.path) if lesson.path is not None else lesson.name


def _read_places(rows: tuple[str, ...]) -> dict[str, int]:
    """Return the page, counted from 1, that each lesson was left at."""
    found = (row.partition(" ") for row in rows)
    return {key: int(page) for page, _, key in found if key and page.isdecimal() and len(page) < 4}


def _read_progress(rows: tuple[str, ...]) -> dict[str, Progress]:
    """Return how far the learner is with each lesson; what cannot be read counts as nothing."""
    found = {}
    for row in rows:
        text, _, key = row.partition(" ")
        reached, _, pages = text.partition(":")
        answered = [page for page in pages.split(",") if page]
        if key and all(page.isdecimal() and len(page) < 4 for page in (reached, *answered)):
            found[key] = Progress(int(reached), frozenset(map(int, answered)))
    return found


class Place:
    """Where a dock with words stands: above the step, whose panel shares its place with the inspector.

    Parameters
    ----------
    name
        The dock.
    before
        How the docks stood before the first of them had its place, shared by all; empty where none has.
    """

    def __init__(self, window: Window, name: str, before: list[Any]) -> None:
        self._window = window
        self._name = name
        self._before = before

    def take(self) -> None:
        """Give the dock its place, or bring it to the front there; beside another in the same place."""
        window, name = self._window, self._name
        beside = next((n for n in PLACED if n != name and not window.docks[n].isHidden()), "")
        has_place = bool(self._before) and not window.docks[name].isHidden()
        if window.is_small or beside or has_place:
            if beside and not window.is_small and window.docks[name].isHidden():
                window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, window.docks[name])
                window.tabifyDockWidget(window.docks[beside], window.docks[name])
                for each in (name, beside):
                    window.set_bare(each, True)  # its tab says what it is
            window.show_dock(name)
            return
        docks = window.docks
        if not self._before:
            self._before.append(window.saveState())
        right = Qt.DockWidgetArea.RightDockWidgetArea
        for each in (name, "step", "inspector"):
            window.addDockWidget(right, docks[each])
        window.splitDockWidget(docks[name], docks["step"], Qt.Orientation.Vertical)
        window.tabifyDockWidget(docks["step"], docks["inspector"])
        for each in (name, "step", "inspector"):
            docks[each].show()
            window.set_bare(each, each != name)  # its tab says what it is
        docks["step"].raise_()
        window.size_column(name)

    def give_back(self) -> None:
        """Put the docks back to where they were before."""
        others = [n for n in PLACED if n != self._name and not self._window.docks[n].isHidden()]
        if self._before and not others:
            self._window.restoreState(self._before.pop())
            for name in ("step", "inspector"):
                self._window.set_bare(name, False)
        self._window.docks[self._name].hide()


# --- what a page starts ------------------------------------------------------------------------------------


def _race(window: Window, names: list[str]) -> None:
    recipe = window.session.document.recipe
    recipes = [with_optimizer(recipe, name) for name in names if name in OPTIMIZERS]
    window.session.race(recipes, replaces=True)  # a page that is shown again races once


def _nudge(window: Window, text: str) -> None:
    name, bracket, entry = text.partition("[")
    window.session.select(name)
    if bracket:
        index = tuple(int(part) for part in entry.rstrip("]").split(","))
        window.session.pick(name, index)
    window.nudge()


def _landscape(window: Window, entries: list[str]) -> None:
    space = Space.of(window.session.model.graph)
    with suppress(BackstepError):  # said by --check; on a projector the rest of the page is worth more
        panel: Any = window.panels["landscape"]
        panel.choose("entries", *(space.index(entry) for entry in entries[:2]))


def _sweep(window: Window, wanted: bool) -> None:
    if wanted:
        panel: Any = window.panels["sweep"]
        panel.begin_proposed()


def _play(window: Window, wanted: bool) -> None:
    if wanted and not window.session.playing:
        window.session.toggle_play()


def _shelf(window: Window, recomputed: bool | list[str]) -> None:
    """Have the values of a list worked out again on the shelf, and all others kept."""
    panel: Any = window.panels["shelf"]
    panel.recompute(frozenset(recomputed) if isinstance(recomputed, list) else frozenset())


_STARTS: Mapping[str, Callable[[Any, Any], None]] = {
    "nudge": _nudge,
    "search": lambda window, count: window.session.start_search(count),
    "race": _race,
    "landscape": _landscape,
    "sweep": _sweep,
    "microscope": lambda window, name: window.session.select(name),
    "shelf": _shelf,
    "play": _play,
}
"""What starts each of a page's actions."""
