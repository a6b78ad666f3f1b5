"""What is shown of an update: made from the optimizer's lines, for any optimizer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.expr import Name
from engine.graph import Detail
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.trace import Phase
from graphs.network import built_in_names
from graphs.views.lane import lane_reads
from gui.viewdata import LaneView, SceneView, Statics, lane_formulas, lane_view, scene_view
from tests.gui.scene.scenes import DRAG, Show

ALL = (*OPTIMIZERS.values(), DRAG)
NAMES = [optimizer.name for optimizer in ALL]


CASES = [(optimizer, detail, after) for optimizer in ALL for detail in Detail for after in (0, 2)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0].name}-{case[1].value}-{case[2]}")
def show(request: pytest.FixtureRequest) -> Show:
    optimizer, detail, after = request.param
    return Show("two-layer-nonlinear", detail, optimizer, after)


def lane_of(scene: SceneView) -> LaneView:
    assert scene.lane is not None
    return scene.lane


def arrows(lane: LaneView) -> list[tuple[str, str]]:
    return [(arrow.source, arrow.target) for arrow in lane.arrows]


def same_lane(one: LaneView | None, other: LaneView | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        (one.parameter, one.heading, one.arrows) == (other.parameter, other.heading, other.arrows)
        and list(one.cards) == list(other.cards)
        and all(card.same(other.cards[name]) for name, card in one.cards.items())
    )


# --- which line reads what ---------------------------------------------------------------------------------


def test_descent_reads_the_gradient_and_the_old_value():
    assert lane_reads(OPTIMIZERS["gd"]) == {"value": ("value", "gradient")}


def test_adam_reads_what_it_kept_then_what_it_has_just_worked_out():
    assert lane_reads(OPTIMIZERS["adam"]) == {
        "first_moment": ("kept first_moment", "gradient"),
        "second_moment": ("kept second_moment", "gradient"),
        "corrected_first": ("first_moment",),
        "corrected_second": ("second_moment",),
        "step": ("corrected_first", "corrected_second"),
        "value": ("value", "step"),
    }


def test_a_quantity_may_be_read_before_and_after_it_is_worked_out():
    assert lane_reads(DRAG) == {
        "drag": ("kept mass", "value"),
        "mass": ("kept mass", "gradient"),
        "step": ("drag", "mass"),
        "value": ("value", "step"),
    }


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_every_arrow_is_something_that_a_line_reads(optimizer: Optimizer):
    show = Show("univariate-regression", optimizer=optimizer)
    lane = lane_of(show.update("w"))
    wanted = {
        ("" if read == "value" else read, name)
        for name, reads in lane_reads(optimizer).items()
        for read in reads
    }
    assert set(arrows(lane)) == {*wanted, ("", "gradient"), ("value", "")}
    assert len(arrows(lane)) == len(set(arrows(lane)))
    assert {name for pair in arrows(lane) for name in pair} - {""} == set(lane.cards)


# --- the numbers are the trace's ---------------------------------------------------------------------------


def test_a_lane_is_there_at_update_steps_alone(show: Show):
    for position in range(show.length + 1):
        scene = show.scene(position)
        step = show.trace.steps[position - 1] if position else None
        is_update = step is not None and step.phase == Phase.UPDATE
        assert (scene.lane is not None) == is_update
        assert step is None or scene.lane is None or scene.lane.parameter == step.node


def test_cards_show_what_is_known_and_nothing_of_the_future(show: Show):
    quantities = [q.name for q in show.optimizer.quantities]
    for step in show.trace.steps:
        if step.phase != Phase.UPDATE:
            continue
        lane = lane_of(show.scene(step.index + 1))
        done = quantities.index(str(step.quantity))
        for i, name in enumerate(quantities):
            worked_out = show.update_step(step.node, name)
            assert lane.cards[name].value is (worked_out.after if i <= done else None)
            assert lane.cards[name].phase == ("update" if i == done else "")
        assert lane.cards["gradient"].value is show.trace.gradients[step.node]
        parts = {name for name, card in lane.cards.items() if card.part}
        assert parts == set(lane_reads(show.optimizer)[str(step.quantity)]) - {"value"}
        for arrow in lane.arrows:
            own = arrow.target or arrow.source
            assert arrow.current == (own == step.quantity)
            assert arrow.done == (own == "gradient" or own in quantities[: done + 1])


def test_what_was_kept_comes_from_the_iteration_before(show: Show):
    for parameter in show.model.graph.parameters:
        lane = lane_of(show.update(parameter))
        for name in show.optimizer.state:
            card = lane.cards[f"kept {name}"]
            before = show.update_step(parameter, name).before
            if show.iteration:
                assert card.value is before
                assert card.note == f"from iteration {show.iteration - 1}"
            else:
                assert before is None
                assert card.note == "zero at first"
                np.testing.assert_array_equal(
                    card.value, np.zeros_like(show.update_step(parameter, name).after)
                )


def test_both_ways_lead_to_the_same_lane(show: Show):
    there = [show.scene(position).lane for position in range(show.length + 1)]
    back = [show.scene(position).lane for position in range(show.length, -1, -1)]
    assert all(same_lane(one, other) for one, other in zip(there, reversed(back), strict=True))
    fresh = Statics(show.model.graph, show.detail)
    assert all(same_lane(lane, lane_view(show.frame(i, fresh))) for i, lane in enumerate(there))


def test_a_parameters_own_card_changes_when_its_new_value_is_there(show: Show):
    quantities = [q.name for q in show.optimizer.quantities]
    for parameter in show.model.graph.parameters:
        for name in quantities:
            card = show.update(parameter, name).nodes[parameter]
            last = name == "value"
            assert (card.phase, card.part) == (("update", False) if last else ("", True))
            assert card.value is (show.update_step(parameter).after if last else show.trace.values[parameter])


# --- words and formulas ------------------------------------------------------------------------------------


def test_the_caption_names_what_is_worked_out():
    show = Show("univariate-regression", optimizer=OPTIMIZERS["momentum"])
    assert show.update("w", "velocity").caption == ("v_{w}", "is computed: the velocity of w")
    assert show.update("w").caption == ("w", "is updated")


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_a_card_says_its_equation(optimizer: Optimizer):
    show = Show("two-layer-nonlinear", optimizer=optimizer)
    derivation = show.statics.derivation
    for name in show.model.graph.parameters:
        symbol = derivation.symbol(show.model.graph.ids[name])
        assert isinstance(symbol, Name)
        lines = optimizer.equations(symbol, derivation.gradient_name(name))
        lane = lane_of(show.update(name))
        for line in lines:
            card = lane.cards[line.quantity.name]
            assert line.latex.endswith(card.formula)
            assert card.title.startswith(line.target.text)
            assert line.quantity.text in card.says


@pytest.mark.parametrize("network", built_in_names())
def test_all_formulas_can_be_had_beforehand(network: str):
    for optimizer in ALL:
        show = Show(network, optimizer=optimizer)
        known = set(lane_formulas(show.frame(0)))
        for name in show.model.graph.parameters:
            lane = lane_of(show.update(name))
            shown = {text for card in lane.cards.values() for text in (card.title, card.formula)} - {""}
            assert shown <= known


def test_only_what_changed_has_another_record(show: Show):
    """A step of an update changes the cards of two quantities, and of what they read; the rest stays."""
    parameter = show.model.graph.parameters[0]
    quantities = [q.name for q in show.optimizer.quantities]
    reads = lane_reads(show.optimizer)
    for before, after in pairwise(quantities):
        one, other = lane_of(show.update(parameter, before)), lane_of(show.update(parameter, after))
        changed = {name for name, card in one.cards.items() if not card.same(other.cards[name])}
        assert changed <= {before, after, *reads[before], *reads[after]}


def test_scenes_of_other_phases_are_as_they_were(show: Show):
    scene = scene_view(show.frame(0))
    assert scene.lane is None
    assert not any(card.note or card.says for card in scene.nodes.values())
