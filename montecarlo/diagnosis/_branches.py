"""The residual branches of a model of PyTorch or Flax: width, depth and weight scales, by duck typing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.networks._specification import ResNet

Array = npt.NDArray[np.float64]

_INDEX = re.compile(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])|(?<=_)\d+(?=$|[./])")
_KURTOSIS = {"rademacher": 1.0, "uniform": 1.8, "gaussian": 3.0}


@dataclass(frozen=True)
class Branches:
    """What was measured of a model's residual branches.

    Parameters
    ----------
    width : int
        d, the number of coordinates of a hidden state.
    hidden_width : int
        Units inside a branch; the width for square matrices and for branches of one matrix.
    depth : int
        L, the number of blocks.
    names : tuple of str
        The parameters of V and W (V alone for one matrix a branch), `*` for the number of the block.
    scale_v, scale_w : float
        Deviation of the weights times √d for V, and √(units) for W: 1 is this project's assumption. NaN
        without W.
    bias_std : float
        Deviation of the biases inside the branch.
    multiplier : float
        The factor in front of the branch that the model's code applies; it cannot be read off parameters.
    kurtosis : float
        Of the weights of V: 3 is Gaussian, 1.8 uniform.
    correlation : float
        Mean correlation of V between neighbouring blocks, in its standard errors under independence.
    warnings : tuple of str
        Where the model is not what the theory is about.
    """

    width: int
    hidden_width: int
    depth: int
    names: tuple[str, ...]
    scale_v: float
    scale_w: float
    bias_std: float
    multiplier: float
    kurtosis: float
    correlation: float
    warnings: tuple[str, ...]

    @property
    def alpha(self) -> float:
        """The scaling that the weights amount to once they are normalised to deviation 1/√d.

        For branches of `hidden_width` m the mean square of V g(W h) is that of a square branch.
        """
        return self.multiplier * self.scale_v * (1.0 if math.isnan(self.scale_w) else self.scale_w)

    @property
    def weights(self) -> str:
        """The weight law of nearest kurtosis."""
        return min(_KURTOSIS, key=lambda name: abs(_KURTOSIS[name] - self.kurtosis))

    def resnet(self, activation: str = "relu", **fields: Any) -> ResNet:
        """Return the specification to diagnose.

        Parameters
        ----------
        activation : str, default "relu"
            σ, which parameters do not tell.
        **fields
            Other fields of `ResNet`, or replacements of measured ones.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> layers = {f"Dense_{k}": {"kernel": rng.normal(0, 64**-0.5, (64, 64))} for k in range(12)}
        >>> measure_branches(layers).resnet("tanh", alpha=0.25)
        ResNet(width=64, depth=12, alpha=0.25, block='res-1', activation='tanh')
        """
        block = "res-1" if math.isnan(self.scale_w) else "res-2"
        if block == "res-2" and activation == "relu" and self.bias_std == 0.0:
            block = "res-3"
        measured: dict[str, Any] = {
            "width": self.width, "depth": self.depth, "block": block, "activation": activation,
            "weights": self.weights,
        }  # fmt: skip
        if block == "res-2" and self.bias_std > 0.0:
            measured["bias_std"] = self.bias_std / (self.scale_w * math.sqrt(self.width / self.hidden_width))
        if "beta" not in fields:
            measured["alpha"] = self.alpha
        return ResNet(**(measured | fields))


def measure_branches(model: Any, *, multiplier: float = 1.0, pattern: str | None = None) -> Branches:
    """Read width, depth and weight scales of the residual branches from a model.

    Takes the matrices whose names differ in one number alone, the block's, and are most numerous. Two of
    them in a block are W and V in the order of the parameters, one is V. Attention, convolutions and
    normalisation are not seen, and a normalisation inside the branch makes the diagnosis wrong: the
    theory is about plain branches.

    Parameters
    ----------
    model : object with named_parameters(), or nested mapping of arrays
        A PyTorch module, Flax parameters (with or without `nn.scan`, whose arrays have the blocks as
        first axis), or any mapping of names to arrays. Neither library is needed here.
    multiplier : float, default 1
        The factor in front of the branch that the model's code applies.
    pattern : str, optional
        A regular expression that the names of the parameters must contain, where the choice is not the
        right one.

    Returns
    -------
    Branches

    Raises
    ------
    InvalidFieldError
        If the model has no such matrices.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> weight = lambda rows, columns: rng.normal(0, columns**-0.5, (rows, columns))
    >>> model = {f"block.{k}.{name}.weight": weight(64, 64) for k in range(20) for name in ("fc1", "fc2")}
    >>> found = measure_branches(model, multiplier=0.1)
    >>> found.width, found.depth, found.names, found.weights, round(found.alpha, 3)
    (64, 20, ('block.*.fc2.weight', 'block.*.fc1.weight'), 'gaussian', 0.1)
    """
    multiplier = check_real("multiplier", multiplier, 0.0, 1e30, 1.0, open_low=True)
    families = _families(_parameters(model), pattern)
    if not families:
        rule = "must have two or more matrices whose names differ in the number of the block alone"
        raise InvalidFieldError("model", type(model).__name__, rule, "give the module that holds the blocks")
    depth = max(len(stack) for stack, _ in families.values() if stack.ndim == 3)
    chosen = {name: pair for name, pair in families.items() if pair[0].ndim == 3 and len(pair[0]) == depth}
    names = list(chosen)
    if len(names) > 2:
        names = names[:2]
    oriented = [_oriented(*chosen[name]) for name in names]  # rows are outputs
    warnings = []
    if len(chosen) > 2:
        warnings.append(f"{len(chosen)} matrices a block; took {' and '.join(names)}")
    v = oriented[-1]
    width = v.shape[1]
    w = oriented[0] if len(names) == 2 else None
    if w is not None and (w.shape[2] != width or w.shape[1] != v.shape[2]):
        shapes = f"{w.shape[1:]} and {v.shape[1:]}"
        raise InvalidFieldError("model", shapes, "must map a state to the branch and back", "give pattern=")
    if w is None and v.shape[2] != width:
        raise InvalidFieldError(
            "model", v.shape[1:], "must have square matrices, or two a block", "give pattern="
        )
    units = v.shape[2]
    bias = 0.0
    if w is not None:
        biases = families.get(re.sub(r"(weight|kernel)(?=\W*$)", "bias", names[0]))
        bias = float(biases[0].std()) if biases is not None else 0.0
    normalised = [name for name in families if re.search(r"norm|(^|\W)(bn|ln)_?[\d*]*\W", name, re.I)]
    if normalised:
        warnings.append(f"{normalised[0]} looks like a normalisation, which the theory does not know")
    kurtosis = float(np.mean((v - v.mean()) ** 4) / max(v.var() ** 2, 1e-300))
    correlation = _correlation(v)
    scale_v = float(v.std()) * math.sqrt(width)
    scale_w = math.nan if w is None else float(w.std()) * math.sqrt(units)
    if units != width:
        warnings.append(
            f"branches have {units} units, states {width}: fluctuations are those of a square branch"
        )
    if abs(correlation) > 6.0:
        warnings.append(f"V is correlated between neighbouring blocks ({correlation:+.0f} standard errors)")
    inner = math.nan if w is None else scale_w * math.sqrt(width / units)
    if w is not None and abs(inner - 1.0) > 0.1:
        warnings.append(f"W is {inner:.3g} times 1/√d: counted into the scaling, right for ReLU alone")
    stars = tuple(reversed(names))
    return Branches(
        width, units, depth, stars, scale_v, scale_w, bias, multiplier, kurtosis, correlation, tuple(warnings)
    )


def _parameters(model: Any) -> Iterator[tuple[str, Array]]:
    """Yield (dotted name, array), whatever the model is."""
    named = getattr(model, "named_parameters", None)
    pairs: Any = named() if callable(named) else _flat(model, "")
    for name, value in pairs:
        yield name, _array(value)


def _flat(tree: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        rule = "must have named_parameters() or be a mapping of names to arrays"
        raise InvalidFieldError(
            "model", type(tree).__name__, rule, "give a PyTorch module or Flax parameters"
        )
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        yield from _flat(value, name) if isinstance(value, Mapping) else [(name, value)]


def _array(value: Any) -> Array:
    for method in ("detach", "cpu", "float"):  # PyTorch's way to numpy
        if hasattr(value, method) and hasattr(value, "detach"):
            value = getattr(value, method)()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value, np.float64)


def _families(parameters: Iterable[tuple[str, Array]], pattern: str | None) -> dict[str, tuple[Array, bool]]:
    """Return stacks over blocks by starred name, and whether rows are inputs (Flax kernels)."""
    groups: dict[str, dict[int, Array]] = {}
    stacked: dict[str, Array] = {}
    for name, array in parameters:
        if pattern is not None and not re.search(pattern, name):
            continue
        if array.ndim == 3 and array.shape[0] > 1:  # Flax's scan
            stacked[name] = array
        for match in _INDEX.finditer(name):
            starred = f"{name[: match.start()]}*{name[match.end() :]}"
            groups.setdefault(starred, {})[int(match.group())] = array
    found: dict[str, tuple[Array, bool]] = {name: (a, "kernel" in name) for name, a in stacked.items()}
    for starred, members in groups.items():
        arrays = [members[index] for index in sorted(members)]
        if len({a.shape for a in arrays}) > 1:
            # An embedding or a read-out beside the blocks has another shape: take the commonest.
            shapes = [a.shape for a in arrays]
            common = max(set(shapes), key=shapes.count)
            arrays = [a for a in arrays if a.shape == common]
        if len(arrays) > 1 and arrays[0].ndim in (1, 2):
            found[starred] = (np.stack(arrays), "kernel" in starred)
    matrices = {name for name, (stack, _) in found.items() if stack.ndim == 3}
    return found if matrices else {}


def _oriented(stack: Array, rows_are_inputs: bool) -> Array:
    return stack.transpose(0, 2, 1) if rows_are_inputs else stack


def _correlation(v: Array) -> float:
    """Return the mean correlation of neighbouring blocks over its deviation under independence."""
    if len(v) < 2:
        return 0.0
    centred = v - v.mean()
    product = float(np.mean(centred[1:] * centred[:-1])) / max(float(centred.var()), 1e-300)
    return product * math.sqrt(centred[1:].size)
