"""What is exported: each subject of any network at any step, in every theme, or one sentence why not."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from engine.graph import Detail
from engine.training import Run
from graphs.exporting import SUBJECTS as NAMES
from graphs.exporting import Look
from graphs.network import bind, built_in_names, load, loads
from graphs.snapshot import Snapshot
from graphs.views.numbers import format_number
from gui.app import application
from gui.export import SUBJECTS, pictures_of
from gui.pictures import Picture, pdf, svg
from gui.raster import painted
from gui.session import Document, Session
from gui.theme import THEMES
from gui.viewdata import step_view
from tests.gui.pictures.exported import three_steps
from tests.gui.pictures.readers import difference, needs, pixels, run, with_fonts

SVG = "{http://www.w3.org/2000/svg}"
TRAINED = ("loss", "landscape")
LONELY = """
formula = "L = w * w"
parameters = { w = 2.0 }
"""


@pytest.fixture
def trained(qtbot: QtBot) -> Iterator[Session]:
    """Return a session that stands in the middle of a run, at the end of a pass."""
    application()
    model = bind(load("two-layer-nonlinear"))
    run_ = Run(model, model.network.training.recipe)
    run_.advance(60)
    session = Session.at(Snapshot.of(run_, model, iteration=40))
    yield session
    session.close()


def session_of(text: str) -> Session:
    application()
    return Session(Document.of(loads(text)))


def texts(picture: Picture) -> list[str]:
    root = ET.fromstring(svg.FORMAT.whole([picture]))
    return [str(text.text) for text in root.iter(f"{SVG}text")]


def test_the_command_line_names_the_same_subjects() -> None:
    assert set(SUBJECTS) == set(NAMES)


@pytest.mark.parametrize("subject", ["neurons", "step"])
@pytest.mark.parametrize("detail", Detail)
def test_every_network_has_it_at_every_step(qtbot: QtBot, subject: str, detail: Detail) -> None:
    """Nothing reaches out of a picture, and each step looks otherwise."""
    application()
    for name in built_in_names():
        session = Session(Document.of(load(name)), detail)
        try:
            pictures = pictures_of(session, Look(subject, "print", 0.5), three_steps(session))
        except UsageError:
            assert subject == "neurons"
            continue
        finally:
            session.close()
        images = [pixels(painted(picture)) for picture in pictures]
        assert all(not np.array_equal(images[0], image) for image in images[1:])
        for image in images:
            edge = np.concatenate([image[:3].reshape(-1, 3), image[-3:].reshape(-1, 3)])
            edge = np.concatenate([edge, image[:, :3].reshape(-1, 3), image[:, -3:].reshape(-1, 3)])
            assert (edge == 255).all(), name


@needs("rsvg-convert")
@pytest.mark.parametrize("subject", [name for name in NAMES if name != "window"])
def test_another_library_paints_the_same(trained: Session, subject: str, tmp_path: Path) -> None:
    for theme in THEMES:
        picture = pictures_of(trained, Look(subject, theme, 1.0), [12])[0]
        path = tmp_path / "a.svg"
        path.write_bytes(svg.FORMAT.whole([picture]))
        run("rsvg-convert", path, "-o", tmp_path / "a.png", env=with_fonts(tmp_path))
        mean, other = difference(pixels(tmp_path / "a.png"), pixels(painted(picture)))
        assert mean < 3.5, theme
        assert other < 0.03, theme


@needs("pdftotext", "pdfimages", "pdffonts")
@pytest.mark.parametrize("subject", ["neurons", "step", "loss"])
def test_a_pdf_is_vectors_and_text(trained: Session, subject: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf.FORMAT.whole(pictures_of(trained, Look(subject, "print"), [12])))
    assert len(run("pdfimages", "-list", path).splitlines()) == 2
    fonts = run("pdffonts", path).splitlines()
    assert all(line[fonts[0].index("emb") :].startswith("yes") for line in fonts[2:])
    text = " ".join(run("pdftotext", "-layout", path, "-").split())
    expected = {"neurons": "weight", "step": "the gradient of Z is multiplied", "loss": "iteration"}
    assert expected[subject] in text


def test_a_line_of_numbers_ends_between_terms(qtbot: QtBot) -> None:
    application()
    session = Session(Document.of(load("perceptron-classifier")))
    root = ET.fromstring(svg.FORMAT.whole([pictures_of(session, Look("step"), [1])[0]]))
    session.close()
    part = root.find(f".//{SVG}g[@id='numbers']")
    assert part is not None
    lines: dict[float, str] = {}
    for text in part.iter(f"{SVG}text"):  # a power of ten stands a little higher
        place = next((y for y in lines if abs(y - float(text.attrib["y"])) < 9), float(text.attrib["y"]))
        lines[place] = lines.get(place, "") + str(text.text)
    assert len(lines) == 2
    assert not any(line.strip("\u00a0 ").endswith(("·", "(")) for line in lines.values())
    assert [line.lstrip()[0] in "=+−" or line.lstrip()[0] == "(" for line in lines.values()] == [True, True]


def test_the_step_is_said_as_in_the_panel(trained: Session) -> None:
    view = step_view(trained.frame.at(12))
    found = " ".join(texts(pictures_of(trained, Look("step"), [12])[0])).split()
    assert " ".join(found[found.index("To") :]).startswith(view.sentence)
    last = len(trained.trace.steps)
    assert f"step 12 of {last}, backward" in " ".join(found)
    assert [part.shape for part in view.matrices if not isinstance(part, str)] != []
    for part in view.matrices:
        if not isinstance(part, str):
            assert part.shape in " ".join(found)


def test_the_loss_plot_has_axes_a_legend_and_all_visible_runs(trained: Session) -> None:
    recipe = replace(trained.document.recipe, settings={"learning_rate": 0.05})
    trained.set_recipe(recipe)
    for _ in range(30):
        trained.step_training()
    names = {session_run.name for session_run in trained.runs}
    assert len(names) == 2
    root = ET.fromstring(svg.FORMAT.whole([pictures_of(trained, Look("loss"), [0])[0]]))
    words = [str(text.text).strip() for text in root.iter(f"{SVG}text")]
    assert {"iteration", "loss", *names} <= set(words)
    curves = [g for g in root.iter(f"{SVG}g") if g.get("id", "").startswith("curve-")]
    assert {g.findtext(f"{SVG}title") for g in curves} == names
    assert all(g.find(f"{SVG}polyline") is not None for g in curves)
    assert root.find(f".//{SVG}image") is None
    here = f"{trained.iteration}: {format_number(trained.losses[trained.iteration])}"
    assert here in words
    trained.show_run(trained.runs[0], False)
    hidden = texts(pictures_of(trained, Look("loss"), [0])[0])
    assert trained.runs[0].name not in hidden


def test_a_run_that_diverges_is_said(qtbot: QtBot) -> None:
    application()
    model = bind(load("univariate-regression"))
    recipe = replace(model.network.training.recipe, settings={"learning_rate": 50.0}).checked()
    run_ = Run(model, recipe)
    run_.advance(400)
    assert run_.diverged is not None
    session = Session.at(Snapshot.of(run_, model))
    words = " ".join(texts(pictures_of(session, Look("loss"), [0])[0]))
    session.close()
    assert "stopped at iteration" in words


def test_pictures_of_an_iteration_say_so_in_their_title(trained: Session) -> None:
    for subject in TRAINED:
        title = pictures_of(trained, Look(subject), [3])[0].title
        assert title == f"Two-layer nonlinear network, {subject}, iteration 40"


def test_the_landscape_of_two_parameters_is_whole(qtbot: QtBot) -> None:
    application()
    session = Session(Document.of(load("univariate-regression")))
    picture = pictures_of(session, Look("landscape", scale=0.5), [0])[0]
    assert "whole landscape" in " ".join(texts(picture))
    assert len(np.unique(pixels(painted(picture)).reshape(-1, 3), axis=0)) > 100
    session.close()


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("loss", "nothing has been trained"),
        ("landscape", "there is no landscape: it takes two numbers"),
        ("neurons", "there are no neurons to draw"),
    ],
)
def test_what_a_network_has_not_is_one_sentence(qtbot: QtBot, subject: str, sentence: str) -> None:
    session = session_of(LONELY)
    with pytest.raises(UsageError, match=sentence):
        pictures_of(session, Look(subject), [0])
    session.close()


def test_a_subject_that_is_not_there_is_one_sentence(qtbot: QtBot) -> None:
    session = session_of(LONELY)
    with pytest.raises(UsageError, match=r"no picture of the moon\. Choose graph"):
        pictures_of(session, Look("moon"), [0])
    session.close()
