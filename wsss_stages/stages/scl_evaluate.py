"""Score a few-shot network on the test episodes of a fold: mIoU of its new classes and FB-IoU (Sec. 5.4.2).

reads   index.json             true masks, and photographs for other scales than 1
        episodes.json          lists of test episodes, one a seed
        FEATURES               manifests of scl_features, of all images of the test
        weights.safetensors    the network of scl_train
writes  scores.json            rows by number of supports and fusion: of every seed mIoU, FB-IoU and the IoU of each class

The row "1-shot, another class" has, as a control, supports that show a class other than the one that is scored: a network that scores
there as in "1-shot" finds objects, but not those of its support's class.

Pixels and unions are summed over a seed's episodes, by class for mIoU and over all for FB-IoU. Pixels whose truth is 255, such as
VOC's outlines, do not count; where they do, scores are lower by several points.
"""

import sys

from wsss_stages import options
from wsss_stages.few_shot_tables import ANOTHER_CLASS, ONE_SHOT
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
        texts={"device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages import artifacts, metrics
    from wsss_stages.ahead import Ahead
    from wsss_stages.batches import collate
    from wsss_stages.data.episodes import EpisodeError, Episodes, of_another_class
    from wsss_stages.data.frozen import Frozen
    from wsss_stages.data.index import Index
    from wsss_stages.data.squares import from_square, image_on_square
    from wsss_stages.finite import finite
    from wsss_stages.models import restore_few_shot
    from wsss_stages.nets import backbones
    from wsss_stages.progress import progress
    from wsss_stages.scl.answers import Answers
    from wsss_stages.scl.head import Maps
    from wsss_stages.stages import devices

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
    stride = known["features"]["stride"]
    sides = [max(stride, round(frozen.side * scale / stride) * stride) for scale in opt.scales]
    rows = {  # name to number of supports and whether they are weighted
        name: (shots, cross)
        for shots in opt.shots
        for name, cross in (
            [(ONE_SHOT, False)] if shots == 1 else [(f"{shots}-shot average", False), (f"{shots}-shot cross", True)]
        )
    }
    counts = {row: np.zeros((len(episodes.test), len(index.classes), 2, 2), np.int64) for row in (*rows, ANOTHER_CLASS)}
    by_query = sorted(
        (
            (seed, *asked)
            for seed, its in enumerate(episodes.test)
            for asked in zip(its, of_another_class(its), strict=True)
        ),
        key=lambda asked: asked[1].query,
    )

    def on_device(found: list[dict]) -> Maps:
        return Maps.stored(*(m.to(device) for m in collate(found).values()))

    def views(image: str) -> list[Maps]:
        """Maps of a query at every scale; those of scale 1 are there already."""
        photo = index.records[image].image(index.root) if set(sides) != {frozen.side} else None
        found = []
        for side in sides:
            if side == frozen.side:
                found.append(on_device([frozen.maps(image)]))
            else:
                square = torch.from_numpy(image_on_square(photo, side))[None].to(device)
                found.append(network.encode(backbones.normalise(square)))
        return found

    def load(asked):
        found = [(e.supports[: max(opt.shots)], e.cls) for e in asked[1:] if e]
        return [([frozen.maps(i) for i in its], np.stack([frozen.mask(i, cls) for i in its])) for its, cls in found]

    last = None
    for (seed, episode, _), supports in progress(Ahead(by_query, load), "scl_evaluate"):
        if episode.query != last:
            queries, last = views(episode.query), episode.query
        truth = frozen.truth(episode.query, episode.cls)
        for (maps, masks), its_rows in zip(supports, (rows, {ANOTHER_CLASS: (1, False)}), strict=False):
            answers = Answers(network, on_device(maps), torch.from_numpy(masks).to(device), opt.cross_path)
            scores = [answers.scores(query) for query in queries]
            for row, (shots, cross) in its_rows.items():
                total = sum(
                    from_square(answers.fused(its, shots, cross), *truth.shape, side)
                    for its, side in zip(scores, sides, strict=True)
                )
                finite(total, "the scores", "scl_evaluate", episode.query, "scl_train")
                counts[row][seed, episode.cls] += metrics.confusion(truth, total.argmax(dim=0).cpu().numpy(), 2)
    if not counts[ANOTHER_CLASS].any():
        del counts[ANOTHER_CLASS]
    content = {
        "dataset": index.dataset,
        "fold": episodes.fold,
        "novel": [index.classes[c] for c in episodes.novel],
        "images": len({image for _, e, _ in by_query for image in (e.query, *e.supports)}),
        "pairs": len(episodes.test[0]),
        "unknown_ignored": True,
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
