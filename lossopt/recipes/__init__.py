"""Recipes: loss, optimizer, schedule and run as one value, read strictly from a file or made in Python."""

from __future__ import annotations

from lossopt.recipes.config import load_recipe, parse_recipe
from lossopt.recipes.recipe import Recipe

__all__ = ["Recipe", "load_recipe", "parse_recipe"]
