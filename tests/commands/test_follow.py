"""Progress of a run from Snakemake's output and the logs of jobs; the lock of a folder; the end in words."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.messages import lacking, raises
from wsss_stages.commands.run import outcome, process, turn
from wsss_stages.commands.run.follow import Failure, Jobs, duration, progress_of

OUTPUT = """\
Building DAG of jobs...
Job stats:
job                count
---------------  -------
s3_masks               2
s7_segment             1
all                    1
total                  4

[Mon Nov 30 22:52:37 2026]
Job 10: Masks from box labels
Shell command: python -m wsss_stages.stages.s3_masks --manifest results/2.json > logs/2.log 2>&1
Job 8: Masks from box labels
Shell command: exec env WSSS_TENSORBOARD=1 python -m wsss_stages.stages.s3_masks --manifest results/1.json > logs/1.log 2>&1
Finished jobid: 8 (Rule: s3_masks)
1 of 4 steps (25%) done
"""
FAILED = """\
Error in rule s3_masks:
    jobid: 10
    log: logs/2.log (check log file(s) for error details)
"""


@pytest.fixture
def jobs(tmp_path):
    (tmp_path / "logs").mkdir()
    made = Jobs(tmp_path, {"s3_masks": 30.0, "s7_segment": 70.0}, started=100.0)
    for line in OUTPUT.splitlines(keepends=True):
        made.read(line)
    return made


def test_jobs_are_counted(jobs, tmp_path):
    assert (jobs.done, jobs.total, jobs.planned["s3_masks"]) == (1, 4, 2)
    assert {number: (job.stage, job.log) for number, job in jobs.at_work.items()} == {
        10: ("s3_masks", tmp_path / "logs/2.log")
    }


def test_the_time_left_follows_from_the_share_that_is_done(jobs, tmp_path):
    assert jobs.share() == pytest.approx(0.15)
    (tmp_path / "logs/2.log").write_text(
        "s3_masks: 1/4, 0.50 a second, 6 s left\ns3_masks: 2/4, 0.50 a second, 4 s left\n"
    )
    share = (30 * (1 + 2 / 4) / 2) / 100
    assert jobs.share() == pytest.approx(share)
    assert jobs.left(now=160.0) == pytest.approx(60 * (1 - share) / share)
    assert jobs.left(now=110.0) is None
    jobs.finished = {}
    (tmp_path / "logs/2.log").write_text("")
    assert jobs.left(now=160.0) is None


def test_the_line_has_jobs_stages_in_words_and_time(jobs, tmp_path):
    (tmp_path / "logs/2.log").write_text("s3_masks: 1/4, 0.50 a second, 6 s left\n")
    jobs.started -= 1e6
    assert not lacking(jobs.line(), "1/4 jobs", "masks of the labels 25 %", "about", "left")
    assert Jobs(tmp_path).line() == "0/? jobs | choosing what to do | time left not known yet"


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("s7_segment: step 30/120, loss 0.5, 9 images a second, 3 min left", 0.25),
        ("s7_segment: resumed at step 30 of 120", 0.0),
        ("loaded 1/2 of it", 0.0),
    ],
)
def test_the_share_of_a_job_is_its_log_s(tmp_path, text, share):
    (tmp_path / "log").write_text(text)
    assert progress_of(tmp_path / "log") == share and progress_of(tmp_path / "none") == 0.0


@pytest.mark.parametrize(("seconds", "text"), [(40.0, "40 s"), (720.0, "12 min"), (7500.0, "2 h 5 min")])
def test_durations_in_words(seconds, text):
    assert duration(seconds) == text


def test_half_a_line_waits_for_its_end(jobs, tmp_path):
    with open(tmp_path / "out", "w+") as file, open(tmp_path / "out") as output:
        file.write("2 of 4 steps")
        file.flush()
        process.take(output, jobs)
        assert jobs.done == 1
        file.write(" (50%) done\n")
        file.flush()
        process.take(output, jobs)
    assert jobs.done == 2


def test_a_failure_shows_the_stage_s_own_words(jobs, tmp_path):
    for line in FAILED.splitlines():
        jobs.read(line)
    log = tmp_path / "logs/2.log"
    log.write_text("s3_masks: 1/4\nerror: 1 finding(s)\n  1. a.xml: found x; wanted y.\n")
    text = outcome.failure(jobs.failures, tmp_path / "all.log")
    assert not jobs.at_work and not lacking(
        text, "masks of the labels (s3_masks)", str(log), "error: 1 finding(s)", "a.xml"
    )
    assert "1/4" not in text
    log.write_text("")
    assert not lacking(outcome.failure(jobs.failures, log), "killed", "--cores 1")
    log.write_text("".join(f"line {n}\n" for n in range(40)))
    assert "line 39" in outcome.failure([], log) and "line 20" not in outcome.failure([], log)
    assert not lacking(outcome.failure([Failure("all")], log), "all", str(log))


def test_a_folder_takes_one_run_at_a_time(tmp_path):
    with turn.turn(tmp_path) as held:
        assert not held.after_a_kill
        with raises(turn.BusyError, str(tmp_path), str(os.getpid())), turn.turn(tmp_path):
            pass
    with turn.turn(tmp_path) as held:
        assert not held.after_a_kill


def test_a_killed_run_is_noticed_and_processes_that_go_on_too(tmp_path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom wsss_stages.commands.run import turn\n"
        "with turn.turn(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    going = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "snakemake"], cwd=tmp_path, stdin=-1, stdout=-1
    )
    going.stdout.readline()
    try:
        with raises(turn.BusyError, "at work", str(going.pid)), turn.turn(tmp_path):
            pass
    finally:
        going.communicate()
    with turn.turn(tmp_path) as held:
        assert held.after_a_kill and not turn.locked(tmp_path)
        (tmp_path / turn.SNAKEMAKES).mkdir(parents=True)
        (tmp_path / turn.SNAKEMAKES / "0.input.lock").touch()
        assert turn.locked(tmp_path)


def test_snakemake_gets_folder_file_and_targets():
    order = process.Order(Path("/w"), Path("/w/wsss.yaml"), Path("/w/log"), "3", ["masks"])
    words = order.command("--unlock")
    assert words[3] == "masks" and words[-1] == "--unlock"
    pairs = itertools.pairwise(words)
    assert {("--directory", "/w"), ("--configfile", "/w/wsss.yaml"), ("--cores", "3")} <= set(pairs)
    assert process.environment()["PATH"].startswith(str(Path(sys.executable).parent))
