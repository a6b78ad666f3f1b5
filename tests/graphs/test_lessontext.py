"""A lesson's text that is changed: what is meant changes, and every other character stays."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.lesson import built_in_lessons
from graphs.lessontext import ORDER, LessonText, value_text

TEXT = """\
# A lesson about loss.
title = "A lesson"   # shown in the list
network = "two-layer-nonlinear"

# The first page.
[[page]]
title = 'One'
at = "start"  # nothing has been worked out
text = '''
The loss is $L$.

[[page]] is only text here.
'''
docks = [
  "fit",  # the line
]

[page.question]
ask = "How many?"   # easy
kind = "number"
answer = "1"

# The second page.
[[page]]
title = "Two"
question = { ask = "And now?", answer = "2" }

[networks.own]
formula = "L = x ** 2"

[networks.own.data]
x = 1.0

[[page]]
title = "Three"
wait = { at = "end" }
"""


def lessons() -> list[str]:
    folder = resources.files("graphs") / "lessons"
    return [(folder / f"{name}.toml").read_text("utf-8") for name in built_in_lessons()]


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that only one of two texts has."""
    old, new = before.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


# --- values ------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.text()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_is_read_back(value: Any) -> None:
    found = tomllib.loads(f"x = {value_text(value)}\n")["x"]
    if isinstance(value, str) and "\n" in value:
        assert found in (value, f"{value}\n")  # a text of several lines ends with the last one
    else:
        assert found == value
        assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("The loss", '"The loss"'),
        (r"$\sigma$", r"'$\sigma$'"),
        ("it's $\\sigma$", '"it\'s $\\\\sigma$"'),
        ('say "no"', "'say \"no\"'"),
        ("one\ntwo", "'''\none\ntwo\n'''"),
        (["A", "d_A"], '["A", "d_A"]'),
        ({"w": [[1.0, 2.0]]}, "{ w = [[1.0, 2.0]] }"),
        (1e-5, "1e-5"),
    ],
)
def test_values_are_written_as_a_person_would(value: Any, text: str) -> None:
    assert value_text(value) == text


# --- keys --------------------------------------------------------------------------------------------------


def test_a_value_is_put_in_the_place_of_another_and_comments_stay() -> None:
    text = LessonText(TEXT).with_value(0, ("at",), "end").with_value(0, ("title",), "First")
    text = text.with_value(0, ("docks",), ["loss"]).with_value(0, ("question", "ask"), "How much?")
    gone, new = changed_lines(TEXT, text.text)
    assert new == [
        'title = "First"',
        'at = "end"  # nothing has been worked out',
        'docks = ["loss"]',
        'ask = "How much?"   # easy',
    ]
    assert len(gone) == 6
    assert text.pages[0]["text"] == LessonText(TEXT).pages[0]["text"]


def test_a_new_key_stands_where_it_belongs() -> None:
    text = LessonText(TEXT).with_value(0, ("seed",), 3).with_value(None, ("summary",), "About it")
    text = text.with_value(0, ("notes",), "Say it.").with_value(0, ("question", "hints"), ["a", "b"])
    _, new = changed_lines(TEXT, text.text)
    assert new == ['summary = "About it"', "seed = 3", 'notes = "Say it."', 'hints = ["a", "b"]']
    lines = text.text.split("\n")
    assert lines[lines.index("seed = 3") - 1] == "'''"
    assert lines.index('notes = "Say it."') < lines.index("[page.question]")
    assert text.value(0, "notes") == "Say it."


def test_a_question_in_one_line_gets_lines_of_its_own() -> None:
    text = LessonText(TEXT).with_value(1, ("question", "explain"), "Because.")
    assert text.pages[1]["question"] == {"ask": "And now?", "answer": "2", "explain": "Because."}
    assert text.pages[0] == LessonText(TEXT).pages[0]
    assert text.value(1, "title") == "Two"


