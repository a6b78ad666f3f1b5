"""One iteration as a web page in which a reader steps forward and backward: one file, and nothing else.

The page says everything without its script, step below step; the script shows one of them at a time, beside
the graph. What a step says comes from :mod:`graphs.views`, as in the window.
"""

from graphs.webpage.page import page

__all__ = ["page"]
