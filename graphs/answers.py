"""Whether an answer is right, and if not, what is wrong about it.

A :class:`Posed` question stands at a place of a run. A number is right to the digits that were given, a
matrix entry by entry, a shape in any spelling, and a formula where it comes to the same at the trace *and*
with other numbers for all parameters and data: so one that means the same is right whatever its form. A wrong
answer is compared with the wrong answers that are often given (:mod:`graphs.mistakes`), and gets the hint of
the one it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import starmap
from typing import NamedTuple

import numpy as np

from engine.alterations import Change
from engine.calculator import read, work_out
from engine.errors import BackstepError, FormulaError, LessonError, UnknownNameError, UsageError, excerpt
from engine.faults import fault_of
from engine.formula import Item
from engine.names import entry_text
from graphs.definition import Array
from graphs.hints import array_latex, formula_of, hints_about, shape_hints, solution_of
from graphs.lesson import Question
from graphs.mistakes import Mistake, Slip, mistakes
from graphs.mistakes.mending import as_matrices, mendings
from graphs.mistakes.own import of_formula
from graphs.scope import Draw, by_line, draws
from graphs.snapshot import Snapshot
from graphs.subjects import Subject, names_near, subject_of, subjects
from graphs.typed import Given, chosen, dims_by_name, matrix_of, names_in, number_of, shape_of
from graphs.typed_latex import typed_latex

__all__ = ["Posed", "Question", "Verdict", "check"]

AGREEMENT = 1e-6  # relative: two formulas agree
FEWEST_DIGITS = 2
STRETCHED = (
    "Row and column are stretched over each other here, which comes to the same as their matrix product."
)
MOST_LIKELY = 8  # names that are told where one is not known
MOST_ENTRIES = 64  # of an array, of which one is looked for
NEARLY = 0.02  # relative: nearly right, so that rounding is the likeliest reason
_NOT_THERE = (BackstepError, LookupError, StopIteration)
_SENTENCES = re.compile(r"(?<=[.?])\s+(?=[A-Z$])")
_LOOSE = re.compile(r"(?<!\^)⊙")


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth.

    Attributes
    ----------
    right
        Whether it is right.
    message
        What is said to the learner, with LaTeX between dollars.
    hint
        What is wrong about it, as part of the message; "" where that cannot be told.
    kinds
        Every mistake that it agrees with, the likeliest first.
    column
        Where it cannot be read, counted from 1; None where it can.
    is_read
        Whether it could be read: what cannot is no try.
    note
        What is to be said of a right answer, as part of the message: how it is right otherwise than usual.
    """

    right: bool
    message: str
    hint: str = ""
    kinds: tuple[str, ...] = ()
    column: int | None = None
    is_read: bool = True
    note: str = ""


def check(posed: Posed, text: str) -> Verdict:
    """Return what an answer to a question is worth."""
    return posed.check(text)


