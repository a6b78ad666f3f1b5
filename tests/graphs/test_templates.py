"""The templates: each is a network that binds, traces, learns and has the gradients it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.graph import Detail
from engine.trace import loss_and_gradients, trace
from engine.training import Run
from graphs.draft import Draft, check
from graphs.network import bind
from graphs.templates import BLANK, is_untouched, template, template_names
from tests.helpers import loss_at, slope


def test_the_common_forms_are_there() -> None:
    assert template_names() == (
        BLANK,
        "regression",
        "multivariate-regression",
        "classification",
        "softmax",
        "two-layers",
        "residual",
        "shared-weights",
        "recurrence",
    )


@pytest.mark.parametrize("name", template_names())
def test_every_template_says_what_it_is(name: str) -> None:
    network = template(name)
    assert network.title[0].isupper()
    assert network.description.endswith(".")


@pytest.mark.parametrize("name", template_names())
def test_what_is_begun_with_a_template_has_a_source_of_its_own(name: str) -> None:
    first, second = template(name), template(name)
    assert first.source is not second.source
    assert first.source.text == second.source.text
    assert is_untouched(first) == (name == BLANK)
    assert not is_untouched(replace(first, formula="L = (a - 1)**2"))


@pytest.mark.parametrize("name", template_names())
def test_every_template_traces_forth_and_back_and_learns(name: str) -> None:
    model = bind(template(name))
    for detail in Detail:
        found = trace(model.graph, model.leaves, detail)
        state = found.state(len(found.steps))
        for step in reversed(found.steps):
            state.revert(step)
        assert set(state.values) == {*model.graph.inputs, *model.graph.parameters}
    run = Run(model, model.network.training.recipe)
    losses = run.advance(50).losses
    assert run.diverged is None
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", template_names())
def test_every_gradient_of_a_template_is_the_slope_of_its_loss(name: str) -> None:
    model = bind(template(name), seed=3)
    _, gradients = loss_and_gradients(model.graph, model.leaves)
    rng = np.random.default_rng(7)
    for parameter, value in model.parameters.items():
        direction = rng.normal(0, 1, value.shape)

        def loss(x: np.ndarray, parameter: str = parameter) -> float:
            return float(loss_at(model.graph, {**model.leaves, parameter: x}))

        numeric = slope(loss, value, direction)
        exact = float(np.sum(gradients[parameter] * direction))
        assert exact == pytest.approx(numeric, rel=1e-5, abs=1e-7), (parameter, exact, numeric)


@pytest.mark.parametrize("name", [n for n in template_names() if n != BLANK])
def test_every_template_without_its_parameters_is_drawn_in_the_same_shapes(name: str) -> None:
    network = template(name)
    found = check(Draft.of(replace(network, parameters={})))
    assert found.model is not None, found.sentence()
    own = bind(network)
    assert {n: found.model.leaves[n].shape for n in own.parameters} == {
        n: own.leaves[n].shape for n in own.parameters
    }
