"""Reading network files: every error names the file, the key, and how to mend it."""

from __future__ import annotations

import codecs
import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from engine.data import HELD_OUT_RANGE, Between, bytes_of
from engine.dialect import ENCODINGS, SPACES, Stated, can_separate
from engine.errors import DataError, NetworkError, TrainingError, UsageError, excerpt
from engine.formula import identifiers, instead_of, reserved
from engine.tables import size_of
from graphs.definition import Array, FileData, Literals, Network, Source, Training, in_formula_of
from graphs.initial import INITS, Initial
from graphs.literals import array_of
from graphs.recipes import OF_OPTIMIZERS, OF_SCHEDULES, OF_STOPPING, recipe_of

__all__ = [
    "FORMAT",
    "attached",
    "built_in",
    "built_in_names",
    "load",
    "loads",
    "of_table",
    "plain",
    "signed",
    "without_place",
]

LARGEST_FILE = 8 * 2**20
LARGEST_NUMBER = 1e300
LARGEST_ATTACHED = 64 * 2**20
"""Bytes of a CSV above which it stays in its file alone, and is read again when it has changed."""
FORMAT = 1
"""The version of the format; a file need not say it, and one that says a later one is refused."""
_KEYS = {"format", "title", "description", "formula", "loss", "dimensions", "parameters", "data", "training"}
_STATED_KEYS = ("delimiter", "decimal", "header", "encoding")
_DATA_KEYS = {"file", "inputs", "targets", "standardize", "where", "held_out", *_STATED_KEYS}
_NAMED_DELIMITERS = {
    "tab": "\t",
    "spaces": SPACES,
    "space": SPACES,
    "comma": ",",
    "semicolon": ";",
    "vertical bar": "|",
}


TABLES = (".csv", ".tsv", ".tab", ".dat")
_OPENS = (
    "What opens is a network (.toml), a session (.backstep), or a JSON, HTML or SVG file that Backstep has "
    "exported."
)
OF_PARAMETER = 'Write a number, or how it is drawn: { shape = [2, 3], init = "xavier" }.'
OF_DATA = 'Write a number; a CSV is named with file = "iris.csv".'
_SIGNATURES = (
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "a film"),
    (0, b"PK\x03\x04", "a packed archive"),
)
"""How files begin that are no text: from which byte on, with what, and what such a file is."""
"""Endings of files that hold data rather than a network."""


def load(source: str | Path) -> Network:
    """Return a built-in network by name, or the one in a file.

    Raises
    ------
    BackstepError
        Where there is no such network, or the file cannot be read as one.
    """
    name = str(source)
    if name in built_in_names():
        return built_in(name)
    path = Path(name)
    if path.suffix != ".toml" and not _is_file(path):
        raise UsageError(f"there is no network {excerpt(name)}.", how=_which_network(name))
    if path.suffix.lower() in TABLES:
        raise UsageError(
            f"{excerpt(path.name)} is a table, not a network.",
            how="Drop it onto the window, or name it under [data] of a network's file.",
        )
    _require_text(path)
    text, file = _read(path), path.resolve()
    if path.suffix.lower() != ".toml":
        _require_toml(text, path.name)
    network = loads(text, name=path.stem, folder=file.parent, where=path.name, path=file)
    return replace(network, attached=_attached(network))


def _require_text(path: Path) -> None:
    what = signed(path)
    if what:
        raise NetworkError(f"this is {what}.", where=excerpt(path.name), how=_OPENS)


def signed(path: Path) -> str:
    """Return what a file is whose first bytes are those of a picture, a film or an archive; "" for others."""
    try:
        with path.open("rb") as file:
            head = file.read(16) if path.is_file() else b""
    except (OSError, ValueError):
        return ""  # said where it is read
    return next((what for place, sign, what in _SIGNATURES if head[place:].startswith(sign)), "")


def _require_toml(text: str, where: str) -> None:
    """Say what opens, where a file of another ending is not even a table."""
    try:
        _toml(plain(text), where)
    except NetworkError as error:
        raise NetworkError(error.what, where=excerpt(where), how=_OPENS) from None


