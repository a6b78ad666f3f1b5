"""What commands share: their record, the options that several of them take, and how options are read."""

from __future__ import annotations

import argparse
import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from engine.errors import UsageError, excerpt
from engine.optimizers import OPTIMIZERS, Hyperparameter, Optimizer
from graphs.network import Model, Network, bind, load

__all__ = [
    "Command",
    "Outcome",
    "Parser",
    "add_common",
    "add_format",
    "add_network",
    "add_optimizer",
    "bound",
    "chosen_optimizer",
    "overrides",
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
    """A parser that raises what is wrong as a `UsageError`, like everything that a user can mend."""

    def error(self, message: str) -> NoReturn:
        """Raise `message` with where to read on."""
        raise UsageError(f"{excerpt(message, 200).rstrip('.')}.", how=f"See {self.prog} --help.")


# --- options -----------------------------------------------------------------------------------------------


def add_common(parser: ArgumentParser) -> None:
    """Add what every command takes: the seed, and values instead of the file's."""
    parser.add_argument(
        "--seed", type=whole(0), default=0, metavar="N", help="for parameters that are drawn and mini-batches"
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
    parser.add_argument("network", metavar="NETWORK", help="a built-in network's name, or a .toml file")


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


def scale(text: str) -> float:
    """Read how many pixels a unit of a picture takes."""
    try:
        number = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{excerpt(text, 30)!r} is not a number") from None
    if not 0.1 <= number <= 10:
        raise ArgumentTypeError(f"{excerpt(text, 30)} is not between 0.1 and 10")
    return number


def assignment(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``; the value is JSON, which has no nan and no infinity."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ArgumentTypeError(f"{excerpt(text, 40)!r} is not NAME=VALUE, such as w=0.5")
    shown = excerpt(name.strip(), 40)
    try:
        return name.strip(), json.loads(value, parse_constant=_refuse)
    except RecursionError:
        raise ArgumentTypeError(f"the value of {shown} is nested too deeply") from None
    except ValueError as error:
        why = excerpt(error, 60) if "finite" in str(error) else f"{excerpt(value, 30)!r} is not JSON"
        raise ArgumentTypeError(f"the value of {shown}: {why}; write 0.5 or [[1, 2]]") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")


# --- optimizers --------------------------------------------------------------------------------------------


def add_optimizer(parser: ArgumentParser) -> None:
    """Add the optimizer and every hyperparameter that one of the optimizers has."""
    names = ", ".join(OPTIMIZERS)
    parser.add_argument("--optimizer", metavar="O", help=f"{names}; default: the network's own")
    for parameter in _hyperparameters():
        option = "--" + parameter.name.replace("_", "-")
        if isinstance(parameter.default, bool):
            parser.add_argument(option, action="store_true", default=None, help=parameter.text)
        else:
            parser.add_argument(option, metavar=_letter(parameter), help=_range(parameter))


def _hyperparameters() -> list[Hyperparameter]:
    """Return every hyperparameter there is, one of each name."""
    return list({h.name: h for optimizer in OPTIMIZERS.values() for h in optimizer.hyperparameters}.values())


def _letter(parameter: Hyperparameter) -> str:
    return "R" if parameter.name == "learning_rate" else parameter.name[0].upper()


def _range(parameter: Hyperparameter) -> str:
    owners = ", ".join(o.name for o in OPTIMIZERS.values() if parameter in o.hyperparameters)
    if parameter.name == "learning_rate":
        return "how far a step goes; default: the network's own"
    return f"{parameter.text} of {owners}; default: {parameter.default:g}"


def _given(args: Namespace) -> dict[str, Any]:
    options = ((h.name, getattr(args, h.name)) for h in _hyperparameters())
    return {n: excerpt(v, 30) if isinstance(v, str) else v for n, v in options if v is not None}


def wants_optimizer(args: Namespace) -> bool:
    """Say whether the user chose an optimizer or one of its hyperparameters."""
    return args.optimizer is not None or bool(_given(args))


def chosen_optimizer(args: Namespace, network: Network) -> tuple[Optimizer, dict[str, float]]:
    """Return the optimizer and its settings: the user's, otherwise the network's, otherwise its own.

    Raises
    ------
    BackstepError
        For an optimizer that does not exist, and a hyperparameter that it lacks or that is out of range.
    """
    name = args.optimizer or network.training.optimizer
    if name not in OPTIMIZERS:
        raise UsageError(
            f"there is no optimizer {excerpt(name, 40)}.", how=f"There are: {', '.join(OPTIMIZERS)}."
        )
    optimizer = OPTIMIZERS[name]
    given = _given(args)
    if any(h.name == "learning_rate" for h in optimizer.hyperparameters):
        given.setdefault("learning_rate", network.training.learning_rate)
    return optimizer, optimizer.settings(given)


# --- networks ----------------------------------------------------------------------------------------------


def overrides(args: Namespace) -> dict[str, Any]:
    """Return the values given with ``--set``; of two for one name the later one."""
    return dict(args.set)


def bound(args: Namespace) -> Model:
    """Return the network that the options name, bound to its numbers."""
    return bind(load(args.network), seed=args.seed, overrides=overrides(args))
