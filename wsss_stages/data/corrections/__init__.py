"""Labels that a person has corrected: their readers, the folder that keeps them, and their way into the index."""
