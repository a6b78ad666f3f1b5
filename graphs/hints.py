r"""Help with a question, from where to look to the numbers put in; and the worked solution.

All of it comes from the trace and the derivation: the sentences are those that the window says at the step,
the equations those that it shows. Texts are Markdown with LaTeX between dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from engine import expr as ex
from engine.derive import Derivation
from engine.errors import BackstepError
from engine.expr import Expr
from engine.graph import Kind
from engine.names import entry_latex
from engine.notation import latex
from engine.optimizers import UpdateEquation, update_equation
from engine.shapes import Dims
from engine.substitute import number_latex, put_in
from engine.trace import Phase, Step
from graphs.definition import Array
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject, way_through
from graphs.wording import Wording, listed, product_shapes, times

__all__ = ["array_latex", "contributed", "formula_of", "hints_about", "shape_hints", "solution_of"]

MOST_ROWS, MOST_COLUMNS = 8, 10
MOST_LINES = 12  # gradients on the way to one, in a solution
MOST_USES = 8  # of a value, that are told one by one
LONGEST = 160  # characters of LaTeX up to which a term is written down to its numbers
SMALL = 16  # entries of a matrix that stands in a solution


def hints_about(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Return help with a question: where to look, which rule, the formula, the numbers put in.

    Parameters
    ----------
    snapshot
        Where it is asked, in steps of one line each.
    """
    found = _Helper(subject, snapshot)
    makers = {
        Aspect.VALUE: found.of_value,
        Aspect.GRADIENT: found.of_gradient,
        Aspect.CONTRIBUTION: found.of_contribution,
        Aspect.LOCAL: found.of_local,
        Aspect.UPDATE: found.of_update,
    }
    return _explained(text for text in makers[subject.aspect]() if text)


