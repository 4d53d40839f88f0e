"""The token engine: transformers by Gram matrices of their tokens, without a weight matrix."""
