"""The exact law of the norm with Gaussian weights, and its moments (I6, I7, I8)."""
