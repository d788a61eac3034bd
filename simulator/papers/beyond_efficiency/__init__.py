"""Figures of Wu et al., "Beyond Efficiency" (arXiv 2406.05303): one module for each."""
