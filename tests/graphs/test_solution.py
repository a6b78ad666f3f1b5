"""An iteration written out says what the trace says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.graph import Detail
from engine.trace import Phase
from graphs.snapshot import Snapshot
from graphs.solution import Solution, Written
from tests.arithmetic import work_out
from tests.graphs.snapshots import BUILT_IN, ODD, batch_snapshot, built_in_snapshot, odd_snapshot
from tests.helpers import assert_well_formed

_WHOLE = re.compile(r"\\ldots|softmax|mathrm\{(?:mean|sum|bce|cross|mse)|nan|infty|axis")


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_the_numbers_put_in_come_to_the_entry_they_are_of(name: str, detail: Detail) -> None:
    assert _compared(built_in_snapshot(name, detail)) > 5


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("key", ODD)
def test_the_numbers_put_in_come_to_the_entry_in_odd_networks(key: str, detail: Detail) -> None:
    _compared(odd_snapshot(key, detail))


def test_the_numbers_of_adam_s_update_come_to_the_entry_they_are_of() -> None:
    solution = Solution(batch_snapshot())
    updates = solution.phase(Phase.UPDATE)
    assert {written.step.quantity for written in updates} >= {"first_moment", "corrected_second", "value"}
    assert _compared(batch_snapshot()) > len(updates)


def _compared(snapshot: Snapshot) -> int:
    """Work out every substitution that shows all its numbers; return how many."""
    count = 0
    for written in Solution(snapshot).steps:
        assert_well_formed(f"{written.left} {written.sign} {written.coloured}".replace(r"\lambda", r"\mu"))
        finite = np.isfinite(written.result[written.index]) and snapshot.trace.first_non_finite() is None
        if not written.numbers or not finite or _WHOLE.search(written.numbers):
            continue
        _assert_comes_to(written)
        count += 1
    return count


def _assert_comes_to(written: Written) -> None:
    value, bound = work_out(written.numbers)
    result = float(written.result[written.index])
    assert abs(value - result) <= bound + 1e-3 * abs(result) + 1e-12, (written.left, written.numbers)
    assert work_out(written.comes_to)[0] == pytest.approx(result, rel=5e-4)


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_contributions_add_up_to_the_gradient_and_come_after_what_they_read(
    name: str, detail: Detail
) -> None:
    snapshot = built_in_snapshot(name, detail)
    solution = Solution(snapshot)
    whole = {snapshot.trace.graph.loss}
    for node, rows in solution.contributions.items():
        assert {written.step.node for written in rows} <= whole
        whole.add(node)
        total = sum(written.result for written in rows)
        np.testing.assert_allclose(total, rows[-1].step.after, rtol=1e-12, atol=1e-15)
    assert whole >= set(snapshot.trace.graph.parameters)


def test_gradients_are_composed_down_to_stored_values() -> None:
    solution = Solution(built_in_snapshot("two-layer-nonlinear"))
    assert solution.composed("w2") == r"\frac{2}{m} (\hat{y} - y) A^\intercal"
    assert solution.composed("yhat") == ""  # nothing stands before it


def test_a_long_part_of_a_line_is_called_by_its_number() -> None:
    solution = Solution(odd_snapshot("wide", Detail.PRIMITIVE))
    lefts = [solution.latex(name) for name in solution.contributions]
    assert r"{\mathcal{L}}_{\text{part }60}" in lefts or any(r"_{\text{part }" in left for left in lefts)
    assert all(len(left) < 200 for left in lefts)


def test_the_loss_after_the_update_is_that_of_the_next_iteration() -> None:
    snapshot = built_in_snapshot("two-layer-nonlinear")
    assert snapshot.run is not None
    run = snapshot.run.fork()
    run.advance(1)
    assert Solution(snapshot).loss_after() == pytest.approx(float(run.losses[1]), rel=1e-12)


def test_numbers_are_put_in_for_an_entry_that_is_not_zero() -> None:
    solution = Solution(built_in_snapshot("logistic-regression"))
    first = next(w for w in solution.contributions["a"] if w.result[0, 0] == 0)
    assert first.index != (0, 0)
    assert first.result[first.index] != 0
    assert solution.written(solution.trace.steps[0]).index == (0, 0)
