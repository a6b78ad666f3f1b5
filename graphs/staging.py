"""Lessons put on stage: where a page stands, and its text with the numbers that are true there.

Everything a page says is worked out from its own trace, without a window. The window shows the same; ``lesson
--check`` and the tests read every page this way.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from engine.calculator import evaluate
from engine.derive import Derivation
from engine.errors import BackstepError, LessonError, excerpt
from engine.faults import FAULTS, Fault, FaultyRun, Place, fault_of
from engine.faults import Stage as FaultStage
from engine.graph import Graph
from engine.nudge import Verdict as Nudged
from engine.nudge import nudge_any
from engine.optimizers import QUANTITIES, update_equation
from engine.substitute import number_latex
from engine.trace import Phase, Trace
from engine.training import Recipe, Run
from graphs.answers import Posed, Verdict
from graphs.definition import Array, Network
from graphs.documents.text import number, shape_text
from graphs.lesson import HIDDEN, Lesson, Page, Screen, recipe_for
from graphs.literals import array_of
from graphs.network import Model, bind
from graphs.snapshot import Snapshot
from graphs.standing import place_of
from graphs.views.curtain import Curtain

__all__ = ["Problem", "Stage", "Stager", "fault_place", "place", "problems", "problems_of"]

MOST_ROWS, MOST_COLUMNS = 6, 8
"""The largest matrix that stands in a text."""


# --- places ------------------------------------------------------------------------------------------------

_PLACE = re.compile(r"(forward|backward|update)\s+([^\s>]+)(?:\s*(?:->|→|\bto\b)\s*(\S+))?(?:\s+(\w+))?\Z")


def place(text: str, trace: Trace) -> int:
    """Return how many steps have been taken at a place.

    Parameters
    ----------
    text
        ``start`` or ``end``; a number of steps; a phase, for its end; ``seed``; ``forward A``, after A has
        its value; ``backward A``, after A has its whole gradient; ``backward Z -> W1``, after what comes back
        through Z to W1; ``update w``, after w's update; ``update w velocity``, after that quantity of it.

    Raises
    ------
    LessonError
        Where the iteration has no such place.
    """
    found = _place(" ".join(text.split()), trace)
    if found is None:
        raise LessonError(f"there is no place {excerpt(text, 40)!r}.", how=_places_known(trace))
    return found


def _place(text: str, trace: Trace) -> int | None:
    last = len(trace.steps)
    if text in ("start", "end"):
        return last if text == "end" else 0
    if text.isdecimal() and len(text) < 10:
        return int(text) if int(text) <= last else None
    ends = {"forward": (Phase.FORWARD,), "seed": (Phase.SEED,), "backward": (Phase.SEED, Phase.BACKWARD)}
    ends["update"] = (Phase.UPDATE,)
    if text in ends:
        return _after(trace, lambda step: step.phase in ends[text])
    match = _PLACE.match(text)
    return None if match is None else _after(trace, _chooses(*match.groups()))


def _chooses(phase: str, name: str, target: str | None, quantity: str | None) -> Callable[[Any], bool]:
    """Return what says whether a step is the one that is meant."""
    if phase == "forward":
        return lambda s: s.phase == Phase.FORWARD and s.node == name and not target and not quantity
    if phase == "update":
        return lambda s: s.phase == Phase.UPDATE and s.node == name and s.quantity == (quantity or "value")
    if target:
        return lambda s: s.phase == Phase.BACKWARD and (s.node, s.input) == (name, target)
    return lambda s: s.phase in (Phase.SEED, Phase.BACKWARD) and s.target == name


def _after(trace: Trace, chooses: Callable[[Any], bool]) -> int | None:
    """Return the place after the last step that is chosen."""
    return next((step.index + 1 for step in reversed(trace.steps) if chooses(step)), None)


def _places_known(trace: Trace) -> str:
    line = next((s.node for s in reversed(trace.steps) if s.phase == Phase.FORWARD), trace.graph.loss)
    return f'Write "start", "end", a number up to {len(trace.steps)}, "forward {line}" or "backward {line}".'


# --- the stage ---------------------------------------------------------------------------------------------


class _Key(NamedTuple):
    """What a run of a page is determined by."""

    network: str
    seed: int
    values: str
    training: str
    fault: str


@dataclass(frozen=True, eq=False)
class Stage:
    """A page with the place it stands at.

    Attributes
    ----------
    snapshot
        The page's place, in a run that is trained as far as the page begins with.
    ended
        The same run trained to where the page leaves it; the snapshot's own run where it trains nothing.
    """

    lesson: Lesson
    number: int
    snapshot: Snapshot
    ended: Run

    @property
    def page(self) -> Page:
        """The page."""
        return self.lesson.pages[self.number]

    @cached_property
    def names(self) -> Mapping[str, Array]:
        """Whatever an expression in a text or an answer can name, by name.

        Values; gradients as ``d_W1``; the parameters after the update as ``new_W1`` and what the optimizer
        works out as in its equations, ``v_W1``; its hyperparameters, ``learning_rate``; the run's losses as
        ``losses``, the last as ``final_loss``.
        """
        trace = self.snapshot.trace
        found: dict[str, Array] = {
            "losses": self.ended.losses,
            "final_loss": np.asarray(self.ended.losses[-1]),
        }
        found |= {f"d_{name}": array for name, array in trace.gradients.items()}
        for name, steps in trace.updates.items():
            for step in steps:
                code = QUANTITIES[str(step.quantity)].code.format(p=name) if step.quantity != "value" else ""
                found[code or f"new_{name}"] = step.after
        found |= {name: np.asarray(float(value)) for name, value in self.snapshot.settings.items()}
        if trace.graph.examples is not None:
            found["m"] = np.asarray(float(trace.graph.examples))
        return found | dict(trace.values)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What the page says, with its numbers: ``text``, ``notes``, ``ask`` and ``explain``."""
        page, question = self.page, self.page.question
        found = {"text": page.text, "notes": page.notes}
        found |= {"ask": question.ask if question else "", "explain": question.explain if question else ""}
        return {key: self.text(text) for key, text in found.items()}

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen, with its numbers."""
        question = self.page.question
        return tuple(map(self.text, question.choices)) if question is not None else ()

    @cached_property
    def posed(self) -> Posed | None:
        """The page's question at its place, None where nothing is asked."""
        question = self.page.question
        if question is None:
            return None
        filled = replace(question, hints=tuple(map(self.text, question.hints)))
        more = {name: array for name, array in self.names.items() if name not in self.snapshot.trace.values}
        return Posed(filled, self.snapshot, more)

    @property
    def hints(self) -> tuple[str, ...]:
        """What helps, from vague to plain: the author's hints, then those made from the trace."""
        return self.posed.hints if self.posed is not None else ()

    @cached_property
    def answer_text(self) -> str:
        """The right answer, as a text shows it."""
        question, posed = self.page.question, self.posed
        if question is None or posed is None:
            return ""
        return self.text(question.answer) if question.kind == "choice" else posed.answer_latex

    @cached_property
    def answered(self) -> Snapshot:
        """The place once the question is answered: at the step that works out what it is about.

        The page's own place where it stands behind that step and hides nothing of it.
        """
        here, posed = self.snapshot, self.posed
        subject = posed.told if posed is not None else None
        if subject is None:
            return here
        position, curtain = place_of(subject, here.trace), Curtain(frozenset(self.page.screen.hide))
        is_hidden = position and curtain.hides_result(here.trace, here.trace.steps[position - 1])
        return here.at(position) if is_hidden or position > here.position else here

    def check(self, text: str) -> Verdict:
        """Return what an answer to the page's question is worth."""
        assert self.posed is not None
        return self.posed.check(text)

    def prepare(self) -> Stage:
        """Work out now what would be worked out when it is asked for: in a thread."""
        _ = self.texts, self.choices
        if self.posed is not None:
            self.posed.prepare()
            _ = self.answered
        return self

    def text(self, text: str) -> str:
        """Return a text of the page with its numbers put in.

        Raises
        ------
        LessonError
            For an expression that cannot be worked out, or that is not what stands beside it.
        """
        return _Filler(self).fill(text)


