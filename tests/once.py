"""Files that one process of a test run makes for all of them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def once(base: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that one process of a test run makes and all of them read; who changes it works on a copy.

    `base`: the process's own folder of temporary files (getbasetemp); those of pytest-xdist's processes lie side by side.
    """
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    whole, lock = (folder.with_name(f"{folder.name}.{end}") for end in ("whole", "lock"))
    with FileLock(lock):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # where it failed in another process
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder
