"""Worker processes die, are interrupted, outlive nobody, and share what is left."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import worker_functions as functions

from montecarlo import InvalidFieldError
from montecarlo.executors import ExecutorError, ProcessExecutor, _processes

TESTS = Path(functions.__file__).parent

LONG_RUN = """
    import worker_functions as functions
    from montecarlo.executors import executor_from

    if __name__ == "__main__":
        for number, _ in executor_from({}).run(functions.stall_after_ten, iter(range(10**9))):
            if number == 10:
                print("running", flush=True)
"""


@pytest.fixture
def script(tmp_path):
    """Start a script in a process group of its own, with the helpers of the tests."""
    started = []

    def start(text):
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(text))
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _workers_of(process):
    time.sleep(0.2)  # all in the middle of an item
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    return workers


def test_items_of_a_dead_worker_run_again(processes, tmp_path):
    items = [(number, str(tmp_path), number % 5 == 2) for number in range(10)]
    answers = list(processes.run(functions.die_once, iter(items)))
    assert sorted(result for _, result in answers) == [number**2 for number in range(10)]
    assert len(list(tmp_path.iterdir())) == 2


def test_workers_killed_from_outside_are_replaced(processes):
    before = {result for _, result in processes.run(functions.identity_of_worker, iter(range(8)))}
    run = processes.run(functions.identity_of_worker, iter(range(30)))
    answers = [next(run)]
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    answers += run
    assert sorted(item for item, _ in answers) == list(range(30))
    after = {result for _, result in processes.run(functions.identity_of_worker, iter(range(8)))}
    assert len(after) == 2
    assert not before & after


def test_an_item_that_keeps_killing_workers_is_given_up_alone(processes):
    answered = []
    run = processes.run(functions.die_always, iter(["a", "killer", *"bcdefgh"]))
    with pytest.raises(ExecutorError, match=r"item 'killer' ended its worker process 3 times \(SIGKILL\)"):
        answered.extend(item for item, _ in run)
    assert {"a", "b"} <= set(answered)
    assert list(processes.run(functions.square, iter([3]))) == [(3, 9)]


def test_idle_workers_take_over_what_others_have_not_begun(processes, tmp_path):
    list(processes.run(functions.identity_of_worker, iter(range(4))))  # both have started
    # Item 0 waits for item 2, which lies behind it in the hand of the same worker.
    items = [(number, 2, str(tmp_path)) for number in range(3)]
    answers = {item[0]: result for item, result in processes.run(functions.wait_for_the_last, iter(items))}
    assert answers[0]


def test_no_more_workers_than_items():
    before = set(psutil.Process().children())
    with ProcessExecutor(8) as executor:
        assert executor.workers == 8
        list(executor.run(functions.square, iter(range(2))))
        assert len(set(psutil.Process().children()) - before) == 2


def test_a_system_that_starts_no_process_is_said_in_a_line(monkeypatch):
    def refuse():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with ProcessExecutor(2) as executor:
        monkeypatch.setattr(_processes, "_start_worker", refuse)
        with pytest.raises(ExecutorError, match=r"cannot start \(.*\); take fewer processes"):
            list(executor.run(functions.square, iter([1, 2])))
        monkeypatch.undo()
        assert list(executor.run(functions.square, iter([3]))) == [(3, 9)]


def test_closing_ends_the_workers():
    executor = ProcessExecutor(2)
    pids = {result for _, result in executor.run(functions.identity_of_worker, iter(range(6)))}
    assert all(map(psutil.pid_exists, pids))
    executor.close()
    assert not any(map(psutil.pid_exists, pids))
    executor.close()
    with pytest.raises(ExecutorError, match="the executor is closed"):
        list(executor.run(functions.square, iter([4])))


def test_closing_during_a_run_ends_it_with_a_word():
    executor = ProcessExecutor(2)
    run = executor.run(functions.slow_square, iter(range(100)))
    next(run)
    executor.close()
    with pytest.raises(ExecutorError, match="the executor is closed"):
        list(run)


@pytest.mark.parametrize("kind", ["processes=2", "dask='local:2'"])
def test_ctrl_c_is_prompt_and_leaves_one_traceback_and_no_orphans(script, kind):
    process = script(LONG_RUN.format(kind))
    assert process.stdout.readline() == "running\n"
    workers = _workers_of(process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert error.count("Traceback") == 1
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert not _alive(workers)


def test_workers_end_with_a_parent_that_is_killed(script):
    process = script(LONG_RUN.format("processes=2"))  # Dask's nannies see to it for the other
    assert process.stdout.readline() == "running\n"
    workers = _workers_of(process)
    process.kill()
    process.wait()
    assert not _alive(workers)


def _alive(workers):
    """Return those that still run after a while."""
    for _ in range(200):
        workers = [worker for worker in workers if _runs(worker)]
        if not workers:
            break
        time.sleep(0.05)
    return workers


def _runs(worker):
    try:
        return worker.status() != psutil.STATUS_ZOMBIE  # which nobody has waited for yet
    except psutil.NoSuchProcess:
        return False


def test_a_script_without_guard_is_told_so(script):
    process = script("""
        from montecarlo.executors import ProcessExecutor

        list(ProcessExecutor(1).run(abs, iter([1])))
    """)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    last = error.rstrip().splitlines()[-1]
    assert "ExecutorError: a worker process ended as it started (exit code 1)" in last
    assert "if __name__ == '__main__'" in last


@pytest.mark.parametrize("processes", [0, -1, 1.5, True, "2", 5000])
def test_bad_numbers_of_processes(processes):
    with pytest.raises(InvalidFieldError, match="processes="):
        ProcessExecutor(processes)
