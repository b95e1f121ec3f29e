"""Importers: folders in the layouts of VOC, COCO and PASCAL Context, and the embedded demo, to the index."""
