"""A SLURM of one node, up while its tests run."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
SCRIPT = Path(__file__).with_name("cluster.sh")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Run a command of SLURM's; its output. Not kept up until a process ends, for another may wait for its turn."""
    if not os.environ.get("WSSS_SLURM_TESTS"):
        pytest.skip("starts a SLURM of its own, as root: WSSS_SLURM_TESTS=1 makes it run (.ci/run does)")
    path = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    if missing := [name for name in NEEDED if not shutil.which(name, path=path)]:
        pytest.skip(f"no {', '.join(missing)}: apt-get install munge slurmctld slurmd slurm-client")
    if os.geteuid() != 0:
        pytest.skip("only root starts a SLURM")
    with open(Path(tempfile.gettempdir()) / "wsss_slurm_tests.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from cluster(tmp_path_factory.mktemp("slurm"))


def cluster(folder: Path):
    """Bring a cluster up in a folder and take it down."""
    if os.path.lexists("/etc/slurm/slurm.conf"):
        pytest.skip("/etc/slurm/slurm.conf: this machine has a SLURM already")
    folder.parent.chmod(0o755)
    folder.parent.parent.chmod(0o755)
    up = subprocess.run([SCRIPT, "up", folder], capture_output=True, text=True, timeout=120)
    if up.returncode:
        subprocess.run([SCRIPT, "down", folder], check=True, timeout=60)
        pytest.skip(f"SLURM does not come up on this machine: {up.stdout[-500:]}{up.stderr[-500:]}")

    def run(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    yield run
    subprocess.run([SCRIPT, "down", folder], check=True, timeout=60)
