import numpy as np
import pytest
import skimage.data
import torch
from skimage.transform import resize

from wsss_stages.labels.crf import DenseCrf
from wsss_stages.pairwise.compiled_mean_field import CompiledMeanField

NUMBERS = {
    "gaussian_xy": 3.0,
    "gaussian_weight": 3.0,
    "bilateral_xy": 40.0,
    "bilateral_rgb": 13.0,
    "bilateral_weight": 10.0,
}


def photograph(name: str, side: int) -> np.ndarray:
    return (resize(getattr(skimage.data, name)(), (side, side + 30)) * 255).astype(np.uint8)


def noisy_probabilities(image: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """Coarse blocks of random confidence, as a network's upsampled output would be."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 2, (classes, 8, 9))
    logits = resize(coarse, (classes, *image.shape[:2]), order=1)
    P = np.exp(logits)
    return (P / P.sum(axis=0)).astype(np.float32)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
@pytest.mark.parametrize("classes", [2, 5, 21])
def test_same_labels_as_pydensecrf(name, classes):
    densecrf = pytest.importorskip("pydensecrf.densecrf", reason="pydensecrf2 needs a C++ compiler at install")
    image = photograph(name, 160)
    P = noisy_probabilities(image, classes, seed=classes)
    oracle = densecrf.DenseCRF2D(image.shape[1], image.shape[0], classes)
    oracle.setUnaryEnergy(np.ascontiguousarray(-np.log(P.clip(1e-5)).reshape(classes, -1)))
    oracle.addPairwiseGaussian(sxy=3, compat=3)
    oracle.addPairwiseBilateral(sxy=40, srgb=13, rgbim=np.ascontiguousarray(image), compat=10)
    wanted = np.array(oracle.inference(10)).reshape(P.shape).argmax(axis=0)
    found = DenseCrf(image, **NUMBERS).infer(torch.from_numpy(P)[None], 10)[0].argmax(dim=0).numpy()
    assert (found == wanted).mean() >= 0.995


def test_maps_of_a_batch_do_not_mix():
    image = photograph("coffee", 40)
    P = torch.from_numpy(np.stack([noisy_probabilities(image, 3, seed) for seed in (1, 2)]))
    crf = DenseCrf(image, **NUMBERS)
    alone = torch.cat([crf.infer(P[i : i + 1], 3) for i in range(2)])
    torch.testing.assert_close(crf.infer(P, 3), alone)


def test_no_iterations_change_nothing_and_probabilities_stay_probabilities():
    image = photograph("coffee", 40)
    P = torch.from_numpy(noisy_probabilities(image, 3, 0))[None]
    crf = DenseCrf(image, **NUMBERS)
    torch.testing.assert_close(crf.infer(P, 0), P, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(crf.infer(P, 5).sum(dim=1), torch.ones(1, 40, 70))


def test_a_probability_of_nothing_counts_as_one_in_a_hundred_thousand():
    P = torch.tensor([1.0, 0.0])[None, :, None, None].expand(1, 2, 8, 8)
    found = DenseCrf(np.zeros((8, 8, 3), np.uint8), **NUMBERS).infer(P, 0)
    torch.testing.assert_close(found[:, 1], torch.full((1, 8, 8), 1e-5), rtol=1e-2, atol=0.0)


def test_one_pixel_of_two_by_two_gives_nearly_the_same_labels():
    image = photograph("coffee", 160)
    P = torch.from_numpy(noisy_probabilities(image, 5, 0))[None]
    found, wanted = (DenseCrf(image, **NUMBERS, step=step).infer(P, 10)[0].argmax(dim=0) for step in (2, 1))
    assert 0.97 <= (found == wanted).double().mean() < 1


def test_nan_names_the_image():
    P = torch.full((1, 2, 8, 8), 0.5)
    P[0, 0, 3, 3] = float("nan")
    with pytest.raises(ValueError, match="img_7: 1 NaN"):
        DenseCrf(np.zeros((8, 8, 3), np.uint8), **NUMBERS).infer(P, 1, name="img_7")


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), "cpu:0"])
def test_a_cpu_by_any_name_runs_compiled_loops(device):
    crf = DenseCrf(np.zeros((8, 8, 3), np.uint8), **NUMBERS, device=device)
    assert isinstance(crf.mean_field, CompiledMeanField)
