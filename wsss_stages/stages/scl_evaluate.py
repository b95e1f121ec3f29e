"""Score a few-shot network on the test episodes of a fold: mIoU of its new classes and FB-IoU (Sec. 5.4.2).

reads   index.json             true masks, and photographs for other scales than 1
        episodes.json          lists of test episodes, one a seed
        FEATURES               manifests of scl_features, of all images of the test
        weights.safetensors    the network of scl_train
writes  scores.json            rows by number of supports and fusion: of every seed mIoU, FB-IoU and the IoU of each class

The row "1-shot, another class" has, as a control, supports that show a class other than the one that is scored: a network that scores
there as in "1-shot" finds objects, but not those of its support's class. Rows "prototype" compare the query's nodes with the means of
the supports' object and of what is around it, on the same maps; nothing is trained for them but a threshold on base classes.

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
    import numpy as np
    import torch

    from wsss_stages.data.few_shot.episodes import EpisodeError, Episodes
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import metrics
    from wsss_stages.roads.few_shot_test import FewShotTest
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_few_shot

    device = devices.pick(paths.device)
    index, episodes = Index.read(paths.index), Episodes.read(paths.episodes)
    network, known = restore_few_shot(paths.weights, opt)
    network.to(device, memory_format=torch.channels_last)
    if known["fold"] != episodes.fold:
        raise artifacts.ContractError(
            f"{paths.weights} were trained on fold {known['fold']}, but {paths.episodes} are of fold {episodes.fold}: a test on "
            "classes that were trained. Give both of one fold."
        )
    frozen = Frozen(index, paths.features, network.head.deep)
    frozen.wants(known["features"])
    most = len(episodes.test[0][0].supports)
    if not 1 <= min(opt.shots) <= max(opt.shots) <= most:
        raise EpisodeError(f"found --shots {opt.shots}, wanted numbers of supports from 1 to the episodes' {most}.")
    test = FewShotTest(network, frozen, episodes, opt, device)
    counts = test.counts()
    content = {
        "dataset": index.dataset,
        "fold": episodes.fold,
        "novel": [index.classes[c] for c in episodes.novel],
        "images": len({image for its in episodes.test for e in its for image in (e.query, *e.supports)}),
        "pairs": len(episodes.test[0]),
        "unknown_ignored": True,
        "threshold": test.threshold,
        "options": opt.model_dump(),
        "rows": {
            row: {
                "miou": [float(np.nanmean(metrics.foreground_iou(its)[episodes.novel])) for its in found],
                "fb_iou": [metrics.mean_iou(its.sum(axis=0)) for its in found],
                "iou": {
                    index.classes[c]: [_number(metrics.foreground_iou(its)[c]) for its in found] for c in episodes.novel
                },
            }
            for row, found in counts.items()
        },
    }
    artifacts.write_sealed(paths.scores, content)
    for row, found in content["rows"].items():
        miou, fb = (100 * np.array(found[key]) for key in ("miou", "fb_iou"))
        sys.stdout.write(
            f"fold {episodes.fold}, {row}: mIoU {miou.mean():.1f} ± {miou.std(ddof=len(miou) > 1):.1f} %, FB-IoU {fb.mean():.1f} % "
            f"over {len(miou)} seeds of {len(episodes.test[0])} episodes\n"
        )


def _number(value: float) -> float | None:
    return None if value != value else float(value)


if __name__ == "__main__":
    cli.run(main)
