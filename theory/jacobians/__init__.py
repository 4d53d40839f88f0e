"""Jacobians of networks (J0), of res-3 and linear res-1 (J1 to J3), and tangent kernels (J4)."""
