"""What a run leaves: points, losses, samples; and why it ended.

Points are kept as flat vectors in a few arrays, so that a long history is small and cheap to take in, to
pickle and to look through.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt, prod
from typing import NamedTuple, overload

import numpy as np

from engine.errors import DataError

__all__ = [
    "Diverged",
    "Form",
    "History",
    "Point",
    "Reached",
    "Recording",
    "Records",
    "Sample",
    "Samples",
    "merged",
]

Array = np.ndarray
LEAST_SAMPLES = 512
SAMPLES_A_ROOT = 2  # beyond that, so many times the square root of the number of iterations
FEWEST_SAMPLES = 64  # of a network so large that LEAST_SAMPLES would not fit into MOST_BYTES
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Point:
    """Where a run stands before an iteration: the parameters, and what the optimizer keeps."""

    iteration: int
    parameters: Mapping[str, Array]
    state: Mapping[tuple[str, str], Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A point that was kept, the loss on held-out examples (nan: none) and the gradient's norm there."""

    point: Point
    held_loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Diverged:
    """The end of a run that left the finite numbers: at which iteration, and which node did first.

    `called` is what the node is called in a sentence, where it has no name of its own.
    """

    iteration: int
    node: str
    learning_rate: float
    called: str = ""

    def sentence(self, fault: str = "") -> str:
        """Say what happened and what to do, in one sentence.

        Parameters
        ----------
        fault
            What was put wrong on purpose: then the learning rate is not to blame.
        """
        line = self.node.rpartition(".")[0]
        node = self.called or (f"an operation in line {line}" if line else self.node)
        if self.iteration == 0:
            return (
                f"Training cannot begin: {node} is not a finite number; change the first values or the data."
            )
        happened = f"Training stopped at iteration {self.iteration}: {node} is no longer a finite number"
        if fault:
            return f"{happened}. The fault in this run: {fault}."
        rate = min(self.learning_rate / 10, 0.1)  # a tenth of a million would diverge as well
        return f"{happened}; try a smaller learning rate, such as {rate:.3g}."


@dataclass(frozen=True)
class Reached:
    """The end of a run that met a rule of `Stopping`: which one, and what it met."""

    iteration: int
    rule: str
    value: float

    def sentence(self) -> str:
        """Say what was reached, in one sentence."""
        what = {"loss": "the loss", "change": "the change of the loss", "gradient": "the gradient's norm"}
        return f"Training stopped at iteration {self.iteration}: {what[self.rule]} is {self.value:.4g}."


@dataclass(frozen=True)
class Records:
    """What some iterations recorded; it can be sent to another process.

    Attributes
    ----------
    first
        The iteration that the first of `losses` is the loss before.
    losses
        One an iteration, shape (n,).
    point
        Where the run stands now.
    samples
        Those taken on the way.
    """

    first: int
    losses: Array
    point: Point
    samples: Sequence[Sample] = ()
    ended: Diverged | Reached | None = None


@dataclass(frozen=True)
class Recording:
    """All that a run has recorded: with its problem and its recipe it goes on from here, bit for bit.

    Attributes
    ----------
    stride
        The distance of the samples.
    losses
        The loss before each iteration, and after the last; shape (n,).
    iterations, vectors, numbers
        The samples, as in :class:`Samples`.
    point
        Where the run stands after its last iteration, shape (width,).
    """

    stride: int
    losses: Array
    iterations: Array
    vectors: Array
    numbers: Array
    point: Array
    ended: Diverged | Reached | None = None

    def checked(self, form: Form) -> Recording:
        """Return it, where it is what a run of this form can have recorded.

        Raises
        ------
        DataError
            Where it is not.
        """
        count, places = len(self.losses), self.iterations
        sound = (
            0 < self.stride <= 2**40
            and self.stride & (self.stride - 1) == 0
            and self.losses.ndim == places.ndim == 1
            and bool(np.isfinite(self.losses[:-1]).all())
            and len(places) > 0
            and places[0] == 0
            and bool((np.diff(places) > 0).all())
            and places[-1] < count
            and not (places % self.stride).any()
            and self.vectors.shape == (len(places), form.width)
            and self.numbers.shape == (len(places), 2)
            and self.point.shape == (form.width,)
            and (self.ended is None or self.ended.iteration == count - 1)
        )
        if not sound:
            raise DataError("what was recorded of a run does not fit its network.")
        return self


