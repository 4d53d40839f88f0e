"""Experiments of O1 to O4."""
