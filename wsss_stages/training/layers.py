"""The layers of a network that learn: pretrained and new ones, and in which steps; layers that begin late are frozen
until then.
"""

from torch import nn

from wsss_stages.config.options import Training
from wsss_stages.nets.backbones import Backbone
from wsss_stages.training.job import Job, Layers


def new_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of all but backbones, which no pretrained weights fill."""
    bodies = [part for part in network.modules() if isinstance(part, Backbone)]
    old = {id(parameter) for body in bodies for parameter in body.parameters()}
    return [parameter for parameter in network.parameters() if id(parameter) not in old]


def old_and_new(network: nn.Module, options: Training) -> list[Layers]:
    """Return the layers that weights fill and the new ones, which learn faster.

    Old layers begin late if `frozen_share` is above 0 and they are pretrained. Layers without gradient are left out.
    """
    new = new_parameters(network)
    known = {id(parameter) for parameter in new}
    old = [p for p in network.parameters() if id(p) not in known and p.requires_grad]
    pretrained = any(part.frozen_norm for part in network.modules() if isinstance(part, Backbone))
    return [Layers(old, 1.0, options.frozen_share if pretrained else 0.0), Layers(new, options.head_lr_factor)]


def starts(job: Job) -> set[int]:
    """Return the steps in which layers begin to learn, the first step among them."""
    return {job.step_at(Layers(*group).begins) for group in job.groups}


def set_learning(job: Job, network: nn.Module, step: int) -> None:
    """Freeze the layers that have not begun, and put the network into training mode.

    A part of it whose parameters are all frozen is in eval mode: it draws no dropout and its norms learn nothing.
    """
    for group in (Layers(*given) for given in job.groups):
        for parameter in group.parameters if group.begins else ():
            parameter.requires_grad_(step >= job.step_at(group.begins))
    network.train()
    _rest(network)


def _rest(part: nn.Module) -> None:
    """Put parts without a parameter that learns into eval mode; parts without any parameter follow their owner."""
    for child in part.children():
        learns = [parameter.requires_grad for parameter in child.parameters()]
        if learns and not any(learns):
            child.eval()
        elif any(learns) and not all(learns):
            _rest(child)
