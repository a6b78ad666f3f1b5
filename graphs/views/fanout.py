"""The fan-out microscope: the contributions to one gradient, as they arrive one by one.

What is used several times gets a contribution for each use, and its gradient is their sum. Beside the sum
stands what would be left if each contribution took the place of the one before: ``=`` instead of ``+=``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import BackstepError
from engine.graph import Detail
from engine.nudge import AnyNudge, Verdict, nudge_any
from engine.trace import Phase, Step, Trace
from graphs.views.curtain import asked
from graphs.views.frame import Frame, Statics
from graphs.views.records import Array, EdgeKey
from graphs.wording import capital, counted, listed

__all__ = ["Arrival", "FanOut", "Judged", "fan_out", "fan_out_subject", "fan_outs", "judged"]

EPSILON = 1e-4
TOLERANCE = 1e-5
ROUNDED = 4 * float(np.finfo(float).eps)
"""What rounding may change of a loss, relative to it."""
MOST_NAMED = 3
"""Values with several uses that are said by name."""
_ALL = {2: "Both"}
NOTHING_ADDED = "Every value of this network is used once: nothing is added up."


@dataclass(frozen=True, eq=False)
class Arrival:
    r"""One contribution.

    Attributes
    ----------
    number
        Its place among the contributions, from 1.
    position
        Where the timeline stands when it has just arrived.
    edge
        The wire it comes along: the value, the node that uses it, and which use.
    equation
        LaTeX with the factor in ``\textcolor{factor}``; "=" for the first, "+=" for the others; "" where a
        line is too long to be written out.
    way
        What the gradient goes through, in words.
    state
        "done", "current" or "future".
    contribution, total
        What arrives, and the sum with all before it; None in the future, and while they are hidden.
    """

    number: int
    position: int
    edge: EdgeKey
    equation: str
    way: str
    state: str
    contribution: Array | None = None
    total: Array | None = None

    @property
    def current(self) -> bool:
        """Whether it arrives at this step."""
        return self.state == "current"

    @property
    def done(self) -> bool:
        """Whether it has arrived."""
        return self.state == "done"

    @property
    def phase(self) -> str:
        """The phase in which it arrives."""
        return Phase.BACKWARD.value


@dataclass(frozen=True, eq=False)
class FanOut:
    """The gradient of one value under the microscope.

    Attributes
    ----------
    name, words, title
        The value; in words; the LaTeX of its gradient.
    arrivals
        None at all where there is nothing to add up: then `note` says what to look at instead.
    arrived
        How many have.
    sentence, note
        What is there, and what else there is to know; the note is "" for nothing.
    total, last
        The gradient as it stands: added up, and with each contribution in the place of the one before.
    left
        What nobody has reset before the backward pass; None for nothing.
    index
        The entry whose numbers are said.
    is_hidden
        Whether the numbers are to be predicted first.
    scale
        The largest size of a finite number among what has arrived and the sums.
    """

    name: str
    words: str
    title: str
    shape: str
    dims: str
    arrivals: tuple[Arrival, ...] = ()
    arrived: int = 0
    sentence: str = ""
    note: str = ""
    total: Array | None = None
    last: Array | None = None
    left: Array | None = None
    index: tuple[int, ...] = ()
    is_hidden: bool = False
    scale: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether all contributions have arrived."""
        return bool(self.arrivals) and self.arrived == len(self.arrivals)

    @property
    def missing(self) -> Array | None:
        """What is lost where contributions take each other's place; None before there is any."""
        return None if self.total is None or self.last is None else self.total - self.last


@dataclass(frozen=True)
class Judged:
    """What the nudge test says of one entry, added up and overwritten.

    Attributes
    ----------
    slope
        The slope of the loss, found without any chain rule.
    total, last
        The entry with ``+=``, and with ``=``.
    total_passes, last_passes
        Whether the nudge test agrees with each; None where it cannot tell.
    """

    slope: float
    total: float
    last: float
    total_passes: bool | None
    last_passes: bool | None


