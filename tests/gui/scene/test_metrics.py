"""Cards are as large at the start as at the end, and nothing in them overlaps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gui.scene.metrics import IN_PICTURES, ON_SCREEN, array_shape, card_of, label_texts, node_size
from gui.viewdata import NodeView


def test_no_step_changes_the_size_of_a_card(qapp, shows):
    for show in shows.values():
        start, end = show.scene(0).nodes, show.scene(show.length).nodes
        assert {n: node_size(v) for n, v in start.items()} == {n: node_size(v) for n, v in end.items()}


@pytest.mark.parametrize(
    "letters",
    [ON_SCREEN, IN_PICTURES, replace(IN_PICTURES, has_numbers=True), replace(ON_SCREEN, has_numbers=True)],
    ids=["screen", "picture", "numbers", "numbers-on-screen"],
)
def test_the_parts_of_a_card_lie_in_it_and_apart(qapp, shows, letters):
    for show in shows.values():
        for view in show.scene(0).nodes.values():
            card = card_of(view, letters)
            parts = [card.value, *([card.gradient] if card.gradient else [])]
            parts += [card.labels] if card.label_lines else []
            for i, part in enumerate(parts):
                assert card.rect.contains(part), view.name
                assert not any(part.intersects(other) for other in parts[i + 1 :]), view.name
            title = card.title.formula.rect(card.title.x, card.title.baseline)
            assert not title.intersects(card.labels), view.name


def test_a_card_has_room_for_a_gradient_only_where_one_will_come(qapp):
    view = NodeView("x", "input", False, "x", "", "4 × 12", "k × m")
    assert card_of(view).gradient is None
    assert card_of(replace(view, expected=1)).gradient is not None
    assert node_size(replace(view, expected=1))[1] > node_size(view)[1]


def test_cells_with_numbers_have_their_width(qapp):
    view = NodeView("x", "line", False, "x", "", "2 × 4", "k × m")
    assert card_of(view).value.width() < 100
    for letters in (replace(ON_SCREEN, has_numbers=True), replace(IN_PICTURES, has_numbers=True)):
        card = card_of(view, letters)
        assert card.value.width() == 4 * 46
        assert card.rect.contains(card.value)


def test_long_formulas_do_not_widen_a_card_without_end(qapp):
    view = NodeView("L", "line", True, "L", "+".join(["abcdefgh"] * 20), "", "")
    assert node_size(view)[0] < 260


def test_the_formula_of_a_loss_is_large_enough_to_be_read(qapp):
    formula = r"-\frac{1}{m} \text{sum}(y \odot \log(a) + (1 - y) \odot \log(1 - a))"
    card = card_of(NodeView("L", "line", True, r"\mathcal{L}", formula, "", ""))
    assert card.formula is not None
    assert card.formula.formula.size >= 10  # five points where it is printed at half its size
    assert card.formula.formula.width <= card.formula.room


@pytest.mark.parametrize(("text", "shape"), [("4 × 133", (4, 133)), ("", ()), ("7", (7,))])
def test_sizes_are_read_from_a_shape(text, shape):
    assert array_shape(text) == shape


@pytest.mark.parametrize(
    ("shape", "dims", "lines", "texts"),
    [
        ("4 × 3", "k × n", 2, ["k × n", "4 × 3"]),
        ("4 × 3", "k × n", 1, ["k × n   4 × 3"]),
        ("4 × 3", "", 2, ["4 × 3"]),
        ("", "", 1, [""]),
    ],
)
def test_shapes_are_written_in_one_line_or_two(shape, dims, lines, texts):
    assert label_texts(shape, dims, lines) == texts
