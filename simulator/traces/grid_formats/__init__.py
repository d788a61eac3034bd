"""One file for each format of grid traces; to add one, add a file."""