def fan_outs(statics: Statics) -> tuple[str, ...]:
    """Return the values with several uses on the way to the loss, from the loss back."""
    found = statics.kept.get("fan-outs")
    if found is None:
        expected = statics.expected
        found = tuple(name for name in reversed(statics.names) if expected.get(name, 0) > 1)
        statics.kept["fan-outs"] = found
    return found


def fan_out_subject(frame: Frame, selection: str | EdgeKey | None) -> str:
    """Return which value is looked at: the selected one, what a step contributes to, or the first there is.

    Of an edge it is the value that the edge comes from; "" where no value has several uses.
    """
    named = selection[0] if isinstance(selection, tuple) else selection
    if named in frame.statics.titles:
        return str(named)
    step, found = frame.step, fan_outs(frame.statics)
    if step is not None and step.phase == Phase.BACKWARD and frame.statics.expected.get(step.target, 0) > 1:
        return step.target
    return found[0] if found else ""


def fan_out(frame: Frame, name: str) -> FanOut:
    """Return what the microscope shows of a value's gradient at a frame; "" for no value."""
    if not name:
        steps = [step for step in frame.trace.steps if step.phase == Phase.BACKWARD]
        note = f"{NOTHING_ADDED} {_summed_inside(frame, steps)}".rstrip()
        return FanOut("", "", "", "", "", note=note)
    statics = frame.statics
    shape, dims = statics.shapes_of(name)
    title = statics.derivation.gradient_latex(name)
    whole = FanOut(name, statics.wording.name(name), title, shape, dims)
    steps = _steps(statics, frame.trace, name)
    if len(steps) < 2:
        return replace(whole, note=_nothing_to_add(frame, name, steps))
    return _filled(frame, whole, steps)


def _filled(frame: Frame, whole: FanOut, steps: Sequence[Step]) -> FanOut:
    arrived = frame.arrived(whole.name)
    left = steps[0].before
    hidden = frame.curtain.hides_gradient(whole.name)
    sums, sizes = _sums(frame, whole.name, steps)
    arrivals = _arrivals(frame, whole.name, steps, [] if hidden else sums, arrived)
    sums = sums[:arrived]
    total, last = (sums[-1], steps[arrived - 1].contribution) if arrived and not hidden else (None, None)
    return replace(
        whole,
        arrivals=arrivals,
        arrived=arrived,
        sentence=_sentence(arrived, len(steps)),
        note=_note(frame, whole.name, steps, left),
        total=total,
        last=last,
        left=left,
        index=_index(frame, steps, sums),
        is_hidden=hidden and arrived > 0,
        scale=sizes[arrived - 1] if arrived else 0.0,
    )


def _steps(statics: Statics, trace: Trace, name: str) -> list[Step]:
    return [trace.steps[index] for index in statics.arrivals(trace, name)]


def _sums(frame: Frame, name: str, steps: Sequence[Step]) -> tuple[Sequence[Array], Sequence[float]]:
    """Return the running sums, and the largest finite size of a number up to each.

    They are added in the order of the steps: so they are the gradient to the last bit.
    """
    known = frame.statics.kept.get("running sums")
    if known is None or known[0] is not frame.trace or known[1] != name:
        sums: list[Array] = []
        sizes: list[float] = []
        held, largest = steps[0].before, 0.0
        for step in steps:
            assert step.contribution is not None
            held = step.contribution if held is None else held + step.contribution
            largest = max(largest, _largest(step.contribution), _largest(held))
            sums.append(held)
            sizes.append(largest)
        known = frame.statics.kept["running sums"] = (frame.trace, name, (sums, sizes))
    return known[2]


def _largest(array: Array) -> float:
    sizes = np.abs(array)
    return float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))


