"""The landscape: slices through the space of parameters, and the loss on them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import landscape as ls
from engine.errors import UsageError
from engine.trace import forward, loss_and_gradients
from engine.training import Recipe, Run
from graphs.network import bind, built_in_names, load
from tests.helpers import model_of


def model(name="univariate-regression"):
    return bind(load(name))


def loss_at(m, parameters):
    return float(forward(m.graph, {**m.inputs, **parameters})[m.graph.ids[m.graph.loss]])


def entries_of(m):
    space = ls.Space.of(m.graph)
    return [space.name(i) for i in range(space.size)]


def slices(m, run=None):
    """Return one slice of every kind."""
    names = entries_of(m)
    found = [
        ls.along_entries(m.graph, m.parameters, names[0], names[-1]),
        ls.along_random(m.graph, m.parameters),
    ]
    if run is not None:
        vectors = ls.Space.of(m.graph).trajectory(run)[1]
        found.append(ls.along_principal(m.graph, run.point.parameters, vectors))
    return found


def slice_of(m):
    names = entries_of(m)
    return ls.along_entries(m.graph, m.parameters, names[0], names[-1])


def trained(m, steps=20, **recipe):
    run = Run(m, Recipe(**recipe))
    run.advance(steps)
    return run


class TestSpace:
    @pytest.mark.parametrize("name", built_in_names())
    def test_there_and_back(self, name):
        m = model(name)
        space = ls.Space.of(m.graph)
        back = space.parameters(space.vector(m.parameters))
        assert all(np.array_equal(back[n], m.parameters[n]) for n in m.parameters)
        assert [space.index(space.name(i)) for i in range(space.size)] == list(range(space.size))

    def test_entries_are_written_as_people_write_them(self):
        space = ls.Space(("W1", "w2", "b1", "b"), ((2, 3), (1, 3), (3, 1), ()))
        assert space.index("W1[1,2]") == space.index(" W1[ 1 , 2 ] ") == 5
        assert space.index("w2[0, 2]") == space.index("w2[2]") == 8
        assert space.index("b1[2, 0]") == space.index("b1[2]") == 11
        assert space.index("b") == 12
        assert space.title(5) == "W₁[1, 2]"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("v", "there is no parameter v. There are: W1, w2, b."),
            ("W1", "W1 has 6 entries. Choose one, from W1[0, 0] to W1[1, 2]."),
            ("W1[2, 0]", "W1 has no entry [2, 0]. It is 2 × 3; rows and columns are counted from 0."),
            ("W1[-1, 0]", "W1 has no entry [-1, 0]. It is 2 × 3; rows and columns are counted from 0."),
            ("W1[1]", "W1 has no entry [1]. It is 2 × 3; rows and columns are counted from 0."),
            ("b[0]", "b has no entry [0]. Write b."),
            ("W1[0, 0", "there is no parameter W1[0, 0. There are: W1, w2, b."),
            ("", "there is no parameter . There are: W1, w2, b."),
            ("W1[]", "W1 has no entry []. It is 2 × 3; rows and columns are counted from 0."),
        ],
    )
    def test_what_is_no_entry(self, text, sentence):
        space = ls.Space(("W1", "w2", "b"), ((2, 3), (1, 3), ()))
        with pytest.raises(UsageError) as error:
            space.index(text)
        assert str(error.value) == sentence


class TestTrajectory:
    @pytest.mark.parametrize("optimizer", ["gd", "adam"])
    def test_it_is_where_the_run_was(self, optimizer):
        """Also where the optimizer keeps quantities of its own, and after samples have been thinned."""
        m = model("perceptron-classifier")
        run = trained(m, 1501, optimizer=optimizer)
        space = ls.Space.of(m.graph)
        iterations, vectors = space.trajectory(run)
        assert (iterations[0], iterations[-1]) == (0, 1501)
        assert vectors.shape == (len(iterations), space.size)
        for i in (0, 1, len(iterations) // 2, -1):
            assert vectors[i] == pytest.approx(space.vector(run.at(int(iterations[i])).parameters), rel=1e-12)

    def test_before_the_first_step(self):
        m = model()
        iterations, vectors = ls.Space.of(m.graph).trajectory(Run(m))
        assert iterations.tolist() == [0]
        assert vectors.tolist() == [[float(v) for v in m.parameters.values()]]


class TestSlices:
    @pytest.mark.parametrize("name", built_in_names())
    def test_coordinates_of_a_place_are_that_place(self, name):
        m = model(name)
        for slice_ in slices(m, trained(m)):
            for x, y in ((0.3, -0.7), (2.0, 0.0)):
                parameters = slice_.parameters(x, y)
                assert slice_.coordinates(parameters) == pytest.approx((x, y), abs=1e-9)
                assert slice_.distance(parameters) == pytest.approx(0, abs=1e-9)

    @pytest.mark.parametrize("name", built_in_names())
    def test_directions_stand_at_a_right_angle(self, name):
        m = model(name)
        for slice_ in slices(m, trained(m)):
            first, second = slice_.directions
            assert abs(first @ second) < 1e-9 * np.linalg.norm(first) * np.linalg.norm(second)

    def test_the_centre_lies_on_its_slice(self):
        m = model("perceptron-classifier")
        for slice_ in slices(m, trained(m)):
            centre = slice_.space.parameters(slice_.centre)
            assert slice_.distance(centre) == pytest.approx(0, abs=1e-12)
            assert slice_.vector(*slice_.project(slice_.centre)) == pytest.approx(slice_.centre)

    def test_how_far_off_a_point_lies(self):
        """Two numbers vary; the distance is that of the others from the centre."""
        m = model("multivariate-regression")
        slice_ = ls.along_entries(m.graph, m.parameters, "w[0, 0]", "b")
        moved = {"w": m.parameters["w"] + np.array([[5.0, 3.0, 4.0]]), "b": np.array(7.0)}
        assert slice_.distance(moved) == pytest.approx(5.0)
        assert slice_.coordinates(moved) == pytest.approx((m.parameters["w"][0, 0] + 5.0, 7.0))

    def test_another_centre(self):
        m = model("multivariate-regression")
        slice_ = ls.along_entries(m.graph, m.parameters, "w[0, 0]", "b")
        moved = slice_.moved_to({"w": np.array([[1.0, 2.0, 3.0]]), "b": np.array(4.0)})
        assert moved.vector(0.0, 0.0).tolist() == [0.0, 2.0, 3.0, 0.0]
        assert moved.labels == slice_.labels

    def test_downhill_is_the_projected_negative_gradient(self):
        """A small step of gradient descent moves the coordinates along it, and the loss falls."""
        m = model("perceptron-classifier")
        run = trained(m)
        for slice_ in slices(m, run):
            at = slice_.parameters(0.2, 0.1)
            _, gradients = loss_and_gradients(m.graph, {**m.inputs, **at})
            x, y = slice_.downhill(gradients)
            step = {n: at[n] - 1e-6 * gradients[n] for n in at}
            moved = np.array(slice_.coordinates(step)) - (0.2, 0.1)
            assert moved == pytest.approx(1e-6 * np.array([x, y]), rel=1e-3, abs=1e-15)
            length = 1e-4 / np.hypot(x, y)
            assert loss_at(m, slice_.parameters(0.2 + length * x, 0.1 + length * y)) < loss_at(m, at)

    def test_two_parameters_are_the_whole_landscape(self):
        m = model()
        assert all(s.is_whole and s.still == 0 for s in slices(m, trained(m)))
        m = model("perceptron-classifier")
        assert not any(s.is_whole for s in slices(m, trained(m)))
        assert slices(m)[0].still == 17

    def test_the_same_axis_twice(self):
        m = model("multivariate-regression")
        with pytest.raises(UsageError, match=r"both axes are w\[0, 1\]. Choose two different entries."):
            ls.along_entries(m.graph, m.parameters, "w[1]", "w[0,1]")

    def test_a_network_with_one_parameter_has_no_landscape(self):
        m = model_of("L = mean(w * X)", {"w": 1.0}, {"X": [1.0, 2.0]})
        for make in (
            lambda: ls.along_entries(m.graph, m.parameters, "w", "w"),
            lambda: ls.along_random(m.graph, m.parameters),
            lambda: ls.along_principal(m.graph, m.parameters, np.ones((1, 1))),
        ):
            with pytest.raises(UsageError, match="two numbers to vary, but this network has one parameter"):
                make()


class TestRandomDirections:
    def test_each_part_is_as_long_as_its_parameter(self):
        m = model_of(
            "L = mse(w @ tanh(V @ X), y)",
            {"w": np.ones((1, 30)), "V": np.full((30, 5), 10.0)},
            {"X": np.ones((5, 4)), "y": np.ones((1, 4))},
        )
        slice_ = ls.along_random(m.graph, m.parameters, seed=3)
        for name, _, span in slice_.space.spans():
            assert np.linalg.norm(slice_.directions[0][span]) == pytest.approx(
                np.linalg.norm(m.parameters[name])
            )
        assert np.linalg.norm(slice_.directions[1]) == pytest.approx(np.linalg.norm(slice_.directions[0]))

    def test_the_seed_decides(self):
        m = model("perceptron-classifier")
        first, again, other = (ls.along_random(m.graph, m.parameters, seed) for seed in (1, 1, 2))
        assert np.array_equal(first.directions, again.directions)
        assert not np.array_equal(first.directions, other.directions)

    @pytest.mark.parametrize("values", [{"w": 0.0, "b": 0.0}, {"w": 2.0, "b": 0.0}])
    def test_parameters_that_are_zero(self, values):
        m = model_of("L = mse(w * X + b, y)", values, {"X": [1.0, 2.0], "y": [1.0, 2.0]})
        first, second = ls.along_random(m.graph, m.parameters).directions
        assert np.linalg.norm(first) == pytest.approx(np.linalg.norm(second))
        assert np.linalg.norm(first) > 0


class TestPrincipalDirections:
    def test_a_trajectory_in_a_plane_is_explained_by_two(self):
        m = model("perceptron-classifier")
        space = ls.Space.of(m.graph)
        rng = np.random.default_rng(0)
        centre, one, other = rng.normal(size=(3, space.size))
        points = np.array([centre + t * one + t * t * other for t in np.linspace(-1, 0, 40)])
        slice_ = ls.along_principal(m.graph, space.parameters(centre), points)
        assert slice_.shares is not None
        assert sum(slice_.shares) == pytest.approx(1)
        assert slice_.shares[0] > slice_.shares[1] > 0
        assert max(slice_.distance(space.parameters(p)) for p in points) < 1e-9
        assert "first principal direction (" in slice_.labels[0]

    def test_a_straight_trajectory_gets_a_second_direction(self):
        m = model("multivariate-regression")
        space = ls.Space.of(m.graph)
        points = np.arange(5)[:, None] * np.array([1.0, 2.0, 0.0, 0.0])
        slice_ = ls.along_principal(m.graph, space.parameters(points[-1]), points)
        assert slice_.shares == pytest.approx((1.0, 0.0), abs=1e-12)
        assert slice_.directions[0] @ slice_.directions[1] == pytest.approx(0, abs=1e-12)
        assert np.linalg.norm(slice_.directions[1]) == pytest.approx(1)

    def test_many_points_and_points_that_are_not_finite(self):
        m = model("multivariate-regression")
        space = ls.Space.of(m.graph)
        t = np.linspace(0, 9, 3000)
        points = np.stack([np.cos(t), np.sin(t), t, 0 * t], axis=1)
        points[1500] = np.inf
        slice_ = ls.along_principal(m.graph, space.parameters(points[-1]), points)
        assert np.isfinite(slice_.directions).all()

    def test_a_run_that_has_not_moved(self):
        m = model("multivariate-regression")
        with pytest.raises(UsageError, match="the run has not moved yet"):
            ls.along_principal(m.graph, m.parameters, slice_of(m).centre[None])


class TestSurface:
    @pytest.mark.parametrize("name", built_in_names())
    def test_every_point_is_the_loss_there(self, name):
        m = model(name)
        for slice_ in slices(m, trained(m)):
            *_, surface = ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-1.0, 2.0, -0.5, 1.5), 13)
            wanted = [[loss_at(m, slice_.parameters(x, y)) for y in surface.ys] for x in surface.xs]
            assert surface.losses == pytest.approx(np.array(wanted), rel=1e-11)
            assert surface.is_complete
            assert surface.share == 1

    def test_univariate_regression_is_the_closed_form_quadratic(self):
        """L(w, b) = mean(x²) w² + b² + 2 mean(x) w b - 2 mean(xy) w - 2 mean(y) b + mean(y²), everywhere."""
        m = model()
        x, y = (m.inputs[n].ravel() for n in ("x", "y"))
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        *_, surface = ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-3, 3, -2, 2), 201)
        w, b = surface.xs[:, None], surface.ys[None]
        wanted = np.mean(x * x) * w**2 + b**2 + 2 * np.mean(x) * w * b
        wanted = wanted - 2 * np.mean(x * y) * w - 2 * np.mean(y) * b + np.mean(y * y)
        assert surface.losses.shape == (201, 201)
        np.testing.assert_allclose(surface.losses, wanted, rtol=1e-11)

    def test_the_lowest_point_is_near_least_squares(self):
        m = model()
        x, y = (m.inputs[n].ravel() for n in ("x", "y"))
        w, b = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), y, rcond=None)[0]
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        extent = ls.default_extent(slice_, m.graph, m.inputs)
        *_, surface = ls.evaluate(slice_, m.graph, m.inputs, extent)
        lowest = surface.lowest()
        assert lowest is not None
        assert lowest[0] == pytest.approx(w, abs=extent.width / (len(surface.xs) - 1))
        assert lowest[1] == pytest.approx(b, abs=extent.height / (len(surface.ys) - 1))
        assert lowest[2] >= loss_at(m, {"w": np.array(w), "b": np.array(b)})

    def test_coarse_to_fine(self):
        """Each level holds the one before; no point is worked out twice; the first is there at once."""
        m = model()
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        levels = list(ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-1, 1, -1, 1)))
        complete = [s for s in levels if s.is_complete]
        assert [len(s.xs) for s in complete] == [14, 27, 53, 105, 209]
        for coarse, fine in pairwise(complete):
            assert np.array_equal(fine.losses[::2, ::2], coarse.losses)
            assert np.allclose(fine.xs[::2], coarse.xs)
        assert levels[-1] is complete[-1]
        assert [s.share for s in levels] == sorted(s.share for s in levels)

    @pytest.mark.parametrize("grid", [209, 49, 26])
    def test_no_point_is_worked_out_twice(self, grid):
        times = np.zeros((grid, grid), int)
        for stride in ls._strides(grid):
            at = np.arange(0, grid, stride)
            for rows, columns in ls._new_points(at, is_first=stride == ls._strides(grid)[0]):
                times[np.ix_(rows, columns)] += 1
        assert (times == 1).all()

    @pytest.mark.parametrize("grid", [2, 3, 25, 50, 100, 200])
    def test_any_grid(self, grid):
        m = model()
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        *_, surface = ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-1, 1, -2, 2), grid)
        assert surface.losses.shape == (grid, grid)
        assert (surface.xs[0], surface.xs[-1], surface.ys[0], surface.ys[-1]) == (-1, 1, -2, 2)
        assert np.isfinite(surface.losses).all()

    def test_long_levels_are_seen_as_they_grow(self, monkeypatch):
        """With no patience at all there is a picture after every piece, and each shows more."""
        monkeypatch.setattr(ls, "PATIENCE", 0.0)
        monkeypatch.setattr(ls, "NUMBERS", 3000)
        m = model("perceptron-classifier")
        slice_ = ls.along_random(m.graph, m.parameters)
        levels = list(ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-1, 1, -1, 1), 49))
        partial = [s for s in levels if not s.is_complete]
        assert len(partial) > 10
        assert [s.share for s in levels] == sorted(s.share for s in levels)
        after_first = [s for s in partial if s.share > levels[0].share]
        whole = next(s for s in levels if s.is_complete)
        assert all(np.isfinite(s.losses).all() for s in after_first if len(s.xs) > len(whole.xs))
        *_, again = ls.evaluate(slice_, m.graph, m.inputs, ls.Extent(-1, 1, -1, 1), 49)
        assert np.array_equal(levels[-1].losses, again.losses)

    def test_two_entries_of_a_large_matrix_take_no_grid_of_such_matrices(self):
        """A grid of 209 by 209 matrices of 25 600 numbers would be nine gigabytes."""
        m = model_of("L = sum((W @ x)**2)", {"W": np.ones((256, 100))}, {"x": np.ones((100, 1))})
        slice_ = ls.along_entries(m.graph, m.parameters, "W[0, 0]", "W[255, 99]")
        assert slice_.weight == 200  # two rows
        xs, ys = np.zeros(209), np.zeros(209)
        part, _ = next(ls._parts(slice_, m.graph, m.inputs, xs, ys))
        assert (part[0].stop - part[0].start) * (part[1].stop - part[1].start) * 200 <= ls.NUMBERS
        other = ls.along_random(m.graph, m.parameters)
        assert other.weight == 25_600

    def test_losses_that_are_not_finite_stay_so(self):
        m = model_of("L = log(w) + b", {"w": 1.0, "b": 1.0})
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        *_, surface = ls.evaluate(slice_, m.graph, {}, ls.Extent(-1, 1, -1, 1), 13)
        assert np.isnan(surface.losses[0]).all()
        assert np.isfinite(surface.losses[-1]).all()
        assert surface.lowest() is not None
        *_, surface = ls.evaluate(slice_, m.graph, {}, ls.Extent(-2, -1, -1, 1), 13)
        assert surface.lowest() is None

    @pytest.mark.parametrize(
        ("extent", "sentence"),
        [
            (ls.Extent(1, 1, 0, 1), "the range along x, 1 to 1, is empty"),
            (ls.Extent(0, 1, 2, 1), "the range along y, 2 to 1, is empty"),
            (ls.Extent(0, np.inf, 0, 1), "the range along x is not finite"),
            (ls.Extent(0, np.nan, 0, 1), "the range along x is not finite"),
            (ls.Extent(0, 1, -1.7e308, 1.7e308), "the range along y is not finite"),
        ],
    )
    def test_ranges_that_show_nothing(self, extent, sentence):
        m = model()
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        with pytest.raises(UsageError, match=sentence):
            next(ls.evaluate(slice_, m.graph, m.inputs, extent))


class TestExtent:
    @pytest.mark.parametrize("name", built_in_names())
    def test_the_start_and_the_runs_are_inside(self, name):
        m = model(name)
        run = trained(m, 50)
        for slice_ in slices(m, run):
            points = ls.run_points(slice_.space, [run])
            extent = ls.default_extent(slice_, m.graph, m.inputs, points)
            assert len(points) == 51
            for x, y in slice_.project(points):
                assert extent.left < x < extent.right
                assert extent.bottom < y < extent.top
            assert 0.5 < extent.width / extent.height < 2

    def test_the_minimum_of_a_quadratic_is_inside(self):
        m = model()
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        minimum = ls.quadratic_minimum(slice_, m.graph, m.inputs)
        x, y = (m.inputs[n].ravel() for n in ("x", "y"))
        w, b = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), y, rcond=None)[0]
        assert minimum == pytest.approx((w, b))
        extent = ls.default_extent(slice_, m.graph, m.inputs, slice_.centre[None])
        assert extent.left < w < extent.right

    def test_a_slice_may_be_quadratic_where_the_network_is_not(self):
        m = model("two-layer-nonlinear")
        last = ls.along_entries(m.graph, m.parameters, "w2[0]", "b2")
        first = ls.along_entries(m.graph, m.parameters, "W1[0]", "b1[0]")
        assert ls.quadratic_minimum(last, m.graph, m.inputs) is not None
        assert ls.quadratic_minimum(first, m.graph, m.inputs) is None

    def test_a_valley_without_end_has_no_minimum(self):
        m = model_of("L = (w + b)**2", {"w": 1.0, "b": 1.0})
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        assert ls.quadratic_minimum(slice_, m.graph, {}) is None

    def test_a_run_that_left_the_picture_does_not_stretch_it(self):
        m = model()
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        wild = np.array([slice_.centre, (1e6, 0.0), (-1e200, 0.0), (np.nan, 0.0)])
        with_wild = ls.default_extent(slice_, m.graph, m.inputs, wild)
        assert with_wild == ls.default_extent(slice_, m.graph, m.inputs, wild[:1])

    def test_a_run_that_climbed_counts_as_far_as_it_was_low(self):
        m = model()
        run = trained(m, 5000, settings={"learning_rate": 1.5})
        assert run.diverged is not None
        space = ls.Space.of(m.graph)
        points = ls.run_points(space, [run])
        assert np.abs(points).max() < 10
        centre = ls.last_finite(run, run.point)
        assert np.isfinite(space.vector(centre.parameters)).all()

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
    def test_a_start_anywhere(self, w, b):
        m = model_of("L = sin(w) * cos(b)", {"w": w, "b": b})
        slice_ = ls.along_entries(m.graph, m.parameters, "w", "b")
        extent = ls.default_extent(slice_, m.graph, {}).checked()
        assert extent.left < w < extent.right
        assert extent.bottom < b < extent.top
