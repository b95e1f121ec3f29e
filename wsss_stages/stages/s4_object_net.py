"""Train the object network: crop of a box to its object, on the mask source's masks of all boxes.

reads   index.json             images and boxes of the training split
        s3_masks MANIFESTS     contracts.MASKS
        classifier             weights of s1_classifier, where the backbone starts from
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.ObjectNet,
        argv,
        paths={
            "index": "index.json",
            "masks+": "manifests of s3_masks, all shards of the training split",
            "classifier": "weights of s1_classifier",
            "weights>": "weights.safetensors to write",
        },
        texts=cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.object_net import ObjectNetTraining, crops_of, nothing_to_learn
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_object_net

    device = devices.pick(paths.device)
    index, masks = Index.read(paths.index), Manifest(paths.masks, [contracts.MASKS])
    crops = crops_of(index)
    if not crops:
        raise nothing_to_learn(paths.index)
    network, sources = build_object_net(paths.classifier, opt.width, opt.seed)
    ObjectNetTraining(network, sources, index, crops, masks, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
