"""Versions of what is written: raised when a file changes its shape, or a model its numbers."""

from typing import Final

SCHEMA_VERSION: Final = 3
"""Version of the result files: their names, columns and units."""

MODEL_VERSION: Final = 3
"""Version of the models: the same scenario and seed give the same numbers under one version."""
