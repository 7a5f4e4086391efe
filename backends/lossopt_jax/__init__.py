"""Definitions as JAX objects: optax transformations, traceable losses and schedules."""
