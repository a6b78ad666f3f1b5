r"""Faults of a backward pass and of training, as records that apply to any graph.

A fault of the backward pass is put in at a place: one use of one value, or the gradient of one that is used
several times. It is seen in the equations (:class:`FaultyDerivation`), in the steps
(:func:`faulty_trace`), in what the nudge test says (:func:`nudged`) and in the training curve
(:class:`FaultyRun`). The right path knows none of this: :class:`engine.trace.Rules` are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from engine import expr as ex
from engine import ops
from engine.alterations import Alteration, Change, alterations
from engine.derive import BackwardEquation, Derivation
from engine.errors import UsageError, excerpt
from engine.expr import Expr
from engine.gradcheck import Check, check
from engine.graph import Detail, Graph, Node, Use
from engine.history import Point, Recording
from engine.names import plain_name
from engine.ops import Placed
from engine.plan import Inspector
from engine.problem import Problem
from engine.trace import (
    RIGHT,
    Optimize,
    Phase,
    Rules,
    Step,
    Trace,
    chained,
    contribution,
    forward,
    gradients,
    links,
    trace,
)
from engine.training import Recipe, Run

__all__ = [
    "FAULTS",
    "Fault",
    "FaultAt",
    "FaultyDerivation",
    "FaultyRun",
    "FaultyTrace",
    "Place",
    "Stage",
    "altered_rules",
    "fault_of",
    "faulty_trace",
    "nudged",
    "resumed",
    "run_of",
]

Array = np.ndarray
MOST_PLACES = 200
TRIAL = 30  # iterations in which a learning rate that is too large shows
LARGEST_FACTOR = 2.0**16


class Stage(StrEnum):
    """What a fault is in."""

    FACTOR = "factor"  # in what one use of a value contributes
    ACCUMULATION = "accumulation"  # in how contributions are added up
    RESET = "reset"  # in what is left of the iteration before
    START = "start"  # in the parameters to begin with
    RATE = "rate"  # in the learning rate


@dataclass(frozen=True)
class Place:
    """Where a fault can be put.

    Attributes
    ----------
    node, slot
        The line that backward goes through, and which use in it; "" where the fault is in no line.
    name
        The value whose gradient it falsifies first; "" for all parameters.
    alteration
        What is done to the factor, for a fault in a factor.
    """

    node: str = ""
    slot: int = 0
    name: str = ""
    alteration: Alteration | None = None


@dataclass(frozen=True)
class Fault:
    """A fault that is made often.

    Attributes
    ----------
    name, title
        In files and on the command line; in menus and answers.
    explanation
        What goes wrong and what it looks like, in a sentence or two.
    stage
        What it is in.
    changes
        The alterations of a factor that count as this fault.
    """

    name: str
    title: str
    explanation: str
    stage: Stage
    changes: frozenset[Change] = frozenset()

    def places(self, graph: Graph) -> tuple[Place, ...]:
        """Return where the fault can be put in a graph, from the loss back; none where it does not apply."""
        if self.stage == Stage.FACTOR:
            return _factor_places(graph, self)
        if self.stage == Stage.ACCUMULATION:
            return tuple(_fan_outs(graph))
        return (Place(),) if graph.parameters else ()

    def where(self, place: Place) -> str:
        """Say where it is, as a menu does: "the gradient of Z, back through A"."""
        if self.stage in (Stage.START, Stage.RESET):
            return "all parameters"
        if self.stage == Stage.RATE:
            return "the update"
        through = f", back through {plain_name(place.node)}" if self.stage == Stage.FACTOR else ""
        return f"the gradient of {plain_name(place.name)}{through}"

    def place(self, graph: Graph, node: str = "", slot: int = 0) -> Place:
        """Return the place at a line and one of its uses; of a fault in no line, its one place.

        Raises
        ------
        UsageError
            Where the fault does not apply there.
        """
        found = [p for p in self.places(graph) if not p.node or (p.node, p.slot) == (node, slot)]
        if not found:
            raise UsageError(
                f"the fault {self.name} does not apply at {excerpt(node, 40)}.",
                how="Choose another place, or another fault.",
            )
        return found[0]

    def rules(self, graph: Graph, place: Place) -> Rules | None:
        """Return how backward is done with the fault at a place; None where backward itself is right.

        They hold for the graph of any mini-batch too.
        """
        if self.stage == Stage.FACTOR and place.alteration is not None:
            return altered_rules(place.alteration, graph)
        if self.stage == Stage.ACCUMULATION:
            return Rules(contribution, _Overwriting(graph, place))
        return None

    def leaves(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Return the parameters that training starts from: all zero, for a fault in the start."""
        if self.stage != Stage.START:
            return dict(parameters)
        return {name: np.zeros_like(array) for name, array in parameters.items()}

    def recipe(self, problem: Problem, recipe: Recipe) -> Recipe:
        """Return how it is trained: with too large a learning rate, for a fault in it."""
        return _too_fast(problem, recipe) if self.stage == Stage.RATE else recipe


