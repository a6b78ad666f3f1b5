"""NumPy source: one iteration as a script that runs anywhere and gives the very numbers on the screen."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import ops
from engine.derive import Derivation
from engine.expr import Expr, Name
from engine.graph import Detail, Graph, Kind, Line, Node
from engine.notation import source
from engine.optimizers import Optimizer, update_equation
from engine.trace import Phase, Step, Trace
from graphs.documents import Format, Options
from graphs.snapshot import Snapshot

__all__ = ["FORMAT", "Iteration", "Script", "Statement", "arrays_before", "as_source", "numpy_script"]

Array = np.ndarray

WIDTH = 100
"""Characters of a line of numbers."""
MOST_WRITTEN = 20_000
"""Numbers of an array that are written out; more are packed, to the last bit, to keep a script short."""
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
    """

    title: str
    trace: Trace
    optimizer: Optimizer | None = None
    settings: Mapping[str, Any] | None = None
    number: int = 0
    batch: Sequence[int] | None = None


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
        self._derivation = Derivation(self._graph, iteration.trace.detail)
        self._long = _LongLines(self._graph, self._derivation, iteration.trace.detail)

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
        title = iteration.title.replace("\\", "").replace('"', "'")
        yield f'"""{title}: iteration {iteration.number} in NumPy."""'
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
        """Return what stands over the first line of a node: the equation, and what is done with it."""
        node = self._graph[step.node]
        if step.phase == Phase.UPDATE:
            return self._update_comment(step)
        if step.phase == Phase.SEED:
            return f"the gradient of {step.node} by itself"
        line = self._graph.lines[node.line]
        text = " ".join(line.text.split())
        if node.id != line.node:
            text = f"a part of {text}"
        short = text if len(text) <= WIDTH else f"{text[: WIDTH - 4]} ..."
        if step.phase == Phase.BACKWARD:
            return f"back through {short}"
        return "" if short == self._code(step) else short

    def _update_comment(self, step: Step) -> str:
        optimizer, settings = self._iteration.optimizer, self._iteration.settings or {}
        if optimizer is None:
            return ""
        numbers = [f"{h.text} {settings[h.name]!r}" for h in optimizer.hyperparameters if h.name in settings]
        return f"{step.node}: {optimizer.title}, {', '.join(numbers)}, update {settings.get('t', 1)}"

    def _code(self, step: Step) -> str:
        return "\n".join(self._lines(step))

    def _lines(self, step: Step) -> list[str]:
        node = self._graph[step.node]
        if step.phase == Phase.SEED:
            return [f"{self._derivation.gradient_name(step.node).code} = 1.0"]
        if step.phase == Phase.UPDATE:
            optimizer = self._iteration.optimizer
            if optimizer is None:
                return []
            equation = update_equation(optimizer, self._derivation, step)
            return [equation.source(self._iteration.settings or {})]
        if not self._graph.lines[node.line].written:
            return self._long.forward(node) if step.phase == Phase.FORWARD else self._long.backward(step)
        if step.phase == Phase.FORWARD:
            return [self._derivation.forward_source(step.node)]
        slot, accumulate = int(step.slot or 0), step.before is not None
        return [self._derivation.backward_equation(step.node, slot, accumulate).source]

    def _zeros(self) -> Iterator[str]:
        """Yield the gradients of what the loss does not depend on: no step has set them."""
        reached = {step.target for step in self._trace.steps if step.phase in (Phase.SEED, Phase.BACKWARD)}
        for name in self._graph.named:
            if name not in reached:
                code = self._derivation.gradient_name(name).code
                yield f"{code} = np.zeros_like({name})  # {self._graph.loss} does not depend on {name}"


