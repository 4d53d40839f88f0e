"""Jacobians of the map from h_0 to h_L: `simulate_jacobians`."""
