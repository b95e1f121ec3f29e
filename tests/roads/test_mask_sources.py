"""Mask sources: a tiny random SAM and SAM 2 in real folders, what is refused, and how prompts are asked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.messages import lacking, raises
from wsss_stages.commands.tiny_models import write
from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.labels.grabcut import foregrounds
from wsss_stages.labels.prompts import Prompt, of_boxes
from wsss_stages.nets.promptable import PADDED, Answers, Embedded, Promptable
from wsss_stages.roads.mask_sources import MASK_SOURCES, Given
from wsss_stages.roads.mask_sources import sam as sam_source
from wsss_stages.roads.masks import Masker
from wsss_stages.roads.text_boxes import TextBoxes, iou, whole_pixels
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store.check_finite import NotFiniteError
from wsss_stages.training import model_folders
from wsss_stages.training.model_folders import ModelFolderError

IMAGE = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
RECORD = Record("photo", "photo.jpg", "", 60, 90, 60, 90)
INDEX = Index("photos", Path(), ["background", "cat"], {"train": ["photo"]}, {"photo": RECORD}, weak="box")
BOXES = [Prompt(1, "box", (10, 10, 40, 50)), Prompt(2, "box", (30, 5, 80, 30))]
CLICKS = [Prompt(1, "point", None, np.array([[20, 20]]), np.array([[50, 50], [60, 10]]))]
LINES = [Prompt(1, "scribble", None, np.array([[20, 20], [25, 25], [30, 20]]), np.array([[50, 50]]))]


@pytest.fixture(scope="module", params=["sam2", "sam"])
def family(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write(request.param, folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    write("sam", tmp_path / "model")
    return tmp_path / "model"


def options(folder, **more):
    return Masks(source="sam", model=str(folder), **({"precision": "float32"} | more))


def source(folder, **more):
    return MASK_SOURCES["sam"].build(options(folder, **more), INDEX, "cpu")


def test_a_tiny_random_model_answers_every_form_of_prompt(family):
    made = source(family)
    cam = np.random.default_rng(1).random((1, 60, 90), np.float32)
    prompts = [*BOXES, *CLICKS, *LINES, Prompt(1, "tag", (10, 10, 40, 50), np.array([[20, 20]]))]
    found, notes = made(Given(RECORD, IMAGE, cam, [1]), prompts)
    assert found.hard.shape == (5, 60, 90) and len(found.reasons) == len(found.soft) == len(found.confidence) == 5
    assert notes == {} and ((found.confidence == 0) | np.array([not reason for reason in found.reasons])).all()
    for prompt, mask, reason, soft in zip(prompts, found.hard, found.reasons, found.soft, strict=True):
        x0, y0, x1, y1 = soft.region
        if reason:
            bx0, by0, bx1, by1 = prompt.box if prompt.kind == "box" else (0, 0, 0, 0)
            assert soft.P.size == 0 and mask.sum() == (bx1 - bx0) * (by1 - by0) == mask[by0:by1, bx0:bx1].sum()
            continue
        assert (mask[y0:y1, x0:x1] == (soft.P > 127.5)).mean() > 0.99 and not np.delete(mask, slice(y0, y1), 0).any()
        if prompt.kind == "box":
            assert prompt.box[0] <= x0 < x1 <= prompt.box[2] and prompt.box[1] <= y0 < y1 <= prompt.box[3]


def test_the_masks_are_those_of_transformers_own_way(family):
    """Prompts scaled and masks brought back here give what the family's processor gives."""
    import transformers

    made = source(family).network
    found = made.answers(made.embed(IMAGE), *sam_source.arrays(BOXES), several=False)
    processor = transformers.AutoProcessor.from_pretrained(family)
    asked = processor(images=IMAGE, input_boxes=[[list(map(float, p.box)) for p in BOXES]], return_tensors="pt")
    sizes = [asked.pop(name) for name in ("original_sizes", "reshaped_input_sizes") if name in asked]
    with torch.no_grad():
        wanted = made.network(**asked.to(torch.float32), multimask_output=False)
    masks = processor.image_processor.post_process_masks(wanted.pred_masks, *sizes, binarize=False)[0]
    torch.testing.assert_close(found.logits, masks, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.iou, wanted.iou_scores[0], rtol=1e-4, atol=1e-4)


def test_an_image_of_a_few_rows_and_a_bfloat16_pass_work(family):
    flat = np.random.default_rng(2).integers(0, 255, (3, 400, 3), dtype=np.uint8)
    found, _ = source(family, precision="bfloat16")(Given(RECORD, flat), [Prompt(1, "box", (5, 0, 300, 3))])
    assert found.hard.shape == (1, 3, 400)


