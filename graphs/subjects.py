r"""What a question is about: a value, a gradient, what one path contributes, a local derivative, an update.

Written as text, for lesson files and the command line: ``A``, ``d_W1``, ``d_W1[0, 1]``, ``yhat -> w2`` for
what comes back to :math:`w_2` through the line of :math:`\hat{y}` (``p -> s 2`` for its second use there),
``d_A/d_Z``, ``new_w``, ``v_w`` for a velocity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from engine.calculator import read
from engine.derive import Derivation
from engine.errors import BackstepError, FormulaError, UsageError, excerpt
from engine.graph import Graph, Node, Use
from engine.names import entry_latex, entry_text
from engine.notation import latex
from engine.optimizers import Optimizer
from engine.trace import Phase, Trace
from graphs.definition import Array
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.wording import ordinal

__all__ = ["Aspect", "Subject", "contribution_of", "names_near", "subject_of", "subjects", "way_through"]


LONGEST_TERM = 40  # characters of LaTeX, in a sentence


class Aspect(StrEnum):
    """Which of a value's sides a question is about."""

    VALUE = "value"
    GRADIENT = "gradient"
    CONTRIBUTION = "contribution"
    LOCAL = "local derivative"
    UPDATE = "update"


@dataclass(frozen=True)
class Subject:
    """What a question is about.

    Attributes
    ----------
    name
        The value; of an update the parameter.
    reader, slot
        Of a contribution the line gone back through, and which of its uses; of a local derivative the line.
    quantity
        Of an update what is worked out, as the optimizer calls it.
    entry
        One entry of it, None for the whole.
    """

    aspect: Aspect
    name: str
    reader: str = ""
    slot: int = 0
    quantity: str = ""
    entry: tuple[int, ...] | None = None

    def whole(self) -> Subject:
        """Return the same without an entry."""
        return replace(self, entry=None)

    def at(self, entry: tuple[int, ...] | None) -> Subject:
        """Return one entry of it."""
        return replace(self, entry=entry)

    def value(self, draw: Draw) -> Array:
        """Return its numbers at a draw: of one entry a number."""
        found = self._whole_value(draw)
        return found if self.entry is None else np.asarray(found[self.entry])

    def _whole_value(self, draw: Draw) -> Array:
        found = draw.trace
        if self.aspect == Aspect.GRADIENT:
            return found.gradients[self.name]
        if self.aspect == Aspect.CONTRIBUTION:
            return contribution_of(found, self.reader, self.slot, self.name)
        if self.aspect == Aspect.LOCAL:
            return draw.names[f"d_{self.reader}/d_{self.name}"]
        if self.aspect == Aspect.UPDATE:
            return next(s.after for s in found.updates[self.name] if s.quantity == self.quantity)
        return found.values[self.name]

    def use(self, graph: Graph) -> Use:
        """Return the use that a contribution comes through."""
        return graph.line_by_name[self.reader].uses[self.slot]

    # --- in symbols ---

    def symbol(self, derivation: Derivation, optimizer: Optimizer | None = None) -> str:
        r"""Return its LaTeX: ``\frac{\partial\mathcal{L}}{\partial W_1}``."""
        text = self._symbol(derivation, optimizer)
        return entry_latex(text, self.entry or ())

    def _symbol(self, derivation: Derivation, optimizer: Optimizer | None) -> str:
        name = derivation.name_latex(self.name)
        if self.aspect == Aspect.GRADIENT:
            return derivation.gradient_latex(self.name)
        if self.aspect == Aspect.LOCAL:
            return rf"\frac{{\partial {derivation.name_latex(self.reader)}}}{{\partial {name}}}"
        if self.aspect == Aspect.UPDATE and optimizer is not None and self.quantity != "value":
            return optimizer.quantity(self.quantity).symbol.replace("{p}", name)
        return name

    def words(self, derivation: Derivation, optimizer: Optimizer | None = None) -> str:
        """Return it in words, for a sentence: "the gradient of $W_1$", "entry [0, 1] of $A$"."""
        text = self._words(derivation, optimizer)
        return f"entry {entry_text(self.entry)} of {text}" if self.entry else text

    def _words(self, derivation: Derivation, optimizer: Optimizer | None) -> str:
        name = f"${derivation.name_latex(self.name)}$"
        reader = f"${derivation.name_latex(self.reader)}$" if self.reader else ""
        if self.aspect == Aspect.GRADIENT:
            return f"the gradient of {name}"
        if self.aspect == Aspect.CONTRIBUTION:
            return f"what comes back to {name} through {way_through(derivation, self.reader, self.slot)}"
        if self.aspect == Aspect.LOCAL:
            return f"the local derivative of {reader} by {name}"
        if self.aspect == Aspect.UPDATE:
            title = "new value" if self.quantity == "value" else ""
            title = title or (
                optimizer.quantity(self.quantity).text if optimizer is not None else self.quantity
            )
            return f"the {title} of {name}"
        return f"the value of {name}"

    def text(self, snapshot: Snapshot) -> str:
        """Return it as a lesson file writes it."""
        entry = entry_text(self.entry or ())
        if self.aspect == Aspect.GRADIENT:
            return f"d_{self.name}{entry}"
        if self.aspect == Aspect.LOCAL:
            return f"d_{self.reader}/d_{self.name}{entry}"
        if self.aspect == Aspect.CONTRIBUTION:
            uses = snapshot.trace.graph.line_by_name[self.reader].uses
            same = [use.slot for use in uses if use.source == uses[self.slot].source]
            count = f" {same.index(self.slot) + 1}" if len(same) > 1 else ""
            return f"{self.reader} -> {self.name}{count}{entry}"
        if self.aspect == Aspect.UPDATE:
            if self.quantity == "value":
                return f"new_{self.name}{entry}"
            return f"{snapshot.optimizer.quantity(self.quantity).code.format(p=self.name)}{entry}"
        return f"{self.name}{entry}"