# --- where a fault can be put ------------------------------------------------------------------------------


def _factor_places(graph: Graph, fault: Fault) -> tuple[Place, ...]:
    """Return one place for every use: the operation nearest to the value that the fault can be in.

    An operation through which several uses go is named after the one that backward reaches first.
    """
    derivation = Derivation(graph)
    found: dict[tuple[int, int], Place] = {}
    for line in reversed(graph.lines):
        if line.node not in graph.on_loss_path or not line.written:
            continue
        for use in line.uses:
            possible = _in_use(derivation, use, fault) if use.source in graph.trained else iter(())
            alteration = next(possible, None)
            if alteration is not None:
                name = graph.nodes[use.source].name
                found.setdefault(alteration.place, Place(line.name, use.slot, name, alteration))
        if len(found) > MOST_PLACES:
            break
    return tuple(found.values())


def _in_use(derivation: Derivation, use: Use, fault: Fault) -> Iterator[Alteration]:
    graph = derivation.graph
    for node_id, slot in reversed(use.path):
        for alteration in alterations(derivation, graph.nodes[node_id], slot):
            is_one = alteration.change in fault.changes and not alteration.changes_shape
            if is_one and _suits(graph, alteration):
                yield alteration


def _suits(graph: Graph, alteration: Alteration) -> bool:
    """Say whether a local derivative that is left out is that of a function, as an activation is."""
    op = graph.nodes[alteration.node].op
    if alteration.change != Change.FACTOR:
        return True
    return op is not None and op.elementwise and op.arity == (1, 1) and op.latex is not None


def _fan_outs(graph: Graph) -> Iterator[Place]:
    """Yield the values that are used several times on the way to the loss: there contributions are added."""
    uses: dict[int, list[tuple[str, int]]] = {}
    for line in reversed(graph.lines):
        if line.node in graph.on_loss_path:
            for use in line.uses:
                uses.setdefault(use.source, []).append((line.name, use.slot))
    for source, found in uses.items():
        if len(found) > 1 and source in graph.trained:
            yield Place(*found[-1], graph.nodes[source].name)


# --- the backward pass with a fault ------------------------------------------------------------------------


def altered_rules(alteration: Alteration, graph: Graph | None = None) -> Rules:
    """Return the rules by which one factor is altered, on any graph of the same formula.

    Parameters
    ----------
    graph
        That of the alteration; on others, such as a mini-batch's, the like alteration is looked for.
    """
    return Rules(_Altering(alteration, graph), RIGHT.add)


