"""Files: contracts, whole or absent artifacts, seals, locks, provenance, and what every stage reports while it works."""
