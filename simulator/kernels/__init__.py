"""Compiled loops on bare arrays; this package imports numpy and numba and nothing else."""