class Form(NamedTuple):
    """How points and vectors correspond: the parameters with their shapes, and what the optimizer keeps."""

    parameters: tuple[tuple[str, tuple[int, ...]], ...]
    state: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The length of a vector."""
        return sum(prod(shape) for _, shape in self.parameters) * (1 + len(self.state))

    def vector(self, point: Point) -> Array:
        """Return a point as a vector; what the optimizer has not begun to keep is zero."""
        arrays = [point.parameters[name] for name, _ in self.parameters]
        arrays += [
            point.state.get((name, key), np.zeros(shape))
            for key in self.state
            for name, shape in self.parameters
        ]
        return np.concatenate([np.zeros(0), *(np.ravel(a) for a in arrays)])

    def point(self, iteration: int, vector: Array) -> Point:
        """Return the point that a vector is; its arrays are read-only views of it."""
        vector = vector.view()
        vector.flags.writeable = False
        start, found = 0, []
        for _ in range(1 + len(self.state) if iteration else 1):  # nothing is kept before the first update
            part = {}
            for name, shape in self.parameters:
                size = prod(shape)
                part[name] = vector[start : start + size].reshape(shape)
                start += size
            found.append(part)
        state = {
            (name, key): array
            for key, part in zip(self.state, found[1:], strict=False)
            for name, array in part.items()
        }
        return Point(iteration, found[0], state)


class Samples(Sequence[Sample]):
    """Samples in the order of their iterations, made one by one when they are asked for.

    Parameters
    ----------
    iterations
        Shape (n,).
    vectors
        The points as `form` says, shape (n, width).
    numbers
        The loss on held-out examples and the norm of the gradient, shape (n, 2).
    """

    def __init__(self, form: Form, iterations: Array, vectors: Array, numbers: Array) -> None:
        self.form = form
        self.iterations = iterations
        self.vectors = vectors
        self.numbers = numbers

    @classmethod
    def of(cls, samples: Sequence[Sample], form: Form | None = None) -> Samples:
        """Return samples in this form."""
        if isinstance(samples, Samples):
            return samples
        form = form or _form_of(samples)
        vectors = [form.vector(s.point) for s in samples]
        return cls(
            form,
            np.array([s.point.iteration for s in samples], np.int64),
            np.array(vectors).reshape(len(vectors), form.width),
            np.array([(s.held_loss, s.gradient_norm) for s in samples]).reshape(-1, 2),
        )

    def __len__(self) -> int:
        return len(self.iterations)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> Samples: ...
    def __getitem__(self, place: int | slice) -> Sample | Samples:
        if isinstance(place, slice):
            return self.where(place)
        held, norm = self.numbers[place].tolist()
        return Sample(self.form.point(int(self.iterations[place]), self.vectors[place]), held, norm)

    def __iter__(self) -> Iterator[Sample]:
        return (self[place] for place in range(len(self)))

    def where(self, chosen: slice | Array) -> Samples:
        """Return some of them, chosen as NumPy indexes arrays."""
        return Samples(self.form, self.iterations[chosen], self.vectors[chosen], self.numbers[chosen])


def _form_of(samples: Sequence[Sample]) -> Form:
    if not samples:
        return Form(())
    point = samples[-1].point  # a first point, before anything is kept, does not tell what will be
    parameters = tuple((name, np.shape(array)) for name, array in point.parameters.items())
    return Form(parameters, tuple(dict.fromkeys(key for _, key in point.state)))


def merged(parts: Sequence[Records]) -> Records:
    """Return as one what follows one another."""
    if len(parts) == 1:
        return parts[0]
    losses = np.concatenate([part.losses for part in parts])
    given = [Samples.of(part.samples) for part in parts if len(part.samples)]
    samples: Sequence[Sample] = ()
    if given:
        names = ("iterations", "vectors", "numbers")
        columns = (np.concatenate([getattr(s, name) for s in given]) for name in names)
        samples = Samples(given[0].form, *columns)
    return Records(parts[0].first, losses, parts[-1].point, samples, parts[-1].ended)


class History:
    """What has been recorded of a run, in memory that grows like the square root of its length.

    (The losses aside: one number an iteration.)

    Parameters
    ----------
    first
        The first iteration whose loss is held; what was before is held elsewhere.
    stride
        The distance of the samples at first; it never falls below this.
    """

    def __init__(self, first: int = 0, stride: int = 1) -> None:
        self._first = first
        self._losses = _Column(np.empty(1024))
        self._iterations = _Column(np.empty(64, np.int64))
        self._vectors = _Column(np.empty((0, 0)))
        self._numbers = _Column(np.empty((64, 2)))
        self._form = Form(())
        self.stride = stride
        self.ended: Diverged | Reached | None = None

    def fork(self) -> History:
        """Return a history that goes on by itself; what was recorded until now is shared."""
        twin = copy.copy(self)
        for name in ("_losses", "_iterations", "_vectors", "_numbers"):
            setattr(twin, name, getattr(self, name).fork())
        return twin

    def arrays(self) -> tuple[Array, ...]:
        """Return the arrays that hold what was recorded: the losses, and the samples in columns."""
        columns = (self._losses, self._iterations, self._vectors, self._numbers)
        return tuple(column.view() for column in columns)

    @classmethod
    def of(cls, form: Form, recording: Recording) -> History:
        """Return the history of which this is the recording."""
        history = cls(0, recording.stride)
        history._form = form
        history._vectors = _Column(np.empty((0, form.width)))
        history._losses.extend(recording.losses)
        history._iterations.extend(recording.iterations)
        history._vectors.extend(recording.vectors)
        history._numbers.extend(recording.numbers)
        history.ended = recording.ended
        return history

    def recording(self, point: Array) -> Recording:
        """Return all of it, with where the run stands; what is recorded later changes none of it."""
        samples = self.samples
        columns = (samples.iterations, samples.vectors, samples.numbers)
        return Recording(self.stride, self.losses, *columns, point, self.ended)

    @property
    def losses(self) -> Array:
        """The loss over the whole data before each iteration, and after the last; read-only."""
        return self._losses.view()

    @property
    def samples(self) -> Samples:
        """The points that were kept, in order of their iterations, at multiples of `stride`."""
        columns = (self._iterations, self._vectors, self._numbers)
        return Samples(self._form, *(column.view() for column in columns))

    def before(self, iteration: int) -> Sample:
        """Return the last sample that is not after `iteration`."""
        return self.samples[int(np.searchsorted(self._iterations.view(), iteration, "right")) - 1]

    def extend(self, records: Records) -> None:
        """Take in what was recorded; records must follow one another without a gap."""
        following = self._first + self._losses.count
        if records.first != following:
            raise ValueError(f"records from {records.first} do not follow {following}")
        self._losses.extend(records.losses)
        self.ended = records.ended
        if len(records.samples):
            self._keep(Samples.of(records.samples))
            self._thin()

    def _keep(self, samples: Samples) -> None:
        if len(samples.form.state) > len(self._form.state) or not self._form.parameters:
            self._widen(samples.form)
        elif samples.form != self._form:
            samples = Samples.of(list(samples), self._form)
        kept = self._iterations.view()
        new = samples.iterations > (kept[-1] if len(kept) else -1)
        new &= samples.iterations % self.stride == 0
        if not new.all():
            samples = samples.where(new)
        self._iterations.extend(samples.iterations)
        self._vectors.extend(samples.vectors)
        self._numbers.extend(samples.numbers)

    def _widen(self, form: Form) -> None:
        """Make room for what the optimizer keeps; the points before it began have zeros there."""
        narrow, self._form = self._vectors.view(), form
        wide = np.zeros((len(narrow), form.width))
        wide[:, : narrow.shape[1]] = narrow
        self._vectors = _Column(np.empty((64, form.width)))
        self._vectors.extend(wide)

    def _thin(self) -> None:
        while self._iterations.count > self._most():
            self.stride *= 2
            kept = self._iterations.view() % self.stride == 0
            for column in (self._iterations, self._vectors, self._numbers):
                column.keep(kept)

    def _most(self) -> int:
        wanted = max(LEAST_SAMPLES, SAMPLES_A_ROOT * isqrt(self._first + self._losses.count))
        return max(FEWEST_SAMPLES, min(wanted, MOST_BYTES // (8 * self._form.width + 1)))


class _Column:
    """An array that grows at its end."""

    def __init__(self, room: Array) -> None:
        self._room = room
        self.count = 0

    def fork(self) -> _Column:
        """Return a column with the same rows, which moves to a room of its own before it grows."""
        twin = _Column(self._room[: self.count])
        twin.count = self.count
        return twin

    def view(self) -> Array:
        """Return what it holds, read-only."""
        view = self._room[: self.count]
        view.flags.writeable = False
        return view

    def extend(self, rows: Array) -> None:
        """Add rows; what was viewed before stays as it was."""
        count = self.count + len(rows)
        if count > len(self._room):
            room = np.empty((2 * count, *self._room.shape[1:]), self._room.dtype)
            room[: self.count] = self._room[: self.count]
            self._room = room
        self._room[self.count : count] = rows
        self.count = count

    def keep(self, chosen: Array) -> None:
        """Keep some rows, in an array of their own: views of the old one stay as they were."""
        rows = self._room[: self.count][chosen]
        self._room, self.count = rows, len(rows)
