"""Training beside its peers: python -m tests.benchmarks.peers

Full-batch gradient-descent steps a second (forward, backward and update; float64; one BLAS thread; the loss
of every step given to Python), as ratios to PyTorch eager. All contenders of a row take turns in short
rounds, and a ratio is the median over the rounds, so that a busy machine slows all of them alike.

Backstep trains through `Run.advance`, as the window does: what is measured includes the recording of losses
and samples. The hand-tuned loops are what a person would write who knows the network, NumPy and BLAS well:
one vector of parameters, biases as rows of ones, targets as one more row with the coefficient -1, constants
folded into the data, chains of products in the cheapest order, everything in place. JAX's scan does not give
the losses to Python step by step and stands for information.

Peers that are not installed are left out: `uv sync --group peers`, or pip install torch jax autograd.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import importlib.util
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from time import perf_counter
from typing import Any

import numpy as np

from engine.training import Recipe, Run
from graphs.network import Network, bind

Array = np.ndarray
Losses = Any
Train = Callable[[int], Losses]  # from a number of steps to their losses

RATE = 1e-3
SIZES = {"S": (100, 3, 4), "M": (1000, 20, 32), "L": (10000, 100, 256)}  # m, n, k
LINEAR = "yhat = w @ X + b\nL = 1/m * norm(yhat - y)**2"
FORMULAS = {
    "U": "yhat = w * x + b\nL = 1/m * norm(yhat - y)**2",
    "M": LINEAR,
    "L2": "Z = W1 @ X + b1\nyhat = w2 @ Z + b2\nL = 1/m * norm(yhat - y)**2",
    "N2": "Z = W1 @ X + b1\nA = sigmoid(Z)\nyhat = w2 @ A + b2\nL = 1/m * norm(yhat - y)**2",
    "LR": "z = w @ X + b\na = sigmoid(z)\nL = -1/m * sum(y * log(a) + (1 - y) * log(1 - a))",
}


@dataclass(frozen=True)
class Case:
    """One row of the table: a network at a size."""

    network: str
    size: str
    data: Mapping[str, Array]
    parameters: Mapping[str, Array]

    @property
    def title(self) -> str:
        """How the row is called."""
        return f"{self.network}/{self.size}"

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Copies of the data, then of the parameters."""
        return tuple(a.copy() for a in (*self.data.values(), *self.parameters.values()))


def case_of(network: str, size: str) -> Case:
    """Return a row with random data and parameters, the same for all contenders."""
    m, n, k = SIZES[size]
    n = 1 if network == "U" else n
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, m))
    y = rng.normal(size=(1, n)) @ x / np.sqrt(n) + 0.5 + 0.3 * rng.normal(size=(1, m))
    if network == "LR":
        y = (y > 0.5) * 1.0
    if network in ("L2", "N2"):
        parameters = {
            "W1": rng.normal(size=(k, n)) / np.sqrt(n),
            "b1": np.zeros((k, 1)),
            "w2": rng.normal(size=(1, k)) / np.sqrt(k),
            "b2": np.array(0.0),
        }
    else:
        w = np.array(0.1) if network == "U" else 0.1 * rng.normal(size=(1, n))
        parameters = {"w": w, "b": np.array(0.0)}
    return Case(network, size, {"x" if network == "U" else "X": x, "y": y}, parameters)


# --- Backstep ----------------------------------------------------------------------------------------------


def backstep(case: Case) -> Train:
    """Return the training of the product, from the formula's text."""
    network = Network("peer", "Peer", FORMULAS[case.network], parameters=case.parameters, data=case.data)
    run = Run(bind(network), Recipe(settings={"learning_rate": RATE}))
    return lambda steps: run.advance(steps).losses


# --- NumPy, as one first writes it -------------------------------------------------------------------------


def naive(case: Case) -> Train:
    """Return a loop of the equations, each written down as it stands."""
    step = {"U": _naive_line, "M": _naive_line, "L2": _naive_l2, "N2": _naive_n2, "LR": _naive_lr}[
        case.network
    ]
    data = tuple(case.data.values())
    parameters = [a.copy() for a in case.parameters.values()]

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            loss, gradients = step(*data, *parameters)
            for i, gradient in enumerate(gradients):
                parameters[i] = parameters[i] - RATE * gradient
            losses.append(float(loss))
        return losses

    return train


