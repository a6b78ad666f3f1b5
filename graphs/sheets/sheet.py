"""What is on a sheet, whatever it is written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graphs.answers import Posed
from graphs.drills.base import Block, Exercise
from graphs.provenance import version
from graphs.snapshot import Snapshot

__all__ = ["TO_FILL_IN", "Entry", "Part", "Sheet", "Writer", "ruled_top"]

TO_FILL_IN = ("Name", "Date")  # at the top of a sheet without solutions


@dataclass(frozen=True)
class Writer:
    """A format of sheets: its name, how names of its files end, and what writes it."""

    name: str
    endings: tuple[str, ...]
    write: Callable[[Sheet], str]


@dataclass(frozen=True, eq=False)
class Part:
    """One question of an exercise.

    Attributes
    ----------
    label
        Its letter.
    solution
        How it is worked out, without what has been with an earlier part; with LaTeX between dollars, as are
        the question, the choices and the answer.
    """

    label: str
    posed: Posed
    solution: tuple[str, ...] = ()

    @property
    def ask(self) -> str:
        """The question."""
        return self.posed.question.ask

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The choices with their numbers."""
        return tuple((str(i + 1), choice) for i, choice in enumerate(self.posed.question.choices))

    @cached_property
    def answer(self) -> str:
        """The right answer."""
        return self.posed.answer_latex

    def is_answer(self, text: str) -> bool:
        """Say whether a text of the solution only says the answer again."""
        is_long = self.posed.question.kind in ("expression", "matrix")
        return text == self.answer or (is_long and text.endswith(f"= {self.answer[1:]}"))


@dataclass(frozen=True, eq=False)
class Entry:
    """One exercise with its number.

    Attributes
    ----------
    blocks
        What is told before its parts; what was given with an earlier exercise already is referred to.
    """

    number: int
    exercise: Exercise
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        """What it is about."""
        return self.exercise.title

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Its questions, with letters."""
        return tuple(Part(_letter(i), posed) for i, posed in enumerate(self.exercise.parts))

    @cached_property
    def solved(self) -> tuple[Part, ...]:
        """The same with their solutions; none says again what an earlier one has said."""
        seen: set[str] = set()
        found = []
        for part in self.parts:
            told = [text for text in part.posed.solution if text not in seen]
            seen.update(told)
            found.append(replace(part, solution=tuple(text for text in told if not part.is_answer(text))))
        return tuple(found)


def ruled_top() -> str:
    """Return the line to fill in, for formats that are text."""
    return "   ".join(f"{word}: {'_' * width}" for word, width in zip(TO_FILL_IN, (36, 16), strict=True))


def _by_network(exercises: Sequence[Exercise]) -> Iterator[Exercise]:
    """Yield the exercises on one network one after the other, from where the first of them stands."""
    groups: dict[int, list[Exercise]] = {}
    for exercise in exercises:
        groups.setdefault(id(exercise.given or exercise), []).append(exercise)
    for group in groups.values():
        yield from group


def _letter(place: int) -> str:
    return chr(ord("a") + place)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Exercises made from one network, with their solutions or without.

    Attributes
    ----------
    snapshot
        The network.
    seed
        The exercises' own seed.
    """

    exercises: Sequence[Exercise]
    snapshot: Snapshot
    seed: int = 0
    has_solutions: bool = False

    @property
    def title(self) -> str:
        """What stands above it."""
        return f"Exercises: {self.snapshot.title}"

    @property
    def said(self) -> dict[str, str]:
        """What a file says about itself."""
        kinds = ", ".join(dict.fromkeys(e.kind for e in self.exercises))
        network = self.snapshot.model.network.name
        return {
            "Software": f"Backstep {version()}",
            "Title": self.title,
            "Network": network,
            "Seed": str(self.seed),
            "Kinds": kinds,
        }

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The exercises in order, those on one network together."""
        return tuple(self._entries())

    def _entries(self) -> Iterator[Entry]:
        first: dict[int, int] = {}
        for number, exercise in enumerate(_by_network(self.exercises), 1):
            earlier = first.setdefault(id(exercise.given), number) if exercise.given else number
            if earlier == number:
                told = exercise.given
            else:
                told = (Block("text", (f"The network of exercise {earlier}, with what is given there.",)),)
            yield Entry(number, exercise, (*told, *exercise.blocks))
