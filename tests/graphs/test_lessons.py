"""The course: every lesson can be held, every number in it is true, every question can be answered."""

from __future__ import annotations

import re

import pytest

from graphs.lesson import Lesson, built_in_lessons, load_lesson
from graphs.staging import Stager, problems

COURSE = built_in_lessons()
LONGEST = 80
"""Words of a page's text: in presenter mode it stands beside the graph in large letters."""


def lessons() -> list[Lesson]:
    return [load_lesson(name) for name in COURSE]


def test_the_course_is_whole_and_in_order() -> None:
    assert [int(name.partition("-")[0]) for name in COURSE] == list(range(1, 16))
    assert len({lesson.title for lesson in lessons()}) == 15
    assert all(lesson.summary.endswith(".") for lesson in lessons())


def test_a_lesson_is_found_by_number_and_by_words() -> None:
    assert load_lesson("4").name == load_lesson("chain-rule").name == load_lesson("04-chain-rule").name


@pytest.mark.parametrize("name", COURSE)
def test_nothing_is_wrong_with_a_lesson(name: str) -> None:
    assert [f"{found.line}: {found.sentence}" for found in problems(load_lesson(name))] == []


@pytest.mark.parametrize("name", COURSE)
def test_a_lesson_has_the_form_of_a_lesson(name: str) -> None:
    lesson = load_lesson(name)
    assert 8 <= len(lesson.pages) <= 20
    assert len({page.title for page in lesson.pages}) == len(lesson.pages)
    assert "After this lesson" in " ".join(lesson.pages[0].text.split())
    assert "**Try alone:**" in lesson.pages[-1].text
    asked = [page for page in lesson.pages if page.question is not None]
    done = [
        page for page in lesson.pages if page.wait is not None or page.screen.train or page.screen.actions
    ]
    assert len(asked) >= len(lesson.pages) / 3.5
    assert len(done) >= 1
    assert len({page.question.kind for page in asked if page.question}) >= 2
    assert sum(bool(page.notes) for page in lesson.pages) >= 0.6 * len(lesson.pages)


@pytest.mark.parametrize("name", COURSE)
def test_a_page_fits_beside_the_graph(name: str) -> None:
    for page in load_lesson(name).pages:
        words = re.sub(r"\$\$?.*?\$\$?", " formula ", page.text, flags=re.DOTALL).split()
        assert len(words) <= LONGEST, page.title
        assert page.text.count("$$") <= 4, page.title


@pytest.mark.parametrize("name", COURSE)
def test_every_question_can_be_answered_and_has_hints(name: str) -> None:
    stager = Stager(load_lesson(name))
    for number, page in enumerate(stager.lesson.pages):
        question = page.question
        if question is None:
            continue
        stage = stager.stage(number)
        assert stage.posed is not None
        shape = "x".join(map(str, stage.posed.right_shape)) if question.kind == "shape" else ""
        assert stage.check(shape or question.answer).right, page.title
        wrong = next((c for c in question.choices if c != question.answer), "12345.678")
        assert not stage.check(wrong).right, page.title
        assert len(question.hints) >= 2, page.title
        assert question.explain, page.title
        assert len(set(question.choices)) == len(question.choices)
        assert all(stage.text(hint) for hint in question.hints)
