r"""The optimizers: one record each, written as lines of the formula language.

A record declares its hyperparameters with their ranges, and its update as a few lines over ``value`` (the
parameter), ``gradient``, the hyperparameters, ``t`` (the number of the update, counted from 1) and what the
lines above have worked out. What a line reads before it is assigned is what the optimizer keeps from one
update to the next, zero at first. The lines are read once; from them come the LaTeX, the NumPy source, the
numbers put in, and the calls that compute (:attr:`Optimizer.calls`). So an update is shown quantity by
quantity, taken back and exported like any other step, and the training plan runs the very same operations.

All numbers follow PyTorch's rules to rounding, with these differences in convention:

- ``momentum`` and ``nesterov``: the course's form weighs the gradient with ``1 - dampening``, and
  ``dampening`` follows ``momentum`` unless it is given: the velocity is an average of gradients. PyTorch's
  default is the heavy ball, ``dampening = 0``, a sum of gradients. PyTorch also leaves the first gradient
  undampened (``v = g``); here dampening holds from the first update on, so they agree at ``dampening = 0``.
- ``nesterov`` takes a ``dampening`` too, which PyTorch refuses; at 0 they agree.
- ``epsilon`` stands outside the root, as in PyTorch; it is 1e-8 by default (PyTorch's Adagrad: 1e-10).
- ``rmsprop``: ``rho`` is PyTorch's ``alpha``, 0.9 by default as in Hinton's lecture (PyTorch: 0.99).
- there is no weight decay and no AMSGrad.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import inf
from typing import Any

import numpy as np

from engine.derive import Derivation
from engine.elementwise import Call, compiled, compute, express
from engine.expr import Expr, Name
from engine.formula import Statement, identifiers, parse
from engine.hyperparameters import Hyperparameter, completed
from engine.notation import latex, source
from engine.trace import Step, Update

__all__ = [
    "OPTIMIZERS",
    "QUANTITIES",
    "Hyperparameter",
    "Optimizer",
    "Quantity",
    "TorchForm",
    "UpdateEquation",
    "update_equation",
    "updates",
]

Array = np.ndarray
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Quantity:
    r"""What one line of an update works out.

    Attributes
    ----------
    name, text
        In the lines and in traces (``square_average``), and in sentences ("square average").
    symbol, code
        Its LaTeX and its name in NumPy source; ``{p}`` stands for the parameter's.
    why
        One sentence about what it is for. In it ``{p}`` is the parameter, ``{t}`` the number of the update,
        ``{rho}`` the share that a hyperparameter is ("nine tenths"), ``{other_rho}`` the rest ("one tenth").
    """

    name: str
    text: str
    symbol: str
    code: str
    why: str

    @property
    def is_value(self) -> bool:
        """Whether it is the parameter itself, which ends every update."""
        return self.name == "value"

    def named(self, parameter: Name) -> Name:
        """Return the quantity of a parameter as a symbol; values of it are looked up as ``W1:velocity``."""
        return Name(
            parameter.name if self.is_value else f"{parameter.name}:{self.name}",
            parameter.dims,
            self.symbol.replace("{p}", parameter.text),
            self.code.replace("{p}", parameter.code),
        )


VALUE = Quantity("value", "new value", "{p}", "{p}", "{p} takes its step: the update of {p} is done.")


@dataclass(frozen=True, eq=False)
class UpdateEquation:
    """One line of an update, for one parameter.

    In NumPy source the hyperparameters stand as ``{rho}``, for numbers to be put in: these change with a
    schedule, and ``t`` at every iteration.

    Attributes
    ----------
    replaces
        Whether the line replaces an older value of its target: then it is written with an arrow.
    """

    quantity: Quantity
    target: Name
    expr: Expr
    replaces: bool

    @cached_property
    def latex(self) -> str:
        """The line as LaTeX."""
        sign = r"\leftarrow" if self.replaces else "="
        return f"{self.target.text} {sign} {latex(self.expr)}"

    def source(self, settings: Settings) -> str:
        """Return the NumPy statement, the hyperparameters and ``t`` put in."""
        return self._source.format_map({"t": 1, **settings})

    @cached_property
    def _source(self) -> str:
        return f"{self.target.code} = {source(self.expr)}"


@dataclass(frozen=True)
class TorchForm:
    """How ``torch.optim`` does the same update, to rounding.

    Attributes
    ----------
    name
        The class.
    arguments
        Its arguments as source, by keyword; ``{learning_rate}`` and the other hyperparameters are put in.
    note
        A sentence about what PyTorch does otherwise by itself.
    positive
        Hyperparameters that PyTorch takes only above zero.
    """

    name: str
    arguments: Mapping[str, str]
    note: str = ""
    positive: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Optimizer:
    """An optimizer.

    Attributes
    ----------
    text
        How it works, in one sentence.
    reference
        Where it was published.
    formula
        Its update in the formula language, a line a quantity; the last one is ``value``.
    quantities
        What the lines work out, in their order.
    torch
        How PyTorch does it, None where it does not.
    """

    name: str
    title: str
    text: str
    reference: str
    hyperparameters: tuple[Hyperparameter, ...]
    formula: str
    quantities: tuple[Quantity, ...]
    torch: TorchForm | None = None

    @cached_property
    def statements(self) -> Sequence[Statement]:
        """The parsed lines."""
        return parse(self.formula)

    @cached_property
    def state(self) -> tuple[str, ...]:
        """The quantities that are kept from one update to the next, zeros at first."""
        read = identifiers(self.statements)
        return tuple(q.name for q in self.quantities if q.name in read and not q.is_value)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The lines as elementwise calls: the training plan runs them on one vector of all parameters.

        They read ``value``, ``gradient``, the names in `state`, the hyperparameters and ``t``.
        """
        return compiled(self.statements, {*(h.name for h in self.hyperparameters), "t"})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name alone: calls and symbols are made again."""
        return _named, (self.name,)

    def quantity(self, name: str | None) -> Quantity:
        """Return one of the quantities."""
        return next(q for q in self.quantities if q.name == name)

    def hyperparameter(self, name: str) -> Hyperparameter:
        """Return one of the hyperparameters."""
        return next(h for h in self.hyperparameters if h.name == name)

    def settings(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Return every hyperparameter, checked; defaults where none is given.

        Raises
        ------
        TrainingError
            For a value out of range, and for one that this optimizer does not have.
        """
        return completed(self.name, self.hyperparameters, given)

    def rule(
        self, value: Array, gradient: Array, state: Mapping[str, Array], settings: Settings
    ) -> dict[str, Array]:
        """Return the quantities of one update by name, for arrays of any one shape.

        Parameters
        ----------
        state
            What `state` lists, from the update before.
        settings
            The hyperparameters, the scheduled learning rate among them, and ``t``.
        """
        known: dict[str, Any] = {"t": 1, **settings, **state, "value": value, "gradient": gradient}
        compute(self.calls, known)
        return {q.name: known[q.name] for q in self.quantities}

    def equations(
        self, parameter: Name, gradient: Name, taken: Collection[str] = (), first: bool = False
    ) -> tuple[UpdateEquation, ...]:
        """Return the lines for one parameter, in symbols.

        Parameters
        ----------
        taken
            Names of the network, which the source's names keep clear of.
        first
            Whether nothing has been kept yet: the source then starts from zeros.
        """
        targets = tuple(_clear_of(quantity.named(parameter), taken) for quantity in self.quantities)
        return _equations(self, parameter, gradient, targets, first)

    def _symbols(self) -> dict[str, Expr]:
        """Return the hyperparameters as symbols; their values are looked up as ``:rho``."""
        symbols = {**{h.name: h.symbol for h in self.hyperparameters}, "t": "t"}
        return {name: Name(f":{name}", (), symbol, f"{{{name}}}") for name, symbol in symbols.items()}


