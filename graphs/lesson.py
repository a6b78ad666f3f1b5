"""Lessons: pages of text, each with what the screen shows, in a file that a teacher writes.

A lesson is TOML. Its head says what it is about; every ``[[page]]`` has a text and what is on the screen::

    title = "The chain rule on a graph"
    network = "two-layer-nonlinear"

    [[page]]
    title = "Backward begins at the loss"
    text = "The loss is $L = {{L}}$. Its own gradient is {{d_L}}."
    at = "seed"
    highlight = ["L"]

    [[page]]
    title = "Your turn"
    text = "What arrives at the prediction?"
    hide = ["d_yhat"]
    question = { ask = "Give $dL/dyhat$ as a formula.", kind = "expression", answer = "d_yhat" }

What a page says of network, seed, values, training, detail, place, faults, panels and camera holds until a
later page says otherwise; highlights, hidden things, questions and actions are the page's own. Texts are
Markdown with LaTeX between dollars; ``{{ … }}`` is worked out from the trace of the page
(:mod:`graphs.staging`), so that a number in a text is never wrong.
"""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import BackstepError, LessonError, TrainingError, UsageError, excerpt
from engine.graph import Detail
from engine.training import Recipe
from graphs import reading
from graphs.definition import Network
from graphs.recipes import OF_OPTIMIZERS, OF_SCHEDULES, OF_STOPPING, changed
from graphs.tomlplaces import Key, places

__all__ = [
    "ACTIONS",
    "DOCKS",
    "HIDDEN",
    "KINDS",
    "Lesson",
    "Misread",
    "Page",
    "Question",
    "Screen",
    "Wait",
    "built_in_lessons",
    "built_in_name",
    "following",
    "load_in_part",
    "load_lesson",
    "read_in_part",
    "read_lesson",
    "text_of",
    "trained_as",
]

DOCKS = (
    "loss",
    "formula",
    "code",
    "microscope",
    "shelf",
    "equations",
    "neurons",
    "fit",
    "landscape",
    "sweep",
)
"""The panels that a page can open."""
HIDDEN = ("values", "gradients", "factors", "shapes", "equations", "fault")
"""What can be hidden everywhere, and what a fault is called; single values and gradients go by name."""
KINDS = ("number", "shape", "expression", "matrix", "choice", "name")
"""The kinds of answers."""
LARGEST_FILE = 2 * 2**20
MOST_PAGES = 200
MOST_TRAINED = 100_000
NONE = "none"
"""What a page's training says of mini-batches or a rule for stopping that the network has and it has not."""


@dataclass(frozen=True)
class Question:
    """What the learner is asked.

    Attributes
    ----------
    answer
        An expression over the trace's names; of a choice the right one of `choices`; of a shape a name or a
        shape.
    about
        The value or gradient it is about: wrong answers then get their particular hint.
    tolerance
        Relative, beyond what the learner's own rounding explains.
    hints
        The author's own, from vague to plain; they come before those made from the trace.
    explain
        What is said once it is answered.
    """

    ask: str
    kind: str
    answer: str
    choices: tuple[str, ...] = ()
    about: str = ""
    tolerance: float = 1e-3
    hints: tuple[str, ...] = ()
    explain: str = ""


@dataclass(frozen=True)
class Wait:
    """What has to be done before the lesson goes on; several things in any order.

    Attributes
    ----------
    at
        A place, as `Screen.at`, that has been reached or passed.
    edited
        The name of a value that has been changed by hand.
    trained
        How many iterations have been trained.
    loss_below
        A loss that has been reached.
    nudged
        The name of a value whose nudge test was made.
    """

    at: str = ""
    edited: str = ""
    trained: int = 0
    loss_below: float | None = None
    nudged: str = ""


