"""SIGTERM is noted, however often it comes, and afterwards all is as before."""

import os
import signal
import threading

import pytest

from wsss_stages.store import stopping


def test_sigterm_is_noted_though_it_comes_twice_and_the_handler_from_before_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.watched() as watch:
        assert not watch.asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.asked
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_beside_the_main_thread_nothing_is_caught():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with stopping.watched() as watch:
            seen.append((watch.asked, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]


def test_leaving_prints_what_is_left_and_ends_as_a_shell_does_after_sigterm(capsys):
    with pytest.raises(SystemExit) as left:
        stopping.leave("s1_classifier: stopped")
    assert left.value.code == 143 and capsys.readouterr().err == "s1_classifier: stopped\n"
