"""Engines over models that a person brought: networks built by our code, weights from a file."""
