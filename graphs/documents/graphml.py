"""GraphML for graph programs: the graph at a step, its numbers as JSON texts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import networkx as nx
import numpy as np

from graphs.documents import Format, Options, Scope
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.stepgraph import in_words, step_graph

__all__ = ["FORMAT"]

MOST = 20_000
"""Entries of an array that are written; of a larger one, only between which numbers they lie."""
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no way to write."""


def _write(snapshot: Snapshot, _: Options) -> str:
    return (
        "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                *nx.generate_graphml(_flat(snapshot), edge_id_from_attribute="id"),
            ]
        )
        + "\n"
    )


def _flat(snapshot: Snapshot) -> nx.MultiDiGraph:
    """Return the graph with texts, numbers and truth values alone, which is all that GraphML can hold."""
    whole = step_graph(snapshot)
    found = nx.MultiDiGraph(**_texts({**provenance(snapshot), **whole.graph}))
    for name, data in whole.nodes(data=True):
        arrays = {key: data[key] for key in ("value", "gradient")}
        rest = {key: data[key] for key in ("kind", "order", "text", "formula", "step", "reads", "is_loss")}
        texts = _texts({**rest, "shape": json.dumps(data["shape"])})
        found.add_node(name, **texts, **_arrays(arrays, data["rounding"]))
    for number, (source, target, slot, data) in enumerate(whole.edges(keys=True, data=True)):
        rest = {key: data[key] for key in ("forward", "backward", "current", "factor")}
        rounding = ("contribution",) if data["rounding"] else ()
        arrays = _arrays({"contribution": data["contribution"]}, rounding)
        found.add_edge(source, target, slot, id=f"e{number}", slot=slot, **_texts(rest), **arrays)
    return found


def _texts(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _FORBIDDEN.sub(" ", value) if isinstance(value, str) else value for key, value in table.items()
    }


def _arrays(table: dict[str, Any], rounding: Collection[str]) -> dict[str, str]:
    """Return what is known of arrays: every entry where they are not too large, and a few words.

    Those of mere rounding are said to be so in words; their entries are what they are.
    """
    known = {key: np.asarray(array, dtype=float) for key, array in table.items() if array is not None}
    entries = {key: json.dumps(array.tolist()) for key, array in known.items() if array.size <= MOST}
    return entries | {f"{key}_text": in_words(array, key in rounding) for key, array in known.items()}


FORMAT = Format("graphml", "GraphML", (".graphml",), _write, Scope.STEP)
