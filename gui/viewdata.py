"""What is shown, worked out by pure functions: a frame in, plain data out. No Qt, no colours, no pixels.

Items and panels hold no numbers of their own: they are given one of these records, and paint it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.derive import BackwardEquation, Derivation
from engine.errors import BackstepError
from engine.expr import Apply, Expr, Hadamard, Name, Product, Sum, children, evaluate, names, uses
from engine.graph import Detail, Graph, Kind
from engine.names import plain_name
from engine.notation import latex, parenthesised
from engine.ops import Op, Side
from engine.optimizers import Optimizer
from engine.shapes import Dims
from engine.substitute import number_latex, put_in
from engine.trace import Phase, Step, Trace
from graphs.network import Model
from gui.numbers import format_number

Array = np.ndarray
EdgeKey = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class NodeView:
    """One card of the graph.

    Attributes
    ----------
    name, kind
        The node's name in the graph; "input", "parameter", "line" or "op".
    title, formula
        LaTeX: the name, and the right-hand side (empty for inputs and parameters).
    shape, dims
        "4 × 133", and the same in names, "k × m"; "" for a scalar.
    value, gradient
        None where the timeline has not reached them yet.
    phase
        What the current step does to this node: "" (nothing), "forward", "seed", "backward", "update".
    part
        Whether the node takes part in the current step without being changed by it (it is read, or gone back through).
    read
        Whether the current factor reads this node's stored value: the purple mark, and the dotted arrow.
    stored
        Whether some backward step of this trace reads this node's value: forward keeps it for that.
    arrived, expected
        Of the contributions to the gradient, how many have arrived, and how many there will be.
    """

    name: str
    kind: str
    is_loss: bool
    title: str
    formula: str
    shape: str
    dims: str
    value: Array | None = None
    gradient: Array | None = None
    phase: str = ""
    part: bool = False
    read: bool = False
    stored: bool = False
    arrived: int = 0
    expected: int = 0

    def same(self, other: NodeView | None) -> bool:
        """Say whether painting `other` would give the same picture; arrays are compared by identity."""
        return other is not None and all(
            getattr(self, key) is getattr(other, key)
            if key in ("value", "gradient")
            else getattr(self, key) == getattr(other, key)
            for key in self.__dataclass_fields__
        )


@dataclass(frozen=True)
class EdgeView:
    """One wire: what has flowed along it, and what flows now.

    `current` is "", "forward" or "backward"; `factor` is the LaTeX shown on the wire while a gradient flows back
    along it: the factor with its sign of multiplication, such as ``\\odot A \\odot (1 - A)``.
    `has_backward` says whether a gradient will ever flow back along it.
    """

    source: str
    target: str
    slot: int
    forward: bool = False
    backward: bool = False
    current: str = ""
    factor: str = ""
    has_backward: bool = True

    @property
    def key(self) -> EdgeKey:
        return (self.source, self.target, self.slot)


@dataclass(frozen=True)
class SceneView:
    """The whole graph at one step.

    `reads` lists the nodes whose stored values the current factor reads; the arrows go to the factor on `current`.
    `caption` is LaTeX and text: what is being computed.
    """

    nodes: Mapping[str, NodeView]
    edges: Mapping[EdgeKey, EdgeView]
    current: EdgeKey | None = None
    reads: tuple[str, ...] = ()
    caption: tuple[str, str] = ("", "")
    phase: str = ""


@dataclass(frozen=True, eq=False)
class MatrixView:
    """One matrix of an equation: its LaTeX label, its numbers, its shape twice, and the role that colours its frame.

    `role` is "forward", "backward", "stored", "update" or "text".
    """

    label: str
    array: Array
    shape: str
    dims: str
    role: str


@dataclass(frozen=True)
class StepView:
    """The panel *This step*.

    Attributes
    ----------
    phase
        "start", "forward", "seed", "backward" or "update".
    sentence, more
        One plain sentence, and at most one more line about why.
    equation, numbers, result
        Three lines of LaTeX: symbols with the factor in ``\\textcolor{factor}{...}``, the numbers put in for one
        entry, and what they come to.
    entry
        Which entry the numbers are of: "Entry [2, 0]", "" for a scalar.
    index
        The same as a tuple.
    matrices
        The product that makes the result, left to right: matrices, and between them "=", "⊙", "·", "+", "−", "×".
    shapes
        How the shapes fit: "(1 × 133) · (133 × 4) → 1 × 4", "" where nothing is multiplied.
    latex, code
        The equation without colours, and the NumPy statement, for copying.
    """

    phase: str
    sentence: str
    more: str = ""
    equation: str = ""
    numbers: str = ""
    result: str = ""
    entry: str = ""
    index: tuple[int, ...] = ()
    matrices: tuple[MatrixView | str, ...] = ()
    shapes: str = ""
    latex: str = ""
    code: str = ""


@dataclass(frozen=True, eq=False)
class InspectorView:
    """A node or an edge looked at closely.

    `heading` is LaTeX (``Z = W_1 X + b_1``); `value` and `gradient` are None in the future, and `gradient_note`
    says why there is none. `facts` are pairs of words and numbers (statistics, contributions, who reads it).
    """

    name: str
    heading: str
    kind: str
    shape: str
    dims: str
    value: Array | None
    gradient: Array | None
    gradient_note: str = ""
    contribution: Array | None = None
    facts: tuple[tuple[str, str], ...] = ()
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class EquationRow:
    """One equation of the equations dock, coloured where it is being computed."""

    name: str
    latex: str
    phase: str
    current: bool = False
    done: bool = False


@dataclass(frozen=True)
class CodeRow:
    """One NumPy line of the code dock."""

    text: str
    phase: str
    current: bool = False
    done: bool = False
    names: tuple[str, ...] = field(default=())


# --- a frame, and what does not change while stepping ------------------------------------------------------


class Statics:
    """What is the same at every step of a graph: its equations, contributions, and who reads what."""

    def __init__(self, graph: Graph, detail: Detail) -> None:
        self.graph = graph
        self.detail = detail
        self.derivation = Derivation(graph, detail)
        self.whole = self.derivation if detail == Detail.EQUATION else Derivation(graph)
        self.names = graph.visible(detail)
        self.edges: tuple[EdgeKey, ...] = tuple(graph.edges(detail))
        self._equations: dict[tuple[str, int, bool], BackwardEquation | None] = {}

    def backward(self, node: str, slot: int, accumulate: bool = False) -> BackwardEquation | None:
        """Return one backward step's equation; None where its line is too long to be written out."""
        key = (node, slot, accumulate)
        if key not in self._equations:
            try:
                self._equations[key] = self.derivation.backward_equation(node, slot, accumulate)
            except BackstepError:
                self._equations[key] = None
        return self._equations[key]

    @cached_property
    def gradient_order(self) -> tuple[str, ...]:
        """Lines from the loss back, then parameters, then inputs."""
        graph = self.graph
        return (*(line.name for line in reversed(graph.lines)), *graph.parameters, *graph.inputs)

    @cached_property
    def flows_back(self) -> frozenset[EdgeKey]:
        """The edges along which a gradient flows back."""
        path = self.graph.on_loss_path
        return frozenset(e for e in self.edges if self.graph.ids[e[1]] in path)

    @cached_property
    def expected(self) -> Mapping[str, int]:
        """How many contributions the gradient of each node will have."""
        counts: dict[str, int] = {}
        for source, _, _ in self.flows_back:
            counts[source] = counts.get(source, 0) + 1
        return counts

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each node that forward must keep, the nodes whose backward steps read it."""
        found: dict[str, dict[str, None]] = {}
        if len(self.names) > 500:
            return {}
        for _, target, slot in self.edges:
            equation = self.backward(target, slot) if (_, target, slot) in self.flows_back else None
            for name in equation.contribution.factor.uses if equation else ():
                found.setdefault(name, {})[target] = None
        return {name: tuple(readers) for name, readers in found.items()}

    @cached_property
    def titles(self) -> Mapping[str, tuple[str, str]]:
        """For each node the LaTeX of its name and of its right-hand side."""
        return {name: self._title(name) for name in self.names}

    def _title(self, name: str) -> tuple[str, str]:
        node = self.graph[name]
        derivation = self.derivation
        if node.op is None:
            return derivation.name_latex(name), ""
        own = self.graph.lines[node.line].node == node.id
        if self.detail == Detail.EQUATION or own:
            whole = self.detail == Detail.EQUATION
            return derivation.name_latex(name), derivation.definition_latex(
                name
            ) if whole else self._operation(name)
        return self._operation(name), ""

    def _operation(self, name: str) -> str:
        """Return one operation with its named inputs, and a dot for each unnamed one."""
        node = self.graph[name]
        lines = {line.node for line in self.graph.lines}
        args = []
        for source in node.inputs:
            read = self.graph.nodes[source]
            part = read.kind == Kind.OP and read.id not in lines
            symbol = self.derivation.symbol(source)
            args.append(Name(read.name, read.dims, r"\cdot", "_") if part else symbol)
        assert node.op is not None
        return latex(node.op.express(args, node.dims, dict(node.attrs)))

    def shapes_of(self, name: str) -> tuple[str, str]:
        """Return a node's shape in numbers and in names."""
        dims = self.graph[name].dims
        if not dims:
            return "", ""
        numbers = " × ".join(str(d.size) for d in dims)
        names = " × ".join(d.name for d in dims)
        return numbers, names if names != numbers else ""