class Stager:
    """Puts the pages of one lesson on stage; pages in order share their run."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self._kept: tuple[_Key, Model, Run] | None = None
        self._networks: dict[str, Network] = {}

    def stage(self, number: int) -> Stage:
        """Return a page with its place.

        Raises
        ------
        LessonError
            For what the page says that cannot be, with file and line.
        """
        try:
            return self._stage(number)
        except LessonError as error:
            raise self._located(error, number) from None
        except BackstepError as error:
            found = LessonError(str(error))
            found.__dict__.update({k: v for k, v in error.__dict__.items() if k == "page_key"})
            raise self._located(found, number) from None

    def _located(self, error: LessonError, number: int) -> LessonError:
        if not error.where:
            lesson = self.lesson
            file = lesson.path.name if lesson.path is not None else f"{lesson.name}.toml"
            key = _key_of(error)
            error.where = f"{file}, line {lesson.line('page', number, *key)}"
        return error

    def _stage(self, number: int) -> Stage:
        screen = self.lesson.pages[number].screen
        model, run = self._run(number, screen)
        begun = run.fork()
        run.advance(max(0, screen.trained + screen.train - run.iteration))
        iteration = begun.iteration if screen.iteration is None else screen.iteration
        with _about("iteration"):
            if iteration > run.iteration:
                raise LessonError(
                    f"iteration {iteration} has not been trained.",
                    how="Write train = ... on this page or before.",
                )
        within = run if iteration > begun.iteration else begun
        snapshot = Snapshot.of(
            within, model, detail=screen.detail, iteration=iteration, overrides=_arrays(screen.values)
        )
        with _about("at"):
            position = place(screen.at, snapshot.trace)
        return Stage(self.lesson, number, snapshot.at(position), run)

    def _network(self, number: int) -> Network:
        """Return a page's network; pages with the same one share it, so that they are known to."""
        name = self.lesson.pages[number].screen.network
        if name not in self._networks:
            self._networks[name] = self.lesson.network(number)
        return self._networks[name]

    def _run(self, number: int, screen: Screen) -> tuple[Model, Run]:
        """Return a run that is trained as far as a page begins with."""
        key = _Key(screen.network, screen.seed, repr(screen.values), repr(screen.training), screen.fault)
        kept = self._kept
        if kept is None or kept[0] != key or kept[2].iteration > screen.trained:
            with _about("network"):
                network = self._network(number)
            with _about("set" if screen.values else "network"):
                model = bind(network, seed=screen.seed, overrides=screen.values)
            with _about("training"):
                recipe = recipe_for(self.lesson, number, network)
            with _about("fault"):
                run = _run_of(model, recipe, screen.fault)
            self._kept = key, model, run
        assert self._kept is not None
        _, model, run = self._kept
        run.advance(screen.trained - run.iteration)
        return model, run


