"""Claims on tokens and attention: T1 to T4."""

from __future__ import annotations

from theory.catalogue.claims import _papers as by
from theory.catalogue.claims._claim import Claim

_NOCI = "uniform attention, Gaussian weights, no norm on the stream"
_XIONG = "Gaussian weights, ReLU, residual factors 1"

CLAIMS = (
    Claim(
        theorem="T1",
        paper=by.NOCI,
        says="Mean inner products of tokens follow a recursion along depth.",
        basis="result",
        theirs=_NOCI,
        relation="sharpens",
        ours=(
            "Any attention weights, softmax of the tokens themselves among them, any centred law of the "
            "values, every width: a layer adds a² A Σ Aᵀ in mean."
        ),
    ),
    Claim(
        theorem="T1b",
        paper=by.NOCI,
        says="A scaling of the residual branches by depth prevents the rank collapse of tokens.",
        basis="result",
        theirs=_NOCI,
        relation="sharpens",
        ours=(
            "The mean Gram matrix in closed form at every width and depth: C/D ends at 1/(1 + (D_0/C_0 − "
            "1)e^{−τ}) where a² = τ/L, and tends to 1 exponentially where a is constant."
        ),
    ),
    Claim(
        theorem="T1b",
        paper=by.DONG,
        says=(
            "Attention alone collapses tokens to one doubly exponentially in depth; skip connections and "
            "MLPs stop that."
        ),
        basis="abstract",
        theirs="any weights of bounded norms; bounds, without a law of the weights",
        relation="sharpens",
        ours=(
            "At initialisation skip connections slow the collapse, and with fixed factors do not end it: "
            "the mean Gram matrix tends to rank one like (1 + a_1²)^−L."
        ),
    ),
    Claim(
        theorem="T1c",
        paper=None,
        says="Under one symmetric attention matrix every pair of its modes grows by itself.",
        basis="none",
        theirs="",
        relation="new",
        ours="Exact at every width and depth, for every centred law of the values.",
    ),
    Claim(
        theorem="T2",
        paper=None,
        says=(
            "Under uniform attention alone the mean token is a linear residual network, and nothing else "
            "moves."
        ),
        basis="none",
        theirs="",
        relation="new",
        ours="The whole law of its norm at every width and depth.",
    ),
    Claim(
        theorem="T3",
        paper=by.XIONG,
        says="Hidden states of pre-norm transformers grow linearly in depth in mean square.",
        basis="result",
        theirs=_XIONG,
        relation="sharpens",
        ours=(
            "An equality at every width: the share of attention is the mean square of the averaged "
            "normalised tokens, between 0 and d."
        ),
    ),
    Claim(
        theorem="T3b",
        paper=by.XIONG,
        says="That mean square lies between (1 + L/2)d and (1 + 3L/2)d.",
        basis="result",
        theirs=_XIONG,
        relation="tests",
        ours="The two ends are attention that averages all away, and attention that averages nothing.",
    ),
    Claim(
        theorem="T3c",
        paper=by.XIONG,
        says="In post-norm transformers it is 3d/2 where the MLP has been added.",
        basis="result",
        theirs=_XIONG,
        relation="tests",
        ours="The same, with 1 + a_2² c for other activations and factors.",
    ),
    Claim(
        theorem="T4",
        paper=by.NOCI,
        says="Tokens align along depth at initialisation, unless residual branches are scaled adequately.",
        basis="text",
        theirs=_NOCI,
        relation="sharpens",
        ours=(
            "The wide recursion with a ReLU MLP, and its differential equation at a_i² = r_i/L, of which "
            "1 is the one fixed point; finite widths lie lower by some 1.3/d at the size tested."
        ),
    ),
    Claim(
        theorem="T4b",
        paper=by.GIORLANDINO,
        says=(
            "A theory of signals in transformers with softmax attention, norms, skip connections and "
            "MLPs tells rank collapse from entropy collapse."
        ),
        basis="abstract",
        theirs="wide networks of many tokens; attention by the Random Energy Model",
        relation="sharpens",
        ours=(
            "Any number of tokens, by quadrature over the logits' Gaussian law; causal masks, gates, "
            "position embeddings and the ε of norms as reference implementations have them. Long "
            "contexts at large logits are theirs, and not looked at here."
        ),
    ),
    Claim(
        theorem="T4b",
        paper=by.KEDIA,
        says="Formulae govern the moments of forward and backward signals through a whole transformer.",
        basis="abstract",
        theirs="moments of the signals",
        relation="sharpens",
        ours="One recursion for norms, cosines and tangents, held against networks layer by layer.",
    ),
    Claim(
        theorem="T4c",
        paper=by.KIM,
        says=(
            "Peri-norm blocks have a more balanced growth of variance along depth than pre-norm and "
            "post-norm ones."
        ),
        basis="abstract",
        theirs="analysis of placements, and training of Transformers of up to 3.2 billion parameters",
        relation="sharpens",
        ours=(
            "At initialisation collapse follows a power of the mean square in both, and is exponential "
            "in depth with norms on the stream or none; 1/√L is critical in all placements."
        ),
    ),
)
