"""Vision Transformers as backbones: strides, places, taps, padding, weights."""

import pytest
import timm
import torch
from timm.layers import resample_abs_pos_embed
from timm.models import model_entrypoint
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from tests.messages import raises
from wsss_stages.config.options import Classifier
from wsss_stages.config.options.transformers import is_transformer
from wsss_stages.nets import backbones, vit
from wsss_stages.nets.classifier import CamClassifier
from wsss_stages.nets.heads import HEADS
from wsss_stages.nets.inputs import normalise, renormalise
from wsss_stages.training import pretrained
from wsss_stages.training.job import Job
from wsss_stages.training.layers import old_and_new, set_learning

MAKE = {
    "three": lambda stride: backbones.build("tiny_vit", stride, True),
    "skips": lambda stride: backbones.skips("tiny_vit", stride, True),
    "pyramid": lambda stride: backbones.pyramid("tiny_vit", True),
}


def small(patch: int, stride: int, maps: int = 3, **more) -> backbones.Backbone:
    shape = {"img_size": 4 * patch, "patch_size": patch, "embed_dim": 12, "depth": 4, "num_heads": 2}
    net = VisionTransformer(**shape | more, num_classes=0, dynamic_img_size=True)
    return vit.backbone_of("small", net, stride, True, maps).eval()


