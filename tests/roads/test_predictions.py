"""Labels that follow from class probabilities made by hand."""

import numpy as np
import torch

from wsss_stages.roads.predictions import predicted

P = torch.tensor([[0.1, 0.2, 0.6], [0.3, 0.5, 0.1], [0.6, 0.3, 0.3]])[:, None]
"""Three classes at 1 x 3 pixels."""


def test_a_label_is_the_likeliest_of_all_classes_or_of_those_known():
    found = predicted(P, [1], (1, 3))
    assert found["prediction"].tolist() == [[2, 1, 0]] and found["prediction_known"].tolist() == [[1, 1, 0]]
    assert found["prediction"].dtype == found["prediction_known"].dtype == np.uint8


def test_where_no_class_is_known_all_are_possible():
    found = predicted(P, [], (1, 3))
    assert found["prediction_known"].tolist() == [[2, 1, 0]]


def test_labels_are_of_the_full_size():
    found = predicted(P, [2], (4, 6))
    assert {label.shape for label in found.values()} == {(4, 6)}
