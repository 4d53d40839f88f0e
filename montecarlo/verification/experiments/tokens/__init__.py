"""Experiments of T1 to T4."""
