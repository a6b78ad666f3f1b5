"""The lines of source that do what a step does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine import ops
from engine.derive import Derivation
from engine.expr import Expr, Name
from engine.graph import Detail, Graph, Kind, Line, Node
from engine.notation import source
from engine.trace import Phase, Step
from graphs.array_source import NUMPY, WIDTH, Dialect

__all__ = ["StepSource"]

Write = Callable[[Expr], str]


class StepSource:
    """Writes the steps forward and back through a graph, each value and gradient under its own name.

    Parameters
    ----------
    dialect
        In which the way forward is written; gradients are NumPy's always.
    wanted
        The ids of the nodes whose gradients are asked for; all that have one where None.
    derivation
        The graph's equations, where they are not the right ones: a fault is in them.
    """

    def __init__(
        self,
        graph: Graph,
        detail: Detail,
        dialect: Dialect = NUMPY,
        wanted: frozenset[int] | None = None,
        derivation: Derivation | None = None,
    ) -> None:
        self.derivation = Derivation(graph, detail) if derivation is None else derivation
        self._graph = graph
        self._write = dialect.write
        self._long = _LongLines(self.derivation, dialect.write, graph.active if wanted is None else wanted)

    def lines(self, step: Step) -> list[str]:
        """Return the statements of a step before the update, in the order of the trace."""
        node = self._graph[step.node]
        if step.phase == Phase.SEED:
            return [f"{self.derivation.gradient_name(step.node).code} = 1.0"]
        if not self._graph.lines[node.line].written:
            return self._long.forward(node) if step.phase == Phase.FORWARD else self._long.backward(step)
        if step.phase == Phase.FORWARD:
            right = self._write(self.derivation.right_side(step.node))
            return [f"{self.derivation.python_name(step.node)} = {right}"]
        slot, accumulate = int(step.slot or 0), step.before is not None
        return [self.derivation.backward_equation(step.node, slot, accumulate).source]

    def comment(self, step: Step) -> str:
        """Return what stands over the first line of a node: the equation, and what is done with it."""
        node = self._graph[step.node]
        if step.phase == Phase.SEED:
            return f"the gradient of {step.node} by itself"
        line = self._graph.lines[node.line]
        text = " ".join(line.text.split())
        if node.id != line.node:
            text = f"a part of {text}"
        short = text if len(text) <= WIDTH else f"{text[: WIDTH - 4]} ..."
        if step.phase == Phase.BACKWARD:
            return f"back through {short}"
        return "" if line.written and [short] == self.lines(step) else short

    def zeros(self, name: str) -> str:
        """Return the statement for a gradient that no step sets."""
        code = self.derivation.gradient_name(name).code
        return f"{code} = np.zeros_like({name})  # {self._graph.loss} does not depend on {name}"


class _LongLines:
    """The source of lines that are too long to be written as one expression: an operation a statement."""

    def __init__(self, derivation: Derivation, write: Write, wanted: frozenset[int]) -> None:
        self._derivation = derivation
        self._graph = derivation.graph
        self._equation = derivation.detail == Detail.EQUATION
        self._write = write
        self._wanted = wanted
        self._begun: set[int] = set()
        self._fixed: set[int] = set()
        self._codes: dict[int, str] = {}

    def forward(self, node: Node) -> list[str]:
        """Return the statements of a line, or of one of its parts at primitive detail."""
        parts = self._graph.lines[node.line].parts
        if not self._equation:  # parts made of numbers alone are no steps
            fixed = [i for i in parts if i < node.id and i not in self._graph.active and i not in self._fixed]
            self._fixed.update(fixed)
            parts = (*fixed, node.id)
        return [self._computed(self._graph.nodes[i]) for i in parts]

    def backward(self, step: Step) -> list[str]:
        """Return the statements of one backward step; the first of a line goes back through all its parts."""
        node, slot = self._graph[step.node], int(step.slot or 0)
        target = self._gradient(self._graph.ids[str(step.input)])
        if not self._equation:
            added = source(self._contribution(node, slot))
            return [_accumulated(target, added, step.before is not None)]
        line = self._graph.lines[node.line]
        found = []
        if node.line not in self._begun:
            self._begun.add(node.line)
            found = list(self._through(line))
        return [*found, _accumulated(target, self._use(line, slot), step.before is not None)]

    def _through(self, line: Line) -> Iterator[str]:
        uses = {use.path[-1]: use.slot for use in line.uses}
        held: set[int] = set()
        for node_id in reversed(line.parts):
            node = self._graph.nodes[node_id]
            if node_id not in self._wanted:
                continue
            for slot, read in enumerate(node.inputs):
                if read not in self._wanted:
                    continue
                added = source(self._contribution(node, slot))
                if (node_id, slot) in uses:
                    yield f"{self._use(line, uses[node_id, slot])} = {added}"
                else:
                    yield _accumulated(self._gradient(read), added, read in held)
                    held.add(read)

    def _computed(self, node: Node) -> str:
        assert node.op is not None
        args = [self._symbol(i) for i in node.inputs]
        return f"{self._code(node.id)} = {self._write(node.op.express(args, node.dims, dict(node.attrs)))}"

    def _contribution(self, node: Node, slot: int) -> Expr:
        assert node.op is not None
        nodes = self._graph.nodes
        ins = [self._symbol(i) for i in node.inputs]
        dims = [*(nodes[i].dims for i in node.inputs), node.dims]
        placed = ops.links(node.op, slot, ins, self._symbol(node.id), dims, dict(node.attrs))
        upstream = Name(node.name, node.dims, "", self._gradient(node.id), kind="gradient")
        return ops.chain(upstream, placed)

    def _symbol(self, node_id: int) -> Expr:
        node = self._graph.nodes[node_id]
        if node.constant is not None:
            return node.constant
        return Name(node.name, node.dims, "", self._code(node_id))

    def _gradient(self, node_id: int) -> str:
        name = self._graph.nodes[node_id].name
        is_part = self._code(node_id) != name
        return f"d_{self._code(node_id)}" if is_part else self._derivation.gradient_name(name).code

    def _use(self, line: Line, slot: int) -> str:
        return self._derivation.free_name(f"d_{line.name}_use{slot}")

    def _code(self, node_id: int) -> str:
        """Return the Python name of a node: its own, or one for a part that nobody else bears."""
        found = self._codes.get(node_id)
        if found is None:
            node = self._graph.nodes[node_id]
            found = node.name
            if node.kind == Kind.OP and self._graph.lines[node.line].node != node_id:
                line, _, number = node.name.rpartition(".")
                found = self._derivation.free_name(f"{line}_part{number}")
            self._codes[node_id] = found
        return found


def _accumulated(target: str, added: str, accumulate: bool) -> str:
    return f"{target} = {target} + {added}" if accumulate else f"{target} = {added}"
