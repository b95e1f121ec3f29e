"""CAM and SEAM classifiers, CAMs over scales: equations in loops and invariances."""

import pytest
import torch

from wsss_stages.labels.cam import multi_scale
from wsss_stages.nets import backbones, seam
from wsss_stages.nets.classifier import CamClassifier, SeamClassifier, correlate, mean_inside, winners


def tiny(stride=16):
    torch.manual_seed(0)
    return backbones.build("tiny", stride, False)


def test_mean_activation_is_the_logit_of_the_pooled_features():
    network = CamClassifier(tiny(), 3).eval()
    image = torch.rand(2, 3, 64, 48)
    pooled = network.backbone(image)[-1].mean(dim=(2, 3))
    torch.testing.assert_close(network(image).mean(dim=(2, 3)), pooled @ network.head.weight[:, :, 0, 0].T)
    assert (network.cam(image) >= 0).all()


def test_pcm_is_a_mean_weighted_by_rectified_cosines():
    f = torch.nn.functional.normalize(torch.randn(1, 4, 6), dim=1)
    cam = torch.rand(1, 2, 2, 3)
    found, flat = correlate(f, cam), cam.flatten(2)[0]
    for j in range(6):
        weights = [max(0.0, float(f[0, :, i] @ f[0, :, j])) for i in range(6)]
        expected = sum(w * flat[:, i] for i, w in enumerate(weights)) / (sum(weights) + 1e-5)
        torch.testing.assert_close(found[0, :, j], expected)


def test_winners_keep_one_foreground_class_a_node():
    found = winners(torch.randn(1, 4, 5, 5))
    assert ((found[:, 1:] > 0).sum(dim=1) <= 1).all()
    torch.testing.assert_close(found[:, 0], 1 - found[:, 1:].amax(dim=1))


def test_seam_losses_are_finite_and_equivariance_is_zero_for_equal_maps():
    network = SeamClassifier(tiny(), 3)
    losses = seam.seam_losses(
        network,
        torch.rand(2, 3, 64, 64),
        torch.ones(2, 64, 64, dtype=torch.bool),
        torch.tensor([[1.0, 0, 1], [0, 1.0, 0]]),
        0.5,
    )
    assert set(losses) == {"classification", "er", "ecr"}
    total = sum(losses.values())
    total.backward()
    assert total.isfinite() and network.embed.weight.grad.abs().sum() > 0


def test_hardest_is_the_mean_of_the_largest_differences():
    cam = torch.zeros(1, 2, 1, 5)
    refined = torch.tensor([[[[0.1, 0.2, 0.3, 0.4, 0.5]], [[0.6, 0.7, 0.8, 0.9, 1.0]]]])
    assert seam.hardest(cam, refined).item() == pytest.approx(0.95)


def test_cam_of_the_mirrored_image_is_the_mirrored_cam():
    network = CamClassifier(tiny(), 3).eval()
    image, classes = torch.rand(1, 3, 48, 64), torch.tensor([1, 3])
    straight = multi_scale(network.cam, image, [classes], [1.0, 1.5], True, 16)[0]
    mirrored = multi_scale(network.cam, image.flip(3), [classes], [1.0, 1.5], True, 16)[0]
    torch.testing.assert_close(mirrored, straight.flip(2), atol=1e-5, rtol=1e-4)
    assert straight.shape == (2, 3, 4)
    assert all(top == pytest.approx(1) or top == 0 for top in straight.amax(dim=(1, 2)).tolist())


def test_cams_of_a_batch_are_those_of_its_images():
    network = CamClassifier(tiny(), 3).eval()
    images, classes = torch.rand(3, 3, 48, 64), [torch.tensor(k, dtype=torch.long) for k in ([1, 3], [], [2])]
    together = multi_scale(network.cam, images, classes, [0.5, 1.0], True, 16)
    for found, image, present in zip(together, images, classes, strict=True):
        (alone,) = multi_scale(network.cam, image[None], [present], [0.5, 1.0], True, 16)
        assert found.shape == (len(present), 3, 4)
        torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)


def test_cam_without_classes_is_empty():
    network = CamClassifier(tiny(), 3).eval()
    found = multi_scale(network.cam, torch.rand(1, 3, 32, 32), [torch.zeros(0, dtype=torch.long)], [1.0], False, 16)[0]
    assert found.shape == (0, 2, 2)


@pytest.mark.parametrize("kind, first", [(CamClassifier, 0), (SeamClassifier, 1)])
def test_logits_of_tags_are_mean_activations_of_the_classes(kind, first):
    network, image = kind(tiny(), 4).eval(), torch.rand(2, 3, 64, 64)
    found = network(image)
    raw = found[0] if first else found
    valid = torch.ones(2, 64, 64, dtype=torch.bool)
    valid[1, :, 32:] = False  # the right half of the second is padding
    seen = [raw[0], raw[1][..., : raw.shape[3] // 2]]
    expected = [[seen[n][first + c].mean().item() for c in range(4)] for n in range(2)]
    torch.testing.assert_close(network.tags(image, valid), torch.tensor(expected))


def test_a_mean_inside_leaves_padded_nodes_out():
    P, valid = torch.rand(2, 3, 4, 6), torch.zeros(2, 8, 12, dtype=torch.bool)
    valid[0, :4], valid[1, 2:6, 4:] = True, True
    found = mean_inside(P, valid)
    torch.testing.assert_close(found[0], P[0, :, :2].mean(dim=(1, 2)))
    torch.testing.assert_close(found[1], P[1, :, 1:3, 2:].mean(dim=(1, 2)))
