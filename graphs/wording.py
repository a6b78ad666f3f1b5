"""What happens at a step, in sentences: the same words in the window and in every document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.derive import BackwardEquation, Derivation
from engine.errors import BackstepError
from engine.expr import Const, Expr, Name, Product, Transpose, children
from engine.graph import Detail, Kind, Node
from engine.names import plain_name
from engine.ops import Op, Placed, Side
from engine.optimizers import Optimizer, Quantity, UpdateEquation
from engine.shapes import Dims
from engine.trace import Step
from graphs.plain import equation_text

__all__ = [
    "SEED",
    "SEED_REASON",
    "Wording",
    "capital",
    "counted",
    "dim_names",
    "enumerated",
    "factor_shapes",
    "listed",
    "ordinal",
    "product_shapes",
    "share",
    "sizes",
    "times",
    "update_sentence",
]

SHORT = 26  # characters of an unnamed part that is said as its expression
LISTED = 5  # names in a list before the rest is counted
SEED = "Backward starts at the loss, with the gradient 1."
SEED_REASON = "The loss changes exactly as much as itself, so its own derivative is 1."

_SIDE_SENTENCES = {
    Side.LEFT: "To reach {input}, the gradient of {node} is multiplied from the left{by}.",
    Side.RIGHT: "To reach {input}, the gradient of {node} is multiplied from the right{by}.",
    Side.SUM: "{input} is copied to every {copy}, so its gradient is the sum over all of them.",
    Side.SPREAD: "The gradient of {node} is handed to every entry that was summed.",
    Side.TRANSPOSE: "The gradient of {node} is transposed back for {input}.",
    Side.ELEMENTWISE: "To reach {input}, the gradient of {node} is multiplied entry by entry{by}.",
    Side.SCALAR: "To reach {input}, the gradient of {node} is multiplied{by}.",
}
_BY_ENTRY = (Side.ELEMENTWISE, Side.SCALAR)
MOST_SAID = 4
"""Operations on the way of a gradient that are said one after the other."""


class Wording:
    """Says in words what the steps of a trace do.

    Parameters
    ----------
    derivation
        The equations of the trace's graph at its detail.
    write
        How the symbol of a node is written in a sentence, by its name in the graph; as plain text ("ŷ",
        "ŷ − y") where None. A document in LaTeX writes formulas.
    """

    def __init__(self, derivation: Derivation, write: Callable[[str], str] | None = None) -> None:
        self._derivation = derivation
        self._graph = derivation.graph
        self._write = write or self._plain

    # --- names ---

    def name(self, name: str) -> str:
        """Return a node's name in words: "ŷ", "the loss", "ŷ − y", "the square in line L"."""
        graph = self._graph
        if name not in graph.ids:
            return name
        if name == graph.loss:
            return "the loss"
        if not self.is_part(name) or self._expression(name):
            return self._write(name)
        return graph.called(name)

    def stored(self, name: str) -> str:
        """Return a node's name as it stands after "the stored"."""
        return "loss" if name == self._graph.loss else self.name(name)

    def operand(self, operand: Expr | None) -> str:
        """Return a factor's operand where it is one value: "X", "the transpose of X"; else ""."""
        if isinstance(operand, Name) and operand.kind == "value":
            return self.name(operand.name)
        if isinstance(operand, Transpose) and isinstance(operand.operand, Name):
            return f"the transpose of {self.name(operand.operand.name)}"
        return ""

    def is_part(self, name: str) -> bool:
        """Say whether a node is an unnamed part of a line."""
        node = self._graph[name]
        return node.kind == Kind.OP and self._graph.lines[node.line].node != node.id

    def _plain(self, name: str) -> str:
        return self._expression(name) if self.is_part(name) else plain_name(name)

    def _expression(self, name: str) -> str:
        """Return the expression that a short unnamed part stands for, "" for a long one."""
        try:
            part = self._derivation.symbol(self._graph.ids[name])
        except BackstepError:
            return ""
        text = equation_text(part.part if isinstance(part, Name) and part.part is not None else part, "L")
        return text if len(text) <= SHORT else ""

    # --- steps ---

    def forward(self, step: Step) -> str:
        """Return what a forward step does: "Z is computed from W₁, X and b₁."."""
        sources = self._sources(step.node)
        read = listed(self.name(name) for name in sources) if sources else "constants"
        return f"{capital(self.name(step.node))} is computed from {read}."

    def _sources(self, name: str) -> list[str]:
        """Return the nodes that a node reads at this detail, each once, in reading order."""
        graph = self._graph
        if self._derivation.detail == Detail.PRIMITIVE:
            found = [i for i in graph[name].inputs if i in graph.active]
        else:
            found = [use.source for use in graph.line_by_name[name].uses]
        return [graph.nodes[i].name for i in dict.fromkeys(found)]

    def backward(self, step: Step, equation: BackwardEquation | None) -> str:
        """Return how a backward step brings a gradient from one node to another.

        `equation` is None where the line is too long to be written out.
        """
        node, reached = self.name(step.node), self.name(str(step.input))
        if equation is None:
            return f"The gradient passes back from {node} to {reached}."
        factor = equation.contribution.factor
        if factor.latex in ("1", "-1"):
            how = "unchanged" if factor.latex == "1" else "with its sign turned"
            return f"The gradient of {node} passes on to {reached} {how}."
        if step.node == self._graph.loss and factor.side in (Side.ELEMENTWISE, Side.SCALAR):
            return f"The loss reads {reached} directly: the gradient of {reached} is its slope."
        operation = self._only_operation(step)
        if operation is not None and factor.side in (Side.ELEMENTWISE, Side.SCALAR, Side.MAP):
            through = operation.symbol or operation.name
            return f"To reach {reached}, the gradient of {node} passes back through {through}."
        operand = self.operand(factor.operand)
        if factor.side not in _SIDE_SENTENCES or (not operand and factor.side in _BY_ENTRY):
            way = self.on_the_way(step.node, int(step.slot or 0))
            return f"To reach {reached}, the gradient of {node} {way}."
        sentence = _SIDE_SENTENCES[factor.side].format(
            input=reached,
            node=node,
            by=f" by {operand}" if operand else "",
            copy=self._copied(step) if factor.side == Side.SUM else "",
        )
        return capital(sentence)

    # --- the operations on a gradient's way ---

    def on_the_way(self, node: str, slot: int) -> str:
        """Say what a gradient goes through, in order: "passes back through σ, then is multiplied …"."""
        if self._derivation.detail == Detail.PRIMITIVE:
            path = ((self._graph.ids[node], slot),)
        else:
            path = self._graph.line_by_name[node].uses[slot].path
        said = [phrase for node_id, slot in path for phrase in self._through(node_id, slot)]
        if len(said) > MOST_SAID:
            said = [*said[: MOST_SAID - 1], f"goes through {len(said) - MOST_SAID + 1} more operations"]
        return ", then ".join(said) or "passes on unchanged"

    def _through(self, node_id: int, slot: int) -> list[str]:
        """Say what one operation does to the gradient on its way to an input."""
        node = self._graph.nodes[node_id]
        op = node.op
        assert op is not None
        links = self._derivation.links(node, slot)
        factors = [link for link in links if link.side != Side.SUM]
        if op.name in ("*", "@", "T", "sum"):
            said = [self._multiplied(link) for link in factors]
        elif op.name == "/" and slot == 0:
            said = [f"is divided by {self._said(self._derivation.symbol(node.inputs[1]))}"]
        elif all(_is_one(link.operand) for link in factors):
            said = []
        elif all(_is_one(link.operand, -1) for link in factors):
            said = ["has its sign turned"]
        else:
            said = [f"passes back through {self._operation(node)}"]
        return said + [self._added_up(node_id, slot) for link in links if link.side == Side.SUM]

    def _multiplied(self, link: Placed) -> str:
        by = self._said(link.operand) if link.operand is not None else ""
        entries = "" if link.operand is None or not link.operand.dims else "entry by entry "
        return {
            Side.LEFT: f"is multiplied from the left by {by}",
            Side.RIGHT: f"is multiplied from the right by {by}",
            Side.TRANSPOSE: "is transposed back",
            Side.SPREAD: "is handed to every entry that was summed",
            Side.ELEMENTWISE: f"is multiplied {entries}by {by}",
        }.get(link.side, f"is multiplied by {by}")

    def _operation(self, node: Node) -> str:
        assert node.op is not None
        if node.op.elementwise and len(node.inputs) == 1:
            return node.op.symbol or node.op.name
        return f"the {self._graph.noun(node.id)}"

    def _added_up(self, node_id: int, slot: int) -> str:
        node = self._graph.nodes[node_id]
        each = self._each(node.dims, self._graph.nodes[node.inputs[slot]].dims)
        return f"is summed over every {each}"

    def _said(self, expr: Expr) -> str:
        """Return an operand in words: a number, a value's name, else "the other factor"."""
        named = self.operand(expr)
        if named:
            return named
        is_text = isinstance(expr, Const) or self._write == self._plain  # a document writes formulas
        text = equation_text(expr, "L") if is_text else ""
        return text if 0 < len(text) <= SHORT else "the other factor"

    def _copied(self, step: Step) -> str:
        """Say along what the input of a step was copied: examples, or just entries."""
        return self._each(self._graph[step.node].dims, self._graph[str(step.input)].dims)

    @staticmethod
    def _each(axes: Dims, own: Dims) -> str:
        """Say what broadcasting copied a value of the shape `own` to: "example", or "entry"."""
        kept = (*((None,) * (len(axes) - len(own))), *own)
        copied = [
            a for a, k in zip(axes, kept, strict=True) if a.size > 1 and (k is None or k.size != a.size)
        ]
        return "example" if len(copied) == 1 and copied[0].examples else "entry"

    def _only_operation(self, step: Step) -> Op | None:
        """Return the operation of a node that is a function of one value."""
        node = self._graph[step.node]
        single = len(self._graph.lines[node.line].parts) == 1
        alone = single or self._derivation.detail == Detail.PRIMITIVE
        return node.op if alone and node.op is not None and len(node.inputs) == 1 else None

    def reads(self, equation: BackwardEquation | None) -> str:
        """Return which stored values a backward step's factor reads; "" where there is nothing to say."""
        if equation is None:
            return ""
        factor = equation.contribution.factor
        if factor.uses:
            return f"The factor reads the stored {listed(self.stored(name) for name in factor.uses)}."
        return "It reads no stored value: a sum needs none." if factor.side == Side.SUM else ""

    @staticmethod
    def accumulated(step: Step, arrived: int, expected: int) -> str:
        """Return which of several contributions a backward step brings; "" for the only one."""
        if expected < 2:
            return ""
        joined = "more will be added" if step.before is None else "it is added to what has arrived"
        return f"Contribution {arrived} of {expected}: {joined}."

    def update(self, equation: UpdateEquation, step: Step, settings: Mapping[str, float]) -> str:
        """Return what a quantity of an update is for."""
        return update_sentence(equation.quantity, self.name(step.node), settings)

    @staticmethod
    def update_place(optimizer: Optimizer, equation: UpdateEquation, settings: Mapping[str, float]) -> str:
        """Say which optimizer it is, which of its lines, and how far a step goes now."""
        quantities = optimizer.quantities
        place = quantities.index(equation.quantity) + 1
        line = f", line {place} of {len(quantities)}" if len(quantities) > 1 else ""
        return f"{optimizer.title} with learning rate {settings['learning_rate']:.4g}{line}."