@contextmanager
def _about(key: str) -> Iterator[None]:
    """Note at an error by which key of the page it has come about, for who shows it."""
    try:
        yield
    except BackstepError as error:
        error.__dict__.setdefault("page_key", key)
        raise


def _key_of(error: BackstepError) -> tuple[str, ...]:
    """Return the key of the page that an error has come about by, where it is known."""
    found = error.__dict__.get("page_key")
    return () if found is None else (found,)


_FAULT = re.compile(r"(\w+)(?:\s+at\s+(\S+?)(?:\s+use\s+(\d+))?)?\Z")


def _run_of(model: Model, recipe: Recipe, text: str) -> Run:
    """Return a run, with a fault where `text` names one."""
    if not text:
        return Run(model, recipe)
    fault, place = fault_place(text, model.graph)
    return FaultyRun(model, fault, place, recipe)


def fault_place(text: str, graph: Graph) -> tuple[Fault, Place]:
    """Return the fault that a page names, and where it is put in a graph.

    Parameters
    ----------
    text
        ``activation``: at the first place from the loss back; ``activation at A``: in that line, or in the
        gradient of that value; ``sign at L use 2``: at the second value that the line L reads.

    Raises
    ------
    LessonError
        Where there is no such fault, or it does not apply there.
    """
    match = _FAULT.match(text.strip())
    fault = FAULTS.get(match[1]) if match is not None else None
    if match is None or fault is None:
        raise LessonError(f"there is no fault {excerpt(text)}.", how=f"There are: {', '.join(FAULTS)}.")
    places = fault.places(graph)
    if match[3] is not None:
        wanted = [p for p in places if (p.node, p.slot + 1) == (match[2], int(match[3]))]
    else:
        wanted = [p for p in places if match[2] in (None, p.node, p.name)]
    if not wanted:
        known = ", ".join(dict.fromkeys(place.node or place.name for place in places))
        how = f"It applies at {known}." if known else "It does not apply to this network."
        raise LessonError(f"the fault {fault.name} cannot be put in there.", how=how)
    return fault, wanted[0]


