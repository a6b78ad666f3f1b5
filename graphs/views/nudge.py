"""What is said of a nudge: the entry, the loss before and after, both slopes, and a verdict in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.nudge import AnyNudge, Verdict
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
    Verdict.NOT_FINITE: "A number here is not finite, so there is no slope to compare with.",
    Verdict.NO_INFLUENCE: "The loss does not depend on it: both are zero.",
}
FINE = (Verdict.AGREE, Verdict.NO_INFLUENCE, Verdict.KINK)


@dataclass(frozen=True)
class NudgeView:
    """A nudge in words.

    Attributes
    ----------
    title
        Which number is moved, and by how much.
    rows
        Words and a number each.
    moved
        Each node that moves with it, and its largest change.
    verdict, passed
        How slope and gradient compare, and whether that is as it should be.
    """

    title: str
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
    entry = f"[{', '.join(map(str, nudge.index))}]" if nudge.index else ""
    return NudgeView(
        title=f"{plain(frame, nudge.name)}{entry} = {format_number(nudge.value, 6)} moves by ε.",
        rows=tuple(_rows(nudge)),
        moved=tuple(_moved(frame, nudge)),
        verdict=VERDICTS[nudge.verdict],
        passed=nudge.verdict in FINE,
        epsilon=nudge.epsilon,
    )


def _rows(nudge: AnyNudge) -> Iterator[tuple[str, str]]:
    yield "loss as it is", format_number(nudge.loss, DIGITS)
    yield "with + ε", f"{format_number(nudge.above, DIGITS)}  ({signed(nudge.change)})"
    yield "with − ε", f"{format_number(nudge.below, DIGITS)}  ({signed(nudge.below - nudge.loss)})"
    yield "slope, ΔL / 2ε", format_number(nudge.numeric, DIGITS)
    yield "gradient", format_number(nudge.backpropagated, DIGITS)
    yield "relative error", format_number(nudge.error, 2) if np.isfinite(nudge.error) else "—"


def _moved(frame: Frame, nudge: AnyNudge) -> Iterator[tuple[str, str]]:
    shown = frozenset(frame.statics.names)
    for name, array in nudge.moved.items():
        if name in shown:
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
    return {} if nudge is None else {name: f"Δ {_largest(array)}" for name, array in nudge.moved.items()}
