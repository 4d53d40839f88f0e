"""Blocks whose activation is the last word of the branch (P1 to P3)."""
