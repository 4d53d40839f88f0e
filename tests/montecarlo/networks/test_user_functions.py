"""Users' functions: frozen when they are given, keyed by what they compute, the same wherever they arrive."""

import importlib
import math
import types

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import montecarlo
from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo.common._user_functions import key_of_values
from montecarlo.networks import _activations
from montecarlo.networks._activation_values import arguments, evaluate, jumps
from montecarlo.processes import WeightProcess
from montecarlo.runs import running
from montecarlo.store import Store

SQUARE_KEY = "square#e03c941ea226a285"
HALVES_KEY = "halves#443202f7e0440005"


def cell(text, **names):
    """Run what a notebook cell holds, and return its names."""
    exec(text, names)
    return names


def linear(names, name="mine"):
    return Activation(name, names["value"], names["derivative"])


SCALED = "def value(x): return C * x\ndef derivative(x): return C"


def rows(activation, **options):
    net = ResNet(width=4, depth=3, beta=0.5, block="res-1", activation=activation)
    return montecarlo.simulate(net, replicas=3, seed=1, engine="dense", **options)["log_hidden_ratio"]


def rows_of_slope(c):
    return rows(Activation("other", lambda x: c * x, lambda x: c))


# What happens afterwards changes nothing.


def test_a_global_that_changes_gives_new_rows_under_a_new_key(tmp_path):
    names = cell(SCALED, C=1.0)
    with running(store=Store.open(tmp_path)):
        first = linear(names)
        before = rows(first)
        names["C"] = 3.0
        assert np.array_equal(rows(first), before)
        second = linear(names)
        after = rows(second)
    assert (first.value(1.0), second.value(1.0)) == (1.0, 3.0)
    assert first.fingerprint != second.fingerprint
    with running(store=Store.open(tmp_path)):  # a later, right process
        assert np.array_equal(rows(linear(names)), after)
        assert np.array_equal(rows(linear(names | cell(SCALED, C=1.0))), before)
    assert np.array_equal(before, rows_of_slope(1.0))
    assert np.array_equal(after, rows_of_slope(3.0))


def test_an_edited_module_gives_new_rows_under_a_new_key(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "our_constants.py").write_text("C = 1.0\n")
    import our_constants as constants  # pyright: ignore[reportMissingImports]

    def made():
        return Activation("mine", lambda x: constants.C * x, lambda x: constants.C)

    with running(store=Store.open(tmp_path / "rows")):
        first = made()
        before = rows(first)
        (tmp_path / "our_constants.py").write_text("C = 3.000\n")  # another length: no stale bytecode
        importlib.reload(constants)
        assert np.array_equal(rows(first), before)
        assert np.array_equal(rows(made()), rows_of_slope(3.0))
    assert first.fingerprint != made().fingerprint
    assert np.array_equal(before, rows_of_slope(1.0))


def _of_global():
    names = cell("import numpy as np\ndef lags(m, depth): return rate**m", rate=0.9)
    return names["lags"], lambda: names.update(rate=0.5)


def _of_array():
    table = 0.9 ** np.arange(64.0)

    def change():
        table[1:] = 0.0

    return lambda m, depth: np.where(m < 64, table[np.minimum(m, 63)], 0.0), change


def _of_namespace():
    settings = types.SimpleNamespace(rate={"all": [0.9]})

    def change():
        settings.rate["all"][0] = 0.5

    return lambda m, depth: settings.rate["all"][0] ** m, change


def _of_module():
    module = types.ModuleType("our_rates")
    module.rate = 0.9
    return lambda m, depth: module.rate**m, lambda: setattr(module, "rate", 0.5)


class _Rate:
    rate = 0.9

    def __init__(self):
        self.own = 0.9

    def __call__(self, m, depth):
        return self.own**m

    def method(self, m, depth):
        return self.own**m


def _of_object():
    thing = _Rate()
    return thing, lambda: setattr(thing, "own", 0.5)


def _of_method():
    thing = _Rate()
    return thing.method, lambda: setattr(thing, "own", 0.5)


def _of_jitted_helper():
    names = cell("def inner(m): return rate**m\ndef lags(m, depth): return helper(m)", rate=0.9)
    names["helper"] = numba.njit(names["inner"])
    return names["lags"], lambda: names.update(rate=0.5)


def _of_function_inside():
    names = cell("def lags(m, depth): return np.array([(lambda i: rate**i)(i) for i in m])", rate=0.9, np=np)
    return names["lags"], lambda: names.update(rate=0.5)


FROZEN = {f.__name__: f for f in (
    _of_global, _of_array, _of_namespace, _of_module, _of_object, _of_method, _of_jitted_helper,
    _of_function_inside,
)}  # fmt: skip