class _Altering:
    """Works a contribution out with one of its links altered.

    An alteration that changes the shape gives what comes out as it is.
    """

    def __init__(self, alteration: Alteration, graph: Graph | None) -> None:
        self._alteration = alteration
        self._found: dict[int | None, Alteration] = {}
        if graph is not None:
            self._found[graph.examples] = alteration

    def __call__(
        self, graph: Graph, node: Node, slot: int, values: Sequence[Array], upstream: Array
    ) -> Array:
        if (node.id, slot) != self._alteration.place:
            return contribution(graph, node, slot, values, upstream)
        alteration = self._on(graph)

        def work_out(expr: Expr) -> Any:
            return ex.evaluate(expr, {name: values[graph.ids[name]] for name in ex.uses(expr)})

        placed = alteration.applied(links(graph, node, slot, values), work_out)
        if alteration.changes_shape:
            return np.asarray(ops.chain(upstream, placed))
        return chained(graph, node, slot, upstream, placed)

    def _on(self, graph: Graph) -> Alteration:
        """Return the alteration for a graph: constants such as 1/m are those of its examples."""
        found = self._found.get(graph.examples)
        if found is None:
            node, slot = self._alteration.place
            possible = alterations(Derivation(graph), graph.nodes[node], slot)
            found = next((a for a in possible if a.is_like(self._alteration)), self._alteration)
            self._found[graph.examples] = found
        return found


class _Overwriting:
    """Keeps, of the contributions to one value, only the one that is shown last.

    Contributions are worked out in the order of the nodes and shown in the order in which a line is read: the
    one that is kept has to be the same in both.
    """

    def __init__(self, graph: Graph, place: Place) -> None:
        uses = graph.line_by_name[place.node].uses
        self._kept = uses[place.slot].path[-1]
        source = graph.ids[place.name]
        self._places = {use.path[-1] for line in graph.lines for use in line.uses if use.source == source}

    def __call__(self, by: tuple[int, int], held: Array, part: Array) -> Array:
        if by not in self._places:
            return held + part
        node, slot = self._kept
        is_there = node > by[0] or (node == by[0] and slot < by[1])
        return held if is_there else part


class FaultyDerivation(Derivation):
    """The equations of a graph with a fault in one of them.

    Parameters
    ----------
    graph, detail
        As for a derivation.
    fault, place
        Which fault, and where.
    """

    def __init__(self, graph: Graph, fault: Fault, place: Place, detail: Detail = Detail.EQUATION) -> None:
        super().__init__(graph, detail)
        self.fault = fault
        self.place = place
        self.altered = None if place.alteration is None else place.alteration.place

    def links(self, node: Node, slot: int) -> list[Placed]:
        """Return the links of a factor, one of them altered where the fault is."""
        placed = super().links(node, slot)
        alteration = self.place.alteration
        if alteration is None or (node.id, slot) != alteration.place:
            return placed
        return alteration.applied(placed)

    def contributions_to(self, name: str) -> Sequence[tuple[str, int]]:
        """Return the uses that count for a gradient: only the last one where it overwrites the others."""
        found = super().contributions_to(name)
        is_overwritten = self.fault.stage == Stage.ACCUMULATION and name == self.place.name
        return found[-1:] if is_overwritten else found

    def backward_equation(self, node: str, slot: int, accumulate: bool = False) -> BackwardEquation:
        """Return one backward step, with ``=`` for ``+=`` where the fault is that."""
        found = super().backward_equation(node, slot, accumulate)
        if self.fault.stage == Stage.ACCUMULATION and found.contribution.input == self.place.name:
            return replace(found, accumulate=False)
        return found


@dataclass(frozen=True, eq=False)
class FaultyTrace:
    """An iteration with a fault in it, beside the right one.

    Attributes
    ----------
    trace, right
        The steps with the fault, and without; they are as many, in the same order.
    marked
        The steps in which the fault is done, by index.
    spoiled
        The steps whose numbers are not what they should be.
    """

    fault: Fault
    place: Place
    trace: Trace
    right: Trace

    @cached_property
    def marked(self) -> frozenset[int]:
        """The steps in which the fault is done."""
        return frozenset(step.index for step in self.trace.steps if self._is_faulty(step))

    def _is_faulty(self, step: Step) -> bool:
        if step.phase != Phase.BACKWARD:
            return False
        if self.fault.stage == Stage.ACCUMULATION:
            return step.target == self.place.name and step.before is not None
        if self.fault.stage == Stage.RESET:
            return step.before is not None and step.target in self.trace.left
        alteration, graph = self.place.alteration, self.trace.graph
        if alteration is None:
            return False
        if self.trace.detail == Detail.PRIMITIVE:
            return (graph.ids[step.node], step.slot) == alteration.place
        return alteration.place in graph.line_by_name[step.node].uses[step.slot or 0].path

    @cached_property
    def spoiled(self) -> frozenset[int]:
        """The steps whose numbers are not what they should be."""
        pairs = zip(self.trace.steps, self.right.steps, strict=True)
        return frozenset(own.index for own, right in pairs if not _alike(own.after, right.after))

    @property
    def shows(self) -> bool:
        """Whether the fault makes any difference to these numbers."""
        return bool(self.spoiled)


