"""The loss panel: it trains and races, shows every run, and goes to any iteration."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtWidgets import QApplication, QMenu

from engine.errors import UsageError
from engine.optimizers import OPTIMIZERS
from engine.training import Point, Records, Stopping
from gui.panels.loss import LossPanel, Speed, speed_text
from gui.races import all_optimizers, learning_rates
from gui.runseries import Entry
from gui.runstyle import run_color
from gui.theme import DARK, LIGHT, THEMES
from tests.gui.panels.helpers import words

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, open_session, show):
    panel = show(LossPanel, open_session("univariate-regression"), 560, 230)
    qtbot.waitUntil(lambda: panel.plot is not None)
    return panel


def wait_for_end(qtbot, panel):
    """Wait until nothing trains and all that was recorded has arrived."""
    session = panel.session
    qtbot.waitUntil(lambda: not session.training and not session._lab.expects_news, timeout=30_000)


def train(qtbot, panel, iterations):
    panel.steps.setValue(iterations)
    qtbot.mouseClick(panel.train_button, LEFT)
    wait_for_end(qtbot, panel)
    QApplication.processEvents()  # axes and legend have taken their place


def race(qtbot, panel, iterations=30, count=4):
    recipes = all_optimizers(panel.session.document.recipe).recipes[:count]
    panel.session.race(recipes, iterations)
    wait_for_end(qtbot, panel)
    QApplication.processEvents()  # the legend has taken its place
    return panel.session.runs


def curve(panel, run=None):
    """Return what is drawn of a run, of the current one where None is given."""
    return panel.plot.drawn_of((run or panel.session.current).id)


def point_of(panel, iteration):
    """Return where an iteration lies in the plot, in coordinates of its viewport."""
    view = panel.plot.view()
    x = float(view.x(np.array(iteration)))
    return panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(x, (view.bottom + view.top) / 2)))


def chip(panel, text):
    return next(c for c in panel.legend.chips if c.item.texts[0].startswith(text))


# --- one run ---


def test_it_trains_as_many_iterations_as_asked_for(qtbot, panel):
    train(qtbot, panel, 40)
    assert panel.session.iterations == 40
    assert "iteration 40 of 40 · loss" in words(panel)
    assert panel.train_button.text() == "Train"
    assert curve(panel).x.tolist() == list(range(41))
    assert np.allclose(curve(panel).y, panel.session.losses)


def test_training_can_be_paused_and_says_how_fast_it_is(qtbot, panel):
    panel.steps.setValue(10_000_000)
    qtbot.mouseClick(panel.train_button, LEFT)
    assert panel.train_button.text() == "Pause"
    assert not panel.step_button.isEnabled()
    qtbot.waitUntil(lambda: "steps/s" in words(panel), timeout=30_000)
    assert panel.session.iterations > 3
    qtbot.mouseClick(panel.train_button, LEFT)
    assert panel.train_button.text() == "Train"
    wait_for_end(qtbot, panel)
    assert "steps/s" not in words(panel)
    assert len(panel._lines._series[panel.session.current.id].loss) == panel.session.iterations + 1


def test_stepping_and_resetting(qtbot, panel):
    for _ in range(3):
        qtbot.mouseClick(panel.step_button, LEFT)
    assert "iteration 3 of 3" in words(panel)
    assert panel.plot.cursor_iteration == 3
    panel.reset_button.click()
    assert "iteration 0 of 0" in words(panel)
    assert panel.plot.cursor_iteration == 0
    assert len(panel._lines._series[panel.session.current.id].loss) == 1


def test_a_click_in_the_plot_goes_to_that_iteration(qtbot, panel):
    train(qtbot, panel, 40)
    with qtbot.waitSignal(panel.session.frame_changed):
        qtbot.mouseClick(panel.plot.viewport(), LEFT, pos=point_of(panel, 10))
    assert panel.session.iteration == 10
    assert "iteration 10 of 40" in words(panel)


def test_a_click_on_a_log_axis_goes_to_the_iteration_that_is_seen_there(qtbot, panel):
    train(qtbot, panel, 200)
    panel.log_x_button.click()
    for iteration in (0, 1, 7, 40):
        qtbot.mouseClick(panel.plot.viewport(), LEFT, pos=point_of(panel, iteration))
        qtbot.waitUntil(lambda i=iteration: panel.session.iteration == i)
        assert panel.plot.cursor_iteration == iteration


def test_dragging_the_cursor_goes_through_iterations(qtbot, panel):
    train(qtbot, panel, 40)
    view = panel.plot.viewport()
    qtbot.mousePress(view, LEFT, pos=point_of(panel, 40))
    for iteration in (35, 30, 20):
        qtbot.mouseMove(view, point_of(panel, iteration))
    qtbot.mouseRelease(view, LEFT, pos=point_of(panel, 20))
    qtbot.waitUntil(lambda: panel.session.iteration == 20)


def test_hovering_reads_the_exact_value(qtbot, panel):
    train(qtbot, panel, 40)
    qtbot.mouseMove(panel.plot.viewport(), point_of(panel, 20))
    qtbot.waitUntil(panel.plot.tip.isVisible)
    assert panel.plot.tip.text() == f"iteration 20: {float(panel.session.losses[20])!r}"
    panel.plot._hover(QPointF(-50, -50))
    assert not panel.plot.tip.isVisible()


def test_a_diverging_run_says_why_and_cannot_go_on(qtbot, panel):
    panel.session.set_learning_rate(1e200)
    train(qtbot, panel, 50)
    text = words(panel)
    assert "no longer a finite number" in text
    assert "smaller learning rate" in text
    assert not panel.train_button.isEnabled()
    assert panel._status.property("role") == "error"
    assert len(panel.plot._here.points()) == 0, "what is not finite stands nowhere"
    panel.session.set_learning_rate(0.1)
    assert panel.train_button.isEnabled()
    assert "no longer" not in words(panel)


def test_a_run_that_has_reached_its_goal_says_so_without_alarm(qtbot, panel):
    session = panel.session
    recipe = session.document.recipe
    session.set_recipe(recipe.__class__(recipe.optimizer, recipe.settings, None, Stopping(loss=1.0)))
    train(qtbot, panel, 1000)
    assert session.iterations < 1000
    assert session.run.ended.sentence() == panel.status()
    assert panel._status.property("role") == "muted"
    assert not panel.train_button.isEnabled()


def test_the_log_axis_shows_powers_of_ten_and_leaves_out_what_has_none(qtbot, panel):
    run = panel.session.run
    run.extend(Records(1, np.array([2.0, 0.0, -1.0, 100.0, 10.0]), Point(5, run.point.parameters)))
    qtbot.mouseClick(panel.log_button, LEFT)
    y = curve(panel).y
    assert np.isnan(y[2:4]).all()
    assert y[[1, 4, 5]].tolist() == pytest.approx([np.log10(2), 2, 1])
    assert panel.plot.axes["left"].tickStrings([-1.0, 2.0], 1, 1) == ["0.1", "100"]
    assert panel.plot.readout(2) == [(panel.plot.lines[0], "0.0")], "it is left out, not changed"
    assert "no place on a log axis" in panel.status()
    qtbot.mouseClick(panel.log_button, LEFT)
    assert "no place" not in panel.status()


def test_iteration_0_stays_in_sight_on_a_log_axis(qtbot, panel):
    train(qtbot, panel, 200)
    qtbot.mouseClick(panel.log_x_button, LEFT)
    view = panel.plot.view()
    assert view.left <= 0 <= view.right
    assert curve(panel).x[0] == 0
    ((_, ticks),) = panel.plot.axes["bottom"].tickValues(view.left, view.right, 500)
    assert panel.plot.axes["bottom"].tickStrings(ticks, 1, 1)[:2] == ["0", "1"]


def test_other_data_leaves_no_old_loss(qtbot, panel):
    train(qtbot, panel, 20)
    panel.session.open("two-layer-linear")
    assert "iteration 0 of 0" in words(panel)
    assert [line.key for line in panel.plot.lines] == [panel.session.current.id]
    assert not panel.legend.isVisible()


def test_zooming_stays_until_a_double_click(qtbot, panel):
    train(qtbot, panel, 40)
    panel.plot.box.setXRange(5, 10, padding=0)
    panel.plot.box.sigRangeChangedManually.emit([True, False])
    panel.session.step_training()
    assert panel.plot.box.viewRange()[0] == [5, 10]
    qtbot.mouseDClick(panel.plot.viewport(), LEFT, pos=QPoint(200, 40))
    panel.plot.box.reset.emit()
    assert panel.plot.box.viewRange()[0][1] == 41


def test_it_is_light_until_it_is_seen(open_session, qtbot):
    panel = LossPanel(open_session("univariate-regression"), DARK)
    qtbot.addWidget(panel)
    panel.session.step_training()
    assert panel.plot is None


# --- several runs ---


def test_a_race_is_one_click_and_draws_every_optimizer(qtbot, panel):
    panel.steps.setValue(30)
    qtbot.mouseClick(panel.race_button, LEFT)
    assert panel.session.training
    assert panel.train_button.text() == "Pause"
    wait_for_end(qtbot, panel)
    runs = panel.session.runs
    assert [run.run.recipe.optimizer for run in runs] == list(OPTIMIZERS)
    assert {run.iterations for run in runs} == {30}
    assert {line.key for line in panel.plot.lines} == {run.id for run in runs}
    assert panel.plot.lines[-1].key == panel.session.current.id, "the current run lies on top"
    for run in runs:
        assert np.array_equal(curve(panel, run).y, run.losses)
    assert len({line.style for line in panel.plot.lines}) == len(runs)
    assert not any(line.ghost for line in panel.plot.lines)
    assert [c.item.key for c in panel.legend.chips] == [run.id for run in runs]


def test_the_race_menu_offers_rates_and_single_rivals(qtbot, panel):
    panel.steps.setValue(5)
    panel.race_menu.aboutToShow.emit()
    texts = [action.text() for action in panel.race_menu.actions() if not action.isSeparator()]
    assert texts[:2] == ["All optimizers", "Learning rates, 0.1× to 10×"]
    assert texts[2:] == [f"Against {o.title}" for name, o in OPTIMIZERS.items() if name != "gd"]
    panel.race_menu.actions()[1].trigger()
    wait_for_end(qtbot, panel)
    rates = [run.run.recipe.learning_rate for run in panel.session.runs]
    assert rates == pytest.approx([0.1, 0.01, 0.03, 0.3, 1.0])
    panel.race_menu.aboutToShow.emit()
    panel.race_menu.actions()[-1].trigger()
    wait_for_end(qtbot, panel)
    racing = [r.run.recipe.optimizer for r in panel.session.runs if r.group == panel.session.current.group]
    assert racing == ["gd", list(OPTIMIZERS)[-1]]


def test_earlier_runs_are_ghosts(qtbot, panel):
    train(qtbot, panel, 20)
    first = panel.session.current
    race(qtbot, panel, 10, 2)
    ghosts = [line.key for line in panel.plot.lines if line.ghost]
    assert ghosts == [first.id]
    assert panel.plot.lines[0].key == first.id, "ghosts lie underneath"


def test_a_click_in_the_legend_stands_in_another_run(qtbot, panel):
    runs = race(qtbot, panel)
    panel.session.go_to_iteration(7)
    qtbot.mouseClick(chip(panel, "Momentum"), LEFT, pos=QPoint(50, 10))
    assert panel.session.current is runs[1]
    assert panel.session.iteration == 7
    assert panel.session.document.recipe.optimizer == "momentum"
    assert panel.plot.lines[-1].key == runs[1].id
    assert chip(panel, "Momentum").item.current
    assert "the current run" in chip(panel, "Momentum").accessibleName()


def test_a_run_can_be_hidden_and_shown_again(qtbot, panel):
    _, momentum, *_ = race(qtbot, panel)
    qtbot.mouseClick(chip(panel, "Momentum"), LEFT, pos=QPoint(12, 10))
    assert not momentum.visible
    assert momentum.id not in {line.key for line in panel.plot.lines}
    assert "hidden" in chip(panel, "Momentum").accessibleName()
    qtbot.mouseClick(chip(panel, "Momentum"), LEFT, pos=QPoint(12, 10))
    assert momentum.visible
    assert momentum.id in {line.key for line in panel.plot.lines}


def test_any_run_can_be_removed_the_current_one_too(qtbot, panel):
    runs = race(qtbot, panel)
    assert panel.session.current is runs[0]
    for name in ("Gradient", "Momentum"):
        menu = QMenu()
        chip(panel, name).actions_of(menu)
        assert "Remove" in [action.text() for action in menu.actions()]
    chip(panel, "Momentum").setFocus()
    qtbot.keyClick(chip(panel, "Momentum"), Qt.Key.Key_Delete)
    assert panel.session.runs == (runs[0], *runs[2:])
    assert runs[1].id not in {line.key for line in panel.plot.lines}
    chip(panel, "Gradient").setFocus()
    qtbot.keyClick(chip(panel, "Gradient"), Qt.Key.Key_Delete)
    assert panel.session.runs == runs[2:]
    assert panel.session.current is runs[2]


def test_hovering_reads_every_run_the_current_one_first(qtbot, panel):
    runs = race(qtbot, panel)
    panel.session.choose_run(runs[2])
    qtbot.mouseMove(panel.plot.viewport(), point_of(panel, 12))
    qtbot.waitUntil(panel.plot.tip.isVisible)
    read = panel.plot.readout(12)
    assert [line.key for line, _ in read] == [runs[2].id, runs[0].id, runs[1].id, runs[3].id]
    text = panel.plot.tip.text()
    for run in runs:
        assert repr(float(run.losses[12])) in text
        assert run.name in text
    window = panel.window().rect()
    assert window.contains(panel.plot.tip.geometry())


def test_a_run_that_diverges_does_not_press_the_others_flat(qtbot, panel):
    recipe = panel.session.document.recipe
    panel.session.race(
        [recipe, learning_rates(recipe).recipes[4].__class__("gd", {"learning_rate": 50.0})], 400
    )
    wait_for_end(qtbot, panel)
    diverged = panel.session.runs[1]
    assert diverged.run.diverged
    start = float(diverged.losses[0])
    assert panel.plot.view().top < 10 * start
    assert panel.plot.peak > 1e10
    assert "above the plot" in panel.status()
    assert "no longer a finite number" in chip(panel, "η 50").toolTip()
    panel.log_button.click()
    assert panel.plot.view().top < np.log10(1e5 * start)


def test_a_peak_that_is_over_does_not_stretch_the_axis_but_is_told(panel):
    run = panel.session.run
    losses = np.concatenate([[500.0], np.linspace(1, 0.1, 99)])
    run.extend(Records(1, losses, Point(100, run.point.parameters)))
    panel.refresh()
    assert panel.plot.view().top < 20 * run.losses[0]
    assert "a peak of 500 is above the plot" in panel.status()
    panel.log_button.click()
    assert panel.plot.view().top >= np.log10(500)
    assert "above" not in panel.status()


# --- held-out losses, norms, parameters ---


def test_held_out_losses_are_drawn_beside_the_others_and_can_be_hidden(qtbot, panel, open_held_out):
    session = open_held_out(panel)
    train(qtbot, panel, 30)
    main, held = panel.plot.lines
    assert (held.kind, main.kind) == ("held", "run")
    samples = session.run.history.samples
    assert held.series.values.tolist() == [s.held_loss for s in samples]
    assert np.isfinite(held.series.values).all()
    assert not np.allclose(held.series.values, session.losses[samples.iterations])
    assert [c.item.kind for c in panel.legend.chips] == ["run", "held"]
    qtbot.mouseClick(chip(panel, "held-out"), LEFT)
    assert [line.kind for line in panel.plot.lines] == ["run"]


@pytest.fixture
def open_held_out():
    """Return a function that holds out a third of the examples."""
    from dataclasses import replace

    def open_held_out(panel):
        network = panel.session.document.network
        panel.session.set_data(replace(network, held_out=0.3))
        assert panel.session.model.held() is not None
        return panel.session

    return open_held_out


def test_gradient_norms_are_those_of_the_samples(qtbot, panel):
    train(qtbot, panel, 30)
    panel._quantities["norm"].trigger()
    (line,) = panel.plot.lines
    samples = panel.session.run.history.samples
    assert line.series.values.tolist() == [s.gradient_norm for s in samples]
    assert panel.view_button.text() == "Gradient norm"
    assert panel.plot._labels["left"] == "gradient norm"


def test_parameters_are_traced_over_the_run(qtbot, panel):
    train(qtbot, panel, 30)
    panel._quantities["parameters"].trigger()
    assert [line.name for line in panel.plot.lines] == ["w", "b"]
    samples = panel.session.run.history.samples
    for line in panel.plot.lines:
        assert line.series.values.tolist() == [float(s.point.parameters[line.name]) for s in samples]
    assert [c.item.texts for c in panel.legend.chips] == [("w",), ("b",)]
    panel.session.step_training()
    assert len(panel.plot.lines[0].series) == len(panel.session.run.history.samples)


def test_of_many_entries_those_that_move_most_are_drawn_unless_others_are_chosen(qtbot, open_session, show):
    panel = show(LossPanel, open_session("perceptron-classifier"), 700, 300)
    qtbot.waitUntil(lambda: panel.plot is not None)
    train(qtbot, panel, 20)
    panel.set_quantity("parameters")
    samples = panel.session.run.history.samples
    moved = {
        Entry(name, place): np.ptp([s.point.parameters[name][place] for s in samples])
        for name, value in panel.session.run.problem.parameters.items()
        for place in np.ndindex(value.shape)
    }
    most = sorted(moved.values(), reverse=True)[:8]
    drawn = [line.key[1] for line in panel.plot.lines]
    assert len(moved) > 8
    assert sorted((moved[e] for e in drawn), reverse=True) == pytest.approx(most)
    panel._choose_entries()
    choice = panel._choice
    assert choice.isVisible()
    for typed in ("W₁[1,0", "W1[1, 0"):
        choice.field.setText(typed)
        assert choice.list.item(0).text() == "W₁[1, 0]"
    choice.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert Entry("W1", (1, 0)) in [line.key[1] for line in panel.plot.lines]
    choice.close()
    panel.choose_entries([Entry("W1", (0, 0))])
    assert [line.name for line in panel.plot.lines] == ["W₁[0, 0]"]
    panel.session.open("univariate-regression")
    assert [line.name for line in panel.plot.lines] == ["w", "b"], "entries that are not there are not drawn"


# --- random search ---


def test_random_search_is_drawn_at_equal_cost_and_answered(qtbot, panel):
    train(qtbot, panel, 100)
    qtbot.mouseClick(panel.search_button, LEFT)
    assert panel.search_button.text() == "Stop"
    qtbot.waitUntil(lambda: not panel.session.searching, timeout=30_000)
    found = panel.session.search
    assert found.evaluations == 300
    line = next(line for line in panel.plot.lines if line.kind == "search")
    by_iteration = found.by_iteration(100)
    for iteration in (1, 7, 50, 100):
        assert line.series.at(iteration)[1] == by_iteration[iteration]
    assert panel._lines.answer() == found.compared(panel.session.run).sentence()
    assert panel._lines.answer() in (panel._status.toolTip(), panel._status.text())
    assert panel.search_button.text() == "Search"
    panel.resize(700, 420)
    assert panel._answer_label.isVisible()
    assert panel._answer_label.text() == panel._lines.answer()
    qtbot.mouseClick(chip(panel, "random search"), LEFT)
    assert all(line.kind != "search" for line in panel.plot.lines)
    assert not panel._answer_label.isVisible()


def test_random_search_can_be_stopped(qtbot, panel):
    panel.session.start_search(5_000_000)
    qtbot.waitUntil(lambda: panel.session.search.evaluations > 0, timeout=30_000)
    qtbot.mouseClick(panel.search_button, LEFT)
    assert not panel.session.searching
    assert 0 < panel.session.search.evaluations < 5_000_000


# --- the table ---


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_data_are_exported_whole(qtbot, panel, tmp_path, open_held_out):
    open_held_out(panel)
    runs = race(qtbot, panel, 12, 2)
    path = tmp_path / "runs.csv"
    panel.export_csv(path)
    header, *rows = read(path)
    parts = ("loss", "held-out loss", "gradient norm")
    assert header == ["iteration", *(f"{run.name}: {part}" for run in runs for part in parts)]
    assert [int(row[0]) for row in rows] == list(range(13))
    for place, run in enumerate(runs):
        assert [float(row[1 + 3 * place]) for row in rows] == run.losses.tolist()
        assert [float(row[2 + 3 * place]) for row in rows] == [s.held_loss for s in run.run.history.samples]


def test_a_table_that_cannot_be_written_says_so_and_leaves_nothing(panel, tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        panel.export_csv(tmp_path / "nowhere" / "runs.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_table_is_written_beside_the_window(qtbot, panel, tmp_path):
    train(qtbot, panel, 10)
    with qtbot.waitSignal(panel.session.notice) as said:
        panel.write_csv(tmp_path / "runs.csv")
    assert said.args == ["info", "Exported runs.csv."]
    assert len(read(tmp_path / "runs.csv")) == 12
    with qtbot.waitSignal(panel.session.notice) as said:
        panel.write_csv(tmp_path / "nowhere" / "runs.csv")
    assert said.args[0] == "error"
    assert "cannot be written" in said.args[1]


# --- a million points, and small places ---


def test_a_million_losses_are_drawn_in_few_points_and_no_extreme_is_lost(panel):
    run = panel.session.run
    losses = 1.0 + 0.1 * np.random.default_rng(0).random(1_000_000)
    losses[[123_456, 654_321]] = 0.25, 1.75
    run.extend(Records(1, losses, Point(1_000_000, run.point.parameters)))
    panel.refresh()
    drawn = curve(panel)
    assert len(drawn.x) + len(drawn.band_x) < 10 * panel.plot.width()
    assert (drawn.band_y.min(), drawn.band_y.max()) == (0.25, max(1.75, float(run.losses[0])))
    panel.plot.box.setXRange(123_450, 123_460, padding=0)
    panel.plot.zoomed.emit()
    assert curve(panel).y.min() == 0.25
    assert panel.plot.readout(654_322)[0][1] == "1.75"


def test_only_what_has_changed_is_drawn_again(qtbot, panel):
    runs = race(qtbot, panel)
    QApplication.processEvents()
    panel.refresh()  # the plot has its size, and the axis room for its numbers
    QApplication.processEvents()
    panel.refresh()
    before = {run.id: panel.plot.drawn_of(run.id) for run in runs}
    panel.refresh()
    assert all(panel.plot.drawn_of(run.id) is before[run.id] for run in runs)
    range_before = panel.plot.box.viewRange()
    run = runs[1].run
    room = range_before[0][1]
    run.extend(Records(31, np.array([float(run.losses[-1])]), Point(31, run.point.parameters)))
    panel._shows_all = False
    panel.refresh()
    assert panel.plot.box.viewRange()[0][1] == room
    changed = [r.id for r in runs if panel.plot.drawn_of(r.id) is not before[r.id]]
    assert changed == [runs[1].id]


@pytest.mark.parametrize(
    ("size", "least"), [((467, 194), 55), ((560, 230), 85), ((760, 290), 110), ((1100, 600), 300)]
)
def test_the_legend_leaves_room_for_the_plot_at_every_size(qtbot, panel, size, least):
    panel.resize(*size)
    race(qtbot, panel, 5, 6)
    race(qtbot, panel, 5, 3)
    QApplication.processEvents()
    assert panel.plot.box.height() >= least
    chips = [c for c in panel.legend.chips if c.isVisible()]
    assert any(c.item.current for c in chips)
    for one in chips:
        assert panel.legend.rect().contains(one.geometry())
        assert not any(one.geometry().intersects(other.geometry()) for other in chips if other is not one)
    if len(chips) < len(panel.legend.chips):
        panel.legend._fill_menu()
        assert len(panel.legend._menu.actions()) == len(panel.legend.chips) - len(chips)


def test_a_very_low_panel_is_all_plot(qtbot, panel):
    race(qtbot, panel, 5, 3)
    panel.resize(300, 140)
    QApplication.processEvents()
    assert not panel.legend.isVisible()
    assert panel.plot.box.height() >= 35
    panel.resize(467, 194)
    assert panel.legend.isVisible()


def test_buttons_without_room_give_way_and_stay_in_the_menu(qtbot, panel):
    panel.resize(700, 230)
    everything = [
        panel.train_button,
        panel.steps,
        panel.race_button,
        panel.search_button,
        panel.step_button,
        panel.reset_button,
    ]
    assert all(button.isVisible() for button in everything)
    gone = []
    for width in range(700, 180, -20):
        panel.resize(width, 230)
        gone += [button for button in everything if not button.isVisible() and button not in gone]
        for button in everything:
            assert not button.isVisible() or button.geometry().right() <= width
    order = [panel.reset_button, panel.step_button, panel.search_button, panel.race_button, panel.steps]
    assert gone == order[: len(gone)]
    assert len(gone) >= 4
    panel._ready_view_menu()
    assert all(action.isVisible() for action in panel._more_actions)


def test_every_part_can_be_reached_by_keys_and_has_a_name(qtbot, panel):
    race(qtbot, panel, 5, 3)
    for part in (
        panel.train_button,
        panel.race_button,
        panel.race_more,
        panel.search_button,
        panel.view_button,
        panel.log_button,
        panel.log_x_button,
        *panel.legend.chips,
    ):
        assert part.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert part.accessibleName() or part.text()


def test_it_paints_in_another_theme(qtbot, panel):
    race(qtbot, panel, 5, 3)
    panel.set_theme(DARK)
    image = panel.plot.grab().toImage()
    assert image.pixelColor(2, 2) == DARK.color("window")
    panel.set_theme(LIGHT)
    assert panel.plot.grab().toImage().pixelColor(2, 2) == LIGHT.color("window")


def test_a_hidden_panel_does_nothing_and_catches_up_when_it_is_shown(qtbot, panel):
    panel.hide()
    drawn = curve(panel)
    panel.session.step_training()
    assert curve(panel) is drawn
    panel.show()
    assert len(curve(panel).x) == 2
    assert panel.minimumSizeHint() == QSize(180, 110)


# --- in the window ---


@pytest.fixture
def window(open_window):
    return open_window("univariate-regression", size=(1280, 720))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_race_of_four_fits_into_the_window(qtbot, window, theme):
    window.set_theme(theme)
    panel = window.panels["loss"]
    race(qtbot, panel, 200)
    QApplication.processEvents()
    parts = [
        *(
            b
            for b in (panel.train_button, panel.steps, panel.race_button, panel.search_button)
            if b.isVisible()
        ),
        panel._status,
        panel.log_button,
        panel.log_x_button,
        panel.view_button,
        panel.legend,
        panel.plot,
    ]
    for i, part in enumerate(parts):
        assert panel.rect().contains(part.geometry())
        assert not any(part.geometry().intersects(other.geometry()) for other in parts[i + 1 :])
    assert len(parts) == 10
    assert panel.plot.box.height() > 60
    image = panel.plot.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert run_color(THEMES[theme], panel.session.current.style).name() in seen


def test_the_keys_stay_with_the_graph_after_a_click(qtbot, window):
    panel = window.panels["loss"]
    panel.steps.setValue(5)
    for button in (panel.race_button, panel.log_button, panel.log_button, *panel.legend.chips):
        window.view.setFocus()
        qtbot.mouseClick(button, LEFT)
        assert QApplication.focusWidget() is window.view
    wait_for_end(qtbot, panel)
    position = window.session.position
    qtbot.keyClick(window.view, Qt.Key.Key_Right)
    assert window.session.position == position + 1


def test_it_reads_and_draws_in_a_dock_of_its_own(qtbot, window):
    panel, dock = window.panels["loss"], window.docks["loss"]
    dock.setFloating(True)
    dock.resize(900, 560)
    QApplication.processEvents()
    runs = race(qtbot, panel, 40)
    assert panel.plot.box.height() > 300
    qtbot.mouseMove(panel.plot.viewport(), point_of(panel, 12))
    qtbot.waitUntil(panel.plot.tip.isVisible)
    assert panel.plot.tip.window() is dock
    assert all(run.name in panel.plot.tip.text() for run in runs)
    dock.setFloating(False)
    QApplication.processEvents()
    qtbot.mouseMove(panel.plot.viewport(), point_of(panel, 30))
    qtbot.waitUntil(panel.plot.tip.isVisible)
    assert panel.plot.tip.window() is window


def test_speed_is_over_the_last_second_and_begins_anew():
    speed = Speed()
    assert speed.note(0, 10.0) is None
    assert speed.note(50, 10.1) is None
    assert speed.note(500, 10.5) == pytest.approx(1000)
    for tenth in range(1, 21):
        rate = speed.note(500 + 200 * tenth, 10.5 + tenth / 10)
    assert rate == pytest.approx(2000)
    assert speed.note(3, 20.0) is None, "another run"
    assert [speed_text(r) for r in (None, 0.0, 3.14, 47.0, 1_234_567.0)] == [
        "",
        "",
        "3.1 steps/s",
        "47 steps/s",
        "1 200 000 steps/s",
    ]
