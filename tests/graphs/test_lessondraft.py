"""A lesson while it is written: what is wrong is said at its key, and other pages show what they showed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import LessonError
from graphs.lesson import built_in_lessons, load_lesson, read_in_part
from graphs.lessondraft import Draft
from graphs.staging import Problem, problems

LESSON = """\
title = "A lesson"
network = "two-layer-nonlinear"
[[page]]
title = "One"
text = "The loss is {{L}}."
docks = ["fit"]
at = "forward A"
[[page]]
title = "Two"
train = 5
[[page]]
title = "Three"
iteration = 2
"""


def found(draft: Draft) -> list[Problem]:
    return [problem for rows in draft.problems() for problem in rows]


def test_pages_after_one_that_is_changed_show_what_they_showed() -> None:
    draft = Draft.of(LESSON)
    changed = draft.with_value(0, ("at",), "end").with_value(0, ("docks",), ["loss"])
    assert changed.screens[0].at == "end"
    assert [s.at for s in changed.screens[1:]] == ["forward A"] * 2
    assert [s.docks for s in changed.screens] == [("loss",), ("fit",), ("fit",)]
    assert changed.text.value(2, "at") is None  # said once, by the page after
    gone = draft.without(1)
    assert [(s.trained + s.train, s.iteration) for s in gone.screens] == [(0, 0), (5, 2)]
    moved = draft.moved(2, 0)
    assert [(s.trained + s.train, s.at) for s in moved.screens] == [
        (5, "forward A"),
        (0, "forward A"),
        (5, "forward A"),
    ]


def test_words_change_no_other_page() -> None:
    draft = Draft.of(LESSON)
    changed = draft.with_value(1, ("title",), "Other").with_value(1, ("question", "ask"), "?")
    assert changed.screens == draft.screens
    assert changed.text.pages[::2] == draft.text.pages[::2]


@pytest.mark.parametrize(
    ("page", "keys", "value", "key", "sentence"),
    [
        (0, ("title",), "", (), "the page has no title"),
        (1, ("docks",), ["nope"], ("docks",), "there is no dock nope"),
        (2, ("at",), "nowhere", ("at",), "there is no place 'nowhere'"),
        (2, ("iteration",), 9, ("iteration",), "iteration 9 has not been trained"),
        (1, ("question", "ask"), "?", ("question",), "lacks ask or answer"),
        (0, ("text",), "It is 0.5.", ("text",), "0.5 is not checked"),
        (0, ("notes",), "$x", ("notes",), "a formula is not closed"),
        (1, ("hide",), ["nope"], ("hide",), "nothing named nope to hide"),
        (1, ("training",), {"learning_rate": -1}, ("training",), "learning rate"),
        (1, ("set",), {"nope": 1.0}, ("set",), "nope"),
        (1, ("fault",), "nope", ("fault",), "there is no fault nope"),
        (1, ("network",), "nope", ("network",), "there is no network nope"),
        (1, ("nudge",), 3, ("nudge",), "nudge cannot be 3"),
        (1, ("wait",), {"at": "nowhere"}, ("wait",), "there is no place"),
    ],
)
def test_what_is_wrong_is_said_at_its_key(
    page: int, keys: tuple[str, ...], value: object, key: tuple[str, ...], sentence: str
) -> None:
    draft = Draft.of(LESSON).with_value(page, keys, value)
    wordless = [page for page, row in enumerate(draft.text.pages) if not row.get("text")]
    said = [p for p in found(draft) if p.page == page and (p.key != ("text",) or page not in wordless)]
    assert [problem.key for problem in said] == [key]
    assert sentence in said[0].sentence
    line = draft.text.text.split("\n")[said[0].line - 1]
    assert line.startswith(key[0] if key and key != ("question",) else "[")


def test_everything_that_cannot_be_read_is_said_at_once() -> None:
    text = LESSON.replace('title = "Two"', 'title = "Two"\nhint = 3\ntrian = 4').replace(
        "iteration = 2", "iteration = -2"
    )
    lesson, misread = read_in_part(text)
    assert lesson is not None
    assert [page.title for page in lesson.pages] == ["One", "Two", "Three"]
    assert {found.keys[-1] for found in misread} == {"hint", "trian", "iteration"}
    assert "Did you mean train?" in str(next(f.error for f in misread if f.keys[-1] == "trian"))
    lesson, misread = read_in_part('title = "x"\n')
    assert lesson is None
    assert "has no pages" in str(misread[0].error)


@pytest.mark.parametrize("name", built_in_lessons())
def test_the_course_is_read_in_part_as_it_is_read_whole(name: str) -> None:
    whole = load_lesson(name)
    draft = Draft.of(Path(f"graphs/lessons/{name}.toml").read_text("utf-8"))
    assert draft.misread == []
    assert draft.lesson is not None
    assert draft.lesson.pages == whole.pages


def test_the_draft_says_what_the_command_line_says() -> None:
    draft = Draft.of(LESSON).with_value(0, ("at",), "nowhere").with_value(2, ("text",), "$ {{nope}} 1.5")
    assert draft.lesson is not None
    assert found(draft) == list(problems(draft.lesson))
    assert len(found(draft)) > 3


def test_files_that_cannot_be_written_on_are_refused() -> None:
    for text, sentence in (
        ("title = ", "not valid TOML"),
        ('title = "x"', "has no pages"),
        ('title = "x"\nnetwork = "two-layer-linear"\npage = [{ title = "One" }]', "cannot be changed here"),
    ):
        with pytest.raises(LessonError, match=sentence):
            Draft.of(text)
    with pytest.raises(LessonError, match="at least one page"):
        Draft.of(LESSON).without(0).without(0).without(0)
