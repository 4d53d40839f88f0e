"""Recording leaves real PyTorch models, in training mode, with dropout and batch norms, exactly as they were.

python -m benchmarks.practice.unchanged    (with an interpreter that has torch and transformers)
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from montecarlo.practice import record

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import real_models


def main() -> None:
    """Compare parameters, buffers, modes, gradients, hooks and generators before and after."""
    for name in ("GPT-2", "BERT", "ResNet-50 blocks, training", "Mamba", "T5 encoder"):
        for dtype in (torch.float32, torch.bfloat16):
            model, inputs = real_models.GALLERY[name].factory(4, 0)
            model = model.train().to(dtype)
            inputs = inputs.to(dtype) if hasattr(inputs, "to") and inputs.is_floating_point() else inputs
            before = {key: value.clone() for key, value in model.state_dict().items()}
            state = torch.get_rng_state()
            found = record(model, inputs)
            assert torch.equal(state, torch.get_rng_state()), name
            after = model.state_dict()
            assert all(torch.equal(value, after[key]) for key, value in before.items()), name
            assert all(module.training for module in model.modules()), name
            assert all(p.grad is None for p in model.parameters()), name
            assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules()), name
            assert found.dtype == str(dtype).removeprefix("torch."), found.dtype
            assert found.gradients is not None
            again = record(model, inputs)
            assert all((a == b).all() for a, b in zip(found.hidden, again.hidden, strict=True)), name
            print(f"{name}, {found.dtype}: unchanged; {found}")


if __name__ == "__main__":
    main()
