"""How well a network meets its target: what the fit dock draws, for the parameters of the iteration shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.graph import Graph, Kind, Line
from engine.names import plain_name
from engine.trace import forward
from graphs.network import Model
from gui.viewdata.frame import Frame

Array = np.ndarray

CURVE_POINTS = 201
GRID = 48
"""A plane is asked at this many places along either axis."""
MARGIN = 0.04
MOST_POINTS = 2000
JITTER = 0.16
NO_DATA = "This network has no data: it computes one number, and there is nothing to fit."
NO_TARGET = "This network has no target that its loss compares a prediction with, so there is no fit to draw."


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
    x, y
        The points, one an example.
    predicted
        For a curve the prediction of each point, for its residual.
    curve
        For a curve the network between the points: x and prediction, each of shape (n,).
    is_second
        For classes and planes: which points are of the class that is 1.
    classes
        The names of the class that is 0 and the class that is 1.
    plane
        For a plane the prediction on a grid, shape (GRID, GRID), along x and then y.
    extent
        For a plane where the grid lies: x from, x to, y from, y to.
    threshold
        The prediction at which one class gives way to the other.
    caption
        How good the fit is, in words.
    note
        What a reader should know; why there is nothing to draw.
    """

    kind: str = ""
    x_label: str = ""
    y_label: str = ""
    x: Array = field(default_factory=lambda: np.empty(0))
    y: Array = field(default_factory=lambda: np.empty(0))
    predicted: Array = field(default_factory=lambda: np.empty(0))
    curve: tuple[Array, Array] = (np.empty(0), np.empty(0))
    is_second: Array = field(default_factory=lambda: np.empty(0, bool))
    classes: tuple[str, str] = ("0", "1")
    plane: Array = field(default_factory=lambda: np.empty((0, 0)))
    extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    threshold: float = 0.5
    caption: str = ""
    note: str = ""


def fit_view(frame: Frame) -> FitView:
    """Return the fit of the whole data with the parameters of the iteration shown."""
    model = frame.model
    if not model.graph.inputs:
        return FitView(note=NO_DATA)
    target = next(iter(model.targets), None)
    found = prediction(model.graph, target) if target is not None else None
    if target is None or found is None:
        return FitView(note=NO_TARGET)
    return _Fit(frame, target, found).view()


def prediction(graph: Graph, target: str) -> str | None:
    """Return the named value that is compared with `target`.

    It is what the first line that reads the target reads beside it, of the same shape. Where that is the
    argument of a sigmoid line (the loss takes the logits), the sigmoid is what a reader wants to see.
    """
    dims = graph[target].dims
    for line in graph.lines:
        sources = [graph.nodes[use.source] for use in line.uses]
        if all(node.name != target for node in sources):
            continue
        beside = [n for n in sources if n.kind == Kind.OP and n.dims == dims]
        if beside:
            return next((s.name for s in _sigmoids(graph, beside[0].id)), beside[0].name)
    return None


def _sigmoids(graph: Graph, node: int) -> Iterator[Line]:
    for line in graph.lines:
        own = graph.nodes[line.node]
        if own.op is not None and own.op.name == "sigmoid" and own.inputs == (node,):
            yield line


