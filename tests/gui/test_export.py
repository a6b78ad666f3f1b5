"""Exported pictures: valid, complete, in every theme, and written whole."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from engine.graph import Detail
from engine.training import Run
from graphs.exporting import Look
from graphs.network import bind, built_in_names, load, loads
from graphs.palette import MEANINGS, SHADES
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.views.numbers import compact
from gui.app import application, temporary_settings
from gui.export import (
    SUBJECTS,
    export_session,
    format_of,
    graph_picture,
    picture_filters,
    pictures_of,
    window_picture,
)
from gui.pictures import Picture, formats, png, svg
from gui.raster import painted
from gui.session import Document, Session
from gui.theme import THEMES
from gui.window import Window
from tests.gui.pictures.readers import difference, pixels

SVG = "{http://www.w3.org/2000/svg}"
HALF_A_PAGE = 257 / 2 / 25.4 * 72
"""Points."""
SMALL = """
title = "Small & <odd> \\"one\\" ŷ"
formula = '''
z = W @ x
L = sum(z * z)
'''
parameters = { W = [[1.0, -2.0], [0.5, 0.25]] }
data = { x = [[1.0], [2.0]] }
"""


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(load("two-layer-nonlinear")))
    yield session
    session.close()


@pytest.fixture
def small(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(loads(SMALL)), Detail.PRIMITIVE)
    yield session
    session.close()


def colours(image: QImage) -> set[str]:
    """Return the colours of a coarse grid of pixels."""
    xs, ys = range(0, image.width(), 3), range(0, image.height(), 3)
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("position", [0, 3, 8, 100])
def test_a_png_shows_the_step(session: Session, tmp_path: Path, theme: str, position: int) -> None:
    session.go(position)
    path = tmp_path / "picture.png"
    export_session(session, path, theme=theme, scale=1.5)
    image = QImage(str(path))
    size = graph_picture(session, THEMES[theme]).size
    assert (image.width(), image.height()) == (round(1.5 * size.width()), round(1.5 * size.height()))
    assert image.pixelColor(0, 0).name() == THEMES[theme].color("canvas").name()
    assert image.pixelColor(image.width() - 1, image.height() - 1).alpha() == 255
    assert len(colours(image)) > 10


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("position", [0, 2, 5, 100])
def test_an_svg_is_vectors_with_their_own_colours(
    small: Session, tmp_path: Path, theme: str, position: int
) -> None:
    small.go(position)
    path = tmp_path / "picture.svg"
    export_session(small, path, theme=theme)
    root = ET.fromstring(path.read_text("utf-8"))
    assert root.tag == f"{SVG}svg"
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert "path" in tags
    assert "text" in tags
    assert "image" not in tags
    assert "style" not in tags
    assert not any("class" in element.attrib for element in root.iter())
    fills = {e.attrib["fill"].lower() for e in root.iter() if "fill" in e.attrib} - {"none", "#000000"}
    assert THEMES[theme].color("canvas").name() in fills
    assert len(fills) > 3


def test_an_svg_looks_like_the_png(small: Session) -> None:
    small.go(4)
    picture = graph_picture(small, THEMES["light"], scale=1.0)
    pixels = QImage.fromData(png.FORMAT.whole([picture]))
    drawn = QImage(pixels.size(), QImage.Format.Format_ARGB32)
    drawn.fill(Qt.GlobalColor.white)
    painter = QPainter(drawn)
    QSvgRenderer(svg.FORMAT.whole([picture])).render(painter)
    painter.end()
    points = [(x, y) for x in range(0, drawn.width(), 7) for y in range(0, drawn.height(), 7)]
    close = [_distance(pixels.pixelColor(x, y), drawn.pixelColor(x, y)) < 40 for x, y in points]
    assert sum(close) > 0.95 * len(close)


def _distance(one: QColor, other: QColor) -> int:
    return max(abs(one.red() - other.red()), abs(one.green() - other.green()), abs(one.blue() - other.blue()))


def test_a_picture_is_the_same_each_time(session: Session) -> None:
    session.go(7)
    first = [module.FORMAT.whole([graph_picture(session, THEMES["print"])]) for module in (png, svg)]
    session.go(2)
    session.go(7)
    assert [module.FORMAT.whole([graph_picture(session, THEMES["print"])]) for module in (png, svg)] == first


def test_a_png_says_what_it_shows(small: Session) -> None:
    small.go(3)
    image = QImage.fromData(png.FORMAT.whole([graph_picture(small, THEMES["light"])]))
    steps = len(small.trace.steps)
    assert image.text("Title") == f'Small & <odd> "one" ŷ, step 3 of {steps}, forward'
    pairs = provenance(small.snapshot())
    assert {key: image.text(key) for key in pairs} == pairs
    assert {"Software", "Network", "Seed", "Step", "Iteration", "Detail"} <= set(pairs)


def test_an_svg_says_what_it_shows(small: Session) -> None:
    small.go(3)
    root = ET.fromstring(svg.FORMAT.whole([graph_picture(small, THEMES["light"])]))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == f'Small & <odd> "one" ŷ, step 3 of {len(small.trace.steps)}, forward'
    assert str(description.text).endswith(".")


def test_a_window_is_a_picture_too(session: Session, qtbot: QtBot) -> None:
    label = QLabel("Hello")
    qtbot.addWidget(label)
    label.resize(200, 100)
    image = QImage.fromData(png.FORMAT.whole([window_picture(label, session, 2.0)]))
    assert (image.width(), image.height()) == (400, 200)
    assert len(colours(image)) > 1


@pytest.mark.parametrize("name", ["picture.gif2", "picture", "picture.", ".png", "a.PNGX"])
def test_an_unknown_ending_is_said(session: Session, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"Choose one of: .*\.png.*\.svg"):
        export_session(session, tmp_path / name, theme="light")
    assert list(tmp_path.iterdir()) == []


def test_the_ending_may_be_in_capitals() -> None:
    assert format_of(Path("A.PNG")) is png.FORMAT
    assert format_of(Path("b.Svg")) is svg.FORMAT


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_a_folder_that_is_not_there_is_said(session: Session, tmp_path: Path, ending: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        export_session(session, tmp_path / "nowhere" / f"a{ending}", theme="light")
    with pytest.raises(UsageError, match="cannot be written"):
        export_session(session, Path("/proc") / f"a{ending}", theme="light")


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_a_file_that_is_there_is_replaced_whole(session: Session, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"picture{ending}"
    path.write_bytes(b"x" * 5_000_000)
    export_session(session, path, theme="light", scale=1.0)
    assert path.stat().st_size < 5_000_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_too_large_for_pixels_is_said(session: Session) -> None:
    with pytest.raises(UsageError, match=r"pixels\. Choose a smaller scale, or SVG\."):
        png.FORMAT.whole([graph_picture(session, THEMES["light"], scale=1000.0)])


def test_every_format_is_listed_and_complete() -> None:
    found = formats()
    assert {png.FORMAT, svg.FORMAT} <= set(found.values())
    assert list(found) == [format.name for format in found.values()]
    endings = [ending for format in found.values() for ending in format.endings]
    assert len(endings) == len(set(endings))
    for format in found.values():
        assert format.endings
        assert all(re.fullmatch(r"\.[a-z0-9]+", ending) for ending in format.endings)
        assert format.title
        assert all(format_of(Path(f"a{ending}")) is format for ending in format.endings)
        assert all(f"*{ending}" in picture_filters() for ending in format.endings)
        format.check()


def test_a_missing_extra_is_one_sentence_that_names_it() -> None:
    lacking = replace(png.FORMAT, title="Moving picture", extra="moving", is_there=lambda: False)
    with pytest.raises(UsageError, match=r"Moving picture needs the extra “moving”.*backstep\[moving\]"):
        lacking.check()
    png.FORMAT.check()


def test_a_picture_paints_itself_at_its_size() -> None:
    def paint(painter: QPainter) -> None:
        painter.fillRect(0, 0, 10, 20, QColor("#123456"))

    image = QImage.fromData(png.FORMAT.whole([Picture(QSizeF(10, 20), paint, scale=3.0)]))
    assert (image.width(), image.height()) == (30, 60)
    assert image.pixelColor(QPoint(29, 59)).name() == "#123456"


def test_a_session_stands_in_a_run_that_was_trained_before(qtbot: QtBot) -> None:
    application()
    model = bind(load("univariate-regression"))
    run = Run(model, model.network.training.recipe)
    run.advance(40)
    snapshot = Snapshot.of(run, model, iteration=25, position=4)
    session = Session.at(snapshot)
    try:
        assert (session.iteration, session.iterations, session.position) == (25, 40, 4)
        for name, value in run.at(25).parameters.items():
            assert np.array_equal(session.frame.values[name], value)
        assert provenance(session.snapshot()) == provenance(snapshot)
    finally:
        session.close()


@pytest.mark.parametrize("subject", [s.name for s in SUBJECTS.values() if s.by_step and s.name != "window"])
def test_pictures_of_several_steps_have_one_size_and_leave_the_session_alone(
    session: Session, subject: str
) -> None:
    session.go(5)
    last = len(session.trace.steps)
    pictures = pictures_of(session, Look(subject, scale=1.0), range(last + 1))
    assert len({(p.size.width(), p.size.height()) for p in pictures}) == 1
    images = [painted(picture) for picture in (pictures[2], pictures[last], pictures[2])]
    assert images[0] == images[2]
    assert session.position == 5


@pytest.mark.parametrize("theme", THEMES)
def test_a_transparent_picture_has_no_background(session: Session, theme: str) -> None:
    session.go(3)
    image = painted(pictures_of(session, Look("graph", theme, is_transparent=True), [3])[0])
    corners = [(0, 0), (image.width() - 1, 0), (0, image.height() - 1)]
    assert all(image.pixelColor(*corner).alpha() == 0 for corner in corners)
    assert len(colours(image)) > 10


@pytest.mark.parametrize("name", [n for n in built_in_names() if n != "scalar-operations"])
def test_a_graph_is_readable_at_half_of_a_turned_page(qtbot: QtBot, name: str) -> None:
    """Half of the 257 mm that an A4 page has between margins, turned: no letter is smaller than 5 points."""
    session = Session(Document.of(load(name)))
    last = len(session.trace.steps)
    try:
        for position in (1, (last + 1) // 2, last):
            picture = pictures_of(session, Look("graph", "print"), [position])[0]
            root = ET.fromstring(svg.FORMAT.whole([picture]))
            sizes = [float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")]
            assert min(sizes) * HALF_A_PAGE / picture.size.width() > 5.0, position
    finally:
        session.close()


def test_a_legend_stands_below_the_graph(session: Session) -> None:
    plain, with_legend = (
        pictures_of(session, Look("graph", "print", has_legend=wanted), [14])[0] for wanted in (False, True)
    )
    assert with_legend.size.width() == plain.size.width()
    root = ET.fromstring(svg.FORMAT.whole([with_legend]))
    legend = next(e for e in root.iter() if e.get("id") == "legend")
    texts = [e for e in legend if e.tag.endswith("text")]
    assert [t.text for t in texts] == [*MEANINGS.values(), SHADES]
    for text in texts:
        assert plain.size.height() < float(text.attrib["y"]) < with_legend.size.height()
        assert float(text.attrib["x"]) + float(text.attrib["textLength"]) < with_legend.size.width()


def test_small_arrays_show_their_numbers_if_wanted(session: Session) -> None:
    picture = pictures_of(session, Look("graph", "print", has_numbers=True), [14])[0]
    root = ET.fromstring(svg.FORMAT.whole([picture]))
    card = next(e for e in root.iter() if e.get("id") == "value-W1")
    shown = [str(e.text) for e in card.iter(f"{SVG}text")]
    assert shown == [compact(x, 5) for x in session.trace.values["W1"].ravel()]


@pytest.mark.parametrize("look", [Look("neurons", has_legend=True), Look("step", has_numbers=True)])
def test_only_the_graph_has_a_legend(session: Session, look: Look) -> None:
    with pytest.raises(UsageError, match="belongs to the graph"):
        pictures_of(session, look, [3])


def test_what_lies_over_a_window_is_not_in_its_picture(session: Session, qtbot: QtBot) -> None:
    window = Window(session, temporary_settings())
    qtbot.addWidget(window)
    window.resize(1000, 640)
    window.show()
    window.settle()
    before = pixels(painted(window_picture(window, session)))
    window.export()
    window.settle()
    focused = window.focusWidget()
    _, other = difference(pixels(painted(window_picture(window, session))), before)
    assert other < 0.005  # what has the focus is marked otherwise
    assert window.focusWidget() is focused
    _, other = difference(pixels(window.grab().toImage()), before)
    assert other > 0.02
