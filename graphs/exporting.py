"""What is written where: which format a name asks for, which steps go into which file.

Pictures are painted by the window's room; here stands only what their formats are called, so that a name can
be checked before anything is worked out.
"""

from __future__ import annotations

import os
import re
import stat
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import UsageError, excerpt
from engine.trace import Phase, Trace
from graphs.carrying import CARRIERS
from graphs.documents import Scope, formats

__all__ = [
    "FIELDS",
    "OF_RUN",
    "PICTURES",
    "SUBJECTS",
    "Job",
    "Kind",
    "Look",
    "check_place",
    "kind_of",
    "kinds",
    "planned",
    "positions_of",
]

FIELDS = ("step", "iteration", "network", "detail", "theme")
"""What may stand in braces in a file's name."""
LONGEST_FORM = 4
"""Letters that may stand behind its colon, as in ``{step:03d}``: no number is a thousand digits wide."""


@dataclass(frozen=True)
class Kind:
    """What a file can be.

    Attributes
    ----------
    name
        As ``--format`` takes it.
    endings
        How its names end, the usual one first.
    is_picture
        Whether it is painted rather than written.
    takes
        ``one`` step a file, ``several`` in one file, or ``all`` whatever step is asked for.
    uses
        The names of what makes a difference to it: attributes of `Look`, of a document of its `Options`.
    is_read
        Whether it is read from its beginning, unless a step is chosen.
    """

    name: str
    endings: tuple[str, ...]
    is_picture: bool = False
    takes: str = "one"
    uses: tuple[str, ...] = ()
    is_read: bool = False

    @property
    def has_place(self) -> bool:
        """Whether it shows a step, or opens at one."""
        return self.takes != "all" or any(ending in CARRIERS for ending in self.endings)


_DRAWN = ("subject", "theme", "is_transparent", "has_legend", "has_numbers")
_PIXELS = (*_DRAWN, "scale")
_MOVES = (*_PIXELS, "duration")
PICTURES = (
    Kind("svg", (".svg",), True, uses=_DRAWN),
    Kind("png", (".png",), True, uses=_PIXELS),
    Kind("pdf", (".pdf",), True, "several", uses=_DRAWN),
    Kind("gif", (".gif",), True, "several", uses=_MOVES),
    Kind("webp", (".webp",), True, "several", uses=_MOVES),
    Kind("apng", (".apng",), True, "several", uses=_MOVES),
    Kind("mp4", (".mp4",), True, "several", uses=_MOVES),
)
"""The picture formats, of which each is a file in ``gui.pictures``."""


SUBJECTS = ("graph", "neurons", "step", "loss", "landscape", "window")
"""What a picture can show."""

OF_RUN = ("loss", "landscape")
"""Those that show the run, whatever step is asked for."""


@dataclass(frozen=True)
class Look:
    """How pictures are to look.

    Attributes
    ----------
    subject
        One of `SUBJECTS`.
    theme
        ``light``, ``dark`` or ``print``.
    scale
        Pixels for each unit; the subject's own where None.
    is_transparent
        Whether the background is left out.
    duration
        Seconds that each step of an animation stands.
    has_legend, has_numbers
        Whether a picture of the graph says what its lines and colours mean, and whether small arrays on its
        cards show their numbers.
    """

    subject: str = "graph"
    theme: str = "light"
    scale: float | None = None
    is_transparent: bool = False
    duration: float = 1.0
    has_legend: bool = False
    has_numbers: bool = False

    def check(self) -> None:
        """Say so where something is asked for that only the graph has.

        Raises
        ------
        UsageError
            For a legend or numbers of another subject.
        """
        for name, wanted in (("legend", self.has_legend), ("numbers", self.has_numbers)):
            if wanted and self.subject != "graph":
                raise UsageError(
                    f"--{name} belongs to the graph, not to the {self.subject}.", how="Leave it out."
                )


@dataclass(frozen=True)
class Job:
    """One file to be written.

    Attributes
    ----------
    path
        Where.
    kind
        As what.
    positions
        The places in the iteration that go into it: how many steps have been taken.
    name
        What was asked for: the path with its braces.
    """

    path: Path
    kind: Kind
    positions: tuple[int, ...]
    name: str = ""


