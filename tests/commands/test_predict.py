"""The predict command: masks of anyone's photographs, in tiles, of videos, again, and what it says of bad files and weights."""

import csv
import tracemalloc

import cv2
import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from tests.messages import lacking, raises
from tests.tiny_segmenters import NAMES, picture, save
from wsss_stages import training
from wsss_stages.commands import predict as command
from wsss_stages.config.options import PredictPhotos
from wsss_stages.data.images import ORIENTATION, read_labels, read_photo
from wsss_stages.data.index import Index
from wsss_stages.roads import photo_labels
from wsss_stages.roads.photo_labels import PhotoLabeller
from wsss_stages.roads.predictions import Predictor
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.artifacts import ContractError
from wsss_stages.training.networks import restore_segmenter

FAST = ("--scales", "[1.0]", "--flip", "false")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    return save(tmp_path_factory.mktemp("weights") / "weights.safetensors")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    Image.fromarray(picture(60, 90)).save(folder / "a.png")
    return folder


def run(weights, photos, out, *more, options=FAST):
    command.main([str(word) for word in ("--weights", weights, "--photos", photos, "--out", out, *options, *more)])


def rows(out):
    with open(out / "areas.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_masks_are_those_of_the_stage(toy, tmp_path):
    index, made = Index.read(toy.index), Manifest([toy.manifest("s8_predict", "val")])
    records = list(index.split("val"))
    files = [index.root / record.photo for record in records]
    command.main([str(w) for w in ("--weights", toy.segmenter, "--photos", *files, "--out", tmp_path / "out")])
    for record in records:
        wanted = made.read(record.id, contracts.PREDICTION)["label"]
        assert (read_labels(tmp_path / "out/masks" / f"{record.id}.png") == wanted).all()
    with open(tmp_path / "out/classes.csv", encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == index.classes


def test_every_kind_of_photograph_has_a_mask_of_its_own_size_and_a_row(weights, photos, tmp_path, capsys):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(picture(60, 90)).save(photos / "turned.jpg", exif=exif)
    Image.fromarray(picture(60, 90)).save(photos / "a.jpg")
    Image.fromarray(np.uint16(picture(40, 50)[..., 0]) * 200).save(photos / "sub" / "a.png")
    Image.fromarray(picture(40, 50)).convert("RGBA").save(photos / "sub" / "ö ß 犬.png")
    Image.fromarray(picture(40, 50)).convert("L").save(photos / "sub" / "grey.tif")
    (photos / "notes.txt").write_text("")
    (photos / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photograph")
    with pytest.raises(SystemExit) as caught:
        run(weights, photos, tmp_path / "out", "--overlays", "--probabilities")
    assert caught.value.code == 1
    printed = capsys.readouterr().out
    assert not lacking(printed, "6 masks", "1 finding", f"{photos / 'damaged.jpg'}: found", "notes.txt")
    masks = {str(path.relative_to(tmp_path / "out/masks")): path for path in (tmp_path / "out/masks").rglob("*.png")}
    assert set(masks) == {"turned.png", "a.jpg.png", "a.png.png", "sub/a.png", "sub/ö ß 犬.png", "sub/grey.png"}
    table = rows(tmp_path / "out")
    assert [row["photograph"] for row in table] == sorted(
        ("turned.jpg", "a.jpg", "a.png", "sub/a.png", "sub/ö ß 犬.png", "sub/grey.tif")
    )
    for row in table:
        label = read_labels(tmp_path / "out" / row["mask"])
        assert (
            label.shape == read_photo(photos / row["photograph"]).shape[:2] == (int(row["height"]), int(row["width"]))
        )
        for number, name in enumerate(NAMES):
            assert int(row[f"{name} pixels"]) == (label == number).sum()
            assert float(row[f"{name} share"]) == pytest.approx((label == number).mean())
        name = row["mask"].removeprefix("masks/").removesuffix(".png")
        with h5py.File(tmp_path / "out/probabilities" / f"{name}.h5") as file:
            P = file["P"][()]
        assert P.dtype == np.float16 and (P.argmax(axis=0) == label).mean() > 0.99
        with Image.open(tmp_path / "out/overlays" / f"{name}.jpg") as overlay:
            assert overlay.size == label.shape[::-1]
    assert read_labels(masks["turned.png"]).shape == (90, 60)


def test_a_large_photograph_is_reduced_and_its_probabilities_are_bounded(weights, photos, tmp_path, monkeypatch):
    Image.fromarray(picture(300, 400)).save(photos / "a.png")
    monkeypatch.setattr(photo_labels, "LONGEST", 80)
    run(weights, photos, tmp_path / "out", "--max-side", 100, "--probabilities")
    assert read_labels(tmp_path / "out/masks/a.png").shape == (300, 400)
    with h5py.File(tmp_path / "out/probabilities/a.h5") as file:
        assert file["P"].shape == (3, 60, 80) and (file.attrs["height"], file.attrs["width"]) == (300, 400)
        assert np.allclose(file["P"][()].astype(float).sum(axis=0), 1, atol=0.01)


@pytest.mark.parametrize(
    ("size", "scales", "flip"),
    [
        ((600, 1000), [1.0], False),
        ((384, 1024), [1.0, 0.75], True),
    ],  # a mirror image has its nodes elsewhere at other widths
)
def test_tiles_give_the_labels_of_the_whole_photograph(weights, size, scales, flip):
    network, _ = restore_segmenter(weights)
    made = []
    for tile, overlap in ((1024, 256), (512, 256)):
        opt = PredictPhotos(scales=scales, flip=flip, tile=tile, overlap=overlap)
        labeller = PhotoLabeller(Predictor(network, opt, "cpu", "predict", "s7_segment"), opt, True)
        made.append(labeller(picture(*size), "photo"))
    whole, tiled = made
    assert (np.bincount(whole.label.ravel(), minlength=3) > 0.01 * whole.label.size).all()
    assert (tiled.label == whole.label)[32:-32, 32:-32].mean() >= 0.999
    assert np.abs(tiled.P.astype(float) - whole.P).mean() < 0.001


def test_memory_does_not_grow_with_the_photograph(weights):
    """Beside the photograph and its mask there are a tile and strips: of 40 classes, whole maps would be far larger."""
    classes = 40

    class Constant(Predictor):
        largest = 0

        def probabilities(self, photo, name):
            self.largest = max(self.largest, photo.shape[0] * photo.shape[1])
            return torch.full((classes, *photo.shape[:2]), 1 / classes)

    strips = []
    original = torch.Tensor.new_empty
    opt = PredictPhotos(max_side=0, tile=256, overlap=64)
    predictor = Constant(restore_segmenter(weights)[0], opt, "cpu", "predict", "s7_segment")

    def counted(self, *size, **more):
        strips.append(np.prod(size))
        return original(self, *size, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "new_empty", counted)
        photo = np.zeros((600, 2400, 3), np.uint8)
        tracemalloc.start()
        label = PhotoLabeller(predictor, opt, False)(photo, "long").label
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert label.shape == (600, 2400) and predictor.largest <= 256 * 256
    assert max(strips) <= classes * 600 * 128 and peak < 2 * label.size


def test_again_only_what_is_missing_or_of_other_weights_is_made(weights, photos, tmp_path, capsys):
    Image.fromarray(picture(50, 40)).save(photos / "sub" / "b.png")
    out = tmp_path / "out"
    run(weights, photos, out, "--overlays")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    table = rows(out)
    (out / "masks/a.png").write_bytes((out / "masks/a.png").read_bytes()[:-20])
    (out / "masks/sub/b.png.host-1.partial").write_bytes(b"half")
    capsys.readouterr()
    run(weights, photos, out, "--overlays")
    assert not lacking(capsys.readouterr().out, "1 masks made", "1 were there")
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert {path.name for path in before if before[path] != after[path]} == {"a.png"} and rows(out) == table
    assert not list(out.rglob("*.partial"))
    Image.fromarray(picture(50, 41)).save(photos / "sub" / "b.png")
    run(weights, photos, out, "--overlays")
    assert not lacking(capsys.readouterr().out, "1 masks made", "1 were there") and rows(out)[1]["width"] == "41"
    run(weights, photos, out, "--crf.iterations", 1)
    assert not lacking(capsys.readouterr().out, "2 masks made") and not list(out.rglob("*.jpg"))


def video(path, frames=12, size=(48, 64)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 8, size[::-1])
    for number in range(frames):
        writer.write(np.roll(picture(*size), 5 * number, axis=1)[..., ::-1].copy())
    writer.release()
    return path


def test_frames_of_a_video(weights, photos, tmp_path, capsys):
    (photos / "a.png").unlink()
    clip, out = video(photos / "clip.avi"), tmp_path / "out"
    run(weights, photos, out, "--every", 5, "--overlays")
    names = [f"masks/clip.avi/{number:06d}.png" for number in (0, 5, 10)]
    assert [row["mask"] for row in rows(out)] == names
    assert all(read_labels(out / name).shape == (48, 64) for name in names)
    overlay = cv2.VideoCapture(str(out / "overlays/clip.avi.mp4"))
    assert overlay.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and overlay.get(cv2.CAP_PROP_FPS) == pytest.approx(1.6)
    capsys.readouterr()
    run(weights, clip, out, "--every", 2, "--overlays")
    assert not lacking(capsys.readouterr().out, "4 masks made, 2 were there")
    assert cv2.VideoCapture(str(out / "overlays/clip.avi.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_a_video_that_ends_in_the_middle_keeps_what_was_read(weights, photos, tmp_path, capsys):
    clip = video(tmp_path / "clip.avi")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    (tmp_path / "no.mp4").write_bytes(b"nothing at all")
    with pytest.raises(SystemExit) as caught:
        command.main(
            [
                str(w)
                for w in ("--weights", weights, "--photos", clip, tmp_path / "no.mp4", "--out", tmp_path / "out", *FAST)
            ]
        )
    assert caught.value.code == 1
    made = len(rows(tmp_path / "out"))
    assert 0 < made < 12 and len(list((tmp_path / "out/masks/clip.avi").iterdir())) == made
    assert not lacking(
        capsys.readouterr().out, "2 finding", f"clip.avi: found ... frame {made} of 12", "no.mp4: found ... video"
    )


def test_weights_of_another_kind_and_of_other_classes_are_refused(weights, photos, tmp_path):
    other, nameless = tmp_path / "other.safetensors", tmp_path / "nameless.safetensors"
    training.save_weights(other, torch.nn.Linear(1, 1), {"stage": "s1_classifier"})
    save(nameless, class_names=None)
    out = tmp_path / "out"
    with raises(ContractError, str(other), "s1_classifier ... s7_segment"):
        run(other, photos, out)
    with raises(ContractError, str(nameless), "3 classes", "--classes"):
        run(nameless, photos, out)
    with raises(ContractError, str(nameless), "3 classes", "4 names", "--classes"):
        run(nameless, photos, out, "--classes", "background,cat,dog,cow")
    with raises(ContractError, str(weights), "cat, dog", "cat, cow", "--classes"):
        run(weights, photos, out, "--classes", "cat,cow")
    with raises(ValueError, "--classes cat,cat", "different"):
        run(nameless, photos, out, "--classes", "cat,cat")
    with raises(ContractError, str(photos / "a.png"), "weights"):
        run(photos / "a.png", photos, out)
    assert not out.exists()
    (tmp_path / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    run(nameless, photos, out, "--classes", tmp_path / "classes.txt")
    assert "dog share" in rows(out)[0]


def test_places_that_are_none(weights, photos, tmp_path):
    with raises(ValueError, f"--out {photos}", "photographs"):
        run(weights, photos, photos)
    with raises(ValueError, str(tmp_path / "nowhere"), "--photos"):
        run(weights, tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with raises(ValueError, str(tmp_path / "empty"), "photograph", "--photos"):
        run(weights, tmp_path / "empty", tmp_path / "out")
    twin = tmp_path / "twin"
    twin.mkdir()
    Image.fromarray(picture(20, 20)).save(twin / "a.png")
    with raises(ValueError, "a.png", "second", str(photos / "a.png")):
        command.main([str(w) for w in ("--weights", weights, "--photos", photos, twin, "--out", tmp_path / "out")])
    run(weights, photos, photos / "out")
    run(weights, photos, photos / "out")
    assert len(rows(photos / "out")) == 1, "masks are no photographs"


def test_photographs_much_larger_than_those_of_the_training_bring_a_hint(photos, tmp_path, capsys):
    small = save(tmp_path / "small.safetensors", longest_side=50)
    run(small, photos, tmp_path / "out")
    assert not lacking(capsys.readouterr().out, "90 pixels", "--max-side 50")
    run(small, photos, tmp_path / "out", "--max-side", 50)
    assert "--max-side" not in capsys.readouterr().out