def _arrays(values: Mapping[str, Any]) -> dict[str, Array]:
    return {name: array_of(value, name) for name, value in values.items()}


# --- texts -------------------------------------------------------------------------------------------------

_PIECE = re.compile(r"(?P<math>\$\$?)|\{\{(?P<inner>.*?)\}\}", re.DOTALL)
_CHECKED = re.compile(r"\s*(-?\d[\d.,]*(?:[eE][+-]?\d+)?)\s*=\s*(?!=)(.*)", re.DOTALL)
_DIGITS = re.compile(r"(.*)\|\s*(\d+)\s*\Z", re.DOTALL)


class _Filler:
    """Puts numbers and equations into a text."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._derivation = Derivation(stage.snapshot.trace.graph)
        self._words: Mapping[str, Callable[[str], str]] = {
            "gradient": self._derivation.equation,
            "forward": self._derivation.forward_latex,
            "shape": self._shape,
            "steps": lambda _: str(len(stage.snapshot.trace.steps)),
        }

    def fill(self, text: str) -> str:
        parts, start, in_math = [], 0, False
        for piece in _PIECE.finditer(text):
            parts.append(text[start : piece.start()])
            start = piece.end()
            if piece["math"]:
                in_math = not in_math
                parts.append(piece["math"])
            else:
                parts.append(self._filled(piece["inner"].strip(), in_math))
        return "".join([*parts, text[start:]])

    def _filled(self, inner: str, in_math: bool) -> str:
        word, _, rest = inner.partition(" ")
        rest = rest.strip()
        if word == "update" and rest:
            return self._update(*rest.partition(" ")[::2])
        if word in self._words and (word == "steps") == (not rest) and rest.isidentifier() == bool(rest):
            return self._of_name(word, rest)
        checked = _CHECKED.match(inner)
        if checked:
            return self._checked(checked[1], checked[2])
        digits = _DIGITS.match(inner)
        text, count = (digits[1], int(digits[2])) if digits else (inner, 4)
        return _written(self._value(text), in_math, count)

    def _of_name(self, word: str, name: str) -> str:
        if name and name not in self._stage.snapshot.trace.values:
            raise LessonError(f"the network has no {excerpt(name)}.", how="Write one of its names.")
        return self._words[word](name)

    def _value(self, text: str) -> Array:
        try:
            return np.asarray(evaluate(text, self._stage.names))
        except BackstepError as error:
            shown = f"{{{{{excerpt(text, 40)}}}}}"
            raise LessonError(f"{shown} cannot be worked out: {error.what}", how=error.how) from None

    def _checked(self, literal: str, text: str) -> str:
        """Return a number as it was written, after making sure that it is the value of an expression."""
        value = float(self._value(text))
        decimals = len(literal.partition(".")[2].lower().partition("e")[0])
        exponent = int(literal.lower().partition("e")[2] or 0)
        if abs(value - float(literal)) > 0.500001 * 10.0 ** (exponent - decimals):
            raise LessonError(f"{literal} stands for {excerpt(text, 40)}, which is {number(value)} here.")
        return literal

    def _shape(self, name: str) -> str:
        shape = shape_text(self._stage.snapshot.trace.values[name])
        return shape.replace("×", "\u00a0×\u00a0")  # on one line

    def _update(self, name: str, quantity: str) -> str:
        """Return the equations of a parameter's update, each displayed by itself, or that of one quantity."""
        snapshot, wanted = self._stage.snapshot, quantity.strip()
        steps = snapshot.trace.updates.get(name, ())
        chosen = [step for step in steps if wanted in ("", step.quantity)]
        if not chosen:
            known = ", ".join(str(step.quantity) for step in steps)
            raise LessonError(
                f"there is no {excerpt(f'{wanted} of {name}'.strip(), 40)} in the update.",
                how=f"There are: {known}." if known else "Write the name of a parameter.",
            )
        lines = [update_equation(snapshot.optimizer, snapshot.derivation, step).latex for step in chosen]
        return "$$\n\n$$".join(lines)