@lru_cache(maxsize=4096)
def _equations(
    optimizer: Optimizer, parameter: Name, gradient: Name, targets: tuple[Name, ...], first: bool
) -> tuple[UpdateEquation, ...]:
    quantities = dict(zip((q.name for q in optimizer.quantities), targets, strict=True))
    kept: dict[str, Expr] = {name: quantities[name] for name in optimizer.state}
    if first:
        zeros = f"np.zeros_like({parameter.code})"
        kept = {name: replace(quantities[name], code=zeros) for name in optimizer.state}
    scope: dict[str, Expr] = {"value": parameter, "gradient": gradient, **optimizer._symbols(), **kept}
    found = []
    for quantity, target, statement in zip(optimizer.quantities, targets, optimizer.statements, strict=True):
        replaces = quantity.name in scope
        found.append(UpdateEquation(quantity, target, express(statement, scope), replaces))
        scope[quantity.name] = target
    return tuple(found)


def _clear_of(name: Name, taken: Collection[str]) -> Name:
    """Return the symbol of a quantity with a code that nothing in the network is called."""
    code = name.code
    while ":" in name.name and code in taken:
        code += "_"
    return name if code == name.code else replace(name, code=code)


def update_equation(optimizer: Optimizer, derivation: Derivation, step: Step) -> UpdateEquation:
    """Return the equation of an update step, in the names of its parameter."""
    graph = derivation.graph
    node = graph[step.node]
    parameter = Name(node.name, node.dims, derivation.name_latex(node.name), node.name)
    gradient = derivation.gradient_name(node.name)
    if node.id not in graph.on_loss_path:  # no line has set its gradient: it is zero
        gradient = replace(gradient, code=f"np.zeros_like({node.name})")
    found = optimizer.equations(parameter, gradient, graph.ids, first=step.before is None)
    return next(e for e in found if e.quantity.name == step.quantity)


