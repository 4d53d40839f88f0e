"""Real models at random initialisation, each checked at several depths: `python examples/real_models.py
[NAME ...]`.

Needs torch and transformers (`pip install torch transformers`), and jax for the last two; nothing is
downloaded. The class that theory expects is written here, before anything is run. Prints the table of
docs/evidence/real-models.md.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from montecarlo.practice import depth_check, find_object

DEPTHS = (6, 12, 24)
WIDTH, TOKENS, BATCH, WORDS = 128, 16, 4, 512
STD = 0.02 * math.sqrt(
    768 / WIDTH
)  # deviation 0.02 belongs to width 768: what counts is deviation² times width


class Model(NamedTuple):
    """A model: how it is built, the class that theory expects, why, and what would be critical."""

    factory: Callable[[int, int], Any]
    expect: str
    why: str
    critical: str


def tokens() -> Any:
    """Return token numbers, all different."""
    import torch

    return {"input_ids": torch.arange(BATCH * TOKENS).reshape(BATCH, TOKENS)}


def images(size: int = 32) -> Any:
    """Return random images."""
    import torch

    return torch.randn(BATCH, 3, size, size, generator=torch.Generator().manual_seed(0))


def gpt2(depth: int, seed: int) -> Any:
    """GPT-2: pre-norm, residual projections divided by √(2L)."""
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(
        n_layer=depth, n_embd=WIDTH, n_head=4, vocab_size=WORDS, n_positions=TOKENS, initializer_range=STD,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return GPT2Model(config).eval(), tokens()


def llama(depth: int, seed: int) -> Any:
    """LLaMA: pre-norm, no scaling with depth."""
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        num_hidden_layers=depth, hidden_size=WIDTH, intermediate_size=344, num_attention_heads=4,
        num_key_value_heads=4, vocab_size=WORDS, initializer_range=STD,
    )  # fmt: skip
    return LlamaModel(config).eval(), tokens()


def bert(depth: int, seed: int) -> Any:
    """BERT: the post-norm of 2017."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        num_hidden_layers=depth, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_attention_heads=4,
        vocab_size=WORDS, initializer_range=STD,
    )  # fmt: skip
    return BertModel(config).eval(), tokens()


def vit(depth: int, seed: int) -> Any:
    """Vision transformer: pre-norm."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        num_hidden_layers=depth, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_attention_heads=4,
        image_size=32, patch_size=8, initializer_range=STD,
    )  # fmt: skip
    return ViTModel(config).eval(), images()


def t5(depth: int, seed: int) -> Any:
    """T5's encoder: pre-norm, embeddings of deviation 1."""
    from transformers import T5Config, T5EncoderModel

    config = T5Config(num_layers=depth, d_model=WIDTH, d_ff=4 * WIDTH, d_kv=32, num_heads=4, vocab_size=WORDS)
    return T5EncoderModel(config).eval(), tokens()


def convnext(depth: int, seed: int) -> Any:
    """ConvNeXt: branches scaled by parameters of 1e-6."""
    from transformers import ConvNextConfig, ConvNextModel

    config = ConvNextConfig(depths=[1, 1, depth, 1], hidden_sizes=[16, 16, 32, 32])
    return ConvNextModel(config).eval(), images(64)


def resnet_training(depth: int, seed: int) -> Any:
    """ResNet-50's bottlenecks, batch norms on the batch's own statistics."""
    from transformers import ResNetConfig, ResNetModel

    config = ResNetConfig(depths=[1, 1, depth, 1], hidden_sizes=[32, 32, 64, 64], embedding_size=16)
    return ResNetModel(config).train(), images(64)


def resnet_evaluation(depth: int, seed: int) -> Any:
    """The same with running statistics, which are 0 and 1 at initialisation."""
    model, inputs = resnet_training(depth, seed)
    return model.eval(), inputs


def mamba(depth: int, seed: int) -> Any:
    """Mamba: pre-norm state space blocks."""
    from transformers import MambaConfig, MambaModel

    config = MambaConfig(
        num_hidden_layers=depth, hidden_size=WIDTH, vocab_size=WORDS, initializer_range=STD, use_mambapy=False
    )
    return MambaModel(config).eval(), {"input_ids": tokens()["input_ids"][:, :8], "use_cache": False}


