"""What is not to be seen until it is revealed: a learner is to predict it first.

A hidden value is as one in the future: no number of it is anywhere on the screen. `Frame` takes hidden values
and gradients out of what is known; here hidden factors, shapes and equations are taken out of what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.trace import Phase, Step, Trace
from graphs.views.records import CodeRow, EdgeView, EquationRow, NodeView, StepView

__all__ = ["ASKED", "COVERED", "FOR_NOW", "KINDS", "OPEN", "Curtain", "asked", "step_names", "updated_name"]

Array = np.ndarray
KINDS = frozenset(("values", "gradients", "factors", "shapes", "equations"))
ASKED = r"\text{?}"
"""What stands for something that is to be predicted, as LaTeX."""
COVERED = r"\ldots"
"""What stands for something that is covered and not asked for here, as LaTeX."""
FOR_NOW = "hidden for now"
"""What is said of something that is covered and not asked for here."""
_SIGN = re.compile(r"=|\\leftarrow\b")


@dataclass(frozen=True)
class Curtain:
    """Names and kinds of what is hidden.

    Attributes
    ----------
    names
        Values by name, gradients as ``d_NAME``, parameters after their update as ``new_NAME``, what an
        optimizer works out on the way as ``new_NAME:velocity``, and `KINDS`:
        every computed value, every gradient, factors, shapes, equations of gradients.
    ahead
        Whether the code and the equations of steps that are still to come are hidden too: a learner who
        predicts every step would read the answer there.
    asks
        Whether the step and the graph ask for what is hidden. Where a lesson or an exercise asks, they cover
        it and say nothing: two questions at once are one too many.
    """

    names: frozenset[str] = frozenset()
    ahead: bool = False
    asks: bool = True

    def __bool__(self) -> bool:
        return bool(self.names)

    def hides_value(self, trace: Trace, name: str) -> bool:
        """Say whether a node's value is hidden, whenever it is known."""
        return name in self.names or ("values" in self.names and trace.graph[name].op is not None)

    def hides_gradient(self, name: str) -> bool:
        """Say whether a node's gradient is hidden."""
        return f"d_{name}" in self.names or "gradients" in self.names

    def hides_equation(self, name: str) -> bool:
        """Say whether the equation of a node's gradient is hidden."""
        return "equations" in self.names or f"d_{name}" in self.names

    def hides_factor(self, step: Step | None) -> bool:
        """Say whether what a backward step multiplies by is hidden."""
        if step is None or step.phase != Phase.BACKWARD:
            return False
        return "factors" in self.names or self.hides_equation(step.target)

    def hides_reading(self, step: Step, position: int) -> bool:
        """Say whether it is hidden after `position` steps which stored values a backward step reads."""
        return self.hides_factor(step) or (self.ahead and step.index >= position)

    def hides_result(self, trace: Trace, step: Step) -> bool:
        """Say whether what a step works out is hidden."""
        if step.phase in (Phase.SEED, Phase.BACKWARD):
            return self.hides_gradient(step.target)
        if step.phase == Phase.UPDATE:
            return updated_name(step) in self.names or step.node in self.names
        return self.hides_value(trace, step.node)

    def known(
        self, trace: Trace, values: Mapping[str, Array], gradients: Mapping[str, Array], position: int
    ) -> tuple[dict[str, Array], dict[str, Array], frozenset[str]]:
        """Return the values and gradients that may be seen, and the names of those that may not.

        They are those that are known after `position` steps. A parameter whose new value is hidden shows the
        old one.
        """
        if not self.names:
            return dict(values), dict(gradients), frozenset()
        covered = {name for name in values if self.hides_value(trace, name)}
        covered |= {f"d_{name}" for name in gradients if self.hides_gradient(name)}
        seen = {name: array for name, array in values.items() if name not in covered}
        for name in trace.graph.parameters:
            if f"new_{name}" in self.names and name in seen and seen[name] is not trace.values[name]:
                seen[name] = trace.values[name]
                covered.add(f"new_{name}")
        covered.update(self._covered_quantities(trace, position))
        return seen, {n: a for n, a in gradients.items() if f"d_{n}" not in covered}, frozenset(covered)

    def _covered_quantities(self, trace: Trace, position: int) -> Iterator[str]:
        """Yield what optimizers have worked out by now and what is hidden of it."""
        for name in self.names:
            if name.startswith("new_") and ":" in name:
                for step in trace.updates.get(name[4:].partition(":")[0], ()):
                    if updated_name(step) == name and step.index < position:
                        yield name

    # --- what is said ---

    @property
    def mark(self) -> str:
        """What stands for a formula that is hidden, as LaTeX: a question only where one is asked."""
        return ASKED if self.asks else COVERED

    def said_of(self, what: str) -> str:
        """Return a sentence that says of something known that it is hidden."""
        until = "hidden: predict it, then press H" if self.asks else FOR_NOW
        return f"{what} is {until}."

    def over_node(self, view: NodeView, covered: frozenset[str]) -> NodeView:
        """Return a card with a question where something is hidden."""
        asked = tuple(
            part
            for part, names in (
                ("value", (view.name, f"new_{view.name}")),
                ("gradient", (f"d_{view.name}",)),
            )
            if not covered.isdisjoint(names)
        )
        shapes = {"shape": "?" if view.shape else "", "dims": ""} if "shapes" in self.names else {}
        return replace(view, asked=asked, **shapes) if asked or shapes else view

    def over_edge(self, view: EdgeView) -> EdgeView:
        """Return a wire without its factor where that is hidden."""
        hides = "factors" in self.names or self.hides_equation(view.source)
        return replace(view, factor=ASKED if self.asks else "") if hides and view.factor else view

    def over_step(self, view: StepView, trace: Trace, step: Step | None) -> StepView:
        """Return what is said of a step without what is hidden."""
        if step is None or not self.names:
            return view
        changes: dict[str, object] = {}
        mark = self.mark
        is_backward = step.phase in (Phase.SEED, Phase.BACKWARD)
        if is_backward and (self.hides_equation(step.target) or "factors" in self.names):
            changes |= {"equation": asked(view.equation, mark), "latex": "", "code": "", "more": ""}
            changes |= {"numbers": "", "short": ""}
            said = _ASKING[step.phase] if self.asks else "This step is covered for now."
            changes |= {"sentence": said, "matrices": (), "shapes": ""}
        if self.hides_result(trace, step):
            changes |= {"result": f"= {mark}", "numbers": "", "short": "", "matrices": ()}
        if "shapes" in self.names:
            changes |= {"shapes": "", "matrices": ()}
        return replace(view, **changes) if changes else view

    def over_equation(self, row: EquationRow) -> EquationRow:
        """Return a row of the equations without its right-hand side where that is hidden."""
        is_ahead = self.ahead and not (row.current or row.done)
        if row.phase != "backward" or not (is_ahead or self.hides_equation(row.name)):
            return row
        mark = ASKED if self.asks else rf"\text{{{FOR_NOW}}}"
        return replace(row, latex=asked(row.latex, mark), covered=not self.asks)

    def over_code(self, row: CodeRow) -> CodeRow:
        """Return a line of code without its right-hand side where that is hidden."""
        is_backward = row.phase in (Phase.SEED.value, Phase.BACKWARD.value)
        hides = any(self.hides_equation(name) for name in row.names) or "factors" in self.names
        awaited = self.ahead and (not row.done or (row.current and bool(self.names)))
        if not awaited and not (is_backward and hides):
            return row
        return replace(row, text=_covered_code(row, self.asks))


