"""Training a network: the loop, its schedule, checkpoints with exact resume, several processes, weights, learning curve, grades."""

from wsss_stages.store.provenance import read_provenance
from wsss_stages.training.held_out import hold_out
from wsss_stages.training.job import Job, Layers, TrainingError
from wsss_stages.training.layers import old_and_new
from wsss_stages.training.loop import fit
from wsss_stages.training.processes import is_leader
from wsss_stages.training.repeats import repeat_factors
from wsss_stages.training.schedule import ramp, without_decay
from wsss_stages.training.weights import load_weights, save_weights

__all__ = [
    "Job", "Layers", "TrainingError", "fit", "hold_out", "is_leader", "load_weights", "old_and_new", "ramp", "read_provenance", "repeat_factors", "save_weights",
    "without_decay",
]  # fmt: skip
