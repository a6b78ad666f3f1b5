"""What is shown, worked out by pure functions: a frame in, plain data out. No Qt, no colours, no pixels.

Items and panels hold no numbers of their own: they are given one of these records, and paint it.
"""

from graphs.views.frame import Frame, Statics
from graphs.views.lane import lane_formulas, lane_view
from graphs.views.nudge import NudgeView, nudge_view
from graphs.views.records import (
    Array,
    CodeRow,
    EdgeKey,
    EdgeView,
    EquationRow,
    InspectorView,
    LaneArrow,
    LaneView,
    Link,
    MatrixView,
    NodeView,
    SceneView,
    StepView,
)
from graphs.views.scene import factor_latex, formulas_of_scene, measured_view, scene_view
from graphs.views.step import entry_of, step_view
from gui.viewdata.inspect import changeable, file_unit, inspector_view, is_standardised
from gui.viewdata.links import Symbol, link_of_label, marked, symbols_of
from gui.viewdata.places import same_selection
from gui.viewdata.rows import (
    arrays_counted,
    code_rows,
    each_equation,
    equation_rows,
    iteration_of,
    timeline_phases,
    written_rows,
)

__all__ = [
    "Array",
    "CodeRow",
    "EdgeKey",
    "EdgeView",
    "EquationRow",
    "Frame",
    "InspectorView",
    "LaneArrow",
    "LaneView",
    "Link",
    "MatrixView",
    "NodeView",
    "NudgeView",
    "SceneView",
    "Statics",
    "StepView",
    "Symbol",
    "arrays_counted",
    "changeable",
    "code_rows",
    "each_equation",
    "entry_of",
    "equation_rows",
    "factor_latex",
    "file_unit",
    "formulas_of_scene",
    "inspector_view",
    "is_standardised",
    "iteration_of",
    "lane_formulas",
    "lane_view",
    "link_of_label",
    "marked",
    "measured_view",
    "nudge_view",
    "same_selection",
    "scene_view",
    "step_view",
    "symbols_of",
    "timeline_phases",
    "written_rows",
]