def updates(
    optimizer: Optimizer,
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    state: Mapping[tuple[str, str], Array],
    settings: Settings,
) -> list[Update]:
    """Return every quantity of one update, parameter by parameter."""
    found = []
    for name, value in parameters.items():
        kept = {key: state.get((name, key), np.zeros_like(value)) for key in optimizer.state}
        quantities = optimizer.rule(value, gradients[name], kept, settings)
        for quantity in optimizer.quantities:
            key = quantity.name
            before = value if quantity.is_value else state.get((name, key)) if key in kept else None
            found.append(Update(name, key, before, np.asarray(quantities[key])))
    return found


# --- the table ---------------------------------------------------------------------------------------------


def _rate(default: float) -> Hyperparameter:
    why = "How far a step goes: too small and training crawls, too large and it diverges."
    return Hyperparameter("learning_rate", "learning rate", default, 0.0, inf, r"\eta", why, open_low=True)


def _share(name: str, text: str, default: float, symbol: str, why: str, follows: str = "") -> Hyperparameter:
    """Return a hyperparameter from 0 to less than 1: how much of an average stays at an update."""
    return Hyperparameter(name, text, default, 0.0, 1.0, symbol, why, open_high=True, follows=follows)


MOMENTUM = _share("momentum", "momentum", 0.9, "M", "How much of the last velocity stays.")
DAMPENING = _share(
    "dampening",
    "dampening",
    0.9,
    "D",
    "How much of the gradient is left out of the velocity: as much as the momentum, or 0 for a heavy ball.",
    follows="momentum",
)
RHO = _share("rho", "decay rate rho", 0.9, r"\rho", "How much of the last square average stays.")
BETA1 = _share("beta1", "decay rate beta1", 0.9, r"\beta_1", "How much of the last first moment stays.")
BETA2 = _share("beta2", "decay rate beta2", 0.999, r"\beta_2", "How much of the last second moment stays.")
EPSILON = Hyperparameter(
    "epsilon", "epsilon", 1e-8, 0.0, inf, r"\epsilon", "Keeps the division away from zero.", open_low=True
)

VELOCITY = Quantity(
    "velocity",
    "velocity",
    "v_{{p}}",
    "v_{p}",
    "The velocity remembers {momentum} of the last one and takes {other_dampening} of the gradient.",
)


def _step(why: str) -> Quantity:
    return Quantity("step", "step", r"\Delta {p}", "step_{p}", why)


