"""What the landscape dock shows, as pure functions: colours, contours, words, trails."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import landscape as ls
from engine.training import Recipe, Run
from graphs.network import bind, load
from gui.landscape_map import ANCHORS
from gui.theme import THEMES
from gui.viewdata import landscape as view

FINITE = st.floats(-1e200, 1e200)


def scale_of(losses, is_log=False):
    scale = view.scale_of(np.asarray(losses, dtype=float), is_log)
    assert scale is not None
    return scale


def surface_of(name="univariate-regression", extent=None, grid=60, x=0, y=1):
    model = bind(load(name))
    space = ls.Space.of(model.graph)
    slice_ = ls.along_entries(model.graph, model.parameters, space.name(x), space.name(y))
    extent = extent or ls.Extent(-1, 2, -1, 1)
    *_, surface = ls.evaluate(slice_, model.graph, model.inputs, extent, grid)
    return model, surface


class TestColors:
    @pytest.mark.parametrize("name", THEMES)
    def test_steps_are_equal_and_lead_one_way(self, name):
        """Perceptually even, and as clear in grey: lightness runs one way from the ground to the top."""
        table = view.color_table(ANCHORS[name])
        lab = np.array([view._oklab("#" + bytes(color.tolist()).hex()) for color in table])
        steps = np.linalg.norm(np.diff(lab[::51], axis=0), axis=1)
        assert steps.max() < 1.1 * steps.min()
        light = np.diff(lab[::8, 0])
        assert (light < 0).all() or (light > 0).all()

    @pytest.mark.parametrize("name", THEMES)
    def test_the_lowest_is_near_the_background(self, name):
        ground = view._oklab(ANCHORS[name][0])
        assert abs(ground[0] - view._oklab(THEMES[name].window)[0]) < 0.1

    @given(st.lists(FINITE, min_size=1, max_size=20), st.booleans())
    def test_every_finite_loss_has_a_colour(self, losses, is_log):
        array = np.array(losses)
        scale = scale_of(array, is_log)
        shares = scale.share(array)
        assert np.isfinite(shares).all()
        assert ((shares >= 0) & (shares <= 1)).all()
        order = np.argsort(array)
        assert (np.diff(shares[order]) >= 0).all()
        if array.max() > array.min():
            assert shares[order[0]] == 0
            assert shares[order[-1]] == pytest.approx(1)

    def test_losses_that_are_not_finite_have_none(self):
        scale = scale_of([1.0, np.inf, np.nan, 3.0])
        assert scale.share(np.array([np.inf, np.nan, -np.inf, 2.0]))[3] == pytest.approx(0.5)
        assert np.isnan(scale.share(np.array([np.inf, np.nan, -np.inf]))).all()
        assert view.scale_of(np.array([np.nan, np.inf]), True) is None

    def test_the_logarithm_is_of_the_loss_itself_where_it_can_be(self):
        scale = scale_of([0.01, 1.0, 100.0], True)
        assert scale.shift == 0
        assert scale.share(1.0) == pytest.approx(0.5)
        assert scale.sentence == "Colours follow the logarithm of the loss."

    def test_near_zero_something_is_added_and_said(self):
        scale = scale_of([0.0, 1.0, 100.0], True)
        assert scale.shift == pytest.approx(1e-8)
        assert scale.share(0.0) == 0
        assert "plus 1" in scale.sentence
        assert "e−8" in scale.sentence

    def test_losses_below_zero(self):
        losses = np.array([-5.0, 0.0, 5.0])
        scale = scale_of(losses, True)
        assert (np.diff(scale.share(losses)) > 0).all()
        assert "plus 5" in scale.sentence


class TestRoundNumbers:
    @given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12), st.booleans())
    def test_they_lie_inside_and_are_not_too_many(self, low, width, most, is_log):
        scale = scale_of([low, low + width], is_log)
        found = view.nice_losses(scale, most)
        assert found == sorted(set(found))
        assert all(scale.low <= v <= scale.high for v in found)
        assert len(found) <= 2.5 * most + 2

    def test_examples(self):
        assert view.nice_losses(view.Scale(0.35, 3.43), 6) == [1.0, 2.0, 3.0]
        assert view.nice_losses(view.Scale(0.01, 100, True), 4) == [0.1, 1.0, 10.0]
        assert view.nice_losses(view.Scale(0.15, 0.9, True), 8) == [0.2, 0.3, 0.4, 0.5, 0.6, 0.8]
        assert view.nice_losses(view.Scale(1, 1), 6) == []

    def test_contours_are_closer_at_the_bottom(self):
        levels = view.levels_of(view.Scale(0.35, 3.43), 8)
        assert levels[0] < 0.5
        assert min(np.diff(levels)) < max(np.diff(levels)) / 2


class TestContours:
    def test_they_run_where_the_loss_is_their_level(self):
        model, surface = surface_of(grid=209)
        x, y = (model.inputs[n].ravel() for n in ("x", "y"))
        scale = scale_of(surface.losses)
        levels = view.levels_of(scale)
        for (ws, bs), level in zip(view.contour_lines(surface, scale, levels), levels, strict=True):
            known = np.isfinite(ws)
            assert known.any()
            losses = [np.mean((w * x + b - y) ** 2) for w, b in zip(ws[known], bs[known], strict=True)]
            np.testing.assert_allclose(losses, level, atol=2e-3)

    def test_losses_that_are_not_finite_are_left_out(self):
        _, surface = surface_of()
        losses = surface.losses.copy()
        losses[:20] = np.nan
        losses[20:25] = np.inf
        holed = ls.Surface(surface.slice, surface.extent, surface.xs, surface.ys, losses)
        scale = scale_of(losses)
        lines = view.contour_lines(holed, scale, view.levels_of(scale))
        assert all(np.nanmin(xs) >= surface.xs[25] - 1e-9 for xs, _ in lines if np.isfinite(xs).any())

    def test_nothing_finite(self):
        _, surface = surface_of()
        empty = ls.Surface(surface.slice, surface.extent, surface.xs, surface.ys, surface.losses * np.nan)
        assert [len(x) for x, _ in view.contour_lines(empty, view.Scale(0, 1), [0.5])] == [0]

    def test_labels_keep_apart_and_off_the_edges(self):
        _, surface = surface_of(grid=209)
        scale = scale_of(surface.losses)
        levels = view.levels_of(scale)
        lines = view.contour_lines(surface, scale, levels)
        size = (600.0, 500.0)
        found = view.labels_of(lines, levels, view.nice_losses(scale, 11), surface.extent, size)
        assert len(found) >= 3
        extent = surface.extent
        pixels = [
            (size[0] * (x - extent.left) / extent.width, size[1] * (y - extent.bottom) / extent.height)
            for x, y, _ in found
        ]
        for i, (px, py) in enumerate(pixels):
            assert 36 < px < 564
            assert 18 < py < 482
            assert all(abs(px - qx) > 60 or abs(py - qy) > 24 for qx, qy in pixels[:i])


class TestWords:
    def test_whole_and_slice(self):
        model, surface = surface_of()
        assert view.slice_sentence(surface.slice, 3) == (
            "The whole landscape: the network has only these two parameters."
        )
        assert view.off_sentence(surface.slice, 1.0) == ""
        model, surface = surface_of("multivariate-regression")
        slice_ = surface.slice
        assert view.slice_sentence(slice_, 12, "Adam, η 0.01") == (
            "A slice: w[0, 0] and w[0, 1] vary, 2 other numbers stay as at iteration 12 of Adam, η 0.01."
        )
        assert view.off_sentence(slice_, 0.25) == "The point shown lies 0.25 off it."
        assert view.off_sentence(slice_, 1e-14) == ""
        random = ls.along_random(model.graph, model.parameters)
        assert view.slice_sentence(random, 0) == "A slice along two random directions, through iteration 0."

    def test_one_other_number(self):
        _, surface = surface_of("scalar-operations")
        assert "1 other number stays as at iteration 0" in view.slice_sentence(surface.slice, 0)

    def test_the_pointer(self):
        model, surface = surface_of()
        loss = view.loss_at(model, surface.slice, surface, 0.5, -0.25)
        x, y = (model.inputs[n].ravel() for n in ("x", "y"))
        assert loss == pytest.approx(np.mean((0.5 * x - 0.25 - y) ** 2))
        text = view.hover_text(surface.slice, 0.5, -0.25, loss)
        assert text.splitlines()[0] == "w 0.5, b −0.25"

    def test_the_pointer_over_a_large_network_reads_the_map(self, monkeypatch):
        model, surface = surface_of()
        monkeypatch.setattr(view, "EXACT_NUMBERS", 1)
        assert view.loss_at(model, surface.slice, surface, 0.51, -0.26) in surface.losses


class TestTrails:
    def test_only_what_is_new_is_projected_and_the_last_point_is_there(self):
        model, surface = surface_of()
        run = Run(model, Recipe("gd"))
        trail = view.Trail(surface.slice, run)
        start = [float(v) for v in model.parameters.values()]
        assert trail.places().tolist() == [start]
        run.advance(10)
        places = trail.places()
        assert len(places) == 11
        run.advance(3000)  # samples are thinned by now
        places = trail.places()
        assert places[0].tolist() == start
        point = run.point.parameters
        assert places[-1].tolist() == [float(point["w"]), float(point["b"])]
        wanted = [list(surface.slice.coordinates(s.point.parameters)) for s in run.history.samples]
        assert places[: len(wanted)].tolist() == wanted
        random = ls.along_random(model.graph, model.parameters)
        trail = view.Trail(random, run)
        first = trail.places()
        run.advance(100)
        again = trail.places()
        assert again.tolist() == view.Trail(random, run).places().tolist()
        assert len(again) > len(first)

    def test_thinning_changes_no_pixel(self):
        t = np.linspace(0, 6, 5000)
        places = np.column_stack([np.cos(t), np.sin(t)])
        extent = ls.Extent(-1.5, 1.5, -1.5, 1.5)
        kept = view.thinned(places, extent, (300, 300))
        assert len(kept) < 1500
        assert kept[0].tolist() == places[0].tolist()
        assert kept[-1].tolist() == places[-1].tolist()
        far = np.abs(places[:, None] - kept[None]).max(axis=2).min(axis=1)
        assert far.max() <= 1.5 * 3 / 300

    def test_points_far_outside_and_points_that_are_none(self):
        places = np.array([[0.0, 0.0], [1e200, -1e200], [np.nan, 0.0], [np.inf, 1.0]])
        kept = view.thinned(places, ls.Extent(-1, 1, -1, 1), (100, 100))
        assert len(kept) == 2
        assert np.abs(kept).max() < 100

    def test_a_line_ends_where_it_leaves_for_good(self):
        extent = ls.Extent(-1, 1, -1, 1)
        back = [[0.0, 0.0], [1e3, 0.0], [0.5, 0.5], [-3.0, 0.0], [1e4, 1e4], [-1e5, 1e5], [1e6, -1e6]]
        kept = view.thinned(np.array(back), extent, (100, 100))
        assert kept[:, 0].tolist() == [0.0, 41.0, 0.5, -3.0, 41.0]


class TestInSpace:
    def test_heights_are_those_of_the_surface(self):
        model, surface = surface_of(grid=209)
        places = np.array([[0.3, 0.2], [surface.xs[7], surface.ys[9]], [2.0, 1.0], [5.0, 0.0], [np.nan, 0.0]])
        found = view.heights_on(surface, places)
        x, y = (model.inputs[n].ravel() for n in ("x", "y"))
        assert found[0] == pytest.approx(np.mean((0.3 * x + 0.2 - y) ** 2), rel=1e-3)
        assert found[1] == pytest.approx(surface.losses[7, 9])
        assert found[2] == pytest.approx(surface.losses[-1, -1])
        assert np.isnan(found[3:]).all()

    def test_strokes(self):
        line = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
        assert view.dashed(line, [], 0.1)[0] is line
        strokes = view.dashed(line, [3.0, 1.0], 0.1)
        lengths = [float(np.sum(np.linalg.norm(np.diff(s, axis=0), axis=1))) for s in strokes]
        assert lengths == pytest.approx([0.3] * 5)
        assert strokes[2].tolist() == pytest.approx(np.array([[0.8, 0.0], [1.0, 0.0], [1.0, 0.1]]))
        assert view.dashed(line[:1], [3.0, 1.0], 0.1) == []
