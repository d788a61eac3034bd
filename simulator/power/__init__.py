"""Power models: from what a scenario says to the tables that kernels read."""
