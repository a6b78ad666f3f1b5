"""Arrays whose place in memory does not show in their numbers.

How an array lies in memory decides which kernels of NumPy and BLAS read it, and so in which order they round.
What is recorded has to be the same to the last bit in every process, so all that a run reads lies alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["aligned", "settled"]

Array = np.ndarray
ALIGNMENT = 64  # bytes: a line of the cache, and the widest registers there are


def aligned(shape: tuple[int, ...]) -> Array:
    """Return an array of zeros that begins at a multiple of `ALIGNMENT`."""
    size = int(np.prod(shape))
    room = np.zeros(size + ALIGNMENT // 8)
    start = -room.ctypes.data % ALIGNMENT // 8
    return room[start : start + size].reshape(shape)


def settled(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return arrays row after row, each begun at a multiple of `ALIGNMENT`; copied where they are not."""
    return {name: _settled(array) for name, array in arrays.items()}


def _settled(array: Array) -> Array:
    if array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return array
    room = aligned(array.shape)
    room[...] = array
    return room
