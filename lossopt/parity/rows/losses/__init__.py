"""Losses beside the frameworks' own."""
