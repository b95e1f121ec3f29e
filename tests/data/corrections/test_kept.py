"""The folder of corrections: merged, the last one wins, whole or as before; and what becomes of them in the index."""

from dataclasses import asdict

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.data.corrections import kept as module
from wsss_stages.data.corrections.applied import with_corrections
from wsss_stages.data.corrections.correction import Correction
from wsss_stages.data.corrections.kept import Kept, keep
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.index import Index
from wsss_stages.data.notes import Notes


@pytest.fixture
def kept(run):
    """Keep corrections in a folder, and return the index with them."""

    def add(*corrections, notes=None):
        folder = run.root / "corrections"
        keep(folder, run.index, corrections, run.root, "Ada", Notes() if notes is None else notes)
        return folder

    return add


def test_the_last_correction_of_an_image_counts_and_says_so(run, kept, painted):
    notes = Notes()
    folder = kept(Correction("a", "mask", painted), Correction("c1", "boxes", boxes=[[1, 2, 3, 4]], box_classes=[1]))
    before = (folder / "corrections.json").read_bytes()
    kept(Correction("a", "mask", painted), notes=notes)
    assert (folder / "corrections.json").read_bytes() == before and str(notes[module.SAME]) == "1 (a)"
    painted[0, 0] = 2
    kept(Correction("a", "painted", painted, who="Bob"), notes=notes)
    entry = Kept.read(folder).entries["a"]
    assert str(notes[module.REPLACED]) == "1 (a)" and (entry.who, entry.how) == ("Bob", "painted")
    assert [path.name for path in (folder / "masks").iterdir()] == [entry.mask]
    assert (read_labels(folder / "masks" / entry.mask) == painted).all() and "c1" in Kept.read(folder).entries


def test_a_stop_between_masks_and_list_leaves_what_was_there(run, kept, painted, monkeypatch):
    folder = kept(Correction("a", "mask", painted))
    before = Kept.read(folder).entries
    monkeypatch.setattr(Kept, "write", lambda self: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        kept(Correction("a", "mask", painted[::-1].copy()))
    assert Kept.read(folder).entries == before
    assert (read_labels(folder / "masks" / before["a"].mask) == painted).all()


def test_a_folder_of_another_run_is_refused(run, kept, painted):
    folder = kept(Correction("a", "mask", painted))
    run.index.classes.append("cow")
    with raises(DatasetError, "cow"):
        kept(Correction("a", "mask", painted))
    with raises(DatasetError, "cow", "data.corrections"):
        with_corrections(run.index, folder)


def test_a_mask_is_the_label_and_survives_runs_on_one_kind(run, kept, painted):
    painted[10:12, 12:14] = 2
    index = with_corrections(run.index, kept(Correction("a", "mask", painted)))
    index.write(run.root / "new.json")
    for weak in ("", "box", "tag", "mixed"):
        again = Index.read(run.root / "new.json")
        record = (again.with_weak(weak) if weak else again).records["a"]
        assert record.tags == [1, 2] and record.truth == "SegmentationClass/a.png"
        assert (record.learned_mask(index.root) == painted).all() and record.truth_sha256
    untouched = {**asdict(index.records["c1"]), **asdict(run.index.records["c1"])}
    assert asdict(index.records["c1"]) == untouched and not lacking(str(index.notes), "mask corrected by hand", "a")


def test_what_a_mask_contradicts_goes(run, kept):
    labels = np.zeros((24, 30), np.uint8)
    labels[4:9, 3:8] = 1
    record = with_corrections(run.index, kept(Correction("c1", "mask", labels))).records["c1"]
    assert record.box_classes == [1] and record.tags == [1] and record.boxes == run.index.records["c1"].boxes[:1]
    labels[10, 20] = 255
    record = with_corrections(run.index, kept(Correction("c1", "mask", labels))).records["c1"]
    assert record.box_classes == [1, 2] and record.tags == [1, 2]


def test_boxes_and_points_take_the_place_of_the_dataset_s_at_working_size(run, voc, kept):
    small = import_voc("mine", voc.root, max_side=15)
    made = Correction("c1", "boxes", boxes=[[3, 5, 28, 21]], box_classes=[2], points=[[29, 23, 2], [4, 1, 0]])
    record = with_corrections(small, kept(made)).records["c1"]
    assert (record.width, record.height) == (15, 12) and record.boxes == [[1, 2, 14, 11]] and record.tags == [2]
    assert record.points == [[14, 11, 2], [2, 0, 0]] and record.kinds == ["box", "point"] and record.corrected is None


def test_corrections_that_do_not_fit_any_more(run, voc, kept, painted):
    folder = kept(Correction("a", "mask", painted), Correction("c1", "boxes", boxes=[[0, 0, 5, 5]], box_classes=[1]))
    voc.photo("c1", size=(30, 24), quality=20)
    voc.list("train", "c1", "dd22")
    index = with_corrections(import_voc("mine", voc.root), folder)
    assert not lacking(str(index.notes), "not for training", "have changed since")
    voc.list("train", "a", "c1", "dd22")
    (mask,) = (folder / "masks").iterdir()
    mask.write_bytes(mask.read_bytes()[:-30])
    with raises(DatasetError, mask.name, "another mask", "Import"):
        with_corrections(import_voc("mine", voc.root), folder)
    with raises(DatasetError, "nowhere", "corrections.json"):
        with_corrections(run.index, run.root / "nowhere")
    (folder / "corrections.json").write_text("{}")
    with raises(DatasetError, "corrections.json", "damaged"):
        with_corrections(run.index, folder)


def test_a_mask_changed_after_the_index_is_noticed(run, kept, painted):
    folder = kept(Correction("a", "mask", painted))
    record = with_corrections(run.index, folder).records["a"]
    run.mask(folder / "masks", record.corrected, painted * 2)
    with raises(ValueError, "has changed", "snakemake --forcerun data"):
        record.learned_mask(run.index.root)
