"""Several inputs of one network: `simulate_inputs`."""