def _written(value: Array, in_math: bool, digits: int) -> str:
    """Return a number or a small matrix as it stands in a text."""
    if value.ndim == 0 or value.size == 1:
        return _number(float(value.reshape(())), in_math, digits)
    rows = np.atleast_2d(value)
    if rows.ndim > 2 or rows.shape[0] > MOST_ROWS or rows.shape[1] > MOST_COLUMNS:
        raise LessonError(
            f"a matrix of {shape_text(value)} is too large for a text.", how="Write one entry: A[0,0]."
        )
    cells = [[_number(float(x), in_math, digits) for x in row] for row in rows]
    if in_math:
        return r"\begin{bmatrix}" + r" \\ ".join(" & ".join(row) for row in cells) + r"\end{bmatrix}"
    return "[" + "; ".join(", ".join(row) for row in cells) + "]"


def _number(x: float, in_math: bool, digits: int) -> str:
    exact = float(f"{x:.12g}")  # 0.1 + 0.2 is 0.3 to whoever reads it
    latex = number_latex(exact, digits)
    if in_math:
        return f"{{{latex}}}" if latex.startswith("-") else latex  # a sign, not a difference
    power, raised, exponent = latex.partition("^")
    if raised:
        exponent = exponent.strip("{}").translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{power}{exponent}".replace(r"\cdot", "·").replace("-", "−")
    words = {r"\text{nan}": "not a number", r"\infty": "infinite", r"-\infty": "minus infinite"}
    return words.get(latex, latex.replace("-", "−"))


