"""What an image that left the dataset leaves behind is deleted, and nothing else."""

import pytest

from wsss_stages import contracts
from wsss_stages.data.hashes import stable_hash
from wsss_stages.pruning import prune

MADE = (contracts.SEEDS, contracts.GRABCUT_MASKS)
IDS = [f"image.{number}" for number in range(12)]
OURS = [image for image in IDS if stable_hash(image) % 3 == 1]


@pytest.fixture
def folder(tmp_path):
    """What two contracts hold of every image, beside a manifest."""
    for contract in MADE:
        for image in IDS:
            path = tmp_path / contract.name / f"{image}{contract.suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"artifact")
    return tmp_path


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_files_of_images_that_left_go_and_their_number_is_told(folder, capsys):
    gone = OURS[0]
    before, known = files(folder), set(IDS) - {gone}
    assert len(prune(folder / "2-of-3.json", MADE, known)) == 2
    assert before - files(folder) == {f"seeds/{gone}.png", f"grabcut_masks/{gone}.h5"}
    assert "2 files of images that the index no longer has were deleted" in capsys.readouterr().out


def test_files_of_other_shards_stay_though_their_images_left(folder):
    prune(folder / "2-of-3.json", MADE, [])
    assert {path.split("/")[1].rpartition(".")[0] for path in files(folder)} == set(IDS) - set(OURS)


def test_nothing_else_is_touched(folder, capsys):
    prune(folder / "2-of-3.json", MADE, [])
    capsys.readouterr()
    gone = OURS[0]
    (folder / "other" / "seeds").mkdir(parents=True)
    (folder / "seeds" / f"{gone}.png").mkdir()
    target = folder / "other" / f"{gone}.png"
    others = [
        f"{gone}.png",
        f"{gone}.json",
        f"seeds/{gone}.h5",
        f"seeds/{gone}.png.1.partial",
        f"other/seeds/{gone}.png",
    ]
    for name in (*others, f"other/{gone}.png"):
        (folder / name).write_bytes(b"not ours")
    (folder / "grabcut_masks" / f"{gone}.h5").symlink_to(target)
    before = files(folder)
    assert prune(folder / "2-of-3.json", MADE, []) == []
    assert files(folder) == before and capsys.readouterr().out == ""


def test_without_a_folder_there_is_nothing_to_delete(tmp_path):
    assert prune(tmp_path / "1-of-1.json", MADE, []) == []