def asked(equation: str, mark: str = ASKED) -> str:
    """Return an equation with a question mark for its right-hand side, or another mark."""
    sign = _SIGN.search(equation)
    return f"{equation[: sign.end()]} {mark}" if sign else f"{equation}= {mark}"


OPEN = Curtain()
"""A curtain that hides nothing."""


def updated_name(step: Step) -> str:
    """Return what the outcome of an update's step is called: ``new_w``, ``new_w:velocity``."""
    return f"new_{step.node}" if step.quantity == "value" else f"new_{step.node}:{step.quantity}"


_ASKING = {
    Phase.SEED: "Backward starts at the loss: with which gradient?",
    Phase.BACKWARD: "What goes back along this edge?",
}
"""What is said of a step instead of its sentence, which tells what it does."""


def _covered_code(row: CodeRow, is_asked: bool) -> str:
    left, sign, _ = row.text.partition("=")
    mark = "?" if is_asked else "...  # hidden"
    return f"{left}= {mark}" if sign else mark


def step_names(step: Step | None) -> frozenset[str]:
    """Return what has to be hidden for a learner to predict the outcome of a step."""
    if step is None:
        return frozenset()
    if step.phase == Phase.UPDATE:
        return frozenset((updated_name(step),))
    if step.phase == Phase.FORWARD:
        return frozenset((step.node,))
    return frozenset((f"d_{step.target}",))