# --- checking ----------------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """What is wrong with a lesson, and where.

    Attributes
    ----------
    page, key
        The page, counted from 0, and the keys within it; ``()`` for the page itself.
    """

    line: int
    sentence: str
    page: int = 0
    key: tuple[str, ...] = ()


_LITERAL = re.compile(r"(?<![\w.{])\d+\.\d+")
_CODE = re.compile(r"\{\{.*?\}\}|`[^`]*`", re.DOTALL)
_FORMULA = re.compile(r"(?<!\\)\$+(.*?)(?<!\\)\$+", re.DOTALL)
_BRACES = re.compile(r"(?<!\\)[{}]")
_UNSET = re.compile(r">\\([A-Za-z]+)<")
_SIDES = re.compile(r"\\(left|right)(?![a-zA-Z])")


def problems(lesson: Lesson) -> Iterator[Problem]:
    """Yield everything that is wrong with a lesson, page by page; nothing for one that can be held.

    What a page has from an earlier one is said of that one alone.
    """
    stager = Stager(lesson)
    said: set[tuple[tuple[str, ...], str]] = set()
    for index in range(len(lesson.pages)):
        for problem in problems_of(stager, index):
            what = problem.key, problem.sentence.rpartition(f"line {problem.line}: ")[2]
            if what not in said or not _is_inherited(lesson, index, problem.key):
                yield problem
            said.add(what)


def _is_inherited(lesson: Lesson, index: int, key: tuple[str, ...]) -> bool:
    """Say whether a page shows of a key what the page before shows."""
    name = _FIELDS.get(key[0], "") if key else ""
    screens = [page.screen for page in lesson.pages[max(0, index - 1) : index + 1]]
    return bool(name) and len(screens) == 2 and getattr(screens[0], name) == getattr(screens[1], name)


_FIELDS = {"set": "values"} | {n: n for n in ("network", "training", "fault", "at", "iteration")}
"""What a screen calls the keys of a page that may come from the page before."""
_PLAIN: Mapping[str, Any] = {"set": {}, "training": {}, "fault": "", "at": "start", "iteration": 0}
"""What a page is looked over with where what it says of a key cannot be."""


def problems_of(stager: Stager, index: int) -> Iterator[Problem]:
    """Yield everything that is wrong with a page, whatever of it cannot be shown."""
    lesson, stage = stager.lesson, None
    while stage is None:
        try:
            stage = stager.stage(index)
        except LessonError as error:
            key = _key_of(error)
            yield Problem(lesson.line("page", index, *key), str(error), index, key)
            mended = _without(stager.lesson, index, key)
            if mended is None:
                return
            stager = Stager(mended)
    for key, sentence in _wrong(stage):
        yield Problem(lesson.line("page", index, *key), sentence, index, key)


def _without(lesson: Lesson, index: int, key: tuple[str, ...]) -> Lesson | None:
    """Return a lesson whose page does not say what cannot be, None where there is none."""
    page, name = lesson.pages[index], key[0] if key else ""
    field = _FIELDS.get(name, "")
    if name not in _PLAIN or getattr(page.screen, field) == _PLAIN[name]:
        return None
    mended = replace(page, screen=replace(page.screen, **{field: _PLAIN[name]}))
    return replace(lesson, pages=(*lesson.pages[:index], mended, *lesson.pages[index + 1 :]))


def _wrong(stage: Stage) -> Iterator[tuple[tuple[str, ...], str]]:
    if not stage.page.text.strip() and stage.page.question is None:
        yield ("text",), "the page has no text. Write text = '...', or ask a question."
    for key, text in _texts(stage.page):
        yield from ((key, sentence) for sentence in _wrong_in_text(stage, text))
    yield from (((key,), sentence) for key, sentence in _wrong_names(stage))
    yield from (((*_ANSWER,), sentence) for sentence in _wrong_question(stage))


_ANSWER = ("question", "answer")


def _texts(page: Page) -> Iterator[tuple[tuple[str, ...], str]]:
    yield ("text",), page.text
    yield ("notes",), page.notes
    question = page.question
    if question is not None:
        rows = (("ask", [question.ask]), ("explain", [question.explain]))
        for key, texts in (*rows, ("hints", question.hints), ("choices", question.choices)):
            for text in texts:
                yield ("question", key), text


def _wrong_in_text(stage: Stage, text: str) -> Iterator[str]:
    try:
        stage.text(text)
    except LessonError as error:
        yield str(error)
    if text.replace("\\$", "").count("$") % 2:
        yield "a formula is not closed. Put a dollar at both ends."
    else:
        yield from filter(None, map(_wrong_formula, _FORMULA.findall(_CODE.sub("", text))))
    for found in _LITERAL.finditer(_CODE.sub("", text)):
        yield (
            f"{found[0]} is not checked against the network. Write what it comes from as well, "
            f"{{{{{found[0]} = NAME[0, 0]}}}}, or that alone, {{{{NAME[0, 0]}}}}: then it is worked out."
        )


def _wrong_formula(latex: str) -> str:
    """Say what keeps a formula from being set, "" where nothing is seen."""
    shown, depth = excerpt(latex.strip(), 40), 0
    for brace in _BRACES.findall(latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return f"the formula {shown} closes a brace that it has not opened. Take the }} away, or open it."
    if depth:
        return f"the formula {shown} has a brace that is not closed. Write the missing }}."
    sides = _SIDES.findall(latex)
    if sides.count("left") != sides.count("right"):
        return f"the formula {shown} has a \\left without a \\right, or the other way round."
    unknown = _unknown_command(latex)
    if unknown:
        close = difflib.get_close_matches(f"\\{unknown}", _commands_known(), 1)
        how = f"Did you mean {close[0]}?" if close else "Write it with commands of LaTeX's own."
        return f"the formula {shown} has a command that is not known, \\{unknown}. {how}"
    return ""


def _unknown_command(latex: str) -> str:
    r"""Return a command that formulas cannot be set with, without its backslash; "" for none."""
    from latex2mathml.converter import convert  # what the window reads them with; lessons alone need it

    try:
        found = _UNSET.search(convert(latex))
    except Exception:  # such as a command that lacks its argument, which each version raises otherwise
        return ""
    return found[1] if found is not None else ""


def _commands_known() -> tuple[str, ...]:
    from latex2mathml.symbols_parser import SYMBOLS

    return tuple(name for name in SYMBOLS if name.startswith("\\"))


def _wrong_names(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield what a page marks, hides or waits for and its network does not have."""
    trace, screen, wait = stage.snapshot.trace, stage.page.screen, stage.page.wait
    names = set(trace.values) | set(trace.graph.visible(trace.detail))
    known = names | {f"d_{name}" for name in names}
    new = {f"new_{name}" for name in trace.graph.parameters}
    edges = {f"{source}->{node}" for source, node, _ in trace.graph.edges(trace.detail)}
    for name in screen.highlight:
        if "".join(name.replace("→", "->").split()) not in known | edges:
            yield "highlight", f"there is nothing named {excerpt(name)} to mark."
    for name in screen.camera:
        if name not in names:
            yield "camera", f"there is no node {excerpt(name)} to look at."
    for name in screen.hide:
        if name not in known | new and name not in HIDDEN:
            yield "hide", f"there is nothing named {excerpt(name)} to hide."
    looked_at = screen.actions.get("microscope")
    if looked_at and sum(step.input == looked_at for step in trace.steps) < 2:
        yield "microscope", f"{excerpt(looked_at)} is not used more than once: nothing is added up there."
    recomputed = screen.actions.get("shelf")
    for name in recomputed if isinstance(recomputed, list) else ():
        if name not in trace.graph.ids or trace.graph[name].op is None:
            yield "shelf", f"{excerpt(name)} is not worked out by forward, so nothing is to be kept of it."
    if wait is not None:
        yield from (("wait", sentence) for sentence in _wrong_wait(wait, stage))


