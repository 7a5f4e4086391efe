"""Optimizers beside the frameworks' own."""
