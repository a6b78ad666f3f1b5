"""Files of every kind are read, or refused in one sentence; a million rows in bounded time and memory."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import tables
from engine.errors import DataError
from engine.tables import Dataset, Texts, parse_csv, read_csv, reading

# A random table in a random dialect ------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="cp1252", exclude_categories=("C", "Z")), min_size=1, max_size=8)
TEXT = WORDS.map(lambda word: f"t{word}") | st.sampled_from(["a b", "x, y", 'say "no"', "l1\nl2"])
NUMBERS = st.floats(-1e12, 1e12).map(lambda x: float(f"{x:.6g}"))


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, list], bytes]:
    """Return a table and the bytes of a file that holds it."""
    width, rows = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    delimiter = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(".," if delimiter != "," else "."))
    missing = draw(st.sampled_from(["", "NA", "n/a", "NaN", "null", "?", "-"]))
    names = [f"v{i}{draw(st.sampled_from(['', ' x', '²']))}" for i in range(width)]
    table = {}
    for name in names:
        kind = TEXT if draw(st.booleans()) else NUMBERS
        column = draw(st.lists(kind, min_size=rows, max_size=rows))
        gaps = draw(st.lists(st.booleans(), min_size=rows, max_size=rows)) if width > 1 else [False] * rows
        table[name] = [column[0], *(None if gap else v for v, gap in zip(column[1:], gaps[1:], strict=True))]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    out = io.StringIO()
    always = width == 1 or draw(st.booleans())  # a comma in a value of a single column would cut it
    quoting = csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerow(names)
    for row in zip(*table.values(), strict=True):
        writer.writerow([_cell(value, decimal, missing) for value in row])
    text = (
        draw(st.sampled_from(["", "# made by hand\n"])) + out.getvalue() + draw(st.sampled_from(["", "\n\n"]))
    )
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return table, text.replace("\n", end).encode(encoding)


def _cell(value: str | float | None, decimal: str, missing: str) -> str:
    if value is None:
        return missing
    return value if isinstance(value, str) else f"{value:.6f}".replace(".", decimal)


@given(written())
def test_a_random_table_in_a_random_dialect_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[dict[str, list], bytes]
) -> None:
    table, raw = made
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_bytes(raw)
    data = read_csv(path)
    assert data.columns == tuple(table)
    for name, values in table.items():
        column = data.table[name]
        if isinstance(column, Texts):
            assert list(column) == ["" if value is None else value for value in values]
        else:
            wanted = [np.nan if value is None else value for value in values]
            np.testing.assert_allclose(column, wanted, rtol=0, atol=1e-6)


# Encodings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_without_a_word(tmp_path: Path, encoding: str) -> None:
    text = "größe,片\n1,✓\n"
    bom = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "a.csv").write_bytes((bom + text).encode(encoding))
    data = read_csv(tmp_path / "a.csv")
    assert data.columns == ("größe", "片")
    assert data.notices == ()


@pytest.mark.parametrize(
    ("raw", "name"), [(b"gr\xf6\xdfe\n1\n", "Windows-1252"), (b"gr\xf6\x81\n1\n", "Latin-1")]
)
def test_other_letters_are_guessed_and_it_is_said(tmp_path: Path, raw: bytes, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(raw)
    data = read_csv(tmp_path / "a.csv")
    assert data.columns[0].startswith("grö")
    assert data.notices == (f"The text is not UTF-8 and was read as {name}: look at its accented letters.",)


def test_a_letter_cut_by_the_end_of_a_block_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.dialect.BLOCK", 7)
    (tmp_path / "a.csv").write_text("größe,ß\n1,ü\n", encoding="utf-8")
    assert read_csv(tmp_path / "a.csv").notices == ()


# Large files -----------------------------------------------------------------------------------------------


def large(rows: int, cell: str = "", quoted: bool = False, at: int | None = None) -> tuple[str, np.ndarray]:
    """Return the text of a large table, and its numbers; `cell` stands in the second column at row `at`."""
    numbers = np.random.default_rng(0).normal(size=(rows, 3)).round(4)
    lines = [",".join(map(repr, row)) for row in numbers.tolist()]
    if at is not None:
        lines[at] = f"1,{cell},2"
    head = '"a",b,c' if quoted else "a,b,c"
    return "\n".join([head, *lines]) + "\n", numbers


@pytest.mark.parametrize("quoted", [False, True])
def test_a_large_table_is_read_in_blocks(tmp_path: Path, quoted: bool) -> None:
    text, numbers = large(20_000, quoted=quoted)
    path = tmp_path / "a.csv"
    path.write_text(text)
    values = list(reading(path, "a.csv"))
    assert len(values) > 10
    data, done = values[-1], [value for value in values if isinstance(value, float)]
    assert len(done) == len(values) - 1
    assert done == sorted(done)
    assert 0 <= min(done) <= max(done) <= 1
    assert isinstance(data, Dataset)
    np.testing.assert_array_equal(np.column_stack([data.table[c] for c in "abc"]), numbers)


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize(("cell", "is_text"), [("oops", True), ("NA", False), ("1_0", True), ("0x1", True)])
def test_what_stands_late_in_a_column_decides_like_what_stands_early(
    cell: str, is_text: bool, quoted: bool
) -> None:
    text, numbers = large(6000, cell, quoted, at=5500)
    column = parse_csv(text).table["b"]
    assert isinstance(column, Texts) == is_text
    if isinstance(column, Texts):
        assert column[5500] == cell
        assert float(column[17]) == numbers[17, 1]
    else:
        assert np.flatnonzero(np.isnan(column)).tolist() == [5500]


def test_thousands_late_in_a_column_of_decimal_commas(tmp_path: Path) -> None:
    lines = [f"{i},5;{i}" for i in range(3000)]
    lines[2900] = "1.234,5;1"
    column = parse_csv("a;b\n" + "\n".join(lines)).table["a"]
    assert (column[2900], column[7]) == (1234.5, 7.5)


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("row", ["1,2", "1,2,3,4", "1e400,2,3"])
def test_an_error_deep_in_a_file_names_its_line(row: str, quoted: bool) -> None:
    text, _ = large(6000, quoted=quoted)
    with pytest.raises(DataError, match="line 6003"):
        parse_csv(text + "\n" + row + "\n")


def test_reading_can_be_left_off(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(large(5000)[0])
    steps = reading(path, "a.csv")
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    path.unlink()


# Bad files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"", ["empty"]),
        (b"\xef\xbb\xbf", ["empty"]),
        (b"# only a comment\n", ["empty"]),
        (b"a,b\n", ["no rows"]),
        (b"a,b\n1,2\n\x00\x00\n", ["null characters"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ["null characters"]),
        (b"PK\x03\x04rest", ["Excel", "Save the table as CSV"]),
        (b"\x1f\x8b\x08rest", ["gzip"]),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", ["UTF-32"]),
        (b"\xff\xfea\x00\x00\xd8", ["UTF-16"]),
        (b"a,b\n1," + b"x" * (10 * 2**20), ["line 2", "CSV"]),
        (b"1," * (5 * 2**20), ["columns"]),
        (b"x" * (17 * 2**20), ["line is longer than 16 MB"]),
        (b"a,a\n1,2\n", ["two columns are named a"]),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, raw: bytes, parts: list[str]) -> None:
    (tmp_path / "mine.csv").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_csv(tmp_path / "mine.csv")
    message = str(caught.value)
    assert message.startswith("mine.csv")
    assert "\n" not in message
    assert len(message) < 300
    assert [part for part in parts if part not in message] == []


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(tables.LARGEST_FILE + 1)
    with pytest.raises(DataError, match=r"huge\.csv: the file is larger than 1024 MB"):
        read_csv(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(DataError, match="permission denied"):
        read_csv(path)


@pytest.mark.parametrize("path", ["nowhere.csv", "a\0b.csv", "x" * 5000])
def test_a_path_that_leads_nowhere_is_said(path: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(path)


# Texts -----------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["a", "b", "", "zz"])))
def test_a_column_of_text_is_like_the_list_of_its_values(values: list[str]) -> None:
    texts = Texts.of(values)
    assert list(texts) == values
    assert texts == tuple(values)
    assert [texts[i] for i in range(len(texts))] == values
    assert list(texts[1:]) == values[1:]
    assert texts != (*values, "a")
    for value in ("a", "nowhere", "", 3):
        code = texts.code_of(value)
        assert (code is not None) == (value in values and value != "")
        assert code is None or texts.values[code] == value
