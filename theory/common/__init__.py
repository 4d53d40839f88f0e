"""What several chapters use: checks of arguments, activations and their Gaussian moments, tabulated laws."""
