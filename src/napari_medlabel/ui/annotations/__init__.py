"""Measurements and geometric annotations in the window: drawn, taken hold of, listed."""
