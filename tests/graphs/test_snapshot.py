"""The same place at another detail."""

from __future__ import annotations

import pytest

from engine.graph import Detail
from engine.trace import Trace
from graphs.snapshot import same_place
from tests.graphs.snapshots import ODD, odd_snapshot, snapshot_of
from tests.helpers import model_of

VALUES = ({"W": [[1.0, 2.0]], "b": 0.5}, {"X": [[1.0, 2.0, 3.0], [0.5, 0.0, 1.0]]})


def both(formula: str) -> tuple[Trace, Trace]:
    model = model_of(formula, *VALUES)
    return snapshot_of(model).trace, snapshot_of(model, Detail.PRIMITIVE).trace


@pytest.mark.parametrize("key", ODD)
def test_a_place_keeps_its_phase_and_line_at_the_other_detail(key: str) -> None:
    whole, primitive = (odd_snapshot(key, detail).trace for detail in Detail)
    for old, new in ((whole, primitive), (primitive, whole)):
        for position in range(len(old.steps) + 1):
            place = same_place(old, position, new)
            if position in (0, len(old.steps)):
                assert place == (0 if position == 0 else len(new.steps))
                continue
            here, there = old.steps[position - 1], new.steps[place - 1]
            assert here.phase == there.phase
            assert here.node.partition(".")[0] == there.node.partition(".")[0]


def test_a_backward_step_keeps_its_target() -> None:
    whole, primitive = both("Z = W @ X + b\nL = sum(Z**2)")
    for old, new in ((whole, primitive), (primitive, whole)):
        place = next(s.index for s in old.steps if s.input == "W") + 1
        assert new.steps[same_place(old, place, new) - 1].input == "W"


def test_a_place_inside_a_line_leads_to_its_end() -> None:
    whole, primitive = both("Z = W @ X + b\nL = sum(Z**2) + sum(W)")
    inside = next(s.index for s in primitive.steps if s.input == "L.1") + 1
    end = max(s.index for s in whole.steps if s.node == "L" and s.phase == "backward") + 1
    assert same_place(primitive, inside, whole) == end
    inside = next(s.index for s in primitive.steps if s.node == "Z.1") + 1
    assert whole.steps[same_place(primitive, inside, whole) - 1].node == "Z"
