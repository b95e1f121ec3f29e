"""The archives of VOC 2012, SBD and COCO as they are published: addresses, sizes and checksums.

md5: of torchvision (VOCSegmentation, SBDataset); COCO publishes none. Sizes: of the servers' answers.
"""

from wsss_stages.data.downloads import Archive

COCO_PAGE = "https://cocodataset.org/#download"
VOC_TEST = (
    "Fetch VOC2012test.tar from http://host.robots.ox.ac.uk:8080, which wants an account, and unpack its JPEGImages and ImageSets into those of "
    "VOCdevkit/VOC2012."
)
"""How to get the photographs and the list of the test, which nobody can download without an account."""
_COCO = {
    "train2014": 13_510_573_713,
    "val2014": 6_645_013_297,
    "train2017": 19_336_861_798,
    "val2017": 815_585_330,
    "annotations_trainval2014": 252_872_794,
    "annotations_trainval2017": 252_907_541,
}
"""Bytes of the zips."""


def voc2012() -> Archive:
    """Return VOC 2012's trainval."""
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    known = DATASET_YEAR_DICT["2012"]
    page = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
    return Archive(known["filename"], known["url"], 1_999_639_040, ("VOCdevkit/VOC2012",), page, known["md5"])


def sbd() -> Archive:
    """Return SBD."""
    from torchvision.datasets import SBDataset

    page = "http://home.bharathh.info/pubs/codes/SBD/download.html"
    held = ("benchmark_RELEASE/dataset",)
    return Archive(SBDataset.filename, SBDataset.url, 1_419_539_633, held, page, SBDataset.md5, 2_000_000_000)


def coco(year: str, lists: tuple[str, ...]) -> list[Archive]:
    """Return the annotations of a year, and the photographs of those of the lists that are published."""
    names = [f"annotations_trainval{year}", *(name for name in lists if name in _COCO)]
    made = []
    for name in names:
        annotations = name.startswith("annotations")
        held = (
            tuple(f"annotations/instances_{part}{year}.json" for part in ("train", "val")) if annotations else (name,)
        )
        url = f"http://images.cocodataset.org/{'annotations' if annotations else 'zips'}/{name}.zip"
        made.append(
            Archive(f"{name}.zip", url, _COCO[name], held, COCO_PAGE, unpacked=5 * _COCO[name] if annotations else 0)
        )
    return made
