"""The network of DFR on small sizes: the fused map, both heads, what learns, Swin Transformers and their weights."""

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F

from tests.messages import raises
from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import multi_scale
from wsss_stages.nets.upernet import UperNet
from wsss_stages.training import pretrained
from wsss_stages.training.layers import new_parameters

CLASSES, WIDTH, FEATURES = 4, 8, 6
IMAGE = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
SWIN = "swin_tiny_patch4_window7_224"


def made(name="mobilenet_v2", features=FEATURES, blocks=(1, 2, 3, 4), pretrained=True):
    torch.manual_seed(0)
    return DfrNet(backbones.pyramid(name, pretrained), CLASSES, WIDTH, features, blocks)


@pytest.fixture(scope="module")
def swin():
    return made(SWIN)


def maps(sizes=((16, 24), (8, 12), (4, 6), (2, 3))):
    torch.manual_seed(1)
    return [torch.randn(2, 3 + number, *size) for number, size in enumerate(sizes)]


def test_the_fused_map_is_all_blocks_side_by_side_at_the_finest_stride():
    torch.manual_seed(0)
    whole = UperNet([3, 4, 5, 6], WIDTH, (1, 2, 3, 4)).eval()
    fused = whole(maps())
    assert fused.shape == (2, 4 * WIDTH, 16, 24)
    for block in (1, 2, 3, 4):
        one = UperNet([3, 4, 5, 6], WIDTH, (block,)).eval()
        one.load_state_dict(whole.state_dict())
        torch.testing.assert_close(one(maps()), fused[:, (block - 1) * WIDTH : block * WIDTH])


def test_the_coarsest_map_reaches_every_block_and_the_finest_only_the_first():
    torch.manual_seed(0)
    net, inputs = UperNet([3, 4, 5, 6], WIDTH, (1, 2, 3, 4)).eval(), maps()
    before = net(inputs)
    for level, changed in ((3, {0, 1, 2, 3}), (2, {0, 1, 2}), (1, {0, 1}), (0, {0})):
        other = [m + (number == level) for number, m in enumerate(inputs)]
        differs = (net(other) - before).abs().amax(dim=(0, 2, 3)).view(4, WIDTH).amax(dim=1) > 1e-6
        assert set(differs.nonzero()[:, 0].tolist()) == changed


def test_pyramid_pooling_sees_the_means_of_whole_cells():
    torch.manual_seed(0)
    net, inputs = UperNet([3, 4, 5, 6], WIDTH, (4,)).eval(), maps()
    pooled = F.interpolate(net.pools[0](inputs[3]), (2, 3), mode="bilinear", align_corners=False)
    conv, norm, _ = list(net.pools[0])[1:]
    mean = torch.stack([inputs[3][:, :, y, x] for y, x in np.ndindex(2, 3)]).mean(dim=0)
    expected = F.relu(norm(conv(mean[:, :, None, None])))
    torch.testing.assert_close(pooled, expected.expand(-1, -1, 2, 3))
    assert [pool[0].output_size for pool in net.pools] == [1, 2, 3, 6]


@pytest.mark.parametrize("images", [1, 3])
def test_any_batch_takes_a_step(images):
    network = made("tiny", pretrained=False).train()
    sum(m.square().mean() for m in network.both(torch.rand(images, 3, 64, 64))).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_both_heads_are_on_the_fused_map():
    network = made().eval()
    fused = network.fuse(network.backbone(IMAGE))
    logits, features = network.both(IMAGE)
    assert fused.shape == (2, 4 * WIDTH, 16, 24) and logits.shape == (2, CLASSES, 16, 24)
    conv = network.feature[0]
    expected = torch.einsum("fd,bdyx->bfyx", conv.weight[:, :, 0, 0], fused) + conv.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(features, F.relu(expected), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network(IMAGE), logits)
    assert not (network(IMAGE) - logits).abs().max() > 1e-6


def test_widths_of_the_thesis():
    network = DfrNet(backbones.pyramid("tiny", False), 21, 512, 128)
    assert network.feature[0].weight.shape == (128, 2048, 1, 1)
    assert network.classify[0].weight.shape == (512, 2048, 3, 3)


def test_without_the_feature_head_there_is_only_the_other():
    network = made(features=0)
    logits, features = network.both(IMAGE)
    assert features is None and logits.shape[1] == CLASSES
    assert not [name for name in network.state_dict() if name.startswith("feature")]


