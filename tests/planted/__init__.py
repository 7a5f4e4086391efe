"""Pairs of runs with one planted difference, and pairs that differ by rounding alone."""
