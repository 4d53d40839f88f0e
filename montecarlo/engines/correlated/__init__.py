"""The correlated engine: Gaussian weights that depend on each other along depth, drawn as paths."""
