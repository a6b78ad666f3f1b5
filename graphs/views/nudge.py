"""What is said of a nudge: the entry, the loss before and after, both slopes, and a verdict in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.names import entry_text
from engine.nudge import AnyNudge, Verdict
from engine.trace import Phase
from graphs.views.frame import Frame
from graphs.views.numbers import format_number, signed
from graphs.views.words import plain

__all__ = ["NudgeView", "moved_texts", "nudge_view"]

DIGITS = 10
VERDICTS = {
    Verdict.AGREE: "They agree.",
    Verdict.CURVED: "They differ because the loss is curved over so large an ε: a smaller one agrees.",
    Verdict.ROUNDING: "They differ by rounding: ε is so small that few digits of the change are left.",
    Verdict.KINK: "There is a kink here: the slopes on its two sides differ, the gradient is between.",
    Verdict.DISAGREE: "They do not agree: the gradient is wrong here.",
    Verdict.UNCLEAR: "Nothing can be said: beside so large numbers, a change over ε leaves too few digits.",
    Verdict.NOT_FINITE: "A number here is not finite, so there is no slope to compare with.",
    Verdict.NO_INFLUENCE: "The loss does not depend on it: both are zero.",
}
ROWS = ("loss as it is", "with + ε", "with − ε", "slope, ΔL / 2ε", "gradient", "relative error")
UNKNOWN = "—"
BEFORE = "Loss and gradient are those of this iteration, before its update."
FINE = (Verdict.AGREE, Verdict.NO_INFLUENCE, Verdict.KINK)


@dataclass(frozen=True)
class NudgeView:
    """A nudge in words.

    Attributes
    ----------
    title
        Which number is moved, and by how much.
    note
        What is to be known about the place on the timeline, "" for nothing.
    rows
        Words and a number each; a dash for what lies in the future.
    moved
        Each node that moves with it as far as it is known, and its largest change.
    verdict, passed
        How slope and gradient compare, and whether that is as it should be; what is missing to compare them.
    """

    title: str
    note: str
    rows: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, str], ...]
    verdict: str
    passed: bool
    epsilon: float


def nudge_view(frame: Frame) -> NudgeView | None:
    """Return what is said of the nudge at a frame, None where nothing is nudged."""
    nudge = frame.nudge
    if nudge is None:
        return None
    has_loss, has_gradient = _knows_loss(frame), _knows_gradient(frame, nudge.name)
    numbers = dict(_rows(nudge))
    known = {*(ROWS[:4] if has_loss else ()), *(ROWS[4:5] if has_gradient else ())}
    known |= {ROWS[5]} if has_loss and has_gradient else set()
    return NudgeView(
        title=_title(frame, nudge),
        note=BEFORE if frame.step is not None and frame.step.phase == Phase.UPDATE else "",
        rows=tuple((row, numbers[row] if row in known else UNKNOWN) for row in ROWS),
        moved=tuple(_moved(frame, nudge)),
        verdict=VERDICTS[nudge.verdict] if ROWS[5] in known else _missing(frame, nudge.name, has_loss),
        passed=nudge.verdict in FINE or ROWS[5] not in known,
        epsilon=nudge.epsilon,
    )


def _knows_loss(frame: Frame) -> bool:
    return frame.trace.graph.loss in frame.values


def _knows_gradient(frame: Frame, name: str) -> bool:
    """Say whether the whole gradient has arrived; that of a node without influence is known with the loss."""
    expected = frame.statics.expected.get(name, 0)
    if frame.trace.graph.ids[name] not in frame.trace.graph.on_loss_path:
        return _knows_loss(frame)
    return name in frame.gradients and frame.arrived(name) >= expected


def _title(frame: Frame, nudge: AnyNudge) -> str:
    name = f"{plain(frame, nudge.name)}{entry_text(nudge.index)}"
    if nudge.name not in frame.values:
        return f"{name}, which is not computed yet, moves by ε."
    before = frame.trace.values.get(nudge.name)
    is_updated = before is not None and frame.values[nudge.name] is not before
    old = " before the update" if is_updated else ""
    return f"{name} = {format_number(nudge.value, 6)}{old} moves by ε."


def _missing(frame: Frame, name: str, has_loss: bool) -> str:
    if frame.trace.graph.loss in frame.covered:
        return "The loss is hidden for now."
    if f"d_{name}" in frame.covered:
        return "The gradient is hidden for now: the two are compared when it is revealed."
    if not has_loss:
        return "The loss is not computed yet: go on to the end of the forward pass to see how it answers."
    return "The gradient is not there yet: go on through the backward pass to compare."


def _rows(nudge: AnyNudge) -> Iterator[tuple[str, str]]:
    yield ROWS[0], format_number(nudge.loss, DIGITS)
    yield ROWS[1], f"{format_number(nudge.above, DIGITS)}  ({signed(nudge.change)})"
    yield ROWS[2], f"{format_number(nudge.below, DIGITS)}  ({signed(nudge.below - nudge.loss)})"
    yield ROWS[3], format_number(nudge.numeric, DIGITS)
    yield ROWS[4], format_number(nudge.backpropagated, DIGITS)
    yield ROWS[5], format_number(nudge.error, 2) if np.isfinite(nudge.error) else UNKNOWN


def _moved(frame: Frame, nudge: AnyNudge) -> Iterator[tuple[str, str]]:
    shown = frozenset(frame.statics.names)
    for name, array in nudge.moved.items():
        if name in shown and name in frame.values:
            count = int(np.count_nonzero(array))
            entries = f", {count} of {array.size} entries" if array.size > 1 else ""
            yield plain(frame, name), f"{_largest(array)}{entries}"


def _largest(array: np.ndarray) -> str:
    """Return the change that is largest in size, with its sign."""
    flat = array.reshape(-1)
    if not flat.size:
        return "0"
    # rounded first: of a difference, the last digits mean nothing
    return signed(float(f"{flat[int(np.argmax(np.abs(flat)))]:.3g}"), 3)


def moved_texts(frame: Frame) -> Mapping[str, str]:
    """Return what stands on the cards that a nudge moves: ``Δ +0.0012``."""
    nudge = frame.nudge
    moved = nudge.moved if nudge is not None else {}
    return {name: f"Δ {_largest(array)}" for name, array in moved.items() if name in frame.values}
