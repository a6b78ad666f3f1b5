"""What several tests need: small models, independent derivatives, random networks of the formula language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from engine.derive import Derivation
from engine.errors import FormulaError
from engine.graph import Detail, Graph
from engine.hyperparameters import Hyperparameter
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.trace import forward
from engine.training import STOPPING, Recipe, Stopping
from graphs.network import Model, Network, bind
from graphs.typed import PROMPTS

Array = np.ndarray


def model_of(
    formula: str,
    parameters: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    **more: Any,
) -> Model:
    """Return the model of a formula over literal values; a flat list is a row, as in a file."""
    return bind(
        Network("test", "Test", formula, parameters=_arrays(parameters), data=_arrays(data), **more), seed=1
    )


def _arrays(values: Mapping[str, Any] | None) -> dict[str, Any]:
    found = {}
    for name, value in (values or {}).items():
        array = np.array(value, dtype=float)
        found[name] = array.reshape(1, -1) if array.ndim == 1 else array
    return found


# --- derivatives that owe nothing to the engine ------------------------------------------------------------


def loss_at(graph: Graph, leaves: Mapping[str, Array]) -> Any:
    """Return the loss, complex where a leaf is."""
    return forward(graph, leaves)[graph.ids[graph.loss]]


def slope(f: Callable[[Array], Any], x: Array, direction: Array, step: float = 1e-6) -> float:
    """Return the central difference of the scalar `f` at `x` along `direction`."""
    return float((f(x + step * direction) - f(x - step * direction)) / (2 * step))


def complex_slope(f: Callable[[Array], Any], x: Array, direction: Array) -> float:
    """Return the complex-step derivative of the scalar `f` at `x` along `direction`."""
    return float(np.imag(f(x + 1e-30j * direction)) / 1e-30)


# --- NumPy source, run -------------------------------------------------------------------------------------


def run(code: str, **names: Any) -> Any:
    """Return the value of NumPy source that the engine printed, with `np` and `names` and nothing else."""
    with np.errstate(all="ignore"):
        return eval(code, {"__builtins__": {}, "np": np}, names)  # noqa: S307


def scope_of(model: Model, values: Mapping[str, Array]) -> dict[str, Any]:
    """Return what the source of a model's equations may read: its values by name, and m."""
    scope: dict[str, Any] = dict(values)
    if model.graph.examples is not None:
        scope.setdefault("m", model.graph.examples)
    return scope


# --- LaTeX -------------------------------------------------------------------------------------------------


def assert_well_formed(latex: str) -> None:
    r"""Assert that braces and ``\left``/``\right`` pair up and that nothing of Python shines through."""
    depth = 0
    for char in re.sub(r"\\[{}]", "", latex):
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0, latex
    assert depth == 0, latex
    assert latex.count(r"\left") == latex.count(r"\right") + latex.count(r"\leftarrow"), latex
    assert not re.search(r"None|Fraction|lambda x|--|\+ -|\{\}", latex.replace(r"\lambda", "")), latex


def equations_of(graph: Graph, detail: Detail) -> list[str]:
    """Return the LaTeX of every equation that the window can show of a graph at a detail."""
    derivation = Derivation(graph, detail)
    found = [derivation.forward_latex(n) for n in graph.visible(detail) if graph[n].op is not None]
    for source, target, slot in graph.edges(detail):
        assert derivation.contribution(target, slot).input == source
        equation = derivation.backward_equation(target, slot)
        found += [equation.latex, equation.coloured, equation.contribution.factor.latex]
    if detail == Detail.EQUATION:
        found += [derivation.equation(name) for name in graph.named]
    return found


# --- random networks ---------------------------------------------------------------------------------------

Shape = tuple[str, ...]  # of the axes' names: "1", "k", "n", "m"


class Sample(NamedTuple):
    """A random network: its formula, its numbers, and the model they make."""

    formula: str
    parameters: dict[str, Array]
    data: dict[str, Array]


