"""Lesson files: what they say, and one sentence with a line for what they cannot say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import LessonError, UsageError
from engine.graph import Detail
from graphs.lesson import ACTIONS, load_lesson, read_lesson

HEAD = 'title = "A lesson"\nnetwork = "two-layer-nonlinear"\n'
LESSON = (
    HEAD
    + '''
summary = "What it is about"
seed = 3

[networks.mine]
formula = "L = (w * x - 1)**2"
parameters = { w = 0.5 }
data = { x = 2.0 }

[[page]]
title = "One"
text = """
Markdown with $x$.
"""
at = "forward A"
highlight = ["A", "A -> yhat"]
docks = ["loss"]
train = 20
notes = "said aloud"

[[page]]
title = "Two"
set = { b2 = 0.5 }
detail = "primitive"

[[page]]
title = "Three"
train = 5
[page.question]
ask = "How much?"
answer = 1.5
hints = ["think"]

[[page]]
title = "Four"
network = "mine"
wait = { edited = "w", trained = 3 }
'''
)


def test_a_lesson_says_what_its_pages_show() -> None:
    lesson = read_lesson(LESSON)
    one, two, three, four = (page.screen for page in lesson.pages)
    assert (lesson.title, lesson.summary, len(lesson.pages)) == ("A lesson", "What it is about", 4)
    assert (one.network, one.seed, one.at, one.train, one.trained) == (
        "two-layer-nonlinear",
        3,
        "forward A",
        20,
        0,
    )
    assert one.highlight == ("A", "A -> yhat")
    assert lesson.pages[0].notes == "said aloud"
    assert lesson.pages[2].question is not None
    assert lesson.pages[2].question.answer == "1.5"
    assert (two.at, two.docks, two.highlight) == ("forward A", ("loss",), ())
    assert two.values == {"b2": 0.5}
    assert two.detail == three.detail == Detail.PRIMITIVE
    assert lesson.pages[3].wait is not None
    assert (four.network, four.seed, four.values, four.at) == ("mine", 0, {}, "start")
    assert lesson.network(3).formula == "L = (w * x - 1)**2"


def test_a_change_of_the_document_begins_a_run_anew() -> None:
    text = HEAD + '[[page]]\ntitle = "1"\ntrain = 7\n[[page]]\ntitle = "2"\n'
    same = read_lesson(text).pages[1].screen
    assert (same.trained, same.iteration) == (7, None)
    changed = read_lesson(text + "seed = 1\n").pages[1].screen
    assert (changed.trained, changed.iteration) == (0, 0)


def test_pages_and_keys_know_their_lines(tmp_path: Path) -> None:
    lesson = read_lesson(LESSON)
    lines = LESSON.split("\n")
    assert all(lines[page.line - 1] == "[[page]]" for page in lesson.pages)
    assert lines[lesson.line("page", 2, "question", "answer") - 1] == "answer = 1.5"
    assert lines[lesson.line("page", 3, "wait", "edited") - 1].startswith("wait")


WRONG = [
    ("", "the lesson has no title"),
    ('title = "x"', "the lesson has no pages"),
    ('title = "x"\npage = 3', "line 2: the lesson has no pages"),
    ('title = "x"\n[[page]]\ntitle = "1"', "line 2: the page has no network"),
    (HEAD + "[[page]]\n", "line 3: the page has no title"),
    (HEAD + '[[page]]\ntitle = "1"\ntxt = "x"', "line 5: there is no key txt. Did you mean text?"),
    (HEAD + '[[page]]\ntitle = "1"\ntext = 3', "line 5: text is not text"),
    (HEAD + '[[page]]\ntitle = "1"\ntrain = -1', "line 5: train cannot be -1"),
    (HEAD + '[[page]]\ntitle = "1"\ntrain = true', "line 5: train cannot be True"),
    (HEAD + '[[page]]\ntitle = "1"\ndocks = ["los"]', "line 5: there is no dock los"),
    (HEAD + '[[page]]\ntitle = "1"\ndetail = "fine"', "line 5: there is no detail fine"),
    (HEAD + '[[page]]\ntitle = "1"\nset = 3', "line 5: set is not a table"),
    (HEAD + '[[page]]\ntitle = "1"\nwait = {}', "line 5: wait is not a table"),
    (HEAD + '[[page]]\ntitle = "1"\nwait = { until = 3 }', "line 5: there is no key until"),
    (
        HEAD + '[[page]]\ntitle = "1"\n[page.question]\nask = "?"\nnotes = "x"',
        "line 7: a question has no key notes",
    ),
    (HEAD + '[[page]]\ntitle = "1"\nquestion = { ask = "?" }', "line 5: the question lacks ask or answer"),
    (
        HEAD + '[[page]]\ntitle = "1"\n[page.question]\nask = "?"\nkind = "essay"',
        "line 7: there is no kind essay",
    ),
    (
        HEAD
        + '[[page]]\ntitle = "1"\nquestion = { ask = "?", kind = "choice", answer = "a", choices = ["b"] }',
        "line 5: the answer is not among the choices",
    ),
    (HEAD + '[[page]]\ntitle = "1"\ntraining = { momentun = 1 }', "line 5: there is no key momentun"),
    (HEAD + '[[page]]\ntitle = "1"\nrace = "adam"', "line 5: race cannot be adam"),
    (HEAD + '[[page]]\ntitle = "1"\nsearch = true', "line 5: search cannot be True"),
    (HEAD + "[[page]]\ntitle = ", "not valid TOML"),
    (HEAD + "[networks]\nx = 1", "networks are tables"),
    (HEAD + "[networks.x]\nform = 1", "line 3: networks.x: there is no key form"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_a_lesson_cannot_say_is_one_sentence_with_its_line(text: str, said: str) -> None:
    with pytest.raises(LessonError) as caught:
        read_lesson(text, name="mine")
    assert str(caught.value).startswith("mine.toml")
    assert said in str(caught.value)


def test_every_action_has_an_example_that_is_read() -> None:
    examples = {str: '"A"', int: "3", list: '["a"]', bool: "true"}
    for name, kinds in ACTIONS.items():
        text = HEAD + f'[[page]]\ntitle = "1"\n{name} = {examples[kinds[0]]}'
        assert name in read_lesson(text).pages[0].screen.actions


def test_files_that_are_no_lessons_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no lesson nope"):
        load_lesson("nope")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LessonError, match="not UTF-8"):
        load_lesson(path)
    path.write_bytes(b"#" * (2**21 + 1))
    with pytest.raises(LessonError, match="larger than 2 MB"):
        load_lesson(path)
    with pytest.raises(LessonError, match="cannot be read"):
        load_lesson(tmp_path / "missing.toml")


def test_networks_are_found_beside_the_lesson(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('formula = "L = w"\n[parameters]\nw = 1.0\n')
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\nnetwork = "own.toml"\n[[page]]\ntitle = "1"\n')
    assert load_lesson(path).network(0).formula == "L = w"
