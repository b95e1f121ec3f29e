"""Heads of segmenters by the names of the option `segment.head`; every module of this folder registers its own."""

from wsss_stages.nets.registry import Registry
from wsss_stages.nets.segmenter import Segmenter

HEADS: Registry[type[Segmenter]] = Registry(__name__)
head = HEADS.register
