"""Predictions: what is typed is taken for what it is; what is hidden is found for cards, wires, steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.faults import FAULTS, FaultyRun
from engine.graph import Detail
from engine.trace import Phase
from engine.training import Recipe, Run
from graphs.network import bind, built_in_names, load
from graphs.predicting import Prediction, prediction_at, without
from graphs.snapshot import Snapshot
from graphs.views.curtain import Curtain, step_names
from graphs.views.frame import Frame
from tests.helpers import model_of

MODEL = bind(load("two-layer-nonlinear"))
WHOLE = Snapshot.of(Run(MODEL, Recipe("momentum")), MODEL)


def at(
    snapshot: Snapshot, position: int, hidden: frozenset[str], target=None, entry=None
) -> Prediction | None:
    frame = replace(Frame.of(snapshot), curtain=Curtain(hidden), position=-1).at(position)
    return prediction_at(snapshot.at(position), Curtain(hidden), frame.covered, target, entry)


def step_of(snapshot: Snapshot, phase: Phase, name: str) -> int:
    steps = snapshot.trace.steps
    return next(s.index for s in steps if s.phase == phase and name in (s.target, s.node, s.quantity)) + 1


def prediction(phase: Phase, name: str, **more) -> Prediction:
    position = step_of(WHOLE, phase, name)
    found = at(WHOLE, position, step_names(WHOLE.trace.steps[position - 1]), **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "kind", "is_right", "is_found", "said"),
    [
        ("sigmoid(Z)", "expression", True, True, "Right"),
        ("1/(1+exp(-Z))", "expression", True, True, "Right"),
        ("-sigmoid(Z)", "expression", False, False, "sign"),
        ("4 x 133", "shape", True, False, "And the numbers"),
        ("k × m", "shape", True, False, "And the numbers"),
        ("133 x 4", "shape", False, False, "Rows and columns"),
        ("scalar", "shape", False, False, "no single number"),
        ("0.3207", "number", True, True, "Right"),
        ("-0.3207", "number", False, False, "sign"),
        ("A", "expression", False, False, "names what is asked for"),
        ("Z @", "expression", False, False, "Column"),
    ],
)
def test_what_is_typed_is_taken_for_what_it_is(
    text: str, kind: str, is_right: bool, is_found: bool, said: str
) -> None:
    found = prediction(Phase.FORWARD, "A")
    assert found.entry == (0, 0)  # too large to be typed whole
    assert found.kind_of(text) == kind
    verdict, reveals = found.check(text)
    assert (verdict.right, reveals) == (is_right, is_found)
    assert said in verdict.message


def test_gradients_and_contributions_are_asked_for_as_they_arrive() -> None:
    gradient = prediction(Phase.BACKWARD, "W1")
    assert gradient.ask == "What is the gradient of $W_1$?"
    assert gradient.check("d_Z @ X.T")[1]
    assert "transpose" in gradient.check("d_Z @ X")[0].message
    assert gradient.hints
    update = prediction(Phase.UPDATE, "velocity")
    assert "velocity" in update.ask
    assert update.check(str(update.array.tolist()))[1]


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", Detail)
def test_every_hidden_step_is_asked_for_and_its_numbers_reveal_it(name: str, detail: Detail) -> None:
    model = bind(load(name))
    whole = Snapshot.of(Run(model, model.network.training.recipe), model, detail=detail)
    for step in whole.trace.steps[:: max(1, len(whole.trace.steps) // 8)]:
        hidden = step_names(step)
        found = at(whole, step.index + 1, hidden)
        assert found is not None
        own = found.array if found.entry is None else found.array[found.entry]
        assert found.check(str(np.asarray(own).tolist()))[1], step
        assert without(hidden, found.revealed, whole.trace) == frozenset()


def test_what_comes_back_is_asked_for_in_one_question() -> None:
    model = model_of("h = 2*w\np = v*h + h\nL = p**2", {"w": 2.0, "v": 3.0})
    here = Snapshot.of(Run(model), model)
    step = next(s for s in here.trace.steps if s.phase == Phase.BACKWARD and s.target == "h")
    found = at(here, step.index + 1, step_names(step))
    assert found is not None
    assert found.ask == "What comes back to $h$ through the term $v h$ of $p$?"


def test_wires_and_cards_ask_for_what_they_hide() -> None:
    position = step_of(WHOLE, Phase.BACKWARD, "W1")
    hidden = frozenset(("d_W1",))
    for target in ("W1", ("W1", "Z", 0)):
        found = at(WHOLE, position, hidden, target)
        assert found is not None
        assert found.revealed == hidden
    assert at(WHOLE, position, hidden, "A") is None
    assert at(WHOLE, position - 1, hidden, "W1") is None  # not there yet
    factor = at(WHOLE, position, frozenset(("factors",)), ("W1", "Z", 0))
    assert factor is not None
    assert factor.wants_formula
    assert factor.check("d_Z @ X.T")[1]
    shape = at(WHOLE, position, frozenset(("shapes",)), "A")
    assert shape is not None
    assert shape.check("(4, 133)")[1]
    assert shape.check("4, 133")[1]


def test_a_chosen_entry_is_asked_for() -> None:
    found = prediction(Phase.FORWARD, "Z", target="Z", entry=(1, 2))
    assert "[1, 2]" in found.ask
    assert found.check(f"{WHOLE.trace.values['Z'][1, 2]:.4g}")[1]


def test_one_of_a_kind_is_revealed_and_the_others_stay_hidden() -> None:
    kept = without(frozenset(("gradients", "values")), frozenset(("d_A",)), WHOLE.trace)
    curtain = Curtain(kept)
    assert "values" in kept
    assert not curtain.hides_gradient("A")
    assert curtain.hides_gradient("Z")


def test_in_a_faulty_run_its_own_numbers_are_what_is_predicted() -> None:
    fault = FAULTS["sign"]
    run = FaultyRun(MODEL, fault, fault.places(MODEL.graph)[0])
    whole = Snapshot.of(run, MODEL)
    name = fault.places(MODEL.graph)[0].name
    position = step_of(whole, Phase.BACKWARD, name)
    found = at(whole, position, frozenset((f"d_{name}",)))
    assert found is not None
    own = found.array if found.entry is None else found.array[found.entry]
    assert found.check(str(np.asarray(own).tolist()))[1]


def test_in_a_faulty_run_a_formula_is_compared_with_the_numbers_of_the_fault() -> None:
    fault = FAULTS["activation"]  # the derivative of the activation is left out
    place = fault.places(MODEL.graph)[0]
    whole = Snapshot.of(FaultyRun(MODEL, fault, place), MODEL)
    position = step_of(whole, Phase.BACKWARD, "Z")
    found = at(whole, position, frozenset(("d_Z",)))
    assert found is not None
    assert found.entry == (0, 0)
    assert "fault" in found.remark
    assert found.check("w2.T @ d_yhat")[1]
    assert found.check("d_A[0, 0]")[1]
    by_the_rules, is_found = found.check("d_A * A * (1 - A)")
    assert (by_the_rules.right, by_the_rules.is_read, is_found) == (False, True, False)
    secret = at(whole, position, frozenset(("d_Z", "fault")))
    assert secret is not None
    assert secret.remark == ""
    right = at(WHOLE, position, frozenset(("d_Z",)))
    assert right is not None
    assert right.remark == ""
