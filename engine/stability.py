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

from engine.expr import evaluate
from engine.graph import Graph, Kind, Node
from engine.trace import forward, gradients
from engine.training import Problem, Recipe

__all__ = ["Curvature", "Limit", "curvature", "stability_limit"]

Array = np.ndarray

FULL = 400  # up to so many parameters the whole Hessian is made
KRYLOV, LEAST_KRYLOV, RESTARTS = 100, 16, 10
KRYLOV_NUMBERS = 2**24  # in all vectors of a Krylov space together: 128 MB
RESIDUAL = 1e-6
SCALES = (1.0, 30.0, 1000.0)
POINTS = 3  # random points at each of the scales
AFFINE = 1e-9  # how far from affine a gradient may be, relative: rounding of large data stays below
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

    A loss is quadratic where its formula is a polynomial of degree 2 in the parameters. Where the formula
    does not show it, the gradient is tried: at random points of several scales it is affine up to rounding,
    or the loss is not quadratic. (Random points may miss a piece of a loss that is made of pieces, such as
    one with relu: it never counts as quadratic.)

    The Hessian comes from differences of gradients, exact for a quadratic at any distance. Up to some hundred
    parameters all of it is made; for more, products with it are enough for Lanczos' iteration, restarted
    where its vectors fill the memory (Golub and Van Loan, "Matrix Computations", 2013, sections 10.1, 10.5).
    """
    if not problem.graph.parameters:
        return Curvature(reason="This network has no parameters to train.")
    slope = _Slope(problem, parameters or problem.parameters)
    degree, node = _degree(problem.graph)
    if degree > 2 and not slope.is_affine():
        return Curvature(
            reason=f"The loss is not quadratic ({_culprit(problem.graph, degree, node)}): {NO_LIMIT}."
        )
    if degree > 2 and _has_kinks(problem.graph):
        where = _culprit(problem.graph, degree, node)
        return Curvature(reason=f"The loss may have kinks and not be quadratic ({where}): {NO_LIMIT}.")
    largest, smallest = slope.spectrum()
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


# --- is it quadratic? --------------------------------------------------------------------------------------

_LINEAR = frozenset(("+", "-", "neg", "identity", "T", "sum", "mean"))
_BILINEAR = frozenset(("*", "@"))


def _degree(graph: Graph) -> tuple[float, Node]:
    """Return the degree of the loss as a polynomial in the parameters, and the first node that has it.

    Infinite where the formula is no polynomial.
    """
    degrees: list[float] = []
    for node in graph.nodes:
        degrees.append(1.0 if node.kind == Kind.PARAMETER else _degree_of(node, graph, degrees))
    loss = graph.ids[graph.loss]
    path = graph.on_loss_path
    first = next(n for n in graph.nodes if n.id in path and degrees[n.id] >= degrees[loss])
    return degrees[loss], first


def _degree_of(node: Node, graph: Graph, degrees: list[float]) -> float:
    ins = [degrees[i] for i in node.inputs]
    if node.op is None or not any(ins):
        return 0.0
    name = node.op.name
    if name in _LINEAR:
        return max(ins)
    if name in _BILINEAR:
        return sum(ins)
    if name == "/" and ins[1] == 0.0:
        return ins[0]
    if name in ("norm_squared", "mse"):
        return 2.0 * max(ins)
    if name == "**":
        exponent = _exponent(graph.nodes[node.inputs[1]])
        return ins[0] * exponent if exponent is not None else inf
    return inf


def _exponent(node: Node) -> int | None:
    """Return a constant whole exponent, None for any other."""
    if node.constant is None:
        return None
    value = float(evaluate(node.constant, {}))
    return int(value) if value == int(value) and value >= 0 else None


def _culprit(graph: Graph, degree: float, node: Node) -> str:
    """Return in a few words what makes the loss not quadratic."""
    if node.op is None or degree < inf:
        return f"a polynomial of degree {degree:g} in the parameters"
    return f"{node.op.name} in {graph.lines[node.line].name}"


def _has_kinks(graph: Graph) -> bool:
    """Say whether an operation is put together from pieces, of which random points may have missed one."""
    trained, path = graph.trained, graph.on_loss_path
    nodes = (n for n in graph.nodes if n.id in path and n.id in trained)
    return any(n.op is not None and not n.op.analytic for n in nodes)


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

    def is_affine(self) -> bool:
        """Say whether the gradient's second differences vanish at random points, where they are finite."""
        rng = np.random.default_rng(0)
        size, tried = len(self.base), 0
        for scale in (self.scale * s for s in SCALES for _ in range(POINTS)):
            point, step = scale * rng.uniform(-1, 1, size), scale * rng.uniform(-1, 1, size)
            ends = np.array([self(point - step), self(point), self(point + step)])
            if not np.all(np.isfinite(ends)):
                continue  # too far out for floating point: this says nothing
            tried += 1
            with np.errstate(all="ignore"):
                bend = np.max(np.abs(ends[0] - 2.0 * ends[1] + ends[2]))
            if bend > AFFINE * np.max(np.abs(ends)):
                return False
        return tried > 0

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
