"""What the engines' kernels share: the conventions of their states, the input, networks in lanes."""
