"""N1 to N12: blocks with a norm; J0: Jacobians of any network."""
