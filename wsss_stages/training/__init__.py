"""Training a network: the loop, its schedule, checkpoints with exact resume, several processes, weights, learning curve."""

from wsss_stages.provenance import read_provenance
from wsss_stages.training.job import Job, TrainingError
from wsss_stages.training.loop import fit
from wsss_stages.training.processes import leads
from wsss_stages.training.schedule import without_decay
from wsss_stages.training.weights import load_weights, save_weights

__all__ = [
    "Job", "TrainingError", "fit", "leads", "load_weights", "read_provenance", "save_weights", "without_decay",
]  # fmt: skip
