"""Session files: what is kept comes back to the last bit; what is not sound is refused with a sentence."""

from __future__ import annotations

import io
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BackstepError, UsageError
from engine.history import Diverged, Recording
from engine.training import Recipe, Run, Stopping
from graphs.network import bind, built_in_names, complete, load
from graphs.sessions import (
    FORMAT,
    SavedDocument,
    SavedMoment,
    SavedRun,
    SavedSession,
    read_session,
    read_session_from,
    write_session,
)
from tests.helpers import recipes

PLACE = {"detail": "equation", "iteration": 3, "position": 7, "selection": None, "entry": None}


def saved(
    name: str = "univariate-regression", iterations: int = 12, recipe: Recipe | None = None
) -> SavedSession:
    network = load(name)
    recipe = recipe or network.training.recipe
    document = SavedDocument(network, 3, {}, recipe)
    run = Run(bind(network, seed=3), recipe)
    run.advance(iterations)
    return SavedSession(
        document, (SavedRun(document, run.recording(), "GD", 0, 0, True, 20),), 0, PLACE, {"a": 1}
    )


def packed(session: SavedSession) -> bytes:
    file = io.BytesIO()
    write_session(session, file)
    return file.getvalue()


def unpacked(data: bytes) -> SavedSession:
    return read_session_from(io.BytesIO(data), "a.backstep")


SMALL = packed(saved())


def same(a: SavedSession, b: SavedSession) -> bool:
    return packed(a) == packed(b)


# --- what is kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_session_comes_back_to_the_last_bit(name: str) -> None:
    session = saved(name)
    again = unpacked(packed(session))
    assert packed(again) == packed(session)
    assert again.document.recipe == session.document.recipe
    assert again.place == PLACE
    assert again.view == {"a": 1}


