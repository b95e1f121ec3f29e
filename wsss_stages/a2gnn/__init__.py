"""A²GNN, chapter 3 of the thesis."""
