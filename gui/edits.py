"""What an edit of numbers means at the place where the timeline stands. No Qt.

Whoever changes a number means the numbers that are in sight. So in the middle of a training the
parameters that are shown become the ones that a new run starts from, and an entry of a mini-batch is one of
the whole data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from engine.trace import Phase
from graphs.views.records import Array
from gui.viewdata import Frame

__all__ = ["Edit", "edit_of", "entry_text", "with_entry"]


class Edit(NamedTuple):
    """Values by name that training is to start from, and how many steps are shown then."""

    values: Mapping[str, Array]
    position: int


def edit_of(frame: Frame, batch_size: int | None, name: str, array: Array) -> Edit:
    """Return what it means to give a leaf other numbers where `frame` stands.

    Parameters
    ----------
    array
        As it is shown: of a mini-batch, its examples alone.
    """
    model, iteration = frame.model, frame.iteration
    is_parameter = name in frame.trace.graph.parameters
    updated = [
        s for s in frame.trace.steps[: frame.position] if s.phase == Phase.UPDATE and s.quantity == "value"
    ]
    values: dict[str, Array] = {}
    position = frame.position
    if is_parameter and any(step.node == name for step in updated):
        # the number in sight is the one after the update: it is where the next iteration starts
        values = {n: frame.values[n] for n in frame.trace.graph.parameters}
        position = sum(s.phase != Phase.UPDATE for s in frame.trace.steps)
    elif iteration:
        values = {n: frame.trace.values[n] for n in frame.trace.graph.parameters}
    if is_parameter:
        return Edit({**values, name: array}, position)
    return Edit({**values, name: model.whole(name, array, model.indices(iteration, batch_size))}, position)


def with_entry(array: Array, index: tuple[int, ...], number: float) -> Array:
    """Return an array with one entry changed."""
    found = np.array(array, dtype=float)
    found[index] = number
    return found


def entry_text(name: str, index: tuple[int, ...]) -> str:
    """Return an entry as it is written: ``W1[0, 0]``, a scalar by its name alone."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name
