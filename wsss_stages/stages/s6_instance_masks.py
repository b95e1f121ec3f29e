"""Label maps and boxes to one mask per box, as COCO's instances JSON for any detector (Sec. 3.4).

reads   index.json             images and boxes of the training split; for --labels truth their true instances
        s6_propagate MANIFESTS contracts.PSEUDO; for --labels grabcut those of s3_seeds, contracts.GRABCUT
writes  instances.json         images, categories 1..N, annotations with boxes and run-length codes at full size

A box whose class is nowhere inside it keeps the whole box as its mask; such boxes are counted. So are images whose true objects
are not numbered (no SegmentationObject, or more objects than 8 bits can number): --labels truth leaves them out.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.InstanceMasks,
        argv,
        paths={
            "index": "index.json",
            "pseudo?+": "manifests of s6_propagate (--labels grabcut: s3_seeds), all shards; not needed for --labels truth",
            "instances>": "instances.json to write",
        },
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.instance_masks import InstanceMasker, usable
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts

    index, pseudo = Index.read(paths.index), Manifest(paths.pseudo or [])
    every = index.split("train")
    records = usable(every, opt.labels, paths.index)
    masker = InstanceMasker(index, records, pseudo, opt)
    content = masker.run(every)
    artifacts.write_sealed(paths.instances, content)
    sys.stdout.write(f"{paths.instances}: {len(content['annotations'])} objects in {len(records)} images\n")
    for text, note in masker.notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
