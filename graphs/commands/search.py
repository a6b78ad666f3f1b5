"""``search``: random search, and what gradient descent reaches at the same cost."""

from __future__ import annotations

import csv
import io
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict

from engine.errors import UsageError
from engine.search import STEP_COST, Comparison, Search, SearchResult, search
from engine.training import Recipe, Run
from graphs.commands.base import (
    Command,
    Outcome,
    add_format,
    add_network,
    add_recipe,
    bound,
    chosen_recipe,
    real,
    whole,
)
from graphs.commands.workers import Progress
from graphs.documents.csv import entry_names
from graphs.documents.json import dumps, plain
from graphs.documents.text import columns, number, shape_text, summary
from graphs.network import Model
from graphs.wording import counted

MOST_EVALUATIONS = 10_000_000
MOST_IN_CSV = 20_000_000  # numbers
ROWS = 10


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--evaluations",
        type=whole(1, MOST_EVALUATIONS),
        default=1000,
        metavar="N",
        help="how many samples to draw, each at the cost of one loss; default: 1000",
    )
    parser.add_argument(
        "--spread",
        type=real,
        metavar="S",
        help="draw every number uniformly between -S and S; default: 2, or the largest initial value",
    )
    parser.add_argument(
        "--step-cost",
        type=real,
        default=STEP_COST,
        metavar="C",
        help="what a step of gradient descent costs, in losses; default: 3, one forward and two backward",
    )
    add_format(parser, "text", "json", "csv")
    add_recipe(parser)


def _run(args: Namespace) -> Outcome:
    if not 1.0 <= args.step_cost <= 1000.0:
        raise UsageError(
            f"the cost of a step cannot be {args.step_cost:g}.", how="It is a number from 1 to 1000."
        )
    model = bound(args)
    plan = Search(model, args.evaluations, model.seed, args.spread).checked()
    if args.format == "csv" and plan.evaluations * (plan.size + 3) > MOST_IN_CSV:
        raise UsageError("the table would be too long.", how="Ask for fewer --evaluations.")
    steps = _affordable(plan, chosen_recipe(args, model.network), args.step_cost)
    run = Run(model, chosen_recipe(args, model.network, steps))
    result = _searched(plan)
    return Outcome(FORMATS[args.format](model, result, _compared(result, run, steps, args.step_cost)))


def _affordable(plan: Search, recipe: Recipe, price: float) -> int:
    """Return how many steps of gradient descent cost what the search will cost."""
    examples = plan.problem.examples
    share = min(recipe.batch_size or examples, examples) / examples
    return int(plan.evaluations / (price * share) + 1e-9)


def _searched(plan: Search) -> SearchResult:
    result = SearchResult(plan)
    with Progress() as progress:
        for records in search(plan):
            result.extend(records)
            loss = f"best loss {number(result.best.loss)}" if result.best is not None else ""
            progress.show(result.evaluations / plan.evaluations, loss)
    return result


def _compared(result: SearchResult, run: Run, steps: int, price: float) -> Comparison:
    """Let gradient descent spend what the search has spent, and compare the two."""
    with Progress() as progress:
        while run.iteration < steps and run.ended is None:
            run.advance(min(max(1, steps // 100), steps - run.iteration))
            progress.show(run.iteration / steps, f"gradient descent, loss {number(run.losses[-1])}")
    return result.compared(run, price)


# --- formats -----------------------------------------------------------------------------------------------


def _text(model: Model, result: SearchResult, comparison: Comparison) -> str:
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        f"{counted(result.evaluations, 'random sample')}. {result.plan.sentence()}",
        "",
        _improvements(result),
        *_parameters(result),
        "",
        comparison.sentence(),
    ]
    return "\n".join(parts) + "\n"


def _improvements(result: SearchResult) -> str:
    """Return how the best loss fell: the first sample that was best so far, and the last ones."""
    found = result.improvements
    if not found:
        return "No sample has a finite loss."
    shown = found if len(found) <= ROWS else [found[0], *found[1 - ROWS :]]
    return columns(("evaluation", "lowest loss"), [(str(i.evaluation + 1), number(i.loss)) for i in shown])


def _parameters(result: SearchResult) -> list[str]:
    rows = [(n, shape_text(v), summary(v)) for n, v in (result.parameters or {}).items()]
    return ["", columns(("parameter", "shape", "best value"), rows)] if rows else []


def _json(model: Model, result: SearchResult, comparison: Comparison) -> str:
    best = result.best
    document = {
        "network": model.network.name,
        "seed": model.seed,
        "evaluations": result.evaluations,
        "spread": result.plan.half_width,
        "loss": None if best is None else best.loss,
        "evaluation": None if best is None else best.evaluation + 1,
        "parameters": {name: plain(value) for name, value in (result.parameters or {}).items()},
        "losses": result.losses.tolist(),
        "comparison": {**asdict(comparison), "winner": comparison.winner, "sentence": comparison.sentence()},
    }
    return dumps(document) + "\n"


def _csv(model: Model, result: SearchResult, comparison: Comparison) -> str:
    """Return every sample: its number, its loss, the lowest so far, its entries."""
    plan = result.plan
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    entries = [entry for name, shape in plan.shapes.items() for entry in entry_names(name, shape)]
    writer.writerow(["evaluation", "loss", "lowest", *entries])
    losses, lowest = result.losses.tolist(), result.best_so_far.tolist()
    for first in range(0, result.evaluations, plan.block):
        vectors = plan.vectors(first, min(plan.block, result.evaluations - first)).tolist()
        for i, vector in enumerate(vectors, first):
            writer.writerow([i + 1, losses[i], lowest[i], *vector])
    return out.getvalue()


FORMATS: Mapping[str, Callable[[Model, SearchResult, Comparison], str]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
}

COMMAND = Command(
    "search",
    "Draw parameters at random, keep the best, and compare with gradient descent at the same cost.",
    "search two-layer-nonlinear --evaluations 3000 --spread 4",
    _add_options,
    _run,
)
