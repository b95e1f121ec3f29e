"""CAMs by words: CLIP's own forward as the oracle, Grad-CAM by loops, and the refinement by attention."""

import json
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.messages import raises
from tests.once import once
from tests.tiny_clip import tiny_clip
from wsss_stages.data.names import words_of
from wsss_stages.labels.attention_affinity import boxed, refined, transitions
from wsss_stages.nets import clip_cam
from wsss_stages.nets.inputs import normalise
from wsss_stages.store import model_folders
from wsss_stages.store.packages import WeightsError
from wsss_stages.training import clip_model

CLASSES = ["background", "cat", "pottedplant", "sky"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return once(tmp_path_factory.getbasetemp(), "tiny_clip", tiny_clip)


@pytest.fixture(scope="module")
def clip(folder):
    return clip_model.build_clip(str(folder), CLASSES)[0]


@pytest.fixture
def seen(clip):
    return clip_cam.before_last(clip.model.vision_model, torch.randn(1, 3, 48, 80))


def last_input(clip, tokens):
    return clip.model.vision_model.encoder.layers[-1].layer_norm1(tokens)


def test_words_have_blanks_and_background_words_are_no_classes(clip):
    assert [words_of(name) for name in ("traffic_light", "hot-dog", "tvmonitor", "_")] == [
        "traffic light",
        "hot dog",
        "tv monitor",
        "",
    ]
    assert len(clip.words) == 3 and len(clip.background) == len(clip_cam.BACKGROUND) - 1  # 'sky' is a class
    torch.testing.assert_close(clip.words.norm(dim=1), torch.ones(3))


def test_embeddings_of_words_are_clips_own_whatever_stands_beside_them(clip, folder):
    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(["a clean origami potted plant."], return_tensors="pt")
    wanted = clip.model.get_text_features(**tokens).pooler_output
    torch.testing.assert_close(clip.words[1:2], F.normalize(wanted, dim=1))


def test_probabilities_of_words_are_those_of_clips_own_forward(clip, seen):
    torch.manual_seed(0)
    image = torch.randn(1, 3, 48, 80)
    tokens = clip_cam.before_last(clip.model.vision_model, image).tokens
    text = torch.cat([clip.words, clip.background])
    found = clip_cam.probabilities(clip.model, tokens[:, :1], last_input(clip, tokens), text)
    features = clip.model.get_image_features(pixel_values=image, interpolate_pos_encoding=True).pooler_output
    logits = clip.model.logit_scale.exp() * F.normalize(features, dim=1) @ text.T
    torch.testing.assert_close(found, logits.softmax(dim=1))


def test_grad_cam_is_the_mean_gradient_times_the_input_summed_over_channels(clip, seen):
    text = torch.cat([clip.words[:2], clip.background])
    found, attention = clip_cam.grad_cam(clip.model, seen.tokens, text, 2)
    A = last_input(clip, seen.tokens).detach()
    for c in range(2):
        given = A.clone().requires_grad_()
        P = clip_cam.probabilities(clip.model, seen.tokens[:, :1], given, text)[0, c]
        (gradient,) = torch.autograd.grad(P, given)
        patches, d = A.shape[1] - 1, A.shape[2]
        w = [sum(gradient[0, 1 + i, k] for i in range(patches)) / patches for k in range(d)]
        wanted = [max(0.0, float(sum(w[k] * A[0, 1 + i, k] for k in range(d)))) for i in range(patches)]
        torch.testing.assert_close(found[c], torch.tensor(wanted), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(len(attention)))


def eq_of_clip_es(cam, attention):
    """A² (B ⊙ M) by loops over nodes."""
    n = len(attention)
    D = [[float(v) for v in row] for row in attention]
    for _ in range(3):
        columns = [sum(D[i][j] for i in range(n)) for j in range(n)]
        D = [[D[i][j] / columns[j] for j in range(n)] for i in range(n)]
        D = [[v / sum(row) for v in row] for row in D]
    A = [[(D[i][j] + D[j][i]) / 2 for j in range(n)] for i in range(n)]
    flat, inside = cam.flatten().tolist(), boxed(cam.numpy()).flatten()
    once_ = [sum(A[i][j] * flat[j] * inside[j] for j in range(n)) for i in range(n)]
    return [sum(A[i][j] * once_[j] for j in range(n)) for i in range(n)]


def test_the_refinement_is_two_steps_of_symmetric_attention_from_within_the_boxes():
    torch.manual_seed(0)
    cams, attention = torch.rand(2, 3, 4) ** 3, (9 * torch.rand(12, 12)).softmax(dim=1)
    found = refined(cams, attention)
    for cam, other in zip(cams, found, strict=True):
        assert other.flatten().tolist() == pytest.approx(eq_of_clip_es(cam, attention), rel=1e-4)
    torch.testing.assert_close(transitions(attention), transitions(attention).T)


def test_boxes_lie_around_each_region_of_a_cam_and_nowhere_else():
    cam = np.float32([[1, 0, 0, 0, 0], [0, 0.5, 0, 0, 0], [0, 0, 0, 0.39, 0], [0, 0, 0, 0, 0.4]])
    wanted = np.zeros((4, 5), bool)
    wanted[:2, :2] = wanted[3, 4] = True  # corners touch; 0.39 is too weak
    assert (boxed(cam) == wanted).all() and not boxed(np.zeros((2, 3), np.float32)).any()


@pytest.mark.parametrize("size", [(70, 90), (32, 4000), (16, 16)])
def test_maps_of_an_image_of_any_size_are_finite_and_one_for_each_class(clip, size):
    images = normalise(torch.rand(2, 3, *size))
    found = clip(images, torch.tensor([3, 1]))
    rows, columns = clip_cam.nodes_of(*size, 16)
    assert found.shape == (2, 2, rows, columns) and found.isfinite().all() and (found >= 0).all()
    torch.testing.assert_close(clip(images[1:], torch.tensor([1])).shape, torch.Size([1, 1, rows, columns]))


def test_a_class_has_another_map_beside_another_class(clip):
    images = normalise(torch.rand(1, 3, 64, 64))
    alone, beside = clip(images, torch.tensor([1]))[0, 0], clip(images, torch.tensor([1, 2]))[0]
    assert not torch.allclose(alone, beside[0]) and not torch.allclose(beside[0], beside[1])


@pytest.mark.parametrize("size", [(480, 640), (4000, 32), (9000, 9000), (16, 1_000_000)])
def test_an_image_has_no_more_nodes_than_memory_is_meant_for(size):
    rows, columns = clip_cam.nodes_of(*size, 16)
    assert 0 < rows * columns <= clip_cam.MOST_NODES
    if size[0] * size[1] <= 256 * clip_cam.MOST_NODES / 2:
        assert (rows, columns) == (-(-size[0] // 16), -(-size[1] // 16))


@pytest.mark.parametrize("name, words", [("_", ("'_'", "no words")), ("a" * 99, ("aaa", "tokens ... 77"))])
def test_a_class_without_words_or_with_too_many_is_named(folder, name, words):
    with raises(ValueError, *words, "classes.txt"):
        clip_model.build_clip(str(folder), ["background", "cat", name])


def test_folders_that_are_no_clip_are_refused_with_a_reason(folder, tmp_path):
    def copied(name):
        return shutil.copytree(folder, tmp_path / name)

    other = copied("other")
    (other / "config.json").write_text('{"model_type": "sam2"}')
    with raises(WeightsError, f"{other}: ", "'sam2' ... 'clip'"):
        clip_model.load(other)
    (other / "config.json").write_text("<html>")
    with raises(WeightsError, f"{other}/config.json: ", "no JSON"):
        clip_model.load(other)
    pickle = copied("pickle")
    (pickle / "model.safetensors").rename(pickle / "pytorch_model.bin")
    with raises(WeightsError, f"{pickle}: ", "pytorch_model.bin ... model.safetensors"):
        clip_model.load(pickle)
    cut = copied("cut")
    whole = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with raises(WeightsError, "model.safetensors", "cut off"):
        clip_model.load(cut)
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in state.items() if "layers.1" not in k}, cut / "model.safetensors", {"format": "pt"})
    with raises(WeightsError, f"{cut}: ", "32 tensors", "are not in model.safetensors", "layers.1.layer_norm1.bias"):
        clip_model.load(cut)
    save_file(state | {"logit_scale": torch.tensor(float("nan"))}, cut / "model.safetensors", {"format": "pt"})
    with raises(WeightsError, "logit_scale ... NaN"):
        clip_model.load(cut)
    (pickle / "pytorch_model.bin").rename(pickle / "model.safetensors")
    for name in ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"):
        (pickle / name).unlink()
    with raises(WeightsError, f"{pickle}: ", "no tokenizer ... tokenizer.json or vocab.json"):
        clip_model.load(pickle)
    foreign = copied("foreign")
    tokens = json.loads((foreign / "tokenizer.json").read_text())
    tokens["model"]["vocab"] |= {f"word{n}": 1000 + n for n in range(100)}
    (foreign / "tokenizer.json").write_text(json.dumps(tokens))
    with raises(WeightsError, f"{foreign}: ", "tokenizer of ... wanted at most 82"):
        clip_model.load(foreign)


def test_a_hub_without_access_is_quoted(monkeypatch):
    import huggingface_hub

    def refuse(*_, **__):
        raise OSError(
            "401 Client Error. (Request ID: 7)\n\nCannot access gated repo for url https://x/y.\nPlease log in."
        )

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with raises(WeightsError, "'open/clip'", "Cannot access gated repo. Name the folder", "hf auth login"):
        clip_model.folder_of("open/clip")
    assert model_folders.answer_of(TimeoutError()) == "TimeoutError"


def test_mean_and_deviation_are_the_folders(folder, tmp_path):
    assert clip_model.inputs_of(folder) == clip_model.CLIP_INPUTS
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 1, 2]}')
    assert clip_model.inputs_of(tmp_path).mean == (0.5, 0.4, 0.3)
