"""Score a few-shot network on the test episodes of a fold: mIoU of its new classes and FB-IoU (Sec. 5.4.2).

reads   index.json             true masks, and photographs for other scales than 1
        episodes.json          lists of test episodes, one a seed
        FEATURES               manifests of scl_features, of all images of the test
        weights.safetensors    the network of scl_train
writes  scores.json            rows by number of supports and fusion: of every seed mIoU, FB-IoU and the IoU of each class

The row "1-shot, another class" has, as a control, supports that show a class other than the one that is scored: a network that scores
there as in "1-shot" finds objects, but not those of its support's class. Rows "prototype" compare the query's nodes with the means of
the supports' object and of its surroundings, on the same maps; nothing is trained for them but a threshold on base classes.

Pixels and unions are summed over a seed's episodes, by class for mIoU and over all for FB-IoU. Pixels whose truth is 255, such as
VOC's outlines, do not count; where they do, scores are lower by several points.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.SclEvaluate,
        argv,
        paths={
            "index": "index.json",
            "episodes": "episodes.json",
            "features+": "manifests of scl_features",
            "weights": "weights of scl_train",
            "scores>": "scores.json to write",
        },
        texts=cli.DEVICE,
    )
    from wsss_stages.data.few_shot.episodes import Episodes
    from wsss_stages.data.index import Index
    from wsss_stages.roads import few_shot_scores
    from wsss_stages.roads.few_shot_test import FewShotTest
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_few_shot

    device = devices.pick(paths.device)
    index, episodes = Index.read(paths.index), Episodes.read(paths.episodes)
    network, metadata = restore_few_shot(paths.weights, opt)
    devices.move(network, device)
    few_shot_scores.of_one_fold(paths.weights, metadata["fold"], paths.episodes, episodes.fold)
    frozen = Frozen(index, paths.features, network.head.deep)
    frozen.check_options(metadata["features"])
    few_shot_scores.few_enough(opt.shots, episodes)
    test = FewShotTest(network, frozen, episodes, opt, device)
    content = few_shot_scores.summary(index, episodes, opt, test.threshold, test.counts())
    artifacts.write_sealed(paths.scores, content)
    for line in few_shot_scores.lines(content):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    cli.run(main)
