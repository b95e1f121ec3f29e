import pytest
import timm
import torch
from torch import nn

from tests.messages import raises
from wsss_stages.nets import backbones
from wsss_stages.nets.dilation import dilate
from wsss_stages.training import pretrained


@pytest.mark.parametrize(
    "name, dims",
    [
        ("tiny", [64, 96, 128]),
        ("mobilenet_v2", [576, 960, 1280]),
        ("resnet18", [128, 256, 512]),
        ("resnet50", [512, 1024, 2048]),
        ("mobilenetv3_small_050", [32, 48, 576]),
        ("res2net50_14w_8s", [512, 1024, 2048]),
    ],
)
@pytest.mark.parametrize("stride", [8, 16])
def test_taps_are_rectified_and_at_the_stride(name, dims, stride):
    backbone = backbones.build(name, stride, pretrained=True).eval()
    maps = backbone(torch.randn(1, 3, 96, 64))
    assert maps[-1].shape[2:] == (96 // stride, 64 // stride)
    assert backbone.dims == dims == [m.shape[1] for m in maps]
    assert all(m.min() >= 0 for m in maps)


@pytest.mark.parametrize(
    "name, dims, strides",
    [
        ("tiny", [32, 64, 96, 128], [4, 8, 16, 16]),
        ("mobilenet_v2", [24, 32, 96, 320], [4, 8, 16, 32]),
        ("resnet18", [64, 128, 256, 512], [4, 8, 16, 32]),
        ("resnet38", [256, 512, 1024, 4096], [4, 8, 8, 8]),
        ("mobilenetv3_small_050", [8, 16, 24, 288], [4, 8, 16, 32]),
        ("res2net50_14w_8s", [256, 512, 1024, 2048], [4, 8, 16, 32]),
    ],
)
def test_a_pyramid_has_four_maps_and_the_same_parameters(name, dims, strides):
    backbone = backbones.pyramid(name, pretrained=True).eval()
    maps = backbone(torch.zeros(1, 3, 64, 96))
    assert [64 // m.shape[2] for m in maps] == strides
    assert backbone.dims == dims == [m.shape[1] for m in maps]
    backbone.load_state_dict(backbones.build(name, 16, pretrained=True).state_dict())


def test_resnet38_has_the_thesis_dimensions():
    backbone = backbones.build("resnet38", 8, pretrained=True).eval()
    assert backbone.dims == [512, 1024, 4096]
    assert [m.shape[2:] for m in backbone(torch.zeros(1, 3, 32, 40))] == [(4, 5)] * 3


def test_dilated_network_agrees_with_the_strided_one_where_both_have_outputs():
    torch.manual_seed(0)
    strided = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)).eval()
    dilated = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)).eval()
    dilated.load_state_dict(strided.state_dict())
    dilate(dilated, 2)
    x = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(dilated(x)[..., ::2, ::2], strided(x))


def test_frozen_batch_norm_stays_in_eval_mode_in_training():
    backbone = backbones.build("mobilenet_v2", 16, pretrained=True).train()
    assert not any(m.training for m in backbone.modules() if isinstance(m, nn.BatchNorm2d))
    assert backbones.build("tiny", 16, pretrained=False).train().network[0][1].training


def test_unknown_backbone_names_what_there_is():
    with raises(ValueError, "'resnet5O' ... tiny, resnet38"):
        backbones.build("resnet5O", 16, pretrained=False)


@pytest.mark.parametrize(
    "name, found",
    [
        ("ghostnet_050", "stride 32 ... 16"),  # timm asserts
        ("pvt_v2_b0", "stride 32 ... 16"),  # timm does not know the argument
        ("beit_base_patch16_224", "any size ... Input height (64)"),
        ("mixer_s32_224", "any size"),  # without features_only
    ],
)
def test_a_timm_model_without_the_stride_is_refused(name, found):
    with raises(ValueError, f"'{name}'", found, "dilate"):
        backbones.build(name, 16, pretrained=False)


def test_a_timm_model_that_cannot_be_dilated_still_has_a_pyramid():
    backbone = backbones.pyramid("ghostnet_050", pretrained=False).eval()
    assert [64 // m.shape[2] for m in backbone(torch.zeros(1, 3, 64, 96))] == [4, 8, 16, 32]


def test_frozen_batch_norm_of_a_timm_model_stays_in_eval_mode_in_training():
    backbone = backbones.build("res2net50_14w_8s", 16, pretrained=True).train()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and not any(m.training for m in norms) and backbone.network.training


def test_weights_round_trip_and_are_refused_with_a_reason(tmp_path):
    backbone = backbones.build("tiny", 16, pretrained=True)
    file = tmp_path / "w.pth"
    torch.save(backbone.network.state_dict(), file)
    other = backbones.build("tiny", 16, pretrained=True)
    origin = pretrained.load(other, str(file))
    assert len(origin.sha256) == 64 and origin.missing == ()
    torch.testing.assert_close(other.network[0][0].weight, backbone.network[0][0].weight)

    file.write_bytes(file.read_bytes()[:1000])
    with raises(pretrained.WeightsError, f"{file}: ", "cut off", "1000 bytes"):
        pretrained.load(other, str(file))
    torch.save({"f": print}, file)
    with raises(pretrained.WeightsError, f"{file}: ", "code", "print"):
        pretrained.load(other, str(file))
    torch.save({"other": torch.zeros(1)}, file)
    with raises(pretrained.WeightsError, f"{file}: ", "tiny", "0.0.weight", "begins with other"):
        pretrained.load(other, str(file))
    torch.save({"0.0.weight": torch.zeros(2)}, file)
    with raises(pretrained.WeightsError, f"{file}: ", "0.0.weight", "(2,) ... tiny ... (16, 3, 3, 3)"):
        pretrained.load(other, str(file))
    torch.save({"0.0.weight": torch.full((16, 3, 3, 3), float("nan"))}, file)
    with raises(pretrained.WeightsError, f"{file}: ", "0.0.weight", "NaN"):
        pretrained.load(other, str(file))
    with raises(pretrained.WeightsError, f"{tmp_path / 'none.pth'}: ", "'package', 'hub' or 'none'"):
        pretrained.load(other, str(tmp_path / "none.pth"))


@pytest.mark.parametrize(
    "make", [lambda name: backbones.build(name, 8, True), lambda name: backbones.pyramid(name, True)]
)
def test_a_timm_checkpoint_fills_its_backbone_at_any_stride(make, tmp_path):
    torch.save(timm.create_model("res2net50_14w_8s").state_dict(), tmp_path / "w.pth")
    assert pretrained.load(make("res2net50_14w_8s"), str(tmp_path / "w.pth")).missing == ()
