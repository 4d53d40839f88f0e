"""``largedepth simulate-tokens``: random transformers, one row a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from largedepth._options import apply_options, real, seed_help, take, whole
from largedepth._progress import progress_bar
from largedepth._running import drawn_on, running_options, sampled_into, show_sample

if TYPE_CHECKING:
    from montecarlo import Transformer

_SIZES = {
    "width": ("768", "D", "Width d."),
    "depth": ("12", "L", "Layers, of an attention branch and an MLP each."),
    "heads": ("12", "H", "Heads of queries."),
    "tokens": ("16", "N", "Tokens."),
    "head-width": ("64", "W", "Coordinates of a head; default: width / heads."),
    "kv-heads": ("4", "G", "Heads of keys and values; default: as many as of queries."),
    "hidden-width": ("3072", "M", "Units of the MLP; 0 for none."),
    "patch-dim": ("768", "P", "Tokens but the first are images of patches of so many numbers."),
}
_NAMES = {
    "norm": "layer, rms or none.",
    "placement": "pre, post or peri: where the norm stands.",
    "attention-kind": "causal, full, uniform or none.",
    "attention-scale": "Factor of the logits: sqrt (head width^-1/2), linear (1/head width) or a number.",
    "position": "learned, sinusoidal, rotary, relative or none.",
    "activation": "gelu, gelu-tanh, identity, leaky-relu, relu, silu or tanh.",
    "schedule": "constant or power:P: how alpha changes along the layers.",
    "output-std": "Deviation of W_O; none leaves it out.",
}
_NUMBERS = {
    "norm-eps": ("1e-5", "What a norm adds to the mean square."),
    "logit-cap": ("50", "c of c tanh(logit/c)."),
    "rotary-base": ("10000", "Base of the rotary angles."),
    **{f"{name}-std": ("0.02", f"Deviation of W_{name[0].upper()}.") for name in ("query", "key", "value")},
    "up-std": ("0.02", "Deviation of the MLP's first matrix."),
    "gate-std": ("0.02", "Deviation of the MLP's gate."),
    "down-std": ("0.02", "Deviation of the MLP's last matrix."),
    "qkv-bias-std": ("0.02", "Deviation of the biases of queries, keys and values."),
    "output-bias-std": ("0.02", "Deviation of the bias after W_O."),
    "up-bias-std": ("0.02", "Deviation of the biases of the hidden units."),
    "down-bias-std": ("0.02", "Deviation of the bias after the MLP."),
    "token-std": ("0.02", "Deviation of the token embeddings."),
    "position-std": ("0.02", "Deviation of learned positions, or of relative biases."),
    "segment-std": ("0.02", "Deviation of a vector that all tokens share."),
    "alpha": ("0.2", "Factor of both branches; default 1."),
    "beta": ("0.5", "Instead of alpha: alpha = L^-BETA."),
    "skip": ("1.5", "Factor of the stream."),
}
_SWITCHES = {
    "embedding-norm": "Whether layer 0 is normalised.",
    "qk-norm": "Whether queries and keys are normalised.",
    "gated": "Whether the MLP has a gate.",
}
_FIELDS = tuple(name.replace("-", "_") for names in (_SIZES, _NAMES, _NUMBERS, _SWITCHES) for name in names)

_transformer_options: Callable[..., Any] = apply_options(
    *(
        click.option(f"--{name}", type=whole(example), metavar=metavar, help=text)
        for name, (example, metavar, text) in _SIZES.items()
    ),
    *(click.option(f"--{name}", metavar="NAME", help=text) for name, text in _NAMES.items()),
    *(
        click.option(f"--{name}", type=real(example), metavar="X", help=text)
        for name, (example, text) in _NUMBERS.items()
    ),
    *(click.option(f"--{name}/--no-{name}", default=None, help=text) for name, text in _SWITCHES.items()),
)


@click.command(
    epilog="Example: largedepth simulate-tokens --preset gpt2 --depth 24 --replicas 200 --out t.parquet"
)
@click.option(
    "--preset",
    required=True,
    metavar="NAME",
    help="bert, deepnet, gpt2, llama, mup, post-ln (2017), pre-ln, t5, vit: sizes and initialisation of the "
    "reference implementation, any of which the options below replace; or custom, which needs them.",
)
@_transformer_options
@click.option("--tangent", is_flag=True, help="Add log_tangent_path.")
@click.option(
    "--attention", is_flag=True, help="Add attention_entropy and logit_deviation of every head (Parquet)."
)
@click.option("--per-token", is_flag=True, help="Add token_log_rms_path and token_cosine_path (Parquet).")
@click.option(
    "--replicas", type=whole("1000"), default=100, show_default=True, metavar="N", help="Networks to sample."
)
@click.option("--seed", type=whole("7"), default=0, show_default=True, metavar="N", help=seed_help)
@running_options
@click.option("--overwrite", is_flag=True, help="Let --out replace a file that holds something else.")
@click.option(
    "--out",
    metavar="FILE",
    help="A .parquet file, which is continued. Default: CSV on stdout, a row a network and layer.",
)
def simulate_tokens(
    preset: str,
    tangent: bool,
    attention: bool,
    per_token: bool,
    replicas: int,
    seed: int,
    overwrite: bool,
    out: str | None,
    **options: Any,
) -> None:
    """Sample random transformers at initialisation, Gaussian weights, one row a network.

    Columns, lists along depth k = 0, ..., L: log_rms_path, the natural log of the root mean square of the
    residual stream over tokens and coordinates, before a final norm; cosine_path, the mean cosine over pairs
    of tokens; effective_rank_path, (tr G)^2/tr G^2 of the tokens' Gram matrix. --tangent adds
    log_tangent_path, log |J t|/|t| for an isotropic tangent t of all tokens, which has the law of the growth
    of gradients.
    --attention adds attention_entropy (natural log) and logit_deviation, layers x heads; it and --per-token
    need a .parquet file.
    """
    import numpy as np

    from montecarlo import InvalidFieldError, TokenRequest, tokens_to_file
    from montecarlo import simulate_tokens as sample_transformers

    place = take(options, "threads", "processes", "dask", "store")
    transformer = _transformer(preset, {name: options[name] for name in _FIELDS if options[name] is not None})
    asked: dict[str, Any] = {"tangent": tangent, "attention": attention, "per_token": per_token}
    for field in ("attention", "per_token"):
        if asked[field] and out is None:
            rule = "needs Parquet, whose cells hold lists; a line of CSV is one layer"
            raise InvalidFieldError(field, None, rule, "give out=t.parquet")
    bar_of = progress_bar(replicas, what="simulate-tokens")
    with sampled_into(out, place["store"]), drawn_on(**place), bar_of as bar:
        common: dict[str, Any] = {
            "replicas": replicas, "seed": seed, "threads": place["threads"], "progress": bar.finish,
        }  # fmt: skip
        if out is None:
            sample = sample_transformers(transformer, **common, **asked)
        else:
            sample = tokens_to_file(
                transformer,
                out,
                **common,
                request=TokenRequest(**asked),
                overwrite=overwrite,
                on_found=bar.found,
            )
    show_sample("simulate-tokens", sample, out, in_file=bar.in_file)
    if sample.n_nonfinite:
        lost = np.isnan(sample["log_rms_path"])
        rule = (
            f"makes tokens of {sample.n_nonfinite} of {len(sample)} networks too unlike in size for float32, "
            f"from layer {int(lost.any(axis=0).argmax())} on: their rows are NaN there"
        )
        raise InvalidFieldError("norm", transformer.norm, rule, "give norm='rms', or a smaller depth")
    if transformer.token_std == 0.0 and np.isnan(sample["cosine_path"]).any():
        rule = "leaves tokens of zeros, as nothing else embeds them: their cosines are NaN"
        raise InvalidFieldError("token_std", 0.0, rule, "give token_std=0.02, say")


def _transformer(preset: str, given: dict[str, Any]) -> Transformer:
    """Return the specification that the options say."""
    import dataclasses
    import re

    from montecarlo import InvalidFieldError, Transformer
    from montecarlo.common._errors import unknown_name
    from montecarlo.networks._transformer_presets import PRESETS

    if "attention_kind" in given:
        given["attention"] = given.pop("attention_kind")
    if given.get("output_std") == "none":
        given["output_std"] = None
    if preset not in (*PRESETS, "custom"):
        raise unknown_name("preset", preset, (*PRESETS, "custom"), "gpt2")
    try:
        if preset != "custom":
            return Transformer.preset(preset, **given)
        needed = [f.name for f in dataclasses.fields(Transformer) if f.default is dataclasses.MISSING]
        missing = [name for name in needed if name not in given]
        if missing:
            options = [
                "attention-kind" if name == "attention" else name.replace("_", "-") for name in missing
            ]
            rule = f"needs --{', --'.join(options)} as well"
            raise InvalidFieldError("preset", preset, rule, "give all of them, or another preset")
        return Transformer(**given)
    except InvalidFieldError as error:
        # The option of the field `attention` is another one: --attention asks for columns.
        field = "attention_kind" if error.field == "attention" else error.field
        rule, fix = (re.sub(r"\battention=", "attention_kind=", text) for text in (error.rule, error.fix))
        raise InvalidFieldError(field, error.value, rule, fix) from None
