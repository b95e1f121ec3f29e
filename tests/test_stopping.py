"""SIGTERM is noted once, a second one ends the process, and afterwards all is as before."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from wsss_stages import stopping


def test_the_first_sigterm_is_noted_and_the_handler_from_before_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.watched() as watch:
        assert not watch.asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.asked and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_sigterm_ends_the_process():
    code = "import os\nfrom wsss_stages import stopping\nwith stopping.watched():\n" + 2 * " os.kill(os.getpid(), 15)\n"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGTERM


def test_beside_the_main_thread_nothing_is_caught():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with stopping.watched() as watch:
            seen.append((watch.asked, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]


def test_leaving_tells_what_is_left_and_ends_as_a_shell_tells_of_sigterm(capsys):
    with pytest.raises(SystemExit) as left:
        stopping.leave("s1_classifier: stopped")
    assert left.value.code == 143 and capsys.readouterr().err == "s1_classifier: stopped\n"