def _is_one(operand: Expr | float | None, sign: int = 1) -> bool:
    if isinstance(operand, Const):
        return not operand.powers and operand.value == sign
    return isinstance(operand, int | float) and operand == sign


# --- lists, numbers, shares --------------------------------------------------------------------------------


def listed(items: Iterable[str]) -> str:
    """Return words as a list in a sentence; a long one is cut short.

    Examples
    --------
    >>> listed("wxb"), listed("abcdefg")
    ('w, x and b', 'a, b, c, d and 3 others')
    """
    words = list(items)
    if len(words) > LISTED:
        words = [*words[: LISTED - 1], f"{len(words) - LISTED + 1} others"]
    return enumerated(words)


def enumerated(items: Iterable[str]) -> str:
    """Return words as a list in a sentence, however many they are."""
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


_TIMES = ("never", "once", "twice", "three times", "four times", "five times", "six times")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def times(count: int) -> str:
    """Return how often: "twice", "three times", "12 times"."""
    return _TIMES[count] if count < len(_TIMES) else f"{count:,} times"


def ordinal(number: int) -> str:
    """Return which one in a row, counted from 1: "second", "11th"."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
    return f"{number}{ending}"


def counted(count: int, word: str) -> str:
    """Return a number of things: "1 input", "2 inputs"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def arrival(arrived: int, expected: int) -> str:
    """Say what a contribution does to a gradient: only the last one makes it whole.

    Examples
    --------
    >>> arrival(1, 1), arrival(1, 2), arrival(2, 2)
    ('is computed', 'gets its first of 2 contributions', 'gets its last contribution: it is computed')
    """
    if expected < 2:
        return "is computed"
    if arrived == expected:
        return "gets its last contribution: it is computed"
    if arrived == 1:
        return f"gets its first of {expected} contributions"
    return f"gets contribution {arrived} of {expected}"


def capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it starts with a name: b is not B."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith("the ") else sentence


_TENTHS = ("nothing", "one tenth", "two tenths", "three tenths", "four tenths", "half", "six tenths")
_MORE_TENTHS = ("seven tenths", "eight tenths", "nine tenths", "all")


def share(part: float) -> str:
    """Return a share of a whole in words: "nine tenths", "99.9 %", "all"."""
    tenths = round(10 * part)
    if abs(10 * part - tenths) < 1e-9 and 0 <= tenths <= 10:
        return (*_TENTHS, *_MORE_TENTHS)[tenths]
    return f"{100 * part:.4g} %"


def update_sentence(quantity: Quantity, parameter: str, settings: Mapping[str, float]) -> str:
    """Return what a quantity of an update is for, with the parameter's name and the settings put in."""
    words = {name: share(value) for name, value in settings.items()}
    words |= {f"other_{name}": share(1 - value) for name, value in settings.items()}
    return quantity.why.format(**words | {"p": parameter, "t": str(settings.get("t", 1))})


# --- shapes ------------------------------------------------------------------------------------------------


def sizes(dims: Dims) -> str:
    """Return a shape in numbers: "4 × 133"; "" for a scalar."""
    return " × ".join(str(d.size) for d in dims)


def dim_names(dims: Dims) -> str:
    """Return a shape in the names of its dimensions: "k × m"; "" where they have none."""
    text = " × ".join(d.name for d in dims)
    return "" if text == sizes(dims) else text


def product_shapes(expr: Expr) -> str:
    """Say how the shapes of an expression's first matrix product fit: "(1 × 4) · (4 × 9) → 1 × 9"."""
    stack = [expr]
    while stack:
        node = stack.pop(0)
        if isinstance(node, Product):
            matrices = [f for f in node.factors if len(f.dims) == 2]
            if len(matrices) > 1:
                joined = " · ".join(f"({sizes(f.dims)})" for f in matrices)
                return f"{joined} → {sizes(node.dims) or 'scalar'}"
        stack.extend(children(node))
    return ""


def factor_shapes(derivation: Derivation, equation: BackwardEquation) -> str:
    """Say how the shapes of a backward step's matrix product fit: the inner dimensions cancel."""
    found = equation.contribution
    factor, graph = found.factor, derivation.graph
    upstream = sizes(graph[found.node].dims)
    target = sizes(graph[found.input].dims) or "scalar"
    if factor.operand is None or factor.side not in (Side.LEFT, Side.RIGHT) or not upstream:
        return ""
    operand = sizes(factor.operand.dims)
    pair = (operand, upstream) if factor.side == Side.LEFT else (upstream, operand)
    return f"({pair[0]}) · ({pair[1]}) → {target}"
