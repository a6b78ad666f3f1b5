"""What a file says about itself, and the session that it carries so that it opens again."""

from __future__ import annotations

import base64
import io
import json
import re
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.faults import FaultAt, run_of
from engine.faults import resumed as begun
from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.carrying import packed_text
from graphs.documents import Options, formats
from graphs.network import Network, bind, built_in_names, load
from graphs.provenance import provenance
from graphs.reopening import TOO_LARGE, carried_pairs
from graphs.sessions import FORMAT, SavedSession, read_session
from graphs.snapshot import Snapshot


def snapshot(name: str = "perceptron-classifier", iterations: int = 8, **place: Any) -> Snapshot:
    network = load(name)
    model = bind(network, seed=3)
    run = Run(model, Recipe("adam", batch_size=min(5, model.examples)))
    run.advance(iterations)
    return Snapshot.of(run, model, **place)


def resumed(session: SavedSession) -> Snapshot:
    """Return the place where a session stands, worked out from what it keeps alone."""
    kept = session.runs[session.current]
    document = kept.document
    model = bind(document.network, seed=document.seed, overrides=document.overrides)
    run = Run.resumed(model, document.recipe, kept.recording)
    return Snapshot.of(
        run,
        model,
        detail=Detail(session.place["detail"]),
        iteration=session.place["iteration"],
        position=session.place["position"],
    )


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def as_html(pairs: dict[str, str]) -> str:
    tags = "".join(f'<meta name="{key}" content="{value}">' for key, value in pairs.items())
    return f"<!DOCTYPE html><html><head>{tags}</head><body>a &amp; b</body></html>"


def as_script(pairs: dict[str, str]) -> str:
    text = json.dumps(pairs).replace("/", "\\/")  # as what writes JSON into HTML often does
    return f'<html><script type="application/json">{text}</script></html>'


def as_svg(pairs: dict[str, str]) -> str:
    tags = "".join(f"<entry key='{key}'>\n  {value}\n</entry>" for key, value in pairs.items())
    return f'<svg xmlns="http://www.w3.org/2000/svg"><metadata>{tags}</metadata></svg>'


WRAPPED = {".json": json.dumps, ".html": as_html, ".htm": as_script, ".svg": as_svg}


