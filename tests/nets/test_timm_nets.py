"""The maps of timm's models: the last activated one, and signed ones without loss."""

import timm
import torch

from wsss_stages.nets import backbones
from wsss_stages.nets.backbone import parts


def test_an_efficientnet_ends_with_its_last_convolution():
    torch.manual_seed(0)
    backbone = backbones.build("tf_efficientnet_lite0", 16, True).eval()
    net = timm.create_model("tf_efficientnet_lite0", num_classes=0, output_stride=16).eval()
    net.load_state_dict(backbone.network.state_dict())
    image = torch.rand(1, 3, 64, 96)
    *_, last = backbone(backbones.normalise(image))
    torch.testing.assert_close(last, net.forward_features((image - 0.5) / 0.5), atol=1e-4, rtol=1e-3)


def test_the_maps_of_an_efficientnet_without_relu_are_rectified_and_leave_the_network_as_it_is():
    backbone = backbones.build("efficientnet_b0", 16, True).eval()
    image = backbones.normalise(torch.rand(1, 3, 64, 64))
    final = backbone.network.forward_features(image)
    *_, last = backbone(image)
    assert final.min() < 0
    torch.testing.assert_close(last, final.clamp(min=0))


def test_a_signed_map_is_split_without_loss():
    m = torch.tensor([[[[1.0, -2.0]], [[0.0, 3.0]]]])
    split = parts(m)
    assert split.tolist() == [[[[1, 0]], [[0, 3]], [[0, 2]], [[0, 0]]]]
    torch.testing.assert_close(split[:, :2] - split[:, 2:], m)


def test_the_signed_maps_of_a_timm_model_are_split_and_those_of_its_pyramid_kept():
    backbone, pyramid = backbones.build("convnext_atto", 16, True).eval(), backbones.pyramid("convnext_atto", True)
    image = torch.randn(1, 3, 64, 64)
    pyramid.eval().load_state_dict(backbone.state_dict())
    assert backbone.dims == [2 * dim for dim in pyramid.dims[1:]]
    split, signed = backbone(image)[0], pyramid(image)[1]
    torch.testing.assert_close(split[:, : pyramid.dims[1]] - split[:, pyramid.dims[1] :], signed)
