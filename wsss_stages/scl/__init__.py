"""SCL: self-guided and cross-guided learning for few-shot segmentation (ch. 5)."""
