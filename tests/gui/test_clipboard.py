"""Copying a picture: vectors and pixels of what there was, made when somebody asks for them."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from graphs.network import load
from gui.app import application, temporary_settings
from gui.clipboard import copied, settle
from gui.export import graph_picture, window_picture
from gui.pictures import png
from gui.session import Document, Session
from gui.theme import LIGHT
from gui.window import Window

ROOT = Path(__file__).parents[2]
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def session(qtbot: QtBot) -> Session:
    application()
    return Session(Document.of(load("univariate-regression")))


def test_a_picture_is_there_as_vectors_and_as_pixels(session: Session) -> None:
    session.go(6)
    clipboard = QGuiApplication.clipboard()
    clipboard.setMimeData(copied(graph_picture(session, LIGHT)))
    session.go(0)
    data = clipboard.mimeData()
    assert {"image/svg+xml", "image/png"} <= set(data.formats())
    root = ET.fromstring(bytes(data.data("image/svg+xml").data()))
    title = root.findtext("{http://www.w3.org/2000/svg}title")
    assert "step 6 of" in str(title)
    image, pixels = clipboard.image(), QImage.fromData(data.data("image/png"))
    assert not image.isNull()
    assert image == pixels
    assert data.hasImage()
    assert not data.hasText()
    session.close()


def test_a_key_copies_the_step(session: Session, qtbot: QtBot) -> None:
    window = Window(session, temporary_settings())
    qtbot.addWidget(window)
    window.resize(1000, 640)
    window.show()
    window.settle()
    session.go(4)
    QTest.keyClick(window.view, Qt.Key.Key_I, CTRL_SHIFT)
    data = QGuiApplication.clipboard().mimeData()
    assert b"step 4 of" in bytes(data.data("image/svg+xml").data())
    assert "Copied this step" in " ".join(label.text() for label in window.messages.findChildren(QLabel))


def test_a_window_is_copied_as_it_stands(session: Session, qtbot: QtBot) -> None:
    window = Window(session, temporary_settings())
    qtbot.addWidget(window)
    window.resize(1000, 640)
    window.show()
    window.settle()
    session.go(4)
    window.settle()
    before = QImage.fromData(png.FORMAT.whole([window_picture(window, session)]))
    data = copied(window_picture(window, session))
    session.go(8)
    window.settle()
    assert data.imageData() == before
    assert QImage.fromData(png.FORMAT.whole([window_picture(window, session)])) != before


def test_what_was_copied_stays_when_the_application_ends(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.go(6)
    clipboard = QGuiApplication.clipboard()
    clipboard.setMimeData(copied(graph_picture(session, LIGHT)))
    monkeypatch.setattr("gui.clipboard.ALONE", ())  # as with a display
    settle()
    data = clipboard.mimeData()
    assert type(data) is QMimeData
    assert b"step 6 of" in bytes(data.data("image/svg+xml").data())
    assert clipboard.image() == QImage.fromData(data.data("image/png"))
    session.close()


def test_an_application_ends_in_peace_with_a_picture_on_the_clipboard() -> None:
    script = """
from PySide6.QtGui import QGuiApplication
from graphs.network import load
from gui.app import application
from gui.clipboard import copied, settle
from gui.export import graph_picture
from gui.session import Document, Session
from gui.theme import LIGHT
app = application()
session = Session(Document.of(load("univariate-regression")))
QGuiApplication.clipboard().setMimeData(copied(graph_picture(session, LIGHT)))
session.close()
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
