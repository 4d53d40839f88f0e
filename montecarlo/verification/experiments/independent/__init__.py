"""Experiments of I1 to I11."""
