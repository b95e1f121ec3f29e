"""The index, the only door to data: images with their weak labels and their truth."""
