"""What can be chosen of a data set, and what is seen of it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.data import Between, parse_csv, read_csv
from engine.formula import parse
from graphs.draft import Draft, check
from graphs.network import FileData, bind, built_in_names, load, loads
from graphs.templates import template
from gui.viewdata.choice import (
    BINARY,
    CLASSES,
    Preview,
    Typed,
    built_in_sets,
    classes_of,
    first_choice,
    kind_text,
    preview,
    redrawn,
    scatter,
    table_view,
    target_columns,
    target_kind,
    template_of,
    template_of_typed,
)

LITERAL = "[parameters]\nw = 1.0\n[data]\nx = [1, 2, 3]\ny = [2, 4, 6]\n"


@pytest.mark.parametrize("name", [n for n in built_in_names() if isinstance(load(n).data, FileData)])
def test_the_first_choice_of_every_set_can_be_used_by_every_network(name):
    network = load(name)
    assert isinstance(network.data, FileData)
    for path in built_in_sets().values():
        data = replace(first_choice(read_csv(path), network.data), file=path.name)
        assert bind(replace(network, data=data)).examples > 40


def test_targets_are_numbers_or_classes():
    penguins = read_csv(built_in_sets()["penguins.csv"])
    assert {"sex", "species", "year"} <= set(target_columns(penguins))
    assert classes_of(penguins, "species") == ("Adelie", "Chinstrap", "Gentoo")
    assert classes_of(penguins, "species", {"year": Between(most=0)}) == ()
    assert classes_of(penguins, "species", {"island": ("Torgersen",)}) == ("Adelie",)
    many = parse_csv("id,v\n" + "".join(f"n{i},1\n" for i in range(80)))
    assert target_columns(many) == ("v",)


def test_the_same_columns_are_chosen_where_a_new_file_has_them():
    data = FileData("old.csv", {"X": ("b",)}, {"y": ("a",)}, where={"c": ("u",), "gone": (1,)})
    chosen = first_choice(parse_csv("a,b,c\n1,2,u\n"), data)
    assert (chosen.inputs, chosen.targets, chosen.where) == (data.inputs, data.targets, {"c": ("u",)})


ANIMALS = parse_csv(
    "Gewicht,Art,Gr,Jahr,Konstante\n4,Katze,a,1,1\n9,Hund,b,2,1\n5,Katze,c,3,1\n", name="t.csv"
)


@pytest.mark.parametrize(
    ("formula", "target"),
    [
        ("L = bce(z, y)", ("Art",)),
        ("L = cross_entropy(z, y)", ("Gr",)),
        ("L = mse(z, y)", ("Jahr",)),
    ],
)
def test_a_constant_column_is_no_first_choice_and_the_loss_says_what_is(formula, target):
    data = FileData("", {"X": ()}, {"y": ()})
    chosen = first_choice(ANIMALS, data, target_kind(parse(formula)))
    assert chosen.targets == {"y": target}
    assert chosen.inputs == {"X": tuple(c for c in ("Gewicht", "Jahr") if c not in target)}
    assert chosen.where == {}


def test_columns_of_0_and_1_are_first_choice_for_cross_entropy_and_the_last_for_bce():
    data = FileData("", {"X": ()}, {"y": ()})
    table = parse_csv("a,u,v,e\n1,1,0,x\n2,0,1,y\n3,1,0,z\n")
    assert first_choice(table, data, CLASSES).targets == {"y": ("u", "v")}
    assert first_choice(table, data, BINARY).targets == {"y": ("v",)}


def typed(formula):
    return check(Draft.of(template("blank")).with_formula(formula))


@pytest.mark.parametrize(
    ("formula", "inputs", "targets"),
    [
        ("z = w @ X + b\nL = bce(z, y)", ["X"], ["y"]),
        ("L = mse(w * x + b, y)", ["x"], ["y"]),
        ("L = norm(X)", ["X"], []),
    ],
)
def test_what_a_file_could_give_a_formula_that_is_typed(formula, inputs, targets):
    found = template_of_typed(typed(formula))
    assert isinstance(found, FileData)
    assert (list(found.inputs), list(found.targets), found.file) == (inputs, targets, "")


def test_a_typed_formula_takes_the_columns_and_its_parameters_their_shapes():
    checked = typed("z = w @ X + b\nL = bce(z, y)")
    data = FileData("t.csv", {"X": ("Gewicht", "Jahr")}, {"y": ("Art",)})
    changed = replace(checked.draft.base, data=data, attached={"t.csv": b"Gewicht,Art,Jahr\n4,u,1\n9,v,2\n"})
    found = Typed(checked, 0).preview(changed, None, False)
    assert found.model is not None
    assert found.model.graph["w"].dims[1].size == 2
    assert found.headline == "2 examples"


def test_text_is_no_target_of_cross_entropy():
    checked = typed("Z = W @ X + b\nL = cross_entropy(Z, Y)")
    data = FileData("t.csv", {"X": ("Gewicht",)}, {"Y": ("Gr",)})
    found = Typed(checked, 0).preview(replace(checked.draft.base, data=data), ANIMALS, False)
    assert found.network is None
    assert "a row of 0 and 1 for each class" in found.headline


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('formula = "L = mean((w * x - y)**2)"\n' + LITERAL, ({"x": ("",)}, {"y": ("",)}, {})),
        (
            'formula = "L = mean((w * x - c * y)**2)"\n' + LITERAL + "c = 2.0\n",
            ({"x": ("",)}, {"y": ("",)}, {"c": 2.0}),
        ),
        ('formula = "L = (w - c)**2"\n[parameters]\nw = 1.0\n[data]\nc = 2.0\n', "nothing to give"),
        ('formula = "L = w**2"\n[parameters]\nw = 1.0\n', "no inputs"),
    ],
)
def test_what_a_file_could_give_a_network(text, wanted):
    found = template_of(bind(loads(text)))
    if isinstance(wanted, str):
        assert isinstance(found, str)
        assert wanted in found
    else:
        assert isinstance(found, FileData)
        assert (found.inputs, found.targets, dict(found.own)) == wanted


def two_layers(rows):
    return loads(
        'formula = """\nZ = W1 @ X + b1\nL = mean((w2 @ tanh(Z) - y)**2)\n"""\n[parameters]\n'
        "W1 = [[1, 2], [3, 4]]\nb1 = [[0], [0]]\nw2 = [[1, 1]]\n[data]\n"
        f'file = "penguins"\ninputs = {{ X = {rows!r} }}\ntargets = {{ y = ["body_mass_g"] }}\n'.replace(
            "'", '"'
        )
    )


@pytest.mark.parametrize("rows", [["year"], ["year", "bill_depth_mm", "bill_length_mm"]])
def test_only_the_axis_that_meets_the_data_is_drawn_anew(rows):
    old = bind(two_layers(["year", "bill_depth_mm"]))
    found = redrawn(two_layers(rows), old, {})
    assert found is not None
    network, names = found
    assert names == ("W1",)
    assert bind(network).parameters["W1"].shape == (2, len(rows))
    assert network.parameters["w2"] is not None


def test_nothing_is_drawn_where_it_would_not_help():
    old = bind(two_layers(["year", "bill_depth_mm"]))
    wrong = replace(two_layers(["year"]), formula="L = mean((nowhere @ X - y)**2)")
    assert redrawn(wrong, old, {}) is None


def test_numbers_of_a_column_are_written_with_as_many_decimals():
    view = table_view(parse_csv("a,b,c\n1,0.00001,x\n-2.25,NA,\n"))
    assert view.cells == (("1.00", "1e−05", "x"), ("−2.25", None, None))
    assert view.numeric == (True, True, False)


def test_what_a_column_holds_is_said():
    data = parse_csv("a,b,c,d\n1,x,NA,1\n2,,NA,NA\n")
    said = [kind_text(data, column) for column in data.columns]
    assert said == ["numbers", "text, 1 value, 1 missing", "all missing", "numbers, 1 missing"]


def test_points_are_those_of_the_rows_that_are_used():
    data = parse_csv("a,b,k\n1,2,u\n3,NA,v\n5,6,v\n7,8,u\n", name="d")
    used = np.array([True, True, True, False])
    found = Preview(None, "", used=used, classes={"k": ("u", "v")})
    points = scatter(data, found, "a", "b", "k")
    assert points.x.tolist() == [1, 5]
    assert points.second.tolist() == [False, True]
    assert points.names == ("u", "v")
    assert points.total == 3


def test_of_many_points_a_sample_is_drawn_and_counted():
    data = parse_csv("a\n" + "1\n2\n" * 5000)
    points = scatter(data, Preview(None, ""), "a", "a", most=100)
    assert 80 < len(points.x) <= 100
    assert points.total == 10_000


def test_held_out_rows_are_marked_where_they_stand_in_the_file():
    network = replace(load("univariate-regression"), held_out=0.2)
    old = bind(load("univariate-regression"))
    data = read_csv(built_in_sets()["cars.csv"])
    found = preview(network, old, {}, data)
    assert found.held is not None
    assert found.used is not None
    assert (int(found.used.sum()), int(found.held.sum())) == (50, 10)
