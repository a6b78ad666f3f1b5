"""``networks``: what is built in."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphs.commands.base import Command, Outcome, add_format
from graphs.documents.json import dumps
from graphs.network import Network, built_in, built_in_names


def _add_options(parser: ArgumentParser) -> None:
    add_format(parser, "text", "json")


def _run(args: Namespace) -> Outcome:
    networks = [built_in(name) for name in built_in_names()]
    if args.format == "json":
        keys = ("name", "title", "description")
        return Outcome(dumps([{key: getattr(n, key) for key in keys} for n in networks]) + "\n")
    return Outcome("\n".join(_entry(network) for network in networks))


def _entry(network: Network) -> str:
    return f"{network.name}: {network.title}\n    {network.description}\n"


COMMAND = Command("networks", "List the built-in networks.", "networks --format json", _add_options, _run)
