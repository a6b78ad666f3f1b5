"""The course: every lesson can be held, every number in it is true, every question can be answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from engine.calculator import evaluate
from engine.trace import Phase
from graphs.lesson import Lesson, Page, built_in_lessons, load_lesson
from graphs.network import bind, load
from graphs.staging import Stage, Stager, problems
from tests.helpers import example

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
def test_a_question_says_by_itself_what_is_asked(name: str) -> None:
    """On a projector it stands without the page's text."""
    for page in load_lesson(name).pages:
        if page.question is not None:
            assert len(page.question.ask.split()) >= 4, page.title


def test_the_right_choice_is_known_neither_by_its_place_nor_by_its_length() -> None:
    asked = [page.question for lesson in lessons() for page in lesson.pages]
    choosing = [question for question in asked if question is not None and question.choices]
    places = Counter(question.choices.index(question.answer) for question in choosing)
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 0.35 * len(choosing)
    longest = sum(max(question.choices, key=len) == question.answer for question in choosing)
    assert longest <= 0.5 * len(choosing)


@pytest.mark.parametrize("name", COURSE)
def test_a_projector_shows_the_plot_that_is_spoken_of(name: str) -> None:
    """Beside the graph there is room for the first of a page's docks alone."""
    for page in load_lesson(name).pages:
        words = page.text.partition("**Try alone:**")[0]
        spoken = "landscape" if "in the landscape" in words or page.title == "The path" else ""
        shown = (*page.screen.started, *page.screen.docks)
        assert not spoken or shown[0] == spoken, page.title


# --- numbers -----------------------------------------------------------------------------------------------

_TEX = (
    (r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)"),
    (r"\\log\s*(\d+)", r"log(\1)"),
    (r"\\log\s*(\(\([^()]*\)/\([^()]*\)\))", r"log(\1)"),
    (r"\\cdot", "*"),
    (r"\\,", " "),
    (r"\{([^{}]*)\}", r"(\1)"),
)
"""LaTeX of numbers to the calculator's language, applied until nothing changes."""


def number_of(latex: str) -> float | None:
    """Return what a side of an equation comes to; None where it is not made of numbers alone."""
    changes = 1
    while changes:  # from the inside out: a brace is one of a fraction or of a root first
        for pattern, text in _TEX:
            latex, changes = re.subn(pattern, text, latex)
            if changes:
                break
    if not re.fullmatch(r"[\d.\s+\-*/^()]+", re.sub("log|sqrt", "", latex)) or not re.search(r"\d", latex):
        return None
    return float(evaluate(latex, {}))


def texts_of(stage: Stage, page: Page) -> Iterator[str]:
    yield from (stage.texts["text"], stage.texts["notes"], stage.texts["ask"], stage.texts["explain"])
    if page.question is not None:
        yield from map(stage.text, page.question.hints)


def equations_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield both sides of every equation of a text."""
    for formula in re.findall(r"\$\$?(.+?)\$\$?", text, re.DOTALL):
        yield from pairwise(re.split(r"(?<![<>])=", formula.rstrip(".,")))


def sums_of(lesson: Lesson) -> Iterator[tuple[str, float, float]]:
    """Yield every equation whose sides are both numbers, with what they come to."""
    stager = Stager(lesson)
    for index, page in enumerate(lesson.pages):
        for text in texts_of(stager.stage(index), page):
            for left, right in equations_of(text):
                values = number_of(left), number_of(right)
                if values[0] is not None and values[1] is not None:
                    yield f"{page.title}: {left} = {right}", values[0], values[1]


def test_every_sum_in_a_text_is_right() -> None:
    """What is worked out before the reader's eyes, 1 - 0.18 * 10 = -0.8, comes out so."""
    sums = [found for lesson in lessons() for found in sums_of(lesson)]
    assert len(sums) >= 35
    for where, left, right in sums:
        assert left == pytest.approx(right, rel=1e-3), where


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"-\frac{6}{2^2}", -1.5),
        (r"{-0.5} - 0.1 \cdot (-2.614)", -0.2386),
        (r"-\log \frac{1}{100}", 4.60517),
        (r"\frac{1}{\sqrt{4}}", 0.5),
        (r"1.5 \cdot 10^{-3}", 0.0015),
        ("2u", None),
    ],
)
def test_sums_are_read_as_they_are_printed(latex: str, value: float | None) -> None:
    assert number_of(latex) == (None if value is None else pytest.approx(value, rel=1e-5))


@pytest.mark.parametrize("name", COURSE)
def test_the_graph_stands_at_what_was_asked_for_once_it_is_answered(name: str) -> None:
    """Where a gradient is asked for behind forward; a shape or a plan is known without the step."""
    lesson = load_lesson(name)
    stager = Stager(lesson)
    for number, page in enumerate(lesson.pages):
        asked = {word for word in page.screen.hide if word.startswith("d_")}
        if page.question is None or not asked or page.question.kind == "shape":
            continue
        stage = stager.stage(number)
        step = stage.answered.step
        if stage.snapshot.step is not None and stage.snapshot.step.phase != Phase.FORWARD:
            assert step is not None
            assert f"d_{step.target}" in asked, page.title


def test_every_equation_of_adam_is_seen_before_it_is_asked_for() -> None:
    stager, equations = Stager(load_lesson("14")), []
    while stager.lesson.pages[len(equations)].question is None:
        equations.append(stager.stage(len(equations)).texts["text"])
    stage = stager.stage(0)
    for step in stage.snapshot.trace.updates["u"]:
        if step.quantity != "value":
            assert stage.text(f"{{{{update u {step.quantity}}}}}") in "".join(equations), step.quantity


def test_what_a_lesson_says_of_another_lessons_network_is_true() -> None:
    """Lesson 7: what a single layer can reach on the penguins; lesson 15: the gradient of lesson 5."""
    values = bind(load("multivariate-regression")).leaves
    design = np.vstack([values["X"], np.ones(values["X"].shape[1])])
    residual = values["y"] - values["y"] @ np.linalg.pinv(design) @ design
    (said,) = [page for page in load_lesson("7").pages if "The single layer of lesson 6" in page.text]
    literal = re.search(r"\{\{([\d.]+) = final_loss\}\}", said.text)
    assert literal is not None
    assert float(literal[1]) == pytest.approx(np.mean(residual**2), abs=5e-6)
    (page,) = [i for i, p in enumerate(load_lesson("15").pages) if "In lesson 5" in p.text]
    faulty, right = Stager(load_lesson("15")).stage(page).names, Stager(load_lesson("5")).stage(8).names
    assert faulty["d_w"] / faulty["m"] == pytest.approx(right["d_w"], rel=1e-12)


# --- questions ---------------------------------------------------------------------------------------------


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
        assert not stage.check(example(question.kind)).right, page.title
        assert stage.answer_text, page.title
        assert "`" not in stage.answer_text, page.title  # typeset, as the question is
        assert len(question.hints) >= 2, page.title
        assert question.explain, page.title
        assert len(set(question.choices)) == len(question.choices)
        assert all(stage.text(hint) for hint in question.hints)
