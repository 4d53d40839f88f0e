"""Checks of real models with PyTorch and JAX, run with an interpreter that has them."""
