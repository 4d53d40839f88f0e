"""Bugs of closed-form theory: signs, factors, exponents and arguments that are mistaken for each other."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "theory/independent/_critical_bounds.py",
        "np.sqrt(10 / scale)) + 1",
        "np.sqrt(10 / scale)) - 1",
        ("theory/independent/_critical_bounds.py",),
        "I9: an upper bound that is too low by 2",
    ),
    Bug(
        "theory/independent/_identity.py",
        "scale=c / d)",
        "scale=1 / d)",
        ("tests/theory/independent/test_identity.py",),
        "I10b: the gain is lost",
    ),
    Bug(
        "theory/independent/_identity.py",
        "return _validate.plain(2 * variance / delta)",
        "return _validate.plain(variance / delta)",
        ("tests/theory/independent/test_identity.py",),
        "I10: half the bound",
    ),
    Bug(
        "theory/independent/_explosion.py",
        "return _validate.plain(c * (1 - 2 / d))",
        "return _validate.plain(c * (1 - 1 / d))",
        ("tests/theory/independent/test_explosion.py",),
        "I11: narrow networks explode",
    ),
    Bug(
        "theory/independent/_explosion.py",
        "a * np.sqrt(c * L / d) * (d - 2) / 2",
        "a * np.sqrt(c * L / d) * (d - 2)",
        ("tests/theory/independent/test_explosion.py",),
        "I11: chances of explosion too near 0 and 1",
    ),
    Bug(
        "theory/correlated/_first_order_gradient.py",
        "both_active = 0.25 + np.arcsin(inner) / (2 * np.pi)",
        "both_active = 0.25 + np.arccos(inner) / (2 * np.pi)",
        ("tests/theory/correlated/test_first_order_gradient.py",),
        "first order of gradients: arcsine and arccosine mistaken",
    ),
    Bug(
        "theory/correlated/_antipersistent.py",
        "second = squares / 2 + (d - 1) * fractional_noise_area(L, H)",
        "second = squares / 2 + d * fractional_noise_area(L, H)",
        ("tests/theory/correlated/test_antipersistent.py",),
        "F3: spread of d pairs for d - 1",
    ),
    Bug(
        "theory/independent/exact_law/_convergence_in_law.py",
        "math.sqrt(0.5 / law.width)",
        "math.sqrt(0.5) / law.width",
        ("tests/theory/independent/exact_law/test_convergence_in_law.py",),
        "convergence: a limit that is too narrow",
    ),
    Bug(
        "theory/diffusion/_wide_laws.py",
        "3 * fourth_1 + r_1 * r_1",
        "3 * fourth_1 - r_1 * r_1",
        ("tests/theory/diffusion/test_wide_laws.py",),
        "S4: variance of gradients with a wrong sign",
    ),
    Bug(
        "theory/diffusion/_limit_laws.py",
        "np.exp(-0.5 * (width - 1) * _brownian_time",
        "np.exp(-0.5 * width * _brownian_time",
        ("tests/theory/diffusion/test_limit_laws.py",),
        "S2: mean cosine of one dimension more",
    ),
    Bug(
        "theory/correlated/_regimes.py",
        "return _validate.plain(-np.log(a) / np.log(L))",
        "return _validate.plain(-np.log(a) / np.log2(L))",
        ("tests/theory/correlated/test_regimes.py",),
        "exponents of a scaling in base 2",
    ),
)
