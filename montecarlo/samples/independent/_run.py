"""`NetworkRun`: rows of `montecarlo.Sample`, one network each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from montecarlo.engines._registry import ENGINES, find_engine
from montecarlo.engines._request import Request
from montecarlo.networks._dictionary import check_resnet
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Columns, ResNetRun


@dataclass(frozen=True)
class NetworkRun(ResNetRun):
    """Networks of one specification on one engine.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`.
    engine : str
        Name of the engine, not auto.
    request : Request
        What is observed.
    """

    engine: str
    request: Request = field(default_factory=Request)

    @classmethod
    def find(
        cls, resnet: ResNet, seed: int, *, engine: str = "auto", request: Request | None = None
    ) -> NetworkRun:
        """Return the run on the engine of a name, or on the fastest one for ``auto``.

        Raises
        ------
        InvalidFieldError
            For an engine that is unknown or cannot sample this law, or where `resnet` is none.
        """
        check_resnet(resnet)
        request = request or Request()
        return cls(resnet, seed, find_engine(engine, resnet, request).name, request)

    @property
    def kind(self) -> str:
        """Rows of `Sample`."""
        return "sample"

    @property
    def details(self) -> dict[str, Any]:
        """The engine: others draw other numbers. The request shows in the columns."""
        return {"engine": self.engine}

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Log-ratios are numbers, paths have L + 1 and weight gradients L of them."""
        return self.request.cells(self.resnet)

    @property
    def seconds(self) -> float:
        """The engine's estimate."""
        return ENGINES[self.engine].seconds(self.resnet, self.request)

    @property
    def lanes(self) -> int:
        """The engine's."""
        return ENGINES[self.engine].lanes

    def prepare(self) -> None:
        """Prepare the engine."""
        ENGINES[self.engine].prepare(self.resnet, self.request)

    def sample(self, first: int, count: int) -> Columns:
        """Return the columns of consecutive networks."""
        key = self.resnet.stream_key(self.seed)
        return ENGINES[self.engine].sample(self.resnet, self.request, key, first, count)