_LEAVES: dict[str, Shape] = {
    "s": (),
    "u": ("1", "1"),
    "w": ("1", "k"),
    "b": ("k", "1"),
    "c": ("n", "1"),
    "W": ("k", "n"),
    "X": ("n", "m"),
    "y": ("1", "m"),
}
_DATA = ("X", "y")
_ROWS = {"1": "u", "k": "w", "n": "c.T", "m": "y"}
_COLUMNS = {"1": "u", "k": "b", "n": "c", "m": "y.T"}
# each keeps its argument where the function is smooth and its values moderate
_UNARY = (
    *("sin({})", "cos({})", "tanh({})", "sigmoid({})", "softplus({})", "abs({})", "relu({})", "-{}", "+{}"),
    *("exp(sin({}))", "log(1.5 + sin({}))", "sqrt(1.5 + cos({}))", "({})**2", "({})**3", "-({})**2"),
    *("1/(2 + sin({}))", "2**-sin({})", "(1.5 + sin({}))**-1.5", "3 * {}", "{} / 4", "0.5 - {}", "m * {}"),
    *("({})**1", "({})**0", "1 * {}", "{} + 0", "-1 * {}", "-(-{})", "{}.T.T", "2 * ({}) / m"),
)
_BINARY = (
    *("{} + {}", "{} - {}", "{} * {}", "{} * -{}", "-{} * {}", "{} / (2 + cos({}))", "{} - ({} - 1)"),
    *("(1.5 + sin({}))**tanh({})", "max({}, {})", "min({}, {})", "{} + -{}", "{} / -(2 + sin({}))"),
)
_SCALARS = ("mse({0}, {1})", "bce({0}, {1})", "cross_entropy({0}, {1})", "norm({0} - {1})**2")
_REDUCTIONS = (
    "sum({}{})",
    "mean({}{})",
    "norm({}{})",
    "norm({}{})**2",
    "max({}{})",
    "min({}{})",
    "-sum({}{})",
)


