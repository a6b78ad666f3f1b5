"""A formula on the canvas, on its own or in a rounded box: the factor on an edge."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.equations import Equation, equation, paint
from gui.groups import group
from gui.theme import Theme

PADDING = (9.0, 6.0)
"""Room between the box and the formula, across and down."""
BORDER = 1.8
RADIUS = 7.0


class EquationItem(QGraphicsItem):
    """A formula whose middle is the item's origin, so that it is placed by where it should be centred.

    Parameters
    ----------
    theme : Theme
    latex : str
    size : float
        Font size in scene units.
    role : str
        The role of parts that name none.
    border_role : str or None
        The theme's role of the border; with one, the formula stands in a rounded box.
    background_role : str
        The theme's role of the box's ground.
    """

    def __init__(
        self,
        theme: Theme,
        latex: str = "",
        size: float = 13.0,
        role: str = "text",
        border_role: str | None = None,
        background_role: str = "card",
        parent: QGraphicsItem | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size = size
        self._role = role
        self._border_role = border_role
        self._background_role = background_role
        self._equation: Equation = equation(latex, size)

    @property
    def latex(self) -> str:
        """The formula's source."""
        return self._equation.latex

    def set_latex(self, latex: str, role: str | None = None) -> None:
        """Show another formula; the same one again costs nothing."""
        role = role or self._role
        if (latex, role) == (self.latex, self._role):
            return
        self.prepareGeometryChange()
        self._role = role
        self._equation = equation(latex, self._size)
        self.update()

    def set_border(self, border_role: str | None) -> None:
        """Put a box around the formula, or take it away."""
        self.prepareGeometryChange()
        self._border_role = border_role
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def box(self) -> QRectF:
        """Return the box's outline, or the formula's where there is no box; in item coordinates."""
        across, down = PADDING if self._border_role else (0.0, 0.0)
        width, height = self._equation.width + 2 * across, self._equation.height + 2 * down
        return QRectF(-width / 2, -height / 2, width, height)

    def _paint_box(self, painter: QPainter, border_role: str) -> None:
        painter.setPen(QPen(self._theme.color(border_role), BORDER))
        painter.setBrush(self._theme.color(self._background_role))
        painter.drawRoundedRect(self.box(), RADIUS, RADIUS)

    # Qt

    def boundingRect(self) -> QRectF:
        margin = BORDER if self._border_role else 1.0
        return self.box().adjusted(-margin, -margin, margin, margin)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if not self._equation.parts:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = -self._equation.width / 2
        baseline = self._equation.ascent - self._equation.height / 2
        field = self._border_role is None
        with group(painter, "factor" if self._border_role else "formula"):
            if self._border_role:
                self._paint_box(painter, self._border_role)
            paint(painter, self._equation, left, baseline, self._theme, self._role, field)
