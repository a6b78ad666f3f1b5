"""The landscape in space: offered where it can be drawn, explained where it cannot."""

import numpy as np
import pytest

from engine import landscape as ls
from graphs.network import bind, load
from gui import landscape_3d
from gui.theme import DARK, LIGHT


@pytest.fixture
def asked_anew():
    """The answer is kept for the life of the application; here it is wanted afresh."""
    landscape_3d.hindrance.cache_clear()
    yield
    landscape_3d.hindrance.cache_clear()


def test_without_a_display_it_says_what_is_missing(qapp, asked_anew):
    if qapp.platformName() != "offscreen":
        pytest.skip("there is a display")
    assert landscape_3d.hindrance() in (landscape_3d.MISSING, landscape_3d.NO_CONTEXT)


def test_without_pyopengl_it_says_what_to_install(qapp, asked_anew, monkeypatch):
    monkeypatch.setattr(landscape_3d, "find_spec", lambda _: None)
    assert "pip install" in landscape_3d.hindrance()
    assert "backstep[3d]" in landscape_3d.hindrance()


def test_runs_lie_on_the_surface(qtbot):
    if landscape_3d.hindrance():
        pytest.skip(landscape_3d.hindrance())
    from gui.landscape_map import Marks, TrailMark
    from gui.viewdata.landscape import scale_of

    model = bind(load("univariate-regression"))
    slice_ = ls.along_entries(model.graph, model.parameters, "w", "b")
    *_, surface = ls.evaluate(slice_, model.graph, model.inputs, ls.Extent(-1, 2, -1, 1))
    relief = landscape_3d.Relief(LIGHT)
    qtbot.addWidget(relief.widget)
    scale = scale_of(surface.losses, False)
    relief.show(surface, scale, slice_.labels)
    places = np.array([[-0.5, 0.0], [0.2, 0.0], [9.0, 0.0]])
    relief.set_marks(Marks([TrailMark(places, 0), TrailMark(places, 1)], starts=places[:1], here=(0.2, 0.0)))
    found = relief._on_ground(places)
    assert len(found) == 2  # what lies outside is not drawn
    assert scale is not None
    wanted = scale.share(slice_loss(model, -0.5, 0.0)) * landscape_3d.HEIGHT
    assert found[0] == pytest.approx([-2 / 3, 0.0, wanted + landscape_3d.LIFT], abs=1e-3)
    count = len(relief.widget.items)
    relief.set_theme(DARK)
    assert len(relief.widget.items) == count
    relief.show(None, None, ("", ""))
    assert relief.widget.items == []


def slice_loss(model, w, b):
    x, y = (model.inputs[name].ravel() for name in ("x", "y"))
    return np.mean((w * x + b - y) ** 2)


def test_the_button_is_there_and_says_why_not(qtbot):
    from gui.panels.landscape import LandscapePanel
    from gui.session import Document, Session

    session = Session(Document.of(load("univariate-regression")))
    panel = LandscapePanel(session, LIGHT)
    qtbot.addWidget(panel)
    panel.resize(700, 400)
    panel.show()
    panel.settle()
    assert panel.map is not None
    why_not = landscape_3d.hindrance()
    assert panel.space_button.isEnabled() is (not why_not)
    assert panel.space_button.toolTip() == (why_not or "Show the landscape in space; the mouse turns it")
    if not why_not:
        panel.space_button.click()
        assert panel.relief is not None
        assert panel.relief.widget.isVisible()
        assert not panel.map.isVisible()
        panel.space_button.click()
        assert panel.map.isVisible()
    session.close()
