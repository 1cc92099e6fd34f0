import os
import signal
import threading
import time

import pytest

from sysmon.sampling.sleeper import Sleeper, exit_code


def test_a_signal_ends_a_long_wait_at_once() -> None:
    sleeper = Sleeper(time.monotonic)
    begin = time.monotonic()

    with sleeper.catch_signals({signal.SIGUSR1}):
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        came = sleeper.sleep_until(begin + 60)

    assert (came, sleeper.stopped_by, time.monotonic() - begin < 30) == (False, signal.SIGUSR1, True)


def test_an_ignored_signal_does_not_shorten_a_wait() -> None:
    sleeper = Sleeper(time.monotonic)
    begin = time.monotonic()

    with sleeper.catch_signals(set(), {signal.SIGUSR1}):
        nudge = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
        nudge.start()
        came = sleeper.sleep_until(begin + 0.05)
        nudge.join()  # while it is caught: later it would end the tests

    assert (came, sleeper.stopped_by, time.monotonic() >= begin + 0.05) == (True, None, True)


def test_another_thread_ends_a_long_sleep_for_good() -> None:
    sleeper = Sleeper(time.monotonic)
    begin = time.monotonic()
    threading.Timer(0.02, sleeper.stop).start()

    came = (sleeper.sleep_until(begin + 60), sleeper.sleep_until(begin))
    sleeper.close()
    sleeper.stop()  # whoever comes late does no harm

    assert (came, time.monotonic() - begin < 30) == ((False, False), True)


def test_the_first_signal_counts_and_later_ones_change_nothing() -> None:
    sleeper = Sleeper(time.monotonic)

    with sleeper.catch_signals({signal.SIGUSR1, signal.SIGUSR2}):
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR2)

    assert sleeper.stopped_by is signal.SIGUSR1


def test_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGUSR1)

    with Sleeper(time.monotonic).catch_signals({signal.SIGUSR1}):
        pass

    assert signal.getsignal(signal.SIGUSR1) is before


@pytest.mark.parametrize(
    ("stopped_by", "code"),
    [
        pytest.param(None, 0, id="done"),
        pytest.param(signal.SIGTERM, 0, id="asked to end"),
        pytest.param(signal.SIGINT, 130, id="interrupted"),
        pytest.param(signal.SIGHUP, 129, id="the terminal went away"),
    ],
)
def test_the_exit_code_tells_what_ended_a_run(stopped_by: signal.Signals | None, code: int) -> None:
    assert exit_code(stopped_by) == code
