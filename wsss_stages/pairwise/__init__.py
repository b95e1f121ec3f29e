"""Everything about pairs of pixels (i, j)."""

import os

# Numba reads its number of threads once, when imported. Snakemake gives every job its share by OMP_NUM_THREADS; threads
# beyond that would wait in a busy loop on the cores of other jobs.
if os.environ.get("OMP_NUM_THREADS", "").isdigit():
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
