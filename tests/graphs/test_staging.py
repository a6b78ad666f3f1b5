"""Lessons on stage: every place is found, every number of a text is the trace's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.errors import LessonError
from engine.graph import Detail
from engine.trace import Phase
from engine.training import Run
from graphs.lesson import Lesson, read_lesson
from graphs.network import bind, built_in_names, load
from graphs.snapshot import Snapshot
from graphs.staging import Stager, place, problems

HEAD = 'title = "A lesson"\nnetwork = "two-layer-nonlinear"\n'


def lesson(*pages: str, head: str = HEAD) -> Lesson:
    rows = [page if "text =" in page else f"{page}\ntext = 'Words.'" for page in pages]
    return read_lesson(head + "".join(f'[[page]]\ntitle = "{i}"\n{row}\n' for i, row in enumerate(rows)))


def text_of(text: str, page: str = "") -> str:
    stage = Stager(lesson(page)).stage(0)
    return stage.text(text)


def said(page: str) -> list[str]:
    return [problem.sentence for problem in problems(lesson(page))]


# --- places ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", Detail)
def test_every_step_can_be_named(name: str, detail: Detail) -> None:
    model = bind(load(name))
    trace = Snapshot.of(Run(model, model.network.training.recipe), model, detail=detail).trace
    for step in trace.steps:
        if step.phase == Phase.FORWARD:
            assert place(f"forward {step.node}", trace) == step.index + 1
        elif step.phase == Phase.BACKWARD:
            found = place(f"backward {step.node} -> {step.input}", trace)
            same = [s.index for s in trace.steps if (s.node, s.input) == (step.node, step.input)]
            assert found == same[-1] + 1
        elif step.phase == Phase.UPDATE:
            assert place(f"update {step.node} {step.quantity}", trace) == step.index + 1
    for value in trace.gradients:
        reached = [s for s in trace.steps if s.target == value and s.phase in (Phase.SEED, Phase.BACKWARD)]
        if reached:
            at = place(f"backward {value}", trace)
            assert np.array_equal(trace.state(at).gradients[value], trace.gradients[value])


def test_ends_of_phases_follow_each_other() -> None:
    model = bind(load("two-layer-nonlinear"))
    trace = Snapshot.of(Run(model), model).trace
    places = [place(word, trace) for word in ("start", "forward", "seed", "backward", "update", "end")]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(trace.steps))
    assert place(" 7 ", trace) == 7
    assert place("backward Z to W1", trace) == place("backward Z->W1", trace)


@pytest.mark.parametrize(
    "text", ["", "forward nope", "backward W1 -> Z", "999", "7.5", "update A", "up", "-1"]
)
def test_places_that_are_not_there_are_said(text: str) -> None:
    found = said(f'at = "{text}"')
    assert len(found) == 1
    assert "there is no place" in found[0]
    assert '"forward L"' in found[0]
    assert found[0].startswith("lesson.toml, line 5: ")


# --- numbers -----------------------------------------------------------------------------------------------


def test_numbers_are_the_traces() -> None:
    model = bind(load("two-layer-nonlinear"))
    trace = Snapshot.of(Run(model, model.network.training.recipe), model).trace
    assert text_of("{{L}}") == f"{trace.loss:.4g}"
    assert text_of("{{d_b2|2}}") == f"{float(trace.gradients['b2']):.2g}".replace("-", "−")
    assert text_of("$ {{d_b2|2}} $") == f"$ {float(trace.gradients['b2']):.2g} $"
    entry = float(trace.values["A"][1, 2])
    assert text_of("{{A[1,2]}}") == f"{entry:.4g}"
    assert text_of("{{m}} {{shape W1}}") == "133 4\u00a0×\u00a01"


def test_matrices_are_written_out() -> None:
    shown = text_of("$W_1 = {{W1}}$")
    assert re.fullmatch(r"\$W_1 = \\begin\{bmatrix\}(\S+ \\\\ ){3}\S+\\end\{bmatrix\}\$", shown)
    assert text_of("{{W1.T}}").startswith("[")
    with pytest.raises(LessonError, match="too large for a text"):
        text_of("{{A}}")


def test_small_numbers_are_written_as_people_do() -> None:
    page = "set = { b2 = 1.5e-7 }"
    assert text_of("{{b2}}", page) == "1.5 · 10⁻⁷"
    assert text_of("${{b2}}$", page) == r"$1.5 \cdot 10^{-7}$"
    assert text_of("{{-10**13}}, ${{-10**13}}$") == "−10¹³, ${-10^{13}}$"


def test_equations_are_the_networks() -> None:
    assert r"\intercal" in text_of("$${{gradient W1}}$$")
    assert text_of("${{forward A}}$") == r"$A = \sigma(Z)$"
    assert r"\leftarrow" in text_of("${{update w2}}$")


def test_the_run_of_the_page_is_meant() -> None:
    found = lesson("train = 20", "text = 'x'", "training = { optimizer = 'adam' }\ntrain = 3")
    stager = Stager(found)
    model = bind(load("two-layer-nonlinear"))
    run = Run(model, model.network.training.recipe)
    run.advance(20)
    first = stager.stage(0)
    assert (first.snapshot.iteration, first.text("{{losses[20]}}")) == (0, f"{run.losses[20]:.4g}")
    second = stager.stage(1)
    assert (second.snapshot.iteration, second.text("{{L}}")) == (20, f"{run.losses[20]:.4g}")
    third = stager.stage(2)
    assert third.snapshot.iteration == 0
    assert {"v_W1", "s_W1", "new_W1"} <= set(third.names)
    assert stager.stage(0).text("{{L}}") == f"{run.losses[0]:.4g}"


def test_a_page_is_the_same_whatever_was_looked_at_before() -> None:
    found = lesson("train = 5", "train = 5", "iteration = 7", "set = { b2 = 1.0 }")
    one = Stager(found)
    forth = [one.stage(i).text("{{L}} {{d_W1[0,0]}}") for i in range(4)]
    back = [one.stage(i).text("{{L}} {{d_W1[0,0]}}") for i in reversed(range(4))]
    alone = [Stager(found).stage(i).text("{{L}} {{d_W1[0,0]}}") for i in range(4)]
    assert forth == back[::-1] == alone


def test_a_number_that_is_written_out_is_checked() -> None:
    loss = text_of("{{L}}")
    assert text_of(f"{{{{{loss} = L}}}}") == loss
    assert text_of("{{1.8 = L}}") == "1.8"
    found = said("text = 'It is {{1.7 = L}}.'")
    assert len(found) == 1
    assert "1.7 stands for L, which is 1.82" in found[0]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("text = 'It is 1.5.'", "1.5 is not checked"),
        ("text = '{{nope}}'", "{{nope}} cannot be worked out: nope is not known here."),
        ("text = '{{gradient nope}}'", "the network has no nope"),
        ("text = 'half a $formula'", "a formula is not closed"),
        (r"text = 'with $\frac{h$ in it'", r"the formula \frac{h has a brace that is not closed"),
        (r"text = 'and $x}$'", "the formula x} closes a brace that it has not opened"),
        (r"text = '$$\left( a$$'", r"has a \left without a \right"),
        ("highlight = ['nope']", "there is nothing named nope to mark"),
        ("highlight = ['A -> Z']", "there is nothing named A -> Z to mark"),
        ("hide = ['d_nope']", "there is nothing named d_nope to hide"),
        ("camera = ['nope']", "there is no node nope"),
        ("microscope = 'A'", "A is not used more than once: nothing is added up there"),
        ("shelf = ['X']", "X is not worked out by forward"),
        ("wait = { edited = 'nope' }", "there is no nope to wait for"),
        ("wait = { at = 'forward nope' }", "there is no place"),
        ("iteration = 5", "iteration 5 has not been trained"),
        ("set = { nope = 1.0 }", "nope"),
        ("set = { W1 = [[1.0, 2.0]] }", "W1"),
        ("training = { learning_rate = -1 }", "learning rate"),
        ("network = 'nope'", "there is no network nope"),
        ("question = { ask = '?', answer = 'nope + 1' }", "cannot be worked out"),
        ("question = { ask = '?', answer = 'L * LL' }", "the answer names LL, which is not known here."),
        ("question = { ask = '?', answer = 'A' }", "the answer A is not one number"),
        ("question = { ask = '?', kind = 'matrix', answer = 'L' }", "the answer L is one number"),
        ("question = { ask = '?', kind = 'shape', answer = 'L * 2', about = 'L' }", "no shape"),
        ("question = { ask = '?', kind = 'shape', answer = '4 x 2', about = 'd_W1' }", "is not d_W1 there"),
        (
            "question = { ask = '?', kind = 'expression', answer = 'A * (1 - A)', about = 'd_Z' }",
            "the answer A * (1 - A) is not d_Z there, which the question is about",
        ),
        (
            "question = { ask = '?', kind = 'expression', answer = 'd_A * A * (1 - A)', about = 'd_A' }",
            "is not d_A there",
        ),
        ("question = { ask = '?', answer = '0.5', about = 'd_W1[0,0]' }", "is not d_W1[0,0] there"),
        ("train = 10\nwait = { trained = 100 }", "trains 10 iterations and waits for 100"),
        (r"text = 'with $\sigmaa(Z)$ in it'", r"not known, \sigmaa. Did you mean \sigma?"),
        ("text = ' '", "the page has no text"),
        (
            "question = { ask = '?', kind = 'name', answer = 'A', about = 'nope' }",
            "nope is nothing to ask about",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_page(page: str, expected: str) -> None:
    found = list(problems(lesson(page)))
    assert len(found) == 1
    assert expected in found[0].sentence
    assert found[0].line >= 3


@pytest.mark.parametrize(
    "question",
    [
        "kind = 'expression', answer = 'd_A * A * (1 - A)', about = 'd_Z'",
        "kind = 'expression', answer = 'A * (1 - A)', about = 'd_A/d_Z'",
        "kind = 'expression', answer = 'd_Z @ X.T', about = 'd_W1'",
        "kind = 'matrix', answer = 'd_Z @ X.T', about = 'd_W1'",
        "kind = 'number', answer = 'd_W1[2,0]', about = 'd_W1'",
        "kind = 'number', answer = 'w2[0,0] * 2'",
        "kind = 'shape', answer = 'W1', about = 'd_W1'",
        "kind = 'shape', answer = '4 x 1', about = 'd_W1'",
        "kind = 'expression', answer = 'w2 A + b2'",
    ],
)
def test_an_answer_that_is_what_it_is_about_is_let_alone(question: str) -> None:
    assert said(f"at = 'backward'\nquestion = {{ ask = '?', {question} }}") == []


def test_every_page_is_looked_over_whatever_cannot_be_shown_and_nothing_is_said_twice() -> None:
    pages = ("fault = 'nope'\nat = 'nowhere'\nhighlight = ['nope']", "hide = ['nope']", "at = 'start'")
    found = [(problem.page, problem.key) for problem in problems(lesson(*pages))]
    assert found == [(0, ("fault",)), (0, ("at",)), (0, ("highlight",)), (1, ("hide",))]


def test_what_is_right_is_let_alone() -> None:
    page = (
        "text = 'As `0.5` in code, $x_{0}$, version 2 and {{L}}.'\nhighlight = ['A', 'd_A', 'A -> yhat']\n"
        "hide = ['values', 'd_W1']\nshelf = ['A']\ncamera = ['A']\n"
        "wait = { at = 'backward W1', nudged = 'W1[0,0]' }\n"
        "question = { ask = 'How many?', answer = 'd_W1[0,0]' }"
    )
    assert said(page) == []


SQUARE = """
title = "A lesson"
network = "square"
[networks.square]
formula = '''
Z = W1 @ X
A = tanh(Z)
yhat = W2 @ A
L = 1/m * norm(yhat - Y)**2
'''
parameters = { W1 = [[0.5, -1.0], [1.0, 0.5]], W2 = [[1.0, 2.0], [-1.0, 1.0]] }
data = { X = [[1.0, 2.0, -1.0], [0.5, -1.0, 1.0]], Y = [[1.0, 0.0, -1.0], [0.5, 1.0, 0.0]] }
"""


@pytest.mark.parametrize(
    ("fault", "nudged", "expected"),
    [
        ("transpose at A", "W1", ""),
        ("transpose at A", "W1[1, 0]", ""),
        ("transpose at A", "W2", "the nudge test of W2 says nothing of this fault: the two agree there."),
        ("transpose at W2", "W1", "Let it be made of W2."),
        ("transpose at W2", "W2", ""),
        ("transpose at A", "W1[7, 0]", "there is no entry W1[7, 0] to nudge."),
        ("transpose at A", "W1[first]", "there is no entry W1[first] to nudge."),
        ("zeros", "W1", ""),
        ("", "W1", ""),
    ],
)
def test_a_nudge_test_that_is_asked_for_finds_the_fault(fault: str, nudged: str, expected: str) -> None:
    page = f'fault = "{fault}"\nat = "backward"\nwait = {{ nudged = "{nudged}" }}'
    found = [problem.sentence for problem in problems(lesson(page, head=SQUARE))]
    assert len(found) == bool(expected)
    assert all(expected in sentence for sentence in found)


# --- answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (
            "ask = '?', answer = 'L'",
            ["1.83", "1.826", "L", "1/m * norm(yhat-y)**2"],
            ["1.84", "2", "-1.83", ""],
        ),
        ("ask = '?', kind = 'shape', answer = 'W1'", ["4x1", "(4, 1)", "4 by 1", "4 × 1"], ["1x4", "4", "x"]),
        ("ask = '?', kind = 'shape', answer = 'L'", ["scalar", "()"], ["1x1", "4x1"]),
        (
            "ask = '?', kind = 'expression', answer = 'A * (1 - A)'",
            ["A - A*A", "A ⊙ (1 − A)", "σ'(Z)"],
            ["A", "A * A", "(A * (1 - A)).T", "nope"],
        ),
        ("ask = '?', kind = 'name', answer = 'A'", ["A", " A "], ["a", "Z"]),
        ("ask = '?', kind = 'choice', answer = 'yes', choices = ['yes', 'no']", ["yes"], ["no"]),
        ("ask = '?', kind = 'matrix', answer = 'W1.T'", ["W1.T"], ["W1"]),
    ],
)
def test_answers_are_told_right_from_wrong(question: str, right: list[str], wrong: list[str]) -> None:
    stage = Stager(lesson(f"question = {{ {question} }}")).stage(0)
    assert [text for text in right if not stage.check(text).right] == []
    assert [text for text in wrong if stage.check(text).right] == []
    assert stage.answer_text


@pytest.mark.parametrize(
    ("page", "at", "expected"),
    [
        ("", "answer = 'd_W1[0, 0]'", "backward W1"),  # it comes later
        ("", "answer = '2 * d_W1[0, 0]', about = 'd_W1'", "backward W1"),
        ("", "answer = 'Z -> W1[0, 0]'", "backward Z -> W1"),
        ("", "answer = 'new_b2'", "update b2"),
        ("at = 'end'", "answer = 'd_W1[0, 0]'", "end"),  # it is there already
        ("at = 'end'\nhide = ['d_W1']", "answer = 'd_W1[0, 0]'", "backward W1"),  # it was hidden
        ("at = 'end'\nhide = ['values']", "answer = 'd_W1[0, 0]'", "end"),
        ("", "kind = 'choice', choices = ['a', 'b'], answer = 'a', about = 'd_A'", "backward A"),
        ("", "kind = 'choice', choices = ['a', 'b'], answer = 'a'", "seed"),
        ("", "kind = 'name', answer = 'A'", "seed"),
        ("", "kind = 'shape', answer = 'd_A'", "seed"),
        ("", "answer = '3'", "seed"),
    ],
)
def test_once_it_is_answered_the_place_is_that_of_what_was_asked(page: str, at: str, expected: str) -> None:
    page = page if page.startswith("at") else "at = 'seed'"
    stage = Stager(lesson(f"{page}\nquestion = {{ ask = '?', {at} }}")).stage(0)
    assert stage.answered.position == place(expected, stage.snapshot.trace)
    assert stage.answered.run is stage.snapshot.run
