"""Scenarios or finished runs, set against the first of them."""
