"""Many runs of one scenario: designs, stores, statistics, sensitivity and optimisation."""
