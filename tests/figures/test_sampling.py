"""Points of a figure are sampled several at a time: same samples, nothing lost to Ctrl-C or to an error."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import figures
from figures._ahead import prepared_ahead
from figures._points import DepthsPoint, Report, SamplePoint
from montecarlo import ResNet, read_coupled_sample, read_sample


@dataclass(frozen=True)
class Staged:
    """A point whose sample is what a function returns."""

    resnet: ResNet
    make: Callable[[], Any]
    networks: int = 1

    @property
    def stem(self) -> str:
        return self.resnet.digest[:16]

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> Any:
        return self.make()


def network(depth: int) -> ResNet:
    return ResNet(width=4, depth=depth, beta=0.5, weights="uniform")


def stage(monkeypatch: pytest.MonkeyPatch, *points: SamplePoint, name: str = "1") -> None:
    definition = replace(figures.find_figure(name), points=lambda setting: list(points))
    monkeypatch.setattr("figures._draw.find_figure", lambda name: definition)


def test_points_are_sampled_at_the_same_time_and_kept_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=60.0)
    second = threading.Event()

    def first() -> str:
        both.wait()
        assert second.wait(60.0)
        return "first"

    def last() -> str:
        both.wait()
        second.set()
        return "second"

    stage(monkeypatch, Staged(network(1), first), Staged(network(2), last))
    sampled = figures.sample_figure("1", out=tmp_path, threads=2)
    assert list(sampled.samples.items()) == [(network(1), "first"), (network(2), "second")]


@pytest.mark.parametrize(("name", "threads"), [("1", 1), ("8", 2)])
def test_one_thread_and_training_take_one_point_at_a_time(
    name: str, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(monkeypatch, *(Staged(network(depth), threading.current_thread) for depth in (1, 2)), name=name)
    sampled = figures.sample_figure(name, out=tmp_path, threads=threads)
    assert set(sampled.samples.values()) == {threading.main_thread()}


@pytest.mark.usefixtures("warm_kernels")
def test_an_interruption_keeps_what_every_point_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def interrupt() -> None:
        assert begun.wait(60.0)
        identity = threading.main_thread().ident
        assert identity is not None
        signal.pthread_kill(identity, signal.SIGINT)

    long = figures.Point(network(50), 1_000_000)
    stage(monkeypatch, long, Staged(network(1), interrupt), Staged(network(2), lambda: None))
    with pytest.raises(KeyboardInterrupt):
        figures.sample_figure("1", out=tmp_path, threads=2, progress=lambda rows: begun.set())
    kept = read_sample(tmp_path / "samples" / f"{long.stem}-seed-0.parquet")
    assert 0 < len(kept) < long.replicas
    stage(monkeypatch, replace(long, replicas=len(kept) + 10))
    found: list[int] = []
    figures.sample_figure("1", out=tmp_path, threads=2, on_reuse=found.append)
    assert found == [len(kept)]


def test_what_a_point_raises_is_raised_once_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised, done = threading.Event(), []

    def fail() -> None:
        raised.set()
        raise OSError("disk full")

    def other() -> None:
        assert raised.wait(60.0)
        done.append(True)

    stage(monkeypatch, Staged(network(1), other), Staged(network(2), fail))
    with pytest.raises(OSError, match="disk full"):
        figures.sample_figure("1", out=tmp_path, threads=2)
    assert done == [True]


@pytest.mark.usefixtures("warm_kernels")
def test_an_error_ends_the_other_points_which_keep_what_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def fail() -> None:
        assert begun.wait(60.0)
        raise OSError("disk full")

    deep = replace(network(50), weights="gaussian", block="res-1")
    long = DepthsPoint(deep, (25, 50), 1_000_000)
    stage(monkeypatch, long, Staged(network(2), fail))
    with pytest.raises(OSError, match="disk full"):
        figures.sample_figure("1", out=tmp_path, threads=2, progress=lambda networks: begun.set())
    kept = read_coupled_sample(tmp_path / "samples" / f"{long.stem}-seed-0.parquet")
    assert 0 < len(kept) < long.replicas


@dataclass(frozen=True)
class Telling(Staged):
    """A point that says that rows were sampled, or found."""

    reused: bool = False

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> Any:
        self.make()
        (report.reused if self.reused else report.sampled)(1)


def test_progress_and_reuse_are_told_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, alone, overlaps = threading.Barrier(2, timeout=60.0), threading.Lock(), []

    def tell(networks: int) -> None:
        overlaps.append(not alone.acquire(blocking=False))
        time.sleep(0.2)
        if not overlaps[-1]:
            alone.release()

    stage(monkeypatch, *(Telling(network(depth), both.wait, reused=depth == 1) for depth in (1, 2)))
    figures.sample_figure("1", out=tmp_path, threads=2, progress=tell, on_reuse=tell)
    assert overlaps == [False, False]


@dataclass(frozen=True)
class Prepared:
    """A run that says when it is prepared."""

    family: tuple[str, ...]
    prepare: Callable[[], None]


@dataclass(frozen=True)
class Ahead(Staged):
    """A point with such a run."""

    run: Any = None


def test_what_later_points_need_is_prepared_once_a_kind_beside_the_block() -> None:
    order, go, last = [], threading.Event(), threading.Event()

    def point(depth: int, family: str, prepare: Callable[[], None] | None = None) -> Ahead:
        run = Prepared((family,), prepare or (lambda: order.append(family)))
        return Ahead(network(depth), lambda: None, run=run)

    def wait_and_fail() -> None:
        assert go.wait(60.0)
        raise OSError("said when it is sampled")

    points = [
        point(1, "a"), point(2, "a"), Staged(network(3), lambda: None), point(4, "b", wait_and_fail),
        point(5, "c"), point(6, "d", last.set),
    ]  # fmt: skip
    with prepared_ahead(points):
        go.set()  # the block goes on while a compiler works
        assert last.wait(60.0)
    assert order == ["a", "c"]


def test_after_an_error_nothing_more_is_prepared() -> None:
    order, begun, go = [], threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert go.wait(60.0)
        order.append("first")

    points = [
        Ahead(network(depth), lambda: None, run=Prepared((str(depth),), prepare))
        for depth, prepare in enumerate((first, lambda: order.append("second")), 1)
    ]

    def interrupted() -> None:
        with prepared_ahead(points):
            assert begun.wait(60.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # at once
        interrupted()
    assert order == []
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "compiling"]
    go.set()
    worker.join(60.0)
    assert order == ["first"]


def test_a_point_whose_run_is_none_is_a_fault() -> None:
    with pytest.raises(AttributeError), prepared_ahead([Ahead(network(1), lambda: None, run=object())]):
        pass


def test_points_of_figures_say_what_they_need() -> None:
    def points(name: str) -> list[Any]:
        return list(figures.find_figure(name).points("quick"))

    kinds = {
        name: {type(point).__name__: point.run.kind for point in points(name)}
        for name in ("2", "7", "strong-order", "transformers")
    }
    assert kinds == {
        "2": {"Point": "sample"}, "7": {"SharedPoint": "shared"}, "strong-order": {"DepthsPoint": "coupled"},
        "transformers": {"TransformerPoint": "tokens"},
    }  # fmt: skip