@dataclass(frozen=True, eq=False)
class Frame:
    """One place on the timeline: everything that the window shows is a function of this.

    Attributes
    ----------
    position
        How many steps of the iteration have been taken; the last of them is `step`.
    values, gradients
        What is known at this place, by name.
    entry
        The entry whose numbers are put in, where the user has chosen one.
    """

    model: Model
    trace: Trace
    statics: Statics
    position: int
    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
    iteration: int
    iterations: int
    optimizer: Optimizer
    settings: Mapping[str, float]
    entry: tuple[int, ...] | None = None

    @property
    def step(self) -> Step | None:
        """The step that led here, None at the start."""
        return self.trace.steps[self.position - 1] if self.position else None

    @property
    def phase(self) -> str:
        return self.step.phase.value if self.step is not None else "start"

    @property
    def equation(self) -> BackwardEquation | None:
        """The equation of a backward step."""
        step = self.step
        if step is None or step.phase != Phase.BACKWARD or step.slot is None:
            return None
        return self.statics.backward(step.node, step.slot, step.before is not None)

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """Every value by name and every gradient as ``d_NAME``, as expressions read them."""
        arrays = {n.name: a for n, a in zip(self.trace.graph.nodes, self.trace.arrays, strict=True)}
        return {**arrays, **self.values, **{f"d_{name}": g for name, g in self.gradients.items()}}


