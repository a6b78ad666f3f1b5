"""A million rows: reading them, beside what Python's `csv` alone takes for the same file in the same run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from engine.data import select
from engine.tables import read_csv

ROWS = 1_000_000


@pytest.fixture(scope="module", params=["plain", "gaps and text", "decimal commas"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("large") / "large.csv"
    with path.open("w") as out:
        out.write("a,b,c,d,y\n")
        for _ in range(ROWS // 10_000):
            rows = rng.normal(size=(10_000, 5)).round(4).tolist()
            out.write("".join(",".join(map(str, row)) + "\n" for row in rows))
    text = path.read_text()
    if request.param == "decimal commas":
        path.write_text(text.replace(",", ";").replace(".", ","))
    elif request.param == "gaps and text":
        path.write_text(text.replace(",0.1", ",NA").replace("\n", ",red\n").replace("y,red", "y,kind", 1))
    return path


def rows_of(path: Path) -> int:
    with path.open(newline="") as stream:
        return sum(1 for _ in csv.reader(stream))


@pytest.mark.parametrize("what", ["csv alone", "read_csv"])
def test_a_million_rows_are_read(benchmark, file: Path, what: str) -> None:
    read = rows_of if what == "csv alone" else read_csv
    found = benchmark.pedantic(read, (file,), rounds=1)
    assert found == ROWS + 1 if isinstance(found, int) else found.rows == ROWS


def test_columns_of_a_million_rows_are_chosen(benchmark, file: Path) -> None:
    data = read_csv(file)
    names = {"X": ["a", "b", "c"]}, {"y": ["y"]}
    chosen = benchmark.pedantic(select, (data, *names), {"standardize": True, "held_out": 0.2}, rounds=1)
    assert chosen.arrays["X"].shape[0] == 3
