"""Many scalings on one set of correlated weights: `simulate_shared`."""
