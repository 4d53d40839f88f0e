"""Stationary weights correlated along depth, critical exponents and orders of convergence (F1 to F4)."""