def _arrivals(
    frame: Frame, name: str, steps: Sequence[Step], sums: Sequence[Array], arrived: int
) -> tuple[Arrival, ...]:
    """Return the contributions; those that did not change since the last step are the same objects."""
    known, key = frame.statics.kept.get("arrivals"), (name, frame.curtain)
    if known is None or known[0] is not frame.trace or known[1] != key:
        rows = enumerate(zip(steps, sums or [None] * len(steps), strict=True), 1)
        done = [_arrival(frame, step, number, total) for number, (step, total) in rows]
        future = [_in_future(frame, row) for row in done]
        known = frame.statics.kept["arrivals"] = (frame.trace, key, done, future)
    done, future = known[2:]
    found = [*done[:arrived], *future[arrived:]]
    if arrived and steps[arrived - 1].index == frame.position - 1:
        found[arrived - 1] = replace(found[arrived - 1], state="current")
    return tuple(found)


def _in_future(frame: Frame, row: Arrival) -> Arrival:
    """Return a contribution before it arrives: without numbers, and without its way where that is asked."""
    hides, mark = frame.curtain.ahead, frame.curtain.mark
    changes = {"equation": row.equation and asked(row.equation, mark), "way": ""} if hides else {}
    return replace(row, state="future", contribution=None, total=None, **changes)


def _index(frame: Frame, steps: Sequence[Step], sums: Sequence[Array]) -> tuple[int, ...]:
    """Return the entry that is said: the chosen one, or else the one where overwriting loses most."""
    array, chosen = steps[0].after, frame.entry
    fits = chosen is not None and len(chosen) == array.ndim
    if (
        chosen is not None
        and fits
        and all(0 <= i < size for i, size in zip(chosen, array.shape, strict=True))
    ):
        return chosen
    if len(sums) < 2 or not array.ndim:
        return (0,) * array.ndim
    last = steps[len(sums) - 1].contribution
    with np.errstate(all="ignore"):
        lost = np.nan_to_num(np.abs(sums[-1] - last), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(lost)), array.shape))


def _arrival(frame: Frame, step: Step, number: int, total: Array | None) -> Arrival:
    node, slot = step.node, int(step.slot or 0)
    is_first = number == 1 and step.before is None
    hides = frame.curtain.hides_factor(step)
    equation = frame.statics.backward(node, slot, not is_first)
    text = equation.coloured if equation is not None else ""
    return Arrival(
        number=number,
        position=step.index + 1,
        edge=(step.target, node, slot),
        equation=asked(text, frame.curtain.mark) if hides and text else text,
        way="" if hides else _way(frame, step),
        state="done",
        contribution=step.contribution if total is not None else None,
        total=total,
    )


def _way(frame: Frame, step: Step) -> str:
    """Say along which path it comes: "The gradient of b passes on unchanged."."""
    ways: dict[tuple[str, int], str] = frame.statics.kept.setdefault("ways", {})
    key = (step.node, int(step.slot or 0))
    if key not in ways:
        wording = frame.statics.wording
        try:
            way = wording.on_the_way(*key)
        except BackstepError:
            way = "goes back through a line that is too long to be written out"
        ways[key] = f"The gradient of {wording.name(step.node)} {way}."
    return ways[key]


# --- words -------------------------------------------------------------------------------------------------


def _sentence(arrived: int, count: int) -> str:
    if not arrived:
        return f"{count} contributions are to come, one a use."
    if arrived < count:
        has = "has" if arrived == 1 else "have"
        return f"{arrived} of {count} {has} arrived: a part of the gradient."
    return f"{_ALL.get(count, f'All {count}')} have arrived: the gradient is their sum."


def _note(frame: Frame, name: str, steps: Sequence[Step], left: Array | None) -> str:
    said = []
    if left is not None:
        said.append("The sum begins with the gradient that nobody has reset.")
    if any(step.index in frame.faulty for step in steps) and left is None:
        said.append("The fault that was put in is done here: the card shows what it makes of them.")
    if "shapes" not in frame.curtain.names and not _hides_any(frame, steps):
        sums: dict[str, str] = frame.statics.kept.setdefault("sums", {})
        if name not in sums:
            sums[name] = _summed(frame, steps)
        said.append(sums[name])
    return " ".join(filter(None, said))


