"""What tables of many runs say: means and intervals, differences, percentiles, sensitivity."""
