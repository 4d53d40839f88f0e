"""Experiments of P1 to P3."""
