"""A page in the browser to look at a run's labels, worst first, and to correct them."""
