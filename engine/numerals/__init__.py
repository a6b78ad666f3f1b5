"""Numbers as people write them: one number, an expression of constants, a block pasted from elsewhere.

Text is never executed: an expression is read by the parser of the formula language and worked out call by
call.
"""

from engine.numerals.block import MAX_CHARACTERS, array
from engine.numerals.number import LARGEST, number

__all__ = ["LARGEST", "MAX_CHARACTERS", "array", "number"]
