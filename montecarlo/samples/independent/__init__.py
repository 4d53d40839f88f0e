"""Networks one by one, each with weights of its own: `simulate`."""
