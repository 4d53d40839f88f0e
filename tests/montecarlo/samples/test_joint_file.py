"""Joint inputs in files: rows are kept, continued, and never taken for those of other networks."""

import numpy as np
import pytest

from montecarlo import InvalidFieldError, ResNet, joint_to_file, simulate_inputs

pytestmark = pytest.mark.usefixtures("warm_kernels")

NET = ResNet(width=5, depth=6, beta=0.5)
GRAM = np.array([[5.0, 1.0], [1.0, 4.0]])


def kept(path, net=NET, gram=GRAM, **changes):
    found = []
    asked = {"replicas": 7, "seed": 3, "layers": [0, 6], "on_found": found.append} | changes
    return joint_to_file(net, gram, path, **asked), found


@pytest.mark.parametrize("engine", ["gaussian", "gram"])
def test_rows_are_continued_and_are_those_of_one_run(tmp_path, engine):
    path = tmp_path / "s.parquet"
    drawn = []
    few, found = kept(path, engine=engine, replicas=3)
    assert not found
    whole, found = kept(path, engine=engine, progress=drawn.append)
    assert (found, sum(drawn)) == ([3], 4)
    alone = simulate_inputs(NET, GRAM, replicas=7, seed=3, layers=[0, 6], engine=engine)
    for name in ("log_norm", "cosine"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(alone, name))
        np.testing.assert_array_equal(getattr(few, name), getattr(alone, name)[:3])
    part, found = kept(path, engine=engine, replicas=2)
    assert (len(part), found) == (2, [7])
    assert kept(path, engine=engine)[1] == [7]  # asking for fewer took none away


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4}, {"layers": [0, 5]}, {"engine": "gram"}, {"gram": 2.0 * GRAM},
        {"net": ResNet(width=5, depth=6, beta=0.6)},
    ],
    ids=str,
)  # fmt: skip
def test_another_sample_is_neither_taken_nor_overwritten(tmp_path, changes):
    path = tmp_path / "s.parquet"
    kept(path)
    before = path.read_bytes()
    with pytest.raises(InvalidFieldError, match="holds something else"):
        kept(path, **changes)
    assert path.read_bytes() == before
    replaced, found = kept(path, overwrite=True, **changes)
    assert not found
    assert len(replaced) == 7


def test_a_damaged_file_is_something_else(tmp_path):
    path = tmp_path / "s.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidFieldError, match="holds something else"):
        kept(path)
    assert len(kept(path, overwrite=True)[0]) == 7