def pytorch_encoder(depth: int, seed: int) -> Any:
    """PyTorch's own encoder, which copies one layer L times."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, depth, enable_nested_tensor=False).eval()
    return encoder, torch.randn(BATCH, TOKENS, WIDTH, generator=torch.Generator().manual_seed(0))


def residual_mlp(depth: int, seed: int) -> Any:
    """A residual MLP without scaling or norm, as people write it first."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
            for layer in (self.up, self.down):
                nn.init.kaiming_normal_(layer.weight)

        def forward(self, h: torch.Tensor) -> torch.Tensor:
            return h + self.down(torch.relu(self.up(h)))

    model = nn.Sequential(nn.Linear(32, WIDTH), *(Block() for _ in range(depth)), nn.Linear(WIDTH, 1))
    return model, torch.randn(BATCH * TOKENS, 32, generator=torch.Generator().manual_seed(0))


def jax_mlp(depth: int, seed: int) -> Any:
    """JAX: a residual MLP with α = L^-1/2, under `lax.scan`."""
    return find_object("stream_in_jax:mlp")(depth, seed)


def jax_pre_norm(depth: int, seed: int) -> Any:
    """JAX: the same behind a norm, without scaling."""
    return find_object("stream_in_jax:pre_norm")(depth, seed)


PRE = ("polynomial", "pre-norm, nothing scaled (N3)", "divide projections into the stream by √(2L)")
GALLERY = {
    "GPT-2": Model(gpt2, "critical", "pre-norm, projections into the stream divided by √(2L) (N3)", "it is"),
    "LLaMA": Model(llama, *PRE),
    "BERT": Model(
        bert, "exponential", "post-norm: each block takes its share of the stream away (N10)",
        "branches times 1/√L before the addition (DeepNorm), or pre-norm",
    ),
    "ViT": Model(vit, *PRE),
    "T5 encoder": Model(t5, *PRE),
    "ConvNeXt": Model(convnext, "identity", "branches times 1e-6 (I10)", "layer scales of 1/√L"),
    "ResNet-50 blocks, training": Model(
        resnet_training, "polynomial", "batch norm holds the branches (N9)", "last gains of 1/√L"
    ),
    "ResNet-50 blocks, evaluation": Model(
        resnet_evaluation, "exponential", "running statistics, 0 and 1, do not (I11)", "last gains of 1/√L"
    ),
    "Mamba": Model(mamba, *PRE),
    "nn.TransformerEncoder": Model(
        pytorch_encoder, "exponential", "post-norm (N10)", "norm_first, new weights in each layer, 1/√(2L)"
    ),
    "residual MLP": Model(
        residual_mlp, "exponential", "no norm, nothing scaled (I11)", "branches times 1/√L"
    ),
    "JAX residual MLP": Model(jax_mlp, "critical", "α = L^-1/2 (I8)", "it is"),
    "JAX pre-norm MLP": Model(jax_pre_norm, "polynomial", "pre-norm, nothing scaled (N3)", "α = L^-1/2"),
}  # fmt: skip


def main(names: list[str]) -> None:
    """Check the models of these names, or all."""
    warnings.filterwarnings("ignore")
    print(
        "| model | expected, because | found | stream grows (theory) | gradient grows (theory) | critical |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, model in GALLERY.items():
        if names and name not in names:
            continue
        found = depth_check(model.factory, depths=DEPTHS, seeds=8, expect=model.expect)
        stream = beside(found.stream.levels, [theory.stream for theory in found.theory])
        levels = (math.nan,) * 3 if found.gradient is None else found.gradient.levels
        back = beside(levels, [theory.gradient for theory in found.theory])
        claim, faults = f"{model.expect}: {model.why}", {fault.kind for fault in found.faults}
        told = f"{found.found}" + (f" ({', '.join(sorted(faults))})" if faults else "")
        print(f"| {' | '.join((name, claim, told, stream, back, model.critical))} |", flush=True)
        if "-v" in sys.argv:
            print(found, file=sys.stderr)


def beside(measured: Sequence[float], predicted: Sequence[float]) -> str:
    """Return growth at each depth, with theory's at the last one."""
    shown = ", ".join("—" if math.isnan(x) else f"{math.exp(x):.3g}" for x in measured)
    return shown if math.isnan(predicted[-1]) else f"{shown} ({math.exp(predicted[-1]):.3g})"


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if not name.startswith("-")])
