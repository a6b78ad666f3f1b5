"""What is shown of an update, quantity by quantity, for every optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.trace import Phase, Step, trace
from engine.training import Recipe, Run
from graphs.network import Model, bind, load
from graphs.wording import share
from gui.equations import equation
from gui.viewdata import Frame, MatrixView, Statics, StepView, code_rows, inspector_view, step_view
from tests.arithmetic import work_out

SCALARS, MATRICES = "univariate-regression", "two-layer-linear"
OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS)
NETWORK = pytest.mark.parametrize("network", [SCALARS, MATRICES])


class Walk:
    """One iteration of a run, as frames."""

    def __init__(self, network: str, recipe: Recipe, iteration: int = 0) -> None:
        self.model: Model = bind(load(network))
        self.run = Run(self.model, recipe)
        self.run.advance(iteration)
        point = self.run.point
        graph, data = self.model.batch(self.model.indices(iteration, self.run.batch_size))
        self.trace = trace(graph, {**data, **point.parameters}, Detail.EQUATION, self.run.optimize(point))
        self.statics = Statics(graph, Detail.EQUATION)
        self.iteration = iteration

    def frame(self, position: int) -> Frame:
        state = self.trace.state(position)
        return Frame(
            self.model,
            self.trace,
            self.statics,
            position,
            state.values,
            state.gradients,
            self.iteration,
            self.iteration,
            self.run.optimizer,
            self.run.recipe.settings_at(self.iteration),
        )

    def updates(self) -> Iterator[tuple[Step, StepView]]:
        for step in self.trace.steps:
            if step.phase == Phase.UPDATE:
                yield step, step_view(self.frame(step.index + 1))

    def view(self, parameter: str, quantity: str) -> StepView:
        return next(v for s, v in self.updates() if (s.node, s.quantity) == (parameter, quantity))


@OPTIMIZER
@NETWORK
@pytest.mark.parametrize("iteration", [0, 3])
def test_the_numbers_put_in_come_to_the_result(optimizer: str, network: str, iteration: int) -> None:
    walk = Walk(network, Recipe(optimizer, batch_size=20), iteration)
    seen = 0
    for step, view in walk.updates():
        result, _ = work_out(view.result.removeprefix("= "))
        assert result == pytest.approx(float(step.after[view.index]), rel=1e-3)
        if view.numbers:
            value, bound = work_out(view.numbers.removeprefix("= "))
            assert abs(value - result) <= bound + 1e-3 * abs(result) + 1e-12, view.numbers
        seen += 1
    assert seen == len(walk.model.graph.parameters) * len(OPTIMIZERS[optimizer].quantities)


@OPTIMIZER
@NETWORK
@pytest.mark.parametrize("iteration", [0, 3])
def test_the_matrices_make_the_new_one(optimizer: str, network: str, iteration: int) -> None:
    for step, view in Walk(network, Recipe(optimizer), iteration).updates():
        whole, equals, *parts = view.matrices
        assert isinstance(whole, MatrixView)
        assert (equals, whole.role) == ("=", "update")
        assert whole.array is step.after
        assert len(parts) >= 2, "the line is shown in its parts"
        np.testing.assert_allclose(worked_out(parts), step.after, rtol=1e-12, atol=1e-300)


def worked_out(parts: list[MatrixView | str]) -> np.ndarray:
    """Return what matrices with signs between them come to."""
    total, term, sign, operator = np.zeros(()), np.ones(()), 1.0, "×"
    for part in [*parts, "+"]:
        if isinstance(part, MatrixView):
            term = term / part.array if operator in "⊘÷" else term * part.array
        elif part in "+−":
            total, term, sign, operator = total + sign * term, np.ones(()), 1.0 if part == "+" else -1.0, "×"
        else:
            operator = part
    return total


@OPTIMIZER
@NETWORK
def test_every_quantity_is_said_in_one_sentence(optimizer: str, network: str) -> None:
    for step, view in Walk(network, Recipe(optimizer), 1).updates():
        assert view.phase == "update"
        for sentence in (view.sentence, view.more):
            assert re.fullmatch(r"[^{}]+\.", sentence), sentence
        assert len(view.sentence) <= 130, view.sentence
        assert view.code.partition(" = ")[0] in (step.node, *known_names(view.code))
        assert OPTIMIZERS[optimizer].title in view.more


def known_names(code: str) -> list[str]:
    return re.findall(r"^(?:v|s|v_hat|s_hat|step)_\w+", code)


@OPTIMIZER
@NETWORK
def test_every_equation_of_an_update_can_be_typeset(
    optimizer: str, network: str, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    for _, view in Walk(network, Recipe(optimizer), 1).updates():
        labels = [part.label for part in view.matrices if isinstance(part, MatrixView)]
        for text in (view.equation, view.numbers, view.result, *labels):
            assert not text or equation(text, 16.0).width > 0
    assert not caplog.records


def test_adam_is_shown_line_by_line() -> None:
    walk = Walk(SCALARS, Recipe("adam"), 0)
    views = {str(s.quantity): v for s, v in walk.updates() if s.node == "w"}
    assert [v.sentence for v in views.values()] == [
        "The first moment is a velocity: it remembers nine tenths of the last and takes one tenth of the "
        "gradient.",
        "The second moment remembers 99.9 % of the last one and takes 0.1 % of the squared gradient.",
        "The first moment started at zero and is too small: update 1 divides by what it has taken.",
        "The second moment started at zero as well, and is corrected in the same way at update 1.",
        "The step is the average gradient over its usual size: the learning rate, if gradients agree.",
        "w takes its step: the update of w is done.",
    ]
    first = views["first_moment"]
    assert first.equation == (
        r"v_{w} \leftarrow \beta_1 v_{w} + (1 - \beta_1) \frac{\partial\mathcal{L}}{\partial w}"
    )
    assert first.numbers == r"= 0.9 \cdot 0 + (1 - 0.9) \cdot (-2.614)"
    assert first.result == "= -0.2614"
    assert first.code == "v_w = 0.9 * np.zeros_like(w) + (1 - 0.9) * d_w"
    assert first.more == "Adam with learning rate 0.05, line 1 of 6."
    assert views["corrected_first"].numbers == r"= \frac{-0.2614}{1 - 0.9^{1}}"
    assert views["value"].numbers == "= -0.5 - (-0.05000)"


def test_a_velocity_is_made_of_the_last_one() -> None:
    walk = Walk(MATRICES, Recipe("momentum", {"momentum": 0.8, "dampening": 0}), 2)
    view = walk.view("W1", "velocity")
    assert (
        view.sentence == "The velocity remembers eight tenths of the last one and takes all of the gradient."
    )
    new, _, share_of_old, times, old, plus, _, _, gradient = view.matrices
    assert (times, plus) == ("×", "+")
    assert isinstance(old, MatrixView)
    assert isinstance(new, MatrixView)
    assert isinstance(gradient, MatrixView)
    assert isinstance(share_of_old, MatrixView)
    assert np.array_equal(old.array, walk.run.point.state["W1", "velocity"])
    assert [part.role for part in (new, share_of_old, old, gradient)] == [
        "update",
        "text",
        "update",
        "backward",
    ]
    assert (new.label, old.label) == (r"v_{W_1}\;\text{new}", "v_{W_1}")
    assert (new.shape, new.dims) == ("2 × 3", "k × n")


def test_the_scheduled_learning_rate_is_the_one_put_in() -> None:
    recipe = Recipe("gd", {"learning_rate": 0.4}, schedule="step", schedule_settings={"every": 1})
    view = Walk(SCALARS, recipe, 2).view("w", "value")
    assert view.more == "Gradient descent with learning rate 0.1."
    assert view.code == "w = w - 0.1 * d_w"
    assert r"0.1 \cdot" in view.numbers


def test_what_was_kept_is_there_from_the_start_and_again_after_going_back() -> None:
    walk = Walk(MATRICES, Recipe("adam"), 2)
    start = walk.trace.state(0)
    assert start.quantities.keys() == walk.run.point.state.keys()
    state = walk.trace.state(len(walk.trace.steps))
    assert ("W1", "corrected_first") in state.quantities
    for step in reversed(walk.trace.steps):
        state.revert(step)
    assert state.values.keys() == start.values.keys()
    assert all(state.values[key] is array for key, array in start.values.items())
    assert state.quantities.keys() == start.quantities.keys()
    assert all(state.quantities[key] is array for key, array in start.quantities.items())
    assert state.gradients == {}


def test_the_inspector_tells_what_the_optimizer_keeps() -> None:
    walk = Walk(SCALARS, Recipe("momentum"), 2)
    last = walk.view("w", "velocity")

    def facts(position: int) -> dict[str, str]:
        view = inspector_view(walk.frame(position), "w")
        assert view is not None
        return dict(view.facts)

    kept = float(walk.run.point.state["w", "velocity"])
    assert float(facts(0)["velocity"].replace("−", "-")) == pytest.approx(kept, rel=1e-3)
    assert "step" not in facts(0)
    end = facts(len(walk.trace.steps))
    assert float(end["velocity"].replace("−", "-")) == pytest.approx(float(last.result[2:]), rel=1e-3)
    assert "step" in end
    wide = inspector_view(Walk(MATRICES, Recipe("adam"), 1).frame(0), "W1")
    assert wide is not None
    assert {"first moment: norm", "second moment: norm"} <= dict(wide.facts).keys()


@OPTIMIZER
def test_the_code_dock_has_the_lines_of_the_update(optimizer: str) -> None:
    walk = Walk(SCALARS, Recipe(optimizer), 1)
    rows = [row.text for row in code_rows(walk.frame(0)) if row.phase == "update"]
    assert rows == [view.code for _, view in walk.updates()]
    assert "zeros" not in "".join(rows)


@pytest.mark.parametrize(
    ("part", "words"),
    [(0.9, "nine tenths"), (0.1, "one tenth"), (0.5, "half"), (1, "all"), (0, "nothing"), (0.999, "99.9 %")],
)
def test_shares_in_words(part: float, words: str) -> None:
    assert share(part) == words
    assert share(1 - (1 - part)) == words
