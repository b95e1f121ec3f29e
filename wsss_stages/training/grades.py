"""The best network of a training whose job grades it after every epoch."""

import torch
from torch import nn

from wsss_stages.training.job import Job


def better(best: dict, job: Job, network: nn.Module, epoch: int) -> dict:
    """The best network so far, its epoch and the grades of all; of equals the first."""
    network.eval()
    with torch.no_grad():
        grades = [*best["grades"], job.grade()]
    network.train()
    if best["grades"] and grades[-1] <= max(best["grades"]):
        return best | {"grades": grades}
    state = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    return {"grades": grades, "epoch": epoch, "network": state}