@dataclass(frozen=True, eq=False)
class Posed:
    """A question at a place of a run.

    Attributes
    ----------
    question
        What is asked. Its `answer` is a formula over the names of the trace, for a choice the words of the
        right one, for a shape a name or a shape, for names a list of them. Its `about` says what it is about,
        where the answer is not simply that.
    snapshot
        Where it is asked.
    more
        Further names that its answer may use.
    closed
        Names that no answer may use: they stand for what is to be found out.
    remarks
        What is said to a wrong choice, a wrong name or a wrong whole number, by how it is written.
    of_gradients
        Whether the names that are asked for stand for gradients.
    way
        How the answer comes about, a paragraph a step, where it is nothing of the trace.
    """

    question: Question
    snapshot: Snapshot
    more: Mapping[str, Array] | None = None
    closed: frozenset[str] = frozenset()
    remarks: Mapping[str, str] = field(default_factory=dict)
    of_gradients: bool = False
    way: tuple[str, ...] = ()

    @cached_property
    def place(self) -> Snapshot:
        """Where it is asked, in steps of one line each."""
        return by_line(self.snapshot)

    @cached_property
    def draws(self) -> Sequence[Draw]:
        """The iteration as it is, and with other numbers."""
        return draws(self.place)

    @property
    def _here(self) -> Draw:
        return self.draws[0]

    def names(self, draw: Draw | None = None) -> Mapping[str, Array]:
        """Return what an answer can name, at the trace or at a redraw."""
        return {**(self.more or {}), **(draw or self._here).names}

    @cached_property
    def subject(self) -> Subject | None:
        """What the answer is, of the trace: as `about` says or the answer itself, else as is found out.

        None where it is a formula of its own.
        """
        if self.question.kind in ("choice", "name"):
            return None
        for text in (self.question.about, self.question.answer):
            found = self._named(text)
            if found is not None and (self.question.kind == "shape" or self._is_answer(found)):
                return found
            if found is not None and found.entry is None and self.question.kind == "number":
                entry = next((e for e in self._entries(found) if self._is_answer(found.at(e))), None)
                if entry is not None:
                    return found.at(entry)
        return self._found_out()

    @cached_property
    def told(self) -> Subject | None:
        """What is known once it is answered: what it is about, or the answer where that is of the trace."""
        is_of_trace = self.question.kind in ("number", "expression", "matrix")
        return self._named(self.question.about or self.question.answer * is_of_trace)

    def _named(self, text: str) -> Subject | None:
        try:
            return subject_of(text, self.place, self._here.names) if text else None
        except BackstepError:
            return None

    def _entries(self, subject: Subject) -> list[tuple[int, ...]]:
        array = subject.value(self._here)
        return list(np.ndindex(array.shape)) if 1 < array.size <= MOST_ENTRIES else []

    def _found_out(self) -> Subject | None:
        """Return what the answer comes to at every draw, where that is something of the trace."""
        if self.question.kind == "shape" or not any(item.kind == "name" for item in self._answer_items):
            return None  # a number of its own may be anything
        return next((s for s in subjects(self.place) if self._is_answer(s)), None)

    def _is_answer(self, subject: Subject) -> bool:
        """Say whether a subject comes to the right answer, at the trace and at every redraw."""
        if self.question.answer in (self.question.about, subject.text(self.place)):
            return True
        try:
            pairs = [(subject.value(draw), self._worked_answer(draw)) for draw in self.draws]
        except _NOT_THERE:
            return False
        return all(self._fits(np.asarray(own), np.asarray(right)) for own, right in pairs)

    # --- what is right ---

    def right_at(self, draw: Draw) -> Array:
        """Return the right answer at a draw."""
        subject = self.subject
        return self._worked_answer(draw) if subject is None else subject.value(draw)

    def _worked_answer(self, draw: Draw) -> Array:
        try:
            return work_out(self._answer_items, self.names(draw))
        except FormulaError as error:
            raise self._unworkable(error) from None

    def _unworkable(self, error: FormulaError) -> LessonError:
        answer = excerpt(self.question.answer, 40)
        return LessonError(f"the answer {answer} cannot be worked out: {error.what}", how=error.how)

    @cached_property
    def _answer_items(self) -> tuple[Item, ...]:
        try:
            items = read(self.question.answer, self.names())
        except FormulaError as error:
            raise self._unworkable(error) from None
        _refuse_names_side_by_side(items)
        return items

    @cached_property
    def right(self) -> Array:
        """The right answer, for a number, a matrix or a formula."""
        found = np.asarray(self.right_at(self._here), dtype=float)
        return found.reshape(()) if self.question.kind == "number" and found.size == 1 else found

    @cached_property
    def right_shape(self) -> tuple[int, ...]:
        """The right answer to a question for a shape."""
        answer, names = self.question.answer, self.names()
        if answer in names:
            return names[answer].shape
        subject = self.subject
        return subject.value(self._here).shape if subject is not None else shape_of(answer, self._dims)

    @cached_property
    def right_names(self) -> frozenset[str]:
        """The right answer to a question for names."""
        return names_in(self.question.answer, self._known)

    @cached_property
    def _known(self) -> tuple[str, ...]:
        return self.place.trace.graph.named

    @cached_property
    def _dims(self) -> dict[str, int]:
        graph = self.place.trace.graph
        found = dims_by_name([node.dims for node in graph.nodes])
        return found | ({"m": graph.examples} if graph.examples is not None else {})

    @property
    def answer_latex(self) -> str:
        """The right answer as it is shown, with LaTeX between dollars."""
        kind = self.question.kind
        if kind == "choice":
            return self.question.answer
        if kind == "shape":
            return f"${_shape_latex(self.right_shape)}$"
        if kind == "name":
            derivation = self.place.derivation
            symbol = derivation.gradient_latex if self.of_gradients else derivation.name_latex
            return ", ".join(f"${symbol(n)}$" for n in self._known if n in self.right_names)
        if kind == "expression":
            return f"${formula}$" if (formula := self._answer_formula) else f"`{self.question.answer}`"
        return f"${array_latex(self.right)}$"

    @property
    def _answer_formula(self) -> str:
        """The right formula as its author typed it, or in stored values where that is a name alone."""
        subject, items = self.subject, self._answer_items
        typed = typed_latex(items, self.names(), self.place.derivation) if len(items) > 1 else ""
        return typed or (formula_of(subject, self.place) if subject is not None else "")

    def validate(self) -> None:
        """Make sure that the question can be asked: for authors.

        Raises
        ------
        BackstepError
            Where what it is about or its answer cannot be worked out there.
        """
        question = self.question
        if question.about and subject_of(question.about, self.place, self._here.names) is None:
            how = "Write a name, d_NAME, LINE -> NAME, d_LINE/d_NAME or new_NAME."
            raise LessonError(f"{excerpt(question.about, 40)} is nothing to ask about.", how=how)
        if question.kind == "name":
            _ = self.right_names
        elif question.kind == "shape":
            self._validate_shape()
        elif question.kind != "choice":
            self._validate_value()

    def _validate_shape(self) -> None:
        answer, names = self.question.answer, self.names()
        named = self._named(answer)
        if answer in names:
            own = names[answer].shape
        else:
            own = named.value(self._here).shape if named is not None else shape_of(answer, self._dims)
        about = self._named(self.question.about)
        if about is not None and about.value(self._here).shape != own:
            raise self._not_about()

    def _validate_value(self) -> None:
        question, shown = self.question, excerpt(self.question.answer, 40)
        about = self._named(question.about)
        if about is not None and question.answer == question.about:  # also where no formula names it
            own = np.asarray(about.value(self._here))
        else:
            own = np.asarray(self._worked_answer(self._here))
        if not np.all(np.isfinite(own)):
            raise LessonError(f"the answer {shown} is not finite there.")
        if about is not None and fault_of(self.snapshot.run) is None and not self._comes_to(about, own):
            raise self._not_about()
        if question.kind == "number" and np.asarray(self.right).size != 1:
            how = 'Write kind = "matrix", or an entry: NAME[0, 0].'
            raise LessonError(f"the answer {shown} is not one number.", how=how)
        if question.kind == "matrix" and not own.ndim:
            raise LessonError(f"the answer {shown} is one number.", how='Write kind = "number".')

    def _comes_to(self, about: Subject, own: Array) -> bool:
        """Say whether the answer is what it is about; of a number, one entry of it will do."""
        if self.question.kind == "expression":
            return self._is_answer(about)
        value = np.asarray(about.value(self._here))
        if own.shape != value.shape and own.size == 1:
            value = value.reshape(-1)
        size = np.maximum(np.abs(value), 1e-9 * self._here.scale)
        near = np.abs(value - own) <= max(self.question.tolerance, 1e-9) * size
        return bool(near.any() if own.size == 1 else own.shape == value.shape and near.all())

    def _not_about(self) -> LessonError:
        answer, about = excerpt(self.question.answer, 40), excerpt(self.question.about, 40)
        what = f"the answer {answer} is not {about} there, which the question is about."
        return LessonError(what, how="Correct one of them, or leave about out.")

    # --- help ---

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """Help, from where to look to the numbers put in: the author's own first, then from the trace."""
        return (*self.question.hints, *self._made_hints)

    @property
    def _made_hints(self) -> tuple[str, ...]:
        subject = self.subject
        if subject is None:
            return ()
        if self.question.kind == "shape":
            return shape_hints(subject, self.place)
        return hints_about(subject, self.place)

    @cached_property
    def solution(self) -> tuple[str, ...]:
        """The worked solution, a paragraph a step; ends with the answer."""
        subject = self.subject
        if self.question.kind == "shape":
            return (*self._made_hints[1:], self.answer_latex)
        if subject is None:
            return (*self.way, self.answer_latex)
        return solution_of(subject, self.place, has_numbers=self.question.kind != "expression")

    def prepare(self) -> Posed:
        """Work out now what a first answer would wait for: in a thread."""
        if self.question.kind in ("number", "matrix", "expression"):
            for draw in self.draws if self.question.kind == "expression" else self.draws[:1]:
                for mistake in self.mistakes:
                    mistake.value(draw)
        return self

    # --- checking ---

    def check(self, text: str) -> Verdict:
        """Return what an answer is worth."""
        checks: Mapping[str, Callable[[str], Verdict]] = {
            "number": self._check_number,
            "matrix": self._check_matrix,
            "expression": self._check_expression,
            "shape": self._check_shape,
            "choice": self._check_choice,
            "name": self._check_names,
        }
        try:
            self._refuse_closed(text)
            return checks[self.question.kind](text)
        except FormulaError as error:
            if isinstance(error, UnknownNameError) and not error.is_like and (names := self._likely_names):
                how = f"There are {', '.join(names)} and others."
                error = FormulaError(error.what, error.line, error.column, how=how)
            return Verdict(
                False, f"Column {error.column}: {_sentence(error)}", column=error.column, is_read=False
            )
        except BackstepError as error:
            return Verdict(False, _capital(str(error)), is_read=False)

    @property
    def _likely_names(self) -> list[str]:
        """Return the names that the right answer is made of, and their neighbours: few, the nearest first."""
        if self.question.kind not in ("number", "matrix", "expression"):
            return []
        try:
            own = [item.text for item in self._answer_items if item.kind == "name"]
        except LessonError:  # a path, which is written otherwise
            own = []
        near = names_near(self.subject, self.place) if self.subject is not None else ()
        is_itself = {self.subject.whole().text(self.place)} if self.subject is not None else set()
        allowed = self.names().keys() - self.closed - is_itself
        return [name for name in dict.fromkeys((*own, *near)) if name in allowed][:MOST_LIKELY]

    def _refuse_closed(self, text: str) -> None:
        """Raise where an answer names what is asked for."""
        if not self.closed or self.question.kind not in ("number", "matrix", "expression"):
            return
        try:
            used = {item.text for item in read(text, self.names()) if item.kind == "name"}
        except FormulaError:  # numbers, or what is said when it is checked
            return
        if used & self.closed:
            raise UsageError("this names what is asked for.", how="Write it with other names, or numbers.")

    def _check_choice(self, text: str) -> Verdict:
        choices = self.question.choices
        given = choices[chosen(text, choices)]
        if given == self.question.answer:
            return Verdict(True, "Right.")
        hint = self.remarks.get(given, "")
        return Verdict(False, hint or "That is not it.", hint)

    def _check_names(self, text: str) -> Verdict:
        given, right = names_in(text, self._known), self.right_names
        if given == right:
            return Verdict(True, "Right.")
        said = [self.remarks[name] for name in self._known if name in given - right and name in self.remarks]
        if said:
            return Verdict(False, said[0], said[0])
        derivation = self.place.derivation
        wrong = [f"${derivation.name_latex(n)}$" for n in self._known if n in given - right]
        missing = len(right - given)
        parts = (
            [f"{', '.join(wrong)} {'does' if len(wrong) == 1 else 'do'} not belong there."] if wrong else []
        )
        parts += [_missing(missing)] if missing and len(right) > 1 else []
        hint = " ".join(parts) or "That is not it."
        return Verdict(False, hint, hint)

    def _check_shape(self, text: str) -> Verdict:
        given, right = shape_of(text, self._dims), self.right_shape
        if given == right:
            return Verdict(True, "Right.")
        kind, hint = self._about_shape(given, right)
        return Verdict(False, hint or "That is not it.", hint, (kind,) if kind else ())

    def _about_shape(self, given: tuple[int, ...], right: tuple[int, ...]) -> tuple[str, str]:
        if given == right[::-1] and len(right) > 1:
            return Slip.TRANSPOSED, "Rows and columns are exchanged: the rows come first."
        size = int(np.prod(right)) if right else 1
        if given == (size,) and len(right) != 1:
            what = "That is how many entries it has" if right else "One number is a scalar: it has no axes"
            return Slip.SIZE, f"{what}. Asked is the shape, rows × columns." if right else f"{what}."
        if not right:
            return Slip.SHAPE, "It is one number: a scalar."
        if not given:
            return Slip.SHAPE, "It is no single number."
        derivation, trace = self.place.derivation, self.place.trace
        same = [name for name, array in trace.values.items() if array.shape == given]
        if same:
            return Slip.OTHER, f"That is the shape of ${derivation.name_latex(same[0])}$."
        return "", ""

    # --- verdicts ---

    def _verdict(self, found: Iterable[_Told]) -> Verdict:
        """Return the verdict on a wrong answer: its first hint leads to the right one, but is not it."""
        whole = formula_of(self.subject, self.place) if self.subject is not None else ""
        return _verdict((told.without(whole) for told in found), self._here.scale)

    # --- numbers ---

    def _check_number(self, text: str) -> Verdict:
        given = number_of(text, self.names())
        if self._is_close(given, self.right):
            return Verdict(True, "Right.")
        value = float(given.values)
        if value.is_integer() and (remark := self.remarks.get(f"{value:.0f}")):
            return Verdict(False, remark, remark)
        return self._verdict([*self._recognised(given), *starmap(_Told, self._near(given))])

    def _check_matrix(self, text: str) -> Verdict:
        right = self.right
        given = matrix_of(text, self.names(), right.shape)
        is_list = right.ndim < 2 and given.values.size == right.size  # typed as a row, or as a column
        if given.values.shape == right.shape or is_list or given.values.size == right.size == 1:
            given = given.each(lambda array: array.reshape(right.shape))
            if self._is_close(given, right):
                return Verdict(True, "Right.")
        return self._verdict([*self._recognised(given), *starmap(_Told, self._about_matrix(given, right))])

    def _about_matrix(self, given: Given, right: Array) -> Iterator[tuple[str, str]]:
        shape, turned = given.values.shape, given.each(np.transpose)
        is_turned = shape != right.shape and turned.values.shape == right.shape
        if is_turned and self._is_close(turned, right):
            yield Slip.TRANSPOSED, "The numbers are right, but rows and columns are exchanged."
        elif shape != right.shape:
            own, wanted = _shape_latex(shape), _shape_latex(right.shape)
            yield Slip.SHAPE, f"Its shape is ${own}$, and the right one's is ${wanted}$."
        else:
            yield from self._wrong_entries(given, right)

    def _wrong_entries(self, given: Given, right: Array) -> Iterator[tuple[str, str]]:
        entries = list(np.ndindex(right.shape))
        wrong = [
            i for i in entries if not self._is_close(given.each(lambda a, i=i: np.asarray(a[i])), right[i])
        ]
        if len(wrong) < len(entries):
            where = ", ".join(map(entry_text, wrong[:3])) + (" and others" if len(wrong) > 3 else "")
            count = len(entries) - len(wrong)
            count = f"{count} of {len(entries)} entries {'is' if count == 1 else 'are'} right"
            yield Slip.SOME, f"{count}; look at {where}."

    def _is_close(self, given: Given, right: Array) -> bool:
        """Say whether numbers are right to the digits that were given, two at least."""
        with np.errstate(all="ignore"):
            difference, size = np.abs(given.values - right), np.abs(right)
            exact = difference <= np.maximum(1e-9 * size, 1e-12 * self._here.scale)
            near = difference <= self.question.tolerance * size
            rounded = difference <= given.unit * (1 + 1e-9)
        is_enough = given.digits >= FEWEST_DIGITS
        return bool(np.all(exact | near | (rounded & is_enough & (size > 0))))

    def _near(self, given: Given) -> Iterator[tuple[str, str]]:
        """Yield what is nearly right: too few digits, wrongly rounded, another decimal point."""
        value, right, unit = float(given.values), float(self.right), float(given.unit)
        difference, is_rough = abs(value - right), given.digits < FEWEST_DIGITS
        if self._is_count:
            return
        if is_rough and difference <= min(unit, _half_a_unit(right, int(given.digits))) * (1 + 1e-9):
            yield Slip.DIGITS, "Too few digits to tell: give two at least, better three."
        elif difference <= max(2 * unit * (not is_rough), NEARLY * abs(right)):
            yield Slip.ROUNDING, "Nearly. Look at the rounding: keep more digits on the way."
        elif right and _tells_digits(value) and unit:
            for shift in (-3, -2, -1, 1, 2, 3):
                moved = given._replace(values=given.values * 10.0**shift, unit=given.unit * 10.0**shift)
                if self._is_close(moved, self.right):
                    yield Slip.DECIMAL, "The digits are right. Look at the decimal point."

    @cached_property
    def _is_count(self) -> bool:
        """Whether a whole number was written down as the answer: nearly right is as wrong, and so is half."""
        items = self._answer_items if self.subject is None else ()
        return len(items) == 1 and items[0].kind == "number" and items[0].text.isdecimal()

    def _recognised(self, given: Given) -> Iterator[_Told]:
        """Yield the mistakes that numbers agree with."""
        for mistake in self.mistakes:
            wrong = mistake.value(self._here)
            if wrong is not None and (self._is_same(given, wrong) or _is_nothing(given, wrong)):
                yield _Told(mistake.kind, mistake.sentence, partial(self._values_of, mistake))
        for kind, sentence, factor in self._factors:
            if self._is_same(given, self.right * factor):
                yield _Told(kind, sentence, partial(self._rights_times, factor))

    def _values_of(self, mistake: Mistake) -> list[Array | None]:
        return [mistake.value(draw) for draw in self.draws]

    def _rights_times(self, factor: float) -> list[Array | None]:
        return [right * factor for right in self._rights]

    def _is_same(self, given: Given, wrong: Array) -> bool:
        values = given.values
        if values.shape != wrong.shape and not values.size == wrong.size == 1:
            return False
        return self._is_close(given, wrong.reshape(values.shape)) and bool(np.any(values != 0))

    # --- formulas ---

    def _check_expression(self, text: str) -> Verdict:
        items = read(text, self.names())
        worked_out = self._worked_out(items)
        if "⊙" in text and self._is_right(read(_LOOSE.sub("*", text), self.names())):
            return Verdict(True, "Right.")  # as it may be meant: from left to right
        if isinstance(worked_out, FormulaError):
            hints = [*self._mended(items)]
            if not hints:
                raise worked_out
            return replace(self._verdict(starmap(_Told, hints)), column=worked_out.column)
        alike = list(map(self._fits, worked_out, self._rights))
        if all(alike):
            note = STRETCHED if any(map(self._is_right, as_matrices(items, self._shape))) else ""
            return Verdict(True, f"Right. {note}".strip(), note=note)
        hints = self._of_expression(items, worked_out, alike)
        return self._verdict(_Told(*hint, partial(list, worked_out)) for hint in hints)

    @cached_property
    def _rights(self) -> Sequence[Array]:
        """The right answer at every draw."""
        with np.errstate(all="ignore"):
            return [np.asarray(self.right_at(draw)) for draw in self.draws]

    def _worked_out(self, items: Sequence[Item]) -> list[Array] | FormulaError:
        """Return what a formula comes to at every draw, or why it cannot be worked out."""
        try:
            return [
                work_out(items, self.names(draw), right.shape)
                for draw, right in zip(self.draws, self._rights, strict=True)
            ]
        except FormulaError as error:
            return error

    def _is_right(self, items: Sequence[Item]) -> bool:
        values = self._worked_out(items)
        return not isinstance(values, FormulaError) and all(map(self._fits, values, self._rights))

    def _fits(self, value: Array, right: Array) -> bool:
        """Say whether a formula comes to the right numbers in the right shape; a 1 × 1 matrix is a number."""
        if value.shape != right.shape:
            is_one = value.size == right.size == 1
            is_nothing = not np.any(right) and not np.any(value) and not value.ndim  # 0 for a zero gradient
            if not (is_one or is_nothing):
                return False
            value = np.broadcast_to(value.reshape(()), right.shape)
        return _agree(value, right, self._here.scale)

    def _of_expression(
        self, items: Sequence[Item], values: Sequence[Array], alike: Sequence[bool]
    ) -> Iterator[tuple[str, str]]:
        if alike[0] and any(item.kind == "name" for item in items):
            yield (
                Slip.NUMBERS,
                "That is right for these numbers, but not for others: write what holds for all.",
            )
        elif alike[0]:
            yield Slip.NUMBERS, "The number is right. Asked is a formula: write it with names."
        yield from self._of_shape(values)
        for mistake in self.mistakes:
            wrong = [mistake.value(draw) for draw in self.draws]
            if all(
                w is not None and _same(v, w, self._here.scale) for v, w in zip(values, wrong, strict=True)
            ):
                yield mistake.kind, mistake.sentence
        yield from self._mended(items)
        yield from self._by_a_factor_everywhere(values)

    def _of_shape(self, values: Sequence[Array]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong about a formula whose numbers are right, but not its shape."""
        pairs = list(zip(values, self._rights, strict=True))
        if all(v.size == r.size and v.shape != r.shape for v, r in pairs):
            scale = self._here.scale
            own, wanted = _shape_latex(values[0].shape), _shape_latex(self._rights[0].shape)
            if all(v.ndim < r.ndim and _agree(v.reshape(r.shape), r, scale) for v, r in pairs):
                yield (
                    Slip.SHAPE,
                    f"The numbers are right, but the shape is ${own}$ instead of ${wanted}$: "
                    "a sum takes keepdims=True.",
                )
            elif all(v.ndim == 2 and _same(v.T, r, scale) for v, r in pairs):
                yield Slip.TRANSPOSED, f"Transposed: the shape is ${own}$ instead of ${wanted}$."

    def _mended(self, items: Sequence[Item]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong about a formula that one change in it makes right."""
        for kind, sentence, mended in mendings(items, self._shape):
            if self._is_right(mended):
                yield kind, sentence
                return  # what else would make it right is further away

    def _shape(self, items: Sequence[Item]) -> tuple[int, ...] | None:
        """Return the shape of a part of a formula, None where it cannot be worked out."""
        try:
            return work_out(items, self.names()).shape
        except FormulaError:
            return None

    # --- wrong answers ---

    @cached_property
    def mistakes(self) -> Sequence[Mistake]:
        """The wrong answers that are often given, those left out that come to the right one."""
        if self.subject is not None:
            found = mistakes(self.subject, self.place)
        elif self.question.kind in ("number", "matrix", "expression"):
            found = of_formula(self._answer_items, self.names, self._here, self.place.derivation)
        else:
            return ()
        return [mistake for mistake in found if self._is_wrong(mistake)]

    def _is_wrong(self, mistake: Mistake) -> bool:
        """Say whether a mistake can be told from the right answer; 0 may come from anywhere."""
        wrong, right = mistake.value(self._here), np.asarray(self.right_at(self._here))
        may_be_nothing = mistake.kind == Slip.VALUE
        if wrong is None or (not np.any(wrong) and not (may_be_nothing and wrong.size == 1)):
            return False
        if self.question.kind == "expression" or wrong.shape != right.shape:
            return not self._fits(wrong, right)
        return not self._is_close(Given.exactly(wrong), right)

    def _by_a_factor_everywhere(self, values: Sequence[Array]) -> Iterator[tuple[str, str]]:
        """Yield what can be told of a formula that differs from the right one by a factor alone."""
        for kind, sentence, factor in self._factors:
            pairs = zip(values, self._rights, strict=True)
            if all(_same(value, right * factor, self._here.scale) for value, right in pairs):
                yield kind, sentence

    @cached_property
    def _factors(self) -> Sequence[tuple[str, str, float]]:
        m = float(self.place.trace.graph.examples or 1)
        found = [(Change.SIGN, "Look at the sign.", -1.0)]
        if self._is_count:
            return found
        if m > 1:
            found.append((Change.COUNT, r"It is $m$ times too large: is $\frac{1}{m}$ missing?", m))
            found.append(
                (Change.MEAN, "It is $m$ times too small: there is a division by $m$ too much.", 1 / m)
            )
        found.append((Change.CONSTANT, "It is half of what it should be: a factor 2 is missing.", 0.5))
        found.append((Change.CONSTANT, "It is twice what it should be.", 2.0))
        return found


# --- verdicts ----------------------------------------------------------------------------------------------


def _refuse_names_side_by_side(items: Sequence[Item]) -> None:
    """Raise for a name that is read as several, as learners may write them: of an author it is a slip."""
    places: dict[tuple[int, int], list[Item]] = {}
    for item in items:
        places.setdefault((item.line, item.column), []).append(item)
    for found in places.values():
        parts = [item.text for item in found if item.kind == "name"]
        if len(parts) > 1 and "/" not in (item.text for item in found):  # d_u / d_v is a quotient
            what = f"the answer names {excerpt(''.join(parts), 40)}, which is not known here."
            raise LessonError(what, how=f"Write {' * '.join(parts)} if a product is meant.")


class _Told(NamedTuple):
    """A hint: a kind of mistake, what is said, and what an answer comes to by it at every draw."""

    kind: str
    sentence: str
    values: Callable[[], Sequence[Array | None]] = tuple

    def without(self, answer: str) -> _Told:
        """Return the hint with the sentences left out that name the whole answer, but for the first one."""
        head, *rest = _SENTENCES.split(self.sentence)
        kept = [sentence for sentence in rest if not answer or answer not in sentence]
        return self._replace(sentence=" ".join((head, *kept)))


def _verdict(found: Iterable[_Told], scale: float = 1.0) -> Verdict:
    """Return the verdict on a wrong answer: the likeliest hint, and the next one where it is another mistake.

    Two that come to the same at every draw are one mistake in two words: one of them is told.
    """
    first: dict[str, _Told] = {}
    for told in sorted(found, key=lambda told: told.kind in _GIVES_RULE):
        first.setdefault(str(told.kind), told)
    if not first:
        return Verdict(False, "That is not it.")
    said, *others = [told for kind, told in first.items() if kind not in _VAGUE] or first.values()
    other = next((told for told in others if not _is_the_same(told.values(), said.values(), scale)), None)
    between = " " if Slip.SOME in (said.kind, other and other.kind) else " Or: "  # which is no other mistake
    hint = said.sentence if other is None else f"{said.sentence}{between}{other.sentence}"
    return Verdict(False, hint, hint, tuple(dict.fromkeys((str(said.kind), *first))))


def _is_the_same(values: Sequence[Array | None], others: Sequence[Array | None], scale: float) -> bool:
    """Say whether two mistakes come to the same at every draw."""
    pairs = list(zip(values, others, strict=False))
    return bool(pairs) and all(a is not None and b is not None and _same(a, b, scale) for a, b in pairs)


def _is_nothing(given: Given, wrong: Array) -> bool:
    """Say whether both are one 0: of a value that is 0 it is told all the same that it is the value."""
    return given.values.size == wrong.size == 1 and not np.any(given.values) and not np.any(wrong)


def _half_a_unit(value: float, digits: int) -> float:
    """Return by how much a number may differ from its rounding to so many significant digits."""
    if not value or not digits:
        return 0.0
    return 0.5 * 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1)


