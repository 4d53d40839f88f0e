"""Experiments of G1 to G7."""
