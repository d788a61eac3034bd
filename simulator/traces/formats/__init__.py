"""Formats of job traces, one file for each; see `simulator.job_formats`."""
