"""SVG: named parts, text that stays text, and the same picture in readers that know nothing of Backstep."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QImage,
    QLinearGradient,
    QPainter,
    QPen,
    QPixmap,
    QPolygonF,
    QTextDocument,
)
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from graphs.exporting import Look
from graphs.network import built_in_names, load, loads
from graphs.provenance import provenance
from graphs.sessions import read_session
from gui.app import application
from gui.export import pictures_of
from gui.groups import group
from gui.pictures import Picture, svg
from gui.raster import painted
from gui.scene.graph_scene import CROWD
from gui.scene.metrics import text_width
from gui.session import Document, Session
from gui.theme import application_font
from tests.gui.pictures.readers import (
    difference,
    needs,
    needs_chromium,
    needs_dejavu,
    pixels,
    run,
    screenshot,
    with_fonts,
    with_wide_fonts,
)

SVG = "{http://www.w3.org/2000/svg}"
ODD = """
title = 'Ünïcode "quotes" <&> ŷ'
formula = '''
alpha_1 = W @ x + beta
lambda_2 = exp(1000 * alpha_1)
yhat = lambda_2 - lambda_2
L = sum((yhat - x)**2) + sum(beta)
'''
parameters = { W = [[1e-300, -2.0], [0.5, 3.0]], beta = [[0.0], [1e-300]] }
data = { x = [[1.0], [2.0]] }
"""
LEAVES = "parameters = { w = 0.99 }\ndata = { x = 1.5 }"
THEME_OF = {"first": "light", "middle": "dark", "last": "print"}


class Sheet(NamedTuple):
    """An exported file and the same picture as pixels."""

    path: Path
    image: QImage


def picture_of(session: Session, position: int, look: Look | None = None) -> Picture:
    return pictures_of(session, look or Look(), [position])[0]


def parsed(picture: Picture) -> ET.Element:
    return ET.fromstring(svg.FORMAT.whole([picture]))


@pytest.fixture(scope="module")
def sheets(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    """Return every built-in network at its first, middle and last step, each in another theme."""
    application()
    folder = tmp_path_factory.mktemp("sheets")
    found = []
    for name in built_in_names():
        session = Session(Document.of(load(name)))
        last = len(session.trace.steps)
        for word, position in (("first", 1), ("middle", (last + 1) // 2), ("last", last)):
            picture = picture_of(session, position, Look(theme=THEME_OF[word], scale=1.0))
            path = folder / f"{name}-{word}.svg"
            path.write_bytes(svg.FORMAT.whole([picture]))
            found.append(Sheet(path, painted(picture)))
        session.close()
    return found


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(load("two-layer-nonlinear")))
    yield session
    session.close()


@needs("rsvg-convert")
def test_another_library_paints_the_same(sheets: list[Sheet], tmp_path: Path) -> None:
    for path, image in sheets:
        run("rsvg-convert", path, "-o", tmp_path / "a.png", env=with_fonts(tmp_path))
        mean, other = difference(pixels(tmp_path / "a.png"), pixels(image))
        assert mean < 2.0, path.name
        assert other < 0.012, path.name


@needs_chromium
def test_a_browser_paints_the_same(sheets: list[Sheet], tmp_path: Path) -> None:
    rows = "".join(f'<img src="{path.as_uri()}" style="display:block">' for path, _ in sheets)
    page, shot = tmp_path / "all.html", tmp_path / "all.png"
    page.write_text(f'<!doctype html><body style="margin:0;background:#fff">{rows}', "utf-8")
    width, height = max(i.width() for _, i in sheets), sum(i.height() for _, i in sheets)
    screenshot(page, shot, width, height)
    whole, top = pixels(shot), 0
    for path, image in sheets:
        part = whole[top : top + image.height(), : image.width()]
        mean, other = difference(part, pixels(image))
        assert mean < 2.0, path.name
        assert other < 0.012, path.name
        top += image.height()


def test_every_part_is_named(session: Session) -> None:
    root = parsed(picture_of(session, 9))
    ids = Counter(e.attrib["id"] for e in root.iter() if "id" in e.attrib)
    assert max(ids.values()) == 1
    graph = session.trace.graph
    for name in graph.visible(session.detail):
        part = root.find(f".//{SVG}g[@id='node-{name}']")
        assert part is not None
        title, texts = part.find(f"{SVG}title"), [t.text for t in part.iter(f"{SVG}text")]
        assert title is not None
        assert title.text == name
        assert texts or not graph[name].dims
    for source, target, slot in graph.edges(session.detail):
        assert f"edge-{source}-{target}-{slot}" in ids
    assert {"factor", "reads"} <= set(ids)


def test_parts_of_a_large_graph_are_named_too(qtbot: QtBot) -> None:
    application()
    lines = "\n".join(f"h{i} = h{i - 1} * w" for i in range(1, CROWD + 20))
    session = Session(Document.of(loads(f"formula = '''\nh0 = x + w\n{lines}\n'''\n{LEAVES}")))
    before = text_width("1 × m", "label")
    root = parsed(picture_of(session, 300))
    assert text_width("1 × m", "label") == before  # names of parts are smaller; those on cards are not
    ids = Counter(e.attrib["id"] for e in root.iter() if "id" in e.attrib)
    assert max(ids.values()) == 1
    graph = session.trace.graph
    names = graph.visible(session.detail)
    assert len(names) > CROWD
    assert {f"node-{name}" for name in names} < ids.keys()
    assert {f"edge-{a}-{b}-{slot}" for a, b, slot in graph.edges(session.detail)} < ids.keys()
    known = root.find(f".//{SVG}g[@id='node-h7']/{SVG}desc")
    assert known is not None
    assert f"value {session.trace.values['h7']:.8g}" in str(known.text)
    session.close()


def test_formulas_are_paths_that_say_their_source(session: Session) -> None:
    root = parsed(picture_of(session, 9))
    formulas = {
        e.attrib["aria-label"]: e for e in root.iter(f"{SVG}g") if e.get("id", "").startswith("formula")
    }
    assert {"W_1 X + b_1", r"\sigma(Z)", r"\hat{y}", "b_2"} <= set(formulas)
    for element in formulas.values():
        assert element.get("role") == "img"
        assert {child.tag for child in element} <= {f"{SVG}path", f"{SVG}rect"}
        assert all(child.get("stroke") is None for child in element)


def test_text_stays_text_and_names_fonts_to_fall_back_on(session: Session) -> None:
    root = parsed(picture_of(session, 18))
    texts = list(root.iter(f"{SVG}text"))
    assert "1.826" in [text.text for text in texts]
    for text in texts:
        assert text.attrib["font-family"].startswith("Inter, ")
        assert text.attrib["font-family"].endswith("sans-serif")
        assert float(text.attrib["font-size"]) >= 9
    assert not any("class" in e.attrib or e.tag == f"{SVG}style" for e in root.iter())


def test_text_keeps_the_room_that_it_was_measured_for(session: Session) -> None:
    root = parsed(picture_of(session, 14, Look("step")))
    (headline,) = (t for t in root.iter(f"{SVG}text") if str(t.text).startswith("b₁ is copied"))
    width = QFontMetricsF(application_font("title")).horizontalAdvance(str(headline.text))
    assert float(headline.attrib["textLength"]) == pytest.approx(width, abs=1.0)
    assert headline.attrib["lengthAdjust"] == "spacingAndGlyphs"


def test_shapes_keep_their_right_ends_and_numbers_their_middle(session: Session) -> None:
    graph = parsed(picture_of(session, 14))
    shapes = [t for t in graph.iter(f"{SVG}text") if t.text in ("1 × m", "1 × 133")]
    assert {t.get("text-anchor") for t in shapes} == {"end"}
    ends = sorted(float(t.attrib["x"]) for t in shapes)
    assert np.allclose(ends[::2], ends[1::2], atol=0.5)  # names and sizes end at one place
    neurons = parsed(picture_of(session, 14, Look("neurons")))
    numbers = [t for t in neurons.iter(f"{SVG}text") if str(t.text)[0] in "+−" and str(t.text)[1:2] != " "]
    assert numbers
    assert {t.get("text-anchor") for t in numbers} == {"middle"}


def test_a_line_in_several_colours_is_one_text(qapp: object) -> None:
    document = QTextDocument()
    document.setHtml('<b>reads</b> <span style="color:#a84900">stored z</span> <i>now</i>')

    def paint(painter: QPainter) -> None:
        document.drawContents(painter)

    (line,) = parsed(Picture(QSizeF(300, 40), paint)).iter(f"{SVG}text")
    assert "".join(line.itertext()) == "reads stored z now"
    assert line.get("font-weight") == "700"
    found = [(part.text, part.get("font-weight"), part.get("fill"), part.get("font-style")) for part in line]
    assert found == [("stored z ", "400", "#a84900", None), ("now", "400", None, "italic")]


def _ink(image: Path) -> np.ndarray:
    """Return the columns in which something dark stands."""
    return np.flatnonzero((pixels(image).sum(axis=2) < 300).any(axis=0))


@needs_dejavu
@needs("rsvg-convert")
@needs_chromium
def test_nothing_runs_out_where_only_wider_fonts_are_found(session: Session, tmp_path: Path) -> None:
    picture = picture_of(session, 14, Look("step", scale=1.0))
    path, wide = tmp_path / "a.svg", with_wide_fonts(tmp_path)
    path.write_bytes(svg.FORMAT.whole([picture]))
    width, height = round(picture.size.width()), round(picture.size.height())
    screenshot(path, tmp_path / "narrow.png", width, height)
    screenshot(path, tmp_path / "wide.png", width, height, wide)
    run("rsvg-convert", path, "-o", tmp_path / "rsvg.png", env=wide)
    ends = [int(_ink(tmp_path / f"{name}.png")[-1]) for name in ("narrow", "wide", "rsvg")]
    assert abs(ends[1] - ends[0]) <= 2
    assert ends[2] < width - 8


def test_it_says_where_it_comes_from_and_opens_again(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_bytes(svg.FORMAT.whole([picture_of(session, 7)]))
    entries = ET.fromstring(path.read_text("utf-8")).iter("{urn:backstep}entry")
    found = {entry.attrib["key"]: entry.text for entry in entries}
    assert found == provenance(session.snapshot().at(7), with_document=True)
    assert read_session(path).place["position"] == 7


def test_it_is_read_aloud(session: Session) -> None:
    root = parsed(picture_of(session, 9))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["aria-labelledby"].split() == [title.get("id"), description.get("id")]
    assert str(description.text).startswith("To reach")


@pytest.mark.parametrize("detail", Detail)
def test_odd_names_and_numbers_are_written(qtbot: QtBot, detail: Detail, tmp_path: Path) -> None:
    application()
    session = Session(Document.of(loads(ODD)), detail)
    try:
        for subject in ("graph", "step"):
            for position in (0, 4, len(session.trace.steps)):
                root = parsed(picture_of(session, position, Look(subject, "print")))
                assert 'Ünïcode "quotes" <&> ŷ' in str(root.findtext(f"{SVG}title"))
    finally:
        session.close()


def _paint_everything(painter: QPainter) -> None:
    """Paint with all that the application's painters use."""
    painter.setPen(QPen(QColor(20, 40, 60, 160), 2, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(5, 5), QPointF(90, 12))
    painter.drawLines([QLineF(5, 20, 40, 30), QLineF(50, 20, 90, 30)])
    painter.setPen(Qt.PenStyle.NoPen)
    ground = QLinearGradient(0, 30, 0, 60)
    ground.setColorAt(0, QColor("#ff8800"))
    ground.setColorAt(1, QColor(0, 0, 200, 100))
    painter.setBrush(ground)
    painter.drawRect(QRectF(5, 30, 30, 30))
    painter.save()
    painter.setClipRect(QRectF(75, 30, 15, 15))
    painter.fillRect(QRectF(70, 25, 30, 30), QColor("#118833"))
    painter.restore()
    painter.save()
    painter.translate(50, 80)
    painter.rotate(30)
    painter.fillRect(QRectF(-10, -5, 20, 10), QColor("#aa1155"))
    painter.restore()
    painter.setOpacity(0.5)
    painter.setBrush(QColor("#0000ff"))
    painter.drawEllipse(QPointF(20, 80), 12, 8)
    painter.setOpacity(1.0)
    painter.drawPolygon(QPolygonF([QPointF(70, 70), QPointF(90, 70), QPointF(80, 90)]))
    dots = QPixmap(2, 2)
    dots.fill(QColor("#e0c000"))
    painter.drawPixmap(QRectF(5, 92, 10, 6), dots, QRectF(0, 0, 2, 2))


def test_hatches_are_patterns(qapp: object) -> None:
    def paint(painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, 30, 30), QBrush(QColor("#333333"), Qt.BrushStyle.BDiagPattern))

    root = parsed(Picture(QSizeF(30, 30), paint))
    pattern, rect = root.find(f".//{SVG}pattern"), root.find(f"{SVG}rect")
    assert pattern is not None
    assert rect is not None
    assert rect.get("fill") == f"url(#{pattern.get('id')})"
    assert root.find(f".//{SVG}image") is None


