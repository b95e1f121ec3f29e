"""Maps in half precision."""

import torch

from wsss_stages.roads.frozen_features import halved


def test_channels_come_last_and_large_numbers_stay_finite():
    found = halved(torch.tensor([[[1.0, 2.0, 3.0]], [[1e6, -4.0, 0.1]]]))
    assert found.shape == (1, 3, 2) and found.dtype == "float16"
    assert found[0, :, 0].tolist() == [1, 2, 3] and found[0, 0, 1] == 65504
    assert abs(found[0, 2, 1] - 0.1) < 1e-4
