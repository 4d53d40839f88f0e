"""The one home of the project's numba decorators and of the fused product.

Two rules make rows the same bits on every x86-64 CPU with AVX2 and FMA:

* products are fused explicitly (`fma`), never at the compiler's discretion;
* sums run over eight fixed lanes that are folded in a fixed tree (`montecarlo.laws._products`), so that
  their order does not depend on the width of the registers that LLVM chose.

Everything else in a kernel is elementwise, hence independent of the vector width. `fastmath` is off
everywhere: it would let LLVM reorder sums and drop the checks of non-finite values.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import os
import pathlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import cfunc, config, njit, types
from numba.core.errors import NumbaExperimentalFeatureWarning
from numba.extending import intrinsic

from montecarlo.common._parts import part_options

_KERNEL_SOURCES = (
    "common", "engines", "kernels", "laws", "networks/_transformer_words.py", "processes", "samples",
    "sequential", "streams",
)  # fmt: skip
"""Folders and files of all the code and all the constants that are compiled into kernels."""

JIT_OFF = bool(getattr(config, "DISABLE_JIT", 0))

LANES = 8
"""Number of partial sums of a reduction; a property of the stream format, not of the machine."""

CHUNK = 256
"""Units that are reduced together; a property of the stream format, too."""


def _without_references() -> dict[str, Any]:
    """Return the option of numba that turns reference counting off, if this numba has it: it is private."""
    option: dict[str, Any] = {"_nrt": False}
    try:
        njit(**option)(lambda: 0)
    except (KeyError, TypeError, ValueError):
        return {}
    return option


_NO_REFERENCES = _without_references()


def kernel(
    function: Callable[..., Any] | None = None,
    *,
    signature: Any = None,
    allocates: bool = True,
    passed: bool = False,
) -> Any:
    """Compile a function that Python calls: cached on disk, without the GIL.

    With a `signature` it is compiled when its module is imported, else on its first call. One that allocates
    nothing need not count references, see `helper`. One that other kernels are `passed` as an argument has an
    address for them, too.

    Numba drops a cached kernel when the file that defines it changes, not when a helper in another file does.
    The stamp of the cache is therefore a digest of all the kernels' sources.
    """

    def decorate(python: Callable[..., Any]) -> Any:
        if JIT_OFF:
            return python
        options: dict[str, Any] = {"no_cfunc_wrapper": not passed} | ({} if allocates else _NO_REFERENCES)
        compiled: Any = njit(nogil=True, error_model="numpy", **options)(python)
        kept = _cache_where_possible(compiled)
        if kept:
            cache_file = compiled._cache._cache_file
            if not hasattr(cache_file, "_source_stamp"):
                raise RuntimeError("this numba keeps its cache stamps elsewhere; stale kernels would be used")
            cache_file._source_stamp = _sources_digest()
        if signature is not None:
            with warnings.catch_warnings():
                # Functions as arguments are marked experimental; the engines' tests would notice a break.
                warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
                with (
                    _one_process_at_a_time(compiled) if kept else contextlib.nullcontext(),
                    _few_collections(),
                ):
                    compiled.compile(signature)
            compiled.disable_compile()
        return compiled

    return decorate if function is None else decorate(function)


_COLLECTING = threading.RLock()


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Let Python look for garbage less often: a compiler makes little of it, and many objects that stay.

    It was an eighth of the time to compile an engine.
    """
    with _COLLECTING:
        thresholds = gc.get_threshold()
        if gc.isenabled() and thresholds[0] > 0:
            gc.set_threshold(max(thresholds[0], 50_000), *thresholds[1:])
        try:
            yield
        finally:
            gc.set_threshold(*thresholds)


@contextlib.contextmanager
def _one_process_at_a_time(compiled: Any) -> Iterator[None]:
    """Let one process compile the kernels of a module; another one waits, and finds them on disk then.

    The lock lies where they do: who has another place for them does not wait. It is no more than a saving:
    after some time, or without locks, both compile.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            path = pathlib.Path(compiled._cache.cache_path) / f"{compiled.py_func.__module__}.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("wb"))
            end = time.monotonic() + _LONGEST_COMPILATION
            while time.monotonic() < end:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # Explicitly: a process that was forked meanwhile would go on to hold it.
                    stack.callback(fcntl.flock, file, fcntl.LOCK_UN)
                    break
                time.sleep(_LOOK)
        yield


_LONGEST_COMPILATION = 120.0
"""Seconds after which one that is said to be compiling is not waited for."""
_LOOK = 0.02


_told: list[Callable[[], None]] = []


@contextlib.contextmanager
def told_of_missing_kernels(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function, inside the block, whenever a kernel is not on disk and has to be compiled."""
    _told.append(tell)
    try:
        yield
    finally:
        _told.remove(tell)