def way_through(derivation: Derivation, line: str, slot: int) -> str:
    """Return what a gradient comes back through by one use of a value in a line, with LaTeX between dollars.

    The line alone where it reads the value once; else the term that the use stands in, and where another use
    stands in the same or the line is too long to be written out, which use it is.
    """
    uses, symbol = derivation.graph.line_by_name[line].uses, f"${derivation.name_latex(line)}$"
    same = [use for use in uses if use.source == uses[slot].source]
    if len(same) == 1:
        return symbol
    terms, place = [_term(derivation, use) for use in same], [use.slot for use in same].index(slot)
    if terms[place] and terms.count(terms[place]) == 1:
        return f"the term ${terms[place]}$ of {symbol}"
    return f"{symbol}, by its {ordinal(place + 1)} use there"


def _term(derivation: Derivation, use: Use) -> str:
    """Return the LaTeX of the term of a line that a use stands in; "" where it cannot be, or is long."""
    nodes = derivation.graph.nodes
    depth = next((i for i, (node, _) in enumerate(use.path) if not _is_between(nodes[node])), len(use.path))
    term = nodes[use.path[depth][0]].id if depth < len(use.path) else use.source
    try:
        found = latex(derivation.symbol(term)) if depth else ""
    except BackstepError:
        return ""
    is_subtracted = sum(_turns(nodes[node], slot) for node, slot in use.path[:depth]) % 2
    found = f"-{found}" if found and is_subtracted else found
    return found if len(found) <= LONGEST_TERM else ""


def _is_between(node: Node) -> bool:
    """Say whether what an operation reads are terms."""
    return node.op is not None and node.op.name in ("+", "-", "neg")


def _turns(node: Node, slot: int) -> bool:
    return node.op is not None and (node.op.name == "neg" or (node.op.name == "-" and slot == 1))


def contribution_of(found: Trace, reader: str, slot: int, name: str) -> Array:
    """Return what one use of a value in a line adds to its gradient.

    Raises
    ------
    UsageError
        Where backward does not come through there.
    """
    place = found.backward_places.get((name, reader, slot))
    step = None if place is None else found.steps[place]
    if step is None or step.phase != Phase.BACKWARD or step.contribution is None:
        way = f"to {excerpt(name, 40)} through {excerpt(reader, 40)}"
        raise UsageError(f"there is nothing that comes back {way}.")
    return step.contribution


# --- reading -----------------------------------------------------------------------------------------------

_CONTRIBUTION = re.compile(r"\s*(\S+)\s*(?:->|→)\s*([^\s\[]+)(?:\s+(\d{1,3}))?\s*(\[[^\]]*\])?\s*\Z")
_ENTRY = re.compile(r"\[\s*(\d{1,6}(?:\s*,\s*\d{1,6})*)\s*\]\Z")


def subject_of(text: str, snapshot: Snapshot, names: Mapping[str, Array]) -> Subject | None:
    """Return what a text names, None where it is a formula of its own.

    Parameters
    ----------
    names
        What expressions can name there.

    Raises
    ------
    UsageError
        For a contribution that there is not, and an entry outside what is named.
    """
    match = _CONTRIBUTION.match(text)
    if match is not None:
        reader, name, count, index = match.groups()
        return _of_contribution(snapshot, reader, name, int(count or 1)).at(_entry(index))
    try:
        items = read(text, names)
    except FormulaError:
        return None
    entry = None
    if len(items) == 2 and items[1].text == "[]":
        entry = dict(items[1].attrs)["index"]
    if items[0].kind != "name" or len(items) != 1 + (entry is not None):
        return None
    found = _of_name(items[0].text, snapshot)
    if found is None or not isinstance(entry, tuple | None):
        return None
    return _checked(found.at(entry), names[items[0].text])