class _Fit:
    """The numbers that every kind of picture starts from."""

    def __init__(self, frame: Frame, target: str, predicted: str) -> None:
        self.model = frame.model
        self.target, self.name = target, predicted
        self.parameters = {n: frame.trace.values[n] for n in self.model.graph.parameters}
        self.features = [n for n in self.model.graph.inputs if n not in self.model.targets]
        self.true = np.ravel(self.model.inputs[target])
        self.predicted = self.at(None, {})

    def at(self, count: int | None, data: Mapping[str, Array]) -> Array:
        """Return the predictions for the whole data, or for `count` other examples given in `data`."""
        indices = None if count is None else np.zeros(count, dtype=int)
        graph, inputs = self.model.batch(indices)
        values = forward(graph, {**inputs, **data, **self.parameters})
        return np.ravel(values[graph.ids[self.name]])

    def view(self) -> FitView:
        """Return the picture that suits the data."""
        view = _thinned(self._suited())
        if np.isfinite(self.predicted).all():
            return view
        return replace(view, note="Predictions that are not finite numbers are not drawn.")

    def _suited(self) -> FitView:
        rows = _feature_rows(self.model, self.features[0]) if len(self.features) == 1 else None
        count = 0 if rows is None or self.true.size != self.model.examples else len(rows)
        if np.isin(self.true, (0.0, 1.0)).all() and len(np.unique(self.true)) == 2:
            return self._plane(self.features[0], rows) if rows is not None and count == 2 else self._classes()
        if rows is not None and count == 1:
            return self._curve(self.features[0], rows[0])
        return self._versus()

    def _curve(self, feature: str, x: Array) -> FitView:
        low, high = _widened(x)
        grid = np.linspace(low, high, CURVE_POINTS)
        data = {feature: grid.reshape(self._resized(feature, CURVE_POINTS))}
        return FitView(
            "curve",
            x_label=_axis(self.model, feature, 0),
            y_label=_axis(self.model, self.target, 0),
            x=x,
            y=self.true,
            predicted=self.predicted,
            curve=(grid, self.at(CURVE_POINTS, data)),
            caption=self._explained(),
        )

    def _versus(self) -> FitView:
        label = _axis(self.model, self.target, 0)
        return FitView(
            "versus",
            x_label=f"true {label}",
            y_label=f"predicted, {plain_name(self.name)}",
            x=self.true,
            y=self.predicted,
            caption=self._explained(),
        )

    def _classes(self) -> FitView:
        spread = np.modf(np.arange(self.true.size) * 0.6180339887)[0] - 0.5
        return FitView(
            "classes",
            x_label=_axis(self.model, self.target, 0),
            y_label=self._prediction_label(),
            x=self.true + 2 * JITTER * spread,
            y=self.predicted,
            is_second=self.true > 0.5,
            classes=_class_names(self.model, self.target),
            threshold=self._threshold(),
            caption=self._right(),
        )

    def _plane(self, feature: str, rows: Array) -> FitView:
        extent = (*_widened(rows[0]), *_widened(rows[1]))
        across, up = np.meshgrid(
            np.linspace(*extent[:2], GRID), np.linspace(*extent[2:], GRID), indexing="ij"
        )
        points = np.stack([across.ravel(), up.ravel()])
        points = points if self._resized(feature, GRID * GRID)[0] == 2 else points.T
        return FitView(
            "plane",
            x_label=_axis(self.model, feature, 0),
            y_label=_axis(self.model, feature, 1),
            x=rows[0],
            y=rows[1],
            is_second=self.true > 0.5,
            classes=_class_names(self.model, self.target),
            plane=self.at(GRID * GRID, {feature: points}).reshape(GRID, GRID),
            extent=extent,
            threshold=self._threshold(),
            caption=self._right(),
        )

    def _resized(self, name: str, count: int) -> tuple[int, ...]:
        """Return the shape of an input for `count` examples."""
        dims = self.model.graph[name].dims
        return tuple(count if dim.examples else dim.size for dim in dims)

    def _threshold(self) -> float:
        """Return 0.5 for probabilities, 0 for logits."""
        finite = self.predicted[np.isfinite(self.predicted)]
        return 0.5 if bool(((finite >= 0) & (finite <= 1)).all()) else 0.0

    def _prediction_label(self) -> str:
        kind = "probability" if self._threshold() == 0.5 else "logit"
        return f"{kind}, {plain_name(self.name)}"

    def _right(self) -> str:
        right = (self.predicted > self._threshold()) == (self.true > 0.5)
        return f"right for {int(right.sum())} of {right.size} examples"

    def _explained(self) -> str:
        """Say which part of the target's variance is explained."""
        spread = float(np.sum((self.true - self.true.mean()) ** 2))
        with np.errstate(all="ignore"):
            share = 1 - float(np.sum((self.true - self.predicted) ** 2)) / spread if spread else np.nan
        return f"R² = {share:.3f}".replace("-", "−") if np.isfinite(share) else ""


def _feature_rows(model: Model, name: str) -> Array | None:
    """Return an input with a row for each feature, None where it has no axis of examples."""
    dims, array = model.graph[name].dims, model.inputs[name]
    if not any(dim.examples for dim in dims):
        return None
    table = array if dims[-1].examples else array.T
    return table.reshape(-1, model.examples)


def _widened(x: Array) -> tuple[float, float]:
    margin = MARGIN * (float(np.ptp(x)) or 1.0)
    return float(x.min()) - margin, float(x.max()) + margin


def _axis(model: Model, name: str, row: int) -> str:
    """Return what a row of an input is: its column's name, and whether it was standardised."""
    selection = model.selection
    columns = selection.columns.get(name, ()) if selection is not None else ()
    if selection is None or row >= len(columns):
        return plain_name(name)
    scaled = name in selection.scaling and columns[row] not in selection.classes
    return columns[row] + (" (standardised)" if scaled else "")


def _class_names(model: Model, target: str) -> tuple[str, str]:
    selection = model.selection
    columns = selection.columns.get(target, ()) if selection is not None else ()
    return selection.classes.get(columns[0], ("0", "1")) if selection is not None and columns else ("0", "1")


def _thinned(view: FitView) -> FitView:
    """Return the view with at most so many points as can be told apart."""
    every = -(-view.x.size // MOST_POINTS)
    if every <= 1:
        return view
    names = ("x", "y", "predicted", "is_second")
    parts = {name: getattr(view, name)[::every] for name in names}
    return replace(view, **parts, note=f"One point in {every} is drawn.")
