"""The loss at many parameter vectors at once is the loss at each of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.batched import BLOCK, RULES, UFUNCS, Batch, Rows, losses
from engine.ops import OPS
from engine.trace import forward
from graphs.network import bind, built_in_names, load
from tests.helpers import built, model_of, samples


def one_by_one(model, parameters, count):
    graph = model.graph
    loss = graph.ids[graph.loss]
    return np.array(
        [
            float(forward(graph, {**model.inputs, **{n: a[i] for n, a in parameters.items()}})[loss])
            for i in range(count)
        ]
    )


def drawn(model, count, rng, spread=1.0):
    return {
        name: value + spread * rng.normal(size=(count, *np.shape(value)))
        for name, value in model.parameters.items()
    }


def assert_same(found, wanted):
    finite = np.isfinite(wanted)
    assert np.array_equal(np.isfinite(found), finite)
    np.testing.assert_allclose(found[finite], wanted[finite], rtol=1e-12, atol=1e-300)


class TestEveryNetwork:
    @pytest.mark.parametrize("name", built_in_names())
    def test_a_list_of_points(self, name):
        model = bind(load(name))
        parameters = drawn(model, 70, np.random.default_rng(1))
        found = losses(model.graph, model.inputs, parameters)
        assert found.shape == (70,)
        assert_same(found, one_by_one(model, parameters, 70))

    @pytest.mark.parametrize("name", built_in_names())
    def test_a_grid_is_the_list_of_its_points(self, name):
        """One parameter varies along x, another along y, the others not at all."""
        model = bind(load(name))
        names = list(model.parameters)
        rng = np.random.default_rng(2)
        across = drawn(model, 7, rng)[names[0]][:, None]
        up = drawn(model, 5, rng)[names[-1]][None]
        found = losses(model.graph, model.inputs, {**model.parameters, names[0]: across, names[-1]: up})
        points = {n: np.broadcast_to(v, (35, *np.shape(v))) for n, v in model.parameters.items()}
        points[names[0]] = np.repeat(across[:, 0], 5, axis=0)
        points[names[-1]] = np.tile(up[0], (7, *[1] * (up.ndim - 2)))
        assert found.shape == (7, 5)
        assert_same(found.ravel(), one_by_one(model, points, 35))

    @settings(max_examples=250)
    @given(samples(), st.integers(1, 6), st.integers(0, 2**31))
    def test_random_networks(self, sample, count, seed):
        model = built(sample)
        if model is None:
            return
        parameters = drawn(model, count, np.random.default_rng(seed), spread=0.3)
        with np.errstate(all="ignore"):
            wanted = one_by_one(model, parameters, count)
        found = losses(model.graph, model.inputs, parameters)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)

    @settings(max_examples=250)
    @given(samples(), st.data())
    def test_random_networks_on_a_grid(self, sample, data):
        """Each parameter varies along x, along y, along both, or not at all."""
        model = built(sample)
        if model is None:
            return
        rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
        parameters, points = {}, {}
        for name, value in model.parameters.items():
            leading = data.draw(st.sampled_from([(), (1, 1), (4, 1), (1, 3), (4, 3)]))
            array = parameters[name] = value + 0.3 * rng.normal(size=(*leading, *np.shape(value)))
            points[name] = np.broadcast_to(array, (4, 3, *np.shape(value))).reshape(12, *np.shape(value))
        found = losses(model.graph, model.inputs, parameters)
        wanted = one_by_one(model, points, 12).reshape(4, 3)
        wanted = wanted[: found.shape[0], : found.shape[1]] if found.ndim else wanted[0, 0]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


class TestSomeRows:
    """Of a matrix, only some rows vary: the others are worked out once."""

    @settings(max_examples=400)
    @given(samples(), st.data())
    def test_random_networks(self, sample, data):
        model = built(sample)
        if model is None:
            return
        rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
        parameters, points = {}, {}
        for name, value in model.parameters.items():
            leading = data.draw(st.sampled_from([(), (1, 1), (4, 1), (1, 3), (4, 3)]))
            whole = np.array(value)
            array = np.broadcast_to(whole, (4, 3, *np.shape(value))).copy()
            rows = range(whole.shape[0]) if whole.ndim == 2 else ()
            places = tuple(r for r in rows if data.draw(st.booleans()))
            if places and len(places) < len(rows):
                values = 0.3 * rng.normal(size=(*leading, len(places), whole.shape[1]))
                values = values if leading else values[None, None]
                array[:, :, list(places)] = values
                parameters[name] = Rows(places, values, whole)
            else:
                moved = whole + 0.3 * rng.normal(size=(*leading, *whole.shape))
                array = np.broadcast_to(moved, array.shape)
                parameters[name] = moved
            points[name] = array.reshape(12, *np.shape(value))
        found = losses(model.graph, model.inputs, parameters)
        wanted = one_by_one(model, points, 12).reshape(4, 3)
        wanted = wanted[: found.shape[0], : found.shape[1]] if found.ndim else wanted[0, 0]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)

    def test_one_neuron_alone_is_worked_out(self):
        model = bind(load("perceptron-classifier"))
        whole = model.parameters["W1"]
        values = whole[None, None, 1:2] + np.linspace(-1, 1, 9).reshape(9, 1, 1, 1)
        batch = Batch(model.graph, model.inputs, {**model.parameters, "W1": Rows((1,), values, whole)})
        assert {n.dims[0].size for n in batch._graph.nodes if n.name in ("Z1", "A1")} == {1}
        parameters = {name: np.repeat(value[None], 9, axis=0) for name, value in model.parameters.items()}
        parameters["W1"][:, 1] = values[:, 0, 0]
        assert_same(losses(model.graph, model.inputs, parameters), one_by_one(model, parameters, 9))
        found = np.concatenate([block.losses for block in batch.blocks()])
        assert_same(found.ravel(), one_by_one(model, parameters, 9))

    def test_rows_of_two_parameters(self):
        """Rows 0 of one and 2 of another: rows 0 and 2 of what they are added to."""
        model = model_of(
            "Z = W @ X + b\nL = mse(w @ tanh(Z), y)",
            {"W": np.ones((4, 2)), "b": np.zeros((4, 1)), "w": np.ones((1, 4))},
            {"X": [[1.0, 2.0, 3.0], [0.0, 1.0, 0.5]], "y": [1.0, 2.0, 3.0]},
        )
        w, b = model.parameters["W"], model.parameters["b"]
        x, y = np.linspace(-1, 1, 5), np.linspace(0, 1, 4)
        rows = {
            "W": Rows((0,), np.ones((5, 1, 1, 2)) * x[:, None, None, None], w),
            "b": Rows((2,), np.ones((1, 4, 1, 1)) * y[:, None, None], b),
        }
        batch = Batch(model.graph, model.inputs, {**model.parameters, **rows})
        assert next(n for n in batch._graph.nodes if n.name == "Z").dims[0].size == 2
        points = {n: np.repeat(v[None], 20, axis=0) for n, v in model.parameters.items()}
        points["W"][:, 0] = np.repeat(x, 4)[:, None]
        points["b"][:, 2] = np.tile(y, 5)[:, None]
        found = losses(model.graph, model.inputs, {**model.parameters, **rows})
        assert_same(found.ravel(), one_by_one(model, points, 20))


class TestWhatCanGoWrong:
    def test_values_that_are_not_finite(self):
        model = model_of("L = log(w) + sqrt(b) + exp(w)", {"w": 1.0, "b": 1.0})
        parameters = {"w": np.array([0.0, -1.0, 1e4, 1.0]), "b": np.array([1.0, 1.0, 1.0, 4.0])}
        found = losses(model.graph, model.inputs, parameters)
        assert found[0] == -np.inf
        assert np.isnan(found[1])
        assert found[2] == np.inf
        assert found[3] == pytest.approx(2 + np.e)

    def test_losses_near_zero_keep_their_digits(self):
        """Far on the right side of a logistic loss only the last digits are left: the same ones."""
        model = model_of("L = bce(w @ X, y)", {"w": [1.0]}, {"X": [-1.0, 1.0], "y": [0.0, 1.0]})
        w = np.array([1.0, 10.0, 40.0, 300.0, 700.0]).reshape(-1, 1, 1)
        assert_same(losses(model.graph, model.inputs, {"w": w}), one_by_one(model, {"w": w}, 5))

    def test_a_sigmoid_far_out(self):
        model = model_of("L = log(sigmoid(w))", {"w": 0.0})
        w = np.array([-800.0, -720.0, -30.0, 30.0, 800.0, np.nan])
        assert_same(losses(model.graph, {}, {"w": w}), one_by_one(model, {"w": w}, 6))

    def test_a_loss_that_no_parameter_varies(self):
        model = model_of("L = mean(X)", {}, {"X": [1.0, 2.0]})
        assert losses(model.graph, model.inputs, {}) == pytest.approx(1.5)
        model = model_of("L = mean(w * X)", {"w": 2.0}, {"X": [1.0, 2.0]})
        assert losses(model.graph, model.inputs, {"w": np.full(1, 3.0)}) == pytest.approx([4.5])
        assert losses(model.graph, model.inputs, {"w": np.array(3.0)}).shape == ()

    def test_an_unused_parameter_still_gives_the_shape(self):
        model = model_of("L = mean(w * X)", {"w": 2.0, "u": 1.0}, {"X": [1.0, 2.0]})
        found = losses(model.graph, model.inputs, {"w": np.array(2.0), "u": np.arange(4.0)})
        assert found.tolist() == [3.0] * 4

    def test_wrong_shapes_are_refused(self):
        model = model_of("L = sum(w)", {"w": [[1.0, 2.0]]})
        with pytest.raises(ValueError, match="w has the shape"):
            losses(model.graph, {}, {"w": np.zeros((3, 2, 1))})

    def test_a_list_and_a_grid_do_not_mix(self):
        model = model_of("L = w * b", {"w": 1.0, "b": 1.0})
        with pytest.raises(ValueError, match="same number"):
            losses(model.graph, {}, {"w": np.zeros(3), "b": np.zeros((3, 3))})


class TestBlocks:
    def test_large_values_are_taken_in_small_blocks(self):
        model = model_of(
            "L = mse(w @ tanh(V @ X), y)",
            {"w": np.ones((1, 8)), "V": np.ones((8, 3))},
            {"X": np.random.default_rng(0).normal(size=(3, 1000)), "y": np.ones((1, 1000))},
        )
        parameters = drawn(model, 50, np.random.default_rng(0))
        batch = Batch(model.graph, model.inputs, parameters)
        blocks = list(batch.blocks())
        assert len(blocks) > 1
        assert max(b.losses.size for b in blocks) * 8 * 1000 <= BLOCK
        assert [b.rows.start for b in blocks] == sorted({b.rows.start for b in blocks})
        assert blocks[-1].rows.stop == 50

    def test_blocks_tile_a_grid_of_a_large_network(self):
        model = model_of(
            "L = mse(w @ tanh(V @ X), y)",
            {"w": np.ones((1, 40)), "V": np.ones((40, 3))},
            {"X": np.random.default_rng(0).normal(size=(3, 400)), "y": np.ones((1, 400))},
        )
        rng = np.random.default_rng(0)
        v, w = rng.normal(size=(9, 1, 40, 3)), rng.normal(size=(1, 11, 1, 40))
        batch = Batch(model.graph, model.inputs, {"V": v, "w": w})
        seen = np.zeros(batch.grid, int)
        result = np.empty(batch.grid)
        for block in batch.blocks():
            seen[block.rows, block.columns] += 1
            result[block.rows, block.columns] = block.losses
        assert (seen == 1).all()
        points = {"V": np.repeat(v[:, 0], 11, axis=0), "w": np.tile(w[0], (9, 1, 1))}
        assert_same(result.ravel(), one_by_one(model, points, 99))

    def test_work_stops_when_nobody_asks(self):
        model = bind(load("univariate-regression"))
        blocks = Batch(model.graph, model.inputs, drawn(model, 100_000, np.random.default_rng(0))).blocks()
        next(blocks)
        blocks.close()

    def test_what_does_not_vary_is_worked_out_once(self):
        """Copies made by broadcasting count as not varying."""
        model = model_of("Z = V @ X\nL = sum(w @ Z)", {"w": [[1.0, 2.0]], "V": [[1.0], [2.0]]}, {"X": [1.0]})
        still = np.broadcast_to(model.parameters["V"], (6, 2, 1))
        batch = Batch(model.graph, model.inputs, {"V": still, "w": np.ones((6, 1, 2))})
        assert batch.shape == (6,)
        assert model.graph.ids["Z"] in batch._values


def test_every_operation_is_covered():
    """An operation is a ufunc or has a rule of its own; a new one must be written here too."""
    assert {*RULES, *UFUNCS} == set(OPS)
    assert not RULES.keys() & UFUNCS.keys()
    assert all(OPS[name].elementwise for name in UFUNCS)
