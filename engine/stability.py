r"""How large a learning rate may be: the stability limit where the loss is quadratic.

What gradient descent does to a quadratic loss with Hessian :math:`H` it does along each of its eigenvectors
by itself: the distance to the lowest point is multiplied by :math:`1 - \eta\lambda` at every step. That
shrinks for every eigenvalue exactly while :math:`\eta < 2/\lambda_{max}`, and grows beyond (Nocedal and
Wright, "Numerical Optimization", 2006, section 3.3; Goh, "Why Momentum Really Works", Distill, 2017).

With momentum :math:`M` and dampening :math:`D` the distance follows a recurrence over two steps. With
:math:`a = \eta (1 - D) \lambda` its characteristic polynomial is

- heavy ball: :math:`z^2 - (1 + M - a) z + M`,
- Nesterov: :math:`z^2 - (1 + M)(1 - a) z + M (1 - a)`.

Both roots of :math:`z^2 - p z + q` lie inside the unit circle exactly where :math:`|p| < 1 + q < 2` (Jury's
criterion). That gives :math:`a < 2 (1 + M)` for the heavy ball (Polyak 1964), so that the course's form, with
:math:`D = M`, has a larger limit than gradient descent; and for Nesterov :math:`a < 2 (1 + M) / (1 + 2 M)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, prod

import numpy as np

from engine.degrees import degree_of_loss
from engine.trace import forward, gradients
from engine.training import Problem, Recipe

__all__ = ["Curvature", "Limit", "curvature", "stability_limit"]

Array = np.ndarray

FULL = 400  # up to so many parameters the whole Hessian is made
KRYLOV, LEAST_KRYLOV, RESTARTS = 100, 16, 10
KRYLOV_NUMBERS = 2**24  # in all vectors of a Krylov space together: 128 MB
RESIDUAL = 1e-6
NO_LIMIT = "no one rate is the limit"
ZERO = 1e-10  # eigenvalues below this share of the largest are zero


@dataclass(frozen=True)
class Limit:
    """The stability limit of a recipe, or why there is none.

    Attributes
    ----------
    rate
        Above it training diverges, below it converges; None where there is no such number.
    formula
        What it is, such as ``2/λmax``; empty where there is none.
    curvature
        The largest eigenvalue of the Hessian, None where the loss is not quadratic.
    reason
        Why there is none, as a sentence.
    """

    rate: float | None = None
    formula: str = ""
    curvature: float | None = None
    reason: str = ""

    def sentence(self) -> str:
        """Say what the limit is, or why there is none."""
        if self.rate is None:
            return self.reason
        return f"The loss is quadratic: learning rates above {self.formula} = {self.rate:.4g} diverge."


def _gd(settings: Mapping[str, float]) -> float:
    return 2.0


def _heavy_ball(settings: Mapping[str, float]) -> float:
    return 2.0 * (1.0 + settings["momentum"]) / (1.0 - settings["dampening"])


def _nesterov(settings: Mapping[str, float]) -> float:
    return _heavy_ball(settings) / (1.0 + 2.0 * settings["momentum"])


LIMITS: Mapping[str, tuple[str, Callable[[Mapping[str, float]], float]]] = {
    "gd": ("2/λmax", _gd),
    "momentum": ("2(1 + M)/((1 − D) λmax)", _heavy_ball),
    "nesterov": ("2(1 + M)/((1 + 2M)(1 − D) λmax)", _nesterov),
}
"""By optimizer: the formula, and its numerator from the settings."""


def stability_limit(problem: Problem, recipe: Recipe, parameters: Mapping[str, Array] | None = None) -> Limit:
    """Return the largest learning rate at which a recipe converges, where there is such a number.

    There is one where the loss is quadratic in the parameters and bounded below, every step takes the whole
    data, the learning rate is constant, and the optimizer is linear in the gradients.
    """
    recipe = recipe.checked()
    if recipe.optimizer not in LIMITS:
        return Limit(reason=f"This optimizer divides by the size of past gradients: {NO_LIMIT}.")
    if recipe.batch_size is not None and recipe.batch_size < problem.examples:
        return Limit(reason=f"Every mini-batch has a curvature of its own: {NO_LIMIT}.")
    if recipe.schedule not in ("constant", "warmup"):  # a warm-up ends, and the rate then stays
        return Limit(reason=f"The learning rate changes on the way: {NO_LIMIT}.")
    found = curvature(problem, parameters)
    if found.reason:
        return Limit(reason=found.reason)
    formula, numerator = LIMITS[recipe.optimizer]
    return Limit(numerator(recipe.settings) / found.largest, formula, found.largest)


@dataclass(frozen=True)
class Curvature:
    """The ends of the Hessian's spectrum where the loss is quadratic, otherwise the reason why it is not."""

    largest: float = float("nan")
    smallest: float = float("nan")
    reason: str = ""


