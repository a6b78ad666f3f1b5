"""The engine: graphs, steps, derivatives and training, on NumPy alone."""
