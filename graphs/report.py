"""What a learner got right: a small record that stays on the learner's machine and can be exported.

For every question that was tried: whether its first answer was right, how many it took, how much help was
asked for, and which mistakes were made. A report is a value: what happens gives another one. It knows no
names of people, and is text: JSON to be kept, Markdown and CSV to be passed on.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from engine.errors import DataError, excerpt
from graphs.answers import Verdict
from graphs.drills.base import Exercise
from graphs.lesson import Lesson
from graphs.mathtext import plain
from graphs.mistakes.record import kind_words

__all__ = ["Key", "Record", "Report", "key_of_page", "key_of_part", "loads"]

FORMAT = 1
MOST_RECORDS = 20_000
MOST_KINDS = 20
LONGEST = 400  # characters of a text in a record


@dataclass(frozen=True, order=True)
class Key:
    """Which question it is.

    Attributes
    ----------
    source
        A lesson, or the network that exercises were made from.
    place
        The page, or exercise and part.
    """

    source: str
    place: str


@dataclass(frozen=True)
class Record:
    """How one question went.

    Attributes
    ----------
    ask
        The question, as plain text.
    tries
        How many answers were given; what could not be read is none.
    is_right
        Whether one of them was right before the answer was shown.
    is_first
        Whether it was the first, without any help.
    hints
        How many hints were shown before that.
    is_revealed
        Whether the answer was shown.
    kinds
        Which mistakes the wrong answers were, in their order.
    day
        Of the last try, as 2024-05-31.
    """

    ask: str = ""
    tries: int = 0
    is_right: bool = False
    is_first: bool = False
    hints: int = 0
    is_revealed: bool = False
    kinds: tuple[str, ...] = ()
    day: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that was tried.

    Examples
    --------
    >>> key, now = Key("Regression", "Both gradients"), datetime(2024, 5, 31)
    >>> report = Report().tried(key, "What is it?", Verdict(False, "Look at the sign.", kinds=("sign",)), now)
    >>> report = report.tried(key, "What is it?", Verdict(True, "Right."), now)
    >>> found = report.records[key]
    >>> found.tries, found.is_right, found.is_first, found.kinds, report.sentence()
    (2, True, False, ('sign',), '0 of 1 question right at the first try.')
    """

    records: Mapping[Key, Record] = field(default_factory=dict)

    # --- what happens ---

    def tried(self, key: Key, ask: str, verdict: Verdict, now: datetime) -> Report:
        """Return the report after an answer; nothing changes once a question is done with."""
        record = self._record(key, ask)
        if not verdict.is_read or record.is_right:
            return self
        is_alone = not record.tries and not record.hints and not record.is_revealed
        kinds = record.kinds if verdict.right else (*record.kinds, *verdict.kinds[:1])[:MOST_KINDS]
        return self._with(
            key,
            replace(
                record,
                tries=record.tries + 1,
                is_right=verdict.right and not record.is_revealed,
                is_first=verdict.right and is_alone,
                kinds=kinds,
                day=now.date().isoformat(),
            ),
        )

    def helped(self, key: Key, ask: str, hints: int) -> Report:
        """Return the report after so many hints of a question have been shown."""
        record = self._record(key, ask)
        if record.is_right or hints <= record.hints:
            return self
        return self._with(key, replace(record, hints=hints))

    def revealed(self, key: Key, ask: str) -> Report:
        """Return the report after the answer to a question has been shown."""
        record = self._record(key, ask)
        return self if record.is_right else self._with(key, replace(record, is_revealed=True))

    def without(self, source: str) -> Report:
        """Return the report without what was tried in one lesson or network: to begin it again."""
        return Report({key: record for key, record in self.records.items() if key.source != source})

    def _record(self, key: Key, ask: str) -> Record:
        return self.records.get(key) or Record(plain(ask)[:LONGEST])

    def _with(self, key: Key, record: Record) -> Report:
        if key not in self.records and len(self.records) >= MOST_RECORDS:
            return self
        return Report({**self.records, key: record})

    # --- what it comes to ---

    def of(self, source: str) -> Report:
        """Return what was tried in one lesson or network."""
        return Report({key: record for key, record in self.records.items() if key.source == source})

    @property
    def sources(self) -> tuple[str, ...]:
        """The lessons and networks in the order in which they were begun."""
        return tuple(dict.fromkeys(key.source for key in self.records))

    @property
    def first_tries(self) -> int:
        """How many questions were right at the first try."""
        return sum(record.is_first for record in self.records.values())

    def commonest(self, count: int = 3) -> list[tuple[str, int]]:
        """Return the mistakes that were made most often, in words, with how often."""
        found: dict[str, int] = {}
        for record in self.records.values():
            for kind in record.kinds:
                words = kind_words(kind)
                found[words] = found.get(words, 0) + 1
        return sorted(found.items(), key=lambda pair: -pair[1])[:count]

    def sentence(self) -> str:
        """Return what it comes to: of the questions that were tried, and how many were shown only."""
        tried = sum(record.tries > 0 for record in self.records.values())
        shown = sum(not record.tries and record.is_revealed for record in self.records.values())
        said = [f"{self.first_tries} of {tried} question{'s' * (tried != 1)} right at the first try."]
        said += [f"{shown} answer{'s were' if shown != 1 else ' was'} shown without a try."] if shown else []
        return " ".join(said if tried or not shown else said[1:])

    # --- as text ---

    def markdown(self) -> str:
        """Return the report as Markdown: a table for each lesson or network."""
        parts = ["# What was right at the first try", self.sentence()]
        for source in self.sources:
            own = self.of(source)
            parts += [f"## {_cell(source)}", own.sentence(), "\n".join(_table(own))]
            often = ", ".join(f"{kind} ({count})" for kind, count in own.commonest())
            parts += [f"Most often wrong about: {often}."] if often else []
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """Return the report as a CSV, one question a row."""
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["source", "place", *_COLUMNS])
        for key, record in self.records.items():
            values = {**asdict(record), "kinds": "; ".join(map(kind_words, record.kinds))}
            rows.writerow([_harmless(v) for v in (key.source, key.place, *(values[c] for c in _COLUMNS))])
        return out.getvalue()

    def dumps(self) -> str:
        """Return the report as JSON, for :func:`loads`."""
        records = [{**asdict(key), **asdict(record)} for key, record in self.records.items()]
        return json.dumps({"format": FORMAT, "records": records}, ensure_ascii=False, indent=0) + "\n"


