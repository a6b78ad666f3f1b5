"""Wrong updates: the commonest slips with every optimizer are recognised and called what they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import sqrt

import pytest

from engine.alterations import Change
from engine.optimizers import OPTIMIZERS
from engine.training import Run
from graphs.exercise import Exercise, exercises
from graphs.mistakes import Slip
from graphs.snapshot import Snapshot
from tests.helpers import model_of

MODEL = model_of(
    "h = tanh(w*x + b)\np = v*h + h\nL = mean((p - y)**2)",
    {"w": 0.5, "b": 0.1, "v": 0.7},
    {"x": [1.0, 2.0, -1.0], "y": [0.5, 1.0, -0.3]},
)
Case = tuple[str, str, float, str]  # quantity, slip, wrong answer, words of its hint


@cache
def exercise_of(optimizer: str) -> Exercise:
    (found,) = exercises(Snapshot.of(Run(MODEL), MODEL), [optimizer], seed=3)
    return found


def numbers_of(exercise: Exercise) -> dict[str, float]:
    """Return what is known before the update, by the names of the optimizer's lines."""
    subject, here = exercise.parts[0].subject, exercise.snapshot
    assert subject is not None
    found = {key: float(here.trace.kept[subject.name, key]) for key in here.optimizer.state}
    found |= {"value": float(here.trace.values[subject.name])}
    return found | {"gradient": float(here.trace.gradients[subject.name])} | dict(here.settings)


def of_every_step(step: float, n: dict[str, float]) -> Iterator[Case]:
    """Yield the slips that every optimizer's last lines have."""
    before, rate = n["value"], n["learning_rate"]
    yield "value", Change.SIGN, before + step, "Look at the sign"
    yield "value", Slip.TERM, step, "is subtracted from it"
    yield "value", Slip.TERM, -step, "is subtracted from it"
    yield "value", Slip.TIMES, before - step / rate, r"factor $\eta$ is missing"


def of_velocity(n: dict[str, float], looks_ahead: bool) -> Iterator[Case]:
    old, g, momentum, rate = n["velocity"], n["gradient"], n["momentum"], n["learning_rate"]
    velocity = momentum * old + (1 - momentum) * g
    step = rate * (momentum * velocity + (1 - momentum) * g if looks_ahead else velocity)
    yield from of_every_step(step, n)
    yield "velocity", Slip.TERM, (1 - momentum) * g, "has not been added"
    yield "velocity", Slip.TIMES, momentum * old + g, r"factor $1 - D$ is missing"
    yield "velocity", Slip.TIMES, old + (1 - momentum) * g, "factor $M$ is missing"
    yield "velocity", Slip.WEIGHTS, (1 - momentum) * old + momentum * g, "weights are exchanged"
    yield "step", Slip.TIMES, step / rate, r"factor $\eta$ is missing"
    yield "value", Slip.PLAIN, n["value"] - rate * g, "gradient descent alone"
    if not looks_ahead:
        yield "value", Slip.OLD, n["value"] - rate * old, "takes the old"


def of_squares(n: dict[str, float], key: str) -> Iterator[Case]:
    old, g, rate = n[key], n["gradient"], n["learning_rate"]
    rho = n.get("rho", 0.0)
    new = rho * old + (1 - rho) * g**2 if rho else old + g**2
    step = rate * g / sqrt(new)
    yield from of_every_step(step, n)
    yield key, Slip.TERM, (1 - rho) * g**2, "has not been added"
    yield key, Slip.OPERATION, new + (1 - rho) * (g - g**2), "without its power $2$"
    yield "step", Slip.OPERATION, rate * g / new, "root of"
    yield "step", Slip.OLD, rate * g / sqrt(old), "takes the old"
    yield "step", Slip.PLAIN, rate * g, "gradient descent alone"
    if rho:
        yield key, Slip.TIMES, rho * old + g**2, r"factor $1 - \rho$ is missing"
        yield key, Slip.WEIGHTS, (1 - rho) * old + rho * g**2, "weights are exchanged"


def of_moments(n: dict[str, float]) -> Iterator[Case]:
    g, rate, t, b1, b2 = (n[key] for key in ("gradient", "learning_rate", "t", "beta1", "beta2"))
    first = b1 * n["first_moment"] + (1 - b1) * g
    second = b2 * n["second_moment"] + (1 - b2) * g**2
    good_first, good_second = first / (1 - b1**t), second / (1 - b2**t)
    step, raw = rate * good_first / sqrt(good_second), rate * first / sqrt(second)
    yield from of_every_step(step, n)
    yield "first_moment", Slip.TERM, (1 - b1) * g, "has not been added"
    yield "second_moment", Slip.TIMES, second + b2 * g**2, r"factor $1 - \beta_2$ is missing"
    yield "corrected_first", Slip.CORRECTION, first, "not been put right yet"
    yield "corrected_second", Slip.CORRECTION, second, "not been put right yet"
    yield "corrected_first", Slip.OPERATION, first / (1 - b1), "without its power $t$"
    both = r"divide them by $1 - \beta_1^{t}$ and $1 - \beta_2^{t}$ first"
    yield "step", Slip.CORRECTION, raw, both
    yield "value", Slip.CORRECTION, n["value"] - raw, both
    yield "step", Slip.CORRECTION, rate * good_first / sqrt(second), r"divide it by $1 - \beta_2^{t}$ first"
    yield "step", Slip.OPERATION, rate * good_first / good_second, "root of"
    yield "value", Slip.PLAIN, n["value"] - rate * g, "gradient descent alone"


def cases_of(optimizer: str) -> Iterator[Case]:
    n = numbers_of(exercise_of(optimizer))
    if optimizer in ("momentum", "nesterov"):
        yield from of_velocity(n, looks_ahead=optimizer == "nesterov")
    elif optimizer in ("rmsprop", "adagrad"):
        yield from of_squares(n, "square_average" if optimizer == "rmsprop" else "square_sum")
    elif optimizer == "adam":
        yield from of_moments(n)
    else:
        yield from of_every_step(n["learning_rate"] * n["gradient"], n)


CASES = [(name, *case) for name in OPTIMIZERS for case in cases_of(name)]


@pytest.mark.parametrize(("optimizer", "quantity", "kind", "wrong", "words"), CASES)
def test_the_commonest_slips_are_called_what_they_are(
    optimizer: str, quantity: str, kind: str, wrong: float, words: str
) -> None:
    parts = {part.subject.quantity: part for part in exercise_of(optimizer).parts if part.subject}
    found = parts[quantity].check(f"{wrong:.9g}")
    assert not found.right
    assert kind in found.kinds, found
    assert words in found.hint  # beside another that comes to the same with these short numbers, perhaps


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_step_is_no_new_value(optimizer: str) -> None:
    exercise = exercise_of(optimizer)
    found = exercise.parts[-1].check(f"{numbers_of(exercise)['value']:.9g}")
    assert not found.right
    assert Slip.VALUE in found.kinds


def test_a_number_that_keeps_a_division_from_zero_may_be_left_out() -> None:
    n = numbers_of(exercise_of("rmsprop"))
    new = n["rho"] * n["square_average"] + (1 - n["rho"]) * n["gradient"] ** 2
    assert exercise_of("rmsprop").parts[1].check(repr(n["learning_rate"] * n["gradient"] / sqrt(new))).right
