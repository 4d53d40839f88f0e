"""Experiments of F1 to F4."""