class _Writer:
    """Draws expressions of a wanted shape."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.known = dict(_LEAVES)

    def choose(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def expression(self, shape: Shape, depth: int) -> str:
        kinds = [self.leaf]
        if depth > 0:
            kinds += [self.unary, self.binary, self.binary, self.reduction]
            kinds += [self.transposed, self.product, self.product] if len(shape) == 2 else [self.product]
            kinds += [self.pair_to_scalar] if not shape else [self.softmax]
        return self.choose(kinds)(shape, depth - 1)

    def part(self, shape: Shape, depth: int) -> str:
        """Return an expression that an operator may stand beside."""
        text = self.expression(shape, depth)
        return text if re.fullmatch(r"\w+", text) else f"({text})"

    def leaf(self, shape: Shape, _: int) -> str:
        names = [name for name, held in self.known.items() if held == shape]
        if names:
            return self.choose(names)
        if len(shape) == 1:
            return f"sum({_ROWS[shape[0]]}, axis=0)"
        # y.T * y would put the examples on both axes, which the language refuses
        operator = "@" if shape[0] == "m" else self.choose("*@")
        return f"{_COLUMNS[shape[0]]} {operator} {_ROWS[shape[1]]}"

    def unary(self, shape: Shape, depth: int) -> str:
        return self.choose(_UNARY).format(self.part(shape, depth))

    def binary(self, shape: Shape, depth: int) -> str:
        if self.choose((True, False, False)):
            part = self.part(shape, depth)  # the same value twice
            return self.choose(_BINARY).format(part, part)
        pair = [shape, self.smaller(shape)]
        if self.choose((True, False)):
            pair = self.crossed(shape)
        if self.choose((True, False)):
            pair.reverse()
        return self.choose(_BINARY).format(*(self.part(s, depth) for s in pair))

    def smaller(self, shape: Shape) -> Shape:
        """Return a shape that broadcasts to `shape`."""
        kept = tuple(self.choose((axis, axis, "1")) for axis in shape)
        return kept[self.choose(range(len(shape) + 1)) :] if self.choose((True, False)) else kept

    def crossed(self, shape: Shape) -> list[Shape]:
        """Return two shapes, each copied along some axis of `shape`."""
        first = tuple(self.choose((axis, "1")) for axis in shape)
        return [
            first,
            tuple(a if f == "1" else self.choose((a, "1")) for a, f in zip(shape, first, strict=True)),
        ]

    def transposed(self, shape: Shape, depth: int) -> str:
        return f"{self.part(shape[::-1], depth)}.T"

    def product(self, shape: Shape, depth: int) -> str:
        inner = self.choose("1knm")
        if len(shape) == 2:
            left, right = (shape[0], inner), (inner, shape[1])
        elif len(shape) == 1:
            left, right = self.choose([((inner,), (inner, *shape)), ((*shape, inner), (inner,))])
        else:
            left, right = (inner,), (inner,)
        return f"{self.part(left, depth)} @ {self.part(right, depth)}"

    def reduction(self, shape: Shape, depth: int) -> str:
        form = self.choose(_REDUCTIONS)
        if "1" in shape and self.choose((True, False)):
            axis = self.choose([i for i, name in enumerate(shape) if name == "1"])
            whole = (*shape[:axis], self.choose("1knm"), *shape[axis + 1 :])
            option = f", axis={self.choose((axis, axis - len(shape)))}, keepdims=True"
        elif shape == ("1", "1") and self.choose((True, False)):
            whole, option = (self.choose("1knm"), self.choose("1knm")), ", keepdims=True"
        elif len(shape) == 2:
            return self.leaf(shape, depth)
        elif not shape and self.choose((True, False)):
            whole, option = self.choose([(), ("1", "m"), ("n", "m"), ("k", "n"), ("k",), ("m",)]), ""
        else:
            axis = self.choose(range(len(shape) + 1))
            whole = (*shape[:axis], self.choose("1knm"), *shape[axis:])
            option = f", axis={self.choose((axis, axis - len(whole)))}"
        return form.format(self.part(whole, depth), option)

    def softmax(self, shape: Shape, depth: int) -> str:
        return f"softmax({self.part(shape, depth)}{self.choose(('', ', axis=0', ', axis=-1'))})"

    def pair_to_scalar(self, _: Shape, depth: int) -> str:
        shape = self.choose([("1", "m"), ("k", "m"), ("k", "1"), ("n", "k")])
        return self.choose(_SCALARS).format(self.part(shape, depth), self.part(shape, depth))

    def lines(self) -> str:
        found = []
        for i in range(self.draw(st.integers(0, 3))):
            shape = self.choose(
                [("k", "m"), ("n", "m"), ("1", "m"), ("k", "1"), (), ("m",), ("k",), ("k", "n")]
            )
            name = self.choose(("Z", "h", "yhat", "alpha")) + (str(i) if i else "")
            found.append(f"{name} = {self.expression(shape, 2)}")
            self.known[name] = shape
        # the last line reads every line above, so that nothing drawn is idle
        ends = [f"mean(sin({name}))" for name in self.known if name not in _LEAVES]
        return "\n".join([*found, "L = " + " + ".join([*ends, self.part((), 3)])])


@st.composite
def samples(draw: st.DrawFn, largest: int = 4) -> Sample:
    """Draw a network: one to four lines over every function, at sizes that coincide more often than not."""
    sizes = {"1": 1, **{name: draw(st.integers(1, largest)) for name in "knm"}}
    formula = _Writer(draw).lines()
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    values = {
        name: np.asarray(rng.normal(0, 1, tuple(sizes[axis] for axis in shape)))
        for name, shape in _LEAVES.items()
    }
    data = {name: values.pop(name) for name in _DATA}
    return Sample(formula, values, data)


def built(sample: Sample) -> Model | None:
    """Return the model of a sample, None where its shapes put the examples on both axes.

    That is the one thing that a sample may get wrong; every other error fails the test.
    """
    try:
        return model_of(*sample)
    except FormulaError as error:
        if "examples meet features" not in error.what:
            raise
        return None


# --- random recipes ----------------------------------------------------------------------------------------


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Draw how to train: any optimizer, schedule and rules to stop, settings anywhere in their ranges."""
    optimizer = draw(st.sampled_from(list(OPTIMIZERS.values())))
    schedule = draw(st.sampled_from(list(SCHEDULES.values())))
    rules = {rule: draw(st.none() | in_range(h)) for rule, h in STOPPING.items()}
    return Recipe(
        optimizer.name,
        draw(_some(optimizer.hyperparameters)),
        draw(st.none() | st.integers(1, 99)),
        Stopping(**rules),
        schedule.name,
        draw(_some(schedule.hyperparameters)),
    ).checked()


def in_range(h: Hyperparameter) -> st.SearchStrategy[float]:
    """Draw a value of a hyperparameter."""
    low, high = max(h.low, -1e9), min(h.high, 1e9)
    if h.whole:
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min=h.open_low, exclude_max=h.open_high)


def _some(hyperparameters: Sequence[Hyperparameter]) -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries({}, optional={h.name: in_range(h) for h in hyperparameters})


def example(kind: str) -> str:
    """Return the example that stands in an empty field for an answer of a kind."""
    return PROMPTS.get(kind, "nothing").rpartition("such as ")[2].rpartition(": ")[2]
