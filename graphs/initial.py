"""Parameters that are drawn: their shape, and from which distribution."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.shapes import Dims

__all__ = ["INITS", "Initial", "draw"]

Array = np.ndarray


@dataclass(frozen=True)
class Initial:
    """A parameter that is drawn: its shape (names or numbers) and how."""

    shape: tuple[str | int, ...]
    init: str


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    return (shape[-1], shape[0]) if len(shape) == 2 else (1, 1)


def _xavier(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    limit = np.sqrt(6.0 / sum(_fans(shape)))
    return rng.uniform(-limit, limit, shape)


INITS = {
    # Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010
    "xavier": _xavier,
    # He et al., "Delving deep into rectifiers", 2015
    "he": lambda rng, shape: rng.normal(0.0, np.sqrt(2.0 / _fans(shape)[0]), shape),
    "normal": lambda rng, shape: rng.normal(0.0, 1.0, shape),
    "uniform": lambda rng, shape: rng.uniform(-1.0, 1.0, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
}


def draw(initial: Initial, name: str, seed: int, dims: Dims) -> Array:
    """Return a drawn parameter; its numbers depend on the seed and its own name alone."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    array = np.asarray(INITS[initial.init](rng, tuple(d.size for d in dims)), dtype=float)
    array.flags.writeable = False
    return array
