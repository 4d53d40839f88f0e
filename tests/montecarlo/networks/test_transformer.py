"""Specifications of transformers: presets, one spelling, and one line for each bad field."""

import json

import pytest
from explicit_tokens import buckets
from token_cases import CASES, PLAIN, make

from montecarlo import InvalidFieldError, Transformer
from montecarlo.engines.tokens._engine import find_buckets
from montecarlo.networks._transformer_presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_specifications_of_any_size(name):
    net = Transformer.preset(name)
    assert Transformer(**net.canonical()) == net
    small = Transformer.preset(name, width=64, depth=3, heads=4, tokens=5, hidden_width=100)
    assert (small.width, small.depth, small.units, small.tokens) == (64, 3, 100, 5)
    assert eval(repr(small), {"Transformer": Transformer}) == small


@pytest.mark.parametrize("case", CASES)
def test_canonical_fields_give_the_specification_back(case):
    net = make(case)
    again = Transformer(**json.loads(json.dumps(net.canonical())))
    assert again == net
    assert hash(again) == hash(net)
    assert again.digest == net.digest


def test_deviations_follow_the_sizes_that_a_preset_is_given():
    gpt2 = Transformer.preset("gpt2", depth=8)
    assert gpt2.output_std == gpt2.down_std == pytest.approx(0.005)
    assert gpt2.query_std == 0.02
    assert Transformer.preset("mup", width=64, heads=4).logit_scale == 1 / 16
    assert Transformer.preset("t5").head_width == 64
    deepnet, post = (Transformer.preset(name, depth=8) for name in ("deepnet", "post-ln"))
    assert deepnet.skip == pytest.approx(2.0)
    assert deepnet.value_std == pytest.approx(post.value_std * 64**-0.25)
    assert deepnet.query_std == post.query_std
    assert Transformer.preset("llama").hidden_width == 11008
    assert Transformer.preset("gpt2", position="rotary").position_std == 0.0


def test_words_of_a_preset_without_what_they_act_on_are_left_out():
    assert Transformer.preset("mup", attention="uniform").attention_scale == "sqrt"
    assert not Transformer.preset("llama", hidden_width=0).gated


def test_buckets_are_those_of_t5():
    assert (find_buckets(200) == buckets(200)).all()


BAD = [
    ({"width": 1}, "width=1: must be a whole number of at least 2"),
    ({"tokens": 0}, "tokens=0: must be"),
    ({"tokens": 2000}, "at most 1,024"),
    ({"heads": 3, "head_width": None}, "heads=3: must divide width=8"),
    ({"kv_heads": 3}, "kv_heads=3: must be a whole number of at least 1 and at most 2"),
    ({"heads": 4, "kv_heads": 3}, "kv_heads=3: must divide heads=4"),
    ({"head_width": 2**20 - 1}, "must give at most"),
    ({"norm": "batch"}, "norm='batch': must be one of layer, none, rms"),
    ({"placement": "before"}, "must be one of peri, post, pre"),
    ({"attention": "sparse"}, "must be one of causal, full, none, uniform"),
    ({"position": "alibi"}, "must be one of"),
    ({"activation": "mish"}, "must be one of gelu, gelu-tanh"),
    ({"gated": 1}, "gated=1: must be True or False"),
    ({"query_std": -1.0}, "query_std=-1.0: must be a finite number"),
    ({"output_std": None}, "output_std=None: must be given unless"),
    ({"gate_std": 0.1}, "gate_std=0.1: must be 0 for an MLP without gate"),
    ({"position_std": 0.1}, "position_std=0.1: must be 0 for position='none'"),
    ({"attention_scale": "cubic"}, "attention_scale='cubic': must be sqrt, linear or a number of at least 0"),
    ({"attention_scale": -1.0}, "attention_scale=-1.0: must be sqrt, linear or a number of at least 0"),
    ({"attention": "uniform", "attention_scale": 2.0}, "attention_scale=2.0: acts on logits"),
    ({"rotary_base": 5.0}, "rotary_base=5.0: acts on rotary positions, and position="),
    ({"gated": True, "hidden_width": 0}, "gated=True: must be False with hidden_width=0"),
    ({"logit_cap": 0.0}, "logit_cap=0.0: must be"),
    ({"position": "rotary", "head_width": 3}, "head_width=3: must be even"),
    ({"attention": "none", "qk_norm": True}, "acts on logits"),
    ({"attention": "uniform", "logit_cap": 2.0}, "acts on logits"),
    ({"alpha": 1.0, "beta": 0.5}, "must not be given together"),
    ({"schedule": "linear"}, "schedule='linear': must be"),
    ({"patch_dim": 0}, "patch_dim=0: must be"),
    ({"hidden_width": -1}, "hidden_width=-1: must be"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "words"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_field_is_refused_in_one_line(fields, words):
    with pytest.raises(InvalidFieldError) as caught:
        Transformer(**{**PLAIN, **fields})
    line = str(caught.value)
    assert words in line
    assert "\n" not in line
    assert "; " in line


def test_unknown_presets_and_fields_are_refused():
    with pytest.raises(InvalidFieldError, match="did you mean 'gpt2'"):
        Transformer.preset("gpt-2")
    with pytest.raises(InvalidFieldError, match="did you mean 'width'"):
        Transformer.preset("gpt2", widht=3)
