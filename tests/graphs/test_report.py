"""The report of what a learner got right: what counts as a first try, and that it survives being text."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alterations import Change
from engine.errors import DataError
from engine.training import Run
from graphs.answers import Verdict
from graphs.exercise import exercises
from graphs.lesson import built_in_lessons, load_lesson
from graphs.mistakes import Slip
from graphs.network import bind, load
from graphs.report import Key, Record, Report, key_of_page, key_of_part, loads
from graphs.snapshot import Snapshot

NOW = datetime(2024, 5, 31, 12)
KEY, ASK = Key("The chain rule", "Your turn"), r"What is $\frac{\partial\mathcal{L}}{\partial w}$?"
RIGHT, WRONG = Verdict(True, "Right."), Verdict(False, "Look at the sign.", kinds=("sign", "other"))
UNREAD = Verdict(False, "Column 1: …", is_read=False)


def after(*verdicts: Verdict, report: Report | None = None) -> Record:
    report = report or Report()
    for verdict in verdicts:
        report = report.tried(KEY, ASK, verdict, NOW)
    return report.records.get(KEY, Record())


def test_the_first_answer_counts() -> None:
    found = after(RIGHT)
    assert (found.is_first, found.is_right, found.tries, found.day) == (True, True, 1, "2024-05-31")
    assert found.ask == "What is ∂L/∂w?"
    found = after(WRONG, RIGHT)
    assert (found.is_first, found.is_right, found.tries, found.kinds) == (False, True, 2, ("sign",))


def test_what_cannot_be_read_is_no_try() -> None:
    assert after(UNREAD, UNREAD, RIGHT).is_first
    assert after(UNREAD) == Record()


def test_a_question_that_is_done_stays_done() -> None:
    assert after(RIGHT, WRONG, RIGHT) == after(RIGHT)


def test_help_is_no_first_try() -> None:
    helped = Report().helped(KEY, ASK, 2)
    found = after(RIGHT, report=helped)
    assert (found.is_first, found.is_right, found.hints) == (False, True, 2)
    assert helped.helped(KEY, ASK, 1) is helped
    shown = Report().revealed(KEY, ASK)
    found = after(RIGHT, report=shown)
    assert (found.is_first, found.is_right, found.is_revealed) == (False, False, True)


def test_what_was_shown_only_is_no_wrong_first_try() -> None:
    shown = Report().revealed(Key("The chain rule", "What is left?"), r"Write $\sigma'(Z)$.")
    assert shown.sentence() == "1 answer was shown without a try."
    tried = shown.tried(KEY, ASK, RIGHT, NOW)
    assert tried.sentence() == "1 of 1 question right at the first try. 1 answer was shown without a try."
    assert "| What is left? Write σ'(Z). | – | – | 0 | 0, answer shown |  |" in tried.markdown()


def test_what_it_comes_to() -> None:
    report = Report().tried(KEY, ASK, RIGHT, NOW)
    other = Key("Regression", "One step | downhill")
    for verdict in (WRONG, WRONG, RIGHT):
        report = report.tried(other, "*New* $w$?", verdict, NOW)
    assert report.sentence() == "1 of 2 questions right at the first try."
    assert report.sources == ("The chain rule", "Regression")
    assert report.commonest() == [("the sign", 2)]
    assert report.of("Regression").first_tries == 0
    assert report.without("Regression").records.keys() == {KEY}
    text = report.markdown()
    assert "## The chain rule" in text
    assert r"One step \| downhill: \*New\* w? | no | yes | 3 | 0 | the sign |" in text
    rows = list(csv.DictReader(io.StringIO(report.csv())))
    assert [row["is_first"] for row in rows] == ["True", "False"]
    assert rows[1]["kinds"] == "the sign; the sign"


@pytest.mark.parametrize("kind", [*Slip, *Change])
def test_mistakes_are_reported_in_a_learners_words(kind: str) -> None:
    wrong = Verdict(False, "No.", kinds=(kind,))
    ((words, count),) = Report().tried(KEY, ASK, wrong, NOW).commonest()
    assert count == 1
    assert words != kind or " " in words or kind == "rounding"


def test_a_spreadsheet_takes_nothing_for_a_formula() -> None:
    report = Report().tried(Key("=cmd()", "+1"), "@x", RIGHT, NOW)
    row = next(csv.reader(io.StringIO(report.csv().split("\n", 1)[1])))
    assert row[:3] == ["'=cmd()", "'+1", "'@x"]


_TEXTS = st.text(max_size=30)


@given(
    st.dictionaries(
        st.builds(Key, _TEXTS, _TEXTS),
        st.builds(
            Record,
            ask=_TEXTS,
            tries=st.integers(0, 99),
            is_right=st.booleans(),
            is_first=st.booleans(),
            hints=st.integers(0, 4),
            is_revealed=st.booleans(),
            kinds=st.lists(_TEXTS, max_size=4).map(tuple),
            day=_TEXTS,
        ),
        max_size=5,
    )
)
def test_a_report_survives_being_text(records: dict[Key, Record]) -> None:
    report = Report(records)
    assert loads(report.dumps()) == report
    assert report.markdown()
    assert len(list(csv.reader(io.StringIO(report.csv())))) == len(records) + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "records": []}',
        '{"format": 1}',
        '{"format": 1, "records": [{}]}',
        "[" * 9999,
    ],
)
def test_another_text_is_no_report(text: str) -> None:
    with pytest.raises(DataError):
        loads(text)


def test_wrong_types_are_no_report() -> None:
    good = json.loads(Report().tried(KEY, ASK, WRONG, NOW).dumps())
    for name in good["records"][0]:
        bad = json.loads(json.dumps(good))
        bad["records"][0][name] = {"a": 1}
        with pytest.raises(DataError):
            loads(json.dumps(bad))


def test_questions_of_lessons_and_exercises_have_keys_of_their_own() -> None:
    model = bind(load("scalar-operations"))
    snapshot = Snapshot.of(Run(model), model)
    keys = [key_of_part(exercise, i) for exercise in exercises(snapshot) for i in range(len(exercise.parts))]
    assert len(set(keys)) == len(keys)
    for name in built_in_lessons():
        lesson = load_lesson(name)
        asked = [i for i, page in enumerate(lesson.pages) if page.question is not None]
        assert len({key_of_page(lesson, i) for i in asked}) == len(asked)
