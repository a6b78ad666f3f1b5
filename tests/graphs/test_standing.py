"""Where the graph stands while a question is asked: what is asked is there, hidden, and cannot be named."""

from __future__ import annotations

import pytest

from engine.faults import fault_of
from engine.graph import Detail
from engine.training import Run
from graphs.answers import Posed
from graphs.drills import DRILLS
from graphs.drills.base import Exercise
from graphs.exercise import exercises
from graphs.network import bind, load
from graphs.snapshot import Snapshot
from graphs.standing import closed, covers, place_of, standing
from graphs.subjects import Aspect
from graphs.views.curtain import Curtain
from graphs.views.frame import Frame
from tests.graphs.test_exercise import right_text


def snapshot_of(name: str) -> Snapshot:
    model = bind(load(name))
    return Snapshot.of(Run(model, model.network.training.recipe), model)


@pytest.fixture(scope="module", params=["two-layer-nonlinear", "scalar-operations", "logistic-regression"])
def made(request: pytest.FixtureRequest) -> tuple[Exercise, ...]:
    return exercises(snapshot_of(request.param), [*DRILLS, "momentum", "adam"], seed=2)


def parts(made: tuple[Exercise, ...]) -> list[tuple[Exercise, int, Posed]]:
    return [(exercise, i, part) for exercise in made for i, part in enumerate(exercise.parts)]


def test_what_is_asked_has_just_been_worked_out_and_is_hidden(made: tuple[Exercise, ...]) -> None:
    for exercise, i, part in parts(made):
        place, subject = standing(exercise, i), part.subject
        if subject is None or exercise.kind in ("faults", "shapes"):
            continue
        step = exercise.stage.trace.steps[place.position - 1]
        is_forward = subject.aspect == Aspect.VALUE
        name = step.node if is_forward or subject.aspect == Aspect.UPDATE else step.target
        assert name == subject.name
        if subject.aspect != Aspect.LOCAL:
            assert Curtain(place.hidden).hides_result(exercise.stage.trace, step), (exercise.kind, i)


def test_an_answered_part_is_shown_while_the_others_stay_hidden(made: tuple[Exercise, ...]) -> None:
    values = next(exercise for exercise in made if exercise.kind == "gradients")
    names = [part.subject.name for part in values.parts if part.subject is not None]
    first, *others = [f"d_{name}" for name in names]
    assert standing(values, 0).hidden == {first, *others}
    assert standing(values, 0, {0}).hidden == {*others}
    assert standing(values, 0, range(len(names))).hidden == frozenset()


def test_shapes_and_rules_are_hidden_where_they_are_asked_for(made: tuple[Exercise, ...]) -> None:
    by_kind = {exercise.kind: exercise for exercise in made}
    if "shapes" in by_kind:
        assert {"shapes", "values"} <= standing(by_kind["shapes"], 0).hidden
    if "local" in by_kind:
        assert standing(by_kind["local"], 0).hidden == {"equations", "factors"}
    if "stored" in by_kind:
        stored = by_kind["stored"]
        assert standing(stored, 0).hidden == standing(stored, 1, {0}).hidden == {"equations", "factors"}
        assert standing(stored, 1, {0, 1}).hidden == frozenset()
    if "faults" in by_kind:
        faults = by_kind["faults"]
        assert standing(faults, 0).hidden == standing(faults, 1, {0}).hidden == {"equations", "factors"}
        assert standing(faults, 2, {0, 1}).hidden == frozenset()


def test_a_faulty_formula_is_shown_and_its_place_pointed_at_when_the_fault_is_known(
    made: tuple[Exercise, ...],
) -> None:
    faults = next(exercise for exercise in made if exercise.kind == "faults")
    for part, done in ((0, {0}), (1, {1}), (2, set()), (2, {0}), (2, {2})):
        place = standing(faults, part, done)
        assert place.hidden == {"equations", "factors"}
        assert place.marked == ()
    assert standing(faults, 2, {0, 1}).marked == (f"d_{faults.parts[0].question.answer}",)


def test_no_answer_names_what_is_asked_for(made: tuple[Exercise, ...]) -> None:
    for exercise, _, part in parts(made):
        if part.question.kind not in ("number", "matrix", "expression") or part.subject is None:
            continue
        own = part.subject.text(part.place)
        if part.subject.aspect == Aspect.CONTRIBUTION:
            own = f"d_{part.subject.name}"
        verdict = closed(part).check(own)
        assert (verdict.right, verdict.is_read) == (False, False), (exercise.kind, own)
        assert "his names what is asked for" in verdict.message


def test_right_answers_that_are_worked_out_stay_right(made: tuple[Exercise, ...]) -> None:
    for _, _, part in parts(made):
        is_named = part.question.kind == "expression" and part.subject is not None
        if part.subject is None or not is_named or part.subject.aspect == Aspect.GRADIENT:
            assert closed(part).check(right_text(part)).right


def test_a_fault_is_in_what_is_shown_and_not_in_what_is_asked(made: tuple[Exercise, ...]) -> None:
    for exercise in made:
        fault = fault_of(exercise.stage.run)
        assert (fault is not None) == (exercise.kind == "faults")
        if fault is not None:
            assert exercise.parts[1].question.answer == fault.fault.title
            assert fault_of(exercise.snapshot.run) is None


def test_wrong_names_and_choices_are_told_what_speaks_against_them() -> None:
    found = exercises(snapshot_of("two-layer-nonlinear"), ["faults"], 4, seed=5)
    for exercise in found:
        where, what, _ = exercise.parts
        first, staged = where.question.answer, exercise.stage.trace.gradients
        for name, right in exercise.snapshot.trace.gradients.items():
            if name == first:
                continue
            hint = where.check(name).hint
            is_right = abs(right - staged[name]).max() <= 1e-9 * (1 + abs(right).max())
            assert ("is right" in hint) == is_right
            assert ("further back" in hint) == (not is_right)
        wrong = next(choice for choice in what.question.choices if choice != what.question.answer)
        assert what.check(wrong).hint.startswith(f"Were it {wrong}: ")


def test_places_are_those_of_the_detail_that_is_shown() -> None:
    model = bind(load("two-layer-nonlinear"))
    run = Run(model, model.network.training.recipe)
    for detail in Detail:
        snapshot = Snapshot.of(run, model, detail=detail)
        part = exercises(snapshot, ["gradients"])[0].parts[1].subject
        assert part is not None
        frame = Frame.of(snapshot.at(place_of(part, snapshot.trace)))
        assert part.name in frame.gradients
        assert covers(part) == {f"d_{part.name}"}
