"""`wsss run`: a folder of photographs through the workflow, with one line of progress."""
