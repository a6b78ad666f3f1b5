r"""The chain rule in symbols: every equation Backstep shows, composed from the operations' records.

The factor of a line with respect to a name is the composition of its operations' factors along the path from
that name. Gradients are written out down to stored values while they are short, and refer to :math:`\partial
L/\partial Z` of a named line where they are not, so that no equation grows without bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from engine import expr as ex
from engine import ops
from engine.errors import BackstepError
from engine.expr import ONE, Expr, Name
from engine.graph import Detail, Graph, Kind, Line, Node, Use
from engine.names import latex_name
from engine.notation import copied_axes, latex, source
from engine.ops import Placed, Side
from engine.shapes import Dims

__all__ = ["BackwardEquation", "Contribution", "Derivation", "Factor"]

MAX_WEIGHT = 24  # symbols in an equation before it refers to the gradient of a named line
UNWRITTEN = "…"
PLUS_EQUALS = r"\mathrel{+}="
GETS = r"\leftarrow"
_LOOSE = (ex.Sum, ex.Product, ex.Hadamard)
MAX_TERMS = 4  # contributions to a gradient that are written out before the next line refers to it by name


@dataclass(frozen=True)
class Factor:
    r"""How an incoming gradient becomes the contribution to one input.

    Attributes
    ----------
    side
        One of the sides of :class:`engine.ops.Side`.
    operand
        What it multiplies by, in symbols; None for a side that has no operand.
    latex
        The operand, or for a side without one the whole rule with :math:`\square` for the incoming gradient.
    uses
        The stored forward values that it reads; none where it is zero whatever they are.
    """

    side: str
    operand: Expr | None
    latex: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Contribution:
    """What one use of a value adds to its gradient: the expression, and its factor."""

    node: str
    input: str
    slot: int
    expr: Expr
    factor: Factor


@dataclass(frozen=True)
class BackwardEquation:
    """One backward step written out.

    Attributes
    ----------
    contribution
        What is added, with its factor.
    target
        The gradient that it is added to.
    accumulate
        Whether something was there already.
    is_partial
        Whether more will be added to it, so that it does not equal the gradient.
    """

    contribution: Contribution
    target: Name
    accumulate: bool
    is_partial: bool = False

    @property
    def sign(self) -> str:
        """What stands between its sides, as LaTeX: ``=`` for the whole gradient alone."""
        if self.accumulate:
            return PLUS_EQUALS
        return GETS if self.is_partial else "="

    @property
    def _left(self) -> str:
        return f"{self.target.text} {self.sign}"

    @cached_property
    def latex(self) -> str:
        """The equation as LaTeX; ``+=`` where it adds to others, an arrow where others are added to it."""
        return f"{self._left} {latex(self.contribution.expr)}"

    @cached_property
    def coloured(self) -> str:
        r"""The same with its factor in ``\textcolor{factor}``."""
        return f"{self._left} {Derivation.coloured(self.contribution)}"

    @cached_property
    def source(self) -> str:
        """The NumPy statement; a sum makes a new array, as two gradients may be one array in memory."""
        expr = self.contribution.expr
        if self.accumulate:
            expr = ex.add((1, self.target), (1, expr))
        return f"{self.target.code} = {source(expr)}"


class Derivation:
    """The equations of a graph.

    Parameters
    ----------
    graph
        Any graph; equations are worked out when they are asked for.
    detail
        At primitive detail the parts of a line are stored values of their own.
    """

    altered: tuple[int, int] | None = None
    """The operation, by id, and its slot whose factor is not what the operation's record says."""

    def __init__(self, graph: Graph, detail: Detail = Detail.EQUATION) -> None:
        self.graph = graph
        self.detail = detail
        self._symbols: dict[int, Expr] = {}
        self._gradients: dict[str, Name] = {}
        self._summaries: dict[str, str] = {}

    # --- values ---

    def loss_latex(self) -> str:
        r"""Return the LaTeX of the loss: a loss called L is :math:`\mathcal{L}`."""
        name = self.graph.loss
        return r"\mathcal{L}" if name == "L" else latex_name(name)

    def name_latex(self, name: str) -> str:
        """Return the LaTeX of a node's name; of an unnamed part, the expression it stands for."""
        if name == self.graph.loss:
            return self.loss_latex()
        node = self.graph[name]
        if self._is_part(node):
            written = self.graph.lines[node.line].written
            return latex(self.symbol(node.id)) if written else self.part_label(name)
        return latex_name(name)

    def gradient_latex(self, name: str) -> str:
        r"""Return :math:`\partial L/\partial x` as LaTeX."""
        text = self.name_latex(name)
        node = self.graph[name]
        if self._is_part(node) and self.graph.lines[node.line].written:
            part = self.symbol(node.id)
            loose = isinstance(part.part if isinstance(part, Name) else part, _LOOSE)
            text = self.part_label(name) if len(text) > 40 else f"({text})" if loose else text
        loss = self.loss_latex()
        gap = "" if loss.startswith("\\") else " "
        return rf"\frac{{\partial{gap}{loss}}}{{\partial {text}}}"

    @staticmethod
    def part_label(name: str) -> str:
        """Return the LaTeX by which an unnamed part is called where its expression is too long."""
        line, _, number = name.rpartition(".")
        return rf"{{{latex_name(line)}}}_{{\text{{part }}{number}}}"

    def symbol(self, node_id: int) -> Expr:
        """Return the expression by which other expressions read a node: its name, or a part written out."""
        found = self._symbols.get(node_id)
        if found is None:
            found = self._symbols[node_id] = self._symbol(self.graph.nodes[node_id])
        return found

    def _symbol(self, node: Node) -> Expr:
        if node.constant is not None:
            return node.constant
        if not self._is_part(node):
            return Name(node.name, node.dims, self.name_latex(node.name), node.name)
        self._require_short(node)
        written = self.definition(node)
        if self.detail == Detail.EQUATION or node.id not in self.graph.active:
            return written
        return Name(node.name, node.dims, "", self.python_name(node.name), part=written)

    def _is_part(self, node: Node) -> bool:
        return node.kind == Kind.OP and self.graph.lines[node.line].node != node.id

    def _require_short(self, node: Node) -> None:
        line = self.graph.lines[node.line]
        if not self.is_written(line):
            raise BackstepError(
                f"the line of {line.name}, of {len(line.parts)} operations, is too long to be written out.",
                where=f"line {line.number}",
                how="Give parts of it names on lines of their own.",
            )

    @staticmethod
    def is_written(line: Line) -> bool:
        """Say whether a line is short enough to be written out in symbols."""
        return line.written

    def definition(self, node: Node) -> Expr:
        """Return the right-hand side that defines an operation's node, its inputs as they are read."""
        assert node.op is not None
        args = [self.symbol(i) for i in node.inputs]
        return node.op.express(args, node.dims, dict(node.attrs))

    def right_side(self, name: str) -> Expr:
        """Return the right-hand side of a line, or of a part at primitive detail."""
        node = self.graph[name]
        self._require_short(node)
        return self.definition(node)

    # --- forward ---

    def forward_latex(self, name: str) -> str:
        r"""Return the equation that defines a line or a part: ``\hat{y} = w x + b``."""
        node = self.graph[name]
        left = self.part_label(name) if self._is_part(node) else self.name_latex(name)
        return f"{left} = {self.definition_latex(name)}"

    def definition_latex(self, name: str) -> str:
        """Return the right-hand side as LaTeX; of a line too long to write out, what it is made of."""
        node = self.graph[name]
        line = self.graph.lines[node.line]
        if not self.is_written(line):
            return self._summary(line)
        return latex(self.right_side(name))

    def _summary(self, line: Line) -> str:
        """Return what stands for a line too long to be written out: what it reads, and how long it is."""
        found = self._summaries.get(line.name)
        if found is None:
            read = list(dict.fromkeys(self.graph.nodes[use.source].name for use in line.uses))
            shown = ", ".join(self.name_latex(n) for n in read[:3]) + (r", \ldots" if len(read) > 3 else "")
            found = rf"f({shown}) \quad \text{{({len(line.parts)} operations)}}"
            self._summaries[line.name] = found
        return found

    def forward_source(self, name: str) -> str:
        """Return the NumPy statement that computes a line or a part."""
        node = self.graph[name]
        line = self.graph.lines[node.line]
        if not self.is_written(line):
            return f"# {name}: {len(line.parts)} operations"
        return f"{self.python_name(name)} = {source(self.right_side(name))}"

    def python_name(self, name: str) -> str:
        """Return the name under which source stores the value of a node: a line's own, or one for a part."""
        return self.free_name(part_source(name)) if self._is_part(self.graph[name]) else name

    def free_name(self, code: str) -> str:
        """Return a Python name that nothing in the network is called."""
        while code in self.graph.ids:
            code += "_"
        return code

    # --- backward, one use at a time ---

    def gradient_name(self, name: str) -> Name:
        """Return the gradient of a node as a symbol."""
        found = self._gradients.get(name)
        if found is None:
            text, code = self.gradient_latex(name), f"d_{self.python_name(name)}"
            found = Name(name, self.graph[name].dims, text, code, kind="gradient")
            self._gradients[name] = found
        return found

    def contribution(self, node: str, slot: int) -> Contribution:
        """Return what the use of a value in `slot` of `node` adds to its gradient.

        Raises
        ------
        BackstepError
            Where the line is too long to be written out.
        """
        placed, source = self._placed(node, slot)
        upstream = ONE if node == self.graph.loss else self.gradient_name(node)
        return Contribution(
            node, source.name, slot, ops.chain(upstream, placed), _factor(placed, self.graph[node].dims)
        )

    def local(self, node: str, slot: int) -> Expr | None:
        """Return the local derivative of a node by the value in `slot`: entry by entry, or of a scalar.

        None where the value is read otherwise, as by a matrix product.

        Raises
        ------
        BackstepError
            Where the line is too long to be written out.
        """
        placed, _ = self._placed(node, slot)
        is_scalar = not self.graph[node].dims and all(link.side != Side.MAP for link in placed)
        by_entry = all(link.side in (Side.SCALAR, Side.ELEMENTWISE) for link in placed)
        return ops.chain(ONE, placed) if is_scalar or by_entry else None

    def backward_equation(self, node: str, slot: int, accumulate: bool = False) -> BackwardEquation:
        """Return one backward step as an equation and a NumPy statement; ``+=`` where it adds to others."""
        found = self.contribution(node, slot)
        is_partial = not accumulate and found.input in self._added_up
        return BackwardEquation(found, self.gradient_name(found.input), accumulate, is_partial)

    @cached_property
    def _added_up(self) -> frozenset[str]:
        """The nodes whose gradients are sums of several contributions."""
        ids, path = self.graph.ids, self.graph.on_loss_path
        uses = Counter(source for source, reader, _ in self.graph.edges(self.detail) if ids[reader] in path)
        return frozenset(name for name, count in uses.items() if count > 1)

    @staticmethod
    def coloured(found: Contribution, role: str = "factor") -> str:
        r"""Return a contribution's LaTeX, all but the incoming gradient in ``\textcolor{role}``."""
        colour = _outside_gradients(found.expr)
        return latex(
            found.expr,
            lambda expr, text: rf"\textcolor{{{role}}}{{{text}}}" if id(expr) in colour else text,
            ones=rf"\textcolor{{{role}}}{{\vec{{1}}}}",
        )

    def _placed(self, node: str, slot: int) -> tuple[list[Placed], Node]:
        graph = self.graph
        if self.detail == Detail.PRIMITIVE:
            target = graph[node]
            return self.links(target, slot), graph.nodes[target.inputs[slot]]
        use = graph.line_by_name[node].uses[slot]
        self._require_short(graph[node])
        return self._along(use), graph.nodes[use.source]

    def _along(self, use: Use) -> list[Placed]:
        return [link for node_id, slot in use.path for link in self.links(self.graph.nodes[node_id], slot)]

    def links(self, node: Node, slot: int) -> list[Placed]:
        """Return the links from the gradient of a node to that of one of its inputs, in symbols.

        Raises
        ------
        BackstepError
            Where the line is too long to be written out.
        """
        nodes = self.graph.nodes
        self._require_short(node)
        ins = [self.symbol(i) for i in node.inputs]
        dims = [*(nodes[i].dims for i in node.inputs), node.dims]
        assert node.op is not None
        return ops.links(node.op, slot, ins, self.symbol(node.id), dims, dict(node.attrs))

    def contributions_to(self, name: str) -> Sequence[tuple[str, int]]:
        """Return the uses that add to the gradient of `name`, in the order in which backward reaches them."""
        return self._uses.get(name, ())

    @cached_property
    def _uses(self) -> Mapping[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        graph = self.graph
        for line in reversed(graph.lines):
            if line.node in graph.on_loss_path:
                for use in line.uses:
                    found.setdefault(graph.nodes[use.source].name, []).append((line.name, use.slot))
        return found

    # --- backward, whole gradients (equation detail) ---

    def gradient(self, name: str) -> Expr:
        """Return the gradient of a named value, written out as far as it stays readable."""
        return self._expanded[name]

    @cached_property
    def _expanded(self) -> Mapping[str, Expr]:
        found: dict[str, Expr] = {self.graph.loss: ONE}
        for name in self._backward_order():
            found[name] = self._sum(name, found)
        return found

    def _backward_order(self) -> list[str]:
        """Return lines from the loss back, then parameters, then inputs; the loss itself left out."""
        graph = self.graph
        lines = [line.name for line in reversed(graph.lines) if line.name != graph.loss]
        return [*lines, *graph.parameters, *graph.inputs]

    def _sum(self, name: str, found: Mapping[str, Expr]) -> Expr:
        uses = self.contributions_to(name)
        if not all(self._is_node_written(node) for node, _ in uses):
            return Name(UNWRITTEN, self.graph[name].dims, r"\ldots", "...", kind="hole")
        terms = []
        for node, slot in uses:
            placed, _ = self._placed(node, slot)
            upstream = found[node] if self._is_short(found[node]) else self.gradient_name(node)
            terms.append((1, ops.chain(upstream, placed)))
        return ex.add(*terms) if terms else ex.lift(0)

    def _is_node_written(self, node: str) -> bool:
        return self.graph.lines[self.graph[node].line].written

    @staticmethod
    def _is_short(expr: Expr) -> bool:
        many = isinstance(expr, ex.Sum) and len(expr.terms) > MAX_TERMS
        unwritten = isinstance(expr, Name) and expr.name == UNWRITTEN
        return expr.weight <= MAX_WEIGHT and not many and not unwritten

    def equation(self, name: str) -> str:
        """Return the equation of a gradient as LaTeX."""
        return f"{self.gradient_latex(name)} = {latex(self.gradient(name))}"

    # --- source ---

    def code(self) -> list[tuple[str, str]]:
        """Return each gradient as a NumPy expression over stored values and ``d_NAME`` of earlier rows.

        A gradient that comes through a line too long to be written out has no row.
        """
        rows = [(self.graph.loss, "1.0")]
        lost: set[str] = set()
        for name in self._backward_order():
            uses = self.contributions_to(name)
            if all(self._is_node_written(node) and node not in lost for node, _ in uses):
                rows.append((name, self._code_of(name)))
            else:
                lost.add(name)
        return rows

    @property
    def gradients(self) -> list[str]:
        """The names whose gradients have equations: the loss, lines from it back, parameters, inputs."""
        return [self.graph.loss, *self._backward_order()]

    def _code_of(self, name: str) -> str:
        terms = [(1, self.contribution(node, slot).expr) for node, slot in self.contributions_to(name)]
        return source(ex.add(*terms)) if terms else f"np.zeros_like({name})"


def _outside_gradients(expr: Expr) -> set[int]:
    """Return the ids of the largest subexpressions that hold no gradient: together, the factor."""
    found: set[int] = set()
    stack = [expr]
    while stack:
        node = stack.pop()
        if not any(name.kind == "gradient" for name in ex.names(node)):
            found.add(id(node))
        else:
            stack.extend(ex.children(node))
    return found


def part_source(name: str) -> str:
    """Return the Python name of an unnamed part: ``L.1`` is ``L_part1``."""
    line, _, number = name.rpartition(".")
    return f"{line}_part{number}"


# --- a chain of links as one factor ------------------------------------------------------------------------

_SQUARE = r"\square"


def _factor(placed: Sequence[Placed], dims: Dims) -> Factor:
    """Return the one factor that a chain of links amounts to, for an incoming gradient of shape `dims`."""
    hole = Name("", dims, _SQUARE, "g", kind="hole")
    placed = [link for link in placed if not _is_identity(link)]
    found = _written(placed, dims, hole)
    is_nothing = any(ex.is_zero(link.operand) for link in placed)
    return replace(found, uses=()) if is_nothing else found


def _written(placed: Sequence[Placed], dims: Dims, hole: Name) -> Factor:
    if not placed:
        return Factor(Side.SCALAR, ONE, "1", ())
    if not dims and all(link.side != Side.MAP for link in placed):
        return _local(ops.chain(ONE, placed))
    if len(placed) == 1:
        return _single(placed[0], hole)
    return _composed(placed, hole)


def _is_identity(link: Placed) -> bool:
    return (
        link.side in (Side.SCALAR, Side.ELEMENTWISE) and isinstance(link.operand, int) and link.operand == 1
    )


def _local(operand: Expr) -> Factor:
    """Return the factor for a scalar's gradient: the whole local derivative, as one operand."""
    side = Side.SCALAR if operand.is_scalar else Side.ELEMENTWISE
    return Factor(side, operand, latex(operand), ex.uses(operand))


def _single(link: Placed, hole: Name) -> Factor:
    if isinstance(link.operand, Expr | int) and link.side != Side.SUM:
        operand = ex.lift(link.operand)
        side = Side.SCALAR if link.side == Side.ELEMENTWISE and operand.is_scalar else link.side
        return Factor(side, operand, latex(operand), ex.uses(operand))
    whole = ops.chain(hole, [link])
    if isinstance(whole, ex.SumTo) and len(hole.dims) == 2:
        axes = copied_axes(whole)
        if len(axes) == 1:
            return Factor(link.side, None, r"\vec{1}" if axes == (1,) else r"\vec{1}^\intercal", ())
    return Factor(link.side, None, latex(whole), ex.uses(whole))


def _composed(placed: Sequence[Placed], hole: Name) -> Factor:
    sides = {_effective_side(link) for link in placed}
    for side in (Side.ELEMENTWISE, Side.LEFT, Side.RIGHT, Side.SCALAR):
        if sides <= {Side.SCALAR, side}:
            operand = _operand(placed, side)
            return Factor(side, operand, latex(operand), ex.uses(operand))
    whole = ops.chain(hole, placed)
    return Factor(Side.COMPOSED, None, latex(whole), ex.uses(whole))


def _effective_side(link: Placed) -> str:
    if link.side == Side.ELEMENTWISE and ex.lift(link.operand).is_scalar:
        return Side.SCALAR
    return link.side


def _operand(placed: Sequence[Placed], side: str) -> Expr:
    """Return the product of the operands of a chain whose links are scalars and links of one side."""
    result: Expr = ONE
    for link in placed:
        operand = ex.lift(link.operand)
        if _effective_side(link) == Side.SCALAR:
            result = ex.multiply(operand, result) if side == Side.LEFT else ex.multiply(result, operand)
        elif result.is_scalar or side == Side.ELEMENTWISE:
            result = ex.multiply(result, operand)
        else:
            result = operand @ result if side == Side.LEFT else result @ operand
    return result
