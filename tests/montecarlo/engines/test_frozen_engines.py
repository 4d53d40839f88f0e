"""Frozen rows of engines: a change of their streams must raise STREAM_FORMAT."""

from __future__ import annotations

import pytest

from montecarlo import ResNet, simulate
from montecarlo.streams import STREAM_FORMAT

FROZEN = [
    (
        {"width": 7, "depth": 9, "beta": 0.5},
        "joint",
        "gaussian",
        [
            [
                "-0x1.56cfd2c0a58a0p-4",
                "-0x1.a48d434f31ea9p-1",
                "0x1.1c8aba1c83d42p-2",
                "-0x1.44dfecf9654b4p-3",
            ],
            [
                "0x1.62f5f0ce5e520p-3",
                "-0x1.5b93de051a003p-1",
                "0x1.68d6525c8e000p-8",
                "-0x1.94ff3035445ccp-1",
            ],
        ],
    ),
    (
        {
            "block": "res-2",
            "activation": "leaky-relu",
            "bias_std": 0.5,
            "width": 17,
            "depth": 40,
            "beta": 0.25,
        },
        "joint",
        "gaussian",
        [
            ["0x1.397ac231692a9p+0", "0x1.1d568c23c19d7p+0", "0x1.7ba1dfa0ef2acp-1", "0x1.7896500257270p-1"],
            ["0x1.0bb3e8887c174p+0", "0x1.2c7ff56f6ab8cp+0", "0x1.a6c983f3567aep+0", "0x1.b1f72a9e1f8bap+0"],
        ],
    ),
    (
        {"width": 7, "depth": 9, "beta": 0.5, "norm": "peri-layer", "hidden_width": 11, "skip": 0.9},
        "joint",
        "gaussian",
        [
            [
                "-0x1.ace4065eb2367p-1",
                "-0x1.58952e3785ae8p-3",
                "-0x1.1ec90e11c0848p-1",
                "0x1.090595ad1e8ecp-3",
            ],
            ["0x1.182928576ba1fp-1", "0x1.9ac27770dd118p-1", "0x1.33b2193f034e0p+0", "0x1.227e1921a4af2p+0"],
        ],
    ),
    (
        {
            "block": "res-2",
            "activation": "leaky-relu",
            "bias_std": 0.5,
            "width": 17,
            "depth": 12,
            "beta": 0.25,
            "norm": "post-rms",
            "schedule": "power:0.5",
        },
        "joint",
        "gaussian",
        [
            [
                "0x1.14ad95afcfa20p-2",
                "-0x1.320bc538a18b4p-2",
                "0x1.2d02ea7b76b18p-2",
                "-0x1.58c58feec9600p-8",
            ],
            ["0x1.2308496a2fa1bp-1", "0x1.46a969540b28ep-2", "0x1.02f2b4f20a2b8p-2", "-0x1.a1b0313612020p-5"],
        ],
    ),
    (
        {"width": 70, "depth": 50, "beta": 0.5},
        "dual",
        "radial",
        [
            [
                "0x1.bd0077bffedebp-3",
                "-0x1.09ad3df1d9d8cp-2",
                "0x1.8fd021c0167a6p-3",
                "-0x1.4afd4ecdd6afdp-2",
            ],
            [
                "0x1.67d9b2a98ae54p-2",
                "-0x1.6dec12b65f632p-4",
                "0x1.f8357953950ebp-3",
                "-0x1.01e828b03a7c2p-2",
            ],
        ],
    ),
    (
        {"block": "res-1", "activation": "identity", "width": 3, "depth": 20, "beta": 0.5},
        "dual",
        "radial",
        [
            [
                "-0x1.1b0c5b8324277p-1",
                "-0x1.e252d1eb0d3cep-2",
                "0x1.348bc863f8893p-2",
                "-0x1.e6dd28606aa32p-3",
            ],
            ["0x1.9a3ba5ef1c564p-1", "0x1.96ec4447380fap-1", "0x1.08f7afce023a1p+0", "0x1.49374cf9d9fa4p-1"],
        ],
    ),
    (
        {
            "width": 6,
            "hidden_width": 70,
            "depth": 30,
            "beta": 0.25,
            "norm": "pre-rms",
            "schedule": "power:0.25",
        },
        "none",
        "radial",
        [["0x1.a58aa7dcb4fd9p-1", "0x1.85ba437872518p-1"], ["0x1.8b7a22390d4d7p-2", "-0x1.60dc46f6beb0cp-3"]],
    ),
    (
        {"width": 9, "hidden_width": 5, "depth": 12, "beta": 0.25, "norm": "post-rms", "skip": 0.8},
        "none",
        "radial",
        [["0x1.fcc452449fee7p-1", "0x1.c9f83228c78dfp-1"], ["0x1.fa6c1067e107cp-2", "0x1.bf5efab830c73p-3"]],
    ),
    (
        {"width": 9, "hidden_width": 12, "depth": 12, "beta": 0.25, "skip": -0.8, "schedule": "power:0.5"},
        "dual",
        "radial",
        [
            [
                "-0x1.0f09c89e96418p+1",
                "-0x1.c273373c38c69p-4",
                "-0x1.308270a79ac23p+1",
                "-0x1.75a57454cedc2p-4",
            ],
            [
                "-0x1.3a99089a3f977p+1",
                "-0x1.4e526ba9e384fp-4",
                "-0x1.3cd966fd2ad4fp+1",
                "-0x1.30831082fc0a6p-4",
            ],
        ],
    ),
    (
        {
            "width": 9,
            "hidden_width": 20,
            "depth": 12,
            "beta": 0.25,
            "skip": 0.8,
            "schedule": "power:0.5",
            "norm": "peri-layer",
            "weights": "uniform",
        },
        "joint",
        "dense",
        [
            [
                "-0x1.77bbe790367a6p-1",
                "0x1.7bd9855a15800p-5",
                "-0x1.662145c3ad398p-1",
                "0x1.7eee25d1a32e0p-3",
            ],
            [
                "-0x1.622bed090caa6p-1",
                "0x1.b31c6b72f1d50p-4",
                "-0x1.1b6c19e568cb0p-1",
                "0x1.52aacbeed72b8p-3",
            ],
        ],
    ),
    (
        {
            "block": "post-activation",
            "activation": "leaky-relu",
            "width": 9,
            "depth": 12,
            "beta": 0.5,
            "weights": "rademacher",
        },
        "joint",
        "dense",
        [
            ["0x1.a0f0cf6408e90p-1", "0x1.7d4a06b0b5220p-1", "0x1.af337fc5bb13cp-2", "-0x1.68499bb594840p-6"],
            ["0x1.e1c667e2eb3cfp-1", "0x1.956652d1db695p-1", "0x1.be9dc1aa36dfcp-2", "0x1.d629a8002df80p-6"],
        ],
    ),
    (
        {"width": 6, "hidden_width": 9, "depth": 12, "beta": 0.25, "norm": "peri-rms"},
        "dual",
        "radial",
        [
            ["0x1.8fa88eb6d158ap+0", "0x1.957f32496b317p+0", "0x1.7661d09fb22c9p+0", "0x1.5b9cd957110afp+0"],
            ["0x1.af0ca69d7a972p-1", "0x1.4d4a5ec3f3a1ep-1", "0x1.123ca723104c4p+0", "0x1.a54a19489b2f2p-1"],
        ],
    ),
    (
        {"width": 6, "hidden_width": 9, "depth": 12, "beta": 0.25, "norm": "peri-rms"},
        "joint",
        "radial",
        [
            ["0x1.8fa88eb6d158ap+0", "0x1.957f32496b317p+0", "0x1.cb3becee34c50p+0", "0x1.e5cf0d2705e21p+0"],
            ["0x1.af0ca69d7a972p-1", "0x1.4d4a5ec3f3a1ep-1", "0x1.3efaea933940ap+0", "0x1.19e0dfa66b256p+0"],
        ],
    ),
    (
        {"width": 9, "hidden_width": 5, "depth": 12, "beta": 0.25, "norm": "post-rms", "skip": 0.8},
        "joint",
        "radial",
        [
            ["0x1.fcc452449fee7p-1", "0x1.c9f83228c78dfp-1", "0x1.6a590cef484f0p-4", "0x1.0d19ffe4f31fap-2"],
            ["0x1.fa6c1067e107cp-2", "0x1.bf5efab830c73p-3", "0x1.1a9c376b626c0p-5", "0x1.eb1178fd4be4dp-3"],
        ],
    ),
]


@pytest.mark.parametrize(("fields", "gradients", "engine", "rows"), FROZEN)
def test_rows_have_not_changed(fields, gradients, engine, rows):
    assert STREAM_FORMAT == 1, "freeze the new rows here"
    sample = simulate(ResNet(**fields), replicas=19, seed=11, gradients=gradients)
    assert sample.engine == engine
    found = [[float(column[i]) for column in sample.columns.values()] for i in (0, 18)]
    for row, frozen in zip(found, rows, strict=True):
        # The random numbers are the same everywhere; logarithms may differ in the last place of another C
        # library.
        assert row == pytest.approx([float.fromhex(value) for value in frozen], rel=1e-13, abs=1e-15)
