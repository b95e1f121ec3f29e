"""Shards of a stage, their manifests, and the handling of lost or obsolete artifacts."""