@pytest.mark.parametrize("ending", WRAPPED)
@pytest.mark.parametrize("detail", Detail)
def test_a_file_opens_again_at_its_step(tmp_path: Path, ending: str, detail: Detail) -> None:
    before = snapshot(detail=detail, iteration=5)
    before = before.at(len(before.trace.steps) // 2)
    pairs = provenance(before, with_document=True)
    path = written(tmp_path, f"a{ending}", WRAPPED[ending](pairs))
    after = resumed(read_session(path))
    assert (after.iteration, after.position, after.detail) == (5, before.position, detail)
    assert after.recipe == before.recipe
    assert after.batch == before.batch
    assert after.run is not None
    assert before.run is not None
    assert after.run.losses.tobytes() == before.run.losses.tobytes()
    assert [s.after.tobytes() for s in after.trace.steps] == [s.after.tobytes() for s in before.trace.steps]


@pytest.mark.parametrize("name", built_in_names())
def test_the_json_of_every_network_opens_again_at_first_middle_and_last_step(
    name: str, tmp_path: Path
) -> None:
    whole = snapshot(name, iteration=4)
    for position in (0, len(whole.trace.steps) // 2, len(whole.trace.steps)):
        before = whole.at(position)
        text = formats()["json"].write(before, Options())
        found = json.loads(text)["metadata"]
        assert found["Step"] == str(position)
        assert found["Network"] == name
        assert "Document note" not in found
        assert len(found["Document"]) < 300_000
        after = resumed(read_session(written(tmp_path, "a.json", text)))
        assert after.place() == before.place()
        assert after.state.values.keys() == before.state.values.keys()
        assert all(np.array_equal(after.state.values[n], a) for n, a in before.state.values.items())


def test_what_was_changed_by_hand_and_a_csv_travel_along(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("a,b\n1,2\n3,4\n")
    file = written(
        tmp_path,
        "own.toml",
        '# mine\ntitle = "</script> data:application/x-backstep;base64,UEsD \\" <&>"\n'
        'formula = "L = mse(w * x, y)"\n[parameters]\nw = 1.0\n'
        '[data]\nfile = "own.csv"\ninputs = { x = ["a"] }\ntargets = { y = ["b"] }\n',
    )
    network = load(file)
    overrides = {"w": np.array(2.5)}
    model = bind(network, overrides=overrides)
    run = Run(model, Recipe())
    run.advance(3)
    before = Snapshot.of(run, model, iteration=1, position=3, overrides=overrides)
    text = formats()["json"].write(before, Options())
    for name in ("own.csv", "own.toml"):
        (tmp_path / name).unlink()
    path = written(tmp_path, "a.json", text)
    after = resumed(read_session(path))
    assert after.title == network.title
    assert float(after.model.leaves["w"]) == 2.5
    assert after.model.leaves["x"].tolist() == [[1.0, 3.0]]
    assert float(bind(load(path)).leaves["w"]) == 2.5  # as the command line takes it


# --- what is too heavy -------------------------------------------------------------------------------------


def heavy_run(iterations: int) -> tuple[Snapshot, Run]:
    network = load("univariate-regression")
    model = bind(network)
    run = Run(model, Recipe("adam", {"learning_rate": 1e-5}))
    run.advance(iterations)
    return Snapshot.of(run, model), run


def test_of_a_long_run_what_leads_here_is_carried(tmp_path: Path) -> None:
    whole, run = heavy_run(60_000)
    before = Snapshot.of(run, whole.model, iteration=1234, position=7)
    pairs = carried_pairs(before)
    assert pairs["Document note"] == "The run is long: 1235 of its 60000 iterations are carried along."
    after = resumed(read_session(written(tmp_path, "a.json", json.dumps(pairs))))
    assert after.place() == before.place()
    assert after.iteration == 1234
    assert [s.after.tobytes() for s in after.trace.steps] == [s.after.tobytes() for s in before.trace.steps]


def test_of_a_very_long_run_the_parameters_are_carried(tmp_path: Path) -> None:
    whole, run = heavy_run(60_000)
    before = Snapshot.of(run, whole.model, iteration=50_000, position=9)
    pairs = carried_pairs(before)
    assert "the parameters are those of iteration 50000" in pairs["Document note"]
    assert len(pairs["Document"]) < 20_000
    after = resumed(read_session(written(tmp_path, "a.json", json.dumps(pairs))))
    assert (after.iteration, after.position) == (0, 9)
    for name, array in before.trace.gradients.items():
        assert np.array_equal(after.trace.gradients[name], array)


def test_data_that_are_too_large_are_said_not_to_travel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(1, 600_000)), "y": rng.normal(size=(1, 600_000))}
    network = Network("big", "Big", "L = mse(w * x, y)", parameters={"w": np.array(1.0)}, data=data)
    model = bind(network)
    pairs = carried_pairs(Snapshot.of(Run(model), model))
    assert pairs == {"Document note": TOO_LARGE}


# --- what is refused ---------------------------------------------------------------------------------------

DOCUMENT = carried_pairs(snapshot("univariate-regression", 2))["Document"]


def sentence(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_session(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{}", "<svg/>", '{"Document": "data:application/x-backstep;base64,"}', b"\xff\xfe\x00"]
)
@pytest.mark.parametrize("ending", WRAPPED)
def test_a_file_that_carries_nothing_is_refused_with_one_sentence(
    tmp_path: Path, ending: str, text: str | bytes
) -> None:
    assert sentence(written(tmp_path, f"a{ending}", text)) == (
        f"a{ending}: there is no network in it that could be opened. "
        "Open a network, a session, or a JSON, HTML or SVG file that Backstep has exported."
    )


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert "cannot be read (no such file or directory)" in sentence(tmp_path / "none.svg")
    (tmp_path / "folder.svg").mkdir()
    assert "cannot be read (is a directory)" in sentence(tmp_path / "folder.svg")


@given(st.integers(0, 10_000), st.binary(min_size=0, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_never_does_more_than_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes
) -> None:
    text = f'{{"Document": "{DOCUMENT}"}}'.encode()
    place %= len(text)
    path = written(
        tmp_path_factory.mktemp("a"), "a.json", text[:place] + noise + text[place + len(noise) + 1 :]
    )
    with suppress(UsageError):  # and nothing else
        assert resumed(read_session(path)).iteration == 0


def test_a_bomb_is_refused_at_once(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("session.json", b"[" * 200_000_000)
    text = json.dumps({"Document": packed_text(bomb.getvalue())})
    begun = time.process_time()
    assert "damaged" in sentence(written(tmp_path, "a.json", text))
    assert time.process_time() - begun < 2


def test_a_newer_file_says_so(tmp_path: Path) -> None:
    packed = base64.b64decode(DOCUMENT.partition(",")[2])
    newer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(newer, "w") as archive:
        for name in old.namelist():
            table = old.read(name).replace(b'"format": %d' % FORMAT, b'"format": %d' % (FORMAT + 1))
            archive.writestr(name, table)
    path = written(tmp_path, "a.svg", as_svg({"Document": packed_text(newer.getvalue())}))
    assert re.match(rf"a.svg: the session has the format {FORMAT + 1}", sentence(path))


def test_a_file_says_which_fault_was_in_and_opens_again_with_it(tmp_path: Path) -> None:
    model = bind(load("perceptron-classifier"), seed=3)
    run = run_of(model, Recipe(), FaultAt("count", "L"))
    run.advance(4)
    before = Snapshot.of(run, model, iteration=2, position=7)
    text = formats()["json"].write(before, Options())
    found = json.loads(text)
    assert found["metadata"]["Fault"] == "1/m left out, at the gradient of z₂, back through L"
    assert "Document note" not in found["metadata"]
    row = read_session(written(tmp_path, "a.json", text)).runs[0]
    assert row.document.fault == FaultAt("count", "L")
    again = begun(model, row.document.recipe, row.document.fault, row.recording)
    assert again.losses.tobytes() == run.losses.tobytes()
    after = Snapshot.of(again, model, iteration=2, position=7)
    assert np.array_equal(before.trace.gradients["b2"], after.trace.gradients["b2"])
    script = formats()["numpy"].write(before, Options())
    assert "Fault: 1/m left out" in script
    assert "not in this script" in script
