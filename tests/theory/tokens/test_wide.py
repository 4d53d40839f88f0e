"""T4: softmax moments beside other integrals, cosines, and the wide recursion beside what it must contain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import theory
from theory.tokens._kernels import TokenKernel
from theory.tokens._softmax import SoftmaxRows

Z = np.linspace(-9, 9, 2001)
WEIGHTS = np.exp(-Z * Z / 2) / np.exp(-Z * Z / 2).sum()


def block(**changes):
    """A network of every word."""
    given = {
        "depth": 3,
        "attention": theory.TokenAttention(logit_deviation=1.5, gain=0.8),
        "mlp": theory.TokenMlp(input_variance=1.2, gain=0.9, activation="gelu"),
    }
    return theory.TokenLayers(**{**given, **changes})


@pytest.mark.parametrize("deviation", [0.1, 1.0, 4.0])
def test_two_weights_are_a_logistic_function(deviation):
    difference = np.sqrt(2) * deviation * Z
    a, b = 1 / (1 + np.exp(-difference)), 1 / (1 + np.exp(difference))
    rows = SoftmaxRows(deviation, 0.0, 2)
    moments = rows.one(2)
    assert moments.overlap == pytest.approx(WEIGHTS @ (a * a + b * b), abs=2e-5)
    both = a * a + b * b
    response = a * a * (1 - 2 * a + both) + b * b * (1 - 2 * b + both)
    assert moments.response == pytest.approx(WEIGHTS @ response, abs=2e-5)
    entropy = a * np.logaddexp(0, -difference) + b * np.logaddexp(0, difference)
    assert rows.entropy(2) == pytest.approx(WEIGHTS @ entropy, abs=2e-5)


@settings(max_examples=20)
@given(st.floats(0.01, 5.0), st.integers(2, 20))
def test_a_row_beside_itself_is_two_rows(deviation, seen):
    rows = SoftmaxRows(deviation, 1.0, seen)
    alone, beside = rows.one(seen), rows.two(seen, 0)
    assert beside.overlap == pytest.approx(alone.overlap, rel=1e-6)
    assert beside.response == pytest.approx(alone.response, rel=1e-5, abs=1e-9)
    # without correlation every pair of tokens weighs the same
    free = SoftmaxRows(deviation, 0.0, seen + 3)
    assert free.two(seen, 3).overlap == pytest.approx(1 / (seen + 3), rel=1e-6)


@pytest.mark.parametrize("correlation", [-0.9, 1e-4, 0.5])
def test_the_sharpest_rows_are_bounded_and_agree_with_a_cruder_rule(correlation):
    # weights of about 1 and 0: the overlap is close to the chance that both rows have the same largest logit
    rows = SoftmaxRows(30.0, correlation, 4)
    overlap = rows.two(4, 0).overlap
    z = np.random.default_rng(5).normal(size=(2, 40_000, 4))
    other = correlation * z[0] + np.sqrt(1 - correlation**2) * z[1]
    same = (z[0].argmax(1) == other.argmax(1)).mean()
    assert overlap == pytest.approx(same, abs=0.025)
    with pytest.raises(ValueError, match=r"deviation 30\.1: must be at most 30"):
        SoftmaxRows(30.1, correlation, 4)


@pytest.mark.parametrize("correlation", [-0.7, 0.4])
def test_small_logits_are_a_series(correlation):
    s, m, extra = 1e-2, 5, 2
    overlap = SoftmaxRows(s, correlation, m + extra).two(m, extra).overlap
    series = (1 + correlation * s * s * (1 - 1 / m)) / (m + extra)
    assert overlap == pytest.approx(series, rel=1e-7)
    assert abs(overlap / (1 / (m + extra)) - 1) > 1e-5


@pytest.mark.statistical
def test_softmax_moments_of_drawn_rows():
    rng = np.random.default_rng(61)
    z, w, more = rng.normal(size=(2, 40_000, 6)), rng.normal(size=(40_000, 3)), 1.5
    first, second = z[0], 0.6 * z[0] + 0.8 * z[1]
    A = np.exp(more * first)
    A = A / A.sum(1, keepdims=True)
    B = np.exp(more * np.concatenate([second, w], axis=1))
    B = (B / B.sum(1, keepdims=True))[:, :6]
    overlap = (A * B).sum(1)
    response = (A * B * (1 - A - B + overlap[:, None])).sum(1)
    for correlation, agrees in ((0.6, True), (0.4, False)):
        moments = SoftmaxRows(more, correlation, 9).two(6, 3)
        for sample, predicted in ((overlap, moments.overlap), (response, moments.response)):
            z_score = (sample.mean() - predicted) / (sample.std() / 200)
            assert (abs(z_score) < 5.5) == agrees  # 4e-8 a comparison


@pytest.mark.parametrize("activation", ["tanh", "gelu", "leaky-relu"])
def test_kernels_are_dual_activations(activation):
    covariance = np.array([[1.0, 0.6, -0.2], [0.6, 2.0, 0.1], [-0.2, 0.1, 0.5]])
    values, _ = TokenKernel(activation).products(covariance)
    for i, j in ((0, 0), (0, 1), (1, 2)):
        exact = theory.dual_activation(
            activation, first=covariance[i, i], second=covariance[j, j], covariance=covariance[i, j]
        )
        assert values[i, j] == pytest.approx(exact, rel=1e-7)


def test_slopes_are_the_derivative_of_the_kernel():
    def kernel(c):
        return TokenKernel("gelu").products(np.array([[1.3, c], [c, 0.9]]))

    step = 1e-5
    slope = (kernel(0.4 + step)[0][0, 1] - kernel(0.4 - step)[0][0, 1]) / (2 * step)
    assert kernel(0.4)[1][0, 1] == pytest.approx(slope, rel=1e-6)


def test_cosines_are_the_wide_recursion_of_uniform_attention():
    layers = theory.TokenLayers(
        depth=5,
        norm="none",
        attention=theory.TokenAttention(logit_deviation=0.0, gain=0.36),
        mlp=theory.TokenMlp(input_variance=1.0, gain=0.64),
    )
    wide = theory.wide_tokens(0.7 * np.eye(4) + 0.3, layers=layers)
    path = theory.token_cosine_recursion(cosine=0.3, tokens=4, depth=5, alpha=0.6, mlp_alpha=0.8)
    assert wide.cosine == pytest.approx(path, rel=1e-10)
    assert theory.token_cosine_recursion(
        cosine=0.3, tokens=4, depth=5, alpha=0.6, mlp_alpha=0.0
    ) != pytest.approx(path, rel=1e-2)


def test_the_flow_is_the_limit_of_the_recursion():
    flow = theory.token_cosine_flow(cosine=-0.2, tokens=3, attention=1.5, mlp=0.5, time=[0.5, 1.0])
    path = theory.token_cosine_recursion(
        cosine=-0.2, tokens=3, depth=20_000, alpha=(1.5 / 20_000) ** 0.5, mlp_alpha=(0.5 / 20_000) ** 0.5
    )
    assert flow == pytest.approx(path[[10_000, 20_000]], abs=1e-4)
    late = np.asarray(
        theory.token_cosine_flow(cosine=0.5, tokens=3, attention=1.0, mlp=0.0, time=[10.0, 11.0])
    )
    assert np.log((1 - late[0]) / (1 - late[1])) == pytest.approx(1.0, abs=1e-3)
    assert np.all(late < 1)
    assert theory.token_cosine_flow(cosine=1.0, tokens=3, attention=1.0, mlp=1.0) == 1.0


@given(
    st.sampled_from(["pre", "post", "peri", "none"]),
    st.sampled_from(["full", "causal"]),
    st.integers(1, 5),
    st.floats(0.0, 3.0),
)
@settings(max_examples=25)
def test_gram_matrices_stay_gram_matrices(norm, mask, tokens, deviation):
    attention = theory.TokenAttention(logit_deviation=deviation, gain=0.7, mask=mask)
    path = theory.wide_tokens(np.eye(tokens), layers=block(norm=norm, attention=attention))
    assert path.gram.shape == (4, tokens, tokens)
    for matrices in (path.gram, path.tangent):
        assert matrices == pytest.approx(np.swapaxes(matrices, 1, 2))
        assert np.linalg.eigvalsh(matrices).min() > -1e-6
    if norm == "post":
        assert path.log_rms[1:] == pytest.approx(0, abs=1e-12)
    if tokens > 1:
        assert np.all(path.cosine <= 1 + 1e-9)
    seen = np.arange(1, tokens + 1) if mask == "causal" else np.full(tokens, tokens)
    assert np.all(path.entropy <= np.log(seen) + 1e-9)


def test_tokens_that_are_one_stay_one():
    path = theory.wide_tokens(np.ones((4, 4)), layers=block())
    assert path.cosine == pytest.approx(1.0, abs=1e-9)
    # attention then adds one vector, and its gain alone
    add = 0.8 + 0.9 * theory.activation_second_moment("gelu", 1.2)
    assert path.gram[1] == pytest.approx(1 + add)


def test_tangents_are_the_derivative_of_the_gram_matrix():
    """A tangent T of X moves Σ by twice the cross term: here of X itself behind linear layers, so T = X."""
    layers = theory.TokenLayers(
        depth=4, norm="none", attention=theory.TokenAttention(logit_deviation=0.0, gain=0.5),
        mlp=theory.TokenMlp(input_variance=1.0, gain=0.3, activation="identity"),
    )  # fmt: skip
    path = theory.wide_tokens(np.eye(3), layers=layers)
    assert path.tangent == pytest.approx(path.gram)
    assert theory.wide_tokens(np.eye(3), layers=block(norm="none", depth=1)).tangent[1] != pytest.approx(
        theory.wide_tokens(np.eye(3), layers=block(norm="none", depth=1)).gram[1], rel=1e-2
    )


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
def test_rates_near_collapse(norm):
    r_1, a_2 = 0.3, 0.5
    r_2 = a_2 * theory.activation_energy("tanh").mean
    smooth = norm != "none"
    activation = "tanh" if smooth else "identity"
    layers = theory.TokenLayers(
        depth=400 if norm == "pre" else 12,
        norm=norm,
        attention=theory.TokenAttention(logit_deviation=2.0, gain=r_1),
        mlp=theory.TokenMlp(input_variance=1.0, gain=a_2, activation=activation),
    )
    path = theory.wide_tokens(1e-8 * np.eye(3) + 1.0, layers=layers)
    rates = theory.token_exponents(
        norm=norm, attention=r_1, mlp=r_2 if smooth else a_2, slope=theory.mlp_slope(activation)
    )
    gap, grown = -np.log1p(-path.cosine), 2 * path.log_rms
    half = len(gap) // 2
    clock = grown[-1] - grown[half] if norm == "pre" else len(gap) - 1 - half
    assert (gap[-1] - gap[half]) / clock == pytest.approx(rates.collapse, rel=2e-3)
    apart = np.trace(path.tangent, axis1=1, axis2=2) / 3 - path.tangent.mean((1, 2))
    assert np.log(apart[-1] / apart[half]) / clock == pytest.approx(rates.apart, rel=5e-3, abs=1e-6)
    common = np.log(path.tangent[-1].mean() / path.tangent[half].mean())
    assert common / clock == pytest.approx(rates.common, rel=5e-3, abs=1e-6)


def test_one_half_is_critical_in_all_placements():
    """At β = ½ a hundred times the depth changes little; at β = ¼ it changes much."""
    for norm in ("pre", "post", "peri"):
        for beta, bounded in ((0.5, True), (0.25, False)):
            ends = []
            for depth in (20, 200):
                path = theory.wide_tokens(np.eye(3), layers=block(depth=depth, norm=norm, alpha=depth**-beta))
                ends.append((-np.log(1 - path.cosine[-1]), path.log_tangent[-1]))
            moved = np.abs(np.subtract(*ends))
            assert (moved.max() < 0.1) == bounded, (norm, beta)


def test_heads_with_queries_behind_norms_do_not_see_sizes():
    def last(size, **words):
        attention = theory.TokenAttention(logit_deviation=2.0, gain=1.0, **words)
        layers = theory.TokenLayers(depth=1, norm="none", attention=attention)
        return theory.wide_tokens(size * np.eye(4), layers=layers).cosine[1]

    assert last(1.0, normalised_queries=True) == pytest.approx(last(9.0, normalised_queries=True))
    assert last(1.0) != pytest.approx(last(9.0), rel=1e-2)
    assert last(1.0, logit_cap=1e6) == pytest.approx(last(1.0), rel=1e-6)
    assert last(1.0, logit_cap=0.5) < last(1.0) + 1  # a cap makes weights more alike
    capped = theory.TokenAttention(logit_deviation=2.0, gain=1.0, logit_cap=0.5)
    free = theory.TokenAttention(logit_deviation=2.0, gain=1.0)
    entropies = [
        theory.wide_tokens(np.eye(4), layers=theory.TokenLayers(depth=1, attention=a)).entropy[0, 0]
        for a in (capped, free)
    ]
    assert entropies[0] > entropies[1] + 0.1


def test_layer_norms_take_mean_coordinates_away():
    gram = np.eye(3) + 0.25
    centred = theory.wide_tokens(gram, layers=block(centred=True), means=np.full(3, 0.5))
    plain = theory.wide_tokens(np.eye(3), layers=block(centred=True))
    assert centred.gram - plain.gram == pytest.approx(0.25)
    blind = theory.wide_tokens(gram, layers=block(), means=np.full(3, 0.5))
    assert blind.gram[-1] - plain.gram[-1] != pytest.approx(0.25, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.TokenAttention(logit_deviation=-1.0, gain=1.0), "logit_deviation=-1"),
        (lambda: theory.TokenAttention(logit_deviation=1.0, gain=-1.0), "gain=-1"),
        (lambda: theory.TokenAttention(logit_deviation=1.0, gain=1.0, mask="some"), "mask='some'"),  # type: ignore[arg-type]
        (lambda: theory.TokenAttention(logit_deviation=1.0, gain=1.0, logit_cap=0.0), "logit_cap=0"),
        (lambda: theory.TokenMlp(input_variance=1.0, gain=1.0, activation=np.sin), "derivative=None"),
        (lambda: theory.TokenMlp(input_variance=-1.0, gain=1.0), "input_variance=-1"),
        (lambda: theory.TokenLayers(depth=2, norm="mid"), "norm='mid'"),  # type: ignore[arg-type]
        (lambda: theory.TokenLayers(depth=2, alpha=[1.0]), "alpha has 1 numbers"),
        (lambda: theory.TokenLayers(depth=2, norm_eps=-1.0), "norm_eps=-1"),
        (lambda: theory.wide_tokens(np.zeros((2, 2)), layers=block()), "gram: "),
        (lambda: theory.wide_tokens(np.eye(2), layers=block(), means=[0.1]), "means of shape"),
        (lambda: theory.wide_tokens(np.eye(2), layers=block(), means=[2.0, 0.0]), "means: "),
        (lambda: theory.token_cosine_recursion(
            cosine=-0.9, tokens=3, depth=1, alpha=1.0, mlp_alpha=1.0), "cosine=-0.9"),
        (lambda: theory.token_exponents(norm="pre", attention=0.0, mlp=0.0), "attention=0, mlp=0"),
        (lambda: theory.token_exponents(norm="mid", attention=1.0, mlp=0.0), "norm='mid'"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ValueError, match="must") as error:
        call()
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1
