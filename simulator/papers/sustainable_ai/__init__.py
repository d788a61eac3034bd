"""Figures of Wu et al., "Sustainable AI" (arXiv 2111.00364): one module for each."""
