"""Backbones by name, segmentation heads and their weights."""
