"""A lesson while it is being written: its text, what can be read of it, and the changes that a window makes.

A page shows what it shows whatever is done to the pages before it: where one is moved, deleted or given
another screen, those after it are made to say what they had from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import LessonError
from graphs.lesson import MOST_PAGES, Lesson, Misread, Screen, read_in_part
from graphs.lessontext import LessonText
from graphs.reading import plain
from graphs.screens import STAYING, Shot, row_of, settled
from graphs.staging import Problem, Stager, problems_of

__all__ = ["Draft"]

_OWN = ("highlight", "hide")


@dataclass(frozen=True)
class Draft:
    """A lesson's text, which always is TOML, and what it comes to.

    Attributes
    ----------
    name, path
        As of a lesson; a lesson that has never been saved has no path.
    """

    text: LessonText
    name: str = "lesson"
    path: Path | None = None

    @classmethod
    def of(cls, text: str, path: Path | None = None) -> Draft:
        """Return the draft of a file's text.

        Raises
        ------
        LessonError
            Where it is not TOML, has no page, or has pages that cannot be changed one by one.
        """
        draft = cls(LessonText(plain(text)), path.stem if path is not None else "lesson", path)
        if draft.lesson is None:
            raise draft.misread[-1].error
        if not draft.text.is_editable:
            raise LessonError(
                "the pages of this lesson cannot be changed here.",
                where=path.name if path is not None else "",
                how="Begin each page with [[page]] on a line of its own.",
            )
        return draft

    # --- facts ---

    @cached_property
    def _read(self) -> tuple[Lesson | None, list[Misread]]:
        return read_in_part(self.text.text, name=self.name, path=self.path)

    @property
    def lesson(self) -> Lesson | None:
        """The lesson without what cannot be read in it; None while it has no page."""
        return self._read[0]

    @property
    def misread(self) -> list[Misread]:
        """What cannot be read."""
        return self._read[1]

    @property
    def screens(self) -> list[Screen]:
        """What each page shows."""
        return [page.screen for page in self.lesson.pages] if self.lesson is not None else []

    def __len__(self) -> int:
        return len(self.text.pages)

    def unread(self) -> list[Problem]:
        """Return what cannot be read, each at its key."""
        return [_as_problem(found) for found in self.misread]

    def problems(self) -> Iterator[list[Problem]]:
        """Yield everything that is wrong, page by page: what ``lesson --check`` says of it."""
        unread, lesson = self.unread(), self.lesson
        yield [found for found in unread if found.page < 0]
        if lesson is None:
            yield [found for found in unread if found.page >= 0]
            return
        stager = Stager(lesson)
        for number in range(len(lesson.pages)):
            yield [found for found in unread if found.page == number] + list(problems_of(stager, number))

    # --- changes ---

    def with_value(self, page: int | None, keys: Sequence[str], value: Any) -> Draft:
        """Return the draft with another value at a key, or without it where that is None."""
        changed = replace(self, text=self.text.with_value(page, keys, value))
        if page is None or keys[0] not in STAYING or changed.lesson is None:
            return changed
        screens = self.screens
        screens[page] = changed.screens[page]
        return changed._settled(screens)

    def with_page(self, shot: Shot, place: int, title: str, text: str = "") -> Draft:
        """Return the draft with a page that shows what is on the screen.

        Raises
        ------
        LessonError
            Where the lesson has as many pages as one can have.
        """
        self._require_room()
        screens = self.screens
        carrying = self._carrying(shot)
        before = screens[place - 1] if place else self._start
        row = {"title": title, "text": text, **row_of(shot.screen, before, starts=not place)}
        grown = replace(carrying, text=carrying.text.with_page(place, row))
        return grown._settled([*screens[:place], shot.screen, *screens[place:]])

    def with_screen(self, shot: Shot, page: int) -> Draft:
        """Return the draft with a page that shows what is on the screen; its words stay."""
        screens = self.screens
        carrying = self._carrying(shot)
        before = screens[page - 1] if page else self._start
        row = row_of(shot.screen, before, starts=not page)
        text = carrying.text.with_row(page, row, (*STAYING, *_OWN, *shot.screen.actions))
        screens[page] = replace(shot.screen, actions={**screens[page].actions, **shot.screen.actions})
        return replace(carrying, text=text)._settled(screens)

    def moved(self, page: int, to: int) -> Draft:
        """Return the draft with a page in another place."""
        screens = self.screens
        screens.insert(to, screens.pop(page))
        return replace(self, text=self.text.moved(page, to))._settled(screens)

    def duplicated(self, page: int) -> Draft:
        """Return the draft with a page twice.

        Raises
        ------
        LessonError
            Where the lesson has as many pages as one can have.
        """
        self._require_room()
        screens = self.screens
        screens.insert(page, screens[page])
        return replace(self, text=self.text.duplicated(page))._settled(screens)

    def without(self, page: int) -> Draft:
        """Return the draft without a page.

        Raises
        ------
        LessonError
            For the last one.
        """
        if len(self) == 1:
            raise LessonError("a lesson has at least one page.", how="Add another one first.")
        screens = self.screens
        del screens[page]
        return replace(self, text=self.text.without_page(page))._settled(screens)

    def _require_room(self) -> None:
        if len(self) >= MOST_PAGES:
            raise LessonError(
                f"the lesson has {MOST_PAGES} pages, the most there can be.", how="Begin another one."
            )

    @property
    def _start(self) -> Screen:
        return self.lesson.start if self.lesson is not None else Screen()

    def _carrying(self, shot: Shot) -> Draft:
        if not shot.carried:
            return self
        return replace(self, text=self.text.with_network(shot.screen.network, shot.carried))

    def _settled(self, screens: Sequence[Screen]) -> Draft:
        return replace(self, text=settled(self.text, screens))


def _as_problem(found: Misread) -> Problem:
    keys, error = found.keys, found.error
    sentence = str(LessonError(error.what, how=error.how))
    line = int(error.where.rpartition("line ")[2]) if "line " in error.where else 1
    if keys[:1] == ("page",) and len(keys) > 1 and isinstance(keys[1], int):
        return Problem(line, sentence, keys[1], tuple(str(key) for key in keys[2:]))
    return Problem(line, sentence, -1, tuple(str(key) for key in keys))
