"""The optimizer, its learning rate over the steps, and the parameters without weight decay."""

from torch import nn, optim

from wsss_stages.config.options import Loop
from wsss_stages.training.job import Job, Layers


def optimizer(job: Job) -> optim.Optimizer:
    """Return SGD or AdamW on the groups of the job, each in two where a part of it is not decayed."""
    opt, groups = job.options, _groups(job)
    if opt.optimizer == "adamw":
        return optim.AdamW(groups, lr=opt.lr, weight_decay=opt.weight_decay)
    return optim.SGD(groups, lr=opt.lr, momentum=opt.momentum, weight_decay=opt.weight_decay)


def set_rates(optimizer: optim.Optimizer, step: int, steps: int, opt: Loop) -> None:
    """Set the learning rates of a step: up in a line over the warm-up, down by the poly rule, both from a group's start; 0 before."""
    for group in optimizer.param_groups:
        done, all_ = step - group["start"], steps - group["start"]
        warm_up = max(1, min(opt.warm_up, all_ // 10))
        share = (1 - done / all_) ** opt.poly_power * min(1.0, (done + 1) / warm_up) if done >= 0 else 0.0
        group["lr"] = group["base"] * share


def ramp(done: float, begins: float, ends: float) -> float:
    """Return the share of a weight that grows in a line between two shares of a training: 0 at first, 1 at the end, and 1 at
    once where both are the same."""
    return float(done >= ends) if ends <= begins else min(1.0, max(0.0, (done - begins) / (ends - begins)))


def without_decay(network: nn.Module) -> list[nn.Parameter]:
    """Return parameters of norms and of positions, which AdamW leaves undecayed where Transformers are trained."""
    norms = (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._BatchNorm)
    found = [p for module in network.modules() if isinstance(module, norms) for p in module.parameters(recurse=False)]
    places = ("relative_position_bias_table", "absolute_pos_embed", "pos_embed")
    return found + [p for name, p in network.named_parameters() if name.rpartition(".")[2] in places]


def _groups(job: Job) -> list[dict]:
    kept = {id(parameter) for parameter in job.undecayed}
    found = []
    for parameters, factor, begins in (Layers(*group) for group in job.groups):
        lr = job.options.lr * factor
        decayed, undecayed = ([p for p in parameters if (id(p) in kept) == whether] for whether in (False, True))
        shared = {"lr": lr, "base": lr, "start": job.step_at(begins)}
        found.append({"params": decayed, **shared})
        found.append({"params": undecayed, **shared, "weight_decay": 0.0})
    return [group for group in found if group["params"]]
