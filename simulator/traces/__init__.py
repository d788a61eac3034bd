"""Traces: readers of grid files and job files, each returning its common table."""
