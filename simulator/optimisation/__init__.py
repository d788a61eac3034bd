"""Searching for the points of a scenario that are best."""
