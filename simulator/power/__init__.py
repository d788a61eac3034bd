"""Power of nodes and sites: from what a scenario says to tables and figures."""
