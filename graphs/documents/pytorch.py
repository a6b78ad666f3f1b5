"""A PyTorch script: the same network, differentiated by autograd and trained by ``torch.optim``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import cached_property

from engine.optimizers import TorchForm
from graphs.array_source import TORCH, WIDTH, as_source
from graphs.documents import Format, Options
from graphs.snapshot import Snapshot
from graphs.source_lines import docstring, function, indented, title_of
from graphs.training_script import LeafSource, TrainingScript

__all__ = ["FORMAT"]

ENDINGS = (".torch.py", ".py")
DIFFERENCE = (
    '"""Return by how much the entries of a gradient differ from Backstep\'s at most."""',
    "return float((found - backstep).abs().max())",
)


def _write(snapshot: Snapshot, _: Options) -> str:
    return "\n".join(_TorchScript(snapshot, TORCH).lines()) + "\n"


class _TorchScript(TrainingScript):
    has_backward = False

    def lines(self) -> Iterator[str]:
        yield from self._head()
        if self._trained:
            yield from ("", "# --- how it is trained ---", *self.constants())
        yield from (*self.leaves(), *self._derived(), *self._wanted())
        if self._trained and self.batch_size is not None:
            yield from self.batch("torch.from_numpy(order[turn * BATCH_SIZE : (turn + 1) * BATCH_SIZE])")
        if self._trained and self.is_scheduled:
            yield from self.rate()
        yield from self.forward()
        if self._trained and self._form is None:
            yield from self.update()
        if self._asked:
            yield from function("difference", ["found", "backstep"], DIFFERENCE)
        yield from self._run() if self._trained else self._once()

    # --- what there is to derive by ---

    @cached_property
    def _trained(self) -> Sequence[LeafSource]:
        """The parameters that the loss depends on: without any, nothing is trained."""
        return [p for p in self.parameters if self.graph.ids[p.code] in self.graph.on_loss_path]

    @cached_property
    def _asked(self) -> Sequence[LeafSource]:
        """What autograd is asked for the gradients of."""
        data = [leaf for leaf in self.inputs if self.graph.ids[leaf.code] in self.graph.on_loss_path]
        return self._trained or data

    def _derived(self) -> Iterator[str]:
        """Yield the lines that say what gradients are wanted of."""
        named = self.parameters if self._trained else self._asked
        if named:
            yield ""
            yield from (f"{leaf.code}.requires_grad_()" for leaf in named)

    def _wanted(self) -> Iterator[str]:
        """Yield the lines that define what Backstep shows, to compare with."""
        trace = self.snapshot.trace
        codes = {self.code(name): name for name in (*trace.graph.parameters, *trace.graph.inputs)}
        if self._asked:
            yield from (
                "",
                f"# --- the gradients that Backstep shows at iteration {self.snapshot.iteration} ---",
            )
        for leaf in self._asked:
            yield from as_source(self._shown_name(leaf), trace.gradients[codes[leaf.code]], self.dialect)

    def _shown_name(self, leaf: LeafSource) -> str:
        return self.free(f"backstep_d_{leaf.code}")

    # --- in order ---

    def _head(self) -> Iterator[str]:
        first = f"{title_of(self.snapshot)} in PyTorch."
        if self._trained:
            says = (
                f"It does {self.how}, and prints the loss over all examples as it goes; of iteration "
                f"{self.snapshot.iteration}, at which it was exported, the gradient of every parameter, as "
                "autograd gives it, and how far it is from Backstep's; and at the end the parameters."
            )
        else:
            says = "It has no parameters to train: it prints the loss, and its gradients by the data."
        yield from docstring(self.snapshot, first, says, *self.notes)
        yield ""
        if any("zlib." in line for line in (*self.leaves(), *self._wanted())):
            yield from ("import base64", "import zlib")
        if self._trained and self.is_scheduled and "cos(" in "".join(self.rate()):
            yield "from math import cos, pi"
        yield ""
        if self._trained and self.batch_size is not None:
            yield "import numpy as np  # which deals out the very mini-batches of Backstep"
        yield from ("import torch", "")
        yield from ("torch.set_default_dtype(torch.float64)", "torch.set_printoptions(precision=17)")

    def _run(self) -> Iterator[str]:
        yield from ("", "", "# --- the run ---", *self._optimizer())
        if "change" in self.rules:
            yield "last = torch.nan  # the loss of the iteration before"
        yield from (*self.loop(), "")
        yield from (f'print("{p.code} =", {p.code}.detach())' for p in self.parameters)

    def _once(self) -> Iterator[str]:
        """Yield the lines that go forward and back once."""
        yield from ("", "", *self.going_forward())
        if self._asked:
            yield f"{self.loss}.backward()"
        yield from self.shown()

    # --- the optimizer ---

    @property
    def _form(self) -> TorchForm | None:
        form = self.optimizer.torch
        if form is None or any(not self.recipe.settings[name] for name in form.positive):
            return None
        return form

    def _argument(self, text: str, rate: str = "LEARNING_RATE") -> str:
        names = {h.name: h.name.upper() for h in self.optimizer.hyperparameters}
        return text.format_map({**names, "learning_rate": rate})

    def _optimizer(self) -> Iterator[str]:
        form = self._form
        if form is None:
            for parameter in self._trained:
                yield from (f"{kept} = torch.zeros_like({parameter.code})" for kept in self.kept(parameter))
            return
        yield from (f"# {line}" for line in textwrap.wrap(form.note, WIDTH - 2))
        yield f"parameters = [{', '.join(p.code for p in self._trained)}]"
        arguments = [f"{key}={self._argument(text)}" for key, text in form.arguments.items()]
        yield f"optimizer = torch.optim.{form.name}(parameters, {', '.join(arguments)})"

    def going_back(self, rows: str = "") -> list[str]:
        clear = ["optimizer.zero_grad()"]
        if self._form is None:
            clear = [f"{p.code}.grad = None" for p in self._trained]
        return [*clear, f"{self.loss}.backward()"]

    def updating(self) -> Iterator[str]:
        form = self._form
        if form is not None:
            if self.is_scheduled:
                yield f'optimizer.param_groups[0]["lr"] = {self._argument(form.arguments["lr"], "rate(i)")}'
            yield "optimizer.step()"
            return
        yield "with torch.no_grad():"
        for parameter in self._trained:
            own = [parameter.code, f"{parameter.code}.grad", *self.kept(parameter), *self.update_arguments]
            new = ", ".join(["value", *self.kept(parameter)])
            yield from indented([f"{new} = update({', '.join(own)})", f"{parameter.code}.copy_(value)"])

    # --- as PyTorch says it ---

    @property
    def loss_number(self) -> str:
        return f"{self.loss}.item()"

    @property
    def norm(self) -> str:
        squares = " + ".join(f"torch.sum({p.code}.grad**2)" for p in self._trained)
        return f"torch.sqrt({squares}).item()"

    def shown(self) -> Iterator[str]:
        yield f'print(f"exported here{self.of}: {self.loss} = {{{self.loss_number}}}")'
        for leaf in self._asked:
            name = self.source.derivation.gradient_name(leaf.code).code
            yield f'print("{name} =", {leaf.code}.grad)'
            yield f'print("differs by", difference({leaf.code}.grad, {self._shown_name(leaf)}))'


FORMAT = Format("pytorch", "PyTorch script", ENDINGS, _write)
