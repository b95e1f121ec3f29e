"""Probabilities at working size become labels at the photograph's."""

import torch
import torch.nn.functional as F

from wsss_stages.labels import enlarge


def test_bands_are_the_whole_enlarged_at_once(monkeypatch):
    P = torch.rand(3, 7, 5, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(enlarge, "NUMBERS", 3 * 13 * 4)  # four rows at a time
    rows, values = enlarge.most_likely(P, 22, 13)
    whole = F.interpolate(P[None], (22, 13), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(values, whole.amax(dim=0))
    torch.testing.assert_close(whole.gather(0, rows[None])[0], values)


def test_at_its_own_size_nothing_is_interpolated():
    P = torch.tensor([[[0.2, 0.7]], [[0.8, 0.3]]])
    rows, values = enlarge.most_likely(P, 1, 2)
    assert rows.tolist() == [[1, 0]]
    torch.testing.assert_close(values, torch.tensor([[0.8, 0.7]]))


def test_probabilities_among_an_images_classes():
    P = torch.tensor([0.2, 0.5, 0.3, 0.0])[:, None, None]
    torch.testing.assert_close(enlarge.among(P, [0, 2]).flatten(), torch.tensor([0.4, 0.6]))
    nothing = enlarge.among(P[[3, 3]], [0, 1])
    torch.testing.assert_close(nothing.flatten(), torch.tensor([0.5, 0.5]))


def test_a_window_is_cut_out_of_the_whole():
    P = torch.rand(7, 5, generator=torch.Generator().manual_seed(0))
    whole = F.interpolate(P[None, None], (22, 13), mode="bilinear", align_corners=False)[0, 0]
    torch.testing.assert_close(enlarge.in_window(P, 22, 13, (2, 5, 13, 22)), whole[5:22, 2:13])
    torch.testing.assert_close(enlarge.in_window(P, 7, 5, (1, 2, 4, 7)), P[2:7, 1:4])
