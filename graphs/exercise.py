"""Exercises made from any network: what is given, what is asked, and whatever helps, from its own trace.

The network shrinks to one that can be worked out by hand (:mod:`graphs.byhand`), unless its real sizes are
what is asked about. Every part is a question (:class:`graphs.answers.Posed`), so it checks itself, knows the
wrong answers that are often given, and has its worked solution. The same network, kinds and seed give the
same exercises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count as every
from itertools import islice

from engine.errors import UsageError, excerpt
from engine.optimizers import OPTIMIZERS
from graphs.drills import DRILLS
from graphs.drills.base import Block, Exercise, Maker
from graphs.drills.stored import stored_values
from graphs.drills.updates import update_with
from graphs.scope import by_line
from graphs.snapshot import Snapshot

__all__ = ["DRILLS", "MOST", "Block", "Exercise", "checked", "exercises", "series", "stored_values"]

MOST = 200
MOST_LINES = 60


def exercises(
    snapshot: Snapshot, kinds: Sequence[str] = (), count: int | None = None, seed: int = 0
) -> tuple[Exercise, ...]:
    """Return exercises made from a network.

    Parameters
    ----------
    snapshot
        Where the network stands; its real sizes are asked about.
    kinds
        Which of `DRILLS`, in this order; an optimizer's name is the kind ``updates`` with it. All where
        empty.
    count
        How many, the kinds in turns, with other numbers every time round; one of each kind where None. Kinds
        that the network has nothing for are passed over.

    Raises
    ------
    UsageError
        For other kinds and counts, where the network has nothing for any of them, and for one that is too
        large.
    """
    chosen = checked(kinds)
    if count is not None and not 1 <= count <= MOST:
        raise UsageError(f"there cannot be {count} exercises.", how=f"Choose from 1 to {MOST}.")
    if count is None:
        return tuple(series(snapshot, chosen, seed, rounds=1))
    return tuple(islice(series(snapshot, chosen, seed), count))


def series(
    snapshot: Snapshot, kinds: Sequence[str] = (), seed: int = 0, rounds: int | None = None
) -> Iterator[Exercise]:
    """Yield exercises one after the other, the kinds in turns; each is made when it is asked for.

    It ends after so many rounds, or where a round has nothing new.

    Raises
    ------
    UsageError
        As :func:`exercises`.
    """
    chosen = checked(kinds)
    lines = len(snapshot.trace.graph.lines)
    if lines > MOST_LINES:
        raise UsageError(
            f"a network of {lines:,} lines cannot be worked out by hand.",
            how=f"Take one of at most {MOST_LINES}.",
        )
    maker, has_any = Maker(by_line(snapshot), seed), False
    for turn in every() if rounds is None else range(rounds):
        is_empty = True
        for kind in chosen:
            found = _made(maker, kind, turn)
            if found is not None:
                is_empty, has_any = False, True
                yield found
        if is_empty:
            break
    if not has_any:
        raise UsageError(
            "this network has nothing for that.", how=f"Choose other kinds: {', '.join(DRILLS)}."
        )


def empty_kinds(snapshot: Snapshot, kinds: Sequence[str], seed: int = 0) -> list[str]:
    """Return those of these kinds that a network has nothing for."""
    maker = Maker(by_line(snapshot), seed)
    return [kind for kind in checked(kinds) if _made(maker, kind, 0) is None]


def checked(kinds: Sequence[str]) -> list[str]:
    """Return the kinds that are meant, all where none is named; raise for one that there is not."""
    for kind in kinds:
        if kind not in DRILLS and kind not in OPTIMIZERS:
            known = ", ".join((*DRILLS, *OPTIMIZERS))
            raise UsageError(f"there are no exercises {excerpt(kind, 40)}.", how=f"There are: {known}.")
    return list(kinds) or list(DRILLS)


def _made(maker: Maker, kind: str, turn: int) -> Exercise | None:
    is_update = kind in OPTIMIZERS
    found = update_with(maker, turn, OPTIMIZERS[kind]) if is_update else DRILLS[kind].make(maker, turn)
    return None if found is None else replace(found, seed=maker.seed, turn=turn)