@cache
def kinds() -> Mapping[str, Kind]:
    """Return everything that can be written, by name: pictures, then documents."""
    takes = {Scope.STEP: "one", Scope.ITERATION: "all", Scope.RUN: "all"}
    documents = [
        Kind(f.name, f.endings, takes=takes[f.scope], uses=f.uses, is_read=f.is_read)
        for f in formats().values()
    ]
    return {kind.name: kind for kind in (*PICTURES, *documents)}


def kind_of(name: str, wanted: str = "", *, is_stated: bool = False) -> Kind:
    """Return what a file of this name is to be.

    Parameters
    ----------
    wanted
        The name of a kind that is preferred where several share an ending, and taken where the name has none.
    is_stated
        Whether somebody has said so: then it is taken for endings that nothing has, too.

    Raises
    ------
    UsageError
        For an ending that nothing has, or that the kind wanted has not, and for a folder.
    """
    _require_file_name(name)
    found = _matching(name)
    chosen = kinds().get(wanted)
    if wanted and chosen is None:
        raise UsageError(f"there is no format {excerpt(wanted, 40)}.", how=f"There are {', '.join(kinds())}.")
    if chosen is not None and (chosen in found or not Path(name).suffix):
        return chosen
    if not found:
        if chosen is not None and is_stated:
            return chosen
        raise UsageError(f"{excerpt(name)} is not the name of anything that can be written.", how=_known())
    if chosen is not None and len(found) > 1:
        raise UsageError(
            f"{excerpt(name)} is not the name of a {chosen.name} file.",
            how=f"End it in {' or '.join(chosen.endings)}.",
        )
    return found[0]


def _require_file_name(name: str) -> None:
    if not name.strip():
        raise UsageError("the file to write has no name.", how=_known())
    if name.endswith(("/", os.sep)) or os.path.isdir(name):
        file = os.path.join(name, "step.svg")
        raise UsageError(f"{excerpt(name)} is a folder.", how=f"Name a file in it, such as {excerpt(file)}.")


def _known() -> str:
    return (
        f"End the name in one of {', '.join(dict.fromkeys(e for k in kinds().values() for e in k.endings))}."
    )


def _matching(name: str) -> list[Kind]:
    """Return the kinds that have the longest ending of a name: ``.tikz.tex`` is longer than ``.tex``."""
    name = Path(name).name.lower()
    ends = [(max((len(e) for e in k.endings if name.endswith(e)), default=0), k) for k in kinds().values()]
    longest = max(length for length, _ in ends)
    return [kind for length, kind in ends if longest and length == longest]


# --- steps -------------------------------------------------------------------------------------------------

_RANGE = re.compile(r"(\d{1,9})(?:-|\.\.)(\d{1,9})\Z")
PHASES = {"forward": (Phase.FORWARD,), "backward": (Phase.SEED, Phase.BACKWARD), "update": (Phase.UPDATE,)}


def positions_of(text: str | None, trace: Trace) -> tuple[int, ...]:
    """Return the places that a choice of steps names, in order, each once.

    Parameters
    ----------
    text
        Numbers, ranges such as ``3-9``, ``start``, ``first``, ``middle``, ``last``, ``all``, or a phase;
        several with commas. None for the last.

    Raises
    ------
    UsageError
        For other words, and steps that the iteration has not.
    """
    last = len(trace.steps)
    found: dict[int, None] = {}
    for part in (text or "last").split(","):
        places = _places(part.strip().lower(), trace)
        if any(place > last for place in places):
            what = f"there is no step {part.strip()}."
            if not part.strip().isdecimal():
                what = f"there are no steps {part.strip()}: the iteration has {last}."
            raise UsageError(what, how=f"Choose one of its steps, 0 to {last}.")
        found.update(dict.fromkeys(places))
    return tuple(found)


