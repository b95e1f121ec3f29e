"""Exports of annotation tools: a reader of each gives shapes, one builder makes records of them."""
