"""Layouts that are kept, in memory and in the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.graph import Detail
from graphs.network import built_in_names, load
from gui.app import application
from gui.layouts import layout_key, layout_of, stored_form, stored_layout, worked_out
from gui.session import Document, Session
from gui.viewdata import scene_view


@pytest.fixture(params=[(name, detail) for name in built_in_names() for detail in Detail])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    application()
    name, detail = request.param
    session = Session(Document.of(load(name)), detail)
    yield session
    session.close()


def test_the_kept_layout_of_a_built_in_network_is_the_one_worked_out_now(session: Session) -> None:
    """If this fails, a card, a network or the layout has changed: run tools/make_stores.py."""
    view = scene_view(session.frame)
    kept = stored_layout(layout_key(session.frame, view))
    assert kept is not None
    assert stored_form(kept) == stored_form(worked_out(session.frame, view))


def test_every_step_has_the_same_layout(session: Session) -> None:
    first = layout_of(session.frame, scene_view(session.frame))
    for _ in session.trace.steps:
        session.step(1)
        assert layout_of(session.frame, scene_view(session.frame)) is first


def test_the_first_picture_needs_neither_networkx_nor_ziamath_nor_pyqtgraph() -> None:
    code = """
import json, sys
from gui.app import application, make_window, temporary_settings
application()
window = make_window(None, temporary_settings())
window.show()
window.grab()
print(json.dumps([name for name in ("networkx", "ziamath", "pyqtgraph") if name in sys.modules]))
import os
sys.stdout.flush()
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
