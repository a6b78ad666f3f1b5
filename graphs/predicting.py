"""Predictions: what is hidden at a place, asked for by its numbers, its shape or its formula alike.

Nothing has to be chosen beforehand: ``4 × 2`` is a shape, ``A * (1 - A)`` a formula, ``0.25`` a number. All
are about the same thing and checked by meaning (:mod:`graphs.answers`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.calculator import read
from engine.derive import Derivation
from engine.errors import BackstepError, FormulaError
from engine.faults import fault_of
from engine.graph import Detail
from engine.names import entry_text
from engine.trace import Phase, Step, Trace
from graphs.answers import Posed, Question, Verdict
from graphs.definition import Array
from graphs.snapshot import Snapshot
from graphs.standing import closed
from graphs.subjects import Aspect, Subject
from graphs.typed import PROMPTS, dims_by_name, shape_of
from graphs.views.curtain import Curtain, updated_name

__all__ = ["EdgeKey", "Prediction", "prediction_at", "without"]

EdgeKey = tuple[str, str, int]
SMALL = 16  # entries of an array that is asked for whole
OWN = "hidden"  # what stands for the answer where it has no name of its own
FAULTY = "A fault is in this run: a formula is right here when it gives the numbers that the fault gives."
_BETWEEN = re.compile(r"\s*(?:×|x|X|by)\s*")


@dataclass(frozen=True, eq=False)
class Prediction:
    """One thing that is hidden.

    Attributes
    ----------
    subject
        What it is, of the lines; for a step inside of a line its numbers alone are asked for.
    snapshot
        Where it is asked.
    array
        The right numbers.
    revealed
        The names by which a curtain hides it.
    entry
        The entry that is asked for, None for the whole.
    wants_shape, wants_formula
        Whether the numbers can be seen, and the shape or the formula alone is asked for.
    words
        What it is, for a sentence, with LaTeX between dollars.
    is_named
        Whether it is something of the lines of a run by the rules, of which formulas can be compared; where
        it is not, a formula is right when it gives the numbers that stand here.
    remark
        Where formulas are compared by numbers alone because of a fault that is known: that it is so.
    """

    subject: Subject
    snapshot: Snapshot
    array: Array
    revealed: frozenset[str]
    words: str
    entry: tuple[int, ...] | None = None
    wants_shape: bool = False
    wants_formula: bool = False
    is_named: bool = True
    remark: str = ""

    @property
    def key(self) -> str:
        """What it is called in a report."""
        entry = entry_text(self.entry or ())
        place = f"iteration {self.snapshot.iteration}"
        return f"Prediction at {place}: {', '.join(sorted(self.revealed))}{entry}"

    @property
    def ask(self) -> str:
        """The question."""
        if self.wants_shape:
            return f"What shape has {self.words}?"
        if self.wants_formula:
            return f"What is {self.words}, as a formula?"
        where = f"entry ${entry_text(self.entry)}$ of " if self.entry else ""
        if not where and self.words.startswith("what "):  # what comes back: a question already
            return f"{self.words[:1].upper()}{self.words[1:]}?"
        return f"What is {where}{self.words}?"

    @property
    def prompt(self) -> str:
        """What can be typed."""
        if self.wants_shape:
            return PROMPTS["shape"]
        if self.wants_formula:
            return PROMPTS["expression"]
        numbers = "a number" if self.entry is not None or self.array.size == 1 else PROMPTS["matrix"]
        return f"{numbers}, a shape or a formula"

    def kind_of(self, text: str) -> str:
        """Return as what an answer is meant: ``shape``, ``expression``, ``number`` or ``matrix``."""
        if self.wants_shape or self._is_shape(text):
            return "shape"
        if self.wants_formula or (self.is_named and self._has_names(text)):
            return "expression"
        return "number" if self.entry is not None or self.array.size == 1 else "matrix"

    def check(self, text: str) -> tuple[Verdict, bool]:
        """Return what an answer is worth, and whether the thing is found out by it."""
        kind = self.kind_of(text)
        verdict = self.posed(kind).check(text)
        if kind == "number" and not self.is_named and not verdict.right and self._has_names(text):
            whole = self.posed("matrix").check(text)  # a formula says all entries at once
            verdict = whole if whole.right or not verdict.is_read else verdict
        if verdict.right and kind == "shape" and not self.wants_shape:
            return replace(verdict, message="That is its shape. And the numbers, or the formula?"), False
        return verdict, verdict.right

    def posed(self, kind: str) -> Posed:
        """Return the question of one kind."""
        if kind == "shape":
            shape = " x ".join(map(str, self.array.shape)) or "scalar"
            about = self.subject.text(self.snapshot) if self.is_named else ""
            return Posed(Question(self.ask, kind, shape, about=about), self.snapshot)
        if kind not in self._posed:
            self._posed[kind] = self._made(kind)
        return self._posed[kind]

    @cached_property
    def _posed(self) -> dict[str, Posed]:
        return {}

    def _made(self, kind: str) -> Posed:
        if not self.is_named:
            is_whole = self.entry is None or kind == "matrix"
            own = self.array if is_whole else np.asarray(self.array[self.entry])
            question = Question(self.ask, kind, OWN)
            return Posed(question, self.snapshot, {OWN: own}, frozenset((OWN, *self._same)))
        subject = self.subject if kind == "expression" else self.subject.at(self.entry)
        about = subject.text(self.snapshot)
        return closed(Posed(Question(self.ask, kind, about, about=about), self.snapshot))

    @property
    def _same(self) -> Collection[str]:
        name = self.subject.name
        return (f"d_{name}", f"d_{self.snapshot.trace.graph.loss}/d_{name}", name)

    @property
    def help_kind(self) -> str:
        """The kind of question whose hints and solution are shown."""
        if self.wants_shape:
            return "shape"
        return "expression" if self.wants_formula else self.kind_of("0")

    @property
    def hints(self) -> tuple[str, ...]:
        """Help, from where to look to the numbers put in."""
        return self.posed(self.help_kind).hints

    def _is_shape(self, text: str) -> bool:
        dims = self._dims
        parts = _BETWEEN.split(text.strip().strip("()[] "))
        is_product = len(parts) > 1 and all(part.isdecimal() or part in dims for part in parts)
        if not is_product and "scalar" not in text.casefold():
            return False
        try:
            shape_of(text, dims)
        except BackstepError:
            return False
        return True

    @property
    def _dims(self) -> dict[str, int]:
        graph = self.snapshot.trace.graph
        found = dims_by_name([node.dims for node in graph.nodes])
        return found | ({"m": graph.examples} if graph.examples is not None else {})

    def _has_names(self, text: str) -> bool:
        try:
            items = read(text, self.posed("expression").names())
        except FormulaError:
            return bool(re.search(r"[^\W\d_]{1}", re.sub(r"[eE][-+]?\d", "", text)))
        return any(item.kind == "name" for item in items)


def prediction_at(
    snapshot: Snapshot,
    curtain: Curtain,
    covered: Collection[str],
    target: str | EdgeKey | None = None,
    entry: tuple[int, ...] | None = None,
    derivation: Derivation | None = None,
) -> Prediction | None:
    """Return what is to be predicted of a node, of an edge, or of the step that led here; None for nothing.

    Parameters
    ----------
    covered
        The names of what is known there and hidden.
    entry
        The entry that is asked for of a large array; the first one where None.
    """
    finder = _Finder(snapshot, curtain, frozenset(covered), derivation or snapshot.derivation)
    found = finder.of_step() if target is None else finder.of_target(target)
    return None if found is None else _with_entry(found, entry)


def _with_entry(found: Prediction, entry: tuple[int, ...] | None) -> Prediction:
    array = found.array
    fits = entry is not None and len(entry) == array.ndim
    if entry is not None and fits and all(0 <= i < n for i, n in zip(entry, array.shape, strict=True)):
        return replace(found, entry=entry)
    return replace(found, entry=(0,) * array.ndim) if array.size > SMALL else found


@dataclass(frozen=True)
class _Finder:
    """Finds what is hidden at a place."""

    snapshot: Snapshot
    curtain: Curtain
    covered: frozenset[str]
    derivation: Derivation

    @property
    def trace(self) -> Trace:
        return self.snapshot.trace

    def of_step(self) -> Prediction | None:
        """Return what the step that led here has worked out."""
        step = self.snapshot.step
        if step is None:
            return None
        if self.curtain.hides_result(self.trace, step):
            return self._of_result(step)
        if self.curtain.hides_factor(step):
            return self._of_factor(step)
        return None

    def of_target(self, target: str | EdgeKey) -> Prediction | None:
        """Return what is hidden of a card or a wire."""
        if isinstance(target, str):
            return self._of_node(target)
        source, node, slot = target
        place = self.trace.backward_places.get((source, node, slot))
        if place is None or place >= self.snapshot.position:
            return None
        step = self.trace.steps[place]
        if f"d_{source}" in self.covered:
            return self._of_result(step)
        return self._of_factor(step) if self.curtain.hides_factor(step) else None

    def _of_node(self, name: str) -> Prediction | None:
        for step in self._steps_at(name):
            if self._names(step) & self.covered:
                return self._of_result(step)
        if "shapes" in self.curtain.names and name in self.trace.values:
            array = self.trace.values[name]
            subject = Subject(Aspect.VALUE, name)
            return self._prediction(subject, array, frozenset(("shapes",)), wants_shape=True)
        return None

    def _steps_at(self, name: str) -> list[Step]:
        """Return the steps until here that worked something out for a node, the last one first."""
        taken = self.trace.steps[: self.snapshot.position]
        return [
            step
            for step in reversed(taken)
            if (step.node if step.phase in (Phase.FORWARD, Phase.UPDATE) else step.target) == name
        ]

    @staticmethod
    def _names(step: Step) -> frozenset[str]:
        if step.phase == Phase.UPDATE:
            return frozenset((updated_name(step),))
        return frozenset((step.node if step.phase == Phase.FORWARD else f"d_{step.target}",))

    def _of_result(self, step: Step) -> Prediction:
        names = self._names(step)
        if step.phase == Phase.FORWARD:
            return self._prediction(Subject(Aspect.VALUE, step.node), step.after, names)
        if step.phase == Phase.UPDATE:
            subject = Subject(Aspect.UPDATE, step.node, quantity=str(step.quantity))
            return self._prediction(subject, step.after, names)
        uses = sum(source == step.target for source, _, _ in self.trace.backward_places)
        if step.phase == Phase.SEED or uses == 1 or step.slot is None or step.contribution is None:
            return self._prediction(Subject(Aspect.GRADIENT, step.target), step.after, names)
        subject = Subject(Aspect.CONTRIBUTION, step.target, step.node, step.slot)
        return self._prediction(subject, step.contribution, names)

    def _of_factor(self, step: Step) -> Prediction:
        assert step.slot is not None
        array = step.after if step.contribution is None else step.contribution
        subject = Subject(Aspect.CONTRIBUTION, step.target, step.node, step.slot)
        hidden = self.curtain.names & {"factors", "equations"}
        return self._prediction(subject, array, hidden, wants_formula=True)

    def _prediction(
        self,
        subject: Subject,
        array: Array,
        names: frozenset[str],
        *,
        wants_shape: bool = False,
        wants_formula: bool = False,
    ) -> Prediction:
        graph = self.trace.graph
        ends = [name for name in (subject.name, subject.reader) if name]
        is_faulty = fault_of(self.snapshot.run) is not None
        is_named = all(name in graph.named for name in ends) and not is_faulty
        if subject.reader and self.trace.detail != Detail.EQUATION:
            is_named = False  # its uses are those of operations, not of lines
        words = subject.words(self.derivation, self.snapshot.optimizer) if is_named else self._words(subject)
        return Prediction(
            subject,
            self.snapshot,
            array,
            names,
            words,
            wants_shape=wants_shape,
            wants_formula=wants_formula and is_named,
            is_named=is_named,
            remark=FAULTY if is_faulty and "fault" not in self.curtain.names else "",
        )

    def _words(self, subject: Subject) -> str:
        """Return what something inside of a line is."""
        if subject.aspect == Aspect.VALUE:
            return f"${self.derivation.name_latex(subject.name)}$"
        if subject.aspect == Aspect.UPDATE:
            return subject.words(self.derivation, self.snapshot.optimizer)
        if subject.aspect == Aspect.CONTRIBUTION:
            reader = self.derivation.name_latex(subject.reader)
            name = self.derivation.name_latex(subject.name)
            return f"what comes back to ${name}$ through ${reader}$"
        return f"${self.derivation.gradient_latex(subject.name)}$"


def without(hidden: frozenset[str], revealed: frozenset[str], trace: Trace) -> frozenset[str]:
    """Return what stays hidden when some of it is revealed: of a kind, everything else of it by name."""
    kept = hidden - revealed
    kinds: Mapping[str, frozenset[str]] = {
        "values": frozenset(node.name for node in trace.graph.nodes if node.op is not None),
        "gradients": frozenset(f"d_{node.name}" for node in trace.graph.nodes),
    }
    for kind, names in kinds.items():
        if kind in kept and names & revealed:
            kept = (kept - {kind}) | (names - revealed)
    return kept
