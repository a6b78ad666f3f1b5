"""NumPy source: one iteration as a script that runs anywhere and gives the very numbers on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.derive import Derivation
from engine.optimizers import Optimizer, update_equation
from engine.trace import Phase, Step, Trace
from graphs.array_source import as_source
from graphs.source_lines import quoted
from graphs.step_source import StepSource

__all__ = ["OVERFLOW", "Iteration", "Script", "Statement", "arrays_before", "numpy_script"]

Array = np.ndarray

HEADINGS = {Phase.FORWARD: "forward", Phase.SEED: "backward", Phase.UPDATE: "update"}
"""What stands over the first line of a phase; the seed is where backward begins."""
OVERFLOW = 'np.seterr(over="ignore")  # exp of a large number is inf, and 1 / inf the right 0'


@dataclass(frozen=True, eq=False)
class Iteration:
    """What a script is written of.

    Attributes
    ----------
    title
        The network's.
    trace
        One iteration, with or without an update.
    optimizer, settings
        How the update was worked out, and the hyperparameters in it; None and nothing for a trace without.
    number
        Which iteration of a run it is, counted from 0.
    batch
        Which examples of the data the mini-batch takes, None for all.
    derivation
        The equations of its steps, where they are not the right ones: a fault is in them.
    """

    title: str
    trace: Trace
    optimizer: Optimizer | None = None
    settings: Mapping[str, Any] | None = None
    number: int = 0
    batch: Sequence[int] | None = None
    derivation: Derivation | None = None


@dataclass(frozen=True)
class Statement:
    """The lines of one step, and the comment that stands over them; "" for none."""

    lines: tuple[str, ...]
    phase: Phase
    comment: str = ""


@dataclass(frozen=True)
class Script:
    """A script in its parts.

    Attributes
    ----------
    head
        What it is, and what it imports.
    setup
        The lines that define data, parameters and what the optimizer kept.
    arrays
        How many arrays these are.
    statements
        One a step, in order.
    zeros, ending
        What is defined after the backward pass: gradients that no step sets; and the last lines.
    """

    head: tuple[str, ...]
    setup: tuple[str, ...]
    arrays: int
    statements: tuple[Statement, ...]
    zeros: tuple[str, ...]
    ending: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole script."""
        return "\n".join([*self.head, *self.setup, *self._body(), *self.ending]) + "\n"

    def _body(self) -> Iterator[str]:
        zeros = self.zeros
        for before, statement in zip((None, *self.statements), self.statements, strict=False):
            if statement.phase == Phase.UPDATE and zeros:
                yield from zeros
                zeros = ()
            if statement.phase in HEADINGS and (before is None or before.phase != statement.phase):
                yield from ("", f"# --- {HEADINGS[statement.phase]} ---")
            if statement.comment:
                yield f"# {statement.comment}"
            yield from statement.lines
        yield from zeros


def numpy_script(iteration: Iteration) -> Script:
    """Return an iteration as a script.

    Run in a fresh process with NumPy alone, it defines every value by its name, every gradient as
    ``d_NAME``, what the optimizer works out, and ends with the updated parameters.
    """
    return _Writer(iteration).script()


def arrays_before(iteration: Iteration) -> tuple[str, ...]:
    """Return the lines of a script that define what is there before the first step."""
    return tuple(_Writer(iteration).setup()[0])


class _Writer:
    """Writes one script."""

    def __init__(self, iteration: Iteration) -> None:
        self._iteration = iteration
        self._trace = iteration.trace
        self._graph = iteration.trace.graph
        self._source = StepSource(self._graph, iteration.trace.detail, derivation=iteration.derivation)
        self._derivation = self._source.derivation

    def script(self) -> Script:
        statements = tuple(self._statements())
        text = "\n".join(line for statement in statements for line in statement.lines)
        setup, arrays = self.setup()
        packed = any("zlib" in line for line in setup)
        return Script(
            tuple(self._head("np.exp(" in text, packed)),
            tuple(setup),
            arrays,
            statements,
            tuple(self._zeros()),
            () if "print" in self._graph.ids else ("", f'print("{self._graph.loss} =", {self._graph.loss})'),
        )

    def _head(self, overflows: bool, packed: bool) -> Iterator[str]:
        iteration, graph = self._iteration, self._graph
        yield f'"""{quoted(iteration.title)}: iteration {iteration.number} in NumPy."""'
        yield ""
        if packed:
            yield from ("import base64", "import zlib", "")
        yield "import numpy as np"
        yield ""
        if overflows:
            yield from (OVERFLOW, "")
        if graph.examples is not None and "m" not in graph.ids:
            yield f"m = {graph.examples}  # examples"

    # --- what is there before the first step ---

    def setup(self) -> tuple[list[str], int]:
        """Return the lines that define data, parameters and what the optimizer kept; and how many arrays."""
        graph, values = self._graph, self._trace.values
        groups = [
            (self._data_comment(), [(name, values[name]) for name in graph.inputs]),
            ("parameters", [(name, values[name]) for name in graph.parameters]),
            (self._kept_comment(), list(self._kept())),
        ]
        lines: list[str] = []
        for comment, arrays in groups:
            if arrays:
                lines += ["", f"# --- {comment} ---"]
                lines += [line for name, array in arrays for line in as_source(name, array)]
        return lines, sum(len(arrays) for _, arrays in groups)

    def _data_comment(self) -> str:
        batch = self._iteration.batch
        if batch is None:
            return "data"
        shown = ", ".join(str(i) for i in batch[:12]) + (", ..." if len(batch) > 12 else "")
        return f"data: a mini-batch, examples {shown} counted from 0"

    def _kept_comment(self) -> str:
        optimizer = self._iteration.optimizer
        return f"what {optimizer.title if optimizer else 'the optimizer'} kept from the updates before"

    def _kept(self) -> Iterator[tuple[str, Array]]:
        optimizer = self._iteration.optimizer
        if optimizer is None:
            return
        for steps in self._trace.updates.values():
            for step in steps:
                if step.before is not None and step.quantity != "value":
                    yield update_equation(optimizer, self._derivation, step).target.code, step.before

    # --- the steps ---

    def _statements(self) -> Iterator[Statement]:
        before: tuple[Phase, str] | None = None
        for step in self._trace.steps:
            place = (step.phase, step.node)
            comment = self._comment(step) if place != before else ""
            before = place
            yield Statement(tuple(self._lines(step)), step.phase, comment)

    def _comment(self, step: Step) -> str:
        return self._update_comment(step) if step.phase == Phase.UPDATE else self._source.comment(step)

    def _update_comment(self, step: Step) -> str:
        optimizer, settings = self._iteration.optimizer, self._iteration.settings or {}
        if optimizer is None:
            return ""
        numbers = [f"{h.text} {settings[h.name]!r}" for h in optimizer.hyperparameters if h.name in settings]
        return f"{step.node}: {optimizer.title}, {', '.join(numbers)}, update {settings.get('t', 1)}"

    def _lines(self, step: Step) -> list[str]:
        optimizer = self._iteration.optimizer
        if step.phase != Phase.UPDATE:
            return self._source.lines(step)
        if optimizer is None:
            return []
        equation = update_equation(optimizer, self._derivation, step)
        return [equation.source(self._iteration.settings or {})]

    def _zeros(self) -> Iterator[str]:
        """Yield the gradients of what the loss does not depend on: no step has set them."""
        reached = {step.target for step in self._trace.steps if step.phase in (Phase.SEED, Phase.BACKWARD)}
        for name in self._graph.named:
            if name not in reached:
                yield self._source.zeros(name)
