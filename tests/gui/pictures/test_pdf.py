"""PDF: pages of the picture's size, fonts that are in it, text that is found, nothing that is a bitmap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter
from pytestqt.qtbot import QtBot

from graphs.exporting import Look
from graphs.network import load
from graphs.provenance import provenance
from graphs.views.numbers import format_number
from gui.app import application
from gui.export import pictures_of
from gui.pictures import Picture, pdf, said_of
from gui.raster import painted
from gui.session import Document, Session
from tests.gui.pictures.exported import every_network
from tests.gui.pictures.readers import difference, needs, pixels, run


@pytest.fixture(scope="module")
def files(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[Picture]]:
    """Return a file of three pages of each built-in network, with the pictures on them."""
    folder = tmp_path_factory.mktemp("pdf")
    found = {}
    for number, (name, pictures) in enumerate(every_network(Look(theme="print", scale=96 / 72))):
        path = folder / f"{number}-{name}.pdf"
        path.write_bytes(pdf.FORMAT.whole(pictures))
        found[path] = pictures
    return found


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(load("two-layer-nonlinear")))
    yield session
    session.close()


@needs("pdffonts")
def test_all_fonts_are_embedded(files: dict[Path, list[Picture]]) -> None:
    for path in files:
        lines = run("pdffonts", path).splitlines()
        names = [line.split()[0] for line in lines[2:]]
        assert names, path.name
        assert all("Inter" in name for name in names)
        embedded, to_unicode = lines[0].index("emb"), lines[0].index("uni")
        for line in lines[2:]:
            assert line[embedded:].startswith("yes"), path.name
            assert line[to_unicode:].startswith("yes"), path.name


@needs("pdfimages")
def test_graphs_are_no_bitmaps(files: dict[Path, list[Picture]]) -> None:
    for path in files:
        assert len(run("pdfimages", "-list", path).splitlines()) == 2, path.name


@needs("pdftotext")
def test_the_text_is_found(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf.FORMAT.whole(pictures_of(session, Look(), [18])))
    text = run("pdftotext", "-layout", path, "-")
    assert "4 × 133" in text
    assert "k×m" in text.replace(" ", "")
    assert format_number(session.trace.loss) in text
    assert "−0.5016" in text
    assert "Gradient descent updates" in text


@needs("pdfinfo")
def test_pages_are_as_large_as_the_pictures(files: dict[Path, list[Picture]]) -> None:
    for path, pictures in files.items():
        said = run("pdfinfo", path)
        assert f"Pages:           {len(pictures)}" in said
        found = re.search(r"Page size: +([\d.]+) x ([\d.]+) pts", said)
        assert found is not None
        size = pictures[0].size
        assert float(found[1]) == pytest.approx(size.width() * 0.75, abs=1)
        assert float(found[2]) == pytest.approx(size.height() * 0.75, abs=1)


@needs("pdfinfo")
def test_it_says_where_it_comes_from(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf.FORMAT.whole(pictures_of(session, Look(), [7])))
    pairs = provenance(session.snapshot().at(7))
    said = run("pdfinfo", "-custom", path)
    found = dict(re.findall(r"^(\w+): +(.*)$", said, re.MULTILINE))
    names = {"Software": "Creator"}
    assert {key: found[names.get(key, key)] for key in pairs} == pairs
    assert found["Producer"].startswith("Qt")
    xmp = run("pdfinfo", "-meta", path)
    for key, text in pairs.items():
        assert f"<backstep:{key}>{text}</backstep:{key}>" in xmp


@needs("pdfinfo")
def test_odd_titles_are_written_as_they_are(qapp: object, tmp_path: Path) -> None:
    title = 'Ünïcode "quotes" <&> (ŷ) \\ 𝟙'
    path = tmp_path / "a.pdf"
    path.write_bytes(
        pdf.FORMAT.whole([Picture(QSizeF(10, 10), lambda painter: None, metadata={"Title": title})])
    )
    assert title in run("pdfinfo", path)


@needs("pdftoppm")
def test_another_reader_paints_the_same(files: dict[Path, list[Picture]], tmp_path: Path) -> None:
    for path, pictures in files.items():
        run("pdftoppm", "-r", 96, "-png", path, tmp_path / "page")
        pages = sorted(tmp_path.glob("page*.png"))
        assert len(pages) == len(pictures)
        for page, picture in zip(pages, pictures, strict=True):
            whole = pixels(painted(replace(picture, scale=1.0)))
            part = pixels(page)[: whole.shape[0], : whole.shape[1]]
            mean, other = difference(part, whole)
            assert mean < 4.0, path.name  # Poppler's letters are a little lighter than Qt's
            assert other < 0.03, path.name
            page.unlink()


@needs("pdftoppm")
def test_formulas_are_not_bold(session: Session, tmp_path: Path) -> None:
    """A pen around glyphs would make them a third darker."""
    picture = pictures_of(session, Look(theme="print", scale=3.0), [0])[0]
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf.FORMAT.whole([picture]))
    run("pdftoppm", "-r", 96 * 3, "-png", "-singlefile", path, tmp_path / "a")
    ours, theirs = pixels(painted(picture)), pixels(tmp_path / "a.png")
    rows, columns = slice(3 * 60, 3 * 330), slice(0, ours.shape[1])  # the cards
    ink = [(255 - found[rows, columns]).sum() for found in (ours, theirs)]
    assert ink[1] == pytest.approx(ink[0], rel=0.05)


def test_a_page_for_each_step_says_from_where_to_where(session: Session) -> None:
    said = said_of(pictures_of(session, Look(), range(3)))
    last = len(session.trace.steps)
    start = f"Two-layer nonlinear network, step 0 of {last}, start"
    assert said["Title"] == f"{start} – step 2 of {last}, forward"
    assert said["Step"] == "0 – 2"
    assert said["Seed"] == "0"


@needs("pdftoppm")
def test_a_transparent_picture_has_a_page_without_ground(session: Session, tmp_path: Path) -> None:
    for transparent in (False, True):
        look = Look(theme="dark", is_transparent=transparent)
        (tmp_path / "a.pdf").write_bytes(pdf.FORMAT.whole(pictures_of(session, look, [3])))
        run("pdftoppm", "-r", 36, "-png", "-singlefile", tmp_path / "a.pdf", tmp_path / "a")
        corners = pixels(tmp_path / "a.png")[[1, 1, -2, -2], [1, -2, 1, -2]]
        ground = QColor("#ffffff" if transparent else "#1a1d22")
        assert (corners == [ground.red(), ground.green(), ground.blue()]).all()


@needs("pdfinfo", "pdftotext")
def test_a_page_is_never_larger_than_readers_know(qapp: object, tmp_path: Path) -> None:
    def paint(painter: QPainter) -> None:
        painter.fillRect(QRectF(29_000, 0, 1000, 100), QColor("#d55e00"))

    path = tmp_path / "a.pdf"
    path.write_bytes(pdf.FORMAT.whole([Picture(QSizeF(30_000, 100), paint)]))
    found = re.search(r"Page size: +([\d.]+) x ([\d.]+) pts", run("pdfinfo", path))
    assert found is not None
    assert float(found[1]) == 14_400
    run("pdftoppm", "-r", 7.2, "-png", "-singlefile", path, tmp_path / "a")
    row = pixels(tmp_path / "a.png")[2]
    coloured = np.flatnonzero((row == [0xD5, 0x5E, 0x00]).all(axis=1))
    assert coloured[0] == pytest.approx(len(row) * 29 / 30, abs=2)
    assert coloured[-1] == pytest.approx(len(row), abs=2)
