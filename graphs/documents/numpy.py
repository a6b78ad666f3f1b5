"""A NumPy script: a network trained by hand, forward, backward and update as functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphs.array_source import NUMPY
from graphs.documents import Format, Options
from graphs.iteration_script import OVERFLOW, Iteration, numpy_script
from graphs.snapshot import Snapshot
from graphs.source_lines import assigned, docstring, title_of
from graphs.training_script import TrainingScript

__all__ = ["FORMAT"]

DIVERGING = 'np.seterr(all="ignore")  # this run diverges'


def _write(snapshot: Snapshot, _: Options) -> str:
    if not snapshot.model.graph.parameters:
        return _iteration(snapshot)
    return "\n".join(_NumpyScript(snapshot, NUMPY).lines()) + "\n"


def _iteration(snapshot: Snapshot) -> str:
    """Return the script of the iteration: nothing is trained."""
    chosen = (snapshot.optimizer, snapshot.settings)
    iteration = Iteration(
        snapshot.title, snapshot.trace, *chosen, snapshot.iteration, snapshot.batch, snapshot.derivation
    )
    script, first = numpy_script(iteration), f"{title_of(snapshot)} in NumPy."
    head = *docstring(snapshot, first, "It has no parameters to train."), *script.head[1:]
    return replace(script, head=head).text


class _NumpyScript(TrainingScript):
    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield from ("", "# --- how it is trained ---", *self.constants(), *self.leaves())
        if self.batch_size is not None:
            yield from self.batch()
        if self.is_scheduled:
            yield from self.rate()
        yield from (*self.forward(), *self.backward(), *self.update())
        yield from ("", "", "# --- the run ---", *self._kept(), *self.loop(), "")
        yield from (f'print("{p.code} =", {p.code})' for p in self.parameters)

    def _head(self) -> Iterator[str]:
        yield from docstring(
            self.snapshot,
            f"{title_of(self.snapshot)}: training in NumPy.",
            f"It does {self.how}, and prints the loss over all examples as it goes; of iteration "
            f"{self.snapshot.iteration}, at which it was exported, the gradient of every parameter; "
            "and at the end the parameters.",
            *self.notes,
        )
        yield ""
        if any("zlib." in line for line in self.leaves()):
            yield from ("import base64", "import zlib")
        if self.is_scheduled and "cos(" in "".join(self.rate()):
            yield "from math import cos, pi"
        yield from ("", "import numpy as np", "", "np.set_printoptions(precision=17)")
        if self.is_diverging:
            yield DIVERGING
        elif any("np.exp(" in line for line in (*self.forward(), *self.backward())):
            yield OVERFLOW

    def _kept(self) -> Iterator[str]:
        for parameter in self.parameters:
            yield from (f"{name} = np.zeros_like({parameter.code})" for name in self.kept(parameter))
        if "change" in self.rules:
            yield "last = np.nan  # the loss of the iteration before"

    @property
    def loss_number(self) -> str:
        return self.loss

    @property
    def norm(self) -> str:
        return f"np.sqrt({' + '.join(f'np.sum({name}**2)' for name in self.gradients)})"

    def going_back(self, rows: str = "") -> list[str]:
        return assigned(self.gradients, "backward", self.given(self.backward_arguments, rows))

    def shown(self) -> Iterator[str]:
        yield f'print(f"exported here{self.of}: {self.loss} = {{{self.loss}}}")'
        yield from (f'print("{name} =", {name})' for name in self.gradients)

    def updating(self) -> Iterator[str]:
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            own = [parameter.code, *self.kept(parameter)]
            yield from assigned(own, "update", [own[0], gradient, *own[1:], *self.update_arguments])


FORMAT = Format("numpy", "NumPy script", (".py",), _write)
