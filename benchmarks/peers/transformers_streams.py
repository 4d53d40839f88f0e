"""Streams of the reference implementations of GPT-2, LLaMA and BERT with their own initialisation.

    python transformers_streams.py FILE.npz --model gpt2 --width 256 --depth 24 --heads 8 --hidden 1024

Builds networks one after the other, as users do, and keeps log-rms, mean cosine and the growth of an
isotropic tangent (forward-mode automatic differentiation from the first block's input on) at every layer.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
import transformers
from torch.autograd import forward_ad

VOCABULARY = 64
_KEPT = 10  # networks after which the file is written again


def build(options: argparse.Namespace) -> tuple[torch.nn.Module, list[torch.nn.Module]]:
    """Return a freshly initialised model and its blocks."""
    common = {"vocab_size": VOCABULARY, "attn_implementation": "eager"}
    if options.model == "gpt2":
        config = transformers.GPT2Config(
            n_embd=options.width, n_layer=options.depth, n_head=options.heads, n_inner=options.hidden,
            n_positions=options.tokens, bos_token_id=0, eos_token_id=0, **common,
        )  # fmt: skip
        model = transformers.GPT2Model(config)
        return model, list(model.h)
    sizes = {
        "hidden_size": options.width, "num_hidden_layers": options.depth,
        "num_attention_heads": options.heads, "intermediate_size": options.hidden,
        "max_position_embeddings": options.tokens,
    }  # fmt: skip
    if options.model == "llama":
        config = transformers.LlamaConfig(**sizes, bos_token_id=0, eos_token_id=0, **common)
        model = transformers.LlamaModel(config)
        return model, list(model.layers)
    model = transformers.BertModel(transformers.BertConfig(**sizes, **common), add_pooling_layer=False)
    return model, list(model.encoder.layer)


def streams(model: torch.nn.Module, blocks: list[torch.nn.Module], ids: torch.Tensor) -> list[torch.Tensor]:
    """Return the stream and its tangent at layers 0..L, (2, tokens, width) each."""
    seen = []

    def keep(hidden: torch.Tensor) -> None:
        dual = forward_ad.unpack_dual(hidden)
        seen.append(torch.stack([dual.primal[0], dual.tangent[0]]).detach().double())

    def before(module: torch.nn.Module, args: tuple, kwargs: dict) -> tuple:
        hidden = args[0] if args else kwargs["hidden_states"]
        dual = forward_ad.make_dual(hidden.detach(), torch.randn_like(hidden))
        keep(dual)
        if args:
            return (dual, *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": dual}

    def after(module: torch.nn.Module, args: tuple, output: object) -> None:
        keep(output[0] if isinstance(output, tuple) else output)

    hooks = [blocks[0].register_forward_pre_hook(before, with_kwargs=True)]
    hooks += [block.register_forward_hook(after) for block in blocks]
    with forward_ad.dual_level():
        model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    return seen


def main() -> None:
    """Draw networks and write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--model", required=True, choices=("gpt2", "llama", "bert"))
    for name, default in (("width", 256), ("depth", 12), ("heads", 8), ("hidden", 1024), ("tokens", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rows: dict[str, list] = {"log_rms_path": [], "cosine_path": [], "log_tangent_path": []}
    i, j = np.triu_indices(options.tokens, 1)
    processor, wall = time.process_time(), time.perf_counter()
    for network in range(options.networks):
        model, blocks = build(options)
        model.eval()
        # Not token 0, which BERT pads with: its embedding is zero.
        ids = 1 + torch.randperm(VOCABULARY - 1)[: options.tokens]
        seen = torch.stack(streams(model, blocks, ids[None])).numpy()
        x, t = seen[:, 0], seen[:, 1]
        gram = x @ x.swapaxes(1, 2)
        square = np.einsum("kii->ki", gram)
        growth = np.linalg.norm(t, axis=(1, 2))
        rows["log_rms_path"].append(0.5 * np.log(square.mean(axis=1) / options.width))
        rows["cosine_path"].append((gram[:, i, j] / np.sqrt(square[:, i] * square[:, j])).mean(axis=1))
        rows["log_tangent_path"].append(np.log(growth / growth[0]))
        if (network + 1) % _KEPT == 0 or network + 1 == options.networks:
            times = {
                "processor_seconds": time.process_time() - processor,
                "wall_seconds": time.perf_counter() - wall,
            }
            np.savez(options.out, **{name: np.array(part) for name, part in rows.items()}, **times)


if __name__ == "__main__":
    main()