@given(st.sampled_from(["univariate-regression", "two-layer-linear"]), recipes(), st.integers(0, 40))
@settings(max_examples=25)
def test_a_run_goes_on_as_if_it_had_never_been_saved(name: str, recipe: Recipe, iterations: int) -> None:
    model = bind(load(name), seed=3)
    if recipe.batch_size is not None:
        recipe = replace(recipe, batch_size=min(recipe.batch_size, model.examples))
    straight = Run(model, recipe)
    straight.advance(iterations)
    document = SavedDocument(model.network, 3, {}, recipe)
    session = SavedSession(document, (SavedRun(document, straight.recording(), "r", 0, 0),), 0, PLACE)
    again = unpacked(packed(session)).runs[0]
    other = bind(again.document.network, seed=3)
    resumed = Run.resumed(other, again.document.recipe, again.recording)
    assert resumed.ended == straight.ended
    straight.advance(30)
    resumed.advance(30)
    assert resumed.losses.tobytes() == straight.losses.tobytes()
    for iteration in (0, iterations // 2, straight.iteration):
        if iteration > straight.iteration:
            continue
        a, b = straight.at(iteration), resumed.at(iteration)
        assert all(a.parameters[n].tobytes() == b.parameters[n].tobytes() for n in a.parameters)
        assert all(a.state[n].tobytes() == b.state[n].tobytes() for n in a.state)


def test_a_long_run_with_thinned_samples_comes_back() -> None:
    session = saved(iterations=5000, recipe=Recipe("adam", {"learning_rate": 0.01}, 10).checked())
    kept = unpacked(packed(session)).runs[0].recording
    run = Run.resumed(bind(session.document.network, seed=3), session.document.recipe, kept)
    assert run.history.stride == session.runs[0].recording.stride > 1
    assert run.at(4321).iteration == 4321


def test_how_a_run_ended_comes_back() -> None:
    wild = saved(iterations=4000, recipe=Recipe("gd", {"learning_rate": 50.0}).checked())
    ended = unpacked(packed(wild)).runs[0].recording.ended
    assert isinstance(ended, Diverged)
    assert ended == wild.runs[0].recording.ended
    stopping = Recipe("gd", {"learning_rate": 0.1}, stopping=Stopping(loss=0.5)).checked()
    done = saved(iterations=400, recipe=stopping)
    assert unpacked(packed(done)).runs[0].recording.ended == done.runs[0].recording.ended is not None


def test_a_csv_travels_along(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("a,b\n1,2\n3,4\n")
    path = tmp_path / "own.toml"
    path.write_text(
        '# mine\nformula = "L = mse(w * x, y)"\n[parameters]\nw = 1.0\n'
        '[data]\nfile = "own.csv"\ninputs = { x = ["a"] }\ntargets = { y = ["b"] }\n'
    )
    network = complete(load(path))
    document = SavedDocument(network, 0, {"w": np.array(2.5)}, network.training.recipe)
    (tmp_path / "own.csv").unlink()
    run = SavedRun(document, Run(bind(network)).recording(), "r", 0, 0)
    (tmp_path / "s.backstep").write_bytes(packed(SavedSession(document, (run,), 0, PLACE)))
    path.unlink()
    opened = read_session(tmp_path / "s.backstep")
    assert bind(opened.document.network).leaves["x"].tolist() == [[1.0, 3.0]]
    assert opened.document.network.source.text.startswith("# mine\n")
    assert float(bind(load(tmp_path / "s.backstep")).leaves["w"]) == 2.5


def with_past() -> SavedSession:
    """Return a session in which two changes can be taken back and one done again."""
    session = saved()
    other = SavedDocument(session.document.network, 3, {"w": np.array(2.0)}, session.document.recipe)
    run = Run(bind(other.network, seed=3, overrides=other.overrides), other.recipe)
    begun = SavedRun(other, run.recording(), "r", 0, 1, key=1)
    run.advance(9)
    trained = SavedRun(other, run.recording(), "r", 0, 1, key=1)
    back = (
        SavedMoment(other, (begun,), 0, 0, 2, "Train", True),
        SavedMoment(other, (session.runs[0], trained), 1, 9, 5, "Change w", False),
    )
    forth = (SavedMoment(session.document, session.runs, 0, 3, 1, "Seed", False),)
    return replace(session, back=back, forth=forth)


def test_what_can_be_taken_back_comes_back() -> None:
    session = unpacked(packed(with_past()))
    assert packed(session) == packed(with_past())
    assert [(m.what, m.rewinds, m.current, m.iteration, m.position) for m in session.back] == [
        ("Train", True, 0, 0, 2),
        ("Change w", False, 1, 9, 5),
    ]
    assert [m.what for m in session.forth] == ["Seed"]
    assert session.back[1].runs[0] is session.runs[0]  # one record, however often it is referred to
    assert session.back[0].runs[0].key == session.back[1].runs[1].key
    assert [len(run.recording.losses) for run in session.back[1].runs] == [13, 10]
    assert session.back[0].document is session.back[1].document


# --- versions ----------------------------------------------------------------------------------------------


def edited(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the file of `data` with another table in it."""
    return rewritten(data, lambda table: change(table) or table)


def rewritten(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "session.json":
                content = json.dumps(change(json.loads(content))).encode()
            archive.writestr(info.filename, content)
    return target.getvalue()


def to_second_format(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table as the second format had it: runs in the table itself, and nothing to take back."""
    records = [{k: v for k, v in row.items() if k != "run"} for row in table["records"]]
    kept = {k: v for k, v in table.items() if k not in ("records", "back", "forth")}
    return kept | {"format": 2, "runs": [records[place] for place in table["runs"]]}


def to_first_format(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table as the first format had it: a document in every run."""
    table = to_second_format(table)
    documents = table.pop("documents")
    runs = [
        {k: v for k, v in run.items() if k != "document"} | documents[run["document"]]
        for run in table["runs"]
    ]
    return table | documents[table.pop("document")] | {"format": 1, "runs": runs}


def test_a_file_of_the_first_format_is_read() -> None:
    old = rewritten(SMALL, to_first_format)
    assert b'"documents"' not in zipfile.ZipFile(io.BytesIO(old)).read("session.json")
    assert same(unpacked(old), unpacked(SMALL))


def test_a_file_of_the_second_format_is_read() -> None:
    assert same(unpacked(rewritten(SMALL, to_second_format)), unpacked(SMALL))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_that_earlier_versions_wrote_are_read(version: int) -> None:
    """All were written before format 4: two runs of a network with its CSV, in the middle of the second."""
    path = Path(__file__).parent / "data" / f"format-{version}.backstep"
    table = json.loads(zipfile.ZipFile(path).read("session.json"))
    assert table["format"] == version
    session = read_session(path)
    assert [run.name for run in session.runs] == ["GD 0.05", "Adam"]
    assert [len(run.recording.losses) for run in session.runs] == [9, 6]
    assert [run.visible for run in session.runs] == [True, False]
    assert (session.current, session.back, session.forth) == (1, (), ())
    assert session.place["iteration"] == 3
    assert session.path == "/home/user/line.toml"
    assert session.document.network.source.text.startswith("# for the lesson")
    model = bind(session.document.network, seed=4, overrides=session.document.overrides)
    assert (float(model.leaves["w"]), model.leaves["y"].tolist()) == (0.25, [[1.0, 3.5, 5.0, 8.0]])
    for row in session.runs:
        run = Run.resumed(model, row.document.recipe, row.recording)
        alone = Run(model, row.document.recipe)
        alone.advance(run.iteration + 5)
        run.advance(5)
        assert run.losses.tobytes() == alone.losses.tobytes()


def test_a_file_of_a_newer_version_is_refused_with_a_sentence() -> None:
    newer = edited(SMALL, lambda table: table.update(format=FORMAT + 1, news={"from": "the future"}))
    with pytest.raises(UsageError) as error:
        unpacked(newer)
    assert str(error.value) == (
        f"a.backstep: the session has the format {FORMAT + 1}, and this version of Backstep reads up to "
        f"{FORMAT}. Open it with a newer Backstep."
    )


LARGER = packed(with_past())

# --- damage and malice -------------------------------------------------------------------------------------


def refused(data: bytes) -> bool:
    """Say whether a file is refused, with the one sentence; whatever else is raised fails the test."""
    try:
        session = unpacked(data)
        for run in session.runs:
            Run.resumed(
                bind(run.document.network, seed=run.document.seed), run.document.recipe, run.recording
            )
    except UsageError as error:
        sentence = str(error)
    else:
        return False
    assert "damaged" in sentence or "newer" in sentence
    return True


def test_a_file_cut_off_anywhere_is_refused() -> None:
    assert not refused(SMALL)
    assert all(refused(SMALL[:length]) for length in range(0, len(SMALL)))


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), min_size=1, max_size=4))
@settings(max_examples=400)
def test_flipped_bytes_are_refused_or_change_nothing(flips: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, mask in flips:
        data[place] ^= mask
    try:
        session = unpacked(bytes(data))
    except UsageError:
        return
    assert same(session, unpacked(SMALL))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert refused(data)
    assert refused(b"PK\x03\x04" + data)
    assert refused(data + SMALL[-22:])


def keys_and_values() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))


@given(st.data())
@settings(max_examples=200)
def test_any_value_in_the_table_is_refused_or_sound(data: st.DataObject) -> None:
    def change(table: dict[str, Any]) -> None:
        at: Any = table
        while True:
            key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
                break
            at = at[key]
        at[key] = data.draw(keys_and_values())

    try:
        session = unpacked(edited(LARGER, change))
    except UsageError:
        return
    packed(session)


def with_arrays(**arrays: np.ndarray) -> bytes:
    kept = saved().runs[0].recording
    session = saved()
    run = replace(session.runs[0], recording=replace(kept, **arrays))
    return packed(replace(session, runs=(run,)))


BAD: dict[str, dict[str, np.ndarray]] = {
    "nan among the losses": {"losses": np.array([1.0, np.nan, *range(11)])},
    "no losses": {"losses": np.empty(0)},
    "two axes of losses": {"losses": np.ones((13, 1))},
    "losses of another kind": {"losses": np.arange(13)},
    "samples out of order": {"iterations": np.arange(13)[::-1].copy()},
    "negative samples": {"iterations": np.arange(13) - 1},
    "samples after the end": {"iterations": np.arange(13) * 2},
    "too few vectors": {"vectors": np.zeros((3, 2))},
    "vectors too wide": {"vectors": np.zeros((13, 5))},
    "numbers of another shape": {"numbers": np.zeros((13, 3))},
    "a point of another shape": {"point": np.zeros(7)},
}


@pytest.mark.parametrize("arrays", BAD.values(), ids=BAD)
def test_arrays_that_no_run_recorded_are_refused(arrays: dict[str, np.ndarray]) -> None:
    assert refused_or_unfit(with_arrays(**arrays))


def refused_or_unfit(data: bytes) -> bool:
    """Say whether a file is refused, or its run at the latest when it is to go on."""
    try:
        run = unpacked(data).runs[0]
        Run.resumed(bind(run.document.network, seed=3), run.document.recipe, run.recording)
    except BackstepError:
        return True
    return False


def test_objects_are_never_unpickled() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    source, target = zipfile.ZipFile(io.BytesIO(SMALL)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            is_array = info.filename == "arrays/0.npy"
            archive.writestr(info.filename, file.getvalue() if is_array else source.read(info))
    assert refused(target.getvalue())


def test_names_that_lead_elsewhere_are_never_followed(tmp_path: Path) -> None:
    target = io.BytesIO(SMALL)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("../../escaped.txt", "x")
        archive.writestr("/escaped.txt", "x")
    before = sorted(tmp_path.rglob("*"))
    assert same(unpacked(target.getvalue()), unpacked(SMALL))
    assert sorted(tmp_path.rglob("*")) == before


def bomb(size: int) -> bytes:
    source, target = zipfile.ZipFile(io.BytesIO(SMALL)), io.BytesIO()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (size // 8,)}
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in source.infolist():
            if info.filename != "arrays/0.npy":
                archive.writestr(info.filename, source.read(info))
        with archive.open("arrays/0.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(size // 2**20):
                member.write(bytes(2**20))
    return target.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="resource is of Unix")
def test_an_archive_that_unpacks_to_far_more_is_refused_at_once() -> None:
    data = bomb(2**29)
    assert len(data) < 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    assert refused(data)
    assert time.process_time() - begun < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_great_many_members_are_refused_before_they_are_listed() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(5000):
            archive.writestr(f"{number}", "")
    assert refused(target.getvalue())


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(current=5),
        lambda t: t.update(runs=[]),
        lambda t: t.update(runs=t["runs"] * 200),
        lambda t: t.update(runs=[5]),
        lambda t: t.update(runs=[0, 0]),
        lambda t: t.update(records=[]),
        lambda t: t.update(records=t["records"] * 500),
        lambda t: t["records"][0].update(stride=3),
        lambda t: t["records"][0].update(losses=10**9),
        lambda t: t["records"][0].update(run="x"),
        lambda t: t.update(back=t["back"] * 200),
        lambda t: t.update(forth={}),
        lambda t: t["back"][0].update(document=7),
        lambda t: t["back"][0].update(runs=[]),
        lambda t: t["back"][0].update(runs=[99]),
        lambda t: t["back"][1].update(runs=[1, 1]),
        lambda t: t["back"][1].update(runs=[1, 2]),  # one run twice
        lambda t: t["back"][0].update(current=1),
        lambda t: t["back"][0].update(iteration=-1),
        lambda t: t["back"][0].update(what=None),
        lambda t: t["back"][0].update(rewinds=1),
        lambda t: t["forth"][0].pop("position"),
        lambda t: t["documents"][0].update(seed=-1),
        lambda t: t["documents"][0].update(recipe={"optimizer": "gd", "learning_rate": "much"}),
        lambda t: t["documents"][0].update(recipe={"optimizer": "nobody"}),
        lambda t: t["documents"][0].update(overrides={"w": 3}),
        lambda t: t["networks"][0].update(attached={"x": 77}),
        lambda t: t["place"].update(iteration=-1),
        lambda t: t["place"].update(selection=[1, 2]),
        lambda t: t.update(format=0),
        lambda t: t.update(format="2"),
        lambda t: t.pop("view"),
    ],
)
def test_a_table_that_says_nonsense_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    def silently(table: dict[str, Any]) -> None:
        change(table)

    assert refused_or_unfit(edited(LARGER, silently))


def test_nan_and_deep_nesting_in_the_table_are_refused() -> None:
    for text in (b'{"format": NaN}', b"[" * 200_000, b'{"format": 2' + b" " * 9_000_000 + b"}", b"\xff"):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("session.json", text)
        assert refused(target.getvalue())


def test_a_network_in_it_that_is_none_is_refused() -> None:
    source, target = zipfile.ZipFile(io.BytesIO(SMALL)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info).replace(b"w * x", b"w * ("))
    assert refused(target.getvalue())


def test_a_session_that_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.backstep", tmp_path, Path("x" * 400 + ".backstep")):
        with pytest.raises(UsageError, match="cannot be read"):
            read_session(path)


def test_what_is_kept_of_a_run_does_not_change_while_it_goes_on() -> None:
    run = Run(bind(load("univariate-regression")))
    run.advance(700)
    kept: Recording = run.recording()
    before = kept.losses.tobytes(), kept.vectors.tobytes(), kept.iterations.tobytes()
    run.advance(5000)
    assert (kept.losses.tobytes(), kept.vectors.tobytes(), kept.iterations.tobytes()) == before
