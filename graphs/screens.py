"""What a page has to say so that it shows a screen: from what is shown to the keys of a lesson's file.

What a page says of network, values, training, place and panels holds until a later page says otherwise. So
what it has to say depends on the page before: :func:`row_of` gives the least that makes the screen whole.
:func:`shot` is the way from a window, or from anything else that has a :class:`~graphs.snapshot.Snapshot`, to
a :class:`~graphs.lesson.Screen`; networks that no lesson can name are carried along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.errors import BackstepError, LessonError
from engine.faults import FaultAt, Stage, fault_of
from engine.graph import Graph
from engine.trace import Phase, Trace
from engine.training import Recipe
from graphs.definition import Array, FileData, Network
from graphs.lesson import LARGEST_FILE, NONE, Screen, following, read_in_part, trained_as
from graphs.lessontext import LessonText
from graphs.network import bind, complete, literal
from graphs.reading import built_in, built_in_names
from graphs.recipes import OF_STOPPING, table_of
from graphs.snapshot import Snapshot
from graphs.staging import fault_place, place
from graphs.writing import dumps, is_said_alike

__all__ = [
    "STAYING",
    "Looks",
    "Shot",
    "fault_text",
    "is_place_alike",
    "is_shown_alike",
    "place_text",
    "row_of",
    "settled",
    "shot",
]

STAYING = (
    *("network", "seed", "set", "training", "detail", "fault", "docks", "camera", "at", "iteration"),
    "train",
)
"""The keys of a page that depend on the page before."""


# --- from a screen to keys ---------------------------------------------------------------------------------


def row_of(wanted: Screen, before: Screen, *, starts: bool = False) -> dict[str, Any]:
    """Return what a page has to say so that it shows a screen.

    Parameters
    ----------
    before
        The screen of the page before; of the first page one with the head's network and seed.
    starts
        Whether it is the first page.
    """
    base = before if starts else following(before)
    row: dict[str, Any] = {}
    if _begins_anew(wanted, base):
        row["network"] = wanted.network
        base = Screen(network=wanted.network, docks=base.docks)
    for key, value in _differing(wanted, base):
        row[key] = value
    if row.keys() & {"seed", "set", "training", "fault"}:
        base = replace(base, trained=0, iteration=0)
    row |= _times(wanted, base)
    if wanted.highlight:
        row["highlight"] = list(wanted.highlight)
    if wanted.hide:
        row["hide"] = list(wanted.hide)
    return row | dict(wanted.actions)


def _begins_anew(wanted: Screen, base: Screen) -> bool:
    """Say whether the page has to name its network, so that nothing of the one before holds any more."""
    if wanted.network != base.network or any(name not in wanted.values for name in base.values):
        return True
    if "optimizer" not in wanted.training and any(k not in wanted.training for k in base.training):
        return True
    is_same = all(
        _same(getattr(wanted, n), getattr(base, n)) for n in ("seed", "values", "training", "fault")
    )
    return is_same and wanted.trained + wanted.train < base.trained


def _differing(wanted: Screen, base: Screen) -> Iterator[tuple[str, Any]]:
    if wanted.seed != base.seed:
        yield "seed", wanted.seed
    values = {n: v for n, v in wanted.values.items() if not _same(base.values.get(n), v)}
    if values:
        yield "set", values
    if not _same(wanted.training, base.training):
        more = {k: v for k, v in wanted.training.items() if base.training.get(k) != v}
        yield "training", dict(wanted.training) if "optimizer" in wanted.training else more
    if wanted.detail != base.detail:
        yield "detail", wanted.detail.value
    for key in ("fault", "at"):
        if getattr(wanted, key) != getattr(base, key):
            yield key, getattr(wanted, key)
    for key in ("docks", "camera"):
        if getattr(wanted, key) != getattr(base, key):
            yield key, list(getattr(wanted, key))


def _times(wanted: Screen, base: Screen) -> dict[str, Any]:
    """Return what is said of iterations: how many are trained, and which one is shown."""
    total, iteration = wanted.trained + wanted.train, wanted.iteration
    if wanted.trained != base.trained and iteration is None:
        iteration = wanted.trained
    found: dict[str, Any] = {}
    if total > base.trained:
        found["train"] = total - base.trained
    if iteration != base.iteration:
        found["iteration"] = "last" if iteration is None else iteration
    return found


def _same(a: Any, b: Any) -> bool:
    return a == b and repr(a) == repr(b)  # 1 and 1.0 and True are said differently


def is_place_alike(a: Screen, b: Screen) -> bool:
    """Say whether two screens show the same numbers at the same place, whatever is marked, hidden or open."""
    return _placed(a) == _placed(b)


def _placed(screen: Screen) -> Screen:
    bare = replace(_shown(screen), train=0, highlight=(), hide=(), docks=(), camera=(), actions={})
    return bare if bare.iteration else replace(bare, training={})  # how it would go on does not show yet


def is_shown_alike(a: Screen, b: Screen) -> bool:
    """Say whether two screens show the same, however they have come to be trained so far."""
    return _shown(a) == _shown(b)


def _shown(screen: Screen) -> Screen:
    iteration = screen.trained if screen.iteration is None else screen.iteration
    values = {name: repr(value) for name, value in screen.values.items()}
    total = screen.trained + screen.train
    return replace(screen, values=values, trained=0, train=total, iteration=iteration)


# --- from what is shown to a screen ------------------------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """A screen as a lesson can say it.

    Attributes
    ----------
    carried
        The text of the network's file where the lesson has to bring it along, "" where it need not.
    """

    screen: Screen
    carried: str = ""


@dataclass(frozen=True)
class Looks:
    """What is shown beside a place on the timeline, as in a :class:`~graphs.lesson.Screen`."""

    highlight: Sequence[str] = ()
    hide: Iterable[str] = ()
    docks: Sequence[str] = ()
    camera: Sequence[str] = ()
    actions: Mapping[str, Any] = field(default_factory=dict)


def shot(snapshot: Snapshot, looks: Looks, networks: Mapping[str, Network]) -> Shot:
    """Return what is on the screen, as a lesson can say it.

    Parameters
    ----------
    networks
        The networks that the lesson has already.

    Raises
    ------
    BackstepError
        For data that cannot be read any more, or are too large to be carried by a lesson.
    """
    network = _self_contained(snapshot.model.network, snapshot.model.seed)
    name = _name_of(network, networks)
    carried = ""
    if not name:
        name, carried = _fresh_name(network.name, networks), dumps(network)
        if len(carried) > LARGEST_FILE // 2:
            raise LessonError(
                f"the network has too many numbers for a lesson: {len(carried) // 1024} kB.",
                how="Choose fewer rows of its data.",
            )
    run, fault = snapshot.run, fault_of(snapshot.run)
    is_rate = fault is not None and fault.fault.stage == Stage.RATE  # which the recipe has already
    screen = Screen(
        network=name,
        seed=snapshot.model.seed,
        values=_values(network, snapshot),
        training=_training(network.training.recipe, snapshot.recipe),
        detail=snapshot.detail,
        fault="" if fault is None or is_rate else fault_text(fault, snapshot.model.graph),
        train=run.iteration if run is not None else 0,
        iteration=snapshot.iteration,
        at=place_text(snapshot.position, snapshot.trace),
        highlight=tuple(looks.highlight),
        hide=tuple(sorted(looks.hide)),
        docks=tuple(looks.docks),
        camera=tuple(looks.camera),
        actions=dict(looks.actions),
    )
    return Shot(screen, carried)


def _self_contained(network: Network, seed: int) -> Network:
    """Return a network whose data are in it, or come with Backstep."""
    if isinstance(network.data, FileData) and complete(network).attached:
        return literal(network, seed)
    return network


def _name_of(network: Network, networks: Mapping[str, Network]) -> str:
    """Return by which name a lesson can use a network already, "" for none."""
    for name, own in networks.items():
        if is_said_alike(own, network):
            return name
    is_built_in = network.name in built_in_names() and network.name not in networks
    return network.name if is_built_in and is_said_alike(built_in(network.name), network) else ""


def _fresh_name(name: str, networks: Mapping[str, Network]) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "network"
    taken, found, number = {*networks, *built_in_names()}, name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def _values(network: Network, snapshot: Snapshot) -> dict[str, Any]:
    """Return what has been given another value by hand than it has anyway."""
    if not snapshot.overrides:
        return {}
    try:
        natural = bind(network, seed=snapshot.model.seed).leaves
    except BackstepError:  # it is these values that make it fit
        natural = {}
    found = {}
    for name, value in snapshot.overrides.items():
        array = np.asarray(value, dtype=float)
        own = natural.get(name)
        if own is None or own.shape != array.shape or own.tobytes() != array.tobytes():
            found[name] = _literal(array)
    return found


def _literal(array: Array) -> Any:
    """Return an array as a file writes it: a number, a row, or rows."""
    if array.ndim == 2 and array.shape[0] == 1 and array.shape[1] > 1:
        return array[0].tolist()
    return array.tolist()


def _training(own: Recipe, recipe: Recipe) -> dict[str, Any]:
    """Return what a page says of training, where the network is trained otherwise by itself."""
    before, after = table_of(own), table_of(recipe)
    said = {**recipe.settings, **recipe.schedule_settings, **after}
    if recipe.optimizer == own.optimizer and recipe.schedule == own.schedule:
        names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    else:
        names = [
            n
            for n in {"optimizer": 0, **after, **before}
            if n == "optimizer" or before.get(n) != after.get(n)
        ]
    gone = ("batch_size", *OF_STOPPING)
    found = {n: said.get(n, NONE) for n in names if n in said or n in gone}
    whole = {**found, **recipe.settings, **recipe.schedule_settings}
    return found if trained_as(own, found) == recipe else whole


def settled(text: LessonText, wanted: Sequence[Screen]) -> LessonText:
    """Return a lesson's text in which every page shows what it is to show, whatever stands before it.

    Raises
    ------
    LessonError
        Where nothing of the text can be read.
    """
    for number, screen in enumerate(wanted):
        lesson, _ = read_in_part(text.text)
        if lesson is None:
            return text
        if not is_shown_alike(lesson.pages[number].screen, screen):
            before = lesson.pages[number - 1].screen if number else lesson.start
            text = text.with_row(number, row_of(screen, before, starts=not number), STAYING)
    return text


def fault_text(fault: FaultAt, graph: Graph) -> str:
    """Return a fault as a page says it, in the fewest words."""
    wanted = fault.place(graph)
    words = [fault.name]
    if wanted.node:
        words += [f"{fault.name} at {wanted.node}", f"{fault.name} at {wanted.node} use {wanted.slot + 1}"]
    return next(text for text in words if fault_place(text, graph)[1] == wanted)


def place_text(position: int, trace: Trace) -> str:
    """Return a place on the timeline as a page says it: in words where these lead there."""
    if position in (0, len(trace.steps)):
        return "end" if position else "start"
    step = trace.steps[position - 1]
    words: dict[Phase, list[str]] = {
        Phase.FORWARD: [f"forward {step.node}"],
        Phase.SEED: ["seed"],
        Phase.BACKWARD: [f"backward {step.target}", f"backward {step.node} -> {step.input}"],
        Phase.UPDATE: [f"update {step.node} {step.quantity}".removesuffix(" value")],
    }
    for text in words[step.phase]:
        try:
            if place(text, trace) == position:
                return text
        except LessonError:  # a name that the words do not take
            continue
    return str(position)
