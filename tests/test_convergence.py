"""Where training ends: at the closed form with the optimizers and schedules that settle, not with others.

The coefficients of Norris are certified to 15 digits by NIST, Statistical Reference Datasets, linear
regression: itl.nist.gov/div898/strd/lls/data/Norris.shtml.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.training import Run
from graphs.network import Model, bind, load
from graphs.recipes import recipe_of

CERTIFIED = (-0.262323073774029, 1.00211681802045)  # intercept, slope
NORRIS = """y,x
0.1,0.2
338.8,337.4
118.1,118.2
888.0,884.6
9.2,10.1
228.1,226.5
668.5,666.3
998.5,996.3
449.1,448.6
778.9,777.0
559.2,558.2
0.3,0.4
0.1,0.6
778.1,775.5
668.8,666.9
339.3,338.0
448.9,447.5
10.8,11.6
557.7,556.0
228.3,228.1
998.0,995.8
888.8,887.6
119.6,120.2
0.3,0.3
0.6,0.3
557.6,556.8
339.3,339.1
888.0,887.2
998.5,999.0
778.9,779.0
10.2,11.1
117.6,118.3
228.9,229.2
668.4,669.1
449.2,448.9
0.2,0.5
"""
SETTLING = (
    "optimizer = 'gd'",
    "optimizer = 'gd'\nschedule = 'step'\nevery = 400",
    "optimizer = 'momentum'",
    "optimizer = 'momentum'\ndampening = 0\nlearning_rate = 0.02",
    "optimizer = 'nesterov'",
    "optimizer = 'adagrad'",
    "optimizer = 'adam'\nschedule = 'cosine'\nperiod = 800",
    "optimizer = 'adam'\nschedule = 'exponential'\ndecay = 0.995\nwarmup = 50",
    "optimizer = 'rmsprop'\nschedule = 'cosine'\nperiod = 800",
)


def norris(tmp_path: Path, training: str) -> Model:
    (tmp_path / "norris.csv").write_text(NORRIS)
    path = tmp_path / "norris.toml"
    path.write_text(
        'formula = """\nyhat = w * x + b\nL = 1/m * norm(yhat - y)**2\n"""\n'
        "[parameters]\nw = 0.0\nb = 0.0\n"
        '[data]\nfile = "norris.csv"\ninputs = { x = ["x"] }\ntargets = { y = ["y"] }\nstandardize = true\n'
        f"[training]\nsteps = 1000\n{training}\n"
    )
    return bind(load(path))


def trained(model: Model) -> Run:
    training = model.network.training
    run = Run(model, training.recipe)
    run.advance(training.steps)
    return run


@pytest.mark.parametrize("training", SETTLING)
def test_norris_ends_at_the_certified_line(training: str, tmp_path: Path) -> None:
    parameters = trained(norris(tmp_path, training)).point.parameters
    y, x = np.loadtxt(NORRIS.splitlines()[1:], delimiter=",", unpack=True)
    slope = float(parameters["w"]) * y.std() / x.std()
    intercept = float(parameters["b"]) * y.std() + y.mean() - slope * x.mean()
    np.testing.assert_allclose((intercept, slope), CERTIFIED, rtol=0, atol=1e-8)


@pytest.mark.parametrize("training", SETTLING)
@pytest.mark.parametrize("name", ["univariate-regression", "multivariate-regression"])
def test_least_squares_ends_at_the_closed_form(name: str, training: str) -> None:
    model = bind(load(name))
    table = dict(line.split(" = ") for line in training.splitlines())
    recipe = recipe_of({key: text.strip("'") if "'" in text else float(text) for key, text in table.items()})
    run = Run(model, recipe)
    run.advance(1000)
    features = np.atleast_2d(model.leaves["x" if name.startswith("uni") else "X"])
    columns = np.vstack([features, np.ones(features.shape[1])]).T
    best, *_ = np.linalg.lstsq(columns, model.leaves["y"][0], rcond=None)
    found = np.concatenate([np.ravel(run.point.parameters[key]) for key in ("w", "b")])
    np.testing.assert_allclose(found, best, rtol=0, atol=1e-8)


def test_rmsprop_goes_to_and_fro_by_half_its_learning_rate_until_that_falls(tmp_path: Path) -> None:
    constant = trained(norris(tmp_path, "optimizer = 'rmsprop'\nlearning_rate = 0.02"))
    falling = trained(
        norris(tmp_path, "optimizer = 'rmsprop'\nlearning_rate = 0.02\nschedule = 'cosine'\nperiod = 900")
    )
    distance = abs(float(constant.point.parameters["w"] - falling.point.parameters["w"]))
    assert distance == pytest.approx(0.01, rel=0.3)


def test_gradient_descent_needs_a_rate_below_two_over_the_largest_curvature(tmp_path: Path) -> None:
    # standardised, the Hessian of the mean squared error is 2 I: the limit is 2 / 2 = 1
    below = trained(norris(tmp_path, "learning_rate = 0.99"))
    above = trained(norris(tmp_path, "learning_rate = 1.01"))
    assert below.losses[-1] < 1e-4 < below.losses[0]
    assert np.all(np.diff(above.losses) > 0)
    beyond = trained(norris(tmp_path, "learning_rate = 2.5"))
    assert beyond.diverged is not None
    assert "try a smaller learning rate, such as 0.1" in beyond.diverged.sentence()
