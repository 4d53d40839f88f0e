"""What a sweep's file may say of networks: in ``[network]``, and of transformers in ``[transformer]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from montecarlo.networks._specification import ResNet
from montecarlo.networks._transformer import Transformer
from montecarlo.samples.independent._simulate import make_request
from montecarlo.samples.tokens._run import TokenRequest, TokenRun
from montecarlo.sweeps._plan import SweepPoint

Fields = dict[str, Any]

_REQUEST_FIELDS = ("gradients", "trajectories", "weight_gradients", "gate_gradients")
_TOKEN_COLUMNS = {"tangent": "tangent", "attention_columns": "attention", "per_token": "per_token"}
"""Of a file to fields of `TokenRequest`: `Transformer.attention` is another thing."""


@dataclass(frozen=True)
class Kind:
    """How specifications of one kind stand in a file.

    Parameters
    ----------
    table : str
        The table of what all of them share.
    known : tuple of str
        Every key that a specification may have.
    flags : tuple of str
        Those that are true or false and say what is observed.
    fix : str
        What to do about a key that is missing.
    needed : callable
        From the keys that are given to those that must be.
    point : callable
        From the keys to the point of the sweep.
    """

    table: str
    known: tuple[str, ...]
    flags: tuple[str, ...]
    fix: str
    needed: Callable[[Mapping[str, Any]], tuple[str, ...]]
    point: Callable[[Fields], SweepPoint]


def _own(given: Fields, names: tuple[str, ...]) -> Fields:
    return {name: given[name] for name in names if name in given}


_RESNET = tuple(f.name for f in fields(ResNet) if not f.name.startswith("_"))
_TRANSFORMER = tuple(f.name for f in fields(Transformer) if not f.name.startswith("_"))
_WITHOUT_DEFAULT = tuple(
    f.name for f in fields(Transformer) if f.default is MISSING and f.default_factory is MISSING
)


def _resnet_point(given: Fields) -> SweepPoint:
    request = make_request(**_own(given, _REQUEST_FIELDS))
    return SweepPoint.of(
        ResNet(**_own(given, _RESNET)), **_own(given, ("replicas", "seed", "engine")), request=request
    )


def _transformer_point(given: Fields) -> SweepPoint:
    own = _own(given, _TRANSFORMER)
    transformer = Transformer.preset(given["preset"], **own) if "preset" in given else Transformer(**own)
    request = TokenRequest(**{field: given.get(key, False) for key, field in _TOKEN_COLUMNS.items()})
    return SweepPoint.of_run(TokenRun.find(transformer, given["seed"], request), given["replicas"])


RESNETS = Kind(
    table="network",
    known=(*_RESNET, "engine", "seed", "replicas", *_REQUEST_FIELDS),
    flags=("trajectories", "weight_gradients", "gate_gradients"),
    fix="add {} = 40, say",
    needed=lambda given: ("width", "depth"),
    point=_resnet_point,
)
TRANSFORMERS = Kind(
    table="transformer",
    known=("preset", *_TRANSFORMER, "seed", "replicas", *_TOKEN_COLUMNS),
    flags=tuple(_TOKEN_COLUMNS),
    fix="add {}, or preset = 'gpt2'",
    needed=lambda given: () if "preset" in given else _WITHOUT_DEFAULT,
    point=_transformer_point,
)