@dataclass(frozen=True)
class Screen:
    """What a page shows, whole: nothing of it depends on the pages before any more.

    Attributes
    ----------
    network
        A built-in network's name, one of the lesson's own, or a file beside the lesson.
    values
        Parameters and data that are given other values, by name.
    training
        Changes to the network's recipe, in the words of its ``[training]``.
    trained
        Iterations that are trained before the page begins.
    train
        Iterations that are trained while it is shown.
    iteration
        Where the timeline stands; None for the last one trained.
    at
        The place in it, such as ``backward A``; see :func:`graphs.staging.place`.
    highlight
        Nodes, edges (``A -> yhat``) and gradients (``d_A``) that are marked.
    hide
        What is hidden until it is revealed, by kind or by name.
    camera
        The nodes that are looked at; all where empty.
    actions
        What is started when the page is shown, by its key in `ACTIONS`.
    """

    network: str = ""
    seed: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    detail: Detail = Detail.EQUATION
    fault: str = ""
    trained: int = 0
    train: int = 0
    iteration: int | None = 0
    at: str = "start"
    highlight: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    docks: tuple[str, ...] = ()
    camera: tuple[str, ...] = ()
    actions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def started(self) -> tuple[str, ...]:
        """The docks that are open because of what is started."""
        return tuple(name for name in DOCKS if self.actions.get(name))


@dataclass(frozen=True)
class Page:
    """One page: its text, its screen, and what it asks for.

    Attributes
    ----------
    line
        Where it begins in the file, counted from 1.
    """

    title: str
    text: str
    screen: Screen
    notes: str = ""
    question: Question | None = None
    wait: Wait | None = None
    line: int = 0


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes
    ----------
    name
        The built-in name, or the file's name without its ending.
    networks
        The networks that the file itself brings along.
    lines
        Where the keys of the file stand.
    folder
        Where networks are looked for that are files, None for a built-in lesson.
    start
        What the first page begins with.
    """

    name: str
    title: str
    summary: str
    pages: tuple[Page, ...]
    networks: Mapping[str, Network] = field(default_factory=dict)
    lines: Mapping[Key, int] = field(default_factory=dict)
    folder: Path | None = None
    path: Path | None = None
    start: Screen = Screen()

    def network(self, page: int) -> Network:
        """Return the network of a page.

        Raises
        ------
        BackstepError
            Where it cannot be read.
        """
        name = self.pages[page].screen.network
        if name in self.networks:
            return self.networks[name]
        if self.folder is not None and name.endswith(".toml"):
            return reading.load(self.folder / name)
        return reading.load(name)

    def line(self, *keys: str | int) -> int:
        """Return the line of a key, or of the innermost table around it that has one; 1 where none has."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return self.lines[keys[:length]]
        return 1


# --- files -------------------------------------------------------------------------------------------------


@cache
def built_in_lessons() -> tuple[str, ...]:
    """Return the names of the built-in lessons in the order of the course."""
    folder = resources.files("graphs") / "lessons"
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_lesson(source: str | Path) -> Lesson:
    """Return a built-in lesson by name, by its number in the course, or the one in a file.

    Raises
    ------
    BackstepError
        Where there is none, or it cannot be read as one.
    """
    name = built_in_name(str(source))
    if name:
        return _built_in(name)
    path = _path_of(source)
    return read_lesson(text_of(path), name=path.stem, path=path.resolve())


def load_in_part(source: str | Path) -> tuple[Lesson | None, list[Misread]]:
    """Return a lesson as :func:`load_lesson` does, without what cannot be read in it, and what that is.

    Raises
    ------
    BackstepError
        Where there is none, or nothing of it can be read.
    """
    if built_in_name(str(source)):
        return load_lesson(source), []
    path = _path_of(source)
    return read_in_part(text_of(path), name=path.stem, path=path.resolve())


