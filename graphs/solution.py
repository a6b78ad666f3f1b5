r"""An iteration written out: every step as an equation, in symbols and with numbers put in.

Handouts and derivations are made of these records; they differ in how they set them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.derive import GETS, PLUS_EQUALS, Derivation
from engine.expr import Expr
from engine.graph import Detail
from engine.notation import latex
from engine.optimizers import update_equation
from engine.substitute import put_in
from engine.trace import Phase, Step, forward
from graphs.figures import number
from graphs.snapshot import Snapshot
from graphs.tex import formula
from graphs.typesetting import width
from graphs.views.frame import Frame
from graphs.views.matrices import update_numbers
from graphs.wording import SEED, SEED_REASON, Wording, factor_shapes, product_shapes

__all__ = ["NEARLY", "Solution", "Written"]

Array = np.ndarray
WIDEST = 16.0  # em, of an unnamed part that is called by its expression
NEARLY = r"\approx"
"""The sign before what stands for mere rounding."""
QUOTED = 22.0  # em, of a line that is quoted in a sentence


@dataclass(frozen=True, eq=False)
class Written:
    r"""One step written out; formulas are LaTeX.

    Attributes
    ----------
    left, sign, right
        Its equation; `right` is "" where a line is too long to be written out.
    coloured
        The right side with the factor of a backward step in ``\textcolor{factor}``.
    sentence, notes
        What the step does, and what more there is to say of it; formulas between dollar signs.
    shapes
        How the shapes of a matrix product fit.
    result
        What the step works out: of a backward step its contribution.
    is_rounding, adds_up_to_rounding
        Whether all of that is mere rounding, and of a gradient whether what has arrived is.
    index
        The entry for which numbers are put in.
    numbers
        That entry with numbers for symbols; "" where this is the number it comes to.
    factor, side
        Of a backward step, LaTeX of its factor, and from which side it multiplies.
    """

    step: Step
    left: str
    sign: str
    right: str
    coloured: str
    sentence: str
    notes: tuple[str, ...]
    shapes: str
    result: Array
    index: tuple[int, ...] = ()
    numbers: str = ""
    factor: str = ""
    side: str = ""
    reads: tuple[str, ...] = field(default=())
    is_rounding: bool = False
    adds_up_to_rounding: bool = False

    @property
    def comes_to(self) -> str:
        """What the entry comes to; rounding is nothing."""
        return number(self.shown[self.index])

    @property
    def shown(self) -> Array:
        """What the step works out as it is shown: zeros for rounding."""
        return 0 * self.result if self.is_rounding else self.result

    @property
    def added_up(self) -> Array:
        """What has arrived of a gradient, as it is shown."""
        return 0 * self.step.after if self.adds_up_to_rounding else self.step.after

    @property
    def relation(self) -> str:
        """The sign before that."""
        return NEARLY if self.is_rounding else "="


class Solution:
    """The steps of an iteration, written out.

    Parameters
    ----------
    snapshot
        Any place of the iteration.
    tidy
        What is made of the engine's LaTeX: for TeX, or for readers that know any letter.
    """

    def __init__(self, snapshot: Snapshot, tidy: Callable[[str], str] = formula) -> None:
        self._tidy = tidy
        self.snapshot = snapshot
        self.trace = snapshot.trace
        self.graph = snapshot.trace.graph
        before = next((s.index for s in self.trace.steps if s.phase == Phase.UPDATE), len(self.trace.steps))
        self.frame = Frame.of(snapshot.at(before))
        self.wording = Wording(self.derivation, self.symbol)

    @property
    def derivation(self) -> Derivation:
        """The equations at the snapshot's detail."""
        return self.frame.statics.derivation

    def symbol(self, name: str) -> str:
        """Return a node's symbol as a formula between dollar signs."""
        return f"${self.latex(name)}$"

    def latex(self, name: str) -> str:
        """Return a node's symbol as LaTeX."""
        found = self._tidy(self.derivation.name_latex(name))
        if self.wording.is_part(name) and width(found) > WIDEST:
            return self._tidy(self.derivation.part_label(name))
        return found

    def gradient(self, name: str) -> str:
        """Return the symbol of a node's gradient as LaTeX."""
        return self._tidy(self.derivation.gradient_latex(name))

    @cached_property
    def steps(self) -> Sequence[Written]:
        """Every step of the iteration."""
        return tuple(map(self.written, self.trace.steps))

    def written(self, step: Step) -> Written:
        """Return one step written out."""
        write: Mapping[Phase, Callable[[Step], Written]] = {
            Phase.FORWARD: self._forward,
            Phase.SEED: self._seed,
            Phase.BACKWARD: self._backward,
            Phase.UPDATE: self._update,
        }
        return write[step.phase](step)

    @cached_property
    def contributions(self) -> Mapping[str, Sequence[Written]]:
        """The backward steps by the value whose gradient they add to, in the order in which that is whole."""
        found: dict[str, list[Written]] = {}
        for written in self.steps:
            if written.step.phase == Phase.BACKWARD:
                rows = found.pop(written.step.target, [])
                found[written.step.target] = [*rows, written]
        return found

    def phase(self, phase: Phase) -> Sequence[Written]:
        """Return the steps of one phase."""
        return [written for written in self.steps if written.step.phase == phase]

    def composed(self, name: str) -> str:
        """Return the right side of a gradient composed down to stored values; "" where it says nothing new.

        At primitive detail there is none: a line's parts are steps of their own.
        """
        if self.derivation.detail == Detail.PRIMITIVE:
            return ""
        right = self._tidy(latex(self.derivation.gradient(name)))
        rows = self.contributions.get(name, ())
        return "" if len(rows) == 1 and rows[0].right == right else right

    def quoted(self, name: str) -> str:
        """Return the line that computes a node, for a sentence; "" for a part of one, and for a long one."""
        right = self._tidy(self.derivation.definition_latex(name))
        if self.wording.is_part(name) or width(right) > QUOTED or r"\text{(" in right:
            return ""
        return f"${self.latex(name)} = {right}$"

    def loss_after(self) -> float:
        """Return the loss for the same examples after the update."""
        new = self.trace.state(len(self.trace.steps)).values
        leaves = {name: new[name] for name in (*self.graph.inputs, *self.graph.parameters)}
        return float(forward(self.graph, leaves)[self.graph.ids[self.graph.loss]])

    # --- one step ---

    def _numbers(self, expr: Expr, known: Mapping[str, Array], result: Array) -> str:
        numbers = self._tidy(put_in(expr, known, _telling(result)))
        return "" if numbers == number(result[_telling(result)]) else numbers

    def _forward(self, step: Step) -> Written:
        derivation, name = self.derivation, step.node
        text = derivation.definition_latex(name)
        left = derivation.forward_latex(name).removesuffix(f" = {text}")
        written = derivation.is_written(self.graph.lines[self.graph[name].line])
        expr = derivation.right_side(name) if written else None
        return Written(
            step,
            self._tidy(left),
            "=",
            self._tidy(text),
            self._tidy(text),
            self.wording.forward(step),
            (),
            product_shapes(expr) if expr is not None else "",
            step.after,
            _telling(step.after),
            self._numbers(expr, self.frame.numbers, step.after) if expr is not None else "",
            is_rounding=self.frame.sets_rounding(step),
        )

    def _seed(self, step: Step) -> Written:
        return Written(step, self.gradient(step.node), "=", "1", "1", SEED, (SEED_REASON,), "", step.after)

    def _backward(self, step: Step) -> Written:
        assert step.contribution is not None
        return replace(
            self._contribution(step),
            is_rounding=self.frame.rounding.is_gradient(step.target, step.contribution),
            adds_up_to_rounding=self.frame.sets_rounding(step),
        )

    def _contribution(self, step: Step) -> Written:
        reached, statics = step.target, self.frame.statics
        equation = statics.backward(step.node, int(step.slot or 0), step.before is not None)
        arrived = statics.arrived(self.trace, reached, step.index + 1)
        expected = statics.expected.get(reached, 1)
        notes = (self.wording.reads(equation), self.wording.accumulated(step, arrived, expected))
        sentence = self.wording.backward(step, equation)
        kept = tuple(note for note in notes if note)
        several = GETS if expected > 1 else "="
        sign = equation.sign if equation else (several if step.before is None else PLUS_EQUALS)
        assert step.contribution is not None
        result = step.contribution
        if equation is None:
            return Written(
                step, self.gradient(reached), sign, "", "", sentence, kept, "", result, _telling(result)
            )
        found = equation.contribution
        return Written(
            step,
            self.gradient(reached),
            sign,
            self._tidy(latex(found.expr)),
            self._tidy(Derivation.coloured(found)),
            sentence,
            kept,
            factor_shapes(self.derivation, equation),
            result,
            _telling(result),
            self._numbers(found.expr, self.frame.numbers, result),
            self._tidy(found.factor.latex),
            found.factor.side,
            found.factor.uses,
        )

    def _update(self, step: Step) -> Written:
        snapshot = self.snapshot
        equation = update_equation(snapshot.optimizer, self.derivation, step)
        right = self._tidy(latex(equation.expr))
        return Written(
            step,
            self._tidy(equation.target.text),
            r"\leftarrow" if equation.replaces else "=",
            right,
            right,
            self.wording.update(equation, step, snapshot.settings),
            (self.wording.update_place(snapshot.optimizer, equation, snapshot.settings),),
            "",
            step.after,
            _telling(step.after),
            self._numbers(equation.expr, update_numbers(self.frame, step), step.after),
        )


def _telling(array: Array) -> tuple[int, ...]:
    """Return the entry that numbers are put in for: the first that is not zero, as a zero tells little."""
    place = int(np.argmax(array != 0)) if array.ndim else 0
    return tuple(int(i) for i in np.unravel_index(place, array.shape)) if array.ndim else ()