# --- the graph ---------------------------------------------------------------------------------------------


def scene_view(frame: Frame) -> SceneView:
    """Return what the graph shows at a frame."""
    step, statics = frame.step, frame.statics
    reads = frame.equation.contribution.factor.uses if frame.equation else ()
    reads = tuple(name for name in reads if name in statics.titles)
    arrived = _arrived(frame)
    nodes = {name: _node_view(frame, name, reads, arrived.get(name, 0)) for name in statics.names}
    edges = {key: _edge_view(frame, key) for key in statics.edges}
    current = None
    if step is not None and step.phase == Phase.BACKWARD:
        current = (str(step.input), step.node, int(step.slot or 0))
    return SceneView(nodes, edges, current, reads, _caption(frame), frame.phase)


def _arrived(frame: Frame) -> dict[str, int]:
    counts: dict[str, int] = {}
    for step in frame.trace.steps[: frame.position]:
        if step.phase == Phase.BACKWARD:
            counts[step.target] = counts.get(step.target, 0) + 1
    return counts


def _node_view(frame: Frame, name: str, reads: tuple[str, ...], arrived: int) -> NodeView:
    statics, step = frame.statics, frame.step
    title, formula = statics.titles[name]
    shape, dims = statics.shapes_of(name)
    return NodeView(
        name=name,
        kind=_kind(frame, name),
        is_loss=name == frame.trace.graph.loss,
        title=title,
        formula=formula,
        shape=shape,
        dims=dims,
        value=frame.values.get(name),
        gradient=frame.gradients.get(name),
        phase=step.phase.value if step is not None and step.target == name else "",
        part=step is not None and step.target != name and _takes_part(frame, step, name),
        read=name in reads,
        stored=name in statics.readers and name in frame.values,
        arrived=arrived,
        expected=statics.expected.get(name, 0),
    )


