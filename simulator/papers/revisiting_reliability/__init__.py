"""Figures of Kokolis et al., "Revisiting Reliability" (arXiv 2410.21680): one module for each."""
