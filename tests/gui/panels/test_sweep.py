"""The step-size dock: it sweeps beside the window, marks what diverges, and sets the learning rate."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from engine.faults import FaultAt, run_of
from engine.training import Recipe, Run
from gui.panels.sweep import SweepPanel
from gui.theme import DARK
from tests.gui.panels.helpers import words

LIMIT = 60_000  # ms; processes start on a shared machine


@pytest.fixture
def sweeper(qtbot, open_session, show):
    """Return a function that shows the dock of a session on a network."""

    def sweeper(network="univariate-regression", width=560, height=230):
        panel = show(SweepPanel, open_session(network), width, height)
        qtbot.waitUntil(lambda: panel.plot is not None and panel.limit is not None, timeout=LIMIT)
        return panel

    return sweeper


def type_into(qtbot, field, text):
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def run(qtbot, panel, low="0.01", high="10", rates="7", iterations="200"):
    fields = ((panel.low, low), (panel.high, high), (panel.rates, rates), (panel.iterations, iterations))
    for field, text in fields:
        type_into(qtbot, field, text)
    qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.running, timeout=LIMIT)


def place_of(panel, rate):
    """Return where a learning rate lies in the plot, in coordinates of its viewport."""
    middle = sum(panel.plot.box.viewRange()[1]) / 2
    return panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(np.log10(rate), middle)))


def drawn(item):
    """Return the points that a scatter plot shows, by their learning rate."""
    return {round(10 ** p.pos().x(), 9): p.pos().y() for p in item.points()}


def test_every_rate_is_drawn_at_the_loss_that_training_comes_to(qtbot, sweeper):
    panel = sweeper()
    run(qtbot, panel)
    points, signs = drawn(panel._points), drawn(panel._signs)
    assert len(points) + len(signs) == 7
    for rate, height in points.items():
        alone = Run(panel.session.model, Recipe("gd", {"learning_rate": rate}))
        alone.advance(200)
        assert height == pytest.approx(alone.losses[-1], rel=1e-9)
    assert all(rate >= 1.0 for rate in signs)
    box = panel.plot.box
    qtbot.waitUntil(lambda: set(drawn(panel._signs).values()) == {panel._edge(box.viewRange()[1][1])})
    assert panel._key.isVisible()
    x = panel._line.getData()[0]
    assert np.nanmax(x) < 0.0, "what diverged is not connected"
    assert "reach the lowest loss, 0.3489; at 1, the limit itself, training goes to and" in words(panel)


def test_the_limit_stands_in_the_plot_and_in_words(qtbot, sweeper):
    panel = sweeper()
    assert panel._limit_line.isVisible()
    assert panel._limit_line.value() == pytest.approx(0.0, abs=1e-12)
    assert panel._limit_line.label.format == "2/λmax = 1"
    assert "learning rates above 2/\u2060λmax = 1 diverge" in words(panel)  # in one piece


def test_a_loss_that_is_not_quadratic_has_no_limit_and_it_is_said_why(sweeper):
    panel = sweeper("two-layer-nonlinear")
    assert not panel._limit_line.isVisible()
    assert "The loss is not quadratic (sigmoid in A)" in words(panel)


def test_the_rate_in_use_is_marked_and_follows_the_document(sweeper):
    panel = sweeper()
    assert panel._now_line.value() == pytest.approx(-1.0)
    panel.session.set_learning_rate(0.01)
    assert panel._now_line.value() == pytest.approx(-2.0)
    assert panel._now_line.label.format == "now 0.01"


def test_a_click_sets_the_rate_and_what_was_found_stays(qtbot, sweeper):
    panel = sweeper()
    run(qtbot, panel)
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(panel, 0.316228))
    assert panel.session.document.learning_rate == pytest.approx(0.316227766017)
    assert len(panel.result.found) == 7
    assert panel._now_line.value() == pytest.approx(-0.5, abs=1e-6)
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(panel, 0.17))
    assert panel.session.document.learning_rate == pytest.approx(0.316227766017), "nothing is there"


def test_the_best_rate_is_used_from_the_keyboard(qtbot, sweeper):
    panel = sweeper()
    run(qtbot, panel, low="0.001", high="0.1", rates="3", iterations="60")
    assert panel.use_button.text() == "Use 0.1"
    panel.session.set_learning_rate(0.5)
    panel.use_button.setFocus()
    qtbot.keyClick(panel.use_button, Qt.Key.Key_Space)
    assert panel.session.document.learning_rate == 0.1


def test_hovering_tells_the_exact_values(qtbot, sweeper):
    panel = sweeper()
    run(qtbot, panel)
    found = panel.result.found[2]
    qtbot.mouseMove(panel.plot.viewport(), place_of(panel, found.rate))
    qtbot.waitUntil(lambda: panel._tip.isVisible())
    assert repr(found.loss) in panel._tip.toPlainText()
    panel._hover(QPointF(-50, -50))
    assert not panel._tip.isVisible()


@pytest.mark.parametrize("width", [230, 330, 620])
def test_what_is_told_is_inside_the_plot(qtbot, sweeper, width):
    panel = sweeper(width=width, height=260)
    run(qtbot, panel)
    box = panel.plot.box
    for mark in panel.view.marks:
        panel._point_at(mark.x)
        assert panel._tip.isVisible()
        inside, told = box.sceneBoundingRect(), panel._tip.mapRectToScene(panel._tip.boundingRect())
        assert inside.left() <= told.left(), mark
        assert told.right() <= inside.right(), mark
        assert inside.top() <= told.top(), mark
        assert told.bottom() <= inside.bottom(), mark


def test_cancelling_keeps_what_was_found_and_lets_nothing_more_come(qtbot, sweeper):
    panel = sweeper("two-layer-nonlinear")
    type_into(qtbot, panel.iterations, "10000000")
    place = panel.low.x()
    qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert panel.start_button.text() == "Cancel"
    assert panel.low.x() == place
    qtbot.waitUntil(lambda: panel.result.progress > 0, timeout=LIMIT)
    assert panel._progress.isVisible()
    assert "of 25 learning rates" in words(panel)
    qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert not panel.running
    assert panel.start_button.text() == "Start"
    assert not panel._progress.isVisible()
    assert "Cancelled after" in words(panel)
    seen = list(panel.result.found)
    qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)  # and another one may begin at once
    assert panel.running
    assert panel.result.found == []
    panel.cancel()
    assert len(seen) <= 25


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.set_seed(5),
        lambda session: session.set_value("b2", 2.0),
        lambda session: session.set_batch_size(10),
        lambda session: session.set_recipe(Recipe("adam")),
    ],
    ids=["seed", "value", "batch size", "optimizer"],
)
def test_nothing_of_an_old_document_is_shown(qtbot, sweeper, change):
    panel = sweeper("two-layer-nonlinear")
    type_into(qtbot, panel.iterations, "2000000")
    panel.begin()
    qtbot.waitUntil(lambda: panel.result.progress > 0, timeout=LIMIT)
    change(panel.session)
    assert (panel.result, panel.running) == (None, False)
    assert panel._points.points().size == 0
    qtbot.waitUntil(lambda: panel.limit is not None, timeout=LIMIT)
    assert panel.result is None


def test_a_sweep_goes_on_when_the_learning_rate_is_changed(qtbot, sweeper):
    panel = sweeper()
    type_into(qtbot, panel.iterations, "100000")
    panel.begin()
    panel.session.set_learning_rate(0.2)
    assert panel.running
    panel.cancel()


def test_the_limit_is_that_of_the_optimizer(qtbot, sweeper):
    panel = sweeper()
    panel.session.set_recipe(Recipe("momentum"))
    qtbot.waitUntil(lambda: panel.limit is not None, timeout=LIMIT)
    assert panel._limit_line.label.format == "limit = 19"
    assert float(panel.high.text()) == 100.0, "the range proposed holds the limit"
    panel.session.set_recipe(Recipe("adam"))
    qtbot.waitUntil(lambda: panel.limit is not None, timeout=LIMIT)
    assert "divides by the size of past gradients" in words(panel)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("low", "abc", "is not a number"),
        ("low", "-1", "cannot run from -1"),
        ("low", "50", "cannot run from 50 to 10"),
        ("high", "inf", "cannot run from 0.001 to inf"),
        ("rates", "1", "cannot have 1 rates"),
        ("rates", "many", "is not a whole number"),
        ("iterations", "0", "number of steps cannot be 0"),
        ("iterations", "99999999999", "number of steps cannot be"),
    ],
)
def test_what_cannot_be_is_said_and_not_taken(qtbot, sweeper, field, text, said):
    panel = sweeper()
    before = (panel._range, dict(panel._numbers))
    type_into(qtbot, getattr(panel, field), text)
    assert getattr(panel, field).is_refused
    assert said in words(panel)
    assert (panel._range, panel._numbers) == before
    qtbot.keyClick(getattr(panel, field), Qt.Key.Key_Escape)
    type_into(qtbot, panel.rates, "9")
    assert said not in words(panel)


def test_up_and_down_move_the_range_by_powers_of_ten(qtbot, sweeper):
    panel = sweeper()
    for field, key, expected in (
        (panel.low, Qt.Key.Key_Up, "0.01"),
        (panel.high, Qt.Key.Key_Down, "1"),
        (panel.rates, Qt.Key.Key_Up, "30"),
        (panel.iterations, Qt.Key.Key_Down, "1"),
    ):
        field.setFocus()
        qtbot.keyClick(field, key)
        assert field.text() == expected


def test_a_network_without_parameters_has_nothing_to_sweep(qtbot, open_session, show):
    from graphs.network import loads
    from gui.session import Document, Session

    session = Session(Document.of(loads('formula = "L = mean(x)"\n[data]\nx = [1.0, 2.0]')))
    panel = show(SweepPanel, session, 560, 230)
    qtbot.waitUntil(lambda: panel.limit is not None, timeout=LIMIT)
    assert not panel.start_button.isEnabled()
    assert "This network has no parameters to train." in words(panel)
    session.close()


def test_a_narrow_dock_hides_fields_and_keeps_the_button(sweeper):
    panel = sweeper(width=240, height=140)
    assert panel.start_button.isVisible()
    assert not panel.rates.isVisible()
    panel.resize(560, 230)
    assert panel.rates.isVisible()


def test_a_low_dock_says_as_much_as_a_line_holds(qtbot, sweeper):
    panel = sweeper("two-layer-nonlinear", width=420, height=165)
    run(qtbot, panel, iterations="5")
    assert panel._status.text().endswith("…")
    assert panel._status.toolTip().startswith(panel._status.text()[:-1])
    assert not panel.plot.axes["bottom"].label.isVisible()
    assert panel._status.height() < 2 * panel._status.fontMetrics().height()
    panel.resize(560, 300)
    assert panel._status.text().endswith("no one rate is the limit.")
    assert panel.plot.axes["bottom"].label.isVisible()


def test_it_is_light_until_it_is_seen(open_session, qtbot):
    panel = SweepPanel(open_session("univariate-regression"), DARK)
    qtbot.addWidget(panel)
    panel.session.set_learning_rate(0.3)
    assert panel.plot is None
    assert panel.limit is None


def test_another_theme_paints_it_anew(qtbot, sweeper):
    panel = sweeper()
    run(qtbot, panel, rates="3")
    panel.set_theme(DARK)
    assert panel._line.opts["pen"].color() == DARK.color("forward")
    panel.grab()


def test_every_rate_is_trained_with_the_fault_that_is_in(qtbot, sweeper):
    panel = sweeper()
    session = panel.session
    fault = FaultAt("count", "L")
    session.set_fault(fault)
    qtbot.waitUntil(lambda: panel.limit is not None and not panel.limit.formula)
    assert not panel._limit_line.isVisible()
    assert "Every rate is trained with the fault: 1/m left out" in words(panel)
    run(qtbot, panel, low="0.0001", high="0.1", rates="4", iterations="20")
    found = {f.rate: f.loss for f in panel.result.found if f.outcome == "trained"}
    assert found
    for rate, loss in found.items():
        alone = run_of(session.model, Recipe("gd", {"learning_rate": rate}), fault)
        alone.advance(20)
        assert loss == alone.losses[-1]
    assert len(found) < 4  # m times too large a gradient diverges with 0.1
    session.set_fault(None)
    assert panel.result is None
    qtbot.waitUntil(lambda: panel.limit is not None and bool(panel.limit.formula), timeout=LIMIT)
