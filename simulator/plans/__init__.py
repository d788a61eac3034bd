"""Which runs a sweep consists of: axes, designs, constraints, seeds, all checked before any."""
