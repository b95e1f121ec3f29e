"""A page of test episodes: supports with masks, the regions of v_pri and v_aux, predictions of the query, truth.

reads   index.json, episodes.json, FEATURES, weights.safetensors    as scl_evaluate
writes  PAGE                                                        PNG
"""

from wsss_stages.config import options
from wsss_stages.stages import cli

SUPPORTS = 2
"""Shown of an episode."""


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
            "page>": "PNG to write",
        },
        texts={"images": ("12", "rows")} | cli.DEVICE,
    )
    import cv2
    import numpy as np
    import torch

    from wsss_stages.data.few_shot.episodes import Episodes
    from wsss_stages.data.few_shot.squares import from_square, inside
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import figures
    from wsss_stages.scl.answers import Answers
    from wsss_stages.scl.head import Maps
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.training.batches import collate
    from wsss_stages.training.networks import restore_few_shot

    device = devices.pick(paths.device)
    index, episodes = Index.read(paths.index), Episodes.read(paths.episodes)
    network, known = restore_few_shot(paths.weights, opt)
    network.to(device, memory_format=torch.channels_last)
    frozen = Frozen(index, paths.features, network.head.deep)
    frozen.wants(known["features"])

    def maps(images) -> Maps:
        found = [frozen.maps(i) for i in images]
        return network.prepared(Maps.stored(*(m.to(device) for m in collate(found).values())))

    def row(episode) -> dict:
        masks = np.stack([frozen.mask(i, episode.cls) for i in episode.supports])
        answers = Answers(network, maps(episode.supports), torch.from_numpy(masks).to(device), opt.cross_path)
        photos = {i: index.records[i].image(index.root) for i in (episode.query, *episode.supports)}
        query, truth = photos[episode.query], frozen.truth(episode.query, episode.cls)
        view = maps([episode.query])

        def predicted(shots: int, cross: bool) -> np.ndarray:
            fused = from_square(
                answers.fused(answers.scores(view, shots), cross), *truth.shape, frozen.side, network.grid
            )
            finite(fused, "the scores", "scl_report", episode.query, "scl_train")
            return figures.over(query, fused.argmax(dim=0).cpu().numpy().astype(np.uint8))

        cells = {
            f"support {n}": figures.over(photos[i], frozen.truth(i, episode.cls))
            for n, i in enumerate(episode.supports[:SUPPORTS], 1)
        }
        if answers.guidance.M_hat is not None:
            M_s, M_hat = (m[0].cpu().numpy() for m in (answers.M_s, answers.guidance.M_hat))
            nodes = cv2.resize(np.uint8(M_s * (2 - M_hat)), (frozen.side, frozen.side), interpolation=cv2.INTER_NEAREST)
            photo = photos[episode.supports[0]]
            h, w = inside(*photo.shape[:2], frozen.side)
            cells["v_pri, v_aux of support 1"] = figures.over(photo, nodes[:h, :w])
        K = len(episode.supports)
        cells["1-shot"] = predicted(1, False)
        if K > 1:
            cells |= {f"{K}-shot, average": predicted(K, False), f"{K}-shot, CGM": predicted(K, True)}
        return cells | {"truth": figures.over(query, truth)}

    first = {}  # episodes of every class in turn
    for episode in episodes.test[0]:
        first.setdefault(episode.cls, []).append(episode)
    turns = sorted((n, c) for c, its in first.items() for n in range(len(its)))[: int(paths.images)]
    shown = [first[c][n] for n, c in turns]
    rows = [row(episode) for episode in shown]
    names = [f"{index.classes[e.cls]}\n…{e.query[-16:]}" for e in shown]
    legend = {1: "object; region of v_pri", 2: "region of v_aux"}
    figure = figures.rows_figure(list(rows[0]), [list(cells.values()) for cells in rows], names, legend)
    with artifacts.whole(paths.page) as partial:
        figure.savefig(partial, dpi=110, format="png")
    figures.plt.close(figure)


if __name__ == "__main__":
    cli.run(main)
