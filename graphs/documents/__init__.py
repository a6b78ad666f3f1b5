"""Text documents made from a network: one format a file."""