def _wrong_wait(wait: Any, stage: Stage) -> Iterator[str]:
    trace, train = stage.snapshot.trace, stage.page.screen.train
    if 0 < train < wait.trained:
        yield (
            f"the page trains {train} iterations and waits for {wait.trained}. "
            f"Write train = {wait.trained}, or wait for {train}."
        )
    if wait.at:
        try:
            place(wait.at, trace)
        except LessonError as error:
            yield str(error)
    for name in filter(None, (wait.edited, wait.nudged.partition("[")[0])):
        if name not in trace.values:
            yield f"there is no {excerpt(name)} to wait for."
        elif name == wait.nudged.partition("[")[0]:
            yield from _wrong_nudge(wait.nudged, stage)


_FALSE_GRADIENTS = (FaultStage.FACTOR, FaultStage.ACCUMULATION, FaultStage.RESET)
"""Faults that the nudge test can find; in the others, the gradients are those of the loss."""


def _wrong_nudge(text: str, stage: Stage) -> Iterator[str]:
    """Say that a nudge test that is waited for does not find the page's fault, and which would."""
    trace, fault = stage.snapshot.trace, fault_of(stage.snapshot.run)
    if fault is None or fault.fault.stage not in _FALSE_GRADIENTS:
        return
    name, bracket, entry = text.partition("[")
    try:
        index = tuple(map(int, entry.rstrip("]").split(","))) if bracket else _first(trace, name)
        is_found = nudge_any(trace, name, index).verdict == Nudged.DISAGREE
    except (BackstepError, ValueError):
        yield f"there is no entry {excerpt(text, 40)} to nudge."
        return
    if not is_found:
        others = (*trace.graph.parameters, *trace.graph.inputs)
        found = [n for n in others if nudge_any(trace, n, _first(trace, n)).verdict == Nudged.DISAGREE]
        how = f" Let it be made of {' or '.join(found)}." if found else ""
        yield f"the nudge test of {excerpt(text, 40)} says nothing of this fault: the two agree there.{how}"


def _first(trace: Trace, name: str) -> tuple[int, ...]:
    """Return the entry of a value that is nudged where none is picked."""
    return (0,) * len(trace.graph[name].dims)


def _wrong_question(stage: Stage) -> Iterator[str]:
    if stage.posed is None:
        return
    try:
        stage.posed.validate()
    except BackstepError as error:
        yield str(error)