def _attached(network: Network) -> dict[str, bytes]:
    """Return the CSV beside the file as it is now: what is edited and undone later keeps these numbers."""
    data = network.data
    if not isinstance(data, FileData) or network.folder is None:
        return {}
    return attached(network.folder / data.file, data.file)


def attached(path: Path, name: str) -> dict[str, bytes]:
    """Return what a CSV holds by the name that a network gives it; nothing of one that is very large."""
    try:
        return {name: bytes_of(path)} if size_of(path) <= LARGEST_ATTACHED else {}
    except DataError:
        return {}  # a built-in data set, or none: said where it is looked for


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _which_network(name: str) -> str:
    close = difflib.get_close_matches(name[:100], built_in_names(), 1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return f"{hint}Name a .toml file or one of: {', '.join(built_in_names())}."


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise NetworkError(
                "this is not an ordinary file.", where=excerpt(path.name), how="Name a .toml file."
            )
        if path.stat().st_size > LARGEST_FILE:
            raise NetworkError(
                f"the file is larger than {LARGEST_FILE // 2**20} MB.",
                where=excerpt(path.name),
                how="Put large data into a CSV beside it.",
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise NetworkError(
            "the file is not UTF-8 text.", where=excerpt(path.name), how="Save it as UTF-8."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise NetworkError(
            f"the file cannot be read ({reason.lower()}).", where=excerpt(path, 100), how="Check its name."
        ) from None


@lru_cache(maxsize=1)
def built_in_names() -> tuple[str, ...]:
    """Return the names of the built-in networks, in the order in which a course meets them."""
    folder = resources.files("graphs") / "networks"
    found = [
        (_place(entry.read_text("utf-8")), entry.name[:-5])
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return tuple(name for _, name in sorted(found))


def _place(text: str) -> int:
    """Return the number in the first line's comment, ``# 4``, by which built-in networks are ordered."""
    match = re.match(r"#\s*(\d+)", text)
    return int(match[1]) if match else 1000


def built_in(name: str) -> Network:
    """Return a built-in network."""
    text = (resources.files("graphs") / "networks" / f"{name}.toml").read_text("utf-8")
    return loads(without_place(text), name=name, where=f"{name}.toml")


def without_place(text: str) -> str:
    """Return the text of a network that comes with Backstep without the number by which it is ordered."""
    return re.sub(r"\A#\s*\d+[ \t]*\n", "", text)


def loads(
    text: str,
    *,
    name: str = "network",
    folder: Path | None = None,
    where: str = "",
    path: Path | None = None,
) -> Network:
    """Return the network that a file's text says.

    Raises
    ------
    NetworkError
        For anything that is not such a file; names the key.
    FormulaError
        For a formula that cannot be read.
    """
    where = where or name
    source, document = Source(text, path), _toml(plain(text), where)
    if "page" in document and "formula" not in document:
        raise NetworkError(
            "this is a lesson, not a network.",
            where=where,
            how=f"Open it with backstep lesson {excerpt(where)}.",
        )
    return of_table(document, name=name, folder=folder, where=where, source=source)


def of_table(
    document: Mapping[str, Any],
    *,
    name: str,
    folder: Path | None = None,
    where: str = "",
    source: Source | None = None,
) -> Network:
    """Return the network that a table says, with the keys of a network file; errors as :func:`loads`."""
    _require_known_format(document, where)
    _known_keys(document, _KEYS, where)
    reader = _Reader(where)
    network = Network(
        name=name,
        title=reader.text(document, "title", name),
        formula=reader.formula(document),
        loss=reader.text(document, "loss", None),
        description=reader.text(document, "description", ""),
        dimensions=reader.dimensions(reader.table(document, "dimensions")),
        parameters=reader.parameters(reader.table(document, "parameters")),
        data=reader.data(reader.table(document, "data")),
        training=reader.training(reader.table(document, "training")),
        folder=folder,
        held_out=reader.held_out(reader.table(document, "data")),
        source=source or Source(),
    )
    with in_formula_of(network):
        _ = network.statements  # a formula that cannot be read is said at once
    _check_names(network, where)
    return network


_LONG_KEY = re.compile(r"(?:[\w-]+\.){100}")


def plain(text: str) -> str:
    """Return a file's text without what editors on other systems add: a byte order mark, carriage returns."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _require_known_format(document: Mapping[str, Any], where: str) -> None:
    version = document.get("format", FORMAT)
    if type(version) is not int or version < 1:
        raise NetworkError("format is not a version.", where=where, how=f"Write format = {FORMAT}, or none.")
    if version > FORMAT:
        raise NetworkError(
            f"the file has the format {excerpt(version, 20)}, and this version of Backstep reads up to "
            f"{FORMAT}.",
            where=where,
            how="Open it with a newer Backstep.",
        )


def _toml(text: str, where: str) -> dict[str, Any]:
    if _LONG_KEY.search(text):  # the reader's time grows with the square of it
        raise NetworkError("a name has more than a hundred dots.", where=where, how="Write plain keys.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworkError(
            f"the file is not valid TOML: {excerpt(error, 120)}.", where=where, how="Correct that place."
        ) from None
    except RecursionError:
        raise NetworkError(
            "the file is nested too deeply.", where=where, how="Write plain lists of numbers."
        ) from None
    except ValueError:  # of thousands of digits
        raise NetworkError(
            "the file has a number that is too long.", where=where, how="The largest is about 1.8e308."
        ) from None


def _known_keys(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key[:100], sorted(known), 1)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(known))}."
            raise NetworkError(f"there is no key {excerpt(key)}.", where=where, how=hint)


def _check_names(network: Network, where: str) -> None:
    data = network.data
    names = data.names if isinstance(data, FileData) else tuple(data)
    if isinstance(data, FileData) and data.own:
        _check_own(network, data, where)
    both = [name for name in network.parameters if name in names]
    if both:
        raise NetworkError(
            f"{excerpt(both[0])} is both a parameter and data.", where=where, how="Rename one of them."
        )


def _check_own(network: Network, data: FileData, where: str) -> None:
    """Refuse a name beside the table's that is given twice, or that nobody reads: it may be mistyped."""
    read = identifiers(network.statements)
    for name in data.own:
        if name in data.columns:
            raise NetworkError(
                f"{excerpt(name)} is given by the columns of {excerpt(data.file)} and by numbers.",
                where=f"{where}, [data]",
                how="Leave one of them out.",
            )
        if name not in read:
            close = difflib.get_close_matches(name[:100], sorted(_DATA_KEYS), 1)
            raise NetworkError(
                f"no line of the formula reads {excerpt(name)}.",
                where=f"{where}, [data]",
                how=f"Did you mean {close[0]}?" if close else "Use it in a line, or leave it out.",
            )


def _is_numbers(value: Any) -> bool:
    """Say whether a value of the file is a number or a list, as literal data are."""
    return isinstance(value, int | float | list) and not isinstance(value, bool)


def _codec_of(name: str) -> str:
    """Return Python's one name for an encoding, "" where it has none."""
    try:
        return codecs.lookup(name.strip()).name if len(name) < 40 and name.isascii() else ""
    except (LookupError, ValueError):
        return ""


class _Reader:
    """Reads the tables of a network file, naming the key in every error."""

    def __init__(self, where: str) -> None:
        self._where = where

    def fail(self, what: str, how: str = "", key: str = "") -> NetworkError:
        return NetworkError(what, where=f"{self._where}, {key}" if key else self._where, how=how)

    def text(self, document: Mapping[str, Any], key: str, default: Any) -> Any:
        value = document.get(key, default)
        if value is not default and not isinstance(value, str):
            raise self.fail(f"{key} is not text.", 'Write it in quotation marks, such as "L".')
        return value

    def formula(self, document: Mapping[str, Any]) -> str:
        if "formula" not in document:
            raise self.fail("there is no formula.", 'Add formula = """..."""; a network is its formula.')
        return self.text(document, "formula", "")

    def table(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, Mapping):
            raise self.fail(f"{key} is not a table.", f"Write [{key}] on a line of its own.")
        return value

    def dimensions(self, table: Mapping[str, Any]) -> dict[str, int]:
        for name, size in table.items():
            if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 100_000:
                raise self.fail(
                    f"{excerpt(repr(size))} is not a size.", "Write a whole number from 1 to 100000.", name
                )
        return dict(table)

    def parameters(self, table: Mapping[str, Any]) -> dict[str, Array | Initial]:
        return {self.identifier(n, "parameters"): self.parameter(n, value) for n, value in table.items()}

    def parameter(self, name: str, value: Any) -> Array | Initial:
        if not isinstance(value, Mapping):
            return array_of(value, f"{self._where}, parameter {excerpt(name)}", OF_PARAMETER)
        _known_keys(value, {"shape", "init"}, f"{self._where}, parameter {excerpt(name)}")
        init = value.get("init", "xavier")
        if not isinstance(init, str) or init not in INITS:
            raise self.fail(f"there is no init {excerpt(init)}.", f"There are: {', '.join(INITS)}.", name)
        return Initial(self.shape(name, value.get("shape", ())), init)

    def shape(self, name: str, shape: Any) -> tuple[str | int, ...]:
        fine = isinstance(shape, list | tuple) and len(shape) <= 2
        if not fine or not all(isinstance(s, str) or (type(s) is int and 0 < s <= 100_000) for s in shape):
            raise self.fail(
                f"the shape {excerpt(shape)} is not one.",
                'Write [rows, columns], such as ["k", "n"] or [3, 1].',
                name,
            )
        return tuple(shape)

    def identifier(self, name: str, table: str) -> str:
        """Return a name as the formula reads it."""
        name = unicodedata.normalize("NFKC", name)
        if not name.isidentifier():
            raise self.fail(f"{excerpt(name)} is not a name.", "Use letters, digits and _.", f"[{table}]")
        if reserved(name):
            raise self.fail(f"{excerpt(name)} is {reserved(name)}.", instead_of(name), f"[{table}]")
        return name

    def data(self, table: Mapping[str, Any]) -> Mapping[str, Array] | FileData:
        if "file" in table:
            return self.file_data(table)
        return self.literals({name: value for name, value in table.items() if name != "held_out"})

    def held_out(self, table: Mapping[str, Any]) -> float:
        """Return which part of the examples is held out."""
        value = table.get("held_out", 0.0)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 1:
            what = f"{excerpt(value, 30)} of the examples cannot be held out."
            raise self.fail(what, HELD_OUT_RANGE, "[data], held_out")
        return float(value)

    def file_data(self, table: Mapping[str, Any]) -> FileData:
        own = {name: value for name, value in table.items() if name not in _DATA_KEYS}
        where = f"{self._where}, [data]"
        _known_keys({n: v for n, v in own.items() if not _is_numbers(v)}, _DATA_KEYS, where)
        standardize = table.get("standardize", False)
        if not isinstance(standardize, bool):
            standardize = self.words(standardize, "standardize")
        if not isinstance(table["file"], str):
            raise self.fail("file is not text.", 'Write file = "cars.csv".', "[data]")
        return FileData(
            table["file"],
            self.columns(table, "inputs"),
            self.columns(table, "targets"),
            standardize,
            {key: self.choices(v, key) for key, v in self.table(table, "where").items()},
            self.stated(table),
            Literals(self.literals(own)),
        )

    def literals(self, table: Mapping[str, Any]) -> dict[str, Array]:
        """Return literal data by name."""
        return {
            self.identifier(name, "data"): array_of(value, f"{self._where}, data {excerpt(name)}", OF_DATA)
            for name, value in table.items()
        }

    def stated(self, table: Mapping[str, Any]) -> Stated:
        """Return what is said of how the CSV is written."""
        given = {key: table[key] for key in _STATED_KEYS if key in table}
        for key, value in given.items():
            if not isinstance(value, bool if key == "header" else str):
                kind, such = ("true or false", "false") if key == "header" else ("text", '"..."')
                raise self.fail(f"{key} is not {kind}.", f"Write {key} = {such}.", f"[data], {key}")
        if "delimiter" in given:
            given["delimiter"] = self.delimiter(given["delimiter"])
        if given.get("decimal", ".") not in (".", ","):
            what = f"{excerpt(repr(given['decimal']))} is not a decimal sign."
            raise self.fail(what, 'Write decimal = "," or decimal = ".".', "[data], decimal")
        if "encoding" in given:
            given["encoding"] = self.encoding(given["encoding"])
        return Stated(**given)

    def delimiter(self, text: str) -> str:
        mark = _NAMED_DELIMITERS.get(text.strip().lower(), text)
        if not can_separate(mark):
            raise self.fail(
                f"{excerpt(repr(text))} cannot separate values.",
                'Write one character, such as delimiter = ";", or "tab" or "spaces".',
                "[data], delimiter",
            )
        return mark

    def encoding(self, text: str) -> str:
        """Return an encoding by the name that it has here, whichever of its names is given."""
        wanted = _codec_of(text)
        for name, (title, codec) in ENCODINGS.items():
            if text.strip().lower() in (name, title.lower()) or (
                wanted and wanted in (_codec_of(name), _codec_of(codec))
            ):
                return name
        known = f"There are: {', '.join(ENCODINGS)}."
        raise self.fail(f"there is no encoding {excerpt(text)}.", known, "[data], encoding")

    def choices(self, value: Any, key: str) -> tuple[str | int | float, ...] | Between:
        if isinstance(value, Mapping):
            return self.between(value, f"[data], where.{excerpt(key)}")
        values = tuple(value) if isinstance(value, list) else (value,)
        for entry in values:
            if not isinstance(entry, str | int | float) or isinstance(entry, bool) or entry != entry:
                raise self.fail(
                    f"{excerpt(entry)} is neither text nor a number.",
                    'Write where = { species = ["Adelie"] }.',
                    f"[data], where.{excerpt(key)}",
                )
        return values

    def between(self, table: Mapping[str, Any], key: str) -> Between:
        """Return the range of numbers that a table says."""
        _known_keys(table, {"from", "to"}, f"{self._where}, {key}")
        how = "Write where = { speed = { from = 5, to = 20 } }."
        for end in table.values():
            if not isinstance(end, int | float) or isinstance(end, bool) or not abs(end) <= LARGEST_NUMBER:
                raise self.fail(f"{excerpt(end)} is not a number.", how, key)
        least, most = table.get("from"), table.get("to")
        if least is None and most is None:
            raise self.fail("the range has no end.", how, key)
        if least is not None and most is not None and least > most:
            raise self.fail(f"the range begins at {least}, after its end.", "Exchange from and to.", key)
        return Between(least, most)

    def columns(self, table: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
        value = table.get(key, {})
        if not isinstance(value, Mapping) or (key == "inputs" and not value):
            raise self.fail(f"{key} does not name columns.", f'Write {key} = {{ X = ["speed"] }}.', "[data]")
        return {
            self.identifier(name, "data"): self.words(columns, f"{key}.{name}")
            for name, columns in value.items()
        }

    def words(self, value: Any, key: str) -> tuple[str, ...]:
        words = (value,) if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(w, str) for w in words):
            raise self.fail(
                f"{excerpt(value)} is not a list of columns.", 'Write ["speed"].', f"[data], {key}"
            )
        return tuple(words)

    def training(self, table: Mapping[str, Any]) -> Training:
        numbers = (*OF_OPTIMIZERS, *OF_SCHEDULES, *OF_STOPPING, "steps", "batch_size")
        _known_keys(table, {"optimizer", "schedule", *numbers}, f"{self._where}, [training]")
        for key, value in table.items():
            self.training_value(key, value)
        try:
            steps = table.get("steps", Training().steps)
            recipe = recipe_of({key: value for key, value in table.items() if key != "steps"}, steps)
        except TrainingError as error:
            raise self.fail(error.what, error.how, "[training]") from None
        return Training(recipe, steps)

    def training_value(self, key: str, value: Any) -> None:
        """Check the kind of a value; its range is the recipe's business."""
        if key in ("optimizer", "schedule"):
            if not isinstance(value, str):
                raise self.fail(
                    f"{excerpt(value)} is not text.", f'Write {key} = "NAME".', f"[training], {key}"
                )
            return
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(
                f"{excerpt(value)} is not a number.", f"Write {key} = NUMBER.", f"[training], {key}"
            )
        if key == "steps" and not (isinstance(value, int) and 1 <= value <= LARGEST_NUMBER):
            raise self.fail(
                f"the steps cannot be {excerpt(value, 30)}.",
                "It is a whole number of at least 1.",
                f"[training], {key}",
            )