@pytest.mark.parametrize("case", FROZEN)
def test_a_process_that_is_kept_stays_what_it_was(case):
    lags, change = FROZEN[case]()
    process = WeightProcess.from_lags("kept", lags)
    before = process.lag_covariance(5)
    assert before.tolist() == pytest.approx((0.9 ** np.arange(5)).tolist())
    change()
    assert np.array_equal(process.lag_covariance(5), before)
    assert np.allclose(process.factor(4).matrix() @ process.factor(4).matrix().T, process.covariance(4))
    assert WeightProcess.from_lags("kept", lags).fingerprint != process.fingerprint


def test_a_process_that_drifts_nevertheless_is_refused(monkeypatch):
    process = WeightProcess.from_lags("drifting", lambda m, depth: _Rate.rate**m)
    process.factor(3)
    monkeypatch.setattr(_Rate, "rate", 0.5)
    for use in (process.lag_covariance, process.covariance, process.factor):
        with pytest.raises(InvalidFieldError, match="must give the covariances that it gave"):
            use(5)
    monkeypatch.undo()
    assert process.factor(5).matrix().shape[0] == 5


def test_large_and_strided_arrays_are_frozen_too():
    # numba compiles them in by their address.
    table = np.ones(2 * 150_000)
    constants = table[::2]
    activation = Activation("large", lambda x: constants[7] * x, lambda x: constants[7])
    table[:] = 3.0
    assert [f(2.0) for f in activation.scalars()] == [2.0, 1.0]
    assert np.array_equal(rows(activation), rows_of_slope(1.0))


# The key says what is computed.


def double(x):
    """Twice x."""
    return 2.0 * x


def two(x):
    return 2.0


def test_a_function_has_one_key_however_it_is_written():
    made = {
        "module": Activation("double", double, two),
        "lambda": Activation("double", lambda x: x + x, lambda x: 2),
        "cell": Activation("double", cell("def f(x):\n  'Other words.'\n  return x * 2")["f"], two),
        "helper": Activation("double", lambda x: 0.5 * double(2.0 * x), lambda x, constant=2.0: constant),
        "jitted": Activation("double", numba.njit(double), numba.njit(fastmath=True)(two)),
    }
    assert {activation.fingerprint for activation in made.values()} == {made["module"].fingerprint}
    assert len(set(made.values())) == 1
    nets = {ResNet(width=3, depth=2, beta=0.5, block="res-1", activation=a) for a in made.values()}
    assert len(nets) == 1


KEYS = """
from montecarlo import Activation
from montecarlo.processes import WeightProcess
def square(x):
    "The square."
    assert x == x
    return x * x
def halves(m, depth):
    "Half a lag, or what is not among some texts."
    return 0.5 ** m if "a" in {"a", "b", "c", "d"} else m
keys = [Activation("square", square, lambda x: 2.0 * x).fingerprint]
keys += [WeightProcess.from_lags("halves", halves).fingerprint]
"""


@pytest.mark.parametrize("optimize", [0, 2], ids=["plain", "-OO"])
def test_a_key_is_the_same_in_every_process(optimize):
    # Frozen: this process has texts hashed in its own way, and is of one Python of several.
    assert cell(compile(KEYS, "<cell>", "exec", optimize=optimize))["keys"] == [SQUARE_KEY, HALVES_KEY]


GRID = arguments()
SINES = evaluate("sine", "value", math.sin, GRID)


def test_the_grid_is_where_engines_are():
    assert np.isin([0.0, 1.0, -1.0, 2.0**100, -(2.0**100), 2.0**-100, -(2.0**-100)], GRID).all()
    assert np.array_equal(np.sort(GRID), np.sort(-GRID))
    between = np.sort(GRID[np.abs(GRID) <= 10.0])
    assert np.diff(between).max() <= 1 / 16


@given(
    where=st.integers(0, len(GRID) - 1),
    value=st.one_of(st.floats(), st.just("next up")),
    of=st.sampled_from(["value", "derivative"]),
)
@settings(max_examples=1000)
def test_one_other_value_is_another_key(where, value, of):
    odd = math.nextafter(SINES[where], math.inf) if value == "next up" else value

    def bent(x):
        return odd if x == GRID[where] else math.sin(x)

    changed = SINES.copy()
    changed[GRID[where] == GRID] = bent(float(GRID[where]))
    pairs = [(SINES, SINES), (changed, SINES) if of == "value" else (SINES, changed)]
    keys = [key_of_values("sine", *pair, []) for pair in pairs]
    same = np.array_equal(changed, SINES)
    assert (keys[0] == keys[1]) == same


def test_compiled_functions_that_differ_once_do_not_share_rows(tmp_path):
    def bent(odd):
        return Activation("bent", lambda x: odd if x == 0.8125 else 0.5 * x, lambda x: 0.5)

    activations = [bent(odd) for odd in (0.40625, math.nextafter(0.40625, 1.0), math.nan, 0.0)]
    assert len({activation.fingerprint for activation in activations}) == 4
    with running(store=Store.open(tmp_path)):
        for activation in activations:
            rows(activation)
    assert len({a.fingerprint for a in activations} & {str(e) for e in _activations_of(tmp_path)}) == 4


