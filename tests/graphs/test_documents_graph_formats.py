"""GraphML and DOT, opened by NetworkX and Graphviz: the graph is whole, the numbers are the trace's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from engine.graph import Detail
from graphs.documents import Options, formats
from graphs.nxgraph import nx_graph
from graphs.palette import PALETTES
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from tests.graphs.places import TITLE, every_place
from tests.graphs.snapshots import rounding_snapshot

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
SVG = "{http://www.w3.org/2000/svg}"


def graphml(snapshot: Snapshot) -> nx.MultiDiGraph:
    text = formats()["graphml"].write(snapshot, Options())
    return nx.parse_graphml(text, force_multigraph=True)


def entries(text: str) -> np.ndarray:
    return np.asarray(json.loads(text), dtype=float)


# --- GraphML -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", Detail)
def test_networkx_reads_the_graph_and_every_number(detail: Detail) -> None:
    for where, snapshot in every_place(detail):
        found, wanted = graphml(snapshot), nx_graph(snapshot.trace.graph, detail)
        assert set(found.nodes) == set(wanted.nodes), where
        edges = [(u, v, data["slot"]) for u, v, data in found.edges(data=True)]
        assert sorted(edges) == sorted(wanted.edges(keys=True)), where
        for key, value in provenance(snapshot).items():
            assert found.graph[key] == value, where
        state = snapshot.state
        for name, data in found.nodes(data=True):
            assert tuple(json.loads(data["shape"])) == wanted.nodes[name]["shape"]
            assert (data["kind"], data["order"]) == (wanted.nodes[name]["kind"], wanted.nodes[name]["order"])
            for key, known in (("value", state.values), ("gradient", state.gradients)):
                assert (key in data) == (name in known), (where, name, key)
                if key in data:
                    np.testing.assert_array_equal(entries(data[key]), known[name])


@pytest.mark.parametrize("detail", Detail)
def test_the_step_that_was_taken_is_marked(detail: Detail) -> None:
    for where, snapshot in every_place(detail, built_in=True):
        found, step = graphml(snapshot), snapshot.step
        marked = {name: data["step"] for name, data in found.nodes(data=True) if data["step"]}
        backward = [(u, v, d) for u, v, d in found.edges(data=True) if d["current"] == "backward"]
        assert found.graph["phase"] == (step.phase.value if step is not None else "start"), where
        assert found.graph["place"] == snapshot.place()
        if step is None:
            assert not marked, where
        elif step.quantity in (None, "value"):
            assert marked == {step.target: step.phase.value}, where
        if step is None or step.contribution is None:
            assert not backward, where
            continue
        ((source, target, data),) = backward
        assert (source, target, data["slot"]) == (step.input, step.node, step.slot)
        np.testing.assert_array_equal(entries(data["contribution"]), step.contribution)


def test_an_edge_has_an_id_of_its_own() -> None:
    for _, snapshot in every_place(Detail.PRIMITIVE):
        tree = ET.fromstring(formats()["graphml"].write(snapshot, Options()))
        ids = [e.get("id") for e in tree.iter("{http://graphml.graphdrawing.org/xmlns}edge")]
        assert len(set(ids)) == len(ids)


# --- DOT ---------------------------------------------------------------------------------------------------


def drawn(folder: Path, texts: dict[str, str], *kinds: str) -> None:
    """Draw DOT files in one process of Graphviz, which may complain about nothing."""
    for name, text in texts.items():
        (folder / f"{name}.dot").write_text(text, encoding="utf-8")
    command = ["dot", *(f"-T{kind}" for kind in kinds), "-O", *(f"{name}.dot" for name in texts)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@needs_graphviz
@pytest.mark.parametrize("detail", Detail)
def test_graphviz_lays_out_every_node_and_edge(tmp_path: Path, detail: Detail) -> None:
    themes = tuple(PALETTES)
    places = dict(every_place(detail))
    small = {name: s for name, s in places.items() if len(s.trace.graph.visible(detail)) < 200}
    texts = {
        name: formats()["dot"].write(snapshot, Options(themes[number % len(themes)]))
        for number, (name, snapshot) in enumerate(small.items())
    }
    drawn(tmp_path, texts, "plain", "svg")
    for name, snapshot in small.items():
        wanted = nx_graph(snapshot.trace.graph, detail)
        rows = (tmp_path / f"{name}.dot.plain").read_text(encoding="utf-8").splitlines()
        nodes = [row.split()[1].strip('"') for row in rows if row.startswith("node ")]
        edges = [tuple(w.strip('"') for w in row.split()[1:3]) for row in rows if row.startswith("edge ")]
        assert sorted(nodes) == sorted(wanted.nodes), name
        assert sorted(edges) == sorted(wanted.edges()), name
        said = " ".join(ET.parse(tmp_path / f"{name}.dot.svg").getroot().itertext())
        assert f"{snapshot.place()}." in said.replace("\xa0", " "), name


@needs_graphviz
def test_a_line_of_many_operations_is_one_node_or_many(tmp_path: Path) -> None:
    places = [s for _, s in every_place(Detail.EQUATION, built_in=False)]
    long = next(s for s in places if len(s.trace.graph.nodes) > 400 and s.position == len(s.trace.steps))
    drawn(tmp_path, {"long": formats()["dot"].write(long, Options())}, "svg")
    said = " ".join(ET.parse(tmp_path / "long.dot.svg").getroot().itertext())
    assert "450 operations" in said


@needs_graphviz
def test_what_a_file_says_about_itself_comes_through_graphviz(tmp_path: Path) -> None:
    snapshot = next(s for _, s in every_place(Detail.EQUATION, built_in=False))
    drawn(tmp_path, {"a": formats()["dot"].write(snapshot, Options())}, "json", "svg")
    found = json.loads((tmp_path / "a.dot.json").read_text(encoding="utf-8"))
    assert {key: found[key] for key in provenance(snapshot) if key != "Title"} == {
        key: value for key, value in provenance(snapshot).items() if key != "Title"
    }
    assert found["Title"].replace("\\\\", "\\") == provenance(snapshot)["Title"]
    said = [element.text for element in ET.parse(tmp_path / "a.dot.svg").getroot().iter(f"{SVG}text")]
    assert TITLE in [text and text.replace("\xa0", " ") for text in said]


def test_the_current_factor_stands_on_its_edge() -> None:
    snapshot = next(s for name, s in every_place(Detail.EQUATION) if name.startswith("two-layer-nonlinear"))
    step = next(s for s in snapshot.trace.steps if s.node == "A" and s.input == "Z")
    text = formats()["dot"].write(snapshot.at(step.index + 1), Options("dark"))
    (line,) = [line for line in text.splitlines() if '"Z" -> "A"' in line]
    assert "∂L/∂A ⊙ A ⊙ (1 − A)" in line
    assert f'color="{PALETTES["dark"].backward}" style=dashed dir=back' in line
    (card,) = [line for line in text.splitlines() if line.strip().startswith('"A" [')]
    assert "stored, read now" in card
    assert re.search(r"−?\d\.\d+ … \d\.\d+", card)


def test_what_is_not_known_yet_has_no_number() -> None:
    snapshot = next(s for _, s in every_place(Detail.EQUATION))
    text = formats()["dot"].write(snapshot.at(0), Options())
    (card,) = [line for line in text.splitlines() if line.strip().startswith('"L" [')]
    assert "dashed" in card
    assert f"{snapshot.trace.loss:.3g}" not in card


def test_what_is_mere_rounding_is_said_to_be_so() -> None:
    snapshot = rounding_snapshot()
    graph = graphml(snapshot)
    assert (graph.nodes["z"]["value_text"], graph.nodes["L"]["value_text"]) == ("≈0", "≈0")
    assert np.array_equal(entries(graph.nodes["z"]["value"]), snapshot.trace.values["z"])
    assert ">≈0<" in formats()["dot"].write(snapshot, Options()).split('"z" [')[1].split("\n")[0]
