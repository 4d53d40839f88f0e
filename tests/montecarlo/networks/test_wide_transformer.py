"""The wide recursion of a specification beside its networks: every preset, every quantity.

Some 20 comparisons a preset at 5.5 standard errors (4e-8 each), beside what a width of 96 is worth.
"""

import numpy as np
import pytest

from montecarlo import Transformer, predict_tokens, simulate_tokens

SIZES = {"width": 96, "depth": 4, "heads": 8, "tokens": 6}
PRESETS = ("gpt2", "llama", "bert", "vit", "t5", "pre-ln", "post-ln", "deepnet", "mup")


def compared(net, path, seed=5):
    """Largest distance of means from the prediction, in units of what is allowed."""
    sample = simulate_tokens(net, replicas=60, seed=seed, tangent=True, attention=True)
    worst = 0.0
    for column, values in (
        ("log_rms_path", path.log_rms),
        ("cosine_path", path.cosine),
        ("log_tangent_path", path.log_tangent),
        ("attention_entropy", path.entropy.mean(1)),
    ):
        rows = sample[column].mean(2) if column == "attention_entropy" else sample[column]
        error = rows.std(0) / np.sqrt(len(rows))
        worst = max(worst, float(np.max(np.abs(rows.mean(0) - values) / (5.5 * error + 4 / net.width))))
    return worst


@pytest.mark.statistical
@pytest.mark.parametrize("name", PRESETS)
def test_networks_follow_the_recursion(name):
    words = {"head_width": 32} if name == "t5" else {}
    net = Transformer.preset(name, **SIZES, **words, **({"patch_dim": 48} if name == "vit" else {}))
    assert compared(net, predict_tokens(net)) < 1


@pytest.mark.statistical
@pytest.mark.parametrize(
    "wrong",
    [{"attention": "full"}, {"down_std": 0.15}, {"norm_eps": 1.0}, {"placement": "post"}, {"skip": 0.8}],
)
def test_another_specification_does_not(wrong):
    net = Transformer.preset("mup", **SIZES)
    other = predict_tokens(Transformer.preset("mup", **SIZES, **wrong))
    assert compared(net, other) > 1


def test_branches_may_be_left_out():
    net = Transformer.preset(
        "gpt2", **SIZES, hidden_width=0, attention="none", position="none", position_std=0.0
    )
    path = predict_tokens(net)
    assert path.gram[-1] == pytest.approx(path.gram[0])
    assert path.added == pytest.approx(0.0)
    alone = Transformer.preset("gpt2", **SIZES, hidden_width=0)
    assert predict_tokens(alone).added.sum() == pytest.approx(
        2 * np.diff(predict_tokens(alone).log_rms).sum()
    )
