"""Training footprints that others published, LLaMA and BLOOM: one module for each."""
