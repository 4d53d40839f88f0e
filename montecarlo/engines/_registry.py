"""Engines: which laws each samples, at what cost, and how it fills one block of replicas.

An engine is a record in `ENGINES`, ordered from the cheapest to the most general: ``auto`` takes the first
one that does not refuse. To add one, write a module with the four functions of `Engine` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType

from montecarlo.common._errors import InvalidFieldError, unknown_name
from montecarlo.engines._request import Request
from montecarlo.engines.correlated import _engine as _correlated
from montecarlo.engines.dense import _engine as _dense
from montecarlo.engines.gaussian import _engine as _gaussian
from montecarlo.engines.radial import _engine as _radial
from montecarlo.networks._dictionary import missing_word, require_words
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Columns


@dataclass(frozen=True)
class Engine:
    """A sampler of networks.

    Parameters
    ----------
    name : str
        As in ``simulate(engine=...)``.
    words : frozenset of str
        Its dictionary: what it can perform in a layer.
    law_refusal : callable
        ``(resnet, request)`` to the reason why it cannot sample exactly the law of words that it knows.
    seconds : callable
        ``(resnet, request)`` to a rough time of one network on one core, for the sizes of blocks.
    sample : callable
        ``(resnet, request, key, first_replica, replicas)`` to the columns of a block.
    prepare : callable
        ``(resnet, request)``: compiles what `sample` needs, in the calling thread, so that what cannot be
        compiled is refused there.
    lanes : int, default 1
        Networks that cost as much as one: blocks begin and end at multiples of it.
    """

    name: str
    words: frozenset[str]
    law_refusal: Callable[[ResNet, Request], str | None]
    seconds: Callable[[ResNet, Request], float]
    sample: Callable[[ResNet, Request, tuple[int, int], int, int], Columns]
    prepare: Callable[[ResNet, Request], None]
    lanes: int = 1

    @classmethod
    def of(cls, module: ModuleType, lanes: int = 1) -> Engine:
        """Return the engine of a module that is named after its room."""
        name = module.__name__.split(".")[-2]
        return cls(name, module.WORDS, module.refusal, module.seconds, module.sample, module.prepare, lanes)

    def refusal(self, resnet: ResNet, request: Request) -> str | None:
        """Return the reason why it cannot sample exactly what is asked, or None."""
        word = missing_word(resnet, self.words)
        if word is not None:
            return f"has no word {word!r}, which the network needs"
        return self.law_refusal(resnet, request)


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine.of(_radial, 16),
        Engine.of(_gaussian, 16),
        Engine.of(_dense),
        Engine.of(_correlated),
    )
}


def find_engine(name: str, resnet: ResNet, request: Request) -> Engine:
    """Return the engine of a name; for ``auto`` the fastest that samples exactly the asked law.

    Raises
    ------
    InvalidFieldError
        For an unknown name, or for an engine that cannot sample this law, with the reason.

    Examples
    --------
    >>> find_engine("auto", ResNet(width=4, depth=2, beta=0.5, weights="uniform"), Request()).name
    'dense'
    """
    if not isinstance(name, str) or name not in ("auto", *ENGINES):
        raise unknown_name("engine", name, ["auto", *ENGINES])
    general = ENGINES["dense" if resnet.processes is None else "correlated"]
    require_words(resnet, general.words, f"the {general.name} engine")  # what it lacks no other engine has
    if name == "auto":
        reasons = {engine.name: engine.refusal(resnet, request) for engine in ENGINES.values()}
        for known, reason in reasons.items():
            if reason is None:
                return ENGINES[known]
        if resnet.processes is not None and not request.dual:
            field = "weights" if resnet.weights != "gaussian" else "weights_w"
            raise InvalidFieldError(
                field,
                getattr(resnet, field),
                reasons["correlated"] or "",
                "change that, or take weights='gaussian'",
            )
        # Else only dual gradients can be beyond the dense engine.
        rule = "must be joint or none except for Gaussian weights in res-3 or linear res-1"
        raise InvalidFieldError("gradients", "dual", rule, "take gradients='joint'")
    engine = ENGINES[name]
    reason = engine.refusal(resnet, request)
    if reason is not None:
        # auto cannot help where only the radial engine could, and cannot.
        hopeless = request.dual and ENGINES["radial"].refusal(resnet, request) is not None
        fix = "take gradients='joint' and engine='auto'" if hopeless else "take engine='auto'"
        if request.gradients and engine.refusal(resnet, replace(request, gradients=False)) is None:
            fix = "give gradients='none', or take engine='gaussian' for joint ones"
        raise InvalidFieldError("engine", name, reason, fix)
    return engine
