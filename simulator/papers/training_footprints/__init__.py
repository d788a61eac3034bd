"""Published footprints of training: Patterson et al., LLaMA and BLOOM; one module for each."""