def _naive_line(x: Array, y: Array, w: Array, b: Array) -> tuple[Any, list[Any]]:
    m = x.shape[1]
    error = (w @ x if w.ndim else w * x) + b - y
    upstream = 2 / m * error
    return np.sum(error**2) / m, [(upstream @ x.T).reshape(w.shape), np.sum(upstream)]


def _naive_l2(x: Array, y: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> tuple[Any, list[Any]]:
    m = x.shape[1]
    z = w1 @ x + b1
    error = w2 @ z + b2 - y
    upstream = 2 / m * error
    back = w2.T @ upstream
    return np.sum(error**2) / m, [
        back @ x.T,
        np.sum(back, axis=1, keepdims=True),
        upstream @ z.T,
        np.sum(upstream),
    ]


def _naive_n2(x: Array, y: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> tuple[Any, list[Any]]:
    m = x.shape[1]
    a = 1 / (1 + np.exp(-(w1 @ x + b1)))
    error = w2 @ a + b2 - y
    upstream = 2 / m * error
    back = (w2.T @ upstream) * a * (1 - a)
    return np.sum(error**2) / m, [
        back @ x.T,
        np.sum(back, axis=1, keepdims=True),
        upstream @ a.T,
        np.sum(upstream),
    ]


def _naive_lr(x: Array, y: Array, w: Array, b: Array) -> tuple[Any, list[Any]]:
    m = x.shape[1]
    a = 1 / (1 + np.exp(-(w @ x + b)))
    loss = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / m
    error = (a - y) / m
    return loss, [error @ x.T, np.sum(error)]


# --- NumPy, tuned by hand ----------------------------------------------------------------------------------


def hand_tuned(case: Case) -> Train:
    """Return the loop of a person who knows the network."""
    make = {"U": _tuned_line, "M": _tuned_line, "L2": _tuned_l2, "N2": _tuned_n2, "LR": _tuned_lr}
    return make[case.network](*case.arrays)


def _folds(x: Array) -> bool:
    """Say whether a scaled copy of the data is worth its memory: it saves one small call."""
    return x.size <= 30_000


def _tuned_line(x: Array, y: Array, w: Array, b: Array) -> Train:
    m = x.shape[1]
    table = np.concatenate([x, np.ones((1, m)), y])
    theta = np.concatenate([w.ravel(), b.ravel(), [-1.0]])
    free, scale = theta[:-1], np.array(2 * RATE / m)
    known = table[:-1]
    folds = _folds(x)
    if folds:
        known = known * scale
    error, gradient = np.empty(m), np.empty(len(free))
    forward, square, back, subtract, multiply = theta.dot, error.dot, known.dot, np.subtract, np.multiply

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            forward(table, error)
            back(error, gradient)
            if not folds:
                multiply(gradient, scale, gradient)
            subtract(free, gradient, free)
            losses.append(square(error) / m)
        return losses

    return train


def _tuned_l2(x: Array, y: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> Train:
    m, k, n = x.shape[1], len(w1), len(x)
    table = np.concatenate([x, np.ones((1, m)), y])
    # [W1 b1; 0 1] and [w2 b2]: in homogeneous coordinates both layers are products, and so is their chain
    rows = (k + 1) * (n + 1)
    theta = np.zeros(rows + k + 1)
    first, second = theta[:rows].reshape(k + 1, n + 1), theta[rows:]
    first[:k, :n], first[:k, n:], first[k, n] = w1, b1, 1.0
    second[:k], second[k] = w2[0], b2
    column = second[:k].reshape(k, 1)
    gradient = np.zeros_like(theta)
    in_first, in_second = gradient[:rows].reshape(k + 1, n + 1)[:k], gradient[rows:]
    whole = np.full(n + 2, -1.0)
    composed, error, moment = whole[:-1], np.empty(m), np.empty(n + 1)
    row, scale = moment.reshape(1, n + 1), np.array(2 * RATE / m)
    folds = _folds(x)
    known = table[:-1] * scale if folds else table[:-1]
    dot, subtract, multiply = np.dot, np.subtract, np.multiply

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            dot(second, first, composed)
            dot(whole, table, error)
            dot(known, error, moment)
            if not folds:
                multiply(moment, scale, moment)
            dot(first, moment, in_second)
            dot(column, row, in_first)
            subtract(theta, gradient, theta)
            losses.append(error.dot(error) / m)
        return losses

    return train


def _tuned_n2(x: Array, y: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> Train:
    m, k, n = x.shape[1], len(w1), len(x)
    known = np.concatenate([x, np.ones((1, m))])
    minus = -known
    turned = minus.T  # one copy of the data, its sign put right in the scale
    rows = k * (n + 1)
    theta = np.zeros(rows + k + 2)
    first, second, free = theta[:rows].reshape(k, n + 1), theta[rows:], theta[:-1]
    first[:, :n], first[:, n:] = w1, b1
    second[:k], second[k], second[k + 1] = w2[0], b2, -1.0
    column = second[:k].reshape(k, 1)
    gradient = np.zeros(rows + k + 1)
    in_first, in_second = gradient[:rows].reshape(k, n + 1), gradient[rows:]
    table = np.concatenate([np.empty((k, m)), np.ones((1, m)), y])
    active, closed = table[:k], table[: k + 1]
    error, slope, back = np.empty(m), np.empty((k, m)), np.empty((k, m))
    row, one, scale, sign = error.reshape(1, m), np.array(1.0), np.array(2 * RATE / m), np.array(-1.0)
    large = k * m > 8000
    if not large:
        turned = known.T
    dot, subtract, multiply, add = np.dot, np.subtract, np.multiply, np.add
    exp, reciprocal = np.exp, np.reciprocal
    minus_column = np.empty((k, 1))

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            dot(first, minus, active)
            exp(active, active)
            add(active, one, active)
            reciprocal(active, active)
            dot(second, table, error)
            dot(closed, error, in_second)
            multiply(active, active, slope)
            subtract(active, slope, slope)
            if large:  # scale the rows of the small product, not of the large matrix
                multiply(slope, row, slope)
                dot(slope, turned, in_first)
                multiply(column, sign, minus_column)
                multiply(in_first, minus_column, in_first)
            else:
                dot(column, row, back)
                multiply(slope, back, slope)
                dot(slope, turned, in_first)
            multiply(gradient, scale, gradient)
            subtract(free, gradient, free)
            losses.append(error.dot(error) / m)
        return losses

    return train


def _tuned_lr(x: Array, y: Array, w: Array, b: Array) -> Train:
    m = x.shape[1]
    known = np.concatenate([x, np.ones((1, m))])
    minus = -known
    theta = np.concatenate([w.ravel(), b.ravel()])
    scale = np.array(-RATE / m)
    folds = _folds(x)
    turned = known * -scale if folds else minus
    both, logs = np.empty(2 * m), np.empty(2 * m)
    yes, no, target = both[:m], both[m:], y[0]
    weights = np.concatenate([target, 1 - target])
    error, gradient, one = np.empty(m), np.empty(len(theta)), np.array(1.0)
    dot, exp, add, subtract, log = np.dot, np.exp, np.add, np.subtract, np.log
    reciprocal, multiply = np.reciprocal, np.multiply

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            dot(theta, minus, yes)
            exp(yes, yes)
            add(yes, one, yes)
            reciprocal(yes, yes)
            subtract(one, yes, no)
            log(both, logs)
            subtract(yes, target, error)
            dot(turned, error, gradient)
            if not folds:
                multiply(gradient, scale, gradient)
            subtract(theta, gradient, theta)
            losses.append(weights.dot(logs) / -m)
        return losses

    return train


# --- peers -------------------------------------------------------------------------------------------------


def loss_in(np_: Any, network: str) -> Callable[..., Any]:
    """Return the loss of a network as a function of data and parameters, in a library like NumPy."""

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np_.exp(-z))

    def line(x: Any, y: Any, w: Any, b: Any) -> Any:
        return np_.sum((w * x + b - y) ** 2) / x.shape[1]

    def multi(x: Any, y: Any, w: Any, b: Any) -> Any:
        return np_.sum((w @ x + b - y) ** 2) / x.shape[1]

    def l2(x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return np_.sum((w2 @ (w1 @ x + b1) + b2 - y) ** 2) / x.shape[1]

    def n2(x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return np_.sum((w2 @ sigmoid(w1 @ x + b1) + b2 - y) ** 2) / x.shape[1]

    def lr(x: Any, y: Any, w: Any, b: Any) -> Any:
        a = sigmoid(w @ x + b)
        return -np_.sum(y * np_.log(a) + (1 - y) * np_.log(1 - a)) / x.shape[1]

    return {"U": line, "M": multi, "L2": l2, "N2": n2, "LR": lr}[network]


def torch_eager(case: Case) -> Train:
    """Return the training loop of PyTorch, with its own sigmoid and the lightest update."""
    import torch

    torch.set_num_threads(1)
    data = [torch.from_numpy(a.copy()) for a in case.data.values()]
    parameters = [torch.from_numpy(a.copy()).requires_grad_() for a in case.parameters.values()]
    loss_of = _torch_loss(torch, case.network)

    def train(steps: int) -> Losses:
        losses = []
        for _ in range(steps):
            loss = loss_of(*data, *parameters)
            loss.backward()
            with torch.no_grad():
                for p in parameters:
                    p.sub_(p.grad, alpha=RATE)
                    p.grad = None
            losses.append(loss.item())
        return losses

    return train


def _torch_loss(torch: Any, network: str) -> Callable[..., Any]:
    def n2(x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return ((w2 @ torch.sigmoid(w1 @ x + b1) + b2 - y) ** 2).sum() / x.shape[1]

    def lr(x: Any, y: Any, w: Any, b: Any) -> Any:
        a = torch.sigmoid(w @ x + b)
        return -(y * torch.log(a) + (1 - y) * torch.log(1 - a)).sum() / x.shape[1]

    return {"N2": n2, "LR": lr}.get(network) or loss_in(torch, network)


def autograd(case: Case) -> Train:
    """Return the training loop of HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    data = tuple(case.data.values())
    parameters = [a.copy() for a in case.parameters.values()]
    loss_of = loss_in(anp, case.network)
    step = autograd.value_and_grad(lambda p: loss_of(*data, *p))

    def train(steps: int) -> Losses:
        nonlocal parameters
        losses = []
        for _ in range(steps):
            loss, gradients = step(parameters)
            parameters = [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]
            losses.append(float(loss))
        return losses

    return train


def _jax_step(case: Case) -> tuple[Any, Any, list[Any], list[Any]]:
    """Return JAX, a step of gradient descent, data and parameters; the data are no constants of the step."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    data = [jnp.asarray(a) for a in case.data.values()]
    loss_of = loss_in(jnp, case.network)
    gradient = jax.value_and_grad(lambda p, data: loss_of(*data, *p))

    def step(parameters: list[Any], data: list[Any]) -> tuple[list[Any], Any]:
        loss, gradients = gradient(parameters, data)
        return [p - RATE * g for p, g in zip(parameters, gradients, strict=True)], loss

    return jax, step, data, [jnp.asarray(a) for a in case.parameters.values()]


def jax_jit(case: Case) -> Train:
    """Return the training loop of JAX, one compiled call a step."""
    jax, step, data, parameters = _jax_step(case)
    compiled = jax.jit(step)

    def train(steps: int) -> Losses:
        nonlocal parameters
        losses = []
        for _ in range(steps):
            parameters, loss = compiled(parameters, data)
            losses.append(float(loss))
        return losses

    return train


def jax_scan(case: Case) -> Train:
    """Return training with all steps in one compiled call of JAX."""
    jax, step, data, parameters = _jax_step(case)
    compiled = jax.jit(
        lambda p, data, steps: jax.lax.scan(lambda q, _: step(q, data), p, None, length=steps),
        static_argnums=2,
    )

    def train(steps: int) -> Losses:
        nonlocal parameters
        parameters, losses = compiled(parameters, data, steps)
        return np.asarray(losses)

    return train


# --- measuring ---------------------------------------------------------------------------------------------

BASE = "PyTorch eager"
CONTENDERS: Mapping[str, tuple[str, Callable[[Case], Train]]] = {
    BASE: ("torch", torch_eager),
    "naive NumPy": ("numpy", naive),
    "Backstep": ("numpy", backstep),
    "hand-tuned NumPy": ("numpy", hand_tuned),
    "autograd": ("autograd", autograd),
    "JAX jit a step": ("jax", jax_jit),
    "JAX scan": ("jax", jax_scan),
}
WARM_STEPS, WARM_SECONDS = 100_000, 8.0  # a run keeps every one of its first iterations, later one in many


def measure(
    case: Case, chosen: Mapping[str, Callable[[Case], Train]], seconds: float, rounds: int
) -> dict[str, list[float]]:
    """Return the seconds a step of each contender, round by round."""
    trains = {name: make(case) for name, make in chosen.items()}
    steps = {name: _warmed(train, case, name, seconds) for name, train in trains.items()}
    found: dict[str, list[float]] = {name: [] for name in trains}
    for turn in range(rounds):
        names = list(trains)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            begun = perf_counter()
            trains[name](steps[name])
            found[name].append((perf_counter() - begun) / steps[name])
    return found


def _warmed(train: Train, case: Case, name: str, seconds: float) -> int:
    """Warm a contender up, check that it learns, and return how many steps fill a round."""
    begun, done = perf_counter(), 0
    while done < WARM_STEPS and perf_counter() - begun < WARM_SECONDS and (name == "Backstep" or not done):
        losses = np.asarray(train(1 + done // 4), float)
        done += len(losses)
        assert np.isfinite(losses).all(), (case.title, name)
    steps = 2
    while True:
        train(steps)  # JAX compiles its scan for every number of steps
        begun = perf_counter()
        train(steps)
        taken = perf_counter() - begun
        if taken >= seconds / 2 or steps >= 1 << 16:
            steps = max(2, int(steps * seconds / taken))
            train(steps)
            return steps
        steps *= 2


def check_agreement(case: Case, chosen: Mapping[str, Callable[[Case], Train]]) -> None:
    """Assert that every contender takes the same steps."""
    losses = {name: np.asarray(make(case)(4), float) for name, make in chosen.items()}
    # Backstep gives the losses after each step, the others those before it
    wanted = losses["naive NumPy"]
    for name, found in losses.items():
        pair = (found[:-1], wanted[1:]) if name == "Backstep" else (found, wanted)
        np.testing.assert_allclose(*pair, rtol=1e-9, err_msg=f"{case.title}: {name}")


def table(cases: list[Case], seconds: float, rounds: int) -> Iterator[str]:
    """Yield the lines of the table, a row as soon as it is measured."""
    chosen = {name: make for name, (module, make) in CONTENDERS.items() if importlib.util.find_spec(module)}
    base = BASE if BASE in chosen else "naive NumPy"
    columns = [name for name in chosen if name != base]
    yield f"| ratio to {base} | " + " | ".join(columns) + f" | {base}, µs a step | Backstep / hand-tuned |"
    yield "|---" * (len(columns) + 3) + "|"
    for case in cases:
        check_agreement(case, chosen)
        found = measure(case, chosen, seconds, rounds)
        ratios = [_shown(_ratio(found[base], found[name])) for name in columns]
        own = _ratio(found["hand-tuned NumPy"], found["Backstep"])
        micros = 1e6 * statistics.median(found[base])
        yield f"| {case.title} | " + " | ".join(ratios) + f" | {micros:.4g} | {own:.2f} |"


def _ratio(base: list[float], other: list[float]) -> float:
    """Return the median over the rounds of how many times faster `other` is."""
    return statistics.median(b / o for b, o in zip(base, other, strict=True))


def _shown(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"


def machine() -> str:
    """Return a line on what it was measured on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    versions = [f"NumPy {np.__version__} ({blas['name']} {blas['version']}, one thread)"]
    absent = []
    for module in ("torch", "jax", "autograd"):
        if importlib.util.find_spec(module):
            versions.append(f"{module} {metadata.version(module)}")
        else:
            absent.append(module)
    python = f"Python {platform.python_version()}"
    line = f"{platform.machine()}, {os.cpu_count()} cores, {python}, {', '.join(versions)}."
    return line + (f" Not installed: {', '.join(absent)}." if absent else "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers", description="Training beside its peers."
    )
    parser.add_argument("rows", nargs="*", metavar="NETWORK/SIZE", help="such as U/S; all of them by default")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.02, help="of each contender a round")
    args = parser.parse_args()
    rows = args.rows or [f"{network}/{size}" for size in SIZES for network in FORMULAS]
    cases = [case_of(*row.split("/")) for row in rows]
    print(machine(), "\n", flush=True)
    for line in table(cases, args.seconds, args.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
