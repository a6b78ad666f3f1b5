"""The graph compiled to straight-line NumPy.

:mod:`~engine.plan.lowering` writes the forward and the backward pass of a graph as values, from the records
of its operations; :mod:`~engine.plan.passes` rewrites them so that they cost least;
:mod:`~engine.plan.emission` lays them out in memory as NumPy calls; :mod:`~engine.plan.stepper` runs these,
with an optimizer's update and mini-batches. A plan is a list of calls, and running it is a loop over the
list.
"""

from engine.plan.inspection import Inspector
from engine.plan.stepper import Stepper
from engine.plan.updating import Rates

__all__ = ["Inspector", "Rates", "Stepper"]