_COLUMNS = ("ask", "is_first", "is_right", "tries", "hints", "is_revealed", "kinds", "day")


def _table(report: Report) -> Iterator[str]:
    yield "| question | first try | right | tries | hints | mistakes |"
    yield "|---|---|---|---|---|---|"
    for key, record in report.records.items():
        cells = (
            _cell(_headed(key.place, record.ask)),
            *(
                "yes" if flag else "no" if record.tries else "–"
                for flag in (record.is_first, record.is_right)
            ),
            str(record.tries),
            f"{record.hints}{', answer shown' if record.is_revealed else ''}",
            ", ".join(dict.fromkeys(map(kind_words, record.kinds))),
        )
        yield f"| {' | '.join(cells)} |"


def _headed(place: str, ask: str) -> str:
    """Return a question behind its place, which may be a question itself."""
    if not ask:
        return place
    return f"{place}{'' if place.endswith(('?', '!', '.', ':')) else ':'} {ask}"


def _cell(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _harmless(value: Any) -> Any:
    """Return a value on one line that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    flat = " ".join(value.split())
    return f"'{flat}" if flat[:1] in ("=", "+", "-", "@") else flat


def loads(text: str) -> Report:
    """Return the report that :meth:`Report.dumps` wrote.

    Raises
    ------
    DataError
        For anything else.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise DataError("this report is of a newer Backstep.", how="Open it with that one.")
        rows = [_read(row) for row in document["records"][:MOST_RECORDS]]
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError) as error:
        reason = excerpt(error, 60)
        raise DataError(f"this is no report of what was learnt: {reason}.", how="Begin a new one.") from None
    return Report(dict(rows))


def _read(row: Mapping[str, Any]) -> tuple[Key, Record]:
    key = Key(_text(row["source"]), _text(row["place"]))
    values: dict[str, Any] = {}
    for f in fields(Record):
        value, default = row[f.name], f.default
        if f.name == "kinds":
            value = tuple(_text(kind) for kind in value[:MOST_KINDS])
        elif type(value) is not type(default):
            raise TypeError(f"{f.name} is {excerpt(value, 20)}")
        values[f.name] = _text(value) if isinstance(value, str) else value
    return key, Record(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{excerpt(value, 20)} is no text")
    return value[:LONGEST]


# --- which question it is ----------------------------------------------------------------------------------


def key_of_page(lesson: Lesson, number: int) -> Key:
    """Return the key of a page's question: its title, which stays when pages are put in between."""
    return Key(lesson.title, lesson.pages[number].title)


def key_of_part(exercise: Exercise, place: int) -> Key:
    """Return the key of a part of an exercise."""
    numbers = f"{exercise.seed}.{exercise.turn + 1}"
    return Key(exercise.snapshot.title, f"{exercise.title} {numbers}, {chr(ord('a') + place)}")