def compile_callback(python: Callable[..., Any], signature: str, *, cache: bool, **options: Any) -> Any:
    """Compile a function whose address kernels are given; with `cache`, on disk where that is possible.

    Numba takes a place for the cache for granted, and what it raises would pass for the function's error.
    """
    # As numpy divides: by zero to inf or nan, which mark a network. Nothing that is raised would get out.
    options["error_model"] = "numpy"
    if cache and _has_place(python):
        with contextlib.suppress(Exception):
            return cfunc(signature, cache=True, **options)(python)
    return cfunc(signature, **options)(python)


def _cache_where_possible(compiled: Any) -> bool:
    """Let numba keep a function on disk, and return whether it can; if not, each process compiles it afresh.

    No HOME, a read-only installation, a full disk, another user's files, files that were torn: none of it
    may end a run that needs no cache.
    """
    if not _has_place(compiled.py_func):
        return False
    try:
        compiled.enable_caching()
    except (RuntimeError, OSError):
        return False
    cache = compiled._cache
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*arguments: Any) -> Any:
        found = None
        try:
            found = load(*arguments)
        except Exception:
            with contextlib.suppress(Exception):
                cache.flush()  # an index that was torn, which would stand in the way of the next one
        if found is None:
            for tell in [*_told]:
                tell()
        return found

    def save_overload(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            save(*arguments)

    cache.load_overload, cache.save_overload = load_overload, save_overload
    return True


def _has_place(python: Callable[..., Any]) -> bool:
    """Whether numba may look for a folder: for a user without a home it makes one named "~" where it is."""
    if getattr(config, "CACHE_DIR", "") or os.environ.get("XDG_CACHE_HOME"):
        return True
    if os.path.isabs(os.path.expanduser("~")):
        return True
    return os.access(pathlib.Path(python.__code__.co_filename).parent, os.W_OK)


@functools.cache
def _sources_digest() -> str:
    digest = hashlib.sha256()
    for file in kernel_sources():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def kernel_sources() -> list[pathlib.Path]:
    """Return the files that a kernel on disk is made of: it is dropped when one of them changes."""
    package = pathlib.Path(__file__).parents[1]
    places = [package / source for source in _KERNEL_SOURCES]
    return [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]


# Wrappers for callers in Python unpack every argument: they were two fifths of the time to compile a kernel
# that takes records.
_INTERNAL: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_APART = _INTERNAL.copy()
if not JIT_OFF:
    _INTERNAL |= part_options()
    _APART |= part_options(apart=True)

# Not forced by name: numba hands the option down, to all that is first called in an inlined function.
helper = njit(error_model="numpy", forceinline=False, **_INTERNAL, **_NO_REFERENCES)
"""Decorator of a function that only kernels call and that allocates nothing.

Without numba's runtime it counts no references: the atomic counts of its array arguments took a tenth of
the time of a narrow layer.
"""

apart = njit(error_model="numpy", forceinline=False, **_APART, **_NO_REFERENCES)
"""Decorator of a helper that LLVM writes into none of its callers: each copy would be compiled once more.

For what a layer seldom comes to, or works on for long, where arguments are few: records by address.
"""

allocating_helper = njit(error_model="numpy", forceinline=False, **_INTERNAL)
"""Decorator of a function that only kernels call and that allocates arrays."""

inline = njit(forceinline=True, error_model="numpy", **_INTERNAL, **_NO_REFERENCES)
"""Decorator of a helper inside a hot loop, or of one that takes records in a loop over layers.

LLVM must inline the one before it looks at the loop: a call left standing stops vectorisation. A call of the
other copies every field of its records to the stack: of 20 calls a layer, a third of the time at width 4.
"""


def _fma_python(a, b, c):
    """Return ``a * b + c``, rounded once."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def _fma_compiled(typingctx, a, b, c):
    """Return ``a * b + c``, rounded once (the fused multiply-add of the hardware)."""
    signature = types.float32(types.float32, types.float32, types.float32)

    def codegen(context, builder, sig, args):
        return builder.fma(*args)

    return signature, codegen


# With NUMBA_DISABLE_JIT=1 the same kernels run as plain Python, for line coverage and index checks.
fma: Any = _fma_python if JIT_OFF else intrinsic(_fma_compiled)

merged = njit(inline="always", error_model="numpy", **_NO_REFERENCES)
"""Decorator of a part of a kernel, which numba writes into its callers before it compiles them.

Parts of a long loop are compiled once this way; with `inline`, once more in each caller and in its callers.
What a part allocates, and whether references are counted, is the caller's.
"""
