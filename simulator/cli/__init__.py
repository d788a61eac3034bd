"""The command line: one file per verb; each parses words, calls one function and prints."""
