"""The laws of Figure 2: sampled log-norms at the critical scaling, the exact law, and the limit.

python examples/exact_law.py [FILE]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import theory
from montecarlo import ResNet, simulate
from montecarlo.estimates import law_distance

out = sys.argv[1] if len(sys.argv) > 1 else "exact-law.png"
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=False, layout="constrained")

for axis, width in zip(axes, (4, 40), strict=True):
    # Depth 20 is shallow on purpose: the exact law is right there, the limit is not quite.
    net = ResNet(width=width, depth=20, beta=0.5)
    rows = simulate(net, replicas=20_000, seed=7, gradients="none")["log_hidden_ratio"]
    exact = theory.ExactNormLaw(width=width, depth=net.depth, alpha=net.scaling)
    limit = theory.critical_log_norm_law(width=width)
    print(f"width {width}: {law_distance(rows, exact.cdf)}")

    x = np.linspace(*exact.ppf([0.001, 0.999]), 300)
    axis.hist(rows, bins=80, range=(x[0], x[-1]), density=True, color="0.85", label="20,000 networks")
    axis.plot(x, exact.pdf(x), color="C3", label="exact law (I6)")
    axis.plot(x, limit.pdf(x), "k--", lw=1, label="limit of large depth (I8)")
    axis.set(title=f"$d = {width}$, $L = {net.depth}$", xlabel=r"$\log\,\Vert h_L\Vert/\Vert h_0\Vert$")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
figure.savefig(out, dpi=150)