def _places(part: str, trace: Trace) -> Sequence[int]:
    last = len(trace.steps)
    words = {"start": 0, "first": min(1, last), "middle": (last + 1) // 2, "last": last}
    if part in words:
        return (words[part],)
    if part == "all":
        return range(last + 1)
    if part in PHASES:
        return [step.index + 1 for step in trace.steps if step.phase in PHASES[part]]
    match = _RANGE.match(part)
    if match:
        low, high = map(int, match.groups())
        if low > high:
            raise UsageError(f"the steps {part} go backwards.", how=f"Write {high}-{low}.")
        return range(low, max(low, min(high, last + 1)) + 1)  # one too many is noticed, all need not be
    if part.isdecimal() and len(part) < 10:
        return (int(part),)
    raise UsageError(
        f"{excerpt(part, 30)!r} is no step.",
        how=f"Write a number, 3-9, {', '.join(words)}, all, {', '.join(PHASES)}, or several with commas.",
    )


# --- files -------------------------------------------------------------------------------------------------


def planned(
    names: Sequence[str],
    positions: Sequence[int],
    fields: Mapping[str, object],
    *,
    wanted: str = "",
    is_stated: bool = False,
    is_chosen: bool = True,
    is_forced: bool = False,
) -> list[Job]:
    """Return the files to be written.

    Parameters
    ----------
    names
        Files' names; ``{step}``, ``{step:03d}`` and the other `FIELDS` are filled in; a name with a step is a
        file for each.
    positions
        The places to be shown.
    fields
        What stands for the fields other than the step.
    wanted
        The format preferred where several share an ending.
    is_stated
        Whether somebody has said that format, as for :func:`kind_of`.
    is_chosen
        Whether somebody has chosen the places; else what is read from its beginning begins there.
    is_forced
        Whether files that exist are to be replaced.

    Raises
    ------
    UsageError
        For names that cannot be filled in or written to, that are taken, or that come twice.
    """
    jobs = []
    for name in names:
        kind = kind_of(name, wanted, is_stated=is_stated)
        begins = (0,) if kind.is_read and not is_chosen else tuple(positions)
        jobs += _jobs(name, kind, begins, fields)
    twice = [path for path, count in Counter(str(job.path) for job in jobs).items() if count > 1]
    if twice:
        raise UsageError(
            f"{excerpt(twice[0])} would be written more than once.",
            how="Put {step} into the name, or leave one out.",
        )
    for job in jobs:
        check_place(job.path, is_forced)
    return jobs


def _jobs(name: str, kind: Kind, positions: tuple[int, ...], fields: Mapping[str, object]) -> list[Job]:
    if "step" in _fields_in(name):
        if len(positions) > 1 and not kind.has_place:
            raise UsageError(
                f"{excerpt(name)} would be the same {len(positions)} times: it has every step.",
                how="Leave {step} out of its name.",
            )
        return [Job(Path(_filled(name, {**fields, "step": p})), kind, (p,), name) for p in positions]
    if len(positions) > 1 and kind.takes == "one":
        raise UsageError(
            f"{excerpt(name)} holds one step, and {len(positions)} are asked for.",
            how="Put {step} into the name, such as step-{step:03d}" + kind.endings[0] + ".",
        )
    return [Job(Path(_filled(name, fields)), kind, positions, name)]


def _fields_in(name: str) -> list[str]:
    try:
        parts = [part for part in string.Formatter().parse(name) if part[1] is not None]
    except ValueError:
        raise _unfilled(name) from None
    if any(len(form or "") > LONGEST_FORM for _, _, form, _ in parts):
        raise _unfilled(name)
    return [str(field) for _, field, _, _ in parts]


def _filled(name: str, fields: Mapping[str, object]) -> str:
    if any(field not in FIELDS for field in _fields_in(name)):
        raise _unfilled(name)
    try:
        return name.format_map(fields)
    except (ValueError, KeyError, IndexError):
        raise _unfilled(name) from None


def _unfilled(name: str) -> UsageError:
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    return UsageError(
        f"the braces in {excerpt(name)} cannot be filled in.",
        how=f"There are {known}, and {{step:03d}}; a brace itself is written twice.",
    )


def check_place(path: Path, is_forced: bool) -> None:
    """Say what is wrong with where a file is to be, before anything is worked out.

    Raises
    ------
    UsageError
        Where no file can have this name, and where there is one that is not to be replaced.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        found = None
    except (OSError, ValueError):  # a name that is too long, a character that no name has
        raise UsageError(f"{excerpt(path)} cannot be the name of a file.", how="Choose another.") from None
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{excerpt(path)} is a folder.", how="Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(
            f"there is no folder {excerpt(path.parent)}.", how="Create it, or choose another place."
        )
    if found is not None and not is_forced:
        replace = "Add --force to replace it, or choose another name."
        raise UsageError(f"{excerpt(path)} exists.", how=replace)
