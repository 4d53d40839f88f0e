"""Random transformers: `simulate_tokens`."""
