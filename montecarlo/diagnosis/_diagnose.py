"""`diagnose`: theory's word on one network, checked by a short simulation."""

from __future__ import annotations

from collections.abc import Sequence

from montecarlo.common._errors import InvalidFieldError, check_real, check_seed
from montecarlo.diagnosis._check import Check, check_predictions, choose_replicas
from montecarlo.diagnosis._diagnosis import Diagnosis
from montecarlo.diagnosis._find_regime import find_regime
from montecarlo.diagnosis._float_range import FORMATS, find_format, float_range
from montecarlo.diagnosis._predict import predict
from montecarlo.diagnosis._predict_blocks import WORDS
from montecarlo.networks._dictionary import require_words
from montecarlo.networks._specification import ResNet
from montecarlo.samples.independent._simulate import simulate


def diagnose(
    resnet: ResNet,
    *,
    seed: int = 0,
    seconds: float = 1.0,
    false_alarm: float = 1e-6,
    formats: Sequence[str] = tuple(FORMATS),
    gradient_norm: float = 1.0,
    threads: int | None = None,
) -> Diagnosis:
    """Say what the initialisation of a network does: regime, growth, float range, and a better scaling.

    Right to use before training, to see whether a depth and a scaling go together. The result is a
    function of its arguments alone (the number of networks follows from the engine's estimated cost, not
    from a clock).

    Parameters
    ----------
    resnet : ResNet
        The network.
    seed : int, default 0
        Seed of the simulation.
    seconds : float, default 1
        How long the simulation should take on one core, roughly; at least 32 networks are drawn unless
        that takes 20 times as long, and then none. 0 leaves the simulation out.
    false_alarm : float, default 1e-6
        Probability, at most, that the simulation refutes right predictions.
    formats : sequence of str, default all
        float16, bfloat16, float32.
    gradient_norm : float, default 1
        ‖p_L‖, the norm of the loss's gradient in the last hidden state; 1 is a read-out row of this
        initialisation.
    threads : int, optional
        Threads of the simulation; never changes a result.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> found = diagnose(ResNet(width=64, depth=100, beta=0.5), seed=1)
    >>> found
    Diagnosis(ResNet(width=64, depth=100, beta=0.5), regime='critical', agrees=True)
    >>> print(f"{found.hidden.kind} {found.hidden.source}: median {found.hidden.log_median:.4f}")
    exact law I6: median 0.2415
    """
    if not isinstance(resnet, ResNet):
        raise InvalidFieldError(
            "resnet", resnet, "must be a ResNet", "give ResNet(width=64, depth=100, beta=0.5), say"
        )
    require_words(resnet, WORDS, "diagnose")
    seed = check_seed(seed)
    seconds = check_real("seconds", seconds, 0.0, 1e6, 1.0)
    false_alarm = check_real("false_alarm", false_alarm, 0.0, 0.5, 1e-6, open_low=True)
    gradient_norm = check_real("gradient_norm", gradient_norm, 0.0, 1e30, 1.0, open_low=True)
    if isinstance(formats, str):
        formats = (formats,)
    chosen = [find_format(name) for name in formats]
    hidden, gradient = predict(resnet)
    sample = None
    check = Check(0, "", seed, false_alarm, note="not simulated: no seconds were given")
    if seconds > 0:
        replicas, request, note = choose_replicas(resnet, seconds)
        check = Check(0, "", seed, false_alarm, note=note)
        if replicas:
            sample = simulate(
                resnet,
                replicas=replicas,
                seed=seed,
                threads=threads,
                gradients="dual" if request.dual else "joint",
            )
            check = check_predictions(sample, hidden, gradient, false_alarm=false_alarm)
    rows = None if sample is None else list(sample.columns.values())
    ranges = tuple(
        float_range(
            resnet, prediction, form, direction=direction, gradient_norm=gradient_norm,
            rows=None if rows is None else rows[column],
        )
        for form in chosen
        for direction, prediction, column in (("forward", hidden, 0), ("backward", gradient, 2))
    )  # fmt: skip
    return Diagnosis(resnet, find_regime(resnet), hidden, gradient, ranges, check, gradient_norm, sample)
