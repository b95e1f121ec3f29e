"""Maps in units of their own spread, and what that changes of a training: nothing of its network, all of its coordinates."""

import numpy as np
import pytest
import torch

from wsss_stages.config.options import Scl
from wsss_stages.scl.head import Maps
from wsss_stages.scl.losses import Settings, losses
from wsss_stages.scl.standardise import Standardise

STEPS = 25


def test_every_channel_has_mean_0_and_deviation_1_over_all_nodes():
    images = [torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(n)) * 7 + 40 for n in range(3)]
    images[0][2] = images[1][2] = images[2][2] = 6.0
    standard = Standardise(3)
    assert torch.equal(standard(images[0][None]), images[0][None])
    standard.measure(iter(images))
    made = standard(torch.stack(images))
    for channel in (0, 1):
        values = [made[n, channel, y, x].item() for n in range(3) for y in range(4) for x in range(5)]
        mean = sum(values) / 60
        assert mean == pytest.approx(0, abs=1e-5)
        assert sum((v - mean) ** 2 for v in values) / 60 == pytest.approx(1, abs=1e-4)
    assert made[:, 2].abs().max() < 1e-6


def test_principal_directions_are_those_of_numpys_decomposition():
    """Directions are in units of the channels' deviations, the most variance first; cosines are those of the projections."""
    rng = torch.Generator().manual_seed(0)
    images = [
        torch.einsum("ij,jyx->iyx", torch.randn(6, 6, generator=rng), torch.randn(6, 4, 5, generator=rng))
        for _ in range(3)
    ]
    plain, standard = Standardise(6), Standardise(6, 2)
    plain.measure(iter(images))
    standard.measure(iter(images))
    nodes = np.concatenate([plain(m[None])[0].flatten(1).numpy() for m in images], axis=1)
    columns, _, _ = np.linalg.svd(nodes, full_matrices=False)
    assert standard.outputs == 2 and plain.outputs == 6
    expected = np.abs(columns[:, :2].T @ plain(images[0][None])[0].flatten(1).numpy())
    np.testing.assert_allclose(np.abs(standard(images[0][None])[0].flatten(1).numpy()), expected, atol=1e-4)


def test_all_directions_keep_every_product_and_more_there_are_not():
    images = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    plain, turned = Standardise(4), Standardise(4, 9)
    for standard in (plain, turned):
        standard.measure(images)
    one, other = (torch.einsum("bcyx,bcvu->byxvu", m, m) for m in (plain(images), turned(images)))
    assert turned.outputs == 4
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def trained(small, name, make=lambda middle: middle, standardise=True):
    """A network after a few steps, and what it takes for a support."""
    network = small.network(name).train()
    query, support = (Maps(make(images.middle), images.deep) for images in (small.maps(), small.maps(seed=1)))
    if standardise:
        network.head.standard.measure([*query.middle, *support.middle])
        query, support = network.prepared(query), network.prepared(support)
    optimizer = torch.optim.AdamW(network.head.parameters(), 2e-3)
    masks = small.masks().to(torch.uint8), small.masks(seed=1).to(torch.uint8)
    torch.manual_seed(0)
    for _ in range(STEPS):
        optimizer.zero_grad()
        sum(losses(network, query, masks[0], support, masks[1], Scl().fill(Settings)).values()).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        return network.head.embed_support(support.middle), network(query, support, small.masks(seed=1)).logits


def test_a_training_does_not_depend_on_the_scale_and_the_mean_of_the_maps_channels(small, name):
    rng = torch.Generator().manual_seed(3)
    scale, shift = (torch.rand(small.inputs, 1, 1, generator=rng) * size for size in (3, 20))
    for one, other in zip(trained(small, name), trained(small, name, lambda m: m * (scale + 0.5) + shift), strict=True):
        assert torch.allclose(one, other, atol=0.02 * one.abs().max())


def test_features_stay_alive_where_those_of_maps_with_a_large_mean_die(small, name):
    def far(middle):
        return 0.2 * middle + 4

    alive, dead = (
        (trained(small, name, far, standardise)[0].amax(dim=(0, 2, 3)) <= 0).float().mean()
        for standardise in (True, False)
    )
    assert alive < 0.2 and dead > 0.5
