"""What training scripts are made of, whichever library they are written for: a run from its beginning.

The lines of the functions come from the records of the operations, as everything on the screen does; what
stands around them is written here. Names of the network that a script needs for itself get a ``_``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.elementwise import express
from engine.expr import Expr, Name
from engine.faults import fault_of
from engine.formula import identifiers
from engine.graph import Graph, Node
from engine.optimizers import Optimizer
from engine.schedules import SCHEDULES
from engine.shapes import Dims
from engine.trace import Phase, Step
from engine.training import STOPPING, Diverged, Recipe
from graphs.array_source import Dialect, as_source
from graphs.snapshot import Snapshot
from graphs.source_lines import assigned, function, indented, returned
from graphs.step_source import StepSource

__all__ = ["LeafSource", "TrainingScript"]

Array = np.ndarray

OWN = frozenset(
    (
        *("ITERATIONS", "EVERY", "EXPORTED", "SEED", "BATCH_SIZE", "forward", "backward", "update", "batch"),
        *("rate", "i", "rows", "last", "is_last", "parameters", "optimizer", "backstep", "name", "gradient"),
        *("print", "range", "divmod", "pi", "np", "torch", "base64", "zlib"),
    )
)
"""Names that scripts need for themselves, beside those of hyperparameters."""
COUNT = "m"
PRINTED = 10
"""How many times the loss is printed, about."""


@dataclass(frozen=True, eq=False)
class LeafSource:
    """Data or a parameter: its name in the script, its numbers, and which axis holds the examples."""

    code: str
    array: Array
    axis: int | None = None

    def some(self, rows: str) -> str:
        """Return the source of the examples `rows`."""
        return {None: self.code, 0: f"{self.code}[{rows}]", 1: f"{self.code}[:, {rows}]"}[self.axis]


class TrainingScript(ABC):
    """The parts of the script of a run, and what they are named; how one library says it, subclasses know.

    Parameters
    ----------
    snapshot
        The place that is exported: the script trains from the run's beginning and shows that iteration.
    """

    has_backward = True
    """Whether the script goes back by itself."""

    def __init__(self, snapshot: Snapshot, dialect: Dialect) -> None:
        self.snapshot = snapshot
        self.dialect = dialect
        self.recipe: Recipe = snapshot.recipe
        self.optimizer: Optimizer = snapshot.optimizer
        whole = snapshot.model.graph
        taken = OWN | {h.name.upper() for h in (*self.optimizer.hyperparameters, *STOPPING.values())}
        self._codes = {name: _clear(name, taken) for name in whole.named}
        self.count = _clear(COUNT, self._codes.values())
        self.graph = _renamed(whole, self._codes, self.count)
        self.source = StepSource(self.graph, snapshot.detail, dialect, self.graph.trained)
        self.loss = self.graph.loss
        self.inputs = [self._leaf(name) for name in whole.inputs]
        self.parameters = [self._leaf(name) for name in whole.parameters]

    def _leaf(self, name: str) -> LeafSource:
        dims = self.snapshot.model.graph[name].dims
        axis = next((i for i, dim in enumerate(dims) if dim.examples), None)
        is_data = name in self.snapshot.model.graph.inputs
        return LeafSource(self._codes[name], self.snapshot.model.leaves[name], axis if is_data else None)

    def free(self, code: str) -> str:
        """Return a name that nothing in the network has."""
        return _clear(code, self._codes.values())

    def code(self, name: str) -> str:
        """Return what a value of the network is called."""
        return self._codes[name]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said at the top: a script trains as the formulas say, whatever the run did."""
        is_right = fault_of(self.snapshot.run) is None
        return () if is_right else ("The fault that was put into the run is not in this script.",)

    # --- how long, and where ---

    @cached_property
    def iterations(self) -> int:
        """How many are trained: those of the run, the exported one among them, or the network's own."""
        run, least = self.snapshot.run, self.snapshot.iteration + 1
        if run is not None and (run.iteration or run.ended is not None):
            return max(least, run.iteration)
        return max(least, self.snapshot.model.network.training.steps)

    @property
    def batch_size(self) -> int | None:
        """Examples of a mini-batch, None where every iteration takes all."""
        size = self.recipe.batch_size
        return None if self.snapshot.model.indices(0, size) is None else size

    @property
    def rules(self) -> Mapping[str, float]:
        """The rules by which the run stops: the loss, its change or the gradient's norm is at most that."""
        values = {rule: getattr(self.recipe.stopping, rule) for rule in STOPPING}
        return {rule: value for rule, value in values.items() if value is not None}

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate changes from iteration to iteration."""
        return self.recipe.schedule != "constant" or bool(self.recipe.schedule_settings["warmup"])

    # --- definitions ---

    def constants(self) -> Iterator[str]:
        """Yield the lines that say how it is trained."""
        yield f"ITERATIONS = {self.iterations}"
        yield f"EVERY = {max(1, -(-self.iterations // PRINTED))}  # iterations from one print to the next"
        yield f"EXPORTED = {self.snapshot.iteration}  # the iteration that is shown whole"
        if self.batch_size is not None:
            yield from (f"BATCH_SIZE = {self.batch_size}", f"SEED = {self.snapshot.model.seed}")
        for h in self.optimizer.hyperparameters:
            yield f"{h.name.upper()} = {self.recipe.settings[h.name]!r}"
        for rule, value in self.rules.items():
            yield f"{STOPPING[rule].name.upper()} = {value!r}  # {STOPPING[rule].why}"

    def leaves(self) -> Iterator[str]:
        """Yield the lines that define data and parameters as the run begins."""
        for comment, leaves in (("data", self.inputs), ("parameters", self.parameters)):
            if leaves:
                yield from ("", f"# --- {comment} ---")
            for leaf in leaves:
                yield from as_source(leaf.code, leaf.array, self.dialect)

    def rate(self) -> Iterator[str]:
        """Yield the function that gives an iteration its learning rate."""
        schedule, settings = SCHEDULES[self.recipe.schedule], dict(self.recipe.schedule_settings)
        body = [f"return {schedule.source({**settings, 'warmup': 0})}"]
        if settings["warmup"]:
            growing = ["if i < warmup:", "    return eta * (i + 1) / warmup", "i = i - warmup"]
            body = [*growing, *body]
        values = {"eta": "LEARNING_RATE"} | {name: repr(value) for name, value in settings.items()}
        read = {name: value for name, value in values.items() if name in _names(body)}
        warmed = ", after a warm-up" if settings["warmup"] and schedule.name != "warmup" else ""
        doc = f'"""Return the learning rate of iteration i: {schedule.title.lower()}{warmed}."""'
        yield from function("rate", ["i"], [doc, f"{', '.join(read)} = {', '.join(read.values())}", *body])

    def batch(self, rows: str = "order[turn * BATCH_SIZE : (turn + 1) * BATCH_SIZE]") -> Iterator[str]:
        """Yield the function that gives an iteration its examples."""
        count = self.snapshot.model.examples
        per_epoch = -(-count // int(self.batch_size or count))
        body = [
            '"""Return which examples iteration i takes: an epoch deals out all of them, in a new order."""',
            f"epoch, turn = divmod(i, {per_epoch})",
            f"order = np.random.default_rng([SEED, epoch]).permutation({count})",
            f"return {rows}",
        ]
        yield from function("batch", ["i"], body)

    # --- forward and back ---

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps of the exported iteration, in the names of the script."""
        return [_renamed_step(step, self._codes) for step in self.snapshot.trace.steps]

    @cached_property
    def _forward(self) -> Sequence[str]:
        return list(self._statements(step for step in self.steps if step.phase == Phase.FORWARD))

    @cached_property
    def _backward(self) -> Sequence[str]:
        ids, trained = self.graph.ids, self.graph.trained
        back = [s for s in self.steps if s.phase == Phase.BACKWARD and ids[s.target] in trained]
        lines = list(self._statements(back))
        seeds = [s for s in self.steps if s.phase == Phase.SEED]
        if any(self.source.lines(seed)[0].split()[0] in _names(lines) for seed in seeds):
            lines = [*self._statements(seeds), *lines]
        reached = {step.target for step in back}
        return lines + [self.source.zeros(p.code) for p in self.parameters if p.code not in reached]

    def _statements(self, steps: Iterable[Step]) -> Iterator[str]:
        before = None
        for step in steps:
            comment = self.source.comment(step) if step.node != before else ""
            before = step.node
            yield from ([f"# {comment}"] if comment else [])
            yield from self.source.lines(step)

    @cached_property
    def values(self) -> Sequence[str]:
        """What forward returns: every line by its name, parts that backward reads, and last the loss."""
        read = _names(self._backward) if self.has_backward else set()
        lines = {line.name for line in self.graph.lines}
        found = {
            s.node: self.source.derivation.python_name(s.node) for s in self.steps if s.phase == Phase.FORWARD
        }
        kept = [code for node, code in found.items() if node in lines or code in read]
        inner = [code for code in _assigned(self._forward) if code in read and code not in found.values()]
        return [*inner, *(code for code in kept if code != self.loss), self.loss]

    @property
    def forward_arguments(self) -> Sequence[LeafSource]:
        """The data and parameters that forward reads."""
        return self._read(self._forward)

    @property
    def backward_arguments(self) -> Sequence[LeafSource | str]:
        """What backward reads: data, parameters, and values that forward returns."""
        read = _names(self._backward)
        return [*self._read(self._backward), *(code for code in self.values if code in read)]

    def _read(self, lines: Sequence[str]) -> list[LeafSource]:
        read = _names(lines)
        leaves = [*self.inputs, *self.parameters]
        found = [leaf for leaf in leaves if leaf.code in read]
        counted = self._counted(found) if self.count in read else None
        return [leaf for leaf in leaves if leaf in found or leaf is counted]

    def _counted(self, found: Collection[LeafSource]) -> LeafSource | None:
        """Return the data whose examples are counted: what is read anyway, if possible."""
        leaves = [leaf for leaf in self.inputs if leaf.axis is not None]
        return next((leaf for leaf in leaves if leaf in found), next(iter(leaves), None))

    def _with_count(self, lines: Sequence[str]) -> list[str]:
        counted = self._counted(self._read(lines)) if self.count in _names(lines) else None
        if counted is None:
            return list(lines)
        return [f"{self.count} = {counted.code}.shape[{counted.axis}]  # examples", *lines]

    def forward(self) -> Iterator[str]:
        """Yield the function that works out every value."""
        doc = f'"""Return the value of every line; {self.loss}, the loss, comes last."""'
        body = [doc, *self._with_count(self._forward), *returned(self.values)]
        yield from function("forward", [leaf.code for leaf in self.forward_arguments], body)

    def backward(self) -> Iterator[str]:
        """Yield the function that works out the gradient of every parameter."""
        doc = f'"""Return the gradient of {self.loss} by every parameter."""'
        body = [doc, *self._with_count(self._backward), *returned(self.gradients)]
        names = [a if isinstance(a, str) else a.code for a in self.backward_arguments]
        yield from function("backward", names, body)

    @property
    def gradients(self) -> Sequence[str]:
        """What the gradients of the parameters are called."""
        return [self.source.derivation.gradient_name(p.code).code for p in self.parameters]

    # --- update ---

    def update(self) -> Iterator[str]:
        """Yield the function that does the update of one parameter."""
        optimizer, read = self.optimizer, identifiers(self.optimizer.statements)
        scope: dict[str, Expr] = {h.name: _symbol(h.name.upper()) for h in optimizer.hyperparameters}
        scope |= {name: _symbol(name) for name in ("value", "gradient", "t", *optimizer.state)}
        if self.is_scheduled:
            scope["learning_rate"] = _symbol("learning_rate")
        body = [f'"""{optimizer.title}: {_lowered(optimizer.text)}"""']
        for statement in optimizer.statements:
            body.append(f"{statement.name} = {self.dialect.write(express(statement, scope))}")
            scope[statement.name] = _symbol(statement.name)
        more = [*(["learning_rate"] if self.is_scheduled else []), *(["t"] if "t" in read else [])]
        body += returned(["value", *optimizer.state])
        yield from function("update", ["value", "gradient", *optimizer.state, *more], body)

    @property
    def update_arguments(self) -> Sequence[str]:
        """What update takes beside what is a parameter's own."""
        rate = ["rate(i)"] if self.is_scheduled else []
        return [*rate, *(["i + 1"] if "t" in identifiers(self.optimizer.statements) else [])]

    def kept(self, parameter: LeafSource) -> list[str]:
        """Return what the optimizer's quantities are called that are kept for a parameter."""
        quantities = [q for q in self.optimizer.quantities if q.name in self.optimizer.state]
        return [self.free(q.code.replace("{p}", parameter.code)) for q in quantities]

    # --- the loop ---

    def loop(self) -> Iterator[str]:
        """Yield the loop: an iteration prints the loss over all examples if it is its turn, and updates."""
        yield "for i in range(ITERATIONS + 1):"
        yield from indented(self._whole())
        if self.batch_size is not None:
            yield from indented(self._batch())
        elif "gradient" not in self.rules:
            yield from indented(self.going_back())
        yield from ("    if i == EXPORTED:", *indented(indented(self.shown())))
        yield from indented(self.updating())

    def _whole(self) -> Iterator[str]:
        printed = [f'print(f"iteration {{i}}: {self.loss} = {{{self.loss_number}}}")']
        if not self.rules:
            is_shown = "if i % EVERY == 0 or i == ITERATIONS:"
            if self.batch_size is None:
                yield from (*self.going_forward(), is_shown, *indented(printed))
            else:
                yield from (is_shown, *indented([*self.going_forward(), *printed]))
            yield from ("if i == ITERATIONS:", "    break")
            return
        yield from self.going_forward()
        if "gradient" in self.rules:
            yield from (*self.going_back(), f"norm = {self.norm}")
        yield f"is_last = {' or '.join(['i == ITERATIONS', *self._conditions()])}"
        yield from ("if i % EVERY == 0 or is_last:", *indented(printed), "if is_last:", "    break")
        if "change" in self.rules:
            yield f"last = {self.loss_number}"

    def _conditions(self) -> Iterator[str]:
        tested = {
            "loss": f"{self.loss_number} <= STOP_LOSS",
            "change": f"abs({self.loss_number} - last) <= TOLERANCE",
            "gradient": "norm <= GRADIENT_TOLERANCE",
        }
        yield from (tested[rule] for rule in self.rules)

    def _batch(self) -> Iterator[str]:
        yield "rows = batch(i)"
        leaves = (*self.forward_arguments, *(self.backward_arguments if self.has_backward else ()))
        read = dict.fromkeys(a for a in leaves if isinstance(a, LeafSource) and a.axis is not None)
        yield from (f"{self._given(leaf, 'rows')} = {leaf.some('rows')}" for leaf in read)
        yield from (*self.going_forward("rows"), *self.going_back("rows"))

    def going_forward(self, rows: str = "") -> list[str]:
        """Return the lines that work out the values, of the examples `rows` or of all."""
        return assigned(self.values, "forward", self.given(self.forward_arguments, rows))

    def given(self, arguments: Sequence[LeafSource | str], rows: str) -> list[str]:
        """Return what is given to a function."""
        return [self._given(a, rows) if isinstance(a, LeafSource) else a for a in arguments]

    def _given(self, leaf: LeafSource, rows: str) -> str:
        return self.free(f"{leaf.code}_batch") if rows and leaf.axis is not None else leaf.code

    @property
    def of(self) -> str:
        """What the exported iteration is worked out over, as a clause."""
        if self.snapshot.model.graph.examples is None:
            return ""
        return ", over its mini-batch" if self.batch_size is not None else ", over all examples"

    # --- what libraries say in their own ways ---

    @property
    @abstractmethod
    def loss_number(self) -> str:
        """The source of the loss as a number."""

    @property
    @abstractmethod
    def norm(self) -> str:
        """The source of the norm of the whole gradient."""

    @abstractmethod
    def going_back(self, rows: str = "") -> list[str]:
        """Return the lines that work out the gradients, of the examples `rows` or of all."""

    @abstractmethod
    def shown(self) -> Iterator[str]:
        """Yield the lines that print the exported iteration."""

    @abstractmethod
    def updating(self) -> Iterator[str]:
        """Yield the lines that update every parameter."""

    # --- in sentences ---

    @property
    def how(self) -> str:
        """How it is trained: ``500 iterations of Adam, with mini-batches of 32``."""
        more = [f"mini-batches of {self.batch_size}"] if self.batch_size is not None else []
        more += ["a learning rate that changes"] if self.is_scheduled else []
        plural = "" if self.iterations == 1 else "s"
        with_more = f" with {' and '.join(more)}" if more else ""
        return f"{self.iterations} iteration{plural} of {self.optimizer.title}{with_more}"

    @property
    def is_diverging(self) -> bool:
        """Whether the run ended because its numbers were no longer finite."""
        return self.snapshot.run is not None and isinstance(self.snapshot.run.ended, Diverged)


