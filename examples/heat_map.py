"""A small form of Figure 7: difference ratios over Hurst index and scaling, with the critical scaling.

python examples/heat_map.py [FILE]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import theory
from montecarlo import ResNet, simulate_shared

out = sys.argv[1] if len(sys.argv) > 1 else "heat-map.png"
hursts = np.linspace(0.1, 0.9, 7)
betas = np.linspace(0.0, 1.3, 14)

# All scalings and inputs share a set of weights, which costs far more to draw than to use.
columns = []
for hurst in hursts:
    net = ResNet(width=16, depth=200, beta=1.0, weights=f"fbm:{hurst:g}")
    shared = simulate_shared(net, replicas=2, inputs=2, betas=betas, seed=7)
    columns.append(shared["log_hidden_difference"].mean(axis=(0, 2)) / np.log(10))

figure, axis = plt.subplots(figsize=(5.6, 4.2), layout="constrained")
mesh = axis.pcolormesh(hursts, betas, np.array(columns).T, cmap="RdBu_r", vmin=-3, vmax=3, shading="nearest")
axis.plot(hursts, [theory.critical_scaling(hurst) for hurst in hursts], "k--", label=r"$\max(H, 1/2)$")
axis.set(xlabel="Hurst index $H$", ylabel=r"scaling exponent $\beta$")
axis.legend(loc="upper left")
figure.colorbar(mesh, label=r"mean of $\log_{10}\,\Vert h_L - h_0\Vert/\Vert h_0\Vert$", extend="both")
figure.savefig(out, dpi=150)