def _step(c):
    return lambda x: 1.0 if x > c else 0.0, lambda x: 0.0


def _shrink(c):
    return lambda x: x if abs(x) > c else 0.0, lambda x: 1.0 if abs(x) > c else 0.0


def _small(c):
    return lambda x: x + (1e-3 if x > c else 0.0), lambda x: 1.0


@pytest.mark.parametrize("of", [_step, _shrink, _small])
def test_jumps_between_arguments_of_the_grid_have_keys_of_their_own(of):
    low, high = (side(GRID[beyond]) for side, beyond in ((max, GRID < 0.505), (min, GRID > 0.505)))
    places = [float(low + part * (high - low)) for part in (0.3, 0.5, 0.51)]  # the grid cannot tell
    made = [Activation("jump", *of(c)) for c in places]
    assert len({activation.fingerprint for activation in made}) == 3
    for activation, c in zip(made, places, strict=True):
        found = jumps("jump", *activation.scalars())
        assert np.abs(found - c).min() <= 1e-12


def test_where_nothing_jumps_no_jump_is_found():
    for value, derivative in (
        (lambda x: max(x - 0.505, 0.0), lambda x: 1.0 if x > 0.505 else 0.0),
        (lambda x: math.sin(300.0 * x), lambda x: 300.0 * math.cos(300.0 * x)),
        (lambda x: math.sqrt(abs(x)), lambda x: math.copysign(0.5, x) / math.sqrt(abs(x))),
        (math.exp, math.exp),
    ):
        assert jumps("smooth", *Activation("smooth", value, derivative).scalars()).size == 0


def _activations_of(folder):
    texts = [file.read_text() for file in folder.rglob("*.json")]
    words = {word for text in texts for word in text.replace('"', " ").replace(",", " ").split()}
    return {word for word in words if "#" in word}


def test_zeros_and_nans_of_any_kind_are_one():
    payload = np.frombuffer(np.uint64(0xFFF8000000000001).tobytes(), np.float64)[0]
    assert key_of_values("f", [-0.0, math.nan]) == key_of_values("f", [0.0, payload])
    assert key_of_values("f", [0.0], []) != key_of_values("f", [], [0.0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda m, d: 0.9**m, lambda m, d: 0.9**m * (1.0 + 2.0**-52)),
        (lambda m, d: 1.0 * (m == 0), lambda m, d: 1.0 * (m == 0) + 1e-9 * (m == 3001)),
        (lambda m, d: 0.999999**m, lambda m, d: np.where(m < 500_000, 0.999999**m, 0.0)),
        (lambda m, d: 0.9**m, lambda m, d: 0.9 ** (m * (1 + (d > 1000)))),
        (lambda m, d: 1.0 * (m == 0), lambda m, d: 1.0 * (np.arange(300) == 0)[m]),  # for 300 layers alone
    ],
    ids=["a bit", "one lag", "far lags", "depth", "range"],
)
def test_lags_that_differ_have_other_keys(first, second):
    keys = {WeightProcess.from_lags("l", lags).fingerprint for lags in (first, second)}
    assert len(keys) == 2


def test_kernels_are_told_apart_close_to_the_diagonal():
    def narrow(width):
        return WeightProcess.from_kernel("k", lambda s, t: np.exp(-np.abs(s - t) / width)).fingerprint

    assert narrow(1e-7) == narrow(1e-7)
    assert len({narrow(1e-7), narrow(2e-7), narrow(1e-3)}) == 3


def test_kernels_that_change_at_other_times_have_other_keys():
    def change(at):
        kernel = lambda s, t: np.where((s < at) == (t < at), 1.0, 0.0)  # noqa: E731
        return WeightProcess.from_kernel("change", kernel).fingerprint

    assert len({change(0.5), change(0.5003), change(0.5006), change(0.501)}) == 4


def test_plain_python_is_frozen_and_keyed_too(monkeypatch):
    monkeypatch.setattr(_activations, "JIT_OFF", True)
    names = cell("def value(x): return C * x * x\ndef derivative(x): return 2.0 * C * x", C=1.0)
    square = linear(names, "square")
    names["C"] = 3.0
    assert square.fingerprint == SQUARE_KEY
    assert [f(3.0) for f in square.compiled()] == [9.0, 6.0]
    assert linear(names, "square").fingerprint != SQUARE_KEY
    exponential = Activation("exp", math.exp, math.exp)  # raises OverflowError in Python alone
    assert exponential.scalars()[0](0.0) == 1.0
    with pytest.raises(InvalidFieldError, match="it raises NameError: name 'nowhere' is not defined"):
        Activation("mine", lambda x: nowhere * x, lambda x: 1.0)  # noqa: F821