def test_a_page_without_a_question_gets_one_and_loses_it() -> None:
    text = LessonText(TEXT).with_value(2, ("question", "ask"), "Why?")
    assert text.pages[2] == {"title": "Three", "wait": {"at": "end"}, "question": {"ask": "Why?"}}
    assert text.with_value(2, ("question",), None).pages == LessonText(TEXT).pages
    without = LessonText(TEXT).with_value(0, ("question",), None)
    assert "question" not in without.pages[0]
    assert "# The second page." in without.text


def test_a_table_is_written_in_one_line() -> None:
    text = LessonText(TEXT).with_value(2, ("wait",), {"trained": 3}).with_value(2, ("set",), {"W1": [[1.0]]})
    assert "wait = { trained = 3 }\n" in text.text
    assert "set = { W1 = [[1.0]] }\n" in text.text
    assert text.with_value(2, ("wait",), None).with_value(2, ("set",), None).pages[2] == {"title": "Three"}


@pytest.mark.parametrize("lesson", range(len(built_in_lessons())))
def test_every_key_of_the_course_can_be_changed_and_taken_away(lesson: int) -> None:
    original = LessonText(lessons()[lesson])
    assert original.is_editable
    for number, row in enumerate(original.pages):
        for key in row:
            gone = original.with_value(number, (key,), None)
            left = [
                {k: v for k, v in r.items() if (i, k) != (number, key)} for i, r in enumerate(original.pages)
            ]
            assert gone.pages == left
            if key != "question":
                other = original.with_value(number, (key,), "other")
                assert other.value(number, key) == "other"
                assert other.with_value(number, (key,), row[key]).pages == original.pages


# --- pages -------------------------------------------------------------------------------------------------


def test_a_page_goes_with_its_comment() -> None:
    text = LessonText(TEXT).moved(0, 1).text
    assert text.index("# The second page.") < text.index("# The first page.") < text.index('title = "Three"')
    gone = LessonText(TEXT).without_page(1).text
    assert "second" not in gone
    assert "[networks.own]" in gone


@pytest.mark.parametrize("lesson", range(len(built_in_lessons())))
def test_pages_of_the_course_are_moved_copied_and_deleted(lesson: int) -> None:
    original = LessonText(lessons()[lesson])
    rows, last = original.pages, len(original.pages) - 1
    for place, to in ((0, last), (last, 0), (1, 2), (2, 1)):
        wanted = [*rows]
        wanted.insert(to, wanted.pop(place))
        moved = original.moved(place, to)
        assert moved.pages == wanted
        assert moved.moved(to, place).pages == rows
        assert sorted(moved.text.split()) == sorted(original.text.split())
    assert original.moved(1, 2).moved(2, 1).text == original.text
    for place in (0, last // 2, last):
        assert original.duplicated(place).pages == [*rows[:place], rows[place], *rows[place:]]
        assert original.without_page(place).pages == [*rows[:place], *rows[place + 1 :]]
        assert original.duplicated(place).without_page(place).text == original.text


def test_a_new_page_is_written_in_the_order_of_the_keys() -> None:
    row = {"at": "end", "title": "New", "question": {"ask": "?", "answer": "1"}, "text": "One\ntwo."}
    for place in range(4):
        text = LessonText(TEXT).with_page(place, row)
        assert text.pages[place] == {**row, "text": "One\ntwo.\n"}
        assert [p for i, p in enumerate(text.pages) if i != place] == LessonText(TEXT).pages
    begun = LessonText.begun("Mine").with_page(0, row)
    assert begun.text == (
        "title = \"Mine\"\n\n[[page]]\ntitle = \"New\"\ntext = '''\nOne\ntwo.\n'''\nat = \"end\"\n\n"
        '[page.question]\nask = "?"\nanswer = "1"\n'
    )


def test_a_network_is_carried_before_the_pages() -> None:
    own = 'title = "N"\nformula = """\nL = x ** 2\n"""\n\n[data]\nx = 2.0\n'
    text = LessonText(TEXT).with_network("mine", own)
    assert text.table["networks"]["mine"] == tomllib.loads(own)
    assert text.pages == LessonText(TEXT).pages
    assert text.text.index("[networks.mine.data]") < text.text.index("# The first page.")


def test_every_key_has_its_place() -> None:
    assert len(set(ORDER)) == len(ORDER)
