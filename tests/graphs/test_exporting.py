"""Which file gets what: formats by name, steps by word, names filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.trace import Phase
from engine.training import Run
from graphs.exporting import PICTURES, kind_of, kinds, planned, positions_of
from graphs.network import bind, load
from graphs.snapshot import Snapshot

FIELDS = {"iteration": 0, "network": "univariate-regression", "detail": "equation", "theme": "light"}


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    model = bind(load("univariate-regression"))
    return Snapshot.of(Run(model, model.network.training.recipe), model)


def test_every_ending_finds_its_kind() -> None:
    for kind in kinds().values():
        for ending in kind.endings:
            assert kind.name in {kind_of(f"a.b{ending}".upper(), kind.name).name, kind_of(f"a{ending}").name}
            assert kind_of(f"a{ending}", kind.name) == kind


def test_a_name_without_an_ending_takes_the_format_wanted() -> None:
    assert kind_of("page", "json").name == "json"
    with pytest.raises(UsageError, match="not the name of anything"):
        kind_of("page")


def test_a_format_wanted_leaves_other_endings_alone() -> None:
    assert kind_of("a.svg", "numpy").name == "svg"
    assert kind_of("a.svg", "numpy", is_stated=True).name == "svg"


def test_a_format_that_is_stated_is_taken_for_endings_that_nothing_has() -> None:
    assert kind_of("a.txt", "svg", is_stated=True).name == "svg"
    with pytest.raises(UsageError, match=r"a\.txt is not the name of anything"):
        kind_of("a.txt", "svg")


@pytest.mark.parametrize("name", ["folder", "folder/", "none/"])
def test_a_folder_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"is a folder\. Name a file in it, such as .*step\.svg"):
        kind_of(f"{tmp_path}/{name}", "svg", is_stated=True)


@pytest.mark.parametrize("wanted", ["bmp", "docx"])
def test_unknown_formats_are_said(wanted: str) -> None:
    with pytest.raises(UsageError, match=f"no format {wanted}. There are svg, png"):
        kind_of("a.svg", wanted)
    with pytest.raises(UsageError, match=r"End the name in one of \.svg, \.png"):
        kind_of(f"a.{wanted}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start", (0,)),
        ("first", (1,)),
        ("middle", (5,)),
        ("last", (10,)),
        (None, (10,)),
        ("all", tuple(range(11))),
        ("3-5", (3, 4, 5)),
        ("3..5", (3, 4, 5)),
        (" 7, first ,7", (7, 1)),
        ("3-10", tuple(range(3, 11))),
    ],
)
def test_steps_are_chosen_by_word_and_number(
    snapshot: Snapshot, text: str | None, expected: tuple[int, ...]
) -> None:
    assert len(snapshot.trace.steps) == 10
    assert positions_of(text, snapshot.trace) == expected


def test_phases_are_all_the_steps(snapshot: Snapshot) -> None:
    places = [positions_of(phase, snapshot.trace) for phase in ("forward", "backward", "update")]
    assert sorted(p for found in places for p in found) == list(range(1, 11))
    assert {snapshot.at(p).step.phase for p in places[1]} == {Phase.SEED, Phase.BACKWARD}  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["11", "3-11", "0-999999999", "999999999"])
def test_steps_that_are_not_there_are_said(snapshot: Snapshot, text: str) -> None:
    with pytest.raises(UsageError, match="Choose one of its steps, 0 to 10"):
        positions_of(text, snapshot.trace)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("17-99", "there are no steps 17-99: the iteration has 10. Choose one of its steps, 0 to 10."),
        ("5..3", "the steps 5..3 go backwards. Write 3-5."),
    ],
)
def test_a_range_that_does_not_fit_is_named(snapshot: Snapshot, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        positions_of(text, snapshot.trace)
    assert str(caught.value) == said


@pytest.mark.parametrize("text", ["-1", "1.5", "", ",", "x", "3-", "3-4-5", "1" * 400, "²"])
def test_what_is_no_step_is_said(snapshot: Snapshot, text: str) -> None:
    if text:
        with pytest.raises(UsageError, match="is no step"):
            positions_of(text, snapshot.trace)
    else:
        assert positions_of(text, snapshot.trace) == (10,)


def test_a_name_with_a_step_is_a_file_each(tmp_path: Path) -> None:
    name = str(tmp_path / "{network}-{step:03d}.svg")
    jobs = planned([name], [0, 5], FIELDS)
    assert [job.path.name for job in jobs] == [
        "univariate-regression-000.svg",
        "univariate-regression-005.svg",
    ]
    assert [job.positions for job in jobs] == [(0,), (5,)]


def test_pages_and_frames_take_several_steps(tmp_path: Path) -> None:
    names = [str(tmp_path / f"a{kind.endings[0]}") for kind in PICTURES if kind.takes == "several"]
    jobs = planned(names, [1, 2, 3], FIELDS)
    assert len(jobs) == 5
    assert {job.positions for job in jobs} == {(1, 2, 3)}
    with pytest.raises(UsageError, match=r"holds one step, and 3 are asked for\. Put \{step\}"):
        planned([str(tmp_path / "a.png")], [1, 2, 3], FIELDS)


def test_a_page_begins_at_the_start_unless_a_step_is_chosen(tmp_path: Path) -> None:
    names = [str(tmp_path / "a.html"), str(tmp_path / "a.json")]
    assert [job.positions for job in planned(names, [7], FIELDS, is_chosen=False)] == [(0,), (7,)]
    assert [job.positions for job in planned(names, [7], FIELDS)] == [(7,), (7,)]


def test_a_document_of_every_step_is_not_written_for_each(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the same 3 times: it has every step\. Leave \{step\} out"):
        planned([str(tmp_path / "a-{step}.md")], [1, 2, 3], FIELDS)
    assert len(planned([str(tmp_path / "a-{step}.html")], [1, 2, 3], FIELDS)) == 3


@pytest.mark.parametrize(
    "name",
    ["{x}.svg", "{}.svg", "{step.svg", "}.svg", "{step:q}.svg", "{step:99999999999d}.svg", "{step!x}.svg"],
)
def test_braces_that_cannot_be_filled_in_are_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"the braces in .* cannot be filled in"):
        planned([str(tmp_path / name)], [1], FIELDS)


def test_a_name_cannot_look_into_objects(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be filled in"):
        planned([str(tmp_path / "{step.__class__}.svg")], [1], FIELDS)


def test_no_file_is_written_twice_or_over_another(tmp_path: Path) -> None:
    name = str(tmp_path / "a.svg")
    with pytest.raises(UsageError, match="more than once"):
        planned([name, name], [1], FIELDS)
    Path(name).write_text("mine")
    with pytest.raises(UsageError, match=r"exists\. Add --force"):
        planned([name], [1], FIELDS)
    assert planned([name], [1], FIELDS, is_forced=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/a.svg", "there is no folder"),
        ("in.svg", "is a folder"),
        ("a\0.svg", "cannot be the name of a file"),
    ],
)
def test_places_that_cannot_be_written_to_are_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "in.svg").mkdir()
    with pytest.raises(UsageError, match=said):
        planned([str(tmp_path / name)], [1], FIELDS)
