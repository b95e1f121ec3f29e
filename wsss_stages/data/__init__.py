"""Importers turn a dataset into the index, the only door to data."""
