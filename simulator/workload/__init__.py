"""From a scenario's workloads to the table of its jobs: laws, arrivals, replayed files."""