# --- names -------------------------------------------------------------------------------------------------

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")


def _names(lines: Iterable[str]) -> set[str]:
    """Return the names that source reads or sets; those in comments and after a dot are none."""
    return {name for line in lines for name in _NAME.findall(line.partition("#")[0])}


def _assigned(lines: Iterable[str]) -> list[str]:
    """Return what lines set, in order."""
    return [line.partition(" = ")[0] for line in lines if not line.startswith("#")]


def _clear(code: str, taken: Collection[str]) -> str:
    while code in taken:
        code += "_"
    return code


def _symbol(code: str) -> Name:
    return Name(code, (), "", code)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _name_of(name: str, codes: Mapping[str, str]) -> str:
    line, dot, part = name.partition(".")
    return f"{codes.get(line, line)}{dot}{part}"


def _renamed_step(step: Step, codes: Mapping[str, str]) -> Step:
    read = None if step.input is None else _name_of(step.input, codes)
    return replace(step, node=_name_of(step.node, codes), input=read)


def _renamed(graph: Graph, codes: Mapping[str, str], count: str) -> Graph:
    """Return a graph with other names, and one for the number of examples where it has none."""

    def dims_of(dims: Dims) -> Dims:
        return tuple(dim._replace(name=count) if dim.examples else dim for dim in dims)

    def node_of(node: Node) -> Node:
        return replace(node, name=_name_of(node.name, codes), dims=dims_of(node.dims))

    return replace(
        graph,
        nodes=tuple(map(node_of, graph.nodes)),
        lines=tuple(replace(line, name=codes[line.name]) for line in graph.lines),
        parameters=tuple(codes[name] for name in graph.parameters),
        inputs=tuple(codes[name] for name in graph.inputs),
        loss=codes[graph.loss],
    )
