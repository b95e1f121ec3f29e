"""Masks and boxes in the formats of annotation tools and trainers, each read again after it is written."""
