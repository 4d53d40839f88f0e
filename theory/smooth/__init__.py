"""Weights that are smooth along depth: the neural ODE (O1 to O4)."""
