"""Figures taken apart until they can be checked by hand: ladders, a run's carbon, one job."""