def _kind(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    node = graph[name]
    if node.kind != Kind.OP:
        return node.kind.value
    return "line" if graph.lines[node.line].node == node.id else "op"


def _takes_part(frame: Frame, step: Step, name: str) -> bool:
    if step.phase == Phase.FORWARD:
        return any(source == name for source, target, _ in frame.statics.edges if target == step.node)
    return step.phase == Phase.BACKWARD and name == step.node


def _edge_view(frame: Frame, key: EdgeKey) -> EdgeView:
    source, target, slot = key
    step = frame.step
    current, factor = "", ""
    if step is not None and step.phase == Phase.FORWARD and step.node == target:
        current = "forward"
    elif step is not None and step.phase == Phase.BACKWARD and (step.input, step.node, step.slot) == key:
        current, factor = "backward", factor_latex(frame.equation)
    return EdgeView(
        source,
        target,
        slot,
        forward=target in frame.values,
        backward=_has_flowed(frame, key),
        current=current,
        factor=factor,
        has_backward=key in frame.statics.flows_back,
    )


def _has_flowed(frame: Frame, key: EdgeKey) -> bool:
    """Say whether the backward step of this edge has been taken."""
    place = frame.trace.backward_places.get(key)
    return place is not None and place < frame.position


def factor_latex(equation: BackwardEquation | None) -> str:
    """Return a factor as it stands on an edge: with the sign of its multiplication, in its place."""
    if equation is None:
        return ""
    factor = equation.contribution.factor
    scalar = factor.side == Side.SCALAR
    if factor.side == Side.LEFT:
        return rf"{factor.latex}\,\cdot"
    if factor.side in (Side.RIGHT, Side.SUM) and r"\square" not in factor.latex:
        return rf"\cdot\,{factor.latex}"
    if factor.side in (Side.ELEMENTWISE, Side.SCALAR):
        if not _has_upstream(equation):
            return factor.latex
        text = parenthesised(factor.latex) if _binds_loosely(factor.operand) else factor.latex
        return rf"\times {text}" if scalar else rf"\odot {text}"
    return factor.latex


def _binds_loosely(operand: Expr | None) -> bool:
    return isinstance(operand, Sum) or (isinstance(operand, Product | Hadamard) and operand.negative)


def _has_upstream(equation: BackwardEquation) -> bool:
    """Say whether an incoming gradient stands in the equation; at the loss it is 1 and left out."""
    return any(name.kind == "gradient" for name in names(equation.contribution.expr))


def _caption(frame: Frame) -> tuple[str, str]:
    step, derivation = frame.step, frame.statics.derivation
    if step is None:
        return "", "Ready: press → to compute the first line"
    if step.phase == Phase.FORWARD:
        return _label(frame, step.node), "is computed"
    if step.phase == Phase.UPDATE:
        return _label(frame, step.node), "is updated"
    done = "arrives once more" if step.before is not None else "is computed"
    return derivation.gradient_latex(step.target), done if step.phase == Phase.BACKWARD else "starts at 1"


def _label(frame: Frame, name: str) -> str:
    return frame.statics.derivation.name_latex(name)


# --- this step ---------------------------------------------------------------------------------------------


def step_view(frame: Frame) -> StepView:
    """Return what the panel *This step* shows at a frame."""
    step = frame.step
    if step is None:
        return _start_view(frame)
    if step.phase == Phase.FORWARD:
        return _forward_view(frame, step)
    if step.phase == Phase.SEED:
        return _seed_view(frame, step)
    if step.phase == Phase.UPDATE:
        return _update_view(frame, step)
    return _backward_view(frame, step)


def _start_view(frame: Frame) -> StepView:
    graph = frame.trace.graph
    more = f"{len(graph.inputs)} inputs and {len(graph.parameters)} parameters are there; nothing is computed yet."
    return StepView("start", "Ready to go forward.", more)


def entry_of(frame: Frame, array: Array) -> tuple[int, ...]:
    """Return the entry to put numbers in for: the chosen one where it fits, else the first."""
    if frame.entry is not None and len(frame.entry) == array.ndim:
        if all(i < size for i, size in zip(frame.entry, array.shape, strict=True)):
            return frame.entry
    return (0,) * array.ndim


def _entry_text(index: tuple[int, ...]) -> str:
    return f"Entry [{', '.join(map(str, index))}]" if index else ""


def _forward_view(frame: Frame, step: Step) -> StepView:
    derivation, graph = frame.statics.derivation, frame.trace.graph
    node = graph[step.node]
    line = graph.lines[node.line]
    index = entry_of(frame, step.after)
    text = derivation.forward_latex(step.node)
    view = StepView(
        phase="forward",
        sentence=f"{_capital(_plain(frame, step.node))} is computed from {_words(_plain(frame, n) for n in _sources(frame, step.node))}.",
        more=f"Line {node.line + 1} of {len(graph.lines)}: {line.text}",
        equation=text,
        entry=_entry_text(index),
        index=index,
        latex=text,
        code=derivation.forward_source(step.node),
    )
    if not derivation.is_written(line):
        return view
    right = derivation.right_side(step.node)
    return replace(
        view,
        **_numbers(frame, right, step.after, index),
        matrices=_product_views(frame, step.node, step.after, right, "forward"),
        shapes=_shape_sentence(right),
    )


def _numbers(frame: Frame, expr: Expr, result: Array, index: tuple[int, ...]) -> dict[str, str]:
    """Return the second and third line: the numbers put in, and what they come to."""
    numbers = put_in(expr, frame.numbers, index)
    came_to = number_latex(float(result[index]))
    return {"numbers": "" if numbers == came_to else f"= {numbers}", "result": f"= {came_to}"}


def _sources(frame: Frame, name: str) -> list[str]:
    """Return the nodes that a node reads, each once, in reading order."""
    return list(dict.fromkeys(s for s, target, _ in frame.statics.edges if target == name)) or ["constants"]


def _plain(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    if name not in graph.ids:
        return name
    node = graph[name]
    if node.op is not None and graph.lines[node.line].node != node.id:
        line = graph.lines[node.line]
        return f"part {name.rpartition('.')[2]} of {_plain(frame, line.name)}"
    return "the loss" if name == graph.loss else plain_name(name)


def _stored(frame: Frame, name: str) -> str:
    return "loss" if name == frame.trace.graph.loss else _plain(frame, name)


def _words(items: Iterable[str]) -> str:
    words = list(items)
    if len(words) > 5:
        words = [*words[:4], f"{len(words) - 4} others"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _seed_view(frame: Frame, step: Step) -> StepView:
    name = frame.statics.derivation.gradient_name(step.node)
    return StepView(
        phase="seed",
        sentence="Backward starts at the loss, with the gradient 1.",
        more="The loss changes by exactly as much as the loss: that derivative is 1.",
        equation=f"{name.text} = 1",
        result="= 1",
        latex=f"{name.text} = 1",
        code=f"{name.code} = 1.0",
    )


def _backward_view(frame: Frame, step: Step) -> StepView:
    equation = frame.equation
    view = StepView(
        phase="backward",
        sentence=_backward_sentence(frame, step, equation),
        more=_backward_more(frame, step, equation),
    )
    if equation is None or step.contribution is None:
        return view
    index = entry_of(frame, step.contribution)
    return replace(
        view,
        equation=equation.coloured,
        entry=_entry_text(index),
        index=index,
        latex=equation.latex,
        code=equation.source,
        matrices=_factor_views(frame, step, equation),
        shapes=_factor_shapes(frame, equation),
        **_numbers(frame, equation.contribution.expr, step.contribution, index),
    )


_SIDE_SENTENCES = {
    Side.LEFT: "To reach {input}, the gradient of {node} is multiplied from the left.",
    Side.RIGHT: "To reach {input}, the gradient of {node} is multiplied from the right.",
    Side.SUM: "{input} was used once for every copy of it, so its gradient is the sum over all copies.",
    Side.SPREAD: "The gradient of {node} is handed to every entry that was summed.",
    Side.TRANSPOSE: "The gradient of {node} is transposed back for {input}.",
    Side.ELEMENTWISE: "To reach {input}, the gradient of {node} is multiplied entry by entry.",
    Side.SCALAR: "To reach {input}, the gradient of {node} is multiplied by one number.",
    Side.MAP: "The gradient of {node} goes through a linear map to reach {input}.",
    Side.COMPOSED: "The gradient of {node} passes several operations to reach {input}.",
}


def _backward_sentence(frame: Frame, step: Step, equation: BackwardEquation | None) -> str:
    graph = frame.trace.graph
    words = {"input": _plain(frame, str(step.input)), "node": _plain(frame, step.node)}
    if equation is None:
        return f"The gradient passes back from {words['node']} to {words['input']}."
    factor = equation.contribution.factor
    if step.node == graph.loss and factor.side in (Side.ELEMENTWISE, Side.SCALAR):
        return f"The loss answers to {words['input']} with this slope."
    if factor.latex == "1":
        return f"The sum passes the gradient of {words['node']} on to {words['input']} unchanged."
    operation = _only_operation(frame, step)
    if operation is not None and factor.side in (Side.ELEMENTWISE, Side.SCALAR, Side.MAP):
        return f"The gradient passes back through {operation.symbol or operation.name}."
    return _capital(_SIDE_SENTENCES[factor.side].format(**words))


def _capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it starts with a name: b is not B."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith(("the ", "part ")) else sentence


def _only_operation(frame: Frame, step: Step) -> Op | None:
    """Return the operation of a node that is a function of one value."""
    node = frame.trace.graph[step.node]
    alone = len(frame.trace.graph.lines[node.line].parts) == 1 or frame.statics.detail == Detail.PRIMITIVE
    return node.op if alone and node.op is not None and len(node.inputs) == 1 else None


def _backward_more(frame: Frame, step: Step, equation: BackwardEquation | None) -> str:
    parts = []
    uses = equation.contribution.factor.uses if equation else ()
    if uses:
        parts.append(f"The factor reads the stored {_words(_stored(frame, n) for n in uses)}.")
    elif equation is not None and equation.contribution.factor.side == Side.SUM:
        parts.append("It reads no stored value: a sum needs none.")
    expected = frame.statics.expected.get(str(step.input), 1)
    if expected > 1:
        number = _arrived(frame).get(str(step.input), 1)
        joined = "it is added to what has arrived" if step.before is not None else "the others will be added"
        parts.append(f"Contribution {number} of {expected}: {joined}.")
    return " ".join(parts)


def _update_view(frame: Frame, step: Step) -> StepView:
    optimizer, derivation = frame.optimizer, frame.statics.derivation
    line = next(q for q in optimizer.lines if q.name == step.quantity)
    text = line.latex.replace("{p}", derivation.name_latex(step.node))
    text = text.replace("{g}", derivation.gradient_latex(step.node))
    index = entry_of(frame, step.after)
    rate = frame.settings.get("learning_rate", 0.0)
    before = frame.trace.values[step.node]
    gradient = frame.trace.gradients[step.node]
    numbers = f"= {number_latex(float(before[index]))} - {number_latex(rate)} \\cdot {_in_parentheses(gradient[index])}"
    return StepView(
        phase="update",
        sentence=f"{_plain(frame, step.node)} takes one step against its gradient.",
        more=f"{optimizer.title} with learning rate {rate:g}.",
        equation=text,
        numbers=numbers,
        result=f"= {number_latex(float(step.after[index]))}",
        entry=_entry_text(index),
        index=index,
        matrices=_update_views(frame, step, before, gradient, rate),
        latex=text,
        code=line.source.format(p=step.node, g=f"d_{step.node}", **frame.settings),
    )


def _in_parentheses(x: float) -> str:
    text = number_latex(float(x))
    return f"({text})" if text.startswith("-") or "cdot" in text else text


def _update_views(
    frame: Frame, step: Step, before: Array, gradient: Array, rate: float
) -> tuple[MatrixView | str, ...]:
    shape, dims = frame.statics.shapes_of(step.node)
    label = frame.statics.derivation.name_latex(step.node)
    slope = frame.statics.derivation.gradient_latex(step.node)
    return (
        MatrixView(rf"{label}\;\text{{new}}", step.after, shape, dims, "update"),
        "=",
        MatrixView(label, before, shape, dims, "forward"),
        "−",
        MatrixView(r"\eta", np.asarray(rate), "", "", "text"),
        "×",
        MatrixView(slope, gradient, shape, dims, "backward"),
    )


# --- matrices of an equation -------------------------------------------------------------------------------

MAX_MATRICES = 5


def _product_views(
    frame: Frame, name: str, result: Array, expr: Expr, role: str
) -> tuple[MatrixView | str, ...]:
    """Return a result and the matrices that make it: the terms of a sum, the factors of a product."""
    shape, dims = frame.statics.shapes_of(name)
    whole = MatrixView(_label(frame, name), result, shape, dims, role)
    parts = _expression_views(frame, expr)
    if not parts or sum(isinstance(p, MatrixView) for p in parts) > MAX_MATRICES:
        return (whole,)
    return (whole, "=", *parts)


def _expression_views(frame: Frame, expr: Expr) -> list[MatrixView | str]:
    if isinstance(expr, Sum):
        parts: list[MatrixView | str] = []
        for sign, term in expr.terms:
            parts += (["+" if sign > 0 else "−"] if parts or sign < 0 else []) + _expression_views(
                frame, term
            )
        return parts
    if isinstance(expr, Product | Hadamard):
        sign = ["−"] if expr.negative else []
        return [*sign, *_factors_views(frame, expr)]
    if isinstance(expr, Apply) and len(expr.args) == 1 and expr.dims:
        head = latex_of_head(expr)
        return [head, *_expression_views(frame, expr.args[0])]
    return [_matrix_view(frame, expr)]


def latex_of_head(expr: Apply) -> str:
    """Return what stands before the argument of a function: σ, tanh."""
    head = expr.head
    return (head.symbol or head.name) if isinstance(head, Op) else head.name


def _factors_views(frame: Frame, expr: Product | Hadamard) -> list[MatrixView | str]:
    parts: list[MatrixView | str] = []
    for i, factor in enumerate(expr.factors):
        if i:
            scalar = factor.is_scalar or expr.factors[i - 1].is_scalar
            parts.append("⊙" if isinstance(expr, Hadamard) else "×" if scalar else "·")
        parts.append(_matrix_view(frame, factor))
    return parts


def _matrix_view(frame: Frame, expr: Expr) -> MatrixView:
    with np.errstate(all="ignore"):
        array = np.asarray(evaluate(expr, frame.numbers), dtype=float)
    role = "forward" if isinstance(expr, Name) and expr.kind == "value" else "text"
    if any(name.kind == "gradient" for name in names(expr)):
        role = "backward"
    return MatrixView(latex(expr), array, _sizes(expr.dims), _dim_names(expr.dims), role)


def _sizes(dims: Dims) -> str:
    return " × ".join(str(d.size) for d in dims)


def _dim_names(dims: Dims) -> str:
    text = " × ".join(d.name for d in dims)
    return "" if text == _sizes(dims) else text


def _factor_views(frame: Frame, step: Step, equation: BackwardEquation) -> tuple[MatrixView | str, ...]:
    """Return a contribution as the product of the incoming gradient and its factor."""
    found = equation.contribution
    factor, derivation = found.factor, frame.statics.derivation
    shape, dims = frame.statics.shapes_of(found.input)
    assert step.contribution is not None
    result = MatrixView(derivation.gradient_latex(found.input), step.contribution, shape, dims, "backward")
    upstream = _upstream_view(frame, found.node)
    joined = "+=" if step.before is not None else "="
    if factor.operand is None:
        ones = (
            [upstream, "·", _ones_view(frame, found.node)] if factor.latex == r"\vec{1}" else ["←", upstream]
        )
        return (result, joined, *ones)
    operand = _operand_view(frame, factor.operand)
    if not _has_upstream(equation):
        parts = _expression_views(frame, factor.operand)
        few = sum(isinstance(p, MatrixView) for p in parts) <= 3
        return (result, joined, *parts) if few else (result, joined, operand)
    if factor.side == Side.LEFT:
        return (result, joined, operand, "·", upstream)
    sign = {Side.RIGHT: "·", Side.ELEMENTWISE: "⊙"}.get(factor.side, "×")
    return (result, joined, upstream, sign, operand)


def _upstream_view(frame: Frame, node: str) -> MatrixView:
    shape, dims = frame.statics.shapes_of(node)
    gradient = frame.gradients[node]
    return MatrixView(frame.statics.derivation.gradient_latex(node), gradient, shape, dims, "backward")


def _ones_view(frame: Frame, node: str) -> MatrixView:
    dim = frame.trace.graph[node].dims[-1]
    return MatrixView(r"\vec{1}", np.ones((dim.size, 1)), f"{dim.size} × 1", f"{dim.name} × 1", "text")


def _operand_view(frame: Frame, operand: Expr) -> MatrixView:
    return replace(_matrix_view(frame, operand), role="stored" if uses(operand) else "text")


def _factor_shapes(frame: Frame, equation: BackwardEquation) -> str:
    """Say how the shapes of a matrix product fit: the inner dimensions cancel."""
    found = equation.contribution
    factor = found.factor
    upstream = _sizes(frame.trace.graph[found.node].dims)
    target = _sizes(frame.trace.graph[found.input].dims) or "scalar"
    if factor.operand is None or factor.side not in (Side.LEFT, Side.RIGHT) or not upstream:
        return ""
    operand = _sizes(factor.operand.dims)
    pair = (operand, upstream) if factor.side == Side.LEFT else (upstream, operand)
    return f"({pair[0]}) · ({pair[1]}) → {target}"


def _shape_sentence(expr: Expr) -> str:
    """Say how the shapes of a matrix product fit, for the first product in a line."""
    stack = [expr]
    while stack:
        node = stack.pop(0)
        if isinstance(node, Product):
            matrices = [f for f in node.factors if len(f.dims) == 2]
            if len(matrices) > 1:
                return (
                    " · ".join(f"({_sizes(f.dims)})" for f in matrices)
                    + f" → {_sizes(node.dims) or 'scalar'}"
                )
        stack.extend(children(node))
    return ""


# --- the inspector -----------------------------------------------------------------------------------------


def inspector_view(frame: Frame, selection: str | EdgeKey | None) -> InspectorView | None:
    """Return what the inspector shows; with nothing selected, what the current step changes."""
    if selection is None:
        step = frame.step
        selection = step.target if step is not None else frame.trace.graph.loss
    if isinstance(selection, str):
        return _inspect_node(frame, selection) if selection in frame.trace.graph.ids else None
    return _inspect_edge(frame, selection) if selection in frame.statics.edges else None


def _inspect_node(frame: Frame, name: str) -> InspectorView:
    node = frame.trace.graph[name]
    shape, dims = frame.statics.shapes_of(name)
    derivation = frame.statics.derivation
    value, gradient = frame.values.get(name), frame.gradients.get(name)
    axes = tuple(d.name if not d.examples else "examples" for d in node.dims)
    return InspectorView(
        name=name,
        heading=derivation.forward_latex(name) if node.op is not None else derivation.name_latex(name),
        kind=_kind(frame, name),
        shape=shape or "scalar",
        dims=dims,
        value=value,
        gradient=gradient,
        gradient_note=_gradient_note(frame, name),
        facts=tuple(_facts(frame, name)),
        axes=(axes[0], axes[-1]) if len(axes) == 2 else ("", axes[0] if axes else ""),
    )


def _gradient_note(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    if graph.ids[name] not in graph.on_loss_path:
        return "The loss does not depend on it: its gradient is zero."
    expected = frame.statics.expected.get(name, 1)
    arrived = _arrived(frame).get(name, 0)
    if name not in frame.gradients:
        return "Its gradient has not been computed yet."
    return (
        f"{arrived} of {expected} contributions have arrived."
        if arrived < expected and name != graph.loss
        else ""
    )


def _facts(frame: Frame, name: str) -> Iterator[tuple[str, str]]:
    for label, array in (("value", frame.values.get(name)), ("gradient", frame.gradients.get(name))):
        if array is not None and array.size > 1:
            with np.errstate(all="ignore"):
                yield (
                    f"{label}: smallest, largest",
                    f"{format_number(array.min())}, {format_number(array.max())}",
                )
                yield f"{label}: mean", format_number(array.mean())
                yield f"{label}: norm", format_number(np.sqrt(np.sum(array * array)))
        elif array is not None:
            yield label, format_number(float(array.reshape(())))
    readers = frame.statics.readers.get(name, ())
    if readers:
        yield "stored for", _words(f"the step back through {_plain(frame, r)}" for r in readers)


def _inspect_edge(frame: Frame, key: EdgeKey) -> InspectorView:
    source, target, slot = key
    equation = frame.statics.backward(target, slot)
    place = frame.trace.backward_places.get(key)
    step = frame.trace.steps[place] if place is not None and place < frame.position else None
    node = _inspect_node(frame, source)
    factor = equation.contribution.factor if equation else None
    facts = (
        []
        if factor is None
        else [("factor's side", factor.side), ("reads", ", ".join(factor.uses) or "nothing")]
    )
    return replace(
        node,
        name=f"{source} → {target}",
        heading=equation.latex if equation else node.heading,
        kind="edge",
        contribution=step.contribution if step is not None else None,
        gradient_note="" if step is not None else "No gradient has flowed back along it yet.",
        facts=tuple(facts),
    )


# --- equations and code ------------------------------------------------------------------------------------


def equation_rows(frame: Frame) -> list[EquationRow]:
    """Return the network's equations, forward and backward in full, marked where they are being computed."""
    graph, step = frame.trace.graph, frame.step
    whole = frame.statics.whole
    rows = []
    for line in graph.lines[:MAX_ROWS]:
        current = (
            step is not None and step.phase == Phase.FORWARD and _line_name(graph, step.node) == line.name
        )
        rows.append(
            EquationRow(
                line.name, whole.forward_latex(line.name), "forward", current, line.name in frame.values
            )
        )
    back = step is not None and step.phase in (Phase.BACKWARD, Phase.SEED)
    for name in frame.statics.gradient_order[:MAX_ROWS]:
        current = back and step is not None and step.target == name
        rows.append(
            EquationRow(name, _gradient_text(whole, name), "backward", current, name in frame.gradients)
        )
    return rows


MAX_ROWS = 200


def _gradient_text(derivation: Derivation, name: str) -> str:
    try:
        return derivation.equation(name)
    except BackstepError:
        return rf"{derivation.gradient_latex(name)} = \ldots"


def _line_name(graph: Graph, name: str) -> str:
    node = graph[name]
    return graph.lines[node.line].name if node.line >= 0 else name


def code_rows(frame: Frame) -> list[CodeRow]:
    """Return the iteration as NumPy, a line a step; the one just taken is current."""
    rows = []
    for step in frame.trace.steps[:MAX_CODE]:
        text = _code_of(frame, step)
        rows.append(
            CodeRow(
                text,
                step.phase.value,
                step.index == frame.position - 1,
                step.index < frame.position,
                (step.target,),
            )
        )
    return rows


MAX_CODE = 2000


def _code_of(frame: Frame, step: Step) -> str:
    derivation = frame.statics.derivation
    if step.phase == Phase.FORWARD:
        return derivation.forward_source(step.node)
    if step.phase == Phase.SEED:
        return f"{derivation.gradient_name(step.node).code} = 1.0"
    if step.phase == Phase.UPDATE:
        line = next(q for q in frame.optimizer.lines if q.name == step.quantity)
        return line.source.format(p=step.node, g=f"d_{step.node}", **frame.settings)
    equation = frame.statics.backward(step.node, int(step.slot or 0), step.before is not None)
    return equation.source if equation else f"# back through {step.node} to {step.input}"


def timeline_phases(trace: Trace) -> list[str]:
    """Return the phase of each step, for the scrubber."""
    return [step.phase.value for step in trace.steps]
