"""The message of Figure 1: the distance from the start against depth, for three scalings.

python examples/depth_scaling.py [FILE]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import theory
from montecarlo import ResNet, simulate

out = sys.argv[1] if len(sys.argv) > 1 else "depth-scaling.png"
depths = [10, 20, 50, 100, 200, 500]
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")

for beta, colour in ((1.0, "C0"), (0.5, "C2"), (0.25, "C1")):
    # 50 networks a point, as in the paper. Median and central 80 %: a mean would be carried by few networks.
    nets = [ResNet(width=40, depth=depth, beta=beta, weights="uniform") for depth in depths]
    rows = [simulate(net, replicas=50, seed=7, gradients="none")["log_hidden_difference"] for net in nets]
    low, middle, high = np.exp(np.quantile(rows, [0.1, 0.5, 0.9], axis=1))
    axis.fill_between(depths, low, high, color=colour, alpha=0.2, lw=0)
    axis.plot(depths, middle, "o", color=colour, label=rf"$\beta = {beta:g}$")
    # The root mean square is known at every depth, for every weight law (I2).
    square = [theory.log_hidden_difference_second_moment(depth=net.depth, alpha=net.scaling) for net in nets]
    axis.plot(depths, np.exp(0.5 * np.array(square)), color=colour, lw=1)

axis.set(xscale="log", yscale="log", xlabel="depth $L$", ylabel=r"$\Vert h_L - h_0\Vert/\Vert h_0\Vert$")
axis.legend(title="medians; lines: exact root mean square")
figure.savefig(out, dpi=150)
