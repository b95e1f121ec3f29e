"""Episodes of few-shot segmentation, their squares, and a user's own supports."""
