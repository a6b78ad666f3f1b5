"""``trace``: every step of one iteration, forward and backward."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

import numpy as np

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS, Optimizer, updates
from engine.trace import Optimize, Update, trace
from graphs.commands.base import (
    Command,
    Outcome,
    add_format,
    add_network,
    add_optimizer,
    bound,
    chosen_recipe,
    wants_optimizer,
)
from graphs.documents.json import dumps, trace_json
from graphs.documents.text import trace_text
from graphs.network import Model

Arrays = Mapping[str, np.ndarray]


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    details = [detail.value for detail in Detail]
    parser.add_argument(
        "--detail", choices=details, default=details[0], help="a step a line, or an operation"
    )
    add_optimizer(parser)
    add_format(parser, "text", "json")


def _run(args: Namespace) -> Outcome:
    model = bound(args)
    chosen = _optimizer(args, model) if wants_optimizer(args) else (None, {})
    found = trace(model.graph, model.leaves, Detail(args.detail), _first_update(*chosen))
    if args.format == "json":
        return Outcome(dumps(trace_json(model, found, *chosen)) + "\n")
    return Outcome(trace_text(model, found, *chosen))


def _optimizer(args: Namespace, model: Model) -> tuple[Optimizer, Mapping[str, float]]:
    """Return the optimizer and its settings at the first iteration."""
    recipe = chosen_recipe(args, model.network)
    return OPTIMIZERS[recipe.optimizer], recipe.settings_at(0)


def _first_update(optimizer: Optimizer | None, settings: Mapping[str, float]) -> Optimize | None:
    """Return the update of the first iteration, when the optimizer has not kept anything yet."""
    if optimizer is None:
        return None

    def update(parameters: Arrays, gradients: Arrays) -> Sequence[Update]:
        return updates(optimizer, parameters, gradients, {}, settings)

    return update


COMMAND = Command(
    "trace",
    "Print every step of one iteration: forward, backward, and with an optimizer the update.",
    "trace two-layer-nonlinear --detail primitive --format json",
    _add_options,
    _run,
)
