"""Jacobians of any network (J0)."""
