"""Diagnosis of random transformers: growth, rank collapse, floats, the residual deviation to take."""
