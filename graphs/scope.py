"""What names mean at an iteration, and at the same iteration with other numbers.

An answer is compared where it was asked, and at a few *redraws*: the same network with random parameters and
data of the same shapes. Two formulas that agree at all of them mean the same; two numbers that agree once may
do so by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine import expr as ex
from engine.derive import Derivation
from engine.graph import Detail
from engine.optimizers import QUANTITIES, updates
from engine.trace import Trace, Update, trace
from graphs.definition import Array
from graphs.snapshot import Snapshot

__all__ = ["REDRAWS", "Draw", "by_line", "draws", "names_of"]

REDRAWS = 3
SCALES = (1.0, 0.3, 0.1)
MOST_LINES = 60  # beyond them the derivatives of a line by what it reads have no names


@dataclass(frozen=True, eq=False)
class Draw:
    """An iteration with its numbers.

    Attributes
    ----------
    trace
        All its steps.
    snapshot
        Where the question was asked; derivation, optimizer and settings are those of every draw.
    """

    trace: Trace
    snapshot: Snapshot

    @cached_property
    def names(self) -> Mapping[str, Array]:
        """Arrays by everything that an expression can name, as :func:`names_of`."""
        return names_of(self.snapshot, self.trace)

    @cached_property
    def scale(self) -> float:
        """The largest number on the way: what is far smaller is zero but for rounding."""
        sizes = (float(np.max(np.abs(a), initial=0.0)) for a in self.trace.arrays)
        return max((size for size in sizes if np.isfinite(size)), default=1.0) or 1.0


def names_of(snapshot: Snapshot, found: Trace | None = None) -> dict[str, Array]:
    """Return what an expression can name at an iteration, for :func:`engine.calculator.evaluate`.

    Values under their names; gradients as ``d_W1``, also typed ``∂L/∂W1``; ``∂A/∂Z`` where a line works entry
    by entry; the number of examples ``m`` and the other dimensions; after an update ``new_W1`` and what the
    optimizer worked out as in its equations, ``v_W1``; its hyperparameters, and ``eta``.

    Parameters
    ----------
    found
        The trace with other numbers; the snapshot's own where None.
    """
    found = snapshot.trace if found is None else found
    graph = found.graph
    names: dict[str, Array] = {}
    names |= {name: np.asarray(float(value)) for name, value in snapshot.settings.items()}
    names["eta"] = names["learning_rate"]
    names |= {
        dim.name: np.asarray(float(dim.size))
        for node in graph.nodes
        for dim in node.dims
        if dim.name.isidentifier()
    }
    if graph.examples is not None:
        names["m"] = np.asarray(float(graph.examples))
    names |= _updated(found)
    names |= _partials(snapshot.derivation if found is snapshot.trace else Derivation(graph), found)
    for name, gradient in found.gradients.items():
        names[f"d_{name}"] = names[f"d_{graph.loss}/d_{name}"] = gradient
    return names | dict(found.values)


def _updated(found: Trace) -> dict[str, Array]:
    names: dict[str, Array] = {}
    for name, steps in found.updates.items():
        for step in steps:
            is_value = step.quantity == "value"
            names[f"new_{name}" if is_value else QUANTITIES[str(step.quantity)].code.format(p=name)] = (
                step.after
            )
    return names


def _partials(derivation: Derivation, found: Trace) -> dict[str, Array]:
    """Return the derivatives of lines by what they read, where these are taken entry by entry."""
    graph = found.graph
    names: dict[str, Array] = {}
    for line in graph.lines if len(graph.lines) <= MOST_LINES else ():
        for source in dict.fromkeys(use.source for use in line.uses) if line.written else ():
            total = partial(derivation, found, line.name, graph.nodes[source].name)
            if total is not None:
                names[f"d_{line.name}/d_{graph.nodes[source].name}"] = total
    return names


def partial(derivation: Derivation, found: Trace, line: str, name: str) -> Array | None:
    """Return the derivative of a line by a value, entry by entry; None where it is not read that way."""
    graph = found.graph
    total = np.zeros(found.values[line].shape)
    for use in graph.line_by_name[line].uses:
        if graph.nodes[use.source].name == name:
            factor = derivation.local(line, use.slot)
            if factor is None:
                return None
            with np.errstate(all="ignore"):
                total = total + ex.evaluate(factor, found.values)
    return total


def by_line(snapshot: Snapshot) -> Snapshot:
    """Return the same iteration in steps of one line each, as questions are about lines."""
    found = snapshot.trace
    if found.detail == Detail.EQUATION:
        return snapshot
    leaves = {name: found.values[name] for name in (*found.graph.inputs, *found.graph.parameters)}
    done = [
        Update(step.node, str(step.quantity), step.before, step.after)
        for steps in found.updates.values()
        for step in steps
    ]
    return replace(snapshot, trace=trace(found.graph, leaves, optimize=lambda *_: done), position=0)


# --- other numbers -----------------------------------------------------------------------------------------


def draws(snapshot: Snapshot, count: int = REDRAWS) -> tuple[Draw, ...]:
    """Return the iteration as it is, then with other numbers; always the same ones.

    Where the loss is finite for few numbers only, there may be fewer.
    """
    found = [Draw(snapshot.trace, snapshot)]
    for seed in range(count):
        redrawn = _redrawn(snapshot, seed)
        if redrawn is not None:
            found.append(Draw(redrawn, snapshot))
    return tuple(found)


def _redrawn(snapshot: Snapshot, seed: int) -> Trace | None:
    """Return the iteration with numbers from a seed, nearer to its own ones where others are not finite."""
    graph, values = snapshot.trace.graph, snapshot.trace.values
    rng = np.random.default_rng([seed, 2024])
    for scale in SCALES:
        leaves = {name: _like(values[name], rng, scale) for name in (*graph.inputs, *graph.parameters)}
        found = trace(graph, leaves, optimize=_Optimizing(snapshot, rng))
        if found.first_non_finite() is None and all(np.all(np.isfinite(g)) for g in found.gradients.values()):
            return found
    return None


def _like(array: Array, rng: np.random.Generator, scale: float) -> Array:
    """Return random numbers of the kind of an array's: columns that add up to 1, shares, positive, or any."""
    if array.size == 0:
        return array
    is_share = bool(np.all((array >= 0) & (array <= 1)))
    if is_share and array.ndim == 2 and array.shape[0] > 1 and np.allclose(array.sum(axis=0), 1.0):
        return rng.dirichlet(np.ones(array.shape[0]), size=array.shape[1]).T
    if is_share and np.all((array == 0) | (array == 1)) and array.size > 1:
        return rng.uniform(0.05, 0.95, array.shape)
    own = 0.0 if scale == 1.0 else array
    found = own + scale * rng.normal(0.0, 1.0, array.shape)
    return np.abs(found) + 0.1 if np.all(array > 0) else np.asarray(found)


class _Optimizing:
    """The update of a redraw: what the optimizer had kept is drawn anew as well."""

    def __init__(self, snapshot: Snapshot, rng: np.random.Generator) -> None:
        self._snapshot = snapshot
        kept = snapshot.trace.kept
        self._state = {key: _like(array, rng, 0.3) for key, array in kept.items()}

    def __call__(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> list[Update]:
        if not self._snapshot.trace.updates:
            return []
        snapshot = self._snapshot
        return updates(snapshot.optimizer, parameters, gradients, self._state, snapshot.settings)
