"""What every parameter of a model is taken as: V, W, norms, scales, biases; and what is refused or said."""

from __future__ import annotations

import collections
import math
import re

import numpy as np
import pytest

from montecarlo import InvalidFieldError
from montecarlo.diagnosis import Branches, measure_branches

D, M, L = 16, 48, 6
RNG = np.random.default_rng(0)
ONES, ZEROS = np.ones(D), np.zeros(D)
UP, DOWN = (M, D), (D, M)  # of rows that are outputs
SQUARE = {"fc1": (D, D), "fc2": (D, D)}


@pytest.fixture(autouse=True)
def _same_weights_in_any_order() -> None:
    RNG.bit_generator.state = np.random.default_rng(2).bit_generator.state


def mat(rows: int = D, columns: int = D, std: float | None = None) -> np.ndarray:
    return RNG.normal(0, columns**-0.5 if std is None else std, (rows, columns))


def alternating(size: float) -> np.ndarray:
    """Return a bias of mean 0 and this root mean square."""
    return np.tile([size, -size], D // 2)


def blocks(parts: dict[str, object], depth: int = L, where: str = "blocks.{}.") -> dict[str, object]:
    """Return a model of equal blocks; a part is a shape (random), or an array."""
    model = {}
    for k in range(depth):
        for name, part in parts.items():
            array = mat(*part) if isinstance(part, tuple) else part
            model[where.format(k) + name] = array
    return model


def said(found: Branches) -> str:
    return " | ".join(found.warnings)


def sizes(found: Branches) -> tuple[int, int, int]:
    return found.width, found.hidden_width, found.depth


GPT = {
    "ln_1.weight": ONES, "ln_1.bias": ZEROS, "attn.c_attn.weight": (D, 3 * D),
    "attn.c_attn.bias": np.zeros(3 * D),
    "attn.c_proj.weight": (D, D), "attn.c_proj.bias": ZEROS, "ln_2.weight": ONES, "ln_2.bias": ZEROS,
    "mlp.c_fc.weight": DOWN, "mlp.c_fc.bias": np.full(M, 0.1), "mlp.c_proj.weight": UP,
    "mlp.c_proj.bias": ZEROS,
}  # fmt: skip


@pytest.mark.parametrize("pattern", [None, "mlp", r"mlp\.c_\w+\.weight", "c_fc|mlp.c_proj"])
def test_a_gpt_block_whatever_the_pattern(pattern: str | None) -> None:
    # GPT-2's weights are (in, out) without "kernel" in their names: biases and norms tell.
    found = measure_branches(blocks(GPT, where="h.{}."), pattern=pattern)
    assert sizes(found) == (D, M, L)
    assert found.names == ("h.*.mlp.c_proj.weight", "h.*.mlp.c_fc.weight")
    assert found.bias_std == pytest.approx(0.1)
    assert "normalisation" in said(found)
    assert "attention" in said(found)
    assert "mean 0.1" in said(found)
    assert set(found.roles) == {f"h.*.{name}" for name in GPT}
    assert "unread" not in found.roles.values()
    assert found.roles["h.*.mlp.c_fc.bias"] == "bias of W"
    assert found.roles["h.*.ln_2.bias"] == "norm"


ENCODER = {
    "self_attn.in_proj_weight": (3 * D, D), "self_attn.in_proj_bias": np.zeros(3 * D),
    "self_attn.out_proj.weight": (D, D), "linear1.weight": UP, "linear1.bias": np.zeros(M),
    "linear2.weight": DOWN, "norm1.weight": ONES, "norm1.bias": ZEROS,
}  # fmt: skip
QKVO = {f"mixer.{name}": (D, D) for name in "qkvo"} | {"mlp.up": UP, "mlp.down": DOWN}
T5 = {f"layer.0.SelfAttention.{name}.weight": (D, D) for name in "qkvo"} | {
    "layer.1.DenseReluDense.wi.weight": UP, "layer.1.DenseReluDense.wo.weight": DOWN,
}  # fmt: skip


@pytest.mark.parametrize("parts", [ENCODER, QKVO, T5])
def test_attention_is_told_from_the_branch_of_matrices(parts: dict[str, object]) -> None:
    found = measure_branches(blocks(parts))
    assert sizes(found) == (D, M, L)
    assert "attention" in said(found)


@pytest.mark.parametrize(
    ("parts", "v"),
    [
        ({"down.weight": DOWN, "up.weight": UP}, "down.weight"),
        ({"down.kernel": UP, "up.kernel": DOWN}, "down.kernel"),
        ({"fc1.weight": DOWN, "fc2.weight": UP, "fc1.bias": np.zeros(M)}, "fc2.weight"),  # (in, out)
        ({"a": UP, "b": DOWN, "pre.g": ONES}, "b"),
        ({"b.kernel": DOWN, "a.kernel": UP, "ln.scale": ONES}, "a.kernel"),
        ({"w2": DOWN, "w1": UP}, "w2"),
        ({"V": DOWN, "W": UP, "b": np.zeros(M)}, "V"),
        ({"outer.w": DOWN, "inner.w": UP}, "outer.w"),
        ({"net.3.weight": DOWN, "net.0.weight": UP}, "net.3.weight"),
    ],
)
def test_v_is_the_matrix_that_maps_back(parts: dict[str, object], v: str) -> None:
    found = measure_branches(blocks(parts))
    assert sizes(found) == (D, M, L)
    assert found.names[0] == f"blocks.*.{v}"


def test_what_the_names_alone_say_is_said_and_width_decides() -> None:
    bottleneck = blocks({"first": (8, D), "second": (D, 8)})
    assert "width=" in said(measure_branches(bottleneck))
    found = measure_branches(bottleneck, width=D)
    assert sizes(found) == (D, 8, L)
    assert "width=" not in said(found)
    assert measure_branches(bottleneck, width=8).names[0] == "blocks.*.second"
    # An embedding or a read-out outside says it, too.
    assert "width=" not in said(measure_branches(bottleneck | {"embed.weight": mat(100, D)}))
    with pytest.raises(InvalidFieldError, match="width=5: must be a side of"):
        measure_branches(bottleneck, width=5)


def test_square_matrices_that_nothing_tells_apart_are_taken_in_order() -> None:
    found = measure_branches(blocks({"x": (D, D), "y": (D, D)}))
    assert found.names == ("blocks.*.y", "blocks.*.x")
    assert "nothing says which matrix maps back" in said(found)
    assert said(measure_branches(blocks({"fc2": (D, D), "fc1": (D, D)}))) == ""


@pytest.mark.parametrize(
    ("parts", "bias", "bias_v"),
    [
        ({"W": (D, D), "V": (D, D)}, 0.0, 0.0),
        ({"W": (D, D), "V": (D, D), "b": alternating(0.2)}, 0.2, 0.0),
        ({"w_in": (D, D), "b_in": alternating(0.2), "w_out": (D, D)}, 0.2, 0.0),
        ({"lin1": {"w": mat(), "b": alternating(0.3)}, "lin2": {"w": mat(), "b": ZEROS}}, 0.3, 0.0),
        ({"W1": (D, D), "b1": ZEROS, "W2": (D, D), "b2": alternating(0.3)}, 0.0, 0.3),
        ({"fc1_weight": (D, D), "fc1_bias": alternating(0.3), "fc2_weight": (D, D)}, 0.3, 0.0),
    ],
)  # fmt: skip
def test_biases_are_found_beside_their_matrix(parts: dict[str, object], bias: float, bias_v: float) -> None:
    def drawn() -> dict[str, object]:
        return {name: mat(*part) if isinstance(part, tuple) else part for name, part in parts.items()}

    found = measure_branches({f"block_{k}": drawn() for k in range(L)})
    assert found.bias_std == pytest.approx(bias)
    assert found.bias_v_std == pytest.approx(bias_v)
    assert ("biases of V" in said(found)) == (bias_v > 0)


def test_numbered_names_beside_each_other_are_one_block() -> None:
    flat = {f"{name}_{k}": mat() for k in range(L) for name in ("w", "v")}
    flat |= {f"b_{k}": alternating(0.2) for k in range(L)}
    found = measure_branches(flat)
    assert found.names == ("v_*", "w_*")
    assert found.bias_std == pytest.approx(0.2)
    lone = measure_branches({f"w_{k}": mat() for k in range(L)})
    assert (lone.names, lone.bias_std, lone.bias_v_std) == (("w_*",), 0.0, 0.0)


def test_lists_of_layers_beside_each_other_are_one_block() -> None:
    bias = alternating(0.2)
    arrays = {"W": [mat() for _ in range(L)], "V": [mat() for _ in range(L)], "b": [bias] * L}
    modules = {f"net.{name}.{k}.weight": mat() for k in range(L) for name in ("fc1s", "fc2s")}
    modules |= {f"net.norms.{k}.weight": ONES for k in range(L)} | {
        f"net.fc1s.{k}.bias": bias for k in range(L)
    }
    for model, v in ((arrays, "V.*"), (modules, "net.fc2s.*.weight")):
        found = measure_branches(model)
        assert (sizes(found), found.names[0], found.bias_std) == ((D, D, L), v, pytest.approx(0.2))
    assert "norms.*.weight looks like a normalisation" in said(found)


def test_a_flat_list_of_square_matrices_does_not_say_what_a_block_is() -> None:
    model = {"params": {f"Dense_{k}": {"kernel": mat()} for k in range(20)}}
    assert "does not say whether a branch has one or two" in said(measure_branches(model))
    two = measure_branches(model, matrices_per_block=2)
    assert (two.depth, two.names) == (10, ("params.Dense_*[1::2].kernel", "params.Dense_*[0::2].kernel"))
    assert two.warnings == ()
    one = measure_branches(model, matrices_per_block=1)
    assert (one.depth, len(one.names)) == (20, 1)
    assert "does not say" not in said(one)
    with pytest.raises(InvalidFieldError, match="matrices_per_block=3"):
        measure_branches(model, matrices_per_block=3)
    with pytest.raises(InvalidFieldError, match=r"W and V in turn \(there are 19"):
        measure_branches({f"{k}.weight": mat() for k in range(19)}, matrices_per_block=2)
    with pytest.raises(InvalidFieldError, match="must have 1 matrices a block, has 2"):
        measure_branches(blocks(SQUARE), matrices_per_block=1)


def test_a_flat_list_of_turns_is_read_in_pairs() -> None:
    shapes = [(7, D), *[UP, DOWN] * L, (3, D)]
    found = measure_branches({f"{2 * k}.weight": mat(*shape) for k, shape in enumerate(shapes)})
    assert sizes(found) == (D, M, L)
    assert found.names == ("*[1::2].weight", "*[0::2].weight")


def test_haiku_does_not_number_the_first_block() -> None:
    model = {
        f"net/~/{block}/{name}": {"w": mat(), "b": ZEROS}
        for block in ("block", "block_1", "block_2") for name in ("linear", "linear_1")
    }  # fmt: skip
    assert measure_branches(model).depth == 3


def test_stacked_blocks_along_any_axis() -> None:
    tree = {
        "up.kernel": RNG.normal(size=(L, D, M)), "down.kernel": RNG.normal(size=(L, M, D)),
        "up.bias": np.ones((L, M)), "LayerNorm.scale": np.ones((L, D)),
    }  # fmt: skip
    records = []
    for axis in (0, 1, -1):
        moved = {f"scan.{name}": np.moveaxis(array, 0, axis) for name, array in tree.items()}
        records.append(measure_branches(moved | {"embed.embedding": mat(10, D)}))
    for found in records:
        assert sizes(found) == (D, M, L)
        assert found.alpha == pytest.approx(records[0].alpha)
        assert found.bias_std == 1.0
        assert "normalisation" in said(found)
    square = measure_branches({"scan": {"w": RNG.normal(size=(D, L, D))}})
    assert sizes(square) == (D, D, L)


EXPERTS = {f"experts.{e}.{name}": shape for e in range(9) for name, shape in (("fc1", UP), ("fc2", DOWN))}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (blocks({f"mlp.{n}_proj": s for n, s in (("gate", UP), ("up", UP), ("down", DOWN))}), "gated"),
        (blocks({f"ff.{n}.weight": s for n, s in (("w1", UP), ("w2", DOWN), ("w3", UP))}), "gated"),
        (blocks({"gate_up_proj.weight": (2 * M, D), "down_proj.weight": DOWN}), "gated"),
        (blocks(EXPERTS), "experts"),
        (blocks({"moe.gate": (4, D), "moe.0.fc": (D, D), "moe.1.fc": (D, D)}), "experts"),
        (blocks({f"b.{k}.fc": (D, D) for k in range(4)}), "one or two matrices a block, has 4"),
        (blocks({"a": UP, "b": (M, M), "c": DOWN}), "one or two matrices a block, has 3"),
        (blocks(SQUARE, where="encoder.{}.") | blocks(SQUARE, where="decoder.{}."), "several stacks"),
        ({f"l.{k}.conv.weight": np.ones((4, 4, 3, 3)) for k in range(5)}, "convolutions"),
        ({f"l.{k}.conv1.weight": np.ones((4, 4, 3)) for k in range(5)}, "convolutions"),
        (blocks({"attn.qkv.weight": (3 * D, D), "attn.proj.weight": (D, D)}), "these are others"),
        (blocks({"w12.weight": (2 * M, D), "w3.weight": DOWN}), "map a state to units and back"),
        (blocks({"fc": np.full((D, D), np.nan)}), r"model='blocks.0.fc': must have finite weights"),
        (blocks({"fc": np.ones((D, D)) * 1j}), "not complex"),
        (blocks({"fc": np.ones((D, D), int)}), "arrays of floats"),
        ({"name": "text"}, "arrays of floats"),
        ([], "two or more matrices"),
        ({f"h.{k}.fc": mat(4 + k, 4 + k) for k in range(L)}, "matrices of one shape"),
        ({f"l{k}": {"fc": mat().tolist()} for k in range(L)}, "two or more matrices"),
        ("text", "named_parameters"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_refused_in_one_line(model: object, words: str) -> None:
    with pytest.raises(InvalidFieldError, match=words) as error:
        measure_branches(model)
    assert len(str(error.value).splitlines()) == 1


def test_patterns_choose_among_gates_experts_and_stacks_and_what_is_left_is_said() -> None:
    gated = blocks({f"mlp.{n}_proj": s for n, s in (("gate", UP), ("up", UP), ("down", DOWN))})
    assert "gate) multiplies units" in said(measure_branches(gated, pattern="up|down"))
    found = measure_branches(blocks(EXPERTS), pattern=r"experts\.0")
    assert found.depth == L
    assert "expert" in said(found)
    seq2seq = blocks(ENCODER, where="enc.{}.") | blocks(SQUARE, where="dec.{}.")
    with pytest.raises(InvalidFieldError, match="several stacks"):
        measure_branches(seq2seq)
    assert "attention" in said(measure_branches(seq2seq, pattern="enc.*linear"))
    two = blocks({"fc": (D, D)}, where="enc.{}.m.") | blocks({"fc": (D, D)}, depth=4, where="dec.{}.m.")
    assert measure_branches(two, pattern="^dec").depth == 4
    assert "not read: dec.*.m.fc" in said(measure_branches(two))
    with pytest.raises(InvalidFieldError, match=r"pattern='linear\(': must be a regular expression"):
        measure_branches(two, pattern="linear(")


def test_other_blocks_in_between_are_no_depth() -> None:
    model = {f"layers.{2 * k}.attn.qkv.weight": mat(3 * D, D) for k in range(L)}
    model |= {f"layers.{2 * k + 1}.mlp.{n}": mat() for k in range(L) for n in ("fc1", "fc2")}
    assert measure_branches(model).depth == L
    wide = {f"stage.{k}.m.fc": mat(2 * D, 2 * D) if k in (2, 3) else mat() for k in range(8)}
    found = measure_branches(wide)
    assert (found.width, found.depth) == (D, 6)
    assert "not read: blocks 2, 3" in said(found)


class Shapes:
    """A tensor without values, as PyTorch's on "meta" or JAX's from `eval_shape`."""

    shape = (D, D)
    dtype = "torch.float32"
    device = "meta"


class Lazy:
    """A parameter of a lazy module before its first call."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise RuntimeError("uninitialised")


Pair = collections.namedtuple("Pair", ["fc1", "fc2"])


class Box:
    """What Flax wraps arrays in."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value


@pytest.mark.parametrize(
    "model",
    [
        [{"fc1": mat(), "fc2": mat()} for _ in range(L)],
        [Pair(mat(), mat()) for _ in range(L)],
        {tuple(name.split(".")): array for name, array in blocks(SQUARE).items()},
        {"state_dict": blocks(SQUARE), "epoch": 3, "name": "run", "optimiser": None},
        blocks(SQUARE | {"mask": np.ones((D, D), bool), "steps": np.int64(3), "kind": "mlp"}),
        {"0.weight": mat(D, 9), "2.weight": mat(D, 9)} | blocks(SQUARE, where="1.{}."),
        {name: a.astype(np.float16) for name, a in blocks(SQUARE).items()},
        {f"l_{k}": {n: {"kernel": Box(mat())} for n in ("Dense_0", "Dense_1")} for k in range(L)},
    ],
)  # fmt: skip
def test_trees_of_any_kind(model: object) -> None:
    found = measure_branches(model)
    assert (sizes(found), len(found.names), found.warnings) == ((D, D, L), 2, ())


def test_bfloat16() -> None:
    half = pytest.importorskip("ml_dtypes").bfloat16
    model = {name: a.astype(half) for name, a in blocks(SQUARE).items()}
    assert measure_branches(model).alpha == pytest.approx(1.0, abs=0.15)


def test_arrays_without_values_are_named() -> None:
    for empty in (Shapes(), Lazy()):
        with pytest.raises(InvalidFieldError, match=re.escape("model='l.0.fc': must hold numbers")):
            measure_branches({f"l.{k}.fc": empty for k in range(L)})


def test_blocks_that_share_their_weights() -> None:
    class Module:
        def named_parameters(self, remove_duplicate: bool = True):
            shared = mat(), mat()
            for k in range(1 if remove_duplicate else L):
                yield from ((f"blocks.{k}.fc{n}.weight", array) for n, array in enumerate(shared))

    found = measure_branches(Module())
    assert found.depth == L
    assert "they share one V" in said(found)


def test_unread_parameters_are_named() -> None:
    found = measure_branches(blocks({"fc1": (D, D), "fc2": (D, D), "zeta": np.array(3.0), "mix": np.ones(5)}))
    assert "not read: blocks.*.zeta, blocks.*.mix" in said(found)
    assert found.roles["blocks.*.zeta"] == "unread"
    embedded = measure_branches(blocks({"fc1": (D, D), "fc2": (D, D), "embed.weight": (50, D)}))
    assert embedded.roles["blocks.*.embed.weight"] == "embedding"
    assert embedded.names == ("blocks.*.fc2", "blocks.*.fc1")
    assert math.isclose(embedded.alpha, 1.0, abs_tol=0.15)