def _hides_any(frame: Frame, steps: Sequence[Step]) -> bool:
    """Say whether the factor of any of these steps is still to be found out."""
    return any(frame.curtain.hides_reading(step, frame.position) for step in steps)


def _summed(frame: Frame, steps: Sequence[Step]) -> str:
    """Say that contributions are sums over the examples themselves, and where that sum stands."""
    count = sum(_sums_examples(frame, step) for step in steps)
    examples = frame.trace.graph.examples
    if not count or not examples or examples < 2:
        return ""
    if len(steps) == 1:
        which = "That contribution is"
    else:
        which = "Each contribution is" if count == len(steps) else f"{count} of the contributions are"
    sums = "sums" if which.endswith("are") else "a sum"
    return f"{which} {sums} over the {examples} examples already."


def _summed_inside(frame: Frame, steps: Sequence[Step]) -> str:
    """Say where the sums over the examples are in a network without fan-outs."""
    examples = frame.trace.graph.examples
    if not examples or examples < 2 or not any(_sums_examples(frame, step) for step in steps):
        return ""
    if _hides_any(frame, steps):
        return ""
    return f"The sums over the {examples} examples are part of the factors."


def _sums_examples(frame: Frame, step: Step) -> bool:
    """Say whether the examples' axis goes on the way from a node to one of the values that it uses."""
    graph = frame.trace.graph
    if any(dim.examples for dim in graph[step.target].dims):
        return False
    node = graph[step.node]
    if frame.statics.detail == Detail.PRIMITIVE:
        return any(dim.examples for dim in node.dims)
    path = graph.line_by_name[step.node].uses[int(step.slot or 0)].path
    return any(dim.examples for node_id, _ in path for dim in graph.nodes[node_id].dims)


def _nothing_to_add(frame: Frame, name: str, steps: Sequence[Step]) -> str:
    """Say why nothing is added up at a value, and what to select instead."""
    words = capital(frame.statics.wording.name(name))
    if name == frame.trace.graph.loss:
        why = f"{words} is where backward starts."
    elif not steps:
        why = f"The loss does not depend on {words}."
    else:
        why = f"{words} is used once: that one contribution is its whole gradient."
    found = fan_outs(frame.statics)
    if not found:
        instead = "No value of this network is used more than once."
    else:
        named = [frame.statics.wording.name(n) for n in found[:MOST_NAMED]]
        rest = len(found) - len(named)
        more = [counted(rest, "other value")] if rest else []
        instead = f"Select a value with several uses: {listed([*named, *more]).replace(' and ', ' or ')}."
    sums = _summed(frame, steps) if steps and not _hides_any(frame, steps) else ""
    return " ".join(filter(None, (why, sums, instead)))


# --- the nudge test ----------------------------------------------------------------------------------------


def judged(frame: Frame, fan: FanOut) -> Judged | None:
    """Return what the nudge test says of the chosen entry; None before everything has arrived.

    It works the loss out several times, which is not for every frame of a large network.
    """
    if not fan.is_complete or fan.total is None or fan.last is None:
        return None
    right, wrong = (_nudged(frame.trace, fan, array) for array in (fan.total, fan.last))
    return Judged(right.numeric, right.backpropagated, wrong.backpropagated, _passes(right), _passes(wrong))


def _nudged(trace: Trace, fan: FanOut, gradient: Array) -> AnyNudge:
    """Nudge an entry, large ones by more: next to them a small ε would be lost by rounding."""
    claimed = replace(trace, gradients={**trace.gradients, fan.name: gradient})
    value = float(trace.arrays[trace.graph.ids[fan.name]][fan.index])
    epsilon = EPSILON * max(1.0, abs(value)) if np.isfinite(value) else EPSILON
    return nudge_any(claimed, fan.name, fan.index, epsilon)


def _passes(nudge: AnyNudge) -> bool | None:
    """Say whether a slope and a gradient are the same, None where rounding or a kink hides it."""
    if nudge.verdict in (Verdict.NOT_FINITE, Verdict.KINK, Verdict.UNCLEAR):
        return None
    return nudge.verdict != Verdict.DISAGREE
