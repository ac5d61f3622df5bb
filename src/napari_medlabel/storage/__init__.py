"""Bytes at rest: sealed chunks, label versions, journals."""
