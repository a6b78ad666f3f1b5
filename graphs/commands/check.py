"""``check``: the nudge test of every gradient, entry by entry and in random directions.

Every entry costs a forward pass or more. Where there are too many, some are drawn; the random directions then
still look at all of them at once, because each moves every entry of the array.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.gradcheck import COMPLEX_STEP, REAL_STEP, TOLERANCE, Check, Nudge, derivative, is_analytic
from engine.graph import Graph
from engine.trace import forward, loss_and_gradients
from graphs.commands.base import Command, Outcome, add_format, add_network, bound
from graphs.documents.json import dumps, plain
from graphs.documents.text import columns, number, shape_text
from graphs.network import Model

Array = np.ndarray
METHODS = {"complex": "complex step", "central": "central differences"}
DIRECTIONS = 3
WORK = 3e8  # numbers worked out in all before entries are drawn instead of all looked at
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
        limit = TOLERANCE[self.check.method]
        return self.check.passed and all(d.error <= 10 * limit for d in self.directions)

    @property
    def error(self) -> float:
        """The relative error of the array, or of a direction that is worse than allowed."""
        worst = max((d.error for d in self.directions), default=0.0)
        return self.check.error if not self.check.passed or self.passed else worst

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
    graph = model.graph
    names = (*graph.parameters, *graph.inputs)
    _, gradients = loss_and_gradients(graph, model.leaves)
    limit = entries_allowed(graph, model.leaves, len(names))
    rng = np.random.default_rng(model.seed)
    for name in names:
        yield _tested(graph, model.leaves, name, np.asarray(gradients[name]), limit, rng)


def entries_allowed(graph: Graph, leaves: Mapping[str, Array], names: int) -> int:
    """Return how many entries of each array can be nudged in a time that nobody minds."""
    values = forward(graph, leaves)
    one_pass = sum(PASS + np.size(value) for value in values) * (1 if is_analytic(graph) else 5)
    return max(FEWEST, int(WORK / one_pass / max(1, names)))


def _tested(
    graph: Graph,
    leaves: Mapping[str, Array],
    name: str,
    gradient: Array,
    limit: int,
    rng: np.random.Generator,
) -> Tested:
    size = gradient.size
    entries = np.arange(size) if size <= limit else np.sort(rng.choice(size, limit, replace=False))
    nudges = [_entry(graph, leaves, name, gradient, int(entry)) for entry in entries]
    check = Check(
        name,
        "complex" if is_analytic(graph) else "central",
        np.array([n.numeric for n in nudges]),
        np.array([n.backpropagated for n in nudges]),
        max(nudges, key=lambda n: n.error),
    )
    directions = tuple(_direction(graph, leaves, name, gradient, rng) for _ in range(DIRECTIONS))
    return Tested(check, gradient.shape, gradient, entries, directions if size > 1 else ())


def _entry(graph: Graph, leaves: Mapping[str, Array], name: str, gradient: Array, entry: int) -> Nudge:
    index = tuple(int(i) for i in np.unravel_index(entry, gradient.shape))
    return Nudge(name, index, derivative(graph, leaves, name, index), float(gradient[index]))


def _direction(
    graph: Graph, leaves: Mapping[str, Array], name: str, gradient: Array, rng: np.random.Generator
) -> Nudge:
    """Return the derivative along a random direction of length one, numeric and backpropagated."""
    direction = rng.standard_normal(gradient.shape)
    direction /= np.linalg.norm(direction)
    if is_analytic(graph):
        numeric = _loss(graph, leaves, name, complex(0, COMPLEX_STEP) * direction).imag / COMPLEX_STEP
    else:
        step = REAL_STEP * max(1.0, float(np.max(np.abs(leaves[name]))))
        above, below = (_loss(graph, leaves, name, s * direction).real for s in (step, -step))
        numeric = (above - below) / (2 * step)
    return Nudge(name, (), numeric, float(np.sum(gradient * direction)))


def _loss(graph: Graph, leaves: Mapping[str, Array], name: str, step: Array) -> complex:
    values = forward(graph, {**leaves, name: leaves[name] + step})
    return complex(values[graph.ids[graph.loss]])


# --- the command -------------------------------------------------------------------------------------------


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    add_format(parser, "text", "json")


def _run(args: Namespace) -> Outcome:
    model = bound(args)
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
        f"[{', '.join(map(str, worst.index))}]" if worst.index else "",
        f"{worst.numeric:.10g}",
        f"{worst.backpropagated:.10g}",
        number(test.error),
        "ok" if test.passed else "FAILED",
    )


def _sampled(test: Tested) -> str:
    return (
        f"{test.check.name}: {len(test.entries)} of {test.gradient.size} entries were nudged one by one, "
        f"all of them together in {DIRECTIONS} random directions."
    )


def _verdict(tests: list[Tested]) -> str:
    failed = [test.check.name for test in tests if not test.passed]
    if failed:
        return f"{len(failed)} of {len(tests)} gradients FAILED: {', '.join(failed)}."
    return f"All {len(tests)} gradients agree."


COMMAND = Command(
    "check",
    "Nudge every number a little, and compare how the loss moves with its gradient.",
    "check logistic-regression",
    _add_options,
    _run,
)
