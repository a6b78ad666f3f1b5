"""A network small enough to be worked out by hand, with numbers that stay short.

The formula is the same; every dimension shrinks to a few entries, parameters become halves and small whole
numbers, data small whole numbers of the same kind as the network's own: classes stay classes. Of many draws
the one is taken whose values and gradients have the fewest digits and lie on no kink, whose functions are
taken where a short table has them (:mod:`graphs.bytable`), and in which no entry of a vector, no unit and no
example does what another one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from engine.errors import BackstepError
from engine.formula import Leaf, build
from engine.graph import Graph, Kind
from engine.optimizers import updates
from engine.shapes import Dim, sizes, unnamed
from engine.trace import contributions_by_line, forward, gradients, links, trace
from engine.training import Recipe
from graphs.bytable import FARTHEST, Taken, is_in_table, taken
from graphs.definition import Array, Source
from graphs.network import Model
from graphs.snapshot import Snapshot

__all__ = ["as_it_is", "by_hand", "has_few_and_short_numbers", "small_snapshot"]

ROWS = 2  # entries along a dimension that is none of examples
FEW, MORE = 2, 4  # examples, of a network with more and with fewer numbers
MOST_NUMBERS = 36  # in all values, for the larger number of examples
TRIES = 96
LONGER = 4  # times as many, as long as no table has what a function is, or two units do the same
WORK = 40_000  # nodes worked out in all tries together
PARAMETERS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
DATA = (-1.0, 0.0, 1.0, 2.0, 3.0)
POSITIVE = (0.5, 1.0, 2.0)
DIGITS = 3  # of a number that is short
STEP = 1e-6
ALIKE, LOST = 150.0, 150.0  # what it costs that two rows or entries are alike, that the first entry is 0
ASIDE = 40.0  # what it costs that a function is taken where its table has no value
AT_RANDOM = 0.3  # of the tries; the others change one number of the best so far


def small_snapshot(
    model: Model, recipe: Recipe, seed: int | None = 0, other_than: Mapping[str, Array] | None = None
) -> Snapshot:
    """Return the first iteration of a small network of the same formula, trained with all its examples.

    Parameters
    ----------
    recipe
        How it is trained; its mini-batches are left out.
    seed
        Of its numbers; its own where None.
    other_than
        Numbers of which at least one has to be another.
    """
    small = as_it_is(model) if seed is None else by_hand(model, seed, other_than)
    recipe = replace(recipe, batch_size=None).checked()
    snapshot = Snapshot(small, recipe, trace(small.graph, small.leaves), 0)
    settings, optimizer = snapshot.settings, snapshot.optimizer
    whole = trace(
        small.graph,
        small.leaves,
        optimize=lambda values, found: updates(optimizer, values, found, {}, settings),
    )
    return replace(snapshot, trace=whole).at(len(whole.steps))


def has_few_and_short_numbers(model: Model) -> bool:
    """Say whether a network can be worked out by hand as it is: homework with a few numbers."""
    graph, leaves = model.graph, {name: np.asarray(array, float) for name, array in model.leaves.items()}
    is_small = (graph.examples or 1) <= MORE and _numbers(graph) <= MOST_NUMBERS
    if not is_small or model.network.held_out or not all(map(_is_short, leaves.values())):
        return False
    return bool(np.isfinite(_cost(graph, leaves, (), np.inf))) and _has_slope(graph, leaves)


def _is_short(array: Array) -> bool:
    return all(float(f"{x:.{DIGITS}g}") == x for x in array.ravel())


def _has_slope(graph: Graph, leaves: Mapping[str, Array]) -> bool:
    found = gradients(graph, forward(graph, leaves))
    return all(np.any(found[name]) for name in graph.parameters)


def as_it_is(model: Model) -> Model:
    """Return a model with its own numbers, to be given out as one of an exercise."""
    leaves = {name: np.array(array, float) for name, array in model.leaves.items()}
    return _model(model, model.kinds, model.graph, leaves)


def by_hand(model: Model, seed: int = 0, other_than: Mapping[str, Array] | None = None) -> Model:
    """Return a model of the same formula with few and short numbers; the same for the same seed.

    Parameters
    ----------
    other_than
        Numbers of which at least one has to be another.
    """
    kinds, graph = _shrunk(model)
    rng = np.random.default_rng([seed, 7])
    tries = int(np.clip(WORK // max(len(graph.nodes), 1), 4, TRIES))
    functions = taken(graph)
    best, lowest = None, float("inf")
    for number in range(LONGER * tries):
        if number >= tries and best is not None and _is_done(graph, best, functions):
            break
        if best is None or number < tries * AT_RANDOM:
            leaves = {leaf.name: _drawn(leaf, model, rng) for leaf in kinds}
        else:
            leaves = _changed(best, kinds, model, rng)
        cost = np.inf if _are_same(leaves, other_than) else _cost(graph, leaves, functions, lowest)
        if best is None or cost < lowest:
            best, lowest = leaves, cost
    assert best is not None
    return _model(model, kinds, graph, best)


def _are_same(leaves: Mapping[str, Array], others: Mapping[str, Array] | None) -> bool:
    return others is not None and all(np.array_equal(leaves[name], others[name]) for name in leaves)


def _model(model: Model, kinds: Sequence[Leaf], graph: Graph, leaves: Mapping[str, Array]) -> Model:
    for array in leaves.values():
        array.flags.writeable = False
    names = {
        dim.name: dim.size for leaf in kinds for dim in leaf.dims if dim.name in model.network.dimensions
    }
    network = replace(
        model.network,
        dimensions={**model.network.dimensions, **names},
        parameters={leaf.name: leaves[leaf.name] for leaf in kinds if leaf.kind == Kind.PARAMETER},
        data={leaf.name: leaves[leaf.name] for leaf in kinds if leaf.kind == Kind.INPUT},
        held_out=0.0,
        folder=None,
        attached={},
        source=Source(),  # saved, it is another file
    ).taking(model.network.statements)
    return Model(network, model.seed, dict(leaves), graph, tuple(kinds), targets=model.targets)


# --- shapes ------------------------------------------------------------------------------------------------


def _shrunk(model: Model) -> tuple[Sequence[Leaf], Graph]:
    """Return smaller leaves and their graph; as large as need be where the formula wants certain sizes."""
    for rows in (ROWS, None):
        for examples in (MORE, FEW) if model.graph.examples else (None,):
            kinds = [_resized(leaf, rows, examples) for leaf in model.kinds]
            try:
                graph = _built(model, kinds)
            except BackstepError:
                continue
            if examples != MORE or rows is None or _numbers(graph) <= MOST_NUMBERS:
                return kinds, graph
    return model.kinds, model.graph


def _resized(leaf: Leaf, rows: int | None, examples: int | None) -> Leaf:
    return leaf._replace(dims=tuple(_smaller(dim, rows, examples) for dim in leaf.dims))


def _smaller(dim: Dim, rows: int | None, examples: int | None) -> Dim:
    most = examples if dim.examples else rows
    if most is None or dim.size <= most:
        return dim
    found = dim._replace(size=most)
    return found if not dim.name.isdigit() else unnamed(most)._replace(examples=dim.examples)


def _built(model: Model, kinds: Sequence[Leaf]) -> Graph:
    examples = next((d.size for leaf in kinds for d in leaf.dims if d.examples), model.graph.examples)
    return build(model.network.statements, kinds, loss=model.network.loss, examples=examples)


def _numbers(graph: Graph) -> int:
    return sum(int(np.prod(sizes(graph[name].dims))) for name in graph.named)


# --- numbers -----------------------------------------------------------------------------------------------


def _drawn(leaf: Leaf, model: Model, rng: np.random.Generator) -> Array:
    """Return short numbers for a leaf, of the kind of its own."""
    own, shape = model.leaves[leaf.name], sizes(leaf.dims)
    if _is_one_hot(own) and len(shape) == 2 and shape[0] > 1:
        return np.eye(shape[0])[:, rng.integers(0, shape[0], shape[1])]
    if leaf.kind == Kind.INPUT and np.all((own == 0) | (own == 1)) and own.size > 1:
        return rng.integers(0, 2, shape).astype(float)
    choices = PARAMETERS if leaf.kind == Kind.PARAMETER else DATA
    if own.size and np.all(own > 0) and leaf.kind == Kind.INPUT:
        choices = POSITIVE
    found = np.asarray(rng.choice(choices, shape))
    if found.size and found.flat[0] == 0:
        found.flat[0] = rng.choice([x for x in choices if x])  # the entry that is looked at
    return found


def _changed(
    leaves: Mapping[str, Array], kinds: Sequence[Leaf], model: Model, rng: np.random.Generator
) -> dict[str, Array]:
    """Return the same numbers but for one leaf: another entry of it, or all where it tells classes."""
    leaf = kinds[int(rng.integers(len(kinds)))]
    found = _drawn(leaf, model, rng)
    if found.size and not np.all((model.leaves[leaf.name] == 0) | (model.leaves[leaf.name] == 1)):
        place = int(rng.integers(found.size))
        entry = found.flat[place]
        found = np.array(leaves[leaf.name])
        found.flat[place] = entry
    return {**leaves, leaf.name: found}


def _is_one_hot(array: Array) -> bool:
    is_share = array.ndim == 2 and array.size > 0 and bool(np.all((array == 0) | (array == 1)))
    return is_share and array.shape[0] > 1 and bool(np.all(array.sum(axis=0) == 1))


def _cost(graph: Graph, leaves: Mapping[str, Array], functions: Sequence[Taken], limit: float) -> float:
    """Return how hard an iteration is to work out by hand; infinite where it cannot be, or beyond `limit`."""
    cost = sum(_sameness(array) + _dependence(array) for array in leaves.values())
    if not cost < limit:
        return np.inf
    values = forward(graph, leaves)
    named = [values[graph.ids[name]] for name in graph.named]
    worked_out = [values[graph.ids[name]] for name in graph.named if name not in leaves]
    cost += sum(map(_length, named)) + sum(_distance(function, values) for function in functions)
    cost += sum(_sameness(array) + _dependence(array) for array in worked_out)
    if not cost < limit:
        return np.inf
    cost += _likeness(graph, values)
    found = gradients(graph, values)
    cost += sum(map(_length, found.values()))
    cost += sum(_sameness(found[name]) for name in graph.parameters)
    cost += sum(15.0 for name in graph.parameters if not np.any(found[name]))
    return cost if cost < limit and not _has_kink(graph, values) else np.inf


def _sameness(array: Array) -> float:
    """Return what it costs that entries, columns or rows are alike: what one of them does the other does too.

    It costs as well that the first entry alone is 0: it is the one that is looked at.
    """
    if array.size < 2:
        return 0.0
    rows = _lines(np.round(array, 9) + 0.0)  # no -0, and no rounding
    repeated = sum(len(lines) - len(np.unique(lines, axis=0)) for lines in (rows, rows.T))
    is_first_lost = array.flat[0] == 0 and bool(np.any(array))
    return ALIKE * (repeated + 2.0 * (not np.any(rows != rows[0, 0]))) + LOST * is_first_lost


def _likeness(graph: Graph, values: Sequence[Array]) -> float:
    """Return what it costs that two uses of a value bring the same: one could be taken for the other."""
    if not any(len({use.source for use in line.uses}) < len(line.uses) for line in graph.lines):
        return 0.0
    found: dict[int, list[Array]] = {}
    for _, use, part in contributions_by_line(graph, values):
        found.setdefault(use.source, []).append(part)
    pairs = (pair for parts in found.values() for pair in combinations(parts, 2))
    return ALIKE * sum(bool(np.any(a)) and np.allclose(a, b) for a, b in pairs)


def _dependence(array: Array) -> float:
    """Return what it costs that a row is a multiple of another one: a unit that says nothing new."""
    rows = _lines(array)
    if min(rows.shape) < 2:
        return 0.0
    squares = rows @ rows.T
    sizes_of = np.diag(squares)
    is_multiple = squares**2 >= np.outer(sizes_of, sizes_of) * (1 - 1e-9)
    return ALIKE * float(np.sum(np.triu(is_multiple, 1)))


def _lines(array: Array) -> Array:
    """Return an array as rows and columns; a vector is one row or one column."""
    return array.reshape(array.shape[0], -1) if array.ndim > 1 else array.reshape(1, -1)


def _length(array: Array) -> float:
    """Return how long the numbers of an array are to write; a zero costs a little, as it teaches nothing."""
    if not np.all(np.isfinite(array)):
        return np.inf
    x = np.abs(array.ravel())
    cost = np.where(_is_whole(4 * x), 0.0, np.where(_is_whole(1000 * x), 1.0, 3.0)) + np.where(
        x == 0, 0.7, 0.0
    )
    far = np.where(x > 12, 2.0, 0.0) + np.where(x > 100, 6.0, 0.0) + np.where((x > 0) & (x < 0.005), 4.0, 0.0)
    alike = 4.0 if x.size > 1 and np.all(array == array.flat[0]) else 0.0
    return float(np.sum(cost + far)) + alike


def _is_whole(x: Array) -> Array:
    return np.abs(x - np.round(x)) < 1e-9


def _is_done(graph: Graph, leaves: Mapping[str, Array], functions: Sequence[Taken]) -> bool:
    """Say whether no row of a leaf is a multiple of another one, and tables have what is read of leaves."""
    if any(_dependence(leaves[name]) for name in graph.parameters):
        return False
    firsts = [function for function in functions if function.is_first]
    values = forward(graph, leaves) if firsts else []
    return all(bool(np.all(is_in_table(function, values))) for function in firsts)


def _distance(function: Taken, values: Sequence[Array]) -> float:
    """Return what it costs that a function is taken where no table has it, or far away."""
    x = function.arguments(values)
    if not np.all(np.isfinite(x)):
        return np.inf
    is_free = not function.is_first and function.name != "log"
    aside = 0.0 if is_free else ASIDE * float(np.sum(~is_in_table(function, values)))
    return aside + float(np.sum(4.0 * np.maximum(np.abs(x) - FARTHEST, 0.0) + 0.3 * (x % 1 != 0)))


def _has_kink(graph: Graph, values: Sequence[Array]) -> bool:
    """Say whether a derivative jumps here, as that of relu at 0: what is right there is a convention."""
    for node in graph.nodes:
        if node.op is None or node.op.analytic or node.id not in graph.on_loss_path:
            continue
        for slot in range(len(node.inputs)):
            if _jumps(graph, node.id, slot, values):
                return True
    return False


def _jumps(graph: Graph, node_id: int, slot: int, values: Sequence[Array]) -> bool:
    node = graph.nodes[node_id]
    assert node.op is not None
    found = []
    for step in (-STEP, STEP):
        rng = np.random.default_rng(1)
        moved = list(values)
        for i in node.inputs:
            moved[i] = values[i] + step * rng.uniform(0.5, 1.5, values[i].shape)
        moved[node.id] = np.asarray(node.op.forward(*(moved[i] for i in node.inputs), **dict(node.attrs)))
        operands = [link.operand for link in links(graph, node, slot, moved)]
        found.append(
            [np.asarray(o, dtype=float) for o in operands if isinstance(o, np.ndarray | float | int)]
        )
    return any(not np.allclose(a, b, atol=1e-3) for a, b in zip(*found, strict=True))