@needs("rsvg-convert")
def test_all_that_a_painter_does_is_written(qapp: object, tmp_path: Path) -> None:
    picture = Picture(QSizeF(100, 100), _paint_everything, 4.0, background=QColor("#ffffff"))
    path = tmp_path / "a.svg"
    path.write_bytes(svg.FORMAT.whole([picture]))
    run("rsvg-convert", "-z", 4, path, "-o", tmp_path / "a.png")
    mean, other = difference(pixels(tmp_path / "a.png"), pixels(painted(picture)))
    assert mean < 3.0
    assert other < 0.02


def test_names_of_groups_are_unique_and_letters_alone(qapp: object) -> None:
    def paint(painter: QPainter) -> None:
        for title in ("one & <other>", 'with "quotes"'):
            with group(painter, "node a/b", title):
                painter.fillRect(QRectF(0, 0, 5, 5), QColor("#000000"))

    root = parsed(Picture(QSizeF(10, 10), paint))
    groups = list(root.iter(f"{SVG}g"))
    assert [g.get("id") for g in groups] == ["node-a_b".replace("-a", "_a"), "node_a_b.2"]
    assert [g.findtext(f"{SVG}title") for g in groups] == ["one & <other>", 'with "quotes"']
    assert root.find(f"{SVG}rect") is None  # no background where the picture has none