def _alike(a: Array, b: Array) -> bool:
    scale = max(float(np.max(np.abs(b), initial=0.0)), 1e-12)
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * scale, equal_nan=True))


def faulty_trace(
    graph: Graph,
    leaves: Mapping[str, Array],
    fault: Fault,
    place: Place,
    detail: Detail = Detail.EQUATION,
    optimize: Optimize | None = None,
    left: Mapping[str, Array] | None = None,
) -> FaultyTrace:
    """Return the trace of an iteration with a fault in it, and the right one.

    Parameters
    ----------
    left
        The gradients of the iteration before, for a fault that does not reset them; those of this very
        iteration where None, as if it were done twice.
    """
    own = {**leaves, **fault.leaves({name: leaves[name] for name in graph.parameters})}
    right = trace(graph, own, detail, optimize)
    if fault.stage == Stage.RESET and left is None:
        left = {name: right.gradients[name] for name in graph.parameters}
    kept = left if fault.stage == Stage.RESET else None
    found = trace(graph, own, detail, optimize, fault.rules(graph, place), kept)
    return FaultyTrace(fault, place, found, right)


def nudged(found: FaultyTrace, names: tuple[str, ...] | None = None) -> Iterator[Check]:
    """Yield the nudge test of the faulty gradients, of every parameter and input or of `names`."""
    graph, values = found.trace.graph, found.trace.values
    leaves = {name: values[name] for name in (*graph.inputs, *graph.parameters)}
    return check(graph, leaves, names, found.trace.gradients)


# --- training with a fault ---------------------------------------------------------------------------------

LEFT = "left"
"""What a run with the fault of not resetting keeps of its gradients, as a quantity of its points."""


