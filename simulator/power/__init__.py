"""Power: from what a scenario says of machines and buildings to tables."""
