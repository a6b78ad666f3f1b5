"""How a table is written is found out, and what was guessed is said."""

import pytest

from engine.dialect import ENCODINGS, OTHER_ENCODING, SPACES, Stated, sniff
from engine.errors import DataError
from engine.tables import Dataset, Texts, parse_csv, read_csv_bytes


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


# --- what somebody states ----------------------------------------------------------------------------------


def stated(raw: bytes, **said: object) -> Dataset:
    return read_csv_bytes(raw, "mine.csv", Stated(**said))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said", "table"),
    [
        ("a,b;c\n1,2;3\n", {"delimiter": ";"}, {"a,b": [1.2], "c": [3]}),
        ("a:b\n1:2\n3:4\n", {"delimiter": ":"}, {"a": [1, 3], "b": [2, 4]}),
        ("a b\n1  2\n", {"delimiter": SPACES}, {"a": [1], "b": [2]}),
        ("a\tb c\n1\t2\n", {"delimiter": "\t"}, {"a": [1], "b c": [2]}),
        ("a;b\n1,234;2\n", {"decimal": "."}, {"a": [1234], "b": [2]}),
        ("a;b\n1,234;2\n", {"decimal": ","}, {"a": [1.234], "b": [2]}),
        ("a;b\n1.234;2,5\n", {"decimal": ","}, {"a": [1234], "b": [2.5]}),
        ("a;b\n1.234;2,5\n", {"decimal": "."}, {"a": [1.234], "b": ["2,5"]}),
        ("a;b\n2.5;1\n", {"decimal": ","}, {"a": ["2.5"], "b": [1]}),
        ("2020,2021\n1,2\n3,4\n", {"header": True}, {"2020": [1, 3], "2021": [2, 4]}),
        ("x,y\nu,v\n", {"header": False}, {"c1": ["x", "u"], "c2": ["y", "v"]}),
    ],
)
def test_what_is_stated_holds_whatever_was_found(text: str, said: dict, table: dict) -> None:
    assert {name: list(column) for name, column in stated(text.encode(), **said).table.items()} == table


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_reads_what_was_written_in_it(encoding: str) -> None:
    codec = ENCODINGS[encoding][1]
    letters = {
        "windows-1251": "цена",
        "windows-1253": "τιμή",
        "shift-jis": "値段",
        "gb18030": "价格",
        "big5": "價格",
        "euc-kr": "가격",
        "windows-1250": "cenař",
        "latin-2": "cenař",
        "windows-1254": "ağaç",
    }.get(encoding, "größe")
    data = stated(f"{letters},b\n1,2\n".encode(codec), encoding=encoding)
    assert data.columns == (letters, "b")
    assert data.notices == ()


@pytest.mark.parametrize(
    ("raw", "said", "sentence"),
    [
        (
            "a,b\n1,2\nä,3\n".encode("cp1252"),
            {"encoding": "utf-8"},
            f"mine.csv, line 3: the text is not UTF-8. {OTHER_ENCODING}",
        ),
        (
            b"a,b\n1,\x81\n",
            {"encoding": "windows-1252"},
            f"mine.csv, line 2: the text is not Windows-1252. {OTHER_ENCODING}",
        ),
        (
            b"a,b\n1,2\n3",
            {"encoding": "utf-16"},
            f"mine.csv, line 1: the text is not UTF-16. {OTHER_ENCODING}",
        ),
        (
            "a,b\n1,2\n".encode("utf-16"),
            {"encoding": "latin-1"},
            f"mine.csv: read as Latin-1, the text has null characters. {OTHER_ENCODING}",
        ),
        (
            b"a;b\n1;2\n3;4;5\n",
            {"delimiter": ";"},
            "mine.csv, line 3: the row has 3 values but there are 2 columns. "
            "Give every row one value a column, or name another delimiter.",
        ),
        (
            b"1,1\n2,3\n",
            {"header": True},
            "mine.csv: two columns are named 1. Rename one of them, or say that there is no header.",
        ),
        (
            b"1,2\n",
            {"header": True},
            "mine.csv: there are no rows under the header. Add a line for each example.",
        ),
    ],
)
def test_what_is_stated_and_does_not_fit_is_said_in_a_sentence(raw: bytes, said: dict, sentence: str) -> None:
    with pytest.raises(DataError) as error:
        stated(raw, **said)
    assert str(error.value) == sentence


def test_utf_16_without_its_mark_is_read_where_it_is_stated() -> None:
    assert list(stated("a,b\n1,2\n".encode("utf-16-le"), encoding="utf-16").columns) == ["a", "b"]


def test_numbers_without_the_stated_sign_are_text_and_it_is_said() -> None:
    assert stated(b"a;b\n2.5;1\n3;2\n", decimal=",").notices == (
        "In a, 2.5 has no decimal comma: it was read as text.",
    )
    assert stated(b"a;b\n2,5;1\n", decimal=".").notices == (
        "In a, 2,5 has no decimal point: it was read as text.",
    )


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a;b\n1,5;2\n", Stated(";", ",", True, "utf-8")),
        (b"1 2\n3 4.5\n", Stated(SPACES, ".", False, "utf-8")),
        ("ä\tb\n1\t2\n".encode("cp1252"), Stated("\t", "", True, "windows-1252")),
        ("a|b\nx|0.5\n".encode("utf-16"), Stated("|", ".", True, "utf-16")),
    ],
)
def test_what_was_found_out_is_told_also_where_something_else_is_stated(raw: bytes, found: Stated) -> None:
    assert stated(raw).found == found
    assert stated(raw, delimiter=found.delimiter).found == found


def test_a_stated_decimal_sign_holds_in_the_last_row_of_a_long_table() -> None:
    rows = "".join(f"{i};{i}\n" for i in range(60_000))
    data = stated(f"a;b\n{rows}1.5;2,5\n".encode(), decimal=",")
    assert isinstance(data.table["a"], Texts)
    assert data.table["a"][-1] == "1.5"
    assert data.table["b"][-1] == 2.5
