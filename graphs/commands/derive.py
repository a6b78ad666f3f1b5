"""``derive``: the equations of a network and of its gradients."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from engine.derive import Derivation
from graphs.commands.base import Command, Outcome, add_format, add_network, bound
from graphs.documents.json import derive_json, dumps
from graphs.documents.text import derive_text


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    add_format(parser, "text", "latex", "json")


def _run(args: Namespace) -> Outcome:
    derivation = Derivation(bound(args).graph)
    if args.format == "json":
        return Outcome(dumps(derive_json(derivation)) + "\n")
    return Outcome(derive_text(derivation) if args.format == "text" else derive_latex(derivation))


def derive_latex(derivation: Derivation) -> str:
    r"""Return the forward and the backward equations, an ``align`` environment each."""
    forward = [derivation.forward_latex(line.name) for line in derivation.graph.lines]
    backward = [derivation.equation(name) for name in derivation.gradients]
    return f"% forward\n{_align(forward)}\n\n% backward\n{_align(backward)}\n"


def _align(equations: list[str]) -> str:
    rows = " \\\\\n".join("  " + equation.replace(" = ", " &= ", 1) for equation in equations)
    return f"\\begin{{align}}\n{rows}\n\\end{{align}}"


COMMAND = Command(
    "derive",
    "Print the equations of a network, forward and backward.",
    "derive two-layer-linear --format latex",
    _add_options,
    _run,
)
