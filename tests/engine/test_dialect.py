"""How a table is written is found out, and what was guessed is said."""

import pytest

from engine.dialect import SPACES, sniff
from engine.tables import parse_csv


def found(text: str) -> dict[str, list]:
    return {name: list(column) for name, column in parse_csv(text).table.items()}


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a  b\n1  2\n10 3\n", SPACES),
        ('"a;b",c\n"d;e",1\n', ","),
        ('"x, y" "z"\n1 2\n', SPACES),
        ("sep=|\na;b|c\n1|2\n", "|"),
        ("name\nAnna Maria\nBob Jones\n", ","),
        ("place,n\nAachen; West,1\nBonn,2\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_all_lines_alike(text: str, delimiter: str) -> None:
    assert sniff(text)[0].delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("1,2\n3,4\n", ("c1", "c2"), "The file has no header: its columns are named c1, c2."),
        ("1,2,3\n", ("c1", "c2", "c3"), "its columns are named c1, c2, …"),
        ("Adelie,39.1\nGentoo,46\n", ("c1", "c2"), "no header"),
        ("# x y\n1 2\n3 4\n", ("x", "y"), "those of the comment"),
        ("x,y\nrow 1,1,2\nrow 2,3,4\n", ("column 1", "x", "y"), "no name for the first column"),
    ],
)
def test_columns_without_a_header_get_names_and_it_is_said(
    text: str, columns: tuple[str, ...], said: str
) -> None:
    data = parse_csv(text)
    assert data.columns == columns
    assert said in " ".join(data.notices)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "# a comment\n#\n\na,b\n1,x\n2,y\n",
        "a,b,\n1,x,\n2,y,\n",
        "a,b\n1,x,\n2,y,\n",
        "a,b\n\n1,x\n2,y\n\n\n \n",
        "a|b\n1|x\n2|y\n",
        "a   b\n1   x\n2   y\n",
        "a\tb\n1\tx\n2\ty\n",
        "sep=;\r\na;b\r\n1;x\r\n2;y\r\n",
        '"a","b"\n"1","x"\n"2","y"\n',
    ],
)
def test_a_table_is_the_same_however_it_is_written(text: str) -> None:
    assert found(text) == {"a": [1, 2], "b": ["x", "y"]}


def test_quotes_hold_delimiters_and_line_ends() -> None:
    assert found('a,b\n"x, y\nz",1\n"p ""q""",2\n') == {"a": ["x, y\nz", 'p "q"'], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "numbers", "said"),
    [
        ("a;b\n1,5;2\n", [1.5], ""),
        ("a;b\n1.234,5;2\n12,5;3\n", [1234.5, 12.5], ""),
        ('a,b\n"1,234.5",1\n"12,345",2\n', [1234.5, 12345], ""),
        ('a,b\n"1,234,567",1\n"2",2\n', [1234567, 2], ""),
        ("a;b\n1.234.567;1\n", [1234567], ""),
        ("a;b\n0,123;1\n", [0.123], ""),
        ("a,b\n1.234,1\n", [1.234], ""),
        ('a,b\n"1,234",1\n', [1234], "1,234 could mean two numbers: it was read as 1234"),
        ("a;b\n1,234;5\n", [1.234], "read as 1.234"),
        ("a;b\n1,234;5,5\n", [1.234], "read as 1.234"),
        ("a;b\n1,234;5.5\n", [1234], "read as 1234"),
        ("a;b\n1.234;5,5\n", [1234], "read as 1234"),
        ("a\tb\n1,234\t5\n", [1234], "read as 1234"),
        ("a;b\n1.234;5\n", [1.234], "read as 1.234"),
    ],
)
def test_what_a_mark_in_a_number_means_is_decided_by_the_whole_column(
    text: str, numbers: list[float], said: str
) -> None:
    data = parse_csv(text)
    assert list(data.table["a"]) == numbers
    assert said in " ".join(data.notices)
    assert bool(said) == bool(data.notices)


def test_numbers_written_in_two_ways_are_text_and_it_is_said() -> None:
    data = parse_csv("a;b\n1,5;1\n2.5;2\n")
    assert data.table["a"] == ("1,5", "2.5")
    assert data.notices == ("In a, numbers are written in several ways: it was read as text.",)
