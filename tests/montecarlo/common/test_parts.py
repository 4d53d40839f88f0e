"""Parts of kernels with a numba whose inside is another: they cost time then, and work."""

from __future__ import annotations

from typing import Any

import pytest
from llvmlite.binding import ModuleRef
from numba import njit

from montecarlo.common._jit import JIT_OFF
from montecarlo.common._parts import part_options

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")


def part(x: float) -> float:
    return 0.5 * x


def in_a_kernel(options: dict[str, Any]) -> tuple[Any, Any]:
    """Return a part that has been compiled so, and what a kernel that calls it returns."""
    half: Any = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(part)

    @njit
    def kernel(x):
        return half(x) + 1.0

    value = kernel(3.0)
    return half.overloads[half.signatures[0]].library, value


def test_a_part_is_no_machine_code_of_its_own() -> None:
    library, value = in_a_kernel(part_options(apart=True))
    assert value == 2.5
    assert type(library).__name__ == "PartLibrary"


@pytest.mark.parametrize("error", [AttributeError, TypeError])
def test_numba_compiles_a_part_as_anything_where_its_inside_is_another(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ours = [], ModuleRef.get_function

    def get_function(module: ModuleRef, name: str) -> Any:
        asked.append(name)
        if len(asked) == 1:
            raise error("another release")
        return ours(module, name)

    monkeypatch.setattr(ModuleRef, "get_function", get_function)
    library, value = in_a_kernel(part_options(apart=True))
    assert value == 2.5
    assert asked
    assert type(library).__name__ != "PartLibrary"


def test_an_error_of_the_part_is_the_one_that_is_seen() -> None:
    half: Any = njit(**part_options())(lambda x: x.nothing)
    with pytest.raises(Exception, match="nothing"):
        njit(lambda x: half(x) + 1.0)(3.0)
