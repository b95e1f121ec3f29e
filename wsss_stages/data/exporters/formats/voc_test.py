"""Predictions as VOC's test server takes them: results/VOC2012/Segmentation/comp6_test_cls/ID.png in VOC's colours, and all of it in results.tgz.

comp6 is the competition for methods that learned from more than VOC, as from ImageNet (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/).
"""

import tarfile

from wsss_stages import UNKNOWN
from wsss_stages.data.exporters.formats import exports
from wsss_stages.data.exporters.formats.png import Png
from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.importers.voc import VOC_CLASSES
from wsss_stages.store.artifacts import whole

ARCHIVE = "results.tgz"


@exports("voc-test")
class VocTest(Png):
    maps = "results/VOC2012/Segmentation/comp6_test_cls"

    def __init__(self, *arguments):
        """Raise ValueError for other classes than VOC's, and for numbered objects."""
        super().__init__(*arguments)
        if self.classes != VOC_CLASSES:
            raise ValueError(
                f"found the classes {', '.join(self.classes[:6])}, ...; wanted VOC's 21 in their order, which the server scores. Export with --to png."
            )
        if self.objects:
            raise ValueError("found --objects; wanted classes, which the server's comp6 scores. Leave --objects away.")

    def add(self, picture: Picture) -> None:
        """Write an image. Raises ValueError for a pixel without a class, which the server refuses."""
        if picture.labels is None or (picture.labels == UNKNOWN).any():
            raise ValueError(
                f"{picture.id}: found pixels without a class; wanted a class for every pixel. Export predictions: --what prediction."
            )
        super().add(picture)

    def close(self) -> None:
        with whole(self.folder / ARCHIVE) as partial, tarfile.open(partial, "w:gz") as archive:
            archive.add(self.folder / "results", "results")
