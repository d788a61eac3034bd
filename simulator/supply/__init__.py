"""Generation, storage and contracts of sites: what they give, and what is left to the grid."""