def shape_hints(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Return help with a question for a shape."""
    found = _Helper(subject, snapshot)
    node = snapshot.trace.graph[subject.name]
    name = found.name(subject.name)
    where = (
        f"A gradient has the shape of its value: look at {name}." if subject.aspect != Aspect.VALUE else ""
    )
    products = (
        product_shapes(snapshot.derivation.right_side(node.name)) if found.is_written(node.name) else ""
    )
    texts = (
        where or f"How many rows has {name}, and how many columns? Examples are columns.",
        f"The inner dimensions of a product cancel: {products}." if products else "",
        f"{name} {_shape(node.dims)}{', and so is its gradient' if where else ''}.",
    )
    return tuple(text for text in texts if text)


def _shape(dims: Dims) -> str:
    names = " × ".join(d.name for d in dims)
    return (
        "is one number" if not dims else f"is a list of {names} numbers" if len(dims) == 1 else f"is {names}"
    )


def solution_of(subject: Subject, snapshot: Snapshot, has_numbers: bool = True) -> tuple[str, ...]:
    """Return the worked solution of a question, a paragraph a step.

    Parameters
    ----------
    has_numbers
        Whether numbers are put in; a formula is worked out without.
    """
    return _explained(text for text in _Solver(subject, snapshot, has_numbers).steps() if text)


INDICATOR = r"\mathbb{1}"
_INDICATOR_TOLD = rf"${INDICATOR}[\ldots]$ is 1 where what stands in the brackets is true, and 0 elsewhere."


def _explained(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts of which the first one with a sign that is seldom seen says what it means."""
    found = list(texts)
    for i, text in enumerate(found):
        if INDICATOR in text:
            found[i] = f"{text}{', where' if text.endswith('$') else ' Here'} {_INDICATOR_TOLD}"
            break
    return tuple(found)


def formula_of(subject: Subject, snapshot: Snapshot) -> str:
    """Return the LaTeX of a subject written out in stored values; "" where it cannot be."""
    derivation = snapshot.derivation
    helper = _Helper(subject, snapshot)
    try:
        if subject.aspect == Aspect.GRADIENT:
            return latex(derivation.gradient(subject.name))
        if subject.aspect == Aspect.CONTRIBUTION:
            return latex(derivation.contribution(subject.reader, subject.slot).expr)
        if subject.aspect == Aspect.LOCAL:
            return latex(helper.local())
        if subject.aspect == Aspect.UPDATE:
            return latex(helper.update(subject.quantity)[1].expr)
        return latex(derivation.right_side(subject.name)) if helper.is_written(subject.name) else ""
    except BackstepError:
        return ""


def contributed(derivation: Derivation, name: str) -> Expr:
    """Return a gradient as the sum of what comes back by every use of the value."""
    uses = derivation.contributions_to(name)
    return ex.add(*((1, derivation.contribution(line, slot).expr) for line, slot in uses))


# --- hints -------------------------------------------------------------------------------------------------


class _Helper:
    """Makes the hints about one subject, and what a solution is made of."""

    def __init__(self, subject: Subject, snapshot: Snapshot) -> None:
        self.subject = subject
        self.snapshot = snapshot
        self.trace = snapshot.trace
        self.graph = snapshot.trace.graph
        self.derivation = snapshot.derivation
        self.wording = Wording(self.derivation, self.name)

    def name(self, name: str) -> str:
        return f"${self.derivation.name_latex(name)}$"

    def is_written(self, line: str) -> bool:
        found = self.graph.line_by_name.get(line)
        return found is not None and found.written

    def is_told(self, uses: Sequence[tuple[str, int]]) -> bool:
        """Say whether a gradient can be written out as the sum of what comes back by these uses."""
        return 0 < len(uses) <= MOST_USES and all(self.is_written(line) for line, _ in uses)

    def numbers(self) -> Mapping[str, Array]:
        return {**self.trace.values, **{f"d_{name}": a for name, a in self.trace.gradients.items()}}

    def entry(self, array: Array) -> tuple[int, ...]:
        """Return the entry that numbers are put in for: the one that is asked, else the first."""
        entry = self.subject.entry
        return entry if entry is not None and len(entry) == array.ndim else (0,) * array.ndim

    def put_in(
        self, left: str, expr: Expr, array: Array, numbers: Mapping[str, Array], sign: str = "="
    ) -> str:
        """Return an equation at one entry with numbers for symbols, and what it comes to."""
        entry = self.entry(array)
        came_to = number_latex(float(array[entry]))
        in_full = put_in(expr, numbers, entry, in_full=True)
        text = in_full if len(in_full) <= LONGEST else put_in(expr, numbers, entry)
        return f"${entry_latex(left, entry)} {sign} {' = '.join(dict.fromkeys((text, came_to)))}$"

    # --- values ---

    def of_value(self) -> Iterator[str]:
        name, graph = self.subject.name, self.graph
        if graph[name].kind != Kind.OP:
            yield f"{self.name(name)} is given: read it off."
            return
        step = next(s for s in self.trace.steps if s.phase == Phase.FORWARD and s.node == name)
        yield self.wording.forward(step)
        if not self.is_written(name):
            return
        right = self.derivation.right_side(name)
        yield self.rule(right)
        yield self.defined(name)
        yield self.put_in(self.derivation.name_latex(name), right, step.after, self.numbers())

    def defined(self, name: str) -> str:
        """Return the equation of a line, and what the losses in it are: their names do not tell."""
        line = self.graph.line_by_name[name]
        ops = dict.fromkeys(self.graph.nodes[node].op for use in line.uses for node, _ in use.path)
        told = [op.definition for op in ops if op is not None and op.arity == (2, 2) and op.definition]
        forward = f"${self.derivation.forward_latex(name)}$"
        return ", where ".join([forward, *(f"${definition}$" for definition in told)])

    @staticmethod
    def rule(expr: Expr) -> str:
        """Return how an expression is worked out, in a sentence."""
        shapes = product_shapes(expr)
        if shapes:
            return f"A product takes a row of the left matrix times a column of the right one: {shapes}."
        if expr.dims:
            return "It is worked out entry by entry."
        return "It comes to a single number."

    # --- gradients ---

    def of_gradient(self) -> Iterator[str]:
        name = self.subject.name
        uses = self.derivation.contributions_to(name)
        if name == self.graph.loss:
            yield "The loss changes exactly as much as itself."
            return
        if not uses:
            yield f"The loss does not depend on {self.name(name)}."
            return
        yield self.where(uses)
        if not self.is_told(uses):
            return
        yield " ".join(dict.fromkeys(self.backward(line, slot) for line, slot in uses))
        total = self.total(name)
        left = self.derivation.gradient_latex(name)
        yield f"${left} = {latex(total)}$"
        yield self.put_in(left, total, self.trace.gradients[name], self.numbers())

    def where(self, uses: Sequence[tuple[str, int]]) -> str:
        """Say through which lines backward comes to a value."""
        name = self.name(self.subject.name)
        lines = [
            f"${self.derivation.forward_latex(line)}$" for line in dict.fromkeys(line for line, _ in uses)
        ]
        if len(uses) == 1:
            return f"Backward comes to {name} through {lines[0]}."
        return (
            f"{name} is used {times(len(uses))}, in {listed(lines)}: what comes back by each use is added up."
        )

    def backward(self, line: str, slot: int) -> str:
        """Return the sentence that the window says at a backward step."""
        equation = self.derivation.backward_equation(line, slot)
        return self.wording.backward(self.step(line, slot), equation)

    def step(self, line: str, slot: int) -> Step:
        name = self.graph.nodes[self.graph.line_by_name[line].uses[slot].source].name
        return self.trace.steps[self.trace.backward_places[name, line, slot]]

    def total(self, name: str) -> Expr:
        return contributed(self.derivation, name)

    def of_contribution(self) -> Iterator[str]:
        subject = self.subject
        line, slot = subject.reader, subject.slot
        way = way_through(self.derivation, line, slot)
        way = f"${self.derivation.forward_latex(line)}$" if way == self.name(line) else way
        yield f"Only the way through {way} counts."
        if not self.is_written(line):
            return
        yield self.backward(line, slot)
        found = self.derivation.contribution(line, slot).expr
        yield f"What comes back is ${latex(found)}$."
        array = self.step(line, slot).contribution
        assert array is not None
        yield self.put_in(latex(found), found, array, self.numbers())

    def of_local(self) -> Iterator[str]:
        subject, derivation = self.subject, self.derivation
        yield f"Only ${derivation.forward_latex(subject.reader)}$ counts, whatever comes after it."
        yield from self.derived()
        total, array = self.local(), subject.whole().value(Draw(self.trace, self.snapshot))
        if total.dims == self.graph[subject.reader].dims:
            yield self.put_in(subject.whole().symbol(derivation), total, array, self.numbers())

    def derived(self) -> Iterator[str]:
        """Yield how a local derivative is found, and its formula."""
        subject = self.subject
        source = self.graph.ids[subject.name]
        uses = [use for use in self.graph.line_by_name[subject.reader].uses if use.source == source]
        ops = [self.graph.nodes[node].op for use in uses for node, _ in use.path]
        if len(ops) == 1 and ops[0] is not None:
            yield ops[0].sentence
        else:
            ways = (self.wording.on_the_way(subject.reader, use.slot) for use in uses)
            yield " ".join(f"What comes back {way}." for way in ways)
        yield f"${subject.whole().symbol(self.derivation)} = {latex(self.local())}$"

    def local(self) -> Expr:
        """Return a local derivative as the sum over all uses of the value in the line."""
        source, line = self.graph.ids[self.subject.name], self.graph.line_by_name[self.subject.reader]
        slots = [use.slot for use in line.uses if use.source == source]
        terms = (self.derivation.local(line.name, slot) for slot in slots)
        return ex.add(*((1, term) for term in terms if term is not None))

    # --- updates ---

    def of_update(self) -> Iterator[str]:
        optimizer = self.snapshot.optimizer
        step, equation = self.update(self.subject.quantity)
        settings = self.snapshot.settings
        yield f"{optimizer.title}. {optimizer.text}"
        yield self.wording.update(equation, step, settings)
        yield f"${equation.latex}$"
        yield self.updated(step, equation)

    def updated(self, step: Step, equation: UpdateEquation) -> str:
        """Return a line of an update with numbers put in."""
        left, numbers = equation.target.text, self.update_numbers(step)
        return self.put_in(left, equation.expr, step.after, numbers, _sign(equation))

    def update(self, quantity: str) -> tuple[Step, UpdateEquation]:
        steps = self.trace.updates[self.subject.name]
        step = next(s for s in steps if s.quantity == quantity)
        return step, update_equation(self.snapshot.optimizer, self.derivation, step)

    def update_numbers(self, step: Step) -> dict[str, Array]:
        """Return what the equation of an update reads: what stood there before the step."""
        name, steps = step.node, self.trace.updates[step.node]
        found = {f":{key}": np.asarray(float(value)) for key, value in self.snapshot.settings.items()}
        found |= {name: self.trace.values[name], f"d_{name}": self.trace.gradients[name]}
        found |= {f"{name}:{key}": np.zeros_like(found[name]) for key in self.snapshot.optimizer.state}
        found |= {f"{name}:{s.quantity}": s.before for s in steps if s.before is not None}
        found |= {f"{name}:{s.quantity}": s.after for s in steps if s.index < step.index}
        return found


def _sign(equation: UpdateEquation) -> str:
    return r"\leftarrow" if equation.replaces else "="


# --- solutions ---------------------------------------------------------------------------------------------


class _Solver(_Helper):
    """Works a question out, step by step."""

    def __init__(self, subject: Subject, snapshot: Snapshot, has_numbers: bool) -> None:
        super().__init__(subject, snapshot)
        self._has_numbers = has_numbers

    def steps(self) -> Iterator[str]:
        aspect = self.subject.aspect
        if aspect == Aspect.GRADIENT:
            yield from self.gradient()
        elif aspect == Aspect.UPDATE:
            yield from self.updates()
        elif aspect == Aspect.LOCAL and not self._has_numbers:
            yield from self.derived()
        else:
            _, *texts = hints_about(self.subject, self.snapshot)
            yield from texts if aspect == Aspect.LOCAL else texts[-2:]
            yield self.whole()

    def whole(self) -> str:
        """Return the whole matrix, where numbers were put in for one entry of it."""
        subject = self.subject.whole()
        array = subject.value(Draw(self.trace, self.snapshot))
        if array.ndim == 0 or array.size > SMALL:
            return ""
        left, sign = subject.symbol(self.derivation, self.snapshot.optimizer), "="
        if subject.aspect == Aspect.CONTRIBUTION:  # which has no symbol of its own
            if not self.is_written(subject.reader):
                return f"What comes back is ${array_latex(array)}$."
            left = latex(self.derivation.contribution(subject.reader, subject.slot).expr)
        elif subject.aspect == Aspect.UPDATE:
            sign = _sign(self.update(subject.quantity)[1])
        return f"${left} {sign} {array_latex(array)}$"

    def gradient(self) -> Iterator[str]:
        """Yield every gradient on the way from the loss back, the last one with its numbers put in."""
        name, derivation = self.subject.name, self.derivation
        others = [n for n in self.on_the_way() if n != name]
        if len(others) > MOST_LINES:  # the ones before the value; what is before them is as it is
            others = others[-MOST_LINES:]
        for other in others:
            yield self.line(other)
        uses = derivation.contributions_to(name)
        if not self.is_told(uses):
            yield f"${derivation.gradient_latex(name)} = {array_latex(self.trace.gradients[name])}$"
            return
        total, left = self.total(name), derivation.gradient_latex(name)
        yield f"${left} = {latex(total)}$"
        if not self._has_numbers:
            whole = latex(derivation.gradient(name))
            yield f"${left} = {whole}$" if whole != latex(total) else ""
            return
        yield self.put_in(left, total, self.trace.gradients[name], self.numbers())
        if self.trace.gradients[name].ndim and self.trace.gradients[name].size <= SMALL:
            yield f"${left} = {array_latex(self.trace.gradients[name])}$"

    def on_the_way(self) -> list[str]:
        """Return the lines between the loss and the value, from the loss back."""
        graph, name = self.graph, self.subject.name
        found = {name}
        for line in graph.lines:
            if line.node in graph.on_loss_path and any(
                graph.nodes[u.source].name in found for u in line.uses
            ):
                found.add(line.name)
        return [line.name for line in reversed(graph.lines) if line.name in found and line.name != graph.loss]

    def line(self, name: str) -> str:
        uses = self.derivation.contributions_to(name)
        array = self.trace.gradients[name]
        numbers = f" = {array_latex(array)}" if array.size <= SMALL and self._has_numbers else ""
        if not self.is_told(uses):
            return f"${self.derivation.gradient_latex(name)}{numbers}$" if numbers else ""
        return f"${self.derivation.gradient_latex(name)} = {latex(self.total(name))}{numbers}$"

    def updates(self) -> Iterator[str]:
        """Yield every line of an update up to the one that is asked for."""
        for step in self.trace.updates[self.subject.name]:
            _, equation = self.update(str(step.quantity))
            yield f"${equation.latex}$"
            yield self.updated(step, equation)
            if step.quantity == self.subject.quantity:
                break
        yield self.whole()


# --- numbers -----------------------------------------------------------------------------------------------


def array_latex(array: Array, digits: int = 4) -> str:
    r"""Return a number or a matrix as LaTeX; of a large one the corner and the ends."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number_latex(float(array), digits)
    if array.ndim > 2:
        return rf"\text{{an array of shape {array.shape}}}"
    rows = np.atleast_2d(array)
    across, down = _shown(rows.shape[1], MOST_COLUMNS), _shown(rows.shape[0], MOST_ROWS)
    lines = [" & ".join(_cell(rows, i, j, digits) for j in across) for i in down]
    return r"\begin{bmatrix}" + r" \\ ".join(lines) + r"\end{bmatrix}"


def _shown(count: int, most: int) -> list[int | None]:
    """Return which places are shown; None stands for those left out."""
    return [*range(count)] if count <= most else [*range(most - 2), None, count - 1]


def _cell(rows: Array, i: int | None, j: int | None, digits: int) -> str:
    if i is None or j is None:
        return r"\ldots"
    return number_latex(float(rows[i, j]), digits)
