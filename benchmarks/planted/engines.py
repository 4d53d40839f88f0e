"""Bugs of networks: wrong scalings, streams, columns and keys."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/engines/_outputs.py",
        '"log_gradient_difference": outputs.rows[:, 3]',
        '"log_gradient_difference": outputs.rows[:, 2]',
        ("tests/montecarlo/engines/test_dense_reference.py",),
        "differences of gradients are their ratios",
    ),
    Bug(
        "montecarlo/engines/_replay.py",
        "A=embedding / math.sqrt(n)",
        "A=embedding / math.sqrt(d)",
        ("tests/montecarlo/engines/test_replay.py",),
        "replayed networks begin at states of another size",
    ),
    Bug(
        "montecarlo/samples/shared/_run.py",
        "np.repeat(self.scalings, self.inputs)",
        "np.tile(self.scalings, self.inputs)",
        ("tests/montecarlo/engines/test_correlated_engine.py::test_shared_rows_are_the_rows_of_the_replica",),
        "rows under the scaling of their neighbours",
    ),
    Bug(
        "montecarlo/samples/depths/_paths.py",
        "path[:: len(path) // depth]",
        "path[len(path) // depth - 1 :: len(path) // depth]",
        ("tests/montecarlo/samples/depths/test_identities.py",),
        "smooth weights at the wrong times: errors between depths of the wrong size",
    ),
    Bug(
        "montecarlo/samples/depths/_fill.py",
        "half_log(largest, reference)",
        "half_log(final, reference)",
        ("tests/montecarlo/samples/depths/test_identities.py",),
        "strong errors of the last layer alone",
    ),
    Bug(
        "montecarlo/engines/correlated/_start.py",
        "ROLE_BIAS << 28 | k",
        "ROLE_BIAS << 28",
        ("tests/montecarlo/engines/test_correlated_engine.py",),
        "one bias for all layers of correlated networks",
    ),
    Bug(
        "montecarlo/engines/radial/_engine.py",
        "chunk = max(1, min(CHUNK_LAYERS, int(300.0 / _bits_a_layer(constants.alphas, resnet.skip))))",
        "chunk = CHUNK_LAYERS",
        ("tests/montecarlo/engines/test_radial_engine.py::test_huge_alpha",),
        "networks of huge scaling are lost",
    ),
    Bug(
        "montecarlo/engines/gaussian/_norms.py",
        "work.along[lane] = work.across[lane] + work.second[lane] * squares.array[squares.start + lane]",
        "work.along[lane] = work.across[lane]",
        ("tests/montecarlo/engines/test_gaussian_norms.py::test_the_projection_of_a_norm",),
        "gradients along the stream pass a norm in the part that conditioning knows",
    ),
    Bug(
        "montecarlo/streams/_keys.py",
        'int.from_bytes(digest[4:8], "little")',
        'int.from_bytes(digest[0:4], "little")',
        ("tests/montecarlo/streams/test_keys.py",),
        "32 bits of key: seeds share their networks by chance",
    ),
    Bug(
        "montecarlo/samples/independent/_run.py",
        'return {"engine": self.engine}',
        "return {}",
        ("tests/montecarlo/runs/test_running.py::test_keys_outlive_versions",),
        "rows of one engine read as another's from a results folder",
    ),
)
