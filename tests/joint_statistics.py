"""Statistics of samples that see the dependence between columns, and their comparison between engines."""

import numpy as np

from montecarlo.estimates import same_law

HOMOGENEOUS = ("relu", "leaky-relu", "identity")
STATISTICS = 24
"""At most so many statistics a sample."""
VANISHED = -12.0
"""What is below is rounding: a norm behind a single active unit passes no gradient to it."""


def is_scalar(net):
    """Whether h_L = J h_0 and p_0 = J p_L with one number J."""
    return net.width == 1 and net.activation in HOMOGENEOUS and net.bias_std == 0.0


def hidden_statistics(sample):
    h, dh = sample["log_hidden_ratio"], sample["log_hidden_difference"]
    middle = sample["log_hidden_path"][:, sample.resnet.depth // 2]
    return {
        "h": h,
        "dh": dh,
        "dh - h": dh - h,
        "dh + h": dh + h,
        "path": middle,
        "h - path": np.round(h - middle, 9) + 0.0,  # streams of one length: their rounding has no law
        "dh - path": dh - middle,
    }


def gradient_statistics(g, dg):
    return {"g": g, "dg": dg, "dg - g": dg - g, "dg + g": dg + g}


def joint_statistics(sample):
    net = sample.resnet
    h, g = sample["log_hidden_ratio"], sample["log_gradient_ratio"]
    dh, dg = sample["log_hidden_difference"], sample["log_gradient_difference"]
    path, gradient_path = sample["log_hidden_path"], sample["log_gradient_path"]
    first, middle, last = 0, net.depth // 2, net.depth - 1
    out = {"gradient path": gradient_path[:, middle]}
    if not is_scalar(net):  # h = g and dh = dg there: their differences are rounding
        out |= {
            "h - g": h - g,
            "h + g": h + g,
            "h + dg": h + dg,
            "dh - g": dh - g,
            "path - g": path[:, middle] - g,
            "gradient path - h": gradient_path[:, middle] - h,
        }
    for name in ("log_weight_gradient_v", "log_weight_gradient_w")[: 1 + net.has_w]:
        weight = np.maximum(sample[name], VANISHED)
        out |= {f"{name} {k}": weight[:, k] for k in sorted({first, middle, last})}
        out |= {f"{name} - h": weight[:, middle] - h, f"{name} + g": weight[:, middle] + g}
    if "log_gate_gradient" in sample.columns:
        gate = np.maximum(sample["log_gate_gradient"], VANISHED)
        out |= {"gate": gate[:, middle], "gate first": gate[:, first], "gate - g": gate[:, middle] - g}
    return out


def assert_one_law(left, right, *, false_alarm):
    """Compare statistic by statistic, each at a share of the file's false alarm."""
    assert list(left) == list(right)
    assert len(left) <= STATISTICS
    for name in left:
        test = same_law(left[name], right[name], false_alarm=false_alarm)
        assert not test.refuted, f"{name}: {test}"
        assert test.n_nonfinite == 0, f"{name}: {test}"
        assert test.threshold < 0.2