def _checked(subject: Subject, array: Array) -> Subject | None:
    """Return a subject with its entry counted from the start; None for a row or a column."""
    entry = subject.entry
    if entry is None:
        return subject
    if len(entry) != array.ndim or any(place is None for place in entry):
        return None
    if any(not -size <= place < size for place, size in zip(entry, array.shape, strict=True)):
        raise UsageError(
            f"{subject.name} has no entry {entry_text(entry)}.", how=f"Its shape is {array.shape}."
        )
    return subject.at(tuple(place % size for place, size in zip(entry, array.shape, strict=True)))


def _entry(text: str | None) -> tuple[int, ...] | None:
    match = _ENTRY.match(text or "")
    return tuple(int(part) for part in match[1].split(",")) if match is not None else None


def _of_contribution(snapshot: Snapshot, reader: str, name: str, count: int) -> Subject:
    slots = [
        slot for source, node, slot in snapshot.trace.backward_places if (source, node) == (name, reader)
    ]
    if not slots:
        raise UsageError(f"there is no way back from {excerpt(reader, 40)} to {excerpt(name, 40)}.")
    if not 1 <= count <= len(slots):
        raise UsageError(f"{reader} reads {name} {len(slots)} times.", how="Uses are counted from 1.")
    return Subject(Aspect.CONTRIBUTION, name, reader, sorted(slots)[count - 1])


def _of_name(key: str, snapshot: Snapshot) -> Subject | None:
    graph = snapshot.trace.graph
    if key in graph.named:
        return Subject(Aspect.VALUE, key)
    top, slash, bottom = key.partition("/")
    if slash:
        line, name = top.removeprefix("d_"), bottom.removeprefix("d_")
        is_gradient = line == graph.loss
        return Subject(Aspect.GRADIENT, name) if is_gradient else Subject(Aspect.LOCAL, name, line)
    if key.startswith("d_") and key[2:] in graph.ids:
        return Subject(Aspect.GRADIENT, key[2:])
    for name, steps in snapshot.trace.updates.items():
        for step in steps:
            quantity = str(step.quantity)
            subject = Subject(Aspect.UPDATE, name, quantity=quantity)
            if subject.text(snapshot) == key:
                return subject
    return None


def names_near(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names that a formula of a subject is made of, as expressions name them; then neighbours."""
    graph, name = snapshot.trace.graph, subject.name
    if subject.aspect == Aspect.VALUE:
        return _read_by(graph, name)
    if subject.aspect == Aspect.UPDATE:
        return _of_statement(subject, snapshot)
    ways = [(subject.reader, subject.slot)]
    if subject.aspect != Aspect.CONTRIBUTION:
        all_ways = snapshot.derivation.contributions_to(name)
        ways = [way for way in all_ways if not subject.reader or way[0] == subject.reader]
    lines = list(dict.fromkeys(line for line, _ in ways))
    arriving = [f"d_{line}" for line in lines if line != graph.loss and subject.aspect != Aspect.LOCAL]
    read = [used for way in ways for used in _factor_uses(snapshot.derivation, *way)]
    return (*arriving, *read, *(other for line in lines for other in _read_by(graph, line)), *lines, "m")


def _of_statement(subject: Subject, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names that one line of an update is made of, then the parameter and its gradient."""
    optimizer, name = snapshot.optimizer, subject.name
    statement = next(s for s in optimizer.statements if s.name == subject.quantity)
    own = {"value": name, "gradient": f"d_{name}"}
    worked_out = {q.name: q.code.format(p=name) for q in optimizer.quantities if q.name not in own}
    read = (item.text for item in statement.items if item.kind == "name" and item.text != subject.quantity)
    return (*({**worked_out, **own}.get(key, key) for key in read), name, f"d_{name}")


def _read_by(graph: Graph, line: str) -> tuple[str, ...]:
    found = graph.line_by_name.get(line)
    return tuple(graph.nodes[use.source].name for use in found.uses) if found is not None else ()


def _factor_uses(derivation: Derivation, line: str, slot: int) -> Sequence[str]:
    """Return what the factor of a use reads; nothing where the line is too long to be written out."""
    try:
        return tuple(derivation.contribution(line, slot).factor.uses)
    except BackstepError:
        return ()


MOST = 60  # lines of a network of which every subject is listed


def subjects(snapshot: Snapshot) -> Iterator[Subject]:
    """Yield what a question can be about: gradients, contributions, derivatives, updates, values."""
    graph = snapshot.trace.graph
    if len(graph.lines) > MOST:
        return
    yield from (Subject(Aspect.GRADIENT, name) for name in graph.named if name != graph.loss)
    for name, line, slot in snapshot.trace.backward_places:
        yield Subject(Aspect.CONTRIBUTION, name, line, slot)
    for line in graph.lines:
        sources = dict.fromkeys(use.source for use in line.uses)
        for source in sources if line.name != graph.loss else ():
            yield Subject(Aspect.LOCAL, graph.nodes[source].name, line.name)
    for name, steps in snapshot.trace.updates.items():
        yield from (Subject(Aspect.UPDATE, name, quantity=str(step.quantity)) for step in steps)
    yield from (Subject(Aspect.VALUE, line.name) for line in graph.lines)
