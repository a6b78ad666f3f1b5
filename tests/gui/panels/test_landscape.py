"""The landscape dock: what it shows is the loss, and what lies on it is where it says."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QApplication

from engine.trace import forward
from engine.training import Recipe
from graphs.network import built_in_names
from gui.panels.landscape import LandscapePanel
from gui.races import all_optimizers
from gui.theme import DARK, PRINT
from tests.gui.panels.helpers import words


@pytest.fixture
def landscape(qtbot, show):
    """Return a function that shows the landscape of a session, worked out."""

    def landscape(session, width=560, height=230):
        panel = show(LandscapePanel, session, width, height)
        panel.settle()
        return panel

    return landscape


def loss_of(session, parameters):
    model = session.model
    return float(forward(model.graph, {**model.inputs, **parameters})[model.graph.ids[model.graph.loss]])


def starts_of(panel):
    return [(p.pos().x(), p.pos().y()) for p in panel.map._starts.points()]


def here_of(panel):
    (point,) = panel.map._here.points()
    return point.pos().x(), point.pos().y()


def train(qtbot, session, iterations):
    session.train(iterations)
    qtbot.waitUntil(lambda: not session.training and session.is_settled, timeout=20_000)


@pytest.mark.parametrize("network", built_in_names())
def test_every_network_has_a_landscape(open_session, landscape, network):
    session = open_session(network)
    panel = landscape(session)
    surface = panel.surface
    assert surface.is_complete
    assert len(surface.xs) >= 200
    i, j = 17, 120
    parameters = panel.slice.parameters(surface.xs[i], surface.ys[j])
    assert surface.losses[i, j] == pytest.approx(loss_of(session, parameters), rel=1e-11)
    assert panel.caption() in words(panel)
    panel.grab()


def test_the_red_dot_stands_at_the_initial_parameters(open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    w, b = (float(session.model.parameters[n]) for n in ("w", "b"))
    assert starts_of(panel) == [(w, b)]
    assert here_of(panel) == (w, b)
    for _ in range(5):
        session.step_training()
    assert starts_of(panel) == [(w, b)]
    assert here_of(panel) == tuple(float(session.run.point.parameters[n]) for n in ("w", "b"))


def test_it_says_plainly_what_it_shows(open_session, landscape):
    assert landscape(open_session("univariate-regression")).caption() == (
        "The whole landscape: the network has only these two parameters."
    )
    session = open_session("multivariate-regression")
    session.step_training()
    panel = landscape(session)
    assert panel.caption() == "A slice: w[0, 0] and w[0, 1] vary, 2 other numbers stay as at iteration 1."
    session.step_training()
    assert panel.caption().startswith(
        "A slice: w[0, 0] and w[0, 1] vary, 2 other numbers stay as at iteration 1."
    )
    assert "The point shown lies" in panel.caption()
    panel.recentre()
    assert panel.caption() == "A slice: w[0, 0] and w[0, 1] vary, 2 other numbers stay as at iteration 2."


def test_the_slice_does_not_move_with_the_timeline(open_session, landscape):
    session = open_session("multivariate-regression")
    panel = landscape(session)
    slice_, surface = panel.slice, panel.surface
    for _ in range(3):
        session.step_training()
    session.go_to_iteration(1)
    assert panel.slice is slice_
    assert panel.surface is surface
    place = slice_.coordinates(session.current.at(1).parameters)
    assert here_of(panel) == pytest.approx(place)


def test_the_arrow_points_downhill(open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session, 700, 600)
    marks = panel.map._marks
    gradients = session.trace.gradients
    assert marks.downhill == pytest.approx((-float(gradients["w"]), -float(gradients["b"])))
    arrow, box = panel.map._arrow, panel.map.box
    assert arrow.isVisible()
    assert box.mapToView(arrow.pos()) == QPointF(*here_of(panel))
    ahead = box.mapToView(arrow.mapToParent(QPointF(1e-3, 0))) - QPointF(*here_of(panel))
    along = np.array([ahead.x(), ahead.y()]) / np.hypot(ahead.x(), ahead.y())
    assert along == pytest.approx(np.array(marks.downhill) / np.hypot(*marks.downhill), abs=1e-6)


def test_a_run_is_drawn_while_it_trains(qtbot, open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    train(qtbot, session, 60)
    places = panel.map._marks.trails[0].places
    assert len(places) == 61
    for t in (0, 30, 60):
        point = session.run.at(t).parameters
        assert places[t] == pytest.approx((float(point["w"]), float(point["b"])))


def test_rivals_are_told_apart(qtbot, open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    session.race([Recipe("gd"), Recipe("adam"), Recipe("rmsprop")], 40)
    qtbot.waitUntil(lambda: not session.training and session.is_settled, timeout=20_000)
    trails = panel.map._marks.trails
    assert sorted(t.style for t in trails) == sorted(r.style for r in session.runs)
    assert trails[-1].style == session.current.style  # on top
    pens = {(c.opts["pen"].color().name(), tuple(c.opts["pen"].dashPattern())) for c in panel.map._trails}
    assert len(pens) == len(trails)
    other = next(r for r in session.runs if r is not session.current)
    session.show_run(other, False)
    assert other.style not in [t.style for t in panel.map._marks.trails]


def test_a_click_starts_from_there(open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    before = panel.map.extent
    start = starts_of(panel)[0]
    box = panel.map.box
    target = box.mapViewToScene(QPointF(0.2, 0.1))
    panel.map.box.picked.emit(box.mapSceneToView(target))
    assert (float(session.model.parameters["w"]), float(session.model.parameters["b"])) == pytest.approx(
        (0.2, 0.1)
    )
    assert session.iteration == 0
    assert panel.map.extent == before
    assert (0.2, 0.1) in [pytest.approx(s) for s in starts_of(panel)]
    session.undo()
    assert [float(session.model.parameters[n]) for n in ("w", "b")] == [*start]


def test_a_click_on_a_slice_keeps_the_other_numbers_of_its_centre(open_session, landscape):
    session = open_session("multivariate-regression")
    panel = landscape(session)
    for _ in range(5):
        session.step_training()
    centre = session.model.parameters["w"].copy()
    panel.start_from(QPointF(0.25, -0.75))
    assert session.model.parameters["w"].ravel() == pytest.approx([0.25, -0.75, centre[0, 2]])


def test_zooming_works_the_part_in_sight_out(qtbot, open_session, landscape):
    session = open_session("perceptron-classifier")
    panel = landscape(session)
    first = panel.surface
    panel.map.box.setRange(xRange=(0.1, 0.2), yRange=(-0.1, 0.1), padding=0)
    panel.map.box.sigRangeChangedManually.emit([True, True])
    qtbot.waitUntil(lambda: panel.surface is not first and panel.surface.share == 1, timeout=20_000)
    assert (panel.surface.extent.left, panel.surface.extent.right) == pytest.approx((0.1, 0.2))
    assert panel.surface.slice is panel.slice
    panel.recentre()
    panel.settle()
    assert panel.surface.extent.width > 1


def test_nothing_of_an_old_network_is_seen(qtbot, open_session, landscape):
    """A surface that is still being worked out is given up when another network is opened."""
    session = open_session("perceptron-classifier")
    panel = landscape(session)
    panel.choose("random")  # at work now
    old = panel.slice
    session.open("univariate-regression")
    assert panel.slice is not old
    seen = []
    show_surface = panel.map.set_surface
    panel.map.set_surface = lambda surface, is_log=False: (
        seen.append(surface),
        show_surface(surface, is_log),
    )
    panel._axes_chosen()
    qtbot.waitUntil(lambda: panel.surface is not None and panel.surface.share == 1, timeout=20_000)
    qtbot.wait(50)
    assert all(s is None or s.slice is panel.slice for s in seen)
    assert panel.slice.space.names == ("w", "b")


def test_what_is_read_out_goes_with_the_mouse_and_with_the_network(open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    told = []
    panel.map.show_tip = lambda place, text="": told.append(text if place is not None else "")
    centre = panel.map.box.sceneBoundingRect().center()
    panel.map.mouse_moved.emit(centre)
    assert "loss" in told[-1]
    QApplication.sendEvent(panel.map, QEvent(QEvent.Type.Leave))
    assert told[-1] == ""
    panel.map.mouse_moved.emit(centre)
    assert "loss" in told[-1]
    session.open("univariate-regression")
    assert told[-1] == ""


def test_a_panel_that_was_hidden_and_resized_takes_over_another_network(open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    panel.hide()
    session.open("univariate-regression")
    panel.resize(560, 420)  # while it still has the slice of the old network
    panel.show()
    panel.resize(560, 200)
    panel.settle()
    assert panel.caption() == "The whole landscape: the network has only these two parameters."
    assert [panel.x_axis.itemText(i) for i in range(panel.x_axis.count())] == ["w", "b"]


def test_a_hidden_panel_works_nothing_out(qtbot, open_session, landscape):
    session = open_session("perceptron-classifier")
    panel = landscape(session)
    surface = panel.surface
    panel.hide()
    session.set_seed(5)
    assert panel._task is None or not panel._task.running
    assert panel.surface is surface
    panel.show()
    panel.settle()
    assert panel.slice.space.vector(session.model.parameters) == pytest.approx(panel.slice.centre)


def test_any_two_entries(open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    space = panel.slice.space
    panel.choose("entries", space.index("w2[0, 3]"), space.index("b1[2]"))
    panel.settle()
    assert panel.slice.labels == ("w₂[0, 3]", "b₁[2, 0]")
    assert panel.surface.slice is panel.slice


def test_the_same_entry_twice_is_said(open_session, landscape):
    panel = landscape(open_session("univariate-regression"))
    panel.choose("entries", 0, 0)
    assert "Both axes are w. Choose two different entries." in words(panel)
    assert not panel.map.isVisible()
    panel.choose("entries", 0, 1)
    panel.settle()
    assert panel.map.isVisible()
    assert panel.surface is not None


def test_principal_directions_wait_for_the_run_to_move(open_session, landscape):
    session = open_session("perceptron-classifier")
    panel = landscape(session)
    panel.choose("principal")
    assert "The run has not moved yet" in words(panel)
    for _ in range(5):
        session.step_training()
    panel.settle()
    assert panel.slice.kind == "principal"
    assert "of the run's movement" in words(panel)
    assert panel.map.isVisible()


def test_random_directions_are_drawn_again(open_session, landscape):
    panel = landscape(open_session("perceptron-classifier"))
    panel.choose("random")
    assert panel.redraw_button.isVisible()
    assert not panel.x_axis.isVisible()
    first = panel.slice.directions
    panel.redraw_button.click()
    assert not np.array_equal(panel.slice.directions, first)


def test_log_colours(open_session, landscape):
    panel = landscape(open_session("univariate-regression"))
    assert panel.map.scale.is_log is False
    panel.log_button.click()
    assert panel.map.scale.is_log is True
    assert "Colours follow the logarithm of the loss" in panel.log_button.toolTip()


def test_what_the_pointer_reads_is_the_loss_there(open_session, landscape):
    session = open_session("multivariate-regression")
    panel = landscape(session)
    box = panel.map.box
    panel._hover(box.mapViewToScene(QPointF(0.5, -0.25)))
    text = panel.map._tip.textItem.toPlainText()
    assert text.startswith("w[0, 0] 0.5")
    assert "Click to start from here" in text
    panel._hover(QPointF(-50, -50))
    assert not panel.map._tip.isVisible()


def test_samples_of_a_random_search_lie_on_it(qtbot, open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    session.start_search(300)
    qtbot.waitUntil(lambda: session.search is not None and session.search.done, timeout=20_000)
    panel.settle()
    assert len(panel.map._dots.points()) == 300
    (best,) = panel.map._best.points()
    assert (best.pos().x(), best.pos().y()) == pytest.approx(tuple(session.search.best.vector))


@pytest.mark.parametrize("theme", [DARK, PRINT])
def test_every_theme(open_session, landscape, theme):
    panel = landscape(open_session("two-layer-nonlinear"), 700, 600)
    panel.set_theme(theme)
    panel.grab()
    assert panel.map.theme is theme
    assert len(panel.map._texts) > 1  # there is room to label contours


@pytest.mark.parametrize("formula", ["L = (w - 1)**2", "L = mean(X)"])
def test_networks_without_a_landscape(qtbot, open_session, landscape, tmp_path, formula):
    path = tmp_path / "one.toml"
    lines = [f'formula = "{formula}"', "[data]", "X = [1.0, 2.0]"]
    lines += ["[parameters]", "w = 0.0"] if "w" in formula else []
    path.write_text("\n".join(lines))
    session = open_session("univariate-regression")
    panel = landscape(session)
    session.open(str(path))
    assert "A landscape needs two numbers to vary, but this network has" in words(panel)
    assert not panel.map.isVisible()
    session.open("univariate-regression")
    panel.settle()
    assert panel.map.isVisible()


def test_a_loss_that_is_not_finite_is_hatched(open_session, landscape, tmp_path):
    path = tmp_path / "log.toml"
    path.write_text('formula = "L = log(w) + b**2"\n[parameters]\nw = 0.5\nb = 0.5\n')
    session = open_session("univariate-regression")
    session.open(str(path))
    panel = landscape(session)
    surface = panel.surface
    assert np.isnan(surface.losses).any()
    assert panel.map._hatch.isVisible()
    assert panel.map._image.image[0, 0, 3] == 0
    assert panel.map._image.image[-1, -1, 3] == 255
    panel.grab()


def test_the_keyboard_reaches_every_place(qtbot, open_session, landscape):
    session = open_session("univariate-regression")
    panel = landscape(session)
    chart = panel.map
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    here = here_of(panel)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Up)
    (cross,) = chart._plus.points()
    extent = chart.extent
    assert cross.pos().x() == pytest.approx(here[0] + extent.width / 40)
    assert cross.pos().y() == pytest.approx(here[1] + extent.height / 40)
    assert "loss" in chart._tip.textItem.toPlainText()
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.extent.width == pytest.approx(0.8 * extent.width)
    place = cross.pos().x(), cross.pos().y()
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert [float(session.model.parameters[n]) for n in ("w", "b")] == pytest.approx(place)
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert not chart._tip.isVisible()


def test_the_description_is_for_who_cannot_see_it(open_session, landscape):
    panel = landscape(open_session("univariate-regression"))
    assert panel.map.accessibleName() == "loss landscape"
    assert panel.map.accessibleDescription() == panel.caption()


def test_a_run_that_diverged_has_a_landscape(qtbot, open_session, landscape):
    """The end is no number: the slice goes through the last point that was one."""
    session = open_session("multivariate-regression")
    session.set_learning_rate(50.0)
    train(qtbot, session, 3000)
    assert session.run.diverged is not None
    panel = landscape(session)
    panel.recentre()
    panel.settle()
    assert np.isfinite(panel.slice.centre).all()
    assert panel.surface is not None
    panel.grab()


def test_a_run_that_diverged_has_principal_directions_from_before(qtbot, open_session, landscape):
    session = open_session("multivariate-regression")
    session.set_learning_rate(50.0)
    train(qtbot, session, 3000)
    panel = landscape(session)
    panel.choose("principal")
    assert "The run only climbed" in words(panel)
    session.set_learning_rate(0.9)
    train(qtbot, session, 3000)
    assert session.losses[-1] > 2 * session.losses[0] or session.run.diverged is not None
    panel.recentre()
    panel.settle()
    assert panel._iteration < session.iteration
    assert panel.map.extent.width > 0
    assert f"through iteration {panel._iteration}" in panel.caption()
    panel.grab()


def is_in_sight(panel):
    extent = panel.map.extent
    places = np.vstack([trail.places for trail in panel.map._marks.trails])
    return bool(
        (places >= (extent.left, extent.bottom)).all() and (places <= (extent.right, extent.top)).all()
    )


def test_after_training_the_directions_of_the_run_are_seen(qtbot, open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    assert (panel.kind.currentData(), panel.slice.kind) == ("entries", "entries")
    session.race(all_optimizers(session.document.recipe).recipes, 400)
    qtbot.waitUntil(lambda: not session.training and session.is_settled, timeout=20_000)
    qtbot.waitUntil(lambda: panel.slice.kind == "principal", timeout=5_000)
    panel.settle()
    assert panel.kind.currentData() == "principal"
    assert panel.x_axis.isHidden()
    assert is_in_sight(panel)
    slice_ = panel.slice
    session.go_to_iteration(100)
    session.choose_run(session.runs[-1])
    panel.settle()
    assert panel.slice is slice_


def test_a_slice_that_was_chosen_stays_and_grows_with_the_runs(qtbot, open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    panel.choose("entries", 1, 2)
    slice_ = panel.slice
    train(qtbot, session, 1500)
    qtbot.waitUntil(lambda: is_in_sight(panel), timeout=5_000)
    assert panel.slice is slice_
    session.open("multivariate-regression")  # entries of another network were chosen by nobody
    train(qtbot, session, 100)
    qtbot.waitUntil(lambda: panel.slice.kind == "principal", timeout=5_000)


def test_what_was_zoomed_to_stays(qtbot, open_session, landscape):
    session = open_session("two-layer-nonlinear")
    panel = landscape(session)
    panel.map.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(panel.map, Qt.Key.Key_Plus)
    slice_, extent = panel.slice, panel.map.extent
    train(qtbot, session, 500)
    panel.settle()
    assert (panel.slice, panel.map.extent) == (slice_, extent)
    panel.recentre_button.click()
    assert panel.slice.kind == "principal"


def test_without_a_trajectory_two_parameters_are_seen(qtbot, open_session, landscape):
    session = open_session("two-layer-nonlinear")
    train(qtbot, session, 100)
    panel = landscape(session)
    assert panel.slice.kind == "principal"
    session.new_seed()
    panel.settle()
    assert panel.slice.kind == "entries"
    assert panel.x_axis.isVisible()
    train(qtbot, session, 100)
    qtbot.waitUntil(lambda: panel.slice.kind == "principal", timeout=5_000)
    session.reset()
    panel.settle()
    assert is_in_sight(panel)
    assert panel._centred in session.runs


def test_a_click_on_directions_stays_on_them(qtbot, open_session, landscape):
    session = open_session("two-layer-nonlinear")
    train(qtbot, session, 100)
    panel = landscape(session)
    slice_ = panel.slice
    x, y = panel.map.extent.left * 0.5, panel.map.extent.top * 0.5
    panel.start_from(QPointF(x, y))
    panel.settle()
    assert panel.slice is slice_
    assert here_of(panel) == pytest.approx((x, y))
    assert "off it" not in panel.caption()