def _tells_digits(value: float) -> bool:
    """Say whether a number has more than one digit that is not 0 at an end: 0.1 and 100 have the same."""
    return len(f"{abs(value):.9e}".partition("e")[0].replace(".", "").rstrip("0")) > 1


def _missing(count: int) -> str:
    """Say how many values are missing: in words where it is one, for "1" is a value too."""
    return "One value is missing." if count == 1 else f"{count} values are missing."


_VAGUE = (Slip.OTHER, Slip.ROUNDING, Slip.DECIMAL, Slip.SHAPE)
"""Kinds that are said only where nothing better is known."""

_GIVES_RULE = (Change.FACTOR, Change.MATRIX, Change.PART, Change.CONSTANT)
"""Kinds whose hints tell a rule: of one mistake in two words, the other word leads there."""


def _sentence(error: BackstepError) -> str:
    return f"{error.what.rstrip('.')}. {error.how}".strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _agree(a: Array, b: Array, scale: float) -> bool:
    """Say whether arrays of one shape are the same but for rounding."""
    with np.errstate(all="ignore"):
        size = max(float(np.max(np.abs(b), initial=0.0)), 1e-9 * scale)
        return bool(np.all(np.abs(a - b) <= AGREEMENT * size))


def _same(a: Array, b: Array, scale: float) -> bool:
    is_one = a.size == b.size == 1
    return (a.shape == b.shape or is_one) and _agree(a.reshape(b.shape), b, scale)


def _shape_latex(shape: Sequence[int]) -> str:
    return r" \times ".join(map(str, shape)) if shape else r"\text{scalar}"
