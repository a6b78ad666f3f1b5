"""One update by hand, with each optimizer in turn.

It states a gradient, so its numbers are its own: another exercise may ask for those of the sheet's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.training import Recipe, Run
from graphs.answers import Posed
from graphs.drills.base import COUNTING, Block, Drill, Exercise, Maker, asked, telling_entry
from graphs.hints import array_latex
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject
from graphs.wording import listed

__all__ = ["DRILL", "update_with"]

Entry = tuple[int, ...] | None
_ROUND = ("gd", "momentum", "rmsprop", "adam", "nesterov", "adagrad")
_SHORT: Mapping[str, float] = {
    **{"learning_rate": 0.1, "momentum": 0.8, "dampening": 0.8, "rho": 0.8, "beta1": 0.8, "beta2": 0.9},
}
"""No share is a half: what is kept and what comes in then have weights of their own."""
_KEPT = (0.25, 0.5, 1.0)


def _make(maker: Maker, turn: int) -> Exercise | None:
    return update_with(maker, turn, OPTIMIZERS[_ROUND[turn % len(_ROUND)]])


def update_with(maker: Maker, turn: int, optimizer: Optimizer) -> Exercise | None:
    """Return the exercise to do one optimizer's update for one entry of a parameter."""
    here, rng = maker.small_apart(turn), maker.rng(turn, optimizer.name)
    names = [n for n in here.trace.graph.parameters if np.any(here.trace.gradients[n])]
    if not names:
        return None
    here = _with_kept(here, optimizer, rng)
    name = min(names, key=lambda n: (here.trace.values[n].size, n))
    entry = telling_entry(here.trace.gradients[name], rng) if here.trace.values[name].ndim else None
    parts = []
    for quantity in optimizer.quantities:
        subject = Subject(Aspect.UPDATE, name, quantity=quantity.name, entry=entry)
        symbol = f"${subject.symbol(here.derivation, optimizer)}$"
        words = f"the new {symbol}" if quantity.is_value else f"{symbol}, the {quantity.text}"
        part = asked(subject, here, rng, words=lambda _, words=words: words)
        parts.append(_telling(part) if quantity.is_value else part)
    title = f"One update by hand: {optimizer.title}"
    return Exercise("updates", title, (), _told(here, name, entry), tuple(parts), here)


def _telling(part: Posed) -> Posed:
    """Return the question for a new value, as exact as its step is told from another one."""
    assert part.subject is not None
    found = part.place.trace
    before, entry = found.values[part.subject.name], part.subject.entry
    step = np.abs(part.right - (before if entry is None else before[entry]))
    share = float(np.max(step)) / max(float(np.max(np.abs(part.right))), 1e-300)
    tolerance = part.question.tolerance * min(1.0, share)
    return replace(part, question=replace(part.question, tolerance=tolerance))


def _with_kept(snapshot: Snapshot, optimizer: Optimizer, rng: np.random.Generator) -> Snapshot:
    """Return the second iteration, with short numbers for the settings and for what was kept."""
    settings = {h.name: _SHORT[h.name] for h in optimizer.hyperparameters if h.name in _SHORT}
    graph, values = snapshot.trace.graph, snapshot.trace.values
    shapes = {name: values[name].shape for name in graph.parameters}
    state = {
        (n, k): np.asarray(rng.choice(_KEPT, shape)) for k in optimizer.state for n, shape in shapes.items()
    }
    recipe = Recipe(optimizer.name, settings).checked()
    run = Run.having_kept(snapshot.model, recipe, state) if state else Run(snapshot.model, recipe)
    return Snapshot.of(run, snapshot.model, iteration=run.iteration)


def _told(snapshot: Snapshot, name: str, entry: Entry) -> tuple[Block, ...]:
    """Return the settings, and what is known before the update."""
    optimizer = snapshot.optimizer
    settings = [f"${symbol} = {number}$" for symbol, number in _settings(snapshot)]
    has_epsilon = any(h.name == "epsilon" for h in optimizer.hyperparameters)
    epsilon = r" ($\epsilon$ is too small to matter)" if has_epsilon else ""
    counting = f"{COUNTING} " if entry else ""
    told = f"{optimizer.title}, with {listed(settings)}{epsilon}. {counting}"
    sentence = f"{told}The numbers are those of this exercise alone; before the update"
    return (Block("text", (sentence,)), Block("equations", tuple(_known(snapshot, name, entry))))


def _settings(snapshot: Snapshot) -> list[tuple[str, str]]:
    optimizer = snapshot.optimizer
    names = [(h.symbol, h.name) for h in optimizer.hyperparameters if h.name != "epsilon"]
    if any(item.text == "t" for statement in optimizer.statements for item in statement.items):
        names.append(("t", "t"))
    return [(symbol, array_latex(np.asarray(float(snapshot.settings[name])))) for symbol, name in names]


def _known(snapshot: Snapshot, name: str, entry: Entry) -> list[str]:
    """Return the value, its gradient and what the optimizer has kept, as equations."""
    optimizer, derivation, found = snapshot.optimizer, snapshot.derivation, snapshot.trace
    pairs = [(Subject(a, name, entry=entry), None) for a in (Aspect.VALUE, Aspect.GRADIENT)]
    pairs += [(Subject(Aspect.UPDATE, name, quantity=k, entry=entry), k) for k in optimizer.state]
    lines = []
    for subject, kept in pairs:
        whole = found.kept[name, kept] if kept else subject.whole().value(Draw(found, snapshot))
        number = array_latex(whole if entry is None else np.asarray(whole[entry]))
        lines.append(f"{subject.symbol(derivation, optimizer)} = {number}")
    return lines


DRILL = Drill("updates", "Updates by hand", "one update by hand, with each optimizer in turn", _make)
