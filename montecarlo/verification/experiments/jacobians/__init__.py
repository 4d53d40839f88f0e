"""J1 to J4: volumes, Lyapunov spectra and singular values of Jacobians; tangent kernels."""
