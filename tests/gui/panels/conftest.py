"""Panels on a real session, shown as they are in the window."""

import pytest
from PySide6.QtWidgets import QApplication

from graphs.network import load
from gui import theme
from gui.session import Document, Session
from gui.theme import LIGHT


@pytest.fixture
def open_session(qapp):
    """Return a function that opens a built-in network, at a place of its timeline."""
    sessions = []

    def open_session(network="two-layer-nonlinear", position=0):
        session = Session(Document.of(load(network)))
        session.go(position)
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def show(qtbot, qapp):
    """Return a function that makes a panel of a session and shows it."""
    theme.apply(qapp, LIGHT)

    def show(panel_class, session, width=360, height=460):
        panel = panel_class(session, LIGHT)
        qtbot.addWidget(panel)
        panel.resize(width, height)
        panel.show()
        qtbot.waitExposed(panel)
        QApplication.processEvents()  # everything in it has its place: what is aimed at stays there
        return panel

    return show