def _path_of(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix != ".toml" and not path.is_file():
        if str(source) in reading.built_in_names():
            how = f"Open it with backstep {source}."
            raise UsageError(f"{source} is a network, not a lesson.", how=how)
        sought = str(source)[:100]
        close = [name for name in built_in_lessons() if sought and sought in name]
        close = close or difflib.get_close_matches(sought, built_in_lessons(), 1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise UsageError(
            f"there is no lesson {excerpt(source)}.",
            how=f"{hint}Name a .toml file or one of: {', '.join(built_in_lessons())}.",
        )
    return path


@cache
def _built_in(name: str) -> Lesson:
    """Return a lesson of the course; the list of them asks for all, each time it is opened."""
    text = (resources.files("graphs") / "lessons" / f"{name}.toml").read_text("utf-8")
    return read_lesson(text, name=name)


def built_in_name(text: str) -> str:
    """Return the built-in lesson that a name or a number means, "" for none."""
    for name in built_in_lessons():
        number, _, words = name.partition("-")
        if text in (name, words) or (text.isdecimal() and number.isdecimal() and int(text) == int(number)):
            return name
    return ""


def text_of(path: Path) -> str:
    """Return the text of a lesson's file.

    Raises
    ------
    LessonError
        Where it cannot be read as text.
    """
    try:
        if not path.is_file() and path.exists():
            raise LessonError("this is not an ordinary file.", where=excerpt(path.name))
        if path.stat().st_size > LARGEST_FILE:
            raise LessonError("the file is larger than 2 MB.", where=excerpt(path.name), how="Split it.")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        what = f"this is {reading.signed(path)}." if reading.signed(path) else "the file is not UTF-8 text."
        how = "A lesson is a text file, saved as UTF-8."
        raise LessonError(what, where=excerpt(path.name), how=how) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "no such path").lower()
        raise LessonError(
            f"the file cannot be read ({reason}).", where=excerpt(path, 100), how="Check its name."
        ) from None


def following(before: Screen) -> Screen:
    """Return the screen of a page that says nothing: what stays, trained as far as it was left."""
    return replace(
        before,
        trained=before.trained + before.train,
        train=0,
        iteration=None if before.train else before.iteration,
        highlight=(),
        hide=(),
        actions={},
    )


def read_lesson(text: str, *, name: str = "lesson", path: Path | None = None) -> Lesson:
    """Return the lesson that a file's text says.

    Raises
    ------
    LessonError
        For anything that is not such a file; names file and line.
    """
    text, file = reading.plain(text), path.name if path is not None else f"{name}.toml"
    document = _document(text, file)
    _refuse_network(document, file)
    return _Reader(file, places(text)).lesson(document, name, path)


def _document(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise LessonError(
            f"the file is not valid TOML: {excerpt(error, 120)}.", where=file, how="Correct that place."
        ) from None


def _refuse_network(document: Mapping[str, Any], file: str) -> None:
    if "formula" in document and "page" not in document:
        raise LessonError(
            "this is a network, not a lesson.", where=file, how=f"Open it with backstep {excerpt(file)}."
        )


class Misread(NamedTuple):
    """Something in a lesson that cannot be read.

    Attributes
    ----------
    keys
        Where it stands: the keys on the way to it.
    """

    keys: Key
    error: LessonError


def read_in_part(
    text: str, *, name: str = "lesson", path: Path | None = None
) -> tuple[Lesson | None, list[Misread]]:
    """Return the lesson that a text says without what cannot be read in it, and what that is.

    The lesson is None where nothing is left of it.

    Raises
    ------
    LessonError
        Where the text is not TOML.
    """
    text, file = reading.plain(text), path.name if path is not None else f"{name}.toml"
    document, reader, found = _document(text, file), _Reader(file, places(text)), []
    _refuse_network(document, file)
    while len(found) < MOST_MISREAD:
        try:
            return reader.lesson(document, name, path), found
        except LessonError as error:
            found.append(Misread(reader.failed, error))
            rest = _without(document, reader.failed)
            if rest is None:
                break
            document = rest
    return None, found


def _without(document: Mapping[str, Any], keys: Key) -> dict[str, Any] | None:
    """Return a table without what stands at some keys, or with a title where that is missing there."""
    document = copy.deepcopy(dict(document))
    tables: list[Any] = [document]
    for key in keys[:-1]:
        table = tables[-1]
        is_there = key in table if isinstance(table, dict) else isinstance(table, list)
        if not is_there:
            break
        tables.append(table[key])
    whole = tables[-1][keys[-1]] if len(keys) == 2 and keys[0] == "page" else document
    is_page = len(keys) == 2 and isinstance(whole, dict)
    if keys == ("title",) or (is_page and not whole.get("title")):
        whole["title"] = "Untitled"
        return document
    if keys[2:] in (("question", "kind"), ("question", "choices")):
        keys = keys[:3]  # the answer means nothing without them
    if keys[2:3] == ("wait",) and isinstance(tables[-1], dict) and len(tables[-1]) == 1:
        keys = keys[:3]  # nothing else is waited for
    for depth in range(min(len(tables), len(keys)), 0, -1):
        table, key = tables[depth - 1], keys[depth - 1]
        if isinstance(table, dict) and key in table and key != "page":
            del table[key]
            return document
    return None


MOST_MISREAD = 100


# --- reading -----------------------------------------------------------------------------------------------

ACTIONS: Mapping[str, tuple[type, ...]] = {
    "nudge": (str,),  # the nudge test of a value, or of one entry: "W1[0,1]"
    "search": (int,),  # random search with so many evaluations
    "race": (list,),  # optimizers that race
    "landscape": (list,),  # the two entries that it is drawn over
    "sweep": (bool,),  # the step-size lab
    "microscope": (str,),  # contributions that arrive at a node, one by one
    "shelf": (bool, list),  # the stored activations, or which of them are worked out again
    "play": (bool,),  # steps are taken by themselves
}
"""What a page can start, and the kind of its value."""
_HEAD = {"title", "summary", "network", "seed", "networks", "page", "format"}
_STAYING = ("network", "seed", "set", "training", "detail", "fault", "docks", "camera", "at", "iteration")
_OWN = ("title", "text", "notes", "train", "highlight", "hide", "question", "wait")
_QUESTION = ("ask", "kind", "answer", "choices", "about", "tolerance", "hints", "explain")
_WAIT = ("at", "edited", "trained", "loss_below", "nudged")
_RECIPE = ("optimizer", "schedule", "batch_size", *OF_OPTIMIZERS, *OF_SCHEDULES, *OF_STOPPING)


class _Reader:
    """Reads the tables of a lesson; every error has file and line."""

    def __init__(self, file: str, lines: Mapping[Key, int]) -> None:
        self._file = file
        self._lines = lines
        self.failed: Key = ()
        """Where it failed last."""

    def fail(self, keys: Key, what: str, how: str = "") -> LessonError:
        self.failed = keys
        line = next((self._lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self._lines), None)
        return LessonError(what, where=f"{self._file}, line {line}" if line else self._file, how=how)

    def lesson(self, document: Mapping[str, Any], name: str, path: Path | None) -> Lesson:
        self.known((), document, sorted(_HEAD))
        if document.get("format", 1) != 1:
            raise self.fail(("format",), "this format is not known.", "Open it with a newer Backstep.")
        title = self.text((), document, "title", "")
        if not title:
            raise self.fail(("title",), "the lesson has no title.", 'Add title = "..." as its first line.')
        networks = self.networks(document)
        rows = document.get("page", [])
        if not isinstance(rows, list) or not rows:
            raise self.fail(("page",), "the lesson has no pages.", "Begin each with [[page]].")
        if len(rows) > MOST_PAGES:
            raise self.fail(
                ("page",), f"the lesson has more than {MOST_PAGES} pages.", "Make it two lessons."
            )
        start = Screen(network=self.text((), document, "network", ""), seed=self.seed((), document, 0))
        pages = self.pages(rows, start)
        folder = path.parent if path is not None else None
        summary = self.text((), document, "summary", "")
        return Lesson(name, title, summary, tuple(pages), networks, self._lines, folder, path, start)

    def networks(self, document: Mapping[str, Any]) -> dict[str, Network]:
        tables = document.get("networks", {})
        if not isinstance(tables, Mapping) or not all(isinstance(t, Mapping) for t in tables.values()):
            raise self.fail(
                ("networks",), "networks are tables.", "Write [networks.NAME], as a network's file."
            )
        return {name: self.network(name, table) for name, table in tables.items()}

    def network(self, name: str, table: Mapping[str, Any]) -> Network:
        try:
            return reading.of_table(table, name=name, where=f"networks.{name}")
        except BackstepError as error:
            raise self.fail(("networks", name), f"{error.where}: {error.what}", error.how) from None

    def pages(self, rows: list[Any], screen: Screen) -> list[Page]:
        found = []
        for number, row in enumerate(rows):
            keys: Key = ("page", number)
            if not isinstance(row, Mapping):
                raise self.fail(keys, "a page is not a table.", "Begin each with [[page]].")
            page = self.page(keys, row, screen)
            found.append(page)
            screen = page.screen
        return found

    def page(self, keys: Key, row: Mapping[str, Any], before: Screen) -> Page:
        self.known(keys, row, (*_OWN, *_STAYING, *ACTIONS))
        title, text = self.text(keys, row, "title", ""), self.text(keys, row, "text", "")
        if not title:
            raise self.fail(keys, "the page has no title.", 'Add title = "...".')
        return Page(
            title,
            text,
            self.screen(keys, row, before),
            self.text(keys, row, "notes", ""),
            self.question(keys, row),
            self.wait(keys, row),
            self._lines.get(keys, 0),
        )

    # --- the screen ---

    def screen(self, keys: Key, row: Mapping[str, Any], before: Screen) -> Screen:
        base = self.base(keys, row, before)
        train = self.whole((*keys, "train"), row.get("train", 0), 0, MOST_TRAINED)
        place = self.text(keys, row, "at", base.at)
        actions = {name: row[name] for name in ACTIONS if name in row}
        for name, value in actions.items():
            self.action((*keys, name), name, value)
        return replace(
            base,
            train=train,
            at=place,
            iteration=self.iteration(keys, row, base),
            highlight=self.words(keys, row, "highlight"),
            hide=self.words(keys, row, "hide"),
            docks=self.docks(keys, row, base.docks),
            camera=self.words(keys, row, "camera", base.camera),
            actions=actions,
        )

    def base(self, keys: Key, row: Mapping[str, Any], before: Screen) -> Screen:
        """Return what stays of the page before: the document, trained as far as it was."""
        base = following(before)
        if "network" in row:
            name = self.text(keys, row, "network", "")
            base = Screen(network=name, seed=0, docks=before.docks)
        if not base.network:
            raise self.fail(keys, "the page has no network.", 'Add network = "..." to it or at the top.')
        detail = self.text(keys, row, "detail", base.detail.value)
        if detail not in {d.value for d in Detail}:
            raise self.fail(
                (*keys, "detail"), f"there is no detail {excerpt(detail)}.", "equation or primitive."
            )
        found = replace(
            base,
            seed=self.seed(keys, row, base.seed),
            values={**base.values, **self.values(keys, row)},
            training=self.training(keys, row, base),
            detail=Detail(detail),
            fault=self.text(keys, row, "fault", base.fault),
        )
        is_same = all(getattr(found, n) == getattr(base, n) for n in ("seed", "values", "training", "fault"))
        return found if is_same else replace(found, trained=0, iteration=0)

    def values(self, keys: Key, row: Mapping[str, Any]) -> dict[str, Any]:
        table = row.get("set", {})
        if not isinstance(table, Mapping):
            raise self.fail((*keys, "set"), "set is not a table.", "Write set = { w = 1.0 }.")
        return dict(table)

    def training(self, keys: Key, row: Mapping[str, Any], before: Screen) -> Mapping[str, Any]:
        """Return the changes of the recipe; the range of each number is seen when it is put together."""
        if "training" not in row:
            return before.training
        table = row["training"]
        if not isinstance(table, Mapping):
            how = 'Write training = { optimizer = "adam" }.'
            raise self.fail((*keys, "training"), "training is not a table.", how)
        self.known((*keys, "training"), table, _RECIPE)
        return {**before.training, **table} if "optimizer" not in table else dict(table)

    def iteration(self, keys: Key, row: Mapping[str, Any], base: Screen) -> int | None:
        value = row.get("iteration", base.iteration)
        if value is None or value == "last":
            return None
        return self.whole((*keys, "iteration"), value, 0, MOST_TRAINED)

    def docks(self, keys: Key, row: Mapping[str, Any], before: tuple[str, ...]) -> tuple[str, ...]:
        found = self.words(keys, row, "docks", before)
        for name in found:
            if name not in DOCKS:
                known = ", ".join(DOCKS)
                raise self.fail(
                    (*keys, "docks"), f"there is no dock {excerpt(name)}.", f"There are: {known}."
                )
        return found

    def action(self, keys: Key, name: str, value: Any) -> None:
        kinds = ACTIONS[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            examples = {str: '"W1[0,0]"', int: "300", list: '["gd", "adam"]', bool: "true"}
            raise self.fail(keys, f"{name} cannot be {excerpt(value, 40)}.", f"Write {examples[kinds[0]]}.")
        if isinstance(value, list) and not all(isinstance(word, str) for word in value):
            raise self.fail(keys, f"{name} is not a list of names.", 'Write ["...", "..."].')

    # --- what is asked for ---

    def question(self, keys: Key, row: Mapping[str, Any]) -> Question | None:
        if "question" not in row:
            return None
        keys, table = (*keys, "question"), row["question"]
        if not isinstance(table, Mapping):
            raise self.fail(keys, "a question is a table.", "Write [page.question].")
        self.known(keys, table, _QUESTION)
        kind = self.text(keys, table, "kind", "number")
        if kind not in KINDS:
            raise self.fail(
                (*keys, "kind"), f"there is no kind {excerpt(kind)}.", f"There are: {', '.join(KINDS)}."
            )
        answer, ask = table.get("answer", ""), self.text(keys, table, "ask", "")
        answer = str(answer) if isinstance(answer, int | float) else answer
        if not isinstance(answer, str) or not answer or not ask:
            raise self.fail(
                keys,
                "the question lacks ask or answer.",
                "Give both: what is asked (ask) and what is right (answer).",
            )
        choices = self.words(keys, table, "choices")
        if (kind == "choice") != bool(choices) or (choices and answer not in choices):
            how = "List the choices, the right one among them, word for word."
            raise self.fail((*keys, "choices"), "the answer is not among the choices.", how)
        return Question(
            ask,
            kind,
            answer,
            choices,
            self.text(keys, table, "about", ""),
            self.number((*keys, "tolerance"), table.get("tolerance", 1e-3)),
            self.words(keys, table, "hints"),
            self.text(keys, table, "explain", ""),
        )

    def wait(self, keys: Key, row: Mapping[str, Any]) -> Wait | None:
        if "wait" not in row:
            return None
        keys, table = (*keys, "wait"), row["wait"]
        if not isinstance(table, Mapping) or not table:
            raise self.fail(keys, "wait is not a table.", 'Write wait = { at = "backward W1" }.')
        self.known(keys, table, _WAIT)
        below = table.get("loss_below")
        return Wait(
            self.text(keys, table, "at", ""),
            self.text(keys, table, "edited", ""),
            self.whole((*keys, "trained"), table.get("trained", 0), 0, MOST_TRAINED),
            None if below is None else self.number((*keys, "loss_below"), below),
            self.text(keys, table, "nudged", ""),
        )

    # --- values ---

    def known(self, keys: Key, table: Mapping[str, Any], names: Any) -> None:
        for key in table:
            if key not in names:
                if len(keys) == 3 and key in (*_OWN, *_STAYING, *ACTIONS):
                    how = f"It belongs to the page: write it before [page.{keys[2]}]."
                    raise self.fail((*keys, key), f"a {keys[2]} has no key {key}.", how)
                close = difflib.get_close_matches(key[:100], list(names), 1)
                hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names)}."
                raise self.fail((*keys, key), f"there is no key {excerpt(key)}.", hint)

    def text(self, keys: Key, table: Mapping[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self.fail((*keys, key), f"{key} is not text.", "Write it in quotation marks.")
        return value

    def words(
        self, keys: Key, table: Mapping[str, Any], key: str, default: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        value = table.get(key, default)
        words = (value,) if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise self.fail((*keys, key), f"{key} is not a list of texts.", f'Write {key} = ["..."].')
        return tuple(words)

    def whole(self, keys: Key, value: Any, low: int, high: int) -> int:
        if type(value) is not int or not low <= value <= high:
            what = f"{keys[-1]} cannot be {excerpt(value, 30)}."
            raise self.fail(keys, what, f"It is a whole number from {low} to {high}.")
        return value

    def number(self, keys: Key, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
            raise self.fail(keys, f"{keys[-1]} is not a number.", f"Write {keys[-1]} = 0.1.")
        return float(value)

    def seed(self, keys: Key, table: Mapping[str, Any], before: int) -> int:
        return self.whole((*keys, "seed"), table.get("seed", before), 0, 2**63)


def recipe_for(lesson: Lesson, page: int, network: Network) -> Recipe:
    """Return how a page's network is trained.

    Raises
    ------
    LessonError
        For hyperparameters that cannot be, with the page's line.
    """
    try:
        return trained_as(network.training.recipe, lesson.pages[page].screen.training)
    except TrainingError as error:
        line = lesson.line("page", page, "training")
        raise LessonError(error.what, where=f"{lesson.name}.toml, line {line}", how=error.how) from None


def trained_as(recipe: Recipe, given: Mapping[str, Any]) -> Recipe:
    """Return a recipe with what a page says of it.

    Raises
    ------
    TrainingError
        For hyperparameters that cannot be.
    """
    for name in (name for name, value in given.items() if value == NONE):
        recipe = _lacking(recipe, name)
    return changed(recipe, {name: value for name, value in given.items() if value != NONE})


def _lacking(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe without mini-batches, or without one of the rules by which a run stops."""
    if name == "batch_size":
        return replace(recipe, batch_size=None)
    if name not in OF_STOPPING:
        raise TrainingError(f"{name} cannot be none.", how="Give its value, or leave it out.")
    return replace(recipe, stopping=replace(recipe.stopping, **{OF_STOPPING[name]: None}))
