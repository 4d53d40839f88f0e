"""Diagnosis of random transformers: growth, rank collapse, float range, and the residual deviation to take."""
