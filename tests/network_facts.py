"""Networks in the words of the catalogue's hypotheses, for tests of what applies to them."""

from dataclasses import replace

from theory.catalogue import Facts, TokenFacts, WeightFacts

UNIFORM = WeightFacts(gaussian=False, law="uniform")
SKEWED = WeightFacts(gaussian=False, symmetric=False)
SMOOTH = WeightFacts(independent=False, smooth=True)
CHANGING = WeightFacts(independent=False, stationary=False)


def fractional(hurst: float) -> WeightFacts:
    return WeightFacts(independent=hurst == 0.5, hurst=hurst)


FINITE = Facts(block="res-3", width=40, depth=1000, beta=0.25)
DEEP = replace(FINITE, limits=("depth",))
CRITICAL = replace(DEEP, beta=0.5)
RES_1 = replace(CRITICAL, block="res-1")
LINEAR = replace(RES_1, activation="identity")
WIDE = replace(FINITE, limits=("width",))
UNITS = replace(FINITE, hidden_width=160)
SCHEDULE = replace(UNITS, skip=0.5, schedule="vanishing")
NORMALISED = replace(FINITE, norm="pre-rms")
OUTER = replace(DEEP, block="post-activation", beta=1.0)
DEEPNORM = Facts(block="res-3", width=6, depth=8, alpha=32**-0.5, skip=8**0.25, norm="post-rms")
BALANCED = Facts(block="balanced", width=100, depth=100, alpha=1.0, skip=0.5**0.5, limits=("width", "depth"))
PRE_RMS = replace(CRITICAL, norm="pre-rms")
PRE_LAYER = replace(CRITICAL, norm="pre-layer")
PERI = replace(CRITICAL, norm="peri-rms", hidden_width=64)
POST = replace(CRITICAL, norm="post-rms")
DYT = replace(WIDE, norm="pre-tanh")
ATTENTION = Facts(
    block="transformer",
    width=16,
    depth=12,
    alpha=0.5,
    tokens=TokenFacts(attention="uniform", mlp=False),
)
SOFTMAX = replace(ATTENTION, norm="pre-layer", tokens=TokenFacts(attention="softmax"))
WIDE_TOKENS = replace(ATTENTION, limits=("width",), tokens=TokenFacts(attention="uniform", equal_tokens=True))
ROUGH = fractional(0.2)
LONG = fractional(0.8)


def tanh(facts: Facts) -> Facts:
    """Return the network with tanh behind W."""
    return replace(facts, block="res-2", activation="tanh")


def attending(facts: Facts, **words) -> Facts:
    """Return the transformer with other words of its tokens."""
    assert facts.tokens is not None
    return replace(facts, tokens=replace(facts.tokens, **words))


# id -> networks that the theorem covers; (network that breaks it, words of the hypothesis that fails)