def test_every_parameter_learns_and_both_heads_teach_the_backbone():
    network = made(pretrained=False).train()
    logits, features = network.both(IMAGE)
    weight = next(network.backbone.parameters())
    for part in (logits, features):
        (gradient,) = torch.autograd.grad(part.square().mean(), weight, retain_graph=True)
        assert gradient.abs().sum() > 0
    (logits.square().mean() + features.square().mean()).backward()
    unused = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert all(n.startswith("backbone.network.features.18") for n in unused), unused  # after the last of four maps
    new, old = ({id(p) for p in ps} for ps in (new_parameters(network), network.backbone.parameters()))
    assert not new & old and new | old == {id(p) for p in network.parameters()}


@pytest.mark.parametrize("size", [(50, 70), (64, 64)])
def test_predicts_as_a_segmenter_at_any_size(swin, size):
    for network in (made("tiny"), swin):
        P = multi_scale(network.eval(), torch.rand(1, 3, *size), [0.75, 1.0], True)
        torch.testing.assert_close(P.sum(dim=0), torch.ones(size))


def test_swin_gives_normed_maps_at_strides_4_to_32_of_any_image(swin):
    backbone = swin.backbone.eval()
    found = backbone(torch.rand(1, 3, 90, 118))
    assert backbone.dims == [96, 192, 384, 768]
    assert [tuple(m.shape[2:]) for m in found] == [(23, 30), (12, 15), (6, 8), (3, 4)]
    for m in found:
        torch.testing.assert_close(m.mean(dim=1), torch.zeros_like(m[:, 0]), atol=1e-4, rtol=0)
        torch.testing.assert_close(m.var(dim=1, unbiased=False), torch.ones_like(m[:, 0]), atol=0.05, rtol=0)


def test_swin_maps_are_timms_but_for_the_norms(swin):
    peer = timm.create_model(SWIN, pretrained=False, num_classes=0, img_size=448).eval()
    missing, unexpected = peer.load_state_dict(swin.backbone.network.state_dict(), strict=False)
    assert missing == ["norm.weight", "norm.bias"] and all(name.startswith("out_norms") for name in unexpected)
    image = torch.rand(1, 3, 448, 448)  # the coarsest map is 2 x 2 windows
    for norm, m, found in zip(
        swin.backbone.network.out_norms,
        peer.forward_intermediates(image, intermediates_only=True),
        swin.eval().backbone(image),
        strict=True,
    ):
        torch.testing.assert_close(norm(m), found, atol=1e-4, rtol=1e-4)


def original(state):
    """A checkpoint as Swin's authors write it: downsampling ends a stage, buffers are kept, the classifier is `head`."""
    names = {"layers.1.downsample": "layers.0.", "layers.2.downsample": "layers.1.", "layers.3.downsample": "layers.2."}
    made = {"layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49)}
    for name, tensor in state.items():
        for ours, theirs in names.items():
            name = name.replace(ours, f"{theirs}downsample")
        made[name.replace("head.fc.", "head.")] = tensor
    return {"model": made}


@pytest.mark.parametrize("form", ["timm", "original"])
def test_checkpoints_of_timm_and_of_the_authors_fill_a_swin(form, tmp_path):
    torch.manual_seed(3)
    state = timm.create_model(SWIN, pretrained=False).state_dict()
    torch.save(original(state) if form == "original" else state, tmp_path / "w.pth")
    backbone = backbones.pyramid(SWIN, True)
    assert pretrained.load(backbone, str(tmp_path / "w.pth")).missing == tuple(f"out_norms.{n}" for n in range(4))
    filled = backbone.network.state_dict()
    for name in ("patch_embed.proj.weight", "layers.2.downsample.reduction.weight", "layers.3.blocks.1.mlp.fc2.bias"):
        assert torch.equal(filled[name], state[name])


def test_weights_of_another_size_of_swin_are_refused(tmp_path):
    other = timm.create_model("swin_small_patch4_window7_224", pretrained=False, embed_dim=48).state_dict()
    torch.save(other, tmp_path / "w.pth")
    with raises(pretrained.WeightsError, f"{tmp_path / 'w.pth'}: ", SWIN, "another backbone"):
        pretrained.load(backbones.pyramid(SWIN, True), str(tmp_path / "w.pth"))


def test_swin_is_no_backbone_of_the_other_stages():
    with raises(ValueError, f"'{SWIN}'", "pyramid", "dfr", "dilate"):
        backbones.build(SWIN, 16, True)
    with raises(ValueError, "'swin_tinny'", "near it: ... swin_"):
        backbones.pyramid("swin_tinny", True)
