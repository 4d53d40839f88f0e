"""`Sweep`: what a sweep asks for, and what is still missing of it in a results folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from montecarlo.common._errors import check_seed
from montecarlo.engines._request import Request
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Run, check_replicas
from montecarlo.samples.independent._run import NetworkRun

if TYPE_CHECKING:
    from montecarlo.store import Store

_FIRST_LOOK = 256
_GROWTH = 1.5
_ROW_BYTES = 2.0  # of run and replica, which compress to next to nothing


@dataclass(frozen=True)
class Precision:
    """When a specification has networks enough: its interval for a quantile is short.

    The interval is a confidence sequence (`montecarlo.sequential.QuantileSequence`): it holds however often
    one looks. Looks are at fixed numbers of networks, so that where a sweep ends depends on specification and
    seed alone.

    Parameters
    ----------
    half_width : float
        Half the length of the interval, at most, on the scale of the column (natural log).
    column : str, default "log_hidden_ratio"
        A column of one number a network.
    quantile : float, default 0.5
        The quantile; 0.5 is the median.
    false_alarm : float, default 1e-6
        Probability, at most, that an interval misses its quantile; each specification's own.
    """

    half_width: float
    column: str = "log_hidden_ratio"
    quantile: float = 0.5
    false_alarm: float = 1e-6


@dataclass(frozen=True)
class SweepPoint:
    """One specification of a sweep.

    Parameters
    ----------
    run : Run
        Specification, seed, engine, and what is observed.
    replicas : int
        Networks; with a `Precision` at most.
    """

    run: Run
    replicas: int

    @classmethod
    def of(
        cls,
        resnet: ResNet,
        *,
        replicas: int,
        seed: int,
        engine: str = "auto",
        request: Request | None = None,
    ) -> SweepPoint:
        """Return the point of a specification; arguments as in `montecarlo.simulate`.

        Raises
        ------
        InvalidFieldError
            A ValueError whose one line names the field, the value, the rule and the fix.
        """
        run = NetworkRun.find(resnet, check_seed(seed), engine=engine, request=request)
        return cls.of_run(run, replicas)

    @classmethod
    def of_run(cls, run: Run, replicas: int) -> SweepPoint:
        """Return the point of a run of any kind.

        Raises
        ------
        InvalidFieldError
            If `replicas` or the run's seed is out of range.
        """
        check_seed(run.seed)
        replicas, _ = check_replicas(replicas, 0)
        return cls(run, replicas)

    @property
    def seconds(self) -> float:
        """Rough time of all its networks on one core."""
        return self.replicas * self.run.seconds

    def looks(self) -> Iterator[int]:
        """Yield the numbers of networks at which precision is looked at; the last one is `replicas`."""
        look = min(_FIRST_LOOK, self.replicas)
        while look < self.replicas:
            yield look
            look = min(int(look * _GROWTH), self.replicas)
        yield look


@dataclass(frozen=True)
class Sweep:
    """Specifications, each with its number of networks.

    Parameters
    ----------
    points : tuple of SweepPoint
        The specifications, no two of which have the same rows.
    precision : Precision, optional
        When a specification has networks enough before its number is reached.
    max_seconds : float, optional
        No block is begun later than that after the start.

    Examples
    --------
    >>> from montecarlo import ResNet
    >>> net = ResNet(width=40, depth=100, beta=0.5)
    >>> sweep = Sweep((SweepPoint.of(net, replicas=1000, seed=7),))
    >>> sweep.networks, 0.001 < sweep.seconds < 1.0, 30_000 < sweep.bytes < 50_000
    (1000, True, True)
    """

    points: tuple[SweepPoint, ...]
    precision: Precision | None = None
    max_seconds: float | None = None

    @property
    def networks(self) -> int:
        """Networks, at most where there is a precision."""
        return sum(point.replicas for point in self.points)

    @property
    def seconds(self) -> float:
        """Rough time of all networks on one core."""
        return sum(point.seconds for point in self.points)

    @property
    def bytes(self) -> float:
        """Rough size of the rows on disk."""
        return sum(point.replicas * (point.run.row_bytes + _ROW_BYTES) for point in self.points)

    def missing(self, store: Store) -> Sweep:
        """Return what a folder lacks of it, for an estimate: numbers of networks are those that lack.

        With a precision, whether a specification needs more networks than the folder has is not known before
        they are looked at.
        """
        known = store.runs()
        points = []
        for point in self.points:
            lacking = point.replicas
            if point.run.key in known:
                ranges = store.missing(point.run.key, 0, point.replicas)
                lacking = sum(stop - start for start, stop in ranges)
            points.append(SweepPoint(point.run, lacking))
        return Sweep(tuple(points), self.precision, self.max_seconds)