class _LongLines:
    """The source of lines that are too long to be written as one expression: an operation a statement."""

    def __init__(self, graph: Graph, derivation: Derivation, detail: Detail) -> None:
        self._graph = graph
        self._derivation = derivation
        self._equation = detail == Detail.EQUATION
        self._begun: set[int] = set()
        self._codes: dict[int, str] = {}

    def forward(self, node: Node) -> list[str]:
        """Return the statements of a line, or of one of its parts at primitive detail."""
        if not self._equation:
            return [self._computed(node)]
        line = self._graph.lines[node.line]
        return [self._computed(self._graph.nodes[i]) for i in line.parts]

    def backward(self, step: Step) -> list[str]:
        """Return the statements of one backward step; the first of a line goes back through all its parts."""
        node, slot = self._graph[step.node], int(step.slot or 0)
        target = f"d_{self._code(self._graph.ids[str(step.input)])}"
        if not self._equation:
            added = source(self._contribution(node, slot))
            return [_accumulated(target, added, step.before is not None)]
        line = self._graph.lines[node.line]
        found = []
        if node.line not in self._begun:
            self._begun.add(node.line)
            found = list(self._through(line))
        return [*found, _accumulated(target, _use_name(line, slot), step.before is not None)]

    def _through(self, line: Line) -> Iterator[str]:
        uses = {use.path[-1]: use.slot for use in line.uses}
        held: set[int] = set()
        for node_id in reversed(line.parts):
            node = self._graph.nodes[node_id]
            if node_id not in self._graph.active:
                continue
            for slot, read in enumerate(node.inputs):
                if read not in self._graph.active:
                    continue
                added = source(self._contribution(node, slot))
                if (node_id, slot) in uses:
                    yield f"{_use_name(line, uses[node_id, slot])} = {added}"
                else:
                    yield _accumulated(f"d_{self._code(read)}", added, read in held)
                    held.add(read)

    def _computed(self, node: Node) -> str:
        assert node.op is not None
        args = [self._symbol(i) for i in node.inputs]
        return f"{self._code(node.id)} = {source(node.op.express(args, node.dims, dict(node.attrs)))}"

    def _contribution(self, node: Node, slot: int) -> Expr:
        assert node.op is not None
        nodes = self._graph.nodes
        ins = [self._symbol(i) for i in node.inputs]
        dims = [*(nodes[i].dims for i in node.inputs), node.dims]
        placed = ops.links(node.op, slot, ins, self._symbol(node.id), dims, dict(node.attrs))
        upstream = Name(node.name, node.dims, "", f"d_{self._code(node.id)}", kind="gradient")
        return ops.chain(upstream, placed)

    def _symbol(self, node_id: int) -> Expr:
        node = self._graph.nodes[node_id]
        if node.constant is not None:
            return node.constant
        return Name(node.name, node.dims, "", self._code(node_id))

    def _code(self, node_id: int) -> str:
        """Return the Python name of a node: its own, or one for a part that nobody else bears."""
        found = self._codes.get(node_id)
        if found is None:
            node = self._graph.nodes[node_id]
            found = node.name
            if node.kind == Kind.OP and self._graph.lines[node.line].node != node_id:
                line, _, number = node.name.rpartition(".")
                found = f"{line}_part{number}"
                while found in self._graph.ids:
                    found += "_"
            self._codes[node_id] = found
        return found


def _use_name(line: Line, slot: int) -> str:
    return f"d_{line.name}_use{slot}"


def _accumulated(target: str, added: str, accumulate: bool) -> str:
    return f"{target} = {target} + {added}" if accumulate else f"{target} = {added}"


# --- numbers -----------------------------------------------------------------------------------------------


def as_source(name: str, array: Any) -> list[str]:
    """Return the lines that give a name an array, to the last bit.

    Examples
    --------
    >>> as_source("w", [[0.1, -2.0]]), as_source("b", 0.5)
    (['w = np.array([[0.1, -2.0]])'], ['b = np.array(0.5)'])
    """
    values = np.asarray(array, dtype=np.float64)
    if not values.size:
        return [f"{name} = np.zeros({values.shape})"]
    if values.size > MOST_WRITTEN:
        return _packed(name, values)
    if values.ndim == 0:
        return [f"{name} = np.array({_number(float(values))})"]
    opening = f"{name} = np.array("
    rows = list(_rows(values, len(opening) + values.ndim))
    return [opening + rows[0], *rows[1:-1], rows[-1] + ")"] if len(rows) > 1 else [f"{opening}{rows[0]})"]


def _rows(values: Array, indent: int) -> Iterator[str]:
    """Yield the lines of an array's literal, a row beginning on a line of its own."""
    if values.ndim == 1:
        yield from _row("[", values, "]", indent)
        return
    last = len(values) - 1
    for i, row in enumerate(values):
        opening = "[[" if not i else " " * (indent - 1) + "["
        yield from _row(opening, row, "]" if i < last else "]]", indent, "," if i < last else "")


def _row(opening: str, row: Array, closing: str, indent: int, comma: str = "") -> Iterator[str]:
    line = opening
    used = len(opening) if opening.startswith(" ") else indent
    texts = [_number(x) for x in row.tolist()]
    for i, text in enumerate(texts):
        piece = text + (", " if i < len(texts) - 1 else "")
        if used + len(piece) > WIDTH and not line.endswith("["):
            yield line.rstrip()
            line, used = " " * indent, indent
        line, used = line + piece, used + len(piece)
    yield line + closing + comma


def _number(x: float) -> str:
    text = repr(x)
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(text, text)


def _packed(name: str, values: Array) -> list[str]:
    """Return the lines of a large array: its bytes, compressed."""
    text = base64.b64encode(zlib.compress(values.astype("<f8").tobytes(), 9)).decode("ascii")
    pieces = [f'    "{text[i : i + WIDTH]}"' for i in range(0, len(text), WIDTH)]
    count = f"{values.size:,}".replace(",", " ")
    return [
        f"# {count} numbers, compressed to the last bit",
        f"{name} = np.frombuffer(zlib.decompress(base64.b64decode(",
        *pieces,
        f')), dtype="<f8").reshape({values.shape})',
    ]


def _write(snapshot: Snapshot, _: Options) -> str:
    number, batch = snapshot.iteration, snapshot.batch
    chosen = (snapshot.optimizer, snapshot.settings)
    return numpy_script(Iteration(snapshot.title, snapshot.trace, *chosen, number, batch)).text


FORMAT = Format("numpy", "NumPy script", (".py",), _write)