class Fake(Promptable):
    """A network that says what it is asked, with one mask that fills the box or the surroundings of a click."""

    def __init__(self, room=100):
        torch.nn.Module.__init__(self)
        self.asked, self.room = [], room

    def embed(self, image):
        return Embedded({}, *[image.shape[:2]] * 4)

    def answers(self, image, boxes, points, labels, several):
        count = len(points if boxes is None else boxes)
        self.asked.append((count, boxes, points, labels, several))
        if count > self.room:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        logits = torch.full((count, 3 if several else 1, *image.size), -4.0)
        for k in range(count):
            x0, y0, x1, y1 = boxes[k].astype(int) if boxes is not None else (*(points[k, 0] - 3), *(points[k, 0] + 4))
            logits[k, -1, int(y0) : int(y1), int(x0) : int(x1)] = 4
        return Answers(logits, torch.full((count, 3 if several else 1), 0.75))


def faked(room=100, **more):
    return sam_source.Sam(Fake(room), "tiny", Masks(source="sam", **more))


def test_points_are_asked_with_their_labels_and_fewer_are_padded():
    made = faked()
    lines = [*LINES, Prompt(1, "scribble", None, np.array([[5, 5], [9, 9]]), np.zeros((0, 2), int))]
    made(Given(RECORD, IMAGE), [*BOXES, *CLICKS, *lines])
    (boxes, clicks, drawn) = made.network.asked
    assert boxes[1].tolist() == [[10, 10, 40, 50], [30, 5, 80, 30]] and boxes[2] is None and not boxes[4]
    assert clicks[2].tolist() == [[[20, 20], [50, 50], [60, 10]]] and clicks[3].tolist() == [[1, 0, 0]] and clicks[4]
    assert drawn[3].tolist() == [[1, 1, 1, 0], [1, 1, PADDED, PADDED]] and not drawn[4]


def test_a_click_of_a_class_that_the_image_does_not_carry_is_answered_without_its_cam():
    made = faked()
    found, _ = made(Given(RECORD, IMAGE, np.zeros((1, 60, 90), np.float32), [7]), CLICKS)
    assert found.reasons == ["sam_empty"], "of equal predicted IoU the first answer, which is empty here"


def test_five_hundred_boxes_are_asked_in_parts_and_keep_their_order():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 40, (500, 2))
    boxes = np.concatenate([starts, starts + rng.integers(3, 20, (500, 2))], axis=1)
    made = faked(prompts_at_once=32)
    found, _ = made(Given(RECORD, IMAGE), of_boxes(boxes, np.ones(500, np.uint8)))
    assert [count for count, *_ in made.network.asked] == [32] * 15 + [20] and not any(found.reasons)
    for mask, (x0, y0, x1, y1) in zip(found.hard, boxes, strict=True):
        assert mask[y0:y1, x0:x1].all() and mask.sum() == (x1 - x0) * (y1 - y0)


def test_where_memory_is_short_fewer_are_asked_at_once_and_it_is_noted(capsys):
    boxes = np.array([[k, k, k + 9, k + 9] for k in range(8)])
    made = faked(room=2, prompts_at_once=8)
    found, notes = made(Given(RECORD, IMAGE), of_boxes(boxes, np.ones(8, np.uint8)))
    assert [count for count, *_ in made.network.asked] == [8, 4, 2, 2, 2, 2]
    assert notes == {sam_source.HALVED: 1} and not any(found.reasons) and made.at_once == 2
    assert not lacking(capsys.readouterr().err, "out of memory", "photo", "2 prompts at once")
    assert made(Given(RECORD, IMAGE), BOXES)[1] == {}, "two prompts fit"
    with raises(RuntimeError, "allocate memory"):
        faked(room=0)(Given(RECORD, IMAGE), BOXES)


def test_logits_that_are_no_numbers_are_refused_with_model_and_image():
    made = faked()
    answers = made.network.answers
    made.network.answers = lambda *a, **k: replace(answers(*a, **k), logits=torch.full((2, 1, 60, 90), torch.nan))
    with raises(NotFiniteError, "photo", "tiny", "NaN", "masks.precision"):
        made(Given(RECORD, IMAGE), BOXES)


@pytest.mark.parametrize("box", [(40, 10, 10, 50), (10, 50, 40, 10), (95, 5, 99, 9), (5, 5, 5, 9)])
def test_a_box_that_is_inverted_or_outside_is_refused(box):
    with raises(ValueError, " ".join(map(str, box)), "90x60"):
        faked()(Given(RECORD, IMAGE), [Prompt(1, "box", box)])


def test_a_box_that_sticks_out_is_clipped():
    made = faked()
    made(Given(RECORD, IMAGE), [Prompt(1, "box", (-5, 10, 200, 50))])
    assert made.network.asked[0][1].tolist() == [[0, 10, 90, 50]]


def test_an_image_without_prompts_is_passed_over(tmp_path):
    class Nothing:
        kinds, weights = ("box",), ""

        def build(self):
            raise NotImplementedError

        def evidence(self, record):
            return None

        def __call__(self, given, prompts):
            raise AssertionError("asked of an image without prompts")

    item = Item(Shard("s3_masks", (), INDEX, "train", tmp_path / "1-of-1.json", {}, []), RECORD)
    found, notes = Masker(INDEX, Masks(), Nothing(), False).made(item, IMAGE)
    assert found["masks"]["packed"].shape == (0, 60, 12) and notes == {"prompts": 0}


