"""The records that items and panels are given and paint: plain data, no Qt, no colours, no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
EdgeKey = tuple[str, str, int]


@dataclass(frozen=True)
class Link:
    """What the mouse points at, so that every panel can mark the same thing.

    Attributes
    ----------
    name
        The node's name in the graph.
    entry
        One entry of its array, as an index; None for all of it.
    part
        "value" or "gradient".
    """

    name: str
    entry: tuple[int, ...] | None = None
    part: str = "value"


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
        Whether the node takes part in the current step without being changed by it: it is read, or gone
        back through.
    read
        Whether the current factor reads this node's stored value: the purple mark, and the dotted arrow.
    stored
        Whether some backward step of this trace reads this node's value: forward keeps it for that.
    arrived, expected
        Of the contributions to the gradient, how many have arrived, and how many there will be.
    note
        Words that stand where the shape would: where a value comes from.
    says
        What is told of the node where its name would not do.
    moved
        By how much a nudge moves it: "Δ +0.0012"; "" where it does not.
    asked
        "value", "gradient", or both: what is there, but hidden until it is revealed.
    noise
        "value", "gradient", or both: whose numbers are rounding, where they should have been zero.

    The cards of an update (`LaneView`) are such records too, of the kinds "gradient", "kept" (what the last
    update left of a quantity) and "quantity".
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
    note: str = ""
    says: str = ""
    moved: str = ""
    asked: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()

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
    r"""One wire: what has flowed along it, and what flows now.

    `current` is "", "forward" or "backward"; `factor` is the LaTeX shown on the wire while a gradient flows
    back along it: the factor with its sign of multiplication, such as ``\odot A \odot (1 - A)``.
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
        """Source, target and slot."""
        return (self.source, self.target, self.slot)


@dataclass(frozen=True)
class LaneArrow:
    """One arrow of an update: from the card that is read to the card that reads it.

    "" stands for the parameter's own card in the graph. `flow` is what flows along it: "gradient", "value"
    (the old one) or "update". `done` says whether it has, `current` whether it does at this step.
    """

    source: str
    target: str
    flow: str
    done: bool
    current: bool


@dataclass(frozen=True, eq=False)
class LaneView:
    """The update of one parameter, drawn as a continuation of the graph.

    Attributes
    ----------
    parameter
        Whose update it is.
    heading
        Words, and LaTeX of the parameter.
    cards
        By name, in an order in which each comes after what it reads.
    """

    parameter: str
    heading: tuple[str, str]
    cards: Mapping[str, NodeView]
    arrows: tuple[LaneArrow, ...]


@dataclass(frozen=True)
class SceneView:
    """The whole graph at one step.

    `reads` lists the nodes whose stored values the current factor reads; the arrows go to the factor on
    `current`.
    `caption` is LaTeX and text: what is being computed. `lane` is the update that is being shown, if one is.
    """

    nodes: Mapping[str, NodeView]
    edges: Mapping[EdgeKey, EdgeView]
    current: EdgeKey | None = None
    reads: tuple[str, ...] = ()
    caption: tuple[str, str] = ("", "")
    phase: str = ""
    lane: LaneView | None = None


@dataclass(frozen=True, eq=False)
class MatrixView:
    """One matrix of an equation: its LaTeX label, its numbers, its shape twice, and the role of its frame.

    `role` is "forward", "backward", "stored", "update" or "text"; `noise` says whether all of it is rounding.
    """

    label: str
    array: Array
    shape: str
    dims: str
    role: str
    noise: bool = False


@dataclass(frozen=True)
class StepView:
    r"""The panel *This step*.

    Attributes
    ----------
    phase
        "start", "forward", "seed", "backward" or "update".
    sentence, more
        One plain sentence, and at most one more line about why.
    equation, numbers, short, result
        Lines of LaTeX: symbols with the factor in ``\textcolor{factor}{...}``; the numbers put in for one
        entry; the same with every factor as one number, "" where that is no different; what they come to.
    entry
        Which entry the numbers are of: "Entry [2, 0]", "" for a scalar.
    index
        The same as a tuple.
    matrices
        The product that makes the result, left to right: matrices, and between them "=", "⊙", "·", "+", "−",
        "×", "⊘" or "÷".
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
    short: str = ""
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

    `heading` is LaTeX (``Z = W_1 X + b_1``); `value` and `gradient` are None in the future and while they are
    hidden; `value_note` says that it is hidden, `gradient_note` why there is none. `facts` are pairs of words
    and numbers: statistics, contributions, who reads it. `noise` is that of the card.
    """

    name: str
    heading: str
    kind: str
    shape: str
    dims: str
    value: Array | None
    gradient: Array | None
    value_note: str = ""
    gradient_note: str = ""
    contribution: Array | None = None
    facts: tuple[tuple[str, str], ...] = ()
    axes: tuple[str, str] = ("", "")
    noise: tuple[str, ...] = ()


@dataclass(frozen=True)
class EquationRow:
    """One equation of the equations dock, coloured where it is being computed.

    `covered` says that its right-hand side is hidden, and not asked for here.
    """

    name: str
    latex: str
    phase: str
    current: bool = False
    done: bool = False
    covered: bool = False


@dataclass(frozen=True)
class CodeRow:
    """One NumPy line of the code dock."""

    text: str
    phase: str
    current: bool = False
    done: bool = False
    names: tuple[str, ...] = field(default=())
