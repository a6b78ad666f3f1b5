"""What commands share: their record, the options that several of them take, and how options are read."""

from __future__ import annotations

import argparse
import difflib
import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import BackstepError, UsageError, excerpt
from engine.hyperparameters import Hyperparameter
from engine.numerals import array as numbers
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.schedules import SCHEDULES, Schedule
from engine.training import STOPPING, Recipe
from graphs.exporting import check_place
from graphs.files import require_writable
from graphs.network import Model, Network, bind, load_seeded
from graphs.recipes import OF_OPTIMIZERS, OF_SCHEDULES, OF_STOPPING, changed
from graphs.wording import listed

__all__ = [
    "Command",
    "Outcome",
    "Parser",
    "add_common",
    "add_format",
    "add_network",
    "add_optimizer",
    "add_recipe",
    "bound",
    "chosen_recipe",
    "file_to_write",
    "format_of",
    "idle",
    "overrides",
    "real",
    "wants_optimizer",
    "whole",
]


@dataclass(frozen=True)
class Outcome:
    """What a command comes to: the text for stdout, the exit code, and a sentence for stderr, if any."""

    text: str = ""
    code: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Command:
    """A command: its name, one sentence on it, an example, its options, and what it does."""

    name: str
    summary: str
    example: str
    add_options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], Outcome]

    def parser(self) -> Parser:
        """Return the parser of the command's options."""
        parser = Parser(
            prog=f"backstep {self.name}".strip(),
            description=self.summary,
            epilog=f"example:\n  backstep {self.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_options(parser)
        add_common(parser)
        return parser


class Parser(ArgumentParser):
    """A parser that raises what is wrong as a `UsageError`, like everything that a user can mend.

    No option of a command begins like a number, so that ``-1e-3`` and ``-0.5..1`` are values. Before Python
    3.14 argparse takes a number for one only where it has no exponent.
    """

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._negative_number_matcher = re.compile(r"-(\.?\d|inf|nan)", re.IGNORECASE)

    def error(self, message: str) -> NoReturn:
        """Raise `message` with the option that was meant, or where to read on."""
        how = self._meant(message) or f"See {self.prog} --help."
        raise UsageError(f"{excerpt(message, 200).rstrip('.')}.", how=how)

    def _meant(self, message: str) -> str:
        """Return which option is nearest to one that there is not, in a sentence."""
        match = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        known = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
        close = difflib.get_close_matches(match[1][:40], known, 1, 0.75) if match is not None else []
        return f"Did you mean {close[0]}?" if close else ""


# --- options -----------------------------------------------------------------------------------------------


def add_common(parser: ArgumentParser) -> None:
    """Add what every command takes: the seed, and values instead of the file's."""
    parser.add_argument(
        "--seed",
        type=whole(0),
        metavar="N",
        help="for parameters that are drawn and mini-batches; default: the file's own, else 0",
    )
    parser.add_argument(
        "--set",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a parameter or data another value, in JSON, such as w=[[1, 2]]; may be repeated",
    )


def add_network(parser: ArgumentParser) -> None:
    """Add the network that a command is about."""
    parser.add_argument(
        "network",
        metavar="NETWORK",
        help="a built-in network's name, or a file: .toml, .backstep, or an exported .json, .html or .svg",
    )


def add_format(parser: ArgumentParser, *formats: str) -> None:
    """Add the choice of a format; the first one is the default."""
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")


def whole(low: int, high: int = 2**63) -> Callable[[str], int]:
    """Return the reader of an option that is a whole number from `low` to `high`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{excerpt(text, 30)!r} is not a whole number") from None
        if number < low:
            raise ArgumentTypeError(f"{excerpt(text, 30)} is too small, the least is {low}")
        if number > high:
            raise ArgumentTypeError(f"{excerpt(text, 30)} is too large, the most is {high}")
        return number

    return read


def real(text: str) -> float:
    """Read an option that is a finite number."""
    try:
        number = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{excerpt(text, 30)!r} is not a number") from None
    if not isfinite(number):
        raise ArgumentTypeError(f"{excerpt(text, 30)} is not a finite number")
    return number


def scale(text: str) -> float:
    """Read how many pixels a unit of a picture takes."""
    number = real(text)
    if not 0.1 <= number <= 10:
        raise ArgumentTypeError(f"{excerpt(text, 30)} is not between 0.1 and 10")
    return number


def assignment(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``; the value is JSON, or numbers as the window takes them; all finite."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ArgumentTypeError(f"{excerpt(text, 40)!r} is not NAME=VALUE, such as w=0.5")
    shown = excerpt(name.strip(), 40)
    try:
        return name.strip(), json.loads(value, parse_constant=_refuse)
    except RecursionError:
        raise ArgumentTypeError(f"the value of {shown} is nested too deeply") from None
    except ValueError as error:
        with suppress(BackstepError):
            return name.strip(), numbers(value).tolist()
        why = excerpt(error, 60) if "finite" in str(error) else f"{excerpt(value, 30)!r} is no number"
        raise ArgumentTypeError(f"the value of {shown}: {why}; write 0.5, 1/3 or [[1, 2]]") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")


# --- files -------------------------------------------------------------------------------------------------


def file_to_write(name: str, *, is_forced: bool) -> Path:
    """Return the file of a name, before anything is worked out for it.

    Raises
    ------
    UsageError
        For a folder, one in which nothing can be written, and a file that exists and is not to be replaced.
    """
    if not name.strip():
        raise UsageError("the file to write has no name.", how="Write one after --to.")
    path = Path(name)
    check_place(path, is_forced)
    require_writable(path.parent)
    return path


def format_of(name: str, stated: str | None, endings: Mapping[str, str], what: str) -> str:
    """Return the format of a file: by its ending, or the one that is stated where that says nothing.

    Parameters
    ----------
    endings
        The format of each ending.
    what
        What is written, for the sentence that none of them fits.

    Raises
    ------
    UsageError
        For an ending that nothing has, and one of another format than the one that is stated.
    """
    found = endings.get(Path(name).suffix.lower())
    if found is None and stated is None:
        known = f"{', '.join(endings)}; or say its --format"
        raise UsageError(f"{what} cannot be written as {excerpt(name)}.", how=f"End it in {known}.")
    if found is not None and stated not in (None, found):
        own = " or ".join(ending for ending, format in endings.items() if format == stated)
        raise UsageError(
            f"{excerpt(name)} is not the name of a {stated} file.",
            how=f"End it in {own}, or leave --format out.",
        )
    return stated or str(found)


def idle(options: Mapping[str, bool], what: str) -> str:
    """Return the sentence that the options that were given made no difference to something; "" for none."""
    given = [f"--{name.replace('_', '-')}" for name, is_given in options.items() if is_given]
    return f"{listed(given)} made no difference to {what}." if given else ""


# --- recipes -----------------------------------------------------------------------------------------------


def add_optimizer(parser: ArgumentParser) -> None:
    """Add the optimizer and every hyperparameter that one of the optimizers has."""
    group = parser.add_argument_group("optimizer")
    names = ", ".join(OPTIMIZERS)
    group.add_argument("--optimizer", metavar="NAME", help=f"{names}; default: the network's own")
    for h in OF_OPTIMIZERS.values():
        default = "the network's own, else the optimizer's" if h.name == "learning_rate" else ""
        _add_hyperparameter(group, h, _owners(h, OPTIMIZERS.values()), default)
    group.add_argument(
        "--nesterov", action="store_true", help="momentum that looks ahead: the same as --optimizer nesterov"
    )


def add_recipe(parser: ArgumentParser) -> None:
    """Add how to train: optimizer, mini-batches, learning-rate schedule, and when to stop."""
    parser.add_argument(
        "--batch-size",
        type=whole(1),
        metavar="B",
        help="examples in a mini-batch; default: the network's own, else all",
    )
    add_optimizer(parser)
    schedule = parser.add_argument_group("learning-rate schedule")
    names = ", ".join(SCHEDULES)
    schedule.add_argument("--schedule", metavar="NAME", help=f"{names}; default: the network's own")
    for h in OF_SCHEDULES.values():
        default = "none, of warmup 20" if h.name == "warmup" else ""
        _add_hyperparameter(schedule, h, _owners(h, SCHEDULES.values()), default)
    stopping = parser.add_argument_group("stopping early")
    for h in STOPPING.values():
        _add_hyperparameter(stopping, h, "", "never")


def _add_hyperparameter(group: Any, h: Hyperparameter, owners: str, default: str) -> None:
    """Add one option; its text is checked by the record when the recipe is made."""
    if h.of_span is not None:
        default = "by the number of steps"
    default = default or (f"as the {h.follows}" if h.follows else f"{h.default:g}")
    why = h.why.rstrip(".").replace("%", "%%")
    text = f"{owners}{why[0].lower()}{why[1:]}; default: {default}"
    group.add_argument(f"--{h.name.replace('_', '-')}", metavar="N" if h.whole else "X", help=text)


def _owners(h: Hyperparameter, owners: Iterable[Optimizer | Schedule]) -> str:
    """Return whose hyperparameter this is, where it is not everyone's."""
    owners = list(owners)
    having = [owner.name for owner in owners if any(other.name == h.name for other in owner.hyperparameters)]
    return "" if len(having) == len(owners) else f"{', '.join(having)}: "


def _given(args: Namespace) -> dict[str, Any]:
    """Return what the user said about the recipe, by the names of a network file."""
    names = ("optimizer", *OF_OPTIMIZERS, "batch_size", "schedule", *OF_SCHEDULES, *OF_STOPPING)
    found = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def wants_optimizer(args: Namespace) -> bool:
    """Say whether the user chose an optimizer or one of its hyperparameters."""
    return bool(_given(args)) or args.nesterov


def chosen_recipe(args: Namespace, network: Network, steps: int | None = None) -> Recipe:
    """Return how to train: as the user says, otherwise as the network does, otherwise by default.

    Parameters
    ----------
    steps
        How many are to be trained; where None, as many as the options or the network say.

    An optimizer or a schedule other than the network's own comes with its own defaults.

    Raises
    ------
    TrainingError
        For an optimizer or a schedule that does not exist, a hyperparameter that it lacks, and a value out of
        range.
    """
    given = _given(args)
    if getattr(args, "nesterov", False):
        if given.get("optimizer", "momentum") not in ("momentum", "nesterov"):
            raise UsageError(
                f"the optimizer {excerpt(given['optimizer'], 40)} has no nesterov.",
                how="It belongs to momentum: --optimizer momentum --nesterov.",
            )
        given["optimizer"] = "nesterov"
    steps = steps or getattr(args, "steps", None) or network.training.steps
    return changed(network.training.recipe, given, steps)


# --- networks ----------------------------------------------------------------------------------------------


def overrides(args: Namespace) -> dict[str, Any]:
    """Return the values given with ``--set``; of two for one name the later one."""
    return dict(args.set)


def bound(args: Namespace) -> Model:
    """Return the network that the options name, bound to its numbers."""
    network, seed = load_seeded(args.network)
    return bind(network, seed=seed if args.seed is None else args.seed, overrides=overrides(args))