class FaultyRun(Run):
    """A training run with a fault in it, by the interpreter.

    Parameters
    ----------
    problem, recipe
        As for a run; parameters and learning rate are changed where the fault is in them.
    point, stride
        As for a run that goes on: problem and recipe are then those of the run that was begun.
    """

    def __init__(
        self,
        problem: Problem,
        fault: Fault,
        place: Place,
        recipe: Recipe | None = None,
        point: Point | None = None,
        stride: int = 1,
    ) -> None:
        self.fault = fault
        self.place = place
        recipe = (recipe or Recipe()).checked()
        if point is None:
            recipe = fault.recipe(problem, recipe)
            if fault.stage == Stage.START:
                problem = _Restarted(problem, fault.leaves(problem.parameters))
        super().__init__(problem, recipe, point, stride)

    @property
    def kept(self) -> tuple[str, ...]:
        """What is kept from one update to the next: the gradients too, where they are not reset."""
        return (*super().kept, LEFT) if self.fault.stage == Stage.RESET else super().kept

    @property
    def at_fault(self) -> FaultAt:
        """Which fault is in it, and where."""
        return FaultAt(self.fault.name, self.place.node, self.place.slot)

    @cached_property
    def rules(self) -> Rules | None:
        """How backward is done; None where backward itself is right."""
        return self.fault.rules(self.problem.graph, self.place)

    @cached_property
    def _stepper(self) -> Inspector:
        return _FaultyInspector(self)

    def derivation(self, graph: Graph, detail: Detail = Detail.EQUATION) -> Derivation:
        """Return the equations of the steps, one of them with the fault."""
        place = self.fault.place(graph, self.place.node, self.place.slot)  # 1/m is that of this graph
        return FaultyDerivation(graph, self.fault, place, detail)

    def faulty_steps(self, shown: Trace) -> frozenset[int]:
        """Return the steps of an iteration in which the fault is done, by index."""
        return FaultyTrace(self.fault, self.place, shown, shown).marked

    def tracing(
        self, graph: Graph, leaves: Mapping[str, Array], point: Point, detail: Detail = Detail.EQUATION
    ) -> Callable[[], Trace]:
        """Return what gives the steps of the iteration at a point, with the fault."""
        left = {name: array for (name, key), array in point.state.items() if key == LEFT}
        return partial(trace, graph, leaves, detail, self.optimize(point), self.rules, left)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the place to be found again: its symbols hold functions."""
        state = {**super().__getstate__(), "place": (self.place.node, self.place.slot)}
        state.pop("rules", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.place = self.fault.place(self.problem.graph, *state["place"])

    def __copy__(self) -> FaultyRun:
        """Return a twin with the same place, which need not be found again."""
        twin = object.__new__(type(self))
        twin.__dict__.update(super().__getstate__())
        return twin


class _FaultyInspector(Inspector):
    """Does training steps with a fault in the backward pass."""

    def __init__(self, run: FaultyRun) -> None:
        self._rules = run.rules
        self._is_reset = run.fault.stage != Stage.RESET
        super().__init__(run.problem, run._rates, run.batch_size)

    def _zeros(self) -> dict[str, dict[str, Array]]:
        found = super()._zeros()
        if not self._is_reset:
            found[LEFT] = {name: np.zeros_like(array) for name, array in self._parameters.items()}
        return found

    def _step(self, iteration: int, norms: list[float] | None) -> float:
        loss = super()._step(iteration, norms)
        if not self._is_reset:
            self._state[LEFT] = {name: np.array(self.gradients[name]) for name in self._parameters}
        return loss

    def _gradients(self, graph: Graph, data: Mapping[str, Array]) -> Mapping[str, Array]:
        values = forward(graph, {**data, **self._parameters})
        return gradients(graph, values, graph.trained, self._rules, self._state.get(LEFT))


@dataclass(frozen=True)
class _Restarted:
    """A problem with other parameters to start from."""

    problem: Problem
    parameters: dict[str, Array]

    @property
    def graph(self) -> Graph:
        return self.problem.graph

    @property
    def examples(self) -> int:
        return self.problem.examples

    @property
    def inputs(self) -> dict[str, Array]:
        return self.problem.inputs

    def indices(self, iteration: int, batch_size: int | None) -> Array | None:
        return self.problem.indices(iteration, batch_size)

    def batch(self, indices: Array | None) -> tuple[Graph, dict[str, Array]]:
        return self.problem.batch(indices)

    def held(self) -> tuple[Graph, dict[str, Array]] | None:
        return self.problem.held()


def _too_fast(problem: Problem, recipe: Recipe) -> Recipe:
    """Return the recipe with its learning rate doubled until training makes the loss worse.

    Optimizers that scale their steps recover from any rate on some networks; then it is the first with which
    the loss is worse on the way.
    """
    tries, factor = [], 1.0
    while factor < LARGEST_FACTOR:
        factor *= 2
        settings = {**recipe.settings, "learning_rate": factor * recipe.learning_rate}
        found = replace(recipe, settings=settings).checked()
        run = Run(problem, found)
        run.advance(TRIAL)
        if run.diverged or run.losses[-1] > run.losses[0]:
            return found
        tries.append((float(np.max(run.losses)), found))
    return next(
        (r for worst, r in tries if worst > 2 * abs(run.losses[0])), max(tries, key=lambda t: t[0])[1]
    )


# --- the table ---------------------------------------------------------------------------------------------

_TABLE = (
    Fault(
        "overwrite",
        "= instead of +=",
        "The last contribution to a gradient replaces those before it, so only one of the paths counts.",
        Stage.ACCUMULATION,
    ),
    Fault(
        "transpose",
        "a transpose left out",
        "A matrix multiplies the gradient as it stands. Where its shape does not allow that it is reshaped, "
        "which fits and is wrong all the same.",
        Stage.FACTOR,
        frozenset({Change.TRANSPOSE, Change.RESHAPE}),
    ),
    Fault(
        "count",
        "1/m left out",
        "The gradient is as many times too large as there are examples: training behaves as if the learning "
        "rate were.",
        Stage.FACTOR,
        frozenset({Change.COUNT}),
    ),
    Fault(
        "activation",
        "the derivative of a function left out",
        "The gradient passes the function unchanged, as if its slope were 1 everywhere.",
        Stage.FACTOR,
        frozenset({Change.FACTOR}),
    ),
    Fault(
        "first",
        "one example instead of the sum over all",
        "Of what the examples add up to, only the first one's share is taken.",
        Stage.FACTOR,
        frozenset({Change.FIRST}),
    ),
    Fault(
        "mean",
        "the mean instead of the sum over the examples",
        "What is added up over the examples is divided by their number once more: too small by a factor m.",
        Stage.FACTOR,
        frozenset({Change.MEAN}),
    ),
    Fault(
        "sign",
        "a wrong sign",
        "Everything that is reached through there goes uphill instead of down.",
        Stage.FACTOR,
        frozenset({Change.SIGN}),
    ),
    Fault(
        "reset",
        "gradients not reset",
        "The gradients of an iteration are added to those of all before it, so steps grow and overshoot.",
        Stage.RESET,
    ),
    Fault(
        "zeros",
        "all parameters start at zero",
        "Units that start alike get the same gradient and stay alike; products with zero pass none.",
        Stage.START,
    ),
    Fault(
        "rate",
        "too large a learning rate",
        "Every step overshoots the valley by more than the one before: the loss grows.",
        Stage.RATE,
    ),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _TABLE}


class FaultAt(NamedTuple):
    """A fault at a place, by names: as documents keep it and processes send it.

    Attributes
    ----------
    name
        Of a fault of :data:`FAULTS`.
    node, slot
        As in a :class:`Place`.
    """

    name: str
    node: str = ""
    slot: int = 0

    @property
    def fault(self) -> Fault:
        """The record of the fault."""
        return FAULTS[self.name]

    def place(self, graph: Graph) -> Place:
        """Return where it is in a graph.

        Raises
        ------
        UsageError
            Where it does not apply there.
        """
        return self.fault.place(graph, self.node, self.slot)

    def title(self, graph: Graph) -> str:
        """Return what it is and where: "1/m left out, at the gradient of yhat, back through loss"."""
        fault = self.fault
        if fault.stage not in (Stage.FACTOR, Stage.ACCUMULATION):
            return fault.title
        return f"{fault.title}, at {fault.where(self.place(graph))}"


def run_of(
    problem: Problem,
    recipe: Recipe,
    fault: FaultAt | None,
    point: Point | None = None,
    stride: int = 1,
) -> Run:
    """Return a run with a fault in it, or without one where that is None.

    Raises
    ------
    BackstepError
        As for a run, and where the fault does not apply.
    """
    if fault is None:
        return Run(problem, recipe, point, stride)
    return FaultyRun(problem, fault.fault, fault.place(problem.graph), recipe, point, stride)


def resumed(
    problem: Problem,
    recipe: Recipe,
    fault: FaultAt | None,
    recording: Recording,
    own: Recipe | None = None,
) -> Run:
    """Return the run, with a fault in it or without, that recorded this, standing where it stood.

    Parameters
    ----------
    own
        How the run itself is trained, where that is known: a fault in the learning rate made it of `recipe`.

    Raises
    ------
    BackstepError
        As for a new run, and where no such run can have recorded this.
    """
    if fault is None:
        return Run.resumed(problem, recipe, recording)
    kind, place = fault.fault, fault.place(problem.graph)
    if kind.stage == Stage.START:
        problem = _Restarted(problem, kind.leaves(problem.parameters))
    point = Point(len(recording.losses) - 1, problem.parameters)
    run = FaultyRun(problem, kind, place, own or kind.recipe(problem, recipe), point)
    run.stand(recording)
    return run


def fault_of(run: Run | None) -> FaultAt | None:
    """Return the fault that is in a run, None for a right one."""
    return run.at_fault if isinstance(run, FaultyRun) else None
