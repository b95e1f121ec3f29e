"""Files: contracts, whole or absent artifacts, seals, locks, provenance, and progress reports."""