def spoiled(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


FIRST = "mask_decoder.iou_token.weight"


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f: spoiled(f, lambda t: t.pop(FIRST)), ["1 missing keys", FIRST]),
        (lambda f: spoiled(f, lambda t: t.update(more=torch.zeros(1))), ["1 unexpected keys", "more"]),
        (lambda f: spoiled(f, lambda t: t.update({FIRST: torch.zeros(3, 3)})), [FIRST]),
        (lambda f: (f / "model.safetensors").write_bytes(b"no"), ["SamModel"]),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), ["pytorch_model.bin", "save_pretrained"]),
        (lambda f: (f / "model.safetensors").unlink(), ["no weights", "model.safetensors"]),
        (lambda f: (f / "config.json").unlink(), ["no config.json"]),
        (lambda f: (f / "config.json").write_text('{"model_type": "clip"}'), ["config.json", "'clip'", "sam2"]),
        (lambda f: [p.unlink() for p in f.glob("*processor*")], ["processor"]),
    ],
)
def test_a_folder_that_is_no_model_of_ours_is_refused_with_a_remedy(folder, spoil, words):
    spoil(folder)
    with raises(ModelFolderError, str(folder), "masks.model", *words) as caught:
        source(folder)
    assert "\n" not in str(caught.value)


def test_other_weights_have_another_digest_and_are_inputs_of_the_record(folder):
    before = source(folder).weights
    assert before == source(folder).weights
    spoiled(folder, lambda t: t[FIRST].add_(1))
    assert source(folder).weights != before


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model", "a/b/c", "model"])
def test_a_folder_that_is_missing_is_not_asked_of_the_hub(name):
    with raises(ModelFolderError, name, "masks.model", "no folder"):
        model_folders.folder_of(name, "masks.model")


@pytest.mark.parametrize(
    "kind, words",
    [
        ("GatedRepoError", ["admitted", "licence"]),
        ("RepositoryNotFoundError", ["no model"]),
        (None, ["hf download o/m", "copy"]),
    ],
)
def test_the_hubs_answer_is_one_sentence(monkeypatch, kind, words):
    import huggingface_hub
    from huggingface_hub import errors

    error = OSError("Name or service not known\nmore")
    if kind:  # without the response of a server, which its constructor wants
        error = getattr(errors, kind).__new__(getattr(errors, kind), "no\nno")

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with raises(ModelFolderError, "o/m", "masks.model", *words) as caught:
        model_folders.folder_of("o/m", "masks.model")
    assert "\n" not in str(caught.value)


def test_grabcut_as_a_source_is_grabcut():
    made = MASK_SOURCES["grabcut"].build(Masks(grabcut_iterations=2), INDEX, "cpu")
    prompts = [Prompt(1, "box", (10, 10, 40, 50)), Prompt(1, "box", (0, 0, 90, 60))]
    found, notes = made(Given(RECORD, IMAGE), prompts)
    boxes = np.array([prompt.box for prompt in prompts])
    from wsss_stages.data.hashes import stable_hash

    masks, reasons = foregrounds(IMAGE, boxes, 2, 3, 0.15, stable_hash("photo", "s3_seeds", 0) % 2**31)
    np.testing.assert_array_equal(found.hard, masks)
    assert found.reasons == reasons and found.confidence.tolist() == [0.0 if r else 1.0 for r in reasons]
    assert found.soft is None and notes == {} and reasons[1] == "grabcut_whole_image_box"


class Detector(torch.nn.Module):
    """Three boxes, the first two of one object."""

    def forward(self, **asked):
        centred = torch.tensor(
            [[0.5, 0.5, 0.4, 0.6], [0.5, 0.5, 0.41, 0.6], [0.9, 0.9, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1]]
        )
        logits = torch.full((1, 4, 5), -9.0)
        logits[0, :, 1] = torch.tensor([1.0, 2.0, 0.0, -3.0])
        return type("Found", (), {"logits": logits, "pred_boxes": centred[None]})


class Batch(dict):
    def to(self, device):
        return self


def test_boxes_by_words_are_the_sure_ones_of_a_class_once_each_and_inside_the_image():
    texts = []

    def processor(images, text, **_):
        texts.append(text)
        return Batch()

    words = TextBoxes(Detector(), processor, ["background", "dining_table"], Masks(text_score=0.25), "cpu")
    image = np.zeros((50, 100, 3), np.uint8)
    assert [(p.cls, p.kind, p.box) for p in words.prompts(image, 1)] == [
        (1, "tag", (29, 10, 71, 40)), (1, "tag", (70, 35, 100, 50)),
    ]  # fmt: skip
    assert texts == ["dining table."]
    assert (
        iou((0, 0, 4, 4), (2, 0, 6, 4)) == pytest.approx(1 / 3)
        and whole_pixels(np.array([120, 0, 130, 9]), 50, 100) is None
    )


def test_an_option_that_moved_says_where_to():
    from wsss_stages.config import check

    for old, new in (("grabcut_min_iou", "masks.min_share"), ("seed", "masks.seed")):
        with raises(check.ConfigError, f"seeds.{old}", new):
            check.check({"seeds": {old: 1}, **json.loads('{"variants": {}}')}, [])
