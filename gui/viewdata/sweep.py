"""The step-size lab as it is drawn: where the rates stand, which marks they bear, what is said. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.stability import Limit
from engine.sweep import Found, SweepResult
from engine.training import Recipe
from graphs.views.numbers import MINUS, format_number, full

__all__ = ["Mark", "SweepView", "legend", "nearest", "same_sweep", "status", "sweep_view", "told"]

LOG_FROM = 20.0
"""Losses whose largest is so many times the smallest are drawn in powers of ten."""
LONGEST_LABEL = 10
SIGNS = {
    "rose": "▲ not below the start",
    "oscillating": "■ to and fro for ever",
    "diverging": "✕ diverges",
    "diverged": "✕ diverges",
    "failed": "★ failed",
}


@dataclass(frozen=True)
class Mark:
    """One learning rate in the plot: a place, and what it came to.

    Attributes
    ----------
    x
        The logarithm of the rate, to base ten.
    y
        Its height; None where it stands at the upper edge, with a sign.
    """

    x: float
    y: float | None
    found: Found
    is_best: bool = False


@dataclass(frozen=True)
class SweepView:
    """What is drawn of a sweep.

    Attributes
    ----------
    is_log
        Whether heights are logarithms of losses, to base ten.
    low, high
        Heights of the lower and the upper edge.
    lines
        Stretches of rates side by side that came down: their places, two at least.
    start
        The height of the loss at the start, None where it has none.
    limit, limit_label
        Where the stability limit stands, None where there is none; what is written at it.
    """

    marks: tuple[Mark, ...] = ()
    is_log: bool = False
    low: float = 0.0
    high: float = 1.0
    lines: tuple[tuple[tuple[float, float], ...], ...] = ()
    start: float | None = None
    limit: float | None = None
    limit_label: str = ""


def sweep_view(
    result: SweepResult | None, limit: Limit | None, start: float, is_running: bool = False
) -> SweepView:
    """Return what is drawn of a sweep, as far as it has come.

    Parameters
    ----------
    start
        The loss at the initial parameters.
    is_running
        While more rates are to come, none is called the best.
    """
    found = result.found if result is not None else []
    best = set(result.best) if result is not None and not is_running else set()
    losses = [f.loss for f in found if f.outcome == "trained"]
    if math.isfinite(start):
        losses.append(start)
    is_log = bool(losses) and min(losses) > 0 and max(losses) > LOG_FROM * min(losses)
    heights = [_height(loss, is_log) for loss in losses] or [0.0, 1.0]
    low, high = min(heights), max(heights)
    if len(losses) < 2 and not is_log:
        low = min(0.0, low)
    marks = tuple(
        Mark(math.log10(f.rate), _height(f.loss, is_log) if f.outcome == "trained" else None, f, f in best)
        for f in found
    )
    rate = limit.rate if limit is not None else None
    return SweepView(
        marks,
        is_log,
        low,
        high if high > low else low + (abs(low) or 1.0),
        _lines(marks),
        _height(start, is_log) if math.isfinite(start) else None,
        None if rate is None else math.log10(rate),
        "" if limit is None or rate is None else _label(limit),
    )


def _height(loss: float, is_log: bool) -> float:
    return math.log10(loss) if is_log else loss


def _lines(marks: Sequence[Mark]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the stretches to connect: what diverged or failed in between breaks the line."""
    found: list[tuple[tuple[float, float], ...]] = []
    stretch: list[tuple[float, float]] = []
    for mark in (*marks, None):
        if mark is not None and mark.y is not None:
            stretch.append((mark.x, mark.y))
            continue
        if len(stretch) > 1:
            found.append(tuple(stretch))
        stretch = []
    return tuple(found)


def _label(limit: Limit) -> str:
    assert limit.rate is not None
    formula = limit.formula if len(limit.formula) <= LONGEST_LABEL else "limit"
    return f"{formula} = {format_number(float(f'{limit.rate:.6g}'))}"


def nearest(view: SweepView, x: float, reach: float) -> Mark | None:
    """Return the mark nearest to a place on the horizontal axis, None where none is within `reach`."""
    mark = min(view.marks, key=lambda m: abs(m.x - x), default=None)
    return mark if mark is not None and abs(mark.x - x) <= reach else None


def told(found: Found) -> str:
    """Return what a learning rate came to, with the exact numbers."""
    outcome = {
        "failed": found.failure,
        "diverged": f"diverged at iteration {found.diverged_at}",
        "diverging": f"loss {found.loss:.4g}\ndiverging: above the limit",
        "oscillating": f"loss {full(found.loss)}\ngoes to and fro for ever: at the limit",
        "rose": f"loss {full(found.loss)}, not below the start",
        "trained": f"loss {full(found.loss)}",
    }[found.outcome]
    return f"learning rate {found.rate:.6g}: {outcome}".replace("e-", f"e{MINUS}") + (
        "\nclick to train with it" if found.outcome == "trained" else ""
    )


def legend(view: SweepView) -> str:
    """Return what the signs in sight mean that stand at the upper edge."""
    seen = {mark.found.outcome for mark in view.marks}
    return "  ".join(dict.fromkeys(text for outcome, text in SIGNS.items() if outcome in seen))


def status(result: SweepResult | None, limit: Limit | None, is_running: bool) -> str:
    """Return where the sweep stands and what it found, in one or two sentences."""
    about_limit = limit.sentence() if limit is not None else ""
    if result is None:
        return about_limit
    count, all_ = len(result.found), len(result.plan.rates)
    if is_running:
        return f"{count} of {all_} learning rates, {int(100 * result.progress)} %"
    # where the limit is known, it says what is beyond it
    found = _found(result) if limit is not None and limit.rate is not None else result.sentence()
    cancelled = "" if result.done else f"Cancelled after {count} of {all_} learning rates. "
    return f"{cancelled}{found} {about_limit}".strip()


def _found(result: SweepResult) -> str:
    best, at = result.best_sentence(), result.at_the_limit
    return f"{best.removesuffix('.')}; {at}." if at else best


def same_sweep(one: Recipe, other: Recipe) -> bool:
    """Say whether recipes differ in nothing but the learning rate: a sweep of one is one of the other."""
    settings = {**other.settings, "learning_rate": one.settings.get("learning_rate")}
    return replace(other, settings=settings).spanning(one.span) == one.spanning(one.span)
