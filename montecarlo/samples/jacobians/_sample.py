"""`simulate_jacobians`: determinant, Lyapunov spectrum and singular values of whole networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_flag, check_seed
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas, collect_rows
from montecarlo.samples._sample import Labels, RowSample
from montecarlo.samples.jacobians._run import JacobianRun

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class JacobianSample(RowSample):
    """Numbers of J = ∂h_L/∂h_0 of random networks, in the order of the replica index.

    All are natural logs. `to_pandas` has a row a network and mode i = 1 ... d, in which the numbers of the
    whole network are repeated.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    seed : int
        The seed; network i is a function of (specification, engine, seed, i).
    engine : str
        The engine that drew them.
    first_replica : int
        Index of the first network.
    columns : dict of str to array
        Of shape (networks,): ``log_abs_determinant``, log |det J|; ``sign_determinant``, 1, −1 or 0;
        ``log_trace`` and ``log_square_trace``, log tr JᵀJ and log tr (JᵀJ)². Of shape (networks, d):
        ``log_qr_diagonal``, log |r_ii| of J = QR, which over depth are the finite-depth Lyapunov exponents;
        ``log_singular_value``, in descending order. Without singular values the traces are missing, too.
        -inf is an exact zero, NaN marks a network that left the finite numbers.

    Examples
    --------
    >>> sample = simulate_jacobians(ResNet(width=3, depth=4, beta=0.5), replicas=5, seed=1)
    >>> sample.to_pandas().shape  # 5 networks of 3 modes
    (15, 9)
    """

    kind = "jacobian"

    resnet: ResNet
    seed: int
    engine: str
    first_replica: int
    columns: dict[str, Array]

    @property
    def _said(self) -> dict[str, object]:
        return super()._said | self.details

    @property
    def details(self) -> dict[str, Any]:
        """The engine."""
        return {"engine": self.engine}

    @property
    def log_volume(self) -> Array:
        """Log of the i-volume of J on the first i coordinate vectors, i = 1 ... d, shape (networks, d)."""
        return np.cumsum(self["log_qr_diagonal"], axis=1)

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers."""
        return int(np.isnan(self["sign_determinant"]).sum())

    @property
    def labels(self) -> Labels:
        """The columns with their dimensions: replica, and mode i = 1 ... d."""
        dims = ("replica", "mode")
        arrays = dict(self.columns)
        arrays["log_volume"] = self.log_volume
        coordinates = {"replica": self.replica, "mode": np.arange(1, self.resnet.width + 1)}
        return Labels(dims, coordinates, {name: (dims[: a.ndim], a) for name, a in arrays.items()})


def simulate_jacobians(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    engine: str = "auto",
    singular_values: bool = True,
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress | None = None,
) -> JacobianSample:
    """Sample Jacobians J = ∂h_L/∂h_0 of random networks: determinants, QR diagonals, singular values.

    Right for small widths, where the whole matrix is the question: does it keep volumes (J1), how do
    directions part (J2), how far are its singular values spread (J3). The work of a layer grows with d³; for
    one direction at large widths take `simulate_inputs` with a tangent.

    Parameters
    ----------
    resnet : ResNet
        The specification: res-1, res-2 or res-3 with independent layers, any activation, bias, hidden width,
        schedule and factor of the stream; width at most 1024.
    replicas : int
        Number of networks.
    seed : int
        Any whole number from 0 to 2**128 - 1. The same seed gives the same rows for the same stream format.
    engine : {"auto", "gaussian", "dense"}, default "auto"
        dense multiplies the very matrices of `montecarlo.weights`, of any law, at the states of its network.
        gaussian draws i.i.d. layers that know neither state nor basis: exact for Gaussian weights with
        σ linear on either side of 0 behind W and no bias, or linear res-1 (J1, J2). auto takes gaussian where
        it is exact.
    singular_values : bool, default True
        Whether to compute singular values and traces; without them a layer takes less than half of the time.
    first_replica, threads, block_size, progress
        As in `montecarlo.simulate`.

    Returns
    -------
    JacobianSample
        A network's numbers do not depend on threads, block size or the number of replicas.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Notes
    -----
    The product is carried as Q 2^e T, a QR decomposition a layer, and its rows are made orthogonal by
    Jacobi's rotations with logarithms of their lengths: at 1000 layers and a ratio of singular values of
    e^580 their logarithms are right to 1e-13, and depth 10^4 needs no other range.

    Where σ has a kink, its derivative there is the one from below, as in the engines of `simulate`.

    Examples
    --------
    The determinant keeps its mean, E det J = 1, while its logarithm falls (J1):

    >>> import numpy as np
    >>> sample = simulate_jacobians(ResNet(width=4, depth=100, beta=0.5), replicas=4000, seed=1)
    >>> sample
    JacobianSample(ResNet(width=4, depth=100, beta=0.5), replicas=4000, seed=1, engine='gaussian')
    >>> determinant = sample["sign_determinant"] * np.exp(sample["log_abs_determinant"])
    >>> bool(abs(determinant.mean() - 1) < 0.06)
    True
    >>> bool(abs(sample["log_abs_determinant"].mean() + 0.25) < 0.06)
    True
    """
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = JacobianRun.find(
        resnet,
        check_seed(seed),
        engine=engine,
        singular_values=check_flag("singular_values", singular_values),
    )
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size,
        progress=progress,
    )  # fmt: skip
    return JacobianSample(resnet, run.seed, run.engine, first_replica, columns)
