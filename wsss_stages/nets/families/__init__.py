"""Families of backbones by name; every module of this folder registers its own. Other names are timm's (nets.timm_nets)."""

from collections.abc import Callable

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.registry import Registry

Builder = Callable[[str, int, bool, int], Backbone]
"""Name, output stride, whether weights will be loaded, and number of maps, 3 or 4, the last ones, to a backbone."""
FAMILIES: Registry[Builder] = Registry(__name__)
family = FAMILIES.register
