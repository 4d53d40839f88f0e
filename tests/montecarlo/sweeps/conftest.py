"""A sweep's file, written and read."""

import pytest

from montecarlo.sweeps import read_sweep


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "s.toml"

    def of(text):
        path.write_text(text, encoding="utf-8")
        return read_sweep(path)

    return of
