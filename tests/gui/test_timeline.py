"""The place in one iteration: every way to it gives the same numbers; what belongs together is one move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.faults import FaultAt, run_of
from engine.graph import Detail
from engine.trace import trace
from engine.training import Run
from graphs.network import bind, load
from gui.timeline import Timeline


def _timeline(detail: Detail = Detail.EQUATION, name: str = "two-layer-nonlinear") -> Timeline:
    model = bind(load(name), seed=0)
    timeline = Timeline()
    timeline.show(trace(model.graph, model.leaves, detail), 0)
    return timeline


@given(places=st.lists(st.integers(-5, 60), max_size=12))
def test_going_there_step_by_step_is_standing_there(places: list[int]) -> None:
    gone, stood = _timeline(), _timeline()
    for place in places:
        gone.go(place)
        stood.stand(place)
        assert gone.position == stood.position
        for ours, theirs in (
            (gone.state.values, stood.state.values),
            (gone.state.gradients, stood.state.gradients),
        ):
            assert ours.keys() == theirs.keys()
            assert all(np.array_equal(array, theirs[name]) for name, array in ours.items())


@pytest.mark.parametrize("detail", Detail)
def test_moves_by_phase_there_and_back_meet_at_the_same_places(detail: Detail) -> None:
    timeline = _timeline(detail)
    places = []
    while (place := timeline.beyond(+1, lambda a, b: a.phase != b.phase)) is not None:
        timeline.go(place)
        places.append(place)
    assert timeline.is_at_end
    assert len(places) > 2
    back = []
    while (place := timeline.beyond(-1, lambda a, b: a.phase != b.phase)) is not None:
        timeline.go(place)
        back.append(place)
    assert back == [*reversed(places[:-1]), 0]


def test_what_does_not_change_is_kept_for_every_graph() -> None:
    timeline, run = _timeline(), Run(bind(load("two-layer-nonlinear"), seed=0))
    first, model = timeline.statics(run), bind(load("logistic-regression"), seed=0)
    shown = timeline.trace
    timeline.show(trace(model.graph, model.leaves, Detail.EQUATION), 3)
    assert timeline.statics(Run(model)) is not first
    timeline.show(shown, 0)
    assert timeline.statics(run) is first
    faulty = run_of(run.problem, run.recipe, FaultAt("reset"))
    assert timeline.statics(faulty) is not first
