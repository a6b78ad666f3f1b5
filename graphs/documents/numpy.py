"""A NumPy script: a network trained by hand, forward, backward and update as functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphs.array_source import NUMPY
from graphs.documents import Format, Options
from graphs.iteration_script import OVERFLOW, Iteration, numpy_script
from graphs.snapshot import Snapshot
from graphs.training_script import LeafSource, TrainingScript, assigned, docstring, indented, title_of

__all__ = ["FORMAT"]


def _write(snapshot: Snapshot, _: Options) -> str:
    if not snapshot.model.graph.parameters:
        return _iteration(snapshot)
    script = TrainingScript(snapshot, NUMPY)
    return "\n".join([*_head(script), *_functions(script), *_loop(script)]) + "\n"


def _iteration(snapshot: Snapshot) -> str:
    """Return the script of the iteration: nothing is trained."""
    chosen = (snapshot.optimizer, snapshot.settings)
    iteration = Iteration(snapshot.title, snapshot.trace, *chosen, snapshot.iteration, snapshot.batch)
    script, first = numpy_script(iteration), f"{title_of(snapshot)} in NumPy."
    head = *docstring(snapshot, first, "It has no parameters to train."), *script.head[1:]
    return replace(script, head=head).text


def _head(script: TrainingScript) -> Iterator[str]:
    yield from docstring(
        script.snapshot,
        f"{title_of(script.snapshot)}: training in NumPy.",
        f"It does {script.how}, and prints the loss over all examples as it goes; of iteration "
        f"{script.snapshot.iteration}, at which it was exported, the gradient of every parameter; "
        "and at the end the parameters.",
    )
    yield ""
    leaves = list(script.leaves())
    if any("zlib." in line for line in leaves):
        yield from ("import base64", "import zlib")
    if script.is_scheduled and "cos(" in "".join(script.rate()):
        yield "from math import cos, pi"
    yield from ("", "import numpy as np", "", "np.set_printoptions(precision=17)")
    if script.is_diverging or any("np.exp(" in line for line in (*script.forward(), *script.backward())):
        yield OVERFLOW if not script.is_diverging else 'np.seterr(all="ignore")  # this run diverges'
    yield from ("", "# --- how it is trained ---", *script.constants(), *leaves)


def _functions(script: TrainingScript) -> Iterator[str]:
    if script.batch_size is not None:
        yield from script.batch()
    if script.is_scheduled:
        yield from script.rate()
    yield from script.forward()
    yield from script.backward()
    yield from script.update()


# --- the loop ----------------------------------------------------------------------------------------------


def _loop(script: TrainingScript) -> Iterator[str]:
    yield from ("", "", "# --- the run ---")
    for parameter in script.parameters:
        yield from (f"{name} = np.zeros_like({parameter.code})" for name in script.kept(parameter))
    if "change" in script.rules:
        yield "last = np.nan  # the loss of the iteration before"
    yield "for i in range(ITERATIONS + 1):"
    yield from indented(_whole(script))
    if script.batch_size is not None:
        yield from indented(_batch(script))
    elif "gradient" not in script.rules:
        yield from indented(_backward(script))
    yield from indented(_shown(script))
    yield from indented(_updates(script))
    yield ""
    yield from (f'print("{p.code} =", {p.code})' for p in script.parameters)


def _whole(script: TrainingScript) -> Iterator[str]:
    """Yield what is done over all examples: the loss is printed, and looked at whether it is time to stop."""
    loss = script.loss
    forward = list(_forward(script))
    printed = f'print(f"iteration {{i}}: {loss} = {{{loss}}}")'
    if not script.rules:
        if script.batch_size is not None:
            yield "if i % EVERY == 0 or i == ITERATIONS:"
            yield from indented([*forward, printed])
        else:
            yield from (*forward, "if i % EVERY == 0 or i == ITERATIONS:", *indented([printed]))
        yield from ("if i == ITERATIONS:", "    break")
        return
    yield from forward
    if "gradient" in script.rules:
        yield from _backward(script)
        squares = ", ".join(f"np.sum({name}**2)" for name in script.gradients)
        yield f"norm = np.sqrt(sum([{squares}]))"
    yield f"is_last = {' or '.join(['i == ITERATIONS', *_conditions(script)])}"
    yield from ("if i % EVERY == 0 or is_last:", *indented([printed]), "if is_last:", "    break")
    if "change" in script.rules:
        yield f"last = {loss}"


def _conditions(script: TrainingScript) -> Iterator[str]:
    tested = {
        "loss": f"{script.loss} <= STOP_LOSS",
        "change": f"abs({script.loss} - last) <= TOLERANCE",
        "gradient": "norm <= GRADIENT_TOLERANCE",
    }
    yield from (tested[rule] for rule in script.rules)


def _forward(script: TrainingScript, rows: str = "") -> list[str]:
    return assigned(script.values, "forward", _codes(script, script.forward_arguments, rows))


def _backward(script: TrainingScript, rows: str = "") -> list[str]:
    return assigned(script.gradients, "backward", _codes(script, script.backward_arguments, rows))


def _codes(script: TrainingScript, arguments: Sequence[LeafSource | str], rows: str) -> list[str]:
    return [_code(script, a, rows) if isinstance(a, LeafSource) else a for a in arguments]


def _code(script: TrainingScript, leaf: LeafSource, rows: str) -> str:
    return script.free(f"{leaf.code}_batch") if rows and leaf.axis is not None else leaf.code


def _batch(script: TrainingScript) -> Iterator[str]:
    """Yield what is done over the examples of a mini-batch."""
    yield "rows = batch(i)"
    leaves = (*script.forward_arguments, *script.backward_arguments)
    read = dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, LeafSource) and leaf.axis is not None)
    yield from (f"{_code(script, leaf, 'rows')} = {leaf.some('rows')}" for leaf in read)
    yield from (*_forward(script, "rows"), *_backward(script, "rows"))


def _shown(script: TrainingScript) -> Iterator[str]:
    of = "its mini-batch" if script.batch_size is not None else "all examples"
    yield "if i == EXPORTED:"
    yield f'    print(f"exported here, over {of}: {script.loss} = {{{script.loss}}}")'
    yield from (f'    print("{name} =", {name})' for name in script.gradients)


def _updates(script: TrainingScript) -> Iterator[str]:
    for parameter, gradient in zip(script.parameters, script.gradients, strict=True):
        own = [parameter.code, *script.kept(parameter)]
        more = script.update_arguments
        yield from assigned(own, "update", [own[0], gradient, *own[1:], *more])


FORMAT = Format("numpy", "NumPy script", (".py",), _write)
