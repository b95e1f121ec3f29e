"""Shards of a stage, their manifests, and what becomes of artifacts that are lost or no longer wanted."""
