"""Power models: from what a scenario specifies to the tables that accounting reads."""