_TABLE = (
    Optimizer(
        "gd",
        "Gradient descent",
        "Every parameter goes against its gradient, by the learning rate times as far.",
        "Cauchy 1847; with mini-batches: Robbins & Monro 1951",
        (_rate(0.1),),
        "value = value - learning_rate * gradient",
        (Quantity("value", "new value", "{p}", "{p}", "{p} takes one step against its gradient."),),
        TorchForm("SGD", {"lr": "{learning_rate}"}),
    ),
    Optimizer(
        "momentum",
        "Momentum",
        "A velocity averages the gradients: what turns to and fro cancels, what stays adds up.",
        "Polyak 1964 (heavy ball)",
        (_rate(0.1), MOMENTUM, DAMPENING),
        """
        velocity = momentum * velocity + (1 - dampening) * gradient
        step = learning_rate * velocity
        value = value - step
        """,
        (
            VELOCITY,
            _step("The step of {p} follows the velocity, not the newest gradient alone."),
            VALUE,
        ),
        TorchForm(
            "SGD",
            {"lr": "{learning_rate} * (1 - {dampening})", "momentum": "{momentum}"},
            "PyTorch's own dampening leaves the first gradient whole. Dampening them all is the same as a "
            "smaller learning rate.",
        ),
    ),
    Optimizer(
        "nesterov",
        "Nesterov momentum",
        "Momentum that looks ahead: the step is taken from where the velocity would have led.",
        "Nesterov 1983, in the form of Sutskever et al. 2013",
        (_rate(0.1), MOMENTUM, DAMPENING),
        """
        velocity = momentum * velocity + (1 - dampening) * gradient
        step = learning_rate * (momentum * velocity + (1 - dampening) * gradient)
        value = value - step
        """,
        (
            VELOCITY,
            _step("The step of {p} looks ahead: it takes the velocity as it would be one update further."),
            VALUE,
        ),
        TorchForm(
            "SGD",
            {
                "lr": "{learning_rate} * (1 - {dampening})",
                "momentum": "{momentum}",
                "nesterov": "True",
            },
            "PyTorch takes no dampening with Nesterov. It is the same as a smaller learning rate.",
            ("momentum",),
        ),
    ),
    Optimizer(
        "adagrad",
        "Adagrad",
        "Every entry has a learning rate of its own, which falls as its squared gradients add up.",
        "Duchi, Hazan & Singer 2011",
        (_rate(0.5), EPSILON),
        """
        square_sum = square_sum + gradient ** 2
        step = learning_rate * gradient / (sqrt(square_sum) + epsilon)
        value = value - step
        """,
        (
            Quantity(
                "square_sum",
                "sum of squares",
                "s_{{p}}",
                "s_{p}",
                "The sum of squares adds up how strongly each entry was pulled, from the first update on.",
            ),
            _step(
                "The step is the gradient over the root of that sum: what was pulled often takes small steps."
            ),
            VALUE,
        ),
        TorchForm(
            "Adagrad", {"lr": "{learning_rate}", "eps": "{epsilon}"}, "PyTorch's own eps is 1e-10 by default."
        ),
    ),
    Optimizer(
        "rmsprop",
        "RMSprop",
        "The gradient is divided by its usual size, so that all entries move at about the same pace.",
        "Hinton, Neural Networks for Machine Learning, lecture 6e, 2012",
        (_rate(0.02), RHO, EPSILON),
        """
        square_average = rho * square_average + (1 - rho) * gradient ** 2
        step = learning_rate * gradient / (sqrt(square_average) + epsilon)
        value = value - step
        """,
        (
            Quantity(
                "square_average",
                "square average",
                "s_{{p}}",
                "s_{p}",
                "The square average remembers {rho} of the last one and takes {other_rho} of the squared "
                "gradient.",
            ),
            _step("The step is the gradient over its usual size: small gradients move as far as large ones."),
            VALUE,
        ),
        TorchForm(
            "RMSprop",
            {"lr": "{learning_rate}", "alpha": "{rho}", "eps": "{epsilon}"},
            "PyTorch calls rho alpha, and takes 0.99 by default; eps stands outside the root in both.",
        ),
    ),
    Optimizer(
        "adam",
        "Adam",
        "Momentum over the gradient's usual size, both averages corrected for having started at zero.",
        "Kingma & Ba 2015",
        (_rate(0.05), BETA1, BETA2, EPSILON),
        """
        first_moment = beta1 * first_moment + (1 - beta1) * gradient
        second_moment = beta2 * second_moment + (1 - beta2) * gradient ** 2
        corrected_first = first_moment / (1 - beta1 ** t)
        corrected_second = second_moment / (1 - beta2 ** t)
        step = learning_rate * corrected_first / (sqrt(corrected_second) + epsilon)
        value = value - step
        """,
        (
            Quantity(
                "first_moment",
                "first moment",
                "v_{{p}}",
                "v_{p}",
                "The first moment is a velocity: it remembers {beta1} of the last and takes {other_beta1} "
                "of the gradient.",
            ),
            Quantity(
                "second_moment",
                "second moment",
                "s_{{p}}",
                "s_{p}",
                "The second moment remembers {beta2} of the last one and takes {other_beta2} of the squared "
                "gradient.",
            ),
            Quantity(
                "corrected_first",
                "corrected first moment",
                r"\hat{v}_{{p}}",
                "v_hat_{p}",
                "The first moment started at zero and is too small: update {t} divides by what it has taken.",
            ),
            Quantity(
                "corrected_second",
                "corrected second moment",
                r"\hat{s}_{{p}}",
                "s_hat_{p}",
                "The second moment started at zero as well, and is corrected in the same way at update {t}.",
            ),
            _step(
                "The step is the average gradient over its usual size: the learning rate, if gradients agree."
            ),
            VALUE,
        ),
        TorchForm("Adam", {"lr": "{learning_rate}", "betas": "({beta1}, {beta2})", "eps": "{epsilon}"}),
    ),
)

OPTIMIZERS: Mapping[str, Optimizer] = {optimizer.name: optimizer for optimizer in _TABLE}
QUANTITIES: Mapping[str, Quantity] = {q.name: q for optimizer in _TABLE for q in optimizer.quantities}


def _named(name: str) -> Optimizer:
    return OPTIMIZERS[name]