def curvature(problem: Problem, parameters: Mapping[str, Array] | None = None) -> Curvature:
    """Return the largest and the smallest eigenvalue of the Hessian of a quadratic loss.

    Whether it is quadratic is said by :mod:`engine.degrees`. A loss that is made of pieces, such as one with
    relu, never counts as quadratic: random points may miss a piece.

    The Hessian comes from differences of gradients, exact for a quadratic at any distance. Up to some hundred
    parameters all of it is made; for more, products with it are enough for Lanczos' iteration, restarted
    where its vectors fill the memory (Golub and Van Loan, "Matrix Computations", 2013, sections 10.1, 10.5).
    """
    if not problem.graph.parameters:
        return Curvature(reason="This network has no parameters to train.")
    found = degree_of_loss(problem.graph, problem.inputs, parameters or problem.parameters)
    if found.degree > 2:
        return Curvature(reason=f"The loss is not quadratic ({found.culprit}): {NO_LIMIT}.")
    if found.may_have_kinks:
        why = f"The loss may have kinks and not be quadratic ({found.culprit}): {NO_LIMIT}."
        return Curvature(reason=why)
    largest, smallest = _Slope(problem, parameters or problem.parameters).spectrum()
    if not np.isfinite(largest) or not np.isfinite(smallest):
        return Curvature(
            reason="The curvature of the loss could not be worked out: its gradients are too large."
        )
    if smallest < -1e-7 * max(abs(largest), abs(smallest)):
        return Curvature(
            largest, smallest, "The loss falls without end in some direction: every rate diverges."
        )
    if largest <= 0.0:
        return Curvature(largest, smallest, "The loss is not curved: no rate is too large.")
    return Curvature(largest, smallest)


# --- the Hessian -------------------------------------------------------------------------------------------


class _Slope:
    """The gradient as a function of one vector of all parameters."""

    def __init__(self, problem: Problem, parameters: Mapping[str, Array]) -> None:
        self._graph, self._inputs = problem.graph, problem.inputs
        self._shapes = {name: np.shape(parameters[name]) for name in problem.graph.parameters}
        self.base = np.concatenate([np.ravel(parameters[name]) for name in self._shapes])
        self.scale = max(1.0, float(np.max(np.abs(self.base))))

    def __call__(self, vector: Array) -> Array:
        leaves, start = dict(self._inputs), 0
        for name, shape in self._shapes.items():
            end = start + prod(shape)
            leaves[name] = vector[start:end].reshape(shape)
            start = end
        graph = self._graph
        found = gradients(graph, forward(graph, leaves), graph.trained)
        return np.concatenate([np.ravel(found[name]) for name in self._shapes])

    def hessian_times(self, vector: Array) -> Array:
        """Return the Hessian times a vector: half a central difference, exact where the loss is quadratic."""
        step = self.scale * vector
        with np.errstate(all="ignore"):
            return (self(self.base + step) - self(self.base - step)) / (2.0 * self.scale)

    def spectrum(self) -> tuple[float, float]:
        """Return the largest and the smallest eigenvalue of the Hessian, nan where it is not finite."""
        with np.errstate(all="ignore"):
            return self._all() if len(self.base) <= FULL else self._lanczos()

    def _all(self) -> tuple[float, float]:
        hessian = np.stack([self.hessian_times(row) for row in np.eye(len(self.base))])
        if not np.all(np.isfinite(hessian)):
            return float("nan"), float("nan")
        values = np.linalg.eigvalsh((hessian + hessian.T) / 2.0)
        return float(values[-1]), float(values[0])

    def _lanczos(self) -> tuple[float, float]:
        """Return the ends by Lanczos' iteration, each new vector made orthogonal to all before it."""
        size = len(self.base)
        basis = np.empty((min(size, KRYLOV, max(LEAST_KRYLOV, KRYLOV_NUMBERS // size)), size))
        start = np.random.default_rng(0).normal(size=size)
        least = inf
        for _ in range(RESTARTS):
            basis[0] = start / np.linalg.norm(start)
            diagonal, beside = self._tridiagonal(basis)
            if not np.all(np.isfinite(diagonal)):
                break
            values, vectors = np.linalg.eigh(
                np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
            )
            least = min(least, float(values[0]))
            most = max(abs(float(values[-1])), abs(least))
            # the residual bounds the distance to an eigenvalue
            if beside[-1] * abs(vectors[-1, -1]) <= RESIDUAL * most:
                return float(values[-1]), least
            start = vectors[:, -1] @ basis[: len(diagonal)]
        return float("nan"), float("nan")

    def _tridiagonal(self, basis: Array) -> tuple[Array, Array]:
        """Fill `basis` with orthonormal vectors; return the Hessian between them: diagonal, and beside it."""
        diagonal: list[float] = []
        beside: list[float] = []
        for i in range(len(basis)):
            vector = self.hessian_times(basis[i])
            diagonal.append(float(basis[i] @ vector))
            for _ in range(2):  # once is not enough in floating point
                vector = vector - (basis[: i + 1] @ vector) @ basis[: i + 1]
            beside.append(float(np.linalg.norm(vector)))
            if not beside[-1] > ZERO * max(map(abs, diagonal)) or i + 1 == len(basis):
                break
            basis[i + 1] = vector / beside[-1]
        return np.array(diagonal), np.array(beside)
