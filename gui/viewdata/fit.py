"""How well a network meets its target: what the fit dock draws, for the parameters of the iteration shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from engine.errors import BackstepError
from engine.names import plain_name
from graphs.network import Model
from graphs.views.frame import Frame
from gui.viewdata.prediction import (
    Feature,
    Hidden,
    Part,
    by_row,
    features,
    find_target,
    hidden_units,
    is_by_example,
    logits_of,
)

__all__ = ["Fit", "FitView", "Points", "fit_view"]

Array = np.ndarray

CURVE_POINTS = 201
GRID = 64
"""A plane is asked at this many places along either axis."""
MARGIN = 0.04
MOST_POINTS = 2000
MOST_UNITS = 12
"""Of more hidden units, those that vary most are drawn."""
JITTER = 0.16
STANDARDISED = " (standardised)"
NO_DATA = "This network has no data: it computes one number, and there is nothing to fit."
NO_TARGET = "This network has no target that its loss compares a prediction with, so there is no fit to draw."
CLASSES = ((0.0, 1.0), (-1.0, 1.0))
"""The two numbers that a target of two classes has."""


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Points:
    """Examples as points; every array has one entry an example.

    Attributes
    ----------
    x, y
        Where they are.
    aim
        The other end of the residual: on the line, the curve or the diagonal, at the same x; empty for none.
    is_second
        For two classes: which are of the second.
    """

    x: Array = field(default_factory=_none)
    y: Array = field(default_factory=_none)
    aim: Array = field(default_factory=_none)
    is_second: Array = field(default_factory=lambda: np.empty(0, bool))

    @property
    def finite(self) -> Array:
        """Which of them can be drawn."""
        return np.isfinite(self.x) & np.isfinite(self.y)

    def every(self, step: int) -> Points:
        """Return one in `step` of them."""
        return Points(self.x[::step], self.y[::step], self.aim[::step], self.is_second[::step])


@dataclass(frozen=True, eq=False)
class FitView:
    """A picture of the fit.

    Attributes
    ----------
    kind
        "" (nothing to draw, `note` says why), "curve" (one feature), "versus" (predicted against true),
        "classes" (the prediction for either class) or "plane" (two features, two classes).
    x_label, y_label
        What the axes are.
    points, held
        The examples that are trained on, and those held out.
    curve
        For a curve the network between the points: x and prediction, each of shape (n,).
    units
        For a curve the hidden units over the same x, shape (units, n): the part of the prediction that each
        has, or its activation. `unit_names` and `units_text` say what they are.
    plane
        For a plane which class the network leans to on a grid, along x and then y: from -1, surely the first,
        to 1, surely the second. `extent` says where the grid lies: x from, x to, y from, y to.
    boundary
        For a plane where one class gives way to the other: x and y, pieces parted by nan.
    classes
        The names of the two classes, () where the target is a number.
    threshold
        The prediction at which one class gives way to the other, and `levels` those for the classes.
    across, up
        The range that holds everything but the predictions, so that it stands still while training.
    caption
        How good the fit is, in words.
    note
        What a reader should know; why there is nothing to draw.
    """

    kind: str = ""
    x_label: str = ""
    y_label: str = ""
    points: Points = field(default_factory=Points)
    held: Points = field(default_factory=Points)
    curve: tuple[Array, Array] = field(default_factory=lambda: (_none(), _none()))
    units: Array = field(default_factory=lambda: np.empty((0, 0)))
    unit_names: tuple[str, ...] = ()
    units_text: str = ""
    plane: Array = field(default_factory=lambda: np.empty((0, 0)))
    extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    boundary: tuple[Array, Array] = field(default_factory=lambda: (_none(), _none()))
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    levels: tuple[float, float] = (0.0, 1.0)
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)
    caption: str = ""
    note: str = ""


def fit_view(frame: Frame) -> FitView:
    """Return the fit of the whole data with the parameters of the iteration shown."""
    return Fit(frame.model).view(frame)


class Fit:
    """All of a model's fit that does not change with the parameters; :meth:`view` adds what does.

    Parameters
    ----------
    model
        The network with its data.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._nothing = ""
        self._draw: Callable[[Mapping[str, Array]], FitView] | None = None
        found = find_target(model) if model.graph.inputs else None
        if found is None:
            self._nothing = NO_TARGET if model.graph.inputs else NO_DATA
            return
        self.target, self.name = found
        self._read_targets()
        self._asked = self._examples_parts()
        self._draw = self._suited()

    def view(self, frame: Frame) -> FitView:
        """Return the picture for the parameters of the iteration that a frame shows."""
        if self._draw is None:
            return FitView(note=self._nothing)
        trace, values = frame.trace, frame.trace.values
        known = {name: values[name] for name in self.model.graph.parameters}
        if trace.graph is self.model.graph:  # worked out already, which matters for large networks
            known[self.name] = trace.arrays[trace.graph.ids[self.name]]
        return self._draw(known)

    # --- what is known from the start ---

    def _read_targets(self) -> None:
        model, dims = self.model, self.model.graph[self.target].dims
        held = model.held_inputs.get(self.target)
        self._is_single = np.size(model.inputs[self.target]) == model.examples
        self.true = _flat(model.inputs[self.target])
        self.held_true = _flat(held) if held is not None else _none()
        known = np.unique(np.concatenate([self.true, self.held_true]))
        self.levels = next((pair for pair in CLASSES if np.array_equal(known, pair)), None)
        self.logits = logits_of(model.graph, self.name) if self.levels == CLASSES[0] else None
        self._one_hot = False
        if self.levels == CLASSES[0] and not self._is_single and any(dim.examples for dim in dims):
            sums = by_row(dims, model.inputs[self.target]).sum(axis=0)
            self._one_hot = bool((sums == 1).all())

    def _examples_parts(self) -> list[Part]:
        """Return what asks the network about the examples: those trained on, and those held out if any."""
        held = self.model.held()
        sides = [(self.model.graph, self.model.inputs), *([held] if held is not None else [])]
        return [Part(graph, data, [self.name]) for graph, data in sides]

    def _suited(self) -> Callable[[Mapping[str, Array]], FitView]:
        """Return what draws the picture that suits the data."""
        rows = features(self.model, self.name) if self._is_single else ()
        varying = [row for row in rows if row.varies] if len(rows) != 1 else list(rows)
        wanted = 2 if self.levels is not None else 1
        if 1 <= len(varying) <= wanted and is_by_example(self.model, self.name):
            try:
                return self._curve(varying[0]) if len(varying) == 1 else self._plane(*varying)
            except BackstepError:  # the formula cannot be asked for so many examples
                pass
        return self._classes if self.levels is not None else self._versus

    def _ask(self, names: Sequence[str], rows: Mapping[Feature, Array]) -> Part:
        """Return what asks the network about other examples: these features, and else those of the first."""
        count = len(next(iter(rows.values())))
        graph, data = self.model.batch(np.zeros(count, dtype=int))
        for feature, values in rows.items():
            array = data[feature.name] = np.array(data[feature.name])
            (array if graph[feature.name].dims[-1].examples else array.T)[feature.row] = values
        return Part(graph, data, names)

    # --- the pictures ---

    def _curve(self, feature: Feature) -> Callable[[Mapping[str, Array]], FitView]:
        across = _widened(feature)
        grid = np.linspace(*across, CURVE_POINTS)
        hidden = hidden_units(self.model.graph, self.name)
        if hidden is not None and self.levels is not None:
            hidden = replace(hidden, is_sum=False, scales=())
        ask = self._ask([self.name, *(hidden.names if hidden is not None else ())], {feature: grid})
        known = FitView(
            "curve",
            x_label=_axis(self.model, feature.name, feature.row),
            y_label=self._label() if self.levels is not None else _axis(self.model, self.target, 0),
            classes=self._class_names(),
            threshold=self._middle(),
            levels=self.levels or (0.0, 1.0),
            across=across,
            up=_padded(np.concatenate([self.true, self.held_true])),
            units_text=self._units_text(hidden),
        )
        return partial(self._draw_curve, known, feature, grid, hidden, ask)

    def _draw_curve(
        self,
        known: FitView,
        feature: Feature,
        grid: Array,
        hidden: Hidden | None,
        ask: Part,
        parameters: Mapping[str, Array],
    ) -> FitView:
        values = ask(parameters)
        sides = self._predictions(parameters)
        curves = hidden.curves(values) if hidden is not None else np.empty((0, 0))
        shown = _most_varied(curves)
        return self._with_points(
            replace(
                known,
                curve=(grid, self._linked(_flat(values[self.name]))),
                units=curves[shown],
                unit_names=tuple(map(str, shown)),
                units_text=f"{known.units_text}, {len(shown)} of {len(curves)} drawn"
                if len(shown) < len(curves)
                else known.units_text,
            ),
            [
                Points(x, true, predicted, self._is_second(true))
                for x, true, predicted in zip(
                    (feature.values, feature.held), (self.true, self.held_true), sides, strict=False
                )
            ],
            sides,
        )

    def _versus(self, parameters: Mapping[str, Array]) -> FitView:
        label, sides = _axis(self.model, self.target, 0), self._predictions(parameters)
        ends = _padded(np.concatenate([self.true, self.held_true]))
        view = FitView(
            "versus",
            x_label=f"true {label}",
            y_label=self._label(),
            across=ends,
            up=ends,
            curve=(np.array(ends), np.array(ends)),
        )
        points = [
            Points(true, predicted, true)
            for true, predicted in zip((self.true, self.held_true), sides, strict=False)
        ]
        return self._with_points(view, points, sides)

    def _classes(self, parameters: Mapping[str, Array]) -> FitView:
        sides = self._predictions(parameters)
        low, high = self.levels or CLASSES[0]
        view = FitView(
            "classes",
            x_label=_axis(self.model, self.target, 0),
            y_label=self._label(),
            classes=self._class_names(),
            threshold=self._middle(),
            levels=(low, high),
            across=(low - (high - low) / 2, high + (high - low) / 2),
            up=(low - 0.04 * (high - low), high + 0.04 * (high - low)),
        )
        points = [
            Points(
                true + 2 * JITTER * (high - low) * _spread(true.size),
                predicted,
                is_second=self._is_second(true),
            )
            for true, predicted in zip((self.true, self.held_true), sides, strict=False)
        ]
        return self._with_points(view, points, sides)

    def _plane(self, first: Feature, second: Feature) -> Callable[[Mapping[str, Array]], FitView]:
        extent = (*_widened(first), *_widened(second))
        x, y = np.linspace(*extent[:2], GRID), np.linspace(*extent[2:], GRID)
        across, up = np.meshgrid(x, y, indexing="ij")
        # In logits the border is smooth, also where the probability jumps from one class to the other.
        asked = self.logits or self.name
        ask = self._ask([asked], {first: across.ravel(), second: up.ravel()})
        known = FitView(
            "plane",
            x_label=_axis(self.model, first.name, first.row),
            y_label=_axis(self.model, second.name, second.row),
            classes=self._class_names(),
            threshold=self._middle(),
            levels=self.levels or CLASSES[0],
            extent=extent,
            across=extent[:2],
            up=extent[2:],
        )
        return partial(self._draw_plane, known, (first, second), (x, y), lambda p: ask(p)[asked])

    def _draw_plane(
        self,
        known: FitView,
        axes: tuple[Feature, Feature],
        grid: tuple[Array, Array],
        ask: Callable[[Mapping[str, Array]], Array],
        parameters: Mapping[str, Array],
    ) -> FitView:
        asked, sides = ask(parameters).reshape(GRID, GRID), self._predictions(parameters)
        low, high = known.levels
        if self.logits is not None:
            plane, level = 2 * _sigmoid(asked) - 1, 0.0
        else:
            plane, level = (asked - known.threshold) / ((high - low) / 2), known.threshold
        first, second = axes
        pairs = zip(
            (first.values, first.held),
            (second.values, second.held),
            (self.true, self.held_true),
            strict=True,
        )
        points = [Points(x, y, is_second=self._is_second(true)) for x, y, true in pairs]
        view = replace(known, plane=np.clip(plane, -1, 1), boundary=_contour(*grid, asked, level))
        return self._with_points(view, points[: len(sides)], sides)

    # --- what they share ---

    def _predictions(self, parameters: Mapping[str, Array]) -> list[Array]:
        """Return the predictions for the examples trained on, and for those held out if there are any."""
        first, *held = self._asked
        known = parameters.get(self.name)
        sides = [known if known is not None else first(parameters)[self.name]]
        sides += [ask(parameters)[self.name] for ask in held]
        return [self._linked(_flat(side)) for side in sides]

    def _linked(self, predicted: Array) -> Array:
        """Return probabilities where the network predicts logits."""
        return _sigmoid(predicted) if self.logits == self.name else predicted

    def _with_points(self, view: FitView, points: Sequence[Points], sides: Sequence[Array]) -> FitView:
        every = -(-points[0].x.size // MOST_POINTS)
        notes = [f"One point in {every} is drawn."] if every > 1 else []
        if not all(np.isfinite(side).all() for side in sides):
            notes.append("Predictions that are not finite numbers are not drawn.")
        thin = [one.every(max(1, every)) for one in points]
        return replace(
            view,
            points=thin[0],
            held=thin[1] if len(thin) > 1 else Points(),
            caption=self._caption(sides),
            note=" ".join(notes),
        )

    def _caption(self, sides: Sequence[Array]) -> str:
        start, say = ("R² = ", self._explained) if self.levels is None else ("right for ", self._right)
        trues = (self.true, self.held_true)
        first, *rest = [say(true, side) for true, side in zip(trues, sides, strict=False)]
        return ", ".join([f"{start}{first}" if first else "", *(f"held out {one}" for one in rest)]).strip(
            ", "
        )

    def _right(self, true: Array, predicted: Array) -> str:
        if self._one_hot:
            rows = by_row(self.model.graph[self.target].dims, self.model.inputs[self.target]).shape[0]
            pair = [a.reshape(self._shape(a.size, rows)) for a in (true, predicted)]
            axis = 0 if self.model.graph[self.target].dims[-1].examples else 1
            right = pair[0].argmax(axis=axis) == pair[1].argmax(axis=axis)
        else:
            right = (predicted > self._middle()) == self._is_second(true)
        return f"{int(right.sum())} of {right.size}"

    def _shape(self, size: int, rows: int) -> tuple[int, int]:
        across = self.model.graph[self.target].dims[-1].examples
        return (rows, size // rows) if across else (size // rows, rows)

    def _explained(self, true: Array, predicted: Array) -> str:
        """Say which part of the target's variance is explained: R²."""
        spread = float(np.sum((true - true.mean()) ** 2)) if true.size else 0.0
        with np.errstate(all="ignore"):
            share = 1 - float(np.sum((true - predicted) ** 2)) / spread if spread else np.nan
        if not np.isfinite(share):
            return ""
        text = f"{round(share, 3) + 0.0:.3f}" if abs(share) < 1000 else f"{share:.3g}"
        return text.replace("-", "−")

    def _middle(self) -> float:
        low, high = self.levels or CLASSES[0]
        return (low + high) / 2

    def _is_second(self, true: Array) -> Array:
        return true > self._middle() if self.levels is not None else np.zeros(true.size, bool)

    def _label(self) -> str:
        kind = "probability" if self.logits is not None else "predicted"
        if "." in self.name:  # a part of a line has no name that the user gave
            return kind
        name = plain_name(self.name)
        return f"{kind}, σ({name})" if self.logits == self.name else f"{kind}, {name}"

    def _units_text(self, hidden: Hidden | None) -> str:
        if hidden is None:
            return ""
        units = plain_name(hidden.units) if "." not in hidden.units else "its activation"
        if not hidden.is_sum:
            return f"each hidden unit: {units}"
        weights = plain_name(hidden.weights) if "." not in hidden.weights else "its weight"
        return f"each hidden unit: {weights} · {units}"

    def _class_names(self) -> tuple[str, ...]:
        if self.levels is None:
            return ()
        selection = self.model.selection
        columns = selection.columns.get(self.target, ()) if selection is not None else ()
        names = selection.classes.get(columns[0]) if selection is not None and columns else None
        return names or tuple(f"{level:g}".replace("-", "−") for level in self.levels)


def _flat(array: Array) -> Array:
    return np.ravel(array)


def _sigmoid(z: Array) -> Array:
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(-z))


def _spread(count: int) -> Array:
    """Return numbers from -0.5 to 0.5 that lie evenly however many there are."""
    return np.modf(np.arange(count) * 0.6180339887)[0] - 0.5


def _most_varied(curves: Array) -> list[int]:
    """Return which hidden units are drawn."""
    if len(curves) <= MOST_UNITS:
        return list(range(len(curves)))
    with np.errstate(all="ignore"):
        ranges = np.nan_to_num(np.ptp(curves, axis=1))
    return sorted(np.argsort(-ranges, kind="stable")[:MOST_UNITS].tolist())


def _contour(x: Array, y: Array, z: Array, level: float) -> tuple[Array, Array]:
    """Return where `z`, of shape (x, y), has a value: x and y, pieces parted by nan."""
    if not np.isfinite(z).all() or not z.min() < level < z.max():
        return _none(), _none()
    from contourpy import contour_generator  # takes a moment to load; most networks have no plane

    gap = np.full((1, 2), np.nan)
    pieces = [np.asarray(piece) for piece in contour_generator(x, y, z.T).lines(level)]
    joined = np.concatenate([gap, *(part for piece in pieces for part in (piece, gap))])
    return joined[:, 0], joined[:, 1]


def _widened(feature: Feature) -> tuple[float, float]:
    x = np.concatenate([feature.values, feature.held])
    margin = MARGIN * (float(np.ptp(x)) or 1.0)
    return float(x.min()) - margin, float(x.max()) + margin


def _padded(values: Array, share: float = 0.06) -> tuple[float, float]:
    margin = share * (float(np.ptp(values)) or 1.0)
    return float(values.min()) - margin, float(values.max()) + margin


def _axis(model: Model, name: str, row: int) -> str:
    """Return what a row of an input is: its column's name, and whether it was standardised."""
    selection = model.selection
    columns = selection.columns.get(name, ()) if selection is not None else ()
    if selection is None or row >= len(columns):
        return plain_name(name)
    scaled = name in selection.scaling and columns[row] not in selection.classes
    return columns[row] + (STANDARDISED if scaled else "")
