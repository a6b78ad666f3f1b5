"""Data sets that have been read, kept for as long as they are asked for.

A network is bound anew for every seed and every changed number; its file is read once. The shelf holds the
last few tables; a file that has changed since is another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from pathlib import Path
from threading import Lock

import numpy as np

from engine.dialect import NOTHING, Stated
from engine.tables import Dataset, Texts, reading

__all__ = ["Shelf", "shelf"]

MOST_BYTES = 512 * 2**20
"""What is kept at most, the newest table aside, which is kept whatever its size."""
MOST_TABLES = 8


class Shelf:
    """Tables by what they were read from; several threads may ask."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, Dataset] = OrderedDict()
        self._lock = Lock()

    def read(self, file: Path | bytes, name: str, stated: Stated = NOTHING) -> Dataset:
        """Return the table in a file, or in its content; raises as `engine.tables.read_csv`."""
        *_, dataset = self.reading(file, name, stated)
        assert isinstance(dataset, Dataset)
        return dataset

    def reading(self, file: Path | bytes, name: str, stated: Stated = NOTHING) -> Iterator[float | Dataset]:
        """Read a file bit by bit as `engine.tables.reading` does, or find it here at once."""
        key = (*_key_of(file, name), stated)
        found = self._find(key)
        if found is not None:
            yield found
            return
        for value in reading(file, name, stated=stated):
            if isinstance(value, Dataset):
                self._keep(key, value)
            yield value

    def _find(self, key: Hashable) -> Dataset | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: Hashable, dataset: Dataset) -> None:
        with self._lock:
            self._kept[key] = dataset
            while len(self._kept) > 1 and not self._has_room():
                self._kept.popitem(last=False)

    def _has_room(self) -> bool:
        sizes = sum(_size_of(dataset) for dataset in self._kept.values())
        return sizes <= self._most_bytes and len(self._kept) <= MOST_TABLES


def _key_of(file: Path | bytes, name: str) -> tuple[Hashable, ...]:
    if isinstance(file, bytes):
        return file, name
    try:
        stat = file.stat()
    except (OSError, ValueError):  # said when it is read
        return file, name
    return file, name, stat.st_mtime_ns, stat.st_size


def _size_of(dataset: Dataset) -> int:
    arrays: list[np.ndarray] = [
        column.codes if isinstance(column, Texts) else column for column in dataset.table.values()
    ]
    return sum(array.nbytes for array in arrays)


shelf = Shelf()
"""The one that everything shares."""
