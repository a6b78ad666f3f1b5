"""What has been read is not read again, unless its file has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.data import Dataset
from engine.errors import DataError
from graphs.shelf import Shelf


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path, shelf = tmp_path / "a.csv", Shelf()
    path.write_text("a\n1\n2\n")
    first = shelf.read(path, "a.csv")
    assert shelf.read(path, "a.csv") is first
    path.write_text("a\n3\n4\n")
    os.utime(path, ns=(1, 1))
    assert shelf.read(path, "a.csv").table["a"][0] == 3
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        shelf.read(path, "a.csv")


def test_content_is_told_apart_by_what_it_holds() -> None:
    shelf = Shelf()
    first = shelf.read(b"a\n1\n", "a.csv")
    assert shelf.read(b"a\n" + b"1\n", "a.csv") is first
    assert shelf.read(b"a\n2\n", "a.csv") is not first


def test_reading_bit_by_bit_ends_with_the_table(tmp_path: Path) -> None:
    path, shelf = tmp_path / "a.csv", Shelf()
    path.write_text("a\n" + "1\n" * 50_000)
    *parts, dataset = shelf.reading(path, "a.csv")
    assert isinstance(dataset, Dataset)
    assert len(parts) > 2
    assert list(shelf.reading(path, "a.csv")) == [dataset]


def test_the_oldest_tables_give_way() -> None:
    shelf = Shelf(most_bytes=100)
    tables = [shelf.read(b"a\n" + b"%d\n" % i * 6, "a.csv") for i in range(4)]
    assert shelf.read(b"a\n" + b"3\n" * 6, "a.csv") is tables[3]
    assert shelf.read(b"a\n" + b"0\n" * 6, "a.csv") is not tables[0]
