"""kill -9 in the middle of a stage, the same command again: the same bytes as without."""

import os
import signal
import subprocess
import sys
import time

import pytest

FIRST_FILES = {"s3_seeds": "seeds/*.png", "s6_propagate": "confidence/*.png"}


@pytest.mark.parametrize("stage", FIRST_FILES)
def test_a_killed_stage_ends_with_the_same_bytes(toy, stage, tmp_path):
    command = [sys.executable, "-m", f"wsss_stages.stages.{stage}", *toy.argv(stage, tmp_path)]
    manifest = toy.manifest(stage, root=tmp_path)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(manifest.parent.glob(FIRST_FILES[stage])) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
    made = len(list(manifest.parent.glob(FIRST_FILES[stage])))
    assert 0 < made < 8 and not manifest.exists()

    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    whole = toy.manifest(stage)
    expected = {p.relative_to(whole.parent): p.read_bytes() for p in whole.parent.rglob("*.*")}
    found = {p.relative_to(manifest.parent): p.read_bytes() for p in manifest.parent.rglob("*.*")}
    leftovers = [p for p in found if p.name.endswith(".partial")]
    assert {p: b for p, b in found.items() if p not in leftovers} == expected
