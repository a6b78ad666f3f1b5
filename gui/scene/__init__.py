"""The graph on its canvas."""
