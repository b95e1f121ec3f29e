"""Label maps in MATLAB's files, as SBD and PASCAL Context publish them."""

from pathlib import Path

import numpy as np

from wsss_stages.data.findings import DefectError

MAX_MAT = 64 << 20
"""Bytes of one image's file; those of SBD and PASCAL Context are under a megabyte."""
REMEDY = "Copy the file again from its archive."


def read_map(path: Path, *keys: str) -> np.ndarray:
    """Return the (h, w) whole numbers of a variable, or of a field of a struct: read_map(path, "GTcls", "Segmentation").

    Raises: DefectError for a file that is cut off or damaged, or has no such variable.
    """
    from scipy.io import loadmat

    wanted = f"a whole MATLAB file with {'.'.join(keys)}"
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_MAT:
            raise DefectError(f"a file of {size} bytes", wanted, REMEDY)
        found = loadmat(path, variable_names=keys[:1])
    except DefectError:
        raise
    except Exception as error:  # what scipy raises depends on where the file is cut
        raise DefectError(f"no whole MATLAB file ({type(error).__name__}: {error})", wanted, REMEDY) from error
    if keys[0] not in found:
        raise DefectError(f"no variable {keys[0]}", wanted, REMEDY)
    values = found[keys[0]]
    for key in keys[1:]:
        if values.dtype.names is None or key not in values.dtype.names or values.size != 1:
            raise DefectError(f"no field {key} in {keys[0]}", wanted, REMEDY)
        values = values[key].item()
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind not in "uif":
        raise DefectError(f"{'.'.join(keys)} that is no map of numbers", wanted, REMEDY)
    whole = values.astype(np.int64)
    if (whole != values).any() or whole.min(initial=0) < 0:
        raise DefectError(f"{'.'.join(keys)} with fractions or negative numbers", wanted, REMEDY)
    return whole
