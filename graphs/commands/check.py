"""``check``: the nudge test of every gradient, entry by entry and in random directions.

Every entry costs a forward pass or more. Where there are too many, some are drawn; the random directions then
still look at all of them at once, because each moves every entry of the array.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.gradcheck import TOLERANCE, Check, Nudge, Prober, gathered, is_analytic
from engine.graph import Graph
from engine.names import entry_text
from engine.trace import forward, loss_and_gradients
from graphs.commands.base import Command, Outcome, add_format, add_network, bound
from graphs.documents.json import dumps, plain
from graphs.documents.text import columns, number, shape_text
from graphs.network import Model

Array = np.ndarray
METHODS = {"complex": "complex step", "central": "central differences"}
DIRECTIONS = 3
WORK = 8e8  # numbers worked out in all before entries are drawn instead of all looked at
PASS = 2000  # what a node costs in a forward pass, in numbers, however small it is
FEWEST = 24


@dataclass(frozen=True)
class Tested:
    """The nudge test of one array: of all its entries, or of those at `entries`, and of random directions."""

    check: Check
    shape: tuple[int, ...]
    gradient: Array
    entries: Array
    directions: tuple[Nudge, ...]

    @property
    def passed(self) -> bool:
        """Whether the entries agree, and every direction."""
        with np.errstate(all="ignore"):
            own = self.check.passed
        return own and all(d.error <= self._slack for d in self.directions)

    @property
    def _slack(self) -> float:
        return 10 * TOLERANCE[self.check.method]  # a direction adds up the rounding of every entry

    @property
    def error(self) -> float:
        """The relative error of the array, or of a direction that is worse than allowed."""
        with np.errstate(all="ignore"):
            own = self.check.error
        beyond = [d.error for d in self.directions if not d.error <= self._slack]
        return max(own, *beyond) if beyond else own

    @property
    def is_whole(self) -> bool:
        """Whether every entry was looked at."""
        return len(self.entries) == self.gradient.size

    def numeric(self) -> Array:
        """Return the numeric derivatives in the array's shape, nan where none was taken."""
        found = np.full(self.gradient.size, np.nan)
        found[self.entries] = self.check.numeric
        return found.reshape(self.shape)


# --- testing -----------------------------------------------------------------------------------------------


def nudged(model: Model) -> Iterator[Tested]:
    """Yield the nudge test of every parameter and input."""
    graph, leaves = model.graph, model.leaves
    names = (*graph.parameters, *graph.inputs)
    _, gradients = loss_and_gradients(graph, leaves)
    limit = entries_allowed(graph, leaves, len(names))
    rng = np.random.default_rng(model.seed)
    prober = Prober(graph, leaves)
    for name in names:
        gradient = np.asarray(gradients[name])
        check, entries = _entries(prober, name, gradient, limit, rng)
        directions = [_direction(prober, name, gradient, rng) for _ in range(DIRECTIONS)]
        yield Tested(check, gradient.shape, gradient, entries, tuple(directions if gradient.size > 1 else ()))


def entries_allowed(graph: Graph, leaves: Mapping[str, Array], names: int) -> int:
    """Return how many entries of each array can be nudged in a time that nobody minds."""
    values = forward(graph, leaves)
    one_pass = sum(PASS + np.size(value) for value in values) * (1 if is_analytic(graph) else 5)
    return max(FEWEST, int(WORK / one_pass / max(1, names)))


def _entries(
    prober: Prober, name: str, gradient: Array, limit: int, rng: np.random.Generator
) -> tuple[Check, Array]:
    """Return the nudge test of the entries, one by one: of all of them, or of `limit` that are drawn."""
    entries = np.arange(gradient.size)
    if gradient.size > limit:
        entries = np.sort(rng.choice(gradient.size, limit, replace=False))
    places = [tuple(int(i) for i in np.unravel_index(entry, gradient.shape)) for entry in entries]
    found = gathered(prober, name, gradient, [prober.nudge(name, place, gradient) for place in places])
    flat = replace(found, numeric=found.numeric.ravel(), backpropagated=found.backpropagated.ravel())
    return flat, entries


def _direction(prober: Prober, name: str, gradient: Array, rng: np.random.Generator) -> Nudge:
    """Return the derivative along a random direction of length one, numeric and backpropagated."""
    direction = rng.standard_normal(gradient.shape)
    direction /= np.linalg.norm(direction)
    return prober.test(name, (), direction, float(np.sum(gradient * direction)), gradient)


# --- the command -------------------------------------------------------------------------------------------


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    add_format(parser, "text", "json")


def _run(args: Namespace) -> Outcome:
    model = bound(args)
    with np.errstate(all="ignore"):  # what is not finite fails, and is said
        tests = list(nudged(model))
    code = 0 if all(test.passed for test in tests) else 1
    if args.format == "json":
        return Outcome(dumps(_json(model, tests)) + "\n", code)
    return Outcome(_text(model, tests), code)


def _json(model: Model, tests: list[Tested]) -> dict[str, Any]:
    return {
        "network": model.network.name,
        "seed": model.seed,
        "method": METHODS["complex" if is_analytic(model.graph) else "central"],
        "passed": all(test.passed for test in tests),
        "checks": [_check_json(test) for test in tests],
    }


def _check_json(test: Tested) -> dict[str, Any]:
    worst = test.check.worst
    return {
        "name": test.check.name,
        "shape": list(test.shape),
        "method": METHODS[test.check.method],
        "numeric": plain(test.numeric()),
        "backpropagated": plain(test.gradient),
        "relative_error": test.error,
        "passed": test.passed,
        "decided": test.check.is_decided,
        "entries_checked": len(test.entries),
        "worst": _numbers(worst) | {"index": list(worst.index)},
        "directions": [_numbers(direction) for direction in test.directions],
    }


def _numbers(found: Nudge) -> dict[str, Any]:
    return {
        "numeric": found.numeric,
        "backpropagated": found.backpropagated,
        "relative_error": found.error,
    }


def _text(model: Model, tests: list[Tested]) -> str:
    head = ("name", "shape", "method", "worst entry", "numeric", "backpropagated", "relative error", "")
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        "",
        columns(head, [_row(test) for test in tests]) if tests else "there is nothing to nudge",
        "",
        *(_sampled(test) for test in tests if not test.is_whole),
        _verdict(tests),
    ]
    return "\n".join(parts) + "\n"


def _row(test: Tested) -> tuple[str, ...]:
    worst = test.check.worst
    return (
        test.check.name,
        shape_text(test.gradient),
        METHODS[test.check.method],
        entry_text(worst.index),
        f"{worst.numeric:.10g}",
        f"{worst.backpropagated:.10g}",
        number(test.error),
        _word(test),
    )


def _word(test: Tested) -> str:
    if not test.passed:
        return "FAILED"
    return "ok" if test.check.is_decided else "cannot tell"


def _sampled(test: Tested) -> str:
    return (
        f"{test.check.name}: {len(test.entries)} of {test.gradient.size} entries were nudged one by one, "
        f"all of them together in {DIRECTIONS} random directions."
    )


def _verdict(tests: list[Tested]) -> str:
    failed = [test.check.name for test in tests if not test.passed]
    if failed:
        return f"{len(failed)} of {len(tests)} gradients FAILED: {', '.join(failed)}."
    unclear = [test.check.name for test in tests if not test.check.is_decided]
    if unclear:
        return (
            "No gradient is wrong as far as can be told. Beside so large a loss, differences leave no digits "
            f"to compare for {', '.join(unclear)}."
        )
    if not tests:
        return "There is no gradient that could be wrong."
    return f"All {len(tests)} gradients agree." if len(tests) > 1 else "The gradient agrees."


COMMAND = Command(
    "check",
    "Nudge every number a little, and compare how the loss moves with its gradient.",
    "check logistic-regression",
    _add_options,
    _run,
)