@pytest.mark.parametrize("kind, strides", [("three", [8, 8, 8]), ("skips", [4, 8, 8, 8]), ("pyramid", [4, 8, 16, 32])])
def test_maps_have_the_strides_that_heads_count_in_at_any_size(kind, strides):
    backbone = MAKE[kind](8).eval()
    for size in ((96, 64), (50, 71), (1, 400)):
        maps = backbone(torch.randn(2, 3, *size))
        step = strides[-1]
        padded = [-(-n // step) * step for n in size]
        assert [tuple(m.shape[2:]) for m in maps] == [(padded[0] // s, padded[1] // s) for s in strides]
        assert [m.shape[1] for m in maps] == backbone.dims and all(m.isfinite().all() for m in maps)
    assert [(grid.stride, grid.offset) for grid in backbone.grids] == [(s, (s - 1) / 2) for s in strides]


@pytest.mark.parametrize(
    "depth, blocks", [(12, [3, 6, 9, 12]), (24, [6, 12, 18, 24]), (4, [1, 2, 3, 4]), (3, [1, 2, 3, 3])]
)
def test_taps_are_spread_evenly_and_end_with_the_last_block(depth, blocks):
    assert vit.taps(depth, 4) == [block - 1 for block in blocks] and vit.taps(depth, 3) == [b - 1 for b in blocks[1:]]
    backbone = small(16, 16, depth=depth)
    assert len(backbone(torch.zeros(1, 3, 32, 32))) == 3


def test_at_its_own_stride_the_last_map_is_timms_without_class_token_and_registers():
    backbone = small(16, 16, reg_tokens=2)
    image = torch.randn(2, 3, 48, 80)
    tokens = backbone.network.forward_features(renormalise(image, backbone.mean, backbone.deviation))[:, 3:]
    signed = tokens.view(2, 3, 5, 12).permute(0, 3, 1, 2)
    *_, last = backbone(image)
    torch.testing.assert_close(last[:, :12] - last[:, 12:], signed)
    assert (last >= 0).all() and (last[:, :12] * last[:, 12:] == 0).all()
    *_, of_pyramid = vit.backbone_of("small", backbone.network, 16, True, 4)(image)
    torch.testing.assert_close(of_pyramid, signed)


def test_the_norm_after_the_pooling_is_that_of_every_node():
    backbone = small(16, 16, global_pool="avg", fc_norm=True, class_token=False)
    assert isinstance(backbone.network.norm, nn.Identity)
    image = torch.randn(1, 3, 32, 32)
    tokens = backbone.network.forward_features(renormalise(image, backbone.mean, backbone.deviation))
    *_, last = backbone(image)
    wanted = backbone.network.fc_norm(tokens).view(1, 2, 2, 12).permute(0, 3, 1, 2)
    torch.testing.assert_close(last[:, :12] - last[:, 12:], wanted)


@pytest.mark.parametrize("patch, stride", [(16, 16), (14, 16), (16, 8), (14, 8), (8, 16)])
def test_what_a_node_is_of_is_centred_where_the_node_is_drawn(patch, stride):
    """Attention looks everywhere, so the network is left without it: a node is then a function of its own patch."""
    backbone = small(patch, stride, class_token=False, global_pool="", pos_embed="none")
    for block in backbone.network.blocks:
        nn.init.zeros_(block.attn.proj.weight)
        nn.init.zeros_(block.attn.proj.bias)
    filters = backbone.network.patch_embed.proj.weight
    with torch.no_grad():  # of one value each: no pixel of a patch counts more than another
        filters.copy_(torch.randn(len(filters), 1, 1, 1).expand_as(filters) / patch**2)
    image = torch.rand(1, 3, 12 * stride, 12 * stride, requires_grad=True)
    for m, grid in zip(backbone(image), backbone.grids, strict=True):
        k = 6
        place = grid.stride * k + grid.offset
        (seen,) = torch.autograd.grad(m[0, :, k, k - 1].sum(), image, retain_graph=True)
        for axis, where in ((1, place - grid.stride), (2, place)):
            weight = seen[0].abs().sum(dim=(0, axis))
            centroid = (weight * torch.arange(12 * stride)).sum() / weight.sum()
            assert abs(centroid - where) < 0.1, f"{centroid:.2f}, drawn at {where}"


def test_what_is_right_and_below_of_the_image_is_its_mean_colour():
    backbone = MAKE["three"](16).eval()
    image = torch.randn(1, 3, 40, 40)
    padded = normalise(backbone.mean.expand(1, 3, 48, 48).clone())
    padded[..., :40, :40] = image
    for m, other in zip(backbone(image), backbone(padded), strict=True):
        torch.testing.assert_close(m, other)


def test_transformers_of_timm_have_their_own_mean_and_their_weights_fit_by_name(tmp_path):
    backbone = backbones.build("vit_tiny_patch16_224", 16, pretrained=True)
    assert backbone.inputs.mean == (0.5, 0.5, 0.5) and backbone.dims == [384, 384, 384]
    torch.save(timm.create_model("vit_tiny_patch16_224").state_dict(), tmp_path / "w.pth")
    assert pretrained.load(backbone, str(tmp_path / "w.pth")).missing == ()


def test_positions_of_another_grid_are_resampled_and_patches_of_another_side_refused(tmp_path):
    torch.manual_seed(0)
    larger, same = small(16, 16, img_size=96), small(16, 16)
    torch.save(larger.network.state_dict(), tmp_path / "w.pth")
    assert pretrained.load(same, str(tmp_path / "w.pth")).missing == ()
    wanted = resample_abs_pos_embed(larger.network.pos_embed.detach(), [4, 4], num_prefix_tokens=1)
    torch.testing.assert_close(same.network.pos_embed.detach(), wanted)
    torch.save(small(8, 8).network.state_dict(), tmp_path / "other.pth")
    with raises(pretrained.WeightsError, "other.pth", "patch_embed.proj.weight", "(12, 3, 8, 8) ... (12, 3, 16, 16)"):
        pretrained.load(same, str(tmp_path / "other.pth"))
    torch.save(small(16, 16, embed_dim=24).network.state_dict(), tmp_path / "wide.pth")
    with raises(pretrained.WeightsError, "wide.pth", "small wants"):
        pretrained.load(same, str(tmp_path / "wide.pth"))


def test_a_folder_of_timm_fills_its_own_model_alone(tmp_path):
    backbone = backbones.build("vit_tiny_patch16_224", 16, pretrained=True)
    folder = tmp_path / "model"
    timm.models.save_for_hf(timm.create_model("vit_tiny_patch16_224"), folder, safe_serialization=True)
    origin = pretrained.load(backbone, str(folder))
    assert origin.source == str(folder) and len(origin.sha256) == 64 and origin.missing == ()
    with raises(pretrained.WeightsError, f"{folder}: ", "vit_tiny_patch16_224 ... tiny_vit"):
        pretrained.load(backbones.build("tiny_vit", 16, True), str(folder))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with raises(pretrained.WeightsError, f"{folder}: ", "pytorch_model.bin ... model.safetensors"):
        pretrained.load(backbone, str(folder))
    (folder / "config.json").unlink()
    with raises(pretrained.WeightsError, f"{folder}/config.json: ", "no such file"):
        pretrained.load(backbone, str(folder))


@pytest.mark.parametrize("name", ["convnext_atto", "vit_tiny_patch16_224"])
def test_a_hub_that_refuses_is_quoted_in_one_sentence(name, monkeypatch):
    def refuse(*_, **__):
        raise OSError(
            "403 Client Error. (Request ID: Root=1-2)\n\nCannot access gated repo for url https://hub/x.\nVisit it."
        )

    backbone = backbones.build(name, 16, pretrained=True)
    monkeypatch.setattr(timm, "create_model", refuse)
    with raises(
        pretrained.WeightsError, name, "hub ... says: Cannot access gated repo. Name a file", "hf auth login"
    ) as caught:
        pretrained.load(backbone, "hub")
    assert "Request ID" not in str(caught.value) and "https" not in str(caught.value)


def test_the_names_that_options_take_for_transformers_are_those_of_timms_modules():
    names = [name for name in timm.list_models() if not name.startswith("test_")]
    found = {name for name in names if is_transformer(name)}
    of_modules = {name for name in names if vit.is_transformer(name)}
    others = {model_entrypoint(name).__module__.rpartition(".")[2] for name in found - of_modules}
    assert of_modules <= found and len(of_modules) > 200
    assert others <= {"vision_transformer_hybrid", "vision_transformer_relpos"}  # refused: they take one size


def test_a_frozen_transformer_learns_nothing_and_its_head_does():
    network = CamClassifier(MAKE["three"](16), 2)
    groups = old_and_new(network, Classifier(backbone="tiny_vit", frozen_share=1.0))
    job = Job("s1", network, groups, [0] * 8, str, dict, dict, 3, Classifier(), "")
    for step in range(job.steps):
        set_learning(job, network, step)
        assert network.head.weight.requires_grad and not network.backbone.training
        assert not any(p.requires_grad for p in network.backbone.parameters())
    network(torch.randn(2, 3, 40, 40)).sum().backward()


@pytest.mark.parametrize("stride", [8, 16])
def test_any_head_is_built_on_a_transformer(stride):
    for name, head in HEADS.items():
        network = head(head.body("tiny_vit", stride, True), 3, 16)
        found = [logits for logits, _ in network.graded(torch.randn(2, 3, 70, 64)).values()]
        assert all(logits.shape[:2] == (2, 3) for logits in found), name
        sum(logits.square().sum() for logits in found).backward()
        assert network.backbone.network.pos_embed.grad.abs().sum() > 0, name
