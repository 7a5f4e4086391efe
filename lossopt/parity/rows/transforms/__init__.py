"""Transforms and wrappers beside the frameworks' own."""
