"""Sweeps: many runs of one scenario, planned, run, kept and compared."""
