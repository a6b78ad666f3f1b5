"""What is said about a mistake: a hint, with LaTeX between dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import expr as ex
from engine.alterations import Alteration, Change
from engine.derive import Derivation
from engine.errors import BackstepError
from engine.graph import Node
from engine.notation import latex
from engine.ops import Op
from graphs.mistakes.record import Slip
from graphs.subjects import way_through

__all__ = ["Uses", "Words", "operand_missing"]

Uses = Sequence[tuple[str, int, tuple[int, int]]]
INDICATOR = r"\mathbb{1}"
LONG = 64  # characters of LaTeX that an equation in a hint may have

_MISSING: Mapping[str, tuple[Slip, str, str]] = {
    "+": (Slip.TERM, "{other} has not been added.", "{other} has not been added."),
    "-": (
        Slip.TERM,
        "{other} is missing: {kept} is subtracted from it.",
        "{other} has not been subtracted.",
    ),
    "*": (Slip.TIMES, "The factor {other} is missing.", "The factor {other} is missing."),
    "@": (Slip.TIMES, "The product with {other} is missing.", "The product with {other} is missing."),
    "/": (
        Slip.TIMES,
        "{other} is to be divided by {kept}: look at what divides.",
        "It has not been divided by {other}.",
    ),
    "**": (
        Slip.OPERATION,
        "{other} is missing: {kept} is its power.",
        "{kept} stands without its power {other}.",
    ),
}
"""What is said where an operand of an operation is missing: its kind, the first one, the second one."""


def operand_missing(operation: str, operands: Sequence[str], missing: int) -> tuple[Slip, str] | None:
    """Return what is said where one of two operands is missing: kind and hint; None where nothing is.

    Parameters
    ----------
    operands
        Both, in symbols.
    """
    if operation not in _MISSING:
        return None
    kind, *sentences = _MISSING[operation]
    sentence = sentences[missing].format(other=operands[missing], kept=operands[1 - missing])
    return kind, sentence[:1].upper() + sentence[1:]


class Words:
    """Says what is missing, with LaTeX between dollars."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation
        self._graph = derivation.graph

    def name(self, name: str) -> str:
        """Return a node's symbol."""
        return f"${self._derivation.name_latex(name)}$"

    def line(self, name: str) -> str:
        """Return the equation of a line; its name alone where it is long."""
        text = self._derivation.forward_latex(name)
        return f"${text}$" if len(text) <= LONG else f"the line of {self.name(name)}"

    def of_line(self, node: Node) -> str:
        """Return where an operation stands."""
        return f"Look at {self.line(self._graph.lines[node.line].name)}."

    def part(self, node_id: int) -> str:
        """Return what an operation reads, in symbols."""
        try:
            return f"${latex(self._derivation.symbol(node_id))}$"
        except BackstepError:
            return "a part"

    @staticmethod
    def function(op: Op) -> str:
        """Return what an operation is called in a sentence."""
        return op.symbol if op.name == "sigmoid" else op.name.replace("_", " ")

    def alteration(self, alteration: Alteration) -> str:
        """Return the hint to an altered link."""
        node = self._graph.nodes[alteration.node]
        assert node.op is not None
        about = f"${latex(alteration.about)}$" if alteration.about is not None else ""
        through = f"Going back through {self.line(self._graph.lines[node.line].name)}"
        if alteration.change == Change.FACTOR:
            return self._factor(node.op, about, through)
        if (power := _power_lost(alteration)) is not None:
            base, exponent = (f"${latex(part)}$" for part in (power.base, power.exponent))
            return (
                f"The local derivative is not whole. {through}, {base} stands without its power {exponent}."
            )
        sentence = _SENTENCES[alteration.change]
        return sentence.format(about=about, through=through, function=self.function(node.op))

    def _factor(self, op: Op, about: str, through: str) -> str:
        if INDICATOR in about:  # said in words: where it is 1, and where 0
            return f"{through}, the gradient does not pass everywhere. {op.sentence}"
        is_function = op.elementwise and op.arity == (1, 1) and op.latex is not None
        by = f"is multiplied by {about}" if about else "goes through its derivative"
        if is_function or not about:
            return f"The derivative of {self.function(op)} is missing. {through}, the gradient {by}."
        return f"The factor {about} is missing. {through}, the gradient {by}."

    def arriving(self, line: str) -> str:
        """Return the hint that a gradient still has to go back through a line."""
        through = f"It still has to go back through {self.line(line)}."
        return f"That is the gradient that arrives at {self.name(line)}. {through}"

    def way(self, line: str, slot: int) -> str:
        """Return what a gradient comes back through by one use of a value in a line."""
        return way_through(self._derivation, line, slot)

    def only(self, name: str, way: tuple[str, int], uses: Uses) -> str:
        """Return the hint that one path alone has been counted: the one through a line by one of its uses."""
        times = f"{self.name(name)} is used {_times(len(uses))}"
        only = f"Only the path through {self.way(*way)} has been counted."
        return f"{only} {times}: what comes back by all its uses adds up."

    def all_but(self, name: str, way: tuple[str, int], uses: Uses) -> str:
        """Return the hint that one path has been forgotten."""
        return (
            f"The path through {self.way(*way)} has been forgotten. {self.name(name)} is used "
            f"{_times(len(uses))}: what comes back by all its uses adds up."
        )


def _power_lost(alteration: Alteration) -> ex.Power | None:
    """Return the power whose base alone has been taken in a sum; None for any other change."""
    about, rest = alteration.about, alteration.operand
    if isinstance(rest, ex.Product) and len(rest.factors) == 1:  # a minus sign before anything
        rest = rest.factors[0]
    if not isinstance(about, ex.Power) or not isinstance(rest, ex.Sum):
        return None
    return about if any(term == about.base for _, term in rest.terms) else None


def _times(count: int) -> str:
    return {2: "twice", 3: "three times", 4: "four times"}.get(count, f"{count} times")


_SENTENCES: dict[Change, str] = {
    Change.SIGN: "Look at the sign. {through}, is there a minus?",
    Change.TRANSPOSE: "A transpose is missing. {through}, it is {about} that multiplies.",
    Change.RESHAPE: "Reshaping is not transposing. {through}, it is {about} that multiplies.",
    Change.COUNT: "The factor {about} is missing. {through}, the gradient is multiplied by it.",
    Change.CONSTANT: "The factor {about} is missing. {through}, the derivative brings it in.",
    Change.PART: "The local derivative is not whole. {through}, {about} is missing in it.",
    Change.POINT: "The derivative of {function} is taken at the wrong value. "
    "{through}, does it read what goes in, or what comes out?",
    Change.FIRST: "Only the first example has been counted. What all examples bring has to be added up.",
    Change.MEAN: "What the examples bring is added up, not averaged: there is a division too much.",
    Change.UNSUMMED: "The sum is missing. {through}, the value is used for every example: all that adds up.",
    Change.ORDER: "Look at the order of the product. {through}, {about} multiplies from the other side.",
    Change.ELEMENTWISE: "This product is one of matrices, not entry by entry. {through}, {about} multiplies.",
    Change.MATRIX: "The product with {about} is missing. {through}, the gradient is multiplied by it.",
}
